#!/usr/bin/env bash
# Runs in a clean Debian, as root: installs the package, uses it as a plain user, updates it with a queue in place, and
# removes it again. Called by run.sh.
set -euo pipefail
say() { printf '    %s\n' "$*"; }
fail() { printf '    WRONG: %s\n' "$*"; exit 1; }
quiet() { "$@" >/tmp/said 2>&1 || { tail -20 /tmp/said; fail "$*"; }; }
apt() { DEBIAN_FRONTEND=noninteractive quiet apt-get -y --no-install-recommends "$@"; }
user() { su ada -s /bin/bash -c "cd; export XDG_RUNTIME_DIR=/tmp/ada LC_ALL=C.UTF-8 SENDOFF_PASSPHRASE=try; $1"; }
files() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/cache -o -path /var/log \
    -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /home -o -path /root \) -prune -o -print | sort; }
number() { user "sendoff queue --json" | tr ',{' '\n\n' | grep -c "\"state\": *\"$1\"" || true; }

useradd -m ada
install -d -m 700 -o ada /tmp/ada
apt update
apt install xvfb xauth ca-certificates  # what other packages may want to keep is there before
files >/root/before

began=$SECONDS
apt install /root/old.deb
say "installed in $((SECONDS - began)) s"
! command -v python3 >/dev/null || fail "there is a python3 here, so that it proves nothing"
user 'sendoff --version'

say "-- the installed program tests itself"
user 'xvfb-run -a sendoff --self-test --report /tmp/ada/report.json' || fail "the self-test"
grep -q '"platform": "xcb"' /tmp/ada/report.json || fail "no window was shown on the display"
user 'sendoff demo' >/tmp/said 2>&1 || { cat /tmp/said; fail "the demo"; }

say "-- start at login"
user 'sendoff settings set start_at_login yes >/dev/null; timeout -s TERM 12 xvfb-run -a sendoff >/tmp/ada/window 2>&1' || true
entry=/home/ada/.config/autostart/org.sendoff.Sendoff.desktop
grep -q '^Exec=.*/sendoff.* --background' "$entry" || fail "no entry, or a wrong one: $(cat "$entry" /tmp/ada/window 2>&1)"
[ -x "$(sed -n 's/^Exec="\{0,1\}\([^" ]*\).*/\1/p' "$entry")" ] || fail "what it starts is not there: $(grep ^Exec "$entry")"

say "-- an update with a queue in place, while it sends"
user 'sendoff accounts add practice --name p --field handle=@p >/dev/null'
user 'sendoff post --to p --text "before the update" --at now >/dev/null; sendoff worker --until-idle >/dev/null'
user 'sendoff post --to p --text "during the update" --at +20s >/dev/null'
user 'sendoff post --to p --text "long after it" --at +3d >/dev/null'
user 'sendoff worker --for 40 >/tmp/ada/worker 2>&1' & worker=$!
sleep 3
apt install /root/new.deb
wait $worker || fail "the sender that was running: $(cat /tmp/ada/worker)"
user 'sendoff post --to p --text "after the update" --at now >/dev/null; sendoff worker --until-idle >/dev/null'
[ "$(number sent)" = 3 ] || fail "$(number sent) are sent: $(user 'sendoff queue')"
[ "$(number scheduled)" = 1 ] || fail "the one for later is gone: $(user 'sendoff queue')"
ledger=$(find /home/ada -name received.jsonl)
for text in before during after; do
    [ "$(grep -c "\"$text the update\"" "$ledger")" = 1 ] || fail "“$text the update” arrived $(grep -c "$text the" "$ledger") times"
done
user 'sendoff doctor' >/tmp/said || { cat /tmp/said; fail "the doctor"; }
say "3 sent once each, 1 still waits"

say "-- away again"
apt purge sendoff
apt autoremove --purge
files >/root/after
diff /root/before /root/after >/tmp/left || { cat /tmp/left; fail "these files were left or taken"; }
[ -s "$(find /home/ada -name sendoff.db)" ] || fail "the person's posts are gone"
say "nothing is left but the person's own files"
