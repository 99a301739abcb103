#!/usr/bin/env bash
# Runs in a clean Debian, as root: installs the package, uses it as a plain user, updates it under what runs, and
# removes it again. Called by run.sh.
. /root/tests/common.sh
files() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/cache -o -path /var/log \
    -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /home -o -path /root \) -prune -o -print | sort; }
# How many deliveries are in a state. $1: it; $2: a command that chooses another profile.
number() { user "${2:-:}; $program queue --json" | tr ',{' '\n\n' | grep -c "\"state\": *\"$1\"" || true; }

program=sendoff
apt install xvfb xauth ca-certificates dbus xdotool libglib2.0-bin weston  # what other packages may want to keep is there before
files >/root/before

began=$SECONDS
apt install /root/old.deb
say "installed in $((SECONDS - began)) s, with what it depends on"
! command -v python3 >/dev/null || fail "there is a python3 here, so that it proves nothing"
user 'sendoff --version'

say "-- the installed program tests itself"
self_test sendoff
user 'sendoff demo' >/tmp/said 2>&1 || { cat /tmp/said; fail "the demo"; }

say "-- a window on Wayland, which knows its entry"
user 'exec weston --backend=headless-backend.so --socket=shown --idle-time=0' >/tmp/ada/weston 2>&1 & weston=$!
until_so 60 test -S /tmp/ada/shown || fail "no Wayland: $(cat /tmp/ada/weston)"
user 'SENDOFF_HOME=~/wayland WAYLAND_DISPLAY=shown QT_QPA_PLATFORM=wayland WAYLAND_DEBUG=client exec sendoff' >/tmp/ada/window 2>&1 & window=$!
until_so 120 grep -q 'set_app_id("org.sendoff.Sendoff")' /tmp/ada/window || fail "no window, or one that nobody knows: $(tail -5 /tmp/ada/window)"
[ -e /usr/share/applications/org.sendoff.Sendoff.desktop ] || fail "its entry is not there"
end_of_window $window
kill "$(pidof weston)"
wait $weston || true

say "-- a browser that it opens gets none of its libraries"
printf '#!/bin/sh\nenv >/tmp/ada/browser\n' >/tmp/browser
chmod 755 /tmp/browser
user 'BROWSER=/tmp/browser exec xvfb-run -a sendoff accounts add x --browser --field client_id=none' </dev/null >/tmp/ada/window 2>&1 & window=$!
until_so 120 test -s /tmp/ada/browser || fail "no browser was opened: $(cat /tmp/ada/window)"
end_of_window $window
! grep LD_LIBRARY_PATH /tmp/ada/browser || fail "it would load them"

say "-- start at login, and by the session's bus"
start_at_login sendoff
by_the_bus /usr/share/applications/org.sendoff.Sendoff.desktop

say "-- an update under a worker and a window that send"
# What runs has to go on without a single file of its own: after the update the package is out of the way for a while,
# and what gives orders meanwhile is a copy of the new one. The window has a profile of its own.
perl /root/tests/notes.pl /tmp/ada/notes >/tmp/port &
notes=$!
other='export SENDOFF_HOME=$HOME/window'
until_so 30 test -s /tmp/port || fail "no endpoint"
for profile in : "$other"; do
    user "$profile; sendoff accounts add practice --name p --field handle=@p && sendoff accounts add endpoint --name n \
        --field url=http://127.0.0.1:$(cat /tmp/port)/notes --field 'body={\"text\": \"{{text}}\"}'" >/dev/null
done
user "$other; exec xvfb-run -a sendoff" >/tmp/ada/window 2>&1 & window=$!
user 'sendoff post --to p --text "before the update" --at now; sendoff worker --until-idle' >/dev/null 2>&1
user 'sendoff post --to p --text "long after it" --at +3d' >/dev/null 2>&1
user 'exec sendoff worker' >/tmp/ada/worker 2>&1 & worker=$!
until_so 180 grep -q started /tmp/ada/worker || fail "no worker: $(cat /tmp/ada/worker)"
user "$other; sendoff post --to p --text 'before the update' --at now" >/dev/null || fail "no profile for the window"
until_so 300 grep -q 'all of it is loaded' /home/ada/window/sendoff.log || fail "the window did not load what it may still need: $(cat /tmp/ada/window)"
apt install /root/new.deb
until_so 180 grep -q updated /tmp/ada/worker || fail "the worker did not see the update: $(cat /tmp/ada/worker)"
cp -a /usr/lib/sendoff /opt/new
program=/opt/new/sendoff
mv /usr/lib/sendoff /usr/lib/away
for profile in : "$other"; do
    user "$profile; for account in p n; do $program post --to \$account --text 'during the update' --at now; done" >/dev/null
done
both() { [ "$(grep -c 'during the update' /tmp/ada/notes)" = 2 ]; }
all_sent() { [ "$(number sent)" = 3 ] && [ "$(number sent "$other")" = 3 ]; }
until_so 180 all_sent || fail "$(cat /tmp/ada/notes /tmp/ada/worker /tmp/ada/window; user "$program queue"; user "$other; $program queue")"
mv /usr/lib/away /usr/lib/sendoff
program=sendoff
rm -r /opt/new
end_of_window $window
kill $(processes worker)
wait $worker || fail "the worker that ran meanwhile: $(cat /tmp/ada/worker)"
kill $notes
user 'sendoff post --to p --text "after the update" --at now; sendoff worker --until-idle' >/dev/null 2>&1
[ "$(number sent)" = 4 ] || fail "$(number sent) are sent: $(user 'sendoff queue')"
[ "$(number scheduled)" = 1 ] || fail "the one for later is gone: $(user 'sendoff queue')"
both || fail "over HTTP came: $(cat /tmp/ada/notes)"
ledger=$(find /home/ada/.local -name received.jsonl)
for text in before during after; do
    [ "$(grep -c "\"$text the update\"" "$ledger")" = 1 ] || fail "“$text the update” arrived $(grep -c "$text the" "$ledger") times"
done
for text in before during; do
    [ "$(grep -c "\"$text the update\"" /home/ada/window/practice/received.jsonl)" = 1 ] || fail "“$text the update” from the window"
done
user 'sendoff doctor' >/tmp/said || { cat /tmp/said; fail "the doctor"; }
say "7 sent once each, 1 still waits"

say "-- away again"
apt purge sendoff
apt autoremove --purge
files >/root/after
diff /root/before /root/after >/tmp/left || { cat /tmp/left; fail "these files were left or taken"; }
[ -s "$(find /home/ada/.local -name sendoff.db)" ] || fail "the person's posts are gone"
say "nothing is left but the person's own files"
