#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ifb
short_description: Intermediate functional block devices
version_added: 0.1.0
description:
  - Makes, changes, moves and deletes ifb devices. The traffic control of the kernel (C(tc)) redirects packets of other links
    to such a device, whose queueing discipline then shapes them together, received packets included.
  - The queueing disciplines and filters themselves are not set by this module.
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
    choices: [ifb]
notes:
  - The kernel takes the MAC address of an ifb only when it makes the device. A later change of O(mac) requires
    O(recreate=true).
  - The kernel module C(ifb) makes C(ifb0) and C(ifb1) itself when it is loaded. To use another number, load it with
    C(numifbs=0).
seealso:
  - module: virtnet.linux.dummy
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: A device that shapes what eth0 receives
  virtnet.linux.ifb:
    name: ifb0
    state: up
    txqueuelen: 1000

- name: In a namespace
  virtnet.linux.ifb:
    name: ifb0
    netns: blue
    state: up

- name: Delete it
  virtnet.linux.ifb:
    name: ifb0
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
    name: ifb0
    kind: ifb
    state: up
    master: ""
    mtu: 1500
    txqueuelen: 32
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    addresses: []
    routes: []
    neighbors: []
commands:
  description: What an administrator would have typed to do the same, in that order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add name ifb0 type ifb
    - ip link set dev ifb0 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import ifb
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(ifb.KIND)


if __name__ == "__main__":
    main()
