# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Messages from the kernel: split them, and decode those about links on demand.

Nothing here depends on the version of pyroute2.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import sys
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._netlink.wire import attributes, text_of_mac

# Of linux/netlink.h
NLMSG_ERROR, NLMSG_DONE, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG = 2, 3, 0x200, 1

# Index of the link that a message belongs to, and what identifies the entry, to compare two dumps.
Place = t.Callable[[bytes], t.Tuple[int, t.Hashable]]
# For entries that the kernel adds and removes at any time: not compared.
UNSTEADY = (0, None)


def place_of_link(data: bytes) -> t.Tuple[int, t.Hashable]:
    """Index and name of the link in a message that is not decoded yet."""
    return struct.unpack_from("=i", data, 20)[0], attributes(data, 32).get(3)


class Answer(t.NamedTuple):
    """A message from the kernel; ``error`` is errno and text of an acknowledgement, or of the end of a dump."""

    kind: int
    flags: int
    sequence: int
    message: bytes
    error: t.Tuple[int, str]


def answers(data: bytes) -> t.Iterator[Answer]:
    """Split received bytes into messages."""
    start = 0
    while start < len(data):
        length, kind, flags, sequence = struct.unpack_from("=IHHI", data, start)
        message = data[start : start + length]
        error = (0, "")
        if kind in (NLMSG_ERROR, NLMSG_DONE) and length >= 20:
            code = -struct.unpack_from("=i", message, 16)[0]
            # An acknowledgement repeats the header of the request; the end of a dump does not.
            extended = message[36 if kind == NLMSG_ERROR else 20 :] if flags & NLM_F_ACK_TLVS else b""
            error = (code, _extended(extended) or os.strerror(code)) if code else error
        yield Answer(kind, flags, sequence, message, error)
        start += (length + 3) & ~3


def _text(payload: bytes) -> str:
    return payload.split(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(payload: bytes) -> int:
    return int(struct.unpack_from("=I", payload)[0])


# Attributes of links that are read (linux/if_link.h), out of about fifty.
_LINK_ATTRIBUTES: t.Dict[str, t.Tuple[int, t.Callable[[bytes], t.Any]]] = {
    "IFLA_ADDRESS": (1, text_of_mac),
    "IFLA_BROADCAST": (2, text_of_mac),
    "IFLA_IFNAME": (3, _text),
    "IFLA_MTU": (4, _number),
    "IFLA_LINK": (5, _number),
    "IFLA_MASTER": (10, _number),
    "IFLA_TXQLEN": (13, _number),
    "IFLA_IFALIAS": (20, _text),
    "IFLA_GROUP": (27, _number),
    "IFLA_CARRIER": (33, lambda payload: payload[0]),
    "IFLA_LINK_NETNSID": (37, lambda payload: struct.unpack_from("=i", payload)[0]),
    "IFLA_MIN_MTU": (50, _number),
    "IFLA_MAX_MTU": (51, _number),
}
IFLA_LINKINFO = 18
IFLA_INFO_SLAVE_DATA = 5
_LINKINFO_KINDS = {"IFLA_INFO_KIND": 1, "IFLA_INFO_SLAVE_KIND": 4}


class LinkMessage:
    """A message that describes a link (struct ifinfomsg), decoded on demand.

    A host can have thousands of links, and decoding everything would take longer than all else.
    ``decode`` decodes attributes that depend on the kind of link: it returns a message that has ``get_nested``.
    """

    def __init__(self, data: bytes, decode: t.Callable[[bytes], t.Any]) -> None:
        self._header = struct.unpack_from("=iI", data, 20)
        self._data = data
        self._attributes = attributes(data, 32)
        self._decode = decode
        self._decoded: t.Any = None

    def __getitem__(self, field: str) -> int:
        return int(self._header[("index", "flags").index(field)])

    def get_attr(self, name: str) -> t.Any:
        """Value of an attribute; None if it is missing."""
        number, decode = _LINK_ATTRIBUTES[name]
        payload = self._attributes.get(number)
        return None if payload is None else decode(payload)

    def get_nested(self, outer: str, inner: str) -> t.Any:
        """Value of an attribute within IFLA_LINKINFO; None if it is missing."""
        info = self._attributes.get(IFLA_LINKINFO)
        if info is None:
            return None
        if inner in _LINKINFO_KINDS:
            payload = attributes(info).get(_LINKINFO_KINDS[inner])
            return None if payload is None else _text(payload)
        if self._decoded is None:
            body = self._data[16:32] + struct.pack("=HH", 4 + len(info), IFLA_LINKINFO) + info
            self._decoded = self._decode(struct.pack("=I", 16 + len(body)) + self._data[4:16] + body)
        return self._decoded.get_nested(outer, inner)

    def slave_numbers(self, numbers: t.Mapping[str, int]) -> t.Dict[str, int]:
        """Numeric attributes in IFLA_INFO_SLAVE_DATA by name, given their numbers; missing ones are left out."""
        info = attributes(self._attributes.get(IFLA_LINKINFO, b""))
        found = attributes(info.get(IFLA_INFO_SLAVE_DATA, b""))
        return {name: int.from_bytes(found[n], sys.byteorder) for name, n in numbers.items() if n in found}


def _extended(data: bytes) -> str:
    """Text of an extended acknowledgement (enum nlmsgerr_attrs of linux/netlink.h)."""
    return _text(attributes(data).get(NLMSGERR_ATTR_MSG, b""))


def family(version: int) -> int:
    """Address family for IP version 4 or 6."""
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def kernel_release() -> t.Tuple[int, ...]:
    """Version of the running kernel, such as (6, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
