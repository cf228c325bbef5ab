#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovs_bridge
short_description: Bridges of Open vSwitch
version_added: 0.1.0
description:
  - Makes, configures and removes bridges of Open vSwitch, in one transaction, and in place.
  - What is left out is left alone. An empty text, list or dictionary is a value, and clears.
  - The bridge's own link, of the same name, gets addresses and the like from M(virtnet.linux.link).
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  name:
    description:
      - The name of the bridge, and of the link that comes with it.
    type: str
    required: true
  state:
    description:
      - V(absent) removes the bridge, its ports, and the fake bridges upon it.
    type: str
    choices: [present, absent]
    default: present
  datapath_type:
    description:
      - Whether the kernel forwards, V(system), or a process does, V(netdev).
      - With another type, OVS makes the bridge's internal ports anew. Their links lose addresses and namespace, of which the
        task warns.
    type: str
    choices: [system, netdev]
  fail_mode:
    description:
      - What the bridge does without its controller. Empty for whatever OVS does by itself.
    type: str
    choices: ["", secure, standalone]
  protocols:
    description:
      - The versions of OpenFlow that it speaks. Others that it has stay, unless O(purge_protocols) is set. With an empty list
        it speaks those that OVS speaks by itself.
    type: list
    elements: str
    choices: [OpenFlow10, OpenFlow11, OpenFlow12, OpenFlow13, OpenFlow14, OpenFlow15]
  purge_protocols:
    description: Whether it is to speak no other version than those in O(protocols).
    type: bool
    default: false
  controllers:
    description:
      - Its controllers, such as V(tcp:192.0.2.1:6653). Others that it has stay, unless O(purge_controllers) is set. An
        empty list removes all.
    type: list
    elements: str
  purge_controllers:
    description: Whether it is to have no other controllers than those in O(controllers).
    type: bool
    default: false
  stp:
    description: Whether it runs the spanning tree protocol.
    type: bool
  rstp:
    description: Whether it runs the rapid spanning tree protocol.
    type: bool
  mcast_snooping:
    description: Whether it looks into IGMP and MLD, and sends multicasts where somebody listens.
    type: bool
  mac:
    description:
      - The MAC address of the bridge, which is C(hwaddr) of O(other_config). Empty for one that OVS chooses.
    type: str
  parent:
    description:
      - Makes it a fake bridge. It is the VLAN O(vlan) of this bridge, its ports have that tag, and it has no settings of its own
        but O(external_ids).
    type: str
  vlan:
    description: The VLAN of a fake bridge.
    type: int
  ports:
    description:
      - Names of ports that it has. Those that it lacks are added as links that are there already; M(virtnet.linux.ovs_port)
        makes others.
      - Other ports stay, unless O(purge_ports) is set.
    type: list
    elements: str
  purge_ports:
    description: Whether it is to have no other ports than those in O(ports).
    type: bool
    default: false
seealso:
  - module: virtnet.linux.ovs_port
  - module: virtnet.linux.link
  - name: ovs-vswitchd.conf.db(5)
    description: The columns that most options are.
    link: https://www.openvswitch.org/support/dist-docs/ovs-vswitchd.conf.db.5.html
"""

EXAMPLES = r"""
- name: A bridge
  virtnet.linux.ovs_bridge:
    name: br-int
    fail_mode: secure
    protocols: [OpenFlow13]
    external_ids:
      owner: the network team

- name: With an address of its own
  virtnet.linux.link:
    name: br-int
    state: up
    addresses: [192.0.2.1/24]

- name: A bridge that works without help of the kernel, with a link that is there already
  virtnet.linux.ovs_bridge:
    name: br-ext
    datapath_type: netdev
    ports: [eth1]

- name: A fake bridge for VLAN 10 of it
  virtnet.linux.ovs_bridge:
    name: br-ext.10
    parent: br-ext
    vlan: 10

- name: Forget an external id, and leave the decision to OVS what to do without a controller
  virtnet.linux.ovs_bridge:
    name: br-int
    fail_mode: ""
    external_ids:
      owner:

- name: Remove it
  virtnet.linux.ovs_bridge:
    name: br-ext
    state: absent
"""

RETURN = r"""
ovs_bridge:
  description:
    - The bridge as it now stands, in the words of the options. In check mode, as it would stand.
  returned: success
  type: dict
  sample:
    name: br-int
    state: present
    datapath_type: system
    fail_mode: secure
    protocols: [OpenFlow13]
    controllers: []
    stp: false
    rstp: false
    mcast_snooping: false
    mac: ""
    external_ids:
      owner: the network team
    other_config: {}
    ports: [patch-ext]
commands:
  description: What an administrator would have typed to do the same; it is one transaction.
  returned: success
  type: list
  elements: str
  sample:
    - ovs-vsctl add-br br-int -- set Bridge br-int fail_mode=secure -- set Bridge br-int protocols=OpenFlow13
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.ovs_bridges import run_bridge


def main() -> None:
    run_bridge()


if __name__ == "__main__":
    main()
