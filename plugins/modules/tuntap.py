#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tuntap
short_description: TUN and TAP devices
version_added: 0.1.0
description:
  - Makes, changes, moves and deletes persistent TUN and TAP devices, whose other end is a process such as a virtual
    machine or a VPN.
  - O(owner), O(group), O(packet_info) and O(vnet_hdr) are changed in place as long as no process holds the device open.
    O(mode) and O(multi_queue) never are, and an owner or a group can't be taken away in place. These take
    O(recreate=true).
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
    choices: [tuntap]
  mode:
    description:
      - V(tap) carries Ethernet frames, V(tun) IP packets. Needed to make a device.
    type: str
    choices: [tun, tap]
  owner:
    description:
      - The user who may open the device without being root, by name or id. An empty string is nobody.
    type: str
  group:
    description:
      - The group whose members may open the device without being root, by name or id. An empty string is none.
      - Where there is an O(owner), too, a process has to be both.
    type: str
  packet_info:
    description:
      - Whether four bytes of flags and protocol go before each packet.
      - A process that opens the device says anew whether it wants them, and that stays when it is gone. The same is
        true of O(vnet_hdr).
    type: bool
  vnet_hdr:
    description:
      - Whether a header for offloads (C(struct virtio_net_hdr)) goes before each packet.
    type: bool
  multi_queue:
    description:
      - Whether several queues of the device can be open at the same time. Who opens it must ask for the same.
    type: bool
notes:
  - Deleting a device that a process holds open, with O(state=absent) or O(recreate=true), cuts that off, and no undo can
    give it back. The task warns, in check mode as well, and names the process.
seealso:
  - module: virtnet.linux.linux_bridge
  - module: virtnet.linux.macvtap
"""

EXAMPLES = r"""
- name: A tap for a virtual machine, in a bridge
  virtnet.linux.tuntap:
    name: tap0
    mode: tap
    owner: libvirt-qemu
    vnet_hdr: true
    master: br0
    state: up

- name: A tun for a VPN inside a namespace
  virtnet.linux.tuntap:
    name: tun0
    netns: blue
    mode: tun
    group: vpn
    state: up
    addresses: [10.8.0.1/24]

- name: Several queues, for a virtual machine with several CPUs
  virtnet.linux.tuntap:
    name: tap1
    mode: tap
    multi_queue: true
    vnet_hdr: true
    recreate: true

- name: Delete it
  virtnet.linux.tuntap:
    name: tap0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand, without what can't be foretold (a MAC address that the kernel will choose).
    - Users and groups are returned by name if they have one.
  returned: success
  type: dict
  sample:
    name: tap0
    kind: tuntap
    state: up
    master: br0
    mtu: 1500
    txqueuelen: 1000
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    mode: tap
    multi_queue: false
    owner: libvirt-qemu
    group: ""
    packet_info: false
    vnet_hdr: true
    addresses: []
    routes: []
    neighbors: []
commands:
  description: What an administrator would have typed to do the same, in that order.
  returned: success
  type: list
  elements: str
  sample:
    - ip tuntap add dev tap0 mode tap user libvirt-qemu vnet_hdr
    - ip link set dev tap0 master br0
    - ip link set dev tap0 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import tuntap
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(tuntap.KIND)


if __name__ == "__main__":
    main()
