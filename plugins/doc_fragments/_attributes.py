# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    # Every module of the collection
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what a run would change, without changing anything.
    support: full
    details:
      - In check mode, namespaces or bridges that an earlier task of the same playbook would have created do not exist.
        The task then returns C(changed) with a warning instead of failing.
  diff_mode:
    description: Returns the document before and after, also in C(check_mode).
    support: full
  idempotent:
    description: A second run of the same task changes nothing, unless the host was changed in between.
    support: full
  platform:
    description: Target operating systems.
    platforms: linux
    support: full
notes:
  - A task is atomic. If a step fails, all earlier changes are rolled back, and the error says so.
  - While a task of this collection changes a host, other tasks of the collection on that host wait for up to two minutes.
"""

    # Modules that only tell
    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode); it never changes anything.
    support: full
  diff_mode:
    description: This module changes nothing.
    support: none
  idempotent:
    description: Changes nothing.
    support: full
  platform:
    description: Target operating systems.
    platforms: linux
    support: full
"""

    # What talks to the kernel
    NETLINK = r"""
options: {}
requirements:
  - pyroute2 >= 0.7.2 (package C(python3-pyroute2) in Debian and Ubuntu); 0.8.1 or older for Python 3.8
  - the capability CAP_NET_ADMIN, and CAP_SYS_ADMIN to enter other namespaces (C(become=true))
"""

    LINKS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/virtnet.linux.links) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - virtnet.linux.links
"""

    # Modules that talk to Open vSwitch and have no options of its rows
    OVS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/virtnet.linux.ovs) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - virtnet.linux.ovs
"""
