# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Link documents: options to wanted state, and observed state to document.

Both directions use one format: a document from ``write_link`` can be passed to ``read_link``, and then changes nothing.
"""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links import facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Ref, WantedLink

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document, Options
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute, Kind
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


ALIAS_MAX = 255  # IFALIASZ of linux/if.h, less one


def link_options(kind: t.Optional[Kind]) -> Options:
    """Argument spec of documents of a kind; with None, of the module ``link``, which accepts links of any kind."""
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


def _end_options(*states: str) -> Options:
    """Options of every link, and of both ends of a pair."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": list(states), "default": "present"},
        "netns": {"type": "str"},
        **{attribute.name: attribute.option() for attribute in common.COMMON},
        "master": {"type": "str"},
        **facet.options(FACETS),
    }


def read_link(document: Document, kind: t.Optional[Kind]) -> WantedLink:
    """The wanted link of a document; ``kind`` None accepts any kind. Raises BadInput with all errors."""
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
    wanted = t.cast("WantedLink", wanted)._replace(
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
        wanted = wanted._replace(ports_promisc=promisc, purge_ports=purge)
    return wanted


def _read_peer(document: Document, kind: Kind) -> WantedLink:
    peer = _read_end(document["peer"], None, "peer.")
    if peer.ref == Ref(document.get("netns") or "", document["name"]):
        raise BadInput("Option peer of %s '%s': a %s can't be its own peer." % (kind.name, peer.ref.name, kind.name))
    return peer._replace(kind=kind.name)


def _read_rename_from(document: Document) -> str:
    name = document.get("rename_from")
    if name is None:
        return ""
    where = "option rename_from of link %s" % quoted(document["name"])
    if name == document["name"]:
        raise BadInput(
            "%s is the same as option name; give the old name of the link, or omit the option."
            % (where[0].upper() + where[1:])
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
    for purge in (*(each.name for each in FACETS), *purged):
        told.attempt(facet.check_purge, document, purge, prefix, "link")
    values = told.attempt(_read_values, document, (*common.COMMON, *own), prefix) or {}
    fields = told.attempt(facet.read, FACETS, document, prefix) or {}
    told.report()
    absent = [(a.name, sentence) for a in own if a.name in values for sentence in a.codec.absent(values[a.name])]
    return WantedLink(
        Ref(netns, name),
        values=values,
        purge_values=purged,
        missing=tuple("Link '%s': option %s: %s" % (name, option, sentence) for option, sentence in absent),
        **fields,
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
        elif attribute.implied is not None:
            values[attribute.name] = attribute.implied
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


def _read_ports(document: Document) -> t.Optional[t.Tuple[str, ...]]:
    name, ports = document["name"], document.get("ports")
    facet.check_purge(document, "ports", "", "link")
    told = Complaints()
    where = "option ports of link %s" % quoted(name)
    for port in ports or ():
        told.attempt(common_names.interface_name, port, where)
        if port == name:
            told.sentences.append("%s: a bridge can't be a port of itself." % common_names.upper(where))
    told.report()
    return None if ports is None else tuple(dict.fromkeys(ports))


def write_link(state: State, ref: Ref, kind: t.Optional[Kind]) -> Document:
    """Document of a link in ``state``, with the options that documents of ``kind`` have."""
    link = state.links.get(ref)
    if link is None:
        return {"name": ref.name, **facet.place(ref.netns), "state": "absent"}
    document = {
        "name": ref.name,
        "kind": link.kind,
        **facet.place(ref.netns),
        **_write_end(link, kind.attributes if kind else ()),
    }
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
        document["peer"] = {"name": peer.ref.name, **facet.place(peer.ref.netns), **_write_end(peer, ())}
    return document


def _write_end(link: Link, attributes: t.Sequence[Attribute]) -> Document:
    names = ["state", "master", *(attribute.name for attribute in (*common.COMMON, *attributes))]
    document = {name: _plain(link.values[name]) for name in names if name in link.values}
    return {**document, **facet.write(FACETS, link)}


def _plain(value: t.Any) -> t.Any:
    return list(value) if isinstance(value, tuple) else value
