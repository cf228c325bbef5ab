# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""veth: pairs of connected Ethernet devices (drivers/net/veth.c)."""

from __future__ import annotations

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind

KIND = Kind("veth", "veth", paired=True, port_costs=(2,))
