# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""linux_bridge_port: settings of bridge ports (net/bridge/br_netlink.c, br_stp_if.c)."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import NUMBER, SWITCH, Attribute

RTNL = "bridge"  # IFLA_INFO_SLAVE_KIND


def _switch(name: str, nla: str, ip: str, default: t.Optional[bool] = False) -> Attribute:
    return Attribute(name, "IFLA_BRPORT_" + nla, ip, SWITCH, default)


# The kernel derives the cost from the speed of the link until the cost is set.
OPTIONS = (
    Attribute("cost", "IFLA_BRPORT_COST", "cost", NUMBER, bounds=(1, 65535)),
    Attribute("priority", "IFLA_BRPORT_PRIORITY", "priority", NUMBER, 32, bounds=(0, 63)),
    _switch("hairpin", "MODE", "hairpin"),
    _switch("isolated", "ISOLATED", "isolated"),
    _switch("learning", "LEARNING", "learning", True),
    _switch("unicast_flood", "UNICAST_FLOOD", "flood", True),
    _switch("mcast_flood", "MCAST_FLOOD", "mcast_flood", True),
    _switch("bcast_flood", "BCAST_FLOOD", "bcast_flood", True),
    _switch("bpdu_guard", "GUARD", "guard"),
    _switch("root_block", "PROTECT", "root_block"),
    _switch("fast_leave", "FAST_LEAVE", "fastleave"),
    _switch("neigh_suppress", "NEIGH_SUPPRESS", "neigh_suppress"),
    _switch("proxy_arp", "PROXYARP", "proxy_arp"),
    _switch("proxy_arp_wifi", "PROXYARP_WIFI", "proxy_arp_wifi"),
    Attribute("mcast_router", "IFLA_BRPORT_MULTICAST_ROUTER", "mcast_router", NUMBER, 1, bounds=(0, 2)),
    _switch("mcast_to_unicast", "MCAST_TO_UCAST", "mcast_to_unicast"),
    # Without BR_GROUPFWD_MACPAUSE.
    Attribute(
        "group_fwd_mask",
        "IFLA_BRPORT_GROUP_FWD_MASK",
        "group_fwd_mask",
        NUMBER,
        0,
        bounds=(0, 65535),
        refused_bits=(1,),
    ),
    _switch("locked", "LOCKED", "locked", None),
)
# Settings without an option, which an undo restores when it adds a port again.
KEPT = (_switch("vlan_tunnel", "VLAN_TUNNEL", "vlan_tunnel"),)
ATTRIBUTES: t.Dict[str, Attribute] = {attribute.name: attribute for attribute in (*OPTIONS, *KEPT)}
DEFAULTS = {name: attribute.default for name, attribute in ATTRIBUTES.items() if attribute.default is not None}
