#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: link
short_description: Links that are already there
version_added: 0.1.0
description:
  - Configures a network device of whatever kind, such as C(eth0) or an internal port of Open vSwitch; its state,
    addresses, routes and master, and the namespace it is in.
  - It never makes a link. That is what the modules of the various kinds are for.
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
      - V(present) leaves the administrative state alone; V(up) and V(down) set it.
      - A link that goes down loses its routes. A warning names them, as it names all addresses and routes that a task takes
        from a link without being asked to.
      - V(absent) deletes the link whatever its kind, if it is virtual, although this module never makes one. Of a pair, both
        ends go, and so do the macvlans upon it. Give O(kind) to delete a link of that kind only.
      - Hardware, the loopback, and links of Open vSwitch can't be deleted here.
    type: str
    choices: [present, absent, up, down]
    default: present
  kind:
    description:
      - The kind that the link must have. If omitted, any kind will do.
    type: str
  recreate:
    description:
      - Links of every kind have this option; this module never makes a link, and so has no use for it.
    type: bool
    default: false
seealso:
  - module: virtnet.linux.veth
  - module: virtnet.linux.linux_bridge
"""

EXAMPLES = r"""
- name: The uplink, up and with jumbo frames
  virtnet.linux.link:
    name: eth1
    state: up
    mtu: 9000

- name: Exactly these addresses and this way out
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

- name: Give a network card to a namespace
  virtnet.linux.link:
    name: eth2
    netns: blue
    move_from: ""
    state: up
    addresses: [198.51.100.2/24]

- name: Take it back
  virtnet.linux.link:
    name: eth2
    move_from: blue

- name: Take a port out of its bridge and put it back as it was
  virtnet.linux.link:
    name: eth1
    master: ""
    promisc: false
    state: down
"""

RETURN = r"""
link:
  description:
    - The link as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand.
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
  description: What an administrator would have typed to do the same, in that order.
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
