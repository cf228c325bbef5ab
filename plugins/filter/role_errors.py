# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: role_errors
author:
  - The virtnet.linux authors (@virtnet)
version_added: 0.1.0
short_description: Errors in the options of a role of this collection
description:
  - Checks the options of a role before it changes anything. The roles of this collection use it. It isn't meant for playbooks and
    may change at any time.
positional: _input, role
options:
  _input:
    description: Options of the role, by their names without the name of the role in front.
    type: dict
    required: true
  role:
    description: Name of the role.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Check the options of a role
  ansible.builtin.assert:
    that: wrong | length == 0
    fail_msg: "{{ wrong | join(' ') }} No changes were made."
  vars:
    wrong: "{{ {'state': 'present', 'ovs': 3} | virtnet.linux.role_errors('prerequisites') }}"
"""

RETURN = r"""
_value:
  description: Sentences, each of which names an option. The list is empty if nothing is wrong.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.linux.plugins.plugin_utils import _roles

SHOWN_MAX = 10


def role_errors(options: t.Any, role: t.Any) -> t.List[str]:
    """Sentences on what is wrong with the options of a role. Raises AnsibleFilterError for what is no role or no options."""
    if not isinstance(role, str) or role not in _roles.ROLES:
        raise AnsibleFilterError(
            "The filter role_errors knows no role %r; there are %s." % (role, ", ".join(_roles.ROLES))
        )
    if not isinstance(options, t.Mapping):
        raise AnsibleFilterError(
            "The options of the filter role_errors are %r; they must be a dictionary." % (options,)
        )
    found = _roles.errors(role, options)
    more = len(found) - SHOWN_MAX
    return found if more <= 0 else [*found[:SHOWN_MAX], "There are %d more errors." % more]


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> t.Dict[str, t.Callable[..., t.Any]]:
        """Filters by name."""
        return {"role_errors": role_errors}
