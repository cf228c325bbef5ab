# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Namespaces, links, addresses, routes, and what is asked of them. Values only: nothing here does I/O.

A namespace is referred to by the string that the user gave (a name or an absolute path); OWN, the empty string, is
the namespace that the module runs in. Where several references mean one namespace, the kernel side picks one of them
before anything gets here, so that equal references are equal namespaces.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values

OWN = names.OWN

# Where an address or a route comes from: from an administrator, from a daemon or a router (DHCP, RA: it is kept, and
# given back when an undo has to, but never listed or purged), or from the kernel (which makes it again by itself).
STATIC, DYNAMIC, KERNEL = "static", "dynamic", "kernel"

# What the kernel calls the internal ports of OVS: with datapath_type netdev they are taps.
OVS_KINDS = ("openvswitch", "tuntap")

MAIN_TABLE = 254  # RT_TABLE_MAIN
IPV6_METRIC = 1024  # IP6_RT_PRIO_USER: what the kernel makes of an IPv6 route without metric


class Ref(t.NamedTuple):
    """Where a link is: its namespace and its name."""

    netns: str
    name: str

    def __str__(self) -> str:
        return "'%s'%s" % (self.name, in_netns(self.netns))


def aside_name(index: int) -> str:
    """The name of a link with an index while it is set aside."""
    return "vnaside%x" % index


def in_netns(netns: str) -> str:
    """The words that place something in a namespace; none for the namespace that the module runs in."""
    return " in namespace '%s'" % netns if netns else ""


@dataclasses.dataclass(frozen=True)
class Address:
    """An address of a link in canonical spelling with its prefix length.

    ``extra`` holds what else the kernel said of it (broadcast, lifetimes, ...), opaque here, so that an undo can give
    it back whole.
    """

    address: str
    origin: str = STATIC
    extra: t.Tuple[t.Tuple[str, t.Any], ...] = dataclasses.field(default=(), compare=False)

    @property
    def family(self) -> int:
        return common_values.family(self.address)

    @property
    def host(self) -> str:
        """The address without its prefix length."""
        return self.address.split("/")[0]

    def __str__(self) -> str:
        return self.address


@dataclasses.dataclass(frozen=True)
class Route:
    """A route through a link: ``to`` is a network in canonical spelling, ``via`` empty where the link is the next hop.

    ``left_out`` names what a wish didn't say, and what therefore stays as it is. ``extra`` holds what else the kernel
    said of it, so that an undo can give it back whole.
    """

    to: str
    via: str = ""
    metric: int = 0
    table: int = MAIN_TABLE
    src: str = ""
    onlink: bool = False
    mtu: int = 0
    origin: str = STATIC
    left_out: t.Tuple[str, ...] = dataclasses.field(default=(), compare=False)
    extra: t.Tuple[t.Tuple[str, t.Any], ...] = dataclasses.field(default=(), compare=False)

    @property
    def family(self) -> int:
        return common_values.family(self.to)

    @property
    def key(self) -> t.Tuple[str, int, int]:
        """What tells routes apart in the kernel: there is one for each destination, table and metric."""
        return (self.to, self.table, self.metric)

    @property
    def way(self) -> Route:
        """The same for all routes that lead the same way, whatever their origin."""
        return self if self.origin == STATIC else dataclasses.replace(self, origin=STATIC)

    def same(self, other: Route) -> bool:
        """Whether both lead the same way, whatever their origin."""
        return self.way == other.way

    def __str__(self) -> str:
        return "%s%s%s%s" % (
            "default" if self.to in ("0.0.0.0/0", "::/0") else self.to,
            " via %s" % self.via if self.via else "",
            " metric %d" % self.metric if self.metric else "",
            " table %d" % self.table if self.table != MAIN_TABLE else "",
        )


@dataclasses.dataclass(frozen=True)
class Neighbor:
    """An entry of a link's neighbor table (ARP or NDP), or an address that this host answers for (``proxy``).

    ``left_out`` names what a wish didn't say, and what therefore stays as it is. ``origin`` is DYNAMIC for what a daemon has
    learned (iproute2's ``extern_learn``); what the kernel learns isn't looked at.
    """

    address: str
    mac: str = ""
    state: str = "permanent"
    proxy: bool = False
    router: bool = False
    origin: str = dataclasses.field(default=STATIC, compare=False)
    left_out: t.Tuple[str, ...] = dataclasses.field(default=(), compare=False)

    @property
    def family(self) -> int:
        return common_values.family(self.address)

    @property
    def key(self) -> t.Tuple[str, bool]:
        """What tells neighbors of a link apart in the kernel, which has a table of its own for proxies."""
        return (self.address, self.proxy)

    def __str__(self) -> str:
        if self.proxy:
            return "proxy %s" % self.address
        mac = " at %s" % self.mac if self.mac else ""
        return "%s%s%s" % (self.address, mac, "" if self.state == "permanent" else " (%s)" % self.state)


class Vlan(t.NamedTuple):
    """A VLAN of a bridge's port: ``pvid`` where untagged packets come in to it, ``untagged`` where they go out so.

    Of a wish, either can be None, which leaves it alone.
    """

    vid: int
    pvid: t.Optional[bool] = False
    untagged: t.Optional[bool] = False


def vlan_ranges(vlans: t.Iterable[Vlan]) -> t.List[t.Tuple[Vlan, int]]:
    """VLANs in the order of their ids, as ranges of those that are alike: the first one and the last one's id."""
    found: t.List[t.Tuple[Vlan, int]] = []
    for vlan in vlans:
        if found and found[-1][1] == vlan.vid - 1 and found[-1][0]._replace(vid=vlan.vid) == vlan and not vlan.pvid:
            found[-1] = (found[-1][0], vlan.vid)
        else:
            found.append((vlan, vlan.vid))
    return found


@dataclasses.dataclass(frozen=True)
class Link:
    """A network device.

    ``kind`` is the collection's word for it (``linux_bridge``), the kernel's own for kinds that the collection doesn't
    know, and empty for what isn't virtual. ``values`` holds the scalar options by name (``mtu``, ``state``, ...);
    what isn't known is not in it. ``port`` holds its settings as the port of a bridge, ``vlans`` its VLANs as such, in
    the order of their ids; None where they aren't known, as on a kernel that has none. ``peer`` is the other end of a
    veth, ``parent`` what a macvlan is stacked upon; None where it can't be reached. ``ports`` are the names of a
    bridge's ports, None where nobody looked. ``users`` are words for the processes that hold it open, ``uppers`` the names
    of the links in its namespace that are stacked upon it, or its master; where somebody looked.
    """

    ref: Ref
    kind: str = ""
    index: int = 0
    values: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    addresses: t.Tuple[Address, ...] = ()
    routes: t.Tuple[Route, ...] = ()
    neighbors: t.Tuple[Neighbor, ...] = ()
    peer: t.Optional[Ref] = None
    parent: t.Optional[Ref] = None
    open_by: t.Tuple[str, ...] = ()
    uppers: t.Tuple[str, ...] = ()
    ports: t.Optional[t.Tuple[str, ...]] = None
    port: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    vlans: t.Optional[t.Tuple[Vlan, ...]] = None
    mtu_range: t.Tuple[int, int] = (0, 0)  # as the driver tells; (x, 0) has no upper bound
    ipv6: t.Optional[bool] = dataclasses.field(default=None, compare=False)  # None where it wasn't looked at
    # What it is to Open vSwitch, where that matters: a link that it made, its "bridge" or an internal "port", or one
    # that it has "taken" as a port.
    of_ovs: str = dataclasses.field(default="", compare=False)
    # Whether a bridge keeps its MTU when its ports change: since that was set. None where that isn't known.
    keeps_mtu: t.Optional[bool] = dataclasses.field(default=None, compare=False)

    def with_values(self, **values: t.Any) -> Link:
        """The same link with some of its scalar options changed; None makes one unknown."""
        merged = {**self.values, **values}
        return dataclasses.replace(self, values={k: v for k, v in merged.items() if v is not None})

    def moved(self, ref: Ref) -> Link:
        """The same link under another name."""
        return dataclasses.replace(self, ref=ref)


@dataclasses.dataclass(frozen=True)
class Netns:
    """A network namespace; ``sysctls`` holds those that were looked at, by their path below /proc/sys.

    ``ovs_ports`` are ports of Open vSwitch that lose their links with it, where it is to go.

    ``identity`` tells it from every other one that this kernel has had, where somebody asked; ``ipv6`` whether new links in it
    have IPv6.
    """

    name: str
    sysctls: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    identity: str = dataclasses.field(default="", compare=False)
    ipv6: t.Optional[bool] = dataclasses.field(default=None, compare=False)
    ovs_ports: t.Tuple[str, ...] = dataclasses.field(default=(), compare=False)


@dataclasses.dataclass(frozen=True)
class WantedLink:
    """What an option document asks of one link; what it left out isn't here.

    ``kind`` is empty where any kind will do. One that is not ``made`` must be there already (the link module).
    ``rename_from`` is the name that the link has before it gets the wanted one. ``purge_values`` are the names of
    those of its values, lists all of them, that are to have nothing else. ``ports_promisc`` is what a bridge's ports
    are to have while they are that; without it nobody touches theirs. ``port_of`` is the bridge that the link is to
    be a port of, or no longer if it is not ``present``; ``port`` and ``vlans`` are what is asked of it as such.
    ``missing`` are sentences about what isn't there and is no part of the network, as a user.
    """

    ref: Ref
    kind: str = ""
    made: bool = True
    present: bool = True
    values: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    purge_values: t.Tuple[str, ...] = ()
    addresses: t.Optional[t.Tuple[str, ...]] = None
    purge_addresses: bool = False
    routes: t.Optional[t.Tuple[Route, ...]] = None
    purge_routes: bool = False
    neighbors: t.Optional[t.Tuple[Neighbor, ...]] = None
    purge_neighbors: bool = False
    move_from: t.Optional[str] = None
    rename_from: str = ""
    recreate: bool = False
    peer: t.Optional[WantedLink] = None
    parent: t.Optional[Ref] = None
    ports: t.Optional[t.Tuple[str, ...]] = None
    purge_ports: bool = False
    ports_promisc: t.Optional[bool] = None
    port_of: str = ""
    port: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    vlans: t.Optional[t.Tuple[Vlan, ...]] = None
    purge_vlans: bool = False
    missing: t.Tuple[str, ...] = ()
    where: str = dataclasses.field(default="", compare=False)  # the element of a topology's document, such as links[3]

    def ends(self) -> t.Iterator[WantedLink]:
        """The link itself and, of a veth, the other end that was asked for."""
        yield self
        if self.peer:
            yield self.peer


@dataclasses.dataclass(frozen=True)
class WantedNetns:
    """What an option document asks of one namespace; ``sysctls`` by their path below /proc/sys."""

    name: str
    present: bool = True
    loopback: bool = True
    sysctls: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


def former_places(wanted: WantedLink) -> t.List[Ref]:
    """Where a link can be that still has the name which option rename_from gives."""
    spaces = [wanted.ref.netns, *([] if wanted.move_from is None else [wanted.move_from])]
    return [Ref(netns, wanted.rename_from) for netns in dict.fromkeys(spaces)] if wanted.rename_from else []
