# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neighbors on the real kernel: each task in check mode, with a failure before each step, for real, and again."""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._links import documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology as modules_topology
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone

MAC, OTHER = "02:00:00:00:00:09", "02:00:00:00:00:0a"
FOUR = {"address": "192.0.2.9", "mac": MAC}
SIX = {"address": "2001:db8::9", "mac": MAC, "router": True}
NOARP = {"address": "192.0.2.8", "mac": OTHER, "state": "noarp"}
PROXIES = [{"address": "192.0.2.7", "proxy": True}, {"address": "2001:db8::7", "proxy": True}]
ALL = [FOUR, SIX, NOARP, *PROXIES]
PERMANENT = ("ip", "neigh", "add", FOUR["address"], "lladdr", MAC, "dev", "v0", "nud", "permanent")
SHOWN = [
    "192.0.2.7 proxy",
    "192.0.2.8 lladdr %s NOARP" % OTHER,
    "192.0.2.9 lladdr %s PERMANENT" % MAC,
    "2001:db8::7 proxy",
    "2001:db8::9 lladdr %s router PERMANENT" % MAC,
]


class FaultyKernel(Kernel):
    """Refuses the step of a number, without trying it."""

    def __init__(self, fail_at: int) -> None:
        super().__init__()
        self.left = fail_at

    def run(self, batch: t.Sequence[Step]) -> None:
        fail_at, self.left = self.left, -1
        if 0 <= fail_at < len(batch):
            super().run(batch[:fail_at])
            refused = Refused(batch[fail_at].describe(), "Injected fault", 5)
            refused.done = batch[:fail_at]
            raise refused
        super().run(batch)
        self.left = fail_at - len(batch)


def run(wanted: Wanted, check: bool = False, fail_at: int = -1) -> t.Any:
    with contextlib.closing(FaultyKernel(fail_at)) as kernel:
        return converge(kernel, PLANNING, wanted, check)


def shown(world: World, name: str) -> t.List[str]:
    """What iproute2 tells of a link's neighbors, without what the kernel has learned."""
    told = world.run("ip", "neigh", "show", "dev", name, "nud", "all")
    told += world.run("ip", "neigh", "show", "proxy", "dev", name)
    lines = (" ".join(line.replace("dev %s " % name, "").split()) for line in told.splitlines())
    return sorted(
        line
        for line in lines
        if line.split()[-1] in ("PERMANENT", "NOARP", "proxy")
        and not any(group in line for group in ("33:33:", "01:00:5e:"))
    )


def task(world: World, module: str = "link", **options: t.Any) -> t.Any:
    """Run a task, and make sure that check mode, the undo and the second run are as they should be."""
    kind = KINDS.get(module)
    complete, wrong = modules_topology.validate(documents.link_options(kind), {"name": "v0", **options})
    assert not wrong
    wanted = Wanted(links=(documents.read_link(complete, kind),))
    before = shown(world, "v0")
    foretold = run(wanted, check=True)
    for step in range(len(foretold.plan.steps)):
        with pytest.raises(Failure, match="Injected fault") as failure:
            run(wanted, fail_at=step)
        assert "not all of them" not in str(failure.value)
        assert shown(world, "v0") == before, "a failure before step %d of %s" % (step, foretold.plan.commands)
    outcome = run(wanted)
    assert outcome.plan.commands == foretold.plan.commands
    again = run(wanted).plan
    assert not again.changed, "the second run: %s" % again.commands
    told = documents.write_link(outcome.now, Ref("", "v0"), kind)["neighbors"]
    assert documents.write_link(foretold.now, Ref("", "v0"), kind)["neighbors"] == told
    return told, outcome.plan


def a_world() -> World:
    world = World()
    world.build("link add v0 type veth peer name v1\nlink set v1 up\nlink set v0 up", "blue")
    return world


def added_and_purged() -> None:
    world = a_world()
    told, plan = task(world, neighbors=ALL)
    assert shown(world, "v0") == SHOWN
    state = {"state": "permanent"}
    assert told == [PROXIES[0], NOARP, {**FOUR, **state}, PROXIES[1], {**SIX, **state}]
    commands = [" ".join(argv) for argv in plan.commands]
    assert "ip neigh replace 192.0.2.9 lladdr %s dev v0 nud permanent" % MAC in commands
    assert "ip neigh add proxy 192.0.2.7 dev v0" in commands
    with_commands(world, plan.commands)
    world.run("ip", "neigh", "replace", "192.0.2.6", "lladdr", MAC, "dev", "v0", "nud", "stale")
    task(world, neighbors=[{**FOUR, "mac": OTHER}])
    assert shown(world, "v0") == [line.replace("9 lladdr " + MAC + " P", "9 lladdr " + OTHER + " P") for line in SHOWN]
    task(world, neighbors=[FOUR], purge_neighbors=True)
    assert shown(world, "v0") == [SHOWN[2]]
    assert "192.0.2.6" in world.run("ip", "neigh", "show", "dev", "v0")  # learned
    told, _plan = task(world, neighbors=[{"address": "192.0.2.6", "mac": OTHER}], purge_neighbors=True)
    assert shown(world, "v0") == ["192.0.2.6 lladdr %s PERMANENT" % OTHER]
    told, _plan = task(world, neighbors=[], purge_neighbors=True)
    assert not told
    assert not shown(world, "v0")


def with_commands(world: World, commands: t.Iterable[t.Sequence[str]]) -> None:
    """The commands of a plan do the same."""
    world.run("ip", "link", "set", "v0", "down")
    assert not shown(world, "v0")
    world.run("ip", "link", "set", "v0", "up")
    for argv in commands:
        world.run(*argv)
    assert shown(world, "v0") == SHOWN


def kept() -> None:
    """The kernel removes them from a link that goes down, gets another MAC address or moves; the task gives them back."""
    world = a_world()
    task(world, neighbors=ALL)
    for options in ({"state": "down"}, {"state": "up"}, {"mac": "02:00:00:00:00:77"}, {"mtu": 1400}):
        _told, plan = task(world, **options)
        assert shown(world, "v0") == SHOWN, options
        assert not plan.warnings
    task(world, state="down", mac="02:00:00:00:00:78", neighbors=[FOUR], purge_neighbors=True)
    assert shown(world, "v0") == [SHOWN[2]]


def a_bridge() -> World:
    world = World()
    world.build("link add v0 type bridge\nlink set v0 up\nlink add p1 address 02:00:00:00:00:01 type veth peer name p2")
    return world


def on_a_bridge() -> None:
    """A bridge whose MAC address follows its ports loses them, and gets them back."""
    world = a_bridge()
    world.run(*PERMANENT)
    task(world, "linux_bridge", ports=["p1"], neighbors=[FOUR])
    assert shown(world, "v0") == [SHOWN[2]]
    task(world, "linux_bridge", ports=[], purge_ports=True)
    assert shown(world, "v0") == [SHOWN[2]]


def of_a_bystander() -> None:
    """What a link loses to a change of another one is told."""
    world = a_bridge()
    world.run("ip", "link", "set", "p1", "master", "v0")
    world.run(*PERMANENT)
    complete, _wrong = modules_topology.validate(documents.link_options(None), {"name": "p1", "master": ""})
    plan = run(Wanted(links=(documents.read_link(complete, None),), whole=("",))).plan
    assert not shown(world, "v0")
    assert plan.warnings == [
        "Link 'v0' (linux_bridge) loses neighbor 192.0.2.9 at %s, because its MAC address changes." % MAC
    ]


def made_by_the_kernel() -> None:
    """What the kernel makes because a link needs no neighbors is none of ours."""
    world = World()
    world.build("link add v0 type ifb\nlink set v0 up\naddress add 192.0.2.1/24 dev v0")
    world.run("sh", "-c", "ping -c 1 -W 1 192.0.2.5; ping -c 1 -W 1 -b 192.0.2.255; true")
    assert "192.0.2.5 " in world.run("ip", "neigh", "show", "dev", "v0", "nud", "noarp")
    told, plan = task(world, "ifb", neighbors=[], purge_neighbors=True)
    assert not told
    assert not plan.changed


@pytest.mark.parametrize("test", [added_and_purged, kept, on_a_bridge, of_a_bystander, made_by_the_kernel])
def test_neighbors(test: t.Callable[[], None]) -> None:
    alone(test)
