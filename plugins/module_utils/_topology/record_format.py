# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Records of topologies as JSON. What is read is checked as strictly as user input.

A record with announcements has a seal, the checksum of everything else in it. It is no secret: it distinguishes
announcements of this collection from those that were typed, copied or edited.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common.argument_specs import complete
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import OwnedLink, Record

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Row

VERSION = 1

_INDEX_MAX = 2**31 - 1
_TEXT = {"type": "str", "required": True}
_NUMBER = {"type": "int", "required": True}
_LINK = {**dict.fromkeys(("netns", "space", "name", "kind"), _TEXT), "ifindex": _NUMBER, "above": _NUMBER}
_ROWS = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": dict.fromkeys(("database", "name", "uuid"), _TEXT),
}
_RECORD = {
    "version": _NUMBER,
    "name": _TEXT,
    "boot": _TEXT,
    "namespaces": {"type": "dict", "required": True},
    "links": {"type": "list", "elements": "dict", "required": True, "options": _LINK},
    "ovs_bridges": _ROWS,
    "ovs_ports": _ROWS,
    "seal": {"type": "str"},
}
# A boot id, a cookie or an inode, a UUID; they are only compared.
_IDENTITY = re.compile(r"[A-Za-z0-9 _-]{0,64}")
_KIND = re.compile(r"[a-z0-9_.-]{0,32}")
_DATABASE = re.compile(r"((unix:/|tcp:|ssl:)[^\s\0]+)?")


def to_json(record: Record) -> t.Dict[str, t.Any]:
    """A record as JSON values."""

    def rows(table: t.Mapping[Row, str]) -> t.List[t.Dict[str, str]]:
        return [{"database": row[0], "name": row[1], "uuid": uuid} for row, uuid in table.items()]

    data = {
        "version": VERSION,
        "name": record.name,
        "boot": record.boot,
        "namespaces": record.namespaces,
        "links": [link._asdict() for link in record.links],
        "ovs_bridges": rows(record.bridges),
        "ovs_ports": rows(record.ports),
    }
    # A record without a seal does not get one when it is written again.
    return {**data, "seal": _seal(data)} if _announces(record) and record.sealed else data


def from_json(data: t.Any, name: str) -> Record:
    """The record of a topology from JSON values. Raises BadInput or ValueError with a sentence for an invalid one."""
    version = data.get("version") if isinstance(data, dict) else None
    if isinstance(version, bool) or version != VERSION:
        raise ValueError("it has version %s, and this collection knows %d" % (names.quoted(version), VERSION))
    record, wrong = complete(_RECORD, data)
    if wrong:
        raise ValueError("; ".join(wrong))
    if names.topology_name(record["name"], "option name") != name:
        raise ValueError("it is that of topology '%s'" % record["name"])
    read = Record(
        name,
        _matching(_IDENTITY, record["boot"], "boot"),
        {
            names.namespace_name(netns, "option namespaces"): _identity(identity, "namespaces")
            for netns, identity in record["namespaces"].items()
        },
        [_link(link, "links[%d]" % number) for number, link in enumerate(record["links"])],
        _rows(record["ovs_bridges"], "ovs_bridges"),
        _rows(record["ovs_ports"], "ovs_ports"),
    )
    read.sealed = not _announces(read) or record["seal"] == _seal({k: v for k, v in data.items() if k != "seal"})
    return read


def _link(link: t.Mapping[str, t.Any], where: str) -> OwnedLink:
    if link["netns"]:
        names.namespace(link["netns"], "option %s.netns" % where)
    names.interface_name(link["name"], "option %s.name" % where)
    _matching(_IDENTITY, link["space"], where + ".space")
    _matching(_KIND, link["kind"], where + ".kind")
    for option in ("ifindex", "above"):
        if not 0 <= link[option] <= _INDEX_MAX:
            raise ValueError("option %s.%s: %d is out of range" % (where, option, link[option]))
    return OwnedLink(**link)


def _rows(rows: t.Sequence[t.Mapping[str, str]], where: str) -> t.Dict[Row, str]:
    found = {}
    for row in rows:
        database = _matching(_DATABASE, row["database"], where + ".database")
        name = names.port_name(row["name"], "option %s.name" % where)
        found[database, name] = _identity(row["uuid"], where + ".uuid")
    return found


def _identity(value: t.Any, where: str) -> str:
    return _matching(_IDENTITY, value, where)


def _matching(pattern: t.Pattern[str], value: t.Any, where: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError("option %s: %s is none that this collection writes" % (where, names.quoted(value)))
    return value


def _announces(record: Record) -> bool:
    """Whether a record has things that were about to be created."""
    identities = (*record.namespaces.values(), *record.bridges.values(), *record.ports.values())
    return not all(identities) or not all(link.ifindex for link in record.links)


def _seal(data: t.Mapping[str, t.Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode("ascii")).hexdigest()
