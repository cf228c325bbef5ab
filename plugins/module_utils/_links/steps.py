# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Steps that create, change, move and delete links.

A step has a description (``describe``), the equivalent commands as argument lists (``commands``), its effect on a State
including side effects in the kernel (``simulate``), the steps that roll it back, given the State before it (``inverse``,
without side effects, which a comparison finds), and its requests to the kernel (``requests`` or ``execute``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import random
import shlex
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._links import effects, facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.coding import encode
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OWN, Link, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._links.routes import (
    forget_sources,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep, show
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    LINK,
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    Attributes,
    NetlinkError,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute, Procedure
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner

# Options that are flags of a link.
_FLAGS = {"state": common.IFF_UP, "promisc": common.IFF_PROMISC}


@dataclasses.dataclass(eq=False, repr=False)
class LinkAdd(LinkStep):
    """Create a link, or a pair with ``peer``, with those of their values that the kernel accepts on creation."""

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
            # iproute2 has a keyword for the namespace of the peer only, so the peer is the end that is elsewhere.
            return LinkAdd(dataclasses.replace(peer, kind=link.kind), link).commands()
        parent = link.parent
        words = ["link", "add", *(["link", parent.name] if parent else []), "name", link.ref.name]
        words += _spell(common.common_at_birth(kind), link)
        given = [a for a in kind.attributes if a.on_create and a.name in link.values]
        own = kind.spell([a.name for a in given if link.values[a.name] != a.default], link.values)
        what = ["type", kind.rtnl, *own]
        if peer:
            what += ["peer", "name", peer.ref.name, *_spell(common.common_at_birth(None), peer)]
            if peer.ref.netns != link.ref.netns:
                what += ["netns", peer.ref.netns]
        if parent and parent.netns != link.ref.netns:
            return [_into(parent.netns, words, link.ref.netns, what)]
        return [ip(link.ref.netns, *words, *what)]

    @property
    def asked_in(self) -> str:
        # A request in the namespace of the parent can create the link in another one.
        return (self.link.parent or self.link.ref).netns

    def requests(self, runner: Runner) -> t.List[Request]:
        link, kind = self.link, registry.KINDS[self.link.kind]
        data = encode([attribute for attribute in kind.attributes if attribute.on_create], link)
        if self.peer:
            data.append(("VETH_INFO_PEER", self._peer(self.peer, runner)))
        info: Attributes = [("IFLA_INFO_KIND", kind.rtnl), *([("IFLA_INFO_DATA", {"attrs": data})] if data else [])]
        attributes = [
            ("IFLA_IFNAME", link.ref.name),
            *encode(common.common_at_birth(kind), link),
            ("IFLA_LINKINFO", {"attrs": info}),
        ]
        if link.parent:
            attributes.append(("IFLA_LINK", runner.index(link.parent)))
        if self.asked_in != link.ref.netns:
            attributes.append(("IFLA_NET_NS_FD", runner.descriptor(link.ref.netns)))
        return [Request(LINK, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, attributes, _numbered(link))]

    def _peer(self, peer: Link, runner: Runner) -> t.Dict[str, t.Any]:
        attributes: Attributes = [("IFLA_IFNAME", peer.ref.name), *encode(common.common_at_birth(None), peer)]
        if peer.ref.netns != self.link.ref.netns:
            attributes.append(("IFLA_NET_NS_FD", runner.descriptor(peer.ref.netns)))
        return {"attrs": attributes, **_numbered(peer)}

    def execute(self, runner: Runner) -> None:
        link, kind = self.link, registry.KINDS[self.link.kind]
        if kind.means:
            with runner.inside(link.ref.netns):
                kind.means.run(link.ref.name, {**link.values, "ifindex": link.index})
        elif link.index or not _plainly_made(kind):
            (request,) = self.requests(runner)
            with runner.inside(link.ref.netns), kind.making(link.ref.name):
                self._make(runner, request)
        else:
            super().execute(runner)

    def _make(self, runner: Runner, request: Request) -> None:
        try:
            runner.do(self.asked_in, request)
        except NetlinkError as error:
            # Linux before 6.13 checks that the index is free in the namespace of the request, not in that of the new link.
            elsewhere = self.link.index and self.asked_in != self.link.ref.netns
            if error.code != errno.EEXIST or not elsewhere:
                raise
            runner.do(self.asked_in, request._replace(header={}))

    def hint(self, code: int) -> str:
        return registry.KINDS[self.link.kind].hint(code)

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
            born = kind.initial_values({**values, **asked})
            new = Link(end.ref, end.kind, end.index, born, peer=end.peer, parent=end.parent, ports=ports)
            state.put(dataclasses.replace(new, keeps_mtu=False, ipv6=effects.ipv6_of_new_links(state, end.ref.netns)))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkDel(self.link)]


def _numbered(link: Link) -> t.Dict[str, int]:
    """Header of a request that creates a link, with its index if it has one."""
    return {"index": link.index} if link.index else {}


def _plainly_made(kind: Kind) -> bool:
    """Whether a single request creates a link of a kind."""
    return type(kind).making is Kind.making


def _mtu_at_birth(kind: Kind, below: t.Optional[Link]) -> t.Optional[int]:
    """MTU of a new link that is created without one: that of its parent; None if unknown."""
    if kind.has_parent:
        return below.values.get("mtu") if below else None
    return common.DEFAULT_MTU


def _spell(attributes: t.Iterable[Attribute], link: Link) -> t.List[str]:
    return [word for a in attributes if a.name in link.values for word in a.spell(link.values[a.name])]


def _into(netns: str, words: t.Sequence[str], to: str, more: t.Sequence[str] = ()) -> Argv:
    """The ip command that moves a link from one namespace to another."""
    if to:
        return ip(netns, *words, "netns", to, *more)
    # The namespace that the module runs in may have no name; a shell that runs in it provides a process id.
    before, after = shlex.join(ip(netns, *words)), shlex.join(more)
    return ["sh", "-c", "%s netns $$ %s; exit $?" % (before, after) if after else before + " netns $$; exit $?"]


@dataclasses.dataclass(eq=False, repr=False)
class LinkDel(LinkStep):
    """Delete a link; with one end of a pair, both ends. ``silent`` omits the command, which LinkAside already listed."""

    link: Link
    silent: bool = False

    deletes = True

    def describe(self) -> str:
        return "deleting %s %s" % (self.link.kind or "link", self.link.ref)

    def commands(self) -> t.List[Argv]:
        return [] if self.silent else [ip(self.link.ref.netns, "link", "del", "dev", self.link.ref.name)]

    def execute(self, runner: Runner) -> None:
        ref = self.link.ref
        message = runner.link(ref)
        if message is not None:  # or it has vanished, for instance with its namespace
            with _leaving(runner, ref, message):
                runner.do(ref.netns, Request(LINK, RTM_DELLINK, 0, [], {"index": message["index"]}))

    @property
    def group(self) -> t.Hashable:
        return (LinkDel, self.link.ref.netns)

    def execute_all(self, runner: Runner, group: t.Sequence[LinkDel]) -> None:
        """Delete links of one namespace as a group: the kernel waits once for all of them."""
        netns = self.link.ref.netns
        table = runner.links(netns)
        refs = [step.link.ref for step in group if step.link.ref.name in table]
        used = {message.get_attr("IFLA_GROUP") for message in table.values()}
        number = next(number for number in iter(lambda: random.randrange(1 << 16, 1 << 31), None) if number not in used)
        with contextlib.ExitStack() as stack:
            for ref in refs:
                stack.enter_context(_leaving(runner, ref, table[ref.name]))
            _set_groups(runner, netns, {ref.name: number for ref in refs})
            try:
                if refs:  # or all have vanished
                    runner.do(netns, Request(LINK, RTM_DELLINK, 0, [("IFLA_GROUP", number)], {}))
            except NetlinkError:
                _set_groups(runner, netns, {ref.name: table[ref.name].get_attr("IFLA_GROUP") for ref in refs})
                raise

    def simulate(self, state: State) -> None:
        effects.delete(state, self.link.ref)

    def inverse(self, before: State) -> t.List[Step]:
        link = before.links.get(self.link.ref)
        if link is None or link.kind not in registry.KINDS:
            return []
        peer = before.links.get(link.peer) if link.peer else None
        return [LinkAdd(link, peer), *(LinkAdd(child) for child in effects.children(before, link))]


def _set_groups(runner: Runner, netns: str, groups: t.Mapping[str, int]) -> None:
    """Put links into groups by name, except links that have vanished meanwhile."""
    named: t.List[Attributes] = [[("IFLA_IFNAME", name), ("IFLA_GROUP", group)] for name, group in groups.items()]
    for error in runner.attempt(netns, [Request(LINK, RTM_SETLINK, 0, attributes, {}) for attributes in named]):
        if error and error.code != errno.ENODEV:
            raise error


def _kind_of(message: t.Any) -> t.Optional[Kind]:
    return registry.BY_RTNL.get(message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))


def _leaving(runner: Runner, ref: Ref, message: t.Any) -> t.ContextManager[None]:
    """Context in which a link leaves its namespace."""
    kind = _kind_of(message)
    if kind is None or type(kind).leaving is Kind.leaving:
        return contextlib.nullcontext()
    with runner.inside(ref.netns):
        return kind.leaving(ref.name)


@contextlib.contextmanager
def _arriving(runner: Runner, ref: Ref, message: t.Any) -> t.Iterator[None]:
    """Context in which a link arrives in a namespace."""
    kind = _kind_of(message)
    if kind is None or _plainly_made(kind):
        yield
        return
    with runner.inside(ref.netns), kind.making(ref.name):
        yield


@dataclasses.dataclass(eq=False, repr=False)
class LinkAside(LinkStep):
    """Set a link down and rename it, until its replacement is complete and it can be deleted."""

    ref: Ref
    aside: str

    def describe(self) -> str:
        return "setting link %s aside" % (self.ref,)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, "link", "del", "dev", self.ref.name)]

    def execute(self, runner: Runner) -> None:
        LinkSet(self.ref, "state", "down").execute(runner)
        LinkRename(self.ref, self.aside).execute(runner)

    def simulate(self, state: State) -> None:
        LinkSet(self.ref, "state", "down").simulate(state)
        LinkRename(self.ref, self.aside).simulate(state)

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkRename(Ref(self.ref.netns, self.aside), self.ref.name)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkRename(LinkStep):
    """Rename a link."""

    ref: Ref
    name: str

    def describe(self) -> str:
        return "renaming link %s to '%s'" % (self.ref, self.name)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, "name", self.name)]

    def requests(self, runner: Runner) -> t.List[Request]:
        header = {"index": runner.index(self.ref)}
        return [Request(LINK, RTM_SETLINK, 0, [("IFLA_IFNAME", self.name)], header)]

    def execute(self, runner: Runner) -> None:
        runner.forget(self.ref.netns)
        (request,) = self.requests(runner)
        runner.do(self.ref.netns, request)
        runner.forget(self.ref.netns)

    def brings(self) -> t.Sequence[Ref]:
        return [Ref(self.ref.netns, self.name)]

    def simulate(self, state: State) -> None:
        effects.relocate(state, self.ref, Ref(self.ref.netns, self.name))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkRename(Ref(self.ref.netns, self.name), self.ref.name)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkMove(LinkStep):
    """Move a link to another namespace, and to the name in ``to``. ``index`` requests an interface index."""

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

    def requests(self, runner: Runner) -> t.List[Request]:
        attributes: Attributes = [("IFLA_NET_NS_FD", runner.descriptor(self.to.netns))]
        if self.to.name != self.ref.name:
            attributes.append(("IFLA_IFNAME", self.to.name))
        if self.index:
            attributes.append(("IFLA_NEW_IFINDEX", self.index))
        return [Request(LINK, RTM_SETLINK, 0, attributes, {"index": runner.index(self.ref)})]

    def execute(self, runner: Runner) -> None:
        message = runner.link(self.ref)
        runner.forget(self.to.netns)
        with contextlib.ExitStack() as stack:
            if message:
                stack.enter_context(_leaving(runner, self.ref, message))
                stack.enter_context(_arriving(runner, self.to, message))
            (request,) = self.requests(runner)
            runner.do(self.ref.netns, request)
        runner.forget(self.ref.netns)

    def brings(self) -> t.Sequence[Ref]:
        return [self.to]

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        effects.forget_port(state, link)
        # dev_change_net_namespace() sets it down, removes it from its master, and removes its addresses, routes and neighbors.
        lost = dict.fromkeys(registry.KINDS[link.kind].lost_on_move if link.kind in registry.KINDS else ())
        had = link.addresses
        link = effects.released(link.with_values(state="down", **lost))
        ipv6 = effects.ipv6_of_new_links(state, self.to.netns)
        state.put(dataclasses.replace(link, index=self.index, ipv6=ipv6, **facet.nothing(FACETS)))
        effects.relocate(state, self.ref, self.to)
        forget_sources(state, self.ref.netns, had)

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkMove(self.to, self.ref, before.links[self.ref].index)]


@dataclasses.dataclass(eq=False, repr=False)
class LinkSet(LinkStep):
    """Change one attribute or the state of a link."""

    ref: Ref
    name: str
    value: t.Any
    kind: str = ""  # of the link; required for attributes of one kind
    set_together: t.Tuple[t.Tuple[str, t.Any], ...] = ()  # values that the kernel accepts only together with it

    @property
    def values(self) -> t.Dict[str, t.Any]:
        """All values that are sent; those besides the changed one are unchanged."""
        return {**dict(self.set_together), self.name: self.value}

    def attribute(self) -> Attribute:
        """The attribute that is changed, unless it is the state."""
        own = registry.KINDS[self.kind].attributes if self.kind in registry.KINDS else ()
        return next(attribute for attribute in (*common.COMMON, *own) if attribute.name == self.name)

    def describe(self) -> str:
        if self.name == "state":
            return "setting link %s %s" % (self.ref, self.value)
        return "setting %s of link %s to %s" % (self.name, self.ref, show(self.value))

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

    def requests(self, runner: Runner) -> t.List[Request]:
        named: Attributes = [("IFLA_IFNAME", self.ref.name)]
        flag = _FLAGS.get(self.name)
        if flag:
            header = {"flags": flag if self.value in ("up", True) else 0, "change": flag}
            return [Request(LINK, RTM_SETLINK, 0, named, header)]
        attribute = self.attribute()
        encoded = attribute.encode(self.values)
        if attribute in common.COMMON:
            return [Request(LINK, RTM_SETLINK, 0, [*named, *encoded], {})]
        info = [("IFLA_INFO_KIND", registry.KINDS[self.kind].rtnl), ("IFLA_INFO_DATA", {"attrs": encoded})]
        return [Request(LINK, RTM_NEWLINK, 0, [*named, ("IFLA_LINKINFO", {"attrs": info})], {})]

    def execute(self, runner: Runner) -> None:
        means = self._means()
        if means:
            with runner.inside(self.ref.netns):
                means.run(self.ref.name, self.values)
        else:
            super().execute(runner)

    def _means(self) -> t.Optional[Procedure]:
        return None if self.name in _FLAGS else self.attribute().means

    def hint(self, code: int) -> str:
        return registry.KINDS[self.kind].hint(code) if self._means() else ""

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        value = self.value
        if self.name != "state":
            value = self.attribute().codec.result(link.values.get(self.name), value)
        link = effects.with_mac(link, value) if self.name == "mac" else link.with_values(**{self.name: value})
        kind = registry.KINDS.get(link.kind)
        if kind:
            link = dataclasses.replace(link, values=kind.normalized(link.values))
        if self.name == "state" and self.value == "down":
            link = facet.after(FACETS, link, facet.DOWN)
        if self.name == "mtu":
            was = state.links[self.ref].values.get("mtu")
            effects.set_mtu(state, link, True if was not in (None, value) else link.keeps_mtu)
            return
        state.put(link)
        if self.name == "mac":
            effects.share_mac(state, link)

    def inverse(self, before: State) -> t.List[Step]:
        link = before.links[self.ref]
        value = link.values.get(self.name)
        return [] if value is None else [link_set(link, self.name, value)]


def link_set(link: Link, name: str, value: t.Any) -> LinkSet:
    """The step that changes one value of a link. Values that must be sent with it keep their present values."""
    own = registry.KINDS[link.kind].attributes if link.kind in registry.KINDS else ()
    set_together = next((attribute.set_together for attribute in own if attribute.name == name), ())
    values = tuple((other, link.values[other]) for other in set_together if other != name and other in link.values)
    return LinkSet(link.ref, name, value, link.kind, values)
