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
  - Makes, configures and removes named network namespaces, as C(ip netns) does.
extends_documentation_fragment:
  - virtnet.linux._attributes
  - virtnet.linux._attributes.netlink
author:
  - The virtnet.linux authors (@virtnet)
options:
  name:
    description:
      - The name of the namespace, which is that of a file in C(/run/netns).
    type: str
    required: true
  state:
    description:
      - V(present) makes the namespace if it isn't there.
      - V(absent) removes its name. As with C(ip netns delete), the namespace itself lives on for as long as a process
        is in it.
    type: str
    choices: [present, absent]
    default: present
  loopback:
    description:
      - Whether the link C(lo) in the namespace is up.
    type: bool
    default: true
  sysctls:
    description:
      - Settings of the network stack to make inside the namespace, such as V(net.ipv4.ip_forward). The others stay.
      - Only what is below C(net) belongs to a network namespace.
      - Numbers may be decimal, hexadecimal or octal, as the kernel reads them. A value that the kernel rounds is an error.
      - In M(virtnet.linux.topology), those that don't belong to a link are set before links are made, so that new links
        have what V(net.ipv6.conf.default.disable_ipv6) and the like say.
    type: dict
seealso:
  - module: virtnet.linux.veth
"""

EXAMPLES = r"""
- name: A namespace in which loopback works
  virtnet.linux.netns:
    name: blue

- name: A router between networks
  virtnet.linux.netns:
    name: router
    sysctls:
      net.ipv4.ip_forward: 1
      net.ipv6.conf.all.forwarding: 1

- name: Remove it, with all the virtual links that are in it
  virtnet.linux.netns:
    name: blue
    state: absent
"""

RETURN = r"""
netns:
  description:
    - The namespace as it now stands, in the words of the options. In check mode, as it would stand.
  returned: success
  type: dict
  sample:
    name: router
    state: present
    loopback: true
    sysctls:
      net.ipv4.ip_forward: "1"
commands:
  description: What an administrator would have typed to do the same, in that order.
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
