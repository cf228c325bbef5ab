# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All or nothing: whatever is raised, and wherever, the host is as before, or the error tells what isn't."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    Failure,
    Refused,
    Unforeseen,
    Unusable,
    as_failure,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine import apply
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step, undo
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Address,
    Link,
    Netns,
    Ref,
    Route,
    WantedLink,
    WantedNetns,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING, differences
from ansible_collections.virtnet.linux.plugins.module_utils._links.steps import LinkAdd, LinkDel
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_steps import BridgeDel
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._topology.following import renewal
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import OwnedLink, Record
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING as WHOLE
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import (
    SimulatedHost,
    states,
    wanteds,
)

WISH = Wanted(
    namespaces=(WantedNetns("blue"),),
    links=(WantedLink(Ref("blue", "br0"), "linux_bridge", values={"stp": True, "state": "up"}),),
)
ERRORS = (
    KeyError("mode"),
    StopIteration(),
    MemoryError(),
    RecursionError(),
    OSError(24, "Too many"),
    Failure("It failed."),
)


class Breaking(SimulatedHost):
    """All steps are one batch. Something is raised when a number of steps was done, or at a later point."""

    def __init__(self, state: State, error: BaseException, at: int = -1, point: str = "") -> None:
        super().__init__(state)
        self.error: t.Optional[BaseException] = error
        self.at = at
        self.point = point
        self.released = 0

    def reach(self, point: str) -> None:
        error, self.error = self.error, None if point == self.point else self.error
        if error and point == self.point:
            raise error

    def run(self, batch: t.Sequence[Step]) -> None:
        for number, step in enumerate(batch):
            if len(self.ran) == self.at and self.error:
                error, self.error = self.error, None
                if isinstance(error, Failure):
                    error.done = batch[:number]
                raise error
            self.ran.append(step)
            step.simulate(self.state)

    def review(self, wanted: Wanted, plan: Plan) -> State:
        self.reach("review")
        return self.observe(wanted)

    def prepare(self, plan: Plan) -> None:
        self.reach("prepare")

    def commit(self, plan: Plan, now: State) -> None:
        self.reach("commit")

    def release(self) -> None:
        self.released += 1


def a_host() -> State:
    state = State(namespaces={"": Netns("")})
    state.put(Link(Ref("", "lo"), values={"state": "up"}))
    return state


def failed(host: Breaking, **more: t.Any) -> str:
    with pytest.raises(Failure) as caught:
        converge(host, PLANNING, WISH, False, **more)
    return str(caught.value)


@pytest.mark.parametrize("at", [0, 1])
def test_an_address_that_may_be_deleted_already_is_there_once_after_the_rollback(at: int) -> None:
    state = a_host()
    addresses = (Address("192.0.2.1/24"), Address("192.0.2.2/24"))
    routes = (Route("198.51.100.0/24", metric=1), Route("203.0.113.0/24", metric=1))
    state.put(Link(Ref("", "v"), "veth", values={"state": "up"}, addresses=addresses, routes=routes))
    purged = WantedLink(Ref("", "v"), made=False, addresses=(), purge_addresses=True, routes=(), purge_routes=True)
    host = Breaking(state, KeyError("mode"), at)
    with pytest.raises(Unforeseen):
        converge(host, PLANNING, Wanted(links=(purged,)), False)
    found = host.state.links[Ref("", "v")]
    assert sorted(address.address for address in found.addresses) == [address.address for address in addresses]
    assert sorted(route.to for route in found.routes) == [route.to for route in routes]


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(states(), wanteds, st.integers(0, 99), st.sampled_from(ERRORS[:-1]))
def test_any_exception_in_the_middle_of_a_batch_is_undone(
    state: State, wanted: Wanted, at: int, error: BaseException
) -> None:
    try:
        plan = PLANNING.make_plan(state, wanted)
    except Failure:
        assume(False)
    assume(plan.steps and not plan.missing)
    stop = at % len(plan.steps)
    assume(all(not isinstance(step, LinkDel) or step.link.kind in KINDS for step in plan.steps[:stop]))
    host = Breaking(state, error, stop)
    with pytest.raises(Unforeseen) as caught:
        converge(host, PLANNING, wanted, False)
    assert caught.value.__cause__ is error
    assert differences(state, host.observe(wanted)) == []
    assert "not all of them" not in str(caught.value)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("point", ["review", "commit", "tell"])
def test_what_fails_after_the_last_step_is_undone(error: Exception, point: str) -> None:
    error.aftermath = ""  # type: ignore[attr-defined]
    host = Breaking(a_host(), error, point=point)
    told = failed(host, tell=lambda _outcome: host.reach("tell"))
    assert told.endswith("All earlier changes were rolled back.")
    assert isinstance(error, Failure) or told != str(error)
    assert host.state == a_host()
    assert host.released == 1


@pytest.mark.parametrize("error", ERRORS)
def test_what_fails_before_the_first_step_changes_nothing(error: Exception) -> None:
    error.aftermath = ""  # type: ignore[attr-defined]
    host = Breaking(a_host(), error, point="prepare")
    assert failed(host).endswith("No changes were made.")
    assert host.state == a_host()
    assert host.released == 1


def test_without_rollback_what_was_done_stays() -> None:
    host = Breaking(a_host(), KeyError("x"), point="commit")
    assert failed(host, rollback=False).endswith("The earlier changes remain (rollback: false).")
    assert Ref("blue", "br0") in host.state.links


def test_an_interrupt_is_undone_and_stays_an_interrupt() -> None:
    host = Breaking(a_host(), KeyboardInterrupt(), at=2)
    with pytest.raises(KeyboardInterrupt):
        converge(host, PLANNING, WISH, False)
    assert host.state == a_host()


def test_a_fault_in_the_plan_of_the_undo_leaves_the_rest_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(_step: Step, _before: State) -> t.List[Step]:
        raise StopIteration

    monkeypatch.setattr(LinkAdd, "inverse", fault)
    host = Breaking(a_host(), KeyError("first"), point="commit")
    told = failed(host)
    assert "KeyError: 'first'" in told  # the first one is told
    assert "blue" not in host.state.namespaces  # what could be undone was


def test_an_undo_that_fails_tells_what_differs() -> None:
    class Stuck(Breaking):
        def run(self, batch: t.Sequence[Step]) -> None:
            if not self.error:
                raise ZeroDivisionError
            super().run(batch)

    host = Stuck(a_host(), KeyError("first"), point="commit")
    told = failed(host)
    assert "KeyError: 'first'" in told
    assert "not all of them: Namespace 'blue' is still there." in told
    assert "ZeroDivisionError" in told


class Choosy(SimulatedHost):
    """Tries all steps of a batch; those on some links fail, and it tells which ones."""

    def __init__(self, state: State, refused: t.Set[str]) -> None:
        super().__init__(state)
        self.refused = refused
        self.tried: t.List[Step] = []

    def run(self, batch: t.Sequence[Step]) -> None:
        self.tried += batch
        bad = [step for step in batch if isinstance(step, LinkDel) and step.link.ref.name in self.refused]
        super().run([step for step in batch if step not in bad])
        if bad:
            failure = Failure("The first of %d failed." % len(bad))
            failure.failed = [(step, Failure("%s failed." % step.link.ref.name)) for step in bad]
            failure.done = [step for step in batch if step not in bad]
            raise failure


def test_each_step_of_an_undo_is_tried_once() -> None:
    links = [Link(Ref("", "t%d" % number), "tuntap", values={"mode": "tap"}) for number in range(20)]
    state = State(links={link.ref: link for link in links})
    host = Choosy(state, {"t3", "t4", "t19"})
    trouble = apply._run_all(host, [LinkDel(link) for link in links])
    assert trouble == ["t3 failed.", "t4 failed.", "t19 failed."]
    assert len(host.tried) == len(links)
    assert {ref.name for ref in host.state.links} == {"t3", "t4", "t19"}


class Transactions(SimulatedHost):
    """Runs all steps of a batch or none, as Open vSwitch does."""

    def __init__(self, state: State, refused: t.Set[str], dead: bool = False) -> None:
        super().__init__(state)
        self.refused = refused
        self.dead = dead
        self.calls = 0

    def run(self, batch: t.Sequence[Step]) -> None:
        self.calls += 1
        names = [step.link.ref.name for step in batch if isinstance(step, LinkDel)]
        bad = [name for name in names if name in self.refused]
        if not bad and not self.dead:
            super().run(batch)
            return
        failure = Unusable("It hangs.") if self.dead else Refused(",".join(names), "no", 22)
        failure.atomic = True
        raise failure


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(0, 199), max_size=4))
def test_an_undo_in_one_transaction_is_refused_only_for_its_bad_steps(numbers: t.Set[int]) -> None:
    links = [Link(Ref("", "t%d" % number), "tuntap", values={"mode": "tap"}) for number in range(200)]
    bad = ["t%d" % number for number in sorted(numbers)]
    host = Transactions(State(links={link.ref: link for link in links}), set(bad))
    assert apply._run_all(host, [LinkDel(link) for link in links]) == [
        "%s failed: no." % name.capitalize() for name in bad
    ]
    assert {ref.name for ref in host.state.links} == set(bad)
    assert host.calls <= 1 + 16 * len(bad)


def test_an_undo_in_one_transaction_is_not_tried_again_where_nothing_answers() -> None:
    links = [Link(Ref("", "t%d" % number), "tuntap", values={"mode": "tap"}) for number in range(200)]
    host = Transactions(State(links={link.ref: link for link in links}), set(), dead=True)
    assert apply._run_all(host, [LinkDel(link) for link in links]) == ["It hangs."]
    assert host.calls == 1


def test_a_host_that_can_not_be_looked_at_any_more_is_told() -> None:
    class Blind(Breaking):
        def observe(self, wanted: Wanted) -> State:
            if not self.error:
                raise Unusable("Looking failed.")
            return super().observe(wanted)

    told = failed(Blind(a_host(), KeyError("first"), at=1))
    assert told.endswith("The earlier changes were rolled back, but not all of them: Looking failed.")


def test_memory_for_the_undo_is_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_MEMORY", 1 << 62)
    host = Breaking(a_host(), KeyError())
    assert failed(host) == (
        "There is not enough memory for this task: it needs 4398046511104 MiB more, so that a failure can be rolled back. "
        "No changes were made."
    )
    assert host.ran == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KeyError("mode"), "An error inside virtnet.linux stopped the task: KeyError: 'mode'. "),
        (StopIteration(), "An error inside virtnet.linux stopped the task: StopIteration. "),
        (ValueError("one\ntwo."), "An error inside virtnet.linux stopped the task: ValueError: one two. "),
        (MemoryError(), "The task ran out of memory. "),
        (OSError(28, "No space left on device", "/a"), "The operating system refused what the task needs: No space"),
        (OSError("odd"), "An error inside virtnet.linux stopped the task: OSError: odd. "),
    ],
)
def test_an_exception_becomes_a_sentence(error: Exception, sentence: str) -> None:
    failure = as_failure(error)
    assert str(failure).startswith(sentence)
    assert as_failure(failure) is failure


def test_the_undo_of_a_bridge_is_planned_whatever_kind_its_link_has() -> None:
    before = State(namespaces={"": Netns("")})
    before.ovs[""] = Switch()
    before.ovs[""].add_bridge("br0")
    before.put(Link(Ref("", "br0"), "tuntap", 7, {"mode": "tap", "owner": "", "state": "down", "promisc": True}))
    back = undo(WHOLE, before, [BridgeDel("", "br0")])
    assert back.trouble == []
    assert back.steps[0].describe() == "creating OVS bridge 'br0'"


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_alone_has_a_command(kind: str) -> None:
    samples = {"str": "root", "int": 1, "bool": True, "float": 1, "list": (), "dict": {}}
    for attribute in KINDS[kind].attributes:
        value = attribute.choices[-1] if attribute.choices else samples[attribute.codec.type]
        parent = Ref("", "eth0") if KINDS[kind].has_parent else None
        step = LinkAdd(Link(Ref("", "x0"), kind, values={attribute.name: value}, parent=parent))
        state = a_host()
        assert step.commands()
        step.simulate(state)
        assert Ref("", "x0") in state.links


def test_nodst_without_a_mode() -> None:
    link = Link(Ref("", "x0"), "macvlan", values={"nodst": True}, parent=Ref("", "eth0"))
    assert LinkAdd(link).commands() == [
        ["ip", "link", "add", "link", "eth0", "name", "x0", "type", "macvlan", "mode", "vepa", "nodst"],
    ]


def test_a_record_follows_what_got_another_identity() -> None:
    def a_state(uuid: str, index: int) -> State:
        state = State(namespaces={"blue": Netns("blue", identity="cookie 7")})
        state.put(Link(Ref("blue", "x0"), "macvlan", index))
        state.ovs[""] = Switch(rows={("Bridge", "br0"): uuid, ("Port", "p0"): "same"})
        return state

    links = [OwnedLink("blue", "cookie 7", "x0", "macvlan", 5), OwnedLink("blue", "cookie 6", "x0", "macvlan", 5)]
    record = Record("lab", "boot", links=links, bridges={("", "br0"): "old"}, ports={("", "p0"): "same"})
    renewed = renewal(a_state("old", 5), a_state("new", 9)).record(record)
    assert [link.ifindex for link in renewed.links] == [9, 5]
    assert renewed.bridges == {("", "br0"): "new"}
    assert renewed.ports == record.ports
    # That is the same namespace under another name.
    elsewhere = Record("lab", links=[links[0]._replace(netns="/proc/1/ns/net")])
    assert renewal(a_state("old", 5), a_state("new", 9)).record(elsewhere).links[0].ifindex == 9
    assert renewal(a_state("old", 5), a_state("old", 5)).record(record) == record
