#!/bin/bash
# What the Node image promises, asked of the image itself, without a network.
set -euo pipefail
fail() { echo "not so: $1" >&2; exit 1; }

sh -c '[ -n "$BASH_VERSION" ]' || fail "sh is bash"
[ -z "$(find / -xdev -type f -perm /6000 2>/dev/null)" ] || fail "no set-uid or set-gid file"
[ "$(node --version)" = v20.20.2 ] || fail "node is 20.20.2"
[ "$(npm --version)" = 11.19.1 ] || fail "npm is 11.19.1"
cd "$(mktemp -d)"
printf 'import test from "node:test";\ntest("one", () => {});\n' >one.test.mjs
node --test one.test.mjs >out 2>&1 || { cat out >&2; fail "node --test runs"; }
printf '{"name":"x","version":"1.0.0","scripts":{"test":"echo ran"}}' >package.json
[ "$(npm test --silent)" = ran ] || fail "npm test runs"
[ -z "$(command -v python3 || true)" ] || fail "no Python"
