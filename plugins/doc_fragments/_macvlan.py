# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    # The options of macvlans and macvtaps
    DOCUMENTATION = r"""
options:
  parent:
    description:
      - Link that it is stacked upon, such as V(eth0). Required to create it.
      - The parent must be an Ethernet device that is neither a port of a bridge nor a macvlan or macvtap. A link with a
        macvlan can't become a port of a bridge. Both are refused, in check mode as well.
      - Can't be changed in place.
    type: str
  parent_netns:
    description:
      - Network namespace of O(parent), by name or path like O(netns).
      - If omitted, the namespace in which the module runs.
    type: str
  mode:
    description:
      - How packets between links with the same parent are handled. The default of the kernel is V(vepa).
      - V(private) drops them. V(vepa) sends them to the external switch, which has to send them back (hairpin). V(bridge)
        delivers them directly.
      - V(passthru) requires exclusive use of the parent, and shares its MAC address. V(source) accepts packets from O(macaddrs)
        only.
      - Changes to or from V(passthru) require O(recreate=true), and the new link gets another MAC address if O(mac) is
        omitted. Other changes are made in place.
    type: str
    choices: [private, vepa, bridge, passthru, source]
  macaddrs:
    description:
      - With O(mode=source), MAC addresses to accept packets from. Missing ones are added; others are kept.
    type: list
    elements: str
  purge_macaddrs:
    description:
      - Remove addresses that are not listed in O(macaddrs).
    type: bool
    default: false
  nopromisc:
    description:
      - With O(mode=passthru), do not make the parent promiscuous. Refused in other modes.
      - C(ip) can't clear the last of these flags, so RV(commands) has no command for that.
    type: bool
  nodst:
    description:
      - With O(mode=source), do not accept packets whose destination is the MAC address of the link itself.
    type: bool
  bcqueuelen:
    description:
      - Number of broadcast and multicast packets that the parent queues for its links; the largest value applies.
      - Requires Linux 5.11.
    type: int
"""
