#!/usr/bin/env bash
# Runs in a Debian 13 with Wine, as a plain user: installs Sendoff for Windows without a question, lets the installed
# program test itself, updates it with a queue in place while its window is open, and removes it. Called by windows.sh.
set -euo pipefail
say() { printf '    %s\n' "$*"; }
fail() { printf '    WRONG: %s\n' "$*"; exit 1; }
export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=" WINEPREFIX=$HOME/wine DISPLAY=:7 SENDOFF_PASSPHRASE=try
cd "$HOME"
local_data=$WINEPREFIX/drive_c/users/$USER/AppData/Local
roaming=$WINEPREFIX/drive_c/users/$USER/AppData/Roaming/Microsoft/Windows
home=$local_data/Programs/Sendoff
data=$local_data/sendoff
run='HKCU\Software\Microsoft\Windows\CurrentVersion\Run'

# Python ends where its input is closed, and Wine's own words belong nowhere.
win() { wine "$@" </dev/null 2>/dev/null | tr -d '\r'; return "${PIPESTATUS[0]}"; }
sendoff() { win "$home/app/sendoff.exe" "$@"; }
# Until the command says yes: $1 seconds at most.
within() { local end=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.5; done; }
value() { win reg query "$1" /v "$2" | sed -n 's/^.*REG_[A-Z]* *//p'; }
window_runs() { grep -qas 'sendoff-windo[w]\.' /proc/[0-9]*/cmdline; }
window_gone() { ! window_runs; }
ready() { [ -n "$(value "$run" Sendoff)" ]; }
number() { sendoff "${@:2}" queue --json | tr ',{' '\n\n' | grep -c "\"state\": *\"$1\"" || true; }

Xvfb :7 -screen 0 1280x800x24 -nolisten tcp >/dev/null 2>&1 &
within 60 test -e /tmp/.X11-unix/X7 || fail "no display"
trap 'wineserver -k 2>/dev/null || true; kill %1 2>/dev/null || true' EXIT
win wineboot -i >/dev/null || fail "Wine did not start"

say "-- installed without a question"
began=$SECONDS
win old.exe /S || fail "the installer ended with $?"
say "installed in $((SECONDS - began)) s, $(du -sh "$home" | cut -f1)"
[ "$(value 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Sendoff' DisplayVersion)" = 0.0.9 ] || fail "no entry among the programs"
[ -f "$roaming/Start Menu/Programs/Sendoff.lnk" ] || fail "no entry in the start menu"
# (Wine keeps no id in such entries.)
[ "$(value 'HKCU\Software\Classes\AppUserModelId\org.sendoff.Sendoff' DisplayName)" = Sendoff ] || fail "notifications would have no name"
[ ! -e "$data" ] || fail "installing made a profile"
sendoff --version | grep -q . || fail "it does not start"

say "-- the installed program tests itself"
sendoff --self-test --report report.json || fail "the self-test"
grep -q '"platform": "windows"' report.json || fail "no window was shown by Windows' own platform"
grep -q 'Windows' <<<"$(grep -o '"place": "[^"]*"' report.json)" || fail "the keys are not in Windows' own keychain"
! grep -q offscreen report.json || fail "the window was not tried"

say "-- start at login"
sendoff settings set start_at_login yes >/dev/null
wine "$home/app/sendoff-window.exe" </dev/null >window.log 2>&1 &
within 300 ready || fail "the registry has no entry: $(cat window.log)"
value "$run" Sendoff | grep -qi 'Programs\\Sendoff\\app\\sendoff-window.exe.* --background --delay 20$' || fail "a wrong entry: $(value "$run" Sendoff)"

say "-- an update with a queue in place, while its window is open"
sendoff accounts add practice --name p --field handle=@p >/dev/null
sendoff post --to p --text "before the update" --at now >/dev/null
sent_once() { [ "$(number sent)" = 1 ]; }
within 300 sent_once || fail "the open window does not send: $(sendoff queue)"
sendoff post --to p --text "long after it" --at +3d >/dev/null
began=$SECONDS
win new.exe /S || fail "the update ended with $?"
say "updated in $((SECONDS - began)) s"
[ "$(value 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Sendoff' DisplayVersion)" != 0.0.9 ] || fail "still the old version"
[ ! -e "$home/app.old" ] || fail "the old version is still there"
within 180 window_runs || fail "what was sending before the update does not send after it"
sendoff post --to p --text "after the update" --at now >/dev/null
sent_twice() { [ "$(number sent)" = 2 ]; }
within 300 sent_twice || fail "after the update nothing is sent: $(sendoff queue)"
[ "$(number scheduled)" = 1 ] || fail "the one for later is gone: $(sendoff queue)"
ledger=$(find "$data" -name received.jsonl)
for text in before after; do
    [ "$(grep -c "\"$text the update\"" "$ledger")" = 1 ] || fail "“$text the update” did not arrive just once"
done
sendoff doctor >said || { cat said; fail "the doctor"; }
say "2 sent once each, 1 still waits"

quit_window() { # $@: which profile's. A busy Wine may need longer than `--quit` itself waits, which then says so.
    asked() {
        wine "$home/app/sendoff.exe" "$@" --quit </dev/null >quit.log 2>&1 || true
        grep -q 'has quit\|No Sendoff was open' quit.log
    }
    within 120 asked "$@" || fail "the window did not quit: $(cat quit.log)"
}
nobody_runs() {
    within 120 window_gone || fail "a window is still there"
    [ ! -e "$data/run/window.lock" ] || fail "it left its lock"
}
refused() { # the installer, over what runs: it says so by its exit code, and changes nothing
    local before
    before=$(sha256sum "$home/app/sendoff.exe" "$home/app/sendoff-window.exe")
    win new.exe /S && fail "it was installed over what runs" || [ $? = 4 ] || fail "the installer did not say that Sendoff runs"
    [ "$(sha256sum "$home/app/sendoff.exe" "$home/app/sendoff-window.exe")" = "$before" ] || fail "it was changed all the same"
    [ ! -e "$home/app.old" ] || fail "it had begun"
}
say "-- what stands for the start at login starts it"
quit_window
nobody_runs
wine cmd /c "$(value "$run" Sendoff)" </dev/null >login.log 2>&1 &
within 180 test -e "$data/run/window.lock" || fail "nothing was started: $(cat login.log)"

say "-- a window of another profile is not ended by an update, and the one that had to quit for it comes back"
other=$HOME/other
wine "$home/app/sendoff-window.exe" --home "Z:$other" --background </dev/null >other.log 2>&1 &
within 180 test -e "$other/run/window.lock" || fail "no second window: $(cat other.log)"
sendoff --home "Z:$other" accounts add practice --name p --field handle=@p >/dev/null
process() { head -1 "$data/run/window.lock" 2>/dev/null; }
was=$(process)
came_back() { [ -n "$(process)" ] && [ "$(process)" != "$was" ]; }
refused
within 180 came_back || fail "the window of the usual profile did not come back"
for profile in "" "Z:$other"; do
    sendoff ${profile:+--home "$profile"} post --to p --text "after no update" --at now >/dev/null
done
usual_sent() { [ "$(number sent)" = 3 ]; }
other_sent() { [ "$(number sent --home "Z:$other")" = 1 ]; }
within 300 usual_sent || fail "the window of the usual profile does not send: $(sendoff queue)"
within 300 other_sent || fail "the other profile's window does not send: $(sendoff --home "Z:$other" queue)"
quit_window
quit_window --home "Z:$other"
nobody_runs

say "-- a worker at a console is not ended by an update"
wine "$home/app/sendoff.exe" worker </dev/null >worker.log 2>&1 &
worker=$!
within 180 grep -q started worker.log || fail "no worker: $(cat worker.log)"
refused
! window_runs || fail "a window was opened where there was none"
kill $worker
wait $worker || true

remove() { # the uninstaller copies itself away and goes on there
    win "$home/uninstall.exe" /S "$@" || true
    gone() { [ ! -e "$home" ]; }
    within 180 gone || fail "left behind: $(find "$home" | head -5)"
}
# What windows.sh compares with the SBOM.
ls "$home/app/lib" >inside.txt
win "$home/app/python.exe" --version >>inside.txt

say "-- removed, and the data kept"
remove
[ -z "$(value "$run" Sendoff)" ] || fail "it would still start at login"
[ ! -e "$roaming/Start Menu/Programs/Sendoff.lnk" ] || fail "the start menu still has it"
! win reg query 'HKCU\Software' /s | grep -i 'sendoff\.' || fail "the registry still has it"
[ -s "$data/sendoff.db" ] || fail "the person's posts are gone"

say "-- installed again, the queue is there; removed with everything"
win new.exe /S
[ "$(number scheduled)" = 1 ] || fail "the one for later is gone: $(sendoff queue)"
cat >key.py <<'PYTHON'
from sendoff.bootstrap import open_program
from sendoff.domain.channel import Identity

program = open_program()
fields = {"url": "https://localhost/notes", "auth": "bearer", "secret": "canary", "body": '{"text": "{{text}}"}'}
program.commands.accounts.add("endpoint", "with a key", fields, identity=Identity("k"))
program.close()
PYTHON
win "$home/app/python.exe" -X utf8 key.py || fail "no account with a key could be made"
win reg query 'HKCU\Software\Wine\Credential Manager' /s | grep -q Sendoff || fail "no key is in Windows' keychain"
remove /PURGE
[ ! -e "$data" ] || fail "left behind: $(find "$data" | head -5)"
! win reg query 'HKCU\Software' /s | grep -i 'sendoff' || fail "the registry still has it"
say "nothing is left"
