# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of macvtaps in /dev go with their devices, on every way that a device can go.

Two namespaces have macvtaps with one interface index, so that the kernel makes a node for only one of them, and the
collection one for the other, which the kernel doesn't remove. In a /dev that is no devtmpfs, as containers have it, it makes
all of them. As any task on this host removes stale nodes from the common /dev, what is tested with these has such a /dev.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._links.documents import (
    link_options,
    read_link,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options, read_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology as modules_topology
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING as WHOLE
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone

Document = t.Dict[str, t.Any]

# The parent is one end of a pair; its other end is in the namespace in the middle.
WORLD = """
link add s0 type veth peer name s0x
link add name a netns a type veth peer name ax netns mid
link add name b netns b type veth peer name bx netns mid
"""
OWNER = 4242


def in_dev(test: t.Callable[[], None], own: bool = True) -> None:
    """Run a test in a network of its own, with a /dev of its own or that of the host."""

    def inside() -> None:
        if own:
            numbers = {name: os.stat("/dev/" + name).st_rdev for name in ("null", "zero", "random", "urandom")}
            World().run("mount", "-t", "tmpfs", "tmpfs", "/dev")
            for name, number in numbers.items():
                os.mknod("/dev/" + name, stat.S_IFCHR, number)
                os.chmod("/dev/" + name, 0o666)
        test()

    alone(inside)


def nodes() -> t.Dict[str, int]:
    """The nodes that macvtaps have, and their device numbers."""
    found = {path: path.lstat() for path in Path("/dev").iterdir() if re.match("(macv)?tap[0-9]+$", path.name)}
    return {str(path): status.st_rdev for path, status in found.items()}


def link(module: str, **document: t.Any) -> t.Any:
    """Run the module of a kind, or ``link``."""
    of_kind = KINDS.get(module)
    complete, wrong = modules_topology.validate(link_options(of_kind), document)
    assert not wrong
    return run(Wanted(links=(read_link(complete, of_kind),)))


def netns(**document: t.Any) -> t.Any:
    complete, _wrong = modules_topology.validate(netns_options(), document)
    return run(Wanted(namespaces=(read_netns(complete),)))


def run(wanted: Wanted, kernel: t.Type[Kernel] = Kernel, check: bool = False) -> t.Any:
    with contextlib.closing(kernel()) as host:
        return converge(host, PLANNING, wanted, check)


def topology(**document: t.Any) -> t.Any:
    complete, wrong = modules_topology.validate(topology_options(), {"name": "lab", **document})
    assert not wrong
    with contextlib.closing(WholeHost(20, Records("/run/topologies"))) as host:
        return converge(host, WHOLE, modules_topology.read(complete), check=False)


def macvtap(place: str, name: str = "m0", **more: t.Any) -> Document:
    device = {"owner": str(OWNER), "mode": "0666"}
    return {"name": name, "netns": place, "parent": place, "parent_netns": place, "device": device, **more}


def build() -> World:
    world = World()
    world.build(WORLD, "a", "b", "mid")
    return world


def taps() -> World:
    """Macvtaps of one index in the namespaces a and b."""
    world = build()
    paths = [link("macvtap", **macvtap(place)).now for place in ("a", "b")]
    found = [path_of(state) for state in paths]
    assert found[1] == "/dev/macvtap%d" % os.minor(nodes()[found[1]]), found
    return world


def path_of(state: State) -> str:
    (path,) = (link.values["device"]["path"] for link in state.links.values() if link.kind == "macvtap")
    return str(path)


class Broken(Kernel):
    """Fails after the last step that it is given."""

    def run(self, batch: t.Sequence[Step]) -> None:
        super().run(batch)
        if type(self).failures:
            type(self).failures -= 1
            refused = Refused("injecting a fault", "Injected fault", 5)
            refused.done = batch
            raise refused

    failures = 0


def undone(wanted: Wanted) -> None:
    """A run that fails when all is done, and is undone."""
    Broken.failures = 1
    with pytest.raises(Refused) as caught:
        run(wanted, Broken)
    assert "not all of them" not in str(caught.value)


def by_module() -> None:
    for place in ("b", "a"):
        link("macvtap", name="m0", netns=place, state="absent")


def by_link_module() -> None:
    for place in ("b", "a"):
        link("link", name="m0", netns=place, kind="macvtap", state="absent")


def by_parent() -> None:
    for place in ("b", "a"):
        link("veth", name=place, netns=place, state="absent")


def by_peer_of_parent() -> None:
    for place in ("b", "a"):
        link("veth", name=place + "x", netns="mid", state="absent")


def by_namespace() -> None:
    for place in ("b", "a"):
        netns(name=place, state="absent")


def by_namespace_of_peer() -> None:
    netns(name="mid", state="absent")


WAYS = [by_module, by_link_module, by_parent, by_peer_of_parent, by_namespace, by_namespace_of_peer]


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_nodes_go_with_their_device(way: t.Callable[[], None], own: bool) -> None:
    def gone() -> None:
        before = nodes()
        world = taps()
        way()
        # These are removed by the task itself, and not by the kernel some time later.
        assert not [path for path in nodes().keys() - before.keys() if own or path.startswith("/dev/macvtap")]
        world.settle()
        wait_for(before)

    in_dev(gone, own)


def wait_for(expected: t.Dict[str, int]) -> None:
    """What the kernel removes, it removes a moment later."""
    deadline = time.monotonic() + 20
    while nodes() != expected and time.monotonic() < deadline:
        time.sleep(0.02)
    assert nodes() == expected


def test_a_namespace_that_lives_on_keeps_its_nodes() -> None:
    def kept() -> None:
        before = nodes()
        taps()
        there = nodes()
        with subprocess.Popen(["ip", "netns", "exec", "b", "sleep", "60"]) as process:
            while os.stat("/proc/%d/ns/net" % process.pid).st_ino != os.stat("/run/netns/b").st_ino:
                time.sleep(0.01)
            by_namespace_of("b")
            assert nodes() == there
            process.kill()
        by_namespace_of("a")
        wait_for_death(there)
        by_module()  # the next task, whatever it does
        assert nodes() == before

    in_dev(kept)


def by_namespace_of(place: str) -> None:
    netns(name=place, state="absent")


def wait_for_death(there: t.Dict[str, int]) -> None:
    """The devices have gone, and perhaps not their nodes."""
    deadline = time.monotonic() + 20
    while any(living(number) for number in there.values()) and time.monotonic() < deadline:
        time.sleep(0.02)


def living(number: int) -> bool:
    return Path("/sys/dev/char/%d:%d" % (os.major(number), os.minor(number))).is_symlink()


@pytest.mark.parametrize("own", [True, False])
def test_topology(own: bool) -> None:
    def all_of_it() -> None:
        before = nodes()
        world = build()
        places = [{"name": name} for name in ("one", "two")]
        pairs = [
            {"kind": "veth", "name": "up", "netns": place["name"], "peer": {"name": place["name"], "netns": "mid"}}
            for place in places
        ]
        links = [
            {**macvtap("up"), "kind": "macvtap", "netns": place["name"], "parent_netns": place["name"]}
            for place in places
        ]
        for rest in (
            {"links": pairs, "namespaces": places},  # purged
            {"state": "absent"},
            {"namespaces": places[:1], "links": pairs[:1]},
        ):
            topology(namespaces=places, links=[*pairs, *links])
            assert len([path for path in nodes() if path.startswith("/dev/macvtap")]) == 1
            topology(**rest)
            assert not [path for path in nodes() if path.startswith("/dev/macvtap")]
        topology(state="absent")
        world.settle()
        wait_for(before)

    in_dev(all_of_it, own)


def test_undo() -> None:
    def undo() -> None:
        before = nodes()
        build()
        link("macvtap", **macvtap("a"))
        alone_there = nodes()
        complete, _wrong = modules_topology.validate(link_options(KINDS["macvtap"]), macvtap("b"))
        wanted = Wanted(links=(read_link(complete, KINDS["macvtap"]),))
        undone(wanted)
        assert nodes() == alone_there
        run(wanted)
        for document in (
            {"name": "m0", "netns": "b", "state": "absent"},
            macvtap("b", recreate=True, mode="passthru"),
            {"name": "m0", "netns": "mid", "move_from": "b"},
        ):
            complete, _wrong = modules_topology.validate(link_options(KINDS["macvtap"]), document)
            undone(Wanted(links=(read_link(complete, KINDS["macvtap"]),)))
            assert len(nodes()) == len(alone_there) + 1
            (path,) = nodes().keys() - alone_there.keys()
            assert os.stat(path).st_uid == OWNER
            assert not run(wanted).plan.changed
        by_module()
        assert nodes() == before

    in_dev(undo)


def test_moves_and_recreation() -> None:
    def moved() -> None:
        before = nodes()
        taps()
        for document in (
            {"name": "m0", "netns": "mid", "move_from": "b"},
            {"name": "m0", "netns": "a", "mode": "passthru", "recreate": True, "parent": "a", "parent_netns": "a"},
            {"name": "m0", "netns": "b", "move_from": "mid"},
        ):
            state = link("macvtap", **document).now
            there = nodes()
            assert path_of(state) in there
            assert len(there) == len(before) + 2
            assert all(map(living, there.values()))
        by_module()
        assert nodes() == before

    in_dev(moved)


def foreign_deletion(world: World) -> None:
    """One of others, and the number goes to another macvtap that others make; a is still there."""
    world.run("ip", "-n", "b", "link", "delete", "m0")


def test_a_stale_node_is_removed_by_the_next_task() -> None:
    def stale() -> None:
        before = nodes()
        world = taps()
        foreign_deletion(world)
        assert [path for path in nodes() if path.startswith("/dev/macvtap")]
        run(Wanted(links=(read_of("a"),)), check=True)
        assert [path for path in nodes() if path.startswith("/dev/macvtap")], "check mode has removed something"
        assert not run(Wanted(links=(read_of("a"),))).plan.changed
        assert not [path for path in nodes() if path.startswith("/dev/macvtap")]
        by_module()
        assert nodes() == before

    in_dev(stale)


def read_of(place: str) -> t.Any:
    complete, _wrong = modules_topology.validate(link_options(KINDS["macvtap"]), {"name": "m0", "netns": place})
    return read_link(complete, KINDS["macvtap"])


def test_the_old_owner_gets_no_access_to_another_device() -> None:
    def handed_on() -> None:
        before = nodes()
        world = taps()
        stale, number = next((path, number) for path, number in nodes().items() if path.startswith("/dev/macvtap"))
        foreign_deletion(world)
        # The kernel hands the number on: to one of others, with an index that makes the old name look right.
        world.run("ip", "-n", "b", "link", "add", "m0", "index", index_of(world, "a"), "link", "b", "type", "macvtap")
        assert living(number)
        assert nodes()[stale] == number
        assert os.stat(stale).st_uid == OWNER
        looked = run(Wanted(links=(read_of("b"),)), check=True)
        assert "device" not in looked.plan.before.links[read_of("b").ref].values
        link("macvtap", name="m0", netns="b", device={"mode": "0640"})
        status = os.stat(stale)
        assert (status.st_rdev, status.st_uid, stat.S_IMODE(status.st_mode)) == (number, 0, 0o640)
        by_module()
        assert nodes() == before

    in_dev(handed_on)


def index_of(world: World, place: str) -> str:
    return world.run("ip", "-n", place, "-o", "link", "show", "m0").split(":", maxsplit=1)[0]


def test_a_new_device_takes_over_no_node() -> None:
    def taken_over() -> None:
        before = nodes()
        world = taps()
        number = next(number for path, number in nodes().items() if path.startswith("/dev/macvtap"))
        # Nodes that somebody has made for a device that is gone, under the names that the next one may have.
        mine = ["/dev/tap%d" % (int(index_of(world, "a")) + more) for more in (1, 2, 3)]
        foreign_deletion(world)
        for path in mine:
            os.mknod(path, stat.S_IFCHR | 0o666, number)
            os.chown(path, OWNER, OWNER)
        path = path_of(link("macvtap", name="m1", netns="b", parent="b", parent_netns="b").now)
        status = os.stat(path)
        assert (status.st_rdev, status.st_uid, stat.S_IMODE(status.st_mode)) == (number, 0, 0o600)
        assert [path for path, its in nodes().items() if its == number] == [path]
        link("macvtap", name="m1", netns="b", state="absent")
        by_module()
        assert nodes() == before

    in_dev(taken_over)


def test_what_else_is_in_dev_stays() -> None:
    def others() -> None:
        Path("/dev/tap987650").write_text("a file", encoding="utf-8")
        os.mknod("/dev/tap987651", stat.S_IFCHR | 0o600, os.makedev(1, 200))  # of another driver
        os.symlink("null", "/dev/tap987652")
        os.mknod("/dev/macvtap987653", stat.S_IFCHR | 0o600, os.stat("/dev/null").st_rdev)
        found = ["/dev/tap987650", "/dev/tap987651", "/dev/tap987652", "/dev/macvtap987653"]
        try:
            build()
            link("macvtap", **macvtap("a"))
            link("macvtap", name="m0", netns="a", state="absent")
            assert [path for path in found if os.path.lexists(path)] == found
        finally:
            for path in found:
                os.unlink(path)

    in_dev(others)


def test_every_task_sweeps() -> None:
    """Those of Open vSwitch as well, which may delete the parent of a macvtap."""

    def swept() -> None:
        world = taps()
        foreign_deletion(world)
        there = nodes()
        Ovs(5).tidy()
        assert len(nodes()) == len(there) - 1
        by_module()

    in_dev(swept)
