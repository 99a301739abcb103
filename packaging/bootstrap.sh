# Sourced by ./run and ./test: finds Python, fetches what is missing, makes .venv. Fast when nothing changed.
#
#   sendoff_setup run|test|peers
#
# The first word names how much is wanted: the program, its quick tests, its tests against real servers.
# Exit code 3 says that something has to be installed by hand; the exact line stands on stderr.

ROOT=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
# Python reads where Sendoff lies by the letters of the locale, and plain C has none but ASCII's.
case ${LC_ALL:-} in C | POSIX) export LC_ALL=C.UTF-8 ;; esac

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in ${SENDOFF_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Sendoff needs Python 3.11 or newer, and none is on the PATH. Install it, or name it in SENDOFF_PYTHON."
    exit 3
}

# The libraries that Qt opens, as "soname package" (Debian's names; Debian 13 provides the old ones too).
QT_LIBRARIES='
libgssapi_krb5.so.2 libgssapi-krb5-2
libbrotlidec.so.1 libbrotli1
libglib-2.0.so.0 libglib2.0-0
libGL.so.1 libgl1
libEGL.so.1 libegl1
libX11.so.6 libx11-6
libxkbcommon.so.0 libxkbcommon0
libfreetype.so.6 libfreetype6
libfontconfig.so.1 libfontconfig1
libdbus-1.so.3 libdbus-1-3
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-util.so.1 libxcb-util1
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render.so.0 libxcb-render0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-shm.so.0 libxcb-shm0
libxcb-sync.so.1 libxcb-sync1
libxcb-xfixes.so.0 libxcb-xfixes0
libxcb-xkb.so.1 libxcb-xkb1
libX11-xcb.so.1 libx11-xcb1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
'
# The programs that the tests call, as "program package".
TEST_PROGRAMS='
Xvfb xvfb
xauth xauth
dbus-run-session dbus
'

# Prints the Debian packages that are missing for the wanted level, one a line.
missing_packages() {
    local have soname program package
    have=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)
    while read -r soname package; do
        [ -z "$soname" ] || grep -qF "$soname " <<<"$have" || printf '%s\n' "$package"
    done <<<"$QT_LIBRARIES"
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || printf '%s-venv\n' "${PYTHON##*/}"
    [ "$1" = run ] && return
    while read -r program package; do
        [ -z "$program" ] || command -v "$program" >/dev/null 2>&1 || printf '%s\n' "$package"
    done <<<"$TEST_PROGRAMS"
}

# Installs Debian packages as root or through sudo; else says which line to run, and exits 3.
install_packages() {
    local as_root=()
    if ! command -v apt-get >/dev/null 2>&1; then
        say "Sendoff needs the libraries that Debian calls: $*"
        say "Install them with this system's package manager, then start again."
        exit 3
    fi
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=(sudo)
        else
            say "Sendoff needs some system packages. Please run this once as root, then start again:"
            say "    apt-get install --no-install-recommends $*"
            exit 3
        fi
    fi
    say "Installing system packages: $*"
    # A list of packages that is a day old still installs; a machine without one needs it fetched first.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
        { "${as_root[@]}" apt-get update -q >/dev/null &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null; } ||
        { say "The installation failed. Try by hand: apt-get install --no-install-recommends $*"; exit 3; }
}

# One line that changes whenever this level has to be set up again: other lists, another place, another Python.
stamp_for() {
    local locks=("$ROOT/packaging/requirements.lock")
    [ "$1" = run ] || locks+=("$ROOT/packaging/requirements-dev.lock")
    [ "$1" != peers ] || locks+=("$ROOT/packaging/requirements-peers.lock")
    printf '%s %s %s\n' "$ROOT" "$(readlink -f "$VENV/bin/python")" \
        "$(cat "${locks[@]}" "$ROOT/pyproject.toml" "${BASH_SOURCE[0]}" | sha256sum)"
}

is_set_up() {
    [ -x "$VENV/bin/sendoff" ] && [ -x "$VENV/bin/python" ] &&
        [ "$(cat "$VENV/.sendoff-$1" 2>/dev/null)" = "$(stamp_for "$1")" ]
}

# A folder that was moved or copied brings programs along that call the Python of the old place.
is_of_this_place() {
    grep -qsF -- "-m venv $VENV" "$VENV/pyvenv.cfg" && "$VENV/bin/python" -c 'import pip' 2>/dev/null
}

sendoff_setup() {
    local level=$1 packages
    ! is_set_up "$level" || return 0
    PYTHON=$(find_python) || exit 3
    if [ ! -w "$ROOT" ]; then
        say "Sendoff can't be set up in $ROOT: you may not write there. Copy it to a folder of your own."
        exit 3
    fi
    if command -v flock >/dev/null 2>&1; then # a ./test that is started beside the first ./run waits for it
        exec 9<"$ROOT/pyproject.toml"
        flock -n 9 || { say "Waiting for another ./run or ./test, which is setting up"; flock 9; }
        ! is_set_up "$level" || { exec 9<&-; return 0; }
    fi
    if [ "$(uname -s)" = Linux ]; then
        packages=$(missing_packages "$level")
        # shellcheck disable=SC2086
        [ -z "$packages" ] || install_packages $packages
    fi
    if ! is_of_this_place; then
        say "Making .venv with $("$PYTHON" --version)"
        rm -rf "$VENV"
        "$PYTHON" -m venv "$VENV" || { say "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 3; }
    fi
    say "Fetching what Sendoff is built on (the first time this takes a minute)"
    locked_install requirements.lock
    [ "$level" = run ] || locked_install requirements-dev.lock
    [ "$level" != peers ] || locked_install requirements-peers.lock
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable "$ROOT" ||
        { say "Installing Sendoff into .venv failed."; exit 1; }
    unpack_qt_support
    stamp_for "$level" >"$VENV/.sendoff-$level"
    exec 9<&-
}

# Qt for Python keeps 3,600 lines of Python as text in a library and compiles them at each start, a quarter of the time
# until its window is there. Its own switch SBK_EMBED lays them beside the library, where they get byte code as all else.
# A newer release that was installed by hand needs this again.
unpack_qt_support() {
    SBK_EMBED=0 "$VENV/bin/python" -c 'import shiboken6' &&
        "$VENV/bin/python" -m compileall -q "$("$VENV/bin/python" -c 'import shiboken6; print(shiboken6.__path__[0])')/files.dir" ||
        say "Qt's support files could not be unpacked. Sendoff starts without them, somewhat slower."
}

locked_install() {
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --only-binary :all: -r "$ROOT/packaging/$1" ||
        { say "Fetching the packages of packaging/$1 failed. Is this computer online?"; exit 1; }
}

has_display() {
    [ "$(uname -s)" = Darwin ] || [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]
}
