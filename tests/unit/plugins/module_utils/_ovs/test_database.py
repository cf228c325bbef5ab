# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import NotApplied
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import SOME, Ovs
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import wish

Row = t.Dict[str, t.Any]


class Told(Ovs):
    """An Open vSwitch whose database is here; notes the names that are asked for, None for all of a table."""

    def __init__(self, ports: t.Iterable[str], writes: t.Callable[[Told], None]) -> None:
        super().__init__(timeout=9)
        self.writes = writes
        self.asked: t.List[t.Tuple[str, t.Optional[str]]] = []
        self.ids: t.Dict[str, str] = {}
        self.ports: t.Dict[str, Row] = {}
        for name in ("br0", *ports):
            self.add(name)

    def add(self, name: str, **values: t.Any) -> None:
        self.ports[name] = {"name": name, "uuid": str(len(self.ports)), "type": "internal", "ofport": 1, **values}

    def tables(self) -> t.Dict[str, t.List[Row]]:
        ports = self.ports.values()
        mine = ["set", [["uuid", port["uuid"]] for port in ports]]
        return {
            "Open_vSwitch": [{"iface_types": ["set", ["internal"]]}],
            "Bridge": [
                {
                    "_uuid": ["uuid", "b"],
                    "name": "br0",
                    "ports": mine,
                    "controller": ["set", []],
                    "external_ids": ["map", [*map(list, self.ids.items())]],
                }
            ],
            "Port": [
                {
                    "_uuid": ["uuid", port["uuid"]],
                    "name": port["name"],
                    "interfaces": ["uuid", "i" + port["uuid"]],
                    "fake_bridge": False,
                    "tag": port.get("tag", ["set", []]),
                }
                for port in ports
            ],
            "Interface": [
                {
                    "_uuid": ["uuid", "i" + port["uuid"]],
                    "name": port["name"],
                    "ofport": port["ofport"],
                    "error": ["set", []],
                    "type": port["type"],
                }
                for port in ports
            ],
            "Controller": [],
        }

    def _tool(self, argv: t.Sequence[str], database: str) -> str:
        if "--format=json" in argv:
            return "\n".join(
                json.dumps({"headings": list(rows[0]) if rows else [], "data": [list(row.values()) for row in rows]})
                for rows in self.tables().values()
            )
        if argv[0] == "ovs-vsctl":
            self.writes(self)
            return ""
        _schema, *operations = json.loads(argv[-1])
        return json.dumps([{"rows": self.answer(operation)} for operation in operations])

    def answer(self, operation: Row) -> t.List[Row]:
        name = operation["where"][0][2] if operation["where"] else None
        if operation["table"] in ("Port", "Interface"):
            self.asked.append((operation["table"], name))
        return [row for row in self.tables()[operation["table"]] if name in (None, row.get("name"))]


def tag(host: Told) -> None:
    host.ports["p"]["tag"] = 7


def tag_and_more(host: Told) -> None:
    tag(host)
    host.add("z")


PORT = wish(port={"bridge": "br0", "name": "p", "state": "present", "tag": "7"})
BRIDGE = wish(bridge={"name": "br0", "state": "present", "external_ids": {"k": "v"}})
WHOLE = [("Port", None), ("Interface", None)]


def nothing(_host: Told) -> None:
    """It isn't taken up."""


def mark(host: Told) -> None:
    host.ids = {"k": "v"}


def test_only_what_was_touched_is_read_again() -> None:
    host = Told(["p", "q"], tag)
    now = converge(host, PLANNING, PORT, check=False).now.ovs[""]
    assert host.asked == [("Port", "p"), ("Interface", "p")]
    assert now.ports["p"].values["tag"] == 7
    assert now == host.look("")


def test_what_does_not_fit_together_is_read_whole() -> None:
    host = Told(["p", "q"], tag_and_more)
    now = converge(host, PLANNING, PORT, check=False).now.ovs[""]
    assert host.asked == [("Port", "p"), ("Interface", "p"), *WHOLE]
    assert "z" in now.ports


def test_with_a_bridge_all_its_ports_are_read() -> None:
    host = Told(["p", "q"], mark)
    converge(host, PLANNING, BRIDGE, check=False)
    assert sorted(host.asked) == [(table, name) for table in ("Interface", "Port") for name in ("br0", "p", "q")]


def test_many_are_read_whole() -> None:
    host = Told(map(str, range(SOME)), mark)
    converge(host, PLANNING, BRIDGE, check=False)
    assert host.asked == WHOLE


def test_after_a_failure_all_is_read() -> None:
    host = Told(["p", "q"], nothing)
    with pytest.raises(NotApplied, match="they are not in effect: setting tag of OVS port 'p' to 7"):
        converge(host, PLANNING, PORT, check=False)
    assert host.asked == [("Port", "p"), ("Interface", "p"), *WHOLE, *WHOLE]
