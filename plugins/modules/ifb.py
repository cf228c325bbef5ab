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
  - Creates, changes, moves and deletes ifb devices. The traffic control of the kernel (C(tc)) redirects packets of other links
    to such a device, whose queueing discipline then shapes them together, received packets included.
  - This module does not set queueing disciplines or filters.
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
    choices: [ifb]
notes:
  - The kernel sets the MAC address of an ifb only on creation. A later change of O(mac) requires O(recreate=true).
  - The kernel module C(ifb) creates C(ifb0) and C(ifb1) when it is loaded. To change the number of devices, load it with
    C(numifbs=0).
seealso:
  - module: virtnet.linux.dummy
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: Create a device to shape packets that eth0 receives
  virtnet.linux.ifb:
    name: ifb0
    state: up
    txqueuelen: 1000

- name: Create one in a namespace
  virtnet.linux.ifb:
    name: ifb0
    netns: blue
    state: up

- name: Delete an ifb device
  virtnet.linux.ifb:
    name: ifb0
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
  description: Equivalent commands, in order.
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
