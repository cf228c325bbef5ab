#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: macvtap
short_description: Character devices for virtual machines on one network device
version_added: 0.1.0
description:
  - Creates, changes, moves and deletes macvtaps, which connect virtual machines to the network of the host
    with their own MAC addresses, without a bridge.
  - The virtual machine opens the character device C(/dev/tapN), where C(N) is the interface index. The module ensures that
    the device node exists, even without udev, and that it is removed with the link.
  - If a link in another namespace with the same index has that node, the node is C(/dev/macvtapM) with the minor number.
    RV(link.device) has the path.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
  - virtnet.linux._link
  - virtnet.linux._link.movable
  - virtnet.linux._macvlan
author:
  - The virtnet.linux authors (@virtnet)
requirements:
  - Linux 5.2
options:
  kind:
    description:
      - Kind of the link. Returned documents contain it; it can be omitted.
    type: str
    choices: [macvtap]
  device:
    description:
      - Node of the character device. Omitted values are left unchanged; a new node belongs to root and has the mode V(0600).
    type: dict
    suboptions:
      owner:
        description:
          - User that owns the node, by name or id.
        type: str
      group:
        description:
          - Group that owns the node, by name or id.
        type: str
      mode:
        description:
          - Mode of the node, such as V('0660'). Quote it in YAML.
        type: raw
      path:
        description:
          - Path of the node. Returned; ignored as an option.
        type: str
      major:
        description:
          - Major number of the device. Returned; ignored as an option.
        type: int
      minor:
        description:
          - Minor number of the device. Returned; ignored as an option.
        type: int
notes:
  - The kernel removes the nodes that it has created together with the device. It creates none for a second link with the
    same interface index, and none if C(/dev) is not a devtmpfs, as in many containers. This module creates these nodes.
  - All modules of this collection remove such a node together with the device, even if the device is deleted with its
    parent, with the peer of its parent, or with its namespace. If other software deletes the device, or a namespace that a process
    still uses loses its name, the node remains until the next task of this collection that isn't in check mode.
  - The kernel assigns the number of a deleted device to the next macvtap, so the owner of a remaining node could open
    that one. A macvtap that this module creates never has an older node. If other software creates macvtaps as well, delete
    those of this collection with this collection only.
  - If udev has rules for macvtaps, the task waits for them for at most 5 seconds, and then applies O(device). C(udevadm trigger) applies the rule again.
  - Deleting a macvtap that a process holds open, with O(state=absent) or O(recreate=true), cuts off that process. The task
    warns and names the process.
seealso:
  - module: virtnet.linux.macvlan
  - module: virtnet.linux.tuntap
"""

EXAMPLES = r"""
- name: Create a macvtap for a virtual machine that runs as another user
  virtnet.linux.macvtap:
    name: vm1
    parent: eth0
    mode: bridge
    state: up
    device:
      owner: libvirt-qemu
      group: kvm
      mode: "0660"
  register: vm1

- name: Show the path of the device
  ansible.builtin.debug:
    var: vm1.link.device.path

- name: Give a virtual machine exclusive use of a network device
  virtnet.linux.macvtap:
    name: vm2
    parent: eth1
    mode: passthru
    state: up

- name: Delete a macvtap
  virtnet.linux.macvtap:
    name: vm1
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link after the task, in the format of the options, so that it can be passed to the module again.
      In check mode, the expected link, without values that can't be predicted (such as a MAC address chosen by the kernel, or the
      path of the device).
    - The parent is omitted if its namespace can't be found.
  returned: success
  type: dict
  contains:
    device:
      description: Node of the character device.
      returned: if it exists
      type: dict
      contains:
        path:
          description: Path of the node.
          returned: success
          type: str
        major:
          description: Major number.
          returned: success
          type: int
        minor:
          description: Minor number.
          returned: success
          type: int
        owner:
          description: User that owns the node, by name if it has one.
          returned: success
          type: str
        group:
          description: Group that owns the node, by name if it has one.
          returned: success
          type: str
        mode:
          description: Mode in octal.
          returned: success
          type: str
  sample:
    name: vm1
    kind: macvtap
    state: up
    master: ""
    mtu: 1500
    txqueuelen: 500
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    parent: eth0
    mode: bridge
    nopromisc: false
    nodst: false
    bcqueuelen: 1000
    macaddrs: []
    device:
      path: /dev/tap61
      major: 246
      minor: 1
      owner: libvirt-qemu
      group: kvm
      mode: "0660"
    addresses: []
    routes: []
    neighbors: []
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add link eth0 name vm1 type macvtap mode bridge
    - ip link set dev vm1 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import macvtap
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(macvtap.KIND)


if __name__ == "__main__":
    main()
