# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the kernel's messages say: netlink attributes to values of the model, and back.

A message is what pyroute2 makes of it; nothing here depends on its version.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._kinds import _common, linux_bridge_port
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import (
    DYNAMIC,
    IPV6_METRIC,
    KERNEL,
    MAIN_TABLE,
    STATIC,
    Address,
    Link,
    Route,
    Vlan,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._kinds._kind import Attribute

Attributes = t.List[t.Tuple[str, t.Any]]

# Of linux/netlink.h
NLMSG_ERROR, NLMSG_DONE, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG, NLA_TYPE_MASK = 2, 3, 0x200, 1, 0x3FFF

NO_MAC = "00:00:00:00:00:00"

# Of linux/if_addr.h: the flags that an administrator gives, and what tells where an address comes from.
_ADDRESS_FLAGS = 0x02 | 0x10 | 0x100 | 0x200 | 0x400  # NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN
IFA_F_PERMANENT = 0x80
IFAPROT_KERNEL = (1, 2, 3)  # loopback, router advertisement, link-local
# Of linux/rtnetlink.h
RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_BOOT, RTPROT_STATIC = 1, 2, 3, 4
RTN_UNICAST = 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
RTNH_F_ONLINK = 4
RT_TABLE_COMPAT = 252  # in the header's one byte: see RTA_TABLE
RTM_F_CLONED = 0x200
# Of linux/if_bridge.h
BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED = 1 << 1, 1 << 2
BRIDGE_VLAN_INFO_RANGE_BEGIN, BRIDGE_VLAN_INFO_RANGE_END = 1 << 3, 1 << 4
# The metrics of a route that are kept although they have no option; all are numbers.
_METRICS = tuple(
    "RTAX_" + name
    for name in [
        "WINDOW",
        "RTT",
        "RTTVAR",
        "SSTHRESH",
        "CWND",
        "ADVMSS",
        "REORDERING",
        "HOPLIMIT",
        "INITCWND",
        "INITRWND",
    ]
)


def common_values(message: t.Any) -> t.Dict[str, t.Any]:
    """The scalar options that links of every kind have; of the master there is only an index, which is not in it."""
    values: t.Dict[str, t.Any] = {
        "state": "up" if message["flags"] & _common.IFF_UP else "down",
        "promisc": bool(message["flags"] & _common.IFF_PROMISC),
        "alias": message.get_attr("IFLA_IFALIAS") or "",
    }
    for attribute in _common.AT_BIRTH:
        value = message.get_attr(attribute.nla)
        if value is not None:
            values[attribute.name] = attribute.codec.decode(value)
    if not re.match(r"^(..:){5}..$", values.get("mac", "")) or values["mac"] == NO_MAC:
        values.pop("mac", None)  # loopback has zeros, tunnels and InfiniBand have something longer or shorter
    return values


def own_values(attributes: t.Iterable[Attribute], message: t.Any) -> t.Dict[str, t.Any]:
    """The scalar options of a kind, as far as this kernel has them."""
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    values = {}
    for attribute in attributes:
        value = data.get_attr(attribute.nla) if data else None
        if value is not None:
            values[attribute.name] = attribute.decode(value)
    return values


def port_settings(message: t.Any) -> t.Dict[str, t.Any]:
    """What can be set of a bridge's port, by name; nothing for what is no port."""
    if message.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_KIND") != linux_bridge_port.RTNL:
        return {}
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA")
    found = {name: data.get_attr(attribute.nla) for name, attribute in linux_bridge_port.ATTRIBUTES.items()}
    return {k: linux_bridge_port.ATTRIBUTES[k].decode(value) for k, value in found.items() if value is not None}


def vlans(entries: t.Iterable[t.Any]) -> t.Tuple[Vlan, ...]:
    """The VLANs that the entries of a dump of RTM_GETVLAN describe, in the order of their ids."""
    found = []
    for entry in entries:
        info = entry.get_attr("BRIDGE_VLANDB_ENTRY_INFO")
        last = entry.get_attr("BRIDGE_VLANDB_ENTRY_RANGE") or info["vid"]
        flags = [bool(info["flags"] & flag) for flag in (BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED)]
        found += [Vlan(vid, *flags) for vid in range(info["vid"], last + 1)]
    return tuple(sorted(found))


def vlan_infos(vlan: Vlan, last: int) -> Attributes:
    """The netlink attributes for the VLANs from one to another, in IFLA_AF_SPEC of a bridge's port."""
    flags = (BRIDGE_VLAN_INFO_PVID if vlan.pvid else 0) | (BRIDGE_VLAN_INFO_UNTAGGED if vlan.untagged else 0)
    ends = [(vlan.vid, BRIDGE_VLAN_INFO_RANGE_BEGIN), (last, BRIDGE_VLAN_INFO_RANGE_END)]
    if vlan.vid == last:
        ends = [(vlan.vid, 0)]
    return [("IFLA_BRIDGE_VLAN_INFO", {"vid": vid, "flags": flags | place}) for vid, place in ends]


def encode(attributes: t.Iterable[Attribute], link: Link) -> Attributes:
    """The netlink attributes for those options of a link that have a value, each once."""
    given = [attribute for attribute in attributes if attribute.name in link.values]
    return list({nla: payload for a in given for nla, payload in a.encode(link.values)}.items())


def address(message: t.Any) -> Address:
    """The address that a message describes, with all that it takes to give it back."""
    local = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    flags = message.get_attr("IFA_FLAGS")
    flags = message["flags"] if flags is None else flags
    attributes = {"IFA_FLAGS": flags & _ADDRESS_FLAGS}
    for name in ("IFA_ADDRESS", "IFA_BROADCAST", "IFA_LABEL", "IFA_RT_PRIORITY"):
        if message.get_attr(name) is not None:
            attributes[name] = message.get_attr(name)
    cache = message.get_attr("IFA_CACHEINFO")
    if not flags & IFA_F_PERMANENT and cache:
        lifetimes = {name: cache[name] for name in ("ifa_preferred", "ifa_valid")}
        attributes["IFA_CACHEINFO"] = {**lifetimes, "cstamp": 0, "tstamp": 0}
    extra = (("scope", message["scope"]), ("attributes", attributes))
    return Address("%s/%d" % (local, message["prefixlen"]), _address_origin(message, local, flags), extra)


def _address_origin(message: t.Any, local: str, flags: int) -> str:
    link_local = local.lower().startswith("fe80:")
    if message.get_attr("IFA_PROTO") in IFAPROT_KERNEL or (link_local and kernel_release() < (5, 18)):
        return KERNEL  # before 5.18 the kernel doesn't tell its link-local addresses from others
    return STATIC if flags & IFA_F_PERMANENT else DYNAMIC


def route(message: t.Any) -> t.List[Route]:
    """The route that a message describes; none for what isn't a plain unicast route."""
    gateway = message.get_attr("RTA_GATEWAY") or ""
    unusual = [name for name in ("RTA_MULTIPATH", "RTA_VIA", "RTA_ENCAP", "RTA_NH_ID") if message.get_attr(name)]
    if message["type"] != RTN_UNICAST or message["tos"] or unusual:
        return []
    metrics = message.get_attr("RTA_METRICS")
    more = [(name, value) for name, value in (metrics["attrs"] if metrics else ()) if name in _METRICS]
    six = message["family"] == socket.AF_INET6
    proto = message["proto"]
    origin = DYNAMIC
    if proto in (RTPROT_KERNEL, RTPROT_REDIRECT):
        origin = KERNEL
    elif proto in (RTPROT_BOOT, RTPROT_STATIC):
        origin = STATIC
    return [
        Route(
            to="%s/%d" % (message.get_attr("RTA_DST") or ("::" if six else "0.0.0.0"), message["dst_len"]),
            via=gateway,
            metric=message.get_attr("RTA_PRIORITY") or (IPV6_METRIC if six else 0),
            table=message.get_attr("RTA_TABLE") or message["table"] or MAIN_TABLE,
            src=message.get_attr("RTA_PREFSRC") or "",
            onlink=bool(message["flags"] & RTNH_F_ONLINK),
            mtu=(metrics.get_attr("RTAX_MTU") if metrics else 0) or 0,
            origin=origin,
            extra=(("scope", message["scope"]), ("proto", proto), ("metrics", more)),
        )
    ]


class Answer(t.NamedTuple):
    """A message of the kernel's; ``error`` is the errno of an acknowledgement or the end of a dump, with its sentence."""

    kind: int
    flags: int
    sequence: int
    message: bytes
    error: t.Tuple[int, str]


def answers(data: bytes) -> t.Iterator[Answer]:
    """The messages in what was received."""
    start = 0
    while start < len(data):
        length, kind, flags, sequence = struct.unpack_from("=IHHI", data, start)
        message = data[start : start + length]
        error = (0, "")
        if kind in (NLMSG_ERROR, NLMSG_DONE) and length >= 20:
            code = -struct.unpack_from("=i", message, 16)[0]
            # An acknowledgement repeats the header of the request, the end of a dump doesn't.
            extended = message[36 if kind == NLMSG_ERROR else 20 :] if flags & NLM_F_ACK_TLVS else b""
            error = (code, _extended(extended) or os.strerror(code)) if code else error
        yield Answer(kind, flags, sequence, message, error)
        start += (length + 3) & ~3


def stripped(message: bytes, header: int, keep: t.Container[int]) -> bytes:
    """A message with a header of so many bytes of its own, without those attributes that nobody wants to keep."""
    start = 16 + header
    kept = [message[16:start]]
    while start + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, start)
        end = start + ((length + 3) & ~3)
        if kind & NLA_TYPE_MASK in keep:
            kept.append(message[start:end])
        start = max(end, start + 4)
    body = b"".join(kept)
    return struct.pack("=I", 16 + len(body)) + message[4:16] + body


def _extended(data: bytes) -> str:
    """The text of an extended acknowledgement (enum nlmsgerr_attrs of linux/netlink.h)."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if kind == NLMSGERR_ATTR_MSG:
            return data[4:length].split(b"\0")[0].decode("utf-8", "replace")
        data = data[(max(length, 4) + 3) & ~3 :]
    return ""


def family(version: int) -> int:
    """The address family of IP version 4 or 6."""
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def kernel_release() -> t.Tuple[int, ...]:
    """The first two numbers of the running kernel's release, such as (6, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
