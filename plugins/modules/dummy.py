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
  - Makes, changes, moves and deletes dummy devices. A dummy is an Ethernet device that is always connected and drops each packet
    that it is to send.
  - Use one for an address that doesn't depend on a network card, for routes that lead nowhere, or as the parent of macvlans.
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
      - The kind of the link. A returned document has it; it needn't be given.
    type: str
    choices: [dummy]
notes:
  - The kernel module C(dummy) makes C(dummy0) itself when it is loaded. To use another number, load it with C(numdummies=0).
  - A dummy doesn't use ARP. It has no options besides those of every link.
seealso:
  - module: virtnet.linux.ifb
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: An address that stays whatever happens to the network cards
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

- name: Delete it
  virtnet.linux.dummy:
    name: service0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand, without what can't be foretold (a MAC address that the kernel will choose).
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
  description: What an administrator would have typed to do the same, in that order.
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
