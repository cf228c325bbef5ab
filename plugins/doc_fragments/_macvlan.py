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
      - The link that it is stacked upon, such as V(eth0). Needed to make it.
      - A parent is an Ethernet device that is neither the port of a bridge nor a macvlan or macvtap itself. A link with a
        macvlan on it can't become a port. Both are refused, in check mode as well.
      - It can't be changed in place.
    type: str
  parent_netns:
    description:
      - The network namespace of O(parent), by name or path like O(netns).
      - If omitted, the namespace in which the module runs.
    type: str
  mode:
    description:
      - How those with the same parent deal with each other. If omitted, a new one gets V(vepa) from the kernel.
      - V(private) keeps them apart. V(vepa) sends what is between them through the switch outside, which has to send
        it back (hairpin). V(bridge) hands it over directly.
      - V(passthru) has the parent for itself, and shares its MAC address. V(source) takes packets from O(macaddrs) only.
      - All but V(passthru) are changed in place; to or from that takes O(recreate=true), and the new link gets another
        MAC address then if O(mac) isn't given.
    type: str
    choices: [private, vepa, bridge, passthru, source]
  macaddrs:
    description:
      - With O(mode=source), the MAC addresses to take packets from. They are ensured; others stay.
    type: list
    elements: str
  purge_macaddrs:
    description:
      - Whether to remove the addresses that are not in O(macaddrs).
    type: bool
    default: false
  nopromisc:
    description:
      - With O(mode=passthru), leave the parent out of promiscuous mode. It is refused in other modes.
      - C(ip) has no word for switching the last of these flags off, so that is done without one in RV(commands).
    type: bool
  nodst:
    description:
      - With O(mode=source), leave out what has the MAC address of the link itself as its destination.
    type: bool
  bcqueuelen:
    description:
      - How many broadcast and multicast packets the parent queues for those stacked upon it; the largest counts.
      - It takes Linux 5.11.
    type: int
"""
