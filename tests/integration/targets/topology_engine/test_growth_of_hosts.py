# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On the real kernel, four times as many namespaces take four times as many messages, and are found all the same."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._links import spaces
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import directory
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.descriptors import Descriptors
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace, Request
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

FACTOR = 4


def chain(count: int) -> Document:
    """Namespaces in a row, each with a pair to the next one."""
    return {
        "name": "lab",
        "namespaces": [{"name": "n%d" % n} for n in range(count)],
        "links": [
            {"kind": "veth", "name": "v", "netns": "n%d" % n, "peer": {"name": "w", "netns": "n%d" % (n + 1)}}
            for n in range(count - 1)
        ],
        "ovs_bridges": [],
    }


def run(document: Document) -> Outcome:
    with contextlib.closing(WholeHost(20, Records("/run/topologies"))) as host:
        return converge(host, PLANNING, wanted(document), False)


def _messages(work: t.Callable[[], t.Any]) -> int:
    """The number of requests that are sent to the kernel."""
    encoded = 0

    def counting(space: Namespace, request: Request) -> bytes:
        nonlocal encoded
        encoded += 1
        return encode(space, request)

    encode = Namespace.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Namespace, "encode", counting)
        work()
    return encoded


def _again(document: Document) -> None:
    assert not run(document).plan.steps


def _looked_at(count: int) -> None:
    assert len(peers()) == 2 * (count - 1)


def peers() -> t.Dict[t.Tuple[str, str], t.Any]:
    """The other ends of all pairs, by namespace and name."""
    told = topology.look(None, "", 20)["links"]
    found = {}
    for link in told:
        here, there = (link.get("netns", ""), link["name"]), link.get("peer")
        found[here] = there and (there.get("netns", ""), there["name"])
        if there:
            found[found[here]] = here
    return found


def test_a_chain_of_namespaces() -> None:
    alone(_chain)


def _chain() -> None:
    phases: t.Dict[str, t.List[int]] = {"make": [], "again": [], "look": [], "absent": []}
    for count in (50, FACTOR * 50):
        phases["make"].append(_messages(lambda count=count: run(chain(count))))
        phases["again"].append(_messages(lambda count=count: _again(chain(count))))
        phases["look"].append(_messages(lambda count=count: _looked_at(count)))
        phases["absent"].append(_messages(lambda: run({"name": "lab", "state": "absent"})))
    print(phases)
    # A task asks a hundred questions one by one before it has them translated.
    assert not {phase: counts for phase, counts in phases.items() if counts[1] > 1.5 * FACTOR * counts[0]}


@pytest.mark.parametrize("made", [True, False], ids=["translated", "one by one"])
def test_pairs_to_namespaces_that_the_document_does_not_name(made: bool) -> None:
    """Some have another name, some a process, and some nothing that leads there."""
    alone(lambda: _unnamed(made))


def _unnamed(made: bool) -> None:
    count = 40
    world = World()
    named = ["%s%d" % (kind, n) for kind in ("n", "m", "p", "d") for n in range(count)]
    world.build("".join("netns add %s\n" % name for name in named))
    world.run(
        "ip",
        "-batch",
        "-",
        stdin="".join(
            "link add v-%s%d netns n%d type veth peer name w netns %s%d\n" % (kind, n, n, kind, n)
            for kind in "mpd"
            for n in range(count)
        ),
    )
    processes = [_sleeper("p%d" % n) for n in range(count)]
    try:
        held = [os.open("/run/netns/d%d" % n, os.O_RDONLY) for n in range(count)]
        world.run(
            "ip", "-batch", "-", stdin="".join("netns delete %s%d\n" % (kind, n) for kind in "pd" for n in range(count))
        )
        directories: t.List[t.Any] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                spaces,
                "Directory",
                lambda descriptors: directories.append(directory.Directory(descriptors)) or directories[-1],
            )
            if not made:
                patch.setattr(directory, "unshare", _refuse)
            seen = _seen([name for name in named if name[0] == "n"])
    finally:
        for pid in processes:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    for fd in held:
        os.close(fd)
    assert bool(directories) == made
    for n in range(count):
        assert seen["n%d" % n, "v-m%d" % n] == ("m%d" % n, "w")
        assert seen["n%d" % n, "v-p%d" % n] == ("/proc/%d/ns/net" % processes[n], "w")
        assert seen["n%d" % n, "v-d%d" % n] is None


def _refuse() -> None:
    raise OSError(28, "No space left on device")


def _seen(names: t.Sequence[str]) -> t.Dict[t.Tuple[str, str], t.Any]:
    with contextlib.closing(WholeHost(20, Records("/run/topologies"))) as host:
        document = {**chain(0), "namespaces": [{"name": name} for name in names]}
        state = host.observe(host.locate(wanted(document)))
        return {ref: link.peer and tuple(link.peer) for ref, link in state.links.items()}


def _sleeper(netns: str) -> int:
    """A process in a namespace."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.setsid()
        fd = os.open("/run/netns/" + netns, os.O_RDONLY)
        Descriptors.enter(fd)
        os.write(writer, b"x")
        time.sleep(600)
        os._exit(0)
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    return pid
