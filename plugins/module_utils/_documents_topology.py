# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The documents of whole topologies: lists of those of namespaces, links, and bridges of Open vSwitch with their ports."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils import _documents as documents
from ansible_collections.virtnet.linux.plugins.module_utils import _documents_ovs as ovs_documents
from ansible_collections.virtnet.linux.plugins.module_utils import _names
from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._kinds import _all, linux_bridge_port
from ansible_collections.virtnet.linux.plugins.module_utils._model import Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import (
    OVS_KINDS,
    OWN,
    Link,
    Ref,
    WantedLink,
    WantedNetns,
)
from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import WantedBridge, WantedPort

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._model import State
    from ansible_collections.virtnet.linux.plugins.module_utils._plan import Plan

Document = t.Dict[str, t.Any]
Options = t.Dict[str, t.Any]
# Completes a document by an argument spec, and returns it with sentences about what is wrong with it.
Validate = t.Callable[[Options, Document], t.Tuple[Document, t.List[str]]]

ANY, PORT = "link", "linux_bridge_port"
KINDS = (ANY, PORT, *_all.KINDS)
# Links that OVS makes for itself.
OVS_OWN = ("ovs-netdev", "ovs-system", "genev_sys_6081", "gre_sys", "vxlan_sys_4789")
_DOCUMENTS = {"type": "list", "elements": "dict", "default": []}


def topology_options() -> Options:
    """The argument spec of a topology; that of its elements follows from their kinds."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "namespaces": _DOCUMENTS,
        "links": _DOCUMENTS,
        "ovs_bridges": _DOCUMENTS,
        "purge": {"type": "bool", "default": True},
        "rollback": {"type": "bool", "default": True},
        **ovs_documents.CONNECTION,
    }


def info_options() -> Options:
    """The argument spec of the module that tells."""
    return {"namespaces": {"type": "list", "elements": "str"}, **ovs_documents.CONNECTION}


def read_topology(document: Document, validate: Validate) -> Wanted:
    """What a topology's document wants. Raises BadInput with a sentence for everything that is wrong with it."""
    reader = _Reader(validate, document.get("database"))
    try:
        _names.namespace_name(document["name"], "option name")
    except BadInput as error:
        reader.wrong.append(str(error))
    for number, element in enumerate(document["namespaces"]):
        reader.read("namespaces[%d]" % number, documents.netns_options(), element, documents.read_netns)
    for number, element in enumerate(document["links"]):
        reader.link("links[%d]" % number, element)
    for number, element in enumerate(document["ovs_bridges"]):
        reader.bridge("ovs_bridges[%d]" % number, element)
    if reader.wrong:
        raise BadInput(" ".join(reader.wrong))
    found = reader.found
    return Wanted(
        tuple(item for item in found if isinstance(item, WantedNetns)),
        tuple(item for item in found if isinstance(item, WantedLink)),
        tuple(item for item in found if isinstance(item, WantedBridge)),
        tuple(item for item in found if isinstance(item, WantedPort)),
    )


class _Reader:
    """Reads one element after the other, and keeps what was wanted and what was wrong."""

    def __init__(self, validate: Validate, database: t.Optional[str]) -> None:
        self._validate = validate
        self._database = database
        self.found: t.List[t.Any] = []
        self.wrong: t.List[str] = []

    def read(self, where: str, options: Options, element: Document, read: t.Callable[[Document], t.Any]) -> None:
        """Read an element by the argument spec and the function for it."""
        complete, wrong = self._validate(options, element)
        self.wrong += ["Option %s: %s." % (where, sentence.rstrip(".")) for sentence in wrong]
        if not wrong:
            try:
                self.found.append(read(complete))
            except BadInput as error:
                self.wrong.append("In %s: %s" % (where, error))

    def link(self, where: str, element: Document) -> None:
        """Read the document of a link, whose kind tells its options."""
        kind = element.get("kind")
        if kind == PORT:
            port = {key: value for key, value in element.items() if key != "kind"}
            self.read(where, documents.port_options(), port, documents.read_port)
        elif kind == ANY:
            any_link = {**element, "kind": None}
            self.read(where, documents.link_options(None), any_link, lambda found: documents.read_link(found, None))
        elif kind in _all.KINDS:
            of_kind = _all.KINDS[kind]
            self.read(where, documents.link_options(of_kind), element, lambda d: documents.read_link(d, of_kind))
        else:
            self.wrong.append(
                "Option %s needs a kind, and %r is none of %s." % (where, kind or "", ", ".join(sorted(KINDS)))
            )

    def bridge(self, where: str, element: Document) -> None:
        """Read the document of an OVS bridge, and those of its ports."""
        at_hand = {"database": element.get("database", self._database)}
        bridge = {**at_hand, **{key: value for key, value in element.items() if key != "ports"}}
        options = {**ovs_documents.bridge_options()}
        for name in ("ports", "purge_ports", "timeout"):
            del options[name]
        self.read(where, options, bridge, ovs_documents.read_bridge)
        ports = element.get("ports") or []
        if not isinstance(ports, list) or not all(isinstance(port, dict) for port in ports):
            self.wrong.append("Option %s.ports: it is a list of the documents of ports." % where)
            return
        options = {**ovs_documents.port_options()}
        del options["timeout"]
        for number, port in enumerate(ports):
            on_bridge = {**at_hand, "bridge": element.get("name"), **port}
            self.read("%s.ports[%d]" % (where, number), options, on_bridge, ovs_documents.read_port)


def write_topology(state: State, wanted: Wanted, plan: Plan) -> Document:
    """What a topology's document names, as it stands: its elements by their names, for comparing.

    What else the plan removes is there by name only.
    """
    found: Document = {"namespaces": {}, "links": {}, "ovs_bridges": {}}
    if wanted.topology and not wanted.topology.present:
        wanted = Wanted()
    found["removed"] = {
        thing: "present" if thing in _things(state) else "absent"
        for thing in sorted(_things(plan.before) - _things(plan.after))
    }
    for netns in wanted.namespaces:
        found["namespaces"][netns.name] = documents.write_netns(state, netns)
    for link in wanted.links:
        name = "%s%s" % (link.ref.netns + "/" if link.ref.netns else "", link.ref.name)
        if link.port_of:
            found["links"][name + " (%s)" % PORT] = {"kind": PORT, **documents.write_port(state, link)}
        else:
            document = documents.write_link(state, link.ref, _all.KINDS.get(link.kind))
            found["links"][name] = {**document, "kind": link.kind or ANY}
    ports: t.Dict[t.Tuple[str, str], Document] = {}
    for port in wanted.ovs_ports:
        document = ovs_documents.write_port(state.ovs[port.database], port)
        ports.setdefault((port.database, port.bridge), {})[port.name] = _without(document, "bridge", "database")
    for bridge in wanted.ovs_bridges:
        document = ovs_documents.write_bridge(state.ovs[bridge.database], bridge)
        document["ports"] = ports.get((bridge.database, bridge.name), {})
        found["ovs_bridges"][bridge.name] = document
    return found


def _things(state: State) -> t.Set[str]:
    """Words for all that is in a state."""
    ports = {"OVS port '%s'" % name for switch in state.ovs.values() for name in switch.ports}
    return {"namespace '%s'" % name for name in state.namespaces} | {"link %s" % (ref,) for ref in state.links} | ports


def listed(document: Document) -> Document:
    """The same with lists, as a topology takes it."""
    bridges = [{**bridge, "ports": list(bridge["ports"].values())} for bridge in document["ovs_bridges"].values()]
    return {
        "namespaces": list(document["namespaces"].values()),
        "links": list(document["links"].values()),
        "ovs_bridges": bridges,
    }


def _without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def write_all(state: State, names: t.Sequence[str]) -> Document:
    """All of a host, or of the namespaces in ``names``, as a topology takes it.

    What no topology can make, hardware and links of other kinds, is in ``other_links``.
    """
    internal = set().union(*(switch.internal() for switch in state.ovs.values()))
    links: t.List[Document] = []
    others: t.List[Document] = []
    told: t.Set[Ref] = set()
    for ref, link in sorted(state.links.items()):
        if ref.netns not in (*names, OWN) or ref in told or ref.name == "lo":
            continue
        if ref.name in internal and link.kind in OVS_KINDS:
            # Open vSwitch decides on these, by what the documents of bridges and ports say.
            document = {**_without(documents.write_link(state, ref, None), "mac", "mtu"), "kind": ANY}
            links.append({**document, "move_from": ""} if ref.netns else document)
        elif _can_make(state, link):
            kind = _all.KINDS[link.kind]
            document = _without(documents.write_link(state, ref, kind), "ports", "ports_promisc")
            told |= {end for end in (link.peer,) if end}
            links.append(document)
        else:
            others.append({**documents.write_link(state, ref, None), "kind": link.kind or "hardware"})
        links += _port_documents(state, link)
        if link.peer in told:
            links += _port_documents(state, state.links[link.peer])
    return {
        "namespaces": [_netns_document(state, name) for name in names],
        "links": links,
        "other_links": others,
        "ovs_bridges": [bridge for database in state.ovs for bridge in _bridges(state, database)],
    }


def _can_make(state: State, link: Link) -> bool:
    if link.ref.name in OVS_OWN:
        return False
    kind = _all.KINDS.get(link.kind)
    if kind is None or (kind.paired and link.peer not in state.links):
        return False
    return not kind.has_parent or link.parent in state.links


def _netns_document(state: State, name: str) -> Document:
    lo = state.links.get(Ref(name, "lo"))
    return {"name": name, "state": "present", "loopback": bool(lo and lo.values.get("state") == "up")}


def _port_documents(state: State, link: Link) -> t.List[Document]:
    """The document of a bridge's port, if it has other settings than a new one."""
    bridge = link.values.get("master", "")
    defaults = linux_bridge_port.DEFAULTS
    own = {k: v for k, v in link.port.items() if k in defaults and v != defaults[k]}
    if not link.port or not (own or link.vlans):
        return []
    wanted = WantedLink(link.ref, made=False, values={"master": bridge}, port_of=bridge)
    return [{"kind": PORT, **documents.write_port(state, wanted)}]


def _bridges(state: State, database: str) -> t.List[Document]:
    switch = state.ovs[database]
    found = []
    for bridge in switch.bridges.values():
        document = ovs_documents.write_bridge(switch, WantedBridge(database, bridge.name, True, {}))
        ports = [WantedPort(database, bridge.name, name, True, {}, {}) for name in switch.ports_of(bridge)]
        written = (ovs_documents.write_port(switch, port) for port in ports)
        document["ports"] = [_without(port, "bridge", "database") for port in written]
        found.append(document)
    return found
