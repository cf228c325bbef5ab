# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""macvlan: devices with their own MAC addresses on a shared parent (drivers/net/macvlan.c)."""

from __future__ import annotations

import errno
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import (
    FLAG,
    NUMBER,
    Attribute,
    Codec,
    Kind,
    Values,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link

# linux/if_link.h
_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8, "source": 16}
_FLAGS = {"nopromisc": 1, "nodst": 2}
MACVLAN_MACADDR_SET = 3

Macs = t.Tuple[str, ...]


def _parse_macs(macs: t.Sequence[str]) -> Macs:
    try:
        return tuple(sorted({common_names.mac(mac, "") for mac in macs}))
    except BadInput as error:
        raise ValueError(str(error).lstrip(": ")) from error


def _decode_macs(data: t.Any) -> Macs:
    return tuple(sorted(data.get_attrs("IFLA_MACVLAN_MACADDR")))


def _merge_macs(old: t.Optional[Macs], new: Macs, purge: bool) -> Macs:
    return new if purge else tuple(sorted({*(old or ()), *new}))


_MODE = Codec(
    "str",
    lambda value: _MODES[value],
    lambda payload: {number: mode for mode, number in _MODES.items()}.get(payload, str(payload)),
    str,
)
_MACS = Codec(
    "list",
    lambda macs: {"attrs": [("IFLA_MACVLAN_MACADDR", mac) for mac in macs]},
    _decode_macs,
    lambda macs: ["set", *macs] if macs else ["flush"],
    parse=_parse_macs,
    merge=_merge_macs,
)


class Macvlan(Kind):
    def spell(self, names: t.Collection[str], values: Values) -> t.List[str]:
        others = set(names) - _FLAGS.keys()
        flags = [flag for flag in _FLAGS if values.get(flag)]
        if len(others) == len(names) or not flags:
            return super().spell(others, values)  # iproute2 has no word to clear all flags
        words = super().spell({*others, "mode"}, values)
        return [*words[:2], *flags, *words[2:]]

    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
        return {} if data and data.get_attr("IFLA_MACVLAN_MACADDR_DATA") else {"macaddrs": ()}

    def validate(self, values: Values) -> str:
        for option, mode in (("macaddrs", "source"), ("nopromisc", "passthru")):
            if values.get(option) and values.get("mode") not in (None, mode):
                return "option %s is for mode %s, and the mode is %s." % (option, mode, values["mode"])
        return ""

    def immutable(self, there: Values, asked: Values, held: bool) -> t.Dict[str, str]:
        old = there.get("mode")
        new = asked.get("mode", old)
        if old != new and "passthru" in (old, new):
            return {"mode": "the kernel can't change it from %s to %s" % (old, new)}
        return {}

    def normalized(self, values: Values) -> Values:
        mode = values.get("mode")
        lost = {"macaddrs": (), "nopromisc": False} if mode else {}
        kept = {"source": "macaddrs", "passthru": "nopromisc"}.get(str(mode))
        return {**values, **{name: value for name, value in lost.items() if name != kept}}

    def initial_values(self, values: Values) -> Values:
        # In mode passthru it always starts with the MAC address of its parent.
        return {k: v for k, v in values.items() if k != "mac"} if values.get("mode") == "passthru" else values

    def exclusive_parent(self, values: Values) -> str:
        return "in mode passthru" if values.get("mode") == "passthru" else ""

    def own_mac(self, values: Values) -> bool:
        return not self.exclusive_parent(values)  # macvlan_addr_busy()

    def follows(self, values: Values, below: t.Optional[Values]) -> t.Set[str]:
        shared = {"mac"} if below is not None and self.exclusive_parent(values) else set()
        return super().follows(values, below) | shared

    def stacking_problem(self, parent: Link, of_parent: t.Optional[Kind], other_frames: str) -> str:
        if other_frames:
            return "it must be an Ethernet device, and this is %s." % other_frames
        if of_parent and of_parent.has_parent:
            there = ", %s; give that one" % (parent.parent,) if parent.parent else ""
            return "it is stacked upon another link itself%s." % there
        return ""

    def hint(self, code: int) -> str:
        return {
            errno.EINVAL: "The parent must be an Ethernet device, and one in mode passthru must have it alone.",
            errno.EBUSY: "The parent must not be the port of a bridge or bond.",
        }.get(code, "")


_ATTRIBUTES = (
    Attribute("mode", "IFLA_MACVLAN_MODE", "mode", _MODE, "vepa", choices=tuple(_MODES), on_create=True),
    Attribute(
        "nopromisc",
        "IFLA_MACVLAN_FLAGS",
        "nopromisc",
        FLAG,
        False,
        on_create=True,
        set_together=("mode", "nodst"),
        bits=_FLAGS,
    ),
    Attribute(
        "nodst",
        "IFLA_MACVLAN_FLAGS",
        "nodst",
        FLAG,
        False,
        on_create=True,
        set_together=("mode", "nopromisc"),
        bits=_FLAGS,
    ),
    Attribute("bcqueuelen", "IFLA_MACVLAN_BC_QUEUE_LEN", "bcqueuelen", NUMBER, bounds=(0, 2**32 - 1), on_create=True),
    Attribute(
        "macaddrs",
        "IFLA_MACVLAN_MACADDR_DATA",
        "macaddr",
        _MACS,
        (),
        spec={"elements": "str"},
        companion_attributes=(("IFLA_MACVLAN_MACADDR_MODE", MACVLAN_MACADDR_SET),),
    ),
)
# Also the base of macvtap.
FEATURES: t.Dict[str, t.Any] = {
    "attributes": _ATTRIBUTES,
    "required_to_create": ("parent",),
    "has_parent": True,
    "receiving": True,
    "port_costs": (),
}

KIND = Macvlan("macvlan", "macvlan", **FEATURES)
