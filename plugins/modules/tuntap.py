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
  - Creates, changes, moves and deletes persistent TUN and TAP devices, whose packets go to a process such as a virtual
    machine or a VPN.
  - O(owner), O(group), O(packet_info) and O(vnet_hdr) are changed in place while no process holds the device open. Changes
    of O(mode) and O(multi_queue), and removing an owner or a group, require O(recreate=true).
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
    choices: [tuntap]
  mode:
    description:
      - V(tap) for Ethernet frames, V(tun) for IP packets. Required to create a device.
    type: str
    choices: [tun, tap]
  owner:
    description:
      - User that may open the device without root privileges, by name or id. An empty string for none.
    type: str
  group:
    description:
      - Group whose members may open the device without root privileges, by name or id. An empty string for none.
      - If O(owner) is set as well, a process must match both.
    type: str
  packet_info:
    description:
      - Precede each packet with four bytes of flags and protocol.
      - A process that opens the device sets this anew, and the setting remains after the process has ended. The same
        applies to O(vnet_hdr).
    type: bool
  vnet_hdr:
    description:
      - Precede each packet with a header for offloads (C(struct virtio_net_hdr)).
    type: bool
  multi_queue:
    description:
      - Allow several open queues. Processes that open the device must request the same.
    type: bool
notes:
  - Deleting a device that a process holds open, with O(state=absent) or O(recreate=true), cuts off that process, which
    can't be rolled back. The task warns, in check mode as well, and names the process.
seealso:
  - module: virtnet.linux.linux_bridge
  - module: virtnet.linux.macvtap
"""

EXAMPLES = r"""
- name: Create a tap for a virtual machine as a port of a bridge
  virtnet.linux.tuntap:
    name: tap0
    mode: tap
    owner: libvirt-qemu
    vnet_hdr: true
    master: br0
    state: up

- name: Create a tun for a VPN inside a namespace
  virtnet.linux.tuntap:
    name: tun0
    netns: blue
    mode: tun
    group: vpn
    state: up
    addresses: [10.8.0.1/24]

- name: Allow several queues for a virtual machine with several CPUs
  virtnet.linux.tuntap:
    name: tap1
    mode: tap
    multi_queue: true
    vnet_hdr: true
    recreate: true

- name: Delete a tap
  virtnet.linux.tuntap:
    name: tap0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link after the task, in the format of the options, so that it can be passed to the module again.
      In check mode, the expected link, without values that can't be predicted (such as a MAC address chosen by the kernel).
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
  description: Equivalent commands, in order.
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
