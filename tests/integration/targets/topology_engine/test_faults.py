# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever fails after the first step is undone and told: exceptions of any kind, full and read-only disks, and limits.

After each of them the host is as before by iproute2 and ovs-vsctl, what is recorded of topologies is as before, and no
temporary file is left.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import resource
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, Unforeseen
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import alone, apart, same
from ansible_collections.virtnet.linux.tests.integration.targets.topology_engine.test_engine import (
    RECORDS,
    WORLD,
    FaultyHost,
    Host,
    places,
    recorded,
    run,
)
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

INT: Document = {"name": "a-int", "datapath_type": "netdev"}
FAKE: Document = {"name": "a-fake", "parent": "a-int", "vlan": 5, "external_ids": {"k": "v"}}
OLD: Document = {
    "name": "lab",
    "state": "present",
    "persist": True,
    "namespaces": [{"name": "blue"}, {"name": "old"}],
    "links": [
        {"kind": "linux_bridge", "name": "br0", "netns": "blue", "state": "up", "addresses": ["10.5.0.1/24"]},
        {"kind": "veth", "name": "v0", "state": "up", "peer": {"name": "w0", "netns": "blue", "master": "br0"}},
        {"kind": "veth", "name": "v1", "addresses": ["10.6.0.1/24"], "peer": {"name": "w1", "netns": "old"}},
    ],
}
NEW: Document = {
    **OLD,
    "namespaces": [{"name": "blue", "sysctls": {"net.ipv4.ip_forward": 1}}, {"name": "green"}],
    "links": [
        {
            "kind": "linux_bridge",
            "name": "br0",
            "netns": "blue",
            "state": "up",
            "addresses": [],
            "purge_addresses": True,
        },
        {"kind": "veth", "name": "v0", "mtu": 1400, "state": "up", "peer": {"name": "w0", "netns": "green"}},
        {"kind": "tuntap", "mode": "tap", "name": "t0", "netns": "blue", "master": "br0", "state": "up"},
        {"kind": "macvlan", "name": "x0", "netns": "green", "parent": "w0", "parent_netns": "green", "nodst": True},
    ],
    "ovs_bridges": [
        {**INT, "ports": [{"name": "v0", "tag": "7"}, {"name": "i0", "type": "internal"}]},
        {**FAKE, "ports": []},
    ],
}
ABSENT: Document = {"name": "lab", "state": "absent"}
# Some of ours would be told as what they say; these nobody has foreseen.
ERRORS = (
    KeyError("mode"),
    StopIteration(),
    MemoryError(),
    RecursionError("too deep"),
    OSError(errno.EMFILE, "Too many"),
)


def raising(error: BaseException) -> t.Callable[[Step], None]:
    def event(_step: Step) -> None:
        raise error

    return event


def on_a_host(test: t.Callable[[Host], t.Any]) -> t.Any:
    """Run a test on a host of its own with things that no topology has made, and with an Open vSwitch."""

    def inside() -> t.Any:
        host = Host()
        host.world.build(WORLD, "grey")
        with switch(host.world):
            return test(host)

    return alone(inside)


def undone(host: Host, attempt: t.Callable[[], t.Any], event: str) -> Failure:
    """What an attempt failed with, after which all is as before."""
    before, record = host.snapshot(), recorded()
    with pytest.raises(Failure) as caught:
        attempt()
    same(before, host.snapshot(), "%s: %s" % (event, caught.value))
    assert recorded() == record, event
    assert "not all of them" not in str(caught.value), event
    return caught.value


def failing(attempt: t.Callable[[], t.Any]) -> str:
    """What an attempt failed with, nothing if it didn't."""
    try:
        attempt()
    except Failure as failure:
        return str(failure)
    return ""


def exceptions(host: Host) -> int:
    count = 0
    run(OLD)
    for document in (NEW, ABSENT):
        plan = run(document, check=True).plan
        errors = itertools.cycle(ERRORS)
        # Every other step, and the last one: what takes longest is to look at the host.
        for step, error in zip(sorted({*places(plan)[::2], places(plan)[-1]}), errors):
            told = undone(
                host,
                functools.partial(run, document, at=step, event=raising(error)),
                "%r before step %d" % (error, step),
            )
            assert isinstance(told, Unforeseen)
            assert told.__cause__ is error
            assert str(told) != str(error)
            assert str(told).endswith(("All earlier changes were rolled back.", "No changes were made."))
            count += 1
        assert run(document, check=True).plan.commands == plan.commands
        run(document)
    return count


def test_any_exception_before_any_step_is_undone() -> None:
    assert on_a_host(exceptions) > 10


class Ending(WholeHost):
    """Raises something instead of recording the end, or after that."""

    def __init__(self, error: Exception, after: bool) -> None:
        super().__init__(20, Records(str(RECORDS)))
        self.error = error
        self.after = after

    def commit(self, plan: Plan, now: State) -> None:
        if self.after:
            super().commit(plan, now)
        raise self.error


def endings(host: Host) -> None:
    run(OLD)
    for error, after in zip((*ERRORS, Failure("It failed.")), itertools.cycle((False, True))):
        with contextlib.closing(Ending(error, after)) as ending:
            event = "%r, %s" % (error, after)
            told = undone(host, functools.partial(converge, ending, PLANNING, wanted(NEW), False), event)
            assert str(told).endswith("All earlier changes were rolled back.")
    assert run(NEW).plan.changed


def test_what_fails_at_the_very_end_is_undone() -> None:
    on_a_host(endings)


def fake_bridges(host: Host) -> None:
    both = {"name": "lab", "state": "present", "persist": True, "ovs_bridges": [INT, FAKE]}
    one = {**both, "ovs_bridges": [INT]}
    for document, names in ((both, "a-fake\na-int\n"), (one, "a-int\n"), (both, "a-fake\na-int\n"), (ABSENT, "")):
        assert run(document).plan.changed
        assert not run(document).plan.changed
        assert host.world.run("ovs-vsctl", "list-br") == names
        assert host.world.run("sh", "-c", "ovs-vsctl list-ports a-int || :").split() == []
    assert recorded() == []


def test_fake_bridges_are_owned() -> None:
    on_a_host(fake_bridges)


# Disks


def many(count: int) -> Document:
    return {
        "name": "lab",
        "state": "present",
        "links": [{"kind": "linux_bridge", "name": "br-%d" % number} for number in range(count)],
    }


def mounted(host: Host, size: int) -> None:
    RECORDS.mkdir()
    host.world.run("mount", "-t", "tmpfs", "-o", "mode=755,size=%d" % size, "tmpfs", str(RECORDS))


def fill() -> None:
    with contextlib.suppress(OSError), open(RECORDS / "others", "ab", buffering=0) as file:
        while True:
            file.write(bytes(512))


class Meanwhile(WholeHost):
    """Something happens before the step of a number."""

    def __init__(self, at: int, event: t.Callable[[], None]) -> None:
        super().__init__(20, Records(str(RECORDS)))
        self.left = at
        self.event = event

    def run(self, batch: t.Sequence[Step]) -> None:
        at, self.left = self.left, self.left - len(batch)
        if not 0 <= at < len(batch):
            super().run(batch)
            return
        cut = 0 if isinstance(batch[0], OvsStep) else at
        if cut:
            super().run(batch[:cut])
        self.event()
        super().run(batch[cut:])


def meanwhile(document: Document, at: int, event: t.Callable[[], None]) -> None:
    with contextlib.closing(Meanwhile(at, event)) as host:
        assert converge(host, PLANNING, wanted(document), False).plan.changed


def full_disks(host: Host) -> None:
    """However full the disk is before, and wherever in a run others fill it, nothing half done remains."""
    mounted(host, 64 << 10)
    document = many(40)
    outcomes = set()
    for used in range(40 << 10, 64 << 10, 8 << 10):
        (RECORDS / "others").write_bytes(bytes(used))
        before = host.snapshot()
        told = failing(functools.partial(run, document))
        outcomes.add(told)
        if not told:
            assert not run(document).plan.changed
            (RECORDS / "others").write_bytes(b"")
            run(ABSENT)
        same(before, host.snapshot(), "%d bytes are taken" % used)
        assert [path.name for path in RECORDS.iterdir()] == ["others"]
    assert outcomes == {
        "",
        "Writing /run/topologies/lab.json failed: No space left on device. No changes were made.",
    }
    for step in (0, 20, 39):
        (RECORDS / "others").unlink()
        meanwhile(document, step, fill)
        (RECORDS / "others").write_bytes(b"")
        run(ABSENT)
        assert [path.name for path in RECORDS.iterdir()] == ["others"]


class Filled(FaultyHost):
    """The disk is full when it comes to recording the end, and that fails."""

    def commit(self, plan: Plan, now: State) -> None:
        fill()
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def full_while_undone(host: Host) -> None:
    mounted(host, 256 << 10)
    run(OLD)
    for document in (NEW, ABSENT):
        (RECORDS / "others").write_bytes(b"")
        before, record = host.snapshot(), sorted(path.read_bytes() for path in RECORDS.glob("lab*"))
        with contextlib.closing(Filled(-1, raising(KeyError()))) as filled, pytest.raises(Failure) as caught:
            converge(filled, PLANNING, wanted(document), False)
        same(before, host.snapshot(), str(caught.value))
        assert str(caught.value).endswith("All earlier changes were rolled back.")
        assert sorted(path.read_bytes() for path in RECORDS.glob("lab*")) == record
        assert {path.name for path in RECORDS.iterdir()} == {"others", "lab.json", "lab.document"}
        assert run(document, check=True).plan.changed


def test_full_disks() -> None:
    on_a_host(full_disks)
    on_a_host(full_while_undone)


def bound(host: Host) -> None:
    """Make the folder read-only, though files are open for writing."""
    for words in (["--bind"], ["-o", "remount,bind,ro"]):
        host.world.run("mount", *words, str(RECORDS), str(RECORDS))


def read_only(host: Host) -> None:
    mounted(host, 256 << 10)
    run(OLD)

    def remount(how: str) -> None:
        host.world.run("mount", "-o", "remount,%s" % how, str(RECORDS))

    remount("ro")
    for document in (NEW, ABSENT):
        told = undone(host, functools.partial(run, document), "read-only")
        assert "Read-only file system. No changes were made." in str(told)
    assert not run(OLD).plan.changed
    assert not run({**ABSENT, "name": "other"}).plan.changed
    remount("rw")
    plan = run(NEW, check=True).plan
    for step in (0, len(plan.steps) // 2):
        before = host.snapshot()
        with pytest.raises(Failure) as caught:
            run(NEW, at=step, event=lambda _step: bound(host))
        host.world.run("umount", str(RECORDS))
        assert "Read-only file system" in str(caught.value)
        same(before, host.snapshot(), str(caught.value))
        run(OLD)


def test_read_only_disks() -> None:
    on_a_host(read_only)


def leftovers(_host: Host) -> None:
    run(OLD)
    for name in (".abcd1234", ".x_y_z_00"):
        (RECORDS / name).write_bytes(bytes(100))
    (RECORDS / ".profile").touch()
    run({"name": "other", "state": "present", "links": [{"kind": "linux_bridge", "name": "b7"}]})
    assert {path.name for path in RECORDS.iterdir()} == {".profile", "lab.json", "lab.document", "other.json"}
    (RECORDS / ".abcd1234").touch()
    run(OLD, check=True)
    assert (RECORDS / ".abcd1234").exists()
    run(OLD)
    assert not (RECORDS / ".abcd1234").exists()


def test_what_killed_tasks_left_is_removed() -> None:
    on_a_host(leftovers)


# Limits


def limited(limit: int, value: int, attempt: t.Callable[[], t.Any]) -> str:
    """What an attempt fails with in a process of its own that has a limit, nothing if it doesn't."""

    def inside() -> str:
        resource.setrlimit(limit, (value, value))
        return failing(attempt)

    return str(apart(inside))


def address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def small_files(host: Host) -> None:
    run(OLD)
    for document, size in ((NEW, 0), (NEW, 700), (ABSENT, 0)):
        before, record = host.snapshot(), recorded()
        told = limited(resource.RLIMIT_FSIZE, size, functools.partial(run, document))
        assert told.startswith("Writing /run/topologies/lab.")
        assert told.endswith(" failed: File too large. No changes were made.")
        same(before, host.snapshot(), told)
        assert recorded() == record


def no_more_memory() -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def little_memory(host: Host) -> None:
    """Without more memory, from any step on: a task succeeds, or all is undone."""
    run(OLD)
    document = {**NEW, "links": [*many(20)["links"], *NEW["links"]]}
    count = len(run(document, check=True).plan.steps)
    outcomes = []
    for at in (-1, 0, count // 2, count - 1):
        before, record = host.snapshot(), recorded()
        told = apart(functools.partial(failing, functools.partial(starved, document, at)))
        outcomes.append(told)
        if told:
            same(before, host.snapshot(), "before step %d: %s" % (at, told))
            assert "not all of them" not in told
            assert "memory" in told
            assert recorded() == record, told
        else:
            assert not run(document).plan.changed
            run(ABSENT)
            run(OLD)
    print(outcomes)
    assert "No changes were made." in outcomes[0]


def starved(document: Document, at: int) -> None:
    if at < 0:
        no_more_memory()
    meanwhile(document, at, no_more_memory)


def test_limits() -> None:
    on_a_host(small_files)
    on_a_host(little_memory)


def full_run(host: Host) -> None:
    """The kernel can't give the second of three new namespaces a name."""
    host.world.run("mount", "-t", "tmpfs", "-o", "nr_inodes=2", "tmpfs", "/run/netns")
    document = {"name": "lab", "state": "present", "namespaces": [{"name": name} for name in ("a0", "a1", "a2")]}
    told = failing(functools.partial(run, document))
    assert told.startswith("Creating network namespace 'a1' failed: No space left on device.")
    assert told.endswith("All earlier changes were rolled back.")
    assert os.listdir("/run/netns") == []
    assert recorded() == []
    host.world.run("umount", "/run/netns")


def test_a_full_folder_of_namespaces() -> None:
    on_a_host(full_run)
