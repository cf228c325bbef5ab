# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What an Open vSwitch has: bridges, ports, interfaces, and the columns of its database. Values only: nothing here does I/O.

The columns are those of ovs-vswitchd.conf.db(5). A value is kept as a str, an int or a bool; as None for an optional one
that is not set; as a sorted tuple for a set, and as a dict for a map.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Indexes, Table

Values = t.Mapping[str, t.Any]

# The shapes that a column's value has.
ONE, OPTIONAL, SET, MAP = "one", "optional", "set", "map"

BRIDGE, PORT, INTERFACE, CONTROLLER, ROOT = "Bridge", "Port", "Interface", "Controller", "Open_vSwitch"

# What a bridge, a port and an interface are configured with, and what a new one has; nothing that OVS tells of them.
# What a row refers to is left out, but for the QoS of a port, which lives on without it.
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
# An empty one means this one.
ALIASES = {"datapath_type": "system", "type": "system"}
# Keys of the column "options" that are options of their own here.
OPTION_KEYS = ("peer", "remote_ip", "local_ip", "key", "dst_port")
# ovs-vsctl keeps the external ids of a fake bridge in its port, with this before each.
FAKE_PREFIX = "fake-bridge-"
TUNNELS = ("erspan", "geneve", "gre", "gtpu", "ip6erspan", "ip6gre", "lisp", "stt", "vxlan", "bareudp")


class Bridge(t.NamedTuple):
    """A bridge; one with a ``parent`` is a fake bridge, which is a VLAN of its parent. ``controllers`` are targets."""

    name: str
    values: Values
    controllers: t.Tuple[str, ...] = ()
    parent: str = ""
    vlan: int = 0

    @property
    def real(self) -> str:
        """The name of the bridge that has its ports."""
        return self.parent or self.name


class Port(t.NamedTuple):
    """A port of the bridge ``real``, which is no fake bridge; ``interfaces`` are several where it is a bond."""

    name: str
    real: str
    values: Values
    interfaces: t.Tuple[str, ...]


class Interface(t.NamedTuple):
    """An interface. ``ofport`` is None until OVS has set it up, and -1 where it can't, as ``error`` may tell.

    One that is ``unseen`` has a link that OVS can't see from its own namespace. One that is ``lost`` has lost its link, which went
    with its namespace; OVS doesn't notice that.
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
    """Bridges by their names; fake ones are also found by their parent, and by that and their VLAN."""

    INDEXES: t.ClassVar[Indexes] = {
        "parent": lambda bridge: (bridge.parent,) if bridge.parent else (),
        "vlan": lambda bridge: ((bridge.parent, bridge.vlan),) if bridge.parent else (),
    }


class Ports(Table[str, Port]):
    """Ports by their names. They are also found by the bridge that has them, and by their interfaces."""

    INDEXES: t.ClassVar[Indexes] = {"real": lambda port: (port.real,), "interface": lambda port: port.interfaces}


@dataclasses.dataclass
class Switch:
    """All that one database of Open vSwitch has.

    ``unusable`` is the sentence on why there is none. ``interface_types`` are those that this OVS knows, none where it
    doesn't say. ``controller_rows`` has the UUIDs of controllers by bridge and target, ``rows`` those of bridges and ports
    by table and name; for a fake bridge, that of its port. ``taken`` are links that are there and that OVS would have to make,
    by name, with their drivers; ``log`` is the path of its log.
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
        """The port that has an interface."""
        names = t.cast("Ports", self.ports).under("interface", interface)
        return self.ports[interface if interface in names else names[0]] if names else None

    def on_bridge(self, real: str) -> t.List[Interface]:
        """The interfaces of all ports of a bridge that is no fake bridge."""
        ports = (self.ports[name] for name in t.cast("Ports", self.ports).under("real", real))
        names = (name for port in ports for name in port.interfaces)
        return [self.interfaces[name] for name in names if name in self.interfaces]

    def trouble(self, interface: str) -> str:
        """The sentence on an interface that OVS can't set up."""
        port = self.port_with(interface)
        what = "OVS %s '%s'" % ("bridge" if interface in self.bridges else "port", interface)
        if port and port.name != interface:
            what = "interface '%s' of OVS port '%s'" % (interface, port.name)
        return "Open vSwitch can't set up %s: %s" % (what, self._why_broken(interface))

    def _why_broken(self, interface: str) -> str:
        """The cause, as far as OVS tells it, and what to do about it."""
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
        """The names of the interfaces that are links which OVS makes."""
        return {name for name, interface in self.interfaces.items() if interface.values["type"] == "internal"}

    def __post_init__(self) -> None:
        self.bridges = Bridges(self.bridges)
        self.ports = Ports(self.ports)
        self.interfaces = Table(self.interfaces)

    def copy(self) -> Switch:
        """A Switch that can be changed without changing this one (what is in it is immutable)."""
        return dataclasses.replace(self)

    def tables(self) -> t.Tuple[Table[t.Any, t.Any], ...]:
        """The tables that steps change."""
        return tuple(t.cast("Table[t.Any, t.Any]", table) for table in (self.bridges, self.ports, self.interfaces))

    def fakes(self, real: str) -> t.List[Bridge]:
        """The fake bridges upon a bridge."""
        return [self.bridges[name] for name in t.cast("Bridges", self.bridges).under("parent", real)]

    def fakes_for(self, port: Port) -> t.List[str]:
        """The names of the fake bridges that have a port because of its tag."""
        return t.cast("Bridges", self.bridges).under("vlan", (port.real, port.values["tag"]))

    def ports_with(self, index: str, word: str) -> t.List[Port]:
        """The ports that an index of ``Ports`` has under a word."""
        return [self.ports[name] for name in t.cast("Ports", self.ports).under(index, word)]

    def add_bridge(self, name: str, parent: str = "", vlan: int = 0) -> None:
        """Have a new bridge, with its own port; with a ``parent``, a fake one."""
        values = DEFAULTS[BRIDGE] if not parent else {"external_ids": {}}
        self.bridges[name] = Bridge(name, values, parent=parent, vlan=vlan)
        own = {**DEFAULTS[PORT], "tag": vlan if parent else None}
        self.ports[name] = Port(name, parent or name, own, (name,))
        self.interfaces[name] = Interface(name, {**DEFAULTS[INTERFACE], "type": "internal"})

    def bridge_of(self, port: Port) -> str:
        """The bridge that a port is on, as ovs-vsctl tells it: a fake bridge has the ports with its tag."""
        return next((name for name in self.fakes_for(port) if name != port.name), port.real)

    def ports_of(self, bridge: Bridge) -> t.List[str]:
        """The names of a bridge's ports, without its own one and those of fake bridges."""
        return sorted(port.name for port in self.ports_with("real", bridge.real) if self.has_port(bridge, port))

    def has_port(self, bridge: Bridge, port: Port) -> bool:
        """Whether a port is among ``ports_of`` a bridge."""
        if port.real != bridge.real or port.name in self.bridges:
            return False
        return bool(port.values["tag"] == bridge.vlan if bridge.parent else not self.fakes_for(port))


class WantedBridge(t.NamedTuple):
    """What an option document asks of a bridge; what it left out isn't here.

    ``values`` are by column; of a map, the keys that are to change, None for those that are to go. ``clear`` names the maps that
    are to lose all other keys, ``purge`` the sets and lists that are to have nothing else.
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
    """What an option document asks of a port, in the same way; ``interface`` has the values of its interface."""

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
