# Sourced by the scripts beside it: finds a Python, and makes virtual environments from the lock files.

# The first Python of at least 3.11 that can make virtual environments; PYTHON overrides.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.11 or newer with venv was found. Install it, or name one: PYTHON=/path/to/python $0" >&2
    return 1
}

# environment FOLDER LOCK: a virtual environment with exactly what LOCK says, and the project itself.
# It is made anew when the lock, the project file or the Python changed, and kept otherwise.
environment() {
    local folder=$1 lock=$2 python state
    python=$(find_python) || return 1
    state="$("$python" -c 'import sys; print(sys.version)') $(cat "$lock" pyproject.toml | cksum)"
    if [ "$(cat "$folder/.made-from" 2>/dev/null)" = "$state" ]; then
        return
    fi
    echo "Installing $lock into $folder (a minute or two; later runs reuse it) ..."
    rm -rf "$folder"
    "$python" -m venv "$folder" || return 1
    if ! {
        "$folder/bin/python" -m pip install --require-hashes --no-deps -r "$lock" &&
            "$folder/bin/python" -m pip install --no-deps --no-build-isolation -e .
    } >"$folder/install.log" 2>&1; then
        tail -n 30 "$folder/install.log" >&2
        echo "The installation failed; the whole log is in $folder/install.log" >&2
        return 1
    fi
    echo "$state" >"$folder/.made-from"
}
