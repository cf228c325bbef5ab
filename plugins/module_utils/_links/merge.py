# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a link is to have: what it has, and what is wanted in addition or instead. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    KERNEL,
    STATIC,
    Address,
    Route,
    Vlan,
    WantedLink,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind


def merge_values(there: t.Mapping[str, t.Any], wanted: WantedLink, kind: t.Optional[Kind]) -> t.Dict[str, t.Any]:
    asked = dict(wanted.values)
    for attribute in kind.attributes if kind else ():
        if attribute.name in asked:
            purge = attribute.name in wanted.purge_values
            asked[attribute.name] = attribute.codec.merge(there.get(attribute.name), asked[attribute.name], purge)
    merged = {**there, **asked}
    return {**(kind.settled(merged) if kind else merged), **asked}


def merge_addresses(present: t.Sequence[Address], wanted: WantedLink) -> t.Tuple[Address, ...]:
    asked = dict.fromkeys(wanted.addresses or ())
    there = {address.address for address in present}
    # IPv6 has an address once, with one prefix length.
    renewed = {a.split("/")[0] for a in asked if ":" in a}
    kept = [
        address
        for address in present
        if address.address in asked
        or address.origin != STATIC
        or not (wanted.purge_addresses or host(address) in renewed)
    ]
    new = [Address(a) for a in asked if a not in there]
    return (*kept, *new)


def merge_routes(present: t.Sequence[Route], wanted: WantedLink) -> t.Tuple[Route, ...]:
    asked = {route.key: route for route in wanted.routes or ()}
    kept = []
    for route in present:
        new = asked.pop(route.key, None)
        if new is not None:
            # What the user left out of an element stays as it is, as far as it makes sense with another gateway.
            stays = [name for name in new.left_out if name != "onlink" or new.via == route.via]
            merged = dataclasses.replace(new, **{name: getattr(route, name) for name in stays})
            kept.append(route if merged.same(route) else merged)
        elif route.origin != STATIC or not wanted.purge_routes:
            kept.append(route)
    return (*kept, *asked.values())


def merge_vlans(present: t.Sequence[Vlan], wanted: WantedLink) -> t.Tuple[Vlan, ...]:
    there = {vlan.vid: vlan for vlan in present}
    merged = {} if wanted.purge_vlans else dict(there)
    for vlan in wanted.vlans or ():
        old = there.get(vlan.vid, Vlan(vlan.vid))
        if vlan.pvid:
            merged = {vid: other._replace(pvid=False) for vid, other in merged.items()}
        merged[vlan.vid] = Vlan(
            vlan.vid,
            old.pvid if vlan.pvid is None else vlan.pvid,
            old.untagged if vlan.untagged is None else vlan.untagged,
        )
    return tuple(sorted(merged.values()))


def host(address: Address) -> str:
    return address.address.split("/")[0]


class Near:
    """What can be reached through a link without a gateway."""

    def __init__(self, addresses: t.Iterable[Address], routes: t.Iterable[Route]) -> None:
        self._networks: t.Set[t.Tuple[int, int, int]] = set()  # by version of IP, length of the prefix, and network
        for address in addresses:
            peer = dict(address.extra).get("attributes", {}).get("IFA_ADDRESS", host(address))
            self._add(address.family, "%s/%s" % (peer, address.address.split("/")[1]))
        for route in routes:
            if not route.via and route.origin != KERNEL:  # those come and go with the addresses
                self._add(route.family, route.to)
        self._lengths = {(family, length) for family, length, _network in self._networks}

    def _add(self, family: int, network: str) -> None:
        host, length = network.split("/")
        self._networks.add((family, int(length), common_values.number(host) >> (_BITS[family] - int(length))))

    def reaches(self, route: Route) -> bool:
        """Whether a route needs no gateway, or has one that can be reached, or that the kernel doesn't look for."""
        if not route.via or route.onlink or (route.family == 6 and common_values.is_link_local(route.via)):
            return True
        number = common_values.number(route.via)
        return any(
            (family, length, number >> (_BITS[family] - length)) in self._networks
            for family, length in self._lengths
            if family == route.family
        )


_BITS = {4: 32, 6: 128}
