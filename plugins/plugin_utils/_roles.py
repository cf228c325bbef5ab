# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is wrong with the options of a role, found before anything is touched.

``errors`` is the entry. A role has one function here, which reads all options that the state needs and compares them with
each other; what can't be read is reported by the name of the option and left out of the comparison.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import values
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted, upper
from ansible_collections.virtnet.linux.plugins.plugin_utils import _readers as readers

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.plugin_utils._readers import Reader

STATE = readers.choice("present", "absent")
TYPE = readers.choice("linux", "ovs")
DATAPATH_TYPE = readers.choice("system", "netdev")
LINUX_PORTS_MAX = 1023  # BR_MAX_PORTS of net/bridge/br_private.h
OVS_PORTS_MAX = 65279  # OFPP_MAX of OpenFlow, less the local port
TAP_MTU = readers.number(68, 65521)
MTU = readers.number(68, 65535)


class Element(t.NamedTuple):
    """An element of a list of dictionaries: where it is, and the options that are given, None for those that are wrong."""

    where: str
    options: t.Mapping[str, t.Any]


class Check:
    """Reads the options of a role; ``errors`` has a sentence for each that is wrong."""

    def __init__(self, role: str, given: t.Mapping[str, t.Any]) -> None:
        self.errors: t.List[str] = []
        self._role = role
        self._given = given

    def where(self, name: str) -> str:
        return "option %s_%s" % (self._role, name)

    def given(self, name: str) -> bool:
        return self._given.get(name) not in (None, [])

    def refuse(self, sentence: str) -> None:
        self.errors.append(upper(sentence))

    def option(self, name: str, reader: Reader, optional: bool = False) -> t.Any:
        """The value of an option, or None where it is wrong, or optional and not given."""
        value = self._given.get(name)
        if value is None and not optional:
            self.refuse("%s has no value; leave it out, or give it one." % self.where(name))
        return self.read(value, self.where(name), reader)

    def read(self, value: t.Any, where: str, reader: Reader) -> t.Any:
        if value is None:
            return None
        try:
            return reader(value, where)
        except BadInput as error:
            self.errors.extend(error.sentences)
            return None

    def elements(self, name: str, options: t.Mapping[str, Reader], required: t.Collection[str]) -> t.List[Element]:
        """A list of dictionaries with these options."""
        found = []
        for index, given in enumerate(self.option(name, readers.listing) or []):
            where = "%s[%d]" % (self.where(name), index)
            if not isinstance(given, t.Mapping):
                self.refuse("%s: %s isn't a dictionary with the options of an element." % (where, quoted(given)))
                continue
            for unknown in [key for key in given if key not in options]:
                self.refuse("%s has no option %s; there are %s." % (where, quoted(unknown), ", ".join(options)))
            for missing in [key for key in required if given.get(key) is None]:
                self.refuse("%s lacks the option %s." % (where, missing))
            there = [key for key in options if given.get(key) is not None]
            found.append(
                Element(where, {key: self.read(given[key], "%s.%s" % (where, key), options[key]) for key in there})
            )
        return found

    def distinct(self, what: str, named: t.Iterable[t.Tuple[str, t.Any]]) -> None:
        """Refuse what two places, each with its value, have in common."""
        first: t.Dict[t.Any, str] = {}
        for where, value in named:
            if value is not None and value in first:
                self.refuse("%s and %s: both are %s; %s must differ." % (first[value], where, quoted(str(value)), what))
            first.setdefault(value, where)


def errors(role: str, given: t.Mapping[str, t.Any]) -> t.List[str]:
    """Sentences on what is wrong with the options of a role, given by their names without the prefix of the role."""
    check = Check(role, given)
    ROLES[role](check)
    return list(dict.fromkeys(check.errors))


def _namespace_bridge(check: Check) -> None:
    state = check.option("state", STATE)
    bridge = check.option("name", readers.link_name)
    if state == "absent":
        return
    kind = check.option("type", TYPE)
    check.option("datapath_type", DATAPATH_TYPE)
    check.option("interface", readers.link_name)
    check.option("persist", readers.boolean)
    spaces = _spaces(check, bridge)
    most = LINUX_PORTS_MAX if kind == "linux" else OVS_PORTS_MAX
    if len(spaces) > most:
        option = "namespaces" if check.given("namespaces") else "count"
        check.refuse("%s: a bridge has at most %d ports." % (check.where(option), most))
        return
    check.distinct("names of namespaces", ((space.where + ".name", space.options.get("name")) for space in spaces))
    check.distinct("names of links", [(check.where("name"), bridge), *_ports(check, spaces)])
    prefix = check.option("prefix", _network_or_none)
    nat = check.option("nat", readers.boolean)
    if nat and prefix is not None and (prefix == "" or prefix.version != 4):
        check.refuse(
            "NAT (namespace_bridge_nat) is for IPv4 and needs a namespace_bridge_prefix such as 192.0.2.0/24; it is %s."
            % quoted(str(prefix))
        )
    _addresses(check, spaces, prefix)


def _network_or_none(value: t.Any, where: str) -> t.Any:
    return "" if value == "" else readers.network(value, where)


def _address_or_none(value: t.Any, where: str) -> str:
    return "" if value == "" else readers.address(value, where)


def _spaces(check: Check, bridge: t.Optional[str]) -> t.List[Element]:
    """The namespaces, listed or counted."""
    listed = check.elements(
        "namespaces",
        {"name": readers.namespace_name, "addresses": _own_addresses, "port": readers.link_name},
        ["name"],
    )
    number = check.option("count", readers.number(0, OVS_PORTS_MAX)) or 0
    if listed and number:
        check.refuse("Give namespace_bridge_namespaces or namespace_bridge_count, not both.")
    if listed or not number or not bridge:
        return listed
    name = "%s-%d" % (bridge, number)
    if len(name.encode()) > 15:
        check.refuse(
            "%s: the namespaces and their ports are called %s-1 to %s; names of links have at most 15 bytes."
            % (check.where("name"), bridge, name)
        )
    names = ["%s-%d" % (bridge, place) for place in range(1, number + 1)]
    return [Element(check.where("count"), {"name": name, "port": name}) for name in names]


def _own_addresses(value: t.Any, where: str) -> t.List[str]:
    # Ansible reads a text as a list with commas.
    return t.cast("t.List[str]", _ADDRESSES(value.split(",") if isinstance(value, str) else value, where))


def _own_address(value: t.Any, where: str) -> str:
    """An address for a link that isn't the loopback device."""
    found = readers.address(value, where)
    if found.split("/")[0] == "::1":
        raise BadInput("%s: %s is the address of the loopback device." % (upper(where), quoted(value)))
    return found


_ADDRESSES = readers.list_of(_own_address)


def _ports(check: Check, spaces: t.Iterable[Element]) -> t.Iterator[t.Tuple[str, t.Optional[str]]]:
    """The names of the ports. Without one of its own, a port has the name of its namespace."""
    for where, options in spaces:
        if "port" in options:
            yield where + ".port", options["port"]
        else:
            place = "%s.name (the name of the port, too, unless there is an option port)" % where
            yield place, check.read(options.get("name"), place, readers.link_name)


def _addresses(check: Check, spaces: t.Sequence[Element], prefix: t.Any) -> None:
    """Check the addresses of the namespaces, given or counted, with that of the gateway."""
    counted: t.List[str] = []
    if prefix:
        try:
            counted = readers.count(prefix, len(spaces) + 1)
        except BadInput as error:
            check.refuse("%s: %s" % (check.where("prefix"), error))
            return
    gateway, place = check.option("gateway", _address_or_none, optional=True), check.where("gateway")
    if not check.given("gateway"):
        gateway, place = (counted or [""])[0], "%s (its first address, which is the gateway's)" % check.where("prefix")
    theirs = [_addresses_of(check, space, counted[number : number + 1]) for number, space in enumerate(spaces, 1)]
    named = [(place, gateway), *itertools.chain.from_iterable(theirs)]
    check.distinct("addresses", ((where, address.split("/")[0]) for where, address in named if address))
    if gateway:
        _check_network_of(check, gateway, place)
        for space, addresses in zip(spaces, theirs):
            if space.options.get("addresses", counted) is not None:
                _check_way_out(check, gateway, space.where, [address for _place, address in addresses])


def _addresses_of(check: Check, space: Element, counted: t.Sequence[str]) -> t.List[t.Tuple[str, str]]:
    """The addresses of a namespace, each with where it comes from. It has the counted one if none are given."""
    if "addresses" not in space.options:
        where = "%s (its address is counted from %s)" % (space.where, check.where("prefix"))
        return [(where, address) for address in counted]
    given = space.options["addresses"] or []
    return [("%s.addresses[%d]" % (space.where, index), address) for index, address in enumerate(given)]


def _check_network_of(check: Check, gateway: str, place: str) -> None:
    parsed = ipaddress.ip_interface(gateway)
    network = parsed.network
    ends = (network.network_address, network.broadcast_address) if parsed.version == 4 else (network.network_address,)
    if network.max_prefixlen - network.prefixlen > 1 and parsed.ip in ends:
        check.refuse("%s: %s is the address of a network, not of a host." % (place, quoted(gateway)))


def _check_way_out(check: Check, gateway: str, where: str, addresses: t.Sequence[str]) -> None:
    """Check that a namespace reaches the gateway. Every IPv6 link has a link-local address."""
    ip = ipaddress.ip_interface(gateway).ip
    if ip.version == 6 and ip.is_link_local:
        return
    if not any(ip in ipaddress.ip_interface(address).network for address in addresses):
        check.refuse(
            "%s: none of its addresses is in a network with the gateway %s. For namespaces without a gateway, let "
            "namespace_bridge_gateway be an empty text." % (where, gateway)
        )


def _hypervisor_bridge(check: Check) -> None:
    state = check.option("state", STATE)
    bridge = check.option("name", readers.link_name)
    uplink = check.option("uplink", readers.link_name)
    check.option("type", TYPE)
    names = [(check.where("name"), bridge), (check.where("uplink"), uplink)]
    if state == "absent":
        check.distinct("names of links", names)
        return
    check.option("datapath_type", DATAPATH_TYPE)
    check.option("persist", readers.boolean)
    options: t.Dict[str, Reader] = {
        "name": readers.link_name,
        "owner": _user,
        "group": _user,
        "tag": readers.number(1, values.VID_MAX, "a VLAN"),
        "trunks": _trunks,
        "mtu": TAP_MTU,
        "vnet_hdr": readers.boolean,
        "multi_queue": readers.boolean,
    }
    taps = check.elements("taps", options, ["name", "owner"])
    check.distinct("names of links", [*names, *((tap.where + ".name", tap.options.get("name")) for tap in taps)])
    for tap in taps:
        _tap_vlans(check, tap)


def _tap_vlans(check: Check, tap: Element) -> None:
    tag, trunks = tap.options.get("tag"), tap.options.get("trunks") or []
    if tag == 1 or (trunks and trunks[0][0] == 1):
        check.refuse(
            "%s: VLAN 1 is the one of frames without a tag (hypervisor_bridge_taps). A tap in it has neither tag nor trunks."
            % tap.where
        )
    if tag and any(first <= tag <= last for first, last in trunks):
        check.refuse("%s: VLAN %d is named twice: as tag and in trunks." % (tap.where, tag))


def _trunks(value: t.Any, where: str) -> t.List[t.Tuple[int, int]]:
    return readers.vlans(readers.listing(value, where), where)


def _user(value: t.Any, where: str) -> str:
    """The name or the number of a user or a group."""
    name = readers.text(value, where)
    if not re.fullmatch(r"[^\s:/,\-][^\s:/,]*", name) or not name.isprintable():
        raise BadInput("%s: %s isn't the name or the number of a user or group." % (upper(where), quoted(value)))
    return name


def _macvtap_ports(check: Check) -> None:
    state = check.option("state", STATE)
    uplink = check.option("uplink", readers.link_name)
    if state == "absent":
        return
    mode = check.option("mode", readers.choice("bridge", "private", "vepa", "passthru"))
    check.option("persist", readers.boolean)
    options: t.Dict[str, Reader] = {
        "name": readers.link_name,
        "owner": _user,
        "group": _user,
        "device_mode": _device_mode,
        "mac": readers.mac,
        "mtu": MTU,
    }
    ports = check.elements("list", options, ["name", "owner"])
    names = [(check.where("uplink"), uplink), *((port.where + ".name", port.options.get("name")) for port in ports)]
    check.distinct("names of links", names)
    check.distinct("MAC addresses", ((port.where + ".mac", port.options.get("mac")) for port in ports))
    if mode == "passthru" and len(ports) > 1:
        check.refuse(
            "%s: in mode passthru (macvtap_ports_mode) an uplink has one macvtap; there are %d."
            % (check.where("list"), len(ports))
        )


def _device_mode(value: t.Any, where: str) -> int:
    mode = -1
    if isinstance(value, int) and not isinstance(value, bool):
        mode = value
    elif isinstance(value, str) and re.fullmatch("(0o?)?[0-7]{3}", value):
        mode = int(value, 8)
    if 0 <= mode <= 0o777:
        return mode
    raise BadInput(
        "%s: %s isn't a mode such as '0660', which is octal; quote it in YAML." % (upper(where), quoted(value))
    )


def _ovs_patch(check: Check) -> None:
    state = check.option("state", STATE)
    integration = check.option("integration", readers.link_name)
    if state == "absent":
        return
    check.option("fail_mode", readers.choice("secure", "standalone"), optional=True)
    check.option("datapath_type", DATAPATH_TYPE)
    check.option("persist", readers.boolean)
    options: t.Dict[str, Reader] = {"name": readers.link_name, "uplink": readers.link_name, "trunks": _trunks}
    names = [(check.where("integration"), integration)]
    for where, external in check.elements("external", options, ["name"]):
        name = external.get("name")
        names += [(where + ".name", name), (where + ".uplink", external.get("uplink"))]
        if name:
            names += [("%s.name (its patch port)" % where, end + name) for end in ("int-", "phy-")]
    check.distinct("names of bridges, uplinks and patch ports", names)


def _prerequisites(check: Check) -> None:
    check.option("state", STATE)
    check.option("ovs", readers.boolean)
    check.option("nft", readers.boolean)
    check.option("modules", readers.list_of(_kernel_module))


def _kernel_module(value: t.Any, where: str) -> str:
    if isinstance(value, str) and re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_-]*", value):
        return value
    raise BadInput("%s: %s isn't the name of a kernel module." % (upper(where), quoted(value)))


def _restore_on_boot(check: Check) -> None:
    check.option("state", STATE)
    check.option("wait", readers.number(0, 3600, "a number of seconds"))
    for name in ("before", "after"):
        check.option(name, readers.list_of(_unit))
    check.option("python", _program, optional=True)


def _unit(value: t.Any, where: str) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9:_.\\@-]+\.[a-z]+", value) and len(value) < 256:
        return value
    raise BadInput(
        "%s: %s isn't a unit such as libvirtd.service; restore_on_boot_before and restore_on_boot_after are lists of units."
        % (upper(where), quoted(value))
    )


def _program(value: t.Any, where: str) -> str:
    if isinstance(value, str) and re.fullmatch("(/[A-Za-z0-9._+-]+)+", value):
        return value
    raise BadInput("%s: %s isn't an absolute path without white space." % (upper(where), quoted(value)))


ROLES: t.Mapping[str, t.Callable[[Check], None]] = {
    "hypervisor_bridge": _hypervisor_bridge,
    "macvtap_ports": _macvtap_ports,
    "namespace_bridge": _namespace_bridge,
    "ovs_patch": _ovs_patch,
    "prerequisites": _prerequisites,
    "restore_on_boot": _restore_on_boot,
}
