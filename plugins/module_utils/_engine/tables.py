# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Dictionaries with indexes and revertible changes.

A plan of n steps looks up n times which links are stacked upon another one, and its undo needs the state before each step.
Searching or copying everything each time would take quadratic time.
"""

from __future__ import annotations

import typing as t

K = t.TypeVar("K")
V = t.TypeVar("V")

Changes = t.Dict[K, t.Optional[V]]
Indexes = t.Mapping[str, t.Callable[[t.Any], t.Iterable[t.Hashable]]]


class Table(t.Dict[K, V]):
    """A dictionary with indexes, and with a log of changes for each open ``begin``. Values are never None.

    A subclass defines its indexes in ``INDEXES``: functions that return the words under which a value is indexed.
    """

    INDEXES: t.ClassVar[Indexes] = {}

    def __init__(self, content: t.Union[t.Mapping[K, V], t.Iterable[t.Tuple[K, V]]] = ()) -> None:
        super().__init__(content)
        self._logs: t.List[Changes[K, V]] = []
        self._indexes: t.Dict[str, t.Dict[t.Hashable, t.Dict[K, None]]] = {}

    def __reduce__(self) -> t.Tuple[t.Any, ...]:
        return type(self), (dict(self),)

    # Reading

    def under(self, index: str, word: t.Hashable) -> t.List[K]:
        """The keys of the values that an index lists under a word."""
        if index not in self._indexes:
            found: t.Dict[t.Hashable, t.Dict[K, None]] = {}
            self._indexes[index] = found
            for key, value in self.items():
                for each in self.INDEXES[index](value):
                    found.setdefault(each, {})[key] = None
        return list(self._indexes[index].get(word, ()))

    # Writing

    def __setitem__(self, key: K, value: V) -> None:
        self._note(key, value)
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self._note(key, None)
        super().__delitem__(key)

    def pop(self, key: K, *default: t.Any) -> t.Any:
        """Remove a key and return its value, or the default."""
        if key in self:
            self._note(key, None)
        return super().pop(key, *default)

    def setdefault(self, key: K, default: V) -> V:
        """Set a key to the default unless it has a value. Returns its value."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: t.Any, **more: V) -> None:
        """Set several keys."""
        for key, value in dict(*others, **more).items():
            self[key] = value

    def clear(self) -> None:
        """Remove all keys."""
        for key in list(self):
            del self[key]

    def popitem(self) -> t.Tuple[K, V]:
        """Remove the last key, and return it with its value."""
        key = next(reversed(self))
        return key, self.pop(key)

    def _note(self, key: K, new: t.Optional[V]) -> None:
        old = self.get(key)
        if self._logs:
            self._logs[-1].setdefault(key, old)
        for index, found in self._indexes.items():
            words = self.INDEXES[index]
            gone = tuple(words(old)) if old is not None else ()
            come = tuple(words(new)) if new is not None else ()
            if gone != come:
                for word in gone:
                    found[word].pop(key, None)
                for word in come:
                    found.setdefault(word, {})[key] = None

    # Reverting

    def begin(self) -> None:
        """Log changes from now on."""
        self._logs.append({})

    def changes(self) -> Changes[K, V]:
        """The keys that were changed since the last ``begin``, with their former values; None for no value."""
        return self._logs[-1]

    def keep(self) -> Changes[K, V]:
        """End the log, and keep the changes. Returns them."""
        changes = self._logs.pop()
        if self._logs:
            for key, old in changes.items():
                self._logs[-1].setdefault(key, old)
        return changes

    def take_back(self) -> None:
        """End the log, and revert the changes. Restored keys come last in the order."""
        for key, old in self._logs.pop().items():
            if old is None:
                self.pop(key, None)
            elif self.get(key) is not old:
                self[key] = old
