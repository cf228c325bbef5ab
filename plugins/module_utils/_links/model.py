# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Observed and wanted namespaces, links, addresses, routes, neighbors and VLANs. Values only, without I/O.

A namespace is referred to by its name or by an absolute path; OWN, the empty string, is the namespace that the module runs
in. If several references lead to one namespace, ``Kernel.locate`` has replaced them by one of them, so that equal
references mean equal namespaces.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values

OWN = names.OWN

# Origin of an address or a route: an administrator; a daemon or a router (DHCP, RA: restored by an undo, but never reported
# or purged); or the kernel, which adds it again itself.
STATIC, DYNAMIC, KERNEL = "static", "dynamic", "kernel"

# The kinds that internal ports of OVS have in the kernel: with datapath_type netdev they are taps.
OVS_KINDS = ("openvswitch", "tuntap")

MAIN_TABLE = 254  # RT_TABLE_MAIN
IPV6_METRIC = 1024  # IP6_RT_PRIO_USER: metric of an IPv6 route that is added without one


class Ref(t.NamedTuple):
    """Place of a link: its namespace and its name."""

    netns: str
    name: str

    def __str__(self) -> str:
        return "'%s'%s" % (self.name, in_netns(self.netns))


def aside_name(index: int) -> str:
    """Temporary name of a link that waits for its deletion, from its index."""
    return "vnaside%x" % index


def in_netns(netns: str) -> str:
    """Words for a namespace in a sentence; empty for the namespace that the module runs in."""
    return " in namespace '%s'" % netns if netns else ""


@dataclasses.dataclass(frozen=True)
class Address:
    """An address of a link in canonical form, with its prefix length.

    ``extra`` holds its other attributes (broadcast, lifetimes, ...), so that an undo restores them.
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
    """A route through a link. ``to`` is a network in canonical form; ``via`` is empty for a route without gateway.

    ``left_out`` names options that the document omits, which therefore keep their values. ``extra`` holds other attributes,
    so that an undo restores them.
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
        """Identifies a route in the kernel: destination, table and metric are unique."""
        return (self.to, self.table, self.metric)

    @property
    def way(self) -> Route:
        """The route without its origin, to compare routes from an administrator, a daemon and the kernel."""
        return self if self.origin == STATIC else dataclasses.replace(self, origin=STATIC)

    def same(self, other: Route) -> bool:
        """Whether two routes differ in nothing but their origin."""
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

    ``left_out`` names options that the document omits, which therefore keep their values. ``origin`` is DYNAMIC for entries
    that a daemon has learned (iproute2's ``extern_learn``). Entries that the kernel has learned are not read.
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
        """Identifies an entry of a link in the kernel, which keeps proxies in a separate table."""
        return (self.address, self.proxy)

    def __str__(self) -> str:
        if self.proxy:
            return "proxy %s" % self.address
        mac = " at %s" % self.mac if self.mac else ""
        return "%s%s%s" % (self.address, mac, "" if self.state == "permanent" else " (%s)" % self.state)


class Vlan(t.NamedTuple):
    """A VLAN of a bridge port: ``pvid`` for untagged packets that come in, ``untagged`` for packets that leave untagged.

    In a wanted VLAN, None leaves a flag unchanged.
    """

    vid: int
    pvid: t.Optional[bool] = False
    untagged: t.Optional[bool] = False


def vlan_ranges(vlans: t.Iterable[Vlan]) -> t.List[t.Tuple[Vlan, int]]:
    """Group consecutive VLANs with equal flags: the first VLAN of each range, and the id of its last."""
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

    ``kind`` is the collection's word (``linux_bridge``), the kernel's word for kinds that the collection doesn't know, and
    empty for hardware. ``values`` holds option values by name (``mtu``, ``state``, ...); a missing value is unknown.
    ``port`` holds its settings as a bridge port, ``vlans`` its VLANs in the order of their ids; None if unknown, as on a
    kernel without VLANs in bridges. ``peer`` is the other end of a veth, ``parent`` the link below a macvlan; None if it
    can't be reached. ``ports`` are the names of the ports of a bridge; None if not read. ``open_by`` describes the processes
    that hold it open, ``uppers`` are the names of links in its namespace that are stacked upon it, and its master, if read.
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
    mtu_range: t.Tuple[int, int] = (0, 0)  # of the driver; (x, 0) has no upper bound
    ipv6: t.Optional[bool] = dataclasses.field(default=None, compare=False)  # None if not read
    # Its role in Open vSwitch, if that matters: the link of a "bridge" or of an internal "port", which Open vSwitch made,
    # or "taken", a link that became a port.
    of_ovs: str = dataclasses.field(default="", compare=False)
    # Whether a bridge keeps its MTU when its ports change, which it does once the MTU was set. None if unknown.
    keeps_mtu: t.Optional[bool] = dataclasses.field(default=None, compare=False)

    def with_values(self, **values: t.Any) -> Link:
        """The same link with some of its scalar options changed; None makes one unknown."""
        merged = {**self.values, **values}
        return dataclasses.replace(self, values={k: v for k, v in merged.items() if v is not None})

    def moved(self, ref: Ref) -> Link:
        """The same link in another place."""
        return dataclasses.replace(self, ref=ref)


@dataclasses.dataclass(frozen=True)
class Netns:
    """A network namespace. ``sysctls`` holds those that were read, by their path below /proc/sys.

    ``ovs_ports`` are ports of Open vSwitch that lose their links if the namespace is deleted. ``identity`` is unique among all
    namespaces since the kernel booted; empty unless requested. ``ipv6`` is whether new links in it have IPv6.
    """

    name: str
    sysctls: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    identity: str = dataclasses.field(default="", compare=False)
    ipv6: t.Optional[bool] = dataclasses.field(default=None, compare=False)
    ovs_ports: t.Tuple[str, ...] = dataclasses.field(default=(), compare=False)


class WantedLink(t.NamedTuple):
    """What a document requests for one link; options that it omits are missing here as well.

    ``kind`` is empty if any kind is accepted. A link that is not ``made`` must exist already (module ``link``).
    ``rename_from`` is a former name of the link. ``purge_values`` are the names of list values that are made exact.
    ``ports_promisc`` is the promiscuity of the ports of a bridge; None leaves it unchanged. ``port_of`` is the bridge that the
    link becomes a port of, or leaves if it is not ``present``; ``port`` and ``vlans`` are its settings as a port.
    ``missing`` are sentences on prerequisites outside of the network, such as a user.
    """

    ref: Ref
    kind: str = ""
    made: bool = True
    present: bool = True
    values: t.Mapping[str, t.Any] = {}
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
    port: t.Mapping[str, t.Any] = {}
    vlans: t.Optional[t.Tuple[Vlan, ...]] = None
    purge_vlans: bool = False
    missing: t.Tuple[str, ...] = ()
    where: str = ""  # element of the topology's document, such as links[3]

    def ends(self) -> t.Iterator[WantedLink]:
        """The link itself and, for a veth, the requested other end."""
        yield self
        if self.peer:
            yield self.peer


class WantedNetns(t.NamedTuple):
    """What a document requests for one namespace; ``sysctls`` by their path below /proc/sys."""

    name: str
    present: bool = True
    loopback: bool = True
    sysctls: t.Mapping[str, str] = {}


def former_places(wanted: WantedLink) -> t.List[Ref]:
    """Places where a link may be under the name in option ``rename_from``."""
    spaces = [wanted.ref.netns, *([] if wanted.move_from is None else [wanted.move_from])]
    return [Ref(netns, wanted.rename_from) for netns in dict.fromkeys(spaces)] if wanted.rename_from else []
