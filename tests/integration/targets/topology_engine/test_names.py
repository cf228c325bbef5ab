# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names are bytes to the kernel: a topology with names that are not ASCII, on a host with some that are not even UTF-8.

Run as a program, it does what the test looks at, so that Python starts with the locale of the test.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options, write_topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import alone

Document = t.Dict[str, t.Any]

# What others have on the host
FOREIGN: t.List[t.List[bytes]] = [
    [b"ip", b"tuntap", b"add", b"\xff\xfe", b"mode", b"tap"],
    [b"ip", b"link", b"set", b"\xff\xfe", b"alias", b"a\xffb"],
    [b"ip", b"link", b"add", b"br\xff", b"type", b"bridge"],
    [b"ip", b"link", b"set", b"\xff\xfe", b"master", b"br\xff"],
    [b"ip", b"netns", b"add", b"n\xff"],
]
DOCUMENT: Document = {
    "name": "größe",
    "persist": True,
    "namespaces": [{"name": "ü"}],
    "links": [
        {
            "kind": "veth", "name": "ü0", "netns": "ü", "alias": "naïve", "state": "up", "addresses": ["192.0.2.1/24"],
            "routes": [{"to": "198.51.100.0/24", "via": "192.0.2.9"}], "peer": {"name": "üp", "master": "übr"},
        },
        {"kind": "linux_bridge", "name": "übr", "forward_delay": 4, "ports": ["üt"], "state": "up"},
        {"kind": "linux_bridge_port", "name": "üp", "bridge": "übr", "hairpin": True},
        {"kind": "tuntap", "name": "üt", "mode": "tap", "owner": "nobody"},
        {"kind": "tuntap", "name": "ütü", "mode": "tap", "alias": "\udcff is no UTF-8"},
        # 15 bytes
        {"kind": "macvlan", "name": "中" * 5, "parent": "ütü"},
    ],
}  # fmt: skip
LOCALES: t.List[t.Dict[str, str]] = [
    {"LC_ALL": "C.UTF-8"},
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


def run(document: Document) -> Outcome:
    complete, wrong = topology.validate(topology_options(), document)
    assert not wrong
    with contextlib.closing(WholeHost(10, Records("/run/virtnet/topologies"))) as host:
        return converge(host, PLANNING, topology.read(complete), False)


def live() -> None:
    for words in FOREIGN:
        subprocess.run(words, check=True)
    before = links()
    made = run(DOCUMENT)
    assert made.plan.steps
    assert not run(DOCUMENT).plan.steps
    complete, _wrong = topology.validate(topology_options(), DOCUMENT)
    result = topology.result(complete, write_topology(made.now, made.wanted, made.plan))
    assert not run(json.loads(json.dumps(result))).plan.steps
    assert {"übr", "üp", "üt", "中" * 5} == links() - before - {"ütü"}
    assert links("ü") == {"lo", "ü0"}
    assert sorted(os.listdir(b"/run/netns")) == [b"n\xff", "ü".encode()]
    told = topology.look(None, "", 5)
    assert {"br\udcff", "\udcff\udcfe", "übr"} <= {link["name"] for link in (*told["links"], *told["other_links"])}
    assert {"n\udcff", "ü"} == {netns["name"] for netns in told["namespaces"]}
    assert sorted(os.listdir(b"/run/virtnet/topologies")) == ["größe.document".encode(), "größe.json".encode()]
    run({"name": "größe", "state": "absent"})
    assert links() == before
    assert os.listdir(b"/run/netns") == [b"n\xff"]
    assert os.listdir(b"/run/virtnet/topologies") == []


def links(netns: str = "") -> t.Set[str]:
    words = [b"ip", *([b"-n", netns.encode()] if netns else []), b"-o", b"link"]
    told = subprocess.run(words, capture_output=True, check=True).stdout.decode("utf-8", "surrogateescape")
    return {line.split(":")[1].split("@")[0].strip() for line in told.splitlines()}


@pytest.mark.parametrize("locale", LOCALES)
def test_names_that_are_not_ascii(locale: t.Dict[str, str]) -> None:
    def inside() -> t.List[t.Any]:
        env = {**os.environ, **locale}
        done = subprocess.run([sys.executable, __file__], env=env, capture_output=True, check=False)
        return [done.returncode, done.stderr.decode("utf-8", "backslashreplace")]

    assert alone(inside) == [0, ""]


if __name__ == "__main__":
    live()
