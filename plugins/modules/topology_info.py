#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: topology_info
short_description: Describe the virtual network of a host
version_added: 0.1.0
description:
  - Describes all network namespaces, links, and bridges of Open vSwitch of a host in the format that M(virtnet.linux.topology)
    accepts.
  - Reads the namespace in which it runs, and all namespaces with names.
  - Returns sysctls of named namespaces that differ from those of a new namespace, which the module creates without a name for the
    comparison. These are C(conf.all) and C(conf.default) of IPv4 and IPv6, and all others of C(net.ipv4), C(net.ipv6),
    C(net.bridge) and C(net.mpls) except those of TCP, UDP, fragments and caches. If any differ, sysctls of links in that
    namespace that differ from C(conf.default) are returned as well.
  - The MTU and the MAC address of a link that Open vSwitch has created are those in its database - C(mac) of the bridge, and
    O(virtnet.linux.ovs_port#module:mtu_request) and O(virtnet.linux.ovs_port#module:mac) of the port, including the local port.
    A MAC address of another port that is not in the database is returned with the link, as is the MTU of a link that was moved
    to another namespace.
  - A port of a Linux bridge that M(virtnet.linux.topology) can't create is listed in C(ports) of the bridge, and the task warns.
    All other ports have the bridge as their C(master).
extends_documentation_fragment:
  - virtnet.linux._attributes.info
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.ovs
author:
  - The virtnet.linux authors (@virtnet)
options:
  namespaces:
    description:
      - Names of the namespaces to read in addition to the one in which the module runs. If omitted, all named namespaces.
    type: list
    elements: str
  database:
    description:
      - Database of Open vSwitch, as in M(virtnet.linux.ovs_bridge). It must exist if the option is set. If omitted, a host without
        Open vSwitch has no bridges.
    type: str
  timeout:
    description:
      - Time in seconds for Open vSwitch to answer.
    type: int
    default: 30
seealso:
  - module: virtnet.linux.topology
"""

EXAMPLES = r"""
- name: Read the network of a host
  virtnet.linux.topology_info:
  register: there

- name: Create the same network on another host
  virtnet.linux.topology:
    name: copy
    namespaces: "{{ there.namespaces }}"
    links: "{{ there.links }}"
    ovs_bridges: "{{ there.ovs_bridges }}"
  delegate_to: another.example.com
"""

RETURN = r"""
namespaces:
  description: Namespaces that were read.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: blue, state: present, loopback: true, sysctls: {net.ipv4.ip_forward: "1"}}
links:
  description: Links that M(virtnet.linux.topology) can create, and links of internal ports of Open vSwitch.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: tap0, kind: tuntap, state: up, mode: tap, mtu: 1500, addresses: [], routes: [], neighbors: []}
other_links:
  description: Hardware, and links of kinds that this collection does not create.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: eth0, kind: hardware, state: up, mtu: 1500, addresses: [192.0.2.7/24], routes: [], neighbors: []}
ovs_bridges:
  description: Bridges of Open vSwitch; an empty list if there are none.
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
