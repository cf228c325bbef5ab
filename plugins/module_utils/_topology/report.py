# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The document of a whole host, in the format that a topology accepts."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.values import sysctl_name
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import (
    linux_bridge_port,
    registry,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import PORT_COSTS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OVS_KINDS, OWN, Link, Ref, WantedLink
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_documents, port_documents
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    FAKE_PREFIX,
    Bridge,
    Switch,
    WantedBridge,
    WantedPort,
)
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import ANY, PORT

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State

Document = t.Dict[str, t.Any]

# Links that OVS creates for itself.
OVS_OWN = ("ovs-netdev", "ovs-system", "genev_sys_6081", "gre_sys", "vxlan_sys_4789")


def write_all(state: State, names: t.Sequence[str]) -> Document:
    """The document of a host, or of the namespaces in ``names``, in the format that a topology accepts.

    Hardware and links of unknown kinds, which no topology can create, are in ``other_links``.
    """
    internal = set().union(*(switch.internal() for switch in state.ovs.values()))
    links: t.List[Document] = []
    others: t.List[Document] = []
    told: t.Set[Ref] = set()
    for ref, link in sorted(state.links.items()):
        if ref.netns not in (*names, OWN) or ref in told or ref.name == "lo":
            continue
        if ref.name in internal and link.kind in OVS_KINDS:
            document = {**_write_internal(state, ref), "kind": ANY}
            links.append({**document, "move_from": ""} if ref.netns else document)
        elif _can_make(state, link):
            kind = registry.KINDS[link.kind]
            document = _without(documents.write_link(state, ref, kind), "ports", "ports_promisc")
            told |= {end for end in (link.peer,) if end}
            links.append(document)
        else:
            others.append({**documents.write_link(state, ref, None), "kind": link.kind or "hardware"})
        links += _port_documents(state, link)
        if link.peer in told:
            links += _port_documents(state, state.links[link.peer])
    _add_unknown_ports(links, others)
    return {
        "namespaces": [_netns_document(state, name) for name in names],
        "links": links,
        "other_links": others,
        "ovs_bridges": [bridge for database in state.ovs for bridge in _bridges(state, database)],
    }


def _write_internal(state: State, ref: Ref) -> Document:
    """The document of the link of an internal port, without values that Open vSwitch determines.

    Those in its database (mtu_request, mac, hwaddr) are in the documents of bridges and ports. It sets the MTU only
    of links in its own namespace.
    """
    document = documents.write_link(state, ref, None)
    if ref.netns == OWN:
        document.pop("mtu", None)
    for switch in state.ovs.values():
        interface = switch.interfaces.get(ref.name)
        if interface and (ref.name in switch.bridges or interface.values["mac"]):
            document.pop("mac", None)
    return document


def _add_unknown_ports(links: t.Iterable[Document], others: t.Iterable[Document]) -> None:
    """List the ports of bridges that no topology can create. All other ports name their bridge as their master."""
    ports: t.Dict[t.Tuple[str, str], t.List[str]] = {}
    for other in others:
        if other.get("master"):
            ports.setdefault((other.get("netns", OWN), other["master"]), []).append(other["name"])
    for link in links:
        names = ports.get((link.get("netns", OWN), link["name"]))
        kind = registry.KINDS.get(link["kind"])
        if names and kind and kind.has_ports:
            link["ports"] = names


def warnings_on(document: Document) -> t.List[str]:
    """Sentences on what a user of the document as a topology must know."""
    kinds = {(other.get("netns", OWN), other["name"]): other["kind"] for other in document["other_links"]}
    found = []
    for link in document["links"]:
        for port in link.get("ports", ()):
            place = Ref(link.get("netns", OWN), port)
            words = (Ref(place.netns, link["name"]), place.name, kinds[place])
            found.append(
                "Linux bridge %s has port '%s' of kind %s, which topology can't create; see other_links. Where there is no "
                "such link, remove it from option ports." % words
            )
    return found


def _can_make(state: State, link: Link) -> bool:
    if link.ref.name in OVS_OWN:
        return False
    kind = registry.KINDS.get(link.kind)
    if kind is None or (kind.paired and link.peer not in state.links):
        return False
    return not kind.has_parent or link.parent in state.links


def _netns_document(state: State, name: str) -> Document:
    lo = state.links.get(Ref(name, "lo"))
    document = {"name": name, "state": "present", "loopback": bool(lo and lo.values.get("state") == "up")}
    sysctls = state.namespaces[name].sysctls
    return {**document, "sysctls": {sysctl_name(key): sysctls[key] for key in sysctls}} if sysctls else document


def _port_documents(state: State, link: Link) -> t.List[Document]:
    """The document of a bridge port, if its settings differ from the defaults."""
    if not link.port:
        return []
    bridge = link.values.get("master", "")
    defaults = linux_bridge_port.DEFAULTS
    own = {k: v for k, v in link.port.items() if k in defaults and v != defaults[k]}
    kind = registry.KINDS.get(link.kind)
    own_cost = link.port.get("cost") not in (None, *(kind.port_costs if kind else PORT_COSTS))
    if not (own or own_cost or link.vlans):
        return []
    wanted = WantedLink(link.ref, made=False, values={"master": bridge}, port_of=bridge)
    return [{"kind": PORT, **bridge_ports.write(state, wanted)}]


def _bridges(state: State, database: str) -> t.List[Document]:
    switch = state.ovs[database]
    found = []
    for bridge in sorted(switch.bridges.values(), key=lambda bridge: (bridge.parent, bridge.name)):
        document = bridge_documents.write_bridge(switch, WantedBridge(database, bridge.name, True, {}))
        ports = [WantedPort(database, bridge.name, name, True, {}, {}) for name in switch.ports_of(bridge)]
        written = (port_documents.write_port(switch, port) for port in ports)
        document["ports"] = [*_own_port(switch, bridge), *(_without(port, "bridge", "database") for port in written)]
        found.append(document)
    return found


def _own_port(switch: Switch, bridge: Bridge) -> t.List[Document]:
    """The document of the local port of an OVS bridge, if its settings differ from the defaults."""
    new = Switch()
    for name, parent, vlan in ((bridge.real, "", 0), (bridge.name, bridge.parent, bridge.vlan)):
        new.add_bridge(name, parent, vlan)
    wanted = WantedPort("", bridge.real, bridge.name, True, {}, {})
    own, others = port_documents.write_port(switch, wanted), port_documents.write_port(new, wanted)
    ids = own["external_ids"].items()
    own["external_ids"] = {key: value for key, value in ids if not key.startswith(FAKE_PREFIX)}
    different = {option: value for option, value in own.items() if value != others[option]}
    return [{"name": bridge.name, **different}] if different else []


def _without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}
