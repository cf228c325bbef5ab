# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Records of topologies that follow things which a rollback has created again with another identity.

A topology owns what has the identity in its record. Any task may delete a thing, fail, and create it again in its
rollback; the topology would otherwise no longer own it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Follower
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import OwnedLink, Record
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.state import State


class Renewal(t.NamedTuple):
    """Changed identities: the new UUIDs of rows by their old ones, and the new indexes of links by their former places."""

    rows: t.Dict[str, str]
    links: t.Dict[OwnedLink, int]

    def record(self, record: Record) -> Record:
        """A record with the new identities."""
        return dataclasses.replace(
            record,
            links=[link._replace(ifindex=self.links.get(_anywhere(link), link.ifindex)) for link in record.links],
            bridges={row: self.rows.get(uuid, uuid) for row, uuid in record.bridges.items()},
            ports={row: self.rows.get(uuid, uuid) for row, uuid in record.ports.items()},
        )


def renewal(before: State, now: State) -> Renewal:
    """Things in both States whose identities differ."""
    then, new = before.identities(), now.identities()
    rows = {uuid: new.rows[row] for row, uuid in then.rows.items() if new.rows.get(row, uuid) != uuid}
    links = {}
    for place, (space, index) in then.links.items():
        there = new.links.get(place)
        if there and there[1] != index:
            links[OwnedLink("", space, place[1], place[2], index)] = there[1]
    return Renewal(rows, links)


def _anywhere(link: OwnedLink) -> OwnedLink:
    """A link by the identity of its namespace, independent of the name of the namespace."""
    return link._replace(netns="", above=0)


def _concerns(record: Record, before: State) -> bool:
    """Whether a record refers to something that exists."""
    there = before.identities()
    uuids = {*there.rows.values()}
    rows = (*record.bridges.values(), *record.ports.values())
    return any(uuid in uuids for uuid in rows) or any(link.space in there.spaces for link in record.links)


class Following(Follower):
    """Records that may have to follow: all but that of the topology of the task, which the task writes itself."""

    def __init__(self, records: Records, but: str = "") -> None:
        self._records = records
        self._but = but
        self._concerned: t.List[Record] = []

    def prepare(self, before: State) -> None:
        """Reserve space for writing them. Raises Unusable if there is not enough."""
        records: t.Sequence[Record] = ()
        # An unreadable record owns nothing that could be lost.
        with contextlib.suppress(Failure):
            records, _trouble = self._records.others(self._but)
        for record in records:
            if _concerns(record, before):
                self._records.reserve_record(record)
                self._concerned.append(record)

    def follow(self, before: State, now: State) -> None:
        """Write the records that refer to something with another identity. Raises Unusable."""
        renewed = renewal(before, now)
        for record in self._concerned:
            new = renewed.record(record)
            if new != record:
                self._records.write(new)

    def release(self) -> None:
        """Release the reserved space."""
        self._records.release()


def records_that_follow() -> Following:
    """Records of all topologies on this host."""
    return Following(Records())
