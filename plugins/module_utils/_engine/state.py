# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the engine needs of the state of a host, and of what a task asks for, whatever they consist of."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Table

Label = t.Tuple[str, ...]


class Vanished(t.NamedTuple):
    """Something that is no longer there: its name, its words for an error, and whether nothing else explains its absence."""

    name: str
    words: str
    alone: bool


class Identities(t.NamedTuple):
    """What tells things from others that have the same names: those that are deleted and made again have another identity.

    ``rows`` are UUIDs by database, table and name; ``links`` the identities of their namespaces with their indexes, by
    namespace, name and kind; ``spaces`` the identities of namespaces.
    """

    rows: t.Dict[t.Tuple[str, str, str], str]
    links: t.Dict[t.Tuple[str, str, str], t.Tuple[str, int]]
    spaces: t.Set[str]


class State:
    """The observed part of a host. What is not in it does not exist.

    Subclasses are dataclasses whose values are immutable, in tables that log their changes.
    """

    def tables(self) -> t.Iterator[t.Tuple[Label, Table[t.Any, t.Any]]]:
        """All tables, with labels that tell them apart."""
        yield from ()

    def own(self) -> t.Dict[str, t.Any]:
        """Copies of those fields that a copy of the state must not share with it."""
        return {}

    def copy(self) -> t.Any:
        """A State that can be changed without changing this one."""
        return dataclasses.replace(t.cast("t.Any", self), **self.own())

    def changes(self) -> t.Dict[t.Any, t.Any]:
        """What may need repair since the last ``begin``: the values from before by their keys, None for what did not exist."""
        return {}

    def order(self) -> t.Dict[t.Any, int]:
        """The order in which that is repaired, by its keys."""
        return {}

    def with_only(self, values: t.Mapping[t.Any, t.Any]) -> t.Any:
        """A state like this one that has nothing but the values of ``changes``."""
        return self

    def vanished(self, now: t.Any) -> t.Dict[t.Any, Vanished]:
        """What is in this state and not in a later one, by the keys that steps use."""
        return {}

    def identities(self) -> Identities:
        """The identities of what is in it."""
        return Identities({}, {}, set())

    # Changes that can be taken back without a copy

    def begin(self) -> None:
        """Log changes from now on, until ``keep`` or ``take_back``."""
        for _label, table in self.tables():
            table.begin()

    def keep(self) -> None:
        """End the log, and keep the changes."""
        for _label, table in self.tables():
            table.keep()

    def take_back(self) -> None:
        """End the log, and take the changes back."""
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
        """Take back at the end what is changed inside."""
        self.begin()
        try:
            yield
        finally:
            self.take_back()


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What one task asks for.

    ``wrong`` has sentences on what is wrong with the document: no plan can be made, but one error is to tell what else is wrong.
    """

    wrong: t.Tuple[str, ...] = ()
