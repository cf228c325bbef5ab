# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Ports of bridges: options, reading, writing, steps, and netlink coding of their settings; their VLANs are in vlans.py."""

from __future__ import annotations

import dataclasses
import errno
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links import effects, facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import PORT_FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import (
    linux_bridge_port,
    registry,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref, WantedLink
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep, show
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    LINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document, FacetEditor, Options
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner


def options() -> Options:
    """Argument spec of the document of a bridge port."""
    return {
        "bridge": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "netns": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **{attribute.name: attribute.option() for attribute in linux_bridge_port.OPTIONS},
        **facet.options(PORT_FACETS),
    }


def read(document: Document) -> WantedLink:
    """The wanted link of the document of a bridge port. Raises BadInput with all errors."""
    told = Complaints()
    name, bridge, netns = document["name"], document["bridge"], document.get("netns") or ""
    told.attempt(common_names.interface_name, name, "option name")
    where = "of port %s" % quoted(name)
    told.attempt(common_names.interface_name, bridge, "option bridge " + where)
    if bridge == name:
        told.sentences.append("Option bridge %s: a bridge can't be a port of itself." % where)
    if netns:
        told.attempt(common_names.namespace, netns, "option netns " + where)
    for each in PORT_FACETS:
        told.attempt(facet.check_purge, document, each.name, "", "port")
    given = [attribute for attribute in linux_bridge_port.OPTIONS if document.get(attribute.name) is not None]
    settings = {a.name: told.attempt(a.check, document[a.name], "Port %s" % quoted(name)) for a in given}
    fields = told.attempt(facet.read, PORT_FACETS, document, "", "port") or {}
    told.report()
    present = document["state"] == "present"
    return WantedLink(
        Ref(netns, name),
        made=False,
        present=present,
        values={"master": bridge} if present else {},
        port_of=bridge,
        port=settings,
        **fields,
    )


def write(state: State, wanted: WantedLink) -> Document:
    """Document of a bridge port in ``state``."""
    document = {"bridge": wanted.port_of, "name": wanted.ref.name, **facet.place(wanted.ref.netns)}
    link = state.links.get(wanted.ref)
    if link is None or link.values.get("master") != wanted.port_of:
        return {**document, "state": "absent"}
    document["state"] = "present"
    document.update((a.name, link.port[a.name]) for a in linux_bridge_port.OPTIONS if a.name in link.port)
    document.update(facet.write(PORT_FACETS, link))
    return document


@dataclasses.dataclass(eq=False, repr=False)
class LinkSetMaster(LinkStep):
    """Make a link a port of a master in its namespace; an empty string removes it from its master."""

    ref: Ref
    master: str

    def describe(self) -> str:
        if self.master:
            return "adding link %s to '%s'" % (self.ref, self.master)
        return "taking link %s out of its master" % (self.ref,)

    def commands(self) -> t.List[Argv]:
        words = ["master", self.master] if self.master else ["nomaster"]
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, *words)]

    def requests(self, runner: Runner) -> t.List[Request]:
        master = runner.index(Ref(self.ref.netns, self.master)) if self.master else 0
        attributes = [("IFLA_IFNAME", self.ref.name), ("IFLA_MASTER", master)]
        return [Request(LINK, RTM_SETLINK, 0, attributes, {})]

    def hint(self, code: int) -> str:
        if code == errno.EINVAL:
            return "A bridge takes Ethernet devices only, no tun and no loopback."
        if code == errno.EBUSY:
            return "A link that macvlans or ipvlans are stacked upon, be it in another namespace, can't be a port."
        return ""

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        effects.forget_port(state, link)
        link = effects.released(link).with_values(master=self.master)
        master = state.links.get(Ref(self.ref.netns, self.master))
        kind = registry.KINDS.get(master.kind) if master else None
        if master and kind:
            port, vlans = kind.joined(master.values)
            link = dataclasses.replace(link, port=port, vlans=vlans)
        state.put(link)
        if master and kind:
            ports = None if master.ports is None else tuple(sorted({*master.ports, self.ref.name}))
            effects.set_ports(state, master, ports, link.values.get("mtu"))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkSetMaster(self.ref, before.links[self.ref].values.get("master", ""))]


@dataclasses.dataclass(eq=False, repr=False)
class PortSet(LinkStep):
    """Change settings of a bridge port, by name."""

    ref: Ref
    settings: t.Tuple[t.Tuple[str, t.Any], ...]

    def describe(self) -> str:
        settings = ", ".join("%s to %s" % (name, show(value)) for name, value in self.settings)
        return "setting, of port %s, %s" % (self.ref, settings)

    def commands(self) -> t.List[Argv]:
        words = [word for name, value in self.settings for word in linux_bridge_port.ATTRIBUTES[name].spell(value)]
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, "type", "bridge_slave", *words)]

    def requests(self, runner: Runner) -> t.List[Request]:
        settings = dict(self.settings)
        encoded = [pair for name in settings for pair in linux_bridge_port.ATTRIBUTES[name].encode(settings)]
        info = [("IFLA_INFO_SLAVE_KIND", linux_bridge_port.RTNL), ("IFLA_INFO_SLAVE_DATA", {"attrs": encoded})]
        attributes = [("IFLA_IFNAME", self.ref.name), ("IFLA_LINKINFO", {"attrs": info})]
        return [Request(LINK, RTM_NEWLINK, 0, attributes, {})]

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        state.put(dataclasses.replace(link, port={**link.port, **dict(self.settings)}))

    def inverse(self, before: State) -> t.List[Step]:
        had = before.links[self.ref].port
        settings = tuple((name, had[name]) for name, _value in self.settings if name in had)
        return [PortSet(self.ref, settings)] if settings else []


# Attributes of a bridge port that can be set; all of them are numbers (linux/if_link.h).
_NUMBERS = {
    "IFLA_BRPORT_PRIORITY": 2,
    "IFLA_BRPORT_COST": 3,
    "IFLA_BRPORT_MODE": 4,
    "IFLA_BRPORT_GUARD": 5,
    "IFLA_BRPORT_PROTECT": 6,
    "IFLA_BRPORT_FAST_LEAVE": 7,
    "IFLA_BRPORT_LEARNING": 8,
    "IFLA_BRPORT_UNICAST_FLOOD": 9,
    "IFLA_BRPORT_PROXYARP": 10,
    "IFLA_BRPORT_PROXYARP_WIFI": 12,
    "IFLA_BRPORT_MULTICAST_ROUTER": 25,
    "IFLA_BRPORT_MCAST_FLOOD": 27,
    "IFLA_BRPORT_MCAST_TO_UCAST": 28,
    "IFLA_BRPORT_VLAN_TUNNEL": 29,
    "IFLA_BRPORT_BCAST_FLOOD": 30,
    "IFLA_BRPORT_GROUP_FWD_MASK": 31,
    "IFLA_BRPORT_NEIGH_SUPPRESS": 32,
    "IFLA_BRPORT_ISOLATED": 33,
    "IFLA_BRPORT_LOCKED": 39,
}


def settings(message: t.Any) -> t.Dict[str, t.Any]:
    """Settings of a bridge port in a message, by name; empty if the link is not a bridge port."""
    if message.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_KIND") != linux_bridge_port.RTNL:
        return {}
    found = message.slave_numbers(_NUMBERS)
    given = {name: a for name, a in linux_bridge_port.ATTRIBUTES.items() if a.nla in found}
    return {name: attribute.decode(found[attribute.nla]) for name, attribute in given.items()}


def put(editor: FacetEditor, ref: Ref, target: Link) -> None:
    """Plan the steps that give a bridge port the settings and the VLANs of ``target``."""
    there = editor.state.links[ref].port
    different = {name: value for name, value in target.port.items() if there.get(name) != value}
    if different:
        editor.do(PortSet(ref, tuple(sorted(different.items()))))
    for each in PORT_FACETS:
        if getattr(target, each.name) is not None:
            each.add(editor, ref, target)
