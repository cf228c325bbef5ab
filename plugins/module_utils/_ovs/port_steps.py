# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Steps that change ports of Open vSwitch."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    BRIDGE,
    DEFAULTS,
    INTERFACE,
    PORT,
    Interface,
    Port,
    Switch,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep, Words, assign, quote, symbol_of

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Bridge

# Makes ovs-vswitchd compare its bridges with the unchanged configuration.
RECONFIGURE = json.dumps(
    ["Open_vSwitch", {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]]}]
)


@dataclasses.dataclass(eq=False, repr=False)
class PortAdd(OvsStep):
    """Add a port to a bridge that is not a fake bridge; with several interfaces it is a bond."""

    database: str
    bridge: str
    name: str
    interfaces: t.Tuple[str, ...]

    def makes_links(self) -> bool:
        return False

    def takes(self) -> t.Collection[str]:
        return self.interfaces

    def describe(self) -> str:
        return "adding port '%s' to OVS bridge '%s'" % (self.name, self.bridge)

    def words(self) -> t.List[Words]:
        if self.interfaces == (self.name,):
            return [["add-port", self.bridge, self.name]]
        if len(self.interfaces) > 1:
            return [["add-bond", self.bridge, self.name, *self.interfaces]]
        # No command creates a port whose only interface has another name, which other software may have done.
        port, interface = symbol_of(self.name) + "_port", symbol_of(self.name) + "_interface"
        return [
            ["--id=" + interface, "create", INTERFACE, "name=" + quote(self.interfaces[0])],
            ["--id=" + port, "create", PORT, "name=" + quote(self.name), "interfaces=" + interface],
            ["add", BRIDGE, self.bridge, "ports", port],
        ]

    def change(self, switch: Switch) -> None:
        switch.ports[self.name] = Port(self.name, self.bridge, DEFAULTS[PORT], self.interfaces)
        for interface in self.interfaces:
            switch.interfaces[interface] = Interface(interface, DEFAULTS[INTERFACE])

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [PortDel(self.database, self.name)]


@dataclasses.dataclass(eq=False, repr=False)
class PortDel(OvsStep):
    """Remove a port and its interfaces, from any bridge."""

    database: str
    name: str

    deletes = True

    def describe(self) -> str:
        return "removing OVS port '%s'" % self.name

    def words(self) -> t.List[Words]:
        return [["del-port", self.name]]

    def change(self, switch: Switch) -> None:
        drop_port(switch, self.name)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return restore_port(self.database, before, self.name)


@dataclasses.dataclass(eq=False, repr=False)
class LinkAgain(OvsStep):
    """Make OVS create the link of an internal interface again that was deleted with its namespace. Rows are unchanged."""

    database: str
    name: str
    userspace: bool  # whether its bridge has datapath_type netdev

    @property
    def batch(self) -> t.Hashable:  # type: ignore[override]
        return ("ovs links", self.database)

    def describe(self) -> str:
        return "making the lost link of OVS interface '%s' again" % self.name

    def words(self) -> t.List[Words]:
        return []

    def together(self, batch: t.Sequence[OvsStep]) -> t.List[Argv]:
        """Remove what is left of the link from the datapath if necessary; then OVS compares it with the configuration."""
        gone = [self.removal(step.name) for step in batch if isinstance(step, LinkAgain) and step.userspace]
        transact = ["ovsdb-client", "transact", *([self.database] if self.database else []), RECONFIGURE]
        return [*gone, transact]

    @staticmethod
    def removal(name: str, *options: str) -> Argv:
        return ["ovs-appctl", *options, "dpctl/del-if", "netdev@ovs-netdev", name]

    def remakes(self, switch: Switch) -> t.Set[str]:
        return {self.name}

    def change(self, switch: Switch) -> None:
        switch.interfaces[self.name] = switch.interfaces[self.name]._replace(lost=False)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return []


@dataclasses.dataclass(eq=False, repr=False)
class PortMove(OvsStep):
    """Move a port to another bridge; neither is a fake bridge. Its rows stay the same."""

    database: str
    name: str
    old: str
    new: str

    def makes_links(self) -> bool:
        return False

    def describe(self) -> str:
        return "moving port '%s' from OVS bridge '%s' to '%s'" % (self.name, self.old, self.new)

    def words(self) -> t.List[Words]:
        symbol = symbol_of(self.name)
        return [
            ["--id=" + symbol, "get", PORT, self.name],
            ["remove", BRIDGE, self.old, "ports", symbol],
            ["add", BRIDGE, self.new, "ports", symbol],
        ]

    def change(self, switch: Switch) -> None:
        switch.ports[self.name] = switch.ports[self.name]._replace(real=self.new)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [PortMove(self.database, self.name, self.new, self.old)]


@dataclasses.dataclass(eq=False, repr=False)
class MemberAdd(OvsStep):
    """Add an interface to a bond."""

    database: str
    bond: str
    interface: str

    def makes_links(self) -> bool:
        return False

    def takes(self) -> t.Collection[str]:
        return (self.interface,)

    def describe(self) -> str:
        return "adding interface '%s' to OVS bond '%s'" % (self.interface, self.bond)

    def words(self) -> t.List[Words]:
        return [["add-bond-iface", self.bond, self.interface]]

    def change(self, switch: Switch) -> None:
        bond = switch.ports[self.bond]
        members = tuple(sorted({*bond.interfaces, self.interface}))
        switch.ports[self.bond] = bond._replace(interfaces=members)
        switch.interfaces[self.interface] = Interface(self.interface, DEFAULTS[INTERFACE])

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [MemberDel(self.database, self.bond, self.interface)]


@dataclasses.dataclass(eq=False, repr=False)
class MemberDel(OvsStep):
    """Remove an interface from a bond."""

    database: str
    bond: str
    interface: str

    def describe(self) -> str:
        return "taking interface '%s' from OVS bond '%s'" % (self.interface, self.bond)

    def words(self) -> t.List[Words]:
        return [["del-bond-iface", self.bond, self.interface]]

    def change(self, switch: Switch) -> None:
        bond = switch.ports[self.bond]
        left = tuple(member for member in bond.interfaces if member != self.interface)
        switch.ports[self.bond] = bond._replace(interfaces=left)
        del switch.interfaces[self.interface]

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        had = before.interfaces[self.interface].values
        return [
            MemberAdd(self.database, self.bond, self.interface),
            *assign(self.database, INTERFACE, self.interface, DEFAULTS[INTERFACE], had),
        ]


def drop_port(switch: Switch, name: str) -> None:
    for interface in switch.ports.pop(name).interfaces:
        switch.interfaces.pop(interface, None)


def restore_port(database: str, before: Switch, name: str) -> t.List[OvsStep]:
    port = before.ports[name]
    return [
        PortAdd(database, port.real, name, port.interfaces),
        *restore_values(database, before, name, None),
    ]


def restore_values(database: str, before: Switch, name: str, own_of: t.Optional[Bridge]) -> t.List[OvsStep]:
    """Steps that restore the values of a port that was created again, including those of its interfaces."""
    port = before.ports[name]
    born = {**DEFAULTS[PORT], "tag": own_of.vlan if own_of and own_of.parent else None}
    steps = assign(database, PORT, name, born, port.values)
    for interface in port.interfaces:
        had = before.interfaces[interface].values
        new = {**DEFAULTS[INTERFACE], **({"type": "internal"} if own_of else {})}
        steps += assign(database, INTERFACE, interface, new, had)
    return steps
