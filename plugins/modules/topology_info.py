#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topology_info
short_description: What virtual network a host has
version_added: 0.1.0
description:
  - Tells all network namespaces, links, and bridges of Open vSwitch, in the words of M(virtnet.linux.topology), to which
    they can be given.
  - It looks at the namespace that it runs in, and at others that have a name.
  - The sysctls of these others are told as far as they differ from those of a new namespace, for which the module makes one
    that has no name. These are C(conf.all) and C(conf.default) of IPv4 and IPv6, and what else C(net.ipv4), C(net.ipv6),
    C(net.bridge) and C(net.mpls) have apart from TCP, UDP, fragments and caches. Where there are any, those of the links in
    that namespace are told as well that differ from C(conf.default).
  - The MTU and the MAC address of a link that Open vSwitch makes are told as its database has them. They are C(mac) of the bridge,
    and O(virtnet.linux.ovs_port#module:mtu_request) and O(virtnet.linux.ovs_port#module:mac) of its port, be it the bridge's
    own one. A MAC address of another port than that, which is not in the database, is told with the link. So is the MTU of a
    link that was moved into another namespace.
  - A port of a Linux bridge that M(virtnet.linux.topology) can't make is in C(ports) of the bridge, and the task warns. All
    other ports have the bridge as their C(master).
extends_documentation_fragment:
  - virtnet.linux._attributes.info
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  namespaces:
    description:
      - The names of the namespaces to look at, besides the one that the module runs in. Without it, all that have a name.
    type: list
    elements: str
  database:
    description:
      - The database of Open vSwitch, as in M(virtnet.linux.ovs_bridge). If it is given, it must be there. Without it, a host
        without Open vSwitch has no bridges.
    type: str
  timeout:
    description:
      - The seconds in which Open vSwitch has to answer.
    type: int
    default: 30
seealso:
  - module: virtnet.linux.topology
"""

EXAMPLES = r"""
- name: Look
  virtnet.linux.topology_info:
  register: there

- name: Make the same elsewhere
  virtnet.linux.topology:
    name: copy
    namespaces: "{{ there.namespaces }}"
    links: "{{ there.links }}"
    ovs_bridges: "{{ there.ovs_bridges }}"
  delegate_to: another.example.com
"""

RETURN = r"""
namespaces:
  description: The namespaces that were looked at.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: blue, state: present, loopback: true, sysctls: {net.ipv4.ip_forward: "1"}}
links:
  description: The links that M(virtnet.linux.topology) can make, and those of internal ports of Open vSwitch.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: tap0, kind: tuntap, state: up, mode: tap, mtu: 1500, addresses: [], routes: [], neighbors: []}
other_links:
  description: Hardware, and links of kinds that this collection doesn't make.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: eth0, kind: hardware, state: up, mtu: 1500, addresses: [192.0.2.7/24], routes: [], neighbors: []}
ovs_bridges:
  description: The bridges of Open vSwitch; an empty list where there is none.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: br-int, state: present, datapath_type: system, ports: [{name: tap0, type: system, tag: 10}]}
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.topology import run_info


def main() -> None:
    run_info()


if __name__ == "__main__":
    main()
