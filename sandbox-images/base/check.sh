#!/bin/bash
# What the base image promises, asked of the image itself. Fails with a line that says what is not so.
set -euo pipefail
fail() { echo "not so: $1" >&2; exit 1; }

sh -c '[ -n "$BASH_VERSION" ]' || fail "sh is bash"
sh -c 'echo a &>/dev/null' || fail "sh reads bash's redirections"
/bin/sh -c '[ -n "$BASH_VERSION" ]' || fail "/bin/sh is bash"
[ "$(id -u agent)" = 1000 ] || fail "the user agent has the id 1000"
[ "$(stat -c %u:%g /workspace)" = 1000:1000 ] || fail "/workspace belongs to the agent"
[ -z "$(find / -xdev -type f -perm /6000 2>/dev/null)" ] || fail "no set-uid or set-gid file"
[ "$(date -d @0 +%Y)" = 1970 ] || fail "date works"
cd "$(mktemp -d)"
git init -q . && echo one >a && git add a && git commit -qm one && echo two >a
[ "$(git diff --name-only)" = a ] || fail "git works"
[ "$(rg -l two .)" = ./a ] || fail "ripgrep works"
