# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan namespaces and links: (observed, wanted) → Plan. Pure: works on a copy of the observed State.

The planner emits steps and simulates each at once, with the side effects in the kernel, so that later steps see them and
restore what should have stayed (for instance the addresses of a link that had to go down). Deletions come last.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import order
from ansible_collections.virtnet.linux.plugins.module_utils._common.values import sysctl_link, sysctl_name, sysctl_told
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Draft, Plan, Planner, Planning, walk
from ansible_collections.virtnet.linux.plugins.module_utils._links import facet, netns, steps
from ansible_collections.virtnet.linux.plugins.module_utils._links.checks import Checking
from ansible_collections.virtnet.linux.plugins.module_utils._links.editor import make_repair
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Link,
    Ref,
    WantedLink,
    WantedNetns,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.notes import Notes
from ansible_collections.virtnet.linux.plugins.module_utils._links.order import in_settling_order
from ansible_collections.virtnet.linux.plugins.module_utils._links.place import Placing
from ansible_collections.virtnet.linux.plugins.module_utils._links.settle import Settling

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Phases, Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted


# The phases of a plan, in order. A plan for links alone omits those of Open vSwitch.
PHASES = (
    "expect",  # note what later elements request
    "make_namespaces",  # with the sysctls that new links inherit
    "place",  # create, move and rename links while few are up: then the kernel is faster, and creates many at once
    "open_vswitch",  # bridges and ports of Open vSwitch, which require links
    "place_upon_ovs",  # links upon internal ports of Open vSwitch
    "settle_namespaces",  # loopbacks, and sysctls of links
    "settle",  # values, masters and ports; removed addresses and routes
    "check_routes",  # whether a wanted route exists through another link
    "come_up",  # new addresses; set links up, bridges last; new routes; irreversible values
    "absent",  # note deletions
)
# Phases that follow if no errors were found.
LAST_PHASES = (
    "delete",  # links, and namespaces
    "settle_again",  # MTUs and MAC addresses that followed other links, and what a changed MAC address has removed
    "delete_from_ovs",  # last, because an internal port can't be restored exactly
    "keep",  # the document that is restored at boot; inserted before the deletions
)


def make_plan(state: State, wanted: Wanted) -> Plan:
    """The plan that gives a host in ``state`` the ``wanted`` namespaces and links.

    Raises BadInput or Conflict if that is impossible.
    """
    draft = Draft(state)
    planner = LinkPlanner(draft)
    planner.notes.doomed = {link.ref for link in wanted.links if not link.present and not link.port_of}
    told = Complaints()
    phases = planner.phases(wanted.namespaces, wanted.links)
    walk(PHASES, phases, told)
    told.report(*draft.missing)
    walk(LAST_PHASES, phases, told)
    told.report()
    planner.check(wanted.links)
    planner.checking.warn_of_ovs()
    return draft.plan()


class LinkPlanner(Planner):
    """Plans steps for namespaces and links."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.notes = Notes()
        self.placing = Placing(draft, self.notes)
        self.settling = Settling(draft, self.notes, self.placing)
        self.checking = Checking(draft, self.notes)
        self.last = self.placing.last

    def phases(self, namespaces: t.Sequence[WantedNetns], links: t.Sequence[WantedLink]) -> Phases:
        """Functions that plan namespaces and links, by phase."""
        present = [link for link in links if link.present]
        absent = [link for link in links if not link.present]
        return {
            "expect": lambda: [functools.partial(self.expect, links)],
            "make_namespaces": lambda: each(self.namespace, namespaces),
            "place": lambda: each(self.placing.place, present),
            "settle_namespaces": lambda: each(self.settle_namespace, namespaces),
            # A link must be a port before it can get the settings of one.
            "settle": lambda: each(
                self.settling.settle, sorted(self._settling(present), key=lambda link: bool(link.port_of))
            ),
            "check_routes": lambda: [self.checking.check_routes],
            "come_up": lambda: [self.settling.come_up],
            "absent": lambda: each(self.placing.absent_link, absent),
            "delete": lambda: [self.delete],
            "settle_again": lambda: each(self.settling.settle_again, self._settling(present)),
        }

    def _settling(self, links: t.Iterable[WantedLink]) -> t.List[WantedLink]:
        """Wanted links that are in their places, in the order in which they get their settings."""
        return in_settling_order([link for link in links if id(link) in self.notes.placed])

    def check(self, links: t.Sequence[WantedLink]) -> None:
        """Check a complete plan. Raises Conflict, and warns of losses."""
        self.checking.check_needed()
        self.checking.check_followers(links)
        self.checking.check_macs(links)
        self.checking.warn_losses(links)

    def expect(self, links: t.Iterable[WantedLink]) -> None:
        """Note what later elements request. Raises Conflict if two links request the same route."""
        self._note_leaving(links)
        for end in (end for link in links if link.present for end in link.ends()):
            for route in end.routes or ():
                other = self.notes.wishes.setdefault((end.ref.netns, route.key), end.ref)
                if other != end.ref:
                    raise Conflict(
                        "Option routes of link %s and of link %s: both have a route %s with the same metric and table, of "
                        "which there can be one. No changes were made." % (other, end.ref, route)
                    )

    def _note_leaving(self, links: t.Iterable[WantedLink]) -> None:
        for link in links:
            for end in link.ends():
                there = self.state.links.get(end.ref)
                if there and (end.values.get("master") == "" or (end.port_of and not end.present)):
                    self.notes.to_leave[end.ref] = end.port_of or there.values.get("master", "")
            bridge = self.state.links.get(link.ref)
            for name in bridge.ports or () if bridge and (link.purge_ports or not link.present) else ():
                if name not in (link.ports or ()):
                    self.notes.to_leave[Ref(link.ref.netns, name)] = link.ref.name

    def namespace(self, wanted: WantedNetns) -> None:
        """Create a namespace, or delete it in the end."""
        exists = wanted.name in self.state.namespaces
        if wanted.present and not exists:
            self.do(netns.NetnsAdd(wanted.name))
        if wanted.present:
            # New links inherit these sysctls.
            self._sysctls(wanted, of_links=False)
        elif exists:
            self.last.append(functools.partial(self.do, netns.NetnsDel(wanted.name)))

    def settle_namespace(self, wanted: WantedNetns) -> None:
        """Set the loopback and the sysctls of links in a namespace."""
        if not wanted.present:
            return
        loopback = Ref(wanted.name, "lo")
        link, value = self.state.links[loopback], "up" if wanted.loopback else "down"
        if link.values.get("state") != value:
            self.do(steps.link_set(link, "state", value))
        self._sysctls(wanted, of_links=True)

    def _sysctls(self, wanted: WantedNetns, of_links: bool) -> None:
        """Set either the sysctls of links, or all others."""
        asked = {key: value for key, value in wanted.sysctls.items() if bool(sysctl_link(key)) == of_links}
        # Some sysctls reset others.
        for key in sorted(asked, key=order):
            value, current = asked[key], self.state.namespaces[wanted.name].sysctls.get(key)
            if current is None and self._was_there(wanted.name, sysctl_link(key)):
                self.missing.append(
                    "There is no sysctl %s in namespace '%s' that could be read (option sysctls)."
                    % (sysctl_name(key), wanted.name)
                )
            elif current is None or sysctl_told(current) != sysctl_told(value):
                self.do(netns.Sysctl(wanted.name, key, value))

    def _was_there(self, netns: str, link: str) -> bool:
        """Whether a sysctl should have been readable: its namespace and its link, if any, existed before the task."""
        ref = Ref(netns, link)
        return netns in self.before.namespaces and (not link or ref in self.before.links or ref not in self.state.links)


def each(plan: t.Callable[[t.Any], None], things: t.Iterable[t.Any]) -> t.Iterable[t.Callable[[], None]]:
    """Functions that plan one thing each, for a phase."""
    return [functools.partial(plan, thing) for thing in things]


def differences(before: State, now: State, _done: t.Sequence[Step] = ()) -> t.List[str]:
    """A sentence for each difference between two States, except entries that the kernel adds itself."""
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
        "users": ", ".join(link.open_by),
        **facet.facts(FACETS, link),
    }


PLANNING = Planning(make_plan, make_repair, differences)
