#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: link
short_description: Existing links of any kind
version_added: 0.1.0
description:
  - Configures state, addresses, routes, master and namespace of an existing link of any kind, such as C(eth0) or an internal
    port of Open vSwitch.
  - Does not create links; use the module for the kind of the link.
  - Open vSwitch sets the MTU of the links that it makes, and the MAC address of its bridges. So O(mtu) and O(mac) are refused for
    these in the network namespace of Open vSwitch, unless the link has that value already. Option C(mtu_request) of
    M(virtnet.linux.ovs_port) and option C(mac) of M(virtnet.linux.ovs_bridge) set them.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
  - virtnet.linux._link
  - virtnet.linux._link.movable
author:
  - The virtnet.linux authors (@virtnet)
options:
  state:
    description:
      - V(present) leaves the administrative state unchanged; V(up) and V(down) set it.
      - A link that goes down loses its routes. The task warns of all addresses and routes that are lost without being
        requested.
      - V(absent) deletes a virtual link of any kind. Both ends of a pair are deleted, and macvlans upon a deleted link as
        well. Set O(kind) to delete only a link of that kind.
      - Hardware, the loopback, and links of Open vSwitch can't be deleted with this module.
    type: str
    choices: [present, absent, up, down]
    default: present
  kind:
    description:
      - Kind that the link must have. If omitted, any kind is accepted.
    type: str
  recreate:
    description:
      - Accepted for consistency with the other modules. It has no effect, because this module does not create links.
    type: bool
    default: false
seealso:
  - module: virtnet.linux.veth
  - module: virtnet.linux.linux_bridge
"""

EXAMPLES = r"""
- name: Set the uplink up with jumbo frames
  virtnet.linux.link:
    name: eth1
    state: up
    mtu: 9000

- name: Set exactly these addresses and default routes
  virtnet.linux.link:
    name: eth0
    state: up
    addresses:
      - 192.0.2.10/24
      - 2001:db8::10/64
    purge_addresses: true
    routes:
      - to: default
        via: 192.0.2.1
      - to: default
        via: 2001:db8::1

- name: Move a network card to a namespace
  virtnet.linux.link:
    name: eth2
    netns: blue
    move_from: ""
    state: up
    addresses: [198.51.100.2/24]

- name: Move it back
  virtnet.linux.link:
    name: eth2
    move_from: blue

- name: Remove a port from its bridge and restore it
  virtnet.linux.link:
    name: eth1
    master: ""
    promisc: false
    state: down
"""

RETURN = r"""
link:
  description:
    - The link after the task, in the format of the options, so that it can be passed to the module again.
      In check mode, the expected link.
  returned: success
  type: dict
  sample:
    name: eth1
    kind: ""
    state: up
    master: ""
    mtu: 9000
    txqueuelen: 1000
    mac: "52:54:00:12:34:56"
    alias: ""
    promisc: false
    addresses: [192.0.2.10/24]
    routes:
      - to: default
        via: 192.0.2.1
        metric: 0
        table: 254
    neighbors: []
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link set dev eth1 mtu 9000
    - ip link set dev eth1 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(None)


if __name__ == "__main__":
    main()
