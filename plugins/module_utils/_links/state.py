# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Observed namespaces and links of a host, and what one task requests. Values only, without I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine import state as engine
from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Indexes, Table
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OWN, Ref

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
        Link,
        Netns,
        Route,
        WantedLink,
        WantedNetns,
    )


class Links(Table["Ref", "Link"]):
    """Links by place, with indexes by namespace, name, address, parent, and namespace and name of the master."""

    INDEXES: t.ClassVar[Indexes] = {
        "netns": lambda link: (link.ref.netns,),
        "name": lambda link: (link.ref.name,),
        "local": lambda link: tuple((link.ref.netns, address.address.split("/")[0]) for address in link.addresses),
        "parent": lambda link: (link.parent,) if link.parent else (),
        "master": lambda link: ((link.ref.netns, link.values["master"]),) if link.values.get("master") else (),
    }


@dataclasses.dataclass
class State(engine.State):
    """The namespaces and links of a host."""

    namespaces: t.Dict[str, Netns] = dataclasses.field(default_factory=dict)
    links: t.Dict[Ref, Link] = dataclasses.field(default_factory=dict)
    # Linux 6.2 and newer rename links that are up; older kernels require them to be down.
    live_rename: bool = True
    # Whether the kernel reports VLANs of bridge ports.
    port_vlans: bool = True
    # False if the kernel is known to lack VLANs in bridges, or IPv6.
    bridge_vlans: bool = True
    ipv6: bool = True
    # Paths of namespaces below /proc whose processes do not run.
    dead: t.FrozenSet[str] = frozenset()
    # Sentences on links of Open vSwitch that are missing where they are expected, by name.
    not_here: t.Dict[str, str] = dataclasses.field(default_factory=dict, compare=False)
    # Names of links with a route that another link is to get, by namespace and ``key`` of the route; an empty name means a
    # route through no link or through several.
    routed: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], t.FrozenSet[str]] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )
    # Links that are or were stacked upon another link, by that link; ``children`` returns those that still are.
    stacked: t.Dict[Ref, t.Dict[Ref, None]] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    # Links that have or had routes with a preferred source, by namespace and source.
    sourced: t.Dict[t.Tuple[str, str], t.Dict[Ref, None]] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        self.namespaces = Table(self.namespaces)
        self.links = Links(self.links)

    # Required by the engine

    def tables(self) -> t.Iterator[t.Tuple[engine.Label, Table[t.Any, t.Any]]]:
        """All tables, by label."""
        yield ("namespace",), t.cast("Table[t.Any, t.Any]", self.namespaces)
        yield ("link",), t.cast("Table[t.Any, t.Any]", self.links)
        yield from super().tables()

    def own(self) -> t.Dict[str, t.Any]:
        """Copies of the fields that a copy of the state must not share."""
        return {
            **super().own(),
            "stacked": {ref: dict(children) for ref, children in self.stacked.items()},
            "sourced": {place: dict(links) for place, links in self.sourced.items()},
        }

    def changes(self) -> t.Dict[Ref, t.Optional[Link]]:
        """Links that changed since the last ``begin``, as they were then; None for new ones."""
        return dict(t.cast("Links", self.links).changes())

    def order(self) -> t.Dict[Ref, int]:
        """Order of the links."""
        return {ref: number for number, ref in enumerate(self.links)}

    def with_only(self, values: t.Mapping[Ref, Link]) -> State:
        """A copy of this state with these links only."""
        return dataclasses.replace(self, links=dict(values), namespaces={})

    def vanished(self, now: State) -> t.Dict[t.Any, engine.Vanished]:
        """Names of namespaces and places of links that are missing in a later state."""
        found: t.Dict[t.Any, engine.Vanished] = {}
        for name in sorted(self.namespaces.keys() - now.namespaces.keys()):
            found[name] = engine.Vanished(name, "Namespace '%s'" % name, True)
        for ref in sorted(self.links.keys() - now.links.keys()):
            words = "Link %s" % (ref,) if ref.netns in now.namespaces else ""
            found[ref] = engine.Vanished(ref.name, words, False)
        return found

    def identities(self) -> engine.Identities:
        """Identities of its namespaces and links."""
        spaces = {name: netns.identity for name, netns in self.namespaces.items()}
        links = {
            (ref.netns, ref.name, link.kind): (spaces[ref.netns], link.index)
            for ref, link in self.links.items()
            if ref.netns in spaces
        }
        return super().identities()._replace(links=links, spaces={*spaces.values()})

    # Links

    def put(self, link: Link) -> None:
        """Add a link, or replace the link in its place."""
        old = self.links.get(link.ref)
        if old is None or old.routes is not link.routes:
            for route in link.routes:
                self._note_source(link.ref, route)
        self.links[link.ref] = link
        if link.parent:
            self.stacked.setdefault(link.parent, {})[link.ref] = None

    def _note_source(self, ref: Ref, route: Route) -> None:
        if route.src:
            self.sourced.setdefault((ref.netns, route.src), {})[ref] = None

    def is_local(self, netns: str, host: str) -> bool:
        """Whether any link in a namespace has an address."""
        return bool(t.cast("Links", self.links).under("local", (netns, host)))

    def children(self, ref: Ref) -> t.List[Link]:
        """Links that are stacked upon the link at ``ref``, in the order in which they were added."""
        return self.linked("parent", ref)

    def linked(self, index: str, word: t.Hashable) -> t.List[Link]:
        """Links in an index of ``Links``, by key."""
        return [self.links[ref] for ref in self.linked_refs(index, word)]

    def linked_refs(self, index: str, word: t.Hashable) -> t.List[Ref]:
        """The same as places."""
        return t.cast("Links", self.links).under(index, word)


@dataclasses.dataclass(frozen=True)
class Wanted(engine.Wanted):
    """What one task requests for namespaces and links.

    ``whole`` reads all links of all namespaces that the task refers to, and of those listed here; ``details`` also reads the
    lists of FACETS for all of them.
    """

    namespaces: t.Tuple[WantedNetns, ...] = ()
    links: t.Tuple[WantedLink, ...] = ()
    whole: t.Optional[t.Tuple[str, ...]] = None
    details: bool = False

    @property
    def with_ovs(self) -> bool:
        """Whether Open vSwitch is read as well."""
        return False

    def going(self) -> t.Set[Ref]:
        """Links that the task deletes without listing them."""
        return set()


W = t.TypeVar("W", bound=Wanted)


def references(wanted: Wanted) -> t.Dict[str, str]:
    """All references to namespaces in ``wanted``, OWN last, with words for the option that each comes from."""
    found = {netns.name: "option name" for netns in wanted.namespaces}
    for link in wanted.links:
        for end, prefix in zip(link.ends(), ("", "peer.")):
            found.setdefault(end.ref.netns, "option %snetns of link '%s'" % (prefix, end.ref.name))
            found.setdefault(end.move_from or OWN, "option move_from of link '%s'" % end.ref.name)
            if end.parent:
                found.setdefault(end.parent.netns, "option parent_netns of link '%s'" % end.ref.name)
    found.pop(OWN, None)
    return {**found, OWN: "the namespace that the module runs in"}


def located(wanted: W, same: t.Mapping[str, str]) -> W:
    """Replace each reference to a namespace in ``wanted`` by its representative in ``same``."""

    def locate(link: WantedLink) -> WantedLink:
        return link._replace(
            ref=Ref(same[link.ref.netns], link.ref.name),
            move_from=None if link.move_from is None else same[link.move_from],
            peer=locate(link.peer) if link.peer else None,
            parent=Ref(same[link.parent.netns], link.parent.name) if link.parent else None,
        )

    return dataclasses.replace(wanted, links=tuple(locate(link) for link in wanted.links))
