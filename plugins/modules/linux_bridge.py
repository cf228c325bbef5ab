#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_bridge
short_description: Bridges of the Linux kernel
version_added: 0.1.0
description:
  - Creates, changes and deletes bridges of the Linux kernel, and adds ports to them.
  - Times are in seconds, with a resolution of 0.02 seconds.
  - All options are changed in place. The ports of a deleted bridge are removed from it first and otherwise kept
    unchanged.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
  - virtnet.linux._link
author:
  - The virtnet.linux authors (@virtnet)
options:
  kind:
    description:
      - Kind of the link. Returned documents contain it; it can be omitted.
    type: str
    choices: [linux_bridge]
  ports:
    description:
      - Names of links in the same namespace that are ports of the bridge. Missing ones are added; others are kept.
      - A port of another bridge is removed from that bridge.
      - A bridge has at most 1,023 ports.
    type: list
    elements: str
  purge_ports:
    description:
      - Remove ports that are not listed in O(ports) from the bridge.
    type: bool
    default: false
  ports_promisc:
    description:
      - Enable promiscuous mode on all ports (O(virtnet.linux.link#module:promisc)). The bridge does not require it.
      - With either value, it is disabled on ports that leave the bridge (O(purge_ports) or O(state=absent)). If omitted, it is
        left unchanged.
      - Returned if all ports have the same value.
    type: bool
  stp:
    description:
      - Enable the spanning tree protocol.
    type: bool
  priority:
    description:
      - Priority of the bridge in the spanning tree, V(0) to V(65535).
    type: int
  forward_delay:
    description:
      - Forwarding delay in seconds, V(2) to V(30) while O(stp) is on.
    type: float
  hello_time:
    description:
      - Interval of hello packets in seconds, V(1) to V(10).
    type: float
  max_age:
    description:
      - Time after which the last hello packet of the root bridge expires, in seconds, V(6) to V(40).
    type: float
  ageing_time:
    description:
      - Time after which a learned MAC address expires, in seconds.
    type: float
  group_fwd_mask:
    description:
      - Link-local groups (C(01:80:C2:00:00:0X)) whose frames are forwarded, as a mask of the bits V(0) to V(15).
        The kernel refuses the lowest three bits.
    type: int
  mcast_snooping:
    description:
      - Forward multicast packets only to ports with listeners, which are detected by IGMP and MLD.
    type: bool
  mcast_querier:
    description:
      - Send IGMP and MLD queries if there is no other querier.
    type: bool
  nf_call_iptables:
    description:
      - Pass bridged IPv4 packets to iptables.
    type: bool
  nf_call_ip6tables:
    description:
      - Pass bridged IPv6 packets to ip6tables.
    type: bool
  nf_call_arptables:
    description:
      - Pass bridged ARP packets to arptables.
    type: bool
  vlan_filtering:
    description:
      - Enable VLAN filtering.
      - This and the other options for VLANs require a kernel with C(CONFIG_BRIDGE_VLAN_FILTERING), as in all
        distributions. Other kernels refuse them, which check mode reports as well.
    type: bool
  vlan_default_pvid:
    description:
      - PVID of new ports, V(0) for none. Ports that use the old PVID switch to the new one; if there was none, all ports get
        the new one.
      - The kernel changes it only while O(vlan_filtering) is off, so the task disables that for a moment.
    type: int
  vlan_protocol:
    description:
      - Protocol of the VLAN tags.
    type: str
    choices: [802.1q, 802.1ad]
  vlan_stats_per_port:
    description:
      - Count packets for each VLAN of each port. The kernel changes it only while no port has a VLAN.
    type: bool
seealso:
  - module: virtnet.linux.veth
  - module: virtnet.linux.link
"""

EXAMPLES = r"""
- name: Create a bridge
  virtnet.linux.linux_bridge:
    name: br0
    state: up

- name: Create a bridge for virtual machines with exactly these ports
  virtnet.linux.linux_bridge:
    name: br-vm
    state: up
    addresses: [192.0.2.1/24]
    ports: [tap0, tap1]
    purge_ports: true
    mcast_snooping: false
    ageing_time: 300

- name: Enable the spanning tree protocol
  virtnet.linux.linux_bridge:
    name: br0
    stp: true
    priority: 4096
    forward_delay: 4

- name: Delete the bridge, and disable promiscuous mode on its ports
  virtnet.linux.linux_bridge:
    name: br0
    state: absent
    ports_promisc: false

- name: Delete the bridge but not its ports
  virtnet.linux.linux_bridge:
    name: br0
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
    name: br0
    kind: linux_bridge
    state: up
    master: ""
    mtu: 1500
    txqueuelen: 1000
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    stp: false
    priority: 32768
    forward_delay: 15
    hello_time: 2
    max_age: 20
    ageing_time: 300
    group_fwd_mask: 0
    mcast_snooping: true
    mcast_querier: false
    addresses: [192.0.2.1/24]
    routes: []
    neighbors: []
    ports: [tap0, tap1]
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add name br0 type bridge
    - ip link set dev br0 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import linux_bridge
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(linux_bridge.KIND)


if __name__ == "__main__":
    main()
