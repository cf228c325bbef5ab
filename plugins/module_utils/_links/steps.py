# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The steps that plans are made of.

Each step knows what it is in words (``describe``), how an admin would type it (``commands``, as argument lists), what
it does to a State, the kernel's side effects included (``simulate``), and which steps take it back (``inverse``, told
from the State before it; side effects aside, which the planner sees by comparing). How the kernel is asked to do it
is the business of the kernel side.
"""

from __future__ import annotations

import dataclasses
import math
import re
import shlex
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, bridge, inside, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import effects
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import (
    common,
    linux_bridge,
    linux_bridge_port,
    registry,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    MAIN_TABLE,
    OWN,
    Address,
    Link,
    Netns,
    Ref,
    Route,
    Vlan,
    in_netns,
    vlan_ranges,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute, Kind
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


_DISABLE_IPV6 = re.compile("^net/ipv6/conf/([^/]+)/disable_ipv6$")


class LinkStep(Step):
    """A step that the kernel runs."""

    batch = "kernel"

    def refs(self) -> t.Set[Ref]:
        ref = getattr(self, "ref", None)
        return {ref} if ref else set()


@dataclasses.dataclass(eq=False, repr=False)
class NetnsAdd(LinkStep):
    """Make a named network namespace."""

    name: str

    def netns_names(self) -> t.Set[str]:
        return {self.name}

    def describe(self) -> str:
        return "creating network namespace '%s'" % self.name

    def commands(self) -> t.List[Argv]:
        return [["ip", "netns", "add", self.name]]

    def simulate(self, state: State) -> None:
        state.namespaces[self.name] = Netns(self.name)
        state.put(Link(Ref(self.name, "lo"), index=1, values={"state": "down"}))

    def inverse(self, before: State) -> t.List[Step]:
        return [NetnsDel(self.name)]


@dataclasses.dataclass(eq=False, repr=False)
class NetnsDel(LinkStep):
    """Remove the name of a network namespace. The namespace itself goes with its last user."""

    name: str

    def describe(self) -> str:
        return "deleting network namespace '%s'" % self.name

    def commands(self) -> t.List[Argv]:
        return [["ip", "netns", "del", self.name]]

    def simulate(self, state: State) -> None:
        state.namespaces.pop(self.name, None)
        for link in state.linked("netns", self.name):
            LinkDel(link).simulate(state)

    def inverse(self, before: State) -> t.List[Step]:
        with before.trial():
            self.simulate(before)
            lost = tuple(link for link in before.changes().values() if link)
        return [NetnsRestore(before.namespaces[self.name], lost)]


@dataclasses.dataclass(eq=False, repr=False)
class NetnsRestore(LinkStep):
    """Give the namespace that a NetnsDel of this very task unnamed its name back, with all that is in it."""

    netns: Netns
    links: t.Tuple[Link, ...]  # all that had seemed to go with it

    def describe(self) -> str:
        return "restoring network namespace '%s'" % self.netns.name

    def commands(self) -> t.List[Argv]:
        return []  # only the process that still holds the namespace open can do this

    def simulate(self, state: State) -> None:
        state.namespaces[self.netns.name] = self.netns
        for link in self.links:
            state.put(link)

    def inverse(self, before: State) -> t.List[Step]:
        return [NetnsDel(self.netns.name)]


@dataclasses.dataclass(eq=False, repr=False)
class Sysctl(LinkStep):
    """Set a sysctl inside a namespace; ``key`` is its path below /proc/sys."""

    netns: str
    key: str
    value: str

    def netns_names(self) -> t.Set[str]:
        return {self.netns}

    def unmet(self, now: State) -> str:
        where = "sysctl %s%s (option sysctls)" % (common_values.sysctl_name(self.key), in_netns(self.netns))
        kept = now.namespaces[self.netns].sysctls.get(self.key)
        if kept is None:
            return "There is no %s any more." % where
        return "The kernel took %s for %s, and keeps %s; give a value that it keeps." % (
            quoted(self.value),
            where,
            quoted(kept),
        )

    def describe(self) -> str:
        return "setting sysctl %s%s to %s" % (
            common_values.sysctl_name(self.key),
            in_netns(self.netns),
            quoted(self.value),
        )

    def commands(self) -> t.List[Argv]:
        return [inside(self.netns, "sysctl", "-q", "-w", "%s=%s" % (common_values.sysctl_name(self.key), self.value))]

    def simulate(self, state: State) -> None:
        netns = state.namespaces[self.netns]
        value = common_values.sysctl_told(self.value)
        changed = effects(self.key, value, netns.sysctls)
        known = {key: its for key, its in changed.items() if key in netns.sysctls}
        sysctls = {**netns.sysctls, **known, self.key: value}
        state.namespaces[self.netns] = dataclasses.replace(netns, sysctls=sysctls)
        found = _DISABLE_IPV6.match(self.key)
        if found:
            self._switch_ipv6(state, found.group(1))

    def _switch_ipv6(self, state: State, name: str) -> None:
        """One of a link concerns that; ``default`` those that are made afterwards, ``all`` these and those that there are."""
        ipv6 = common_values.sysctl_told(self.value) == "0"
        if name in ("all", "default"):
            state.namespaces[self.netns] = dataclasses.replace(state.namespaces[self.netns], ipv6=ipv6)
        for link in state.linked("netns", self.netns):
            if name in ("all", link.ref.name):
                state.put(dataclasses.replace(link, ipv6=ipv6))

    def inverse(self, before: State) -> t.List[Step]:
        had = before.namespaces[self.netns].sysctls
        value = had.get(self.key)
        if value is None:
            return []
        others = effects(self.key, value, had)
        wrong = [key for key in others if key in had and others[key] != had[key]]
        return [Sysctl(self.netns, self.key, value), *(Sysctl(self.netns, key, had[key]) for key in wrong)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkAdd(LinkStep):
    """Make a link, and with a pair its ``peer``; takes from their values what the kernel takes at birth."""

    link: Link
    peer: t.Optional[Link] = None

    def refs(self) -> t.Set[Ref]:
        return {end.ref for end in (self.link, self.peer) if end}

    def describe(self) -> str:
        peer = " with its peer " + str(self.peer.ref) if self.peer else ""
        return "creating %s %s%s" % (self.link.kind, self.link.ref, peer)

    def commands(self) -> t.List[Argv]:
        link, peer = self.link, self.peer
        kind = registry.KINDS[link.kind]
        if kind.means:
            return kind.means.commands(link.ref.netns, link.ref.name, link.values)
        if peer and peer.ref.netns == OWN and link.ref.netns != OWN:
            # Only this way round has iproute2 a word for where the other end goes.
            return LinkAdd(dataclasses.replace(peer, kind=link.kind), link).commands()
        parent = link.parent
        words = ["link", "add", *(["link", parent.name] if parent else []), "name", link.ref.name]
        words += _spell(common.common_at_birth(kind), link)
        given = [a for a in kind.attributes if a.at_birth and a.name in link.values]
        own = kind.spell([a.name for a in given if link.values[a.name] != a.default], link.values)
        what = ["type", kind.rtnl, *own]
        if peer:
            what += ["peer", "name", peer.ref.name, *_spell(common.common_at_birth(None), peer)]
            if peer.ref.netns != link.ref.netns:
                what += ["netns", peer.ref.netns]
        if parent and parent.netns != link.ref.netns:
            return [_into(parent.netns, words, link.ref.netns, what)]
        return [ip(link.ref.netns, *words, *what)]

    def brings(self) -> t.Sequence[Ref]:
        return [end.ref for end in (self.link, self.peer) if end]

    def simulate(self, state: State) -> None:
        kind = registry.KINDS[self.link.kind]
        values: t.Dict[str, t.Any] = {"state": "down", "master": "", "alias": "", "promisc": False}
        below = state.links.get(self.link.parent) if self.link.parent else None
        values.update((name, value) for name, value in [("mtu", _mtu_at_birth(kind, below))] if value is not None)
        values.update((a.name, a.default) for a in kind.attributes if a.default is not None)
        given = {attribute.name for attribute in common.born_with(kind)}
        for end in [self.link, self.peer] if self.peer else [self.link]:
            asked = {name: value for name, value in end.values.items() if name in given}
            ports = None if end.ports is None else ()
            born = kind.born({**values, **asked})
            new = Link(end.ref, end.kind, end.index, born, peer=end.peer, parent=end.parent, ports=ports)
            state.put(dataclasses.replace(new, keeps_mtu=False, ipv6=_ipv6_of_new_links(state, end.ref.netns)))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkDel(self.link)]


def _ipv6_of_new_links(state: State, netns: str) -> t.Optional[bool]:
    return state.namespaces[netns].ipv6 if netns in state.namespaces else None


def _mtu_at_birth(kind: Kind, below: t.Optional[Link]) -> t.Optional[int]:
    """The MTU of a link that nobody has given one: that of the link below; None where that isn't known."""
    if kind.has_parent:
        return below.values.get("mtu") if below else None
    return common.DEFAULT_MTU


def _spell(attributes: t.Iterable[Attribute], link: Link) -> t.List[str]:
    return [word for a in attributes if a.name in link.values for word in a.spell(link.values[a.name])]


def _into(netns: str, words: t.Sequence[str], to: str, more: t.Sequence[str] = ()) -> Argv:
    """The ip command, run in one namespace, that brings a link into another one."""
    if to:
        return ip(netns, *words, "netns", to, *more)
    # The own namespace has no name to give; a shell that stays in it lends its process id.
    before, after = shlex.join(ip(netns, *words)), shlex.join(more)
    return ["sh", "-c", "%s netns $$ %s; exit $?" % (before, after) if after else before + " netns $$; exit $?"]


@dataclasses.dataclass(eq=False, repr=False)
class LinkDel(LinkStep):
    """Delete a link; of a pair, both ends go. ``silent`` is the second half of what LinkAside already spelled."""

    link: Link
    silent: bool = False

    deletes = True

    def describe(self) -> str:
        return "deleting %s %s" % (self.link.kind or "link", self.link.ref)

    def commands(self) -> t.List[Argv]:
        return [] if self.silent else [ip(self.link.ref.netns, "link", "del", "dev", self.link.ref.name)]

    def simulate(self, state: State) -> None:
        gone = state.links.pop(self.link.ref, None)
        other = state.links.pop(gone.peer, None) if gone and gone.peer else None
        if other:
            _forget_port(state, other)
        if gone:
            _forget_port(state, gone)
        for end in (gone, other):
            if end:
                _forget_sources(state, end.ref.netns, end.addresses)
        for link in _slaves(state, gone):
            state.put(_released(link))
        for child in _children(state, gone):
            LinkDel(child).simulate(state)

    def inverse(self, before: State) -> t.List[Step]:
        link = before.links.get(self.link.ref)
        if link is None or link.kind not in registry.KINDS:
            return []
        peer = before.links.get(link.peer) if link.peer else None
        return [LinkAdd(link, peer), *(LinkAdd(child) for child in _children(before, link))]


@dataclasses.dataclass(eq=False, repr=False)
class LinkAside(LinkStep):
    """Take a link out of the way, down and under another name, until its successor stands and it can be deleted."""

    ref: Ref
    aside: str

    def describe(self) -> str:
        return "setting link %s aside" % (self.ref,)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, "link", "del", "dev", self.ref.name)]

    def simulate(self, state: State) -> None:
        LinkSet(self.ref, "state", "down").simulate(state)
        LinkRename(self.ref, self.aside).simulate(state)

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkRename(Ref(self.ref.netns, self.aside), self.ref.name)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkRename(LinkStep):
    """Give a link another name."""

    ref: Ref
    name: str

    def describe(self) -> str:
        return "renaming link %s to '%s'" % (self.ref, self.name)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, "name", self.name)]

    def brings(self) -> t.Sequence[Ref]:
        return [Ref(self.ref.netns, self.name)]

    def simulate(self, state: State) -> None:
        _relocate(state, self.ref, Ref(self.ref.netns, self.name))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkRename(Ref(self.ref.netns, self.name), self.ref.name)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkMove(LinkStep):
    """Move a link to another namespace, under another name if ``to`` has one. ``index`` asks for an interface index."""

    ref: Ref
    to: Ref
    index: int = 0

    def describe(self) -> str:
        where = "namespace '%s'" % self.to.netns if self.to.netns else "the namespace that the module runs in"
        name = " as '%s'" % self.to.name if self.to.name != self.ref.name else ""
        return "moving link %s to %s%s" % (self.ref, where, name)

    def commands(self) -> t.List[Argv]:
        name = ["name", self.to.name] if self.to.name != self.ref.name else []
        words = ["link", "set", "dev", self.ref.name]
        return [_into(self.ref.netns, [*words, *name], self.to.netns)]

    def brings(self) -> t.Sequence[Ref]:
        return [self.to]

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        _forget_port(state, link)
        # dev_change_net_namespace() takes it down and out of its master; its addresses and routes stay behind.
        lost = dict.fromkeys(registry.KINDS[link.kind].stay_behind if link.kind in registry.KINDS else ())
        had = link.addresses
        link = dataclasses.replace(_released(link.having(state="down", **lost)), addresses=(), routes=())
        state.put(dataclasses.replace(link, index=self.index, ipv6=_ipv6_of_new_links(state, self.to.netns)))
        _relocate(state, self.ref, self.to)
        _forget_sources(state, self.ref.netns, had)

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkMove(self.to, self.ref, before.links[self.ref].index)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkSet(LinkStep):
    """Change one attribute of a link, its state included."""

    ref: Ref
    name: str
    value: t.Any
    kind: str = ""  # of the link; needed for a kind's own attributes
    beside: t.Tuple[t.Tuple[str, t.Any], ...] = ()  # values that the kernel takes together with it only

    @property
    def values(self) -> t.Dict[str, t.Any]:
        """All the values that are set, most of them to what they were."""
        return {**dict(self.beside), self.name: self.value}

    def attribute(self) -> Attribute:
        """The attribute that is changed, where it isn't the state."""
        own = registry.KINDS[self.kind].attributes if self.kind in registry.KINDS else ()
        return next(attribute for attribute in (*common.COMMON, *own) if attribute.name == self.name)

    def describe(self) -> str:
        if self.name == "state":
            return "setting link %s %s" % (self.ref, self.value)
        return "setting %s of link %s to %s" % (self.name, self.ref, _show(self.value))

    def commands(self) -> t.List[Argv]:
        if self.name == "state":
            return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, self.value)]
        attribute = self.attribute()
        if attribute.means:
            return attribute.means.commands(self.ref.netns, self.ref.name, self.values)
        if attribute in common.COMMON:
            words = attribute.spell(self.value)
        else:
            words = registry.KINDS[self.kind].spell([self.name], self.values)
            words = ["type", registry.KINDS[self.kind].rtnl, *words] if words else []
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, *words)] if words else []

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        value = self.value
        if self.name != "state":
            value = self.attribute().codec.result(link.values.get(self.name), value)
        link = link.having(**{self.name: value})
        kind = registry.KINDS.get(link.kind)
        if kind:
            link = dataclasses.replace(link, values=kind.settled(link.values))
        if self.name == "state" and self.value == "down":
            # The kernel drops the routes and the IPv6 addresses of a link that goes down.
            link = dataclasses.replace(_without_ipv6(link), routes=())
        if self.name == "mtu":
            was = state.links[self.ref].values.get("mtu")
            _set_mtu(state, link, True if was not in (None, value) else link.keeps_mtu)
            return
        state.put(link)
        if self.name == "mac":
            _share_mac(state, link)

    def inverse(self, before: State) -> t.List[Step]:
        link = before.links[self.ref]
        value = link.values.get(self.name)
        return [] if value is None else [link_set(link, self.name, value)]


def link_set(link: Link, name: str, value: t.Any) -> LinkSet:
    """The step that gives a link another value and leaves those beside it as they are."""
    own = registry.KINDS[link.kind].attributes if link.kind in registry.KINDS else ()
    beside = next((attribute.beside for attribute in own if attribute.name == name), ())
    values = tuple((other, link.values[other]) for other in beside if other != name and other in link.values)
    return LinkSet(link.ref, name, value, link.kind, values)


@dataclasses.dataclass(eq=False, repr=False)
class LinkMaster(LinkStep):
    """Put a link under a master in its namespace; the empty string takes it out."""

    ref: Ref
    master: str

    def describe(self) -> str:
        if self.master:
            return "adding link %s to '%s'" % (self.ref, self.master)
        return "taking link %s out of its master" % (self.ref,)

    def commands(self) -> t.List[Argv]:
        words = ["master", self.master] if self.master else ["nomaster"]
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, *words)]

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        _forget_port(state, link)
        link = _released(link).having(master=self.master)
        master = state.links.get(Ref(self.ref.netns, self.master))
        if master and master.kind == linux_bridge.KIND.name:
            # nbp_vlan_init() of the kernel
            pvid = master.values.get("vlan_default_pvid")
            vlans = None if pvid is None else (Vlan(pvid, True, True),) if pvid else ()
            link = dataclasses.replace(link, port=linux_bridge_port.DEFAULTS, vlans=vlans)
        state.put(link)
        if master and master.kind in registry.KINDS:
            ports = None if master.ports is None else tuple(sorted({*master.ports, self.ref.name}))
            _set_ports(state, master, ports, link.values.get("mtu"))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkMaster(self.ref, before.links[self.ref].values.get("master", ""))]


@dataclasses.dataclass(eq=False, repr=False)
class PortSet(LinkStep):
    """Change settings of a bridge's port, by name."""

    ref: Ref
    settings: t.Tuple[t.Tuple[str, t.Any], ...]

    def describe(self) -> str:
        settings = ", ".join("%s to %s" % (name, _show(value)) for name, value in self.settings)
        return "setting, of port %s, %s" % (self.ref, settings)

    def commands(self) -> t.List[Argv]:
        words = [word for name, value in self.settings for word in linux_bridge_port.ATTRIBUTES[name].spell(value)]
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, "type", "bridge_slave", *words)]

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        state.put(dataclasses.replace(link, port={**link.port, **dict(self.settings)}))

    def inverse(self, before: State) -> t.List[Step]:
        had = before.links[self.ref].port
        settings = tuple((name, had[name]) for name, _value in self.settings if name in had)
        return [PortSet(self.ref, settings)] if settings else []


@dataclasses.dataclass(eq=False, repr=False)
class VlanAdd(LinkStep):
    """Give a bridge's port the VLANs from the id of ``vlan`` to ``last``; those that it has already are changed."""

    ref: Ref
    vlan: Vlan
    last: int

    def describe(self) -> str:
        return "adding VLAN %s to port %s" % (_vids(self.vlan.vid, self.last), self.ref)

    def commands(self) -> t.List[Argv]:
        flags = [word for word in ("pvid", "untagged") if getattr(self.vlan, word)]
        words = ["vlan", "add", "dev", self.ref.name, "vid", _vids(self.vlan.vid, self.last), *flags]
        return [bridge(self.ref.netns, *words)]

    @property
    def alike(self) -> t.Hashable:
        return ("VLANs", self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        _change_vlans(state, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def inverse_all(self, before: State, alike: t.Sequence[Step]) -> t.List[Step]:
        return _back_to_vlans(before, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def change(self, vlans: t.Dict[int, Vlan], pvids: t.Set[int]) -> None:
        """Change the VLANs of a port; ``pvids`` are the ids of those that are the PVID."""
        if self.vlan.pvid:
            vlans.update((vid, vlans[vid]._replace(pvid=False)) for vid in pvids if vid in vlans)
            pvids.clear()
        for vid in range(self.vlan.vid, self.last + 1):
            vlans[vid] = self.vlan._replace(vid=vid)
            if self.vlan.pvid:
                pvids.add(vid)

    def back(self, had: t.Mapping[int, Vlan]) -> t.List[Step]:
        """The steps that take it back, given the VLANs before it."""
        vids = range(self.vlan.vid, self.last + 1)
        new = vlan_ranges(Vlan(vid) for vid in vids if vid not in had)
        old = vlan_ranges(had[vid] for vid in vids if vid in had)
        return [
            *(VlanDel(self.ref, vlan.vid, last) for vlan, last in new),
            *(VlanAdd(self.ref, vlan, last) for vlan, last in old),
        ]


@dataclasses.dataclass(eq=False, repr=False)
class VlanDel(LinkStep):
    """Take the VLANs from one id to another from a bridge's port."""

    ref: Ref
    first: int
    last: int

    def describe(self) -> str:
        return "removing VLAN %s from port %s" % (_vids(self.first, self.last), self.ref)

    def commands(self) -> t.List[Argv]:
        return [bridge(self.ref.netns, "vlan", "del", "dev", self.ref.name, "vid", _vids(self.first, self.last))]

    @property
    def alike(self) -> t.Hashable:
        return ("VLANs", self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        _change_vlans(state, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def inverse_all(self, before: State, alike: t.Sequence[Step]) -> t.List[Step]:
        return _back_to_vlans(before, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def change(self, vlans: t.Dict[int, Vlan], pvids: t.Set[int]) -> None:
        """Change the VLANs of a port; ``pvids`` are the ids of those that are the PVID."""
        for vid in range(self.first, self.last + 1):
            vlans.pop(vid, None)
            pvids.discard(vid)

    def back(self, had: t.Mapping[int, Vlan]) -> t.List[Step]:
        """The steps that take it back, given the VLANs before it."""
        gone = (had[vid] for vid in range(self.first, self.last + 1) if vid in had)
        return [VlanAdd(self.ref, vlan, last) for vlan, last in vlan_ranges(gone)]


_VlanStep = t.Union[VlanAdd, VlanDel]


def _vlans_of(state: State, ref: Ref) -> t.Tuple[t.Dict[int, Vlan], t.Set[int]]:
    vlans = {vlan.vid: vlan for vlan in state.links[ref].vlans or ()}
    return vlans, {vid for vid, vlan in vlans.items() if vlan.pvid}


def _change_vlans(state: State, ref: Ref, changes: t.Sequence[_VlanStep]) -> None:
    vlans, pvids = _vlans_of(state, ref)
    for step in changes:
        step.change(vlans, pvids)
    state.put(dataclasses.replace(state.links[ref], vlans=tuple(sorted(vlans.values()))))


def _back_to_vlans(before: State, ref: Ref, changes: t.Sequence[_VlanStep]) -> t.List[Step]:
    """The steps that take changes back, the last one first."""
    vlans, pvids = _vlans_of(before, ref)
    back: t.List[t.List[Step]] = []
    for step in changes:
        back.append(step.back(vlans))
        step.change(vlans, pvids)
    return [step for steps in reversed(back) for step in steps]


def _vids(first: int, last: int) -> str:
    return str(first) if first == last else "%d-%d" % (first, last)


@dataclasses.dataclass(eq=False, repr=False)
class AddressAdd(LinkStep):
    """Add an address; ``again`` when a side effect of an earlier step may or may not have taken it."""

    ref: Ref
    address: Address
    again: bool = False

    def describe(self) -> str:
        return "adding address %s to link %s" % (self.address.address, self.ref)

    def commands(self) -> t.List[Argv]:
        verb = "replace" if self.again else "add"
        extra = dict(self.address.extra).get("attributes", {})
        words = [*_spell_address(self.address), "dev", self.ref.name]
        for keyword, name in (("broadcast", "IFA_BROADCAST"), ("label", "IFA_LABEL")):
            if extra.get(name) and extra[name] != self.ref.name:
                words += [keyword, extra[name]]
        for keyword, name in (("valid_lft", "ifa_valid"), ("preferred_lft", "ifa_preferred")):
            if "IFA_CACHEINFO" in extra:
                words += [keyword, str(extra["IFA_CACHEINFO"][name])]
        return [ip(self.ref.netns, "address", verb, *words)]

    @property
    def alike(self) -> t.Hashable:
        return (AddressAdd, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        added = [step.address for step in t.cast("t.Sequence[AddressAdd]", alike)]
        state.put(dataclasses.replace(link, addresses=_inserted(link.addresses, added)))

    def inverse(self, before: State) -> t.List[Step]:
        return [AddressDel(self.ref, self.address)]


@dataclasses.dataclass(eq=False, repr=False)
class AddressDel(LinkStep):
    """Remove an address."""

    ref: Ref
    address: Address

    def describe(self) -> str:
        return "removing address %s from link %s" % (self.address.address, self.ref)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, "address", "del", *_spell_address(self.address), "dev", self.ref.name)]

    @property
    def alike(self) -> t.Hashable:
        return (AddressDel, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        gone = with_secondaries(link.addresses, [step.address for step in t.cast("t.Sequence[AddressDel]", alike)])
        left = tuple(address for address in link.addresses if address not in gone)
        routes = without_sources(link.routes, {address.address.split("/")[0] for address in gone})
        if not any(address.family == 4 for address in left):
            # fib_inetaddr_event(): all of IPv4 goes with the last IPv4 address.
            routes = tuple(route for route in routes if route.family == 6)
        state.put(dataclasses.replace(link, addresses=left, routes=routes))
        _forget_sources(state, self.ref.netns, (self.address, *gone))

    def inverse(self, before: State) -> t.List[Step]:
        return [AddressAdd(self.ref, self.address)]


def _forget_sources(state: State, netns: str, addresses: t.Iterable[Address]) -> None:
    """Take note in a State of what becomes of all routes in a namespace whose sources may have gone."""
    for host in (address.address.split("/")[0] for address in addresses):
        links = [state.links[ref] for ref in state.sourced.get((netns, host), ()) if ref in state.links]
        if links and not state.is_local(netns, host):
            for link in links:
                state.put(dataclasses.replace(link, routes=without_sources(link.routes, {host})))


def without_sources(routes: t.Iterable[Route], hosts: t.Container[str]) -> t.Tuple[Route, ...]:
    """What becomes of routes that prefer a source that goes: of IPv4 they go with it, of IPv6 they forget it.

    See fib_sync_down_addr() and rt6_remove_prefsrc() of the kernel.
    """
    kept = (route for route in routes if route.family == 6 or route.src not in hosts)
    return tuple(dataclasses.replace(route, src="") if route.src in hosts else route for route in kept)


def with_broadcast_of(old: t.Optional[Address], new: Address) -> Address:
    """An address that another link has let go of, with the broadcast address that it had there."""
    broadcast = dict(old.extra).get("attributes", {}).get("IFA_BROADCAST") if old and not new.extra else None
    if broadcast is None:
        return new
    return dataclasses.replace(new, extra=(("attributes", {"IFA_BROADCAST": broadcast}),))


def _spell_address(address: Address) -> t.List[str]:
    host, prefix = address.address.split("/")
    peer = dict(address.extra).get("attributes", {}).get("IFA_ADDRESS", host)
    return [address.address] if peer == host else [host, "peer", "%s/%s" % (peer, prefix)]


def with_secondaries(addresses: t.Sequence[Address], deleted: t.Sequence[Address]) -> t.Set[Address]:
    """Addresses that are deleted one after the other, with the secondary IPv4 addresses that may go with them.

    With the first address of a subnet go those behind it, unless the sysctl promote_secondaries keeps them.
    """
    left: t.Dict[t.Tuple[int, int], t.Dict[Address, None]] = {}
    for address in addresses:
        if address.family == 4:
            left.setdefault(_subnet(address), {})[address] = None
    gone: t.Set[Address] = set()
    for address in deleted:
        same = left.get(_subnet(address), {}) if address.family == 4 else {}
        gone.add(address)
        if address in same:
            if next(iter(same)) == address:
                gone.update(same)
                same.clear()
            else:
                del same[address]
    return gone


def _inserted(addresses: t.Tuple[Address, ...], added: t.Sequence[Address]) -> t.Tuple[Address, ...]:
    """The addresses with new ones where __inet_insert_ifa() of the kernel puts them: primary ones before secondary ones."""
    subnets: t.Set[t.Tuple[int, int]] = set()
    primary: t.List[Address] = []  # all up to the last primary one
    others: t.List[Address] = []
    for address in addresses:
        others.append(address)
        if address.family == 4 and _subnet(address) not in subnets:
            subnets.add(_subnet(address))
            primary += others
            others = []
    for address in added:
        if address.family == 4 and _subnet(address) not in subnets:
            subnets.add(_subnet(address))
            primary.append(address)
        else:
            others.append(address)
    return (*primary, *others)


def _subnet(address: Address) -> t.Tuple[int, int]:
    host, prefix = address.address.split("/")
    number = 0
    for octet in host.split("."):
        number = number << 8 | int(octet)
    return number >> (32 - int(prefix)), int(prefix)


@dataclasses.dataclass(eq=False, repr=False)
class RouteAdd(LinkStep):
    """Add a route through a link."""

    ref: Ref
    route: Route

    def describe(self) -> str:
        return "adding route %s through link %s" % (self.route, self.ref)

    def commands(self) -> t.List[Argv]:
        route = self.route
        words = _spell_route("add", route, self.ref)
        if route.src:
            words += ["src", route.src]
        if route.onlink:
            words.append("onlink")
        if route.mtu:
            words += ["mtu", str(route.mtu)]
        proto = dict(route.extra).get("proto")
        return [ip(self.ref.netns, *words, "proto", "static" if proto is None else str(proto))]

    @property
    def alike(self) -> t.Hashable:
        return (RouteAdd, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        added = (step.route for step in t.cast("t.Sequence[RouteAdd]", alike))
        state.put(dataclasses.replace(link, routes=(*link.routes, *added)))

    def inverse(self, before: State) -> t.List[Step]:
        return [RouteDel(self.ref, self.route)]


@dataclasses.dataclass(eq=False, repr=False)
class RouteDel(LinkStep):
    """Remove a route through a link."""

    ref: Ref
    route: Route

    def describe(self) -> str:
        return "removing route %s through link %s" % (self.route, self.ref)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, *_spell_route("del", self.route, self.ref))]

    @property
    def alike(self) -> t.Hashable:
        return (RouteDel, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        gone = {step.route for step in t.cast("t.Sequence[RouteDel]", alike)}
        state.put(dataclasses.replace(link, routes=tuple(route for route in link.routes if route not in gone)))

    def inverse(self, before: State) -> t.List[Step]:
        return [RouteAdd(self.ref, self.route)]


def _spell_route(verb: str, route: Route, ref: Ref) -> t.List[str]:
    words = ["-6"] if route.family == 6 else []
    words += ["route", verb, "default" if route.to in ("0.0.0.0/0", "::/0") else route.to]
    if route.via:
        words += ["via", route.via]
    words += ["dev", ref.name]
    if route.metric:
        words += ["metric", str(route.metric)]
    if route.table != MAIN_TABLE:
        words += ["table", str(route.table)]
    return words


def _show(value: t.Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return quoted(value) if isinstance(value, str) else str(value).lower()


def _released(link: Link) -> Link:
    """A link that is no port any more."""
    return dataclasses.replace(link.having(master=""), port={}, vlans=None)


def _slaves(state: State, master: t.Optional[Link]) -> t.List[Link]:
    """The links whose master a link is, which those of some kinds can't be."""
    kind = registry.KINDS.get(master.kind) if master else None
    if master is None or (kind and not kind.has_ports):
        return []
    return state.linked("master", tuple(master.ref))


def _children(state: State, parent: t.Optional[Link]) -> t.List[Link]:
    """The links that are stacked upon another one, or upon the other end of its pair."""
    ends = [end for end in (parent.ref, parent.peer) if end] if parent else []
    return [link for end in ends for link in state.children(end)]


def _without_ipv6(link: Link) -> Link:
    return dataclasses.replace(
        link,
        routes=tuple(route for route in link.routes if route.family == 4),
        addresses=tuple(address for address in link.addresses if address.family == 4),
    )


def _set_mtu(state: State, link: Link, keeps: t.Optional[bool]) -> None:
    """Put a link with another MTU (none: unknown) into a State, and let the links that follow it do so.

    With a small MTU the kernel drops IPv6. Links stacked upon it come down with it and stay there (see
    macvlan_device_event() of the kernel). A bridge has the lowest MTU of its ports until it is given one.
    """
    mtu = link.values.get("mtu")
    if mtu is not None and mtu < common.IPV6_MIN_MTU:
        link = _without_ipv6(link)
    state.put(dataclasses.replace(link, keeps_mtu=keeps))
    for child in state.children(link.ref):
        has = child.values.get("mtu")
        if has is not None and (mtu is None or has > mtu):
            _set_mtu(state, child.having(mtu=mtu), child.keeps_mtu)
    master = _master(state, link)
    if master:
        _follow_ports(state, master, mtu)


def _follow_ports(state: State, bridge: Link, mtu: t.Optional[float]) -> None:
    """Let the MTU of a bridge follow its ports, one of which has another one now; infinite if it has left.

    Where the MTU of the bridge may have been set (see br_mtu_auto_adjust() of the kernel), it is unknown afterwards.
    """
    has = bridge.values.get("mtu")
    if has is None or bridge.keeps_mtu:
        return
    if bridge.ports is None:
        _set_mtu(state, bridge.having(mtu=None), None)
        return
    if mtu is not None and mtu >= has and has in _port_mtus(state, bridge):
        return  # another port has as little
    found = [*_port_mtus(state, bridge)]
    known = [mtu for mtu in found if mtu is not None]
    least = min(known, default=common.DEFAULT_MTU) if len(known) == len(found) else None
    if least != has:
        _set_mtu(state, bridge.having(mtu=None if bridge.keeps_mtu is None else least), bridge.keeps_mtu)


def _port_mtus(state: State, bridge: Link) -> t.Iterator[t.Optional[int]]:
    for name in bridge.ports or ():
        port = state.links.get(Ref(bridge.ref.netns, name))
        yield port.values.get("mtu") if port else None


def _share_mac(state: State, link: Link) -> None:
    """Give those that have the MAC address of a link, or that follow it, the one that it has now."""
    mac = link.values.get("mac")
    kind = registry.KINDS.get(link.kind)
    if kind and kind.exclusive(link.values) and link.parent in state.links:
        state.put(state.links[link.parent].having(mac=mac))
    for child in state.children(link.ref):
        if registry.KINDS[child.kind].exclusive(child.values):
            state.put(child.having(mac=mac))
    master = _master(state, link)
    if master:
        state.put(master.having(mac=None))


def _master(state: State, port: Link) -> t.Optional[Link]:
    """The bridge of a port, as far as it is one of the collection's kinds."""
    master = state.links.get(Ref(port.ref.netns, port.values.get("master") or ""))
    return master if master and master.kind in registry.KINDS else None


def _set_ports(state: State, master: Link, ports: t.Optional[t.Tuple[str, ...]], mtu: t.Optional[float]) -> None:
    """Give a bridge other ports; ``mtu`` is that of the one that comes, infinite if one leaves.

    Its MAC address follows its ports unless it has been set, which is unknown.
    """
    master = dataclasses.replace(master.having(mac=None), ports=ports)
    state.put(master)
    _follow_ports(state, master, mtu)


def _forget_port(state: State, port: Link) -> None:
    master = state.links.get(Ref(port.ref.netns, port.values.get("master", "")))
    if master and master.ports and port.ref.name in master.ports:
        _set_ports(state, master, tuple(name for name in master.ports if name != port.ref.name), math.inf)


def _relocate(state: State, old: Ref, new: Ref) -> None:
    """Give a link in a State another place; what refers to it follows."""
    link = state.links.pop(old)
    state.put(link.moved(new))
    peer = state.links.get(link.peer) if link.peer else None
    if peer:
        state.put(dataclasses.replace(peer, peer=new))
    for child in state.children(old):
        state.put(dataclasses.replace(child, parent=new))
    for other in state.linked("master", tuple(old)):
        state.put(other.having(master=new.name))
    master = state.links.get(Ref(old.netns, link.values.get("master", "")))
    if master and master.ports and old.name in master.ports:
        renamed = tuple(sorted(new.name if name == old.name else name for name in master.ports))
        state.put(dataclasses.replace(master, ports=renamed))
