# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""ifb: Ethernet devices whose queue other links can redirect packets to (drivers/net/ifb.c)."""

from __future__ import annotations

import errno
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind, Values


class _Ifb(Kind):
    def mtu_max(self, values: Values) -> int:
        return 0  # ifb_setup() sets no limit

    def immutable(self, there: Values, asked: Values, held: bool) -> t.Dict[str, str]:
        # The driver has no ndo_set_mac_address().
        mac = asked.get("mac")
        changes = mac is not None and there.get("mac", mac) != mac
        return {"mac": "the kernel takes the MAC address of an ifb only when it makes the device"} if changes else {}

    def hint(self, code: int) -> str:
        # ifb_init_module() creates the number of devices in its parameter numifbs.
        return (
            "The kernel module ifb makes ifb0 and ifb1 when it is loaded. Run the task again."
            if code == errno.EEXIST
            else ""
        )


KIND = _Ifb("ifb", "ifb", port_costs=(100,))
