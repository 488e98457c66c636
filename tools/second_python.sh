#!/bin/sh
# Run unit tests and lessons on a second Python: what passes on one version may fail on another.
#
# Takes the newest of 3.13, 3.12 and 3.11 that is here and is not .venv's own; SECOND_PYTHON=/path/to/python names one.
# It works on a clone of the last commit, in a folder that is removed again. Where there is no second Python, or its
# packages cannot be had, it says so.
set -eu
cd "$(dirname "$0")/.."

minor() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }
first=$(minor .venv/bin/python)

find_second() {
    for version in 3.13 3.12 3.11; do
        [ "$version" != "$first" ] || continue
        for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
            if [ "$(minor "$candidate")" = "$version" ]; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    done
}

second=${SECOND_PYTHON:-$(find_second)}
if [ -z "$second" ]; then
    echo "NOT RUN: unit tests and lessons on a second Python: beside $first there is none of 3.13, 3.12 and 3.11 here."
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet . "$work/checkout"
cd "$work/checkout"
echo "Unit tests and lessons once more, with Python $(minor "$second")"
if ! PYTHON=$second sh tools/set_up.sh test; then
    echo "NOT RUN: unit tests and lessons on a second Python: $(minor "$second") is here, and cannot be set up (see above)."
    exit 0
fi
.venv/bin/python -m taskembed_edu test --only unit lessons
