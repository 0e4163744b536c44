# Sourced by the other scripts: finds a Python and keeps .venv as the requirements files want it.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv_python="$root/.venv/bin/python"

say() { printf '%s\n' "$*" >&2; }

# Set `python` to one that is new enough and can make virtual environments; end with a sentence where there is none.
find_python() {
  local candidate incomplete=""
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      python="$candidate"
      return
    fi
    incomplete="$candidate"
  done
  if [ -n "$incomplete" ]; then
    say "This Python ($incomplete) can't make virtual environments."
    say "On Debian and Ubuntu: sudo apt install python3-venv. Then run this again."
  else
    say "Easel needs Python 3.11 or newer, and none was found. Get it from https://www.python.org/downloads/"
  fi
  exit 1
}

# One hash of the requirements files: when they change, the environment is brought up to date.
wanted() {
  "$1" -c 'import hashlib, pathlib, sys
print(hashlib.sha256(b"".join(pathlib.Path(name).read_bytes() for name in sys.argv[1:])).hexdigest())' \
    "$root"/requirements*.txt
}

# ready demo|dev: have what the demo needs, or also what the tests need, in .venv; a second call costs nothing.
ready() {
  local what="$1" hash log
  if ! "$venv_python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    find_python
    "$python" -m venv --clear "$root/.venv"
  fi
  hash="$(wanted "$venv_python")"
  [ "$(cat "$root/.venv/easel-$what" 2>/dev/null)" = "$hash" ] && return
  say "Installing what Easel needs into .venv (once; about a minute) …"
  log="$root/.venv/easel-install.log"
  if ! "$venv_python" -m pip install --quiet --disable-pip-version-check --no-input \
    -r "$root/requirements-$what.txt" >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    say "The installation did not work; the last lines above say why. Is the network there?"
    exit 1
  fi
  printf '%s\n' "$hash" >"$root/.venv/easel-$what"
  if [ "$what" = dev ]; then
    printf '%s\n' "$hash" >"$root/.venv/easel-demo"
  fi
}
