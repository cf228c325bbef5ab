# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Throwaway Open vSwitches in the worlds of ``setup_virtnet``, and what ovs-vsctl tells of them."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from pathlib import Path

from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World

FOLDER = "/run/openvswitch"  # where OVS's tools look by themselves
DATAPATH = os.environ.get("VIRTNET_OVS_DATAPATH", "netdev")
_SCRIPT = str(Path(__file__).with_name("ovs.sh"))

# What OVS is configured with, apart from what rows refer to.
_COLUMNS = {
    "Bridge": "name ports controller datapath_type fail_mode flood_vlans protocols stp_enable rstp_enable "
    "mcast_snooping_enable external_ids other_config",
    "Port": "name interfaces fake_bridge tag trunks vlan_mode protected cvlans bond_mode lacp mac qos external_ids other_config",
    "Interface": "name type options mac mtu_request ofport_request bfd external_ids other_config",
    "Controller": "target max_backoff inactivity_probe connection_mode",
}


@contextlib.contextmanager
def switch(world: World) -> t.Iterator[None]:
    """An Open vSwitch in a world, for a while."""
    world.run("bash", _SCRIPT, "start", FOLDER)
    try:
        yield
    finally:
        world.run("bash", _SCRIPT, "stop", FOLDER)


def restart(world: World) -> None:
    """Start those daemons again that aren't running."""
    world.run("bash", _SCRIPT, "start", FOLDER)


def rows(world: World) -> t.Dict[str, t.List[t.Any]]:
    """All that an Open vSwitch is configured with, by table; what a row refers to is told by its name."""
    words = ["ovs-vsctl", "--format=json"]
    for table, columns in _COLUMNS.items():
        words += ["--", "--columns=_uuid," + columns.replace(" ", ","), "list", table]
    tables: t.Dict[str, t.List[t.Dict[str, t.Any]]] = {}
    for table, line in zip(_COLUMNS, world.run(*words).strip().split("\n")):
        told = json.loads(line)
        tables[table] = [dict(zip(told["headings"], row)) for row in told["data"]]
    names = {row["_uuid"][1]: row.get("name", row.get("target")) for found in tables.values() for row in found}
    return {
        table: sorted(
            ({key: _told(value, names) for key, value in row.items() if key != "_uuid"} for row in found),
            key=lambda row: json.dumps(row, sort_keys=True),
        )
        for table, found in tables.items()
    }


def _told(value: t.Any, names: t.Dict[str, t.Any]) -> t.Any:
    if not isinstance(value, list):
        return "system" if value == "" else value  # of a type, the empty one means this one
    kind, content = value
    if kind == "map":
        return dict(content)
    return names[content] if kind == "uuid" else sorted((_told(item, names) for item in content), key=str)
