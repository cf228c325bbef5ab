# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Convert netlink attributes of links to values of the model and back."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import Attributes

NO_MAC = "00:00:00:00:00:00"


def common_values(message: t.Any) -> t.Dict[str, t.Any]:
    """Values of the options that links of every kind have, without ``master``, of which a message has only the index."""
    values: t.Dict[str, t.Any] = {
        "state": "up" if message["flags"] & common.IFF_UP else "down",
        "promisc": bool(message["flags"] & common.IFF_PROMISC),
        "alias": message.get_attr("IFLA_IFALIAS") or "",
    }
    for attribute in common.AT_BIRTH:
        value = message.get_attr(attribute.nla)
        if value is not None:
            values[attribute.name] = attribute.codec.decode(value)
    if not re.match(r"^(..:){5}..$", values.get("mac", "")) or values["mac"] == NO_MAC:
        values.pop("mac", None)  # zeros for loopback; tunnels and InfiniBand have addresses of other lengths
    return values


def own_values(attributes: t.Sequence[Attribute], message: t.Any) -> t.Dict[str, t.Any]:
    """Values of the options of one kind, as far as this kernel reports them."""
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA") if attributes else None
    values = {}
    for attribute in attributes:
        value = data.get_attr(attribute.nla) if data else None
        if value is not None:
            values[attribute.name] = attribute.decode(value)
    return values


def encode(attributes: t.Iterable[Attribute], link: Link) -> Attributes:
    """Netlink attributes for all options of a link that have a value, each attribute once."""
    given = [attribute for attribute in attributes if attribute.name in link.values]
    return list({nla: payload for a in given for nla, payload in a.encode(link.values)}.items())
