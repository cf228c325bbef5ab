# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan namespaces, links and Open vSwitch together, and what a topology owns: (observed, wanted) → Plan. Pure.

The order is in ``PHASES`` of ``_links/plan.py``.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Draft, Planning, walk
from ansible_collections.virtnet.linux.plugins.module_utils._links import netns, steps
from ansible_collections.virtnet.linux.plugins.module_utils._links.editor import make_repair as make_link_repair
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OVS_KINDS, OWN, Ref, WantedLink
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import LAST_PHASES, PHASES, LinkPlanner, each
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import differences as link_differences
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_steps import BridgeAdd
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import BRIDGE, INTERFACE
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_steps import LinkAgain, PortAdd
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import ColumnSet, same
from ansible_collections.virtnet.linux.plugins.module_utils._topology.contradictions import contradictions
from ansible_collections.virtnet.linux.plugins.module_utils._topology.kept import is_result_of, mean_the_same
from ansible_collections.virtnet.linux.plugins.module_utils._topology.ownership import Owned, still_owned
from ansible_collections.virtnet.linux.plugins.module_utils._topology.steps import DocumentKeep

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Phases, Plan, Step
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Interface, Switch
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import WantedTopology
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted

# Links that the kernel creates itself in each namespace, or that the modules for tunnels create.
KERNEL_FALLBACK_DEVICES = (
    "lo",
    "sit0",
    "tunl0",
    "gre0",
    "gretap0",
    "erspan0",
    "ip_vti0",
    "ip6_vti0",
    "ip6tnl0",
    "ip6gre0",
)


def make_plan(state: State, wanted: Wanted) -> Plan:
    """The plan that gives a host in ``state`` everything ``wanted``, and deletes owned things that are not.

    Raises Conflict with all errors.
    """
    planner = _TopologyPlanner(state)
    planner.topology(wanted)
    plan = planner.draft.plan()
    planner.ovs.check_numbers(wanted)
    planner.links.check(wanted.links)
    planner.check_internal()
    planner.check_ports(wanted)
    planner.links.checking.warn_of_ovs(planner.released())
    planner.check_collateral(wanted, plan)
    return plan


def make_repair(state: State, target: State, observed: bool) -> t.List[Step]:
    """Steps that restore links and Open vSwitch; internal ports of the latter may have to move again."""
    moves: t.List[Step] = []
    if not observed:
        target = _without_promisc(target, state)
    with state.trial():
        for ref, link in target.links.items():
            fresh = Ref(OWN, ref.name)
            lost = ref not in state.links and fresh in state.links and fresh not in target.links
            if lost and link.kind in OVS_KINDS and state.links[fresh].kind in OVS_KINDS:
                moves.append(steps.LinkMove(fresh, ref, link.index))
                moves[-1].simulate(state)
        return [
            *bridge_plan.PLANNING.make_repair(state, target, observed),
            *moves,
            *make_link_repair(state, target, observed),
        ]


def _without_promisc(target: State, state: State) -> State:
    """The target without the promiscuity of links that Open vSwitch has in a State.

    Open vSwitch makes its links promiscuous, and restores the former value when it releases one. A link that was made
    promiscuous before would stay so.
    """
    interfaces = [switch.interfaces for switch in state.ovs.values()]
    links = {
        ref: (
            link.with_values(promisc=None)
            if ref.netns == OWN and any(ref.name in names for names in interfaces)
            else link
        )
        for ref, link in target.links.items()
    }
    return dataclasses.replace(target, links=links)


def differences(before: State, now: State, done: t.Sequence[Step]) -> t.List[str]:
    """A sentence for each difference between two States, except lost links that Open vSwitch has created again."""
    again = {Ref(OWN, step.name) for step in done if isinstance(step, LinkAgain)} - before.links.keys()
    if again:
        now = now.copy()
        now.links = {ref: link for ref, link in now.links.items() if ref not in again}
    kept = ["What is kept for the next boot is not as it was."] if before.kept != now.kept else []
    return [*link_differences(before, now, done), *bridge_plan.PLANNING.differences(before, now, done), *kept]


PLANNING = Planning(make_plan, make_repair, differences)


class _TopologyPlanner:
    """Holds the planners of links and of Open vSwitch, which share a Draft, and plans what concerns both."""

    def __init__(self, state: State) -> None:
        self.draft = Draft(state)
        self.links = LinkPlanner(self.draft)
        self.ovs = bridge_plan.OvsPlanner(self.draft)
        self.before: State = state
        self.state: State = self.draft.state
        self._told = Complaints()
        self._deletions_at = 0  # number of steps before the deletions

    def topology(self, wanted: Wanted) -> None:
        """Plan everything. Raises Conflict with all errors."""
        topology, told = wanted.topology, self._told
        told.sentences += wanted.wrong
        mine = still_owned(topology.record, self.before) if topology else Owned()
        self.links.notes.owned = mine.links
        unlisted = {link.ref for link in wanted.links if not link.present and not link.port_of}
        self.links.notes.doomed = unlisted | _unlisted(wanted, mine).links
        if topology:
            self.draft.warnings += topology.warnings
            told.sentences += _owned_by_others(wanted, topology, self.before)
        if topology is None or topology.present:
            told.sentences += [*_duplicates(wanted), *contradictions(wanted)]
        phases = self._phases(wanted, mine)
        walk(PHASES, phases, told)
        if told.sentences:
            # An element that can't be read may have created what is missing.
            unread = ["'%s'" % name for name in wanted.unread]
            missing = [sentence for sentence in self.draft.missing if not any(name in sentence for name in unread)]
            raise Conflict(*told.sentences, *missing)
        self._deletions_at = len(self.draft.done)
        walk(LAST_PHASES, phases, told)
        told.report()

    def _phases(self, wanted: Wanted, mine: Owned) -> Phases:
        """Functions that plan everything wanted, by phase."""
        topology = wanted.topology
        if topology is None or topology.present:
            phases = self._present(wanted)
        else:
            phases = {
                "open_vswitch": lambda: [functools.partial(self.ovs.ovs_missing, wanted)],
                "absent": list,
                "delete": lambda: [self.links.delete],
            }
        absent = phases["absent"]
        return {
            **phases,
            "absent": lambda: [*absent(), functools.partial(self._unlisted, wanted, mine)],
            "delete_from_ovs": lambda: [self.ovs.delete],
            "keep": lambda: [functools.partial(self._keep, topology)] if topology else [],
        }

    def _present(self, wanted: Wanted) -> Phases:
        """Functions that plan links and Open vSwitch, by phase."""
        links = _each_once(link for link in wanted.links if link.present)
        absent = [link for link in wanted.links if not link.present]
        early, late = self._in_order(links, wanted)
        return {
            **self.links.phases(wanted.namespaces, [*links, *absent]),
            "place": lambda: each(self.links.placing.place, early),
            "open_vswitch": lambda: [functools.partial(self._open_vswitch, links, wanted)],
            "place_upon_ovs": lambda: each(self.links.placing.place, late),
            "come_up": lambda: [self.links.settling.come_up, self._check_counts],
        }

    def _keep(self, topology: WantedTopology) -> None:
        """Keep the document for the next boot unless the kept one is equivalent; called when all other steps are known."""
        keep, kept, draft = topology.keep, self.before.kept, self.draft
        if not mean_the_same(kept, keep) and (draft.done or not is_result_of(keep, kept, self.before)):
            draft.do(DocumentKeep(topology.name, keep))
            # Before all deletions, which can't always be rolled back.
            draft.done.insert(self._deletions_at, draft.done.pop())

    def _open_vswitch(self, links: t.Sequence[WantedLink], wanted: Wanted) -> None:
        """Plan Open vSwitch, and what it sets on links."""
        self.ovs.new_links = {
            ref.name: link.kind
            for ref, link in self.state.links.items()
            if ref.netns == OWN and ref not in self.before.links
        }
        self.ovs.ovs(wanted)
        told = Complaints()
        for link in links:
            for end in link.ends():
                told.attempt(self._give_to_ovs, end, wanted)
        self._leave_to_ovs()
        told.report()

    def _check_counts(self) -> None:
        """Raise Conflict if a bridge would have too many ports."""
        told = Complaints()
        for bridge in self.state.links.values():
            kind, count = registry.KINDS.get(bridge.kind), len(bridge.ports or ())
            problem = kind.ports_problem(count) if kind else ""
            told.note("Link %s would have %d ports, and %s" % (bridge.ref, count, problem) if problem else "")
        told.report()

    def _give_to_ovs(self, link: WantedLink, wanted: Wanted) -> None:
        """Set values of a link through Open vSwitch where it keeps them itself and has the link in its own namespace."""
        place = Ref(OWN, link.ref.name)
        at_hand = self.state.links.get(place)
        if OWN not in (link.ref.netns, link.move_from) or at_hand is None:
            return
        for database, switch in self.state.ovs.items():
            interface = switch.interfaces.get(place.name)
            if interface is None:
                continue
            for name, table, column, key in _kept_by_ovs(switch, interface, link.ref.netns):
                value = link.values.get(name)
                old = (switch.bridges if table == BRIDGE else switch.interfaces)[place.name].values[column]
                there = old.get(key) if key else old
                if value is None or same(name, there, value):
                    continue
                _check_asked(link, wanted, database, name, there)
                if name in at_hand.values and same(name, at_hand.values[name], value) and there is None:
                    continue
                new = {**old, key: value} if key else value
                self.draft.do(ColumnSet(database, table, place.name, column, old, new))

    def _leave_to_ovs(self) -> None:
        """Do not restore the promiscuity of links that Open vSwitch takes, has or releases."""
        for database, switch in self.state.ovs.items():
            for name in switch.interfaces.keys() | self.before.ovs[database].interfaces.keys():
                self.links.placing.leave_promisc(Ref(OWN, name))

    def _in_order(
        self, links: t.Sequence[WantedLink], wanted: Wanted
    ) -> t.Tuple[t.List[WantedLink], t.List[WantedLink]]:
        """The links before and after Open vSwitch, parents first. Notes an error for a loop."""
        internal = {port.name for port in wanted.ovs_ports if port.interface.get("type") == "internal"}
        internal |= {bridge.name for bridge in wanted.ovs_bridges}
        makers = {end.ref: link for link in links if link.made for end in link.ends()}
        early: t.Dict[int, WantedLink] = {}
        late: t.Dict[int, WantedLink] = {}
        visiting: t.Set[int] = set()

        def place(link: WantedLink) -> None:
            stack: t.List[WantedLink] = []
            below: t.Optional[WantedLink] = link
            while below and id(below) not in early and id(below) not in late:
                if id(below) in visiting:
                    raise BadInput("Option parent of link %s forms a loop." % (below.ref,))
                visiting.add(id(below))
                stack.append(below)
                below = makers.get(below.parent) if below.parent else None
            for upper in reversed(stack):
                upon_ovs = upper.parent and upper.parent.name in internal and not below
                waits = not upper.made or upon_ovs or (below and id(below) in late)
                (late if waits else early)[id(upper)] = below = upper

        for link in links:
            self._told.attempt(place, link)
        return [*early.values()], [*late.values()]

    def _unlisted(self, wanted: Wanted, mine: Owned) -> None:
        """Note deletions of owned things that are not wanted."""
        gone = _unlisted(wanted, mine)
        namespaces = gone.namespaces | {netns.name for netns in wanted.namespaces if not netns.present}
        for ref in sorted(gone.links):
            if not self._goes_with(namespaces, ref):
                self.links.last.append(functools.partial(self.links.placing.delete_link, ref))
        self.links.last += (functools.partial(self.draft.do, netns.NetnsDel(name)) for name in sorted(gone.namespaces))
        self.ovs.last += (functools.partial(self.ovs.drop_port, *port) for port in sorted(gone.ports))
        self.ovs.last += (functools.partial(self.ovs.delete_bridge, *bridge) for bridge in sorted(gone.bridges))

    def _goes_with(self, namespaces: t.Set[str], ref: Ref) -> bool:
        """Whether a link is deleted with its namespace, and its other end as well."""
        link = self.state.links.get(ref)
        return bool(link and ref.netns in namespaces and (not link.peer or link.peer.netns in namespaces))

    def check_internal(self) -> None:
        """Raise Conflict if the link of an internal port that stays would be deleted with its namespace."""
        left = {ref.name for ref in self.state.links}
        internal = set().union(*(switch.internal() for switch in self.state.ovs.values()))
        for ref, link in self.before.links.items():
            if link.kind in OVS_KINDS and ref.name in internal - left:
                raise Conflict(
                    "Link %s would go with that namespace, and the OVS port of that name needs it. No changes were made. List "
                    "the link with 'move_from: %s', or the port no longer." % (ref, ref.netns)
                )

    def check_ports(self, wanted: Wanted) -> None:
        """Raise Conflict if the link of a wanted port is deleted."""
        for port in wanted.ovs_ports:
            ref, switch = Ref(OWN, port.name), self.state.ovs.get(port.database)
            interface = switch.interfaces.get(port.name) if switch else None
            needed = port.present and interface and interface.values["type"] == "system"
            if needed and ref in self.before.links and ref not in self.state.links:
                raise Conflict(
                    "Link %s would be gone, and OVS port '%s' needs it. List the link, or the port no longer. No changes were made."
                    % (ref, port.name)
                )

    def released(self) -> t.Set[str]:
        """Ports that Open vSwitch no longer has."""
        had = {name for switch in self.before.ovs.values() for name in switch.interfaces}
        kept = {
            name
            for database, switch in self.before.ovs.items()
            for name in switch.interfaces.keys() & self.state.ovs[database].interfaces.keys()
        }
        return had - kept

    def check_collateral(self, wanted: Wanted, plan: Plan) -> None:
        """Raise Conflict if the plan would delete something that is neither owned nor listed."""
        topology = wanted.topology
        if topology is None:
            return
        mine = still_owned(topology.record, plan.before)
        named = {ref for link in wanted.links for end in link.ends() for ref in (end.ref, plan.found.get(end.ref))}
        named |= {link.peer for link in (plan.before.links.get(ref) for ref in named if ref) if link and link.peer}
        internal = set().union(*(switch.internal() for switch in plan.before.ovs.values()))
        lost = []
        for ref, link in plan.before.links.items():
            kept = ref in plan.after.links or ref in mine.links or ref in named
            ours = link.kind in OVS_KINDS and ref.name in internal
            if not kept and not ours and link.kind != "" and ref.name not in KERNEL_FALLBACK_DEVICES:
                lost.append("link %s" % (ref,))
        for database, switch in plan.before.ovs.items():
            left = plan.after.ovs[database]
            for name in switch.ports.keys() - left.ports.keys():
                asked = any((port.database, port.name) == (database, name) for port in wanted.ovs_ports)
                if name not in switch.bridges and (database, name) not in mine.ports and not asked:
                    lost.append("OVS port '%s'" % name)
        if lost:
            raise Conflict(
                "This would destroy %s, which this topology has not made. No changes were made. Move it or delete it first%s."
                % (", ".join(sorted(lost)), ", or give 'purge: false'" if topology.present else "")
            )


def _kept_by_ovs(switch: Switch, interface: Interface, netns: str) -> t.Iterator[t.Tuple[str, str, str, str]]:
    """Values of a link that Open vSwitch keeps, with table, column and, for a map, key.

    ``netns`` is the future namespace of the link. Open vSwitch sets the MTU only of links in its own namespace.
    """
    bridge = switch.bridges.get(interface.name)
    if bridge and not bridge.parent:
        yield "mac", BRIDGE, "other_config", "hwaddr"
    elif interface.values["mac"]:
        yield "mac", INTERFACE, "mac", ""
    if netns == OWN and (interface.values["type"] == "internal" or interface.values["mtu_request"]):
        yield "mtu", INTERFACE, "mtu_request", ""


def _check_asked(link: WantedLink, wanted: Wanted, database: str, name: str, there: t.Any) -> None:
    """Raise BadInput if the document of a port or bridge has another value for Open vSwitch than that of its link."""
    rows = [
        *(("port", port.name, port.interface) for port in wanted.ovs_ports if port.database == database),
        *(("bridge", bridge.name, bridge.values) for bridge in wanted.ovs_bridges if bridge.database == database),
    ]
    for noun, row, values in rows:
        option = {"mac": "mac", "mtu": "mtu_request"}[name]
        given = values.get(option, values.get("other_config", {}).get("hwaddr") if name == "mac" else None)
        if row == link.ref.name and given:
            raise BadInput(
                "Option %s of link %s is %s, and option %s of OVS %s '%s' is %s; give it once. No changes were made."
                % (name, link.ref, link.values[name], option, noun, row, there)
            )


def _listed(wanted: Wanted) -> Owned:
    """Everything that a document lists."""
    return Owned(
        {netns.name for netns in wanted.namespaces},
        {end.ref for link in wanted.links for end in link.ends()},
        {(bridge.database, bridge.name) for bridge in wanted.ovs_bridges},
        {(port.database, port.name) for port in wanted.ovs_ports},
    )


def _unlisted(wanted: Wanted, mine: Owned) -> Owned:
    """Owned things that the topology does not list."""
    topology = wanted.topology
    if topology is None or (topology.present and not topology.purge):
        return Owned()
    listed = _listed(wanted) if topology.present else Owned()
    return Owned(
        mine.namespaces - listed.namespaces,
        mine.links - listed.links,
        mine.bridges - listed.bridges,
        mine.ports - listed.ports,
    )


def _duplicates(wanted: Wanted) -> t.List[str]:
    """A sentence for each thing that a document describes several times."""
    ends = [(end.ref, "port of a bridge" if end.port_of else "link") for link in wanted.links for end in link.ends()]
    things = [
        *("Namespace '%s'" % netns.name for netns in wanted.namespaces),
        *("%s %s" % (noun[0].upper() + noun[1:], ref) for ref, noun in ends),
        *("OVS bridge '%s'" % bridge.name for bridge in wanted.ovs_bridges),
        *("OVS port '%s'" % port.name for port in wanted.ovs_ports),
    ]
    counted = collections.Counter(things)
    return ["%s is described %d times." % (thing, count) for thing, count in counted.items() if count > 1]


def _each_once(links: t.Iterable[WantedLink]) -> t.List[WantedLink]:
    """The links without those that share an end with an earlier one, which are reported elsewhere."""
    taken: t.Set[t.Tuple[Ref, bool]] = set()
    kept = []
    for link in links:
        ends = {(end.ref, bool(end.port_of)) for end in link.ends()}
        if not ends & taken:
            kept.append(link)
        taken |= ends
    return kept


def _owned_by_others(wanted: Wanted, topology: WantedTopology, state: State) -> t.List[str]:
    """A sentence for each thing in a document that another topology owns."""
    listed = _listed(wanted) if topology.present else Owned()
    found = []
    for record in topology.others:
        theirs = still_owned(record, state)
        for noun, names in (
            ("Namespace '%s'", sorted(listed.namespaces & theirs.namespaces)),
            ("Link %s", [str(ref) for ref in sorted(listed.links & theirs.links)]),
            ("OVS bridge '%s'", [name for _database, name in sorted(listed.bridges & theirs.bridges)]),
            ("OVS port '%s'", [name for _database, name in sorted(listed.ports & theirs.ports)]),
        ):
            found += ["%s belongs to topology '%s'." % (noun % name, record.name) for name in names]
    return found


def created_by(plan: Plan) -> Owned:
    """What a plan creates."""
    new = Owned()
    for step in plan.steps:
        if isinstance(step, netns.NetnsAdd):
            new.namespaces.add(step.name)
        elif isinstance(step, steps.LinkAdd):
            new.links |= {end.ref for end in (step.link, step.peer) if end}
        elif isinstance(step, BridgeAdd):
            new.bridges.add((step.database, step.name))
        elif isinstance(step, PortAdd):
            new.ports.add((step.database, step.name))
    return new


def owned_after(plan: Plan, mine: Owned, now: State) -> Owned:
    """What is owned after a plan: previously owned things at their present places, and created ones, if they exist."""
    new = created_by(plan)
    came_from = {place: ref for ref, place in plan.found.items() if place}
    moved = {came_from.get(ref, ref) for ref in mine.links}
    return Owned(
        {name for name in mine.namespaces | new.namespaces if name in now.namespaces},
        {ref for ref in moved | new.links if ref in now.links},
        {row for row in mine.bridges | new.bridges if row[0] in now.ovs and row[1] in now.ovs[row[0]].bridges},
        {row for row in mine.ports | new.ports if row[0] in now.ovs and row[1] in now.ovs[row[0]].ports},
    )
