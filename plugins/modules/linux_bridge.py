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
  - Makes, changes and deletes the kernel's own bridges, and puts ports into them.
  - Times are in seconds, and exact to a fiftieth of a second.
  - All options are changed in place. Where a bridge is deleted, its ports are released first and are otherwise left
    as they are.
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
      - The kind of the link. A returned document has it; it needn't be given.
    type: str
    choices: [linux_bridge]
  ports:
    description:
      - The names of links in the bridge's namespace that are to be its ports. They are ensured; others stay.
      - A link that is a port of another bridge is taken from there.
      - A bridge takes at most 1,023 ports.
    type: list
    elements: str
  purge_ports:
    description:
      - Whether to take the ports that are not in O(ports) out of the bridge.
    type: bool
    default: false
  ports_promisc:
    description:
      - Whether the ports have their own switch for promiscuous mode on. The bridge itself doesn't need that.
      - Given with either value, a port that leaves (by O(purge_ports) or O(state=absent)) has it switched off. If omitted,
        nobody touches it.
      - Returned where there are ports, and all of them agree.
    type: bool
  stp:
    description:
      - Whether the spanning tree protocol runs on it.
    type: bool
  priority:
    description:
      - The priority of the bridge in the spanning tree, V(0) to V(65535).
    type: int
  forward_delay:
    description:
      - The forwarding delay in seconds, V(2) to V(30) while O(stp) is on.
    type: float
  hello_time:
    description:
      - The time between two hello packets in seconds, V(1) to V(10).
    type: float
  max_age:
    description:
      - How long the last hello packet of the root bridge counts, in seconds, V(6) to V(40).
    type: float
  ageing_time:
    description:
      - How long a MAC address is remembered, in seconds.
    type: float
  group_fwd_mask:
    description:
      - Which frames to link-local groups (C(01:80:C2:00:00:0X)) are forwarded, as a mask of the bits V(0) to V(15).
        The kernel refuses the lowest three.
    type: int
  mcast_snooping:
    description:
      - Whether multicast goes only where IGMP and MLD say that it is wanted.
    type: bool
  mcast_querier:
    description:
      - Whether the bridge asks who wants multicast when nobody else does.
    type: bool
  nf_call_iptables:
    description:
      - Whether bridged IPv4 packets pass through iptables.
    type: bool
  nf_call_ip6tables:
    description:
      - Whether bridged IPv6 packets pass through ip6tables.
    type: bool
  nf_call_arptables:
    description:
      - Whether bridged ARP packets pass through arptables.
    type: bool
  vlan_filtering:
    description:
      - Whether the bridge looks at VLAN tags.
      - This and the other options for VLANs require a kernel with C(CONFIG_BRIDGE_VLAN_FILTERING), as all distributions
        have. On another one they are refused, in check mode as well.
    type: bool
  vlan_default_pvid:
    description:
      - The VLAN of untagged packets at ports that are added from now on, V(0) for none. Ports that have the old one for that
        get the new one, and where there was none, all ports do.
      - The kernel changes it only while O(vlan_filtering) is off, which it is for a moment then.
    type: int
  vlan_protocol:
    description:
      - The protocol of the tags.
    type: str
    choices: [802.1q, 802.1ad]
  vlan_stats_per_port:
    description:
      - Whether packets are counted for each VLAN of each port. The kernel changes it only while no port has a VLAN.
    type: bool
seealso:
  - module: virtnet.linux.veth
  - module: virtnet.linux.link
"""

EXAMPLES = r"""
- name: A bridge
  virtnet.linux.linux_bridge:
    name: br0
    state: up

- name: A bridge for virtual machines, with exactly these ports
  virtnet.linux.linux_bridge:
    name: br-vm
    state: up
    addresses: [192.0.2.1/24]
    ports: [tap0, tap1]
    purge_ports: true
    mcast_snooping: false
    ageing_time: 300

- name: Take part in the spanning tree
  virtnet.linux.linux_bridge:
    name: br0
    stp: true
    priority: 4096
    forward_delay: 4

- name: Delete it, with its ports out of it and out of promiscuous mode before
  virtnet.linux.linux_bridge:
    name: br0
    state: absent
    ports_promisc: false

- name: Delete it; what were its ports stay
  virtnet.linux.linux_bridge:
    name: br0
    state: absent
"""

RETURN = r"""
link:
  description:
    - The link as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand, without what can't be foretold (a MAC address that the kernel will choose).
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
  description: What an administrator would have typed to do the same, in that order.
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
