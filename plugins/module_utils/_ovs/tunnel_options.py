# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Options of tunnels as Open vSwitch parses them. It misreads invalid values without an error.

The options are those of ovs-vswitchd.conf.db(5); see set_tunnel_config() in lib/netdev-vport.c. Unknown keys are not
checked.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted

Options = t.Mapping[str, str]

FLOW = "flow"  # from the action of the flow
INHERIT = "inherit"  # from the inner packet
# Bits of the key by type of tunnel; 64 for STT and unknown types.
_KEY_BITS = {
    "vxlan": 24,
    "geneve": 24,
    "lisp": 24,
    "gre": 32,
    "ip6gre": 32,
    "gtpu": 32,
    "erspan": 10,
    "ip6erspan": 10,
}
DSCP_MASK = 0xFC


def tunnel_problem(kind: str, options: Options, asked: t.Collection[str]) -> t.Tuple[str, str]:
    """The first requested option with an invalid value, and the reason; two empty strings if there is none.

    ``options`` are all options that the tunnel will have.
    """
    for key in asked:
        check = _CHECKS.get(key)
        why = check(options[key], kind) if check and options.get(key) else ""
        if why:
            return key, "%s is not %s." % (quoted(options[key]), why)
    if {"remote_ip", "local_ip"} & set(asked):
        return _ends_problem(options.get("remote_ip", ""), options.get("local_ip", ""))
    return "", ""


def _ends_problem(remote: str, local: str) -> t.Tuple[str, str]:
    if local == FLOW and remote != FLOW:
        return "local_ip", "'flow' requires 'remote_ip: flow'."
    if local and remote and FLOW not in (local, remote) and (":" in local) != (":" in remote):
        return "local_ip", "%s and remote_ip %s are of different address families." % (quoted(local), quoted(remote))
    return "", ""


def _address(text: str) -> t.Optional[t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]]:
    """Parse an address as inet_pton(3) does: no names, no zones, no leading zeros."""
    try:
        raw = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None
    return ipaddress.ip_address(raw)


def _remote(value: str, _kind: str) -> str:
    address = _address(value)
    bad = address is None or address.is_multicast or address.is_unspecified
    return "the unicast address of a host, and not 'flow'" if bad and value != FLOW else ""


def _local(value: str, _kind: str) -> str:
    address = _address(value)
    bad = address is None or address.is_multicast
    return "a unicast address, and not 'flow'" if bad and value != FLOW else ""


def _number(value: str, base: int = 0) -> int:
    """Parse a number as strtoull(3) does; -1 if anything else is in it. Base 0 detects hexadecimal and octal numbers."""
    forms = {
        0: r"0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,22}|[1-9]\d{0,19}",
        10: r"\d{1,20}",
        16: r"(0[xX])?[0-9a-fA-F]{1,16}",
    }
    if not re.fullmatch(forms[base], value, re.A):
        return -1
    octal = base == 0 and re.fullmatch(r"0[0-7]+", value, re.A)
    return int(value, 8 if octal else base)


def _within(low: int, high: int, base: int, what: str, words: t.Sequence[str] = ()) -> t.Callable[[str, str], str]:
    also = "".join(", and not '%s'" % word for word in words)

    def check(value: str, _kind: str) -> str:
        return "" if value in words or low <= _number(value, base) <= high else what + also

    return check


def _one_of(*words: str) -> t.Callable[[str, str], str]:
    def check(value: str, _kind: str) -> str:
        return "" if value in words else "one of " + ", ".join(words)

    return check


def _key(value: str, kind: str) -> str:
    highest = 2 ** _KEY_BITS.get(kind, 64) - 1
    return _within(0, highest, 0, "a number from 0 to %d, the keys of type %s" % (highest, kind), (FLOW,))(value, kind)


def _tos(value: str, _kind: str) -> str:
    number = _number(value)
    good = value == INHERIT or number == (number & DSCP_MASK)
    return "" if good else "a DSCP value in the upper six bits, a multiple of 4 from 0 to 252, and not 'inherit'"


def _extensions(value: str, _kind: str) -> str:
    return "" if all(word in ("gbp", "gpe") for word in value.split(",")) else "a list of gbp and gpe"


_FLAG = _one_of("true", "false")
_CHECKS: t.Dict[str, t.Callable[[str, str], str]] = {
    "remote_ip": _remote,
    "local_ip": _local,
    "key": _key,
    "in_key": _key,
    "out_key": _key,
    "dst_port": _within(1, 65535, 10, "a port number from 1 to 65535"),
    "tos": _tos,
    "ttl": _within(0, 255, 10, "a number from 0 to 255", (INHERIT,)),
    "csum": _FLAG,
    "df_default": _FLAG,
    "egress_pkt_mark": _within(0, 2**32 - 1, 10, "a number from 0 to %d" % (2**32 - 1)),
    "exts": _extensions,
    "packet_type": _one_of("legacy_l2", "legacy_l3", "ptap"),
    "erspan_ver": _one_of("1", "2", FLOW),
    "erspan_idx": _within(0, 0xFFFFF, 16, "a hexadecimal number from 0 to fffff", (FLOW,)),
    "erspan_dir": _one_of("0", "1", FLOW),
    "erspan_hwid": _within(0, 0x3F, 16, "a hexadecimal number from 0 to 3f", (FLOW,)),
}
