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
  - Takes VLAN ids and ranges of them, and returns the same VLANs in order, as few ranges as they make.
  - What names a VLAN twice is refused, because one of the two is a mistake, unless O(merge) is set.
positional: _input
options:
  _input:
    description: Ids from V(1) to V(4094) and ranges such as V(10-20).
    type: list
    elements: str
    required: true
  merge:
    description: Whether ranges may overlap.
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

import re
import typing as t

from ansible.errors import AnsibleFilterError

VID_MAX = 4094


def vlan_ranges(ranges: t.Iterable[t.Any], merge: bool = False) -> t.List[str]:
    """VLANs as few ranges. Raises AnsibleFilterError with a sentence for what is none, and for what is there twice."""
    found: t.List[t.Tuple[int, int]] = []
    for first, last in sorted(_parse(text) for text in ranges):
        if found and first <= found[-1][1] and not merge:
            raise AnsibleFilterError("VLAN %d is named twice: ranges may not overlap." % first)
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return ["%d-%d" % (first, last) if first < last else str(first) for first, last in found]


def _parse(text: t.Any) -> t.Tuple[int, int]:
    words = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", str(text), re.ASCII)
    first, last = (int(words[1]), int(words[2] or words[1])) if words else (0, 0)
    if not 1 <= first <= last <= VID_MAX:
        raise AnsibleFilterError("'%s' isn't a VLAN id from 1 to %d, or a range of these." % (text, VID_MAX))
    return first, last


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        """Filters by name."""
        return {"vlan_ranges": vlan_ranges}
