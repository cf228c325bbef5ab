# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's laws on a real Open vSwitch.

Random wishes come one after the other to an Open vSwitch. Each is run in check mode, then with a transaction that fails,
then with a failure after the transaction, then for real, then again. What it looks like is told by ovs-vsctl alone.
"""

from __future__ import annotations

import collections
import os
import typing as t

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, NotApplied
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_documents import write_bridge
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_documents import write_port
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_steps import PortDel
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import DATAPATH, rows, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import (
    World,
    alone,
    second_world,
)
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import DEVICES, wanteds, wish

# The same examples each time, so that a change is judged by what it changes; EXPLORE=400 goes looking for new ones.
EXAMPLES = int(os.environ.get("EXPLORE", "25"))
# The links that the wishes meet.
WORLD = "\n".join("link add %s type veth peer name %sx\nlink set %s up" % (name, name, name) for name in DEVICES)
FIRST = wish(bridge={"name": "br0", "state": "present", "datapath_type": DATAPATH, "ports": ["m1"]})

Counter = t.Counter[str]
counted: Counter = collections.Counter()  # in the process of one example
total: Counter = collections.Counter()


class FaultyOvs(Ovs):
    """Adds what can't be done to the first transaction, or fails after it."""

    def __init__(self, fault: str = "") -> None:
        super().__init__(timeout=20)
        self.fault = fault
        self.ran = False

    def run(self, batch: t.Sequence[Step]) -> None:
        self.ran = True
        if self._now("in"):
            batch = [*batch, PortDel("", "no-such-port")]
        super().run(batch)

    def look(self, database: str, names: t.Optional[t.Set[str]] = None) -> Switch:
        if self.ran and self._now("after"):
            raise NotApplied("Injected fault.")
        return super().look(database, names)

    def _now(self, fault: str) -> bool:
        if self.fault != fault:
            return False
        self.fault = ""
        counted["faults"] += 1
        return True


def run(wanted: Wanted, check: bool = False, fault: str = "") -> t.Any:
    return converge(FaultyOvs(fault), PLANNING, wanted, check)


def live(wishes: t.Sequence[Wanted]) -> Counter:
    world = World()
    world.build(WORLD)
    with second_world() as other, switch(world), switch(other):
        other.build(WORLD)
        for wanted in [FIRST, *wishes]:
            outcome = real(world, wanted, check(world, wanted))
            counted["documents"] += 1
            if outcome:
                counted["valid"] += 1
                counted["changed"] += outcome.plan.changed
                for argv in outcome.plan.commands:
                    other.run(*argv)
                assert rows(world) == rows(other), outcome.plan.commands
    return counted


def check(world: World, wanted: Wanted) -> t.Any:
    """Check mode changes nothing, and neither does a failure in or after the transaction."""
    before = rows(world)
    try:
        foretold = run(wanted, check=True)
    except Failure:
        foretold = None
    assert before == rows(world), "check mode"
    if foretold and foretold.plan.steps and not foretold.plan.missing:
        for fault in ("in", "after"):
            with pytest.raises(Failure) as caught:
                run(wanted, fault=fault)
            assert "not all of them" not in str(caught.value)
            assert before == rows(world), "a failure %s %s" % (fault, foretold.plan.commands)
    return foretold


def real(world: World, wanted: Wanted, foretold: t.Any) -> t.Any:
    """The real run does what check mode foretold, and knows what there is then; the second one does nothing.

    None if OVS won't have it.
    """
    before = rows(world)
    outcome, trouble = None, ""
    try:
        outcome = run(wanted)
    except Failure as failure:
        trouble = str(failure)
    if outcome is None:
        assert "not all of them" not in trouble
        assert before == rows(world), trouble
        return None
    assert foretold is not None, "check mode failed where the real run didn't"
    assert written(foretold.now, wanted) == written(outcome.now, wanted)
    after = rows(world)
    assert outcome.plan.changed == (before != after)
    again = run(wanted)
    assert not again.plan.changed
    assert again.now == outcome.now
    assert not run(wanted, check=True).plan.changed
    assert after == rows(world)
    return outcome


def written(state: State, wanted: Wanted) -> t.List[t.Any]:
    return [
        *(write_bridge(state.ovs[""], bridge) for bridge in wanted.ovs_bridges),
        *(write_port(state.ovs[""], port) for port in wanted.ovs_ports),
    ]


def odd_port() -> int:
    """A port with one interface of another name, as somebody may have made it, comes back when its deletion fails."""
    world = World()
    world.build(WORLD)
    with switch(world):
        run(wish(bridge={"name": "br0", "state": "present", "datapath_type": DATAPATH}))
        interface = "--id=@i create Interface name=m2 mtu_request=1400"
        port = "--id=@p create Port name=odd interfaces=@i tag=7"
        world.run(*("ovs-vsctl -- %s -- %s -- add Bridge br0 ports @p" % (interface, port)).split())
        deletion = wish(port={"bridge": "br0", "name": "odd", "state": "absent"})
        check(world, deletion)
        assert run(deletion).plan.changed
        assert len(rows(world)["Port"]) == 1
    return counted["faults"]


def test_a_port_with_an_interface_of_another_name() -> None:
    assert alone(odd_port) == 2


@settings(
    max_examples=EXAMPLES,
    derandomize="EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)
@given(st.lists(wanteds, min_size=3, max_size=8))
def test_random_wishes(wishes: t.List[Wanted]) -> None:
    total.update(alone(lambda: live(wishes)))


def test_faults_were_injected() -> None:
    print(
        "%(documents)d documents, of which %(valid)d were valid and %(changed)d changed something; %(faults)d faults injected"
        % total
    )
    # So that the test can't go blind.
    assert total["valid"] * 2 >= total["documents"]
    assert total["faults"] >= total["changed"] > 0
