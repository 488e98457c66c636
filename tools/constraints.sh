#!/bin/sh
# Renew constraints.txt from pyproject.toml: `make constraints`, or `make constraints ARGS=--upgrade`.
#
# uv resolves once for every system and every Python that pyproject.toml allows, which pip cannot. It lives in a
# temporary folder. Without --upgrade the pins that still fit are kept. UV_DEFAULT_INDEX names an index other than
# the usual one.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || sh tools/set_up.sh lab

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m venv "$work/uv"
"$work/uv/bin/python" -m pip install --quiet uv

[ ! -f constraints.txt ] || cp constraints.txt "$work/pins.txt"
"$work/uv/bin/uv" pip compile pyproject.toml --extra test --universal --python-version 3.11 --fork-strategy fewest \
    --no-header --no-annotate --quiet --output-file "$work/pins.txt" "$@"

{
    cat <<'HEADER'
# The whole tree, pinned: what `make lab` and `make test` install, on Linux, macOS and Windows.
#
# Made from pyproject.toml; do not edit by hand. To renew it:
#     make constraints                  keep the pins that still fit, add and drop what changed
#     make constraints ARGS=--upgrade   take the newest of everything
# then run `make test`. A marker after `;` says where a pin applies; the CUDA libraries are Linux only.
HEADER
    grep -v '^#' "$work/pins.txt"
} >"$work/new.txt"
mv "$work/new.txt" constraints.txt
echo "constraints.txt: $(grep -c == constraints.txt) pins"
