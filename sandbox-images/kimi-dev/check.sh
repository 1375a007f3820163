#!/bin/bash
# What the Kimi-Dev image promises, asked of the image itself, without a network.
set -euo pipefail
fail() { echo "not so: $1" >&2; exit 1; }

sh -c '[ -n "$BASH_VERSION" ]' || fail "sh is bash"
[ "$(node --version)" = v20.20.2 ] || fail "node is 20.20.2"
[ "$(npm --version)" = 11.19.1 ] || fail "npm is 11.19.1"
[ -z "$(find / -xdev -type f -perm /6000 2>/dev/null)" ] || fail "no set-uid or set-gid file"
cd "$(mktemp -d)"
printf 'def test_one():\n    assert 1 + 1 == 2\n' >test_one.py
python -m pytest -q -p no:cacheprovider test_one.py >out 2>&1 || { cat out >&2; fail "pytest runs"; }
pytest --version >/dev/null || fail "pytest is a command"
printf 'import test from "node:test";\ntest("one", () => {});\n' >one.test.mjs
node --test one.test.mjs >out 2>&1 || { cat out >&2; fail "node --test runs"; }
printf '{"name":"x","version":"1.0.0","scripts":{"test":"echo ran"}}' >package.json
[ "$(npm test --silent)" = ran ] || fail "npm test runs"
python -m venv --without-pip v || fail "python makes a virtual environment"
