# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Documents of OVS bridges: options to wanted bridge, and observed bridge to document."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import (
    CONNECTION,
    FLAG,
    LIST,
    MAP,
    PURGE,
    TAG_MAX,
    check_purges,
    database_of,
    plain,
    read_database,
    read_value,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import WantedBridge

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import Document, Options
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch

# Options by the columns that they set.
_COLUMNS = {
    "datapath_type": "datapath_type",
    "fail_mode": "fail_mode",
    "protocols": "protocols",
    "stp": "stp_enable",
    "rstp": "rstp_enable",
    "mcast_snooping": "mcast_snooping_enable",
    "external_ids": "external_ids",
    "other_config": "other_config",
}
_PROTOCOLS = ["OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"]


def bridge_options() -> Options:
    """Argument spec of the document of an OVS bridge."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "datapath_type": {"type": "str", "choices": ["system", "netdev"]},
        "fail_mode": {"type": "str", "choices": ["", "secure", "standalone"]},
        "protocols": {**LIST, "choices": _PROTOCOLS},
        "purge_protocols": PURGE,
        "controllers": LIST,
        "purge_controllers": PURGE,
        "stp": FLAG,
        "rstp": FLAG,
        "mcast_snooping": FLAG,
        "mac": {"type": "str"},
        "parent": {"type": "str"},
        "vlan": {"type": "int"},
        "external_ids": MAP,
        "other_config": MAP,
        "ports": LIST,
        "purge_ports": PURGE,
        **CONNECTION,
    }


def read_bridge(document: Document) -> WantedBridge:
    """The wanted bridge of a document. Raises BadInput."""
    name = names.interface_name(names.port_name(document["name"], "option name"), "option name")
    where = "of OVS bridge '%s'" % name
    values = {
        column: read_value(document[option], "option %s %s" % (option, where))
        for option, column in _COLUMNS.items()
        if document.get(option) is not None
    }
    if document.get("mac") is not None:
        mac = names.mac(document["mac"], "option mac " + where) if document["mac"] else None
        config = values.setdefault("other_config", {})
        if config.get("hwaddr", mac) not in (mac, document["mac"]):
            raise BadInput("Option mac %s: other_config.hwaddr says something else." % where)
        config["hwaddr"] = mac
    parent, vlan = _read_parent(document, where)
    ports = document.get("ports")
    check_purges(document, ("protocols", "controllers", "ports"), where)
    return WantedBridge(
        read_database(document.get("database")),
        name,
        document["state"] == "present",
        values,
        clear=tuple(option for option in ("external_ids", "other_config") if document.get(option) == {}),
        purge=tuple(name for name in ("protocols", "controllers", "ports") if document.get("purge_" + name)),
        controllers=_read_controllers(document.get("controllers"), where),
        parent=parent,
        vlan=vlan,
        ports=(
            None if ports is None else tuple(dict.fromkeys(names.port_name(p, "option ports " + where) for p in ports))
        ),
    )


def _read_parent(document: Document, where: str) -> t.Tuple[str, int]:
    parent: str = document.get("parent") or ""
    vlan: t.Any = document.get("vlan")
    if not parent and vlan is None:
        return "", 0
    if not parent or vlan is None:
        raise BadInput(
            "Options parent and vlan %s go together: they make a fake bridge, a VLAN of another one." % where
        )
    if not 0 <= vlan <= TAG_MAX:
        raise BadInput("Option vlan %s: %s isn't a VLAN from 0 to %d." % (where, vlan, TAG_MAX))
    if parent == document["name"]:
        raise BadInput("Option parent %s: a bridge can't be its own parent." % where)
    return names.port_name(parent, "option parent " + where), int(vlan)


def _read_controllers(targets: t.Optional[t.Sequence[str]], where: str) -> t.Optional[t.Tuple[str, ...]]:
    if targets is None:
        return None
    for target in targets:
        if not re.fullmatch(r"p?(tcp|ssl|unix):\S+|none", target):
            raise BadInput(
                "Option controllers %s: %s isn't a target such as tcp:192.0.2.1:6653." % (where, names.quoted(target))
            )
    return tuple(sorted(set(targets)))


def write_bridge(switch: Switch, wanted: WantedBridge) -> Document:
    """Document of a bridge in a State."""
    bridge = switch.bridges.get(wanted.name)
    document: Document = {
        "name": wanted.name,
        "state": "present" if bridge else "absent",
        **database_of(wanted.database),
    }
    if bridge is None:
        return document
    if bridge.parent:
        document.update(parent=bridge.parent, vlan=bridge.vlan, external_ids=dict(bridge.values["external_ids"]))
    else:
        document.update((option, plain(bridge.values[column])) for option, column in _COLUMNS.items())
        document["mac"] = bridge.values["other_config"].get("hwaddr", "")
        document["controllers"] = list(bridge.controllers)
    document["ports"] = switch.ports_of(bridge)
    return document
