#!/usr/bin/env bash
# Writes the hash-locked requirement files from pyproject.toml. Needs uv; run it after changing a dependency.
# One lock serves every system ("universal"); the files carry hashes and no addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"; }
compile pyproject.toml --group build -o packaging/requirements.lock "${@}"
# What the Windows package is made of. Qt 6.10 and later want icuuc.dll, which Windows 10 has and Wine has not: it could
# not be tried.
{ grep -oE '^[A-Za-z0-9_.-]+==[^ ]+' packaging/requirements.lock | grep -vE '^(pyside6|shiboken6)'; echo 'pyside6-essentials<6.10'; } |
    uv pip compile --quiet --python-platform windows --python-version 3.13 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links pyproject.toml -c - -o packaging/requirements-windows.lock "${@}"
compile --group dev -c packaging/requirements.lock -o packaging/requirements-dev.lock "${@}"
compile --group package -c packaging/requirements.lock -o packaging/requirements-package.lock "${@}"
compile --group peers -c packaging/requirements.lock -c packaging/requirements-dev.lock -o packaging/requirements-peers.lock "${@}"
