# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: count_addresses
author:
  - The virtnet.linux authors (@virtnet)
version_added: 0.1.0
short_description: The first addresses of a network
description:
  - Counts addresses for hosts from the beginning of a network, with its prefix length, as the options C(addresses) of this
    collection's modules take them.
  - The address of the network itself and the broadcast address are left out, but of networks that are too small to have them.
positional: _input, count
options:
  _input:
    description: The network, such as V(192.0.2.0/24).
    type: str
    required: true
  count:
    description: How many addresses there are to be.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Addresses for three namespaces
  ansible.builtin.debug:
    msg: "{{ '192.0.2.0/24' | virtnet.linux.count_addresses(3) }}"
    # ['192.0.2.1/24', '192.0.2.2/24', '192.0.2.3/24']
"""

RETURN = r"""
_value:
  description: The addresses with the prefix length of the network.
  type: list
  elements: str
"""

import ipaddress
import itertools
import typing as t

from ansible.errors import AnsibleFilterError


def count_addresses(network: str, count: int) -> t.List[str]:
    """The first addresses for hosts of a network, with its prefix length. Raises AnsibleFilterError with a sentence."""
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError as error:
        raise AnsibleFilterError("'%s' isn't a network such as 192.0.2.0/24: %s." % (network, error)) from error
    found = ["%s/%d" % (host, parsed.prefixlen) for host in itertools.islice(parsed.hosts(), int(count))]
    if len(found) < int(count):
        raise AnsibleFilterError(
            "The network %s is too small: it has %d addresses for hosts, and %d are needed."
            % (network, len(found), int(count))
        )
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        """Filters by name."""
        return {"count_addresses": count_addresses}
