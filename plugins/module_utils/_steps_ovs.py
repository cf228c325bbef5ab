# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The steps that change Open vSwitch. All of a plan's steps for one database are one transaction of ovs-vsctl."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import (
    ALIASES,
    BRIDGE,
    COLUMNS,
    DEFAULTS,
    FAKE_PREFIX,
    INTERFACE,
    MAP,
    PORT,
    Bridge,
    Interface,
    Port,
    Switch,
    Values,
)
from ansible_collections.virtnet.linux.plugins.module_utils._plan import Step

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._model import State

Words = t.List[str]


class OvsStep(Step):
    """What all of them have: the database that they change, empty for the usual one."""

    database: str

    @property
    def batch(self) -> t.Hashable:  # type: ignore[override]
        return ("ovs", self.database)

    def words(self) -> t.List[Words]:
        """What it is in the words of ovs-vsctl, as the commands between two ``--``."""
        raise NotImplementedError

    def commands(self) -> t.List[Argv]:
        return self.together([self])

    def together(self, batch: t.Sequence[OvsStep]) -> t.List[Argv]:
        return [vsctl(self.database, batch)]

    def simulate(self, state: State) -> None:
        switch = state.ovs[self.database]
        if not self.makes_links():
            self.change(switch)
            state.seized(self.takes())
            return
        before, had = switch.internal(), set(switch.interfaces)
        self.change(switch)
        after = switch.internal()
        state.devices(before - after, after - before)
        state.seized(had ^ switch.interfaces.keys())

    def takes(self) -> t.Collection[str]:
        """The names of the links that OVS takes with it, where none come or go."""
        return ()

    def makes_links(self) -> bool:
        """Whether links may come or go with it."""
        return True

    def change(self, switch: Switch) -> None:
        """Change ``switch`` as OVS would be changed."""
        raise NotImplementedError

    def inverse(self, before: State) -> t.List[Step]:
        return [*self.back(before.ovs[self.database])]

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        """The steps that take it back, given what was there before."""
        raise NotImplementedError


def vsctl(database: str, batch: t.Iterable[OvsStep], *options: str) -> Argv:
    """The one ovs-vsctl command that runs steps as a transaction."""
    commands: t.List[Words] = []
    for words in (words for step in batch for words in step.words()):
        if words[0] in ("set", "clear") and commands and commands[-1][:3] == words[:3]:
            commands[-1] += words[3:]
        else:
            commands.append(words)
    argv = ["ovs-vsctl", *(["--db=" + database] if database else []), *options]
    # An option of a command, such as --id, has to come behind a "--".
    for words in commands:
        argv += ["--", *words] if words is not commands[0] or words[0].startswith("--") else words
    return argv


@dataclasses.dataclass(eq=False, repr=False)
class BridgeAdd(OvsStep):
    """Make a bridge; with a ``parent``, a fake one for a VLAN of it."""

    database: str
    name: str
    parent: str = ""
    vlan: int = 0

    def describe(self) -> str:
        return "creating OVS bridge '%s'" % self.name

    def words(self) -> t.List[Words]:
        return [["add-br", self.name, *([self.parent, str(self.vlan)] if self.parent else [])]]

    def change(self, switch: Switch) -> None:
        real = self.parent or self.name
        values = DEFAULTS[BRIDGE] if not self.parent else {"external_ids": {}}
        switch.bridges[self.name] = Bridge(self.name, values, parent=self.parent, vlan=self.vlan)
        own = {**DEFAULTS[PORT], "tag": self.vlan if self.parent else None}
        switch.ports[self.name] = Port(self.name, real, own, (self.name,))
        switch.interfaces[self.name] = Interface(self.name, {**DEFAULTS[INTERFACE], "type": "internal"})

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [BridgeDel(self.database, self.name)]


@dataclasses.dataclass(eq=False, repr=False)
class BridgeDel(OvsStep):
    """Delete a bridge, its ports, and the fake bridges upon it."""

    database: str
    name: str

    def describe(self) -> str:
        return "deleting OVS bridge '%s'" % self.name

    def words(self) -> t.List[Words]:
        return [["del-br", self.name]]

    def change(self, switch: Switch) -> None:
        for name in self._ports(switch):
            _drop_port(switch, name)
        for fake in self._fakes(switch):
            del switch.bridges[fake.name]
        del switch.bridges[self.name]

    def _fakes(self, switch: Switch) -> t.List[Bridge]:
        return [bridge for bridge in switch.bridges.values() if bridge.parent == self.name]

    def _ports(self, switch: Switch) -> t.List[str]:
        """All the ports that go, its own one first."""
        bridge = switch.bridges[self.name]
        if bridge.parent:
            return [self.name, *switch.ports_of(bridge)]
        others = [name for name, port in switch.ports.items() if port.real == self.name and name != self.name]
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
                steps += _restore_port(self.database, before, name)
            else:
                steps += _restore_values(self.database, before, name, before.bridges[name])
        return steps


def _drop_port(switch: Switch, name: str) -> None:
    for interface in switch.ports.pop(name).interfaces:
        switch.interfaces.pop(interface, None)


def _restore_port(database: str, before: Switch, name: str) -> t.List[OvsStep]:
    port = before.ports[name]
    return [
        PortAdd(database, port.real, name, port.interfaces),
        *_restore_values(database, before, name, None),
    ]


def _restore_values(database: str, before: Switch, name: str, own_of: t.Optional[Bridge]) -> t.List[OvsStep]:
    """What gives a port that was just made, its interfaces included, the values that it had."""
    port = before.ports[name]
    born = {**DEFAULTS[PORT], "tag": own_of.vlan if own_of and own_of.parent else None}
    steps = assign(database, PORT, name, born, port.values)
    for interface in port.interfaces:
        had = before.interfaces[interface].values
        new = {**DEFAULTS[INTERFACE], **({"type": "internal"} if own_of else {})}
        steps += assign(database, INTERFACE, interface, new, had)
    return steps


@dataclasses.dataclass(eq=False, repr=False)
class PortAdd(OvsStep):
    """Add a port to a bridge that is no fake bridge; with several interfaces it is a bond."""

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
        return [["add-bond", self.bridge, self.name, *self.interfaces]]

    def change(self, switch: Switch) -> None:
        switch.ports[self.name] = Port(self.name, self.bridge, DEFAULTS[PORT], self.interfaces)
        for interface in self.interfaces:
            switch.interfaces[interface] = Interface(interface, DEFAULTS[INTERFACE])

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [PortDel(self.database, self.name)]


@dataclasses.dataclass(eq=False, repr=False)
class PortDel(OvsStep):
    """Remove a port, of whatever bridge, with its interfaces."""

    database: str
    name: str

    def describe(self) -> str:
        return "removing OVS port '%s'" % self.name

    def words(self) -> t.List[Words]:
        return [["del-port", self.name]]

    def change(self, switch: Switch) -> None:
        _drop_port(switch, self.name)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return _restore_port(self.database, before, self.name)


@dataclasses.dataclass(eq=False, repr=False)
class PortMove(OvsStep):
    """Take a port from one bridge to another one, neither of them a fake bridge. It stays the same port."""

    database: str
    name: str
    old: str
    new: str

    def makes_links(self) -> bool:
        return False

    def describe(self) -> str:
        return "moving port '%s' from OVS bridge '%s' to '%s'" % (self.name, self.old, self.new)

    def words(self) -> t.List[Words]:
        symbol = _symbol(self.name)
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
    """Take an interface from a bond."""

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


@dataclasses.dataclass(eq=False, repr=False)
class ControllersSet(OvsStep):
    """Change the controllers of a bridge; those that stay keep all that they have.

    ``rows`` are the UUIDs of those that go.
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
            symbol = "%s_%d" % (_symbol(self.bridge), number)
            words.append(["--id=" + symbol, "create", "Controller", "target=" + quote(target)])
            words.append(["add", BRIDGE, self.bridge, "controller", symbol])
        return words

    def change(self, switch: Switch) -> None:
        switch.bridges[self.bridge] = switch.bridges[self.bridge]._replace(controllers=self.new)

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        # The rows of those that are new aren't known any more; the others are made again.
        return [
            ControllersSet(self.database, self.bridge, (), ()),
            *([ControllersSet(self.database, self.bridge, (), self.old)] if self.old else []),
        ]


@dataclasses.dataclass(eq=False, repr=False)
class ColumnSet(OvsStep):
    """Give a column of a row another value. Of a map only the keys that differ are touched."""

    database: str
    table: str
    record: str
    column: str
    old: t.Any
    new: t.Any

    def makes_links(self) -> bool:
        return (self.table, self.column) == (INTERFACE, "type")

    def describe(self) -> str:
        value = json.dumps(self.new, ensure_ascii=False) if self.new not in (None, (), {}) else "nothing"
        return "setting %s of OVS %s '%s' to %s" % (self.column, self.table.lower(), self.record, value)

    def words(self) -> t.List[Words]:
        where = [self.table, self.record]
        if self.new in (None, (), {}):
            return [["clear", *where, self.column]]
        if COLUMNS[self.table][self.column][0] != MAP:
            return [["set", *where, "%s=%s" % (self.column, _spell(self.new))]]
        gone = [quote(key) for key in self.old if key not in self.new]
        changed = [
            "%s:%s=%s" % (self.column, quote(key), quote(value))
            for key, value in self.new.items()
            if self.old.get(key) != value
        ]
        return [
            *([["remove", *where, self.column, *gone]] if gone else []),
            *([["set", *where, *changed]] if changed else []),
        ]

    def change(self, switch: Switch) -> None:
        tables: t.Dict[str, t.Dict[str, t.Any]] = {
            BRIDGE: switch.bridges,
            PORT: switch.ports,
            INTERFACE: switch.interfaces,
        }
        rows = tables[self.table]
        row = rows[self.record]
        rows[self.record] = row._replace(values={**row.values, self.column: self.new})
        fake = switch.bridges.get(self.record)
        if self.table == PORT and fake and fake.parent and self.column == "external_ids":
            switch.bridges[self.record] = fake._replace(values={"external_ids": fake_ids(self.new)})

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [dataclasses.replace(self, old=self.new, new=self.old)]


def fake_ids(ids: Values) -> Values:
    """The external ids of a fake bridge, out of those of its port."""
    return {key[len(FAKE_PREFIX) :]: value for key, value in ids.items() if key.startswith(FAKE_PREFIX)}


def assign(database: str, table: str, record: str, old: Values, new: Values) -> t.List[OvsStep]:
    """The steps that give a row those of some new values that differ from the old ones."""
    return [
        ColumnSet(database, table, record, column, old[column], value)
        for column, value in new.items()
        if not same(column, old[column], value)
    ]


def same(column: str, one: t.Any, other: t.Any) -> bool:
    """Whether two values of a column mean the same to OVS."""
    if column == "mac" and one and other:
        return bool(one.lower() == other.lower())
    return bool(one == other or (column in ALIASES and (one or ALIASES[column]) == (other or ALIASES[column])))


def _spell(value: t.Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_spell, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(value) if isinstance(value, str) else str(value)


def quote(text: str) -> str:
    """A string as ovs-vsctl reads it; what could be anything else is between double quotes, as in JSON."""
    return text if re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*", text) else json.dumps(text, ensure_ascii=False)


def _symbol(name: str) -> str:
    """The word for a row within one transaction, another one for each name."""
    return "@" + re.sub(r"[^A-Za-z0-9.-]", lambda found: "_%x_" % ord(found.group()), name)
