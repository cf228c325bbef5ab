# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Validate names of interfaces, ports and namespaces, and MAC addresses.

The functions take a value and ``where``, which names the option and the object for the error, such as ``option name``. They
return the value in canonical spelling, and raise BadInput.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput

OWN = ""  # the reference to the namespace that the process runs in

IFNAMSIZ = 16  # linux/if.h, with the closing NUL
NAME_MAX, PATH_MAX = 255, 4096  # linux/limits.h
TOPOLOGY_NAME_MAX = NAME_MAX - len(".document")  # the longer suffix of its files
SHOWN_MAX = 100  # characters of a value in a message
# isspace() of the kernel (lib/ctype.c) works on bytes; the no-break space of Latin-1 is white space, too.
_KERNEL_SPACES = b" \t\n\v\f\r\xa0"
# Names that are reserved in /proc/sys/net/ipv[46]/conf.
_SYSCTL_NAMES = ("all", "default")


def quoted(value: object) -> str:
    """A value from the user for a message: strings in quotes, shortened, with control characters escaped."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return _shown(text, "'%s'" if isinstance(value, str) else "%s")


def unquoted(value: object) -> str:
    """The same without quotes."""
    return _shown(str(value), "%s")


def _shown(text: str, within: str) -> str:
    beginning = within % printable(text[:SHOWN_MAX])
    return beginning if len(text) <= SHOWN_MAX else "%s... (%d characters)" % (beginning, len(text))


def shortened(text: str, most: int) -> str:
    """A text, cut off if it is long."""
    return text if len(text) <= most else "%s... (%d characters)" % (text[:most], len(text))


def printable(text: str) -> str:
    """A text with unprintable characters as escape sequences."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def octets(value: str) -> bytes:
    """A name or a path as the bytes that the kernel has, in any locale. Surrogates stand for bytes that are not UTF-8."""
    return value.encode("utf-8", "surrogateescape")


def from_octets(value: bytes) -> str:
    """The inverse of ``octets``."""
    return value.decode("utf-8", "surrogateescape")


def encodable(value: str) -> bool:
    """Whether ``octets`` can encode a text, without a NUL byte."""
    try:
        return b"\0" not in octets(value)
    except UnicodeEncodeError:
        return False


def readable(value: t.Any) -> t.Any:
    """A value with an escape sequence for each byte in its texts that is not UTF-8, such as ``\\xff``."""
    if isinstance(value, str):
        return value if value.isascii() or not encodable(value) else octets(value).decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {readable(name): readable(item) for name, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, (list, tuple)) else value


def interface_name(value: str, where: str) -> str:
    """The name of an interface: dev_valid_name() of the kernel (net/core/dev.c) accepts it, and it has no special meaning."""
    raw = _raw(value)
    if not raw:
        raise BadInput("%s is empty; an interface name has 1 to %d bytes." % (upper(where), IFNAMSIZ - 1))
    if len(raw) >= IFNAMSIZ:
        raise BadInput(
            "%s: %s has %d bytes; an interface name has 1 to %d."
            % (upper(where), quoted(value), len(raw), IFNAMSIZ - 1)
        )
    if value in (".", "..") or value in _SYSCTL_NAMES:
        raise BadInput("%s: %s can't be the name of an interface." % (upper(where), quoted(value)))
    bad = [c for c in "/:%" if c in value]
    if bad:
        raise BadInput("%s: %s contains '%s', which an interface name can't." % (upper(where), quoted(value), bad[0]))
    if any(byte in _KERNEL_SPACES for byte in raw) or not value.isprintable():
        raise BadInput(
            "%s: %s contains white space or a control character, which an interface name can't."
            % (upper(where), quoted(value))
        )
    return value


def port_name(value: str, where: str) -> str:
    """The name of an Open vSwitch port. Names of patch ports, tunnels and bonds may be longer than those of links."""
    if not value:
        raise BadInput("%s is empty; a port of Open vSwitch needs a name." % upper(where))
    bad = value.startswith("-") or value in (".", "..") or "/" in value
    if bad or not value.isprintable() or any(c.isspace() for c in value):
        raise BadInput(
            "%s: %s can't be a name in Open vSwitch: no '-' at its beginning, no '/', no white space, no control "
            "characters, and neither '.' nor '..'." % (upper(where), quoted(value))
        )
    if len(_raw(value)) > NAME_MAX:
        raise BadInput("%s: a name in Open vSwitch has at most %d bytes here." % (upper(where), NAME_MAX))
    return value


def namespace_name(value: str, where: str) -> str:
    """The name of a network namespace, a file in /run/netns."""
    _file_name(value, where, "a network namespace", NAME_MAX)
    if value.startswith("-"):
        raise BadInput(
            "%s: %s begins with '-', which ip-netns would take for an option." % (upper(where), quoted(value))
        )
    return value


def topology_name(value: str, where: str) -> str:
    """The name of a topology, which is part of names of files in /var/lib/virtnet."""
    _file_name(value, where, "a topology", TOPOLOGY_NAME_MAX)
    if value.startswith("-"):
        raise BadInput("%s: %s begins with '-', which the name of a topology can't." % (upper(where), quoted(value)))
    return value


def _file_name(value: str, where: str, what: str, limit: int) -> None:
    """Raise BadInput if a value can't be the name of a file, or contains white space."""
    if not value:
        raise BadInput("%s is empty; %s needs a name." % (upper(where), what))
    if "/" in value or value in (".", ".."):
        raise BadInput(
            "%s: %s can't be the name of %s: it must be a plain file name, without '/'."
            % (upper(where), quoted(value), what)
        )
    if not value.isprintable() or any(c.isspace() for c in value):
        raise BadInput("%s: %s contains white space or a control character." % (upper(where), quoted(value)))
    if len(_raw(value)) > limit:
        raise BadInput(
            "%s: %s is too long; the name of %s has at most %d bytes." % (upper(where), quoted(value), what, limit)
        )


def namespace(value: str, where: str) -> str:
    """A reference to a network namespace: its name, or an absolute path such as ``/proc/4711/ns/net``."""
    if not value.startswith("/"):
        if "/" in value:
            raise BadInput(
                "%s: %s is neither the name of a network namespace nor an absolute path."
                % (upper(where), quoted(value))
            )
        return namespace_name(value, where)
    if not value.isprintable() or ".." in value.split("/"):
        raise BadInput(
            "%s: %s can't be the path of a network namespace: it must not contain '..' or control characters."
            % (upper(where), quoted(value))
        )
    if len(_raw(value)) >= PATH_MAX:
        raise BadInput("%s: %s is too long; a path has at most %d bytes." % (upper(where), quoted(value), PATH_MAX - 1))
    return value


def mac(value: str, where: str, multicast: bool = False) -> str:
    """A unicast MAC address (with ``multicast`` any one), in lower case with colons."""
    octets = re.split("[:-]", value.strip().lower())
    if len(octets) != 6 or not all(re.match("^[0-9a-f]{2}$", octet) for octet in octets):
        hint = (
            " (quote it in YAML: 52:54:00:12:34:56 without quotes can be read as a number)" if value.isdigit() else ""
        )
        raise BadInput("%s: %s isn't a MAC address such as 52:54:00:12:34:56%s." % (upper(where), quoted(value), hint))
    if int(octets[0], 16) & 1 and not multicast:
        raise BadInput(
            "%s: %s is a multicast address; the lowest bit of the first byte of a device's MAC address is 0."
            % (upper(where), quoted(value))
        )
    if not any(int(octet, 16) for octet in octets):
        raise BadInput("%s: the MAC address of a device can't be all zeros." % upper(where))
    return ":".join(octets)


def _raw(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def upper(where: str) -> str:
    """A text with a capital letter at its beginning."""
    return where[:1].upper() + where[1:]
