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
      - The database of Open vSwitch, as in M(virtnet.linux.ovs_bridge).
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
    - {name: blue, state: present, loopback: true}
links:
  description: The links that M(virtnet.linux.topology) can make, and those of internal ports of Open vSwitch.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: tap0, kind: tuntap, state: up, mode: tap, mtu: 1500, addresses: [], routes: []}
other_links:
  description: Hardware, and links of kinds that this collection doesn't make.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: eth0, kind: hardware, state: up, mtu: 1500, addresses: [192.0.2.7/24], routes: []}
ovs_bridges:
  description: The bridges of Open vSwitch; an empty list where there is none.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: br-int, state: present, datapath_type: system, ports: [{name: tap0, type: system, tag: 10}]}
"""

from ansible_collections.virtnet.linux.plugins.module_utils._module_topology import run_info


def main() -> None:
    run_info()


if __name__ == "__main__":
    main()
