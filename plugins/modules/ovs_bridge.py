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
  - Creates, configures and deletes bridges of Open vSwitch in one transaction. All changes are made in place.
  - Omitted options are left unchanged. An empty string, list or dictionary clears an option.
  - Use M(virtnet.linux.link) for addresses and other options of the local port, a link with the name of the bridge.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  name:
    description:
      - Name of the bridge, and of its local port.
    type: str
    required: true
  state:
    description:
      - V(absent) deletes the bridge, its ports, and its fake bridges.
    type: str
    choices: [present, absent]
    default: present
  datapath_type:
    description:
      - Datapath, V(system) for the kernel module, V(netdev) for userspace.
      - When the type changes, OVS creates the internal ports of the bridge again. Their links lose addresses and namespace; the
        task warns of that.
    type: str
    choices: [system, netdev]
  fail_mode:
    description:
      - Behavior without a connection to a controller. Empty for the default of OVS.
    type: str
    choices: ["", secure, standalone]
  protocols:
    description:
      - OpenFlow versions to enable. Others are kept unless O(purge_protocols) is set. An empty list restores the defaults of
        OVS.
    type: list
    elements: str
    choices: [OpenFlow10, OpenFlow11, OpenFlow12, OpenFlow13, OpenFlow14, OpenFlow15]
  purge_protocols:
    description: Disable versions that are not listed in O(protocols).
    type: bool
    default: false
  controllers:
    description:
      - Controllers, such as V(tcp:192.0.2.1:6653). Missing ones are added; others are kept unless O(purge_controllers) is set.
        An empty list removes all.
    type: list
    elements: str
  purge_controllers:
    description: Remove controllers that are not listed in O(controllers).
    type: bool
    default: false
  stp:
    description: Enable the spanning tree protocol.
    type: bool
  rstp:
    description: Enable the rapid spanning tree protocol.
    type: bool
  mcast_snooping:
    description: Forward multicast packets only to ports with listeners, which are detected by IGMP and MLD.
    type: bool
  mac:
    description:
      - MAC address of the bridge, C(hwaddr) in O(other_config). Empty for an address chosen by OVS.
    type: str
  parent:
    description:
      - Parent of a fake bridge, which is the VLAN O(vlan) of the parent. Its ports have that tag, and O(external_ids) are its
        only settings.
    type: str
  vlan:
    description: VLAN of a fake bridge.
    type: int
  ports:
    description:
      - Ports of the bridge. Missing ones are added and must be names of existing links; use M(virtnet.linux.ovs_port) for ports of
        other types.
      - Other ports are kept unless O(purge_ports) is set.
    type: list
    elements: str
  purge_ports:
    description: Remove ports that are not listed in O(ports).
    type: bool
    default: false
seealso:
  - module: virtnet.linux.ovs_port
  - module: virtnet.linux.link
  - name: ovs-vswitchd.conf.db(5)
    description: Most options set the column of the same name.
    link: https://www.openvswitch.org/support/dist-docs/ovs-vswitchd.conf.db.5.html
"""

EXAMPLES = r"""
- name: Create a bridge
  virtnet.linux.ovs_bridge:
    name: br-int
    fail_mode: secure
    protocols: [OpenFlow13]
    external_ids:
      owner: the network team

- name: Give it an address
  virtnet.linux.link:
    name: br-int
    state: up
    addresses: [192.0.2.1/24]

- name: Create a bridge with the userspace datapath and an existing link as a port
  virtnet.linux.ovs_bridge:
    name: br-ext
    datapath_type: netdev
    ports: [eth1]

- name: Create a fake bridge for VLAN 10
  virtnet.linux.ovs_bridge:
    name: br-ext.10
    parent: br-ext
    vlan: 10

- name: Remove an external id, and restore the default of fail_mode
  virtnet.linux.ovs_bridge:
    name: br-int
    fail_mode: ""
    external_ids:
      owner:

- name: Delete a bridge
  virtnet.linux.ovs_bridge:
    name: br-ext
    state: absent
"""

RETURN = r"""
ovs_bridge:
  description:
    - The bridge after the task, in the format of the options. In check mode, the expected bridge.
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
  description: Equivalent command, which is one transaction.
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
