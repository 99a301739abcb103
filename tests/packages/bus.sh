#!/usr/bin/env bash
# Runs as a plain user on a session of its own, with a display and a bus: a launcher opens the installed desktop entry,
# the bus starts Sendoff, and later calls reach the one that runs. $1: the desktop entry.
set -euo pipefail
id=org.sendoff.Sendoff
fail() { printf '    WRONG: %s\n' "$*"; exit 1; }
call() { gdbus call --session --dest $id --object-path /org/sendoff/Sendoff --method org.freedesktop.Application."$@" >/dev/null; }
bus() { gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus."$@"; }
process() { bus GetConnectionUnixProcessID $id | tr -dc '0-9 ' | awk '{ print $NF }'; }
window() { xdotool search --onlyvisible --name '^Sendoff$' 2>/dev/null; }
gone() { ! "$@"; }
written() { cat "$SENDOFF_HOME"/sendoff.db* 2>/dev/null | grep -qa "$1"; }
until_so() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

export SENDOFF_HOME=$HOME/bus
export NO_AT_BRIDGE=1
grep -q '^DBusActivatable=true' "$1" || fail "the entry does not say that the bus starts it"
gio launch "$1" || fail "the launcher"
until_so 60 window || fail "no window after the entry was launched"
first=$(process)
tr '\0' ' ' <"/proc/$first/cmdline" | grep -q -- --activated || fail "it was not the bus that started it"
xdotool windowunmap "$(window | tail -1)"
until_so 10 gone window || fail "the window can't be hidden"
call Activate '{}'
until_so 20 window || fail "the second call did not raise the window"
call Open "['mailto:ada@example.org?subject=Beans&body=Two%20bags']" '{}'
until_so 20 written 'Two bags' || fail "the link began no mail"
[ "$(process)" = "$first" ] || fail "a second one was started"
kill "$first"
until_so 10 gone test -e "/proc/$first/exe" || fail "it did not end"
