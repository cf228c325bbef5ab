# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan how links are found, created, moved, renamed, set aside and deleted. Pure."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import unquoted
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Draft, Planner
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, foreseen, steps
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Link,
    Netns,
    Ref,
    WantedLink,
    aside_name,
    former_places,
    in_netns,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.notes import Notes
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


_REMEDY = "'recreate: true' deletes it and makes a new one."


class Placing(Planner):
    """Plans the steps that bring links to their places."""

    before: State
    state: State

    def __init__(self, draft: Draft, notes: Notes) -> None:
        super().__init__(draft)
        self.notes = notes
        self._by_name: t.Dict[str, t.List[Link]] = {}
        self._indexed = 0  # number of links in the index

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

    def place(self, wanted: WantedLink) -> None:
        """Create a link, or move and rename it."""
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
            self.notes.origins.setdefault(wanted.ref, self._remake(wanted, link, why) if why else link)
            if not why:
                self._relocate(place, wanted.ref, wanted.recreate)
            if wanted.peer:
                place = self._peer_place(wanted)
                self.found.setdefault(wanted.peer.ref, place)
                self.notes.origins[wanted.peer.ref] = self.state.links.get(place)
                self._relocate(place, wanted.peer.ref, wanted.recreate)
        self.notes.placed.add(id(wanted))

    def _fixed(self, wanted: WantedLink, link: Link) -> t.Dict[str, str]:
        """Options that can't be changed in place, with the reasons."""
        kind = registry.KINDS.get(link.kind)
        why = kind.immutable(link.values, wanted.values, bool(link.open_by)) if kind else {}
        if wanted.parent and link.parent != wanted.parent:
            why["parent"] = "it is on %s, and the kernel never gives it another one" % (
                "link %s" % (link.parent,) if link.parent else "a link that can't be reached from this host"
            )
        return why

    def _remake(self, wanted: WantedLink, link: Link, why: t.Mapping[str, str]) -> Link:
        """Delete and create a link again if ``recreate`` allows it; returns what the new link inherits."""
        reasons = "; ".join("%s (%s)" % reason for reason in why.items())
        if not wanted.made:
            raise Conflict(
                "%s can't be changed in place: %s. No changes were made; virtnet.linux.%s can make it again with "
                "'recreate: true'." % (a_link(link, True), reasons, link.kind)
            )
        kind = registry.KINDS[wanted.kind]
        if not wanted.recreate:
            raise Conflict(
                "%s can't be changed in place: %s. No changes were made; %s" % (a_link(link, True), reasons, _REMEDY)
            )
        exclusive = _exclusive(link) or kind.exclusive_parent({**link.values, **wanted.values})
        if exclusive:
            link = link.with_values(mac=None)  # one of the two has the MAC address of its parent
        values = kind.normalized({**link.values, **wanted.values})
        parent = wanted.parent or link.parent
        if kind.has_parent and parent is None:
            raise Conflict("%s can't be made again without option parent: its parent isn't known." % a_link(link, True))
        if exclusive:
            self._check_alone(wanted, values, parent, link.ref)
            self.delete_link(link.ref)
        else:
            self._aside(link, True, reasons)
        if wanted.ref in self.state.links:
            self._aside(self.state.links[wanted.ref], True, "%s is in the way" % a_link(self.state.links[wanted.ref]))
        self._create(wanted._replace(values=values, parent=parent))
        return link

    def _check_alone(
        self, wanted: WantedLink, values: t.Mapping[str, t.Any], parent: t.Optional[Ref], old: t.Optional[Ref] = None
    ) -> None:
        """Raise Conflict if a link that requires exclusive use of its parent would share it with a visible link."""
        lower = self.state.links.get(parent) if parent else None
        if lower is None:
            return
        master = Ref(lower.ref.netns, lower.values.get("master", ""))
        others = (there for there in self.stacked_upon(lower.ref) if there.ref not in (old, master))
        # A link with exclusive use of its parent has no siblings, so the first one decides.
        for there in itertools.islice(others, 1):
            when = registry.KINDS[wanted.kind].exclusive_parent(values) or _exclusive(there)
            if when:
                raise Conflict(
                    "Link %s can't share its parent %s with link %s: %s, a link requires exclusive use of its parent."
                    % (wanted.ref, lower.ref, there.ref, when)
                )

    def _find(self, wanted: WantedLink) -> t.Optional[Ref]:
        """Place of the wanted link now, None if it doesn't exist. Links that occupy its name are set aside."""
        here = self.state.links.get(wanted.ref)
        former = self._former(wanted)
        if here and former:
            raise Conflict(
                "Option rename_from of link %s: there are %s and %s; delete one of them, or leave out rename_from. Nothing "
                "was changed." % (wanted.ref, a_link(here), a_link(former))
            )
        if here and self._fits(here, wanted, wanted.kind):
            if not wanted.peer or here.peer:
                return here.ref
            self._aside(here, wanted.recreate, "the other end of %s can't be reached from this host" % a_link(here))
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
            raise Conflict("%s is not a %s; it was not moved." % (a_link(there, True), wanted.kind))
        return there.ref if there else None

    def _former(self, wanted: WantedLink) -> t.Optional[Link]:
        """The link that still has the name in option ``rename_from``."""
        places = (self.state.links.get(ref) for ref in former_places(wanted))
        return next((link for link in places if link), None)

    def _is_pair(self, wanted: WantedLink, peer: Link) -> bool:
        """Whether a link with the name of the peer is one end of the wanted pair.

        It is if the other end has the wanted name in another namespace, or the name in ``rename_from``, or if the topology owns
        the pair. Any other pair may belong to another user.
        """
        other = peer.peer
        if other is None:
            return False
        return other.name in (wanted.ref.name, wanted.rename_from) or bool({other, peer.ref} & self.notes.owned)

    def _fits(self, link: Link, wanted: WantedLink, kind: str, option: str = "") -> bool:
        if not kind or link.kind == kind:
            return True
        if not wanted.made:
            raise Conflict("%s is not a %s (option kind). No changes were made." % (a_link(link, True), unquoted(kind)))
        self._aside(link, wanted.recreate, "%s%s is not a %s" % (option, a_link(link), kind))
        return False

    def _aside(self, link: Link, allowed: bool, problem: str) -> None:
        """Rename a link that occupies a name, and delete it in the end. Raises Conflict unless the user allowed it."""
        if not allowed:
            raise Conflict(
                "%s. No changes were made. Choose another name, or delete it first; %s"
                % (capitalized(problem), _REMEDY)
            )
        if link.ref.name == "lo" or not link.kind:
            raise Conflict("%s; %s." % (capitalized(problem), _undeletable(link)))
        self._warn_users(link)
        aside = Ref(link.ref.netns, aside_name(link.index))
        self.notes.set_aside[aside] = link.ref
        self.do(steps.LinkAside(link.ref, aside.name))
        self.last.append(functools.partial(self.delete_link, aside, silent=True))

    def delete_link(self, ref: Ref, silent: bool = False) -> None:
        if ref in self.state.links:  # the other end of a pair may be deleted already
            link = self.state.links[ref]
            if not silent:
                self._warn_users(link)
            self.do(steps.LinkDel(link, silent))

    def _warn_users(self, link: Link) -> None:
        ends = [link, *([self.state.links[link.peer]] if link.peer in self.state.links else [])]
        stacked = {name for end in ends for name in end.uppers if name != end.values.get("master")}
        for name in sorted(stacked):
            self.warnings.append("Deleting %s also deletes link '%s', which is stacked upon it." % (a_link(link), name))
        if link.open_by:
            self.warnings.append(
                "%s is held open by %s; deleting it cuts off that process."
                % (a_link(link, True), " and ".join(link.open_by))
            )

    def _create(self, wanted: WantedLink) -> None:
        kind = registry.KINDS.get(wanted.kind)
        missing = kind.lacking(wanted.values, wanted.parent is not None) if kind else []
        if not wanted.made:
            self._placeholder(
                wanted,
                "There is no link %s, and this module does not create links; use the module for its kind.",
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
        self.missing.append(told + self.elsewhere(wanted.ref, wanted.kind, take))
        self.state.put(Link(wanted.ref, wanted.kind))

    def elsewhere(self, ref: Ref, kind: str, take: str = "") -> str:
        """A sentence on a link of the same name in another namespace; ``take`` says how to move it from there."""
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

    def leave_promisc(self, ref: Ref) -> None:
        """Do not restore whether a link was promiscuous."""
        origin = self.notes.origins.get(ref)
        if origin:
            self.notes.origins[ref] = origin.with_values(promisc=None)

    def _peer_place(self, wanted: WantedLink) -> Ref:
        place = self.state.links[wanted.ref].peer
        if place is None or place not in self.state.links:
            raise Conflict(
                "The other end of %s can't be reached from this host." % a_link(self.state.links[wanted.ref])
            )
        return place

    def _relocate(self, place: Ref, to: Ref, recreate: bool) -> None:
        """Move and rename the link at ``place``."""
        if place == to:
            return
        self.notes.moved[place] = to
        occupant = self.state.links.get(to)
        link = self.state.links[place]
        if occupant:
            self._aside(occupant, recreate, "link %s should become %s, but that is %s" % (place, to, a_link(occupant)))
        if place.netns != to.netns:
            if link.kind in registry.KINDS and registry.KINDS[link.kind].netns_local:
                raise Conflict(
                    "%s can't be moved: the kernel keeps a %s in its namespace." % (a_link(link, True), link.kind)
                )
            self.do(steps.LinkMove(place, to))
            return
        if not self.state.live_rename and link.values.get("state") == "up":
            self.do(steps.link_set(link, "state", "down"))
        self.do(steps.LinkRename(place, to.name))

    def make_free(self, link: Link, master: str) -> None:
        """Delete links that are stacked upon a future port, if the task deletes them anyway."""
        for child in [*self.stacked_upon(link.ref)] if master else ():
            if child.ref in self.notes.doomed:
                self.delete_link(child.ref)

    def _leave_master(self, ref: Ref) -> None:
        """Remove a future parent from its master early, if the task removes it anyway."""
        parent = self.state.links.get(ref)
        if parent and parent.values.get("master") and self.notes.to_leave.get(ref) == parent.values["master"]:
            self.notes.given.setdefault(ref, {})["master"] = ""
            self.do(bridge_ports.LinkSetMaster(ref, ""))

    def _need_parent(self, wanted: WantedLink, ref: Ref) -> None:
        self._need_netns(ref.netns, "parent_netns", wanted)
        if ref == wanted.ref:
            raise BadInput("Option parent of link %s: a link can't be its own parent." % (ref,))
        parent = self.state.links.get(ref)
        if parent is None:
            self.missing.append(
                "There is no link %s that could be the parent of '%s' (option parent).%s"
                % (ref, wanted.ref.name, self.elsewhere(ref, "", " For that one, give 'parent_netns: %s'."))
            )
            self.state.put(Link(ref))
            return
        problem = foreseen.busy_parent(self.state, parent, wanted) if self._new_upon(wanted, ref) else ""
        if problem:
            raise Conflict(problem)
        unfit = foreseen.no_parent(parent, wanted)
        if unfit:
            raise Conflict("%s can't be the parent of '%s': %s" % (a_link(parent, True), wanted.ref.name, unfit))

    def _new_upon(self, wanted: WantedLink, parent: Ref) -> bool:
        """Whether a link would get a parent that it doesn't have yet."""
        link = self.state.links.get(wanted.ref)
        if link is None and wanted.move_from is not None:
            link = self.state.links.get(Ref(wanted.move_from, wanted.ref.name))
        return link is None or link.parent != parent

    def stacked_upon(self, ref: Ref) -> t.Iterator[Link]:
        """Visible links that are stacked upon a link; some of them have only a name."""
        children = self.state.linked_refs("parent", ref)
        yield from (self.state.links[child] for child in children)
        seen = {*children} | (self.state.stacked.get(ref, {}).keys() - self.state.links.keys())
        for child in (Ref(ref.netns, name) for name in self.state.links[ref].uppers):
            if child not in seen:
                yield self.state.links.get(child, Link(child))

    def set_promisc(self, ref: Ref, value: t.Optional[bool]) -> None:
        if value is not None:
            self.notes.given.setdefault(ref, {})["promisc"] = value
        if value is not None and self.state.links[ref].values.get("promisc") != value:
            self.do(steps.link_set(self.state.links[ref], "promisc", value))

    def release(self, ref: Ref, wanted: WantedLink) -> None:
        """Remove a port from the wanted bridge, and restore its promiscuity."""
        self.set_promisc(ref, None if wanted.ports_promisc is None else False)
        self.notes.given.setdefault(ref, {})["master"] = ""
        self.do(bridge_ports.LinkSetMaster(ref, ""))

    def absent_link(self, wanted: WantedLink) -> None:
        link = self.state.links.get(wanted.ref)
        self.found[wanted.ref] = link.ref if link else None
        if wanted.port_of:
            if link and link.values.get("master") == wanted.port_of:
                self.last.append(functools.partial(self.do, bridge_ports.LinkSetMaster(link.ref, "")))
            return
        if link:
            self._check_deletable(link, wanted.kind)
            for name in link.ports or ():
                self.last.append(functools.partial(self.release, Ref(link.ref.netns, name), wanted))
            self.last.append(functools.partial(self.delete_link, link.ref))
        other = self.state.links.get(wanted.peer.ref) if wanted.peer else None
        if other and other.peer and self._is_pair(wanted, other):
            self.found[wanted.ref] = self.found[wanted.ref] or other.peer
            self.last.append(functools.partial(self.delete_link, other.ref))

    def _check_deletable(self, link: Link, kind: str) -> None:
        if kind and link.kind != kind:
            raise Conflict("%s is not a %s; it was not deleted." % (a_link(link, True), kind))
        if link.ref.name == "lo" or not link.kind:
            raise Conflict("%s: %s. No changes were made." % (a_link(link, True), _undeletable(link)))
        if link.kind == "openvswitch":
            raise Conflict("%s belongs to Open vSwitch; remove its port or bridge there." % a_link(link, True))


def _exclusive(link: Link) -> str:
    kind = registry.KINDS.get(link.kind)
    return kind.exclusive_parent(link.values) if kind else ""


def _taken(link: Link, wanted: WantedLink) -> str:
    """The reason why a link with the name of a peer can't become that peer."""
    if link.peer is None:
        return "the other end of %s can't be reached from this host" % a_link(link)
    return (
        "the name of option peer of %s %s is taken: %s is one end of another pair, whose other end is link %s (if it is "
        "the same pair, say so with 'rename_from: %s')"
        % (wanted.kind, wanted.ref, a_link(link), link.peer, link.peer.name)
    )


def a_link(link: Link, upper: bool = False) -> str:
    kind = link.kind or ("the loopback" if link.ref.name == "lo" else "not virtual")
    text = "link '%s'%s (%s)" % (link.ref.name, in_netns(link.ref.netns), kind)
    return capitalized(text) if upper else text


def _undeletable(link: Link) -> str:
    if link.ref.name == "lo":
        return "it can't be deleted, because the kernel keeps it as long as its namespace exists"
    return "it isn't virtual, so that it can't be deleted"


def capitalized(text: str) -> str:
    return text[0].upper() + text[1:]
