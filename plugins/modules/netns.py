#!/usr/bin/python
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netns
short_description: Network namespaces
version_added: 0.1.0
description:
  - Creates, configures and deletes named network namespaces, as C(ip netns) does.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
author:
  - The virtnet.linux authors (@virtnet)
options:
  name:
    description:
      - Name of the namespace, which is a file name in C(/run/netns).
    type: str
    required: true
  state:
    description:
      - V(present) creates a missing namespace.
      - V(absent) removes its name. As with C(ip netns delete), the namespace itself exists as long as processes use it.
    type: str
    choices: [present, absent]
    default: present
  loopback:
    description:
      - Set the link C(lo) in the namespace up.
    type: bool
    default: true
  sysctls:
    description:
      - Sysctls to set inside the namespace, such as V(net.ipv4.ip_forward). Others are left unchanged.
      - Only sysctls below C(net) belong to a network namespace.
      - Numbers can be decimal, hexadecimal or octal. A value that the kernel rounds is an error.
      - M(virtnet.linux.topology) sets those that do not belong to a link before it creates links, so that new links
        inherit settings such as V(net.ipv6.conf.default.disable_ipv6).
    type: dict
seealso:
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: Create a namespace
  virtnet.linux.netns:
    name: blue

- name: Create a router between networks
  virtnet.linux.netns:
    name: router
    sysctls:
      net.ipv4.ip_forward: 1
      net.ipv6.conf.all.forwarding: 1

- name: Delete a namespace with all virtual links in it
  virtnet.linux.netns:
    name: blue
    state: absent
"""

RETURN = r"""
netns:
  description:
    - The namespace after the task, in the format of the options. In check mode, the expected namespace.
  returned: success
  type: dict
  sample:
    name: router
    state: present
    loopback: true
    sysctls:
      net.ipv4.ip_forward: "1"
commands:
  description: Equivalent commands, in order.
  returned: success
  type: list
  elements: str
  sample:
    - ip netns add router
    - ip -n router link set dev lo up
    - ip netns exec router sysctl -q -w net.ipv4.ip_forward=1
"""

from ansible_collections.virtnet.linux.plugins.module_utils._modules.links import run_netns


def main() -> None:
    run_netns()


if __name__ == "__main__":
    main()
