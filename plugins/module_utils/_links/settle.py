# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan the settings of links that are in their places. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Planner
from ansible_collections.virtnet.linux.plugins.module_utils._links import (
    bridge_ports,
    facet,
    foreseen,
    routes,
    steps,
    vlans,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.editor import LinkEditor
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Link,
    Ref,
    Vlan,
    WantedLink,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.place import a_link

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Draft
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind
    from ansible_collections.virtnet.linux.plugins.module_utils._links.notes import Notes
    from ansible_collections.virtnet.linux.plugins.module_utils._links.place import Placing
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State

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


class Settling(Planner):
    """Plans the steps that give links their wanted settings."""

    before: State
    state: State

    def __init__(self, draft: Draft, notes: Notes, placing: Placing) -> None:
        super().__init__(draft)
        self.notes = notes
        self._placing = placing
        self._editor = LinkEditor(draft, placing.make_free)
        self._hosts_coming: t.Set[t.Tuple[str, str]] = set()  # addresses of the targets, by namespace

    def settle(self, wanted: WantedLink) -> None:
        """Plan the settings of a link, in addition to those that other elements have requested for it."""
        told = Complaints()
        for end, prefix in zip(wanted.ends(), ("", "peer.")):
            told.attempt(self._converge, end, self.notes.origins.pop(end.ref, None), prefix)
        told.report()

    def come_up(self) -> None:
        """Finish all links after their settings: links that come up are last, and bridges the last of these.

        So no link gets an address or a route that another link still has, and no packets are forwarded too early. Ports
        that don't forward yet also don't flood the announcements of each new link to hundreds of others, which is slow.
        """

        def rank(item: t.Tuple[Ref, Link]) -> int:
            kind = registry.KINDS.get(item[1].kind)
            return 1 + (kind.rank if kind else 0) if item[0] in self.notes.coming_up else 0

        self._hosts_coming = {
            (ref.netns, address.host) for ref, target in self.notes.unfinished.items() for address in target.addresses
        }
        self._bystanders()
        targets = {ref: self._with_sources(ref, target) for ref, target in self.notes.unfinished.items()}
        self._editor.finish(dict(sorted(targets.items(), key=rank)))

    def _bystanders(self) -> None:
        """Handle unlisted links whose routes lose their preferred source to another link."""
        for ref in {ref for links in self.state.sourced.values() for ref in links}:
            before, now = self.before.links.get(ref), self.state.links.get(ref)
            if before and now and before.routes != now.routes and ref not in self.notes.unfinished:
                target = self._with_sources(ref, dataclasses.replace(now, routes=before.routes))
                routes.drop(self._editor, ref, target)
                self.notes.unfinished[ref] = target

    def _with_sources(self, ref: Ref, target: Link) -> Link:
        """A target without unlisted routes whose preferred source no longer exists on the host."""
        sources = {
            route.src for route in target.routes if route.src and self.notes.wishes.get((ref.netns, route.key)) != ref
        }
        lost = {host for host in sources if not self._will_be_local(ref.netns, host)}
        lost = {host for host in lost if self.before.is_local(ref.netns, host)}
        return dataclasses.replace(target, routes=routes.without_sources(target.routes, lost)) if lost else target

    def _will_be_local(self, netns: str, host: str) -> bool:
        return self.state.is_local(netns, host) or (netns, host) in self._hosts_coming

    def settle_again(self, wanted: WantedLink) -> None:
        """Restore a wanted MTU and MAC address that followed another link, and neighbors that a new MAC address removed."""
        self._hold_followed(wanted)
        ends = (end.ref for end in wanted.ends() if end.ref in self.state.links)
        self._editor.add(
            {ref: self.notes.unfinished[ref] for ref in ends if ref in self.notes.unfinished}, needs_up=False
        )

    def _hold_followed(self, wanted: WantedLink) -> None:
        """Set the wanted MTU and MAC address again where they followed those of other links."""
        for end, prefix in zip(wanted.ends(), ("", "peer.")):
            link = self.state.links.get(end.ref)
            followed = {name: end.values[name] for name in ("mtu", "mac") if name in end.values}
            if link and followed:
                if "mtu" in followed and link.values.get("mtu") != followed["mtu"]:
                    self._check_below(link, followed["mtu"], prefix)
                self._editor.set_values(end.ref, dataclasses.replace(link, values=followed))

    def _converge(self, wanted: WantedLink, origin: t.Optional[Link], prefix: str) -> None:
        """Plan the settings of one end; ``origin`` is the link before it was moved, None for a new one.

        ``prefix`` is the prefix of its options in sentences.
        """
        base = self._base(wanted, origin)
        target = self._target(wanted, base, prefix)
        self._check(wanted, base, target, origin, prefix)
        self._adjust(wanted, target)

    def _base(self, wanted: WantedLink, origin: t.Optional[Link]) -> Link:
        """What a link has before the task changes its settings."""
        base = self.notes.unfinished.get(wanted.ref) or origin or self.state.links[wanted.ref]
        if _moved(wanted, origin):
            return dataclasses.replace(base.with_values(master=""), port={}, vlans=None, **facet.nothing(FACETS))
        return base

    def _target(self, wanted: WantedLink, base: Link, prefix: str) -> Link:
        """What a link shall have in the end."""
        link = self.state.links[wanted.ref]
        merged = _merge_values(
            {**base.values, **self.notes.given.get(wanted.ref, {})}, wanted, registry.KINDS.get(link.kind)
        )
        values = self._without_followers(merged, wanted, link)
        same_master = values.get("master") == base.values.get("master")
        merging = facet.Merging(base, wanted, prefix, {}, self.notes.wishes, self.missing)
        return dataclasses.replace(
            base,
            ref=wanted.ref,
            parent=link.parent,
            kind=link.kind,
            values=values,
            port={**(base.port if same_master else {}), **wanted.port},
            vlans=base.vlans if same_master else None,
            **facet.merged(FACETS, merging),
        )

    def _check(self, wanted: WantedLink, base: Link, target: Link, origin: t.Optional[Link], prefix: str) -> None:
        """Raise BadInput or Conflict, with all reasons, if a link can't become equal to its target."""
        link, kind = self.state.links[wanted.ref], registry.KINDS.get(target.kind)
        told = Complaints()
        problem = kind.validate(target.values) if kind else ""
        told.note("Link %s: %s" % (wanted.ref, problem) if problem else "")
        if wanted.routes and target.values.get("state") == "down":
            told.note(
                "Option %sroutes of link %s: routes need a link that is up, and this one is down; give 'state: up'."
                % (prefix, wanted.ref)
            )
        if "mtu" in wanted.values:
            self.notes.asked_mtu[wanted.ref] = "option %smtu of link %s" % (prefix, wanted.ref)
        told.attempt(self._check_maker, wanted, base, link, prefix)
        told.attempt(self._check_mtu, target, wanted, origin, prefix)
        told.attempt(self._need_master, wanted, link, prefix)
        told.note(foreseen.no_ipv6(self.state, target, origin is None or _moved(wanted, origin), prefix))
        told.note(foreseen.unsupported(self.state, wanted))
        told.note(foreseen.no_setting(self.before.links.get(wanted.ref), wanted))
        told.report()

    def _adjust(self, wanted: WantedLink, target: Link) -> None:
        """Emit the steps that change a link, except those that come after the changes of all other links."""
        link = self.state.links[wanted.ref]
        self.notes.needed[wanted.ref] = wanted.ref
        if target.parent:
            self.notes.needed[target.parent] = wanted.ref
        self._editor.prepare(wanted.ref, target)
        self._hold_mtu(wanted)
        self.notes.unfinished[wanted.ref] = target
        if wanted.values.get("state") == "up" and link.values.get("state") == "down":
            self.notes.coming_up.add(wanted.ref)
        if wanted.vlans is not None:
            vlans.put(self._editor, wanted.ref, dataclasses.replace(link, vlans=self._merge_vlans(wanted)))
        if wanted.ports is not None or wanted.ports_promisc is not None:
            self._ports(wanted, wanted.ports or ())
            self._hold_followed(wanted)

    def _check_maker(self, wanted: WantedLink, base: Link, link: Link, prefix: str) -> None:
        """Raise Conflict for values that Open vSwitch would overwrite, at once or when its bridge changes."""
        owned = {"bridge": ("mac", "mtu"), "port": ("mtu",)}.get(link.of_ovs, ())
        for name in owned:
            if wanted.values.get(name, base.values.get(name)) != base.values.get(name):
                raise Conflict(
                    "Option %s%s of link %s: Open vSwitch made this link and sets its %s itself, so that %s would not stay. %s "
                    "No changes were made."
                    % (prefix, name, wanted.ref, _KEPT_BY_OVS[name][0], wanted.values[name], _KEPT_BY_OVS[name][1])
                )

    def _without_followers(self, values: t.Dict[str, t.Any], wanted: WantedLink, link: Link) -> t.Dict[str, t.Any]:
        """Values of a link without unlisted ones that follow its ports or its parent."""
        kind = registry.KINDS.get(link.kind)
        below = self.state.links.get(link.parent) if link.parent else None
        loose = kind.follows(values, below.values if below else None) if kind else set()
        return {name: value for name, value in values.items() if name in wanted.values or name not in loose}

    def _hold_mtu(self, wanted: WantedLink) -> None:
        """Change the MTU of a new bridge to another value and back, because it then no longer follows its ports."""
        master, mtu = self.state.links[wanted.ref], wanted.values.get("mtu")
        kind = registry.KINDS.get(master.kind)
        if mtu is None or master.keeps_mtu is not False or not kind or "mtu" not in kind.follows(master.values, None):
            return
        before = self.before.links.get(wanted.ref)
        if before is None or before.kind != master.kind:
            # Not below the minimum of IPv6.
            self.do(steps.link_set(master, "mtu", mtu + 1 if mtu < common.DEFAULT_MTU else mtu - 1))
            self.do(steps.link_set(master, "mtu", mtu))

    def _check_below(self, link: Link, mtu: int, prefix: str) -> None:
        """Raise BadInput for an MTU that is greater than that of the parent."""
        below = self.state.links.get(link.parent) if link.parent else None
        if below and mtu > below.values.get("mtu", mtu):
            source = self.notes.asked_mtu.get(below.ref, "link %s" % (below.ref,))
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
            six = [entry for entries in facet.static_ipv6(FACETS, link).values() for entry in entries]
            if six:
                which = "this one" if link is target else "link %s, which follows it," % (link.ref,)
                raise BadInput(
                    "%s: below %d the kernel removes IPv6 from a link, and %s has %s; remove that first."
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
                    self._placing.elsewhere(ref, ""),
                )
            )
            self.state.put(Link(ref, registry.DEFAULT_MASTER))
        else:
            self._check_port(master, link, "bridge" if wanted.port_of else prefix + "master")

    def _merge_vlans(self, wanted: WantedLink) -> t.Tuple[Vlan, ...]:
        if wanted.vlans and not self.state.port_vlans:
            raise Conflict(
                "Option vlans of port %s: this kernel does not report VLANs. Requires Linux 5.7 or newer with "
                "CONFIG_BRIDGE_VLAN_FILTERING." % (wanted.ref,)
            )
        return vlans.merge(self.state.links[wanted.ref].vlans or (), wanted)

    def _ports(self, wanted: WantedLink, ports: t.Tuple[str, ...]) -> None:
        bridge = wanted.ref
        for name in ports:
            ref = Ref(bridge.netns, name)
            if ref not in self.state.links:
                self.missing.append(
                    "There is no link %s that could become a port of '%s' (option ports).%s"
                    % (ref, bridge.name, self._placing.elsewhere(ref, ""))
                )
                self.state.put(Link(ref))
            port = self.state.links[ref]
            self._check_port(self.state.links[bridge], port, "ports")
            self.notes.needed[ref] = bridge
            self._placing.set_promisc(ref, wanted.ports_promisc)
            self.notes.given.setdefault(ref, {})["master"] = bridge.name
            if port.values.get("master") != bridge.name:
                self._placing.make_free(port, bridge.name)
                self.do(bridge_ports.LinkSetMaster(ref, bridge.name))
        listed = set(ports)
        for name in self.state.links[bridge].ports or ():
            if name in listed or not wanted.purge_ports:
                self._placing.set_promisc(Ref(bridge.netns, name), wanted.ports_promisc)
            else:
                self._placing.release(Ref(bridge.netns, name), wanted)
        count = len(self.state.links[bridge].ports or ())
        problem = registry.KINDS[wanted.kind].ports_problem(count)
        if problem:
            raise BadInput("Option ports of link %s: that makes %d ports, and %s" % (bridge, count, problem))

    def _check_port(self, master: Link, port: Link, option: str) -> None:
        if port.values.get("master") != master.ref.name:
            unfit = foreseen.no_master(port, master)
            kind = registry.KINDS.get(port.kind)
            if unfit and kind and kind.has_ports and port.kind == master.kind:
                raise Conflict("%s can't become a port of '%s': %s" % (a_link(port, True), master.ref.name, unfit))
            if unfit:
                raise Conflict(
                    "%s can't be the master of '%s' (option %s): %s"
                    % (a_link(master, True), port.ref.name, option, unfit)
                )
            staying = [
                child.moved(self.notes.set_aside.get(child.ref, child.ref))
                for child in self._placing.stacked_upon(port.ref)
                if child.ref not in self.notes.doomed
            ]
            problem = foreseen.busy_port(port, staying, master)
            if problem:
                raise Conflict(problem)


def _moved(wanted: WantedLink, origin: t.Optional[Link]) -> bool:
    """Whether the task moves a link from another namespace."""
    return origin is not None and origin.ref.netns != wanted.ref.netns


def _merge_values(there: t.Mapping[str, t.Any], wanted: WantedLink, kind: t.Optional[Kind]) -> t.Dict[str, t.Any]:
    """Merge the wanted values into the present ones."""
    asked = dict(wanted.values)
    for attribute in kind.attributes if kind else ():
        if attribute.name in asked:
            purge = attribute.name in wanted.purge_values
            asked[attribute.name] = attribute.codec.merge(there.get(attribute.name), asked[attribute.name], purge)
    merged = {**there, **asked}
    return {**(kind.normalized(merged) if kind else merged), **asked}
