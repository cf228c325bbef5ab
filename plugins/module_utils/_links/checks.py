# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Check a complete plan: conflicts between elements, and losses that require a warning. Pure."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Planner
from ansible_collections.virtnet.linux.plugins.module_utils._links import facet, foreseen
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Link,
    Ref,
    WantedLink,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.place import a_link

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Draft
    from ansible_collections.virtnet.linux.plugins.module_utils._links.notes import Notes
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


class Checking(Planner):
    """Checks the result of a plan."""

    before: State
    state: State

    def __init__(self, draft: Draft, notes: Notes) -> None:
        super().__init__(draft)
        self.notes = notes

    def check_needed(self) -> None:
        """Raise Conflict if deletions also delete a wanted link."""
        for ref, needed_by in self.notes.needed.items():
            if ref not in self.state.links:
                needed = ", and link %s needs it" % (needed_by,) if needed_by != ref else ""
                raise Conflict(
                    "Link %s would be deleted along with other links%s. No changes were made." % (ref, needed)
                )

    def warn_of_ovs(self, released: t.Container[str] = ()) -> None:
        """Warn of ports of Open vSwitch that lose their links, except ``released`` ones."""
        gone = self.before.namespaces.keys() - self.state.namespaces.keys()
        lost = {name for netns in gone for name in self.before.namespaces[netns].ovs_ports}
        lost |= {
            ref.name
            for ref, link in self.before.links.items()
            if link.of_ovs == "taken" and ref not in self.state.links
        }
        for name in sorted(lost):
            if name not in released:
                self.warnings.append(
                    "Link '%s' is a port of Open vSwitch, which keeps the port without the link; virtnet.linux.ovs_port with "
                    "'state: absent' removes it." % name
                )

    def check_followers(self, links: t.Iterable[WantedLink]) -> None:
        """Raise Conflict if a link that follows another one would lose its wanted MTU or MAC address."""
        for link in links:
            for end, prefix in zip(link.ends(), ("", "peer.")) if link.present else ():
                there = self.state.links[end.ref].values if end.ref in self.state.links else {}
                for name in ("mtu", "mac"):
                    if name in there and there[name] != end.values.get(name, there[name]):
                        raise Conflict(
                            "Option %s%s of link %s: it can't be %s, because another link of this task makes it %s. "
                            "No changes were made." % (prefix, name, end.ref, end.values[name], there[name])
                        )

    def check_macs(self, links: t.Iterable[WantedLink]) -> None:
        """Raise Conflict if a link would come up with the MAC address of its parent or of a sibling."""
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
                raise Conflict("Option mac of link %s: %s No changes were made." % (now.ref, problem))

    def check_routes(self) -> None:
        """Raise Conflict if a wanted route exists through another link and is not removed there."""
        through: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], Ref] = {}
        for link in self.state.links.values() if self.notes.wishes else ():
            for route in link.routes:
                through[link.ref.netns, route.key] = link.ref
        for (netns, key), ref in self.notes.wishes.items():
            other = through.get((netns, key), ref)
            there = self.state.links[ref].routes if ref in self.state.links else ()
            if other != ref and not any(route.key == key for route in there):
                raise Conflict(
                    "Option routes of link %s: a route to %s with the same metric and table leads through link %s already. "
                    "No changes were made. Give another metric, or remove that one first (purge_routes)."
                    % (ref, key[0], other)
                )
            if other == ref:
                self._check_unseen(netns, key, ref)

    def _check_unseen(self, netns: str, key: t.Tuple[str, int, int], ref: Ref) -> None:
        """Report a wanted route that exists through a link whose routes were not read."""
        for name in sorted(self.before.routed.get((netns, key), ())):
            known = self.before.links.get(Ref(netns, name))
            if not known or all(route.key != key for route in known.routes):
                self.missing.append(
                    "Option routes of link %s: there is a route to %s with the same metric and table already, %s. Remove that one "
                    "first, or give another metric."
                    % (ref, key[0], "through link '%s'" % name if name else "through no link or several ones")
                )

    def warn_losses(self, links: t.Iterable[WantedLink]) -> None:
        """Warn of addresses, routes and neighbors that are lost although the task does not request that."""
        ends = {end.ref: end for link in links if link.present for end in link.ends()}
        asked = facet.asked(FACETS, ends.values())
        aside = {*self.notes.set_aside.values()}
        for place, link in self.before.links.items():
            ref = self.notes.moved.get(place, place)
            now = self.state.links.get(ref)
            if now is None or now is link or place in aside:
                continue
            lost = facet.losses(FACETS, link, now, ends.get(ref), asked)
            if lost:
                self.warnings.append(
                    "%s loses %s, %s." % (a_link(link, True), ", ".join(lost), _reason(link, now, lost))
                )


def _has_own_mac(link: Link) -> bool:
    """Whether the MAC address of a link must be unique on its parent."""
    kind = registry.KINDS.get(link.kind)
    own = kind is not None and kind.own_mac(link.values)
    return bool(own and link.values.get("state") == "up" and link.values.get("mac"))


def _up_with(link: Link) -> t.Tuple[t.Any, ...]:
    return link.index, link.parent, link.values.get("state"), link.values.get("mac")


def _reason(before: Link, now: Link, lost: t.Iterable[str]) -> str:
    if before.ref.netns != now.ref.netns:
        return "because it moves to another namespace"
    if now.values.get("state") == "down" and before.values.get("state") == "up":
        return "because it goes down"
    with_mac = facet.after(FACETS, before, facet.OTHER_MAC)
    if before.values.get("mac") != now.values.get("mac") and {*lost} <= {
        *facet.losses(FACETS, before, with_mac, None, ())
    }:
        return "because its MAC address changes"
    return "because an address that it needs is removed"
