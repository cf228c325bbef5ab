# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Netlink sockets in network namespaces. The only file that imports pyroute2.

Only the message classes of pyroute2 are used. Its higher layers differ between versions, silently drop unknown attributes, and
wait for the answer to each request, which takes longer than the work of the kernel. Therefore requests go through plain
sockets, many changes at once. Each namespace has a socket, which is opened while this process is inside the namespace. Sockets
and namespaces stay open until the task ends.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import struct
import sys
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import PROC_SYS
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import messages
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import wire as raw
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.descriptors import Descriptors, Handle
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    ADDRESS,
    LINK,
    NEIGHBOR,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_MULTI,
    NLM_F_REQUEST,
    NSID,
    ROUTE,
    RTM_GETLINK,
    RTM_GETNSID,
    RTM_NEWNSID,
    VLAN,
    NetlinkError,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.descriptors import Place

PYROUTE2_MINIMUM = (0, 7, 2)
# The last release for Python 3.8. Releases 0.9.1 and 0.9.2 don't say that they require Python 3.9, so pip installs them.
PYROUTE2_FOR_PYTHON_3_8 = (0, 8, 1)
PYROUTE2_ERROR: t.Optional[str] = None
# The classes of pyroute2 for the kinds of messages, and for the answers.
CLASSES: t.Dict[str, t.Any] = {}
ANSWERS: t.Dict[str, t.Any] = {}
try:
    try:
        from pyroute2.config.version import __version__ as _version
    except ModuleNotFoundError:
        # Debian 12's package lacks that file.
        from importlib.metadata import version

        _version = version("pyroute2")
    if tuple(int(n) for n in re.findall(r"\d+", _version)[:3]) < PYROUTE2_MINIMUM:
        raise ImportError("this is version %s" % _version)

    from pyroute2.netlink import nla, nlmsg
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg
except (ImportError, AttributeError, TypeError, SyntaxError) as import_error:
    # A pyroute2 that is too new for this Python raises the last two.
    PYROUTE2_ERROR = str(import_error)
else:

    def _teach(message: t.Any, *attributes: t.Tuple[int, str, str]) -> None:
        """Add attributes (number, name, type) to a message class of pyroute2, or replace them."""
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
        """The answers to RTM_GETVLAN."""

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
    # macvtap has the attributes of macvlan. pyroute2 translates modes that it knows; numbers are wanted here.
    ifinfmsg.ifinfo.data_map["macvtap"] = ifinfmsg.ifinfo.macvlan_data
    _teach(
        ifinfmsg.ifinfo.macvlan_data,
        (1, "IFLA_MACVLAN_MODE", "uint32"),
        (2, "IFLA_MACVLAN_FLAGS", "uint16"),
        (3, "IFLA_MACVLAN_MACADDR_MODE", "uint32"),
        (7, "IFLA_MACVLAN_BC_QUEUE_LEN", "uint32"),
    )
    CLASSES.update({LINK: ifinfmsg, ADDRESS: ifaddrmsg, ROUTE: rtmsg, NSID: nsidmsg, VLAN: _VlanRequest})
    ANSWERS.update({**CLASSES, VLAN: _VlanMessage})

CAP_NET_ADMIN = 12  # linux/capability.h
RTEXT_FILTER_SKIP_STATS = 8
# linux/netlink.h
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 270, 10, 11, 12
SO_NETNS_COOKIE = 71  # asm-generic/socket.h
LARGEST = 1 << 16  # bytes; the kernel puts at most half of that into one answer
# Requests that are sent at once: their acknowledgements must fit into the default buffer of a socket.
TOGETHER = 100
DUMP_RETRIES = 20
FEW = 64  # links that are read one by one and not in a new dump
PAUSE = 0.02  # seconds, times the number of attempts

# What is encoded without pyroute2.
_LAYOUTS = {ADDRESS: raw.ADDRESS, ROUTE: raw.ROUTE, NEIGHBOR: raw.NEIGHBOR}
EXT_MASK = ("IFLA_EXT_MASK", RTEXT_FILTER_SKIP_STATS)


def _decoded(kind: str, data: bytes) -> t.Any:
    message = ANSWERS[kind](data)
    message.decode()
    return message


def _identities(identity: t.Callable[[bytes], t.Any], found: t.Iterable[bytes]) -> t.Set[t.Any]:
    """What tells messages apart, without those that have nothing for that."""
    return {told for told in map(identity, found) if told != messages.UNSTEADY}


def _link_message(data: bytes) -> messages.LinkMessage:
    return messages.LinkMessage(data, lambda some: _decoded(LINK, some))


class Namespace(Handle):
    """A network namespace with a netlink socket. Both are opened on demand.

    The namespace of the process itself (``own``) stays open.
    """

    inside_of: t.ClassVar[t.Optional[Namespace]] = None  # where the process is, if not in its own namespace

    def __init__(self, fd: int, own: bool = False, descriptors: t.Optional[Descriptors] = None) -> None:
        self._fd: t.Optional[int] = fd
        self._descriptors = descriptors or Descriptors()
        self._kept: t.Optional[Place] = None
        self.own = own
        if not own:
            self._descriptors.use(self)
        status = os.fstat(fd)
        self.identity = (status.st_dev, status.st_ino)
        self._channel: t.Optional[socket.socket] = None
        self._sequence = 0
        self._indexes: t.Dict[str, int] = {}
        self._names: t.Dict[int, str] = {}
        # References to other namespaces by their ids here, and the references whose ids were read.
        self.ids: t.Dict[int, t.Optional[str]] = {}
        self.asked: t.Set[str] = set()
        self.port_vlans = True

    def close(self) -> None:
        self._close_socket()
        self._close()
        self._descriptors.closed(self)

    def _close(self) -> None:
        if self._fd is not None and self._fd != self._descriptors.home:
            os.close(self._fd)
        self._fd = None

    @property
    def fd(self) -> int:
        """A descriptor of the namespace. It may be closed when other namespaces are used. Raises OSError."""
        if not self.own:
            self._descriptors.use(self)
        if self._fd is None:
            self._fd = self._descriptors.shelf.get(t.cast("Place", self._kept))
        return self._fd

    def keep(self) -> None:
        """Keep the namespace alive without a descriptor. Raises OSError."""
        if self._kept is None:
            self._kept = self._descriptors.shelf.put(t.cast("int", self._fd))

    def put_away(self) -> None:
        self.keep()
        self._close_socket()
        self._close()

    def _close_socket(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def forget(self) -> None:
        """Forget the names and indexes that were read."""
        self._indexes, self._names, self.ids, self.asked = {}, {}, {}, set()

    @contextlib.contextmanager
    def inside(self) -> t.Iterator[None]:
        """A context in which this process is in the namespace. Raises Unusable if this user lacks the privilege."""
        before = Namespace.inside_of
        if self is before or (self.own and before is None):
            yield
            return
        try:
            self._descriptors.enter(self.fd)
        except OSError as error:
            needed = " It needs the capability CAP_SYS_ADMIN; run the task as root (become: true)."
            raise Unusable(
                "Entering a network namespace failed: %s.%s"
                % (error.strerror, needed if error.errno == errno.EPERM else "")
            ) from error
        Namespace.inside_of = None if self.own else self
        try:
            yield
        finally:
            Namespace.inside_of = before
            self._descriptors.enter(before.fd if before else self._descriptors.home)

    @property
    def channel(self) -> socket.socket:
        """The socket in the namespace."""
        if not self.own:
            self._descriptors.use(self)
        if self._channel is None:
            with self.inside():
                self._channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            self._channel.bind((0, 0))
            for option in (NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK):
                with contextlib.suppress(OSError):  # the last one came with Linux 4.20
                    self._channel.setsockopt(SOL_NETLINK, option, 1)
        return self._channel

    @property
    def cookie(self) -> str:
        """The identity of the namespace, unique since boot: its cookie; before Linux 5.14, its inode number."""
        with contextlib.suppress(OSError):
            (number,) = struct.unpack("=Q", self.channel.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8))
            return "cookie %d" % number
        return "inode %d" % self.identity[1]

    def encode(self, request: Request) -> bytes:
        """A request as bytes."""
        self._sequence += 1
        layout = _LAYOUTS.get(request.message)
        body = layout.encode(request.header, request.attributes) if layout else None
        if body is not None:
            how = (request.type, request.flags | NLM_F_REQUEST, self._sequence, 0)
            return struct.pack("=IHHII", raw.NLMSG_HEADER + len(body), *how) + body
        message = CLASSES[request.message]()
        message.update(request.header)
        message["attrs"] = request.attributes
        header = {"type": request.type, "flags": request.flags | NLM_F_REQUEST, "pid": 0}
        message["header"] = {**header, "sequence_number": self._sequence}
        message.encode()
        return bytes(message.data)

    def send(self, requests: t.Sequence[bytes]) -> t.List[t.Optional[NetlinkError]]:
        """Send requests, and return the error of each, or None. The kernel processes all of them, even if some fail."""
        answers: t.List[t.Optional[NetlinkError]] = []
        for start in range(0, len(requests), TOGETHER):
            some = requests[start : start + TOGETHER]
            expected = len(answers) + len(some)
            try:
                self.channel.send(b"".join(some))
                while len(answers) < expected:
                    found = messages.answers(self.channel.recv(LARGEST))
                    errors = [answer.error for answer in found if answer.kind == messages.NLMSG_ERROR]
                    answers += [NetlinkError(*error) if error[0] else None for error in errors]
            except OSError:
                # Late answers must not be mistaken for answers to later requests, such as those of the rollback.
                self._close_socket()
                raise
        return answers

    def _ask(self, request: Request) -> t.List[bytes]:
        """The messages that answer a request. Raises NetlinkError."""
        return self._answers(request)[0]

    def _answers(self, request: Request) -> t.Tuple[t.List[bytes], bool]:
        """The same, and whether the table changed during the dump. Raises NetlinkError."""
        self.channel.send(self.encode(request))
        found: t.List[bytes] = []
        interrupted = False
        while True:
            for answer in messages.answers(self.channel.recv(LARGEST)):
                if answer.sequence != self._sequence:
                    continue
                interrupted = interrupted or bool(answer.flags & NLM_F_DUMP_INTR)
                if answer.kind in (messages.NLMSG_ERROR, messages.NLMSG_DONE):
                    if answer.error[0]:
                        raise NetlinkError(*answer.error)
                    return found, interrupted
                found.append(answer.message)
                if not answer.flags & NLM_F_MULTI:
                    return found, interrupted

    def dump(self, message: str, kind: int, attributes: t.Any, **fields: int) -> t.List[t.Any]:
        """All answers to a dump request. It is repeated if the table changed during the dump."""
        request = Request(message, kind, NLM_F_DUMP, attributes, fields)
        return [_decoded(message, answer) for answer in self._settled(request, bytes)]

    def _settled(self, request: Request, identity: t.Callable[[bytes], t.Any]) -> t.List[bytes]:
        """A dump during which the table did not change, or whose result a second dump confirmed."""
        before: t.Optional[t.Set[t.Any]] = None
        for _attempt in range(DUMP_RETRIES):
            found, interrupted = self._answers(request)
            there = _identities(identity, found) if interrupted else set()
            if not interrupted or there == before:
                return found
            before = there
        raise Unusable("The kernel's tables changed during each of %d attempts to read them." % DUMP_RETRIES)

    def dump_of_links(
        self, request: Request, place: messages.Place, reread: t.Callable[[int], t.List[bytes]]
    ) -> t.List[bytes]:
        """A dump of entries that belong to links.

        If the table changes during a dump, it can lack entries that existed all the time, and carrier and addresses of
        thousands of new links change constantly. Therefore it is compared with a second dump, and only links that differ are
        read again. ``place`` returns the link of a message and what is compared.
        """
        found, interrupted = self._answers(request)
        for attempt in range(DUMP_RETRIES):
            if not interrupted:
                return found
            before = _identities(place, found)
            found, interrupted = self._answers(request)
            unsure = {index for index, _identity in before ^ _identities(place, found)}
            if interrupted and len(unsure) <= FEW:
                sure = [message for message in found if place(message)[0] not in unsure]
                return sure + [message for index in sorted(unsure) for message in reread(index)]
            time.sleep(PAUSE * attempt)
        raise Unusable("The kernel's tables changed during each of %d attempts to read them." % DUMP_RETRIES)

    def of_link(self, request: Request, place: messages.Place) -> t.List[bytes]:
        """The entries of a link in a table; none if the link is gone."""
        try:
            return self._settled(request, place)
        except NetlinkError as error:
            if error.code != errno.ENODEV:
                raise
        return []

    def links(self, *attributes: t.Tuple[str, t.Any]) -> t.Dict[str, messages.LinkMessage]:
        """The messages that describe all links, or those with some attributes, by the names of the links.

        ``name_of`` then knows their names.
        """
        request = Request(LINK, RTM_GETLINK, NLM_F_DUMP, [*attributes, EXT_MASK], {})
        dump = self.dump_of_links(request, messages.place_of_link, lambda index: self._get_link([], index=index))
        found = {message.get_attr("IFLA_IFNAME"): message for message in map(_link_message, dump)}
        self._names.update((message["index"], name) for name, message in found.items())
        return found

    def _link(self, attributes: t.Any, **fields: int) -> t.Optional[messages.LinkMessage]:
        return next(map(_link_message, self._get_link(attributes, **fields)), None)

    def _get_link(self, attributes: t.Any, **fields: int) -> t.List[bytes]:
        try:
            return self._ask(Request(LINK, RTM_GETLINK, 0, [*attributes, EXT_MASK], fields))
        except NetlinkError as error:
            if error.code == errno.ENODEV:
                return []
            raise

    def link_by_name(self, name: str) -> t.Any:
        """The message that describes a link; None if it does not exist. Alternative names don't count."""
        message = self._link([("IFLA_IFNAME", name)])
        return message if message and message.get_attr("IFLA_IFNAME") == name else None

    def name_of(self, index: int) -> str:
        """The name of the link with an index; empty if it is gone."""
        if index in self._names:
            return self._names[index]
        message = self._link([], index=index)
        return message.get_attr("IFLA_IFNAME") if message else ""

    def index_of(self, name: str) -> int:
        """The index of a link, cached until ``forget``. Raises NetlinkError if the link does not exist."""
        if name not in self._indexes:
            message = self.link_by_name(name)
            if message is None:
                raise NetlinkError(errno.ENODEV, "there is no link '%s'" % name)
            self._indexes[name] = message["index"]
        return self._indexes[name]

    def knows(self, name: str) -> bool:
        """Whether the index of a link is cached."""
        return name in self._indexes

    def id_of(self, fd: int) -> int:
        """The id in this namespace of the namespace behind ``fd``; -1 if it has none."""
        (answer,) = self._ask(Request(NSID, RTM_GETNSID, 0, [("NETNSA_FD", fd)], {}))
        return int(_decoded(NSID, answer).get_attr("NETNSA_NSID"))

    def give_id(self, fd: int, nsid: int) -> bool:
        """Assign an id in this namespace to the namespace behind ``fd``. Returns False if it has one."""
        request = Request(NSID, RTM_NEWNSID, NLM_F_ACK, [("NETNSA_FD", fd), ("NETNSA_NSID", nsid)], {})
        (error,) = self.send([self.encode(request)])
        if error and error.code != errno.EEXIST:
            raise error
        return error is None

    def ids_in(self, nsid: int) -> t.Dict[int, int]:
        """The ids of the namespace with an id in this one, translated to the ids of this one.

        Raises NetlinkError if the kernel can't translate them. Before Linux 5.0 it ignores the request.
        """
        found = self.dump(NSID, RTM_GETNSID, [("NETNSA_TARGET_NSID", nsid)])
        ids = {message.get_attr("NETNSA_NSID"): message.get_attr("NETNSA_CURRENT_NSID") for message in found}
        if None in ids.values():
            raise NetlinkError(errno.EOPNOTSUPP, "The kernel does not translate the ids of namespaces.")
        return ids

    def ipv6(self, name: str) -> t.Optional[bool]:
        """Whether a link, or ``default`` for new links, has IPv6; None if the kernel has no such setting."""
        path = "%snet/ipv6/conf/%s/disable_ipv6" % (PROC_SYS, name)
        with self.inside(), contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            return file.read().strip() == "0"
        return None


def require() -> None:
    """Raise Unusable if this host, this Python or this user lacks what is needed."""
    if PYROUTE2_ERROR is not None:
        raise Unusable(_unusable_pyroute2(PYROUTE2_ERROR, _installed_pyroute2(), sys.version_info[:2]))
    if not _privileged():
        raise Unusable("This module needs the capability CAP_NET_ADMIN; run the task as root (become: true).")


def _unusable_pyroute2(error: str, installed: str, python: t.Tuple[int, int]) -> str:
    """A sentence on a pyroute2 that can't be imported, given the error, its version ("" if unknown) and that of Python."""
    if python < (3, 9) and _release(installed) > PYROUTE2_FOR_PYTHON_3_8:
        newest = _dotted(PYROUTE2_FOR_PYTHON_3_8)
        return (
            "The Python library pyroute2 %s is too new for Python %s (%s): it requires Python 3.9. Install pyroute2 %s, the "
            "newest release for this Python: %s -m pip install pyroute2==%s."
            % (installed, _dotted(python), sys.executable, newest, sys.executable, newest)
        )
    return (
        "This module needs the Python library pyroute2 %s or newer for %s (Debian and Ubuntu: package "
        "python3-pyroute2), and can't use what is there: %s." % (_dotted(PYROUTE2_MINIMUM), sys.executable, error)
    )


def _installed_pyroute2() -> str:
    """The version of the installed pyroute2, usable or not; "" if there is none."""
    # Imported only here, because the import is slow.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("pyroute2")
    except PackageNotFoundError:
        return ""


def _release(version: str) -> t.Tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


def _dotted(numbers: t.Iterable[int]) -> str:
    return ".".join(map(str, numbers))


def _privileged() -> bool:
    with open("/proc/self/status", encoding="utf-8") as status:
        capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)", status.read(), re.M)
    return bool(capabilities and int(capabilities.group(1), 16) >> CAP_NET_ADMIN & 1)
