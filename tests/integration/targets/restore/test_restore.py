# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that has rebooted gets its topologies back from a program that has nothing but Python and pyroute2.

Another world stands for the host after the reboot: nothing is in its network, and it has the same /var/lib, the same database of
Open vSwitch, and another boot id.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pyroute2
import pytest

from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files import switches
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files import worlds
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import (
    World,
    alike,
    same,
    second_world,
)

BUILD = Path(worlds.__file__).resolve().parents[5] / "roles" / "restore_on_boot" / "files" / "build.py"
KEPT = Path("/var/lib/virtnet/topologies")
OVS = "/var/lib/ovs"
BOOT_ID = "/proc/sys/kernel/random/boot_id"

Document = t.Dict[str, t.Any]

LAB: Document = {
    "name": "lab",
    "persist": True,
    "database": OVS + "/db.sock",
    "namespaces": [{"name": "blue", "sysctls": {"net.ipv4.ip_forward": True}}, {"name": "green"}],
    "links": [
        {"kind": "linux_bridge", "name": "br0", "state": "up", "addresses": ["192.0.2.1/24"], "forward_delay": 4},
        {
            "kind": "veth", "name": "eth0", "netns": "blue", "state": "up", "mac": "02:00:00:00:00:01", "mtu": 1400,
            "addresses": ["192.0.2.11/24", "2001:db8::11/64"], "routes": [{"to": "default", "via": "192.0.2.1"}],
            "peer": {"name": "blue-port", "master": "br0", "state": "up"},
        },
        {
            "kind": "veth", "name": "eth0", "netns": "green", "state": "up", "addresses": ["198.51.100.1/24"],
            "peer": {"name": "green-port", "state": "up"},
        },
        {"kind": "tuntap", "name": "tap0", "mode": "tap", "owner": "nobody", "master": "br0"},
        {"kind": "macvlan", "name": "lan0", "parent": "green-port", "mode": "bridge"},
        {
            "kind": "link", "name": "vlan7", "netns": "blue", "move_from": "", "state": "up",
            "addresses": ["203.0.113.7/24"],
        },
    ],
    "ovs_bridges": [
        {
            "name": "ovs0", "datapath_type": switches.DATAPATH, "external_ids": {"gone": None},
            "ports": [{"name": "vlan7", "type": "internal", "tag": 7}, {"name": "green-port"}],
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> t.List[str]:
    """The command line of the program, with a Python that has pyroute2 and no other library."""
    folder = tmp_path_factory.mktemp("program")
    packages = Path(pyroute2.__file__).parents[1]
    for package in packages.glob("pyroute2*"):
        (folder / package.name).symlink_to(package)
    built = [folder / name for name in ("one", "two")]
    for path in built:
        subprocess.run([sys.executable, BUILD, path], check=True)
    assert built[0].read_bytes() == built[1].read_bytes()
    alone = ["env", "-i", "PATH=" + os.environ["PATH"], "PYTHONPATH=%s" % folder, sys.executable, "-S"]
    assert subprocess.run([*alone, "-c", "import ansible"], capture_output=True, check=False).returncode
    return [*alone, str(built[0])]


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> t.Iterator[None]:
    yield
    shutil.rmtree(KEPT, ignore_errors=True)
    shutil.rmtree(OVS, ignore_errors=True)


@contextlib.contextmanager
def switch(world: World) -> t.Iterator[None]:
    """The Open vSwitch whose database survives a reboot, running in a world."""
    script = Path(switches.__file__).with_name("ovs.sh")
    world.run("bash", str(script), "start", OVS)
    try:
        yield
    finally:
        world.run("bash", str(script), "stop", OVS)


@contextlib.contextmanager
def rebooted() -> t.Iterator[World]:
    """The host after a reboot."""
    with second_world() as world:
        world.run("sh", "-c", "cat /proc/sys/kernel/random/uuid > /run/boot && mount --bind /run/boot " + BOOT_ID)
        world.build("")
        yield world


def topology(world: World, document: Document, *words: str) -> Document:
    """Run the module, and return its result."""
    run = ["env", "ANSIBLE_PYTHON_INTERPRETER=" + sys.executable, "ANSIBLE_NOCOLOR=1", "ansible", "localhost", "-i"]
    run += ["localhost,", "-c", "local", "-m", "virtnet.linux.topology", "-a", json.dumps(document), *words]
    done = subprocess.run([*world.enter, *run], capture_output=True, text=True, check=False)
    result: Document = json.loads(done.stdout[done.stdout.index("=> ") + 3 :])
    return result


def look(world: World) -> t.Any:
    """A snapshot in which worlds can be alike. As the link of a bridge's port, 'bridge' tells any that has the peer's index."""
    seen = alike(world.snapshot())
    for element in (element for told in seen["home"] for element in told if "hairpin" in element):
        element.pop("link", None)
    return seen


def restore(world: World, program: t.List[str], *words: str) -> t.Tuple[int, str, str]:
    done = subprocess.run([*world.enter, *program, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def small(name: str, *links: Document, **options: t.Any) -> Document:
    return {"name": name, "persist": True, "links": links, **options}


def tap(name: str) -> Document:
    return {"kind": "tuntap", "name": name, "mode": "tap"}


def test_a_topology_comes_back(program: t.List[str]) -> None:
    with second_world() as before:
        before.build("")
        with switch(before):
            assert topology(before, LAB, "--check")["changed"]
            assert not KEPT.exists()
            made = topology(before, LAB)
            assert made["changed"], made
            assert made["topology"]["persist"]
            assert not topology(before, LAB)["changed"]
            kept = (KEPT / "lab.document").read_text()
            for _time in range(2):
                made = topology(before, made["topology"])
                assert (made["changed"], made["commands"]) == (False, []), made
            assert (KEPT / "lab.document").read_text() == kept
            assert restore(before, program) == (0, "lab: nothing to do.\n", "")
            seen = look(before)
            rows = json.loads((KEPT / "lab.json").read_text())["ovs_ports"]
    assert (KEPT / "lab.document").stat().st_mode & 0o777 == 0o600

    with rebooted() as after, switch(after):
        empty = after.snapshot()
        code, told, errors = restore(after, program, "--check", "--verbose")
        assert code == 0, errors
        assert told.startswith("lab: would make 2 namespaces, 7 links; "), told
        assert "\nlab: ip netns add blue\n" in told
        same(empty, after.snapshot(), "check mode")

        code, told, errors = restore(after, program)
        assert (code, errors) == (0, "")
        assert told.startswith("lab: made 2 namespaces, 7 links; "), told
        same(seen, look(after), "the reboot")
        assert restore(after, program) == (0, "lab: nothing to do.\n", "")
        assert not topology(after, LAB)["changed"]

        # It owns what it has made, and still owns what has survived.
        assert json.loads((KEPT / "lab.json").read_text())["ovs_ports"] == rows
        assert topology(after, {"name": "lab", "database": OVS + "/db.sock"})["changed"]
        assert not KEPT.joinpath("lab.document").exists()
        assert [link["ifname"] for link in json.loads(after.run("ip", "-j", "link"))] == ["lo"]
        assert after.run("ip", "netns", "list") == "home\n"
        assert after.run("ovs-vsctl", "--db=unix:%s/db.sock" % OVS, "list-br") == ""
        assert restore(after, program) == (0, "There is no topology to restore.\n", "")


def test_one_waits_for_what_another_one_or_somebody_else_makes(program: t.List[str]) -> None:
    upon = {"kind": "macvlan", "name": "lan0", "parent": "tap0", "mode": "bridge"}
    with second_world() as before:
        topology(before, small("z", tap("tap0")))
        topology(before, small("a", upon))
    with rebooted() as after:
        code, told, errors = restore(after, program)
        assert (code, errors) == (0, "")
        assert told == "z: made 1 link; 1 step in all.\na: made 1 link; 1 step in all.\n"

    (KEPT / "z.document").unlink()
    with rebooted() as after:
        begin = time.monotonic()
        code, told, errors = restore(after, program, "--wait", "2")
        assert (code, told) == (1, "")
        assert errors.startswith("a: "), errors
        assert "'tap0'" in errors
        assert time.monotonic() - begin > 2
        words = [*after.enter, *program, "--wait", "60"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as waiting:
            time.sleep(2)
            after.run("ip", "tuntap", "add", "tap0", "mode", "tap")
            assert waiting.communicate()[0] == "a: made 1 link; 1 step in all.\n"
        assert waiting.returncode == 0


def test_one_that_fails_does_not_keep_others_from_coming(program: t.List[str]) -> None:
    with second_world() as before:
        for name in "abcd":
            topology(before, small(name, tap("tap-" + name)))
    (KEPT / "a.document").write_text("{")
    (KEPT / "b.document").write_text('{"version": 99}')
    kept = (KEPT / "c.document").read_text()
    (KEPT / "c.document").write_text(kept.replace('"mode"', '"modus"'))
    with rebooted() as after:
        code, told, errors = restore(after, program)
        assert (code, told) == (1, "d: made 1 link; 1 step in all.\n")
        sentences = errors.splitlines()
        assert [sentence[:3] for sentence in sentences] == ["a: ", "b: ", "c: "]
        assert "can't be used" in sentences[0]
        assert "it has version 99, and this program knows 1" in sentences[1]
        assert "there is no option modus" in sentences[2]
        assert restore(after, program, "d")[:2] == (0, "d: nothing to do.\n")
        assert restore(after, program, "nosuch")[0] == 1
        assert restore(after, program, "../d")[2].startswith("../d: The name of a topology: ")


def test_what_others_than_root_could_have_written_is_not_restored(program: t.List[str]) -> None:
    with second_world() as before:
        topology(before, small("f", tap("tap-f")))
    kept = (KEPT / "f.document").read_text()
    for name in "abx":
        (KEPT / (name + ".document")).write_text(kept.replace('"f"', '"%s"' % name))
    os.chown(KEPT / "a.document", 1000, -1)
    (KEPT / "b.document").chmod(0o606)
    os.mkfifo(KEPT / "c.document")
    (KEPT / "d.document").symlink_to(KEPT / "x.document")
    (KEPT / "x.document").write_text(kept)
    with rebooted() as after:
        code, told, errors = restore(after, program)
        assert (code, told) == (1, "f: made 1 link; 1 step in all.\n")
        why = {"a": "user 1000 may write it", "b": "every user may write it", "c": "it is not a regular file"}
        why.update(d=why["c"], x="Option name: it is the document of topology 'f'")
        assert len(errors.splitlines()) == len(why), errors
        for line, (name, reason) in zip(errors.splitlines(), why.items()):
            assert line.startswith("%s: What is kept of topology '%s'" % (name, name)), line
            assert "%s/%s.document) can't be used: %s" % (KEPT, name, reason) in line
        # A folder in which others can put a document is not read at all, whatever is in it.
        for folder in (KEPT, KEPT.parent):
            for mode, owner in ((0o777, 0), (0o775, 0), (0o755, 1000)):
                folder.chmod(mode)
                os.chown(folder, owner, -1)
                code, told, errors = restore(after, program)
                assert (code, told) == (1, "")
                assert errors.startswith("The folder %s can't be trusted: " % folder), errors
            failed = topology(after, small("f", tap("tap-f")))
            assert failed["msg"].startswith("The folder %s can't be trusted: user 1000 may write it" % folder), failed
            os.chown(folder, 0, -1)
        assert restore(after, program, "f")[:2] == (0, "f: nothing to do.\n")


def test_names_that_are_not_ascii(program: t.List[str]) -> None:
    """Whatever the locale: at boot there is none."""
    document = small("größe", {**tap("ü0"), "alias": "naïve Größe", "netns": "ü"}, namespaces=[{"name": "ü"}])
    with second_world() as before:
        made = topology(before, document)
        assert made["changed"], made
        assert not topology(before, made["topology"])["changed"]
    for locale in ([], ["LC_ALL=C.UTF-8"], ["LC_ALL=C", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0"]):
        with rebooted() as after:
            words = [*program[:2], *locale, *program[2:]]
            code, told, errors = restore(after, words)
            assert (code, errors) == (0, ""), locale
            assert told.startswith("größe: made 1 namespace, 1 link; "), told
            (link,) = json.loads(after.run("ip", "-n", "ü", "-j", "link", "show", "ü0"))
            assert link["ifalias"] == "naïve Größe"
            assert restore(after, words, "größe")[:2] == (0, "größe: nothing to do.\n")


def test_it_is_kept_and_let_go() -> None:
    kept = KEPT / "x.document"
    document = small("x", tap("tap0"))
    with second_world() as world:
        without = {**document, "persist": False}
        assert not topology(world, without)["topology"]["persist"]
        assert not kept.exists()
        for change, there in ((document, True), (without, False), (document, True)):
            assert topology(world, change, "--check")["changed"]
            result = topology(world, change)
            assert (result["changed"], result["commands"], kept.exists()) == (True, [], there)
            assert not topology(world, change)["changed"]
        # A document that says something else is kept in its place.
        was = kept.read_text()
        assert topology(world, {**document, "purge": False}, "--check")["changed"]
        assert kept.read_text() == was
        assert topology(world, {**document, "purge": False})["changed"]
        assert kept.read_text() != was
        # One that can't be had isn't kept.
        kept.unlink()
        failed = topology(world, small("x", tap("tap0"), {"kind": "macvlan", "name": "m", "parent": "nosuch"}))
        assert "nosuch" in failed["msg"]
        assert not kept.exists()
        refused = topology(world, small("x", {**tap("tap1"), "netns": "/proc/1/ns/net"}))
        assert refused["msg"] == (
            "Option netns of link 'tap1': '/proc/1/ns/net' is another namespace after a reboot, or none; option persist needs "
            "one that has a name."
        )
        topology(world, document)
        assert topology(world, {**document, "state": "absent"})["changed"]
        assert list(KEPT.iterdir()) == []
