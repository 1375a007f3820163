#!/bin/bash
# Turns a plain Debian root into the sandbox base: packages, bash as sh, the agent's user, no set-uid files.
# Runs once, as root, while the image is built; never in a sandbox.
set -euo pipefail
here=$(dirname "$0")

# A bootstrapped root already has every package; a pulled one does not.
mapfile -t packages <"$here/packages.txt"
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Retries=3 -o Acquire::http::Timeout=30 update
  apt-get install -y --no-install-recommends "${missing[@]}"
  apt-get clean
fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /var/log/alternatives.log

# dash and bash read some texts differently, and the guard's parser follows bash: sh must be bash.
for link in /bin/sh /usr/bin/sh; do
  dpkg-divert --no-rename --divert "$link.distrib" --add "$link" >/dev/null 2>&1 || true
done
ln -sfn bash /usr/bin/sh
[ -e /bin/sh ] && [ "$(readlink -f /bin/sh)" = "$(readlink -f /bin/bash)" ] || ln -sfn bash /bin/sh

# One user for the agent's processes. The container's first process is the guard's, so the image sets no USER.
getent group 1000 >/dev/null || groupadd --gid 1000 agent
getent passwd 1000 >/dev/null || useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash agent
mkdir -p /workspace && chown 1000:1000 /workspace

# No program here may raise anyone's rights.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +

# Git inside a sandbox: a workspace that belongs to another user is expected; no prompts.
cat >/etc/gitconfig <<'GIT'
[safe]
	directory = *
[init]
	defaultBranch = main
[advice]
	detachedHead = false
[user]
	name = agent
	email = agent@localhost
GIT
