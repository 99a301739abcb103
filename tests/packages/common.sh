# Sourced by what runs in a clean Debian, as root: doing things as a plain user called Ada.
. /root/tests/words.sh
quiet() { "$@" >/tmp/said 2>&1 || { tail -20 /tmp/said; fail "$*"; }; }

# What can't be resolved is the package's fault; what can't be fetched is not, and ends with 75 (run.sh: skipped).
apt() {
    local words=(env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends -o Acquire::Retries=3)
    case $1 in
    update) "${words[@]}" update --error-on=any >/tmp/said 2>&1 || unreachable ;;
    install)
        quiet "${words[@]}" --simulate "$@"
        "${words[@]}" --download-only "$@" >/tmp/said 2>&1 || unreachable
        quiet "${words[@]}" "$@"
        ;;
    *) quiet "${words[@]}" "$@" ;;
    esac
}
unreachable() { tail -5 /tmp/said; say "the mirror of Debian can't be reached"; exit 75; }
user() { su ada -s /bin/bash -c "cd; export XDG_RUNTIME_DIR=/tmp/ada LC_ALL=C.UTF-8 SENDOFF_PASSPHRASE=try; $1"; }

# Lets the installed program look at itself on a virtual display. $1: how it is called. Leaves /tmp/ada/report.json.
self_test() {
    user "xvfb-run -a $1 --self-test --report /tmp/ada/report.json" || fail "the self-test"
    grep -q '"platform": "xcb"' /tmp/ada/report.json || fail "no window was shown on the display"
}

# Has the entry for the start at login written, and looks whether what it starts is there. $1: how the program is called.
start_at_login() {
    local entry=/home/ada/.config/autostart/org.sendoff.Sendoff.desktop window
    user "$1 settings set start_at_login yes" >/dev/null
    user "exec xvfb-run -a $1" >/tmp/ada/window 2>&1 & window=$!
    until_so 180 grep -q '^Exec=.*/sendoff.* --background --delay 20$' "$entry" || fail "no entry, or a wrong one: $(cat "$entry" /tmp/ada/window 2>&1)"
    [ -x "$(sed -n 's/^Exec="\{0,1\}\([^" ]*\).*/\1/p' "$entry")" ] || fail "what it starts is not there: $(grep ^Exec "$entry")"
    end_of_window "$window"
}

# Plays bus.sh on a session of Ada's own. $1: the installed desktop entry.
by_the_bus() {
    cp /root/tests/words.sh /root/tests/bus.sh /tmp/
    user "SENDOFF_HOME=~/bus xvfb-run -a dbus-run-session -- bash /tmp/bus.sh $1" 2>/tmp/said || { tail -5 /tmp/said; fail "the bus"; }
}

# Ends the windows of Ada, and waits for the command that showed them.
end_of_window() {
    local there
    there=$(processes window)
    [ -n "$there" ] || fail "the window has fallen: $(tail -5 /tmp/ada/window)"
    # shellcheck disable=SC2086
    kill $there
    wait "$1" || true
}

# Ada's processes of the program: window or worker.
processes() {
    local one words kind
    for one in /proc/[0-9]*; do
        { words=$(tr '\0' ' ' <"$one/cmdline"); } 2>/dev/null || continue
        case "$words" in
        */bash* | bash* | su\ * | */sh\ * | */xvfb-run*) continue ;;
        *sendoff*worker*) kind=worker ;;
        *sendoff*) kind=window ;;
        *) continue ;;
        esac
        [ "$kind" != "$1" ] || printf '%s\n' "${one#/proc/}"
    done
}

useradd -m ada
install -d -m 700 -o ada /tmp/ada
apt update
