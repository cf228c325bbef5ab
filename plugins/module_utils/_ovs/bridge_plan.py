# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan bridges of Open vSwitch and their ports: (observed, wanted) → Plan. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Draft, Plan, Planning
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_steps as bridges
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import port_steps as ports
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import steps
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    BRIDGE,
    FAKE_PREFIX,
    PORT,
    Bridge,
    WantedBridge,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_plan import (
    OvsPortPlanner,
    check_free,
    differences,
    make_repair,
    merge_map,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted


def make_plan(state: State, wanted: Wanted) -> Plan:
    """The plan that gives a host in ``state`` the ``wanted`` OVS bridges and ports.

    Raises BadInput or Conflict if that is impossible.
    """
    draft = Draft(state)
    planner = OvsPlanner(draft)
    planner.ovs(wanted)
    planner.delete()
    planner.check_numbers(wanted)
    return draft.plan()


class OvsPlanner(OvsPortPlanner):
    """Plans steps for bridges and ports of Open vSwitch."""

    def _ovs_bridges(self, wanted: t.Sequence[WantedBridge]) -> None:
        # A fake bridge requires its parent.
        for bridge in sorted(wanted, key=lambda bridge: bool(bridge.parent)):
            if bridge.present:
                self._bridge(bridge)
            else:
                self._absent_bridge(bridge)

    def _bridge(self, wanted: WantedBridge) -> None:
        switch = self.state.ovs[wanted.database]
        there = switch.bridges.get(wanted.name)
        if there is None:
            check_free(switch, wanted.name)
            self._check_no_link(switch, wanted.name, "OVS bridge")
            if wanted.parent and wanted.parent not in switch.bridges:
                self._missing_bridge(wanted.database, wanted.parent, "parent", wanted.name)
            if wanted.parent and switch.bridges[wanted.parent].parent:
                raise Conflict(
                    "OVS bridge '%s' can't be the parent of '%s': it is a fake bridge itself."
                    % (wanted.parent, wanted.name)
                )
            self.do(bridges.BridgeAdd(wanted.database, wanted.name, wanted.parent, wanted.vlan))
        elif not there.parent:
            self._warn_datapath(there, wanted)
        there = switch.bridges[wanted.name]
        _check_same_bridge(there, wanted)
        if there.parent:
            self._fake_values(wanted, there)
        else:
            self._assign(wanted, BRIDGE, wanted.name, there.values, wanted.values)
        self._controllers(wanted, there)
        self._bridge_ports(wanted)
        self._check_works(wanted.database, wanted.name)

    def _fake_values(self, wanted: WantedBridge, there: Bridge) -> None:
        asked = wanted.values.get("external_ids")
        if asked is None:
            return
        port = self.state.ovs[wanted.database].ports[wanted.name]
        ids = merge_map(there.values["external_ids"], asked, "external_ids" in wanted.clear)
        others = {key: v for key, v in port.values["external_ids"].items() if not key.startswith(FAKE_PREFIX)}
        new = {**others, **{FAKE_PREFIX + key: value for key, value in ids.items()}}
        for step in steps.assign(wanted.database, PORT, wanted.name, port.values, {"external_ids": new}):
            self.do(step)

    def _warn_datapath(self, there: Bridge, wanted: WantedBridge) -> None:
        asked = wanted.values.get("datapath_type")
        if asked is not None and not steps.same("datapath_type", there.values["datapath_type"], asked):
            self.warnings.append(
                "With another datapath_type OVS makes the internal ports of bridge '%s' anew; their links lose addresses, "
                "state and namespace." % wanted.name
            )

    def _controllers(self, wanted: WantedBridge, there: Bridge) -> None:
        if wanted.controllers is None:
            return
        keep = () if "controllers" in wanted.purge or not wanted.controllers else there.controllers
        new = tuple(sorted({*keep, *wanted.controllers}))
        if new != there.controllers:
            rows = self.state.ovs[wanted.database].controller_rows
            gone = [rows.get((wanted.name, target), "") for target in there.controllers if target not in new]
            self.do(bridges.ControllersSet(wanted.database, wanted.name, there.controllers, new, tuple(gone)))

    def _bridge_ports(self, wanted: WantedBridge) -> None:
        if wanted.ports is None:
            return
        switch = self.state.ovs[wanted.database]
        bridge = switch.bridges[wanted.name]
        listed = set(wanted.ports)
        for name in wanted.ports:
            port = switch.ports.get(name)
            if port is None:
                self._new_port(wanted.database, bridge, name, (name,))
            elif not switch.has_port(bridge, port):
                raise Conflict(
                    "Option ports of OVS bridge '%s': port '%s' is on bridge '%s'; virtnet.linux.ovs_port moves it with "
                    "'move_from: %s'." % (wanted.name, name, switch.bridge_of(port), switch.bridge_of(port))
                )
            self._check_works(wanted.database, name)
        if "ports" in wanted.purge:
            for name in switch.ports_of(bridge):
                if name not in listed:
                    self.last.append(lambda name=name: self.do(ports.PortDel(wanted.database, name)))  # type: ignore[misc]

    def _absent_bridge(self, wanted: WantedBridge) -> None:
        switch = self.state.ovs[wanted.database]
        there = switch.bridges.get(wanted.name)
        if there is None:
            if wanted.name in switch.ports:
                raise Conflict(
                    "'%s' is a port of OVS bridge '%s' and no bridge; it was not deleted."
                    % (wanted.name, switch.bridge_of(switch.ports[wanted.name]))
                )
            return
        _check_same_bridge(there, wanted)
        self.last.append(lambda: self.delete_bridge(wanted.database, wanted.name))

    def drop_port(self, database: str, name: str) -> None:
        if name in self.state.ovs[database].ports:
            self.do(ports.PortDel(database, name))

    def delete_bridge(self, database: str, name: str) -> None:
        if name in self.state.ovs[database].bridges:  # a fake bridge is deleted with its parent
            self.do(bridges.BridgeDel(database, name))


def _check_same_bridge(there: Bridge, wanted: WantedBridge) -> None:
    is_now = "a fake bridge for VLAN %d of '%s'" % (there.vlan, there.parent) if there.parent else "a bridge of its own"
    if wanted.parent and (there.parent, there.vlan) != (wanted.parent, wanted.vlan):
        raise Conflict(
            "OVS bridge '%s' is %s, which can't be changed. No changes were made. Delete it first."
            % (wanted.name, is_now)
        )
    if there.parent and wanted.present and (set(wanted.values) - {"external_ids"} or wanted.controllers):
        raise BadInput(
            "OVS bridge '%s' is %s, and has nothing but external_ids and ports; set %s at its parent."
            % (wanted.name, is_now, ", ".join(sorted(set(wanted.values) - {"external_ids"}) or ["controllers"]))
        )


PLANNING = Planning(make_plan, make_repair, differences)
