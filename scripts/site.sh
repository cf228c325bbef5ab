#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs playbooks/site.yml in a sandbox, with an Open vSwitch in it: builds the site with one task, after which the tasks for
# each thing change nothing; then five roles with a task each, and their cables; builds it all again to show that nothing changes
# at all; takes it down.

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
# The options of most tasks are one variable, which is unsafe only where facts are variables as well.
export ANSIBLE_INJECT_FACT_VARS=false
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false ANSIBLE_DISPLAY_SKIPPED_HOSTS=false
site() {
    .venv/bin/ansible-playbook playbooks/site.yml "$@"
}

changes() {
    site | tee /run/output
    if ! grep -Eq "changed=$1 .*failed=0" /run/output; then
        echo "This should have changed $1 task(s)." >&2
        exit 1
    fi
}

echo "=== Building the site with one task: those that follow may change nothing, but for those of five roles and for their cables"
changes 7
echo "=== Building it again: nothing may change"
changes 0
echo "=== Taking it down"
site -e site_state=absent
left=$(ip -o link | grep -v ": lo:" || true; ip netns list; ovs-vsctl list-br; ls /var/lib/virtnet/topologies)
if [ -n "$left" ]; then
    printf 'This was left behind:\n%s\n' "$left" >&2
    exit 1
fi
echo "=== Done: built by one task and by roles, unchanged by many tasks and by a second run, and taken down with nothing left behind."
