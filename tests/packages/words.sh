# Sourced by what runs in a clean Debian, as root or as a plain user: words, and waiting.
set -euo pipefail
say() { printf '    %s\n' "$*"; }
fail() { printf '    WRONG: %s\n' "$*"; exit 1; }

# Waits until a command says yes. $1: seconds.
until_so() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}
