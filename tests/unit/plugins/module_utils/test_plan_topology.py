# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
import typing as t

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._apply import converge, roll_back
from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput, Conflict, Failure, Missing
from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import HostState, Netns
from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._model_topology import (
    Belongings,
    Record,
    belongings,
    record_of,
)
from ansible_collections.virtnet.linux.plugins.module_utils._plan import Plan, fuse
from ansible_collections.virtnet.linux.plugins.module_utils._plan_topology import (
    PLANNING,
    differences,
    make_plan,
    owned_after,
)
from ansible_collections.virtnet.linux.plugins.module_utils._steps_ovs import OvsStep

from .simulated import states as link_states
from .simulated_ovs import SimulatedOvs
from .simulated_topology import Document, topologies, wanted

# The same examples each time, so that a change is judged by what it changes; EXPLORE=2000 goes looking for new ones.
laws = settings(
    max_examples=int(os.environ.get("EXPLORE", "200")),
    derandomize="EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Host(SimulatedOvs):
    """A host that gives what is made an identity, and keeps the record of one topology."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.record = Record("lab")
        self.identities = 0
        self._identify()

    def _identify(self) -> None:
        for name, netns in self.state.namespaces.items():
            self.state.namespaces[name] = netns if netns.identity else dataclasses.replace(netns, identity=self._new())
        for link in self.state.links.values():
            self.state.put(link if link.index else dataclasses.replace(link, index=int(self._new())))
        for switch in self.state.ovs.values():
            there = [*(("Bridge", name) for name in switch.bridges), *(("Port", name) for name in switch.ports)]
            switch.rows = {row: switch.rows.get(row) or self._new() for row in there}

    def _new(self) -> str:
        self.identities += 1
        return str(100 + self.identities)

    def observe(self, wanted: Wanted) -> State:
        """A host on which nothing is unknown."""
        seen = super().observe(wanted)
        for link in seen.links.values():
            unknown = {"mtu": 1500, "txqueuelen": 1000, "alias": "", "promisc": False, "state": "down", "master": ""}
            seen.put(link.having(**{**unknown, "mac": "02:00:00:00:02:%02x" % (link.index % 256), **link.values}))
        return seen

    def locate(self, wanted: Wanted) -> Wanted:
        assert wanted.topology
        return dataclasses.replace(wanted, topology=dataclasses.replace(wanted.topology, record=self.record))

    def commit(self, plan: Plan, now: State) -> None:
        self._identify()
        mine = belongings(self.record, plan.before)
        self.record = record_of("lab", owned_after(plan, mine, self.state), self.state)


def host_with(state: State) -> Host:
    return Host(HostState(**{**vars(state), "ovs": {"": Switch()}, "boot": "this"}))


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """A host with things of others, and with what some documents of the topology have left of themselves."""
    host = host_with(draw(link_states() | st.just(State(namespaces={"": Netns("")}))))
    for document in draw(st.lists(topologies(), max_size=3)):
        try:
            converge(host, PLANNING, wanted(document), False)
        except Failure:
            continue
    return host


def things(state: State) -> t.Set[t.Any]:
    """All that is in a state, with its identity."""
    found: t.Set[t.Any] = {(name, netns.identity) for name, netns in state.namespaces.items()}
    found |= {(link.kind, link.index) for link in state.links.values()}
    return found | {row for switch in state.ovs.values() for row in switch.rows.items()}


def undoable(plan: Plan) -> t.Iterator[int]:
    """The numbers of steps after which all can be undone: the last transaction of Open vSwitch takes links with it."""
    done = 0
    for batch in fuse(plan.steps):
        if isinstance(batch[0], OvsStep):
            if plan.before.ovs[""].internal() - plan.after.ovs[""].internal():
                return
            yield done + len(batch)
        else:
            yield from range(done + 1, done + len(batch) + 1)
        done += len(batch)


@laws
@given(hosts(), topologies())
def test_a_plan_applied_satisfies_what_was_wanted(host: Host, document: Document) -> None:
    run_or_skip(host, document)
    again = converge(host, PLANNING, wanted(document), False)
    assert again.plan.steps == []
    assert not again.plan.missing


def run_or_skip(host: Host, document: Document) -> Plan:
    try:
        return converge(host, PLANNING, wanted(document), False).plan
    except (BadInput, Conflict, Missing):
        assume(False)
        raise


@laws
@given(hosts(), topologies())
def test_undoing_restores_from_wherever_a_plan_stopped(host: Host, document: Document) -> None:
    wish = host.locate(wanted(document))
    before = host.observe(wish)
    try:
        plan = make_plan(before, wish)
    except Failure:
        assume(False)
    assume(not plan.missing)
    for stop in undoable(plan):
        twin = Host(before)
        twin.run(plan.steps[:stop])
        assert roll_back(twin, PLANNING, wish, before, plan.steps[:stop]) == []
        assert differences(before, twin.observe(wish), plan.steps[:stop]) == []


@laws
@given(hosts(), topologies(), topologies())
def test_what_others_have_made_stays(host: Host, first: Document, second: Document) -> None:
    foreign = things(host_with(host.first).state)
    for document in (first, second, {**second, "state": "absent"}):
        plan = run_or_skip(host, document)
        asked = {ref for place in plan.found.items() for ref in place if ref}
        named = {
            (link.kind, link.index) for ref, link in plan.before.links.items() if ref in asked or link.peer in asked
        }
        assert foreign - named <= things(host.state)
        foreign -= named


@laws
@given(hosts(), topologies())
def test_what_is_not_listed_any_more_goes_and_absence_takes_all(host: Host, document: Document) -> None:
    run_or_skip(host, {**document, "purge": True})
    mine = belongings(host.record, host.state)
    assert mine == Belongings() or document["state"] == "present"
    run_or_skip(host, {**document, "state": "absent"})
    assert belongings(host.record, host.state) == Belongings()
    assert host.record == Record("lab", host.record.boot)
