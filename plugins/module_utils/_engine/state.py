# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a host's network is, and what one task asks of it. Values only: nothing here does I/O.

What they are made of is in ``_model_links`` and ``_model_ovs``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine.tables import Indexes, Table

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
        Link,
        Netns,
        Ref,
        Route,
        WantedLink,
        WantedNetns,
    )
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch, WantedBridge, WantedPort
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import WantedTopology


class Links(Table["Ref", "Link"]):
    """Links by their place. They are also found by namespace, by name, by address, by parent, and by namespace and name of their master."""

    INDEXES: t.ClassVar[Indexes] = {
        "netns": lambda link: (link.ref.netns,),
        "name": lambda link: (link.ref.name,),
        "local": lambda link: tuple((link.ref.netns, address.address.split("/")[0]) for address in link.addresses),
        "parent": lambda link: (link.parent,) if link.parent else (),
        "master": lambda link: ((link.ref.netns, link.values["master"]),) if link.values.get("master") else (),
    }


@dataclasses.dataclass
class State:
    """The observed part of a host. What is not in it does not exist."""

    namespaces: t.Dict[str, Netns] = dataclasses.field(default_factory=dict)
    links: t.Dict[Ref, Link] = dataclasses.field(default_factory=dict)
    # Linux 6.2 and newer rename a link that is up; older ones want it down.
    live_rename: bool = True
    # Whether the kernel tells the VLANs of a bridge's port.
    port_vlans: bool = True
    # False where the kernel is known to have no VLANs in bridges, or no IPv6.
    bridge_vlans: bool = True
    ipv6: bool = True
    # Paths of namespaces that aren't there, because the process they name isn't running.
    dead: t.FrozenSet[str] = frozenset()
    # Sentences on links that Open vSwitch has made and that are not where they were looked for, by name.
    not_here: t.Dict[str, str] = dataclasses.field(default_factory=dict, compare=False)
    # What Open vSwitch has, by database.
    ovs: t.Dict[str, Switch] = dataclasses.field(default_factory=dict)
    # Since when the kernel runs, where somebody asked (/proc/sys/kernel/random/boot_id).
    boot: str = ""
    # Which links, by name, have the routes that other links are to get, by namespace and ``key``; the empty name stands for a
    # route through no link, or through several.
    routed: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], t.FrozenSet[str]] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )
    # The document of a topology that is kept for the next boot.
    kept: t.Optional[t.Dict[str, t.Any]] = None
    # The links that are, or have been, stacked upon another one, by that; ``children`` tells those that still are.
    stacked: t.Dict[Ref, t.Dict[Ref, None]] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    # Those with routes that prefer a source, or that have had such routes, by their namespace and the source.
    sourced: t.Dict[t.Tuple[str, str], t.Dict[Ref, None]] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        self.namespaces = Table(self.namespaces)
        self.links = Links(self.links)

    def copy(self) -> State:
        """A State that can be changed without changing this one (what is in it is immutable)."""
        ovs = {database: switch.copy() for database, switch in self.ovs.items()}
        stacked = {ref: dict(children) for ref, children in self.stacked.items()}
        sourced = {place: dict(links) for place, links in self.sourced.items()}
        return dataclasses.replace(self, ovs=ovs, stacked=stacked, sourced=sourced)

    def put(self, link: Link) -> None:
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
        """Whether a link in a namespace has an address."""
        return bool(t.cast("Links", self.links).under("local", (netns, host)))

    def children(self, ref: Ref) -> t.List[Link]:
        """The links that are stacked upon the one at ``ref``, in the order in which they came."""
        return self.linked("parent", ref)

    def linked(self, index: str, word: t.Hashable) -> t.List[Link]:
        """The links that an index of ``Links`` has under a word."""
        return [self.links[ref] for ref in self.linked_refs(index, word)]

    def linked_refs(self, index: str, word: t.Hashable) -> t.List[Ref]:
        """The same, as references."""
        return t.cast("Links", self.links).under(index, word)

    # Changes that can be taken back without a copy

    def _tables(self) -> t.Iterator[Table[t.Any, t.Any]]:
        yield t.cast("Table[t.Any, t.Any]", self.namespaces)
        yield t.cast("Table[t.Any, t.Any]", self.links)
        for switch in self.ovs.values():
            yield from switch.tables()

    def begin(self) -> None:
        """Log changes from now on, until ``keep`` or ``take_back``."""
        for table in self._tables():
            table.begin()

    def keep(self) -> None:
        """End the log, and keep the changes."""
        for table in self._tables():
            table.keep()

    def take_back(self) -> None:
        """End the log, and take the changes back."""
        for table in self._tables():
            table.take_back()

    @contextlib.contextmanager
    def kept_changes(self) -> t.Iterator[None]:
        """Log the changes that are made inside, and keep them."""
        self.begin()
        try:
            yield
        finally:
            self.keep()

    @contextlib.contextmanager
    def trial(self) -> t.Iterator[None]:
        """Take back at the end what is changed inside."""
        self.begin()
        try:
            yield
        finally:
            self.take_back()

    def changed_links(self) -> t.Dict[Ref, t.Optional[Link]]:
        """What the links that have changed since the last ``begin`` were before; None for those that did not exist."""
        return t.cast("Links", self.links).changes()

    def devices(self, gone: t.Collection[str], come: t.Collection[str]) -> None:
        """Take note of the links that come and go with internal ports of OVS; for those who look at both."""

    def seized(self, names: t.Collection[str]) -> None:
        """Take note of the links that OVS takes or lets go of; for those who look at both."""

    def set_by_ovs(self, name: str, **values: t.Any) -> None:
        """Take note of values that OVS gives a link in its own namespace, None for unknown ones; for those who look at both."""


class Wanted(t.NamedTuple):
    """All that one task asks for."""

    namespaces: t.Tuple[WantedNetns, ...] = ()
    links: t.Tuple[WantedLink, ...] = ()
    ovs_bridges: t.Tuple[WantedBridge, ...] = ()
    ovs_ports: t.Tuple[WantedPort, ...] = ()
    # With this all links of the namespaces that it speaks of are looked at, and of those named here as well, be they
    # wanted or not; with ``details`` the addresses and routes of all of them, too.
    whole: t.Optional[t.Tuple[str, ...]] = None
    details: bool = False
    databases_too: t.Tuple[str, ...] = ()
    topology: t.Optional[WantedTopology] = None
    # What is wrong with the document: no plan can be made, but one error is to tell what else is wrong. With it, the names
    # in those elements of the document that could not be read.
    wrong: t.Tuple[str, ...] = ()
    unread: t.FrozenSet[str] = frozenset()

    def databases(self) -> t.List[str]:
        """Every database of Open vSwitch in it."""
        bridges, ports = (bridge.database for bridge in self.ovs_bridges), (port.database for port in self.ovs_ports)
        return sorted({*bridges, *ports, *self.databases_too})
