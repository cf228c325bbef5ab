#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_bridge_port
short_description: Ports of bridges of the Linux kernel
version_added: 0.1.0
description:
  - Adds a link to a bridge or removes it, and sets the options and VLANs of the port.
  - All options are changed in place. A link that leaves its bridge loses them, and its entries in the forwarding and
    multicast tables of the bridge; a rollback restores the options, not the tables.
  - To remove a link from any bridge, or to manage all ports of a bridge in one task, see O(virtnet.linux.link#module:master)
    and O(virtnet.linux.linux_bridge#module:ports).
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
author:
  - The virtnet.linux authors (@virtnet)
options:
  bridge:
    description:
      - Name of the bridge.
    type: str
    required: true
  name:
    description:
      - Name of the link, in the namespace of the bridge.
    type: str
    required: true
  netns:
    description:
      - Network namespace of both, by name or by an absolute path such as C(/proc/4711/ns/net).
      - If omitted, the namespace in which the module runs.
    type: str
  state:
    description:
      - V(present) makes the link a port of O(bridge), and removes it from another bridge if necessary.
      - V(absent) removes it from O(bridge). A port of another bridge is left unchanged.
    type: str
    choices: [present, absent]
    default: present
  cost:
    description:
      - Path cost in the spanning tree, V(1) to V(65535). The kernel derives the cost of a new port from the speed of the
        link.
    type: int
  priority:
    description:
      - Priority of the port in the spanning tree, V(0) to V(63).
    type: int
  hairpin:
    description:
      - Send frames back through the port on which they were received, as parents of macvlans in mode C(vepa) require.
    type: bool
  isolated:
    description:
      - Do not forward packets between this port and other isolated ports.
    type: bool
  learning:
    description:
      - Learn MAC addresses on this port.
    type: bool
  unicast_flood:
    description:
      - Flood unicast packets with unknown destinations to this port.
    type: bool
  mcast_flood:
    description:
      - Flood multicast packets without known listeners to this port.
    type: bool
  bcast_flood:
    description:
      - Flood broadcast packets to this port.
    type: bool
  bpdu_guard:
    description:
      - Disable the port when it receives a packet of the spanning tree protocol.
    type: bool
  root_block:
    description:
      - Prevent this port from becoming the root port of the spanning tree.
    type: bool
  fast_leave:
    description:
      - Stop forwarding multicast packets as soon as a listener behind this port leaves the group.
    type: bool
  neigh_suppress:
    description:
      - Answer ARP requests and neighbor solicitations for known neighbors instead of forwarding them to this port.
    type: bool
  proxy_arp:
    description:
      - Answer ARP requests for hosts behind other ports.
    type: bool
  proxy_arp_wifi:
    description:
      - The same as required by IEEE 802.11 and Hotspot 2.0, also for hosts behind this port.
    type: bool
  mcast_router:
    description:
      - Whether a multicast router is behind this port. V(0) is never, V(1) detects routers by IGMP and MLD, V(2) is always.
    type: int
  mcast_to_unicast:
    description:
      - Send multicast packets as unicast packets to each listener.
    type: bool
  group_fwd_mask:
    description:
      - Link-local groups (C(01:80:C2:00:00:0X)) whose frames are forwarded from this port, as a mask of the bits V(0) to
        V(15). The kernel refuses bit V(1), pause frames.
    type: int
  locked:
    description:
      - Accept packets only from MAC addresses that have an entry for this port in the forwarding table. Requires Linux 5.18.
    type: bool
  vlans:
    description:
      - VLANs of the port. Missing ones are added; others are kept.
      - They are in effect while O(virtnet.linux.linux_bridge#module:vlan_filtering) is on. Requires Linux 5.7 with
        C(CONFIG_BRIDGE_VLAN_FILTERING), as in all distributions.
    type: list
    elements: dict
    suboptions:
      vid:
        description:
          - VLAN id, V(1) to V(4094), or a range such as V(10-20).
        type: str
        required: true
      pvid:
        description:
          - Assign received untagged packets to this VLAN. A port has at most one PVID; a new one replaces the old one.
        type: bool
      untagged:
        description:
          - Send packets of this VLAN without a tag.
        type: bool
  purge_vlans:
    description:
      - Remove VLANs that are not listed in O(vlans).
    type: bool
    default: false
seealso:
  - module: virtnet.linux.linux_bridge
  - module: virtnet.linux.link
"""

EXAMPLES = r"""
- name: Enable hairpin mode for macvlans in mode vepa
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: eth1
    hairpin: true

- name: Isolate virtual machines from each other
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: "{{ item }}"
    isolated: true
  loop: [tap0, tap1]

- name: Make an access port of VLAN 10
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: tap0
    vlans:
      - {vid: 10, pvid: true, untagged: true}
    purge_vlans: true

- name: Make a trunk port
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: eth1
    vlans:
      - {vid: 10-20}

- name: Remove a port from the bridge
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: tap0
    state: absent
"""

RETURN = r"""
linux_bridge_port:
  description:
    - The port after the task, in the format of the options, so that it can be passed to the module again.
      In check mode, the expected port, without values that can't be predicted (such as a cost chosen by the kernel).
    - V(ignore:vlans) is omitted if the kernel has no VLANs in bridges.
  returned: success
  type: dict
  sample:
    bridge: br0
    name: tap0
    state: present
    cost: 2
    priority: 32
    hairpin: false
    isolated: true
    learning: true
    unicast_flood: true
    mcast_flood: true
    bcast_flood: true
    bpdu_guard: false
    root_block: false
    fast_leave: false
    neigh_suppress: false
    proxy_arp: false
    proxy_arp_wifi: false
    mcast_router: 1
    mcast_to_unicast: false
    group_fwd_mask: 0
    locked: false
    vlans:
      - {vid: 10, pvid: true, untagged: true}
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip link set dev tap0 master br0
    - ip link set dev tap0 type bridge_slave isolated on
    - bridge vlan add dev tap0 vid 10 pvid untagged
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_port


def main() -> None:
    run_port()


if __name__ == "__main__":
    main()
