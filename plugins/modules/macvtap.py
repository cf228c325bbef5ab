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
  - Makes, changes, moves and deletes macvtaps, which give a virtual machine a MAC address of its own on the host's
    network without a bridge.
  - The virtual machine opens the character device C(/dev/tapN), where C(N) is the interface index. Its node is there
    when the task has ended, whether or not udev has made it, and is removed together with the link.
  - Where that name is taken by a link in another namespace with the same index, the node is C(/dev/macvtapM) with the
    minor number. RV(link.device) always has the path.
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
      - The kind of the link. A returned document has it; it needn't be given.
    type: str
    choices: [macvtap]
  device:
    description:
      - The node of the character device. What is omitted of it is left as it is; a new one belongs to root and has the
        mode V(0600).
    type: dict
    suboptions:
      owner:
        description:
          - The user who owns it, by name or id.
        type: str
      group:
        description:
          - The group that owns it, by name or id.
        type: str
      mode:
        description:
          - Its mode, such as V('0660'). Quote it in YAML.
        type: raw
      path:
        description:
          - Where it is. A returned document has it; given, it isn't looked at.
        type: str
      major:
        description:
          - Its major number. A returned document has it; given, it isn't looked at.
        type: int
      minor:
        description:
          - Its minor number. A returned document has it; given, it isn't looked at.
        type: int
notes:
  - The kernel removes the nodes that it made itself together with the device. It makes none for a second link with the same
    interface index, and none where C(/dev) is not a devtmpfs, as in many containers. This module makes these nodes.
  - All modules of this collection remove such a node together with the device, also where the device goes with its parent,
    with the peer of its parent, or with its namespace. If other software deletes the device, or a namespace that a process
    still uses loses its name, the node remains until the next task of this collection that isn't in check mode.
  - The kernel gives the number of a deleted device to the next macvtap, so that the owner of a remaining node can open that
    one. A macvtap that this module makes never has an older node. If other software makes macvtaps, too, delete yours with
    this collection only.
  - Where udev has a rule for macvtaps, the task waits until that is done, for 5 seconds at most, and then sets what is in
    O(device). C(udevadm trigger) applies the rule again.
  - Deleting a macvtap that a process has open, with O(state=absent) or O(recreate=true), cuts that off. The task warns,
    and names the process.
seealso:
  - module: virtnet.linux.macvlan
  - module: virtnet.linux.tuntap
"""

EXAMPLES = r"""
- name: A macvtap for a virtual machine that runs as a user of its own
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

- name: Where the virtual machine finds it
  ansible.builtin.debug:
    var: vm1.link.device.path

- name: The whole device for one virtual machine
  virtnet.linux.macvtap:
    name: vm2
    parent: eth1
    mode: passthru
    state: up

- name: Delete it
  virtnet.linux.macvtap:
    name: vm1
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand, without what can't be foretold (a MAC address that the kernel will choose, the
      path of the device).
    - The parent is left out where it is in a namespace that can't be found.
  returned: success
  type: dict
  contains:
    device:
      description: The node of the character device.
      returned: where it is there
      type: dict
      contains:
        path:
          description: Where it is.
          returned: success
          type: str
        major:
          description: Its major number.
          returned: success
          type: int
        minor:
          description: Its minor number.
          returned: success
          type: int
        owner:
          description: The user who owns it, by name if there is one.
          returned: success
          type: str
        group:
          description: The group that owns it, by name if there is one.
          returned: success
          type: str
        mode:
          description: Its mode, in octal.
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
  description: What an administrator would have typed to do the same, in that order.
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
