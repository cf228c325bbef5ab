# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What steps that change Open vSwitch have in common. All steps of a plan for one database are one ovs-vsctl transaction."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    ALIASES,
    BRIDGE,
    COLUMNS,
    FAKE_PREFIX,
    INTERFACE,
    MAP,
    PORT,
    Switch,
    Values,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Table
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Interface
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State


Words = t.List[str]


class OvsStep(Step):
    """A step with its database; empty for the default one."""

    database: str

    @property
    def batch(self) -> t.Hashable:  # type: ignore[override]
        return ("ovs", self.database)

    def words(self) -> t.List[Words]:
        """Its commands for ovs-vsctl, without the ``--`` between them."""
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
        interfaces = t.cast("Table[str, Interface]", switch.interfaces)
        interfaces.begin()
        remade = self.remakes(switch)
        self.change(switch)
        changed = interfaces.keep()
        before = {name for name, old in changed.items() if old and old.values["type"] == "internal"}
        after = {name for name in changed if name in interfaces and interfaces[name].values["type"] == "internal"}
        state.devices((before - after) | remade, (after - before) | remade)
        state.seized({name for name, old in changed.items() if (old is None) != (name not in interfaces)})

    def takes(self) -> t.Collection[str]:
        """Names of the links that OVS takes, if no links are created or deleted."""
        return ()

    def makes_links(self) -> bool:
        """Whether it can create or delete links."""
        return True

    def remakes(self, switch: Switch) -> t.Set[str]:
        """Internal interfaces that stay, but whose links OVS creates again."""
        return set()

    def change(self, switch: Switch) -> None:
        """Simulate the step on ``switch``."""
        raise NotImplementedError

    def inverse(self, before: State) -> t.List[Step]:
        return [*self.back(before.ovs[self.database])]

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        """Steps that roll it back, given the Switch before it."""
        raise NotImplementedError


def vsctl(database: str, batch: t.Iterable[OvsStep], *options: str) -> Argv:
    """The ovs-vsctl command that runs steps as one transaction."""
    commands: t.List[Words] = []
    for words in (words for step in batch for words in step.words()):
        if words[0] in ("set", "clear") and commands and commands[-1][:3] == words[:3]:
            commands[-1] += words[3:]
        else:
            commands.append(words)
    argv = ["ovs-vsctl", *(["--db=" + database] if database else []), *options]
    # Options of a command, such as --id, require a preceding "--".
    for words in commands:
        argv += ["--", *words] if words is not commands[0] or words[0].startswith("--") else words
    return argv


# Columns of an interface that set values of its link, and these values.
_LINK_VALUES = {"mac": "mac", "mtu_request": "mtu"}
# Columns whose change makes OVS remove interfaces from the datapath and add them again; links that it creates are then
# new ones.
_REMAKING = ((INTERFACE, "ofport_request"), (BRIDGE, "datapath_type"))


@dataclasses.dataclass(eq=False, repr=False)
class ColumnSet(OvsStep):
    """Set a column of a row. Of a map, only keys that differ are changed."""

    database: str
    table: str
    record: str
    column: str
    old: t.Any
    new: t.Any

    def makes_links(self) -> bool:
        return (self.table, self.column) in _REMAKING or (self.table, self.column) == (INTERFACE, "type")

    def remakes(self, switch: Switch) -> t.Set[str]:
        if (self.table, self.column) not in _REMAKING:
            return set()
        renumbered = self.renumbers(switch) if self.table == INTERFACE else switch.on_bridge(self.record)
        return {interface.name for interface in renumbered} & switch.internal()

    def renumbers(self, switch: Switch) -> t.List[Interface]:
        """Interfaces whose OpenFlow port number changes: the one that requests it, and the one that has it."""
        me = switch.interfaces.get(self.record)
        port = switch.port_with(self.record)
        if self.column != "ofport_request" or not self.new or not me or not port:
            return []
        if me.ofport in (None, self.new):
            return []
        others = switch.on_bridge(port.real)
        return [me, *(other for other in others if other.ofport == self.new and other.name != me.name)]

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

    def simulate(self, state: State) -> None:
        super().simulate(state)
        if self.table == INTERFACE and self.column in _LINK_VALUES:
            state.set_by_ovs(self.record, **{_LINK_VALUES[self.column]: self.new})
        elif (self.table, self.column) == (BRIDGE, "other_config") and self.new.get("hwaddr") != self.old.get("hwaddr"):
            state.set_by_ovs(self.record, mac=self.new.get("hwaddr"))

    def change(self, switch: Switch) -> None:
        tables: t.Dict[str, t.Dict[str, t.Any]] = {
            BRIDGE: switch.bridges,
            PORT: switch.ports,
            INTERFACE: switch.interfaces,
        }
        rows = tables[self.table]
        row = rows[self.record]
        for interface in self.renumbers(switch) if self.table == INTERFACE else ():
            ofport = self.new if interface is row else None
            switch.interfaces[interface.name] = interface._replace(ofport=ofport)
        rows[self.record] = rows[self.record]._replace(values={**row.values, self.column: self.new})
        fake = switch.bridges.get(self.record)
        if self.table == PORT and fake and fake.parent and self.column == "external_ids":
            switch.bridges[self.record] = fake._replace(values={"external_ids": fake_ids(self.new)})

    def back(self, before: Switch) -> t.Sequence[OvsStep]:
        return [dataclasses.replace(self, old=self.new, new=self.old)]


def fake_ids(ids: Values) -> Values:
    """External ids of a fake bridge, out of those of its port."""
    return {key[len(FAKE_PREFIX) :]: value for key, value in ids.items() if key.startswith(FAKE_PREFIX)}


def assign(database: str, table: str, record: str, old: Values, new: Values) -> t.List[OvsStep]:
    """Steps that set the values of a row that differ from ``new``."""
    return [
        ColumnSet(database, table, record, column, old[column], value)
        for column, value in new.items()
        if not same(column, old[column], value)
    ]


def same(column: str, one: t.Any, other: t.Any) -> bool:
    """Whether two values of a column are equivalent for OVS."""
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
    """A string in the syntax of ovs-vsctl; in double quotes as in JSON if it could be read as anything else."""
    return text if re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*", text) else json.dumps(text, ensure_ascii=False)


def symbol_of(name: str) -> str:
    """A symbolic row name within one transaction, unique for each name."""
    return "@" + re.sub(r"[^A-Za-z0-9.-]", lambda found: "_%x_" % ord(found.group()), name)
