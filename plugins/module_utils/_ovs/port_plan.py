# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan ports of Open vSwitch: (observed, wanted) → Plan. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import (
    Draft,
    Plan,
    Planner,
    Planning,
    Step,
    simulate,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import port_steps as ports
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import steps
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    ALIASES,
    COLUMNS,
    INTERFACE,
    MAP,
    OPTION_KEYS,
    PORT,
    SET,
    TUNNELS,
    Bridge,
    Interface,
    Port,
    Switch,
    Values,
    WantedBridge,
    WantedPort,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.tunnel_options import tunnel_problem

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted


def make_plan(state: State, wanted: Wanted) -> Plan:
    """The plan that gives a host in ``state`` the ``wanted`` OVS ports, on existing bridges.

    Raises BadInput or Conflict if that is impossible.
    """
    draft = Draft(state)
    planner = OvsPortPlanner(draft)
    planner.ovs(wanted)
    planner.delete()
    planner.check_numbers(wanted)
    return draft.plan()


def make_repair(_state: State, _target: State, _observed: bool) -> t.List[Step]:
    """No steps: steps of Open vSwitch have no side effects, and other differences are changes of other programs."""
    return []


def differences(before: State, now: State, done: t.Sequence[Step]) -> t.List[str]:
    """A sentence for each difference between two States in what the executed steps have changed."""
    found: t.List[str] = []
    if not done or not before.ovs:
        return found
    after = before.copy()
    simulate(after, done)
    for database, then in before.ovs.items():
        switch = now.ovs.get(database, Switch())
        if switch.unusable:
            found.append(switch.unusable)
            continue
        was, ours, new = _facts(then), _facts(after.ovs[database]), _facts(switch)
        for row in sorted(was.keys() | ours.keys()):
            if was.get(row) != ours.get(row):
                found += _differ(row, was.get(row), new.get(row))
    return found


def _differ(row: str, old: t.Optional[Values], new: t.Optional[Values]) -> t.List[str]:
    if old is None or new is None:
        return [] if old is new else ["OVS %s is %s." % (row, "gone" if new is None else "there")]
    return ["%s of OVS %s was %r and is %r." % (key, row, old[key], new[key]) for key in old if old[key] != new[key]]


def _facts(switch: Switch) -> t.Dict[str, Values]:
    """The configuration in a State, by row."""
    facts: t.Dict[str, Values] = {}
    for bridge in switch.bridges.values():
        place = {"parent": bridge.parent, "vlan": bridge.vlan}
        facts["bridge '%s'" % bridge.name] = {**bridge.values, "controllers": bridge.controllers, **place}
    for port in switch.ports.values():
        facts["port '%s'" % port.name] = {**port.values, "bridge": port.real, "interfaces": port.interfaces}
    for interface in switch.interfaces.values():
        facts["interface '%s'" % interface.name] = interface.values
    return facts


class OvsPortPlanner(Planner):
    """Plans steps for ports of Open vSwitch."""

    state: State
    before: State

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.new_links: t.Dict[str, str] = {}  # kinds of the links that other planners create, by name

    def ovs(self, wanted: Wanted) -> None:
        """Plan everything. Raises BadInput or Conflict."""
        self.ovs_missing(wanted)
        self._lost_links()
        # A port requires its bridge.
        self._ovs_bridges(wanted.ovs_bridges)
        for port in wanted.ovs_ports:
            if port.present:
                self._port(port)
            else:
                self._absent_port(port)

    def ovs_missing(self, wanted: Wanted) -> None:
        """Note each wanted database that can't be read."""
        self.missing += (
            switch.unusable for switch in map(self.state.ovs.get, wanted.databases()) if switch and switch.unusable
        )

    def _lost_links(self) -> None:
        """Create lost links again, if they were observed."""
        for database, switch in self.state.ovs.items():
            for interface in sorted(interface.name for interface in switch.interfaces.values() if interface.lost):
                port = switch.port_with(interface)
                bridge = switch.bridges.get(port.real) if port else None
                userspace = bool(bridge and bridge.values.get("datapath_type") == "netdev")
                self.warnings.append(
                    "The link of OVS interface '%s' went with its network namespace; Open vSwitch makes it again in its own "
                    "one, without addresses and down." % interface
                )
                self.do(ports.LinkAgain(database, interface, userspace))

    def _ovs_bridges(self, wanted: t.Sequence[WantedBridge]) -> None:
        """Plan bridges; overridden by planners that can."""

    def _port(self, wanted: WantedPort) -> None:
        switch = self.state.ovs[wanted.database]
        if wanted.bridge not in switch.bridges:
            self._missing_bridge(wanted.database, wanted.bridge, "bridge", wanted.name)
        bridge = switch.bridges[wanted.bridge]
        if wanted.name in switch.bridges and wanted.name != wanted.bridge:
            raise Conflict("'%s' is an OVS bridge, and can't be a port of '%s'." % (wanted.name, wanted.bridge))
        asked = wanted.interface.get("type")
        if asked and switch.interface_types and asked not in (*switch.interface_types, ALIASES["type"]):
            raise Conflict(
                "Option type of OVS port '%s': this Open vSwitch has no %s; it has %s."
                % (wanted.name, quoted(asked), ", ".join(switch.interface_types))
            )
        if wanted.name not in switch.ports:
            self._create_port(wanted, bridge)
        else:
            self._move_port(wanted, switch.ports[wanted.name], bridge)
        port = switch.ports[wanted.name]
        values = dict(wanted.values)
        if bridge.parent and values.setdefault("tag", bridge.vlan) != bridge.vlan:
            raise BadInput(
                "Option tag of OVS port '%s': '%s' is a fake bridge for VLAN %d, and its ports have that tag."
                % (wanted.name, bridge.name, bridge.vlan)
            )
        self._members(wanted, port)
        self._assign(wanted, PORT, wanted.name, port.values, values)
        if wanted.interface:
            if len(port.interfaces) != 1:
                raise BadInput(
                    "OVS port '%s' is a bond of %s; give no options of a single interface (%s)."
                    % (wanted.name, ", ".join(port.interfaces), ", ".join(sorted(wanted.interface)))
                )
            (name,) = port.interfaces
            self._check_options(wanted, switch.interfaces[name])
            self._assign(wanted, INTERFACE, name, switch.interfaces[name].values, wanted.interface)
        self._check_works(wanted.database, wanted.name)
        self._check_request(wanted, switch)

    def _create_port(self, wanted: WantedPort, bridge: Bridge) -> None:
        interfaces = wanted.interfaces or (wanted.name,)
        if wanted.interfaces is not None and len(interfaces) < 2:
            raise BadInput("Option interfaces of OVS port '%s': a bond needs at least two." % wanted.name)
        internal = wanted.interface.get("type") == "internal"
        self._new_port(wanted.database, bridge, wanted.name, interfaces, internal)

    def _new_port(
        self, database: str, bridge: Bridge, name: str, interfaces: t.Tuple[str, ...], internal: bool = False
    ) -> None:
        switch = self.state.ovs[database]
        for taken in {name, *interfaces}:
            check_free(switch, taken)
        if internal:
            self._check_no_link(switch, name, "Internal OVS port")
        self.do(ports.PortAdd(database, bridge.real, name, interfaces))
        if bridge.parent:
            self.do(steps.ColumnSet(database, PORT, name, "tag", None, bridge.vlan))

    def _move_port(self, wanted: WantedPort, port: Port, bridge: Bridge) -> None:
        switch = self.state.ovs[wanted.database]
        here = switch.bridge_of(port)
        if bridge.name in (here, port.real, port.name):
            return  # ports of a fake bridge are ports of its parent as well, and so is its local port
        if wanted.move_from not in (here, port.real):
            asked = ", and not on '%s'" % wanted.move_from if wanted.move_from else ""
            raise Conflict(
                "OVS port '%s' is on bridge '%s'%s. No changes were made. 'move_from: %s' moves it to '%s'."
                % (wanted.name, here, asked, here, wanted.bridge)
            )
        if port.real != bridge.real:
            self.do(ports.PortMove(wanted.database, wanted.name, port.real, bridge.real))

    def _members(self, wanted: WantedPort, port: Port) -> None:
        if wanted.interfaces is None or port.interfaces == wanted.interfaces:
            return
        if port.interfaces == (wanted.name,):
            raise Conflict(
                "OVS port '%s' is no bond: it has the interface of its own name. No changes were made. Remove it first, or "
                "give the bond another name." % wanted.name
            )
        switch = self.state.ovs[wanted.database]
        final = {*wanted.interfaces, *(() if "interfaces" in wanted.purge else port.interfaces)}
        if len(final) < 2:
            raise BadInput("Option interfaces of OVS port '%s': a bond needs at least two." % wanted.name)
        for name in sorted(final - {*port.interfaces}):
            check_free(switch, name)
            self.do(ports.MemberAdd(wanted.database, wanted.name, name))
        for name in sorted({*port.interfaces} - final):
            self.do(ports.MemberDel(wanted.database, wanted.name, name))

    def _check_options(self, wanted: WantedPort, interface: Interface) -> None:
        kind = wanted.interface.get("type", interface.values["type"])
        has = interface.values["options"]
        asked = {key: value for key, value in wanted.interface.get("options", {}).items() if value is not None}
        # Options that OVS has kept from another type don't matter, unless the type is new.
        given = {key for key, value in asked.items() if has.get(key) != value or kind != interface.values["type"]}
        if interface.values["type"] == "internal" != kind:
            self.warnings.append(
                "OVS port '%s' was an internal one; its link goes, with its addresses and whatever else it had."
                % wanted.name
            )
        mac = wanted.interface.get("mac")
        if mac and kind != "internal" and not steps.same("mac", mac, interface.values["mac"]):
            raise BadInput(
                "Option mac of OVS port '%s' is for 'type: internal', and this is %s; OVS leaves its address alone."
                % (wanted.name, kind)
            )
        if "peer" in given and kind != "patch":
            raise BadInput("Option peer of OVS port '%s' is for 'type: patch', and this is %s." % (wanted.name, kind))
        if given & {"remote_ip", "local_ip", "key", "dst_port"} and kind not in TUNNELS:
            raise BadInput(
                "Options remote_ip, local_ip, key and dst_port of OVS port '%s' are for tunnels, such as 'type: vxlan', "
                "and this is %s." % (wanted.name, kind)
            )
        will = {**has, **wanted.interface.get("options", {})}
        stays = kind == interface.values["type"]  # an existing port may lack the same options as before
        if kind == "patch" and not will.get("peer") and not (stays and not has.get("peer")):
            raise BadInput("OVS port '%s' is a patch port and needs option peer." % wanted.name)
        if kind in TUNNELS and not will.get("remote_ip") and not (stays and not has.get("remote_ip")):
            raise BadInput("OVS port '%s' is a tunnel and needs option remote_ip, an address or 'flow'." % wanted.name)
        if kind in TUNNELS:
            key, why = tunnel_problem(kind, {k: v for k, v in will.items() if v is not None}, list(asked))
            if why:
                raise BadInput("Option %s of OVS port '%s': %s" % (key, wanted.name, why))
        if kind == "patch" and asked.get("peer") == wanted.name:
            raise BadInput("Option peer of OVS port '%s': a patch port can't be its own peer." % wanted.name)

    def _absent_port(self, wanted: WantedPort) -> None:
        switch = self.state.ovs[wanted.database]
        port, bridge = switch.ports.get(wanted.name), switch.bridges.get(wanted.bridge)
        if port is None or bridge is None:
            return
        if wanted.name in switch.bridges:
            raise Conflict(
                "'%s' is an OVS bridge, whose own port goes with it only; virtnet.linux.ovs_bridge deletes it."
                % wanted.name
            )
        if switch.bridge_of(port) == bridge.name or port.real == bridge.name:
            self.last.append(lambda: self.do(ports.PortDel(wanted.database, wanted.name)))

    def _check_request(self, wanted: WantedPort, switch: Switch) -> None:
        asked = wanted.interface.get("ofport_request")
        there = self.before.ovs[wanted.database].interfaces.get(wanted.name)
        if asked and there and not there.broken and there.values["ofport_request"] == asked != there.ofport:
            self.broken.append(
                "OVS port '%s' has the OpenFlow port number %s and not the %d of option ofport_request, which another port "
                "may have." % (wanted.name, there.ofport, asked)
            )

    def check_numbers(self, wanted: Wanted) -> None:
        """Raise Conflict if two ports of a bridge request the same OpenFlow port number."""
        for port in wanted.ovs_ports:
            switch, before = self.state.ovs[port.database], self.before.ovs[port.database]
            number = port.interface.get("ofport_request")
            there = switch.ports.get(port.name)
            if not number or not there or not port.present:
                continue
            rivals = {
                other.name
                for other in switch.on_bridge(there.real)
                if other.values["ofport_request"] == number and other.name not in there.interfaces
            }
            had = before.interfaces.get(there.interfaces[0])
            if rivals and not (had and had.values["ofport_request"] == number):
                raise Conflict(
                    "Option ofport_request of OVS port '%s': '%s' on bridge '%s' requests the OpenFlow port number %d, too; "
                    "give one of them another one. No changes were made." % (port.name, min(rivals), there.real, number)
                )

    # Bridges and ports

    def _check_no_link(self, switch: Switch, name: str, what: str) -> None:
        """Raise Conflict if the name of a link that OVS has to create is taken by another link."""
        driver = switch.taken.get(name)
        if driver is not None:
            kinds = {"bridge": "a Linux bridge", "tun": "a tun or tap", "": "of the kernel"}
            raise Conflict(
                "%s '%s' can't be made: there is a link of that name already, which is %s. Choose another name, or delete that "
                "link first ('ip link delete %s'). No changes were made."
                % (what, name, kinds.get(driver, "of the driver " + driver), name)
            )
        if name in self.new_links:
            raise Conflict(
                "%s '%s' can't be made: option links lists a %s of that name. No changes were made."
                % (what, name, self.new_links[name])
            )

    def _missing_bridge(self, database: str, name: str, option: str, needed_by: str) -> None:
        self.missing.append(
            "There is no OVS bridge '%s' (option %s of '%s'); make it first, for instance with virtnet.linux.ovs_bridge."
            % (name, option, needed_by)
        )
        self.state.ovs[database].add_bridge(name)
        self.state.devices((), (name,))
        self.state.seized((name,))

    def _assign(
        self, wanted: t.Union[WantedBridge, WantedPort], table: str, record: str, old: Values, asked: Values
    ) -> None:
        new: t.Dict[str, t.Any] = {}
        for column, value in asked.items():
            shape = COLUMNS[table][column][0]
            where = "interface_" + column if table == INTERFACE else column
            if shape == MAP:
                new[column] = merge_map(
                    old[column], value, where in wanted.clear, OPTION_KEYS if column == "options" else ()
                )
            elif shape == SET and value and column not in wanted.purge:
                new[column] = tuple(sorted({*old[column], *value}))
            else:
                new[column] = value
        for step in steps.assign(wanted.database, table, record, old, new):
            self._warn_renumbered(step)
            self.do(step)

    def _warn_renumbered(self, step: steps.OvsStep) -> None:
        """Warn of the consequences of another OpenFlow port number."""
        if not isinstance(step, steps.ColumnSet) or step.table != INTERFACE:
            return
        switch = self.state.ovs[step.database]
        for interface in step.renumbers(switch):
            if interface.name != step.record:
                self.warnings.append(
                    "OVS interface '%s' has the OpenFlow port number %d, which '%s' requests (option ofport_request): it gets "
                    "another one, and flows that name the old number no longer match it."
                    % (interface.name, step.new, step.record)
                )
            if interface.values["type"] == "internal":
                self.warnings.append(
                    "With another OpenFlow port number Open vSwitch makes the link of internal port '%s' anew, down and in its own "
                    "network namespace; its addresses and routes are lost." % interface.name
                )

    def _check_works(self, database: str, name: str) -> None:
        """Warn of an existing interface that OVS can't set up."""
        before = self.before.ovs[database]
        for member in self.state.ovs[database].ports[name].interfaces:
            interface = before.interfaces.get(member)
            if interface and interface.broken:
                self.broken.append(before.trouble(member))


def merge_map(old: Values, asked: Values, clear: bool, keep: t.Sequence[str] = ()) -> t.Dict[str, str]:
    """Merge the requested keys into a map; ``clear`` removes all others except ``keep``."""
    kept = {key: value for key, value in old.items() if not clear or key in (*keep, *asked)}
    new = {key: value for key, value in asked.items() if key != "hwaddr" or not steps.same("mac", old.get(key), value)}
    merged = {**kept, **new}
    return {key: value for key, value in merged.items() if value is not None}


def check_free(switch: Switch, name: str) -> None:
    if name in switch.ports:
        port = switch.ports[name]
        what = "bridge" if name in switch.bridges else "port of bridge '%s'" % switch.bridge_of(port)
        raise Conflict("OVS has a %s of the name '%s' already. No changes were made." % (what, name))
    owner = next((port.name for port in switch.ports_with("interface", name)), None)
    if owner:
        raise Conflict("'%s' is an interface of OVS port '%s' already. No changes were made." % (name, owner))


PLANNING = Planning(make_plan, make_repair, differences)
