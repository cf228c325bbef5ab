# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Values that filters and roles get from their users: types, ranges, networks, VLANs.

Every reader takes a value of any type and ``where``, the words that tell the user which option is meant, returns what was
read and raises BadInput with a sentence.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names, values
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted, upper

Reader = t.Callable[[t.Any, str], t.Any]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

# What Ansible reads as a boolean in an option of a module
_BOOLEANS = {
    **dict.fromkeys(("y", "yes", "on", "1", "true", "t", "1.0"), True),
    **dict.fromkeys(("n", "no", "off", "0", "false", "f", "0.0"), False),
}


def text(value: t.Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadInput("%s: %s isn't a text." % (upper(where), quoted(value)))
    return str(value)


def boolean(value: t.Any, where: str) -> bool:
    if isinstance(value, (bool, int, str)) and str(value).lower() in _BOOLEANS:
        return _BOOLEANS[str(value).lower()]
    raise BadInput("%s: %s is neither true nor false." % (upper(where), quoted(value)))


def number(low: int, high: int, what: str = "a whole number") -> Reader:
    """A reader of numbers in this range, bounds included."""

    def read(value: t.Any, where: str) -> int:
        if not isinstance(value, bool) and isinstance(value, (int, str)) and re.fullmatch("-?[0-9]{1,18}", str(value)):
            found = int(value)
            if low <= found <= high:
                return found
        raise BadInput("%s: %s isn't %s from %d to %d." % (upper(where), quoted(value), what, low, high))

    return read


def choice(*words: str) -> Reader:
    """A reader of one of these words."""

    def read(value: t.Any, where: str) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise BadInput("%s: %s isn't one of %s." % (upper(where), quoted(value), ", ".join(words)))

    return read


def listing(value: t.Any, where: str) -> t.List[t.Any]:
    if not isinstance(value, (list, tuple)):
        raise BadInput("%s: %s isn't a list." % (upper(where), quoted(value)))
    return list(value)


def list_of(reader: Reader) -> Reader:
    """A reader of lists, each element of which the reader accepts."""

    def read(value: t.Any, where: str) -> t.List[t.Any]:
        return [reader(element, "%s[%d]" % (where, index)) for index, element in enumerate(listing(value, where))]

    return read


def link_name(value: t.Any, where: str) -> str:
    """The name of a link that is to be made, or put into a bridge: any but that of the loopback device."""
    name = names.interface_name(text(value, where), where)
    if name == "lo":
        raise BadInput("%s: 'lo' is the loopback device, which can't be used here." % upper(where))
    return name


def namespace_name(value: t.Any, where: str) -> str:
    return names.namespace_name(text(value, where), where)


def mac(value: t.Any, where: str) -> str:
    return names.mac(text(value, where), where)


def address(value: t.Any, where: str) -> str:
    return values.address(text(value, where), where)


def network(value: t.Any, where: str) -> Network:
    """A network in which hosts can have addresses."""
    if not isinstance(value, str):
        raise BadInput("%s: %s isn't a network such as 192.0.2.0/24." % (upper(where), quoted(value)))
    try:
        found = ipaddress.ip_network(value)
    except ValueError as error:
        raise BadInput(
            "%s: %s isn't a network such as 192.0.2.0/24%s." % (upper(where), quoted(value), _reason(error))
        ) from error
    if found.is_multicast or "%" in value:
        raise BadInput("%s: %s isn't a network in which hosts have addresses." % (upper(where), quoted(value)))
    return found


def _reason(error: ValueError) -> str:
    return ": it has host bits set" if "host bits" in str(error) else ""


def count(of: Network, wanted: int) -> t.List[str]:
    """The first addresses for hosts of a network, with its prefix length."""
    if wanted > _hosts(of):
        raise BadInput(
            "The network %s is too small: it has %d addresses for hosts, and %d are needed." % (of, _hosts(of), wanted)
        )
    return ["%s/%d" % (host, of.prefixlen) for host in itertools.islice(of.hosts(), wanted)]


def _hosts(of: Network) -> int:
    reserved = 0 if of.max_prefixlen - of.prefixlen < 2 else 2 if of.version == 4 else 1
    return of.num_addresses - reserved


def vlans(value: t.Any, where: str, merge: bool = False) -> t.List[t.Tuple[int, int]]:
    """VLAN ids and ranges of them, as few ranges as they make, in order."""
    if isinstance(value, (str, bytes, t.Mapping)) or not isinstance(value, t.Iterable):
        raise BadInput("%s: %s isn't a list of VLAN ids and ranges such as 10-20." % (upper(where), quoted(value)))
    found: t.List[t.Tuple[int, int]] = []
    for first, last in sorted(_vlan(one, where) for one in value):
        if found and first <= found[-1][1] and not merge:
            raise BadInput("%s: VLAN %d is named twice: ranges may not overlap." % (upper(where), first))
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _vlan(value: t.Any, where: str) -> t.Tuple[int, int]:
    shown = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return values.vids(shown if isinstance(shown, str) else repr(shown), where)
