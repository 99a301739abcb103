#!/usr/bin/env bash
# ./test peers: installs the real servers that are missing (Debian, as root or through sudo), then tests against them.
# Called from the root after sendoff_setup peers. Words go to pytest: ./test peers -k mail
# SENDOFF_SPECS names a folder with official OpenAPI files and vectors; only then Prism is fetched, to judge by them.
set -euo pipefail
. packaging/bootstrap.sh

# As "program package".
PEERS='
postfix postfix
dovecot dovecot-core
/usr/lib/dovecot/imap dovecot-imapd
/usr/lib/dovecot/lmtp dovecot-lmtpd
openssl openssl
gnome-keyring-daemon gnome-keyring
gdbus libglib2.0-bin
dbus-run-session dbus
dbus-daemon dbus
Xvfb xvfb
openbox openbox
tint2 tint2
wmctrl wmctrl
xdotool xdotool
xprop x11-utils
weston weston
npm npm
g++ g++
make make
'

missing=()
while read -r program package; do
    [ -z "$program" ] || PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || missing+=("$package")
done <<<"$PEERS"
if [ ${#missing[@]} != 0 ]; then
    # Without this answer Postfix asks how this computer is reached.
    if [ "$(id -u)" = 0 ] && command -v debconf-set-selections >/dev/null; then
        echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
    fi
    install_packages "${missing[@]}"
fi
[ -z "${SENDOFF_SPECS:-}" ] || tests/peers/prism.sh install
tests/peers/matrix.sh install || echo "The tests against a Matrix server are skipped."
tests/peers/pds.sh install || echo "The tests against a Bluesky PDS are skipped."
export PATH=$PATH:/usr/sbin:/sbin
QT_QPA_PLATFORM=offscreen exec "$VENV/bin/python" -m pytest -m peer -n0 -rs tests/peers "$@"
