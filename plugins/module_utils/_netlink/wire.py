# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Encode and decode messages about addresses, routes and neighbors, of which a host may have tens of thousands.

pyroute2 takes ten times as long for each. It still encodes messages with attributes that are not listed here.
"""

from __future__ import annotations

import socket
import struct
import typing as t

Attributes = t.Sequence[t.Tuple[str, t.Any]]
Attribute = t.Tuple[int, t.Callable[[t.Any], bytes], t.Callable[[bytes], t.Any]]

NLMSG_HEADER = 16
NLA_TYPE_MASK = 0x3FFF


def attributes(data: bytes, start: int = 0) -> t.Dict[int, bytes]:
    """The netlink attributes from ``start`` on, by their numbers."""
    found = {}
    while start + 4 <= len(data):
        length, number = struct.unpack_from("=HH", data, start)
        found[number & NLA_TYPE_MASK] = data[start + 4 : start + length]
        start += max(length + 3 & ~3, 4)
    return found


def _attribute(number: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), number) + payload + b"\0" * (-len(payload) % 4)


def _host(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def _text_of_host(payload: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6 if len(payload) == 16 else socket.AF_INET, payload)


def _number(value: int) -> bytes:
    return struct.pack("=I", value)


def _of_number(payload: bytes) -> int:
    return int(struct.unpack_from("=I", payload)[0])


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\0"


def _of_text(payload: bytes) -> str:
    return payload.split(b"\0")[0].decode("utf-8", "surrogateescape")


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def text_of_mac(payload: bytes) -> str:
    """A MAC address as iproute2 prints it."""
    return ":".join("%02x" % octet for octet in payload)


# linux/rtnetlink.h
_METRICS = {
    "RTAX_MTU": 2,
    "RTAX_WINDOW": 3,
    "RTAX_RTT": 4,
    "RTAX_RTTVAR": 5,
    "RTAX_SSTHRESH": 6,
    "RTAX_CWND": 7,
    "RTAX_ADVMSS": 8,
    "RTAX_REORDERING": 9,
    "RTAX_HOPLIMIT": 10,
    "RTAX_INITCWND": 11,
    "RTAX_INITRWND": 14,
}


class Metrics(t.Dict[str, t.Any]):
    """The metrics of a route, with the interface of pyroute2's nested attributes."""

    def get_attr(self, name: str) -> t.Any:
        """The value of a metric; None if it is not set."""
        return dict(self["attrs"]).get(name)


def _metrics(nested: t.Mapping[str, Attributes]) -> bytes:
    return b"".join(_attribute(_METRICS[name], _number(value)) for name, value in nested["attrs"])


def _of_metrics(payload: bytes) -> Metrics:
    found = attributes(payload)
    return Metrics(attrs=[(name, _of_number(found[number])) for name, number in _METRICS.items() if number in found])


_LIFETIMES = ("ifa_preferred", "ifa_valid", "cstamp", "tstamp")


def _cacheinfo(values: t.Mapping[str, int]) -> bytes:
    return struct.pack("=4I", *(values[name] for name in _LIFETIMES))


def _of_cacheinfo(payload: bytes) -> t.Dict[str, int]:
    return dict(zip(_LIFETIMES, struct.unpack_from("=4I", payload)))


def _unused(_value: t.Any) -> bytes:
    raise KeyError


class Layout(t.NamedTuple):
    """The layout of a message after its nlmsghdr: its fields and attributes."""

    format: str
    fields: t.Tuple[str, ...]
    attributes: t.Mapping[str, Attribute]

    def encode(self, header: t.Mapping[str, int], attributes_of: Attributes) -> t.Optional[bytes]:
        """A message without its nlmsghdr; None if it has attributes that are not listed."""
        fields = [header.get(name, 0) for name in self.fields]
        try:
            body = [_attribute(self.attributes[n][0], self.attributes[n][1](value)) for n, value in attributes_of]
        except KeyError:
            return None
        return b"".join([struct.pack(self.format, *fields), *body])


ADDRESS = Layout(
    "=BBBBI",
    ("family", "prefixlen", "flags", "scope", "index"),
    {
        "IFA_ADDRESS": (1, _host, _text_of_host),
        "IFA_LOCAL": (2, _host, _text_of_host),
        "IFA_LABEL": (3, _text, _of_text),
        "IFA_BROADCAST": (4, _host, _text_of_host),
        "IFA_CACHEINFO": (6, _cacheinfo, _of_cacheinfo),
        "IFA_FLAGS": (8, _number, _of_number),
        "IFA_RT_PRIORITY": (9, _number, _of_number),
        "IFA_PROTO": (11, _unused, lambda payload: payload[0]),
    },
)
ROUTE = Layout(
    "=BBBBBBBBI",
    ("family", "dst_len", "src_len", "tos", "table", "proto", "scope", "type", "flags"),
    {
        "RTA_DST": (1, _host, _text_of_host),
        "RTA_OIF": (4, _number, _of_number),
        "RTA_GATEWAY": (5, _host, _text_of_host),
        "RTA_PRIORITY": (6, _number, _of_number),
        "RTA_PREFSRC": (7, _host, _text_of_host),
        "RTA_METRICS": (8, _metrics, _of_metrics),
        "RTA_MULTIPATH": (9, _unused, bytes),
        "RTA_TABLE": (15, _number, _of_number),
        "RTA_VIA": (18, _unused, bytes),
        "RTA_ENCAP": (22, _unused, bytes),
        "RTA_NH_ID": (30, _unused, _of_number),
    },
)
NEIGHBOR = Layout(
    "=BBHiHBB",
    ("family", "pad1", "pad2", "ifindex", "state", "flags", "type"),
    {
        "NDA_DST": (1, _host, _text_of_host),
        "NDA_LLADDR": (2, _mac, text_of_mac),
        "NDA_IFINDEX": (8, _number, _of_number),
    },
)


class Message:
    """A message that is decoded on demand, with the interface of pyroute2's messages."""

    def __init__(self, layout: Layout, data: bytes) -> None:
        self._layout = layout
        size = struct.calcsize(layout.format)
        self._fields = dict(zip(layout.fields, struct.unpack_from(layout.format, data, NLMSG_HEADER)))
        self._attributes = attributes(data, NLMSG_HEADER + size)

    def __getitem__(self, field: str) -> int:
        return int(self._fields[field])

    def get_attr(self, name: str) -> t.Any:
        """The value of an attribute; None if the message has none."""
        number, _encode, decode = self._layout.attributes[name]
        payload = self._attributes.get(number)
        return None if payload is None else decode(payload)
