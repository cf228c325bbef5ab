# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The interfaces of State, the observed part of a host, and of Wanted, what a task requests."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Table

Label = t.Tuple[str, ...]


class Vanished(t.NamedTuple):
    """An object that no longer exists: its name, its description for an error, and whether nothing else explains that."""

    name: str
    words: str
    alone: bool


class Identities(t.NamedTuple):
    """Identities of objects. An object that is deleted and created again has the same name and another identity."""

    # UUIDs by database, table and name
    rows: t.Dict[t.Tuple[str, str, str], str]
    # The identity of the namespace and the index in it, by namespace, name and kind
    links: t.Dict[t.Tuple[str, str, str], t.Tuple[str, int]]
    # The identities of namespaces
    spaces: t.Set[str]


class State:
    """The observed part of a host. An object that is not listed does not exist.

    Subclasses are dataclasses with immutable values in tables that log their changes.
    """

    def tables(self) -> t.Iterator[t.Tuple[Label, Table[t.Any, t.Any]]]:
        """All tables with their labels, which are unique."""
        yield from ()

    def own(self) -> t.Dict[str, t.Any]:
        """Copies of the fields that a copy of this State must not share with it."""
        return {}

    def copy(self) -> t.Any:
        """A copy that can be changed without changing this State."""
        return dataclasses.replace(t.cast("t.Any", self), **self.own())

    def changes(self) -> t.Dict[t.Any, t.Any]:
        """What was changed since the last ``begin``: the former values by their keys, None for objects that did not exist."""
        return {}

    def order(self) -> t.Dict[t.Any, int]:
        """The order in which ``changes`` are repaired, by their keys."""
        return {}

    def with_only(self, values: t.Mapping[t.Any, t.Any]) -> t.Any:
        """A copy that contains only ``values``, which are those of ``changes``."""
        return self

    def vanished(self, now: t.Any) -> t.Dict[t.Any, Vanished]:
        """The objects that a later State lacks, by the keys that steps use."""
        return {}

    def identities(self) -> Identities:
        """The identities of all objects."""
        return Identities({}, {}, set())

    # Changes that can be reverted without a copy

    def begin(self) -> None:
        """Log changes from now on, until ``keep`` or ``take_back``."""
        for _label, table in self.tables():
            table.begin()

    def keep(self) -> None:
        """End the log, and keep the changes."""
        for _label, table in self.tables():
            table.keep()

    def take_back(self) -> None:
        """End the log, and revert the changes."""
        for _label, table in self.tables():
            table.take_back()

    @contextlib.contextmanager
    def kept_changes(self) -> t.Iterator[None]:
        """Log the changes that are made inside, and keep them."""
        self.begin()
        try:
            yield
        finally:
            self.keep()

    @contextlib.contextmanager
    def trial(self) -> t.Iterator[None]:
        """Revert the changes that are made inside."""
        self.begin()
        try:
            yield
        finally:
            self.take_back()


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What one task requests."""

    # Errors in its document. It is still planned, so that one error reports everything that is wrong
    wrong: t.Tuple[str, ...] = ()
