#!/bin/bash
# Adds Debian's Python to the base. Runs once, as root, while the image is built; never in a sandbox.
set -euo pipefail
mapfile -t packages <"$(dirname "$0")/packages.txt"
export DEBIAN_FRONTEND=noninteractive
apt-get -o Acquire::Retries=3 -o Acquire::http::Timeout=30 update
apt-get install -y --no-install-recommends "${packages[@]}"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
