#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The role overlay on three hosts, of which one comes later and leaves again. A host is a process in network and mount namespaces
# of its own with an Open vSwitch of its own, and a cable to a switch that all have in common; Ansible gets into it by its Python.

set -eux
if [ "${1:-}" != --inside ]; then
    exec unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private bash "$0" --inside "$@"
fi
shift
export ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING=true
switch=${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/virtnet/linux/tests/integration/targets/setup_ovs/files/ovs.sh
python=${ANSIBLE_TEST_PYTHON_INTERPRETER:-$(command -v python3)}

mount -t tmpfs -o mode=755 tmpfs /run
ip link add switch type bridge
ip link set switch up
for number in 1 2 3; do
    unshare --net --mount --propagation private sh -c '
        mount -t tmpfs -o mode=755 tmpfs /run
        mount -t tmpfs -o mode=755 tmpfs /var/lib
        mount -t sysfs sysfs /sys
        touch /run/ready
        exec sleep infinity' &
    enter=(nsenter --target $! --net --mount)
    until "${enter[@]}" test -e /run/ready; do sleep 0.1; done
    ip link add "hv$number" type veth peer name eth0 netns $!
    ip link set "hv$number" master switch up
    "${enter[@]}" ip link set lo up
    "${enter[@]}" ip link set eth0 up
    "${enter[@]}" ip address add "192.0.2.$number/24" dev eth0
    "${enter[@]}" bash "$switch" start /run/openvswitch
    printf '#!/bin/sh\nexec %s %s "$@"\n' "${enter[*]}" "$python" > "/run/hv$number"
    chmod +x "/run/hv$number"
done

play() {
    ansible-playbook -i inventory.yml "$@" | tee /run/output
}

# changes NUMBER [ARGUMENT...]: each of the hosts must have changed as often.
changes() {
    local number=$1
    shift
    play playbooks/overlay.yml "$@"
    grep -q "changed=$number " /run/output
    if grep "changed=" /run/output | grep -v "changed=$number "; then exit 1; fi
}

play playbooks/underlay.yml
play playbooks/refused.yml
changes 1 -e overlay_group=two --check
changes 1 -e overlay_group=two
# One more joins them.
changes 1 -e overlay_group=three
changes 0 -e overlay_group=three
# Tunnels of another kind
changes 1 -e overlay_group=three -e overlay_type=gre --check
changes 1 -e overlay_group=three -e overlay_type=gre
changes 0 -e overlay_group=three -e overlay_type=gre
# It leaves them again.
changes 1 -e overlay_group=three -e overlay_state=absent --limit hv3
changes 1 -e overlay_group=two -e overlay_type=gre
changes 0 -e overlay_group=two -e overlay_type=gre
# Nothing of it is left anywhere.
changes 1 -e overlay_group=two -e overlay_state=absent
play playbooks/gone.yml
