#!/bin/sh
# Puts Sendoff into the start menu of whoever runs this, from where this folder stands now; `./install.sh remove` takes
# it out again. Your posts and accounts are elsewhere and stay.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
share=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$share/applications/org.sendoff.Sendoff.desktop
service=$share/dbus-1/services/org.sendoff.Sendoff.service
icon=$share/icons/hicolor/scalable/apps/org.sendoff.Sendoff.svg
link=$HOME/.local/bin/sendoff
login=${XDG_CONFIG_HOME:-$HOME/.config}/autostart/org.sendoff.Sendoff.desktop
if [ "${1:-}" = remove ]; then
    rm -f "$entry" "$service" "$icon" "$link"
    if grep -q "^Exec=.*$here/\|^Exec=.*$link" "$login" 2>/dev/null; then rm "$login"; fi
    echo "Sendoff is out of the start menu. Delete this folder if you like; your posts stay in $share/sendoff."
    exit
fi
mkdir -p "$(dirname "$entry")" "$(dirname "$service")" "$(dirname "$icon")" "$(dirname "$link")"
sed "s|^Exec=sendoff|Exec=\"$here/sendoff\"|; s|^TryExec=sendoff|TryExec=$here/sendoff|" \
    "$here/org.sendoff.Sendoff.desktop" >"$entry"
sed "s|^Exec=/usr/bin/sendoff|Exec=\"$here/sendoff\"|" "$here/org.sendoff.Sendoff.service" >"$service"
cp "$here/sendoff.svg" "$icon"
ln -sf "$here/sendoff" "$link"
echo "Sendoff is in the start menu, and as “sendoff” in $(dirname "$link")."
