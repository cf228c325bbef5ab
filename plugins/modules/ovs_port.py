#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ovs_port
short_description: Ports of Open vSwitch
version_added: 0.1.0
description:
  - Creates, configures and deletes ports of bridges of Open vSwitch - existing links, internal ports, patch ports, tunnels and
    bonds - in one transaction. All changes are made in place.
  - Omitted options are left unchanged. An empty string, list or dictionary clears an option.
  - If OVS can't set up a port (a missing link, invalid options of a tunnel), the task fails with the message of OVS, and the
    port is removed again.
  - Use M(virtnet.linux.link) for addresses, state and namespace of the link of an internal port.
  - If the link of an internal port was deleted with its namespace, a task for the port or its bridge creates it again, with
    C(ovs-appctl dpctl/del-if) and a reconfiguration of ovs-vswitchd. That requires a database on the same host.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  bridge:
    description:
      - Bridge of the port. In a fake bridge, which is a VLAN of its parent, the port has the tag of the fake bridge.
      - A port of a fake bridge is a port of its parent as well. To move a port of the parent to the fake bridge, set
        O(move_from) to the parent.
    type: str
    required: true
  name:
    description:
      - Name of the port. Names of links have at most 15 bytes; those of patch ports, tunnels and bonds can be longer.
    type: str
    required: true
  state:
    description:
      - V(absent) deletes the port if it is on O(bridge).
    type: str
    choices: [present, absent]
    default: present
  move_from:
    description:
      - Bridge from which to move the port if it is not on O(bridge) yet. All its settings are kept.
      - If omitted, a port on another bridge is an error.
    type: str
  type:
    description:
      - V(system) is an existing link, such as a network card, a tap or one end of a veth pair. V(internal) is a link that OVS
        creates. V(patch) is connected to the patch port O(peer) of another bridge. V(gre), V(vxlan), V(geneve) and others are
        tunnels to O(remote_ip).
      - The default for a new port is V(system).
    type: str
  tag:
    description:
      - VLAN of an access port, V(0) to V(4095). Empty for none.
    type: str
  trunks:
    description:
      - VLANs of a trunk port, such as V(10) and V(20-29). Others are kept unless O(purge_trunks) is set. An empty list allows all
        VLANs.
    type: list
    elements: str
  purge_trunks:
    description: Remove VLANs that are not listed in O(trunks).
    type: bool
    default: false
  vlan_mode:
    description:
      - Handling of VLAN tags. Empty to derive it from O(tag) and O(trunks).
    type: str
    choices: ["", access, dot1q-tunnel, native-tagged, native-untagged, trunk]
  protected:
    description:
      - Do not forward packets between this port and other protected ports. In a full mesh of tunnels, this prevents loops.
    type: bool
  peer:
    description: Patch port at the other end.
    type: str
  remote_ip:
    description: Remote unicast address of a tunnel, IPv4 or IPv6, or V(flow).
    type: str
  local_ip:
    description: Local address of a tunnel, of the same family as O(remote_ip), or V(flow). Empty for any.
    type: str
  key:
    description:
      - Key of a tunnel (the VNI of VXLAN and Geneve), a number or V(flow). Empty for none.
      - A number has at most 24 bits for VXLAN, Geneve and LISP, 32 bits for GRE and GTP-U, 10 bits for ERSPAN and 64 bits for STT.
    type: str
  dst_port:
    description: UDP port of a tunnel, V(1) to V(65535). Empty for the default.
    type: str
  options:
    description:
      - Further options of the interface by key, see ovs-vswitchd.conf.db(5). Keys that are not listed are kept.
      - Open vSwitch misreads some invalid values without an error, such as C(dst_port=99999) as 34463. Therefore this module
        checks the values of these options of tunnels, here and in separate options -
        C(remote_ip), C(local_ip), C(key), C(in_key), C(out_key), C(dst_port), C(tos), C(ttl), C(csum), C(df_default),
        C(egress_pkt_mark), C(exts), C(packet_type) and those of ERSPAN.
      - A key whose value is V(null) is removed. An empty dictionary removes all keys without a separate option.
    type: dict
  interfaces:
    description:
      - Interfaces of a bond, which are existing links. Missing ones are added; others are kept unless O(purge_interfaces) is set.
    type: list
    elements: str
  purge_interfaces:
    description: Remove interfaces that are not listed in O(interfaces).
    type: bool
    default: false
  bond_mode:
    description: Mode of a bond. Empty for the default of OVS.
    type: str
    choices: ["", active-backup, balance-slb, balance-tcp]
  lacp:
    description: LACP mode of a bond. Empty for the default of OVS.
    type: str
    choices: ["", active, "off", passive]
  mac:
    description: MAC address of an internal port. Empty for an address chosen by OVS.
    type: str
  mtu_request:
    description: MTU that OVS sets on the interface. Empty for an MTU chosen by OVS.
    type: str
  ofport_request:
    description:
      - OpenFlow port number of the interface, V(1) to V(65279). Empty for any.
      - Another port that has the number gets a new one; if it requests the number as well, the task fails. The task waits until
        Open vSwitch has renumbered both.
      - When the number of an internal port changes, Open vSwitch creates its link again, in its own network namespace, down and
        without addresses. The task warns of that.
    type: str
  interface_external_ids:
    description:
      - The same as O(external_ids) for the interface. Hypervisors store C(iface-id) and C(attached-mac) here.
    type: dict
seealso:
  - module: virtnet.linux.ovs_bridge
  - module: virtnet.linux.link
  - name: ovs-vswitchd.conf.db(5)
    description: Most options set the column of the same name.
    link: https://www.openvswitch.org/support/dist-docs/ovs-vswitchd.conf.db.5.html
"""

EXAMPLES = r"""
- name: Add the tap of a virtual machine to VLAN 10
  virtnet.linux.ovs_port:
    bridge: br-int
    name: tap0
    tag: 10
    interface_external_ids:
      iface-id: 5c8e3b1e-vm0

- name: Create an internal port
  virtnet.linux.ovs_port:
    bridge: br-int
    name: mgmt0
    type: internal
    tag: 20

- name: Move its link to a namespace, and give it an address
  virtnet.linux.link:
    name: mgmt0
    netns: mgmt
    move_from: ""
    state: up
    addresses: [192.0.2.5/24]

- name: Connect two bridges
  virtnet.linux.ovs_port:
    bridge: "{{ item.bridge }}"
    name: "{{ item.name }}"
    type: patch
    peer: "{{ item.peer }}"
  loop:
    - {bridge: br-int, name: patch-ext, peer: patch-int}
    - {bridge: br-ext, name: patch-int, peer: patch-ext}

- name: Create a tunnel
  virtnet.linux.ovs_port:
    bridge: br-int
    name: vxlan-node2
    type: vxlan
    remote_ip: 198.51.100.2
    key: 5000

- name: Create a bond of two network cards with LACP
  virtnet.linux.ovs_port:
    bridge: br-ext
    name: bond0
    interfaces: [eth1, eth2]
    bond_mode: balance-tcp
    lacp: active

- name: Remove the VLAN of a port
  virtnet.linux.ovs_port:
    bridge: br-int
    name: tap0
    tag: ""

- name: Move a port to another bridge
  virtnet.linux.ovs_port:
    bridge: br-ext
    name: tap0
    move_from: br-int
"""

RETURN = r"""
ovs_port:
  description:
    - The port after the task, in the format of the options. In check mode, the expected port.
  returned: success
  type: dict
  sample:
    bridge: br-int
    name: mgmt0
    state: present
    type: internal
    tag: 20
    trunks: []
    vlan_mode: ""
    protected: false
    bond_mode: ""
    lacp: ""
    options: {}
    mac: ""
    mtu_request: ""
    ofport_request: ""
    external_ids: {}
    interface_external_ids: {}
    other_config: {}
commands:
  description: Equivalent command, which is one transaction.
  returned: success
  type: list
  elements: str
  sample:
    - ovs-vsctl add-port br-int mgmt0 -- set Port mgmt0 tag=20 -- set Interface mgmt0 type=internal
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.ovs_ports import run_port


def main() -> None:
    run_port()


if __name__ == "__main__":
    main()
