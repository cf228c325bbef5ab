#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dummy
short_description: Dummy devices, which drop all packets
version_added: 0.1.0
description:
  - Creates, changes, moves and deletes dummy devices. A dummy is an Ethernet device that always has a carrier and drops all
    packets.
  - Use it for addresses that do not depend on hardware, for routes that drop packets, or as the parent of macvlans.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
  - virtnet.linux._link
  - virtnet.linux._link.movable
author:
  - The virtnet.linux authors (@virtnet)
options:
  kind:
    description:
      - Kind of the link. Returned documents contain it; it can be omitted.
    type: str
    choices: [dummy]
notes:
  - The kernel module C(dummy) creates C(dummy0) when it is loaded. To change the number of devices, load it with C(numdummies=0).
  - A dummy does not use ARP. It has only the options of every link.
seealso:
  - module: virtnet.linux.ifb
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: Add an address that does not depend on hardware
  virtnet.linux.dummy:
    name: service0
    state: up
    addresses: [192.0.2.1/32]

- name: Drop all packets to a network
  virtnet.linux.dummy:
    name: sink0
    state: up
    routes:
      - to: 198.51.100.0/24

- name: Delete a dummy device
  virtnet.linux.dummy:
    name: service0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link after the task, in the format of the options, so that it can be passed to the module again.
      In check mode, the expected link, without values that can't be predicted (such as a MAC address chosen by the kernel).
  returned: success
  type: dict
  sample:
    name: dummy0
    kind: dummy
    state: up
    master: ""
    mtu: 1500
    txqueuelen: 1000
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    addresses: [192.0.2.1/32]
    routes: []
    neighbors: []
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add name dummy0 type dummy
    - ip address add 192.0.2.1/32 dev dummy0
    - ip link set dev dummy0 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import dummy
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(dummy.KIND)


if __name__ == "__main__":
    main()
