# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a topology when Open vSwitch hangs, and of what it owns when another task fails."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Host, converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan
from ansible_collections.virtnet.linux.plugins.module_utils._links import plan as links_plan
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref, WantedLink
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._topology import plan as topology_plan
from ansible_collections.virtnet.linux.plugins.module_utils._topology.following import records_that_follow
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import (
    DATAPATH,
    FOLDER,
    rows,
    switch,
)
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import wish
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

RECORD = Path("/var/lib/virtnet/topologies/lab.json")
LAB: Document = {
    "name": "lab",
    "state": "present",
    "links": [{"kind": "veth", "name": "v0", "peer": {"name": "w0"}}],
    "ovs_bridges": [
        {
            "name": "br0",
            "datapath_type": DATAPATH,
            "external_ids": {"k": "v"},
            "ports": [{"name": "i0", "type": "internal", "tag": "7"}, {"name": "v0"}],
        },
        {"name": "fake0", "parent": "br0", "vlan": 5},
    ],
}


def run(document: Document, timeout: int = 20, check: bool = False) -> t.Any:
    with contextlib.closing(WholeHost(timeout)) as host:
        return converge(host, topology_plan.PLANNING, wanted(document), check)


def with_lab(test: t.Callable[[World], None]) -> None:
    def inside() -> None:
        world = World()
        world.build("link set lo up")
        world.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib/virtnet")
        with switch(world):
            run(LAB)
            test(world)

    alone(inside)


@contextlib.contextmanager
def stopped(daemon: str) -> t.Iterator[None]:
    pid = int(Path(FOLDER, daemon + ".pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def owned(world: World) -> None:
    """All of it is still the topology's: it has nothing to do for it, and removes all of it."""
    assert not run(LAB).plan.changed
    run({"name": "lab", "state": "absent"})
    assert world.run("ovs-vsctl", "list-br") == ""
    assert "v0" not in world.run("ip", "link", "show")
    assert not RECORD.exists()


ABSENT: Document = {"name": "lab", "state": "absent"}
LESS: Document = {**LAB, "ovs_bridges": [{**LAB["ovs_bridges"][0], "ports": []}]}


@pytest.mark.parametrize("document", [ABSENT, LESS])
def test_ovs_vswitchd_hangs_while_a_topology_removes_rows(document: Document) -> None:
    def test(world: World) -> None:
        before = rows(world)
        with stopped("ovs-vswitchd"), pytest.raises(Failure) as caught:
            run(document, timeout=4)
        assert str(caught.value).startswith(
            "The daemon ovs-vswitchd did not take up a change of the database within 4 sec"
        )
        assert str(caught.value).endswith("All earlier changes were rolled back.")
        assert rows(world) == before
        owned(world)

    with_lab(test)


class Late:
    """Fails when all of a plan was done."""

    def review(self, wanted: Wanted, plan: Plan) -> State:
        raise Refused("looking again", "Injected fault", 5)


def following(host: Host) -> Host:
    """A host of a module that is not about a topology."""
    host.make_follower = records_that_follow
    return host


class LateHost(Late, WholeHost):
    pass


class LateKernel(Late, Kernel):
    pass


class LateOvs(Late, Ovs):
    pass


V0 = Wanted(links=(WantedLink(Ref("", "v0"), "veth", present=False),))
GONE = {
    "bridge": wish(bridge={"name": "br0", "state": "absent"}),
    "fake bridge": wish(bridge={"name": "fake0", "state": "absent"}),
    "port": wish(port={"bridge": "br0", "name": "i0", "state": "absent"}),
}


@pytest.mark.parametrize("what", GONE)
def test_a_topology_owns_the_row_that_an_undo_of_another_task_makes_again(what: str) -> None:
    def test(world: World) -> None:
        before, record = rows(world), RECORD.read_text()
        with pytest.raises(Failure) as caught:
            converge(following(LateOvs(20)), bridge_plan.PLANNING, GONE[what], False)
        assert str(caught.value).endswith("All earlier changes were rolled back.")
        assert rows(world) == before
        assert RECORD.read_text() != record
        assert [path.name for path in RECORD.parent.iterdir()] == ["lab.json"]
        owned(world)

    with_lab(test)


def test_a_topology_owns_what_an_undo_of_another_one_makes_again() -> None:
    def test(world: World) -> None:
        with stopped("ovs-vswitchd"), pytest.raises(Failure) as caught:
            converge(following(Ovs(3)), bridge_plan.PLANNING, GONE["bridge"], False)
        assert str(caught.value).endswith("All earlier changes were rolled back.")
        with contextlib.closing(LateKernel()) as kernel, pytest.raises(Refused):
            converge(following(kernel), links_plan.PLANNING, V0, False)
        owned(world)

    with_lab(test)


def promiscuous(world: World, name: str) -> bool:
    (link,) = json.loads(world.run("ip", "-j", "link", "show", "dev", name))
    return "PROMISC" in link["flags"]


def test_an_undo_waits_until_open_vswitch_has_taken_what_was_made_again() -> None:
    """It takes the link of a row when it hears of it, and makes it promiscuous: later than the undo looked at the host."""

    def test(world: World) -> None:
        # A link that was made again behind a row isn't taken: Open vSwitch has the socket of the old one.
        world.run("ip", "link", "delete", "v0")
        assert run(LAB).plan.changed
        before = promiscuous(world, "v0")
        for _time in range(3):
            with contextlib.closing(LateHost(20)) as late, pytest.raises(Refused) as caught:
                converge(late, topology_plan.PLANNING, wanted(ABSENT), False)
            time.sleep(1)
            assert promiscuous(world, "v0") == before
            assert "promisc" not in str(caught.value)

    with_lab(test)


def test_a_link_that_an_undo_makes_again_is_promiscuous_as_long_as_open_vswitch_has_it() -> None:
    """Where we make it so, Open vSwitch takes it for what the link had before, and leaves it so."""

    def test(world: World) -> None:
        with contextlib.closing(LateHost(20)) as late, pytest.raises(Refused) as caught:
            converge(late, topology_plan.PLANNING, wanted(ABSENT), False)
        assert "Injected fault" in str(caught.value)
        assert promiscuous(world, "v0")
        run({**LAB, "ovs_bridges": [{**LAB["ovs_bridges"][0], "ports": [{"name": "i0", "type": "internal"}]}]})
        assert not promiscuous(world, "v0")

    with_lab(test)
