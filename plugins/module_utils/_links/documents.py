# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The documents that users write and read: options → wanted state, observed state → document.

One vocabulary serves both ways: what ``write_link`` returns can be given to ``read_link`` again, and then asks for
nothing that isn't there.
"""

from __future__ import annotations

import collections
import dataclasses
import ipaddress
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, linux_bridge_port
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    IPV6_METRIC,
    MAIN_TABLE,
    STATIC,
    Link,
    Ref,
    Route,
    Vlan,
    WantedLink,
    WantedNetns,
    vlan_ranges,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute, Kind
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State

Options = t.Dict[str, t.Any]
Document = t.Dict[str, t.Any]

ALIAS_MAX = 255  # IFALIASZ of linux/if.h, less one
UINT32_MAX = 2**32 - 1
ROUTE_MTU_MAX = 65535 - 15  # ip_metrics_convert() of net/ipv4/metrics.c makes that of any higher one

_ROUTE_OPTIONS: Options = {
    "to": {"type": "str", "required": True},
    "via": {"type": "str"},
    "metric": {"type": "int"},
    "table": {"type": "int"},
    "src": {"type": "str"},
    "onlink": {"type": "bool"},
    "mtu": {"type": "int"},
}


def netns_options() -> Options:
    """The argument spec of a namespace document."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "loopback": {"type": "bool", "default": True},
        "sysctls": {"type": "dict"},
    }


def link_options(kind: t.Optional[Kind]) -> Options:
    """The argument spec of a link document of a kind, or of one that takes whatever kind is there."""
    options = {**_end_options("present", "absent", "up", "down"), "recreate": {"type": "bool", "default": False}}
    if kind is None:
        return {**options, "move_from": {"type": "str"}, "kind": {"type": "str"}}
    options["kind"] = {"type": "str", "choices": [kind.name]}
    for attribute in kind.attributes:
        options[attribute.name] = attribute.option()
        if attribute.codec.type == "list":
            options["purge_" + attribute.name] = {"type": "bool", "default": False}
    if not kind.netns_local:
        options["move_from"] = {"type": "str"}
    if kind.has_parent:
        options["parent"] = {"type": "str"}
        options["parent_netns"] = {"type": "str"}
    if kind.has_ports:
        options["ports"] = {"type": "list", "elements": "str"}
        options["purge_ports"] = {"type": "bool", "default": False}
        options["ports_promisc"] = {"type": "bool"}
    if kind.paired:
        options["rename_from"] = {"type": "str"}
        options["peer"] = {"type": "dict", "options": _end_options("present", "up", "down")}
    return options


def port_options() -> Options:
    """The argument spec of the document of a bridge's port."""
    vlan = {"vid": {"type": "str", "required": True}, "pvid": {"type": "bool"}, "untagged": {"type": "bool"}}
    return {
        "bridge": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "netns": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **{attribute.name: attribute.option() for attribute in linux_bridge_port.OPTIONS},
        "vlans": {"type": "list", "elements": "dict", "options": vlan},
        "purge_vlans": {"type": "bool", "default": False},
    }


def _end_options(*states: str) -> Options:
    """What can be said of either end of a pair, and of every link."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": list(states), "default": "present"},
        "netns": {"type": "str"},
        **{attribute.name: attribute.option() for attribute in common.COMMON},
        "master": {"type": "str"},
        "addresses": {"type": "list", "elements": "str"},
        "purge_addresses": {"type": "bool", "default": False},
        "routes": {"type": "list", "elements": "dict", "options": _ROUTE_OPTIONS},
        "purge_routes": {"type": "bool", "default": False},
    }


def read_netns(document: Document) -> WantedNetns:
    """The wanted namespace of a document. Raises BadInput."""
    told = Complaints()
    name = document["name"]
    told.attempt(common_names.namespace_name, name, "option name")
    sysctls: t.Dict[str, str] = {}
    for key, value in (document.get("sysctls") or {}).items():
        path, text = told.attempt(_read_sysctl, key, value, name) or ("", "")
        if sysctls.setdefault(path, text) != text:
            told.note("Option sysctls of namespace %s: %s has two values." % (quoted(name), quoted(key)))
    told.report()
    return WantedNetns(name, document["state"] == "present", document["loopback"], sysctls)


def _read_sysctl(key: str, value: t.Any, netns: str) -> t.Tuple[str, str]:
    where = "option sysctls of namespace %s" % quoted(netns)
    path = common_values.sysctl_key(str(key), where)
    if value is None or isinstance(value, (dict, list)):
        raise BadInput("%s: %s needs a value." % (common_names.upper(where), quoted(key)))
    words = [str(int(value))] if isinstance(value, bool) else str(value).split()
    return path, " ".join(words)


def read_link(document: Document, kind: t.Optional[Kind]) -> WantedLink:
    """The wanted link of a document; ``kind`` None takes whatever kind is there. Raises BadInput with all that is wrong."""
    told = Complaints()
    wanted = told.attempt(_read_end, document, kind, "")
    move_from = document.get("move_from")
    if move_from:
        told.attempt(common_names.namespace, move_from, "option move_from of link %s" % quoted(document["name"]))
    rename_from = told.attempt(_read_rename_from, document)
    parent = told.attempt(_read_parent, document)
    ports = told.attempt(_read_ports, document) if kind and kind.has_ports else None
    peer = told.attempt(_read_peer, document, kind) if kind and kind.paired and document.get("peer") else None
    told.report()
    wanted = dataclasses.replace(
        t.cast("WantedLink", wanted),
        parent=parent,
        kind=kind.name if kind else document.get("kind") or "",
        made=kind is not None,
        present=document["state"] != "absent",
        move_from=move_from,
        rename_from=rename_from or "",
        recreate=document.get("recreate", False),
        peer=peer,
        ports=ports,
    )
    if kind and kind.has_ports:
        promisc, purge = document.get("ports_promisc"), bool(document.get("purge_ports"))
        wanted = dataclasses.replace(wanted, ports_promisc=promisc, purge_ports=purge)
    return wanted


def _read_peer(document: Document, kind: Kind) -> WantedLink:
    peer = _read_end(document["peer"], None, "peer.")
    if peer.ref == Ref(document.get("netns") or "", document["name"]):
        raise BadInput("Option peer of %s '%s': a %s can't be its own peer." % (kind.name, peer.ref.name, kind.name))
    return dataclasses.replace(peer, kind=kind.name)


def _read_rename_from(document: Document) -> str:
    name = document.get("rename_from")
    if name is None:
        return ""
    where = "option rename_from of link %s" % quoted(document["name"])
    if name == document["name"]:
        raise BadInput(
            "%s is the name that the link is to have; give another one, or none." % (where[0].upper() + where[1:])
        )
    return common_names.interface_name(name, where)


def _read_parent(document: Document) -> t.Optional[Ref]:
    name, netns = document.get("parent"), document.get("parent_netns") or ""
    where = "of link %s" % quoted(document["name"])
    told = Complaints()
    if netns:
        told.attempt(common_names.namespace, netns, "option parent_netns " + where)
    if name is not None:
        told.attempt(common_names.interface_name, name, "option parent " + where)
    elif netns:
        told.sentences.append("Option parent_netns %s needs option parent." % where)
    told.report()
    return Ref(netns, name) if name is not None else None


def _read_end(document: Document, kind: t.Optional[Kind], prefix: str) -> WantedLink:
    told = Complaints()
    name, netns = document["name"], document.get("netns") or ""
    told.attempt(common_names.interface_name, name, "option %sname" % prefix)
    if netns:
        told.attempt(common_names.namespace, netns, "option %snetns of link %s" % (prefix, quoted(name)))
    own = kind.attributes if kind else ()
    purged = tuple(attribute.name for attribute in own if document.get("purge_" + attribute.name))
    for purge in ("addresses", "routes", *purged):
        told.attempt(_check_purge, document, purge, prefix)
    values = told.attempt(_read_values, document, (*common.COMMON, *own), prefix) or {}
    addresses = told.attempt(_read_addresses, document.get("addresses"), name, prefix)
    routes = told.attempt(_read_routes, document.get("routes"), name, prefix)
    told.report()
    absent = [(a.name, sentence) for a in own if a.name in values for sentence in a.codec.absent(values[a.name])]
    return WantedLink(
        Ref(netns, name),
        values=values,
        purge_values=purged,
        missing=tuple("Link '%s': option %s: %s" % (name, option, sentence) for option, sentence in absent),
        addresses=addresses,
        purge_addresses=document.get("purge_addresses", False),
        routes=routes,
        purge_routes=document.get("purge_routes", False),
    )


def _check_purge(document: Document, purge: str, prefix: str) -> None:
    if document.get("purge_" + purge) and document.get(purge) is None:
        raise BadInput(
            "Option %spurge_%s of link %s needs option %s%s; give an empty list to remove all."
            % (prefix, purge, quoted(document["name"]), prefix, purge)
        )


def _read_values(document: Document, attributes: t.Iterable[Attribute], prefix: str) -> t.Dict[str, t.Any]:
    told = Complaints()
    name = document["name"]
    where = "of link %s" % quoted(name)
    values: t.Dict[str, t.Any] = {}
    for attribute in attributes:
        if document.get(attribute.name) is not None:
            option = document[attribute.name]
            values[attribute.name] = told.attempt(attribute.check, option, "Link %s" % quoted(name))
        elif attribute.always is not None:
            values[attribute.name] = attribute.always
    if "mac" in values:
        values["mac"] = told.attempt(common_names.mac, values["mac"], "option %smac %s" % (prefix, where))
    told.attempt(_check_alias, values.get("alias") or "", "option %salias %s" % (prefix, where))
    if document.get("state") in ("up", "down"):
        values["state"] = document["state"]
    master = document.get("master")
    if master is not None:
        values["master"] = told.attempt(_read_master, master, name, "option %smaster %s" % (prefix, where))
    told.report()
    return values


def _check_alias(alias: str, where: str) -> None:
    if len(alias.encode("utf-8", "surrogatepass")) > ALIAS_MAX or "\0" in alias:
        raise BadInput("%s: an alias has at most %d bytes, no NUL among them." % (common_names.upper(where), ALIAS_MAX))


def _read_master(master: str, name: str, where: str) -> str:
    if master == name:
        raise BadInput("%s: a link can't be its own master." % common_names.upper(where))
    return common_names.interface_name(master, where) if master else ""


def _read_addresses(addresses: t.Optional[t.Sequence[str]], name: str, prefix: str) -> t.Optional[t.Tuple[str, ...]]:
    if addresses is None:
        return None
    told = Complaints()
    where = "option %saddresses of link %s" % (prefix, quoted(name))
    read = dict.fromkeys(filter(None, (told.attempt(common_values.address, address, where) for address in addresses)))
    for host, count in collections.Counter(address.split("/")[0] for address in read if ":" in address).items():
        if count > 1:
            told.note("%s: a link has %s once, with one prefix length." % (common_names.upper(where), host))
    told.report()
    return tuple(read)


def _read_routes(routes: t.Optional[t.Sequence[Document]], name: str, prefix: str) -> t.Optional[t.Tuple[Route, ...]]:
    if routes is None:
        return None
    told = Complaints()
    where = "option %sroutes of link %s" % (prefix, quoted(name))
    read = [route for route in (told.attempt(_read_route, route, where) for route in routes) if route]
    counted = collections.Counter(route.key for route in read)
    for (to, _table, _metric), count in counted.items():
        if count > 1:
            told.sentences.append(
                "%s: there are two routes to %s with the same metric and table." % (common_names.upper(where), to)
            )
    told.report()
    return tuple(read)


def _read_route(document: Document, where: str) -> Route:
    via = common_values.next_hop(document["via"], where) if document.get("via") else ""
    src = common_values.source(document["src"], where) if document.get("src") else ""
    if document["to"] == "default":
        to = "::/0" if ":" in via + src else "0.0.0.0/0"
    else:
        to = common_values.destination(document["to"], where)
    _check_route(document, to, (via, src), where)
    return Route(
        to,
        via,
        metric=document.get("metric") or (IPV6_METRIC if common_values.family(to) == 6 else 0),
        table=document.get("table") or MAIN_TABLE,  # RT_TABLE_UNSPEC means main to the kernel
        src=src,
        onlink=bool(document.get("onlink")),
        mtu=document.get("mtu") or 0,
        left_out=tuple(name for name in ("src", "onlink", "mtu") if document.get(name) is None),
    )


def _check_route(document: Document, to: str, others: t.Iterable[str], where: str) -> None:
    told = Complaints()
    where = common_names.upper(where)
    shown = quoted(document["to"]).strip("'")
    for other in others:
        if other and common_values.family(other) != common_values.family(to):
            told.sentences.append("%s: %s and %s are of different address families." % (where, shown, other))
    for number, highest in (("metric", UINT32_MAX), ("table", UINT32_MAX), ("mtu", ROUTE_MTU_MAX)):
        if not 0 <= (document.get(number) or 0) <= highest:
            told.sentences.append(
                "%s: %s %s is out of range; the kernel takes 0 to %d."
                % (where, number, quoted(document[number]), highest)
            )
    if document.get("onlink") and not document.get("via") and common_values.family(to) == 4:
        told.sentences.append("%s: onlink is for a gateway, and the route to %s has none (via)." % (where, shown))
    told.report()


def _read_ports(document: Document) -> t.Optional[t.Tuple[str, ...]]:
    name, ports = document["name"], document.get("ports")
    _check_purge(document, "ports", "")
    told = Complaints()
    where = "option ports of link %s" % quoted(name)
    for port in ports or ():
        told.attempt(common_names.interface_name, port, where)
        if port == name:
            told.sentences.append("%s: a bridge can't be a port of itself." % common_names.upper(where))
    told.report()
    return None if ports is None else tuple(dict.fromkeys(ports))


def read_port(document: Document) -> WantedLink:
    """The wanted link of the document of a bridge's port. Raises BadInput with all that is wrong."""
    told = Complaints()
    name, bridge, netns = document["name"], document["bridge"], document.get("netns") or ""
    told.attempt(common_names.interface_name, name, "option name")
    where = "of port %s" % quoted(name)
    told.attempt(common_names.interface_name, bridge, "option bridge " + where)
    if bridge == name:
        told.sentences.append("Option bridge %s: a bridge can't be a port of itself." % where)
    if netns:
        told.attempt(common_names.namespace, netns, "option netns " + where)
    if document["purge_vlans"] and document.get("vlans") is None:
        told.sentences.append("Option purge_vlans %s needs option vlans; give an empty list to remove all." % where)
    given = [attribute for attribute in linux_bridge_port.OPTIONS if document.get(attribute.name) is not None]
    settings = {a.name: told.attempt(a.check, document[a.name], "Port %s" % quoted(name)) for a in given}
    vlans = told.attempt(_read_vlans, document.get("vlans"), "option vlans " + where)
    told.report()
    present = document["state"] == "present"
    return WantedLink(
        Ref(netns, name),
        made=False,
        present=present,
        values={"master": bridge} if present else {},
        port_of=bridge,
        port=settings,
        vlans=vlans,
        purge_vlans=document["purge_vlans"],
    )


def _read_vlans(documents: t.Optional[t.Sequence[Document]], where: str) -> t.Optional[t.Tuple[Vlan, ...]]:
    if documents is None:
        return None
    vlans: t.Dict[int, Vlan] = {}
    for document in documents:
        first, last = common_values.vids(document["vid"], where)
        if document.get("pvid") and (first != last or any(vlan.pvid for vlan in vlans.values())):
            raise BadInput("O%s: only one VLAN can be the PVID." % where[1:])
        for vid in range(first, last + 1):
            if vid in vlans:
                raise BadInput("O%s: VLAN %d is named twice." % (where[1:], vid))
            vlans[vid] = Vlan(vid, document.get("pvid"), document.get("untagged"))
    return tuple(vlans[vid] for vid in sorted(vlans))


def write_netns(state: State, wanted: WantedNetns) -> Document:
    """The document of a namespace as it stands in ``state``; of its sysctls, those that were asked for."""
    netns = state.namespaces.get(wanted.name)
    if netns is None:
        return {"name": wanted.name, "state": "absent"}
    loopback = state.links.get(Ref(wanted.name, "lo"))
    document = {
        "name": wanted.name,
        "state": "present",
        "loopback": bool(loopback and loopback.values.get("state") == "up"),
    }
    if wanted.sysctls:
        document["sysctls"] = {
            common_values.sysctl_name(key): netns.sysctls[key] for key in wanted.sysctls if key in netns.sysctls
        }
    return document


def write_port(state: State, wanted: WantedLink) -> Document:
    """The document of a bridge's port as it stands in ``state``."""
    document = {"bridge": wanted.port_of, "name": wanted.ref.name, **_netns(wanted.ref)}
    link = state.links.get(wanted.ref)
    if link is None or link.values.get("master") != wanted.port_of:
        return {**document, "state": "absent"}
    document["state"] = "present"
    document.update((a.name, link.port[a.name]) for a in linux_bridge_port.OPTIONS if a.name in link.port)
    if link.vlans is not None:
        document["vlans"] = [_write_vlan(vlan, last) for vlan, last in vlan_ranges(link.vlans)]
    return document


def _write_vlan(vlan: Vlan, last: int) -> Document:
    vid = vlan.vid if vlan.vid == last else "%d-%d" % (vlan.vid, last)
    return {"vid": vid, "pvid": vlan.pvid, "untagged": vlan.untagged}


def write_link(state: State, ref: Ref, kind: t.Optional[Kind]) -> Document:
    """The document of a link as it stands in ``state``, with what documents of ``kind`` speak of."""
    link = state.links.get(ref)
    if link is None:
        return {"name": ref.name, **_netns(ref), "state": "absent"}
    document = {"name": ref.name, "kind": link.kind, **_netns(ref), **_write_end(link, kind.attributes if kind else ())}
    if kind and kind.has_ports and link.ports is not None:
        document["ports"] = sorted(link.ports)
        ports = [state.links[port] for port in (Ref(ref.netns, name) for name in link.ports) if port in state.links]
        promisc = {port.values.get("promisc") for port in ports}
        if len(promisc) == 1 and None not in promisc:
            document["ports_promisc"] = promisc.pop()
    if kind and kind.has_parent and link.parent:
        document["parent"] = link.parent.name
        if link.parent.netns:
            document["parent_netns"] = link.parent.netns
    peer = state.links.get(link.peer) if kind and kind.paired and link.peer else None
    if peer:
        document["peer"] = {"name": peer.ref.name, **_netns(peer.ref), **_write_end(peer, ())}
    return document


def _netns(ref: Ref) -> Document:
    return {"netns": ref.netns} if ref.netns else {}


def _write_end(link: Link, attributes: t.Sequence[Attribute]) -> Document:
    names = ["state", "master", *(attribute.name for attribute in (*common.COMMON, *attributes))]
    document = {name: _plain(link.values[name]) for name in names if name in link.values}
    static = [address.address for address in link.addresses if address.origin == STATIC]
    # IPv4 addresses in the kernel's order, which tells the primary one; the order of IPv6 addresses has no meaning.
    document["addresses"] = [a for a in static if ":" not in a] + sorted(a for a in static if ":" in a)
    routes = [route for route in link.routes if route.origin == STATIC]
    document["routes"] = [_write_route(route) for route in sorted(routes, key=_route_order)]
    return document


def _plain(value: t.Any) -> t.Any:
    return list(value) if isinstance(value, tuple) else value


def _route_order(route: Route) -> t.Tuple[t.Any, ...]:
    return (route.family, route.table, ipaddress.ip_network(route.to), route.metric)


def _write_route(route: Route) -> Document:
    default = route.to == "0.0.0.0/0" or (route.to == "::/0" and route.via)
    document: Document = {"to": "default" if default else route.to}
    if route.via:
        document["via"] = route.via
    document.update(metric=route.metric, table=route.table)
    for name in ("src", "onlink", "mtu"):
        if getattr(route, name):
            document[name] = getattr(route, name)
    return document
