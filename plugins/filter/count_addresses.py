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
  - Counts addresses for hosts from the beginning of a network. Each has the prefix length of the network, as the options
    C(addresses) of this collection's modules require.
  - The address of the network itself and the broadcast address are left out, except in networks that are too small to have them.
positional: _input, count
options:
  _input:
    description: The network, such as V(192.0.2.0/24).
    type: str
    required: true
  count:
    description: Number of addresses, at most 65,536.
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

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.plugin_utils import _readers as readers

COUNT_MAX = 65536


def count_addresses(network: t.Any, count: t.Any) -> t.List[str]:
    """The first addresses for hosts of a network, with its prefix length. Raises AnsibleFilterError with a sentence."""
    try:
        wanted = readers.number(0, COUNT_MAX)(count, "the count of count_addresses")
        return readers.count(readers.network(network, "the network of count_addresses"), wanted)
    except BadInput as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        """Filters by name."""
        return {"count_addresses": count_addresses}
