# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vlan_ranges
author:
  - The virtnet.linux authors (@virtnet)
version_added: 0.1.0
short_description: VLANs as few ranges
description:
  - Returns VLANs, given as ids and ranges of ids, in order and as few ranges as possible.
  - A VLAN that is named twice is an error, because one of the two is a mistake, unless O(merge) is set.
positional: _input
options:
  _input:
    description: Ids from V(1) to V(4094) and ranges such as V(10-20).
    type: list
    elements: str
    required: true
  merge:
    description: Allow ranges to overlap.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: The VLANs that a trunk has to carry for these
  ansible.builtin.debug:
    msg: "{{ [10, 11, '12-14', 30, 10] | virtnet.linux.vlan_ranges(merge=true) }}"
    # ['10-14', '30']
"""

RETURN = r"""
_value:
  description: The ranges, and ids that stand alone.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.plugin_utils import _readers as readers


def vlan_ranges(ranges: t.Any, merge: t.Any = False) -> t.List[str]:
    """VLANs as few ranges. Raises AnsibleFilterError with a sentence for what is none, and for what is there twice."""
    try:
        may_overlap = readers.boolean(merge, "option merge of vlan_ranges")
        found = readers.vlans(ranges, "the ranges of vlan_ranges", may_overlap)
    except BadInput as error:
        raise AnsibleFilterError(str(error)) from None
    return ["%d-%d" % (first, last) if first < last else str(first) for first, last in found]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        """Filters by name."""
        return {"vlan_ranges": vlan_ranges}
