#!/usr/bin/env bash
# keychain.sh unlocked|locked|none COMMAND…
# Runs a command in a D-Bus session and a home of its own, with a real Secret Service (gnome-keyring) that is open,
# with one that is locked, or with none. SENDOFF_PEER_HOME keeps the home over several calls.
set -euo pipefail
mode=$1
shift
home=${SENDOFF_PEER_HOME:-$(mktemp -d)}
mkdir -p "$home/run"
chmod 700 "$home/run"
export MODE=$mode HOME=$home XDG_RUNTIME_DIR=$home/run
export XDG_DATA_HOME=$home/.local/share XDG_CONFIG_HOME=$home/.config XDG_CACHE_HOME=$home/.cache
unset DBUS_SESSION_BUS_ADDRESS GNOME_KEYRING_CONTROL DISPLAY WAYLAND_DISPLAY
bus=()
if [ "$mode" = none ]; then
    # A bus that starts nothing on demand: the system's own would start a keychain.
    cat >"$home/bus.conf" <<'XML'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
XML
    bus=(--config-file="$home/bus.conf")
fi
exec dbus-run-session "${bus[@]}" -- bash -c '
    # A line end is the password; an empty one would make no collection.
    [ "$MODE" = none ] || printf "\n" | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
    [ "$MODE" != locked ] || { sleep 0.3; gdbus call --session -d org.freedesktop.secrets -o /org/freedesktop/secrets \
        -m org.freedesktop.Secret.Service.Lock "[objectpath \"/org/freedesktop/secrets/collection/login\"]" >/dev/null; }
    sleep 0.3
    "$@"' keychain "$@"
