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
  - Makes, configures and removes ports of bridges of Open vSwitch - links that are there already, internal ports, patch ports,
    tunnels and bonds - in one transaction, and in place.
  - What is left out is left alone. An empty text, list or dictionary is a value, and clears.
  - A port that OVS can't set up (there is no such link, a tunnel's options make no sense) is an error, with the words of OVS,
    and is taken out again.
  - The link of an internal port gets addresses, state and namespace from M(virtnet.linux.link).
  - When the link of an internal port has gone with its network namespace, a task for the port or its bridge makes it again, with
    C(ovs-appctl dpctl/del-if) and a reconfiguration of ovs-vswitchd. That requires a database on the same host.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  bridge:
    description:
      - The bridge that the port is on. In a fake bridge, which is a VLAN of its parent, the port has the tag of that.
      - A port of a fake bridge is on its parent, too. The way into the fake bridge needs O(move_from) with the parent's name.
    type: str
    required: true
  name:
    description:
      - The name of the port. That of a link has at most 15 bytes; patch ports, tunnels and bonds may have longer ones.
    type: str
    required: true
  state:
    description:
      - V(absent) removes the port, if it is on O(bridge).
    type: str
    choices: [present, absent]
    default: present
  move_from:
    description:
      - The bridge from which the port may be taken if it is there and not on O(bridge). It stays the same port, with all that it
        has.
      - Without it, a port that is on another bridge is an error.
    type: str
  type:
    description:
      - V(system) is a link that is there already, such as a network card, a tap or the end of a veth pair. V(internal) is a
        link that OVS makes. V(patch) leads to the patch port O(peer) of another bridge. V(gre), V(vxlan), V(geneve) and the
        like are tunnels to O(remote_ip).
      - A new port is V(system) if nothing is given.
    type: str
  tag:
    description:
      - The VLAN of an access port, V(0) to V(4095). Empty for none.
    type: str
  trunks:
    description:
      - The VLANs that a trunk port carries, such as V(10) and V(20-29). Others that it has stay, unless O(purge_trunks) is set.
        With an empty list it carries all.
    type: list
    elements: str
  purge_trunks:
    description: Whether it is to carry no other VLANs than those in O(trunks).
    type: bool
    default: false
  vlan_mode:
    description:
      - What happens to tags. Empty for what OVS makes of O(tag) and O(trunks).
    type: str
    choices: ["", access, dot1q-tunnel, native-tagged, native-untagged, trunk]
  protected:
    description:
      - Whether the port is kept apart from other protected ports. Where tunnels lead from each host to each other one, this
        keeps what came in by one tunnel from going out by the next one, round and round.
    type: bool
  peer:
    description: The patch port at the other end.
    type: str
  remote_ip:
    description: The unicast address that a tunnel leads to, IPv4 or IPv6, or V(flow).
    type: str
  local_ip:
    description: The address of a tunnel at this end, of the same family as O(remote_ip), or V(flow). Empty for any.
    type: str
  key:
    description:
      - The key of a tunnel (the VNI of VXLAN and Geneve), a number or V(flow). Empty for none.
      - A number has at most 24 bits for VXLAN, Geneve and LISP, 32 bits for GRE and GTP-U, 10 bits for ERSPAN and 64 bits for STT.
    type: str
  dst_port:
    description: The UDP port of a tunnel, V(1) to V(65535). Empty for the usual one.
    type: str
  options:
    description:
      - Further options of the interface, by key, as ovs-vswitchd.conf.db(5) has them. Those that aren't named here stay.
      - Open vSwitch reads some wrong values as other ones without an error, such as C(dst_port=99999) as 34463. So the options of
        tunnels are checked for the values that Open vSwitch understands, be they given here or by an option of their own. That holds
        for C(remote_ip), C(local_ip), C(key), C(in_key), C(out_key), C(dst_port), C(tos), C(ttl), C(csum), C(df_default),
        C(egress_pkt_mark), C(exts), C(packet_type) and those of ERSPAN.
      - A key whose value is V(null) is removed. An empty dictionary removes all that have no option of their own here.
    type: dict
  interfaces:
    description:
      - Makes the port a bond of these interfaces, which are links that are there already. Others that it has stay, unless
        O(purge_interfaces) is set.
    type: list
    elements: str
  purge_interfaces:
    description: Whether the bond is to have no other interfaces than those in O(interfaces).
    type: bool
    default: false
  bond_mode:
    description: How a bond spreads its load. Empty for what OVS does by itself.
    type: str
    choices: ["", active-backup, balance-slb, balance-tcp]
  lacp:
    description: How a bond speaks LACP. Empty for what OVS does by itself.
    type: str
    choices: ["", active, "off", passive]
  mac:
    description: The MAC address of an internal port. Empty for one that OVS chooses.
    type: str
  mtu_request:
    description: The MTU that OVS is to give the interface. Empty for the one that it chooses.
    type: str
  ofport_request:
    description:
      - The OpenFlow port number of the interface, V(1) to V(65279). Empty for any.
      - Another port that has the number gets a new one, unless it requests the number, too, which is an error. The task waits until
        Open vSwitch has renumbered both.
      - With another number Open vSwitch makes the link of an internal port anew, in its own network namespace, down and without
        addresses. A task warns of it.
    type: str
  interface_external_ids:
    description:
      - As O(external_ids), of the interface. What runs VMs reads C(iface-id) and C(attached-mac) there.
    type: dict
seealso:
  - module: virtnet.linux.ovs_bridge
  - module: virtnet.linux.link
  - name: ovs-vswitchd.conf.db(5)
    description: The columns that most options are.
    link: https://www.openvswitch.org/support/dist-docs/ovs-vswitchd.conf.db.5.html
"""

EXAMPLES = r"""
- name: The tap of a virtual machine, in VLAN 10
  virtnet.linux.ovs_port:
    bridge: br-int
    name: tap0
    tag: 10
    interface_external_ids:
      iface-id: 5c8e3b1e-vm0

- name: An internal port
  virtnet.linux.ovs_port:
    bridge: br-int
    name: mgmt0
    type: internal
    tag: 20

- name: Its link, in a namespace and with an address
  virtnet.linux.link:
    name: mgmt0
    netns: mgmt
    move_from: ""
    state: up
    addresses: [192.0.2.5/24]

- name: A cable between two bridges
  virtnet.linux.ovs_port:
    bridge: "{{ item.bridge }}"
    name: "{{ item.name }}"
    type: patch
    peer: "{{ item.peer }}"
  loop:
    - {bridge: br-int, name: patch-ext, peer: patch-int}
    - {bridge: br-ext, name: patch-int, peer: patch-ext}

- name: A tunnel
  virtnet.linux.ovs_port:
    bridge: br-int
    name: vxlan-node2
    type: vxlan
    remote_ip: 198.51.100.2
    key: 5000

- name: A bond of two network cards with LACP
  virtnet.linux.ovs_port:
    bridge: br-ext
    name: bond0
    interfaces: [eth1, eth2]
    bond_mode: balance-tcp
    lacp: active

- name: No VLAN any more
  virtnet.linux.ovs_port:
    bridge: br-int
    name: tap0
    tag: ""

- name: Take a port from one bridge to another
  virtnet.linux.ovs_port:
    bridge: br-ext
    name: tap0
    move_from: br-int
"""

RETURN = r"""
ovs_port:
  description:
    - The port as it now stands, in the words of the options. In check mode, as it would stand.
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
  description: What an administrator would have typed to do the same; it is one transaction.
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
