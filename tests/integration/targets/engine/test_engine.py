# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's laws on the real kernel.

Random wishes come one after the other to a host of several namespaces. Each is run in check mode, then with a failure
before each of its steps, then for real, then again. What the host looks like is told by iproute2 alone. Every example
lives in network and mount namespaces of its own, in a process of its own.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import subprocess
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step
from ansible_collections.virtnet.linux.plugins.module_utils._links import documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OWN, Link, Ref, WantedLink
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._links.steps import LinkDel
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import (
    World,
    alike,
    alone,
    same,
    second_world,
)
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import wanteds

# The same examples each time, so that a change is judged by what it changes; EXPLORE=400 goes looking for new ones.
EXAMPLES = int(os.environ.get("EXPLORE", "25"))
LOOKS = 2000  # at a busy host

# The host that the wishes meet: devices of kinds that the engine doesn't make, a bridge with a port, and a link with others
# upon it in two namespaces.
WORLD = """
link add br9 type bridge
tuntap add dev c mode tap
tuntap add dev t9 mode tap
link set t9 master br9
link set t9 up
link set br9 up
address add 10.99.0.1/24 dev br9
address add 10.99.0.2/24 dev br9
route add 10.98.0.0/16 via 10.99.0.9 metric 7
link add v9 type veth peer name w9 netns blue
link set v9 mtu 1400 alias foreign up
link add name a type veth peer name b
link add link a name d netns blue type macvlan mode bridge
link add link a name d netns green mtu 1400 type macvlan mode bridge
"""

Counter = t.Counter[str]
counted: Counter = collections.Counter()  # in the process of one example
total: Counter = collections.Counter()


class FaultyKernel(Kernel):
    """Refuses the step of a number, without trying it."""

    def __init__(self, fail_at: int) -> None:
        super().__init__()
        self.left = fail_at

    def run(self, batch: t.Sequence[Step]) -> None:
        fail_at, self.left = self.left, -1  # what comes after a failure is the undoing of what came before
        if 0 <= fail_at < len(batch):
            super().run(batch[:fail_at])
            counted["faults"] += 1
            refused = Refused(batch[fail_at].describe(), "Injected fault", 5)
            refused.done = batch[:fail_at]
            raise refused
        super().run(batch)
        self.left = fail_at - len(batch)


def run(wanted: Wanted, check: bool = False, fail_at: int = -1) -> t.Any:
    with contextlib.closing(FaultyKernel(fail_at)) as kernel:
        return converge(kernel, PLANNING, wanted, check)


def undoable(plan: Plan) -> int:
    """The number of steps before the first one that can't be undone, which deletes a device of a foreign kind."""
    kinds = [step.link.kind if isinstance(step, LinkDel) else "veth" for step in plan.steps]
    return next((number for number, kind in enumerate(kinds) if kind not in KINDS), len(kinds))


def live(wishes: t.Sequence[Wanted]) -> Counter:
    world = World()
    world.build(WORLD, "blue", "green")
    with second_world() as other:
        other.build(WORLD, "blue", "green")
        for wish in wishes:
            foretold = check(world, wish)
            outcome = real(world, wish, foretold)
            counted["documents"] += 1
            if outcome:
                counted["valid"] += 1
                counted["changed"] += outcome.plan.changed
                for argv in outcome.plan.commands:
                    other.run(*argv)
                same(alike(world.snapshot()), alike(other.snapshot()), "the commands %s" % outcome.plan.commands)
    return counted


def check(world: World, wish: Wanted) -> t.Any:
    """Check mode changes nothing, and neither does a failure before whichever step."""
    before = world.snapshot()
    try:
        foretold = run(wish, check=True)
    except Failure:
        foretold = None
    same(before, world.snapshot(), "check mode of %s" % (wish,))
    if foretold and not foretold.plan.missing:
        for step in range(min(undoable(foretold.plan) + 1, len(foretold.plan.steps))):
            with pytest.raises(Failure):
                run(wish, fail_at=step)
            same(before, world.snapshot(), "a failure before step %d of %s" % (step, foretold.plan.commands))
    return foretold


def real(world: World, wish: Wanted, foretold: t.Any) -> t.Any:
    """The real run does what check mode foretold, the second one nothing; None if the kernel won't have it."""
    before = world.snapshot()
    try:
        outcome = run(wish)
    except Failure as failure:
        same(before, world.snapshot(), "%s of %s" % (failure, wish))
        return None
    assert foretold is not None, "check mode failed where the real run didn't"
    for link in wish.links:
        told = documents.write_link(foretold.now, link.ref, KINDS.get(link.kind))
        found = documents.write_link(outcome.now, link.ref, KINDS.get(link.kind))
        assert told == restricted(found, told), "check mode foretold something else for %s" % (wish,)
    seen = run(Wanted(whole=tuple(foretold.now.namespaces)), check=True).now.links
    for ref, link in foretold.now.links.items():
        values = {name: seen[ref].values.get(name) for name in link.values} if ref in seen else None
        assert values == link.values, "check mode foretold something else of %s for %s" % (ref, wish)
    after = world.snapshot()
    assert not run(wish).plan.changed
    assert not run(wish, check=True).plan.changed
    same(after, world.snapshot(), "the second run of %s" % (wish,))
    return outcome


def restricted(document: t.Dict[str, t.Any], to: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    """The keys that the other document has; what can't be foretold isn't in that."""
    kept = {key: value for key, value in document.items() if key in to}
    if "peer" in kept and "peer" in to:
        kept["peer"] = restricted(kept["peer"], to["peer"])
    return kept


@st.composite
def possible(draw: st.DrawFn) -> Wanted:
    """What is wanted, with most of what can't be had on this host replaced by what can."""
    wanted = draw(wanteds)
    if not draw(st.integers(0, 4)):
        return wanted
    return dataclasses.replace(wanted, links=tuple(map(_possible, wanted.links)))


def _possible(link: WantedLink) -> WantedLink:
    if link.port_of:
        link = link._replace(ref=Ref(OWN, link.ref.name), port_of="br9")
        return link._replace(values={"master": "br9"} if link.present else {}, vlans=None, purge_vlans=False)
    more: t.Dict[str, t.Any] = {"recreate": link.made, "move_from": None}
    if link.parent:
        more["parent"] = Ref(OWN, "v9")
    if link.ports is not None:
        more["ports"] = ("t9",) if link.ref.netns == OWN else ()
    if link.peer:
        more["peer"] = link.peer._replace(**_possible_values(link.peer))
    return link._replace(**more, **_possible_values(link))


def _possible_values(end: WantedLink) -> t.Dict[str, t.Any]:
    values = {name: value for name, value in end.values.items() if not name.startswith("vlan_")}
    if values.get("master"):
        values["master"] = "br9" if end.ref.netns == OWN and end.kind != "linux_bridge" else ""
    if end.kind == "tuntap":
        values["mode"] = "tap"
    # Of the gateways, these addresses reach the most.
    routed = bool(end.routes) and values.get("state") == "up"
    addresses = ("10.0.0.1/24", "fd00::1/64") if routed else end.addresses
    return {
        "values": values,
        "addresses": addresses,
        "routes": end.routes if routed else None,
        "purge_routes": routed and end.purge_routes,
    }


@settings(
    max_examples=EXAMPLES,
    derandomize="EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.lists(possible(), min_size=3, max_size=8))
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


def many_deletions() -> int:
    """Many links that are deleted at once: if one is refused all are as before, and one that has gone is no matter."""
    world = World()
    world.build("\n".join("link add d%d group %d type veth peer name e%d" % (n, n, n) for n in range(10)))
    before = world.snapshot()
    going = [LinkDel(Link(Ref("", "d%d" % number), "veth")) for number in range(10)]
    with contextlib.closing(Kernel()) as kernel:
        with pytest.raises(Refused) as refused:
            kernel.run([*going, LinkDel(Link(Ref("", "lo"), ""))])
        assert not refused.value.done
        same(before, world.snapshot(), "a refused deletion of many links")
        kernel.run(going[:1])
        kernel.run(going)
        kernel.run(going)
    return world.run("ip", "-o", "link", "show").count("\n")


def test_many_deletions() -> None:
    assert alone(many_deletions) == 1  # lo


CHURN = "while :; do ip link add m0 link br0 type macvtap; ip link delete m0; done"


def busy_host() -> int:
    """Looking at all links of a host on which others come and go all the time."""
    world = World()
    world.build("link add br0 type bridge")
    with subprocess.Popen(["sh", "-c", CHURN], stderr=subprocess.DEVNULL) as churn:
        try:
            for _time in range(LOOKS):
                run(Wanted(whole=("",)), check=True)
        finally:
            churn.kill()
    return LOOKS


def test_busy_host() -> None:
    assert alone(busy_host) == LOOKS
