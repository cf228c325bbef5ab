# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Routes through links: the steps that add and remove them, and what becomes of them."""

from __future__ import annotations

import dataclasses
import errno
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._links.messages import (
    RT_SCOPE_LINK,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_COMPAT,
    RTN_UNICAST,
    RTNH_F_ONLINK,
    RTPROT_STATIC,
    family,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import MAIN_TABLE, Address, Ref, Route
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
