#!/usr/bin/env bash
# ./test packages --windows: makes the installer for Windows twice (the same bytes?), and lets it install, update and
# remove Sendoff in Wine, in a Debian 13 of its own. Needs root for the chroot. Called from the root of the checkout.
# The second one is made while Wine works, in another folder, on which no byte may depend.
#   SENDOFF_SETUP=FILE    an installer that is there already, instead of making one
set -euo pipefail
. packaging/bootstrap.sh
WORK=$ROOT/build/packages
step() { say "== $*"; }
took() { say "  $1: $((SECONDS - $2)) s"; }

[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || { say "Wine runs in a chroot, which needs root."; exit 3; }
command -v mmdebstrap >/dev/null || install_packages mmdebstrap
mkdir -p "$WORK"

# A Debian 13 with Wine, kept between runs.
base=$WORK/wine.tar
if [ ! -s "$base" ]; then
    step "a Debian 13 with Wine"
    began=$SECONDS
    mmdebstrap --quiet --format=tar --variant=minbase --components=main --include=wine,wine64,xvfb,procps trixie "$base.part"
    mv "$base.part" "$base"
    took "made" "$began"
fi

step "the installer"
second=
if [ -n "${SENDOFF_SETUP:-}" ]; then
    setup=$SENDOFF_SETUP
else
    began=$SECONDS
    packaging/build windows
    took "built" "$began"
    setup=$(ls -t dist/sendoff-*-setup.exe | head -1)
    (cd dist && sha256sum --quiet -c SHA256SUMS)
    again=$WORK/again
    rm -rf "$again"
    set -m # in a group of its own, so that all of it can be ended
    SENDOFF_BUILD=$again/build SENDOFF_DIST=$again/dist packaging/build windows >"$WORK/again.log" 2>&1 &
    second=$!
    set +m
    trap 'kill -- "-$second" 2>/dev/null || true' EXIT
fi
say "  $setup: $(stat -c %s "$setup") bytes"
# The same program under an older version, for the update: what make.sh has put together, packed once more, and quickly.
[ -d build/windows/app ] || { say "build/windows is not there: make the installer here, with packaging/build windows."; exit 1; }
bash packaging/windows/pack.sh 0.0.9 "$WORK/older.exe" "-XSetCompressor /FINAL zlib"

step "in Wine"
began=$SECONDS
root=$WORK/root-wine
rm -rf "$root"
mkdir -p "$root"
tar -C "$root" -xf "$base"
chroot "$root" useradd -m ada
cp "$setup" "$root/home/ada/new.exe"
cp "$WORK/older.exe" "$root/home/ada/old.exe"
cp tests/packages/windows_inside.sh "$root/home/ada/"
unshare -m -p -f --kill-child bash -c '
    mount --make-rprivate /
    mount -t proc proc "$1/proc"
    mount -t tmpfs tmpfs "$1/tmp"
    mount --rbind /dev "$1/dev"
    mkdir -m 1777 "$1/tmp/.X11-unix"
    exec chroot "$1" su ada -s /usr/bin/env -- -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/home/ada USER=ada \
        bash /home/ada/windows_inside.sh' - "$root"
cp "$root/home/ada/inside.txt" "$WORK/inside.txt"
rm -rf "$root"
took "wine" "$began"
sbom=${setup%-setup.exe}-windows.cdx.json
[ ! -s "$sbom" ] || build/tools/bin/python tests/packages/sbom.py "$sbom" "$WORK/inside.txt"

if [ -n "$second" ]; then
    step "the second installer"
    wait "$second" || { tail -5 "$WORK/again.log" >&2; exit 1; }
    trap - EXIT
    for made in "$setup" "$sbom"; do
        cmp "$made" "$again/$made" || { say "The same sources gave two: $made and $again/$made"; exit 1; }
    done
    say "  the same sources give the same bytes"
    rm -rf "$again"
fi
say "The installer is good, as far as Wine can tell."
