#!/bin/bash
# What the Python image promises, asked of the image itself, without a network.
set -euo pipefail
fail() { echo "not so: $1" >&2; exit 1; }

sh -c '[ -n "$BASH_VERSION" ]' || fail "sh is bash"
[ -z "$(find / -xdev -type f -perm /6000 2>/dev/null)" ] || fail "no set-uid or set-gid file"
python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "python is 3.11 or newer"
cd "$(mktemp -d)"
printf 'def test_one():\n    assert 1 + 1 == 2\n' >test_one.py
python -m pytest -q -p no:cacheprovider test_one.py >out 2>&1 || { cat out >&2; fail "pytest runs"; }
python -m venv v >out 2>&1 && v/bin/pip --version >/dev/null || { cat out >&2; fail "a virtual environment has pip"; }
[ -z "$(command -v node || true)" ] || fail "no Node"
