# Sourced with a file of requirements by the scripts beside it: $here is this folder, $work one for the time of the run, and
# $python the Python that PARITY_PYTHON names, or a new one with those packages.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PARITY_PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$work/venv"
  python=$work/venv/bin/python
  "$python" -m pip install --quiet -r "$here/$1"
fi
