# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a topology owns of a host, and its record. Pure.

A thing is owned if an earlier run of the topology created it, and it is still the same thing: one that was deleted
and created again has another identity. The identity of a link is its index in a namespace, that of a namespace its
cookie (SO_NETNS_COOKIE); both are valid until the next boot. That of a row of Open vSwitch is its UUID.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref, aside_name
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import OwnedLink, Record

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Row
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State


@dataclasses.dataclass
class Owned:
    """What a topology owns of a State."""

    namespaces: t.Set[str] = dataclasses.field(default_factory=set)
    links: t.Set[Ref] = dataclasses.field(default_factory=set)
    bridges: t.Set[Row] = dataclasses.field(default_factory=set)
    ports: t.Set[Row] = dataclasses.field(default_factory=set)


def still_owned(record: Record, state: State) -> Owned:
    """Things in a record that still exist with the same identity."""
    mine = Owned()
    if record.boot == state.boot:
        mine.namespaces = {name for name in record.namespaces if _is_owned_namespace(record, name, state)}
        mine.links = {ref for link in record.links for ref in _places(link) if _is_owned_link(record, link, ref, state)}
    for table, rows, into in (("Bridge", record.bridges, mine.bridges), ("Port", record.ports, mine.ports)):
        for (database, name), uuid in rows.items():
            switch = state.ovs.get(database)
            found_uuid = switch.rows.get((table, name)) if switch else None
            if found_uuid and _is_same(record, uuid, found_uuid):
                into.add((database, name))
    return mine


def _is_same(record: Record, identity: str, found: str) -> bool:
    """Whether something has the recorded identity, or was announced."""
    return identity == found if identity else record.sealed


def _is_owned_namespace(record: Record, name: str, state: State) -> bool:
    there = state.namespaces.get(name)
    return bool(there and _is_same(record, record.namespaces[name], there.identity))


def _places(link: OwnedLink) -> t.Iterator[Ref]:
    """Possible places of a recorded link: a killed task may have left it set aside."""
    yield Ref(link.netns, link.name)
    if link.ifindex:
        yield Ref(link.netns, aside_name(link.ifindex))


def _is_owned_link(record: Record, link: OwnedLink, ref: Ref, state: State) -> bool:
    found, space = state.links.get(ref), state.namespaces.get(ref.netns)
    if not found or not space or found.kind != link.kind:
        return False
    if link.ifindex:
        return found.index == link.ifindex and link.space == space.identity
    if not link.space:
        # The namespace was about to be created as well.
        return record.namespaces.get(link.netns) == "" and _is_owned_namespace(record, link.netns, state)
    # Each namespace has at least lo, whose index is 1.
    return record.sealed and link.space == space.identity and 0 < link.above < found.index


def record_of(name: str, mine: Owned, state: State) -> Record:
    """The record of owned things in a State."""

    def uuid(table: str, row: Row) -> str:
        return state.ovs[row[0]].rows[(table, row[1])]

    record = Record(name, state.boot)
    record.namespaces = {name: state.namespaces[name].identity for name in sorted(mine.namespaces)}
    for ref in sorted(mine.links):
        link = state.links[ref]
        space = state.namespaces[ref.netns].identity
        record.links.append(OwnedLink(ref.netns, space, ref.name, link.kind, link.index))
    record.bridges = {row: uuid("Bridge", row) for row in sorted(mine.bridges)}
    record.ports = {row: uuid("Port", row) for row in sorted(mine.ports)}
    return record


def announced(record: Record, new: Owned, before: State, after: State) -> Record:
    """The record with things that are about to be created.

    So they are known even if the task is killed before it records their identities.
    """
    highest: t.Dict[str, int] = {}
    for ref, link in before.links.items():
        highest[ref.netns] = max(highest.get(ref.netns, 0), link.index)
    links = list(record.links)
    for ref in sorted(new.links):
        space = before.namespaces.get(ref.netns)
        identity = space.identity if space else ""
        links.append(OwnedLink(ref.netns, identity, ref.name, after.links[ref].kind, 0, highest.get(ref.netns, 0)))
    return Record(
        record.name,
        before.boot,
        {**record.namespaces, **dict.fromkeys(sorted(new.namespaces), "")},
        links,
        {**record.bridges, **dict.fromkeys(sorted(new.bridges), "")},
        {**record.ports, **dict.fromkeys(sorted(new.ports), "")},
    )
