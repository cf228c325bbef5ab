# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One topology's trouble is not another's, and a record proves what it claims.

Each test has a host of its own, and runs tasks in one process; what is there is told by iproute2.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    BadInput,
    Conflict,
    Failure,
    PrerequisiteMissing,
    Unusable,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import DATAPATH, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

RECORDS = Path("/run/virtnet/topologies")
BOOT = Path("/proc/sys/kernel/random/boot_id")

BLUE: Document = {
    "name": "blue",
    "namespaces": [{"name": "blue"}],
    "links": [{"kind": "linux_bridge", "name": "br0", "netns": "blue"}],
}
LAB: Document = {
    "name": "lab",
    "namespaces": [{"name": "red"}],
    "links": [{"kind": "veth", "name": "v0", "peer": {"name": "eth0", "netns": "red"}}],
}


def apart(test: t.Callable[[], None]) -> t.Callable[[], None]:
    @functools.wraps(test)
    def inside() -> None:
        alone(test)

    return inside


def run(document: Document, check: bool = False) -> Outcome:
    with contextlib.closing(WholeHost(10, Records(str(RECORDS)))) as host:
        return converge(host, PLANNING, wanted(document), check)


def absent(name: str) -> Document:
    return {"name": name, "state": "absent"}


def settles(document: Document, *warnings: str) -> None:
    """It is made, is unchanged then, and goes; each time with these warnings."""
    assert run(document, check=True).plan.warnings == list(warnings)
    first = run(document)
    assert first.plan.steps
    assert first.plan.warnings == list(warnings)
    assert not run(document).plan.steps
    gone = run(absent(document["name"]))
    assert gone.plan.steps
    assert gone.plan.warnings == list(warnings)
    assert not (RECORDS / (document["name"] + ".json")).exists()


def links(netns: str = "") -> t.Dict[str, int]:
    words = ["ip", *(["-n", netns] if netns else []), "-j", "link"]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return {link["ifname"]: link["ifindex"] for link in told}


def cookie() -> str:
    with contextlib.closing(WholeHost(10)) as host:
        space = host._kernel.spaces.space("")
        assert space
        return space.cookie


def claim(**parts: t.Any) -> None:
    """Write a record of topology lab by hand."""
    boot = BOOT.read_text(encoding="ascii").strip()
    record = {
        "version": 1,
        "name": "lab",
        "boot": boot,
        "namespaces": {},
        "links": [],
        "ovs_bridges": [],
        "ovs_ports": [],
    }
    RECORDS.mkdir(mode=0o755, parents=True, exist_ok=True)
    (RECORDS / "lab.json").write_text(json.dumps({**record, **parts}))


@apart
def test_open_vswitch_of_another_topology_is_down() -> None:
    ovs = {
        "name": "ovs",
        "ovs_bridges": [{"name": "ovs0", "datapath_type": DATAPATH, "ports": [{"name": "p0", "type": "internal"}]}],
    }
    with switch(World()):
        run(ovs)
    settles(LAB)
    # It is not that of the topology itself, nor of one that has something in the same database.
    for document in (ovs, absent("ovs"), {**ovs, "name": "other"}):
        with pytest.raises(Failure, match="Open vSwitch is not running"):
            run(document)


@apart
def test_a_namespace_of_another_topology_is_a_stale_file() -> None:
    run(BLUE)
    for stale in (["umount", "/run/netns/blue"], ["rm", "/run/netns/blue"], ["mkfifo", "/run/netns/blue"]):
        subprocess.run(stale, check=True)
        settles(LAB)
        # Nor does it matter to what its own record says.
        assert not run({"name": "blue"}, check=True).plan.steps
    with pytest.raises(BadInput, match="isn't a network namespace"):
        run(BLUE)
    os.remove("/run/netns/blue")
    settles({**LAB, "namespaces": [{"name": "red"}, {"name": "blue"}]})
    assert not run(absent("blue")).plan.steps
    assert not (RECORDS / "blue.json").exists()


@apart
def test_the_record_of_another_topology_is_damaged() -> None:
    run(BLUE)
    file = RECORDS / "blue.json"
    good = file.read_text()
    damages: t.List[t.Callable[[], t.Any]] = [
        lambda: file.write_text("{"),
        lambda: file.write_text("[" * 100_000),
        lambda: file.write_text(good.replace('"blue"', '"../../run/blue"')),
        lambda: file.write_text(good.replace("br0", "\\ud800")),
        lambda: file.write_text(good.replace('"above": 0', '"above": []')),
        lambda: file.write_text('{"version": 2}'),
        lambda: os.mkfifo(file),
        lambda: file.symlink_to("/dev/zero"),
        lambda: file.write_text(good) and file.chmod(0o666),
    ]
    for damage in damages:
        file.unlink()
        damage()
        warnings = run(LAB, check=True).plan.warnings
        assert len(warnings) == 1
        assert warnings[0].startswith("The record of topology 'blue' (%s) can't be used: " % file)
        settles(LAB, *warnings)
        with pytest.raises(
            Unusable, match=r"^The record of topology 'blue' \(%s\) can't be used: .*No changes were made" % file
        ):
            run(BLUE)
    file.unlink()
    file.write_text(good)
    settles(LAB)
    assert not run(BLUE).plan.steps


@apart
def test_what_another_topology_owns_is_that_under_any_name_of_its_namespace() -> None:
    run(BLUE)
    for netns in ("blue", "/run/netns/blue", "/run/netns/./blue", "alias"):
        if netns == "alias":
            subprocess.run(["ip", "netns", "attach", "alias", str(os.getpid())], check=True)
            subprocess.run(["umount", "/run/netns/alias"], check=True)
            subprocess.run(["mount", "--bind", "/run/netns/blue", "/run/netns/alias"], check=True)
        document = {"name": "lab", "links": [{"kind": "linux_bridge", "name": "br0", "netns": netns, "mtu": 1400}]}
        with pytest.raises(
            Conflict, match=r"^Link '.*' belongs to topology 'blue'|^Link .*br0.* belongs to topology 'blue'"
        ):
            run(document)
    # What rests on links of another topology, in a namespace of a third one, is seen as well.
    run({"name": "low", "links": [{"kind": "tuntap", "name": "low0", "mode": "tap"}]})
    upper = {"kind": "macvlan", "name": "up0", "netns": "green", "parent": "low0", "parent_netns": ""}
    run({"name": "up", "namespaces": [{"name": "green"}], "links": [upper]})
    with pytest.raises(Conflict, match=r"would destroy link 'up0' in namespace 'green'"):
        run(absent("low"))


@apart
def test_a_claim_that_was_written_by_hand_takes_nothing() -> None:
    World().build("link add far0 type bridge\n", "far")
    foreign = links()["far0"]
    identity = cookie()
    there = {"netns": "", "name": "far0", "kind": "linux_bridge", "ifindex": 0}
    for space in ("", identity):
        for above in (0, 1, foreign - 1):
            claim(namespaces={"far": ""}, links=[{**there, "space": space, "above": above}])
            for check in (True, False):
                plan = run(absent("lab"), check).plan
                assert not plan.steps
                assert not check or "claims things that were about to be made" in plan.warnings[0]
            assert "far0" in links()
            assert os.path.exists("/run/netns/far")
    for name in ("../../../tmp/x", "/etc/passwd", "..", "a\0b"):
        claim(namespaces={name: ""})
        with pytest.raises(Unusable, match=r"can't be used: .*No changes were made"):
            run(absent("lab"))
    # With its identity, a claim is what a task writes.
    claim(links=[{**there, "space": identity, "ifindex": foreign, "above": 0}])
    assert run(absent("lab")).plan.steps
    assert "far0" not in links()


@apart
def test_nothing_to_do_writes_nothing() -> None:
    run(LAB)
    for document in (LAB, absent("other"), {"name": "other"}):
        subprocess.run(["mount", "--bind", RECORDS.parent, RECORDS.parent], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", RECORDS.parent], check=True)
        assert not run(document).plan.steps
        # There is something to do.
        with pytest.raises(Unusable, match="Read-only file system"):
            run({**LAB, "links": []})
        assert "v0" in links()
        subprocess.run(["umount", RECORDS.parent], check=True)


@apart
def test_a_record_out_of_date_does_not_keep_from_doing_nothing() -> None:
    run(LAB)
    subprocess.run(["ip", "link", "delete", "v0"], check=True)
    subprocess.run(["mount", "--bind", RECORDS.parent, RECORDS.parent], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", RECORDS.parent], check=True)
    assert not run({**LAB, "links": []}).plan.steps


@apart
def test_what_a_topology_lacks_is_told_as_before() -> None:
    with pytest.raises(PrerequisiteMissing, match="nosuch"):
        run({"name": "lab", "links": [{"kind": "macvlan", "name": "m0", "parent": "nosuch"}]})
    assert not RECORDS.exists()
