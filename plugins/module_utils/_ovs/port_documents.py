# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Documents of OVS ports: options to wanted port, and observed port to document."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
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
    read_text,
    read_value,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import OPTION_KEYS, WantedPort

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import Document, Options
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch

OFPORT_MAX = 65279
MTU_MAX = 65521  # what ovs-vswitchd accepts for taps

# Options by the columns that they set.
_PORT_COLUMNS = ("tag", "trunks", "vlan_mode", "protected", "bond_mode", "lacp", "external_ids", "other_config")
_INTERFACE_COLUMNS = {
    "type": "type",
    "options": "options",
    "mac": "mac",
    "mtu_request": "mtu_request",
    "ofport_request": "ofport_request",
    "interface_external_ids": "external_ids",
}
# Lowest and highest values of numeric options.
_NUMBERS = {"tag": (0, TAG_MAX), "mtu_request": (68, MTU_MAX), "ofport_request": (1, OFPORT_MAX)}

_VLAN_MODES = ["", "access", "dot1q-tunnel", "native-tagged", "native-untagged", "trunk"]
_BOND_MODES = ["", "active-backup", "balance-slb", "balance-tcp"]


def port_options() -> Options:
    """Argument spec of the document of an OVS port."""
    return {
        "bridge": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "move_from": {"type": "str"},
        "type": {"type": "str"},
        "tag": {"type": "str"},
        "trunks": LIST,
        "purge_trunks": PURGE,
        "vlan_mode": {"type": "str", "choices": _VLAN_MODES},
        "protected": FLAG,
        **{key: {"type": "str", **({"no_log": False} if key == "key" else {})} for key in OPTION_KEYS},
        "options": MAP,
        "interfaces": LIST,
        "purge_interfaces": PURGE,
        "bond_mode": {"type": "str", "choices": _BOND_MODES},
        "lacp": {"type": "str", "choices": ["", "active", "off", "passive"]},
        "mac": {"type": "str"},
        "mtu_request": {"type": "str"},
        "ofport_request": {"type": "str"},
        "external_ids": MAP,
        "interface_external_ids": MAP,
        "other_config": MAP,
        **CONNECTION,
    }


def read_port(document: Document) -> WantedPort:
    """The wanted port of a document. Raises BadInput."""
    name = common_names.port_name(document["name"], "option name")
    where = "of OVS port '%s'" % name
    values = {
        option: _read(option, document[option], where) for option in _PORT_COLUMNS if document.get(option) is not None
    }
    interface = {
        column: _read(option, document[option], where)
        for option, column in _INTERFACE_COLUMNS.items()
        if document.get(option) is not None
    }
    check_purges(document, ("trunks", "interfaces"), where)
    keys = {key: document[key] for key in OPTION_KEYS if document.get(key) is not None}
    clear = [
        option for option in ("external_ids", "other_config", "interface_external_ids") if document.get(option) == {}
    ]
    if keys or "options" in interface:
        given = interface.get("options", {})
        both = [key for key in keys if given.get(key, keys[key]) != keys[key]]
        if both:
            raise BadInput("Option %s %s: options.%s says something else." % (both[0], where, both[0]))
        own = {key: read_text(value, "option %s %s" % (key, where)) if value else None for key, value in keys.items()}
        interface["options"] = {**given, **own}
    return WantedPort(
        read_database(document.get("database")),
        common_names.port_name(document["bridge"], "option bridge " + where),
        name,
        document["state"] == "present",
        values,
        interface,
        clear=(*clear, *(["interface_options"] if document.get("options") == {} else [])),
        purge=tuple(option for option in ("trunks", "interfaces") if document.get("purge_" + option)),
        interfaces=_read_interfaces(document.get("interfaces"), where),
        move_from=document.get("move_from"),
    )


def _read_interfaces(names: t.Optional[t.Sequence[str]], where: str) -> t.Optional[t.Tuple[str, ...]]:
    if names is None:
        return None
    return tuple(sorted({common_names.port_name(name, "option interfaces " + where) for name in names}))


def _read(option: str, value: t.Any, where: str) -> t.Any:
    """The value of a column from that of an option. Raises BadInput."""
    where = "option %s %s" % (option, where)
    if option == "trunks":
        return tuple(sorted({number for item in value for number in _vids(item, where)}))
    if option == "type":
        return read_text(value, where) or "system"
    if value and option in _NUMBERS:
        return _number(option, value, where)
    return common_names.mac(value, where) if value and option == "mac" else read_value(value, where)


def _number(option: str, value: str, where: str) -> int:
    low, high = _NUMBERS[option]
    if not re.fullmatch(r"\d{1,9}", value, re.A) or not low <= int(value) <= high:
        raise BadInput(
            "O%s: %s is neither a number from %d to %d nor empty." % (where[1:], common_names.quoted(value), low, high)
        )
    return int(value)


def _vids(item: str, where: str) -> t.Iterable[int]:
    found = re.match(r"^\s*(\d{1,4})(?:\s*-\s*(\d{1,4}))?\s*$", item, re.A)
    first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (1, 0)
    if not first <= last <= TAG_MAX:
        raise BadInput(
            "O%s: %s isn't a VLAN from 0 to %d, or a range of these." % (where[1:], common_names.quoted(item), TAG_MAX)
        )
    return range(first, last + 1)


def write_port(switch: Switch, wanted: WantedPort) -> Document:
    """Document of a port in a State, on any bridge."""
    port = switch.ports.get(wanted.name)
    document: Document = {"bridge": wanted.bridge, "name": wanted.name, **database_of(wanted.database)}
    if port is None or (not wanted.present and wanted.bridge not in (switch.bridge_of(port), port.real)):
        return {**document, "state": "absent"}
    # A port of a fake bridge is a port of its parent as well, and so is its local port.
    document["bridge"] = wanted.bridge if wanted.bridge in (port.real, port.name) else switch.bridge_of(port)
    document.update(state="present", **{option: plain(port.values[option]) for option in _PORT_COLUMNS})
    if port.interfaces != (port.name,):
        return {**document, "interfaces": list(port.interfaces)}
    interface = switch.interfaces[port.name].values
    document.update((option, plain(interface[column])) for option, column in _INTERFACE_COLUMNS.items())
    options = document["options"]
    document.update((key, options.pop(key)) for key in OPTION_KEYS if key in options)
    return document
