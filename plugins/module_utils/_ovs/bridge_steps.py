# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Steps that change bridges of Open vSwitch."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    BRIDGE,
    DEFAULTS,
    PORT,
    Bridge,
    Switch,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_steps import (
    drop_port,
    restore_port,
    restore_values,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep, Words, assign, quote, symbol_of


@dataclasses.dataclass(eq=False, repr=False)
class BridgeAdd(OvsStep):
    """Create a bridge; with a ``parent``, a fake bridge for a VLAN of it."""

    database: str
    name: str
    parent: str = ""
    vlan: int = 0

    def describe(self) -> str:
        return "creating OVS bridge '%s'" % self.name

    def words(self) -> t.List[Words]:
        return [["add-br", self.name, *([self.parent, str(self.vlan)] if self.parent else [])]]

    def change(self, switch: Switch) -> None:
        switch.add_bridge(self.name, self.parent, self.vlan)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        if self.parent:
            return [FakeBridgeDrop(self.database, self.name, self.parent, self.vlan)]
        return [BridgeDel(self.database, self.name)]


@dataclasses.dataclass(eq=False, repr=False)
class FakeBridgeDrop(OvsStep):
    """Delete a fake bridge but not its ports. ovs-vsctl del-br would delete ports with its tag that existed before it."""

    database: str
    name: str
    parent: str
    vlan: int

    deletes = True

    def describe(self) -> str:
        return "deleting OVS bridge '%s' without its ports" % self.name

    def words(self) -> t.List[Words]:
        symbol = symbol_of(self.name)
        return [["--id=" + symbol, "get", PORT, self.name], ["remove", BRIDGE, self.parent, "ports", symbol]]

    def change(self, switch: Switch) -> None:
        drop_port(switch, self.name)
        del switch.bridges[self.name]

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        added = BridgeAdd(self.database, self.name, self.parent, self.vlan)
        return [added, *restore_values(self.database, before, self.name, before.bridges[self.name])]


@dataclasses.dataclass(eq=False, repr=False)
class BridgeDel(OvsStep):
    """Delete a bridge, its ports, and its fake bridges."""

    database: str
    name: str

    deletes = True

    def describe(self) -> str:
        return "deleting OVS bridge '%s'" % self.name

    def words(self) -> t.List[Words]:
        return [["del-br", self.name]]

    def change(self, switch: Switch) -> None:
        for name in self._ports(switch):
            drop_port(switch, name)
        for fake in self._fakes(switch):
            del switch.bridges[fake.name]
        del switch.bridges[self.name]

    def _fakes(self, switch: Switch) -> t.List[Bridge]:
        return switch.fakes(self.name)

    def _ports(self, switch: Switch) -> t.List[str]:
        """All ports that are deleted, the local port first."""
        bridge = switch.bridges[self.name]
        if bridge.parent:
            return [self.name, *switch.ports_of(bridge)]
        others = [port.name for port in switch.ports_with("real", self.name) if port.name != self.name]
        return [self.name, *others]

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        steps: t.List[OvsStep] = []
        for bridge in (before.bridges[self.name], *self._fakes(before)):
            steps.append(BridgeAdd(self.database, bridge.name, bridge.parent, bridge.vlan))
            if not bridge.parent:
                steps += assign(self.database, BRIDGE, bridge.name, DEFAULTS[BRIDGE], bridge.values)
                if bridge.controllers:
                    steps.append(ControllersSet(self.database, bridge.name, (), bridge.controllers))
        for name in self._ports(before):
            if name not in before.bridges:
                steps += restore_port(self.database, before, name)
            else:
                steps += restore_values(self.database, before, name, before.bridges[name])
        return steps


@dataclasses.dataclass(eq=False, repr=False)
class ControllersSet(OvsStep):
    """Change the controllers of a bridge. Controllers that stay keep their settings.

    ``rows`` are the UUIDs of the removed ones.
    """

    database: str
    bridge: str
    old: t.Tuple[str, ...]
    new: t.Tuple[str, ...]
    rows: t.Tuple[str, ...] = ()

    def makes_links(self) -> bool:
        return False

    def describe(self) -> str:
        return "setting the controllers of OVS bridge '%s' to %s" % (self.bridge, ", ".join(self.new) or "none")

    def words(self) -> t.List[Words]:
        if not self.new:
            return [["del-controller", self.bridge]]
        if not set(self.old) & set(self.new):
            return [["set-controller", self.bridge, *self.new]]
        words = [["remove", BRIDGE, self.bridge, "controller", row] for row in self.rows]
        for number, target in enumerate(target for target in self.new if target not in self.old):
            symbol = "%s_%d" % (symbol_of(self.bridge), number)
            words.append(["--id=" + symbol, "create", "Controller", "target=" + quote(target)])
            words.append(["add", BRIDGE, self.bridge, "controller", symbol])
        return words

    def change(self, switch: Switch) -> None:
        switch.bridges[self.bridge] = switch.bridges[self.bridge]._replace(controllers=self.new)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        # The rows of new controllers are unknown here; the removed ones are created again.
        return [
            ControllersSet(self.database, self.bridge, (), ()),
            *([ControllersSet(self.database, self.bridge, (), self.old)] if self.old else []),
        ]
