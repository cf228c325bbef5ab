# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to the kernel, byte for byte, and what happens where pyroute2 can't be used."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import re
import socket
import struct
import sys
import types
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._links import refusals, vlans
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import linux_bridge
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Link,
    Ref,
    Vlan,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.run import Batch
from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Namespaces
from ansible_collections.virtnet.linux.plugins.module_utils._links.steps import LinkAdd, LinkDel, LinkSet
from ansible_collections.virtnet.linux.plugins.module_utils._links.vlans import VlanAdd, VlanDel
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import socket as netlink_socket
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import LINK, RTM_GETLINK, Request

pytest.importorskip("pyroute2")

# linux/if_link.h
IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA = 18, 1, 2
IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO = 26, 2

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep


def attributes(data: bytes) -> t.Dict[int, bytes]:
    """The netlink attributes in ``data`` by their number."""
    found = {}
    while data:
        length, number = struct.unpack_from("=HH", data)
        found[number & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


@pytest.mark.parametrize(
    ("option", "value", "number", "payload"),
    [
        ("forward_delay", 4, 1, struct.pack("=I", 400)),
        ("hello_time", 1.5, 2, struct.pack("=I", 150)),
        ("max_age", 20, 3, struct.pack("=I", 2000)),
        ("ageing_time", 300, 4, struct.pack("=I", 30000)),
        ("stp", True, 5, struct.pack("=I", 1)),
        ("priority", 4096, 6, struct.pack("=H", 4096)),
        ("vlan_filtering", True, 7, b"\1"),
        ("vlan_protocol", "802.1ad", 8, b"\x88\xa8"),
        ("group_fwd_mask", 8, 9, struct.pack("=H", 8)),
        ("mcast_snooping", False, 23, b"\0"),
        ("mcast_querier", True, 25, b"\1"),
        ("nf_call_iptables", True, 36, b"\1"),
        ("nf_call_ip6tables", True, 37, b"\1"),
        ("nf_call_arptables", True, 38, b"\1"),
        ("vlan_default_pvid", 7, 39, struct.pack("=H", 7)),
        ("vlan_stats_per_port", True, 45, b"\1"),
    ],
)
def test_bridge_options_as_the_kernel_reads_them(option: str, value: t.Any, number: int, payload: bytes) -> None:
    attribute = next(a for a in linux_bridge.KIND.attributes if a.name == option)
    message = netlink_socket.ifinfmsg()
    data = {"attrs": [(attribute.nla, attribute.codec.encode(value))]}
    message["attrs"] = [("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", data)]})]
    message.encode()
    info = attributes(attributes(bytes(message.data)[32:])[IFLA_LINKINFO])  # behind nlmsghdr and ifinfomsg
    assert info[IFLA_INFO_KIND].rstrip(b"\0") == b"bridge"
    sent = attributes(info[IFLA_INFO_DATA])
    assert {key: found[: len(payload)] for key, found in sent.items()} == {number: payload}
    assert attribute.codec.decode(attribute.codec.encode(value)) == value


class SentOnly(Namespaces):
    """Keeps the bytes of the messages that steps would send, for a link of index 7."""

    def __init__(self) -> None:
        self.sent: t.List[t.Tuple[int, bytes]] = []

    def require(self, _reference: str) -> t.Any:
        return self

    def knows(self, _name: str) -> bool:
        return True

    def index_of(self, _name: str) -> int:
        return 7

    def encode(self, request: Request) -> bytes:
        message = netlink_socket.CLASSES[request.message]()
        message.update(request.header)
        message["attrs"] = request.attributes
        message.encode()
        self.sent.append((request.type, bytes(message.data)[16:]))
        return b""

    def send(self, requests: t.Sequence[bytes]) -> t.List[None]:
        return [None for _request in requests]


@pytest.mark.parametrize(
    ("step", "code", "hint"),
    [
        (LinkAdd(Link(Ref("", "m"), "macvlan")), errno.EINVAL, "The parent must be an Ethernet device"),
        (LinkSet(Ref("", "m"), "mac", "02:00:00:00:00:01", "macvlan"), errno.EINVAL, "^$"),
        (LinkSet(Ref("", "m"), "bcqueuelen", 7, "macvlan"), errno.EINVAL, "^$"),
        (LinkSet(Ref("", "m"), "state", "up", "macvlan"), errno.EADDRINUSE, "has that MAC address"),
        (LinkSet(Ref("", "t"), "owner", "root", "tuntap"), errno.EBUSY, "A process holds the device open"),
        (LinkSet(Ref("", "t"), "mtu", 1400, "tuntap"), errno.EBUSY, "Something uses it"),
    ],
)
def test_hints_are_about_what_was_refused(step: LinkStep, code: int, hint: str) -> None:
    assert re.search(hint, refusals.hint(step, code))


# From linux/if_bridge.h: flags (2 PVID, 4 untagged, 8 the range begins, 16 it ends) and the VLAN's id
@pytest.mark.parametrize(
    ("step", "message_type", "infos"),
    [
        (VlanAdd(Ref("", "p"), Vlan(10, True, True), 10), 19, [(2 | 4, 10)]),
        (VlanAdd(Ref("", "p"), Vlan(10), 20), 19, [(8, 10), (16, 20)]),
        (VlanAdd(Ref("", "p"), Vlan(4094, False, True), 4094), 19, [(4, 4094)]),
        (VlanDel(Ref("", "p"), 1, 1), 17, [(0, 1)]),
        (VlanDel(Ref("", "p"), 1, 4094), 17, [(8, 1), (16, 4094)]),
    ],
)
def test_vlans_as_the_kernel_reads_them(step: LinkStep, message_type: int, infos: t.List[t.Tuple[int, int]]) -> None:
    kernel = SentOnly()
    Batch(kernel).run([step])
    ((sent_type, data),) = kernel.sent
    assert sent_type == message_type  # RTM_SETLINK, RTM_DELLINK
    assert struct.unpack_from("=BxHiII", data)[:3] == (socket.AF_BRIDGE, 0, 7)
    spec = attributes(data[16:])[IFLA_AF_SPEC]
    found = []
    while spec:
        length, number = struct.unpack_from("=HH", spec)
        assert number == IFLA_BRIDGE_VLAN_INFO
        found.append(struct.unpack_from("=HH", spec, 4))
        spec = spec[(length + 3) & ~3 :]
    assert found == infos


class Emptied(SentOnly):
    """A namespace whose links have all gone by themselves."""

    def forget(self) -> None:
        pass

    def links(self) -> t.Dict[str, t.Any]:
        return {}


def test_links_that_have_gone_by_themselves_are_deleted() -> None:
    kernel = Emptied()
    Batch(kernel).run([LinkDel(Link(Ref("", "v%d" % number), "veth")) for number in range(20)])
    assert kernel.sent == []


def test_answers_that_are_lost_are_not_awaited_from_what_is_sent_next() -> None:
    space = netlink_socket.Namespace(os.open("/proc/self/ns/net", os.O_RDONLY), own=True)
    nobody = Request(LINK, RTM_GETLINK, 0, [("IFLA_IFNAME", "nobody")], {})
    with contextlib.closing(space):
        space.channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with pytest.raises(OSError, match="No buffer space"):
            space.send([space.encode(nobody)] * 100)
        assert [error.code for error in space.send([space.encode(nobody)] * 2) if error] == [errno.ENODEV] * 2


def test_vlans_as_the_kernel_tells_them() -> None:
    def nested(number: int, payload: bytes) -> bytes:
        return struct.pack("=HH", 4 + len(payload), number) + payload.ljust((len(payload) + 3) & ~3, b"\0")

    one = nested(1, nested(1, struct.pack("=HH", 2 | 4, 50)))
    some = nested(1, nested(1, struct.pack("=HH", 0, 20)) + nested(2, struct.pack("=H", 22)))
    body = struct.pack("=BBHI", socket.AF_BRIDGE, 0, 0, 7) + one + some
    message = netlink_socket._VlanMessage(struct.pack("=IHHII", 16 + len(body), 112, 0, 0, 0) + body)
    message.decode()
    assert vlans.decode(message.get_attrs("BRIDGE_VLANDB_ENTRY")) == (
        *(Vlan(vid) for vid in (20, 21, 22)),
        Vlan(50, True, True),
    )


@pytest.fixture(name="reloaded")
def fixture_reloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> t.Iterator[t.Callable[..., types.ModuleType]]:
    """Imports _netlink with a pyroute2 that has some files, or with none."""
    name = netlink_socket.__name__

    def reload(files: t.Optional[t.Mapping[str, str]]) -> types.ModuleType:
        for module in [name, *(module for module in sys.modules if module.partition(".")[0] == "pyroute2")]:
            monkeypatch.delitem(sys.modules, module)
        if files is None:
            monkeypatch.setitem(sys.modules, "pyroute2", None)
        for path, text in (files or {}).items():
            file = tmp_path / "pyroute2" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        return importlib.import_module(name)

    yield reload
    for module in [module for module in sys.modules if module.partition(".")[0] == "pyroute2"]:
        del sys.modules[module]
    monkeypatch.undo()


def test_without_pyroute2_a_sentence_says_what_to_install(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    with pytest.raises(Unusable, match=r"needs the Python library pyroute2 0\.7\.2 or newer .* python3-pyroute2"):
        reloaded(None).require()


def test_an_old_pyroute2_is_named(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    version = '__version__ = "0.5.14"'
    with pytest.raises(Unusable, match=r"this is version 0\.5\.14"):
        reloaded({"__init__.py": "", "netns.py": "", "config/__init__.py": "", "config/version.py": version}).require()


def test_a_pyroute2_that_does_not_know_its_version_is_looked_up(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    # It has passed for the version that is installed here; what it lacks is something else.
    with pytest.raises(Unusable, match=r"No module named 'pyroute2\.netlink'"):
        reloaded({"__init__.py": "", "netns.py": "", "config/__init__.py": ""}).require()


def test_a_pyroute2_that_cannot_be_used(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    for flaw in ("", "class too new", "raise AttributeError('it lacks something')"):
        with pytest.raises(Unusable, match=r"can't use what is there"):
            reloaded({"__init__.py": flaw}).require()


@pytest.mark.parametrize("installed", ["0.9.1", "0.9.2", "0.10"])
def test_a_pyroute2_that_is_too_new_for_this_python(installed: str) -> None:
    said = netlink_socket._unusable_pyroute2("'type' object is not subscriptable", installed, (3, 8))
    assert said.startswith(
        "The Python library pyroute2 %s is too new for Python 3.8 (%s)" % (installed, sys.executable)
    )
    assert said.endswith("%s -m pip install pyroute2==0.8.1." % sys.executable)


@pytest.mark.parametrize(
    ("installed", "python"), [("0.9.2", (3, 9)), ("0.8.1", (3, 8)), ("0.5.14", (3, 8)), ("", (3, 8))]
)
def test_a_pyroute2_that_is_not_too_new(installed: str, python: t.Tuple[int, int]) -> None:
    said = netlink_socket._unusable_pyroute2("it is broken", installed, python)
    assert "pyroute2 0.7.2 or newer" in said
    assert said.endswith("it is broken.")
