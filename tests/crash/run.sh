#!/usr/bin/env bash
# ./test crash: installs what breaks disks and clocks, as far as it can (Debian, as root or through sudo), then plays the
# matrix. Cells whose tool is missing are skipped, and the end says so. Called from the root after sendoff_setup test.
set -euo pipefail
. packaging/bootstrap.sh

# As "file package".
TOOLS="
/usr/bin/strace strace
/usr/lib/fiu/fiu_posix_preload.so fiu-utils
/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketime.so.1 libfaketime
/usr/bin/ip iproute2
"

missing=()
while read -r file package; do
    [ -z "$file" ] || [ -e "$file" ] || missing+=("$package")
done <<<"$TOOLS"
if [ ${#missing[@]} != 0 ] && [ "$(uname -s)" = Linux ]; then
    (install_packages "${missing[@]}") || say "Cells that need them are skipped: ${missing[*]}"
fi
QT_QPA_PLATFORM=offscreen exec "$VENV/bin/python" -m tests.crash "$@"
