#!/usr/bin/env bash
# Runs in a clean Debian, as root: unpacks the portable archive where a plain user would, with no library besides those
# that its README names, puts it into the start menu, uses it, and takes it out again. Called by run.sh.
. /root/tests/common.sh
apt install xz-utils
user "mkdir Apps && tar -C Apps -xJf -" </root/portable.tar.xz
here=$(echo /home/ada/Apps/sendoff-*)
# shellcheck disable=SC2046
apt install $(sed -n 's/^ *apt-get install //p' "$here/README.txt")

say "-- with the libraries that its README names"
mapfile -t dirs < <(find "$here" -name '*.so*' -printf '%h\n' | sort -u)
find "$here" -type f \( -name '*.so*' -o -name sendoff \) -exec env LD_LIBRARY_PATH="$(IFS=:; echo "${dirs[*]}")" ldd {} + 2>/dev/null |
    awk '/not found/ { print $1 }' | sort -u >/tmp/missing
[ ! -s /tmp/missing ] || fail "these are missing: $(tr '\n' ' ' </tmp/missing)"
user "QT_QPA_PLATFORM=offscreen '$here/sendoff' --self-test >/tmp/ada/said" || { cat /tmp/ada/said; fail "the self-test"; }

apt install xvfb xauth dbus xdotool libglib2.0-bin
user "find . -path ./Apps -prune -o -print | sort >/tmp/ada/before"
user "'$here/install.sh'" >/dev/null
self_test '~/.local/bin/sendoff'
start_at_login '~/.local/bin/sendoff'
entry=/home/ada/.local/share/applications/org.sendoff.Sendoff.desktop
by_the_bus "$entry"

say "-- away again"
user "'$here/install.sh' remove" >/dev/null
user "find . -path ./Apps -prune -o -type f -print | grep -v '^./.cache\|^./.local/share/sendoff/\|^./bus/\|^./.dbus'" >/tmp/left || true
sort /tmp/left | comm -23 - /tmp/ada/before >/tmp/more
[ ! -s /tmp/more ] || { cat /tmp/more; fail "these files were left"; }
[ -s /home/ada/.local/share/sendoff/sendoff.db ] || fail "the person's posts are gone"
say "nothing is left but the person's own files"
