#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: veth
short_description: Pairs of virtual Ethernet devices
version_added: 0.1.0
description:
  - Creates, changes, moves and deletes veth pairs. Each end has its own namespace, master, addresses and routes.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
  - virtnet.linux._attributes.links
  - virtnet.linux._link
  - virtnet.linux._link.movable
  - virtnet.linux._link.peer
author:
  - The virtnet.linux authors (@virtnet)
options:
  kind:
    description:
      - Kind of the link. Returned documents contain it; it can be omitted.
    type: str
    choices: [veth]
seealso:
  - module: virtnet.linux.netns
  - module: virtnet.linux.linux_bridge
"""

EXAMPLES = r"""
- name: Connect two namespaces
  virtnet.linux.veth:
    name: veth0
    netns: blue
    state: up
    addresses: [192.0.2.1/24]
    peer:
      name: veth1
      netns: green
      state: up
      addresses: [192.0.2.2/24]

- name: Connect a namespace to a bridge, with a default route
  virtnet.linux.veth:
    name: eth0
    netns: blue
    state: up
    addresses: [192.0.2.10/24]
    routes:
      - to: default
        via: 192.0.2.1
    peer:
      name: blue-port
      master: br0
      state: up

- name: Add a second interface to a container
  virtnet.linux.veth:
    name: data0
    netns: "/proc/{{ container_pid }}/ns/net"
    state: up
    peer:
      name: app-data0
      master: br-data
      state: up

- name: Delete a pair by either of its ends
  virtnet.linux.veth:
    name: blue-port
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
    name: veth0
    kind: veth
    netns: blue
    state: up
    master: ""
    mtu: 1500
    txqueuelen: 1000
    mac: 3a:1f:c4:0e:52:9b
    alias: ""
    promisc: false
    addresses: [192.0.2.1/24]
    routes: []
    neighbors: []
    peer:
      name: veth1
      netns: green
      state: up
      master: ""
      mtu: 1500
      txqueuelen: 1000
      mac: 6e:90:17:d3:08:41
      alias: ""
      promisc: false
      addresses: [192.0.2.2/24]
      routes: []
      neighbors: []
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip -n blue link add name veth0 type veth peer name veth1 netns green
    - ip -n blue address add 192.0.2.1/24 dev veth0
    - ip -n green address add 192.0.2.2/24 dev veth1
    - ip -n blue link set dev veth0 up
    - ip -n green link set dev veth1 up
"""

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import veth
from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_link


def main() -> None:
    run_link(veth.KIND)


if __name__ == "__main__":
    main()
