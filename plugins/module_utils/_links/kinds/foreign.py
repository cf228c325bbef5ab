# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What matters of kinds that the collection doesn't make, by the kernel's names. Data only."""

from __future__ import annotations

# The kernel lets one link have the packets that another one receives (netdev_rx_handler_register()): its master, or what is
# stacked upon it. A vrf and a VLAN are not among them.
RECEIVING_MASTERS = ("bond", "team", "openvswitch")
RECEIVING_UPPERS = ("ipvlan", "ipvtap", "macsec")
# Links that have ndo_add_slave()
TAKE_PORTS = ("bond", "team", "vrf", "batadv", "rmnet")
# Links whose frames aren't those of Ethernet
OTHER_FRAMES = (
    *("wireguard", "ipip", "sit", "gre", "ip6gre", "ip6tnl"),
    *("vti", "vti6", "xfrm", "nlmon", "can", "vcan", "vxcan"),
)
