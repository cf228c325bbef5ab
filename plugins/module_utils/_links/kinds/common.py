# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Attributes that links of every kind have."""

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
MIN_MTU = 68  # minimum of IPv4
IPV6_MIN_MTU = 1280  # below this the kernel removes IPv6 from the link
DEFAULT_MTU = 1500  # ETH_DATA_LEN of linux/if_ether.h


def _as_text(value: t.Union[bytes, str]) -> str:
    return from_octets(value) if isinstance(value, bytes) else str(value)


# The maximum of the driver is known once the link exists.
MTU = Attribute("mtu", "IFLA_MTU", "mtu", NUMBER, bounds=(MIN_MTU, INT_MAX))
MAC = Attribute("mac", "IFLA_ADDRESS", "address", TEXT)
TXQUEUELEN = Attribute("txqueuelen", "IFLA_TXQLEN", "txqueuelen", NUMBER, bounds=(0, INT_MAX))
# Bytes in any encoding.
ALIAS = Attribute("alias", "IFLA_IFALIAS", "alias", Codec("str", octets, _as_text, str))
PROMISC = Attribute("promisc", "", "promisc", SWITCH)

# In the order in which they are set. The last two can't be part of the message that creates a link.
COMMON = (MTU, TXQUEUELEN, MAC, ALIAS, PROMISC)
AT_BIRTH = (MTU, TXQUEUELEN, MAC)


def common_at_birth(kind: t.Optional[Kind]) -> t.Tuple[Attribute, ...]:
    """Common attributes in the message that creates a link of a kind (None: the other end of a pair).

    Without the MTU of a bridge, which keeps only an MTU that was set later (br_mtu_auto_adjust() of net/bridge/br_if.c), and
    of a link with a parent, whose MTU limits it and may not be set yet.
    """
    if kind and kind.means:
        return ()
    later = (MTU,) if kind and (kind.has_ports or kind.has_parent) else ()
    return tuple(attribute for attribute in AT_BIRTH if attribute not in later)


def born_with(kind: t.Optional[Kind]) -> t.Tuple[Attribute, ...]:
    """All attributes that a link of a kind (None: the other end of a pair) can have on creation."""
    own = tuple(attribute for attribute in kind.attributes if attribute.on_create) if kind else ()
    return (*common_at_birth(kind), *own)
