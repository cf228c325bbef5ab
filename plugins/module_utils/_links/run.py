# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Running steps: what they are asked of the kernel with."""

from __future__ import annotations

import contextlib
import errno
import itertools
import random
import socket
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, as_failure
from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import PROC_SYS
from ansible_collections.virtnet.linux.plugins.module_utils._links import messages, steps
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, linux_bridge_port, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind
from ansible_collections.virtnet.linux.plugins.module_utils._links.messages import (
    RT_SCOPE_LINK,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_COMPAT,
    RTN_UNICAST,
    RTNH_F_ONLINK,
    RTPROT_STATIC,
    Attributes,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Vlan
from ansible_collections.virtnet.linux.plugins.module_utils._links.refusals import sentences
from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Spaces
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.namespaces import give_name, take_name, unshare
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    NetlinkError,
    Request,
    acknowledged,
    ifaddrmsg,
    ifinfmsg,
    rtmsg,
    rtnl,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Address, Link, Ref, Route
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Space

DAD_SECONDS = 3.0
MANY = 8  # links that are deleted as a group rather than one by one


class Running(Spaces):
    """The side of the kernel that acts."""

    _waiting: Space
    _current: Step
    _named: t.List[Space]  # those whose descriptors the current step has asked for
    _holding = False

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps. Raises Refused with the kernel's words if it doesn't take one; ``done`` of that has those that it took.

        Requests for one namespace are collected, and sent when something has to be known that depends on them.
        """
        self._pending: t.List[t.Tuple[Step, bytes]] = []
        self._done: t.List[Step] = []
        try:
            for steps_alike in _deletions_together(batch):
                self._current, self._named = steps_alike[0], []
                with sentences(self._current.describe(), self._current):
                    if len(steps_alike) > 1:
                        self._links_del(t.cast("t.List[steps.LinkDel]", steps_alike))
                    else:
                        _RUN[type(self._current)](self, self._current)
                if not self._pending or self._pending[-1][0] is not self._current:
                    self._mark_done(steps_alike)
            self._flush()
        except Exception as error:
            failure = as_failure(error)
            failure.done = tuple(self._done)
            if failure is error:
                raise
            known = set(map(id, self._done))
            failure.unsure = tuple(step for step in batch if id(step) not in known)
            raise failure from error
        finally:
            self._named = []
            self._release()

    def _release(self) -> None:
        """Keep only those descriptors open that the current step has asked for, whose request may not wait yet."""
        if self._holding:
            self.descriptors.release()
        for space in self._named:
            self.descriptors.hold(space)
        self._holding = bool(self._named)

    def _mark_done(self, done: t.Sequence[Step]) -> None:
        known = {id(step) for step in self._done[-2 * len(done) :]}
        self._done += (step for step in done if id(step) not in known)

    def _send(self, space: Space, request: Request) -> None:
        """Put a request of the current step to those that wait."""
        if self._pending and self._waiting is not space:
            self._flush()
        self._waiting = space
        self._pending.append((self._current, space.encode(acknowledged(request))))

    def _flush(self) -> None:
        """Send all requests that wait. Raises Refused for the first step that the kernel has something against."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        with sentences(pending[0][0].describe(), pending[0][0]):
            answers = self._waiting.send([request for _step, request in pending])
        self._release()
        failed = {id(step): error for (step, _request), error in reversed([*zip(pending, answers)]) if error}
        self._done += {id(step): step for step, _request in pending if id(step) not in failed}.values()
        tried = {id(step): step for step, _request in pending}
        self._raise_first([(step, failed[number]) for number, step in tried.items() if number in failed])

    @staticmethod
    def _raise_first(failed: t.Sequence[t.Tuple[Step, NetlinkError]]) -> None:
        """Raises Refused for the first of the steps that the kernel has something against; it has all of them."""
        failures: t.List[t.Tuple[Step, Failure]] = []
        for step, error in failed:
            try:
                with sentences(step.describe(), step):
                    raise error
            except Failure as failure:
                failures.append((step, failure))
        if failures:
            first = failures[0][1]
            first.failed = failures
            raise first

    def _descriptor(self, space: Space) -> int:
        """A descriptor of a namespace for a request, which stays open until that is sent."""
        if self.descriptors.full:
            self._flush()
        fd = space.fd
        self.descriptors.hold(space)
        self._named.append(space)
        self._holding = True
        return fd

    def _index(self, space: Space, name: str) -> int:
        if not space.knows(name):
            self._flush()
        return space.index_of(name)

    def _netns_add(self, step: steps.NetnsAdd) -> None:
        self._flush()
        # Here rather than in a process of its own, as pyroute2 does it, which takes ten times as long.
        try:
            unshare()
            give_name(step.name)
        finally:
            self.descriptors.enter(self.descriptors.home)

    def _netns_del(self, step: steps.NetnsDel) -> None:
        self._flush()
        # As long as it is kept alive it can be given its name again. The undo must not fail for want of descriptors.
        self.there(step.name).keep()
        take_name(step.name)
        self.unnamed[step.name] = self.spaces.pop(step.name)

    def _netns_restore(self, step: steps.NetnsRestore) -> None:
        self._flush()
        name = step.netns.name
        with self.unnamed[name].inside():
            give_name(name)
        self.spaces[name] = self.unnamed.pop(name)

    def _sysctl(self, step: steps.Sysctl) -> None:
        self._flush()
        with self.there(step.netns).inside(), open(PROC_SYS + step.key, "w", encoding="utf-8") as file:
            file.write(step.value)

    def _link_add(self, step: steps.LinkAdd) -> None:
        link, peer = step.link, step.peer
        kind = registry.KINDS[link.kind]
        space = self.there(link.ref.netns)
        if kind.means:
            self._flush()
            with space.inside():
                kind.means.run(link.ref.name, {**link.values, "ifindex": link.index})
            return
        own = [attribute for attribute in kind.attributes if attribute.at_birth]
        data = messages.encode(own, link)
        if peer:
            data.append(("VETH_INFO_PEER", self._peer(link, peer)))
        info: Attributes = [("IFLA_INFO_KIND", kind.rtnl), *([("IFLA_INFO_DATA", {"attrs": data})] if data else [])]
        attributes = [
            ("IFLA_IFNAME", link.ref.name),
            *messages.encode(common.common_at_birth(kind), link),
            ("IFLA_LINKINFO", {"attrs": info}),
        ]
        if link.parent:
            # Asked for in the parent's namespace, it is made straight in its own one.
            target, space = space, self.there(link.parent.netns)
            attributes.append(("IFLA_LINK", self._index(space, link.parent.name)))
            if space is not target:
                attributes.append(("IFLA_NET_NS_FD", self._descriptor(target)))
        flags = NLM_F_CREATE | NLM_F_EXCL
        if type(kind).making is Kind.making and not link.index:
            self._send(space, Request(ifinfmsg, rtnl.RTM_NEWLINK, flags, attributes, {}))
            return
        self._flush()
        with self.there(link.ref.netns).inside(), kind.making(link.ref.name):
            try:
                self._do(space, Request(ifinfmsg, rtnl.RTM_NEWLINK, flags, attributes, {"index": link.index}))
            except NetlinkError as error:
                # Before 6.13 the kernel looks for another link with that index where it is asked, not where the link will be.
                elsewhere = link.index and link.parent and link.parent.netns != link.ref.netns
                if error.code != errno.EEXIST or not elsewhere:
                    raise
                self._do(space, Request(ifinfmsg, rtnl.RTM_NEWLINK, flags, attributes, {"index": 0}))

    def _do(self, space: Space, request: Request) -> None:
        """Send one request at once. Raises NetlinkError."""
        (error,) = space.send([space.encode(acknowledged(request))])
        if error:
            raise error

    def _peer(self, link: Link, peer: Link) -> t.Dict[str, t.Any]:
        attributes: Attributes = [("IFLA_IFNAME", peer.ref.name), *messages.encode(common.common_at_birth(None), peer)]
        if peer.ref.netns != link.ref.netns:
            attributes.append(("IFLA_NET_NS_FD", self._descriptor(self.there(peer.ref.netns))))
        return {"attrs": attributes, **({"index": peer.index} if peer.index else {})}

    def _link_del(self, step: steps.LinkDel) -> None:
        self._flush()
        space = self.there(step.link.ref.netns)
        space.forget()
        message = space.link_by_name(step.link.ref.name)
        if message is not None:  # or it has gone by itself, with its namespace say
            with self._leaving(step.link.ref, message):
                self._do(space, Request(ifinfmsg, rtnl.RTM_DELLINK, 0, [], {"index": message["index"]}))

    def _links_del(self, several: t.Sequence[steps.LinkDel]) -> None:
        """Delete links of one namespace as a group, of which the kernel waits for the end but once."""
        self._flush()
        space = self.there(several[0].link.ref.netns)
        space.forget()
        table = space.links()
        there = [step.link.ref for step in several if step.link.ref.name in table]
        used = {message.get_attr("IFLA_GROUP") for message in table.values()}
        group = next(number for number in iter(lambda: random.randrange(1 << 16, 1 << 31), None) if number not in used)
        with contextlib.ExitStack() as stack:
            for ref in there:
                stack.enter_context(self._leaving(ref, table[ref.name]))
            self._group(space, {ref.name: group for ref in there})
            try:
                if there:  # or they have gone by themselves
                    self._do(space, Request(ifinfmsg, rtnl.RTM_DELLINK, 0, [("IFLA_GROUP", group)], {}))
            except NetlinkError:
                self._group(space, {ref.name: table[ref.name].get_attr("IFLA_GROUP") for ref in there})
                raise

    def _group(self, space: Space, groups: t.Mapping[str, int]) -> None:
        """Put links into groups by their names; one that has gone by itself is none of our business."""
        named = ([("IFLA_IFNAME", name), ("IFLA_GROUP", group)] for name, group in groups.items())
        requests = (Request(ifinfmsg, rtnl.RTM_SETLINK, 0, attributes, {}) for attributes in named)
        for error in space.send([space.encode(acknowledged(request)) for request in requests]):
            if error and error.code != errno.ENODEV:
                raise error

    def _leaving(self, ref: Ref, message: t.Any) -> t.ContextManager[None]:
        kind = registry.BY_RTNL.get(message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))
        if kind is None or type(kind).leaving is Kind.leaving:
            return contextlib.nullcontext()
        with self.there(ref.netns).inside():
            return kind.leaving(ref.name)

    @contextlib.contextmanager
    def _arriving(self, ref: Ref, message: t.Any) -> t.Iterator[None]:
        kind = registry.BY_RTNL.get(message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))
        if kind is None or type(kind).making is Kind.making:
            yield
            return
        with self.there(ref.netns).inside(), kind.making(ref.name):
            yield

    def _link_aside(self, step: steps.LinkAside) -> None:
        self._link_set(steps.LinkSet(step.ref, "state", "down"))
        self._link_rename(steps.LinkRename(step.ref, step.aside))

    def _link_rename(self, step: steps.LinkRename) -> None:
        self._flush()
        space = self.there(step.ref.netns)
        space.forget()
        header = {"index": space.index_of(step.ref.name)}
        self._do(space, Request(ifinfmsg, rtnl.RTM_SETLINK, 0, [("IFLA_IFNAME", step.name)], header))
        space.forget()

    def _link_move(self, step: steps.LinkMove) -> None:
        attributes: Attributes = [("IFLA_NET_NS_FD", self._descriptor(self.there(step.to.netns)))]
        if step.to.name != step.ref.name:
            attributes.append(("IFLA_IFNAME", step.to.name))
        if step.index:
            attributes.append(("IFLA_NEW_IFINDEX", step.index))
        self._flush()
        space = self.there(step.ref.netns)
        space.forget()
        self.there(step.to.netns).forget()
        message = space.link_by_name(step.ref.name)
        with contextlib.ExitStack() as stack:
            if message:
                stack.enter_context(self._leaving(step.ref, message))
                stack.enter_context(self._arriving(step.to, message))
            header = {"index": space.index_of(step.ref.name)}
            self._do(space, Request(ifinfmsg, rtnl.RTM_SETLINK, 0, attributes, header))
        space.forget()

    def _link_set(self, step: steps.LinkSet) -> None:
        flag = {"state": common.IFF_UP, "promisc": common.IFF_PROMISC}.get(step.name)
        if flag:
            self._set(step.ref, [], flags=flag if step.value in ("up", True) else 0, change=flag)
            return
        attribute = step.attribute()
        space = self.there(step.ref.netns)
        if attribute.means:
            self._flush()
            with space.inside():
                attribute.means.run(step.ref.name, step.values)
            return
        encoded = attribute.encode(step.values)
        if attribute in common.COMMON:
            self._set(step.ref, encoded)
            return
        info = [("IFLA_INFO_KIND", registry.KINDS[step.kind].rtnl), ("IFLA_INFO_DATA", {"attrs": encoded})]
        attributes = [("IFLA_IFNAME", step.ref.name), ("IFLA_LINKINFO", {"attrs": info})]
        self._send(space, Request(ifinfmsg, rtnl.RTM_NEWLINK, 0, attributes, {}))

    def _link_master(self, step: steps.LinkMaster) -> None:
        space = self.there(step.ref.netns)
        self._set(step.ref, [("IFLA_MASTER", self._index(space, step.master) if step.master else 0)])

    def _port_set(self, step: steps.PortSet) -> None:
        space = self.there(step.ref.netns)
        settings = dict(step.settings)
        encoded = [pair for name in settings for pair in linux_bridge_port.ATTRIBUTES[name].encode(settings)]
        info = [("IFLA_INFO_SLAVE_KIND", linux_bridge_port.RTNL), ("IFLA_INFO_SLAVE_DATA", {"attrs": encoded})]
        attributes = [("IFLA_IFNAME", step.ref.name), ("IFLA_LINKINFO", {"attrs": info})]
        self._send(space, Request(ifinfmsg, rtnl.RTM_NEWLINK, 0, attributes, {}))

    def _vlan_add(self, step: steps.VlanAdd) -> None:
        self._vlans(step.ref, rtnl.RTM_SETLINK, step.vlan, step.last)

    def _vlan_del(self, step: steps.VlanDel) -> None:
        self._vlans(step.ref, rtnl.RTM_DELLINK, Vlan(step.first), step.last)

    def _vlans(self, ref: Ref, message_type: int, vlan: Vlan, last: int) -> None:
        space = self.there(ref.netns)
        header = {"family": socket.AF_BRIDGE, "index": self._index(space, ref.name)}
        infos = [("IFLA_AF_SPEC", {"attrs": messages.vlan_infos(vlan, last)})]
        self._send(space, Request(ifinfmsg, message_type, 0, infos, header))

    def _set(self, ref: Ref, attributes: Attributes, **header: int) -> None:
        named = [("IFLA_IFNAME", ref.name), *attributes]
        self._send(self.there(ref.netns), Request(ifinfmsg, rtnl.RTM_SETLINK, 0, named, header))

    def _address_add(self, step: steps.AddressAdd) -> None:
        how = NLM_F_REPLACE if step.again else NLM_F_EXCL
        self._address(step.ref, step.address, rtnl.RTM_NEWADDR, NLM_F_CREATE | how)

    def _address_del(self, step: steps.AddressDel) -> None:
        self._address(step.ref, step.address, rtnl.RTM_DELADDR, 0)

    def _address(self, ref: Ref, address: Address, message_type: int, flags: int) -> None:
        space = self.there(ref.netns)
        host, prefix = address.address.split("/")
        extra = dict(address.extra)
        attributes = {"IFA_LOCAL": host, "IFA_ADDRESS": host, **extra.get("attributes", {})}
        request = Request(
            ifaddrmsg,
            message_type,
            flags,
            list(attributes.items()),
            {
                "family": messages.family(address.family),
                "prefixlen": int(prefix),
                "scope": extra.get("scope", RT_SCOPE_UNIVERSE),
                "index": self._index(space, ref.name),
            },
        )
        self._send(space, request)

    def _route_add(self, step: steps.RouteAdd) -> None:
        route = step.route
        attributes: Attributes = []
        if route.src:
            attributes.append(("RTA_PREFSRC", route.src))
        metrics = [*dict(route.extra).get("metrics", []), *([("RTAX_MTU", route.mtu)] if route.mtu else [])]
        if metrics:
            attributes.append(("RTA_METRICS", {"attrs": metrics}))
        space = self.there(step.ref.netns)
        request = self._route(step.ref, route, rtnl.RTM_NEWROUTE, attributes)
        if route.family == 4 or not route.src:
            self._send(space, request)
            return
        self._flush()
        deadline = time.monotonic() + DAD_SECONDS
        while True:
            try:
                self._do(space, request)
                return
            except NetlinkError as error:
                # A new IPv6 address can't be a source before the kernel has made sure that nobody else has it.
                if error.code != errno.EINVAL or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def _route_del(self, step: steps.RouteDel) -> None:
        self._send(self.there(step.ref.netns), self._route(step.ref, step.route, rtnl.RTM_DELROUTE, []))

    def _route(self, ref: Ref, route: Route, message_type: int, attributes: Attributes) -> Request:
        host, prefix = route.to.split("/")
        extra = dict(route.extra)
        index = self._index(self.there(ref.netns), ref.name)
        attributes = [("RTA_OIF", index), ("RTA_TABLE", route.table), *attributes]
        if int(prefix):
            attributes.append(("RTA_DST", host))
        if route.via:
            attributes.append(("RTA_GATEWAY", route.via))
        if route.metric:
            attributes.append(("RTA_PRIORITY", route.metric))
        header = {
            "family": messages.family(route.family),
            "dst_len": int(prefix),
            "table": min(route.table, RT_TABLE_COMPAT),
            "type": RTN_UNICAST,
            "scope": extra.get("scope", RT_SCOPE_UNIVERSE if route.via or route.family == 6 else RT_SCOPE_LINK),
            "proto": extra.get("proto", RTPROT_STATIC),
            "flags": RTNH_F_ONLINK if route.onlink else 0,
        }
        flags = NLM_F_CREATE | NLM_F_EXCL if message_type == rtnl.RTM_NEWROUTE else 0
        return Request(rtmsg, message_type, flags, attributes, header)


def _deletions_together(batch: t.Sequence[Step]) -> t.Iterator[t.List[Step]]:
    """The steps one by one, but many deletions in one namespace that follow each other as one."""

    def place(step: Step) -> t.Optional[str]:
        return step.link.ref.netns if isinstance(step, steps.LinkDel) else None

    for netns, some in itertools.groupby(batch, place):
        alike = list(some)
        if netns is None or len(alike) < MANY:
            yield from ([step] for step in alike)
        else:
            yield alike


_RUN: t.Dict[t.Type[Step], t.Callable[[Running, t.Any], None]] = {
    steps.NetnsAdd: Running._netns_add,
    steps.NetnsDel: Running._netns_del,
    steps.NetnsRestore: Running._netns_restore,
    steps.Sysctl: Running._sysctl,
    steps.LinkAdd: Running._link_add,
    steps.LinkDel: Running._link_del,
    steps.LinkAside: Running._link_aside,
    steps.LinkRename: Running._link_rename,
    steps.LinkMove: Running._link_move,
    steps.LinkSet: Running._link_set,
    steps.LinkMaster: Running._link_master,
    steps.PortSet: Running._port_set,
    steps.VlanAdd: Running._vlan_add,
    steps.VlanDel: Running._vlan_del,
    steps.AddressAdd: Running._address_add,
    steps.AddressDel: Running._address_del,
    steps.RouteAdd: Running._route_add,
    steps.RouteDel: Running._route_del,
}
