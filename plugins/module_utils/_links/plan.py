# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""(observed, wanted) → Plan. Pure: whatever it does, it does to a copy of the observed State.

The planner walks through what is wanted and emits the steps that are missing; each step is simulated at once, with the
kernel's side effects, so that the steps after it see them and make good what should have stayed (the addresses of a
link that had to go down, say). Deletions come last.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted, unquoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import order
from ansible_collections.virtnet.linux.plugins.module_utils._common.values import sysctl_link, sysctl_name, sysctl_told
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Editor, Plan, Planner, Planning
from ansible_collections.virtnet.linux.plugins.module_utils._links import foreseen, steps
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    DYNAMIC,
    KERNEL,
    STATIC,
    Address,
    Link,
    Netns,
    Ref,
    Route,
    Vlan,
    WantedLink,
    WantedNetns,
    former_places,
    in_netns,
    vlan_ranges,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute, Kind
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted


# What Open vSwitch sets of the links that it makes, and the way to give it that.
_KEPT_BY_OVS = {
    "mac": (
        "MAC address",
        "Give it to virtnet.linux.ovs_bridge with option mac (other_config: {hwaddr: ...}).",
    ),
    "mtu": (
        "MTU",
        "Give it to virtnet.linux.ovs_port with option mtu_request; the own port of a bridge has the name of the bridge.",
    ),
}
_REMEDY = "'recreate: true' deletes it and makes a new one."


def make_plan(state: State, wanted: Wanted) -> Plan:
    """The plan that makes a host in ``state`` have the namespaces and links that are ``wanted``.

    Raises BadInput or Conflict when that can't be.
    """
    planner = LinkPlanner(state)
    told = Complaints()
    planner.doomed = {link.ref for link in wanted.links if not link.present and not link.port_of}
    told.attempt(planner.expect, wanted.links)
    # First all that is made, as long as little is up: the kernel makes a link faster then, and many at once.
    for netns in wanted.namespaces:
        told.attempt(planner.namespace, netns)
    placed = [link for link in wanted.links if link.present and not _complained(told, planner.place, link)]
    for netns in wanted.namespaces:
        told.attempt(planner.settle_namespace, netns)
    for link in in_settling_order(placed):
        told.attempt(planner.settle, link)
    told.attempt(planner.check_routes)
    planner.come_up()
    for link in wanted.links:
        if not link.present:
            told.attempt(planner.absent_link, link)
    told.report(*planner.missing)
    planner.last += (functools.partial(planner.settle_again, link) for link in placed)
    plan = planner.plan()
    planner.check_needed()
    planner.check_followers(wanted.links)
    planner.check_macs(wanted.links)
    planner.warn_losses(wanted.links)
    planner.warn_of_ovs()
    return plan


def _complained(told: Complaints, plan: t.Callable[[WantedLink], None], link: WantedLink) -> bool:
    before = len(told.sentences)
    told.attempt(plan, link)
    return len(told.sentences) > before


def make_repair(state: State, target: State, observed: bool) -> t.List[Step]:
    """The steps that give the links of ``state`` back what they have in ``target``, and take away what is new.

    Only for links that are where they belong; it is what remains to be done after an undo. Where ``state`` is not
    ``observed`` but simulated, it doesn't know the MTU and the MAC address of a bridge whose ports have changed, nor
    whether Open vSwitch has made a link promiscuous. They follow back by themselves.
    """
    # A link can't have a greater MTU than the one that it is stacked upon.
    differing: t.Dict[Ref, Link] = {}
    for ref, link in sorted(target.links.items(), key=lambda item: item[1].parent is not None):
        now = state.links.get(ref)
        if now is not None and now is not link and now != link:
            unknown = {name: None for name in ("mtu", "mac", "promisc") if not observed and name not in now.values}
            differing[ref] = link.having(**unknown)
    with state.trial():
        editor = _Editor(state)
        editor.adjust(differing)
    return editor.done


def in_settling_order(links: t.Sequence[WantedLink]) -> t.List[WantedLink]:
    """The links that are to be present, each after what its MTU depends on, and otherwise in their order.

    A link depends on its parent, and where that is a bridge, on the ports of that as well.
    """
    wanted = [link for link in links if link.present]
    by_end: t.Dict[Ref, t.List[WantedLink]] = {}
    by_master: t.Dict[Ref, t.List[WantedLink]] = {}
    for link in wanted:
        for end in link.ends():
            by_end.setdefault(end.ref, []).append(link)
            if end.values.get("master"):
                by_master.setdefault(Ref(end.ref.netns, end.values["master"]), []).append(link)
    parents: t.Set[Ref] = set()

    def depends_on(link: WantedLink) -> t.Iterator[WantedLink]:
        if link.parent and link.parent not in parents:
            parents.add(link.parent)
            below = by_end.get(link.parent, [])
            ports = [Ref(link.parent.netns, name) for parent in below for name in parent.ports or ()]
            yield from by_master.get(link.parent, ())
            yield from (found for ref in ports for found in by_end.get(ref, ()))
            yield from below

    return [*_after_others(wanted, depends_on)]


def _after_others(
    links: t.Iterable[WantedLink], depends_on: t.Callable[[WantedLink], t.Iterator[WantedLink]]
) -> t.Iterator[WantedLink]:
    """Each link once, after those that it depends on. In a circle, one of them comes first."""
    begun: t.Set[int] = set()
    for first in links:
        stack: t.List[t.Tuple[WantedLink, t.Iterator[WantedLink]]] = []
        found: t.Optional[WantedLink] = first if id(first) not in begun else None
        while found or stack:
            if found:
                begun.add(id(found))
                stack.append((found, depends_on(found)))
            found = next((other for other in stack[-1][1] if id(other) not in begun), None)
            if found is None:
                yield stack.pop()[0]


class _Editor(Editor):
    state: State

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._let_go: t.Dict[t.Tuple[str, str], Address] = {}  # by namespace and address
        self._shaken: t.Set[t.Tuple[Ref, Address]] = set()  # may have gone with another one

    def adjust(self, targets: t.Mapping[Ref, Link]) -> None:
        """Make links have the values, addresses and routes of some targets.

        What one link gives up, another one may get, so each of these is done for all links before the next: down, values,
        master, addresses and routes that go; addresses that come; up; routes (which need an address and a link that is up, and
        may prefer the address of another link); and then the values that can't be undone.
        """
        for ref, target in targets.items():
            self._prepare(ref, target)
        self._finish(targets)

    def _prepare(self, ref: Ref, target: Link) -> None:
        if target.values.get("state") == "down":
            self._set(ref, target, "state")
        self._set_values(ref, target)
        self._set_master(ref, target)
        self._drop_addresses(ref, target)
        self._drop_routes(ref, target)

    def _finish(self, targets: t.Mapping[Ref, Link]) -> None:
        for ref, target in targets.items():
            self._add_addresses(ref, target)
        for ref, target in targets.items():
            if target.values.get("state") == "up":
                self._set(ref, target, "state")
        for ref, target in targets.items():
            self._add_routes(ref, target)
        for ref, target in targets.items():
            self._set_values(ref, target, last=True)

    def _set_values(self, ref: Ref, target: Link, last: bool = False) -> None:
        # Nobody knows the kind of a link that Open vSwitch makes until it is there: it may not have what the target has.
        kind = registry.KINDS.get(target.kind) if target.kind == self.state.links[ref].kind else None
        own = kind.attributes if kind else ()
        for attribute in (attribute for attribute in (*own, *common.COMMON) if attribute.last == last):
            if attribute.name not in target.values or self._has(ref, attribute, target):
                continue
            for name, value in attribute.only_while:
                if self.state.links[ref].values.get(name, value) != value:
                    self.do(steps.link_set(self.state.links[ref], name, value))
            self.do(steps.link_set(self.state.links[ref], attribute.name, target.values[attribute.name]))

    def _has(self, ref: Ref, attribute: Attribute, target: Link) -> bool:
        values = self.state.links[ref].values
        return attribute.name in values and attribute.codec.same(values[attribute.name], target.values[attribute.name])

    def _set(self, ref: Ref, target: Link, name: str) -> None:
        if self.state.links[ref].values.get(name) != target.values[name]:
            self.do(steps.link_set(self.state.links[ref], name, target.values[name]))

    def _set_master(self, ref: Ref, target: Link) -> None:
        link = self.state.links[ref]
        if "master" in target.values and link.values.get("master") != target.values["master"]:
            self._make_free(link, target.values["master"])
            self.do(steps.LinkMaster(ref, target.values["master"]))
        if not target.values.get("master"):
            return
        different = {k: v for k, v in target.port.items() if self.state.links[ref].port.get(k) != v}
        if different:
            self.do(steps.PortSet(ref, tuple(sorted(different.items()))))
        if target.vlans is not None:
            self._set_vlans(ref, target.vlans)

    def _make_free(self, link: Link, master: str) -> None:
        """Make sure that the kernel takes a link as a port; for those who know what is to become of others."""

    def _set_vlans(self, ref: Ref, vlans: t.Tuple[Vlan, ...]) -> None:
        # The PVID first: it takes that from the one that was it.
        there = {vlan.vid: vlan for vlan in self.state.links[ref].vlans or ()}
        if any(vlan.pvid and there.get(vlan.vid) != vlan for vlan in vlans):
            there = {vid: vlan._replace(pvid=False) for vid, vlan in there.items()}
        lacking: t.List[Step] = []
        for vlan, last in sorted(vlan_ranges(vlans), key=lambda found: not found[0].pvid):
            if any(there.get(vid) != vlan._replace(vid=vid) for vid in range(vlan.vid, last + 1)):
                lacking.append(steps.VlanAdd(ref, vlan, last))
        self.do(*lacking)
        keep = {vlan.vid for vlan in vlans}
        gone = vlan_ranges([vlan for vlan in self.state.links[ref].vlans or () if vlan.vid not in keep])
        self.do(*(steps.VlanDel(ref, vlan.vid, last) for vlan, last in gone))

    def _drop_addresses(self, ref: Ref, target: Link) -> None:
        keep = {address.address for address in target.addresses}
        there = self.state.links[ref].addresses
        # Backwards, so that secondary addresses go before the primary one that might take them along.
        gone = [a for a in reversed(there) if a.origin == STATIC and a.address not in keep]
        self._shaken.update((ref, address) for address in steps.with_secondaries(there, gone) - set(gone))
        self.do(*(steps.AddressDel(ref, address) for address in gone))
        self._let_go.update(((ref.netns, address.address), address) for address in gone)

    def _add_addresses(self, ref: Ref, target: Link) -> None:
        there = _hosts(self.state.links[ref])
        lacking: t.List[Step] = []
        for address in target.addresses:
            if address.origin != KERNEL and address.address not in there:
                there.add(address.address)
                came = steps.with_broadcast_of(self._let_go.get((ref.netns, address.address)), address)
                lacking.append(steps.AddressAdd(ref, came, again=(ref, address) in self._shaken))
        self.do(*lacking)

    def _drop_routes(self, ref: Ref, target: Link) -> None:
        keep = [route for route in target.routes if route.origin != KERNEL]
        asked, ways = {route.key for route in keep}, {route.way for route in keep}
        ours = [
            route
            for route in self.state.links[ref].routes
            if route.origin == STATIC or (route.origin == DYNAMIC and route.key in asked)
        ]
        self.do(*(steps.RouteDel(ref, route) for route in ours if route.way not in ways))

    def _add_routes(self, ref: Ref, target: Link) -> None:
        if self.state.links[ref].values.get("state") == "down":
            return
        keep = [route for route in target.routes if route.origin != KERNEL]
        there = {route.way for route in self.state.links[ref].routes}
        lacking = {route.way: route for route in keep if route.way not in there}
        # A gateway must be reachable by then, be it through a route of this very list.
        self.do(*(steps.RouteAdd(ref, route) for route in sorted(lacking.values(), key=lambda route: bool(route.via))))


def _host(address: Address) -> str:
    return address.address.split("/")[0]


def _hosts(link: Link) -> t.Set[str]:
    return {address.address for address in link.addresses}


class LinkPlanner(_Editor, Planner):
    """Finds what is to be done to namespaces and links."""

    before: State

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.owned: t.Set[Ref] = set()  # the links that the topology owns
        self.doomed: t.Set[Ref] = set()  # the links that are to be deleted
        self._needed: t.Dict[Ref, Ref] = {}
        self._by_name: t.Dict[str, t.List[Link]] = {}
        self._indexed = 0  # the number of links in there
        self._hosts_coming: t.Set[t.Tuple[str, str]] = set()  # with the links that are finished now
        self._origins: t.Dict[Ref, t.Optional[Link]] = {}  # what a link was before it came to its place
        self._unfinished: t.Dict[Ref, Link] = {}  # what links are to be in the end
        self._coming_up: t.Set[Ref] = set()  # those of them that are down and are to be up
        self._wishes: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], Ref] = {}  # through which link a route is to lead
        self._to_leave: t.Dict[Ref, str] = {}  # the links that are to leave a master, and that
        self._moved: t.Dict[Ref, Ref] = {}  # where links are that have another place or name now
        self._set_aside: t.Dict[Ref, Ref] = {}  # where links are that are deleted in the end, and where they were
        # The values that links get as ports of a bridge that names them.
        self._given: t.Dict[Ref, t.Dict[str, t.Any]] = {}
        self._asked_mtu: t.Dict[Ref, str] = {}  # the words for the options that give links their MTU

    def check_needed(self) -> None:
        """Raises Conflict if the deletions take something along that was wanted."""
        for ref, needed_by in self._needed.items():
            if ref not in self.state.links:
                needed = ", and link %s needs it" % (needed_by,) if needed_by != ref else ""
                raise Conflict("Link %s would go with what is deleted here%s; nothing was changed." % (ref, needed))

    def warn_of_ovs(self) -> None:
        """Tell which ports of Open vSwitch lose their links."""
        gone = self.before.namespaces.keys() - self.state.namespaces.keys()
        lost = {name for netns in gone for name in self.before.namespaces[netns].ovs_ports}
        lost |= {
            ref.name
            for ref, link in self.before.links.items()
            if link.of_ovs == "taken" and ref not in self.state.links
        }
        for name in sorted(lost):
            if self.stays_in_ovs(name):
                self.warnings.append(
                    "Link '%s' is a port of Open vSwitch, which keeps the port without the link; virtnet.linux.ovs_port with "
                    "'state: absent' removes it." % name
                )

    def stays_in_ovs(self, _name: str) -> bool:
        """Whether Open vSwitch keeps a port that loses its link; those who know its database know better."""
        return True

    def check_followers(self, links: t.Iterable[WantedLink]) -> None:
        """Raises Conflict if a link would lose an MTU or MAC address that was wanted to what another one gets."""
        for link in links:
            for end, prefix in zip(link.ends(), ("", "peer.")) if link.present else ():
                there = self.state.links[end.ref].values if end.ref in self.state.links else {}
                for name in ("mtu", "mac"):
                    if name in there and there[name] != end.values.get(name, there[name]):
                        raise Conflict(
                            "Option %s%s of link %s: it can't be %s, because another link that is wanted here makes it %s; "
                            "nothing was changed." % (prefix, name, end.ref, end.values[name], there[name])
                        )

    def check_macs(self, links: t.Iterable[WantedLink]) -> None:
        """Raises Conflict if a link would come up with the MAC address of its parent, or of another link on that."""
        siblings: t.Dict[t.Tuple[t.Any, ...], t.List[Link]] = collections.defaultdict(list)
        for link in self.state.links.values():
            if _has_own_mac(link):
                siblings[link.parent, link.values["mac"]].append(link)
        for wanted in links:
            now, before = self.state.links.get(wanted.ref), self.before.links.get(wanted.ref)
            parent = self.state.links.get(now.parent) if now and now.parent else None
            if not now or not parent or not _has_own_mac(now) or (before and _up_with(before) == _up_with(now)):
                continue
            problem = foreseen.taken_mac(now, parent, siblings[now.parent, now.values["mac"]])
            if problem:
                raise Conflict("Option mac of link %s: %s Nothing was changed." % (now.ref, problem))

    def expect(self, links: t.Iterable[WantedLink]) -> None:
        """Take note of what is going to be asked for. Raises Conflict for a route that is to lead through two links."""
        self._note_leaving(links)
        for end in (end for link in links if link.present for end in link.ends()):
            for route in end.routes or ():
                other = self._wishes.setdefault((end.ref.netns, route.key), end.ref)
                if other != end.ref:
                    raise Conflict(
                        "Option routes of link %s and of link %s: both have a route %s with the same metric and table, of "
                        "which there can be one; nothing was changed." % (other, end.ref, route)
                    )

    def _note_leaving(self, links: t.Iterable[WantedLink]) -> None:
        for link in links:
            for end in link.ends():
                there = self.state.links.get(end.ref)
                if there and (end.values.get("master") == "" or (end.port_of and not end.present)):
                    self._to_leave[end.ref] = end.port_of or there.values.get("master", "")
            bridge = self.state.links.get(link.ref)
            for name in bridge.ports or () if bridge and (link.purge_ports or not link.present) else ():
                if name not in (link.ports or ()):
                    self._to_leave[Ref(link.ref.netns, name)] = link.ref.name

    def check_routes(self) -> None:
        """Raises Conflict if a route that is wanted through one link leads through another one, and stays there."""
        through: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], Ref] = {}
        for link in self.state.links.values() if self._wishes else ():
            for route in link.routes:
                through[link.ref.netns, route.key] = link.ref
        for (netns, key), ref in self._wishes.items():
            other = through.get((netns, key), ref)
            there = self.state.links[ref].routes if ref in self.state.links else ()
            if other != ref and not any(route.key == key for route in there):
                raise Conflict(
                    "Option routes of link %s: a route to %s with the same metric and table leads through link %s already; "
                    "nothing was changed. Give another metric, or remove that one first (purge_routes)."
                    % (ref, key[0], other)
                )
            if other == ref:
                self._check_unseen(netns, key, ref)

    def _check_unseen(self, netns: str, key: t.Tuple[str, int, int], ref: Ref) -> None:
        """Something is missing for a route that leads elsewhere, where nothing else is known of that link's routes."""
        for name in sorted(self.before.routed.get((netns, key), ())):
            known = self.before.links.get(Ref(netns, name))
            if not known or all(route.key != key for route in known.routes):
                self.missing.append(
                    "Option routes of link %s: there is a route to %s with the same metric and table already, %s. Remove that one "
                    "first, or give another metric."
                    % (ref, key[0], "through link '%s'" % name if name else "through no link or several ones")
                )

    def warn_losses(self, links: t.Iterable[WantedLink]) -> None:
        """Warn of the addresses and routes that go although nobody has asked for that."""
        ends = {end.ref: end for link in links if link.present for end in link.ends()}
        wanted = {(end.ref.netns, address) for end in ends.values() for address in end.addresses or ()}
        aside = {*self._set_aside.values()}
        for place, link in self.before.links.items():
            ref = self._moved.get(place, place)
            now = self.state.links.get(ref)
            if now is None or now is link or place in aside:
                continue
            end = ends.get(ref)
            keys, hosts = {route.key for route in now.routes}, {_host(address) for address in now.addresses}
            addresses = [
                address.address
                for address in link.addresses
                if address.origin != KERNEL and _host(address) not in hosts
                if not (end and end.purge_addresses and address.origin == STATIC)
                if (place.netns, address.address) not in wanted
            ]
            routes = [
                "route " + str(route)
                for route in link.routes
                if route.origin != KERNEL and route.key not in keys
                if not (end and end.purge_routes and route.origin == STATIC)
                if (place.netns, route.key) not in self._wishes
            ]
            if addresses or routes:
                self.warnings.append(
                    "%s loses %s, %s." % (_a(link, True), ", ".join([*addresses, *routes]), _reason(link, now))
                )

    # Namespaces

    def namespace(self, wanted: WantedNetns) -> None:
        """Make a namespace, or remove it in the end."""
        exists = wanted.name in self.state.namespaces
        if wanted.present and not exists:
            self.do(steps.NetnsAdd(wanted.name))
        if wanted.present:
            # Links that are made in it afterwards are to have what it says of new links.
            self._sysctls(wanted, of_links=False)
        elif exists:
            self.last.append(functools.partial(self.do, steps.NetnsDel(wanted.name)))

    def settle_namespace(self, wanted: WantedNetns) -> None:
        """Give a namespace that is there what is wanted of it."""
        if not wanted.present:
            return
        loopback = Ref(wanted.name, "lo")
        target = self.state.links[loopback].having(state="up" if wanted.loopback else "down")
        self._set(loopback, target, "state")
        self._sysctls(wanted, of_links=True)

    def _sysctls(self, wanted: WantedNetns, of_links: bool) -> None:
        """Set those sysctls that belong to links, or the others."""
        asked = {key: value for key, value in wanted.sysctls.items() if bool(sysctl_link(key)) == of_links}
        # The kernel gives other sysctls new values with some, whatever they were.
        for key in sorted(asked, key=order):
            value, current = asked[key], self.state.namespaces[wanted.name].sysctls.get(key)
            if current is None and self._was_there(wanted.name, sysctl_link(key)):
                self.missing.append(
                    "There is no sysctl %s in namespace '%s' that could be read (option sysctls)."
                    % (sysctl_name(key), wanted.name)
                )
            elif current is None or sysctl_told(current) != sysctl_told(value):
                self.do(steps.Sysctl(wanted.name, key, value))

    def _was_there(self, netns: str, link: str) -> bool:
        """Whether a namespace was there before, and where a link is given, that as well or it isn't there even now."""
        ref = Ref(netns, link)
        return netns in self.before.namespaces and (not link or ref in self.before.links or ref not in self.state.links)

    def _need_netns(self, name: str, option: str, link: WantedLink) -> None:
        if name and name not in self.state.namespaces:
            problem = foreseen.no_namespace(self.state, name)
            if problem:
                raise BadInput("Option %s of link '%s': %s" % (option, link.ref.name, problem))
            what = "There is nothing at the path" if name.startswith("/") else "There is no network namespace"
            self.missing.append(
                "%s '%s' (option %s); make it first, for instance with virtnet.linux.netns." % (what, name, option)
            )
            self.state.namespaces[name] = Netns(name)

    # Links

    def place(self, wanted: WantedLink) -> None:
        """Make a link, or bring it to where it belongs."""
        self.missing += wanted.missing
        self._need_netns(wanted.ref.netns, "netns", wanted)
        if wanted.peer and wanted.peer.ref == wanted.ref:
            raise BadInput("Option peer of %s %s: a %s can't be its own peer." % (wanted.kind, wanted.ref, wanted.kind))
        if wanted.peer:
            self._need_netns(wanted.peer.ref.netns, "peer.netns", wanted.peer)
        if wanted.parent:
            self._leave_master(wanted.parent)
            self._need_parent(wanted, wanted.parent)
        place = self._find(wanted)
        self.found.setdefault(wanted.ref, place)
        if place is None:
            self._check_alone(wanted, wanted.values, wanted.parent)
            self._create(wanted)
        else:
            link = self.state.links[place]
            why = self._fixed(wanted, link)
            self._origins.setdefault(wanted.ref, self._remake(wanted, link, why) if why else link)
            if not why:
                self._relocate(place, wanted.ref, wanted.recreate)
            if wanted.peer:
                place = self._peer_place(wanted)
                self.found.setdefault(wanted.peer.ref, place)
                self._origins[wanted.peer.ref] = self.state.links.get(place)
                self._relocate(place, wanted.peer.ref, wanted.recreate)

    def settle(self, wanted: WantedLink) -> None:
        """Give a link that is in its place what is wanted of it, in addition to what others have wanted of it before."""
        told = Complaints()
        for end, prefix in zip(wanted.ends(), ("", "peer.")):
            told.attempt(self._converge, end, self._origins.pop(end.ref, None), prefix)
        told.report()

    def come_up(self) -> None:
        """Finish the links when all are settled: those last that are down and are to be up, and of these the bridges.

        So no link gets an address or a route that another one has still to give up, and nothing gets through too early. And
        ports that don't forward yet don't hand what each new link announces to hundreds of others, which keeps the kernel from
        all else.
        """

        def rank(item: t.Tuple[Ref, Link]) -> int:
            kind = registry.KINDS.get(item[1].kind)
            return 1 + (kind.rank if kind else 0) if item[0] in self._coming_up else 0

        self._hosts_coming = {
            (ref.netns, _host(address)) for ref, target in self._unfinished.items() for address in target.addresses
        }
        self._bystanders()
        targets = {ref: self._with_sources(ref, target) for ref, target in self._unfinished.items()}
        self._finish(dict(sorted(targets.items(), key=rank)))

    def _bystanders(self) -> None:
        """See to the links that nobody speaks of, whose routes have lost their source to another link."""
        for ref in {ref for links in self.state.sourced.values() for ref in links}:
            before, now = self.before.links.get(ref), self.state.links.get(ref)
            if before and now and before.routes != now.routes and ref not in self._unfinished:
                target = self._with_sources(ref, dataclasses.replace(now, routes=before.routes))
                self._drop_routes(ref, target)
                self._unfinished[ref] = target

    def _with_sources(self, ref: Ref, target: Link) -> Link:
        """What a link is to be, without routes that nobody asks for and that prefer a source that is nowhere any more."""
        sources = {
            route.src for route in target.routes if route.src and self._wishes.get((ref.netns, route.key)) != ref
        }
        lost = {host for host in sources if not self._will_be_local(ref.netns, host)}
        lost = {host for host in lost if self.before.is_local(ref.netns, host)}
        return dataclasses.replace(target, routes=steps.without_sources(target.routes, lost)) if lost else target

    def _will_be_local(self, netns: str, host: str) -> bool:
        return self.state.is_local(netns, host) or (netns, host) in self._hosts_coming

    def settle_again(self, wanted: WantedLink) -> None:
        """Give links the MTU and the MAC address that the user asks for, where they have followed those of other links."""
        for end, prefix in zip(wanted.ends(), ("", "peer.")):
            link = self.state.links.get(end.ref)
            followed = {name: end.values[name] for name in ("mtu", "mac") if name in end.values}
            if link and followed:
                if "mtu" in followed and link.values.get("mtu") != followed["mtu"]:
                    self._check_below(link, followed["mtu"], prefix)
                self._set_values(end.ref, dataclasses.replace(link, values=followed))

    def _fixed(self, wanted: WantedLink, link: Link) -> t.Dict[str, str]:
        """The options that can't be brought to what is wanted in place, and why."""
        kind = registry.KINDS.get(link.kind)
        why = kind.fixed(link.values, wanted.values, bool(link.users)) if kind else {}
        if wanted.parent and link.parent != wanted.parent:
            why["parent"] = "it is on %s, and the kernel never gives it another one" % (
                "link %s" % (link.parent,) if link.parent else "a link that can't be reached from this host"
            )
        return why

    def _remake(self, wanted: WantedLink, link: Link, why: t.Mapping[str, str]) -> Link:
        """Make a link again, if the user allows it, and return what the new one takes over from it."""
        reasons = "; ".join("%s (%s)" % reason for reason in why.items())
        if not wanted.made:
            raise Conflict(
                "%s can't be changed in place: %s. No changes were made; virtnet.linux.%s can make it again with "
                "'recreate: true'." % (_a(link, True), reasons, link.kind)
            )
        kind = registry.KINDS[wanted.kind]
        if not wanted.recreate:
            raise Conflict(
                "%s can't be changed in place: %s. Nothing was changed; %s" % (_a(link, True), reasons, _REMEDY)
            )
        exclusive = _exclusive(link) or kind.exclusive_parent({**link.values, **wanted.values})
        if exclusive:
            link = link.having(mac=None)  # one of the two has that of its parent
        values = kind.settled({**link.values, **wanted.values})
        parent = wanted.parent or link.parent
        if kind.has_parent and parent is None:
            raise Conflict("%s can't be made again without option parent: its parent isn't known." % _a(link, True))
        if exclusive:
            self._check_alone(wanted, values, parent, link.ref)
            self._delete(link.ref)
        else:
            self._aside(link, True, reasons)
        if wanted.ref in self.state.links:
            self._aside(self.state.links[wanted.ref], True, "%s is in the way" % _a(self.state.links[wanted.ref]))
        self._create(dataclasses.replace(wanted, values=values, parent=parent))
        return link

    def _check_alone(
        self, wanted: WantedLink, values: t.Mapping[str, t.Any], parent: t.Optional[Ref], old: t.Optional[Ref] = None
    ) -> None:
        """Raises Conflict where one that wants its parent alone would share it, as far as can be seen from there."""
        lower = self.state.links.get(parent) if parent else None
        if lower is None:
            return
        master = Ref(lower.ref.netns, lower.values.get("master", ""))
        others = (there for there in self._stacked_upon(lower.ref) if there.ref not in (old, master))
        # One that wants its parent alone has it alone, so that the first one tells.
        for there in itertools.islice(others, 1):
            when = registry.KINDS[wanted.kind].exclusive_parent(values) or _exclusive(there)
            if when:
                raise Conflict(
                    "Link %s can't share its parent %s with link %s: %s, a link has its parent alone."
                    % (wanted.ref, lower.ref, there.ref, when)
                )

    def _find(self, wanted: WantedLink) -> t.Optional[Ref]:
        """Where the wanted link is now, if it is; what has to be out of its way is set aside."""
        here = self.state.links.get(wanted.ref)
        former = self._former(wanted)
        if here and former:
            raise Conflict(
                "Option rename_from of link %s: there are %s and %s; delete one of them, or leave out rename_from. Nothing "
                "was changed." % (wanted.ref, _a(here), _a(former))
            )
        if here and self._fits(here, wanted, wanted.kind):
            if not wanted.peer or here.peer:
                return here.ref
            self._aside(here, wanted.recreate, "the other end of %s can't be reached from this host" % _a(here))
        if former and self._fits(former, wanted, wanted.kind, "option rename_from of link %s: " % (wanted.ref,)):
            return former.ref
        return self._find_by_peer(wanted) or self._find_elsewhere(wanted)

    def _find_by_peer(self, wanted: WantedLink) -> t.Optional[Ref]:
        other = self.state.links.get(wanted.peer.ref) if wanted.peer else None
        if other and self._fits(other, wanted, wanted.kind):
            if self._is_pair(wanted, other):
                return other.peer
            self._aside(other, wanted.recreate, _taken(other, wanted))
        return None

    def _find_elsewhere(self, wanted: WantedLink) -> t.Optional[Ref]:
        if wanted.move_from is None:
            return None
        self._need_netns(wanted.move_from, "move_from", wanted)
        there = self.state.links.get(Ref(wanted.move_from, wanted.ref.name))
        if there and wanted.kind and there.kind != wanted.kind:
            raise Conflict("%s is not a %s; it was not moved." % (_a(there, True), wanted.kind))
        return there.ref if there else None

    def _former(self, wanted: WantedLink) -> t.Optional[Link]:
        """The link that still has the name which option rename_from gives."""
        places = (self.state.links.get(ref) for ref in former_places(wanted))
        return next((link for link in places if link), None)

    def _is_pair(self, wanted: WantedLink, peer: Link) -> bool:
        """Whether a link with the name of the peer is one end of the wanted pair, of which the other end is elsewhere.

        That has kept its name in another namespace; or rename_from has its name; or the topology owns the pair. Any
        other pair could be anybody's.
        """
        other = peer.peer
        if other is None:
            return False
        return other.name in (wanted.ref.name, wanted.rename_from) or bool({other, peer.ref} & self.owned)

    def _fits(self, link: Link, wanted: WantedLink, kind: str, option: str = "") -> bool:
        if not kind or link.kind == kind:
            return True
        if not wanted.made:
            raise Conflict("%s is not a %s (option kind); nothing was changed." % (_a(link, True), unquoted(kind)))
        self._aside(link, wanted.recreate, "%s%s is not a %s" % (option, _a(link), kind))
        return False

    def _aside(self, link: Link, allowed: bool, problem: str) -> None:
        """Take a link out of the way, to be deleted in the end. Raises Conflict unless the user allowed it."""
        if not allowed:
            raise Conflict(
                "%s, and nothing was changed. Choose another name, or delete it first; %s" % (_upper(problem), _REMEDY)
            )
        if link.ref.name == "lo" or not link.kind:
            raise Conflict("%s; %s." % (_upper(problem), _undeletable(link)))
        self._warn_users(link)
        aside = Ref(link.ref.netns, "vnaside%x" % link.index)
        self._set_aside[aside] = link.ref
        self.do(steps.LinkAside(link.ref, aside.name))
        self.last.append(functools.partial(self._delete, aside, silent=True))

    def _delete(self, ref: Ref, silent: bool = False) -> None:
        if ref in self.state.links:  # a pair may have lost it with its other end
            link = self.state.links[ref]
            if not silent:
                self._warn_users(link)
            self.do(steps.LinkDel(link, silent))

    def _warn_users(self, link: Link) -> None:
        ends = [link, *([self.state.links[link.peer]] if link.peer in self.state.links else [])]
        stacked = {name for end in ends for name in end.uppers if name != end.values.get("master")}
        for name in sorted(stacked):
            self.warnings.append("%s takes link '%s' with it, which is stacked upon it." % (_a(link, True), name))
        if link.users:
            self.warnings.append(
                "%s is held open by %s; its deletion cuts that off." % (_a(link, True), " and ".join(link.users))
            )

    def _create(self, wanted: WantedLink) -> None:
        kind = registry.KINDS.get(wanted.kind)
        missing = kind.lacking(wanted.values, wanted.parent is not None) if kind else []
        if not wanted.made:
            self._placeholder(
                wanted,
                "There is no link %s, and this module never makes one; a link is made by the module of its kind.",
            )
        elif registry.KINDS[wanted.kind].paired and not wanted.peer:
            self._placeholder(
                wanted, "There is no " + wanted.kind + " %s; to make it, its peer must be given with option peer."
            )
        elif missing:
            self._placeholder(
                wanted, "There is no " + wanted.kind + " %s; to make it, give option " + " and ".join(missing) + "."
            )
        else:
            new = self._newborn(wanted)
            peer = self._newborn(wanted.peer) if wanted.peer else None
            if peer:
                new = dataclasses.replace(new, peer=peer.ref)
                peer = dataclasses.replace(peer, peer=new.ref, kind=new.kind)
            self.do(steps.LinkAdd(new, peer))

    def _placeholder(self, wanted: WantedLink, sentence: str) -> None:
        why = self.state.not_here.get(wanted.ref.name)
        told = "There is no link %s. %s" % (wanted.ref, why) if why else sentence % (wanted.ref,)
        take = " To take that one, give 'move_from: %s'." if wanted.move_from is None else ""
        self.missing.append(told + self._elsewhere(wanted.ref, wanted.kind, take))
        self.state.put(Link(wanted.ref, wanted.kind))

    def _elsewhere(self, ref: Ref, kind: str, take: str = "") -> str:
        """A sentence on a link of the same name in another namespace; ``take`` says how to take it from there."""
        if self._indexed != len(self.state.links):
            self._indexed, self._by_name = len(self.state.links), {}
            for there in self.state.links.values():
                self._by_name.setdefault(there.ref.name, []).append(there)
        for there in self._by_name.get(ref.name, ()):
            if there.ref.netns != ref.netns and (not kind or there.kind == kind):
                where = in_netns(there.ref.netns) or " in the namespace that the module runs in"
                return " There is one of that name%s.%s" % (where, take and take % (there.ref.netns or '""'))
        return ""

    def _newborn(self, wanted: WantedLink) -> Link:
        kind = registry.KINDS.get(wanted.kind)
        values = {a.name: wanted.values[a.name] for a in common.born_with(kind) if a.name in wanted.values}
        ports = () if kind and kind.has_ports else None
        return Link(wanted.ref, wanted.kind, values=values, parent=wanted.parent, ports=ports)

    def _peer_place(self, wanted: WantedLink) -> Ref:
        place = self.state.links[wanted.ref].peer
        if place is None or place not in self.state.links:
            raise Conflict("The other end of %s can't be reached from this host." % _a(self.state.links[wanted.ref]))
        return place

    def _relocate(self, place: Ref, to: Ref, recreate: bool) -> None:
        """Bring the link at ``place`` to where it belongs, under its name."""
        if place == to:
            return
        self._moved[place] = to
        occupant = self.state.links.get(to)
        link = self.state.links[place]
        if occupant:
            self._aside(occupant, recreate, "link %s should become %s, but that is %s" % (place, to, _a(occupant)))
        if place.netns != to.netns:
            if link.kind in registry.KINDS and registry.KINDS[link.kind].netns_local:
                raise Conflict(
                    "%s can't be moved: the kernel keeps a %s in its namespace." % (_a(link, True), link.kind)
                )
            self.do(steps.LinkMove(place, to))
            return
        if not self.state.live_rename and link.values.get("state") == "up":
            self.do(steps.link_set(link, "state", "down"))
        self.do(steps.LinkRename(place, to.name))

    def _converge(self, wanted: WantedLink, origin: t.Optional[Link], prefix: str) -> None:
        """Give a link that is in its place what is wanted of it; ``origin`` is what it was before it came there.

        ``prefix`` is that of the options that the wish comes from.
        """
        link = self.state.links[wanted.ref]
        moved = origin is not None and origin.ref.netns != wanted.ref.netns
        base = self._unfinished.get(wanted.ref) or origin or link
        if moved:
            base = dataclasses.replace(base.having(master=""), addresses=(), routes=(), port={}, vlans=None)
        kind = registry.KINDS.get(link.kind)
        given = self._given.get(wanted.ref, {})
        merged = _merge_values({**base.values, **given}, wanted, kind)
        values = self._without_followers(merged, wanted, link)
        problem = kind.problem(values) if kind else ""
        addresses = _merge_addresses(base.addresses, wanted)
        target = dataclasses.replace(
            base,
            ref=wanted.ref,
            parent=link.parent,
            kind=link.kind,
            values=values,
            addresses=addresses,
            routes=self._merge_routes(base, addresses, wanted, prefix),
            port={**(base.port if values.get("master") == base.values.get("master") else {}), **wanted.port},
            vlans=base.vlans if values.get("master") == base.values.get("master") else None,
        )
        told = Complaints()
        told.note("Link %s: %s" % (wanted.ref, problem) if problem else "")
        if wanted.routes and values.get("state") == "down":
            told.note(
                "Option %sroutes of link %s: routes need a link that is up, and this one is down; give 'state: up'."
                % (prefix, wanted.ref)
            )
        if "mtu" in wanted.values:
            self._asked_mtu[wanted.ref] = "option %smtu of link %s" % (prefix, wanted.ref)
        told.attempt(self._check_maker, wanted, base, link, prefix)
        told.attempt(self._check_mtu, target, wanted, origin, prefix)
        told.attempt(self._need_master, wanted, link, prefix)
        told.note(foreseen.no_ipv6(self.state, target, origin is None or moved, prefix))
        told.note(foreseen.unsupported(self.state, wanted))
        told.note(foreseen.no_setting(self.before.links.get(wanted.ref), wanted))
        told.report()
        self._needed[wanted.ref] = wanted.ref
        if target.parent:
            self._needed[target.parent] = wanted.ref
        self._prepare(wanted.ref, target)
        self._hold_mtu(wanted)
        self._unfinished[wanted.ref] = target
        if wanted.values.get("state") == "up" and link.values.get("state") == "down":
            self._coming_up.add(wanted.ref)
        if wanted.vlans is not None:
            self._set_vlans(wanted.ref, self._merge_vlans(wanted))
        if wanted.ports is not None or wanted.ports_promisc is not None:
            self._ports(wanted, wanted.ports or ())
            self.settle_again(wanted)

    def _check_maker(self, wanted: WantedLink, base: Link, link: Link, prefix: str) -> None:
        """Raises Conflict for values that Open vSwitch would replace at once, or with the next change of its bridge."""
        owned = {"bridge": ("mac", "mtu"), "port": ("mtu",)}.get(link.of_ovs, ())
        for name in owned:
            if wanted.values.get(name, base.values.get(name)) != base.values.get(name):
                raise Conflict(
                    "Option %s%s of link %s: Open vSwitch made this link and sets its %s itself, so that %s would not stay. %s "
                    "No changes were made."
                    % (prefix, name, wanted.ref, _KEPT_BY_OVS[name][0], wanted.values[name], _KEPT_BY_OVS[name][1])
                )

    def _merge_routes(
        self, base: Link, addresses: t.Tuple[Address, ...], wanted: WantedLink, prefix: str
    ) -> t.Tuple[Route, ...]:
        """The routes that a link is to have: what is wanted, and what it has, as far as that can stay with its addresses."""
        lost = {_host(address) for address in base.addresses} - {_host(address) for address in addresses}
        routes = _merge_routes(steps.without_sources(base.routes, lost), wanted)
        asked = {route.key for route in wanted.routes or ()}
        if not lost and not asked:
            return routes
        near = Near(addresses, routes)
        # Addresses that go do so before others come.
        left = {_host(address) for address in base.addresses} - lost
        dropped = any(":" not in host for host in lost) and all(":" in host for host in left)
        kept = []
        for route in routes:
            if route.key in asked:
                if not near.reaches(route) and not any(route.same(other) for other in base.routes):
                    self._need_gateway(base, wanted, route, prefix)
                kept.append(route)
            elif not lost or self._stays(wanted.ref, route, near.reaches(route), dropped and route.family == 4):
                kept.append(route)
        return tuple(kept)

    def _need_gateway(self, base: Link, wanted: WantedLink, route: Route, prefix: str) -> None:
        """Something is missing for a route whose gateway can't be reached. Raises BadInput if it could be until now."""
        sentence = (
            "Option %sroutes of link %s: the gateway of the route %s can't be reached, because no address of the link is in its "
            "network, and no other route through the link leads there. Add one, or give 'onlink: true'."
            % (prefix, wanted.ref, route)
        )
        if Near(base.addresses, base.routes).reaches(route):
            raise BadInput(sentence)
        self.missing.append(sentence)

    def _stays(self, ref: Ref, route: Route, reachable: bool, dropped: bool) -> bool:
        """Whether a route that nobody asks for stays where addresses go; ``dropped`` if the kernel drops it with them.

        It doesn't if it couldn't be added again, nor if it is to lead through another link and can't work here any more.
        """
        elsewhere = self._wishes.get((ref.netns, route.key), ref) != ref
        return not (elsewhere or not reachable) if dropped else not (elsewhere and not reachable)

    def _without_followers(self, values: t.Dict[str, t.Any], wanted: WantedLink, link: Link) -> t.Dict[str, t.Any]:
        """The values of a link without those that nobody asks for and that follow other links, its ports or its parent."""
        kind = registry.KINDS.get(link.kind)
        below = self.state.links.get(link.parent) if link.parent else None
        loose = kind.follows(values, below.values if below else None) if kind else set()
        return {name: value for name, value in values.items() if name in wanted.values or name not in loose}

    def _hold_mtu(self, wanted: WantedLink) -> None:
        """Make a new master that follows its ports keep an MTU that it has anyway. A bridge does so when that was changed."""
        master, mtu = self.state.links[wanted.ref], wanted.values.get("mtu")
        kind = registry.KINDS.get(master.kind)
        if mtu is None or master.keeps_mtu is not False or not kind or "mtu" not in kind.follows(master.values, None):
            return
        before = self.before.links.get(wanted.ref)
        if before is None or before.kind != master.kind:
            # Not below what IPv6 needs.
            self.do(steps.link_set(master, "mtu", mtu + 1 if mtu < common.DEFAULT_MTU else mtu - 1))
            self.do(steps.link_set(master, "mtu", mtu))

    def _check_below(self, link: Link, mtu: int, prefix: str) -> None:
        """Raises BadInput for an MTU that is greater than that of the link's parent."""
        below = self.state.links.get(link.parent) if link.parent else None
        if below and mtu > below.values.get("mtu", mtu):
            source = self._asked_mtu.get(below.ref, "link %s" % (below.ref,))
            raise BadInput(
                "Option %smtu of link %s: %d is more than its parent has, which is %d (%s)."
                % (prefix, link.ref, mtu, below.values["mtu"], source)
            )

    def _check_mtu(self, target: Link, wanted: WantedLink, origin: t.Optional[Link], prefix: str) -> None:
        mtu = wanted.values.get("mtu")
        if mtu is None:
            return
        self._check_below(target, mtu, prefix)
        if origin and mtu == origin.values.get("mtu"):
            return
        where = "Option %smtu of link %s" % (prefix, wanted.ref)
        problem = foreseen.bad_mtu(target, origin)
        if problem:
            raise BadInput("%s: %s" % (where, problem))
        for link in (target, *self.state.children(wanted.ref)) if mtu < common.IPV6_MIN_MTU else ():
            six = [address.address for address in link.addresses if address.family == 6 and address.origin == STATIC]
            six += [str(route) for route in link.routes if route.family == 6 and route.origin == STATIC]
            if six:
                which = "this one" if link is target else "link %s, which follows it," % (link.ref,)
                raise BadInput(
                    "%s: below %d the kernel takes all of IPv6 off a link, and %s has %s; remove that first."
                    % (where, common.IPV6_MIN_MTU, which, ", ".join(six))
                )

    def _need_master(self, wanted: WantedLink, link: Link, prefix: str) -> None:
        name = wanted.values.get("master")
        if not name:
            return
        ref = Ref(wanted.ref.netns, name)
        master = self.state.links.get(ref)
        if master is None:
            self.missing.append(
                "There is no link %s that could be the master of '%s' (option %s); make it first, for instance "
                "with virtnet.linux.%s.%s"
                % (
                    ref,
                    wanted.ref.name,
                    "bridge" if wanted.port_of else prefix + "master",
                    registry.DEFAULT_MASTER,
                    self._elsewhere(ref, ""),
                )
            )
            self.state.put(Link(ref, registry.DEFAULT_MASTER))
        else:
            self._check_port(master, link, "bridge" if wanted.port_of else prefix + "master")

    def _make_free(self, link: Link, master: str) -> None:
        """Delete the links upon one that is to be a port, if they are to go anyway."""
        for child in [*self._stacked_upon(link.ref)] if master else ():
            if child.ref in self.doomed:
                self._delete(child.ref)

    def _leave_master(self, ref: Ref) -> None:
        """Take a link that is to be a parent out of its master before, where that is wanted anyway."""
        parent = self.state.links.get(ref)
        if parent and parent.values.get("master") and self._to_leave.get(ref) == parent.values["master"]:
            self._given.setdefault(ref, {})["master"] = ""
            self.do(steps.LinkMaster(ref, ""))

    def _need_parent(self, wanted: WantedLink, ref: Ref) -> None:
        self._need_netns(ref.netns, "parent_netns", wanted)
        if ref == wanted.ref:
            raise BadInput("Option parent of link %s: a link can't be its own parent." % (ref,))
        parent = self.state.links.get(ref)
        if parent is None:
            self.missing.append(
                "There is no link %s that could be the parent of '%s' (option parent).%s"
                % (ref, wanted.ref.name, self._elsewhere(ref, "", " For that one, give 'parent_netns: %s'."))
            )
            self.state.put(Link(ref))
            return
        problem = foreseen.busy_parent(self.state, parent, wanted) if self._new_upon(wanted, ref) else ""
        if problem:
            raise Conflict(problem)
        unfit = foreseen.no_parent(parent, wanted)
        if unfit:
            raise Conflict("%s can't be the parent of '%s': %s" % (_a(parent, True), wanted.ref.name, unfit))

    def _new_upon(self, wanted: WantedLink, parent: Ref) -> bool:
        """Whether a link would be stacked upon a parent that it isn't upon yet."""
        link = self.state.links.get(wanted.ref)
        if link is None and wanted.move_from is not None:
            link = self.state.links.get(Ref(wanted.move_from, wanted.ref.name))
        return link is None or link.parent != parent

    def _merge_vlans(self, wanted: WantedLink) -> t.Tuple[Vlan, ...]:
        if wanted.vlans and not self.state.port_vlans:
            raise Conflict(
                "Option vlans of port %s: this kernel doesn't tell of VLANs. It takes Linux 5.7 or newer with "
                "CONFIG_BRIDGE_VLAN_FILTERING." % (wanted.ref,)
            )
        there = {vlan.vid: vlan for vlan in self.state.links[wanted.ref].vlans or ()}
        merged = {} if wanted.purge_vlans else dict(there)
        for vlan in wanted.vlans or ():
            old = there.get(vlan.vid, Vlan(vlan.vid))
            if vlan.pvid:
                merged = {vid: other._replace(pvid=False) for vid, other in merged.items()}
            merged[vlan.vid] = Vlan(
                vlan.vid,
                old.pvid if vlan.pvid is None else vlan.pvid,
                old.untagged if vlan.untagged is None else vlan.untagged,
            )
        return tuple(sorted(merged.values()))

    def _ports(self, wanted: WantedLink, ports: t.Tuple[str, ...]) -> None:
        bridge = wanted.ref
        for name in ports:
            ref = Ref(bridge.netns, name)
            if ref not in self.state.links:
                self.missing.append(
                    "There is no link %s that could become a port of '%s' (option ports).%s"
                    % (ref, bridge.name, self._elsewhere(ref, ""))
                )
                self.state.put(Link(ref))
            port = self.state.links[ref]
            self._check_port(self.state.links[bridge], port, "ports")
            self._needed[ref] = bridge
            self._set_promisc(ref, wanted.ports_promisc)
            self._given.setdefault(ref, {})["master"] = bridge.name
            if port.values.get("master") != bridge.name:
                self._make_free(port, bridge.name)
                self.do(steps.LinkMaster(ref, bridge.name))
        listed = set(ports)
        for name in self.state.links[bridge].ports or ():
            if name in listed or not wanted.purge_ports:
                self._set_promisc(Ref(bridge.netns, name), wanted.ports_promisc)
            else:
                self._release(Ref(bridge.netns, name), wanted)
        count = len(self.state.links[bridge].ports or ())
        problem = registry.KINDS[wanted.kind].ports_problem(count)
        if problem:
            raise BadInput("Option ports of link %s: that makes %d ports, and %s" % (bridge, count, problem))

    def _check_port(self, master: Link, port: Link, option: str) -> None:
        if port.values.get("master") != master.ref.name:
            unfit = foreseen.no_master(port, master)
            if unfit:
                raise Conflict(
                    "%s can't be the master of '%s' (option %s): %s" % (_a(master, True), port.ref.name, option, unfit)
                )
            staying = [
                child.moved(self._set_aside.get(child.ref, child.ref))
                for child in self._stacked_upon(port.ref)
                if child.ref not in self.doomed
            ]
            problem = foreseen.busy_port(port, staying, master)
            if problem:
                raise Conflict(problem)

    def _stacked_upon(self, ref: Ref) -> t.Iterator[Link]:
        """The links that are stacked upon one, and of some no more than their names, as far as they can be seen from there."""
        children = self.state.linked_refs("parent", ref)
        yield from (self.state.links[child] for child in children)
        seen = {*children} | (self.state.stacked.get(ref, {}).keys() - self.state.links.keys())
        for child in (Ref(ref.netns, name) for name in self.state.links[ref].uppers):
            if child not in seen:
                yield self.state.links.get(child, Link(child))

    def _set_promisc(self, ref: Ref, value: t.Optional[bool]) -> None:
        if value is not None:
            self._given.setdefault(ref, {})["promisc"] = value
        if value is not None and self.state.links[ref].values.get("promisc") != value:
            self.do(steps.link_set(self.state.links[ref], "promisc", value))

    def _release(self, ref: Ref, wanted: WantedLink) -> None:
        """Take a port out of the wanted bridge, as it was before it came in."""
        self._set_promisc(ref, None if wanted.ports_promisc is None else False)
        self._given.setdefault(ref, {})["master"] = ""
        self.do(steps.LinkMaster(ref, ""))

    def absent_link(self, wanted: WantedLink) -> None:
        link = self.state.links.get(wanted.ref)
        self.found[wanted.ref] = link.ref if link else None
        if wanted.port_of:
            if link and link.values.get("master") == wanted.port_of:
                self.last.append(functools.partial(self.do, steps.LinkMaster(link.ref, "")))
            return
        if link:
            self._check_deletable(link, wanted.kind)
            for name in link.ports or ():
                self.last.append(functools.partial(self._release, Ref(link.ref.netns, name), wanted))
            self.last.append(functools.partial(self._delete, link.ref))
        other = self.state.links.get(wanted.peer.ref) if wanted.peer else None
        if other and other.peer and self._is_pair(wanted, other):
            self.found[wanted.ref] = self.found[wanted.ref] or other.peer
            self.last.append(functools.partial(self._delete, other.ref))

    def _check_deletable(self, link: Link, kind: str) -> None:
        if kind and link.kind != kind:
            raise Conflict("%s is not a %s; it was not deleted." % (_a(link, True), kind))
        if link.ref.name == "lo" or not link.kind:
            raise Conflict("%s: %s; nothing was changed." % (_a(link, True), _undeletable(link)))
        if link.kind == "openvswitch":
            raise Conflict("%s belongs to Open vSwitch; remove its port or bridge there." % _a(link, True))


def differences(before: State, now: State, _done: t.Sequence[Step] = ()) -> t.List[str]:
    """A sentence for each thing in which two States differ, apart from what the kernel makes by itself."""
    found = [
        "Namespace '%s' is %s." % (name, "gone" if name in before.namespaces else "still there")
        for name in sorted(before.namespaces.keys() ^ now.namespaces.keys())
    ]
    for name in sorted(before.namespaces.keys() & now.namespaces.keys()):
        now_has = now.namespaces[name].sysctls
        found += [
            "Sysctl %s in namespace '%s' was %s and is %s." % (sysctl_name(key), name, value, now_has.get(key))
            for key, value in before.namespaces[name].sysctls.items()
            if now_has.get(key) != value
        ]
    for ref in sorted(before.links.keys() | now.links.keys()):
        old, new = _facts(before.links.get(ref)), _facts(now.links.get(ref))
        found += [
            "%s of link %s was %s and is %s." % (fact, ref, quoted(old.get(fact)), quoted(new.get(fact)))
            for fact in sorted(old.keys() | new.keys())
            if old.get(fact) != new.get(fact)
        ]
    return found


def _has_own_mac(link: Link) -> bool:
    """Whether its MAC address matters to others on its parent."""
    kind = registry.KINDS.get(link.kind)
    own = kind is not None and kind.own_mac(link.values)
    return bool(own and link.values.get("state") == "up" and link.values.get("mac"))


def _up_with(link: Link) -> t.Tuple[t.Any, ...]:
    return link.index, link.parent, link.values.get("state"), link.values.get("mac")


def _facts(link: t.Optional[Link]) -> t.Dict[str, t.Any]:
    if link is None:
        return {}
    return {
        **link.values,
        **link.port,
        "kind": link.kind,
        "peer": link.peer,
        "ports": link.ports,
        "parent": link.parent,
        "vlans": link.vlans,
        "users": ", ".join(link.users),
        "addresses": sorted((a.address, a.origin) for a in link.addresses if a.origin != KERNEL),
        "routes": sorted(str(route) for route in link.routes if route.origin != KERNEL),
    }


def _exclusive(link: Link) -> str:
    kind = registry.KINDS.get(link.kind)
    return kind.exclusive_parent(link.values) if kind else ""


def _merge_values(there: t.Mapping[str, t.Any], wanted: WantedLink, kind: t.Optional[Kind]) -> t.Dict[str, t.Any]:
    asked = dict(wanted.values)
    for attribute in kind.attributes if kind else ():
        if attribute.name in asked:
            purge = attribute.name in wanted.purge_values
            asked[attribute.name] = attribute.codec.merge(there.get(attribute.name), asked[attribute.name], purge)
    merged = {**there, **asked}
    return {**(kind.settled(merged) if kind else merged), **asked}


def _merge_addresses(present: t.Sequence[Address], wanted: WantedLink) -> t.Tuple[Address, ...]:
    asked = dict.fromkeys(wanted.addresses or ())
    there = {address.address for address in present}
    # IPv6 has an address once, with one prefix length.
    renewed = {a.split("/")[0] for a in asked if ":" in a}
    kept = [
        address
        for address in present
        if address.address in asked
        or address.origin != STATIC
        or not (wanted.purge_addresses or _host(address) in renewed)
    ]
    new = [Address(a) for a in asked if a not in there]
    return (*kept, *new)


class Near:
    """What can be reached through a link without a gateway."""

    def __init__(self, addresses: t.Iterable[Address], routes: t.Iterable[Route]) -> None:
        self._networks: t.Set[t.Tuple[int, int, int]] = set()  # by version of IP, length of the prefix, and network
        for address in addresses:
            peer = dict(address.extra).get("attributes", {}).get("IFA_ADDRESS", _host(address))
            self._add(address.family, "%s/%s" % (peer, address.address.split("/")[1]))
        for route in routes:
            if not route.via and route.origin != KERNEL:  # those come and go with the addresses
                self._add(route.family, route.to)
        self._lengths = {(family, length) for family, length, _network in self._networks}

    def _add(self, family: int, network: str) -> None:
        host, length = network.split("/")
        self._networks.add((family, int(length), common_values.number(host) >> (_BITS[family] - int(length))))

    def reaches(self, route: Route) -> bool:
        """Whether a route needs no gateway, or has one that can be reached, or that the kernel doesn't look for."""
        if not route.via or route.onlink or (route.family == 6 and common_values.is_link_local(route.via)):
            return True
        number = common_values.number(route.via)
        return any(
            (family, length, number >> (_BITS[family] - length)) in self._networks
            for family, length in self._lengths
            if family == route.family
        )


_BITS = {4: 32, 6: 128}


def _reason(before: Link, now: Link) -> str:
    if before.ref.netns != now.ref.netns:
        return "because it moves to another namespace"
    if now.values.get("state") == "down" and before.values.get("state") == "up":
        return "because it goes down"
    return "because an address that it needs is removed"


def _merge_routes(present: t.Sequence[Route], wanted: WantedLink) -> t.Tuple[Route, ...]:
    asked = {route.key: route for route in wanted.routes or ()}
    kept = []
    for route in present:
        new = asked.pop(route.key, None)
        if new is not None:
            # What the user left out of an element stays as it is, as far as it makes sense with another gateway.
            stays = [name for name in new.left_out if name != "onlink" or new.via == route.via]
            merged = dataclasses.replace(new, **{name: getattr(route, name) for name in stays})
            kept.append(route if merged.same(route) else merged)
        elif route.origin != STATIC or not wanted.purge_routes:
            kept.append(route)
    return (*kept, *asked.values())


def _taken(link: Link, wanted: WantedLink) -> str:
    """Why a link that has the name of a peer can't become that."""
    if link.peer is None:
        return "the other end of %s can't be reached from this host" % _a(link)
    return (
        "the name of option peer of %s %s is taken: %s is one end of another pair, whose other end is link %s (if it is "
        "the same pair, say so with 'rename_from: %s')" % (wanted.kind, wanted.ref, _a(link), link.peer, link.peer.name)
    )


def _a(link: Link, upper: bool = False) -> str:
    kind = link.kind or ("the loopback" if link.ref.name == "lo" else "not virtual")
    text = "link '%s'%s (%s)" % (link.ref.name, in_netns(link.ref.netns), kind)
    return _upper(text) if upper else text


def _undeletable(link: Link) -> str:
    if link.ref.name == "lo":
        return "it can't be deleted, because the kernel keeps it as long as its namespace exists"
    return "it isn't virtual, so that it can't be deleted"


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


PLANNING = Planning(make_plan, make_repair, differences)
