# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest
from hypothesis import HealthCheck, assume, given, settings

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, NotApplied, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge, roll_back
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING, differences, make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import quote
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import (
    SimulatedOvs,
    states,
    wanted_ports,
    wanteds,
    wish,
)

# The same examples each time, so that a change is judged by what it changes; EXPLORE=2000 goes looking for new ones.
laws = settings(
    max_examples=int(os.environ.get("EXPLORE", "200")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def plan_or_skip(state: State, wanted: Wanted) -> Plan:
    try:
        plan = make_plan(state, wanted)
    except Failure:
        assume(False)
    assume(not plan.missing)
    return plan


@laws
@given(states(), wanteds)
def test_a_plan_applied_satisfies_what_was_wanted(state: State, wanted: Wanted) -> None:
    plan = plan_or_skip(state, wanted)
    again = make_plan(plan.after, wanted)
    assert again.steps == []
    assert not again.missing


@laws
@given(states(), wanteds)
def test_planning_changes_nothing(state: State, wanted: Wanted) -> None:
    before = state.copy()
    plan = plan_or_skip(state, wanted)
    assert state == before
    assert plan.before is state


@laws
@given(states(), wanteds)
def test_a_plan_is_one_transaction(state: State, wanted: Wanted) -> None:
    plan = plan_or_skip(state, wanted)
    assert len(plan.commands) == bool(plan.steps)


@laws
@given(states(), wanteds)
def test_undoing_restores_from_wherever_a_plan_stopped(state: State, wanted: Wanted) -> None:
    plan = plan_or_skip(state, wanted)
    for stop in range(len(plan.steps) + 1):
        host = SimulatedOvs(state)
        host.run(plan.steps[:stop])
        assert roll_back(host, PLANNING, wanted, state, plan.steps[:stop]) == []
        assert host.state == state
        assert differences(state, host.observe(wanted), plan.steps[:stop]) == []


@laws
@given(states(), wanted_ports)
def test_what_nobody_asked_for_is_left_alone(state: State, wanted: Wanted) -> None:
    assume(wanted.ovs_ports[0].present)
    plan = plan_or_skip(state, wanted)
    (asked,) = wanted.ovs_ports
    then, now = state.ovs[""], plan.after.ovs[""]
    assert now.bridges == then.bridges
    assert {name: port for name, port in now.ports.items() if name != asked.name} == {
        name: port for name, port in then.ports.items() if name != asked.name
    }
    if asked.name in then.ports:
        for old, new, values in (
            (then.ports[asked.name], now.ports[asked.name], asked.values),
            (then.interfaces.get(asked.name), now.interfaces.get(asked.name), asked.interface),
        ):
            if old:
                assert new
                changed = {column for column in old.values if old.values[column] != new.values[column]}
                assert changed <= {*values, *(["tag"] if asked.bridge == "fake" else [])}


def host_with(*documents: t.Dict[str, t.Any]) -> State:
    """An Open vSwitch on which these were made, bridges without a ``bridge`` and ports with one."""
    state = State(ovs={"": Switch(interface_types=("system", "internal", "patch", "vxlan"))})
    for document in documents:
        state = make_plan(state, wanting(**document)).after
    return state


def wanting(**document: t.Any) -> Wanted:
    document.setdefault("state", "present")
    return wish(port=document) if "bridge" in document else wish(bridge=document)


BR0, BR1, FAKE = {"name": "br0"}, {"name": "br1"}, {"name": "fake", "parent": "br0", "vlan": 10}
P, M1, BOND = (
    {"bridge": "br0", "name": "p", "type": "internal"},
    {"bridge": "br0", "name": "m1"},
    {"bridge": "br0", "name": "bond", "interfaces": ["m2", "m3"]},
)
PATCH = {"bridge": "br0", "name": "patch", "type": "patch", "peer": "other", "options": {"x": "y"}}
VXLAN = {"bridge": "br0", "name": "t", "type": "vxlan", "remote_ip": "192.0.2.1"}


@pytest.mark.parametrize(
    ("made", "asked", "sentence"),
    [
        (
            [BR0],
            {"bridge": "br0", "name": "br0x", "type": "warp"},
            "this Open vSwitch has no 'warp'; it has system, in",
        ),
        (
            [BR0, BR1, P],
            {"bridge": "br1", "name": "p"},
            r"^OVS port 'p' is on bridge 'br0'. .* 'move_from: br0' moves it",
        ),
        (
            [BR0, BR1, P],
            {"bridge": "br1", "name": "p", "move_from": "x"},
            "is on bridge 'br0', and not on 'x'. No changes",
        ),
        ([BR0, FAKE, P], {"bridge": "fake", "name": "p"}, "^OVS port 'p' is on bridge 'br0'. No changes were made"),
        ([BR0, BR1], {"bridge": "br1", "name": "br0"}, "^'br0' is an OVS bridge, and can't be a port of 'br1'"),
        ([BR0, P], {"name": "p"}, "^OVS has a port of bridge 'br0' of the name 'p' already"),
        ([BR0, BOND], {"bridge": "br0", "name": "m2"}, "^'m2' is an interface of OVS port 'bond' already"),
        (
            [BR0, BOND],
            {"bridge": "br0", "name": "bond", "mac": "02:00:00:00:00:01"},
            "is a bond of m2, m3; give no opti",
        ),
        (
            [BR0, BOND],
            {"bridge": "br0", "name": "bond", "interfaces": ["m2"], "purge_interfaces": True},
            "at least two",
        ),
        ([BR0], {"bridge": "br0", "name": "bond", "interfaces": ["m2"]}, "a bond needs at least two"),
        ([BR0, M1], {"bridge": "br0", "name": "m1", "interfaces": ["m1", "m2"]}, "^OVS port 'm1' is no bond"),
        ([BR0], {"bridge": "br0", "name": "x", "type": "patch"}, "is a patch port and needs option peer"),
        ([BR0, PATCH], {"bridge": "br0", "name": "patch", "peer": ""}, "is a patch port and needs option peer"),
        ([BR0], {"bridge": "br0", "name": "x", "type": "vxlan"}, "is a tunnel and needs option remote_ip"),
        (
            [BR0, P],
            {"bridge": "br0", "name": "p", "peer": "x"},
            "Option peer .* is for 'type: patch', and this is intern",
        ),
        (
            [BR0, P],
            {"bridge": "br0", "name": "p", "key": "5"},
            "are for tunnels, such as 'type: vxlan', and this is intern",
        ),
        (
            [BR0, M1],
            {"bridge": "br0", "name": "m1", "mac": "02:00:00:00:00:01"},
            "Option mac .* is for 'type: internal', ",
        ),
        (
            [BR0, FAKE],
            {"bridge": "fake", "name": "p", "tag": "7"},
            "'fake' is a fake bridge for VLAN 10, and its ports",
        ),
        (
            [BR0, FAKE],
            {"name": "fake", "stp": True},
            "is a fake bridge for VLAN 10 of 'br0', and has nothing but .*stp",
        ),
        (
            [BR0],
            {**FAKE, "stp": True},
            "is a fake bridge for VLAN 10 of 'br0', and has nothing but external_ids and ports",
        ),
        ([BR0, FAKE], {"name": "fake", "controllers": ["tcp:1.2.3.4"]}, "set controllers at its parent"),
        (
            [BR0, FAKE],
            {"name": "fake", "parent": "br0", "vlan": 11},
            "is a fake bridge for VLAN 10 of 'br0', which can't",
        ),
        (
            [BR0, FAKE],
            {"name": "fake2", "parent": "fake", "vlan": 11},
            "^OVS bridge 'fake' can't be the parent of 'fake2'",
        ),
        (
            [BR0, BR1, P],
            {"name": "br1", "ports": ["p"]},
            "port 'p' is on bridge 'br0'; virtnet.linux.ovs_port moves it",
        ),
        (
            [BR0, P],
            {"name": "p", "state": "absent"},
            "^'p' is a port of OVS bridge 'br0' and no bridge; it was not del",
        ),
        (
            [BR0],
            {"bridge": "br0", "name": "br0", "state": "absent"},
            "^'br0' is an OVS bridge, whose own port goes with",
        ),
    ],
)
def test_conflicts_are_sentences(made: t.List[t.Dict[str, t.Any]], asked: t.Dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence) as caught:
        make_plan(host_with(*made), wanting(**asked))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("made", "asked", "command"),
    [
        ([], {**BR0, "external_ids": {"a": "b c", "d": 1}}, "add-br br0 -- set Bridge br0 external_ids:a=\"b c\" external_ids:d=1"),
        ([BR0, P], {**P, "tag": "7", "trunks": ["1", "3-4"]}, "set Port p tag=7 trunks=1,3,4"),
        ([BR0, {**P, "tag": "7"}], {**P, "tag": ""}, "clear Port p tag"),
        ([BR0, {**P, "external_ids": {"a": "1", "b": "2"}}], {**P, "external_ids": {"a": None}}, "remove Port p external_ids a"),
        ([BR0, {**P, "external_ids": {"--": "1", "b": "2"}}], {**P, "external_ids": {"--": None}}, 'remove Port p external_ids "--"'),
        ([BR0, {**P, "external_ids": {"a": "1"}}], {**P, "external_ids": {}}, "clear Port p external_ids"),
        ([BR0, PATCH], {"bridge": "br0", "name": "patch", "options": {}}, "remove Interface patch options x"),
        ([BR0, BR1, P], {**P, "bridge": "br1", "move_from": "br0"}, "-- --id=@p get Port p -- remove Bridge br0 ports @p -- add Bridge br1 ports @p"),
        ([BR0, FAKE, P], {**P, "bridge": "fake", "move_from": "br0"}, "set Port p tag=10"),
        ([BR0, FAKE], {**P, "bridge": "fake"}, "add-port br0 p -- set Port p tag=10 -- set Interface p type=internal"),
        ([BR0], {"name": "f", "parent": "br0", "vlan": 0, "external_ids": {"a": "b"}}, "add-br f br0 0 -- set Port f external_ids:fake-bridge-a=b"),
        ([BR0, BOND], {**BOND, "interfaces": ["m1"], "purge_interfaces": False}, "add-bond-iface bond m1"),
        ([{**BR0, "controllers": ["tcp:1.1.1.1"]}], {**BR0, "controllers": ["tcp:2.2.2.2"], "purge_controllers": True}, "set-controller br0 tcp:2.2.2.2"),
        ([{**BR0, "mac": "02:00:00:00:00:0a"}], {**BR0, "mac": "02:00:00:00:00:0A"}, ""),
        ([{**BR0, "other_config": {"hwaddr": "02:00:00:00:00:0A"}}], {**BR0, "mac": "02:00:00:00:00:0a"}, ""),
        ([BR0, M1], {**BR0, "ports": [], "purge_ports": True}, "del-port m1"),
        ([BR0, FAKE, M1], {**FAKE, "state": "absent"}, "del-br fake"),
        ([BR0, BR1, P], {"bridge": "br1", "name": "p", "state": "absent"}, ""),
        ([], {"bridge": "br1", "name": "p", "state": "absent"}, ""),
    ],
)  # fmt: skip
def test_commands(made: t.List[t.Dict[str, t.Any]], asked: t.Dict[str, t.Any], command: str) -> None:
    commands = make_plan(host_with(*made), wanting(**asked)).commands
    assert [" ".join(argv) for argv in commands] == (["ovs-vsctl " + command] if command else [])


@pytest.mark.parametrize("text", ["", "--", "a b", "a\n", "=", "中", '"', "\x7f", "a:b"])
def test_what_could_be_anything_but_a_word_is_quoted(text: str) -> None:
    assert quote(text).startswith('"')
    assert quote(text).endswith('"')


@pytest.mark.parametrize(
    ("asked", "warning"),
    [
        (
            {**BR0, "datapath_type": "netdev"},
            "With another datapath_type OVS makes the internal ports of bridge 'br0' anew",
        ),
        ({**P, "type": "vxlan", "remote_ip": "flow"}, "OVS port 'p' was an internal one; its link goes"),
    ],
)
def test_what_a_change_brings_with_it_is_a_warning(asked: t.Dict[str, t.Any], warning: str) -> None:
    (told,) = make_plan(host_with(BR0, P), wanting(**asked)).warnings
    assert told.startswith(warning)


def test_what_ovs_cannot_set_up_is_an_error_and_taken_out_again() -> None:
    host = SimulatedOvs(host_with(BR0))
    with pytest.raises(NotApplied) as caught:
        converge(host, PLANNING, wanting(bridge="br0", name="broken"), check=False)
    assert str(caught.value) == (
        "Open vSwitch can't set up OVS port 'broken': it is broken. All earlier changes were rolled back."
    )
    assert host.state == host.first


def test_what_was_broken_before_is_a_warning() -> None:
    host = SimulatedOvs(host_with(BR0, {"bridge": "br0", "name": "broken"}))
    outcome = converge(host, PLANNING, wanting(bridge="br0", name="broken", tag="7"), check=False)
    assert outcome.plan.broken == ["Open vSwitch can't set up OVS port 'broken': it is broken."]
    assert outcome.now.ovs[""].ports["broken"].values["tag"] == 7


def test_a_database_that_has_gone_is_one_difference() -> None:
    gone, state = State(ovs={"": Switch(unusable="It is gone.")}), host_with(BR0)
    assert differences(state, gone, make_plan(state, wanting(**P)).steps) == ["It is gone."]


def test_a_new_fake_bridge_is_undone_without_the_ports_of_its_vlan() -> None:
    state = host_with(BR0, {**P, "tag": "10"})
    plan = make_plan(state, wanting(**FAKE))
    host = SimulatedOvs(state)
    host.run(plan.steps)
    assert roll_back(host, PLANNING, wanting(**FAKE), state, plan.steps) == []
    assert host.state == state


def test_only_what_was_done_and_not_undone_is_told() -> None:
    state = host_with(BR0, BR1, {**P, "tag": "5"}, M1)
    done = [
        step
        for asked in ({**P, "tag": "7"}, {**M1, "state": "absent"})
        for step in make_plan(state, wanting(**asked)).steps
    ]
    theirs = make_plan(make_plan(state, wanting(**BR1, stp=True)).after, wanting(bridge="br1", name="theirs")).after
    assert differences(state, theirs, done) == []
    assert differences(state, theirs, []) == []
    for step in done:
        step.simulate(theirs)
    assert differences(state, theirs, done) == [
        "OVS interface 'm1' is gone.",
        "OVS port 'm1' is gone.",
        "tag of OVS port 'p' was 5 and is 7.",
    ]


def test_a_failing_transaction_says_what_became_of_the_host() -> None:
    host = SimulatedOvs(host_with(), fail_at=0)
    with pytest.raises(Refused, match=r"Injected fault\. No changes were made\.$"):
        converge(host, PLANNING, wanting(**BR0), check=False)
    assert host.state == host.first


def test_a_bridge_that_is_not_there_yet() -> None:
    plan = make_plan(host_with(), wanting(**P))
    assert plan.changed
    assert plan.missing == [
        "There is no OVS bridge 'br0' (option bridge of 'p'); make it first, for instance with virtnet.linux.ovs_bridge."
    ]
