# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is recorded of a topology, and what is asked of one. Values only: nothing here does I/O."""

from __future__ import annotations

import dataclasses
import typing as t

# The database, and the name of a bridge or port.
Row = t.Tuple[str, str]


class OwnedLink(t.NamedTuple):
    """A link by its place: the namespace's name and identity; ``ifindex`` is 0 for one that was about to be made.

    Then ``above`` is the highest index that the namespace had given until then, 0 if the namespace was about to be made, too.
    """

    netns: str
    space: str
    name: str
    kind: str
    ifindex: int = 0
    above: int = 0


@dataclasses.dataclass
class Record:
    """What is recorded of a topology; identities are empty for what was about to be made when it was written.

    These announcements count only where the record is ``sealed``: the program wrote it, and nobody has edited it since.
    """

    name: str
    boot: str = ""
    namespaces: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    links: t.List[OwnedLink] = dataclasses.field(default_factory=list)
    bridges: t.Dict[Row, str] = dataclasses.field(default_factory=dict)
    ports: t.Dict[Row, str] = dataclasses.field(default_factory=dict)
    sealed: bool = dataclasses.field(default=True, compare=False)

    def references(self) -> t.Set[str]:
        """The namespaces that it speaks of."""
        return {*self.namespaces, *(link.netns for link in self.links)}

    def databases(self) -> t.Set[str]:
        """The databases of Open vSwitch that it speaks of."""
        return {database for database, _name in (*self.bridges, *self.ports)}

    def located(self, same: t.Mapping[str, str]) -> Record:
        """The record with each reference to a namespace that a link is in replaced by the one that stands for it."""
        links = [link._replace(netns=same.get(link.netns, link.netns)) for link in self.links]
        return dataclasses.replace(self, links=links)


def widest(record: Record) -> Record:
    """A record of the same things with identities as long as any can be."""
    long = "x" * 64  # a UUID has 36 characters, and the identity of a namespace up to 27
    return Record(
        record.name,
        long,
        dict.fromkeys(record.namespaces, long),
        [link._replace(space=long, ifindex=1 << 32, above=1 << 32) for link in record.links],
        dict.fromkeys(record.bridges, long),
        dict.fromkeys(record.ports, long),
    )


@dataclasses.dataclass(frozen=True)
class WantedTopology:
    """What is asked of a topology as a whole: its own record, and those of all others on the host.

    ``keep`` is the document to keep for the next boot, None if none is to be kept. ``warnings`` are about records.
    """

    name: str
    present: bool
    purge: bool
    record: Record
    others: t.Tuple[Record, ...] = ()
    keep: t.Optional[t.Dict[str, t.Any]] = None
    warnings: t.Tuple[str, ...] = ()
