#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Installs what is missing: Debian packages, and Python packages into virtual environments in this checkout.
#   setup.sh site|test|hosts|bench
# .venv has the newest pyroute2. With "test", .venv-oldest has the oldest one that is supported; with "hosts" comes what
# virtual machines need, with "bench" what the benchmarks compare with, in .venv-peers.

set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:?site, test, hosts or bench}

root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# command:package
needs="ip:iproute2 ping:iputils-ping unshare:util-linux mount:mount ovs-vsctl:openvswitch-switch"
if [ "$purpose" = test ]; then
    needs="$needs shellcheck:shellcheck brctl:bridge-utils jq:jq sudo:sudo sysctl:procps nft:nftables"
    # Debian has it for this architecture only.
    [ "$(uname -m)" != x86_64 ] || needs="$needs linux.uml:user-mode-linux"
elif [ "$purpose" = hosts ]; then
    needs="$needs mmdebstrap:mmdebstrap mkfs.ext4:e2fsprogs qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils"
    needs="$needs ssh:openssh-client pkill:procps sudo:sudo"
fi
packages=()
for need in $needs; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${need%%:*}" > /dev/null || packages+=("${need##*:}")
done
python3 -c 'import ensurepip, venv' 2> /dev/null || packages+=(python3-venv)
if [ "${#packages[@]}" -gt 0 ]; then
    echo "Installing Debian packages: ${packages[*]}"
    root apt-get update -qq
    root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" > /dev/null
fi

# venv FOLDER REQUIREMENTS [pip's further words]: made anew whenever the requirements have changed
venv() {
    local folder=$1 requirements=$2 stamp
    shift 2
    stamp=$(cat "$requirements" requirements.txt; echo "$@"; python3 --version)
    if [ "$(cat "$folder/stamp" 2> /dev/null)" != "$stamp" ]; then
        echo "Installing Python packages into $folder"
        rm -rf "$folder"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" "$@"
        echo "$stamp" > "$folder/stamp"
    fi
}

if [ "$purpose" = site ]; then
    # What the tests have installed serves the site as well.
    [ -f .venv/stamp ] || venv .venv requirements.txt
else
    venv .venv tests/requirements.txt
fi
if [ "$purpose" = test ]; then
    venv .venv-oldest requirements.txt pyroute2==0.7.2 hypothesis pytest
elif [ "$purpose" = bench ]; then
    venv .venv-peers requirements.txt ifstate==2.5.1
fi
