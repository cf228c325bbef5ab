#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs playbooks/site.yml in a sandbox, with an Open vSwitch in it: builds the site, builds it again to show that nothing
# changes, takes it down.

set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != --inside ]; then
    scripts/setup.sh site
    scripts/collection.sh
    exec scripts/sandbox.sh bash scripts/site.sh --inside
fi

ovs() {
    bash tests/integration/targets/setup_ovs/files/ovs.sh "$1" /run/openvswitch
}
ovs start
trap "ovs stop" EXIT

export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/collections" ANSIBLE_HOME="$PWD/.cache/ansible"
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false ANSIBLE_DISPLAY_SKIPPED_HOSTS=false
site() {
    .venv/bin/ansible-playbook playbooks/site.yml "$@"
}

echo "=== Building the site"
site
echo "=== Building it again: nothing may change"
site | tee /run/second-run
if ! grep -Eq "changed=0 .*failed=0" /run/second-run; then
    echo "The second run changed something." >&2
    exit 1
fi
echo "=== Taking it down"
site -e site_state=absent
left=$(ip -o link | grep -v ": lo:" || true; ip netns list; ovs-vsctl list-br)
if [ -n "$left" ]; then
    printf 'This was left behind:\n%s\n' "$left" >&2
    exit 1
fi
echo "=== Done: built, unchanged by a second run, and taken down with nothing left behind."
