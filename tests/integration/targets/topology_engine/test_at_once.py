# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two playbooks at once on one host, with topologies that overlap: one after the other, and nothing is left half."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import typing as t
from pathlib import Path

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import FOLDER, Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import alone
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

ROUNDS = 4


def lab(name: str, number: int = 0, own: str = "") -> Document:
    """A topology with a bridge that others have as well, and things of its own."""
    own = own or name
    pair = {"kind": "veth", "name": own + "0", "master": "br0", "peer": {"name": "eth0", "netns": own}}
    tap = {"kind": "tuntap", "name": "%s-t%d" % (own, number), "mode": "tap"}
    return {"name": name, "namespaces": [{"name": own}], "links": [{"kind": "linux_bridge", "name": "br0"}, pair, tap]}


def made_of(document: Document) -> t.Tuple[t.Set[str], t.Set[str]]:
    """The links and namespaces that a host has with a document."""
    return {"lo", *(link["name"] for link in document["links"])}, {netns["name"] for netns in document["namespaces"]}


def there() -> t.Tuple[t.Set[str], t.Set[str]]:
    told = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout)
    named = set(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else set()
    return {link["ifname"] for link in told}, named


def records_of() -> t.Set[str]:
    return {name for name in os.listdir(FOLDER) if not name.startswith(".")}


def host() -> None:
    """No records but those of this test."""
    os.makedirs("/var/lib/virtnet", exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib/virtnet"], check=True)


def playbook(folder: Path, document: Document) -> t.List[str]:
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"virtnet.linux.topology": document}]}
    path = folder / (document["name"] + ".yml")
    path.write_text(json.dumps([play]))
    return [
        "ansible-playbook",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        "ansible_python_interpreter=" + sys.executable,
        str(path),
    ]


def test_two_playbooks() -> None:
    def inside() -> None:
        host()
        documents = [lab("a"), lab("b")]
        with tempfile.TemporaryDirectory() as folder:
            words = [playbook(Path(folder), document) for document in documents]
            env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
            # Both begin at once.
            plays = [
                subprocess.Popen(one, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
                for one in words
            ]
            told = [play.communicate()[0] for play in plays]
            codes = [play.returncode for play in plays]
            assert sorted(map(bool, codes)) == [False, True], told
            won, lost = documents[codes.index(0)], documents[1 - codes.index(0)]
            said = told[1 - codes.index(0)]
            assert "Link 'br0' belongs to topology '%s'." % won["name"] in said, said
            assert there() == made_of(won)
            assert records_of() == {won["name"] + ".json"}
            # What is left of the other one when it leaves the bridge alone.
            own = {**lost, "links": lost["links"][1:]}
            again = subprocess.run(playbook(Path(folder), own), stdout=subprocess.PIPE, text=True, env=env, check=False)
            assert not again.returncode, again.stdout
            assert there() == tuple(one | other for one, other in zip(made_of(won), made_of(own)))

    alone(inside)


def side_by_side(documents: t.Sequence[Document]) -> t.List[str]:
    """What becomes of tasks that begin at once, each in a process of its own: its error, or nothing."""
    begin, wait = os.pipe()
    readers: t.List[int] = []
    for document in documents:
        reader, writer = os.pipe()
        readers.append(reader)
        if not os.fork():
            error = ""
            try:
                os.close(wait)
                os.read(begin, 1)  # until the parent closes the other end
                with contextlib.closing(WholeHost(10, Records())) as one:
                    converge(one, PLANNING, wanted(document), False)
            except Failure as failure:
                error = str(failure)
            except BaseException as unforeseen:  # noqa: BLE001
                error = repr(unforeseen)
            os.write(writer, error.encode())
            os._exit(0)
        os.close(writer)
    threading.Timer(0.2, os.close, [wait]).start()
    said = []
    for reader in readers:
        with os.fdopen(reader) as pipe:
            said.append(pipe.read())
    for _document in documents:
        os.wait()
    os.close(begin)
    return said


def test_topologies_that_overlap() -> None:
    def inside() -> None:
        host()
        for number in range(ROUNDS):
            documents = [lab("a", number), lab("b", number), lab("c", number)]
            said = side_by_side(documents)
            assert said.count("") == 1, said
            won = documents[said.index("")]
            for error in filter(None, said):
                assert error.startswith("Link 'br0' belongs to topology '%s'." % won["name"]), said
            assert there() == made_of(won)
            assert records_of() == {won["name"] + ".json"}
            assert side_by_side([{**won, "state": "absent"}, {"name": "d", "state": "absent"}]) == ["", ""]
            assert there() == ({"lo"}, set())
            assert records_of() == set()

    alone(inside)


def test_documents_of_one_topology() -> None:
    """The one that comes last has it, as a whole."""

    def inside() -> None:
        host()
        for number in range(ROUNDS):
            documents = [lab("a", number, own) for own in ("red", "blue", "red")]
            assert side_by_side(documents) == ["", "", ""]
            assert there() in [made_of(document) for document in documents]
            assert records_of() == {"a.json"}
            assert side_by_side(documents[:1]) == [""]
            assert there() == made_of(documents[0])

    alone(inside)
