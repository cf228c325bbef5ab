# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Properties of kinds that the collection does not create, by their names in the kernel. Data only."""

from __future__ import annotations

# Kinds that receive all packets of a port or of a parent, which only one link can (netdev_rx_handler_register()). A vrf and a
# VLAN do not.
RECEIVING_MASTERS = ("bond", "team", "openvswitch")
RECEIVING_UPPERS = ("ipvlan", "ipvtap", "macsec")
# Kinds with ndo_add_slave()
TAKE_PORTS = ("bond", "team", "vrf", "batadv", "rmnet")
# Kinds without Ethernet frames
OTHER_FRAMES = (
    *("wireguard", "ipip", "sit", "gre", "ip6gre", "ip6tnl"),
    *("vti", "vti6", "xfrm", "nlmon", "can", "vcan", "vxcan"),
)
