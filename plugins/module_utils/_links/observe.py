# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Read namespaces and links from the kernel into a State."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import sysctls
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._common.values import family
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, coding, facet, vlans
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.foreseen import receiving_upper
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    OWN,
    Link,
    Netns,
    Ref,
    WantedLink,
    WantedNetns,
    former_places,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.ovs_links import OvsLinks
from ansible_collections.virtnet.linux.plugins.module_utils._links.refusals import sentences
from ansible_collections.virtnet.linux.plugins.module_utils._links.routes import links_of_routes
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, references
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.messages import kernel_release
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.namespaces import (
    all_namespaces,
    is_dead,
    named_namespaces,
    open_namespace,
    unshare,
)
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.sysfs import uppers

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Namespaces
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import Wanted

DYING_SECONDS = 2.0
_FEW = 100  # questions for single ids of namespaces; after that, all ids are translated at once
_ELSEWHERE_MOST = 100  # namespaces that are searched for a link that isn't where it should be


class Observer:
    """Reads a part of this host once, through namespaces that are held open."""

    def __init__(self, spaces: Namespaces) -> None:
        self._spaces = spaces
        self._ovs = OvsLinks(spaces)
        self._whole: t.Set[str] = set()
        self._stacked: t.Optional[t.Dict[Ref, t.List[Ref]]] = None
        self._uppers_of: t.Dict[Ref, t.Tuple[str, ...]] = {}
        self._questions = 0

    def observe(self, wanted: Wanted) -> State:
        """Read the part of this host that ``wanted`` refers to, with as few requests as possible.

        Its references to namespaces must be resolved by ``locate``. Raises Refused if the kernel refuses to answer.
        """
        self._spaces.forget()
        state = State(live_rename=kernel_release() >= (6, 2), bridge_vlans=self._has_bridge_vlans(wanted))
        state.dead = frozenset(filter(is_dead, references(wanted)))
        if wanted.whole is not None:
            with sentences("looking at the links of this host"):
                self._look_around(state, wanted)
        for netns in wanted.namespaces:
            with sentences("looking at network namespace '%s'" % netns.name):
                self._look_netns(state, netns)
        for link in wanted.links:
            for end in link.ends():
                with sentences("looking at link %s" % (end.ref,)):
                    self._look_link(state, end)
        with sentences("looking at routes"):
            self._look_routes(state, wanted)
        return state

    def _has_bridge_vlans(self, wanted: Wanted) -> bool:
        """Whether the kernel supports VLANs in bridges. Asks the kernel only if the task sets such an option."""
        if not any(name.startswith("vlan_") for link in wanted.links for name in link.values):
            return True
        space = self._spaces.require(OWN)
        with sentences("asking the kernel for VLANs of bridges"):
            vlans.observe(space, 1)  # lo has no VLANs; the reply shows whether the kernel knows the request
        return space.port_vlans or kernel_release() < (5, 7)

    def _look_around(self, state: State, wanted: Wanted) -> None:
        """Read all links of all namespaces that ``wanted`` refers to into ``state``, each namespace once.

        Settings of bridge ports are decoded only for links where the task may need them.
        """
        tables: t.Dict[str, t.Dict[str, t.Any]] = {}
        seen: t.Set[t.Tuple[int, int]] = set()
        for reference in {**references(wanted), **dict.fromkeys(wanted.whole or ())}:
            space = self._spaces.space(reference)
            if space and space.identity not in seen:
                seen.add(space.identity)
                tables[reference] = space.links()
                state.namespaces.setdefault(reference, Netns(reference, identity=space.cookie))
        self._whole = set(tables)
        for reference, table in tables.items():
            for name in list(table):
                try:
                    state.put(
                        self._decode(self._spaces.require(reference), Ref(reference, name), table[name], details=False)
                    )
                except OSError:
                    if self._is_there(reference, name, table[name]["index"]):
                        raise
                    del table[name]
        _set_ports(state)
        if wanted.with_ovs:
            self._ovs.look_at_ports(state)
        matter: t.Dict[str, t.Dict[Ref, bool]] = {}
        for ref, asked in _relevant_links(state, wanted).items():
            matter.setdefault(ref.netns, {})[ref] = asked
        for reference, table in tables.items():
            self._look_deeper(state, reference, table, matter.get(reference, {}))
        self._look_sysctls(state, {r: table for r, table in tables.items() if wanted.details and r != OWN})

    def _look_sysctls(self, state: State, tables: t.Mapping[str, t.Iterable[str]]) -> None:
        """Read the sysctls of namespaces that differ from those of a new, unnamed namespace that is created for the comparison.

        If any differ, those of the links of that namespace are read as well; ``tables`` has the names of the links.
        """
        if not tables:
            return
        try:
            unshare()
            new = sysctls.read_raw(sysctls.settable())
        finally:
            self._spaces.descriptors.enter(self._spaces.descriptors.home)
        for reference, names in tables.items():
            with self._spaces.require(reference).inside():
                found = sysctls.different(sysctls.read_raw(new), new)
                of_links = sysctls.of_links(names, found, new) if found else {}
            state.namespaces[reference] = dataclasses.replace(
                state.namespaces[reference], sysctls={**found, **of_links}
            )

    def _is_there(self, reference: str, name: str, index: int) -> bool:
        message = self._spaces.require(reference).link_by_name(name)
        return bool(message and message["index"] == index)

    def _look_deeper(
        self, state: State, reference: str, table: t.Mapping[str, t.Any], refs: t.Mapping[Ref, bool]
    ) -> None:
        """Read the lists of FACETS for all links of a namespace, and port settings and VLANs for the links in ``refs``."""
        space = self._spaces.require(reference)
        # The kernel's own entries matter only if the task lists the same ones. There are many.
        asked = any(refs.values())
        observed = facet.observe(FACETS, space, 0, asked)
        for name, message in table.items():
            ref = Ref(reference, name)
            link = state.links[ref]
            lists = facet.lists_of(link.index, observed)
            port = bridge_ports.settings(message) if ref in refs else {}
            bridge = state.links.get(Ref(reference, link.values.get("master", "")))
            filters = port and bridge and bridge.values.get("vlan_filtering")
            has = vlans.observe(space, link.index) if filters else None
            if port or any(lists.values()):
                state.put(dataclasses.replace(link, port=port, vlans=has, **lists))

    def _look_netns(self, state: State, wanted: WantedNetns) -> None:
        space = self._spaces.space(wanted.name)
        if space is None:
            return
        values = {}
        if wanted.sysctls:
            with space.inside():
                values = sysctls.read(sysctls.touched(wanted.sysctls))
        cookie = space.cookie if wanted.name in self._whole else ""
        ports = () if wanted.present or self._whole else self._ovs.ports_in(space)
        state.namespaces[wanted.name] = Netns(wanted.name, values, cookie, ovs_ports=ports)
        self._look(state, Ref(wanted.name, "lo"))

    def _look_link(self, state: State, wanted: WantedLink) -> None:
        kind = registry.KINDS.get(wanted.kind)
        may_go = wanted.recreate or not wanted.present
        link = self._look(state, wanted.ref, patient=bool(kind and kind.paired), may_go=may_go)
        link = self._look_former(state, wanted, link, may_go)
        if link is None and _can_not_be_made(wanted):
            self._look_elsewhere(state, wanted.ref)
        self._ovs.look_at_ovs(state, wanted, link)
        if wanted.ref.netns not in self._whole and ((link and link.kind == wanted.kind) or not wanted.present):
            # Another default PVID changes the VLANs of all ports, and setting it back may add VLANs.
            other_vlans = may_go or wanted.purge_ports or "vlan_default_pvid" in wanted.values
            self._look_ports(state, wanted.ref, may_go=other_vlans)
        if wanted.values.get("master"):
            self._look(state, Ref(wanted.ref.netns, wanted.values["master"]), brief=True)
            self._look_stacked(state, wanted.ref, wanted.values["master"])
        for name in wanted.ports or ():
            self._look(state, Ref(wanted.ref.netns, name), brief=True)
            self._look_stacked(state, Ref(wanted.ref.netns, name), wanted.ref.name)
        self._look_ipv6(state, wanted)
        for parent in (wanted.parent, link.parent if link else None):
            if parent:
                self._look_parent(state, parent)
        if link and wanted.values.get("mtu", link.values.get("mtu", 0)) < link.values.get("mtu", 0):
            self._look_followers(state, link.ref, set())
        if wanted.vlans and link:
            space = self._spaces.require(wanted.ref.netns)
            has = vlans.observe(space, link.index)
            state.port_vlans = space.port_vlans
            if link.port:
                state.put(dataclasses.replace(state.links[link.ref], vlans=has))

    def _look_elsewhere(self, state: State, ref: Ref) -> None:
        """Find links of the same name in other namespaces, so that an error can name them."""
        if ref.netns in self._whole:
            return
        named = itertools.islice(named_namespaces(), _ELSEWHERE_MOST)
        for reference in dict.fromkeys((OWN, *self._spaces.open, *named)):
            with contextlib.suppress(BadInput, Unusable, OSError):
                space = self._spaces.space(reference)
                there = {known.identity for name, known in self._spaces.open.items() if name in state.namespaces}
                if space and (reference in state.namespaces or space.identity not in there):
                    self._look(state, Ref(reference, ref.name), brief=True)

    def _look_stacked(self, state: State, ref: Ref, master: str) -> None:
        """Find links that are stacked upon a future port, until one is found that prevents it."""
        link = state.links.get(ref)
        if link is None or ref.netns in self._whole or link.values.get("master") == master:
            return
        state.put(dataclasses.replace(link, uppers=self._uppers(self._spaces.require(ref.netns), ref.name)))
        for name in state.links[ref].uppers:
            upper = self._look(state, Ref(ref.netns, name), brief=True)
            if upper and receiving_upper(upper.kind):
                return

    def _look_ipv6(self, state: State, wanted: WantedLink) -> None:
        """Read whether IPv6 is enabled on a link, and on new links in its namespace, if the task needs that."""
        given = [entry for each in FACETS for entry in getattr(wanted, each.name) or ()]
        if all((family(entry) if isinstance(entry, str) else entry.family) == 4 for entry in given):
            return
        state.ipv6 = self._spaces.require(OWN).ipv6("default") is not None
        space, netns, link = self._spaces.space(wanted.ref.netns), wanted.ref.netns, state.links.get(wanted.ref)
        if space and netns in state.namespaces:
            state.namespaces[netns] = dataclasses.replace(state.namespaces[netns], ipv6=space.ipv6("default"))
        if space and link:
            state.put(dataclasses.replace(link, ipv6=space.ipv6(wanted.ref.name)))

    def _look_routes(self, state: State, wanted: Wanted) -> None:
        """Find links that already have routes which the task adds to others: destination, table and metric are unique."""
        lacking: t.Dict[str, t.Set[t.Tuple[str, int, int]]] = {}
        for end in (end for link in wanted.links if link.present for end in link.ends()):
            has = {route.key for route in state.links[end.ref].routes} if end.ref in state.links else ()
            lacking.setdefault(end.ref.netns, set()).update(
                route.key for route in end.routes or () if route.key not in has
            )
        for netns, keys in lacking.items():
            space = self._spaces.space(netns) if keys else None
            if space:
                for key, indexes in links_of_routes(space, keys).items():
                    state.routed[netns, key] = frozenset(space.name_of(index) if index else "" for index in indexes)

    def _look_former(self, state: State, wanted: WantedLink, here: t.Optional[Link], may_go: bool) -> t.Optional[Link]:
        """The link in its wanted place, or else the one that ``move_from`` or ``rename_from`` points to."""
        amiss = here is None or bool(wanted.kind and here.kind != wanted.kind)
        places = [Ref(wanted.move_from, wanted.ref.name)] if amiss and wanted.move_from is not None else []
        found = [self._look(state, place, may_go=may_go) for place in (*places, *former_places(wanted))]
        return next((link for link in found if link), here) if amiss else here

    def _look_parent(self, state: State, ref: Ref) -> None:
        """Read a parent, and one link on it if there is only one, because that may require exclusive use of the parent."""
        link = self._look(state, ref, brief=True)
        if link and link.values.get("master"):
            self._look(state, Ref(ref.netns, link.values["master"]), brief=True)
        if link:
            if ref not in self._uppers_of:
                self._uppers_of[ref] = self._uppers(self._spaces.require(ref.netns), ref.name)
            link = dataclasses.replace(link, uppers=self._uppers_of[ref])
            state.put(link)
            if len(link.uppers) == 1:
                self._look(state, Ref(ref.netns, link.uppers[0]), brief=True)

    def _look_followers(self, state: State, ref: Ref, seen: t.Set[Ref]) -> None:
        """Read the links whose MTU follows that of a link: those stacked upon it, and its bridge."""
        seen.add(ref)
        if self._stacked is None:
            self._stacked = self._find_stacked()
        upon = [child for child in self._stacked.get(ref, ()) if self._look(state, child)]
        master = Ref(ref.netns, state.links[ref].values.get("master") or "")
        if master.name and self._look(state, master, brief=True):
            if ref.netns not in self._whole:
                self._look_ports(state, master, may_go=False)
            upon += [master]
        for follower in upon:
            if follower not in seen:
                self._look_followers(state, follower, seen)

    def _find_stacked(self) -> t.Dict[Ref, t.List[Ref]]:
        """The links that are stacked upon others, by their parents, in all namespaces with a name or a process."""
        found: t.Dict[Ref, t.List[Ref]] = {}
        seen: t.Set[t.Tuple[int, int]] = set()
        for reference in (OWN, *self._spaces.open, *all_namespaces()):
            known = reference in self._spaces.open
            with contextlib.suppress(BadInput, Unusable, OSError):  # deleted meanwhile, or only a file
                space = self._spaces.space(reference)
                if space is None or space.identity in seen:
                    continue
                seen.add(space.identity)
                stacked = self._stacked_in(space, reference)
                for lower, upper in stacked:
                    found.setdefault(lower, []).append(upper)
                if not stacked and not known:
                    self._spaces.open.pop(reference).close()
        return found

    def _stacked_in(self, space: Namespace, reference: str) -> t.List[t.Tuple[Ref, Ref]]:
        found = []
        for kind in (kind for kind in registry.KINDS.values() if kind.has_parent):
            which = ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind.rtnl)]})
            for name, message in space.links(which).items():
                if message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == kind.rtnl:
                    lower = self._lower(space, Ref(reference, name), message)
                    found += [(lower, Ref(reference, name))] if lower else []
        return found

    def _uppers(self, space: Namespace, name: str) -> t.Tuple[str, ...]:
        with contextlib.suppress(OSError), space.inside():  # Linux before 5.2 lacks this file in sysfs
            return uppers(name)
        return ()

    def _look(
        self, state: State, ref: Ref, brief: bool = False, patient: bool = False, may_go: bool = False
    ) -> t.Optional[Link]:
        """Read a link, and the other end of its pair or its parent, into ``state``; ``brief`` skips the lists of FACETS.

        ``patient`` waits for a pair to vanish if its other end can't be reached. ``may_go`` also reads which processes hold
        the link open.
        """
        space = self._spaces.space(ref.netns)
        if space is None:
            return None
        state.namespaces.setdefault(ref.netns, Netns(ref.netns))
        known = state.links.get(ref)
        if known and (ref.netns not in self._whole or not _lost(known) or not patient):
            return known
        if known is None and ref.netns in self._whole:
            return None
        link = self._read(space, ref, brief, DYING_SECONDS if patient else 0, may_go)
        if link is None:
            return None
        state.put(link)
        if link.peer and link.peer not in state.links:
            self._look(state, link.peer, brief, may_go=may_go)
        if link.parent:
            self._look(state, link.parent, brief=True)
        return state.links[ref]

    def _read(self, space: Namespace, ref: Ref, brief: bool, patience: float, may_go: bool) -> t.Optional[Link]:
        deadline = time.monotonic() + patience
        while True:
            message = space.link_by_name(ref.name)
            link = self._decode(space, ref, message, brief=brief, may_go=may_go) if message else None
            # The other end may be in a namespace that was just deleted. Then both ends vanish soon.
            if link is None or brief or not _lost(link) or time.monotonic() > deadline:
                return link
            time.sleep(0.02)

    def _look_ports(self, state: State, ref: Ref, may_go: bool) -> None:
        link = state.links.get(ref)
        kind = registry.KINDS.get(link.kind) if link else None
        if link is None or kind is None or not kind.has_ports:
            return
        space = self._spaces.require(ref.netns)
        names = []
        for name, message in space.links(("IFLA_MASTER", link.index)).items():
            if message.get_attr("IFLA_MASTER") != link.index:
                continue  # this kernel ignores the filter
            port = Ref(ref.netns, name)
            names.append(port.name)
            if port not in state.links:
                found = self._decode(space, port, message, brief=True, master=ref.name)
                state.put(dataclasses.replace(found, vlans=vlans.observe(space, found.index)) if may_go else found)
        state.put(dataclasses.replace(link, ports=tuple(sorted(names))))

    def _decode(
        self,
        space: Namespace,
        ref: Ref,
        message: t.Any,
        *,
        brief: bool = False,
        details: bool = True,
        master: str = "",
        may_go: bool = False,
    ) -> Link:
        """The link that a message describes; with ``master``, the name of its master, VLANs are not read.

        Without ``details`` the lists of FACETS and VLANs are empty; ``brief`` uses nothing but the message.
        """
        rtnl_kind = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") or ""
        kind = registry.BY_RTNL.get(rtnl_kind)
        values = _values(space, message, kind, master)
        differs = kind and not brief and kind.__class__ is not Kind
        more, open_by = _beyond_netlink(kind, space, ref, message, may_go) if kind and differs else ({}, ())
        values.update(more)
        index = message["index"]
        port = bridge_ports.settings(message) if details else {}
        details = details and not brief
        observed = facet.observe(FACETS, space, index, True) if details else {}
        return Link(
            ref,
            kind.name if kind else rtnl_kind,
            index,
            {name: value for name, value in values.items() if value is not None},
            peer=self._lower(space, ref, message) if kind and kind.paired and not brief else None,
            parent=self._lower(space, ref, message) if kind and kind.has_parent else None,
            open_by=open_by,
            uppers=self._uppers(space, ref.name) if may_go else (),
            port=port,
            vlans=vlans.observe(space, index) if port and details and not master else None,
            mtu_range=(message.get_attr("IFLA_MIN_MTU") or 0, message.get_attr("IFLA_MAX_MTU") or 0),
            **facet.lists_of(index, observed),
        )

    def _lower(self, space: Namespace, ref: Ref, message: t.Any) -> t.Optional[Ref]:
        """The place of the other end of a pair, or of a parent; None if its namespace can't be found."""
        index, nsid = message.get_attr("IFLA_LINK"), message.get_attr("IFLA_LINK_NETNSID")
        netns: t.Optional[str] = ref.netns
        if nsid is not None:
            netns = self._namespace_by_id(space, nsid)
        if not index or netns is None:
            return None
        name = self._spaces.require(netns).name_of(index)
        return Ref(netns, name) if name else None

    def _namespace_by_id(self, space: Namespace, nsid: int) -> t.Optional[str]:
        """A reference to the namespace that another namespace knows by an id. Results are cached in ``space``."""
        if nsid not in space.ids:
            self._ask_for(space, nsid, [OWN])  # most links have their parent or peer there
        if nsid not in space.ids and self._questions > _FEW:
            self._translate(space, nsid)
        if nsid not in space.ids:
            self._ask_for(space, nsid, [*self._spaces.open])
        if nsid not in space.ids:
            space.ids[nsid] = self._search(space, nsid)
        found = space.ids[nsid]
        if found is not None and not self._leads_to(space, nsid, found):
            space.ids[nsid] = None
        return space.ids[nsid]

    def _ask_for(self, space: Namespace, nsid: int, references_to_ask: t.Iterable[str]) -> None:
        """Ask a namespace for the ids of other namespaces, one by one, until ``nsid`` is found."""
        for reference in references_to_ask:
            other = self._spaces.space(reference) if reference not in space.asked else None
            space.asked.add(reference)
            if other:
                self._questions += reference != OWN
                space.ids.setdefault(space.id_of(other.fd), self._spaces.first.get(other.identity, reference))
            if nsid in space.ids:
                return

    def _translate(self, space: Namespace, nsid: int) -> None:
        """Cache in ``space`` what all of its ids refer to; None for ``nsid`` if that namespace can't be found.

        Does nothing if the kernel doesn't support it.
        """
        found = self._spaces.translate(space, nsid)
        if found is None:
            return
        for number, reference in found.items():
            space.ids.setdefault(number, reference)
        space.ids.setdefault(nsid, None)

    def _leads_to(self, space: Namespace, nsid: int, reference: str) -> bool:
        """Whether a reference is open, or still refers to the namespace with an id."""
        if reference in self._spaces.open:
            return True
        with contextlib.suppress(BadInput, Unusable, OSError):
            other = self._spaces.space(reference)
            return bool(other and space.id_of(other.fd) == nsid)
        return False

    def _search(self, space: Namespace, nsid: int) -> t.Optional[str]:
        for reference in all_namespaces():
            with contextlib.suppress(BadInput, Unusable, OSError):
                self._spaces.descriptors.make_room()
                fd = open_namespace(reference)
                if fd is None:
                    continue
                self._questions += 1
                if space.id_of(fd) == nsid:
                    self._spaces.open[reference] = Namespace(fd, descriptors=self._spaces.descriptors)
                    return reference
                os.close(fd)
        return None


def _beyond_netlink(
    kind: Kind, space: Namespace, ref: Ref, message: t.Any, thorough: bool
) -> t.Tuple[t.Dict[str, t.Any], t.Tuple[str, ...]]:
    """Values of a link that its message lacks, and words for the processes that hold it open."""
    with space.inside():
        return kind.read_more(ref.name, message), kind.open_by(ref.name, message, thorough)


def _values(space: Namespace, message: t.Any, kind: t.Optional[Kind], master: str) -> t.Dict[str, t.Any]:
    """The option values of a link in a message; ``master`` is the name of its master, or empty if it isn't known yet."""
    values = coding.common_values(message)
    index = message.get_attr("IFLA_MASTER")
    values["master"] = master or (space.name_of(index) if index else "")
    if kind:
        values.update(coding.own_values(kind.attributes, message))
    return values


def _can_not_be_made(wanted: WantedLink) -> bool:
    """Whether the link must exist already, because its document lacks options that are required to create it."""
    kind = registry.KINDS.get(wanted.kind)
    if not wanted.present or wanted.move_from is not None:
        return False
    incomplete = kind and ((kind.paired and not wanted.peer) or kind.lacking(wanted.values, wanted.parent is not None))
    return not wanted.made or bool(incomplete)


def _lost(link: Link) -> bool:
    """Whether a link is one end of a pair whose other end was not found."""
    return link.peer is None and link.kind in registry.KINDS and registry.KINDS[link.kind].paired


def _set_ports(state: State) -> None:
    """Fill in the ports of bridges. All links of their namespaces must be in ``state``."""
    ports: t.Dict[Ref, t.List[str]] = {}
    for ref, link in state.links.items():
        if link.values.get("master"):
            ports.setdefault(Ref(ref.netns, link.values["master"]), []).append(ref.name)
    for ref, link in list(state.links.items()):
        if link.kind in registry.KINDS and registry.KINDS[link.kind].has_ports:
            state.put(dataclasses.replace(link, ports=tuple(sorted(ports.get(ref, ())))))


def _relevant_links(state: State, wanted: Wanted) -> t.Dict[Ref, bool]:
    """The links whose lists and port settings must be read: a task may change them, or an undo may have to restore them.

    The value is whether the task lists entries of FACETS for the link.
    """
    if wanted.details:
        return dict.fromkeys(state.links, True)
    found = dict.fromkeys(_that_may_go(state, wanted), False)
    for asked in (end for link in wanted.links for end in link.ends()):
        elsewhere = [] if asked.move_from is None else [Ref(asked.move_from, asked.ref.name)]
        elsewhere += former_places(asked)
        for link in (state.links[ref] for ref in (asked.ref, *elsewhere) if ref in state.links):
            same = link.ref == asked.ref and asked.present
            same = same and all(link.values.get(name) == value for name, value in asked.values.items())
            lists = any(getattr(asked, each.name) is not None for each in FACETS)
            if same and not lists and asked.vlans is None and not asked.port:
                continue
            for ref in (link.ref, *([link.peer] if link.peer else [])):
                found[ref] = found.get(ref, False) or lists
            if asked.purge_ports or not asked.present:
                found.update((Ref(link.ref.netns, name), False) for name in link.ports or ())
    return {ref: lists for ref, lists in found.items() if ref in state.links}


def _that_may_go(state: State, wanted: Wanted) -> t.Set[Ref]:
    """Links that the task deletes without listing them, with their other ends and their ports."""
    going = [state.links[ref] for ref in wanted.going() if ref in state.links]
    ports = {Ref(link.ref.netns, name) for link in going for name in link.ports or ()}
    return ports | {ref for link in going for ref in (link.ref, link.peer) if ref}
