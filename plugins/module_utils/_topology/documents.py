# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Documents of topologies: lists of documents of namespaces, links, and bridges of Open vSwitch with their ports."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import argument_specs
from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.option_types import mistyped, outermost
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import WantedLink, WantedNetns
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options, read_netns, write_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import references
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_documents, port_documents
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import CONNECTION, read_timeout
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import WantedBridge, WantedPort
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import Wanted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State

Document = t.Dict[str, t.Any]
Options = t.Dict[str, t.Any]
# Completes a document with defaults by an argument spec, and returns it with sentences about its errors.
Validate = t.Callable[[Options, Document], t.Tuple[Document, t.List[str]]]

ANY, PORT = "link", "linux_bridge_port"
UNKNOWN = "there is no option "  # prefix of a sentence of Validate about an unknown option
KINDS = (ANY, PORT, *registry.KINDS)
_DOCUMENTS = {"type": "list", "elements": "dict", "default": []}
# Elements of a document that is kept: as given, and completed with defaults.
_KEPT_AS_GIVEN = ("name", "purge", "rollback", "timeout")
_KEPT = (*_KEPT_AS_GIVEN, "namespaces", "links", "ovs_bridges")


def topology_options() -> Options:
    """Argument spec of a topology; the specs of its elements depend on their kinds."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "namespaces": _DOCUMENTS,
        "links": _DOCUMENTS,
        "ovs_bridges": _DOCUMENTS,
        "purge": {"type": "bool", "default": True},
        "rollback": {"type": "bool", "default": True},
        "persist": {"type": "bool", "default": False},
        **CONNECTION,
    }


def info_options() -> Options:
    """Argument spec of the module topology_info."""
    return {"namespaces": {"type": "list", "elements": "str"}, **CONNECTION}


def read_topology(document: Document, validate: Validate) -> Wanted:
    """What the document of a topology requests. Raises BadInput with all errors."""
    return _read_strictly(document, validate).wanted()


def read_what_can_be(document: Document, validate: Validate) -> Wanted:
    """The same without an exception: ``Wanted.wrong`` has the errors, and elements with errors are left out."""
    reader = _read(document, validate)
    return dataclasses.replace(reader.wanted(), wrong=tuple(reader.wrong), unread=frozenset(reader.unread))


def keepable(document: Document, validate: Validate) -> Document:
    """A document that ``as_kept`` can read at the next boot: with defaults, without options that change nothing.

    Raises BadInput if it refers to something that does not survive a reboot.
    """
    reader = _read_strictly(document, validate)
    _check_lasting(reader.wanted())
    return {**{name: document[name] for name in _KEPT_AS_GIVEN}, **reader.complete}


def as_kept(options: Options, element: Document) -> t.Tuple[Document, t.List[str]]:
    """Complete an element of a kept document; its values have the types of their options already."""
    return argument_specs.complete(options, element)


def read_kept(document: t.Any, name: str) -> t.Tuple[Wanted, Document]:
    """What the kept document of a topology requests, and the document with its defaults.

    Raises BadInput with all errors.
    """
    options = {option: spec for option, spec in topology_options().items() if option in _KEPT}
    complete, wrong = as_kept(options, document)
    if wrong:
        raise BadInput(*("%s." % common_names.upper(sentence) for sentence in wrong))
    if complete["name"] != name:
        raise BadInput("Option name: it is the document of topology %s." % quoted(complete["name"]))
    read_timeout(complete["timeout"])
    wanted = read_topology(complete, as_kept)
    _check_lasting(wanted)
    return wanted, complete


def _check_lasting(wanted: Wanted) -> None:
    """Raise BadInput if a document refers to something that does not survive a reboot."""
    for reference, where in references(wanted).items():
        if reference.startswith("/proc/"):
            raise BadInput(
                "%s: '%s' is another namespace after a reboot, or none; option persist needs one that has a name."
                % (common_names.upper(where), reference)
            )


def _read_strictly(document: Document, validate: Validate) -> _Reader:
    reader = _read(document, validate)
    if reader.wrong:
        raise BadInput(*reader.wrong)
    return reader


def _read(document: Document, validate: Validate) -> _Reader:
    reader = _Reader(validate, document.get("database"))
    try:
        common_names.topology_name(document["name"], "option name")
    except BadInput as error:
        reader.wrong += error.sentences
    for number, element in enumerate(document["namespaces"]):
        reader.netns("namespaces[%d]" % number, element)
    for number, element in enumerate(document["links"]):
        reader.link("links[%d]" % number, element)
    for number, element in enumerate(document["ovs_bridges"]):
        reader.bridge("ovs_bridges[%d]" % number, element)
    return reader


class _Reader:
    """Reads element by element, and collects what is wanted, errors, and elements completed with defaults.

    ``unread`` has the names in elements that can't be read; nothing else is known of these things.
    """

    def __init__(self, validate: Validate, database: t.Optional[str]) -> None:
        self._validate = validate
        self._database = database
        self.found: t.List[t.Any] = []
        self.wrong: t.List[str] = []
        self.unread: t.Set[str] = set()
        self.complete: Document = {"namespaces": [], "links": [], "ovs_bridges": []}

    def wanted(self) -> Wanted:
        """Everything that was read."""
        return Wanted(
            namespaces=tuple(item for item in self.found if isinstance(item, WantedNetns)),
            links=tuple(item for item in self.found if isinstance(item, WantedLink)),
            ovs_bridges=tuple(item for item in self.found if isinstance(item, WantedBridge)),
            ovs_ports=tuple(item for item in self.found if isinstance(item, WantedPort)),
        )

    def read(self, where: str, options: Options, element: Document, read: t.Callable[[Document], t.Any]) -> Document:
        """Read an element with its argument spec and its function; returns it as given and completed."""
        place = _place(where, element)
        unlike = mistyped(options, element)
        complete, wrong = self._validate(options, {k: v for k, v in element.items() if k not in outermost(unlike)})
        # Unknown options are left out, so that the other errors of the element are found as well.
        unknown = [sentence for sentence in wrong if sentence.startswith(UNKNOWN)]
        found: t.List[t.Any] = []
        if not unlike and len(unknown) == len(wrong):
            try:
                found.append(
                    _located(read({name: value for name, value in complete.items() if name in options}), where)
                )
            except BadInput as error:
                wrong = [*wrong, *error.sentences]
        required = ["missing required arguments: %s" % name for name in unlike]
        self.found += found
        told = [*unlike.values(), *(sentence for sentence in wrong if sentence not in required)]
        self.wrong += ["%s: %s." % (place, sentence.rstrip(".")) for sentence in told]
        if not found:
            self.unread |= _names_in(element)
        return _given(options, complete) if found else {}

    def netns(self, where: str, element: Document) -> None:
        """Read the document of a namespace."""
        complete = self.read(where, netns_options(), element, read_netns)
        self.complete["namespaces"].append(complete)

    def link(self, where: str, element: Document) -> None:
        """Read the document of a link; its kind determines its options."""
        kind = element.get("kind")
        complete: Document = {}
        if not isinstance(kind, str):
            self._without_kind(where, element)
        elif kind == PORT:
            complete = self.read(where, bridge_ports.options(), _without(element, "kind"), bridge_ports.read)
        elif kind == ANY:
            any_link = {**element, "kind": None}
            options = documents.link_options(None)
            complete = self.read(where, options, any_link, lambda found: documents.read_link(found, None))
        elif isinstance(kind, str) and kind in registry.KINDS:
            of_kind = registry.KINDS[kind]
            options = documents.link_options(of_kind)
            complete = self.read(where, options, element, lambda found: documents.read_link(found, of_kind))
        else:
            self._without_kind(where, element)
        self.complete["links"].append({**complete, "kind": kind})

    def _without_kind(self, where: str, element: Document) -> None:
        self.unread |= _names_in(element)
        kind = element.get("kind")
        self.wrong.append(
            "%s: a link needs a kind, and %s is none of %s."
            % (_place(where, element), quoted("" if kind is None else kind), ", ".join(sorted(KINDS)))
        )

    def bridge(self, where: str, element: Document) -> None:
        """Read the document of an OVS bridge and the documents of its ports."""
        at_hand = {"database": element.get("database", self._database)}
        bridge = {**at_hand, **{key: value for key, value in element.items() if key != "ports"}}
        options = {**bridge_documents.bridge_options()}
        for name in ("ports", "purge_ports", "timeout"):
            del options[name]
        complete = self.read(where, options, bridge, bridge_documents.read_bridge)
        complete["ports"] = []
        self.complete["ovs_bridges"].append(complete)
        ports = element.get("ports") or []
        if not isinstance(ports, list) or not all(isinstance(port, dict) for port in ports):
            others = [port for port in ports if not isinstance(port, dict)] if isinstance(ports, list) else [ports]
            self.wrong.append(
                "%s: option ports is a list of the documents of ports, such as {name: p0}, and %s is none."
                % (_place(where, element), quoted(others[0]))
            )
            return
        options = {**port_documents.port_options()}
        del options["timeout"]
        for number, port in enumerate(ports):
            on_bridge = {**at_hand, "bridge": element.get("name"), **port}
            read = self.read("%s.ports[%d]" % (where, number), options, on_bridge, port_documents.read_port)
            complete["ports"].append(read)


def _located(found: t.Any, where: str) -> t.Any:
    """What an element requests, with the place of a link in the document."""
    if not isinstance(found, WantedLink):
        return found
    peer = found.peer._replace(where=where) if found.peer else None
    return found._replace(where=where, peer=peer)


def _place(where: str, element: Document) -> str:
    """Prefix of a sentence about an element: its place in the document, and its name."""
    name = element.get("name")
    return "In %s (%s)" % (where, quoted(name)) if name and isinstance(name, (str, int)) else "In %s" % where


def _names_in(element: Document) -> t.Set[str]:
    peer = element.get("peer")
    names = [element.get("name"), *([peer.get("name")] if isinstance(peer, dict) else [])]
    return {name for name in names if isinstance(name, str)}


def _given(options: Options, document: Document) -> Document:
    """A document, and the documents within it, without omitted options."""
    given: Document = {}
    for name, value in document.items():
        within = options.get(name, {}).get("options")
        if value is None:
            continue
        if within and isinstance(value, list):
            given[name] = [_given(within, element) for element in value]
        else:
            given[name] = _given(within, value) if within and isinstance(value, dict) else value
    return given


def write_topology(state: State, wanted: Wanted, plan: Plan) -> Document:
    """The elements of the document of a topology in a State, by name, for comparison.

    Other things that the plan deletes are listed by name only.
    """
    present = not wanted.topology or wanted.topology.present
    found = as_it_stands(state, wanted if present else Wanted())
    found["removed"] = {
        thing: "present" if thing in _things(state) else "absent"
        for thing in sorted(_things(plan.before) - _things(plan.after))
    }
    if plan.before.kept or plan.after.kept:
        found.update(persist=state.kept is not None, persisted=state.kept or {})
    return found


def as_it_stands(state: State, wanted: Wanted) -> Document:
    """The elements of the document of a topology by name, as they are in a State."""
    found: Document = {"namespaces": {}, "links": {}, "ovs_bridges": {}}
    for netns in wanted.namespaces:
        found["namespaces"][netns.name] = write_netns(state, netns)
    for link in wanted.links:
        name = "%s%s" % (link.ref.netns + "/" if link.ref.netns else "", link.ref.name)
        if link.port_of:
            found["links"][name + " (%s)" % PORT] = {"kind": PORT, **bridge_ports.write(state, link)}
        else:
            document = documents.write_link(state, link.ref, registry.KINDS.get(link.kind))
            found["links"][name] = {**document, "kind": link.kind or ANY}
    ports: t.Dict[t.Tuple[str, str], Document] = {}
    for port in wanted.ovs_ports:
        document = port_documents.write_port(state.ovs[port.database], port)
        ports.setdefault((port.database, port.bridge), {})[port.name] = _without(document, "bridge", "database")
    for bridge in wanted.ovs_bridges:
        document = bridge_documents.write_bridge(state.ovs[bridge.database], bridge)
        document["ports"] = ports.get((bridge.database, bridge.name), {})
        name = "%s (%s)" % (bridge.name, bridge.database) if bridge.database else bridge.name
        found["ovs_bridges"][name] = document
    return found


def _things(state: State) -> t.Set[str]:
    """Words for everything in a State."""
    ports = {"OVS port '%s'" % name for switch in state.ovs.values() for name in switch.ports}
    return {"namespace '%s'" % name for name in state.namespaces} | {"link %s" % (ref,) for ref in state.links} | ports


def listed(document: Document) -> Document:
    """The same as lists, in the format that a topology accepts."""
    bridges = [{**bridge, "ports": list(bridge["ports"].values())} for bridge in document["ovs_bridges"].values()]
    return {
        "namespaces": list(document["namespaces"].values()),
        "links": list(document["links"].values()),
        "ovs_bridges": bridges,
    }


def _without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}
