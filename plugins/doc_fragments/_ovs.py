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
      - What others want to remember of it, by key. Keys that aren't named here stay.
      - A key whose value is V(null) is removed. An empty dictionary removes all.
    type: dict
  other_config:
    description:
      - Further settings, by key, as ovs-vswitchd.conf.db(5) has them; with V(null) and an empty dictionary as in
        O(external_ids).
    type: dict
  database:
    description:
      - The database of the Open vSwitch that is meant, where it isn't the one that C(ovs-vsctl) finds by itself. The path of a
        socket, or a remote such as V(tcp:192.0.2.1:6640).
    type: str
  timeout:
    description:
      - The seconds in which Open vSwitch has to take up the change. Where it doesn't, the task fails and what it has written
        is taken back.
    type: int
    default: 30
requirements:
  - Open vSwitch 2.11 or newer, with its commands C(ovs-vsctl) and C(ovsdb-client) (Debian and Ubuntu have it as
    C(openvswitch-switch))
  - the right to talk to its database, which is to say C(become=true)
attributes:
  action_group:
    description: Use C(group/virtnet.linux.ovs) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - virtnet.linux.ovs
"""
