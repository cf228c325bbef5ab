# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""tuntap: devices whose packets go to a process that holds /dev/net/tun open (drivers/net/tun.c)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.users import gid_of, processes, uid_of
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.codecs import GROUP, USER
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import (
    FLAG,
    Attribute,
    Codec,
    Kind,
    Procedure,
    Values,
)

CLONE_DEVICE = "/dev/net/tun"
# linux/if_tun.h
TUNSETIFF, TUNSETPERSIST, TUNSETOWNER, TUNSETGROUP = 0x400454CA, 0x400454CB, 0x400454CC, 0x400454CE
TUNSETIFINDEX = 0x400454DA
IFF_TUN, IFF_TAP = 0x1, 0x2
IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR, IFF_TUN_EXCL = 0x100, 0x1000, 0x4000, 0x8000

_TUN_NUMBER = os.makedev(10, 200)  # MISC_MAJOR of linux/major.h, TUN_MINOR of linux/miscdevice.h

_MODES = {"tun": IFF_TUN, "tap": IFF_TAP}
_MODE = Codec(
    "str",
    lambda value: _MODES[value],
    lambda number: {flag: mode for mode, flag in _MODES.items()}.get(number, str(number)),
    str,
)


def _attach(name: str, values: Values, exclusive: int = 0) -> int:
    """File descriptor of the device, which gets the flags of ``values``. Raises OSError."""
    flags = _MODES[values["mode"]] | exclusive
    flags |= 0 if values.get("packet_info") else IFF_NO_PI
    flags |= IFF_VNET_HDR if values.get("vnet_hdr") else 0
    flags |= IFF_MULTI_QUEUE if values.get("multi_queue") else 0
    fd = os.open(CLONE_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        if values.get("ifindex"):
            fcntl.ioctl(fd, TUNSETIFINDEX, struct.pack("I", values["ifindex"]))
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode("utf-8", "surrogateescape"), flags))
        if values.get("owner"):
            fcntl.ioctl(fd, TUNSETOWNER, ctypes.c_int(uid_of(values["owner"])).value)
        if values.get("group"):
            fcntl.ioctl(fd, TUNSETGROUP, ctypes.c_int(gid_of(values["group"])).value)
    except BaseException:
        os.close(fd)  # which also deletes a device that was just created
        raise
    return fd


def _make(name: str, values: Values) -> None:
    fd = _attach(name, values, IFF_TUN_EXCL)
    try:
        fcntl.ioctl(fd, TUNSETPERSIST, 1)
    finally:
        os.close(fd)


def _change(name: str, values: Values) -> None:
    os.close(_attach(name, values))


def _commands(netns: str, name: str, values: Values) -> t.List[Argv]:
    words = ["tuntap", "add", "dev", name]
    for option, word in (("mode", "mode"), ("owner", "user"), ("group", "group")):
        if values.get(option):
            words += [word, values[option]]
    flags = (("packet_info", "pi"), ("vnet_hdr", "vnet_hdr"), ("multi_queue", "multi_queue"))
    words += [word for option, word in flags if values.get(option)]
    return [ip(netns, *words)]


_NAMES = ("mode", "multi_queue", "owner", "group", "packet_info", "vnet_hdr")


def _attribute(name: str, nla: str, codec: Codec, default: t.Any = None, **more: t.Any) -> Attribute:
    means = Procedure(_change, _commands)
    return Attribute(name, nla, "", codec, default, on_create=True, set_together=_NAMES, means=means, **more)


def _is_queue_of(name: str, fd: str, fdinfo: str) -> bool:
    if os.stat(fd).st_rdev != _TUN_NUMBER:
        return False
    with open(fdinfo, encoding="utf-8", errors="surrogateescape") as description:
        return "iff:\t%s\n" % name in description  # tun_chr_show_fdinfo(), which lacks the namespace


class _Tuntap(Kind):
    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
        nobody = {"owner": "IFLA_TUN_OWNER", "group": "IFLA_TUN_GROUP"}
        return {option: "" for option, nla in nobody.items() if data and data.get_attr(nla) is None}

    def open_by(self, name: str, message: t.Any, thorough: bool) -> t.Tuple[str, ...]:
        data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
        queues = [data.get_attr("IFLA_TUN_" + nla) for nla in ("NUM_QUEUES", "NUM_DISABLED_QUEUES")] if data else [None]
        # With a single queue the carrier shows it,
        held = message.get_attr("IFLA_CARRIER") if queues[0] is None else any(queues)
        # which a process can switch off, though.
        found = processes(lambda fd, fdinfo: _is_queue_of(name, fd, fdinfo), here=True) if thorough else ()
        return found or (("a process",) if held else ())

    def validate(self, values: Values) -> str:
        if values.get("mode") == "tun" and "mac" in values:
            return "a tun carries IP packets and has no MAC address; leave out option mac, or make it a tap."
        return ""

    def other_frames(self, values: Values) -> str:
        return "a tuntap with mode tun" if values.get("mode") == "tun" else ""

    def immutable(self, there: Values, asked: Values, held: bool) -> t.Dict[str, str]:
        why = {}
        for name in (name for name in _NAMES if name in asked and there.get(name) != asked[name]):
            if name in ("mode", "multi_queue"):
                why[name] = "the kernel decides that when it makes the device"
            elif name in ("owner", "group") and not asked[name]:
                why[name] = "the kernel can replace it, but not take it away"
            elif held:
                why[name] = "a process holds the device open, and would have to end first"
        return why

    def hint(self, code: int) -> str:
        return {
            errno.ENOENT: "There is no %s; the kernel module tun makes it." % CLONE_DEVICE,
            errno.EBUSY: "A process holds the device open, and would have to end first.",
        }.get(code, "")

    def mtu_max(self, values: Values) -> int:
        return 65535 if values.get("mode") == "tun" else 65535 - 14  # packets of a tap have an Ethernet header

    def normalized(self, values: Values) -> Values:
        return {k: v for k, v in values.items() if k != "mac"} if values.get("mode") == "tun" else values


KIND = _Tuntap(
    "tuntap",
    "tun",
    attributes=(
        _attribute("mode", "IFLA_TUN_TYPE", _MODE, choices=tuple(_MODES)),
        _attribute("multi_queue", "IFLA_TUN_MULTI_QUEUE", FLAG, False),
        _attribute("packet_info", "IFLA_TUN_PI", FLAG, False),
        _attribute("vnet_hdr", "IFLA_TUN_VNET_HDR", FLAG, False),
        # An owner can be replaced, but not removed by an undo.
        _attribute("owner", "IFLA_TUN_OWNER", USER, "", irreversible=True),
        _attribute("group", "IFLA_TUN_GROUP", GROUP, "", irreversible=True),
    ),
    required_to_create=("mode",),
    port_costs=(2, 100),  # 100 in older kernels
    means=Procedure(_make, _commands),
)
