#!/usr/bin/env bash
# Packs $BUILD/windows/app (BUILD: build/) as the installer $2 of version $1. Called by make.sh, and by the test with more words for
# makensis.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILD=${BUILD:-$PWD/build}
app=$BUILD/windows/app
app_id=$(sed -n 's/^APP_ID = "\(.*\)"$/\1/p' desktop/sendoff/__init__.py)
numbers=$(sed -E 's/^([0-9]+)\.([0-9]+)\.([0-9]+).*/\1.\2.\3.0/' <<<"$1")
rm -f "$2"
makensis -V2 -NOCD "${@:3}" "-DVERSION=$1" "-DNUMBERS=$numbers" "-DSTAGE=$app" "-DICON=$app/sendoff.ico" "-DOUT=$2" \
    "-DAPP_ID=$app_id" packaging/windows/setup.nsi >"$BUILD/windows.log" 2>&1 || { tail -30 "$BUILD/windows.log" >&2; exit 1; }
