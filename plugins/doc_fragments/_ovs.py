# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    # The modules for Open vSwitch
    DOCUMENTATION = r"""
options:
  external_ids:
    description:
      - Key-value data that other software stores here. Keys that are not listed are kept.
      - A key whose value is V(null) is removed. An empty dictionary removes all keys.
    type: dict
  other_config:
    description:
      - Further settings by key, see ovs-vswitchd.conf.db(5). V(null) and an empty dictionary remove keys as in
        O(external_ids).
    type: dict
  database:
    description:
      - Database of Open vSwitch, as the path of a socket or a remote such as V(tcp:192.0.2.1:6640). If omitted, the default of
        C(ovs-vsctl).
    type: str
  timeout:
    description:
      - Time in seconds for Open vSwitch to apply the changes. When it has expired, the task fails and the changes are rolled
        back.
    type: int
    default: 30
requirements:
  - Open vSwitch 2.11 or newer, with its commands C(ovs-vsctl) and C(ovsdb-client) (package
    C(openvswitch-switch) in Debian and Ubuntu)
  - permission to access its database (C(become=true))
attributes:
  action_group:
    description: Use C(group/virtnet.linux.ovs) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - virtnet.linux.ovs
"""
