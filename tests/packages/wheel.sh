#!/usr/bin/env bash
# Runs in a clean Debian with Python, as root: installs the wheel for a plain user, as pipx does, and lets it test
# itself. What it is built on comes from /root/wheels, and
# the libraries are those that ./run installs. Called by run.sh.
. /root/tests/common.sh
# shellcheck disable=SC2046
apt install python3-venv ca-certificates xvfb xauth $(cat /root/libraries)
cp -r /root/wheels /tmp/wheels
chmod -R a+rX /tmp/wheels
began=$SECONDS
user 'python3 -m venv sendoff && sendoff/bin/pip install --quiet --no-index --find-links /tmp/wheels sendoff' >/tmp/said 2>&1 ||
    { tail -20 /tmp/said; fail "pip"; }
say "installed in $((SECONDS - began)) s"
self_test sendoff/bin/sendoff
start_at_login sendoff/bin/sendoff
