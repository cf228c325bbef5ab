# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Records of topologies, and what is requested of one. Values only, without I/O."""

from __future__ import annotations

import dataclasses
import typing as t

# The database, and the name of a bridge or port.
Row = t.Tuple[str, str]


class OwnedLink(t.NamedTuple):
    """A link by its place: name and identity of its namespace; ``ifindex`` is 0 if it was about to be created.

    Then ``above`` is the highest index in the namespace before, 0 if the namespace was about to be created as well.
    """

    netns: str
    space: str
    name: str
    kind: str
    ifindex: int = 0
    above: int = 0


@dataclasses.dataclass
class Record:
    """The record of a topology; identities are empty for what was about to be created when it was written.

    Such announcements are valid only in a ``sealed`` record: this collection wrote it, and it was not edited since.
    """

    name: str
    boot: str = ""
    namespaces: t.Dict[str, str] = dataclasses.field(default_factory=dict)
    links: t.List[OwnedLink] = dataclasses.field(default_factory=list)
    bridges: t.Dict[Row, str] = dataclasses.field(default_factory=dict)
    ports: t.Dict[Row, str] = dataclasses.field(default_factory=dict)
    sealed: bool = dataclasses.field(default=True, compare=False)

    def references(self) -> t.Set[str]:
        """Namespaces that it refers to."""
        return {*self.namespaces, *(link.netns for link in self.links)}

    def databases(self) -> t.Set[str]:
        """Databases of Open vSwitch that it refers to."""
        return {database for database, _name in (*self.bridges, *self.ports)}

    def located(self, same: t.Mapping[str, str]) -> Record:
        """The record with each reference to the namespace of a link replaced by its representative."""
        links = [link._replace(netns=same.get(link.netns, link.netns)) for link in self.links]
        return dataclasses.replace(self, links=links)


def widest(record: Record) -> Record:
    """A record of the same things with identities of maximum length."""
    long = "x" * 64  # a UUID has 36 characters, the identity of a namespace up to 27
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
    """What is requested of a topology as a whole: its record, and the records of all other topologies.

    ``keep`` is the document to keep for the next boot, None to keep none. ``warnings`` are about records.
    """

    name: str
    present: bool
    purge: bool
    record: Record
    others: t.Tuple[Record, ...] = ()
    keep: t.Optional[t.Dict[str, t.Any]] = None
    warnings: t.Tuple[str, ...] = ()
