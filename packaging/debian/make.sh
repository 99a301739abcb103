#!/usr/bin/env bash
# Packs a frozen Sendoff ($1) as dist/sendoff_VERSION_ARCH.deb. Called by packaging/build, which sets BUILD, DIST,
# TOOLS, VERSION and SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
frozen=$1
id=org.sendoff.Sendoff
maintainer="The Sendoff developers <sendoff@localhost>"
tree=$BUILD/deb-tree
arch=$(dpkg --print-architecture)
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)
fill() { sed "s/@VERSION@/$VERSION/; s/@DATE@/$date/" "$1"; }

rm -rf "$tree"
mkdir -p "$tree"/DEBIAN "$tree"/usr/{bin,lib,share/{applications,dbus-1/services,metainfo,man/man1,doc/sendoff,lintian/overrides}}
cp -r "$frozen" "$tree/usr/lib/sendoff"
ln -s ../lib/sendoff/sendoff "$tree/usr/bin/sendoff"
cp packaging/linux/$id.desktop "$tree/usr/share/applications/"
cp packaging/linux/$id.service "$tree/usr/share/dbus-1/services/"
pictures= # AppStream takes addresses only, and software centres fetch them from there
[ -z "${SENDOFF_PICTURES:-}" ] || pictures="  <screenshots><screenshot type=\"default\"><caption>The planner with a week of posts</caption>\
<image>$SENDOFF_PICTURES/planner.png</image></screenshot></screenshots>"
fill packaging/linux/$id.metainfo.xml | awk -v pictures="$pictures" '
    /<launchable/ && pictures { print pictures } { print }' >"$tree/usr/share/metainfo/$id.metainfo.xml"
for size in 48 128 256; do
    mkdir -p "$tree/usr/share/icons/hicolor/${size}x$size/apps"
done
QT_QPA_PLATFORM=offscreen "$TOOLS/bin/python" packaging/icons.py resources/icons/app/sendoff.svg \
    "$tree/usr/share/icons/hicolor/SIZExSIZE/apps/$id.png" 48 128 256
mkdir -p "$tree/usr/share/icons/hicolor/scalable/apps"
cp resources/icons/app/sendoff.svg "$tree/usr/share/icons/hicolor/scalable/apps/$id.svg"
fill packaging/linux/sendoff.1 | gzip -9n >"$tree/usr/share/man/man1/sendoff.1.gz"
gzip -9nc CHANGELOG.md >"$tree/usr/share/doc/sendoff/NEWS.gz"
printf 'sendoff (%s) unstable; urgency=medium\n\n  * What is new stands in NEWS.gz.\n\n -- %s  %s\n' \
    "$VERSION" "$maintainer" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$tree/usr/share/doc/sendoff/changelog.gz"
sed -e '/^@MIT@$/{r LICENSE' -e 'd}' packaging/debian/copyright | awk '
    /^License: MIT$/ && ++seen == 2 { inside = 1; print; next }
    inside && /^License: / { inside = 0 }
    inside { print ($0 == "" ? (getting_on ? " ." : "") : " " $0); getting_on = 1; next }
    { print }' | sed -e ':a' -e '/^ \.$/{N;s/^ \.\n\(License:\)/\n\1/;ba' -e '}' >"$tree/usr/share/doc/sendoff/copyright"
cp packaging/debian/lintian-overrides "$tree/usr/share/lintian/overrides/sendoff"

# What the files link to, by the tool that Debian itself uses: lists written by hand lacked two packages.
mkdir -p "$BUILD/shlibs/debian"
printf 'Source: sendoff\n\nPackage: sendoff\nArchitecture: any\n' >"$BUILD/shlibs/debian/control"
mapfile -t dirs < <(find "$tree/usr/lib/sendoff" -name '*.so*' -printf '-l%h\n' | sort -u)
mapfile -t elves < <(find "$tree/usr/lib/sendoff" -type f \( -name '*.so*' -o -name sendoff \) | sort)
depends=$(cd "$BUILD/shlibs" && dpkg-shlibdeps -O --ignore-missing-info "${dirs[@]}" "${elves[@]/#/-e}" 2>"$BUILD/shlibs.log" |
    sed -n 's/^shlibs:Depends=//p') || { grep error: "$BUILD/shlibs.log" >&2; exit 1; }

find "$tree" -type d -exec chmod 755 {} +
find "$tree" -type f -exec chmod 644 {} +
chmod 755 "$tree/usr/lib/sendoff/sendoff"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: sendoff
Version: $VERSION
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size "$tree/usr" | cut -f1)
Depends: $depends, ca-certificates
Recommends: fonts-noto-color-emoji, gnome-keyring | libpam-kwallet5
Suggests: fonts-noto-cjk
Section: net
Priority: optional
Description: write a post or an e-mail once, and it leaves on time
 Sendoff puts posts and mails on a timeline and sends them to social networks,
 mailboxes and HTTP endpoints, from the tray of this computer, with keys that
 stay in its keychain.
 .
 Every delivery ends in a state that is true: never lost, never doubled, never
 silently late.
CONTROL
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group -Zxz "-z${SENDOFF_XZ:-9}" --build "$tree" "$DIST/sendoff_${VERSION}_$arch.deb" >/dev/null
printf '%s\n' "dist/sendoff_${VERSION}_$arch.deb ($(du -h "$DIST/sendoff_${VERSION}_$arch.deb" | cut -f1), $(du -sh "$tree/usr" | cut -f1) installed)" >&2
