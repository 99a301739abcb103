#!/usr/bin/env bash
# Writes the hash-locked requirement files from pyproject.toml. Needs uv; run it after changing a dependency.
# One lock serves every system ("universal"); the files carry hashes and no addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"; }
compile pyproject.toml --group build -o packaging/requirements.lock "${@}"
compile --group dev -c packaging/requirements.lock -o packaging/requirements-dev.lock "${@}"
compile --group package -c packaging/requirements.lock -o packaging/requirements-package.lock "${@}"
compile --group peers -c packaging/requirements.lock -c packaging/requirements-dev.lock -o packaging/requirements-peers.lock "${@}"
