# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Routes through links: option, reading, writing, steps, and netlink coding."""

from __future__ import annotations

import collections
import dataclasses
import errno
import ipaddress
import socket
import struct
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import (
    DOWN,
    NO_IPV6,
    Document,
    Facet,
    Options,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    DYNAMIC,
    IPV6_METRIC,
    KERNEL,
    MAIN_TABLE,
    STATIC,
    Address,
    Ref,
    Route,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import wire
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.messages import UNSTEADY, family
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    ROUTE,
    RTM_DELROUTE,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    NetlinkError,
    Request,
)
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.wire import attributes

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import FacetEditor, Merging
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import Attributes
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace

DAD_SECONDS = 3.0


# Of linux/rtnetlink.h
RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_BOOT, RTPROT_STATIC = 1, 2, 3, 4
RTN_UNSPEC, RTN_UNICAST = 0, 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
RTNH_F_ONLINK = 4
RT_TABLE_COMPAT = 252  # for the header, which has one byte for the table: see RTA_TABLE
RTM_F_CLONED = 0x200
# Metrics without an option that an undo restores; all are numbers.
_METRICS = tuple(
    "RTAX_" + name
    for name in [
        "WINDOW",
        "RTT",
        "RTTVAR",
        "SSTHRESH",
        "CWND",
        "ADVMSS",
        "REORDERING",
        "HOPLIMIT",
        "INITCWND",
        "INITRWND",
    ]
)


@dataclasses.dataclass(eq=False, repr=False)
class RouteAdd(LinkStep):
    """Add a route through a link."""

    ref: Ref
    route: Route

    def describe(self) -> str:
        return "adding route %s through link %s" % (self.route, self.ref)

    def commands(self) -> t.List[Argv]:
        route = self.route
        words = _spell_route("add", route, self.ref)
        if route.src:
            words += ["src", route.src]
        if route.onlink:
            words.append("onlink")
        if route.mtu:
            words += ["mtu", str(route.mtu)]
        proto = dict(route.extra).get("proto")
        return [ip(self.ref.netns, *words, "proto", "static" if proto is None else str(proto))]

    def requests(self, runner: Runner) -> t.List[Request]:
        route = self.route
        attributes: Attributes = []
        if route.src:
            attributes.append(("RTA_PREFSRC", route.src))
        metrics = [*dict(route.extra).get("metrics", []), *([("RTAX_MTU", route.mtu)] if route.mtu else [])]
        if metrics:
            attributes.append(("RTA_METRICS", {"attrs": metrics}))
        return [_request(runner, self.ref, route, RTM_NEWROUTE, attributes)]

    def execute(self, runner: Runner) -> None:
        if self.route.family == 4 or not self.route.src:
            super().execute(runner)
            return
        (request,) = self.requests(runner)
        deadline = time.monotonic() + DAD_SECONDS
        while True:
            try:
                runner.do(self.ref.netns, request)
                return
            except NetlinkError as error:
                # A new IPv6 address can't be a source until duplicate address detection is done.
                if error.code != errno.EINVAL or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def hint(self, code: int) -> str:
        if code == errno.EEXIST:
            return (
                "The kernel has made such a route itself, or one with the same metric leads through another link; "
                "give this one another metric."
            )
        return ""

    @property
    def alike(self) -> t.Hashable:
        return (RouteAdd, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        there = set(link.routes)  # the kernel refuses to add one twice
        added = (step.route for step in t.cast("t.Sequence[RouteAdd]", alike) if step.route not in there)
        state.put(dataclasses.replace(link, routes=(*link.routes, *added)))

    def inverse(self, before: State) -> t.List[Step]:
        return [RouteDel(self.ref, self.route)]


@dataclasses.dataclass(eq=False, repr=False)
class RouteDel(LinkStep):
    """Remove a route through a link."""

    ref: Ref
    route: Route

    def describe(self) -> str:
        return "removing route %s through link %s" % (self.route, self.ref)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, *_spell_route("del", self.route, self.ref))]

    def requests(self, runner: Runner) -> t.List[Request]:
        return [_request(runner, self.ref, self.route, RTM_DELROUTE, [])]

    @property
    def alike(self) -> t.Hashable:
        return (RouteDel, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        gone = {step.route for step in t.cast("t.Sequence[RouteDel]", alike)}
        state.put(dataclasses.replace(link, routes=tuple(route for route in link.routes if route not in gone)))

    def inverse(self, before: State) -> t.List[Step]:
        return [RouteAdd(self.ref, self.route)]


def _request(
    runner: Runner, ref: Ref, route: Route, message_type: int, more: t.Sequence[t.Tuple[str, t.Any]]
) -> Request:
    host, prefix = route.to.split("/")
    extra = dict(route.extra)
    attributes = [("RTA_OIF", runner.index(ref)), ("RTA_TABLE", route.table), *more]
    if int(prefix):
        attributes.append(("RTA_DST", host))
    if route.via:
        attributes.append(("RTA_GATEWAY", route.via))
    if route.metric:
        attributes.append(("RTA_PRIORITY", route.metric))
    header = {
        "family": family(route.family),
        "dst_len": int(prefix),
        "table": min(route.table, RT_TABLE_COMPAT),
        "type": RTN_UNICAST,
        "scope": extra.get("scope", RT_SCOPE_UNIVERSE if route.via or route.family == 6 else RT_SCOPE_LINK),
        "proto": extra.get("proto", RTPROT_STATIC),
        "flags": RTNH_F_ONLINK if route.onlink else 0,
    }
    flags = NLM_F_CREATE | NLM_F_EXCL if message_type == RTM_NEWROUTE else 0
    return Request(ROUTE, message_type, flags, attributes, header)


def _spell_route(verb: str, route: Route, ref: Ref) -> t.List[str]:
    words = ["-6"] if route.family == 6 else []
    words += ["route", verb, "default" if route.to in ("0.0.0.0/0", "::/0") else route.to]
    if route.via:
        words += ["via", route.via]
    words += ["dev", ref.name]
    if route.metric:
        words += ["metric", str(route.metric)]
    if route.table != MAIN_TABLE:
        words += ["table", str(route.table)]
    return words


def forget_sources(state: State, netns: str, addresses: t.Iterable[Address]) -> None:
    """Update all routes in a namespace whose preferred sources may have been removed."""
    for host in (address.address.split("/")[0] for address in addresses):
        links = [state.links[ref] for ref in state.sourced.get((netns, host), ()) if ref in state.links]
        if links and not state.is_local(netns, host):
            for link in links:
                state.put(dataclasses.replace(link, routes=without_sources(link.routes, {host})))


def without_sources(routes: t.Iterable[Route], hosts: t.Container[str]) -> t.Tuple[Route, ...]:
    """Routes after preferred sources are removed: IPv4 routes go with the source, IPv6 routes lose it.

    See fib_sync_down_addr() and rt6_remove_prefsrc() of the kernel.
    """
    kept = (route for route in routes if route.family == 6 or route.src not in hosts)
    return tuple(dataclasses.replace(route, src="") if route.src in hosts else route for route in kept)


UINT32_MAX = 2**32 - 1
ROUTE_MTU_MAX = 65535 - 15  # ip_metrics_convert() of net/ipv4/metrics.c lowers higher values to this


def _read(routes: t.Sequence[Document], where: str) -> t.Tuple[Route, ...]:
    told = Complaints()
    read = [route for route in (told.attempt(_read_route, route, where) for route in routes) if route]
    counted = collections.Counter(route.key for route in read)
    for (to, _table, _metric), count in counted.items():
        if count > 1:
            told.sentences.append(
                "%s: there are two routes to %s with the same metric and table." % (common_names.upper(where), to)
            )
    told.report()
    return tuple(read)


def _read_route(document: Document, where: str) -> Route:
    via = common_values.next_hop(document["via"], where) if document.get("via") else ""
    src = common_values.source(document["src"], where) if document.get("src") else ""
    if document["to"] == "default":
        to = "::/0" if ":" in via + src else "0.0.0.0/0"
    else:
        to = common_values.destination(document["to"], where)
    _check_route(document, to, (via, src), where)
    return Route(
        to,
        via,
        metric=document.get("metric") or (IPV6_METRIC if common_values.family(to) == 6 else 0),
        table=document.get("table") or MAIN_TABLE,  # the kernel treats RT_TABLE_UNSPEC as main
        src=src,
        onlink=bool(document.get("onlink")),
        mtu=document.get("mtu") or 0,
        left_out=tuple(name for name in ("src", "onlink", "mtu") if document.get(name) is None),
    )


def _check_route(document: Document, to: str, others: t.Iterable[str], where: str) -> None:
    told = Complaints()
    where = common_names.upper(where)
    shown = quoted(document["to"]).strip("'")
    for other in others:
        if other and common_values.family(other) != common_values.family(to):
            told.sentences.append("%s: %s and %s are of different address families." % (where, shown, other))
    for number, highest in (("metric", UINT32_MAX), ("table", UINT32_MAX), ("mtu", ROUTE_MTU_MAX)):
        if not 0 <= (document.get(number) or 0) <= highest:
            told.sentences.append(
                "%s: %s %s is out of range; valid are 0 to %d." % (where, number, quoted(document[number]), highest)
            )
    if document.get("onlink") and not document.get("via") and common_values.family(to) == 4:
        told.sentences.append("%s: onlink is for a gateway, and the route to %s has none (via)." % (where, shown))
    told.report()


def _route_order(route: Route) -> t.Tuple[t.Any, ...]:
    return (route.family, route.table, ipaddress.ip_network(route.to), route.metric)


def _write_route(route: Route) -> Document:
    default = route.to == "0.0.0.0/0" or (route.to == "::/0" and route.via)
    document: Document = {"to": "default" if default else route.to}
    if route.via:
        document["via"] = route.via
    document.update(metric=route.metric, table=route.table)
    for name in ("src", "onlink", "mtu"):
        if getattr(route, name):
            document[name] = getattr(route, name)
    return document


def _write(link: Link) -> t.List[Document]:
    routes = [route for route in link.routes if route.origin == STATIC]
    return [_write_route(route) for route in sorted(routes, key=_route_order)]


def _is_kernels(data: bytes) -> bool:
    """Whether an undecoded message describes a route that the kernel added."""
    return data[21] == RTPROT_KERNEL  # rtm_protocol, after nlmsghdr


def _place(data: bytes) -> t.Tuple[int, t.Hashable]:
    """Index and destination in an undecoded message; UNSTEADY for routes that the kernel adds itself."""
    if _is_kernels(data):
        return UNSTEADY
    found = attributes(data, 28)
    index = struct.unpack_from("=I", found[4])[0] if 4 in found else 0
    return index, (data[17], data[20], *(found.get(number) for number in (1, 5, 6, 15)))


def _key(message: t.Any) -> t.Tuple[str, int, int]:
    """The ``key`` of a route of any type in a message."""
    six = message["family"] == socket.AF_INET6
    return (
        "%s/%d" % (message.get_attr("RTA_DST") or ("::" if six else "0.0.0.0"), message["dst_len"]),
        message.get_attr("RTA_TABLE") or message["table"] or MAIN_TABLE,
        message.get_attr("RTA_PRIORITY") or (IPV6_METRIC if six else 0),
    )


def _decode(message: t.Any) -> t.List[Route]:
    """The route in a message; an empty list if it is not a plain unicast route."""
    gateway = message.get_attr("RTA_GATEWAY") or ""
    unusual = [name for name in ("RTA_MULTIPATH", "RTA_VIA", "RTA_ENCAP", "RTA_NH_ID") if message.get_attr(name)]
    if message["type"] != RTN_UNICAST or message["tos"] or unusual:
        return []
    metrics = message.get_attr("RTA_METRICS")
    more = [(name, value) for name, value in (metrics["attrs"] if metrics else ()) if name in _METRICS]
    to, table, metric = _key(message)
    proto = message["proto"]
    origin = DYNAMIC
    if proto in (RTPROT_KERNEL, RTPROT_REDIRECT):
        origin = KERNEL
    elif proto in (RTPROT_BOOT, RTPROT_STATIC):
        origin = STATIC
    return [
        Route(
            to=to,
            via=gateway,
            metric=metric,
            table=table,
            src=message.get_attr("RTA_PREFSRC") or "",
            onlink=bool(message["flags"] & RTNH_F_ONLINK),
            mtu=(metrics.get_attr("RTAX_MTU") if metrics else 0) or 0,
            origin=origin,
            extra=(("scope", message["scope"]), ("proto", proto), ("metrics", more)),
        )
    ]


def _observe(space: Namespace, index: int = 0, kernels: bool = True) -> t.Dict[int, t.List[Route]]:
    """Unicast routes through one link, or through all links (index 0), by index; ``kernels`` includes those of the kernel."""
    found: t.Dict[int, t.List[Route]] = {}
    for number in (socket.AF_INET, socket.AF_INET6):
        for data in _dump_routes(space, number, index):
            # Without IPv6, the kernel returns all other families.
            if data[16] != number or (not kernels and _is_kernels(data)):
                continue
            message = wire.Message(wire.ROUTE, data)
            out = message.get_attr("RTA_OIF")
            if out and index in (0, out) and not message["flags"] & RTM_F_CLONED:
                found.setdefault(out, []).extend(_decode(message))
    return found


def links_of_routes(
    space: Namespace, keys: t.Collection[t.Tuple[str, int, int]]
) -> t.Dict[t.Tuple[str, int, int], t.FrozenSet[int]]:
    """Indexes of the links that routes with these keys lead through; 0 for a route through no link or several."""
    found: t.Dict[t.Tuple[str, int, int], t.FrozenSet[int]] = {}
    for version in sorted({common_values.family(to) for to, _table, _metric in keys}):
        lengths = {int(to.partition("/")[2]) for to, _table, _metric in keys if common_values.family(to) == version}
        for data in _dump_routes(space, family(version), 0, RTN_UNSPEC):
            if data[16] == family(version) and data[17] in lengths:
                message = wire.Message(wire.ROUTE, data)
                key = _key(message)
                if key in keys and not message["tos"] and not message["flags"] & RTM_F_CLONED:
                    found[key] = found.get(key, frozenset()) | {message.get_attr("RTA_OIF") or 0}
    return found


def _dump_routes(space: Namespace, family: int, index: int, kind: int = RTN_UNICAST) -> t.List[bytes]:
    def request(index: int) -> Request:
        through = [("RTA_OIF", index)] if index else []
        return Request(ROUTE, RTM_GETROUTE, NLM_F_DUMP, through, {"family": family, "type": kind})

    def reread(index: int) -> t.List[bytes]:
        return space.of_link(request(index), _place) if index else []

    return space.dump_of_links(request(index), _place, reread)


class Near:
    """Networks that are reachable through a link without a gateway."""

    def __init__(self, addresses: t.Iterable[Address], routes: t.Iterable[Route]) -> None:
        self._networks: t.Set[t.Tuple[int, int, int]] = set()  # IP version, prefix length and network
        for address in addresses:
            peer = dict(address.extra).get("attributes", {}).get("IFA_ADDRESS", address.host)
            self._add(address.family, "%s/%s" % (peer, address.address.split("/")[1]))
        for route in routes:
            if not route.via and route.origin != KERNEL:  # those follow the addresses
                self._add(route.family, route.to)
        self._lengths = {(family, length) for family, length, _network in self._networks}

    def _add(self, family: int, network: str) -> None:
        host, length = network.split("/")
        self._networks.add((family, int(length), common_values.number(host) >> (_BITS[family] - int(length))))

    def reaches(self, route: Route) -> bool:
        """Whether a route has no gateway, a reachable one, or one that the kernel doesn't check."""
        if not route.via or route.onlink or (route.family == 6 and common_values.is_link_local(route.via)):
            return True
        number = common_values.number(route.via)
        return any(
            (family, length, number >> (_BITS[family] - length)) in self._networks
            for family, length in self._lengths
            if family == route.family
        )


_BITS = {4: 32, 6: 128}


def _merge(merging: Merging) -> t.Tuple[Route, ...]:
    """The wanted routes, and the present ones that its addresses still allow."""
    base, wanted, addresses = merging.base, merging.wanted, merging.merged["addresses"]
    lost = {address.host for address in base.addresses} - {address.host for address in addresses}
    merged = _with_wanted(without_sources(base.routes, lost), wanted)
    asked = {route.key for route in wanted.routes or ()}
    if not lost and not asked:
        return merged
    near = Near(addresses, merged)
    # Addresses are removed before others are added.
    left = {address.host for address in base.addresses} - lost
    dropped = any(":" not in host for host in lost) and all(":" in host for host in left)
    kept = []
    for route in merged:
        if route.key in asked:
            if not near.reaches(route) and not any(route.same(other) for other in base.routes):
                _need_gateway(merging, route)
            kept.append(route)
        elif not lost or _is_kept(merging, route, near.reaches(route), dropped and route.family == 4):
            kept.append(route)
    return tuple(kept)


def _need_gateway(merging: Merging, route: Route) -> None:
    """Report a route whose gateway is unreachable. Raises BadInput if the task itself makes it unreachable."""
    sentence = (
        "Option %sroutes of link %s: the gateway of the route %s can't be reached, because no address of the link is in its "
        "network, and no other route through the link leads there. Add one, or give 'onlink: true'."
        % (merging.prefix, merging.wanted.ref, route)
    )
    if Near(merging.base.addresses, merging.base.routes).reaches(route):
        raise BadInput(sentence)
    merging.missing.append(sentence)


def _is_kept(merging: Merging, route: Route, reachable: bool, dropped: bool) -> bool:
    """Whether an unlisted route is kept when addresses are removed; ``dropped`` if the kernel removes it with them.

    It is not kept if it couldn't be added again, or if another link gets it and it can't work here any more.
    """
    ref = merging.wanted.ref
    elsewhere = merging.wishes.get((ref.netns, route.key), ref) != ref
    return not (elsewhere or not reachable) if dropped else not (elsewhere and not reachable)


def _with_wanted(present: t.Iterable[Route], wanted: WantedLink) -> t.Tuple[Route, ...]:
    """Add the wanted routes to the present ones, and remove purged ones."""
    asked = {route.key: route for route in wanted.routes or ()}
    kept = []
    for route in present:
        new = asked.pop(route.key, None)
        if new is not None:
            # Omitted options keep their values, except onlink of another gateway.
            stays = [name for name in new.left_out if name != "onlink" or new.via == route.via]
            merged = dataclasses.replace(new, **{name: getattr(route, name) for name in stays})
            kept.append(route if merged.same(route) else merged)
        elif route.origin != STATIC or not wanted.purge_routes:
            kept.append(route)
    return (*kept, *asked.values())


def drop(editor: FacetEditor, ref: Ref, target: Link) -> None:
    """Plan the removal of routes that ``target`` lacks."""
    keep = [route for route in target.routes if route.origin != KERNEL]
    asked, ways = {route.key for route in keep}, {route.way for route in keep}
    ours = [
        route
        for route in editor.state.links[ref].routes
        if route.origin == STATIC or (route.origin == DYNAMIC and route.key in asked)
    ]
    editor.do(*(RouteDel(ref, route) for route in ours if route.way not in ways))


def _add(editor: FacetEditor, ref: Ref, target: Link) -> None:
    if editor.state.links[ref].values.get("state") == "down":
        return
    keep = [route for route in target.routes if route.origin != KERNEL]
    there = {route.way for route in editor.state.links[ref].routes}
    lacking = {route.way: route for route in keep if route.way not in there}
    # Routes to gateways first: a gateway may be reachable through a route of this list.
    editor.do(*(RouteAdd(ref, route) for route in sorted(lacking.values(), key=lambda route: bool(route.via))))


def _identity(ref: Ref, route: Route) -> t.Hashable:
    return ref.netns, route.key


def _stays(route: Route, event: str) -> bool:
    # fib_disable_ip() and rt6_disable_ip() of the kernel
    return event != DOWN and (event != NO_IPV6 or route.family == 4)


_OPTIONS: Options = {
    "to": {"type": "str", "required": True},
    "via": {"type": "str"},
    "metric": {"type": "int"},
    "table": {"type": "int"},
    "src": {"type": "str"},
    "onlink": {"type": "bool"},
    "mtu": {"type": "int"},
}
FACET = Facet(
    "routes",
    option={"type": "list", "elements": "dict", "options": _OPTIONS},
    read=_read,
    write=_write,
    observe=_observe,
    merge=_merge,
    drop=drop,
    add=_add,
    needs_up=True,
    identity=_identity,
    stays=_stays,
    noun="route",
)
