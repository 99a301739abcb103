#!/usr/bin/env bash
# Lint, types, import contracts, dead and duplicate code. Called by ./test check, from the root.
set -u
PATH="$PWD/.venv/bin:$PATH"
failed=()

check() {
    local name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || failed+=("$name")
}

check "format" ruff format --check --quiet desktop tests packaging
check "lint" ruff check --quiet desktop tests packaging
check "types" mypy
check "import contracts" lint-imports --no-logo
check "dead code" vulture
check "duplicate code" pylint --disable=all --enable=duplicate-code --min-similarity-lines=8 \
    --ignore-imports=y --ignore-signatures=y --score=n desktop/sendoff
check "what docs/reliability.md promises" python packaging/guarantees.py --check
check "shell" bash -n run test .ci/run packaging/build packaging/*.sh packaging/*/*.sh tests/*/*.sh

if [ ${#failed[@]} != 0 ]; then
    printf 'Not clean: %s\n' "${failed[*]}"
    exit 1
fi
printf 'All clean.\n'
