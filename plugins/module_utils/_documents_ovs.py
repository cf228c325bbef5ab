# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The documents for Open vSwitch: options → wanted bridges and ports, what is there → document.

One vocabulary serves both ways, as with the documents of links. Most options are columns of the database.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils import _names
from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import (
    OPTION_KEYS,
    Switch,
    Values,
    WantedBridge,
    WantedPort,
)

Options = t.Dict[str, t.Any]
Document = t.Dict[str, t.Any]

TAG_MAX = 4095  # the 12 bits of ovs-vswitchd.conf.db(5)
OFPORT_MAX = 65279
MTU_MAX = 65521  # what ovs-vswitchd takes for taps
TIMEOUT_MAX = 3600
TEXT_MAX = 100_000  # bytes; the kernel takes at most 131,072 for an argument of a command
_MAPS = {"type": "dict"}
_LIST = {"type": "list", "elements": "str"}
_FLAG = {"type": "bool"}
_PURGE = {"type": "bool", "default": False}

# Options by the column that they are.
_BRIDGE_COLUMNS = {
    "datapath_type": "datapath_type",
    "fail_mode": "fail_mode",
    "protocols": "protocols",
    "stp": "stp_enable",
    "rstp": "rstp_enable",
    "mcast_snooping": "mcast_snooping_enable",
    "external_ids": "external_ids",
    "other_config": "other_config",
}
_PORT_COLUMNS = ("tag", "trunks", "vlan_mode", "protected", "bond_mode", "lacp", "external_ids", "other_config")
_INTERFACE_COLUMNS = {
    "type": "type",
    "options": "options",
    "mac": "mac",
    "mtu_request": "mtu_request",
    "ofport_request": "ofport_request",
    "interface_external_ids": "external_ids",
}
# The lowest and the highest number that an option may be.
_NUMBERS = {"tag": (0, TAG_MAX), "mtu_request": (68, MTU_MAX), "ofport_request": (1, OFPORT_MAX)}

_PROTOCOLS = ["OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"]
_VLAN_MODES = ["", "access", "dot1q-tunnel", "native-tagged", "native-untagged", "trunk"]
_BOND_MODES = ["", "active-backup", "balance-slb", "balance-tcp"]

CONNECTION: Options = {"database": {"type": "str"}, "timeout": {"type": "int", "default": 30}}


def bridge_options() -> Options:
    """The argument spec of the document of an OVS bridge."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "datapath_type": {"type": "str", "choices": ["system", "netdev"]},
        "fail_mode": {"type": "str", "choices": ["", "secure", "standalone"]},
        "protocols": {**_LIST, "choices": _PROTOCOLS},
        "purge_protocols": _PURGE,
        "controllers": _LIST,
        "purge_controllers": _PURGE,
        "stp": _FLAG,
        "rstp": _FLAG,
        "mcast_snooping": _FLAG,
        "mac": {"type": "str"},
        "parent": {"type": "str"},
        "vlan": {"type": "int"},
        "external_ids": _MAPS,
        "other_config": _MAPS,
        "ports": _LIST,
        "purge_ports": _PURGE,
        **CONNECTION,
    }


def port_options() -> Options:
    """The argument spec of the document of an OVS port."""
    return {
        "bridge": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "move_from": {"type": "str"},
        "type": {"type": "str"},
        "tag": {"type": "str"},
        "trunks": _LIST,
        "purge_trunks": _PURGE,
        "vlan_mode": {"type": "str", "choices": _VLAN_MODES},
        "protected": _FLAG,
        **{key: {"type": "str", **({"no_log": False} if key == "key" else {})} for key in OPTION_KEYS},
        "options": _MAPS,
        "interfaces": _LIST,
        "purge_interfaces": _PURGE,
        "bond_mode": {"type": "str", "choices": _BOND_MODES},
        "lacp": {"type": "str", "choices": ["", "active", "off", "passive"]},
        "mac": {"type": "str"},
        "mtu_request": {"type": "str"},
        "ofport_request": {"type": "str"},
        "external_ids": _MAPS,
        "interface_external_ids": _MAPS,
        "other_config": _MAPS,
        **CONNECTION,
    }


def read_database(value: t.Optional[str]) -> str:
    """The database as ``ovs-vsctl --db`` wants it, from an option; empty for the usual one. Raises BadInput."""
    if not value:
        return ""
    if value.startswith("/"):
        return "unix:" + value
    if not re.fullmatch(r"(unix:/|tcp:|ssl:)\S+", value):
        raise BadInput(
            "Option database: '%s' is neither the path of a socket nor a remote such as tcp:192.0.2.1:6640." % value
        )
    return value


def read_timeout(value: int) -> int:
    """The seconds that Open vSwitch has to answer, from an option. Raises BadInput."""
    if not 1 <= value <= TIMEOUT_MAX:
        raise BadInput("Option timeout: %d isn't a number of seconds from 1 to %d." % (value, TIMEOUT_MAX))
    return value


def read_bridge(document: Document) -> WantedBridge:
    """The wanted bridge of a document. Raises BadInput."""
    name = _names.interface_name(_names.port_name(document["name"], "option name"), "option name")
    where = "of OVS bridge '%s'" % name
    values = {
        column: _read(option, document[option], where)
        for option, column in _BRIDGE_COLUMNS.items()
        if document.get(option) is not None
    }
    if document.get("mac") is not None:
        mac = _names.mac(document["mac"], "option mac " + where) if document["mac"] else None
        config = values.setdefault("other_config", {})
        if config.get("hwaddr", mac) not in (mac, document["mac"]):
            raise BadInput("Option mac %s: other_config.hwaddr says something else." % where)
        config["hwaddr"] = mac
    parent, vlan = _read_parent(document, where)
    ports = document.get("ports")
    _check_purges(document, ("protocols", "controllers", "ports"), where)
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
            None if ports is None else tuple(dict.fromkeys(_names.port_name(p, "option ports " + where) for p in ports))
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
    return _names.port_name(parent, "option parent " + where), int(vlan)


def _read_controllers(targets: t.Optional[t.Sequence[str]], where: str) -> t.Optional[t.Tuple[str, ...]]:
    if targets is None:
        return None
    for target in targets:
        if not re.fullmatch(r"p?(tcp|ssl|unix):\S+|none", target):
            raise BadInput("Option controllers %s: '%s' isn't a target such as tcp:192.0.2.1:6653." % (where, target))
    return tuple(sorted(set(targets)))


def read_port(document: Document) -> WantedPort:
    """The wanted port of a document. Raises BadInput."""
    name = _names.port_name(document["name"], "option name")
    where = "of OVS port '%s'" % name
    values = {
        option: _read(option, document[option], where) for option in _PORT_COLUMNS if document.get(option) is not None
    }
    interface = {
        column: _read(option, document[option], where)
        for option, column in _INTERFACE_COLUMNS.items()
        if document.get(option) is not None
    }
    _check_purges(document, ("trunks", "interfaces"), where)
    keys = {key: document[key] for key in OPTION_KEYS if document.get(key) is not None}
    clear = [
        option for option in ("external_ids", "other_config", "interface_external_ids") if document.get(option) == {}
    ]
    if keys or "options" in interface:
        given = interface.get("options", {})
        both = [key for key in keys if given.get(key, keys[key]) != keys[key]]
        if both:
            raise BadInput("Option %s %s: options.%s says something else." % (both[0], where, both[0]))
        own = _texts({key: value or None for key, value in keys.items()}, "option", where)
        interface["options"] = {**given, **own}
    return WantedPort(
        read_database(document.get("database")),
        _names.port_name(document["bridge"], "option bridge " + where),
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
    return tuple(sorted({_names.port_name(name, "option interfaces " + where) for name in names}))


def _check_purges(document: Document, options: t.Sequence[str], where: str) -> None:
    for option in options:
        if document.get("purge_" + option) and document.get(option) is None:
            raise BadInput(
                "Option purge_%s %s needs option %s; give an empty list to remove all." % (option, where, option)
            )


def _read(option: str, value: t.Any, where: str) -> t.Any:
    """The value of a column from that of an option, of which an empty one clears it."""
    where = "option %s %s" % (option, where)
    if isinstance(value, dict):
        return _texts(value, "key", where)
    if isinstance(value, list):
        items = (number for text in value for number in _vids(text, where)) if option == "trunks" else value
        return tuple(sorted(set(items)))
    if option == "type":
        return _text(value, where) or "system"
    if value == "":
        return None
    if option in _NUMBERS:
        return _number(option, value, where)
    return _names.mac(value, where) if option == "mac" else value


def _number(option: str, value: str, where: str) -> int:
    low, high = _NUMBERS[option]
    if not re.fullmatch(r"\d{1,9}", value, re.A) or not low <= int(value) <= high:
        raise BadInput("O%s: '%s' is neither a number from %d to %d nor empty." % (where[1:], value, low, high))
    return int(value)


def _vids(text: str, where: str) -> t.Iterable[int]:
    found = re.match(r"^\s*(\d{1,4})(?:\s*-\s*(\d{1,4}))?\s*$", text, re.A)
    first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (1, 0)
    if not first <= last <= TAG_MAX:
        raise BadInput("O%s: '%s' isn't a VLAN from 0 to %d, or a range of these." % (where[1:], text, TAG_MAX))
    return range(first, last + 1)


def _texts(values: Values, noun: str, where: str) -> t.Dict[str, t.Optional[str]]:
    """A map of strings; numbers and truth values are spelled as OVS does, and None stays."""
    texts = {}
    for key, value in values.items():
        if isinstance(value, (dict, list)):
            raise BadInput("%s%s: %s %s needs a text, not %r." % (where[0].upper(), where[1:], noun, key, value))
        text = ("true" if value else "false") if isinstance(value, bool) else value
        name = _text(str(key), where)
        if not name:
            raise BadInput("%s%s: a key is empty." % (where[0].upper(), where[1:]))
        texts[name] = None if text is None else _text(str(text), where)
    return texts


def _text(value: str, where: str) -> str:
    try:
        if len(value.encode("utf-8")) > TEXT_MAX:
            raise BadInput("%s%s: a value has more than %d bytes." % (where[0].upper(), where[1:], TEXT_MAX))
    except UnicodeEncodeError as error:
        raise BadInput("%s%s: %r isn't text in UTF-8." % (where[0].upper(), where[1:], value)) from error
    if "\0" in value:
        raise BadInput("%s%s: %r contains a NUL, which OVS can't store." % (where[0].upper(), where[1:], value))
    return value


def write_bridge(switch: Switch, wanted: WantedBridge) -> Document:
    """The document of a bridge as it stands."""
    bridge = switch.bridges.get(wanted.name)
    document: Document = {"name": wanted.name, "state": "present" if bridge else "absent", **_database(wanted.database)}
    if bridge is None:
        return document
    if bridge.parent:
        document.update(parent=bridge.parent, vlan=bridge.vlan, external_ids=dict(bridge.values["external_ids"]))
    else:
        document.update((option, _plain(bridge.values[column])) for option, column in _BRIDGE_COLUMNS.items())
        document["mac"] = bridge.values["other_config"].get("hwaddr", "")
        document["controllers"] = list(bridge.controllers)
    document["ports"] = switch.ports_of(bridge)
    return document


def write_port(switch: Switch, wanted: WantedPort) -> Document:
    """The document of a port as it stands, on whatever bridge it is."""
    port = switch.ports.get(wanted.name)
    document: Document = {"bridge": wanted.bridge, "name": wanted.name, **_database(wanted.database)}
    if port is None or (not wanted.present and wanted.bridge not in (switch.bridge_of(port), port.real)):
        return {**document, "state": "absent"}
    # A port of a fake bridge is on its parent, too.
    document["bridge"] = port.real if wanted.bridge == port.real else switch.bridge_of(port)
    document.update(state="present", **{option: _plain(port.values[option]) for option in _PORT_COLUMNS})
    if port.interfaces != (port.name,):
        return {**document, "interfaces": list(port.interfaces)}
    interface = switch.interfaces[port.name].values
    document.update((option, _plain(interface[column])) for option, column in _INTERFACE_COLUMNS.items())
    options = document["options"]
    document.update((key, options.pop(key)) for key in OPTION_KEYS if key in options)
    return document


def _database(database: str) -> Document:
    return {"database": database} if database else {}


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, t.Mapping):
        return dict(value)
    return "" if value is None else value
