# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a task when Open vSwitch's daemons hang or are gone, when others change the same things, and what it costs."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.lock import host_lock
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import UNDO_SECONDS, Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import (
    DATAPATH,
    FOLDER,
    restart,
    rows,
    switch,
)
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone, apart
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import wish

TIMEOUT = 3
SPARE = 3  # what a busy machine may take besides

BR0 = wish(bridge={"name": "br0", "state": "present", "datapath_type": DATAPATH})
BR1 = wish(bridge={"name": "br1", "state": "present", "datapath_type": DATAPATH})


def port(name: str, **options: t.Any) -> Wanted:
    return wish(port={"bridge": "br0", "name": name, "state": "present", "type": "internal", **options})


def run(wanted: Wanted, check: bool = False, ovs: t.Optional[Ovs] = None) -> t.Any:
    return converge(ovs or Ovs(TIMEOUT), PLANNING, wanted, check)


def with_switch(test: t.Callable[[World], None]) -> None:
    """Run a test in a world of its own with an Open vSwitch, on which are br0 and br1."""

    def inside() -> None:
        world = World()
        world.build("link set lo up")
        with switch(world):
            run(BR0)
            run(BR1)
            test(world)

    alone(inside)


def kill(daemon: str, number: int) -> None:
    os.kill(int(Path(FOLDER, daemon + ".pid").read_text()), number)


@contextlib.contextmanager
def stopped(daemon: str) -> t.Iterator[None]:
    kill(daemon, signal.SIGSTOP)
    try:
        yield
    finally:
        kill(daemon, signal.SIGCONT)


def failing(wanted: Wanted, ovs: t.Optional[Ovs] = None, check: bool = False) -> str:
    """What a task fails with, in time."""
    start = time.monotonic()
    with pytest.raises(Failure) as caught:
        run(wanted, check, ovs)
    assert time.monotonic() - start < TIMEOUT + UNDO_SECONDS + SPARE
    return str(caught.value)


class Interrupted(Ovs):
    """Lets something happen before it writes, and something before it looks at what it has written."""

    def __init__(
        self, before: t.Callable[[], None] = lambda: None, after: t.Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(TIMEOUT)
        self.before = before
        self.after: t.Optional[t.Callable[[], object]] = after
        self.ran = False

    def run(self, batch: t.Sequence[Step]) -> None:
        if not self.ran:
            self.ran = True
            self.before()
        super().run(batch)

    def look(self, database: str, names: t.Optional[t.Set[str]] = None) -> Switch:
        if self.ran and self.after:
            then, self.after = self.after, None
            then()
        return super().look(database, names)


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_ovs_vswitchd_fails(number: int) -> None:
    def test(world: World) -> None:
        before = rows(world)
        kill("ovs-vswitchd", number)
        assert failing(port("p")) == (
            "The daemon ovs-vswitchd did not take up a change of the database within 3 seconds (option timeout): is it running? "
            "ovsdb-server is. All earlier changes were rolled back."
        )
        assert rows(world) == before
        assert not run(BR0).plan.changed  # nothing to do for it
        if number == signal.SIGSTOP:
            kill("ovs-vswitchd", signal.SIGCONT)
            assert run(port("p")).plan.changed

    with_switch(test)


def test_ovsdb_server_hangs() -> None:
    sentence = (
        "The OVS database did not answer within 3 seconds (option timeout); ovsdb-server hangs, or is stopped. "
        "No changes were made."
    )

    def test(world: World) -> None:
        before = rows(world)
        with stopped("ovsdb-server"):
            assert failing(port("p")) in sentence
            assert failing(port("p"), check=True) in sentence
        told = failing(port("p"), Interrupted(before=lambda: kill("ovsdb-server", signal.SIGSTOP)))
        kill("ovsdb-server", signal.SIGCONT)
        assert told.startswith("The OVS database did not answer within 3 seconds")
        time.sleep(1)
        assert rows(world) == before

    with_switch(test)


def test_ovsdb_server_hangs_after_the_transaction() -> None:
    def test(_world: World) -> None:
        told = failing(port("p"), Interrupted(after=lambda: kill("ovsdb-server", signal.SIGSTOP)))
        kill("ovsdb-server", signal.SIGCONT)
        assert told == (
            "The OVS database did not answer within 3 seconds (option timeout); ovsdb-server hangs, or is stopped. The "
            "earlier changes were rolled back, but not all of them: The OVS database did not answer within 3 seconds "
            "(option timeout); ovsdb-server hangs, or is stopped."
        )

    with_switch(test)


def test_ovsdb_server_is_gone() -> None:
    def test(_world: World) -> None:
        told = failing(port("p"), Interrupted(before=lambda: kill("ovsdb-server", signal.SIGKILL)))
        assert told.startswith("Open vSwitch is not running: there is no database (unix:/")
        assert told.count("Open vSwitch is not running") <= 2
        assert failing(port("p")).startswith("Open vSwitch is not running: there is no database (unix:/")
        foretold = run(port("p"), check=True)
        assert foretold.plan.changed
        assert foretold.plan.missing[0].startswith("Open vSwitch is not running")
        Path(FOLDER, "db.sock").unlink()
        assert failing(port("p")).startswith("Open vSwitch is not running: there is no database (unix:/")

    with_switch(test)


def later(seconds: float, event: t.Callable[[], None]) -> int:
    """Let something happen while a task waits; returns the process that does it."""
    pid = os.fork()
    if not pid:
        try:
            time.sleep(seconds)
            event()
        finally:
            os._exit(0)
    return pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ovs_vswitchd_is_restarted_while_a_task_waits(number: int) -> None:
    def test(world: World) -> None:
        kill("ovs-vswitchd", number)
        time.sleep(0.2)
        pid = later(0.5, lambda: restart(world))
        assert run(port("p"), ovs=Ovs(30)).plan.changed
        os.waitpid(pid, 0)
        assert world.run("ip", "-br", "link", "show", "p")
        assert not run(port("p")).plan.changed

    with_switch(test)


def test_ovsdb_server_is_restarted_after_the_transaction() -> None:
    def test(world: World) -> None:
        def again() -> None:
            kill("ovsdb-server", signal.SIGKILL)
            restart(world)

        ovs = Interrupted(after=again)
        ovs._timeout = 30
        assert run(port("p"), ovs=ovs).plan.changed
        assert not run(port("p"), ovs=Ovs(30)).plan.changed

    with_switch(test)


def test_ovsdb_server_is_restarted_between_reading_and_writing() -> None:
    def test(world: World) -> None:
        def again() -> None:
            kill("ovsdb-server", signal.SIGKILL)
            restart(world)

        ovs = Interrupted(before=again)
        ovs._timeout = 30
        assert run(port("p"), ovs=ovs).plan.changed
        assert not run(port("p"), ovs=Ovs(30)).plan.changed

    with_switch(test)


def test_ovsdb_server_is_killed_while_ovs_vsctl_waits() -> None:
    """The transaction may stay, and then the task says so; the next one finishes what it began."""

    def test(world: World) -> None:
        before = rows(world)
        with stopped("ovs-vswitchd"):
            pid = later(0.7, lambda: kill("ovsdb-server", signal.SIGKILL))
            told = failing(port("p"))
            os.waitpid(pid, 0)
        restart(world)
        after = rows(world)
        assert after == before or "not all of them" in told
        assert "OVS" in told or "Open vSwitch" in told
        run(port("p"), ovs=Ovs(30))
        assert not run(port("p"), ovs=Ovs(30)).plan.changed
        assert "p" in {row["name"] for row in rows(world)["Port"]}

    with_switch(test)


def test_it_is_not_installed() -> None:
    def test(_world: World) -> None:
        search, os.environ["PATH"] = os.environ["PATH"], "/nowhere"
        try:
            told = failing(port("p"))
            assert run(port("p"), check=True).plan.missing
        finally:
            os.environ["PATH"] = search
        assert told.startswith("Open vSwitch is not installed: there is no command ovs-vsctl (Debian and Ubuntu: pack")

    with_switch(test)


def test_more_than_fits_a_command_line() -> None:
    def test(world: World) -> None:
        before = rows(world)
        told = failing(port("p", external_ids={"k": "\n" * 100_000}))
        assert "failed: it is more than fits one command line (200" in told
        assert told.endswith("No changes were made.")
        assert rows(world) == before

    with_switch(test)


def test_a_user_who_may_not() -> None:
    def nobody() -> str:
        os.setresuid(65534, 65534, 65534)
        return failing(port("p"), check=True)

    def test(_world: World) -> None:
        told = apart(nobody)
        assert told.startswith("This user may not talk to the OVS database (")
        assert told.endswith("; use become.")

    with_switch(test)


def test_waiting_for_another_task_takes_nothing_from_the_timeout() -> None:
    def test(_world: World) -> None:
        pid = os.fork()
        if not pid:
            with host_lock():
                time.sleep(TIMEOUT + 1)
            os._exit(0)
        time.sleep(0.5)
        assert run(port("p")).plan.changed
        os.waitpid(pid, 0)

    with_switch(test)


def test_tasks_that_change_the_same_bridge_at_the_same_time() -> None:
    def test(world: World) -> None:
        pids = []
        for number in range(6):
            pid = os.fork()
            if not pid:
                try:
                    run(port("p%d" % number, external_ids={"k": str(number)}), ovs=Ovs(60))
                    run(
                        wish(bridge={"name": "br0", "state": "present", "external_ids": {"k%d" % number: "v"}}),
                        ovs=Ovs(60),
                    )
                    os._exit(0)
                finally:
                    os._exit(1)
            pids.append(pid)
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 6
        (bridge,) = (row for row in rows(world)["Bridge"] if row["name"] == "br0")
        assert bridge["ports"] == ["br0", *("p%d" % number for number in range(6))]
        assert bridge["external_ids"] == {"k%d" % number: "v" for number in range(6)}

    with_switch(test)


def test_somebody_else_is_faster() -> None:
    def test(world: World) -> None:
        def foreign() -> None:
            world.run("ovs-vsctl", "set", "Bridge", "br0", "external_ids:theirs=yes", "--", "add-port", "br0", "q")
            world.run("ovs-vsctl", "set", "Interface", "q", "type=internal")

        def destroy() -> None:
            world.run("ovs-vsctl", "del-br", "br0")

        run(wish(bridge={"name": "br0", "state": "present", "external_ids": {"ours": "yes"}}), ovs=Interrupted(foreign))
        (bridge,) = (row for row in rows(world)["Bridge"] if row["name"] == "br0")
        assert bridge["external_ids"] == {"ours": "yes", "theirs": "yes"}
        told = failing(port("p"), Interrupted(destroy))
        assert told == (
            "Adding port 'p' to OVS bridge 'br0'; setting type of OVS interface 'p' to \"internal\" failed: "
            "no bridge named br0. No changes were made."
        )

    with_switch(test)


FOREIGN = (
    "add-port br0 q -- set Interface q type=internal",
    "del-port x",
    "add-port br1 x -- set Interface x type=internal",
    "del-port x -- add-port br0 x -- set Interface x type=internal",
    "del-br br1",
)
# What becomes of a bond is seen where the task has to do with it.
FOREIGN_TO_BONDS = (*FOREIGN, "add-bond-iface b m3", "del-bond-iface b m2")


@pytest.mark.parametrize(
    ("asked", "foreign"),
    [
        ({"bridge": "br0", "name": "p", "type": "internal"}, FOREIGN),
        ({"bridge": "br0", "name": "b", "interfaces": ["m1"]}, FOREIGN_TO_BONDS),
        ({"name": "br0"}, FOREIGN_TO_BONDS),
    ],
)
def test_somebody_else_comes_before_it_looks_again(asked: t.Dict[str, t.Any], foreign: t.Sequence[str]) -> None:
    """Only what it has touched is read again, unless that doesn't fit the rest any more."""

    def test(world: World) -> None:
        for name in ("m1", "m2", "m3"):
            world.run("ip", "link", "add", name, "type", "veth", "peer", "name", name + "x")
        run(port("x"))
        run(wish(port={"bridge": "br0", "name": "b", "state": "present", "interfaces": ["m1", "m2"]}))
        for number, words in enumerate(foreign):
            document = {**asked, "state": "present", "external_ids": {"k": str(number)}}
            wanted = wish(port=document) if "bridge" in asked else wish(bridge=document)
            they = functools.partial(world.run, "ovs-vsctl", *words.split())
            assert run(wanted, ovs=Interrupted(after=they)).now == run(wanted, check=True).now, words

    with_switch(test)


def test_the_number_of_processes() -> None:
    """What a wrapper in front of ovs-vsctl counts: one that reads, and one that writes if there is something to write."""

    def test(world: World) -> None:
        folder, calls = Path("/run/wrapper"), Path("/run/calls")
        folder.mkdir()
        wrapper = folder / "ovs-vsctl"
        wrapper.write_text(
            '#!/bin/sh\necho "$@" >> %s\nexec %s "$@"\n' % (calls, world.run("which", "ovs-vsctl").strip())
        )
        wrapper.chmod(0o755)
        os.environ["PATH"] = "%s:%s" % (folder, os.environ["PATH"])

        def written(wanted: Wanted, check: bool = False) -> int:
            calls.write_text("")
            run(wanted, check)
            lines = calls.read_text().splitlines()
            assert [" list Bridge" in line for line in lines] == [True] + [False] * (len(lines) - 1)
            return len(lines) - 1

        tunnel = {"name": "t", "state": "present", "type": "vxlan", "remote_ip": "192.0.2.1", "key": "5"}
        for wanted in (
            wish(bridge={"name": "br2", "state": "present", "datapath_type": DATAPATH, "external_ids": {"a": "b"},
                         "controllers": ["ptcp:16654"], "fail_mode": "secure", "protocols": ["OpenFlow13"]}),
            wish(bridge={"name": "fake", "state": "present", "parent": "br2", "vlan": 10, "external_ids": {"a": "b"}}),
            port("p", tag="7", trunks=["1-20"], external_ids={"a": "b"}, interface_external_ids={"a": "b"}),
            wish(port={"bridge": "br0", **tunnel}),
            *(wish(port={"bridge": new, "move_from": old, **tunnel}) for old, new in [("br0", "br1"), ("br1", "br0")] * 5),
            wish(bridge={"name": "br2", "state": "absent"}),
        ):  # fmt: skip
            assert written(wanted, check=True) == 0
            assert written(wanted) == 1
            assert written(wanted) == 0
            assert written(wanted, check=True) == 0

    with_switch(test)
