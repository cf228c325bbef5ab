#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: linux_bridge_port
short_description: Ports of the Linux kernel's bridges
version_added: 0.1.0
description:
  - Puts a link into a bridge or takes it out, and sets what a bridge keeps for each of its ports, VLANs included.
  - All options are changed in place. A link that leaves its bridge loses them, and what the bridge's forwarding and multicast
    tables have for it; an undo gives back the options, and not the tables.
  - To take a link out of whatever it is a port of, or to look after all ports of a bridge at once, see the O(ignore:master)
    of M(virtnet.linux.link) and the O(ignore:ports) of M(virtnet.linux.linux_bridge).
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
author:
  - The virtnet.linux authors (@virtnet)
options:
  bridge:
    description:
      - The name of the bridge.
    type: str
    required: true
  name:
    description:
      - The name of the link, which is in the namespace of the bridge.
    type: str
    required: true
  netns:
    description:
      - The network namespace of both, by name or by an absolute path such as C(/proc/4711/ns/net).
      - If omitted, the namespace in which the module runs.
    type: str
  state:
    description:
      - V(present) makes the link a port of O(bridge), and takes it from another bridge for that.
      - V(absent) takes it out of O(bridge). A port of another bridge is left alone.
    type: str
    choices: [present, absent]
    default: present
  cost:
    description:
      - What a path through this port costs in the spanning tree, V(1) to V(65535). If omitted, a new port gets a cost from
        the speed of the link.
    type: int
  priority:
    description:
      - The priority of the port in the spanning tree, V(0) to V(63).
    type: int
  hairpin:
    description:
      - Whether a frame may go out where it came in, as a parent of macvlans in mode C(vepa) needs it.
    type: bool
  isolated:
    description:
      - Whether the port is kept apart from other isolated ports.
    type: bool
  learning:
    description:
      - Whether the bridge learns MAC addresses here.
    type: bool
  unicast_flood:
    description:
      - Whether frames for MAC addresses that the bridge doesn't know go out here.
    type: bool
  mcast_flood:
    description:
      - Whether multicast that nobody is known to want goes out here.
    type: bool
  bcast_flood:
    description:
      - Whether broadcasts go out here.
    type: bool
  bpdu_guard:
    description:
      - Whether the port is switched off as soon as a packet of the spanning tree protocol comes in.
    type: bool
  root_block:
    description:
      - Whether the port may never lead to the root of the spanning tree.
    type: bool
  fast_leave:
    description:
      - Whether multicast stops as soon as somebody behind this port says that it isn't wanted any more.
    type: bool
  neigh_suppress:
    description:
      - Whether the bridge answers ARP and neighbour solicitations for those it knows instead of passing them on.
    type: bool
  proxy_arp:
    description:
      - Whether the bridge answers ARP for hosts behind other ports.
    type: bool
  proxy_arp_wifi:
    description:
      - The same as IEEE 802.11 and Hotspot 2.0 want it, also for hosts behind this port.
    type: bool
  mcast_router:
    description:
      - Whether a multicast router is behind this port. V(0) is never, V(1) leaves it to IGMP and MLD to find out, V(2) is
        always.
    type: int
  mcast_to_unicast:
    description:
      - Whether multicast goes out as unicast to each who wants it.
    type: bool
  group_fwd_mask:
    description:
      - Which frames to link-local groups (C(01:80:C2:00:00:0X)) are forwarded from this port, as a mask of the bits V(0) to
        V(15). The kernel refuses bit V(1), which stands for pause frames.
    type: int
  locked:
    description:
      - Whether only hosts get in whose MAC addresses somebody has put into the bridge's forwarding table for this port. It
        takes Linux 5.18.
    type: bool
  vlans:
    description:
      - The VLANs of the port. They are ensured; others stay.
      - They mean something while the bridge has O(ignore:vlan_filtering). They take Linux 5.7 with
        C(CONFIG_BRIDGE_VLAN_FILTERING), which the kernel of every distribution has.
    type: list
    elements: dict
    suboptions:
      vid:
        description:
          - The id of a VLAN, V(1) to V(4094), or a range of these such as V(10-20).
        type: str
        required: true
      pvid:
        description:
          - Whether untagged packets that come in belong to this VLAN. There is one such VLAN at most; it takes that from
            the one that was it.
        type: bool
      untagged:
        description:
          - Whether packets go out without a tag.
        type: bool
  purge_vlans:
    description:
      - Whether to remove the VLANs that are not in O(vlans).
    type: bool
    default: false
seealso:
  - module: virtnet.linux.linux_bridge
  - module: virtnet.linux.link
"""

EXAMPLES = r"""
- name: A port that reflects frames, for macvlans in mode vepa behind it
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: eth1
    hairpin: true

- name: Virtual machines that reach the way out, and not each other
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: "{{ item }}"
    isolated: true
  loop: [tap0, tap1]

- name: A port for untagged packets of VLAN 10, and nothing else
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: tap0
    vlans:
      - {vid: 10, pvid: true, untagged: true}
    purge_vlans: true

- name: A trunk
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: eth1
    vlans:
      - {vid: 10-20}

- name: Out of the bridge
  virtnet.linux.linux_bridge_port:
    bridge: br0
    name: tap0
    state: absent
"""

RETURN = r"""
linux_bridge_port:
  description:
    - The port as it now stands, in the words of the options, so that it can be given to the module again.
      In check mode, as it would stand, without what can't be foretold (the cost that the kernel will choose).
    - V(ignore:vlans) is left out where the kernel has none.
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
  description: What an administrator would have typed to do the same, in that order.
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
