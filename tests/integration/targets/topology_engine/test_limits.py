# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks with few descriptors, and on a host that changes while they read it. What is there is told by iproute2."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone, same
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

RECORDS = "/run/topologies"
EMPTY = {"name": "lab", "namespaces": [], "links": [], "ovs_bridges": []}
GONE = {"name": "lab", "state": "absent"}
# For ever, in a namespace or not: links with addresses and routes come and go.
CHANGES = """
while :; do
    for i in 1 2 3 4 5; do
        ip link add f$i up type dummy; ip address add 192.0.2.$i/32 dev f$i; ip route add 198.51.100.$i/32 dev f$i
    done
    for i in 1 2 3 4 5; do ip link delete f$i; done
done
"""


class _Host(WholeHost):
    """Before the step of a number of the plan, something happens."""

    def __init__(self, at: int = -1, event: t.Optional[t.Callable[[], None]] = None) -> None:
        super().__init__(20, Records(RECORDS))
        self._left = at
        self._event = event

    def run(self, batch: t.Sequence[Step]) -> None:
        at, self._left = self._left, -1
        if self._event is None or not 0 <= at < len(batch):
            self._left = at - len(batch)
            super().run(batch)
            return
        at = 0 if isinstance(batch[0], OvsStep) else at  # a transaction can't be split
        if at:
            super().run(batch[:at])
        try:
            self._event()
            super().run(batch[at:])
        except Failure as failure:
            failure.done = [*batch[:at], *failure.done]
            raise


def run(document: Document, at: int = -1, event: t.Optional[t.Callable[[], None]] = None) -> Outcome:
    with contextlib.closing(_Host(at, event)) as host:
        return converge(host, PLANNING, wanted({**EMPTY, **document}), False)


def fail() -> None:
    raise Unusable("Injected fault.")


def few(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def nothing_more() -> None:
    """Let no more files be opened."""
    free = os.dup(0)
    os.close(free)
    few(free)


def host_of_its_own(test: t.Callable[..., None]) -> t.Callable[..., None]:
    @functools.wraps(test)
    def inside(*arguments: t.Any, **options: t.Any) -> None:
        alone(lambda: test(*arguments, **options))

    return inside


def lab(namespaces: int, bridges: int = 0) -> Document:
    return {
        "name": "lab",
        "namespaces": [{"name": "n%d" % number} for number in range(namespaces)],
        "links": [
            *({"kind": "linux_bridge", "name": "br%d" % n, "netns": "n%d" % (n % namespaces)} for n in range(bridges)),
            *(
                {
                    "kind": "veth",
                    "name": "v%d" % n,
                    "netns": "n%d" % n,
                    "peer": {"name": "w%d" % n, "netns": "n%d" % (n + 1)},
                }
                for n in range(namespaces - 1)
            ),
        ],
    }


@host_of_its_own
def test_an_undo_brings_all_namespaces_back_with_few_descriptors() -> None:
    world = World()
    world.build("")
    empty = world.snapshot()
    document = lab(15, 40)
    limit = len(os.listdir("/proc/self/fd")) + 16
    few(limit)
    steps = len(PLANNING.make_plan(_empty_state(), wanted({**EMPTY, **document})).steps)
    with pytest.raises(Failure, match="rolled back"):
        run(document, steps - 3, fail)
    same(empty, world.snapshot(), "an undo with a limit of %d files" % limit)
    run(document)
    full = world.snapshot()
    assert len(full) == 16
    assert not run(document).plan.steps
    told = topology.look(None, "", 20)
    assert (len(told["namespaces"]), len(told["links"])) == (15, 54)
    with pytest.raises(Failure, match="rolled back"):
        run(GONE, 12, fail)
    same(full, world.snapshot(), "an undo of deletions")
    assert not run(document).plan.steps
    run(GONE)
    same(empty, world.snapshot(), "what is left of a topology")


def _empty_state() -> t.Any:
    with contextlib.closing(_Host()) as host:
        return host.observe(host.locate(wanted(EMPTY)))


@host_of_its_own
def test_a_limit_too_low_for_any_task_is_told_before_the_first_step() -> None:
    few(len(os.listdir("/proc/self/fd")) + 4)
    with pytest.raises(Failure) as caught:
        run(lab(3))
    assert "open files" in str(caught.value)
    assert "CAP_SYS_ADMIN" not in str(caught.value)
    assert not os.path.isdir("/run/netns")


@host_of_its_own
def test_many_more_namespaces_than_descriptors() -> None:
    few(64)
    document = {"name": "lab", "namespaces": [{"name": "n%d" % number} for number in range(150)]}
    run(document)
    assert not run(document).plan.steps
    assert len(topology.look(None, "", 20)["namespaces"]) == 150
    with pytest.raises(Failure, match="rolled back"):
        run(GONE, 140, fail)
    assert len(os.listdir("/run/netns")) == 150
    run(GONE)
    assert os.listdir("/run/netns") == []


@pytest.mark.parametrize("document", [lab(3, 2), GONE], ids=["present", "absent"])
@host_of_its_own
def test_no_more_files_at_each_step(document: Document) -> None:
    """Whatever fails is a sentence, and the host is as before."""
    world = World()
    world.build("")
    if document is GONE:
        run(lab(3, 2))
    before = world.snapshot()
    failed = 0
    for at in range(100):
        pid = os.fork()
        if not pid:
            code = 3
            with contextlib.suppress(BaseException):
                code = _limited(document, at)
            os._exit(code)
        code = os.WEXITSTATUS(os.waitpid(pid, 0)[1])
        assert code in (0, 1), "%s before step %d" % (code, at)
        if code == 0:
            break
        failed += 1
        same(before, world.snapshot(), "no more files before step %d" % at)
    assert failed


def _limited(document: Document, at: int) -> int:
    try:
        run(document, at, nothing_more)
    except Failure as failure:
        print(at, failure)
        return 2 if "not all of them" in str(failure) else 1
    return 0


def no_processes() -> None:
    """Let this process start no others. The limit binds only a real user other than root without these two capabilities."""
    os.setresuid(1234567, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    for number in range(3):
        sets[number] &= ~(1 << 21 | 1 << 24)  # CAP_SYS_ADMIN, CAP_SYS_RESOURCE
    assert libc.capset(header, sets) == 0
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def no_processes_and_fail() -> None:
    no_processes()
    fail()


def _told(test: t.Callable[[], t.Any]) -> str:
    """What a task in a process of its own reports; empty if it succeeds."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            test()
        except BaseException as error:  # noqa: BLE001
            os.write(writing, ("" if isinstance(error, Failure) else repr(error)).encode() + str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return told


@host_of_its_own
def test_no_more_processes_at_each_step() -> None:
    """The error names the limit. What needs no process is rolled back; for the rest, the error says that it was not."""
    world = World()
    document: Document = {
        "name": "lab",
        "links": [
            {"kind": "tuntap", "mode": "tap", "name": "d0"},
            {"kind": "tuntap", "mode": "tap", "name": "d1"},
            {"kind": "link", "name": "b0", "state": "up"},
        ],
        "ovs_bridges": [{"name": "b0", "datapath_type": "netdev", "ports": [{"name": "d0"}]}],
    }
    with switch(world):
        world.build("")
        before = world.snapshot()
        told = _told(lambda: (no_processes(), run(document)))
        assert told.startswith(
            "Starting ovs-vsctl failed: Resource temporarily unavailable (the limit on processes"
        ), told
        same(before, world.snapshot(), "no process for the first look")
        partly = 0
        for at in range(100):
            for event in (no_processes, no_processes_and_fail):
                told = _told(lambda event=event, at=at: run(document, at, event))  # type: ignore[misc]
                if not told:
                    break
                assert ("Injected fault." in told) == (event is no_processes_and_fail), told
                assert "the limit on processes" in told, told
                assert "inside virtnet.linux" not in told, told
                assert os.listdir("/run/topologies") in ([], ["lab.json"])
                links = world.run("ip", "-o", "link")
                assert " d1:" not in links
                assert ("b0" in world.run("ovs-vsctl", "list-br")) <= ("not all of them" in told), told
                partly += "b0" in world.run("ovs-vsctl", "list-br")
                world.run("ovs-vsctl", "--if-exists", "del-br", "b0")
                same(before, world.snapshot(), "no process before step %d" % at)
            if not told:
                break
        assert partly
        run(GONE)


@pytest.mark.parametrize("document", [{"whole": True}, {}], ids=["info", "task"])
@host_of_its_own
def test_reading_while_others_change_links(document: Document) -> None:
    links = [
        {
            "kind": "veth",
            "name": "v%d" % n,
            "addresses": ["10.0.%d.1/24" % n],
            "state": "up",
            "peer": {"name": "w%d" % n, "state": "up"},
            "routes": [{"to": "10.1.%d.0/24" % n, "via": "10.0.%d.2" % n}],
        }
        for n in range(200)
    ]
    run({"name": "lab", "links": links})
    with subprocess.Popen(["sh", "-c", CHANGES], stderr=subprocess.DEVNULL) as changes:
        try:
            for _attempt in range(5):
                if document:
                    told = topology.look([], "", 20)["links"]
                    mine = {link["name"]: link for link in told if link["name"][0] == "v"}
                    assert len(mine) == 200
                    assert all(len(link["addresses"]) == len(link["routes"]) == 1 for link in mine.values())
                else:
                    assert not run({"name": "lab", "links": links}).plan.steps
        finally:
            changes.kill()


@host_of_its_own
def test_namespaces_that_come_and_go_while_they_are_listed() -> None:
    run(lab(3))
    Path("/run/netns/stale").touch()
    script = (
        "while :; do for i in 1 2 3 4; do ip netns add x$i; done; for i in 1 2 3 4; do ip netns delete x$i; done; done"
    )
    with subprocess.Popen(["sh", "-c", script], stderr=subprocess.DEVNULL) as changes:
        try:
            for _attempt in range(10):
                told = topology.look(None, "", 20)
                assert {"n0", "n1", "n2"} <= {netns["name"] for netns in told["namespaces"]} <= _names()
                assert any("'stale'" in warning for warning in told["warnings"])
                assert len([link for link in told["links"] if link["kind"] == "veth"]) == 2
        finally:
            changes.kill()


def _names() -> t.Set[str]:
    return {"n0", "n1", "n2", "x1", "x2", "x3", "x4"}
