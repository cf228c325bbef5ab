# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host made of a State: what the engine's laws are tested against without a kernel."""

from __future__ import annotations

import dataclasses
import typing as t

from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Host
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import linux_bridge_port, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    OWN,
    Address,
    Link,
    Neighbor,
    Netns,
    Ref,
    Route,
    Vlan,
    WantedLink,
    WantedNetns,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted

NAMESPACES = (OWN, "blue", "green")
NAMES = ("a", "b", "c", "d")
KINDS = ("veth", "linux_bridge", "tuntap", "macvlan", "ifb", "bond", "")
ADDRESSES = ("10.0.0.1/24", "10.0.0.2/24", "10.0.1.1/24", "fd00::1/64", "fd00::1/48", "fd00::2/64")
ROUTES = (
    Route("0.0.0.0/0", "10.0.0.254"),
    Route("0.0.0.0/0", "10.0.0.253"),
    Route("10.9.0.0/16", metric=5),
    Route("10.0.0.254/32"),
    Route("::/0", "fd00::fe", metric=1024),
    Route("10.8.0.0/16", src="10.0.0.1", table=100),
)
NEIGHBORS = (
    Neighbor("10.0.0.9", "02:00:00:00:00:09"),
    Neighbor("10.0.0.9", "02:00:00:00:00:0a"),
    Neighbor("10.0.0.8", "02:00:00:00:00:08", "noarp"),
    Neighbor("fd00::9", "02:00:00:00:00:09", router=True),
    Neighbor("fd00::9", "02:00:00:00:00:09", left_out=("router",)),
    Neighbor("10.0.0.9", proxy=True),
)


class SimulatedHost(Host):
    """Does what the steps say that the kernel does; ``fail_at`` refuses the step of that number."""

    def __init__(self, state: State, fail_at: t.Optional[int] = None) -> None:
        self.first = state
        self.state = state.copy()
        self.fail_at = fail_at
        self.ran: t.List[Step] = []

    def observe(self, wanted: Wanted) -> State:
        seen = self.state.copy()
        for ref, link in self.state.links.items():
            # A bridge whose ports have changed has an MTU and a MAC address again, with the same ports the same ones.
            first = self.first.links.get(ref, link)
            seen.put(link.with_values(**{**first.values, **link.values}) if link.kind == "linux_bridge" else link)
        return seen

    def run(self, batch: t.Sequence[Step]) -> None:
        for number, step in enumerate(batch):
            if len(self.ran) == self.fail_at:
                self.fail_at = None
                refused = Refused(step.describe(), "Injected fault", 5)
                refused.done = batch[:number]
                raise refused
            self.ran.append(step)
            step.simulate(self.state)

    def prepare(self, plan: Plan) -> None:
        """Nothing is recorded."""

    def commit(self, plan: Plan, now: State) -> None:
        """Nothing is recorded."""

    def abandon(self, plan: Plan, now: State) -> None:
        """Nothing is recorded."""


values = st.fixed_dictionaries(
    {},
    optional={
        "mtu": st.sampled_from([1300, 1400, 1500]),
        "mac": st.sampled_from(["02:00:00:00:00:01", "02:00:00:00:00:02"]),
        "txqueuelen": st.sampled_from([0, 1000]),
        "alias": st.sampled_from(["", "some text"]),
        "promisc": st.booleans(),
        "state": st.sampled_from(["up", "down"]),
    },
)
bridge_values = st.fixed_dictionaries(
    {},
    optional={
        "stp": st.booleans(),
        "ageing_time": st.sampled_from([0, 12.34, 300]),
        "vlan_filtering": st.booleans(),
        "vlan_default_pvid": st.sampled_from([0, 1, 7]),
    },
)
tuntap_values = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["tap", "tap", "tun"]),
        "multi_queue": st.booleans(),
        "owner": st.sampled_from(["", "root", "nobody"]),
        "group": st.sampled_from(["", "root"]),
        "packet_info": st.booleans(),
        "vnet_hdr": st.booleans(),
    },
)
macvlan_values = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["private", "vepa", "bridge", "passthru", "source"]),
        "nodst": st.just(True),
        "nopromisc": st.just(True),
        "bcqueuelen": st.sampled_from([1000, 2000]),
        "macaddrs": st.sampled_from([(), ("02:00:00:00:00:09",), ("02:00:00:00:00:08", "02:00:00:00:00:09")]),
    },
)
OWN_VALUES = {"linux_bridge": bridge_values, "tuntap": tuntap_values, "macvlan": macvlan_values}
port_settings = st.fixed_dictionaries(
    {},
    optional={
        "cost": st.sampled_from([2, 100]),
        "priority": st.sampled_from([32, 5]),
        "hairpin": st.booleans(),
        "learning": st.booleans(),
        "isolated": st.booleans(),
    },
)
vlans = st.lists(
    st.builds(Vlan, st.sampled_from([1, 2, 3, 4, 9]), st.none() | st.just(False), st.none() | st.booleans()),
    unique_by=lambda vlan: vlan.vid,
    max_size=4,
).map(lambda found: tuple(sorted(found, key=lambda vlan: vlan.vid)))
addresses = st.lists(st.sampled_from(ADDRESSES), unique=True, max_size=4)
routes = st.lists(st.sampled_from(ROUTES), unique_by=lambda route: route.key, max_size=3)
neighbors = st.lists(st.sampled_from(NEIGHBORS), unique_by=lambda neighbor: neighbor.key, max_size=3)

_DEFAULTS = {"mtu": 1500, "txqueuelen": 1000, "alias": "", "promisc": False, "state": "down", "master": ""}


def _defaults(kind: str) -> t.Dict[str, t.Any]:
    own = registry.KINDS[kind].attributes if kind in registry.KINDS else ()
    return {**_DEFAULTS, **{a.name: a.default for a in own if a.default is not None}}


@st.composite
def states(draw: st.DrawFn) -> State:
    """A host: namespaces with links of all kinds, some of them ports of the bridges beside them."""
    state = State(live_rename=draw(st.booleans()))
    for netns in NAMESPACES:
        if netns == OWN or draw(st.booleans()):
            state.namespaces[netns] = Netns(netns)
            state.put(Link(Ref(netns, "lo"), index=1, values={"state": "up"}))
    free = [Ref(netns, name) for netns in state.namespaces for name in NAMES]
    while free and draw(st.integers(0, 5)):
        ref = free.pop(draw(st.integers(0, len(free) - 1)))
        link = _draw_link(draw, ref, draw(st.sampled_from(KINDS)), len(state.links) + 1)
        if link.kind == "macvlan":
            parents = [other for other in state.links.values() if other.kind in ("veth", "ifb", "linux_bridge")]
            if not parents:
                continue
            parent = draw(st.sampled_from(parents))
            link = link.with_values(mtu=min(link.values["mtu"], parent.values["mtu"]))
            if (
                link.values["mode"] == "passthru"
            ):  # macvlan_common_newlink() gives it the parent's, and they stay the same
                link = link.with_values(mac=parent.values["mac"])
            link = Link(**{**vars(link), "parent": parent.ref})
        if link.kind == "veth" and free:
            peer = free.pop(draw(st.integers(0, len(free) - 1)))
            state.put(_with_peer(_draw_link(draw, peer, "veth", len(state.links) + 2), ref))
            link = _with_peer(link, peer)
        state.put(link)
    _draw_masters(draw, state)
    return state


def _with_peer(link: Link, peer: Ref) -> Link:
    return Link(**{**vars(link), "peer": peer})


def _draw_link(draw: st.DrawFn, ref: Ref, kind: str, index: int) -> Link:
    own = {**_defaults(kind), "mac": "02:00:00:00:01:%02x" % index, **draw(values)}
    if kind == "linux_bridge":
        own["vlan_default_pvid"] = 1
    if kind == "tuntap":
        own["mode"] = "tap"
    own.update(draw(OWN_VALUES.get(kind, st.just({}))))
    if kind in registry.KINDS:
        own = dict(registry.KINDS[kind].normalized(own))
    some = _as_on_a_host(draw(addresses))
    through = [] if own["state"] == "down" else draw(routes)
    hosts = [address.split("/")[0] for address in some]
    through = [r for r in through if r.family == 6 or (any(":" not in a for a in some) and r.src in ("", *hosts))]
    ports = () if kind == "linux_bridge" else None
    beside = tuple(dataclasses.replace(neighbor, left_out=()) for neighbor in draw(neighbors))
    return Link(ref, kind, index, own, tuple(map(Address, some)), tuple(through), beside, ports=ports)


def _as_on_a_host(some: t.Sequence[str]) -> t.List[str]:
    """Without an IPv6 address twice with different prefixes, which the kernel doesn't have."""
    return list({a if "." in a else a.split("/")[0]: a for a in some}.values())


def _draw_masters(draw: st.DrawFn, state: State) -> None:
    for ref, link in list(state.links.items()):
        bridges = [b.ref.name for b in state.links.values() if b.kind == "linux_bridge" and b.ref.netns == ref.netns]
        if bridges and link.kind != "linux_bridge" and ref.name != "lo" and draw(st.booleans()):
            master = draw(st.sampled_from(bridges))
            port = {**linux_bridge_port.DEFAULTS, "cost": 2, **draw(port_settings)}
            has = tuple(Vlan(vlan.vid, False, bool(vlan.untagged)) for vlan in draw(vlans))
            state.put(Link(**{**vars(link.with_values(master=master)), "port": port, "vlans": has}))
            bridge = state.links[Ref(ref.netns, master)]
            state.put(Link(**{**vars(bridge), "ports": tuple(sorted([*(bridge.ports or ()), ref.name]))}))


refs = st.builds(Ref, st.sampled_from(NAMESPACES), st.sampled_from(NAMES))


@st.composite
def wanted_ends(draw: st.DrawFn, kind: str) -> WantedLink:
    own = draw(values)
    ref = draw(refs)
    if draw(st.booleans()):
        others = [name for name in NAMES if name != ref.name]
        own["master"] = draw(st.sampled_from(["", *others]))
    own.update(draw(OWN_VALUES.get(kind, st.just({}))))
    asked = draw(st.none() | addresses.map(_as_on_a_host))
    through = draw(st.none() | routes)
    beside = draw(st.none() | neighbors)
    return WantedLink(
        ref,
        kind,
        values=own,
        addresses=None if asked is None else tuple(asked),
        purge_addresses=asked is not None and draw(st.booleans()),
        routes=None if through is None else tuple(through),
        purge_routes=through is not None and draw(st.booleans()),
        neighbors=None if beside is None else tuple(beside),
        purge_neighbors=beside is not None and draw(st.booleans()),
    )


@st.composite
def wanted_links(draw: st.DrawFn) -> WantedLink:
    kind = draw(st.sampled_from(["veth", "linux_bridge", "tuntap", "macvlan", "ifb", ""]))
    wanted = draw(wanted_ends(kind))._asdict()
    wanted.update(recreate=draw(st.booleans()), made=bool(kind), present=draw(st.integers(0, 4)) > 0)
    if kind == "veth" and draw(st.integers(0, 4)):
        wanted["peer"] = draw(wanted_ends("veth").filter(lambda end: end.ref != wanted["ref"]))
    if kind == "linux_bridge":
        ports = draw(st.none() | st.lists(st.sampled_from([n for n in NAMES if n != wanted["ref"].name]), unique=True))
        wanted["ports"] = None if ports is None else tuple(ports)
        wanted["purge_ports"] = ports is not None and draw(st.booleans())
    elif kind == "macvlan":
        wanted["parent"] = draw(refs if draw(st.integers(0, 2)) else st.none())
        wanted["purge_values"] = ("macaddrs",) if draw(st.booleans()) else ()
    else:
        wanted["move_from"] = draw(st.none() | st.sampled_from(NAMESPACES))
    return WantedLink(**wanted)


@st.composite
def wanted_ports(draw: st.DrawFn) -> WantedLink:
    """A link that is to be a port of a bridge, or no longer."""
    ref, bridge, present = draw(refs), draw(st.sampled_from(NAMES)), draw(st.integers(0, 4)) > 0
    pvid = draw(st.none() | st.sampled_from([1, 9]))
    asked = draw(st.none() | vlans)
    return WantedLink(
        ref,
        made=False,
        present=present,
        values={"master": bridge} if present else {},
        port_of=bridge,
        port=draw(port_settings),
        vlans=None if asked is None else tuple(vlan._replace(pvid=vlan.vid == pvid) for vlan in asked),
        purge_vlans=asked is not None and draw(st.booleans()),
    )


wanted_namespaces = st.builds(
    WantedNetns,
    st.sampled_from(["blue", "green", "red"]),
    present=st.booleans(),
    loopback=st.booleans(),
    sysctls=st.dictionaries(st.sampled_from(["net/ipv4/ip_forward"]), st.sampled_from(["0", "1"])),
)
wanteds = st.one_of(
    st.builds(lambda link: Wanted(links=(link,)), wanted_links()),
    st.builds(lambda link: Wanted(links=(link,)), wanted_ports().filter(lambda link: link.port_of != link.ref.name)),
    st.builds(lambda netns: Wanted(namespaces=(netns,)), wanted_namespaces),
)
