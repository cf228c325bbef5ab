# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""dummy: Ethernet devices that drop all packets (drivers/net/dummy.c)."""

from __future__ import annotations

import errno

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind, Values


class _Dummy(Kind):
    def mtu_max(self, values: Values) -> int:
        return 0  # dummy_setup() sets no limit

    def hint(self, code: int) -> str:
        # dummy_init_module() creates the number of devices in its parameter numdummies.
        return (
            "The kernel module dummy makes dummy0 when it is loaded. Run the task again."
            if code == errno.EEXIST
            else ""
        )


KIND = _Dummy("dummy", "dummy", port_costs=(100,))
