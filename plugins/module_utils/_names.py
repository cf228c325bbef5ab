# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Interface and namespace names, MAC addresses, prefixes, sysctl keys: refused here or nowhere.

Every function takes the value and ``where``, the words that tell the user which option of which object is meant
(such as ``option name``), returns the value in its one canonical spelling, and raises BadInput with a sentence.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput

IFNAMSIZ = 16  # linux/if.h, with the closing NUL
VID_MAX = 4094
NAME_MAX = 255  # linux/limits.h
# isspace() of the kernel (lib/ctype.c) works on bytes and takes the no-break space of Latin-1 for one, too.
_KERNEL_SPACES = b" \t\n\v\f\r\xa0"
# Names that the kernel keeps for /proc/sys/net/ipv[46]/conf.
_SYSCTL_NAMES = ("all", "default")


def interface_name(value: str, where: str) -> str:
    """A name that dev_valid_name() of the kernel (net/core/dev.c) takes, and that means only itself."""
    raw = value.encode("utf-8", "surrogateescape")
    if not raw:
        raise BadInput("%s is empty; an interface name has 1 to %d bytes." % (_upper(where), IFNAMSIZ - 1))
    if len(raw) >= IFNAMSIZ:
        raise BadInput(
            "%s: '%s' has %d bytes; an interface name has 1 to %d." % (_upper(where), value, len(raw), IFNAMSIZ - 1)
        )
    if value in (".", "..") or value in _SYSCTL_NAMES:
        raise BadInput("%s: '%s' can't be the name of an interface." % (_upper(where), value))
    bad = [c for c in "/:%" if c in value]
    if bad:
        raise BadInput("%s: %r contains '%s', which an interface name can't." % (_upper(where), value, bad[0]))
    if any(byte in _KERNEL_SPACES for byte in raw) or not value.isprintable():
        raise BadInput(
            "%s: %r contains white space or a control character, which an interface name can't."
            % (_upper(where), value)
        )
    return value


def port_name(value: str, where: str) -> str:
    """The name of a port of Open vSwitch. Patch ports, tunnels and bonds may have longer ones than links."""
    if not value:
        raise BadInput("%s is empty; a port of Open vSwitch needs a name." % _upper(where))
    bad = value.startswith("-") or value in (".", "..") or "/" in value
    if bad or not value.isprintable() or any(c.isspace() for c in value):
        raise BadInput(
            "%s: %r can't be a name in Open vSwitch: no '-' at its beginning, no '/', no white space, no control "
            "characters, and more than dots, please." % (_upper(where), value)
        )
    if len(value.encode("utf-8", "surrogateescape")) > NAME_MAX:
        raise BadInput("%s: a name in Open vSwitch has at most %d bytes here." % (_upper(where), NAME_MAX))
    return value


def namespace_name(value: str, where: str) -> str:
    """The name of a network namespace, which is the name of a file in /run/netns."""
    if not value:
        raise BadInput("%s is empty; a network namespace needs a name." % _upper(where))
    if "/" in value or value in (".", ".."):
        raise BadInput(
            "%s: %r can't be the name of a network namespace: it must be a plain file name, without '/'."
            % (_upper(where), value)
        )
    if value.startswith("-"):
        raise BadInput("%s: '%s' begins with '-', which ip-netns would take for an option." % (_upper(where), value))
    if not value.isprintable() or any(c.isspace() for c in value):
        raise BadInput("%s: %r contains white space or a control character." % (_upper(where), value))
    if len(value.encode("utf-8", "surrogateescape")) > NAME_MAX:
        raise BadInput("%s: a namespace's name has at most %d bytes." % (_upper(where), NAME_MAX))
    return value


def namespace(value: str, where: str) -> str:
    """A reference to a network namespace: its name, or an absolute path such as ``/proc/4711/ns/net``."""
    if not value.startswith("/"):
        if "/" in value:
            raise BadInput(
                "%s: %r is neither the name of a network namespace nor an absolute path." % (_upper(where), value)
            )
        return namespace_name(value, where)
    if "\0" in value or not value.isprintable() or ".." in value.split("/"):
        raise BadInput(
            "%s: %r can't be the path of a network namespace: no '..' and no control characters, please."
            % (_upper(where), value)
        )
    return value


def mac(value: str, where: str) -> str:
    """A unicast MAC address; returned in lower case with colons."""
    octets = re.split("[:-]", value.strip().lower())
    if len(octets) != 6 or not all(re.match("^[0-9a-f]{2}$", octet) for octet in octets):
        hint = (
            " (quote it in YAML: 52:54:00:12:34:56 without quotes can be read as a number)" if value.isdigit() else ""
        )
        raise BadInput("%s: '%s' isn't a MAC address such as 52:54:00:12:34:56%s." % (_upper(where), value, hint))
    if int(octets[0], 16) & 1:
        raise BadInput(
            "%s: '%s' is a multicast address; the lowest bit of the first byte of a device's MAC address is 0."
            % (_upper(where), value)
        )
    if not any(int(octet, 16) for octet in octets):
        raise BadInput("%s: the MAC address of a device can't be all zeros." % _upper(where))
    return ":".join(octets)


def address(value: str, where: str) -> str:
    """An interface address with its prefix length, such as ``192.0.2.1/24``; returned in canonical spelling."""
    if "/" not in value:
        raise BadInput("%s: '%s' lacks its prefix length; write it as ADDRESS/PREFIX." % (_upper(where), value))
    parsed = _parse(ipaddress.ip_interface, value, where, "an address with prefix length such as 192.0.2.1/24")
    if parsed.ip.is_unspecified or parsed.ip.is_multicast:
        raise BadInput("%s: '%s' can't be the address of an interface." % (_upper(where), value))
    return "%s/%d" % (_spelled(parsed.ip), parsed.network.prefixlen)


def host(value: str, where: str) -> str:
    """An IPv4 or IPv6 address without prefix, as a gateway has; returned in canonical spelling."""
    return _spelled(_parse(ipaddress.ip_address, value, where, "an IP address"))


def destination(value: str, where: str) -> str:
    """The destination of a route: a network, or a host as a network of one."""
    shape = "a network such as 192.0.2.0/24, an address, or 'default'"
    parsed = _parse(ipaddress.ip_interface, value, where, shape)
    if parsed.ip != parsed.network.network_address:
        raise BadInput(
            "%s: '%s' has bits set behind its prefix length; did you mean %s?" % (_upper(where), value, parsed.network)
        )
    return "%s/%d" % (_spelled(parsed.network.network_address), parsed.network.prefixlen)


def family(value: str) -> int:
    """4 or 6, for an address, interface or network in canonical spelling."""
    return 6 if ":" in value else 4


def vids(value: str, where: str) -> t.Tuple[int, int]:
    """The VLAN ids that a text names, one such as ``10`` or a range such as ``10-20``: the first and the last."""
    found = re.match(r"^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$", value, re.A)
    first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)
    if not 1 <= first <= last <= VID_MAX:
        raise BadInput("%s: '%s' isn't a VLAN id from 1 to %d, or a range of these." % (_upper(where), value, VID_MAX))
    return first, last


def sysctl_key(value: str, where: str) -> str:
    """A sysctl of the network stack, returned as its path below /proc/sys, such as ``net/ipv4/ip_forward``.

    Both spellings of sysctl(8) are taken: where the first separator is a dot, dots separate and slashes stand for
    dots inside a name; otherwise the other way round.
    """
    first = re.search("[./]", value)
    path = value.translate(str.maketrans("./", "/.")) if first and first.group() == "." else value
    parts = path.split("/")
    if len(parts) < 2 or any(part in ("", ".", "..") for part in parts) or not re.match(r"^[\w./:@+-]+$", path, re.A):
        raise BadInput("%s: %r isn't the name of a sysctl such as net.ipv4.ip_forward." % (_upper(where), value))
    if parts[0] != "net":
        raise BadInput(
            "%s: '%s' doesn't belong to a network namespace; only sysctls below 'net' do." % (_upper(where), value)
        )
    return path


def sysctl_name(path: str) -> str:
    """The other way: ``net.ipv4.ip_forward`` for ``net/ipv4/ip_forward``."""
    return path.translate(str.maketrans("./", "/."))


def _spelled(ip: t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]) -> str:
    # As inet_ntop() does it, and so iproute2 and pyroute2; Python's own spelling differs for mapped IPv4 addresses.
    return socket.inet_ntop(socket.AF_INET6 if ip.version == 6 else socket.AF_INET, ip.packed)


def _parse(parser: t.Callable[[str], t.Any], value: str, where: str, shape: str) -> t.Any:
    try:
        if "%" in value:  # an IPv6 zone: the device is named elsewhere
            raise ValueError(value)
        return parser(value.strip())
    except ValueError as error:
        raise BadInput("%s: '%s' isn't %s." % (_upper(where), value, shape)) from error


def _upper(where: str) -> str:
    return where[:1].upper() + where[1:]
