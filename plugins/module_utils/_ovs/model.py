# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Bridges, ports, interfaces and columns of an Open vSwitch. Values only, without I/O.

The columns are those of ovs-vswitchd.conf.db(5). A value is a str, an int or a bool; None for an optional one that is
not set; a sorted tuple for a set, and a dict for a map.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Indexes, Table

Values = t.Mapping[str, t.Any]

# The shapes of the value of a column.
ONE, OPTIONAL, SET, MAP = "one", "optional", "set", "map"

BRIDGE, PORT, INTERFACE, CONTROLLER, ROOT = "Bridge", "Port", "Interface", "Controller", "Open_vSwitch"

# Configuration columns of bridges, ports and interfaces with their defaults, without status columns and references to
# other rows. The QoS of a port is included, because it remains without the port.
COLUMNS: t.Dict[str, t.Dict[str, t.Tuple[str, t.Any]]] = {
    BRIDGE: {
        "datapath_type": (ONE, "system"),
        "fail_mode": (OPTIONAL, None),
        "protocols": (SET, ()),
        "stp_enable": (ONE, False),
        "rstp_enable": (ONE, False),
        "mcast_snooping_enable": (ONE, False),
        "flood_vlans": (SET, ()),
        "external_ids": (MAP, {}),
        "other_config": (MAP, {}),
    },
    PORT: {
        "tag": (OPTIONAL, None),
        "trunks": (SET, ()),
        "vlan_mode": (OPTIONAL, None),
        "cvlans": (SET, ()),
        "bond_mode": (OPTIONAL, None),
        "lacp": (OPTIONAL, None),
        "bond_updelay": (ONE, 0),
        "bond_downdelay": (ONE, 0),
        "bond_fake_iface": (ONE, False),
        "mac": (OPTIONAL, None),
        "protected": (ONE, False),
        "qos": (OPTIONAL, None),
        "external_ids": (MAP, {}),
        "other_config": (MAP, {}),
    },
    INTERFACE: {
        "type": (ONE, "system"),
        "options": (MAP, {}),
        "mac": (OPTIONAL, None),
        "mtu_request": (OPTIONAL, None),
        "ofport_request": (OPTIONAL, None),
        "cfm_mpid": (OPTIONAL, None),
        "ingress_policing_rate": (ONE, 0),
        "ingress_policing_burst": (ONE, 0),
        "bfd": (MAP, {}),
        "lldp": (MAP, {}),
        "external_ids": (MAP, {}),
        "other_config": (MAP, {}),
    },
}
DEFAULTS: t.Dict[str, Values] = {
    table: {column: default for column, (_shape, default) in columns.items()} for table, columns in COLUMNS.items()
}
# An empty value has this meaning.
ALIASES = {"datapath_type": "system", "type": "system"}
# Keys of the column "options" that are separate options here.
OPTION_KEYS = ("peer", "remote_ip", "local_ip", "key", "dst_port")
# ovs-vsctl stores the external ids of a fake bridge in its port, with this prefix.
FAKE_PREFIX = "fake-bridge-"
TUNNELS = ("erspan", "geneve", "gre", "gtpu", "ip6erspan", "ip6gre", "lisp", "stt", "vxlan", "bareudp")


class Bridge(t.NamedTuple):
    """A bridge; with a ``parent``, a fake bridge, which is a VLAN of its parent. ``controllers`` are targets."""

    name: str
    values: Values
    controllers: t.Tuple[str, ...] = ()
    parent: str = ""
    vlan: int = 0

    @property
    def real(self) -> str:
        """Name of the bridge that has its ports."""
        return self.parent or self.name


class Port(t.NamedTuple):
    """A port of the bridge ``real``, which is never a fake bridge; a bond has several ``interfaces``."""

    name: str
    real: str
    values: Values
    interfaces: t.Tuple[str, ...]


class Interface(t.NamedTuple):
    """An interface. ``ofport`` is None until OVS has set it up, and -1 if it failed, possibly with an ``error``.

    The link of an ``unseen`` interface is not visible in the namespace of OVS. The link of a ``lost`` one was deleted
    with its namespace, which OVS does not notice.
    """

    name: str
    values: Values
    ofport: t.Optional[int] = None
    error: str = ""
    lost: bool = False
    unseen: bool = False

    @property
    def broken(self) -> bool:
        return self.ofport is None or self.ofport < 0


class Bridges(Table[str, Bridge]):
    """Bridges by name, with indexes of fake bridges by parent, and by parent and VLAN."""

    INDEXES: t.ClassVar[Indexes] = {
        "parent": lambda bridge: (bridge.parent,) if bridge.parent else (),
        "vlan": lambda bridge: ((bridge.parent, bridge.vlan),) if bridge.parent else (),
    }


class Ports(Table[str, Port]):
    """Ports by name, with indexes by bridge and by interface."""

    INDEXES: t.ClassVar[Indexes] = {"real": lambda port: (port.real,), "interface": lambda port: port.interfaces}


@dataclasses.dataclass
class Switch:
    """Everything in one database of Open vSwitch.

    ``unusable`` is a sentence on why it could not be read. ``interface_types`` are the types that this OVS supports,
    empty if unknown. ``controller_rows`` has the UUIDs of controllers by bridge and target, ``rows`` those of bridges
    and ports by table and name; for a fake bridge, that of its port. ``taken`` are existing links in the way of links
    that OVS would have to create, by name, with their drivers; ``log`` is the path of its log.
    """

    bridges: t.Dict[str, Bridge] = dataclasses.field(default_factory=dict)
    ports: t.Dict[str, Port] = dataclasses.field(default_factory=dict)
    interfaces: t.Dict[str, Interface] = dataclasses.field(default_factory=dict)
    interface_types: t.Tuple[str, ...] = ()
    controller_rows: t.Dict[t.Tuple[str, str], str] = dataclasses.field(default_factory=dict, compare=False)
    rows: t.Dict[t.Tuple[str, str], str] = dataclasses.field(default_factory=dict, compare=False)
    unusable: str = ""
    taken: t.Dict[str, str] = dataclasses.field(default_factory=dict, compare=False)
    log: str = dataclasses.field(default="", compare=False)

    def port_with(self, interface: str) -> t.Optional[Port]:
        """The port of an interface."""
        names = t.cast("Ports", self.ports).under("interface", interface)
        return self.ports[interface if interface in names else names[0]] if names else None

    def on_bridge(self, real: str) -> t.List[Interface]:
        """Interfaces of all ports of a bridge that is not a fake bridge."""
        ports = (self.ports[name] for name in t.cast("Ports", self.ports).under("real", real))
        names = (name for port in ports for name in port.interfaces)
        return [self.interfaces[name] for name in names if name in self.interfaces]

    def trouble(self, interface: str) -> str:
        """A sentence on an interface that OVS can't set up; empty if it works."""
        port = self.port_with(interface)
        what = "OVS %s '%s'" % ("bridge" if interface in self.bridges else "port", interface)
        if port and port.name != interface:
            what = "interface '%s' of OVS port '%s'" % (interface, port.name)
        return "Open vSwitch can't set up %s: %s" % (what, self._why_broken(interface))

    def _why_broken(self, interface: str) -> str:
        """The cause, as far as OVS reports it, and what to do."""
        port = self.port_with(interface)
        bridge = self.bridges.get(port.real) if port else None
        error = self.interfaces[interface].error if interface in self.interfaces else ""
        log = "See %s." % self.log if self.log else "See the log of ovs-vswitchd."
        if error:
            return error.rstrip(".") + "."
        if bridge and bridge.values.get("datapath_type") == "system":
            return (
                "Open vSwitch gives no reason, and the most common one is that this kernel lacks the module openvswitch, "
                "the datapath of 'datapath_type: system' (the default). 'datapath_type: netdev' of OVS bridge '%s' needs "
                "no kernel module. %s" % (bridge.name, log)
            )
        return "Open vSwitch gives no reason. " + log

    def internal(self) -> t.Set[str]:
        """Names of the interfaces whose links OVS creates."""
        return {name for name, interface in self.interfaces.items() if interface.values["type"] == "internal"}

    def __post_init__(self) -> None:
        self.bridges = Bridges(self.bridges)
        self.ports = Ports(self.ports)
        self.interfaces = Table(self.interfaces)

    def copy(self) -> Switch:
        """A Switch that can be changed without changing this one (its values are immutable)."""
        return dataclasses.replace(self)

    def tables(self) -> t.Tuple[Table[t.Any, t.Any], ...]:
        """The tables that steps change."""
        return tuple(t.cast("Table[t.Any, t.Any]", table) for table in (self.bridges, self.ports, self.interfaces))

    def fakes(self, real: str) -> t.List[Bridge]:
        """The fake bridges of a bridge."""
        return [self.bridges[name] for name in t.cast("Bridges", self.bridges).under("parent", real)]

    def fakes_for(self, port: Port) -> t.List[str]:
        """Names of the fake bridges that have a port because of its tag."""
        return t.cast("Bridges", self.bridges).under("vlan", (port.real, port.values["tag"]))

    def ports_with(self, index: str, word: str) -> t.List[Port]:
        """Ports in an index of ``Ports``, by key."""
        return [self.ports[name] for name in t.cast("Ports", self.ports).under(index, word)]

    def add_bridge(self, name: str, parent: str = "", vlan: int = 0) -> None:
        """Add a bridge with its local port; with a ``parent``, a fake bridge."""
        values = DEFAULTS[BRIDGE] if not parent else {"external_ids": {}}
        self.bridges[name] = Bridge(name, values, parent=parent, vlan=vlan)
        own = {**DEFAULTS[PORT], "tag": vlan if parent else None}
        self.ports[name] = Port(name, parent or name, own, (name,))
        self.interfaces[name] = Interface(name, {**DEFAULTS[INTERFACE], "type": "internal"})

    def bridge_of(self, port: Port) -> str:
        """The bridge of a port as ovs-vsctl reports it: a fake bridge has the ports with its tag."""
        return next((name for name in self.fakes_for(port) if name != port.name), port.real)

    def ports_of(self, bridge: Bridge) -> t.List[str]:
        """Names of the ports of a bridge, without its local port and those of fake bridges."""
        return sorted(port.name for port in self.ports_with("real", bridge.real) if self.has_port(bridge, port))

    def has_port(self, bridge: Bridge, port: Port) -> bool:
        """Whether a port is among ``ports_of`` a bridge."""
        if port.real != bridge.real or port.name in self.bridges:
            return False
        return bool(port.values["tag"] == bridge.vlan if bridge.parent else not self.fakes_for(port))


class WantedBridge(t.NamedTuple):
    """What a document requests for a bridge; options that it omits are missing here as well.

    ``values`` are by column; for a map, the keys to change, with None for keys to remove. ``clear`` names the maps
    that lose all other keys, ``purge`` the sets and lists that are made exact.
    """

    database: str
    name: str
    present: bool
    values: Values
    clear: t.Tuple[str, ...] = ()
    purge: t.Tuple[str, ...] = ()
    controllers: t.Optional[t.Tuple[str, ...]] = None
    parent: str = ""
    vlan: int = 0
    ports: t.Optional[t.Tuple[str, ...]] = None


class WantedPort(t.NamedTuple):
    """What a document requests for a port, in the same way; ``interface`` has the values of its interface."""

    database: str
    bridge: str
    name: str
    present: bool
    values: Values
    interface: Values
    clear: t.Tuple[str, ...] = ()
    purge: t.Tuple[str, ...] = ()
    interfaces: t.Optional[t.Tuple[str, ...]] = None
    move_from: t.Optional[str] = None
