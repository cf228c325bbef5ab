# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The laws of whole topologies, on the real kernel and a real Open vSwitch.

Random documents of one topology come one after the other to a host that has other things as well. Each is run in check
mode, then with a failure before each of its steps; then either for real and again, or its process is killed between two
steps, so that the next one finds what it has left. What the host has is told by iproute2 and ovs-vsctl alone. Every
example lives in network and mount namespaces of its own, in a process of its own.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import signal
import typing as t
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, NotApplied, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step, fuse
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_steps import BridgeDel
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_steps import PortDel
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import listed, write_topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import rows, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import (
    World,
    alike,
    alone,
    same,
)
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import (
    Document,
    topologies,
    wanted,
)

# The same examples each time, so that a change is judged by what it changes; EXPLORE=400 goes looking for new ones.
EXAMPLES = int(os.environ.get("EXPLORE", "6"))
RECORDS = Path("/run/topologies")

# What the topologies find on the host, and what they must leave there.
WORLD = """
link add br9 type bridge
tuntap add dev t9 mode tap
link set t9 master br9
link set t9 up
link set br9 up
address add 10.99.0.1/24 dev br9
route add 10.98.0.0/16 via 10.99.0.9 metric 7
link add v9 type veth peer name w9 netns grey
link set v9 mtu 1400 alias foreign up
"""
SWITCH = ["add-br", "ovs9", "--", "set", "Bridge", "ovs9", "datapath_type=netdev"]

Counter = t.Counter[str]
counted: Counter = collections.Counter()  # in the process of one example
total: Counter = collections.Counter()


class FaultyHost(WholeHost):
    """Before the step of a number, something happens; transactions of Open vSwitch fail whole, or are never acknowledged."""

    def __init__(self, at: int, event: t.Callable[[Step], None]) -> None:
        super().__init__(20, Records(str(RECORDS)))
        self.left = at
        self.event = event

    def run(self, batch: t.Sequence[Step]) -> None:
        at, self.left = self.left, -1  # what comes after a failure is the undoing of what came before
        if not 0 <= at < len(batch):
            super().run(batch)
            self.left = at - len(batch)
            return
        done = batch[:at]
        if isinstance(batch[0], OvsStep) and done:
            done = batch
        if done:
            super().run(done)
        try:
            self.event(batch[at])
        except Failure as failure:
            failure.done = done
            raise


def fail(step: Step) -> None:
    counted["faults"] += 1
    if isinstance(step, OvsStep):
        raise NotApplied("Injected fault.")
    raise Refused(step.describe(), "Injected fault", 5)


def die(_step: Step) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(document: Document, check: bool = False, at: int = -1, event: t.Callable[[Step], None] = fail) -> t.Any:
    with contextlib.closing(FaultyHost(at, event)) as host:
        return converge(host, PLANNING, wanted(document), check)


def places(plan: Plan) -> t.List[int]:
    """The numbers of the steps before which something can happen, and be undone."""
    numbers: t.List[int] = []
    begin = 0
    for batch in fuse(plan.steps):
        if isinstance(batch[0], OvsStep):
            # The link of an internal port can't come back as it was.
            stuck = len(batch) > 1 and not any(isinstance(step, (BridgeDel, PortDel)) for step in batch)
            numbers += [begin, *([begin + len(batch) - 1] if stuck else [])]
        else:
            numbers += range(begin, begin + len(batch))
        begin += len(batch)
    return numbers


class Host:
    """A host with things that no topology has made."""

    def __init__(self) -> None:
        self.world = World()
        self.foreign: t.Set[str] = set()

    def snapshot(self) -> t.Dict[str, t.Any]:
        """All that iproute2 and ovs-vsctl tell."""
        return {**self.world.snapshot(), "ovs": [[[table, found]] for table, found in rows(self.world).items()]}

    def names(self) -> t.Set[str]:
        """The names of all that is there."""
        found = set()
        for netns, told in self.world.snapshot().items():
            found |= {netns, *("%s/%s" % (netns, link["ifname"]) for link in told[0])}
        for table, ports in rows(self.world).items():
            found |= {"%s %s" % (table, row["name"]) for row in ports if table in ("Bridge", "Port")}
        return found


def named(document: Document) -> t.Set[str]:
    """The names of all that a document lists and that comes with it."""
    found: t.Set[str] = set()
    if document["state"] == "absent":
        return found
    for netns in document["namespaces"]:
        found |= {netns["name"], netns["name"] + "/lo"}
    moved = set()
    for link in document["links"]:
        ends = [link, *([link["peer"]] if "peer" in link else [])]
        found |= {"%s/%s" % (end.get("netns", "home"), end["name"]) for end in ends}
        moved |= {link["name"]} if link["kind"] == "link" else set()
    for bridge in document["ovs_bridges"]:
        found |= {"Bridge " + bridge["name"], "Port " + bridge["name"], "home/" + bridge["name"]}
        for port in bridge["ports"]:
            internal = port.get("type") == "internal" and port["name"] not in moved
            found |= {"Port " + port["name"], *(["home/" + port["name"]] if internal else [])}
    return found


def live(wishes: t.Sequence[t.Tuple[Document, t.Optional[int]]]) -> Counter:
    host = Host()
    host.world.build(WORLD, "grey")
    with switch(host.world):
        host.world.run("ovs-vsctl", *SWITCH)
        host.foreign = host.names()
        for document, kill_at in wishes:
            foretold = check(host, document)
            counted["documents"] += 1
            counted["valid"] += bool(foretold)
            counted["changing"] += bool(foretold and foretold.plan.changed)
            if foretold and kill_at is not None and foretold.plan.steps and not foretold.plan.missing:
                kill(document, kill_at % len(foretold.plan.steps))
            else:
                real(host, document, foretold)
        copies(host)
    return counted


def check(host: Host, document: Document) -> t.Any:
    """Check mode changes nothing, and neither does a failure before whichever step."""
    before, record = host.snapshot(), recorded()
    try:
        foretold = run(document, check=True)
    except Failure as failure:
        print("Refused: %s" % failure)
        foretold = None
    same(before, host.snapshot(), "check mode of %s" % document)
    assert recorded() == record
    if foretold and not foretold.plan.missing:
        for step in places(foretold.plan):
            with pytest.raises(Failure) as caught:
                run(document, at=step)
            event = "%s before step %d of %s" % (caught.value, step, foretold.plan.commands)
            same(before, host.snapshot(), event)
            assert "not all of them" not in str(caught.value), event
        # What was owned is owned: so much would be removed as before.
        assert run(document, check=True).plan.commands == foretold.plan.commands
    return foretold


def recorded() -> t.List[str]:
    """What is in the folder of the records."""
    return [path.read_text(encoding="utf-8") for path in sorted(RECORDS.glob("*"))]


def kill(document: Document, at: int) -> None:
    """Kill a run before a step."""
    counted["kills"] += 1
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            run(document, at=at, event=die)
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL


def real(host: Host, document: Document, foretold: t.Any) -> None:
    """The real run does what check mode foretold, and leaves nothing else behind; the second one does nothing."""
    before = host.snapshot()
    try:
        outcome = run(document)
    except Failure as failure:
        same(before, host.snapshot(), "%s of %s" % (failure, document))
        print("Failed: %s" % failure)
        return
    assert foretold is not None, "check mode failed where the real run didn't"
    told, found = (write_topology(one.now, one.wanted, one.plan) for one in (foretold, outcome))
    holds(found, told, "check mode foretold something else for %s: %s" % (document, outcome.plan.commands))
    after = host.snapshot()
    print("Ran %d steps" % len(outcome.plan.steps))
    if document["purge"]:
        assert host.names() == host.foreign | named(document), document
    else:
        assert host.names() >= host.foreign | named(document), document
    for again in (run(document), run(document, check=True)):
        assert not again.plan.changed, again.plan.commands
    same(after, host.snapshot(), "the second run of %s" % document)
    returned = {"name": "lab", "state": document["state"], "purge": document["purge"], **listed(found)}
    assert not run(returned).plan.changed
    if document["state"] == "present":
        # What is kept for the next boot is the document, and its result is not another one.
        assert run({**document, "persist": True}).plan.commands == []
        assert not run({**returned, "persist": True}).plan.changed
        assert run(document).plan.commands == []


def holds(found: t.Any, told: t.Any, event: str) -> None:
    """Whether all that was told is there; what can't be foretold wasn't told."""
    if isinstance(told, dict):
        for key, value in told.items():
            holds(found[key], value, "%s: %s" % (event, key))
    else:
        assert found == told, event


def copies(host: Host) -> None:
    """What topology_info tells changes nothing on the same host, and makes the same on an empty one."""
    before = host.snapshot()
    document = {**topology.look(None, "", 20), "name": "lab", "state": "present", "purge": True}
    del document["other_links"]
    again = run(document)
    assert not again.plan.changed, again.plan.commands
    same(before, host.snapshot(), "what was told, given back")
    here = {link["ifname"] for link in before["home"][0]}
    if any(
        port["name"] not in here
        for bridge in document["ovs_bridges"]
        for port in bridge["ports"]
        if port["type"] == "system"
    ):
        return  # a port whose link has gone can't be made elsewhere
    there = alone(lambda: copied(document))
    same(alike(before), alike(there), "a copy by %s" % document)


def copied(document: Document) -> t.Dict[str, t.Any]:
    host = Host()
    host.world.build("")
    with switch(host.world):
        run(document)
        return host.snapshot()


@settings(
    max_examples=EXAMPLES,
    derandomize="EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],  # making a failing example smaller would take longer than to understand it
)
@given(st.lists(st.tuples(topologies(), st.none() | st.integers(0, 99)), min_size=3, max_size=3))
def test_random_topologies(wishes: t.List[t.Tuple[Document, t.Optional[int]]]) -> None:
    total.update(alone(lambda: live(wishes)))


def test_a_link_that_a_killed_task_has_set_aside_goes_with_the_next_task() -> None:
    tap = {"kind": "tuntap", "name": "t0", "mode": "tap", "netns": "blue"}
    document = {"name": "lab", "namespaces": [{"name": "blue"}], "links": [tap]}
    other = {**document, "links": [{**tap, "multi_queue": True, "recreate": True}]}

    def test() -> None:
        host = Host()
        host.world.build("")
        run(document)
        count = len(run(other, check=True).plan.steps)
        for at in range(count):
            run({**document, "links": [{**tap, "recreate": True, "multi_queue": False}]})
            kill(other, at)
            run(other)
            links = json.loads(host.world.run("ip", "-n", "blue", "-j", "link"))
            assert {link["ifname"] for link in links} == {"lo", "t0"}, at

    alone(test)


def test_faults_were_injected() -> None:
    print(
        "%(documents)d documents, of which %(valid)d were valid and %(changing)d changed something; %(faults)d faults injected, "
        "%(kills)d runs killed" % total
    )
    assert total["faults"]
    assert total["kills"]
    assert total["changing"] > total["documents"] / 2
