# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Routes through links: their option, the steps that add and remove them, and what becomes of them."""

from __future__ import annotations

import collections
import dataclasses
import errno
import ipaddress
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document, Facet, Options
from ansible_collections.virtnet.linux.plugins.module_utils._links.messages import (
    RT_SCOPE_LINK,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_COMPAT,
    RTN_UNICAST,
    RTNH_F_ONLINK,
    RTPROT_STATIC,
    family,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    IPV6_METRIC,
    MAIN_TABLE,
    STATIC,
    Address,
    Ref,
    Route,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    ROUTE,
    RTM_DELROUTE,
    RTM_NEWROUTE,
    NetlinkError,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import Attributes

DAD_SECONDS = 3.0


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
                # A new IPv6 address can't be a source before the kernel has made sure that no other host has it.
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
        added = (step.route for step in t.cast("t.Sequence[RouteAdd]", alike))
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
    """Take note in a State of what becomes of all routes in a namespace whose sources may have gone."""
    for host in (address.address.split("/")[0] for address in addresses):
        links = [state.links[ref] for ref in state.sourced.get((netns, host), ()) if ref in state.links]
        if links and not state.is_local(netns, host):
            for link in links:
                state.put(dataclasses.replace(link, routes=without_sources(link.routes, {host})))


def without_sources(routes: t.Iterable[Route], hosts: t.Container[str]) -> t.Tuple[Route, ...]:
    """What becomes of routes that prefer a source that goes: of IPv4 they go with it, of IPv6 they forget it.

    See fib_sync_down_addr() and rt6_remove_prefsrc() of the kernel.
    """
    kept = (route for route in routes if route.family == 6 or route.src not in hosts)
    return tuple(dataclasses.replace(route, src="") if route.src in hosts else route for route in kept)


UINT32_MAX = 2**32 - 1
ROUTE_MTU_MAX = 65535 - 15  # ip_metrics_convert() of net/ipv4/metrics.c makes that of any higher one


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
        table=document.get("table") or MAIN_TABLE,  # RT_TABLE_UNSPEC means main to the kernel
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
                "%s: %s %s is out of range; the kernel takes 0 to %d."
                % (where, number, quoted(document[number]), highest)
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


_OPTIONS: Options = {
    "to": {"type": "str", "required": True},
    "via": {"type": "str"},
    "metric": {"type": "int"},
    "table": {"type": "int"},
    "src": {"type": "str"},
    "onlink": {"type": "bool"},
    "mtu": {"type": "int"},
}
FACET = Facet("routes", option={"type": "list", "elements": "dict", "options": _OPTIONS}, read=_read, write=_write)
