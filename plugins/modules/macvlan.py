#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: macvlan
short_description: MAC addresses of their own on one network device
version_added: 0.1.0
description:
  - Makes, changes, moves and deletes macvlans, which stand in for a bridge between a network device and namespaces.
  - A macvlan can live in another namespace than its parent; it is made there right away.
  - Deleting the parent deletes it, too. The task that does so warns of those in the namespace of the parent; those in other
    namespaces it doesn't see.
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
      - The kind of the link. A returned document has it; it needn't be given.
    type: str
    choices: [macvlan]
seealso:
  - module: virtnet.linux.macvtap
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: A second address on the network, with a MAC address of the kernel's choice
  virtnet.linux.macvlan:
    name: mac0
    parent: eth0
    mode: bridge
    state: up

- name: The same with a MAC address, unicast and locally administered
  virtnet.linux.macvlan:
    name: mac1
    parent: eth0
    mac: "52:22:33:44:55:66"

- name: A namespace with an interface of its own on the host's network
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

- name: Packets from two machines only
  virtnet.linux.macvlan:
    name: mac2
    parent: eth0
    mode: source
    macaddrs: ["52:54:00:12:34:56", "52:54:00:12:34:57"]
    purge_macaddrs: true

- name: Delete it
  virtnet.linux.macvlan:
    name: mac0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand, without what can't be foretold (a MAC address that the kernel will choose).
    - The parent is left out where it is in a namespace that can't be found.
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
  description: What an administrator would have typed to do the same, in that order.
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
