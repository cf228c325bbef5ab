#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: macvlan
short_description: Links with their own MAC addresses on a network device
version_added: 0.1.0
description:
  - Creates, changes, moves and deletes macvlans, which connect namespaces to a network device without a bridge.
  - A macvlan can be in another namespace than its parent; it is created there.
  - Deleting the parent deletes its macvlans. The task that deletes it warns of macvlans in the namespace of the parent, not
    of those in other namespaces.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
  - virtnet.linux._link
  - virtnet.linux._link.movable
  - virtnet.linux._macvlan
author:
  - The virtnet.linux authors (@virtnet)
options:
  kind:
    description:
      - Kind of the link. Returned documents contain it; it can be omitted.
    type: str
    choices: [macvlan]
seealso:
  - module: virtnet.linux.macvtap
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: Create a macvlan with a MAC address chosen by the kernel
  virtnet.linux.macvlan:
    name: mac0
    parent: eth0
    mode: bridge
    state: up

- name: Create a macvlan with a locally administered MAC address
  virtnet.linux.macvlan:
    name: mac1
    parent: eth0
    mac: "52:22:33:44:55:66"

- name: Connect a namespace to the network of the host
  virtnet.linux.macvlan:
    name: lan0
    netns: blue
    parent: eth0
    mode: bridge
    state: up
    addresses: [192.0.2.20/24]
    routes:
      - to: default
        via: 192.0.2.1

- name: Accept packets from two hosts only
  virtnet.linux.macvlan:
    name: mac2
    parent: eth0
    mode: source
    macaddrs: ["52:54:00:12:34:56", "52:54:00:12:34:57"]
    purge_macaddrs: true

- name: Delete a macvlan
  virtnet.linux.macvlan:
    name: mac0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link after the task, in the format of the options, so that it can be passed to the module again.
      In check mode, the expected link, without values that can't be predicted (such as a MAC address chosen by the kernel).
    - The parent is omitted if its namespace can't be found.
  returned: success
  type: dict
  sample:
    name: lan0
    kind: macvlan
    netns: blue
    state: up
    master: ""
    mtu: 1500
    txqueuelen: 1000
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    parent: eth0
    mode: bridge
    nopromisc: false
    nodst: false
    bcqueuelen: 1000
    macaddrs: []
    addresses: [192.0.2.20/24]
    routes: []
    neighbors: []
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add link eth0 name lan0 netns blue type macvlan mode bridge
    - ip -n blue address add 192.0.2.20/24 dev lan0
    - ip -n blue link set dev lan0 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import macvlan
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(macvlan.KIND)


if __name__ == "__main__":
    main()
