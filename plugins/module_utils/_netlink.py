# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kernel side: look at what a task wants to know, and run a step. The only file that imports pyroute2.

Everything goes through plain requests (IPRoute.nlm_request) with messages put together here, because the layers above
them differ between pyroute2's versions and drop silently what they don't know. Each namespace has a socket of its own,
opened while this process is inside it for a moment; sockets and namespaces stay open until the task ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import importlib.metadata
import os
import re
import socket
import struct
import sys
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils import _messages as messages
from ansible_collections.virtnet.linux.plugins.module_utils import _steps_links as steps
from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput, Refused, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._kinds import _all, _common, linux_bridge_port
from ansible_collections.virtnet.linux.plugins.module_utils._kinds._sysfs import uppers
from ansible_collections.virtnet.linux.plugins.module_utils._messages import (
    RT_SCOPE_LINK,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_COMPAT,
    RTM_F_CLONED,
    RTN_UNICAST,
    RTNH_F_ONLINK,
    RTPROT_STATIC,
    Attributes,
    kernel_release,
)
from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import (
    OWN,
    Address,
    Link,
    Netns,
    Ref,
    Route,
    Vlan,
    WantedLink,
    WantedNetns,
    located,
    references,
)
from ansible_collections.virtnet.linux.plugins.module_utils._namespaces import all_namespaces, open_namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._plan import Step

PYROUTE2_MINIMUM = (0, 7, 2)
PYROUTE2_ERROR: t.Optional[str] = None
try:
    import pyroute2

    _version = pyroute2.__version__
    if _version == "unknown":
        # Debian 12's package lacks the file that has it (pyroute2/config/version.py).
        _version = importlib.metadata.version("pyroute2")
    if tuple(int(n) for n in re.findall(r"\d+", _version)[:3]) < PYROUTE2_MINIMUM:
        raise ImportError("this is version %s" % _version)

    from pyroute2 import IPRoute, NetlinkDumpInterrupted, NetlinkError
    from pyroute2 import netns as pyroute2_netns
    from pyroute2.netlink import (
        NLM_F_ACK,
        NLM_F_CREATE,
        NLM_F_DUMP,
        NLM_F_EXCL,
        NLM_F_REPLACE,
        NLM_F_REQUEST,
        nla,
        nlmsg,
        rtnl,
    )
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg
except (ImportError, AttributeError, TypeError, SyntaxError) as import_error:
    # The last two are what a pyroute2 raises that is too new for this Python.
    PYROUTE2_ERROR = str(import_error)
else:

    def _teach(message: t.Any, *attributes: t.Tuple[int, str, str]) -> None:
        """Teach a message class of pyroute2 attributes (number, name, type) that it lacks, or has otherwise."""
        known = list(message.nla_map)
        for number, name, nla_type in attributes:
            known += [("UNKNOWN_%d" % missing, "hex") for missing in range(len(known), number + 1)]
            known[number] = (name, nla_type)
        message.nla_map = tuple(known)

    class _VlanRequest(nlmsg):  # type: ignore[misc]
        """RTM_GETVLAN (struct br_vlan_msg of linux/if_bridge.h)."""

        fields = (("family", "B"), ("reserved1", "B"), ("reserved2", "H"), ("ifindex", "I"))
        nla_map = ((1, "BRIDGE_VLANDB_DUMP_FLAGS", "uint32"),)

    class _VlanMessage(nlmsg):  # type: ignore[misc]
        """Its answers."""

        fields = _VlanRequest.fields
        nla_map = ((1, "BRIDGE_VLANDB_ENTRY", "entry"),)

        class entry(nla):  # type: ignore[misc]  # noqa: N801 (nla_map names it)
            nla_map = ((1, "BRIDGE_VLANDB_ENTRY_INFO", "info"), (2, "BRIDGE_VLANDB_ENTRY_RANGE", "uint16"))

            class info(nla):  # type: ignore[misc]  # noqa: N801
                fields = (("flags", "H"), ("vid", "H"))

    # linux/if_addr.h and linux/if_link.h have the numbers.
    _teach(ifaddrmsg, (9, "IFA_RT_PRIORITY", "uint32"), (11, "IFA_PROTO", "uint8"))
    _teach(ifinfmsg.ifinfo.bridge_data, (45, "IFLA_BR_VLAN_STATS_PER_PORT", "uint8"))
    _teach(ifinfmsg.ifinfo.bridge_slave_data, (39, "IFLA_BRPORT_LOCKED", "uint8"))
    # One driver, one set of attributes; and numbers where pyroute2 translates those that it knows.
    ifinfmsg.ifinfo.data_map["macvtap"] = ifinfmsg.ifinfo.macvlan_data
    _teach(
        ifinfmsg.ifinfo.macvlan_data,
        (1, "IFLA_MACVLAN_MODE", "uint32"),
        (2, "IFLA_MACVLAN_FLAGS", "uint16"),
        (3, "IFLA_MACVLAN_MACADDR_MODE", "uint32"),
        (7, "IFLA_MACVLAN_BC_QUEUE_LEN", "uint32"),
    )

_PROC_SYS = "/proc/sys/"
CAP_NET_ADMIN = 12  # linux/capability.h
RTM_GETNSID, RTM_NEWVLAN, RTM_GETVLAN = 90, 112, 114  # linux/rtnetlink.h
RTEXT_FILTER_SKIP_STATS = 8
BRIDGE_VLANDB_DUMPF_STATS = 1  # linux/if_bridge.h
DUMP_RETRIES = 20
DYING_SECONDS = 2.0
DAD_SECONDS = 3.0

_HINTS = {
    errno.EPERM: "Run the task as root (become: true).",
    errno.EADDRINUSE: "Another link on the same parent has that MAC address, or the parent itself.",
    errno.EBUSY: "Something uses it; where it is a link, it may have to be set down first.",
    errno.ENETDOWN: "The link must be up for that (state: up).",
    errno.ENETUNREACH: "The gateway must be in the subnet of an address of the link; if it is meant to be elsewhere, "
    "give the route 'onlink: true'; if it is a route of old that lost its subnet, 'purge_routes: true' lets it go.",
    errno.EOPNOTSUPP: "This kernel, or this kind of device, can't do that.",
}


def _hint(step: t.Optional[Step], code: int) -> str:
    if isinstance(step, steps.RouteAdd) and code == errno.EEXIST:
        return (
            "The kernel has made such a route itself, or one with the same metric leads through another link; "
            "give this one another metric."
        )
    if isinstance(step, steps.LinkMaster) and code == errno.EINVAL:
        return "A bridge takes Ethernet devices only, no tun and no loopback."
    if isinstance(step, steps.AddressAdd) and code == errno.EEXIST:
        return "The link has it already, with another prefix length, from the kernel or a daemon."
    own = ""
    if isinstance(step, steps.LinkAdd):
        own = _all.KINDS[step.link.kind].hint(code)
    elif isinstance(step, steps.LinkSet) and step.name != "state" and step.attribute().means:
        own = _all.KINDS[step.kind].hint(code)
    return own or _HINTS.get(code, "")


@contextlib.contextmanager
def _sentences(doing: str, step: t.Optional[Step] = None) -> t.Iterator[None]:
    """Raise Refused where the kernel doesn't do what is being asked of it."""
    try:
        yield
    except NetlinkError as error:
        text = str(error.args[1]) if len(error.args) > 1 else os.strerror(error.code)
        raise Refused(doing, text, error.code, _hint(step, error.code)) from error
    except OSError as error:
        code = error.errno or 0
        raise Refused(doing, error.strerror or str(error), code, _hint(step, code)) from error
    except struct.error as error:
        raise Refused(doing, "it is more than fits one message to the kernel", errno.EMSGSIZE) from error


class Kernel:
    """The networks of this host, seen and changed from the namespace that the process runs in.

    Raises Unusable where this host, this Python or this user can't do that.
    """

    def __init__(self) -> None:
        if PYROUTE2_ERROR is not None:
            raise Unusable(
                "This module needs the Python library pyroute2 %s or newer for %s (Debian and Ubuntu: package "
                "python3-pyroute2), and can't use what is there: %s."
                % (".".join(map(str, PYROUTE2_MINIMUM)), sys.executable, PYROUTE2_ERROR)
            )
        if not _privileged():
            raise Unusable("This module needs the capability CAP_NET_ADMIN; run the task as root (become: true).")
        self._spaces: t.Dict[str, _Space] = {}
        self._unnamed: t.Dict[str, _Space] = {}

    def close(self) -> None:
        """Close every socket and namespace."""
        for space in (*self._spaces.values(), *self._unnamed.values()):
            space.close()
        self._spaces, self._unnamed = {}, {}

    # Namespaces

    def locate(self, wanted: Wanted) -> Wanted:
        """The same with each reference to a namespace replaced by the first one that means the same namespace.

        Raises BadInput for a path that is something else than a network namespace.
        """
        seen: t.Dict[t.Tuple[int, int], str] = {}
        same = {}
        for reference, where in references(wanted).items():
            try:
                space = self._space(reference)
            except BadInput as error:
                raise BadInput("%s: %s" % (where[0].upper() + where[1:], error)) from error
            same[reference] = seen.setdefault(space.identity, reference) if space else reference
        return located(wanted, same)

    def _space(self, reference: str) -> t.Optional[_Space]:
        if reference not in self._spaces:
            fd = open_namespace(reference)
            if fd is None:
                return None
            self._spaces[reference] = _Space(fd, own=reference == OWN)
        return self._spaces[reference]

    def _there(self, reference: str) -> _Space:
        space = self._space(reference)
        if space is None:
            raise Refused("entering namespace '%s'" % reference, "it is not there", errno.ENOENT)
        return space

    # Looking

    def observe(self, wanted: Wanted) -> State:
        """The part of this host that ``wanted`` speaks of, in as few requests as that takes.

        Its references to namespaces must be located already. Raises Refused where the kernel won't tell.
        """
        state = State(live_rename=kernel_release() >= (6, 2))
        for netns in wanted.namespaces:
            with _sentences("looking at network namespace '%s'" % netns.name):
                self._look_netns(state, netns)
        for link in wanted.links:
            for end in link.ends():
                with _sentences("looking at link %s" % (end.ref,)):
                    self._look_link(state, end)
        return state

    def _look_netns(self, state: State, wanted: WantedNetns) -> None:
        space = self._space(wanted.name)
        if space is None:
            return
        sysctls = {}
        for key in wanted.sysctls:
            with space.inside(), contextlib.suppress(OSError), open(_PROC_SYS + key, encoding="utf-8") as file:
                sysctls[key] = " ".join(file.read().split())
        state.namespaces[wanted.name] = Netns(wanted.name, sysctls)
        self._look(state, Ref(wanted.name, "lo"))

    def _look_link(self, state: State, wanted: WantedLink) -> None:
        kind = _all.KINDS.get(wanted.kind)
        may_go = wanted.recreate or not wanted.present
        link = self._look(state, wanted.ref, patient=bool(kind and kind.paired), may_go=may_go)
        elsewhere = link is None or (wanted.kind and link.kind != wanted.kind)
        if elsewhere and wanted.move_from is not None:
            link = self._look(state, Ref(wanted.move_from, wanted.ref.name), may_go=may_go) or link
        if (link and link.kind == wanted.kind) or not wanted.present:
            # With another default PVID the kernel gives ports another one, and an undo that takes it back may give them more.
            other_vlans = may_go or wanted.purge_ports or "vlan_default_pvid" in wanted.values
            self._look_ports(state, wanted.ref, may_go=other_vlans)
        for name in (*(wanted.ports or ()), wanted.values.get("master")):
            if name:
                self._look(state, Ref(wanted.ref.netns, name), brief=True)
        for parent in (wanted.parent, link.parent if link else None):
            if parent:
                self._look_parent(state, parent)
        if wanted.vlans and link:
            space = self._there(wanted.ref.netns)
            space.vlans(link.index)
            state.port_vlans = space.port_vlans

    def _look_parent(self, state: State, ref: Ref) -> None:
        """A parent, and what is on it where that is so little that it could have the parent alone."""
        link = self._look(state, ref, brief=True)
        if link:
            link = dataclasses.replace(link, uppers=self._uppers(self._there(ref.netns), ref.name))
            state.put(link)
            if len(link.uppers) == 1:
                self._look(state, Ref(ref.netns, link.uppers[0]), brief=True)

    def _uppers(self, space: _Space, name: str) -> t.Tuple[str, ...]:
        with contextlib.suppress(OSError), space.inside():  # Linux before 5.2 has no such sysfs
            return uppers(name)
        return ()

    def _look(
        self, state: State, ref: Ref, brief: bool = False, patient: bool = False, may_go: bool = False
    ) -> t.Optional[Link]:
        """Put a link, and the other end of a pair or a parent, into ``state``; ``brief`` leaves addresses and routes out.

        With ``patient`` a pair of which one end can't be reached gets the time to vanish. Of a link that ``may_go`` it
        is of interest who uses it.
        """
        space = self._space(ref.netns)
        if space is None:
            return None
        state.namespaces.setdefault(ref.netns, Netns(ref.netns))
        if ref in state.links:
            return state.links[ref]
        link = self._read(space, ref, brief, DYING_SECONDS if patient else 0, may_go)
        if link is None:
            return None
        state.put(link)
        if link.peer and link.peer not in state.links:
            self._look(state, link.peer, brief, may_go=may_go)
        if link.parent:
            self._look(state, link.parent, brief=True)
        return state.links[ref]

    def _read(self, space: _Space, ref: Ref, brief: bool, patience: float, may_go: bool) -> t.Optional[Link]:
        deadline = time.monotonic() + patience
        while True:
            message = space.link_by_name(ref.name)
            link = self._decode(space, ref, message, brief=brief, may_go=may_go) if message else None
            # The other end of a pair may be in a namespace that was just deleted. Then both will be gone in a moment.
            lost = link and not brief and link.peer is None and link.kind in _all.KINDS and _all.KINDS[link.kind].paired
            if not lost or time.monotonic() > deadline:
                return link
            time.sleep(0.02)

    def _look_ports(self, state: State, ref: Ref, may_go: bool) -> None:
        link = state.links.get(ref)
        kind = _all.KINDS.get(link.kind) if link else None
        if link is None or kind is None or not kind.has_ports:
            return
        space = self._there(ref.netns)
        names = []
        for message in space.dump(ifinfmsg, rtnl.RTM_GETLINK, [("IFLA_MASTER", link.index), _EXT_MASK]):
            if message.get_attr("IFLA_MASTER") != link.index:
                continue  # a kernel that doesn't filter
            port = Ref(ref.netns, message.get_attr("IFLA_IFNAME"))
            names.append(port.name)
            if port not in state.links:
                found = self._decode(space, port, message, brief=True, master=ref.name)
                state.put(dataclasses.replace(found, vlans=space.vlans(found.index)) if may_go else found)
        state.put(dataclasses.replace(link, ports=tuple(sorted(names))))

    def _decode(
        self, space: _Space, ref: Ref, message: t.Any, *, brief: bool, master: str = "", may_go: bool = False
    ) -> Link:
        """The link that a message describes; ``master`` where its name is known already, and then without its VLANs."""
        rtnl_kind = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") or ""
        kind = _all.BY_RTNL.get(rtnl_kind)
        values = messages.common_values(message)
        master_index = message.get_attr("IFLA_MASTER")
        values["master"] = master or (space.name_of(master_index) if master_index else "")
        users: t.Tuple[str, ...] = ()
        if kind:
            values.update(messages.own_values(kind.attributes, message))
        if kind and not brief:
            with space.inside():
                values.update(kind.read_more(ref.name, message))
                users = kind.users(ref.name, message, may_go)
        index = message["index"]
        port = messages.port_settings(message)
        return Link(
            ref,
            kind.name if kind else rtnl_kind,
            index,
            {name: value for name, value in values.items() if value is not None},
            addresses=() if brief else space.addresses(index),
            routes=() if brief else space.routes(index),
            peer=self._lower(space, ref, message) if kind and kind.paired and not brief else None,
            parent=self._lower(space, ref, message) if kind and kind.has_parent else None,
            users=users,
            uppers=self._uppers(space, ref.name) if may_go else (),
            port=port,
            vlans=space.vlans(index) if port and not master else None,
            mtu_range=(message.get_attr("IFLA_MIN_MTU") or 0, message.get_attr("IFLA_MAX_MTU") or 0),
        )

    def _lower(self, space: _Space, ref: Ref, message: t.Any) -> t.Optional[Ref]:
        """Where the other end of a pair is, or a parent; None if no namespace can be found that it could be in."""
        index, nsid = message.get_attr("IFLA_LINK"), message.get_attr("IFLA_LINK_NETNSID")
        netns: t.Optional[str] = ref.netns
        if nsid is not None:
            netns = self._namespace_by_id(space, nsid)
        if not index or netns is None:
            return None
        name = self._there(netns).name_of(index)
        return Ref(netns, name) if name else None

    def _namespace_by_id(self, space: _Space, nsid: int) -> t.Optional[str]:
        for reference, other in list(self._spaces.items()):
            if space.id_of(other.fd) == nsid:
                return self._first_of(other.identity, reference)
        for reference in all_namespaces():
            with contextlib.suppress(BadInput, Unusable, OSError):
                fd = open_namespace(reference)
                if fd is None:
                    continue
                if space.id_of(fd) == nsid:
                    self._spaces[reference] = _Space(fd)
                    return reference
                os.close(fd)
        return None

    def _first_of(self, identity: t.Tuple[int, int], reference: str) -> str:
        return next((name for name, space in self._spaces.items() if space.identity == identity), reference)

    # Doing

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps. Raises Refused with the kernel's words if it doesn't take one."""
        for step in batch:
            with _sentences(step.describe(), step):
                _RUN[type(step)](self, step)

    def _netns_add(self, step: steps.NetnsAdd) -> None:
        pyroute2_netns.create(step.name)

    def _netns_del(self, step: steps.NetnsDel) -> None:
        self._there(step.name)
        pyroute2_netns.remove(step.name)
        # As long as it is held open it can be given its name again.
        self._unnamed[step.name] = self._spaces.pop(step.name)

    def _netns_restore(self, step: steps.NetnsRestore) -> None:
        name = step.netns.name
        with self._unnamed[name].inside():
            pyroute2_netns.attach(name, os.getpid())
        self._spaces[name] = self._unnamed.pop(name)

    def _sysctl(self, step: steps.Sysctl) -> None:
        with self._there(step.netns).inside(), open(_PROC_SYS + step.key, "w", encoding="utf-8") as file:
            file.write(step.value)

    def _link_add(self, step: steps.LinkAdd) -> None:
        link, peer = step.link, step.peer
        kind = _all.KINDS[link.kind]
        space = self._there(link.ref.netns)
        if kind.means:
            with space.inside():
                kind.means.run(link.ref.name, link.values)
            return
        own = [attribute for attribute in kind.attributes if attribute.at_birth]
        data = messages.encode(own, link)
        if peer:
            data.append(("VETH_INFO_PEER", self._peer(link, peer)))
        info: Attributes = [("IFLA_INFO_KIND", kind.rtnl), *([("IFLA_INFO_DATA", {"attrs": data})] if data else [])]
        attributes = [
            ("IFLA_IFNAME", link.ref.name),
            *messages.encode(_common.AT_BIRTH, link),
            ("IFLA_LINKINFO", {"attrs": info}),
        ]
        if link.parent:
            # Asked for in the parent's namespace, it is made straight in its own one.
            target, space = space, self._there(link.parent.netns)
            attributes.append(("IFLA_LINK", space.index_of(link.parent.name)))
            if space is not target:
                attributes.append(("IFLA_NET_NS_FD", target.fd))
        with self._there(link.ref.netns).inside(), kind.making(link.ref.name):
            flags = NLM_F_CREATE | NLM_F_EXCL
            try:
                space.do(ifinfmsg, rtnl.RTM_NEWLINK, flags, attributes, {"index": link.index})
            except NetlinkError as error:
                # Before 6.13 the kernel looks for another link with that index where it is asked, not where the link will be.
                elsewhere = link.index and link.parent and link.parent.netns != link.ref.netns
                if error.code != errno.EEXIST or not elsewhere:
                    raise
                space.do(ifinfmsg, rtnl.RTM_NEWLINK, flags, attributes, {"index": 0})

    def _peer(self, link: Link, peer: Link) -> t.Dict[str, t.Any]:
        attributes: Attributes = [("IFLA_IFNAME", peer.ref.name), *messages.encode(_common.AT_BIRTH, peer)]
        if peer.ref.netns != link.ref.netns:
            attributes.append(("IFLA_NET_NS_FD", self._there(peer.ref.netns).fd))
        return {"attrs": attributes, **({"index": peer.index} if peer.index else {})}

    def _link_del(self, step: steps.LinkDel) -> None:
        space = self._there(step.link.ref.netns)
        message = space.link_by_name(step.link.ref.name)
        if message is not None:  # or it has gone by itself, with its namespace say
            with self._leaving(step.link.ref, message):
                space.do(ifinfmsg, rtnl.RTM_DELLINK, 0, [], {"index": message["index"]})

    def _leaving(self, ref: Ref, message: t.Any) -> t.ContextManager[None]:
        kind = _all.BY_RTNL.get(message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))
        if kind is None:
            return contextlib.nullcontext()
        with self._there(ref.netns).inside():
            return kind.leaving(ref.name)

    def _link_aside(self, step: steps.LinkAside) -> None:
        self._link_set(steps.LinkSet(step.ref, "state", "down"))
        self._link_rename(steps.LinkRename(step.ref, step.aside))

    def _link_rename(self, step: steps.LinkRename) -> None:
        self._set(step.ref, [("IFLA_IFNAME", step.name)])

    def _link_move(self, step: steps.LinkMove) -> None:
        attributes: Attributes = [("IFLA_NET_NS_FD", self._there(step.to.netns).fd)]
        if step.to.name != step.ref.name:
            attributes.append(("IFLA_IFNAME", step.to.name))
        if step.index:
            attributes.append(("IFLA_NEW_IFINDEX", step.index))
        message = self._there(step.ref.netns).link_by_name(step.ref.name)
        with self._leaving(step.ref, message) if message else contextlib.nullcontext():
            self._set(step.ref, attributes)

    def _link_set(self, step: steps.LinkSet) -> None:
        flag = {"state": _common.IFF_UP, "promisc": _common.IFF_PROMISC}.get(step.name)
        if flag:
            self._set(step.ref, [], flags=flag if step.value in ("up", True) else 0, change=flag)
            return
        attribute = step.attribute()
        space = self._there(step.ref.netns)
        if attribute.means:
            with space.inside():
                attribute.means.run(step.ref.name, step.values)
            return
        encoded = attribute.encode(step.values)
        if attribute in _common.COMMON:
            self._set(step.ref, encoded)
            return
        info = [("IFLA_INFO_KIND", _all.KINDS[step.kind].rtnl), ("IFLA_INFO_DATA", {"attrs": encoded})]
        attributes = [("IFLA_LINKINFO", {"attrs": info})]
        space.do(ifinfmsg, rtnl.RTM_NEWLINK, 0, attributes, {"index": space.index_of(step.ref.name)})

    def _link_master(self, step: steps.LinkMaster) -> None:
        space = self._there(step.ref.netns)
        self._set(step.ref, [("IFLA_MASTER", space.index_of(step.master) if step.master else 0)])

    def _port_set(self, step: steps.PortSet) -> None:
        space = self._there(step.ref.netns)
        settings = dict(step.settings)
        encoded = [pair for name in settings for pair in linux_bridge_port.ATTRIBUTES[name].encode(settings)]
        info = [("IFLA_INFO_SLAVE_KIND", linux_bridge_port.RTNL), ("IFLA_INFO_SLAVE_DATA", {"attrs": encoded})]
        attributes = [("IFLA_LINKINFO", {"attrs": info})]
        space.do(ifinfmsg, rtnl.RTM_NEWLINK, 0, attributes, {"index": space.index_of(step.ref.name)})

    def _vlan_add(self, step: steps.VlanAdd) -> None:
        self._vlans(step.ref, rtnl.RTM_SETLINK, step.vlan, step.last)

    def _vlan_del(self, step: steps.VlanDel) -> None:
        self._vlans(step.ref, rtnl.RTM_DELLINK, Vlan(step.first), step.last)

    def _vlans(self, ref: Ref, message_type: int, vlan: Vlan, last: int) -> None:
        space = self._there(ref.netns)
        header = {"family": socket.AF_BRIDGE, "index": space.index_of(ref.name)}
        space.do(ifinfmsg, message_type, 0, [("IFLA_AF_SPEC", {"attrs": messages.vlan_infos(vlan, last)})], header)

    def _set(self, ref: Ref, attributes: Attributes, **header: int) -> None:
        space = self._there(ref.netns)
        space.do(ifinfmsg, rtnl.RTM_SETLINK, 0, attributes, {"index": space.index_of(ref.name), **header})

    def _address_add(self, step: steps.AddressAdd) -> None:
        how = NLM_F_REPLACE if step.again else NLM_F_EXCL
        self._address(step.ref, step.address, rtnl.RTM_NEWADDR, NLM_F_CREATE | how)

    def _address_del(self, step: steps.AddressDel) -> None:
        self._address(step.ref, step.address, rtnl.RTM_DELADDR, 0)

    def _address(self, ref: Ref, address: Address, message_type: int, flags: int) -> None:
        space = self._there(ref.netns)
        host, prefix = address.address.split("/")
        extra = dict(address.extra)
        attributes = {"IFA_LOCAL": host, "IFA_ADDRESS": host, **extra.get("attributes", {})}
        space.do(
            ifaddrmsg,
            message_type,
            flags,
            list(attributes.items()),
            {
                "family": messages.family(address.family),
                "prefixlen": int(prefix),
                "scope": extra.get("scope", RT_SCOPE_UNIVERSE),
                "index": space.index_of(ref.name),
            },
        )

    def _route_add(self, step: steps.RouteAdd) -> None:
        route = step.route
        attributes: Attributes = []
        if route.src:
            attributes.append(("RTA_PREFSRC", route.src))
        metrics = [*dict(route.extra).get("metrics", []), *([("RTAX_MTU", route.mtu)] if route.mtu else [])]
        if metrics:
            attributes.append(("RTA_METRICS", {"attrs": metrics}))
        deadline = time.monotonic() + DAD_SECONDS
        while True:
            try:
                self._route(step.ref, route, rtnl.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, attributes)
                return
            except NetlinkError as error:
                # A new IPv6 address can't be a source before the kernel has made sure that nobody else has it.
                waiting = route.family == 6 and route.src and error.code == errno.EINVAL
                if not waiting or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def _route_del(self, step: steps.RouteDel) -> None:
        self._route(step.ref, step.route, rtnl.RTM_DELROUTE, 0, [])

    def _route(self, ref: Ref, route: Route, message_type: int, flags: int, attributes: Attributes) -> None:
        space = self._there(ref.netns)
        host, prefix = route.to.split("/")
        extra = dict(route.extra)
        attributes = [("RTA_OIF", space.index_of(ref.name)), ("RTA_TABLE", route.table), *attributes]
        if int(prefix):
            attributes.append(("RTA_DST", host))
        if route.via:
            attributes.append(("RTA_GATEWAY", route.via))
        if route.metric:
            attributes.append(("RTA_PRIORITY", route.metric))
        space.do(
            rtmsg,
            message_type,
            flags,
            attributes,
            {
                "family": messages.family(route.family),
                "dst_len": int(prefix),
                "table": min(route.table, RT_TABLE_COMPAT),
                "type": RTN_UNICAST,
                "scope": extra.get("scope", RT_SCOPE_UNIVERSE if route.via or route.family == 6 else RT_SCOPE_LINK),
                "proto": extra.get("proto", RTPROT_STATIC),
                "flags": RTNH_F_ONLINK if route.onlink else 0,
            },
        )


_RUN: t.Dict[t.Type[Step], t.Callable[[Kernel, t.Any], None]] = {
    steps.NetnsAdd: Kernel._netns_add,
    steps.NetnsDel: Kernel._netns_del,
    steps.NetnsRestore: Kernel._netns_restore,
    steps.Sysctl: Kernel._sysctl,
    steps.LinkAdd: Kernel._link_add,
    steps.LinkDel: Kernel._link_del,
    steps.LinkAside: Kernel._link_aside,
    steps.LinkRename: Kernel._link_rename,
    steps.LinkMove: Kernel._link_move,
    steps.LinkSet: Kernel._link_set,
    steps.LinkMaster: Kernel._link_master,
    steps.PortSet: Kernel._port_set,
    steps.VlanAdd: Kernel._vlan_add,
    steps.VlanDel: Kernel._vlan_del,
    steps.AddressAdd: Kernel._address_add,
    steps.AddressDel: Kernel._address_del,
    steps.RouteAdd: Kernel._route_add,
    steps.RouteDel: Kernel._route_del,
}

_EXT_MASK = ("IFLA_EXT_MASK", RTEXT_FILTER_SKIP_STATS)


class _Space:
    """A network namespace that is open, with a netlink socket in it as soon as somebody needs one."""

    def __init__(self, fd: int, own: bool = False) -> None:
        self.fd = fd
        self.own = own
        status = os.fstat(fd)
        self.identity = (status.st_dev, status.st_ino)
        self._socket: t.Any = None
        self.port_vlans = True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        os.close(self.fd)

    @contextlib.contextmanager
    def inside(self) -> t.Iterator[None]:
        """Be in the namespace for a moment. Raises Unusable if this user may not."""
        if self.own:
            yield
            return
        try:
            pyroute2_netns.pushns(self.fd)
        except OSError as error:
            raise Unusable(
                "Entering a network namespace failed: %s. It takes the capability CAP_SYS_ADMIN; run the task as root "
                "(become: true)." % error.strerror
            ) from error
        try:
            yield
        finally:
            pyroute2_netns.popns()

    @property
    def socket(self) -> t.Any:
        if self._socket is None:
            with self.inside():
                self._socket = IPRoute(ext_ack=True, strict_check=True)
            # pyroute2 0.9.7 asks for this key in nlm_request() and forgets to set it.
            status = getattr(self._socket, "status", None)
            if status is not None:
                status.setdefault("nlm_generator", False)
            self._socket.register_policy(RTM_NEWVLAN, _VlanMessage)
        return self._socket

    def _request(self, message_class: t.Any, message_type: int, flags: int, attributes: t.Any, fields: t.Any) -> t.Any:
        message = message_class()
        for name, value in fields.items():
            message[name] = value
        message["attrs"] = attributes
        return tuple(self.socket.nlm_request(message, message_type, NLM_F_REQUEST | flags))

    def do(
        self, message_class: t.Any, message_type: int, flags: int, attributes: t.Any, header: t.Mapping[str, int]
    ) -> None:
        """A request that changes something; ``header`` has the fields of the message's own. Raises NetlinkError."""
        self._request(message_class, message_type, flags | NLM_F_ACK, attributes, header)

    def dump(self, message_class: t.Any, message_type: int, attributes: t.Any, **fields: int) -> t.Tuple[t.Any, ...]:
        """All answers to a dump request, which is repeated as long as the tables change underneath it."""
        for _attempt in range(DUMP_RETRIES):
            with contextlib.suppress(NetlinkDumpInterrupted):
                answer = self._request(message_class, message_type, NLM_F_DUMP, attributes, fields)
                return t.cast("t.Tuple[t.Any, ...]", answer)
        raise Unusable("The kernel's tables changed during each of %d attempts to read them." % DUMP_RETRIES)

    def _link(self, attributes: t.Any, **fields: int) -> t.Any:
        try:
            return self._request(ifinfmsg, rtnl.RTM_GETLINK, 0, [*attributes, _EXT_MASK], fields)[0]
        except NetlinkError as error:
            if error.code == errno.ENODEV:
                return None
            raise

    def link_by_name(self, name: str) -> t.Any:
        """The message that describes a link, None if there is none of that name (alternative names don't count)."""
        message = self._link([("IFLA_IFNAME", name)])
        return message if message and message.get_attr("IFLA_IFNAME") == name else None

    def name_of(self, index: int) -> str:
        """The name of the link with an index, empty if it is gone."""
        message = self._link([], index=index)
        return message.get_attr("IFLA_IFNAME") if message else ""

    def index_of(self, name: str) -> int:
        """The index of a link; raises NetlinkError if there is none of that name."""
        message = self.link_by_name(name)
        if message is None:
            raise NetlinkError(errno.ENODEV, "there is no link '%s'" % name)
        return int(message["index"])

    def id_of(self, fd: int) -> int:
        """The id under which this namespace knows the one behind ``fd``, -1 if it doesn't."""
        answer = self._request(nsidmsg, RTM_GETNSID, 0, [("NETNSA_FD", fd)], {})
        return int(answer[0].get_attr("NETNSA_NSID"))

    def addresses(self, index: int) -> t.Tuple[Address, ...]:
        found = self.dump(ifaddrmsg, rtnl.RTM_GETADDR, [], index=index)
        return tuple(messages.address(message) for message in found if message["index"] == index)

    def vlans(self, index: int) -> t.Optional[t.Tuple[Vlan, ...]]:
        """The VLANs of a bridge's port, None for another link; and where the kernel has none or, before 5.7, doesn't tell.

        The latter is remembered.
        """
        if not self.port_vlans:
            return None
        try:
            found = self._dump_vlans(index, 0)
            # The kernel takes the PVID for the beginning of a range, and then tells nothing of the range but the PVID
            # (br_vlan_fill_vids()). Asked for statistics, it tells each VLAN by itself, which takes long for many.
            vids = {vlan.vid for vlan in found}
            if any(vlan.pvid and vlan.vid + 1 not in vids for vlan in found):
                found = self._dump_vlans(index, BRIDGE_VLANDB_DUMPF_STATS)
        except NetlinkError as error:
            if error.code not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
            self.port_vlans = error.code == errno.EINVAL
            return None
        return found

    def _dump_vlans(self, index: int, flags: int) -> t.Tuple[Vlan, ...]:
        how = [("BRIDGE_VLANDB_DUMP_FLAGS", flags)] if flags else []
        found = self.dump(_VlanRequest, RTM_GETVLAN, how, family=socket.AF_BRIDGE, ifindex=index)
        return messages.vlans(entry for message in found for entry in message.get_attrs("BRIDGE_VLANDB_ENTRY"))

    def routes(self, index: int) -> t.Tuple[Route, ...]:
        found = []
        for family in (socket.AF_INET, socket.AF_INET6):
            for message in self.dump(rtmsg, rtnl.RTM_GETROUTE, [("RTA_OIF", index)], family=family):
                # Where IPv6 is switched off, the kernel answers with all other families.
                ours = message["family"] == family and message.get_attr("RTA_OIF") == index
                if ours and not message["flags"] & RTM_F_CLONED:
                    found += messages.route(message)
        return tuple(found)


def _privileged() -> bool:
    with open("/proc/self/status", encoding="utf-8") as status:
        capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)", status.read(), re.M)
    return bool(capabilities and int(capabilities.group(1), 16) >> CAP_NET_ADMIN & 1)
