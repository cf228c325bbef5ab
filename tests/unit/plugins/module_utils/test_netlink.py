# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to the kernel, byte for byte, and what happens where pyroute2 can't be used."""

from __future__ import annotations

import importlib
import struct
import sys
import types
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils import _netlink
from ansible_collections.virtnet.linux.plugins.module_utils._errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._kinds import linux_bridge

pytest.importorskip("pyroute2")

# linux/if_link.h
IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA = 18, 1, 2


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
    message = _netlink.ifinfmsg()
    data = {"attrs": [(attribute.nla, attribute.codec.encode(value))]}
    message["attrs"] = [("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", data)]})]
    message.encode()
    info = attributes(attributes(bytes(message.data)[32:])[IFLA_LINKINFO])  # behind nlmsghdr and ifinfomsg
    assert info[IFLA_INFO_KIND].rstrip(b"\0") == b"bridge"
    sent = attributes(info[IFLA_INFO_DATA])
    assert {key: found[: len(payload)] for key, found in sent.items()} == {number: payload}
    assert attribute.codec.decode(attribute.codec.encode(value)) == value


@pytest.fixture(name="reloaded")
def fixture_reloaded(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[t.Any], types.ModuleType]]:
    """Imports _netlink with something else in the place of pyroute2."""
    name = _netlink.__name__

    def reload(pyroute2: t.Any) -> types.ModuleType:
        monkeypatch.setitem(sys.modules, "pyroute2", pyroute2)
        monkeypatch.delitem(sys.modules, name)
        return importlib.import_module(name)

    yield reload
    monkeypatch.undo()


def test_without_pyroute2_a_sentence_says_what_to_install(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    with pytest.raises(Unusable, match=r"needs the Python library pyroute2 0\.7\.2 or newer .* python3-pyroute2"):
        reloaded(None).Kernel()


def test_an_old_pyroute2_is_named(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    old = types.ModuleType("pyroute2")
    old.__version__ = "0.5.14"  # type: ignore[attr-defined]
    with pytest.raises(Unusable, match=r"this is version 0\.5\.14"):
        reloaded(old).Kernel()


def test_a_pyroute2_that_tells_no_version_is_too_old(reloaded: t.Callable[[t.Any], t.Any]) -> None:
    with pytest.raises(Unusable, match=r"can't use what is there"):
        reloaded(types.ModuleType("pyroute2")).Kernel()
