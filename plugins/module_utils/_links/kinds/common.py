# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The scalar attributes that links of every kind have."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import from_octets, octets
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import (
    NUMBER,
    SWITCH,
    TEXT,
    Attribute,
    Codec,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind

IFF_UP = 0x1
IFF_PROMISC = 0x100
INT_MAX = 2**31 - 1
MIN_MTU = 68  # what IPv4 needs
IPV6_MIN_MTU = 1280  # below it the kernel takes IPv6 off the link
DEFAULT_MTU = 1500  # ETH_DATA_LEN of linux/if_ether.h


def _as_text(value: t.Union[bytes, str]) -> str:
    return from_octets(value) if isinstance(value, bytes) else str(value)


# What a driver takes at most is known once the device is there.
MTU = Attribute("mtu", "IFLA_MTU", "mtu", NUMBER, bounds=(MIN_MTU, INT_MAX))
MAC = Attribute("mac", "IFLA_ADDRESS", "address", TEXT)
TXQUEUELEN = Attribute("txqueuelen", "IFLA_TXQLEN", "txqueuelen", NUMBER, bounds=(0, INT_MAX))
# Bytes to the kernel, in whatever encoding.
ALIAS = Attribute("alias", "IFLA_IFALIAS", "alias", Codec("str", octets, _as_text, str))
PROMISC = Attribute("promisc", "", "promisc", SWITCH)

# In the order in which they are set. The last two can't be part of the message that makes a link.
COMMON = (MTU, TXQUEUELEN, MAC, ALIAS, PROMISC)
AT_BIRTH = (MTU, TXQUEUELEN, MAC)


def common_at_birth(kind: t.Optional[Kind]) -> t.Tuple[Attribute, ...]:
    """The common attributes in the message that makes a link of a kind (None: the other end of a pair).

    A bridge forgets an MTU that it is made with when a port comes (br_mtu_auto_adjust() of net/bridge/br_if.c keeps only
    one that was set afterwards), and a link upon another one can't have more than that has by then.
    """
    if kind and kind.means:
        return ()
    later = (MTU,) if kind and (kind.has_ports or kind.has_parent) else ()
    return tuple(attribute for attribute in AT_BIRTH if attribute not in later)


def born_with(kind: t.Optional[Kind]) -> t.Tuple[Attribute, ...]:
    """The attributes that a link of a kind (None: the other end of a pair) can be given when it is made."""
    own = tuple(attribute for attribute in kind.attributes if attribute.on_create) if kind else ()
    return (*common_at_birth(kind), *own)
