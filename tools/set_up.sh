#!/bin/sh
# Make .venv and install what is missing in it: `sh tools/set_up.sh lab` for learning, `... test` with the test tools.
#
# Installs nothing when nothing changed: a stamp in .venv holds a checksum of pyproject.toml and constraints.txt, the
# Python and the folder. PYTHON=/path/to/python chooses the Python; otherwise the newest of 3.13, 3.12, 3.11 is taken.
# On Linux, TORCH=cpu or TORCH=pip chooses between torch without and with CUDA; otherwise a GPU decides.
set -eu
cd "$(dirname "$0")/.."

what=${1:-lab}
venv=.venv

fail() {
    printf '\n%s\n' "$1" >&2
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has() { "$1" -c "import $2" >/dev/null 2>&1; }
minor() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

how_to_get_python='How to get it:
  Debian, Ubuntu:  sudo apt-get install python3 python3-venv   (as long as theirs is 3.11 or newer)
  anywhere else:   conda env create -f environment.yml         (brings its own Python; README.md says how to go on)
  or name one:     PYTHON=/path/to/python3.11 make lab'

# Prints the Python to build .venv with, or says what is wrong.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || fail "PYTHON: got $PYTHON, expected a Python. There is no such program."
        new_enough "$PYTHON" ||
            fail "PYTHON: got $PYTHON, which is $("$PYTHON" -V 2>&1), expected Python 3.11 or newer.
$how_to_get_python"
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; the newest found here is: $(python3 -V 2>/dev/null || echo none).
$how_to_get_python"
}

# Debian keeps the half of venv that brings pip in a package of its own; where that is missing, pip fills the new
# environment from outside (pip 22.3 and newer can).
make_venv() {
    python=$1
    has "$python" venv || fail "$python: cannot make virtual environments. Debian, Ubuntu: sudo apt-get install python3-venv"
    printf 'Making %s with %s (%s)\n' "$venv" "$python" "$("$python" -V 2>&1)"
    if has "$python" ensurepip; then
        "$python" -m venv --clear "$venv"
    elif "$python" -m pip --python "$(command -v "$python")" --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet pip
    else
        fail "$python: has neither ensurepip nor pip 22.3 or newer, so it cannot fill a virtual environment.
Debian, Ubuntu: sudo apt-get install python$(minor "$python")-venv"
    fi
}

# A .venv serves as long as its Python runs, is new enough, and is the one that PYTHON asks for.
serves() {
    new_enough "$venv/bin/python" || return 1
    [ -z "${PYTHON:-}" ] || [ "$(minor "$venv/bin/python")" = "$(minor "$PYTHON")" ]
}

# The torch that pip finds for Linux holds CUDA: 6 GB in all, of which a machine without a GPU uses none. Where there is
# no GPU, uv is asked for torch's CPU build, 2.3 GB in all. If it cannot be had, pip goes on with the other one.
# TORCH=cpu asks for it in any case, TORCH=pip leaves the choice to pip.
take_cpu_torch() {
    [ "${TORCH:-auto}" != pip ] && [ "$(uname -s)" = Linux ] || return 0
    { [ "${TORCH:-auto}" = cpu ] || ! nvidia-smi >/dev/null 2>&1; } || return 0
    ! has "$venv/bin/python" torch || return 0
    printf 'No GPU here: looking for the CPU build of torch (2.3 GB in all). TORCH=pip takes the one with CUDA (6 GB).\n'
    pin=$(grep '^torch==' constraints.txt | cut -d' ' -f1)
    if "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv &&
        UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=60 "$venv/bin/python" -m uv pip install --quiet \
            --python "$venv/bin/python" --torch-backend cpu --constraint constraints.txt "$pin" 2>/dev/null; then
        return 0
    fi
    printf 'It cannot be reached from here. pip takes what it finds: the build with CUDA is 6 GB in all.\n'
}

stamp_now() {
    printf '%s %s %s\n' "$(cat pyproject.toml constraints.txt | cksum)" "$("$venv/bin/python" -V 2>&1)" "$(pwd)"
}

is_stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$(stamp_now)" ]; }

case $what in
    lab) extra='' ;;
    test) extra='[test]' ;;
    *) fail "set_up.sh: got $what, expected lab or test." ;;
esac

if [ -e "$venv" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
    fail "$venv is here but is no virtual environment. Move it away, then try again."
fi
if ! serves; then
    chosen=$(find_python)
    make_venv "$chosen"
fi

# The test tools are asked for beside all that the lab needs, so a set-up for tests serves the lab too.
if is_stamped "$venv/.ready-test" || { [ "$what" = lab ] && is_stamped "$venv/.ready-lab"; }; then
    exit 0
fi
rm -f "$venv/.ready-lab" "$venv/.ready-test"
printf 'Installing into %s; the first time this takes some minutes.\n' "$venv"
take_cpu_torch
"$venv/bin/python" -m pip install --disable-pip-version-check --constraint constraints.txt --editable ".$extra"
stamp_now >"$venv/.ready-$what"
