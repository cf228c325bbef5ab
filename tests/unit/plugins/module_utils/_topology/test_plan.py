# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import typing as t

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    BadInput,
    Conflict,
    Failure,
    PrerequisiteMissing,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge, roll_back
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, fuse
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Netns, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology as modules_topology
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options, write_topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Record
from ansible_collections.virtnet.linux.plugins.module_utils._topology.ownership import Owned, record_of, still_owned
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import (
    PLANNING,
    differences,
    make_plan,
    owned_after,
)
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._topology.steps import DocumentKeep
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import states as link_states
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import SimulatedOvs
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import (
    Document,
    some,
    topologies,
    wanted,
)

# The same examples each time, so that a change is judged by what it changes; EXPLORE=2000 goes looking for new ones.
laws = settings(
    max_examples=int(os.environ.get("EXPLORE", "60")),
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
            seen.put(link.with_values(**{**unknown, "mac": "02:00:00:00:02:%02x" % (link.index % 256), **link.values}))
        return seen

    def locate(self, wanted: Wanted) -> Wanted:
        assert wanted.topology
        return dataclasses.replace(wanted, topology=dataclasses.replace(wanted.topology, record=self.record))

    def commit(self, plan: Plan, now: State) -> None:
        self._identify()
        mine = still_owned(self.record, plan.before)
        self.record = record_of("lab", owned_after(plan, mine, self.state), self.state)


def host_with(state: State) -> Host:
    return Host(State(**{**vars(state), "ovs": {"": Switch()}, "boot": "this"}))


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
    except (BadInput, Conflict, PrerequisiteMissing):
        assume(False)
        raise


@laws
@given(
    hosts(), topologies(), some(purge=st.booleans(), rollback=st.booleans(), timeout=st.integers(1, 60)), st.booleans()
)
def test_a_result_given_back_is_unchanged(host: Host, document: Document, more: Document, persist: bool) -> None:
    document = {**document, **more, "persist": persist}
    run_or_skip(host, document)
    kept = host.state.kept
    complete, _wrong = modules_topology.validate(topology_options(), document)
    for _time in range(2):
        outcome = converge(host, PLANNING, wanted(document), False)
        assert outcome.plan.steps == []
        told = write_topology(outcome.now, outcome.wanted, outcome.plan)
        document = json.loads(json.dumps(modules_topology.result(complete, told)))
    assert host.state.kept == kept
    assert (kept is not None) == (persist and document["state"] == "present")


def test_a_document_that_says_more_is_kept_anew() -> None:
    """Only the result itself is no reason to keep it in place of what the user has said."""
    host = an_empty_host()
    kept = lab(links=[PAIR, BRIDGE], persist=True)
    assert [type(step) for step in converge(host, PLANNING, kept, False).plan.steps][-1] is DocumentKeep
    said = host.state.kept
    for same in (
        {"links": [BRIDGE, PAIR]},
        {"links": [PAIR, {**BRIDGE, "mtu": None}]},
        {"links": [{**PAIR, "recreate": "no"}, BRIDGE], "namespaces": []},
    ):
        assert not converge(host, PLANNING, lab(persist=True, **same), False).plan.steps
        assert host.state.kept == said
    for other in (
        {"links": [PAIR, {**BRIDGE, "mtu": 1500}]},
        {"links": [PAIR, BRIDGE], "timeout": 7},
        {"links": [PAIR, BRIDGE], "purge": False},
        {"links": [PAIR, BRIDGE]},
    ):
        assert [type(step) for step in converge(host, PLANNING, lab(persist=True, **other), False).plan.steps] == [
            DocumentKeep
        ]


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
    mine = still_owned(host.record, host.state)
    assert mine == Owned() or document["state"] == "present"
    run_or_skip(host, {**document, "state": "absent"})
    assert still_owned(host.record, host.state) == Owned()
    assert host.record == Record("lab", host.record.boot)


# Examples


def an_empty_host() -> Host:
    return host_with(State(namespaces={"": Netns("")}, links={Ref("", "lo"): Link(Ref("", "lo"), index=1)}))


def lab(**document: t.Any) -> Wanted:
    return wanted({"name": "lab", **document})


BRIDGE = {"kind": "linux_bridge", "name": "br0"}
SWITCH = {"name": "ovs0", "ports": [{"name": "i0", "type": "internal"}]}
MOVED = {"kind": "link", "name": "i0", "netns": "blue", "move_from": ""}
PAIR = {"kind": "veth", "name": "v0", "peer": {"name": "w0"}}


def test_what_a_document_of_a_port_says_comes_to_what_that_of_its_link_says() -> None:
    host = an_empty_host()
    converge(host, PLANNING, lab(links=[BRIDGE, PAIR]), False)
    port = {"kind": "linux_bridge_port", "bridge": "br0", "name": "w0", "hairpin": True}
    pair = {**PAIR, "peer": {"name": "w0", "alias": "some text", "master": "br0"}}
    converge(host, PLANNING, lab(links=[port, BRIDGE, pair]), False)
    link = host.state.links[Ref("", "w0")]
    assert (link.values["alias"], link.port["hairpin"]) == ("some text", True)


def test_a_bridge_keeps_the_mtu_that_it_was_given_when_others_join_and_leave_it() -> None:
    host = an_empty_host()
    bridge = {**BRIDGE, "mtu": 1400}
    converge(host, PLANNING, lab(links=[bridge, {**PAIR, "master": "br0"}]), False)
    converge(host, PLANNING, lab(links=[bridge]), False)
    assert host.state.links[Ref("", "br0")].values["mtu"] == 1400


def test_nothing_comes_up_before_all_have_their_settings_and_bridges_come_up_last() -> None:
    bridge = {**BRIDGE, "state": "up", "addresses": ["192.0.2.1/24"], "routes": [{"to": "198.51.100.0/24"}]}
    port = {"kind": "linux_bridge_port", "bridge": "br0", "name": "w0", "isolated": True}
    pair = {**PAIR, "state": "up", "peer": {"name": "w0", "master": "br0", "mtu": 1400, "state": "up"}}
    plan = make_plan(an_empty_host().state, lab(links=[bridge, port, pair]))
    commands = [" ".join(argv) for argv in plan.commands]
    ups = [commands.index("ip link set dev %s up" % name) for name in ("v0", "w0", "br0")]
    assert ups == [len(commands) - 4, len(commands) - 3, len(commands) - 2]
    assert commands[-1] == "ip route add 198.51.100.0/24 dev br0 proto static"


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (
            {"links": [PAIR, {"kind": "macvlan", "name": "x0", "parent": "v0"}]},
            {"links": [{"kind": "link", "name": "x0"}]},
            "Link 'x0' would be deleted along with other links. No changes were made.",
        ),
        (
            {"namespaces": [{"name": "blue"}]},
            {"links": [{**BRIDGE, "netns": "blue"}]},
            "Link 'br0' in namespace 'blue' would be deleted along with other links. No changes were made.",
        ),
        (
            {"namespaces": [{"name": "blue"}], "ovs_bridges": [SWITCH], "links": [MOVED]},
            {"ovs_bridges": [SWITCH]},
            "Link 'i0' in namespace 'blue' would go with that namespace, and the OVS port of that name needs it. No changes "
            "were made. List the link with 'move_from: blue', or the port no longer.",
        ),
        (
            {},
            {"links": [PAIR, {**PAIR, "name": "v1"}, {**BRIDGE, "name": "lo"}]},
            "Link 'w0' is described 2 times. Link 'lo' (the loopback) is not a linux_bridge. No changes were made. Choose another "
            "name, or delete it first; 'recreate: true' deletes it and makes a new one.",
        ),
        (
            {},
            {
                "links": [
                    {"kind": "macvlan", "name": "x0", "parent": "x1"},
                    {"kind": "macvlan", "name": "x1", "parent": "x0"},
                ]
            },
            "Option parent of link 'x0' forms a loop. Option parent of link 'x1' forms a loop.",
        ),
    ],
)
def test_what_can_not_be_is_told_before_anything_is_touched(first: Document, second: Document, sentence: str) -> None:
    host = an_empty_host()
    converge(host, PLANNING, lab(**first), False)
    before = host.state.copy()
    with pytest.raises(Conflict) as caught:
        converge(host, PLANNING, lab(**second), False)
    assert str(caught.value) == sentence
    assert host.state == before


def test_a_long_chain_of_parents_is_planned_from_its_end() -> None:
    count = 2000
    links = [{"kind": "macvlan", "name": "x%d" % n, "parent": "x%d" % (n + 1)} for n in range(count)]
    with contextlib.suppress(Failure):  # what such a document can't have is told as for a short one
        converge(an_empty_host(), PLANNING, lab(links=links), True)
    links = [{"kind": "macvlan", "name": "x%d" % n, "parent": "x%d" % ((n + 1) % count)} for n in range(count)]
    with pytest.raises(Conflict, match=r"^Option parent of link 'x0' forms a loop\."):
        converge(an_empty_host(), PLANNING, lab(links=links), True)


def test_what_another_topology_owns_can_not_be_listed() -> None:
    host = an_empty_host()
    converge(host, PLANNING, lab(links=[BRIDGE, PAIR]), False)
    wish = wanted({"name": "other", "links": [PAIR]})
    assert wish.topology
    wish = dataclasses.replace(
        wish, topology=dataclasses.replace(wish.topology, record=Record("other"), others=(host.record,))
    )
    with pytest.raises(Conflict, match=r"^Link 'v0' belongs to topology 'lab'\. Link 'w0' belongs .*$"):
        make_plan(host.observe(wish), wish)


def test_what_somebody_made_again_is_not_purged() -> None:
    host = an_empty_host()
    converge(host, PLANNING, lab(links=[BRIDGE, PAIR]), False)
    ref = Ref("", "br0")
    host.state.put(dataclasses.replace(host.state.links[ref], index=999))
    converge(host, PLANNING, lab(state="absent"), False)
    assert set(host.state.links) == {Ref("", "lo"), ref}
