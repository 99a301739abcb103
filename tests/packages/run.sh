#!/usr/bin/env bash
# ./test packages: makes the .deb twice (the same bytes?), lets Debian's own tools look at it, and installs it on clean
# Debian 12 and 13 systems in a chroot, where the installed program tests itself as a plain user, without any Python;
# the portable archive and the wheel in one of them too. Needs root, namespaces for the chroots, and a mirror of Debian:
# what can't be tried for want of one of them is told at the end, in a line that begins with “skipped”, and the exit code
# says whether what was tried is good. Called from the root.
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
/usr/bin/man man-db
/usr/sbin/piuparts piuparts
/usr/bin/flatpak-builder flatpak-builder
"
NO_NETWORK=75 # EX_TEMPFAIL of sysexits.h: a script in a chroot could not fetch something
WORK=$ROOT/build/packages
STAMP=usr/lib/sendoff/_internal/sendoff/resources/commit.txt
skipped=()
took() { say "  $1: $((SECONDS - $2)) s"; }
step() { say "== $*"; }

missing_tools() {
    local file package
    while read -r file package; do
        [ -z "$file" ] || [ -e "$file" ] || printf '%s\n' "$package"
    done <<<"$TOOLS"
}

install_tools() {
    local missing
    missing=$(missing_tools)
    # shellcheck disable=SC2086
    [ -z "$missing" ] || (install_packages $missing) || true
    for package in $(missing_tools); do skipped+=("what $package is for: it could not be installed"); done
}

has() { [ -e "$1" ]; }

# Whether this is root on a system that lets it make namespaces and mount in them.
can_chroot() {
    [ "$(id -u)" = 0 ] && unshare -m -p -f bash -c '
        mount --make-rprivate / && mount -t tmpfs tmpfs "$1" && mkdir "$1/proc" && mount -t proc proc "$1/proc"' - "$WORK" 2>/dev/null
}

the_end() {
    for words in ${skipped[@]+"${skipped[@]}"}; do say "skipped: $words"; done
    took "all of it" 0
    say "$*"
    exit 0
}

# Quickly packed, because what is tested is what is in it. A release is packed by xz -9 (packaging/build), and smaller.
build_twice() {
    local first second began=$SECONDS code=0
    SENDOFF_XZ=1 packaging/build deb || code=$?
    [ $code != 3 ] || the_end "Nothing could be tried: what the lines above name has to be installed by hand first."
    [ $code = 0 ] || exit $code
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
    ! find "$tree" -name '*.py' -path '*sendoff/_internal/sendoff/cli*' -o -name '.git*' -o -name '.env*' | grep . ||
        { say "sources or parts of a checkout are packed"; exit 1; }
    [ -d "$tree/usr/lib/sendoff/_internal/shiboken6/files.dir" ] ||
        { say "each start would compile Qt's own Python: files.dir is missing"; exit 1; }
    ! has /usr/bin/desktop-file-validate || desktop-file-validate "$tree"/usr/share/applications/*.desktop
    ! has /usr/bin/appstreamcli || appstreamcli validate --no-net "$tree"/usr/share/metainfo/*.xml
    ! has /usr/bin/man || man --warnings -l "$tree/usr/share/man/man1/sendoff.1.gz" 2>&1 >/dev/null | { ! grep . ; }
    ! has /usr/bin/lintian || lintian --allow-root --fail-on error,warning "$DEB"
    [ -z "${SENDOFF_DEB:-}" ] || return 0
    ! has /usr/bin/flatpak-builder || flatpak_reads packaging/flatpak/org.sendoff.Sendoff.yml
    accounts "$DEB" "${DEB%.deb}.cdx.json" "$tree/usr/lib/sendoff"
}

# Whether flatpak-builder reads each command of the recipe; one that it takes for a table it leaves out, and says nothing.
flatpak_reads() {
    flatpak-builder --show-manifest "$1" | build/tools/bin/python -c '
import json, sys, yaml
seen, meant = json.load(sys.stdin), yaml.safe_load(open(sys.argv[1]))
commands = [[module["build-commands"] for module in one["modules"]] for one in (seen, meant)]
sys.exit(commands[0] != commands[1])' "$1" || { say "flatpak-builder does not understand $1"; exit 1; }
}

# SHA256SUMS, and the page beside a package of what is in it. $1: the package, $2: the page, $3: what is in it, unpacked.
accounts() {
    local file day
    (cd dist && sha256sum --quiet -c SHA256SUMS)
    for file in "$1" "$2"; do
        grep -q " $(basename "$file")\$" dist/SHA256SUMS || { say "SHA256SUMS does not name $file"; exit 1; }
    done
    build/tools/bin/python tests/packages/sbom.py "$2" "$3"
    day=$(sed -n 's/.*"timestamp": "\(.*\)".*/\1/p' "$2")
    SOURCE_DATE_EPOCH=$(date -d "$day" +%s) build/tools/bin/python packaging/sbom.py packaging/requirements.lock "$3" |
        cmp - "$2" || { say "$2 is not what is in $1"; exit 1; }
}

# Clean systems, kept between runs; one that is not there afterwards could not be made, and its log says why.
make_bases() {
    local suite base
    for suite in bookworm trixie; do
        base=$WORK/$suite.tar
        [ ! -s "$base" ] || continue
        mmdebstrap --quiet --format=tar --variant=minbase --components=main "$suite" "$base.part" >"$base.log" 2>&1 &&
            mv "$base.part" "$base" || true
    done
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

# Whether what is built here can run there. $1: suite.
fits() {
    local has=2.36
    [ "$1" = bookworm ] || has=2.41
    dpkg --compare-versions "$needs" le $has
}

# Runs a script of this folder in a clean system. $1: suite, $2: script; then files for its /root.
in_chroot() {
    local suite=$1 root began=$SECONDS code=0
    if [ ! -s "$WORK/$suite.tar" ]; then
        skipped+=("$2: no clean $suite could be made: $(tail -1 "$WORK/$suite.tar.log" 2>/dev/null || echo "no mmdebstrap")")
        return
    fi
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
            http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" bash "/root/tests/$2"' - "$root" "$2" || code=$?
    rm -rf "$root"
    case $code in
    0) took "$2 on $suite" "$began" ;;
    $NO_NETWORK) skipped+=("$2 on $suite: packages could not be fetched from the mirror") ;;
    *) exit "$code" ;;
    esac
}

# The portable archive, and the wheel with what it is built on, for the Python that they were fetched for.
others() {
    local began=$SECONDS suite python archive
    SENDOFF_XZ=1 packaging/build portable
    took "built" "$began"
    archive=$(ls -t dist/sendoff-*-linux-*.tar.xz | head -1)
    rm -rf "$WORK/tree"
    mkdir "$WORK/tree"
    tar -C "$WORK/tree" --strip-components=1 -xf "$archive"
    accounts "$archive" "${archive%.tar.xz}.cdx.json" "$WORK/tree"
    cp "$archive" "$WORK/portable.tar.xz"
    ! fits bookworm || in_chroot bookworm portable.sh "$WORK/portable.tar.xz"
    python=$(build/tools/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    case $python in
    3.11) suite=bookworm ;;
    3.13) suite=trixie ;;
    *) skipped+=("the wheel: there is no clean system here with Python $python"); return ;;
    esac
    rm -rf "$WORK/wheels"
    if ! build/tools/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
        --only-binary :all: -r packaging/requirements.lock -d "$WORK/wheels" 2>"$WORK/wheels.log"; then
        ! grep -qi 'do not match the hashes' "$WORK/wheels.log" || { tail -5 "$WORK/wheels.log" >&2; exit 1; }
        skipped+=("the wheel: what it is built on could not be fetched")
        return
    fi
    cp "$(ls -t dist/sendoff-*.whl | head -1)" "$WORK/wheels/"
    awk 'NF { print $2 }' <<<"$QT_LIBRARIES" >"$WORK/libraries"
    in_chroot "$suite" wheel.sh -r "$WORK/wheels" "$WORK/libraries"
}

# Debian's own test of installing, removing and purging: nothing may be left, or be broken. Its mounts end with it.
purge_test() {
    local began=$SECONDS mirror log=$WORK/piuparts.log
    fits bookworm || return 0
    has /usr/sbin/piuparts && [ -s "$WORK/bookworm.tar" ] || { skipped+=("piuparts: it or a clean bookworm is missing"); return; }
    mirror=$(tar -xOf "$WORK/bookworm.tar" ./etc/apt/sources.list | awk '$1 == "deb" { print $2; exit }')
    gzip -1 <"$WORK/bookworm.tar" >"$WORK/bookworm.tgz"
    if unshare -m piuparts -b "$WORK/bookworm.tgz" -d bookworm --no-eatmydata --mirror "$mirror main" "$DEB" >"$log" 2>&1; then
        took "piuparts" "$began"
    elif grep -q 'Failed to fetch\|Temporary failure resolving\|Could not connect' "$log"; then
        skipped+=("piuparts: packages could not be fetched from the mirror")
    else
        tail -30 "$log" >&2
        exit 1
    fi
    rm -f "$WORK/bookworm.tgz"
}

mkdir -p "$WORK"
began=$SECONDS
install_tools
took "tools" "$began"
has /usr/bin/dpkg-shlibdeps || the_end "Nothing could be tried: without dpkg-dev no package can be made."
bases=
if ! can_chroot; then
    skipped+=("the chroots, piuparts: they need root, and leave to make namespaces")
elif has /usr/bin/mmdebstrap; then
    make_bases & bases=$!
fi
step "the package"
if [ -n "${SENDOFF_DEB:-}" ]; then DEB=$SENDOFF_DEB; else build_twice; fi
say "  $DEB: $(stat -c %s "$DEB") bytes"
step "what Debian's tools say of it"
began=$SECONDS
validate
took "looked at" "$began"
if [ -n "$bases" ]; then
    wait "$bases"
    older
    cp "$DEB" "$WORK/new.deb"
    needs=$(dpkg-deb -f "$DEB" Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
    for suite in bookworm trixie; do
        fits $suite || { skipped+=("$suite: built on this system the package needs glibc $needs; build it on Debian 12"); continue; }
        step "on a clean $suite"
        in_chroot "$suite" inside.sh "$WORK/old.deb" "$WORK/new.deb"
    done
    if [ -z "${SENDOFF_DEB:-}" ]; then
        step "the portable archive and the wheel"
        others
    fi
    step "piuparts"
    purge_test
fi
the_end "What was tried is good."
