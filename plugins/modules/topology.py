#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topology
short_description: The whole virtual network of a host in one task
version_added: 0.1.0
description:
  - Creates namespaces, links of every kind, and bridges of Open vSwitch with their ports atomically, with one plan, and one
    transaction for Open vSwitch.
  - The order in the document does not matter. All errors are reported at once, before anything is changed.
  - Records on the host, in C(/var/lib/virtnet/topologies), what it has created, and deletes these things when they are no
    longer listed. It never deletes anything else.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  name:
    description:
      - Name of the topology. A topology does not change what another one owns.
    type: str
    required: true
  state:
    description:
      - V(absent) deletes everything that the topology owns, and ignores the rest of the document.
    type: str
    choices: [present, absent]
    default: present
  namespaces:
    description:
      - Network namespaces, each with the options of M(virtnet.linux.netns).
    type: list
    elements: dict
    default: []
  links:
    description:
      - Links, each with its C(kind) and the options of the module of that name - V(veth), V(linux_bridge), V(tuntap),
        V(macvlan), V(macvtap), V(dummy), V(ifb) - or V(link) for an existing link of any kind or one that OVS
        creates, or V(linux_bridge_port) for the settings of a bridge port.
    type: list
    elements: dict
    default: []
  ovs_bridges:
    description:
      - Bridges of Open vSwitch, each with the options of M(virtnet.linux.ovs_bridge). Their C(ports) are documents with the options
        of M(virtnet.linux.ovs_port), without C(bridge).
    type: list
    elements: dict
    default: []
  purge:
    description:
      - Delete what an earlier run of the same topology has created and the document no longer lists.
      - Things that existed before, that another topology owns, or that were deleted and created again by hand are never deleted.
    type: bool
    default: true
  rollback:
    description:
      - Roll back all changes if a step fails.
    type: bool
    default: true
  persist:
    description:
      - Keep the document on the host, in C(/var/lib/virtnet/topologies), from which the role
        P(virtnet.linux.restore_on_boot#role) restores the topology after a reboot.
      - Each task of this topology decides again. A document that differs from the kept one replaces it, which is a change. With
        V(false), and with O(state=absent), the kept document is removed.
      - Namespaces that are given by a path below C(/proc) are refused, because such a path is not valid after a reboot.
    type: bool
    default: false
  database:
    description:
      - Default database for bridges without option C(database), as in M(virtnet.linux.ovs_bridge).
    type: str
  timeout:
    description:
      - Time in seconds for Open vSwitch to apply the changes.
    type: int
    default: 30
seealso:
  - module: virtnet.linux.topology_info
  - name: Guide to topologies
    description: Ownership, purging, what can't be rolled back, and limits.
    link: https://github.com/virtnet/virtnet.linux/blob/main/docs/topology.md
"""

EXAMPLES = r"""
- name: Connect two namespaces to a bridge
  virtnet.linux.topology:
    name: lab
    namespaces:
      - name: blue
      - name: green
    links:
      - kind: linux_bridge
        name: br0
        state: up
        addresses: [192.0.2.1/24]
      - kind: veth
        name: eth0
        netns: blue
        state: up
        addresses: [192.0.2.11/24]
        routes: [{to: default, via: 192.0.2.1}]
        peer: {name: blue-port, master: br0, state: up}
      - kind: veth
        name: eth0
        netns: green
        state: up
        addresses: [192.0.2.12/24]
        peer: {name: green-port, master: br0, state: up}

- name: Create bridges of Open vSwitch with an internal port in a namespace
  virtnet.linux.topology:
    name: switches
    namespaces:
      - name: mgmt
    ovs_bridges:
      - name: br-int
        ports:
          - {name: patch-ext, type: patch, peer: patch-int}
          - {name: mgmt0, type: internal, tag: 20}
      - name: br-ext
        ports:
          - {name: patch-int, type: patch, peer: patch-ext}
    links:
      - kind: link
        name: mgmt0
        netns: mgmt
        move_from: ""
        state: up
        addresses: [198.51.100.5/24]

- name: Create a bridge that the role restore_on_boot restores after a reboot
  virtnet.linux.topology:
    name: vms
    persist: true
    links:
      - {kind: linux_bridge, name: br1, state: up, ports: [eth1]}

- name: Delete everything that the topology owns
  virtnet.linux.topology:
    name: lab
    state: absent
"""

RETURN = r"""
topology:
  description:
    - The listed things after the task, in the format of the options. In check mode, the expected ones.
    - If it is passed to the module again, nothing changes; with O(persist=true), the kept document stays as it was given.
  returned: success
  type: dict
  sample:
    name: lab
    state: present
    purge: true
    rollback: true
    timeout: 30
    persist: false
    namespaces:
      - {name: blue, state: present, loopback: true}
    links: []
    ovs_bridges: []
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip netns add blue
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.topology import run_topology


def main() -> None:
    run_topology()


if __name__ == "__main__":
    main()
