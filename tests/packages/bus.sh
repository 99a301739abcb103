#!/usr/bin/env bash
# Runs as a plain user on a session of its own, with a display and a bus: somebody opens a mailto: link,
# the bus starts Sendoff for it, and later calls reach the one that runs. $1: the installed desktop entry;
# SENDOFF_HOME: a profile for it, known to the bus from its start.
. /tmp/words.sh
id=org.sendoff.Sendoff
call() { gdbus call --session --dest $id --object-path /org/sendoff/Sendoff --method org.freedesktop.Application."$@" >/dev/null; }
bus() { gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus."$@"; }
process() { bus GetConnectionUnixProcessID $id | tr -dc '0-9 ' | awk '{ print $NF }'; }
window() { xdotool search --onlyvisible --name '^Sendoff$' 2>/dev/null; }  # its id
gone() { ! "$@"; }
written() { grep -qa "$1" "$SENDOFF_HOME"/sendoff.db*; }

export XDG_CONFIG_HOME
XDG_CONFIG_HOME=$(mktemp -d)
grep -q '^DBusActivatable=true' "$1" || fail "the entry does not say that the bus starts it"
gio mime x-scheme-handler/mailto $id.desktop >/dev/null
gio open 'mailto:ada@example.org?subject=Beans&body=Two%20bags'
until_so 180 window || fail "no window after a link was opened"
first=$(process)
grep -qz -- --activated "/proc/$first/cmdline" || fail "it was not the bus that started it"
class=$(sed -n 's/^StartupWMClass=//p' "$1")
xdotool search --onlyvisible --class "^$class\$" >/dev/null || fail "the task bar would not know the window by its entry: $class"
until_so 120 written 'Two bags' || fail "the link began no mail"
call Activate '{}' # tests/peers/test_session.py looks at what is raised; here is no window manager for it
call Open "['mailto:ada@example.org?subject=Beans&body=Three%20bags']" '{}'
until_so 120 written 'Three bags' || fail "a second link began no mail"
program=$(sed -n 's/^Exec="\{0,1\}\([^" ]*\).*/\1/p' "$1" | head -1)
"$program" --text 'Four bags' || fail "a second start does not hand over its text"
until_so 120 written 'Four bags' || fail "a text that was handed over began no post"
echo 'Five bags' >"$XDG_RUNTIME_DIR/beans.txt"
"$program" "$XDG_RUNTIME_DIR/beans.txt" || fail "a second start does not hand over its file"
until_so 120 written beans.txt || fail "a file that was handed over is in no post"
[ "$(process)" = "$first" ] || fail "a second one was started"
kill "$first"
until_so 5 gone test -e "/proc/$first/exe" || fail "it did not end in time for a logout"
