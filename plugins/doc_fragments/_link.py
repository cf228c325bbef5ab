# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import textwrap

# What can be said of either end of a veth pair, and of every link.
_END = r"""
netns:
  description:
    - Network namespace of the link, by name or by an absolute path such as C(/proc/4711/ns/net), the namespace of
      process 4711 (for instance of a container).
    - If omitted, the namespace in which the module runs.
  type: str
mac:
  description:
    - Unicast MAC address, in upper or lower case.
    - Quote it in YAML.
  type: str
mtu:
  description:
    - MTU in bytes, from 68 to the maximum of the driver, which is 65535 for most links and 65521 for a tap.
      Below 1280 the kernel removes IPv6 from the link; the task fails if the link has static IPv6 addresses or routes.
    - The MTU of links that are stacked upon this one can't be greater. It drops with this one, and does not rise again
      by itself.
    - A bridge keeps an MTU that was set, even if its ports change. Otherwise it has the lowest MTU of its ports.
  type: int
txqueuelen:
  description:
    - Length of the transmit queue in packets.
  type: int
alias:
  description:
    - Free-form description (C(ifalias)) of at most 255 bytes. An empty string removes it.
  type: str
promisc:
  description:
    - Enable promiscuous mode, in which the link receives packets for all MAC addresses.
    - A bridge makes its ports receive all packets without this option.
  type: bool
master:
  description:
    - Bridge or other controller in the same namespace that the link is a port of.
    - An empty string removes the link from its controller.
  type: str
addresses:
  description:
    - IPv4 and IPv6 addresses with prefix lengths, such as V(192.0.2.1/24). Missing ones are added; others are kept.
    - IPv6 addresses are refused if IPv6 is disabled, by C(net.ipv6.conf.NAME.disable_ipv6) or for new links by
      C(net.ipv6.conf.default.disable_ipv6).
    - Only static addresses are returned. Addresses that the kernel or a daemon has added (link-local, by router
      advertisement, by DHCP) are neither returned nor changed.
  type: list
  elements: str
purge_addresses:
  description:
    - Remove static addresses that are not listed in O(addresses).
  type: bool
  default: false
routes:
  description:
    - Routes through this link. Missing ones are added; others are kept.
    - There is one route for each destination, metric and table. If it differs from the listed one, it is replaced.
    - Routes require a link that is up.
  type: list
  elements: dict
  suboptions:
    to:
      description:
        - Destination, a network such as V(198.51.100.0/24), an address, or V(default).
        - V(default) without O(routes[].via) is the IPv4 default route; that of IPv6 is V(::/0).
      type: str
      required: true
    via:
      description:
        - Gateway. If omitted, the destination is on the link itself.
      type: str
    metric:
      description:
        - Metric. If omitted, V(0) for IPv4 and V(1024) for IPv6, the defaults of the kernel.
      type: int
    table:
      description:
        - Number of the routing table. If omitted, V(254), the main table.
      type: int
    src:
      description:
        - Preferred source address.
      type: str
    onlink:
      description:
        - Accept a gateway that is not in the subnet of any address of this link.
      type: bool
    mtu:
      description:
        - MTU of the route in bytes, at most 65520.
      type: int
purge_routes:
  description:
    - Remove routes through this link that are not listed in O(routes). Only routes of protocol C(static) or C(boot), which
      administrators add, are removed.
  type: bool
  default: false
neighbors:
  description:
    - Permanent entries of the ARP (IPv4) and NDP (IPv6) tables of this link, and addresses that this host answers for
      (proxies). Missing ones are added; others are kept.
    - An entry that the kernel has learned for the same address is replaced. Learned entries are neither returned nor removed.
    - The kernel removes all neighbors of a link that goes down, and most when its MAC address changes. A task that changes the
      link adds them again.
  type: list
  elements: dict
  suboptions:
    address:
      description:
        - IPv4 or IPv6 address of the neighbor, without a prefix length.
      type: str
      required: true
    mac:
      description:
        - MAC address of the neighbor. Required, except with O(neighbors[].proxy=true).
      type: str
    state:
      description:
        - State of the entry, as in C(ip neighbour). The kernel does not probe entries in either state.
        - If omitted, V(permanent).
      type: str
      choices: [permanent, noarp]
    proxy:
      description:
        - Answer ARP requests or neighbor solicitations for the address with the MAC address of this link.
        - For IPv6, the sysctl C(net.ipv6.conf.NAME.proxy_ndp) must be on as well.
      type: bool
    router:
      description:
        - Mark the neighbor, or the proxy, as a router. IPv6 only.
      type: bool
purge_neighbors:
  description:
    - Remove permanent neighbors and proxies of this link that are not listed in O(neighbors).
  type: bool
  default: false
"""

_NAME = r"""
name:
  description:
    - Name of the interface, 1 to 15 bytes.
  type: str
  required: true
"""

_PEER_STATE = r"""
state:
  description:
    - V(up) and V(down) set the administrative state, V(present) leaves it unchanged.
  type: str
  choices: [present, up, down]
  default: present
"""

_RENAME_FROM = r"""
rename_from:
  description:
    - Former name of the link, which is renamed to O(name). It is searched for in O(netns) and in O(move_from).
      If links of both names exist, the task fails.
    - A pair whose end O(peer) is in its place is also accepted if the other end has this name.
  type: str
"""

_MOVE_FROM = r"""
move_from:
  description:
    - Namespace from which to move an existing link of that name and kind if it is not in O(netns) yet, by name or path like
      O(netns). The empty string is the namespace in which the module runs.
    - If omitted, no link is moved; one of the same name in another namespace is a different link.
    - A moved link keeps its settings and its administrative state. The kernel removes its addresses, routes and
      neighbors; set O(addresses), O(routes) and O(neighbors) for the new namespace.
  type: str
"""

_COMMON = _NAME + r"""
state:
  description:
    - V(present) creates a missing link, and leaves the administrative state unchanged.
    - V(up) and V(down) imply V(present) and set the administrative state.
    - A link that goes down loses its routes. The task warns of all addresses and routes that are lost without being
      requested.
    - V(absent) deletes the link. A link of another kind is never deleted.
  type: str
  choices: [present, absent, up, down]
  default: present
recreate:
  description:
    - Whether to delete the existing link and create a new one if an option can't be changed in place, or if a link of
      another kind has the name. With V(false), the task fails and reports the reason.
  type: bool
  default: false
""" + _END

_PEER = r"""
peer:
  description:
    - Other end of the pair. Required to create it, and to find it if the first end is not in its place.
    - A pair is found by O(name). If its other end has another name or is in another namespace, it is renamed or moved.
    - If there is no link O(name) but the peer exists, it belongs to the wanted pair if its other end has the name
      O(name) in another namespace, has the name in O(rename_from), or is owned by the topology. Then the other end is moved
      or renamed. Otherwise the name of the peer is taken, and the task fails.
    - Defaults from C(module_defaults) apply to the options of the module, not to those of the peer.
  type: dict
  suboptions:
""" + textwrap.indent(_NAME + _PEER_STATE + _END.replace("O(", "O(peer."), "    ")


def _options(text: str) -> str:
    return "options:\n" + textwrap.indent(text, "  ")


class ModuleDocFragment:
    # The options of every link. (Annotated, because yamllint takes plain assignments for literals.)
    DOCUMENTATION: str = _options(_COMMON)
    # ... of those that can go to another namespace
    MOVABLE: str = _options(_MOVE_FROM)
    # ... and of a pair
    PEER: str = _options(_RENAME_FROM + _PEER)
