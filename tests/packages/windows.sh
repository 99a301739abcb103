#!/usr/bin/env bash
# ./test packages --windows: makes the installer for Windows twice (the same bytes?), and lets it install, update and
# remove Sendoff in Wine, in a Debian 13 of its own. Needs root for the chroot. Called from the root of the checkout.
#   SENDOFF_SETUP=FILE    an installer that is there already, instead of making one
set -euo pipefail
. packaging/bootstrap.sh
WORK=$ROOT/build/packages
step() { say "== $*"; }
took() { say "  $1: $((SECONDS - $2)) s"; }

[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || { say "Wine runs in a chroot, which needs root."; exit 3; }
command -v mmdebstrap >/dev/null || install_packages mmdebstrap
mkdir -p "$WORK"

step "the installer"
if [ -n "${SENDOFF_SETUP:-}" ]; then
    setup=$SENDOFF_SETUP
else
    began=$SECONDS
    packaging/build windows
    took "built" "$began"
    setup=$(ls -t dist/sendoff-*-setup.exe | head -1)
    cp "$setup" "$WORK/first.exe"
    packaging/build windows 2>/dev/null
    cmp "$setup" "$WORK/first.exe" || { say "The same sources gave two installers: $WORK/first.exe and $setup"; exit 1; }
    say "  the same sources give the same bytes"
fi
say "  $setup: $(stat -c %s "$setup") bytes"
# The same program under an older version, for the update: what make.sh has put together, packed once more, and quickly.
[ -d build/windows/app ] || { say "build/windows is not there: make the installer here, with packaging/build windows."; exit 1; }
DIST=$WORK bash packaging/windows/pack.sh 0.0.9 "$WORK/older.exe" "-XSetCompressor /FINAL zlib"

# A Debian 13 with Wine, kept between runs.
base=$WORK/wine.tar
if [ ! -s "$base" ]; then
    step "a Debian 13 with Wine"
    mmdebstrap --quiet --format=tar --variant=minbase --components=main --include=wine,wine64,xvfb,procps trixie "$base.part"
    mv "$base.part" "$base"
fi

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
rm -rf "$root"
took "wine" "$began"
say "The installer is good, as far as Wine can tell."
