# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Validate IP addresses, networks, VLAN ids and names of sysctls.

The arguments and results of the functions are those of ``names.py``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted, upper

VID_MAX = 4094


def address(value: str, where: str) -> str:
    """The address of an interface with its prefix length, such as ``192.0.2.1/24``."""
    if "/" not in value:
        raise BadInput("%s: %s lacks its prefix length; write it as ADDRESS/PREFIX." % (upper(where), quoted(value)))
    parsed = _parse(ipaddress.ip_interface, value, where, "an address with prefix length such as 192.0.2.1/24")
    if parsed.ip.is_unspecified or parsed.ip.is_multicast:
        raise BadInput("%s: %s can't be the address of an interface." % (upper(where), quoted(value)))
    return "%s/%d" % (_spelled(parsed.ip), parsed.network.prefixlen)


def host(value: str, where: str) -> str:
    """An IPv4 or IPv6 address without prefix length."""
    return _spelled(_parse(ipaddress.ip_address, value, where, "an IP address"))


def next_hop(value: str, where: str) -> str:
    """The gateway of a route. To the kernel the unspecified address is no gateway, so that it is refused."""
    spelled = _unicast(value, where, "the gateway of a route")
    if ipaddress.ip_address(spelled).is_loopback:
        raise BadInput("%s: %s can't be the gateway of a route: it is this host." % (upper(where), quoted(value)))
    return spelled


def source(value: str, where: str) -> str:
    """The preferred source address of a route. To the kernel the unspecified address is no source, so that it is refused."""
    return _unicast(value, where, "the source address of a route")


def neighbor(value: str, where: str) -> str:
    """The address of a neighbor; returned in canonical spelling."""
    if "/" in value:
        raise BadInput("%s: %s has a prefix length; a neighbor is one address." % (upper(where), quoted(value)))
    spelled = host(value, where)
    parsed = ipaddress.ip_address(spelled)
    if parsed.is_unspecified or parsed.is_multicast or spelled == "255.255.255.255":
        raise BadInput("%s: %s can't be a neighbor: it isn't a unicast address." % (upper(where), quoted(value)))
    return spelled


def _unicast(value: str, where: str, what: str) -> str:
    spelled = host(value, where)
    parsed = ipaddress.ip_address(spelled)
    if parsed.is_unspecified:
        raise BadInput("%s: %s can't be %s; leave it out for none." % (upper(where), quoted(value), what))
    if parsed.is_multicast or spelled == "255.255.255.255":
        raise BadInput("%s: %s can't be %s: it isn't a unicast address." % (upper(where), quoted(value), what))
    return spelled


def destination(value: str, where: str) -> str:
    """The destination of a route: a network; a host gets the full prefix length."""
    shape = "a network such as 192.0.2.0/24, an address, or 'default'"
    parsed = _parse(ipaddress.ip_interface, value, where, shape)
    if parsed.ip != parsed.network.network_address:
        raise BadInput(
            "%s: %s has bits set behind its prefix length; did you mean %s?"
            % (upper(where), quoted(value), parsed.network)
        )
    return "%s/%d" % (_spelled(parsed.network.network_address), parsed.network.prefixlen)


def family(value: str) -> int:
    """4 or 6, for an address, interface or network in canonical spelling."""
    return 6 if ":" in value else 4


def number(value: str) -> int:
    """An address in canonical spelling as a number."""
    return int.from_bytes(socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value), "big")


def is_link_local(value: str) -> bool:
    """Whether an IPv6 address in canonical spelling is in fe80::/10."""
    return number(value) >> 118 == 0x3FA


def vids(value: str, where: str) -> t.Tuple[int, int]:
    """The first and the last VLAN id of a text such as ``10`` or ``10-20``."""
    found = re.match(r"^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$", value, re.A)
    first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)
    if not 1 <= first <= last <= VID_MAX:
        raise BadInput(
            "%s: %s isn't a VLAN id from 1 to %d, or a range of these." % (upper(where), quoted(value), VID_MAX)
        )
    return first, last


def sysctl_key(value: str, where: str) -> str:
    """A sysctl of the network stack, as its path below /proc/sys, such as ``net/ipv4/ip_forward``.

    Accepts both spellings of sysctl(8): if the first separator is a dot, dots separate, and slashes stand for dots in names;
    otherwise slashes separate, and dots are dots.
    """
    first = re.search("[./]", value)
    path = value.translate(str.maketrans("./", "/.")) if first and first.group() == "." else value
    parts = path.split("/")
    if len(parts) < 2 or any(part in ("", ".", "..") for part in parts) or not re.match(r"^[\w./:@+-]+$", path, re.A):
        raise BadInput("%s: %s isn't the name of a sysctl such as net.ipv4.ip_forward." % (upper(where), quoted(value)))
    if parts[0] != "net":
        raise BadInput(
            "%s: %s doesn't belong to a network namespace; only sysctls below 'net' do." % (upper(where), quoted(value))
        )
    return path


def sysctl_name(path: str) -> str:
    """The inverse of ``sysctl_key``: ``net.ipv4.ip_forward`` for ``net/ipv4/ip_forward``."""
    return path.translate(str.maketrans("./", "/."))


def sysctl_told(value: str) -> str:
    """The value of a sysctl as the kernel shows it after it was set to ``value``.

    proc_dointvec() reads hexadecimal and octal numbers and shows decimal ones; proc_do_large_bitmap() joins ranges.
    """
    return " ".join(
        _number_told(word) if "," not in word and "-" not in word[1:] else _ranges_told(word) for word in value.split()
    )


def _number_told(word: str) -> str:
    found = re.match("^(-?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$", word, re.I | re.A)
    if not found or len(word) > 20:
        return word
    base = 16 if found.group(2).lower().startswith("0x") else 8 if found.group(2).startswith("0") else 10
    return str(int(found.group(1) + found.group(2), base))


def _ranges_told(word: str) -> str:
    if not re.match("^[0-9]{1,9}(-[0-9]{1,9})?(,[0-9]{1,9}(-[0-9]{1,9})?)*$", word, re.A):
        return word
    ends = sorted([int(end) for end in part.split("-")] for part in word.split(","))
    joined: t.List[t.List[int]] = []
    for first, last in ((end[0], end[-1]) for end in ends):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return ",".join("%d-%d" % (first, last) if last > first else str(first) for first, last in joined)


def sysctl_link(path: str) -> str:
    """The name of the link that the sysctl with a path belongs to; empty if it belongs to the namespace."""
    found = re.match("^net/[^/]+/(?:conf|neigh)/([^/]+)/", path)
    return found.group(1) if found and found.group(1) not in ("all", "default") else ""


def _spelled(ip: t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]) -> str:
    # The spelling of inet_ntop(), iproute2 and pyroute2. Python's differs for mapped IPv4 addresses.
    return socket.inet_ntop(socket.AF_INET6 if ip.version == 6 else socket.AF_INET, ip.packed)


def _parse(parser: t.Callable[[str], t.Any], value: str, where: str, shape: str) -> t.Any:
    try:
        if "%" in value:  # an IPv6 zone: the device is named elsewhere
            raise ValueError(value)
        return parser(value.strip())
    except ValueError as error:
        raise BadInput("%s: %s isn't %s." % (upper(where), quoted(value), shape)) from error
