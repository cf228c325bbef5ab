# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Databases of Open vSwitch, and what one task requests of them. Values only, without I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine import state as engine

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Table
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch, WantedBridge, WantedPort


@dataclasses.dataclass
class State(engine.State):
    """Open vSwitch, by database."""

    ovs: t.Dict[str, Switch] = dataclasses.field(default_factory=dict)

    def tables(self) -> t.Iterator[t.Tuple[engine.Label, Table[t.Any, t.Any]]]:
        """All tables, by label."""
        for database, switch in self.ovs.items():
            yield from (((database, str(number)), table) for number, table in enumerate(switch.tables()))
        yield from super().tables()

    def own(self) -> t.Dict[str, t.Any]:
        """Copies of the fields that a copy of the state must not share."""
        return {**super().own(), "ovs": {database: switch.copy() for database, switch in self.ovs.items()}}

    def identities(self) -> engine.Identities:
        """Identities of its rows."""
        rows = {(database, *row): uuid for database, switch in self.ovs.items() for row, uuid in switch.rows.items()}
        return super().identities()._replace(rows=rows)

    # For states that include links, which follow Open vSwitch

    def devices(self, gone: t.Collection[str], come: t.Collection[str]) -> None:
        """Note that links of internal ports were created or deleted."""

    def seized(self, names: t.Collection[str]) -> None:
        """Note that Open vSwitch took or released links."""

    def set_by_ovs(self, name: str, **values: t.Any) -> None:
        """Note values that Open vSwitch sets on a link in its own namespace; None for unknown ones."""


@dataclasses.dataclass(frozen=True)
class Wanted(engine.Wanted):
    """What one task requests of Open vSwitch; ``databases_too`` are read in any case."""

    ovs_bridges: t.Tuple[WantedBridge, ...] = ()
    ovs_ports: t.Tuple[WantedPort, ...] = ()
    databases_too: t.Tuple[str, ...] = ()

    def databases(self) -> t.List[str]:
        """All databases that it refers to."""
        bridges, ports = (bridge.database for bridge in self.ovs_bridges), (port.database for port in self.ovs_ports)
        return sorted({*bridges, *ports, *self.databases_too})

    def link_names(self) -> t.Set[str]:
        """Names of links that it requests elsewhere."""
        return set()
