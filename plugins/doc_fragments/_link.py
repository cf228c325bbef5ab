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
    - The network namespace in which the link lives, by its name or by an absolute path such as C(/proc/4711/ns/net),
      which is the namespace of a container with a process 4711.
    - If omitted, the namespace in which the module runs.
  type: str
mac:
  description:
    - The MAC address, a unicast one. Upper and lower case are the same.
    - Quote it in YAML.
  type: str
mtu:
  description:
    - The MTU in bytes, at least 68 and at most what the driver takes, which is 65535 for most links and 65521 for a tap.
      Below 1280 the kernel takes all of IPv6 off the link; a link with static IPv6 addresses or routes is refused such an
      MTU.
    - A link that is stacked upon this one can't have a greater MTU. It comes down with this one, and doesn't come up again
      by itself.
    - A bridge keeps the MTU that it is given here, whatever ports come and go. Without one, it has the lowest MTU of its
      ports.
  type: int
txqueuelen:
  description:
    - The length of the transmit queue in packets.
  type: int
alias:
  description:
    - A text for people (C(ifalias)), of at most 255 bytes. An empty string removes it.
  type: str
promisc:
  description:
    - Whether the link takes packets for whatever MAC address.
    - This is the administrator's switch. A bridge makes its ports take all packets by itself, without it.
  type: bool
master:
  description:
    - The bridge, or other controller, that the link is a port of. It is in the same namespace.
    - An empty string takes the link out of whatever it is a port of.
  type: str
addresses:
  description:
    - IPv4 and IPv6 addresses with their prefix lengths, such as V(192.0.2.1/24). They are ensured; others stay.
    - IPv6 addresses are refused where IPv6 is switched off, by C(net.ipv6.conf.NAME.disable_ipv6) or for new links by
      C(net.ipv6.conf.default.disable_ipv6).
    - Returned are the addresses that somebody gave the link for good. Those that the kernel or a daemon made
      (link-local, by router advertisement, by DHCP) are neither returned nor ever touched.
  type: list
  elements: str
purge_addresses:
  description:
    - Whether to remove the addresses that are not in O(addresses).
  type: bool
  default: false
routes:
  description:
    - Routes through this link. They are ensured; others stay.
    - There is one route for each destination, metric and table. If it leads another way than asked for, it is replaced.
    - Routes need a link that is up.
  type: list
  elements: dict
  suboptions:
    to:
      description:
        - The destination, a network such as V(198.51.100.0/24), an address, or V(default).
        - V(default) without O(routes[].via) is that of IPv4; that of IPv6 is V(::/0).
      type: str
      required: true
    via:
      description:
        - The gateway. If omitted, the destination is on the link itself.
      type: str
    metric:
      description:
        - The metric. If omitted, V(0) for IPv4 and V(1024) for IPv6, which is what the kernel chooses.
      type: int
    table:
      description:
        - The number of the routing table. If omitted, V(254), the main one.
      type: int
    src:
      description:
        - The source address to prefer.
      type: str
    onlink:
      description:
        - Take the gateway to be on this link although no address of the link says so.
      type: bool
    mtu:
      description:
        - The MTU along the route in bytes, at most 65520.
      type: int
purge_routes:
  description:
    - Whether to remove the routes through this link that are not in O(routes). Only those that an administrator made
      (of protocol C(static) or C(boot)) are removed.
  type: bool
  default: false
neighbors:
  description:
    - Permanent entries of the ARP (IPv4) and NDP (IPv6) tables of this link, and addresses that this host answers for
      (proxies). They are ensured; others stay.
    - An entry that the kernel has learned for the same address is replaced. Learned entries are neither returned nor removed.
    - The kernel removes all neighbors of a link that goes down, and most when its MAC address changes. A task that changes the
      link adds them again.
  type: list
  elements: dict
  suboptions:
    address:
      description:
        - The IPv4 or IPv6 address of the neighbor, without a prefix length.
      type: str
      required: true
    mac:
      description:
        - The MAC address of the neighbor. Required, except with O(neighbors[].proxy=true).
      type: str
    state:
      description:
        - V(permanent) or V(noarp), as C(ip neighbour) has them. The kernel probes neither.
        - If omitted, V(permanent).
      type: str
      choices: [permanent, noarp]
    proxy:
      description:
        - Whether this host answers ARP requests or neighbor solicitations for the address with the MAC address of this link.
        - For IPv6, the sysctl C(net.ipv6.conf.NAME.proxy_ndp) must be on as well.
      type: bool
    router:
      description:
        - Whether the neighbor, or the proxy, is a router. IPv6 only.
      type: bool
purge_neighbors:
  description:
    - Whether to remove the permanent neighbors and the proxies of this link that are not in O(neighbors).
  type: bool
  default: false
"""

_NAME = r"""
name:
  description:
    - The name of the interface, of 1 to 15 bytes.
  type: str
  required: true
"""

_PEER_STATE = r"""
state:
  description:
    - V(up) and V(down) set the administrative state, V(present) leaves it alone.
  type: str
  choices: [present, up, down]
  default: present
"""

_RENAME_FROM = r"""
rename_from:
  description:
    - The name that the link has as long as it isn't called O(name). It is looked for in O(netns), and in O(move_from).
      Where there is a link of either name, the task fails.
    - With it, a pair of which the end O(peer) is in its place is taken for the wanted one whatever the other end is called.
  type: str
"""

_MOVE_FROM = r"""
move_from:
  description:
    - Where to take an existing link of that name and kind from when it isn't in O(netns) yet, by name or path like
      O(netns). The empty string is the namespace in which the module runs.
    - If omitted, no link is ever moved; one of the same name elsewhere is another link.
    - A link that is moved keeps its settings and its administrative state. Its addresses, routes and neighbors stay
      behind, as the kernel does it; give O(addresses), O(routes) and O(neighbors) for the new place.
  type: str
"""

_COMMON = _NAME + r"""
state:
  description:
    - V(present) makes the link if it isn't there, and leaves its administrative state alone.
    - V(up) and V(down) do what V(present) does and set the administrative state.
    - A link that goes down loses its routes. A warning names them, as it names all addresses and routes that a task takes from
      a link without being asked to.
    - V(absent) deletes it. A link of another kind is never deleted.
  type: str
  choices: [present, absent, up, down]
  default: present
recreate:
  description:
    - What to do when the link can't be brought to what is wanted in place, or when the name is taken by a link of
      another kind. V(false) lets the task fail and say why; V(true) deletes what is there and makes it again.
  type: bool
  default: false
""" + _END

_PEER = r"""
peer:
  description:
    - The other end of the pair. Needed to make it, and to find it when the first end isn't where it should be.
    - A pair is found by O(name). If its other end has another name than the peer's, or is in another namespace, it is renamed
      or moved.
    - Where there is no link O(name) yet and the peer is there, it is an end of the wanted pair if the other end is called
      O(name) in another namespace, if the topology owns it, or if O(rename_from) has its name. Then that is moved or
      renamed. Otherwise the name of the peer is taken, and the task fails.
    - Defaults from C(module_defaults) are for the options of the module, and not for those of the peer.
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
