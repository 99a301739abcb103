#!/usr/bin/env bash
# ./test packages: makes the .deb twice (the same bytes?), lets Debian's own tools look at it, and installs it on clean
# Debian 12 and 13 systems in a chroot, where the installed program tests itself as a plain user, without any Python;
# the portable archive and the wheel in one of them too. Needs root and namespaces for the chroots: where there are none,
# the end says “skipped” and why, and the exit code is 0 if the rest is good. Called from the root.
#   SENDOFF_DEB=FILE    a package that is there already, instead of making one
set -euo pipefail
. packaging/bootstrap.sh

TOOLS="
/usr/bin/dpkg-shlibdeps dpkg-dev
/usr/bin/mmdebstrap mmdebstrap
/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
/usr/bin/lintian lintian
/usr/bin/desktop-file-validate desktop-file-utils
/usr/bin/appstreamcli appstream
/usr/sbin/piuparts piuparts
"
WORK=$ROOT/build/packages
STAMP=usr/lib/sendoff/_internal/sendoff/resources/commit.txt
skipped=()
took() { say "  $1: $((SECONDS - $2)) s"; }
step() { say "== $*"; }

install_tools() {
    local missing=() file package
    while read -r file package; do
        [ -z "$file" ] || [ -e "$file" ] || missing+=("$package")
    done <<<"$TOOLS"
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

# Quickly packed, because what is tested is what is in it. A release is packed by xz -9 (packaging/build), and smaller.
build_twice() {
    local first second began=$SECONDS
    SENDOFF_XZ=1 packaging/build deb
    DEB=$(ls -t dist/sendoff_*.deb | head -1)
    took "built" "$began"
    first=$(sha256sum <"$DEB")
    cp "$DEB" "$WORK/first.deb"
    SENDOFF_XZ=1 packaging/build deb 2>/dev/null
    second=$(sha256sum <"$DEB")
    [ "$first" = "$second" ] || { say "The same sources gave two packages: $WORK/first.deb and $DEB"; exit 1; }
    say "  the same sources give the same bytes"
}

validate() {
    local tree=$WORK/tree
    rm -rf "$tree"
    dpkg-deb -x "$DEB" "$tree"
    desktop-file-validate "$tree"/usr/share/applications/*.desktop
    appstreamcli validate --no-net "$tree"/usr/share/metainfo/*.xml
    man --warnings -l "$tree/usr/share/man/man1/sendoff.1.gz" 2>&1 >/dev/null | { ! grep . ; }
    lintian --fail-on error,warning "$DEB"
    ! find "$tree" -name '*.py' -path '*sendoff/_internal/sendoff/cli*' | grep . || { say "sources are packed"; exit 1; }
}

# A clean system, kept between runs. $1: suite.
base_for() {
    local base=$WORK/$1.tar
    [ -s "$base" ] || mmdebstrap --quiet --format=tar --variant=minbase --components=main "$1" "$base.part"
    [ -s "$base" ] || mv "$base.part" "$base"
}

# The same program under an older version, for the update.
older() {
    local tree=$WORK/older
    rm -rf "$tree"
    dpkg-deb -R "$DEB" "$tree"
    sed -i 's/^Version: .*/Version: 0.0.9/' "$tree/DEBIAN/control"
    tr 0-9a-f 1-9a-f0 <"$tree/$STAMP" >"$WORK/stamp" # the program looks at its commit to see that it was replaced
    cp "$WORK/stamp" "$tree/$STAMP"
    dpkg-deb --root-owner-group -Znone --build "$tree" "$WORK/old.deb" >/dev/null
    rm -rf "$tree"
}

# Runs a script of this folder in a clean system. $1: suite, $2: script; then files for its /root.
in_chroot() {
    local suite=$1 root began=$SECONDS
    root=$WORK/root-$suite
    rm -rf "$root"
    mkdir -p "$root"
    tar -C "$root" -xf "$WORK/$suite.tar"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe" # a chroot that is thrown away need not survive a power cut
    cp -r tests/packages "$root/root/tests"
    cp "${@:3}" "$root/root/"
    cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
    cp /etc/hosts "$root/etc/hosts"
    unshare -m -p -f --kill-child bash -c '
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount -t tmpfs tmpfs "$1/tmp"
        mount --rbind /dev "$1/dev"
        exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
            http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" bash "/root/tests/$2"' - "$root" "$2"
    rm -rf "$root"
    took "$2 on $suite" "$began"
}

# The portable archive, and the wheel with what it is built on, for the Python that they were fetched for.
others() {
    local began=$SECONDS suite python
    step "the portable archive and the wheel"
    SENDOFF_XZ=1 packaging/build portable
    took "built" "$began"
    cp "$(ls -t dist/sendoff-*-linux-*.tar.xz | head -1)" "$WORK/portable.tar.xz"
    [ ! -s "$WORK/bookworm.tar" ] || in_chroot bookworm portable.sh "$WORK/portable.tar.xz"
    python=$(build/tools/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    case $python in 3.11) suite=bookworm ;; 3.13) suite=trixie ;; *) suite= ;; esac
    if [ -n "$suite" ] && [ -s "$WORK/$suite.tar" ]; then
        rm -rf "$WORK/wheels"
        build/tools/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
            --only-binary :all: -r packaging/requirements.lock -d "$WORK/wheels"
        cp "$(ls -t dist/sendoff-*.whl | head -1)" "$WORK/wheels/"
        awk 'NF { print $2 }' <<<"$QT_LIBRARIES" >"$WORK/libraries"
        in_chroot "$suite" wheel.sh -r "$WORK/wheels" "$WORK/libraries"
    else
        skipped+=("the wheel: there is no clean system here with Python $python")
    fi
}

mkdir -p "$WORK"
install_tools
step "the package"
if [ -n "${SENDOFF_DEB:-}" ]; then DEB=$SENDOFF_DEB; else build_twice; fi
say "  $DEB: $(stat -c %s "$DEB") bytes"
step "what Debian's tools say of it"
validate
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    older
    needs=$(dpkg-deb -f "$DEB" Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
    for known in bookworm=2.36 trixie=2.41; do
        suite=${known%=*}
        if dpkg --compare-versions "$needs" gt "${known#*=}"; then
            skipped+=("$suite: built on this system the package needs glibc $needs; build it on Debian 12")
            continue
        fi
        step "on a clean $suite"
        if base_for "$suite"; then
            cp "$DEB" "$WORK/new.deb"
            in_chroot "$suite" inside.sh "$WORK/old.deb" "$WORK/new.deb"
        else
            skipped+=("$suite: no base system could be made")
        fi
    done
    [ -n "${SENDOFF_DEB:-}" ] || others
    step "piuparts"
    if [ -s "$WORK/bookworm.tar" ]; then
        began=$SECONDS
        mirror=$(tar -xOf "$WORK/bookworm.tar" ./etc/apt/sources.list | awk '$1 == "deb" { print $2; exit }')
        gzip -1 <"$WORK/bookworm.tar" >"$WORK/bookworm.tgz"
        piuparts -b "$WORK/bookworm.tgz" -d bookworm --no-eatmydata --mirror "$mirror main" "$DEB" >"$WORK/piuparts.log" 2>&1 ||
            { tail -30 "$WORK/piuparts.log" >&2; exit 1; }
        took "piuparts" "$began"
    fi
else
    skipped+=("the chroots: they need root")
fi
for words in ${skipped[@]+"${skipped[@]}"}; do say "skipped: $words"; done
say "The package is good."
