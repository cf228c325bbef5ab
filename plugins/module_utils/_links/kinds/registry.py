# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""All kinds of links. A new kind is a file in this folder and a word here."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import (
    dummy,
    ifb,
    linux_bridge,
    macvlan,
    macvtap,
    tuntap,
    veth,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind

_MODULES = (dummy, ifb, linux_bridge, macvlan, macvtap, tuntap, veth)
KINDS: t.Dict[str, Kind] = {module.KIND.name: module.KIND for module in _MODULES}
# Assumed in check mode for a master that an earlier task would have created.
DEFAULT_MASTER = linux_bridge.KIND.name
BY_RTNL: t.Dict[str, Kind] = {kind.rtnl: kind for kind in KINDS.values()}
