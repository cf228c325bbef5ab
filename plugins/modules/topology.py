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
  - Makes namespaces, links of every kind, and bridges of Open vSwitch with their ports, all or nothing. One look at the host,
    one plan, one transaction for Open vSwitch.
  - The order in the document doesn't matter. What is wrong with it is told before anything is touched, and all of it at once.
  - It remembers on the host, in C(/var/lib/virtnet/topologies), what it has made, and removes that when the document doesn't
    list it any more. It never removes anything else.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  name:
    description:
      - The name of the topology. What one of them owns, another one doesn't touch.
    type: str
    required: true
  state:
    description:
      - V(absent) removes all that the topology owns, whatever else is in the document.
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
        V(macvlan), V(macvtap), V(dummy), V(ifb) - or V(link) for any that is there already or that OVS makes, or V(linux_bridge_port) for
        what a bridge keeps for a port.
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
      - Whether to remove what an earlier run of the same topology has made and the document doesn't list any more.
      - What existed before, what another topology owns, and what somebody deleted and made again by hand, stays in any case.
    type: bool
    default: true
  rollback:
    description:
      - Whether to take everything back if a step fails.
    type: bool
    default: true
  persist:
    description:
      - Whether to keep the document on the host, in C(/var/lib/virtnet/topologies), from where the role
        P(virtnet.linux.restore_on_boot#role) lets the topology come back after a reboot.
      - Every task of this topology decides anew. A document that says something else than the one that is kept takes its place,
        which is a change. With V(false), and with O(state=absent), none is kept any more.
      - Namespaces that are given by a path below C(/proc) are refused, because after a reboot it leads elsewhere.
    type: bool
    default: false
  database:
    description:
      - The database of the Open vSwitch that is meant where a bridge doesn't say, as in M(virtnet.linux.ovs_bridge).
    type: str
  timeout:
    description:
      - The seconds in which Open vSwitch has to take up the changes.
    type: int
    default: 30
seealso:
  - module: virtnet.linux.topology_info
  - name: Guide to topologies
    description: Ownership, purging, what can't be undone, and limits.
    link: https://github.com/virtnet/virtnet.linux/blob/main/docs/topology.md
"""

EXAMPLES = r"""
- name: Two namespaces on a bridge
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

- name: Bridges of Open vSwitch, and an internal port in a namespace
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

- name: A bridge that comes back after a reboot, with the role restore_on_boot
  virtnet.linux.topology:
    name: vms
    persist: true
    links:
      - {kind: linux_bridge, name: br1, state: up, ports: [eth1]}

- name: Remove all of it
  virtnet.linux.topology:
    name: lab
    state: absent
"""

RETURN = r"""
topology:
  description:
    - What the document lists, as it now stands, in the same words. In check mode, as it would stand.
    - Given back as options, it is unchanged; with O(persist=true), the document that is kept stays as it was given.
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
  description: What an administrator would have typed to do the same, in that order.
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
