#!/usr/bin/env bash
# Packs the portable folder as an AppImage. APPIMAGETOOL names appimagetool, which brings the runtime along.
# Never run by us so far; see packaging/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
: "${APPIMAGETOOL:?name the appimagetool to use in APPIMAGETOOL}"
packaging/build portable
folder=$(ls -d build/sendoff-*-linux-"$(uname -m)" | head -1)
app=build/Sendoff.AppDir
rm -rf "$app"
mkdir -p "$app/usr/lib" "$app/usr/share/metainfo"
cp -r "$folder" "$app/usr/lib/sendoff"
sed /^DBusActivatable/d packaging/linux/org.sendoff.Sendoff.desktop >"$app/org.sendoff.Sendoff.desktop"
cp resources/icons/app/sendoff.svg "$app/org.sendoff.Sendoff.svg"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' desktop/sendoff/__init__.py)
sed "s/@VERSION@/$version/; s/@DATE@/$(date -u +%F)/" packaging/linux/org.sendoff.Sendoff.metainfo.xml \
    >"$app/usr/share/metainfo/org.sendoff.Sendoff.appdata.xml"
cat >"$app/AppRun" <<'RUN'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/usr/lib/sendoff/sendoff" "$@"
RUN
chmod +x "$app/AppRun"
ARCH=$(uname -m) "$APPIMAGETOOL" "$app" "dist/Sendoff-$version-$(uname -m).AppImage"
