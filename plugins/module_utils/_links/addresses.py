# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Addresses of links: their option, the steps that add and remove them, and what becomes of them."""

from __future__ import annotations

import collections
import dataclasses
import errno
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.messages import RT_SCOPE_UNIVERSE, family
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import STATIC
from ansible_collections.virtnet.linux.plugins.module_utils._links.routes import forget_sources, without_sources
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    ADDRESS,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_NEWADDR,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Address, Link, Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner


@dataclasses.dataclass(eq=False, repr=False)
class AddressAdd(LinkStep):
    """Add an address; ``again`` when a side effect of an earlier step may or may not have taken it."""

    ref: Ref
    address: Address
    again: bool = False

    def describe(self) -> str:
        return "adding address %s to link %s" % (self.address.address, self.ref)

    def commands(self) -> t.List[Argv]:
        verb = "replace" if self.again else "add"
        extra = dict(self.address.extra).get("attributes", {})
        words = [*_spell_address(self.address), "dev", self.ref.name]
        for keyword, name in (("broadcast", "IFA_BROADCAST"), ("label", "IFA_LABEL")):
            if extra.get(name) and extra[name] != self.ref.name:
                words += [keyword, extra[name]]
        for keyword, name in (("valid_lft", "ifa_valid"), ("preferred_lft", "ifa_preferred")):
            if "IFA_CACHEINFO" in extra:
                words += [keyword, str(extra["IFA_CACHEINFO"][name])]
        return [ip(self.ref.netns, "address", verb, *words)]

    def requests(self, runner: Runner) -> t.List[Request]:
        how = NLM_F_REPLACE if self.again else NLM_F_EXCL
        return [_request(runner, self.ref, self.address, RTM_NEWADDR, NLM_F_CREATE | how)]

    def hint(self, code: int) -> str:
        if code == errno.EEXIST:
            return "The link has it already, with another prefix length, from the kernel or a daemon."
        return ""

    @property
    def alike(self) -> t.Hashable:
        return (AddressAdd, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        added = [step.address for step in t.cast("t.Sequence[AddressAdd]", alike)]
        state.put(dataclasses.replace(link, addresses=_inserted(link.addresses, added)))

    def inverse(self, before: State) -> t.List[Step]:
        return [AddressDel(self.ref, self.address)]


@dataclasses.dataclass(eq=False, repr=False)
class AddressDel(LinkStep):
    """Remove an address."""

    ref: Ref
    address: Address

    def describe(self) -> str:
        return "removing address %s from link %s" % (self.address.address, self.ref)

    def commands(self) -> t.List[Argv]:
        return [ip(self.ref.netns, "address", "del", *_spell_address(self.address), "dev", self.ref.name)]

    def requests(self, runner: Runner) -> t.List[Request]:
        return [_request(runner, self.ref, self.address, RTM_DELADDR, 0)]

    @property
    def alike(self) -> t.Hashable:
        return (AddressDel, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        link = state.links[self.ref]
        gone = with_secondaries(link.addresses, [step.address for step in t.cast("t.Sequence[AddressDel]", alike)])
        left = tuple(address for address in link.addresses if address not in gone)
        routes = without_sources(link.routes, {address.address.split("/")[0] for address in gone})
        if not any(address.family == 4 for address in left):
            # fib_inetaddr_event(): all of IPv4 goes with the last IPv4 address.
            routes = tuple(route for route in routes if route.family == 6)
        state.put(dataclasses.replace(link, addresses=left, routes=routes))
        forget_sources(state, self.ref.netns, (self.address, *gone))

    def inverse(self, before: State) -> t.List[Step]:
        return [AddressAdd(self.ref, self.address)]


def _request(runner: Runner, ref: Ref, address: Address, message_type: int, flags: int) -> Request:
    host, prefix = address.address.split("/")
    extra = dict(address.extra)
    attributes = {"IFA_LOCAL": host, "IFA_ADDRESS": host, **extra.get("attributes", {})}
    header = {
        "family": family(address.family),
        "prefixlen": int(prefix),
        "scope": extra.get("scope", RT_SCOPE_UNIVERSE),
        "index": runner.index(ref),
    }
    return Request(ADDRESS, message_type, flags, list(attributes.items()), header)


def with_broadcast_of(old: t.Optional[Address], new: Address) -> Address:
    """An address that another link has let go of, with the broadcast address that it had there."""
    broadcast = dict(old.extra).get("attributes", {}).get("IFA_BROADCAST") if old and not new.extra else None
    if broadcast is None:
        return new
    return dataclasses.replace(new, extra=(("attributes", {"IFA_BROADCAST": broadcast}),))


def _spell_address(address: Address) -> t.List[str]:
    host, prefix = address.address.split("/")
    peer = dict(address.extra).get("attributes", {}).get("IFA_ADDRESS", host)
    return [address.address] if peer == host else [host, "peer", "%s/%s" % (peer, prefix)]


def with_secondaries(addresses: t.Sequence[Address], deleted: t.Sequence[Address]) -> t.Set[Address]:
    """Addresses that are deleted one after the other, with the secondary IPv4 addresses that may go with them.

    With the first address of a subnet go those behind it, unless the sysctl promote_secondaries keeps them.
    """
    left: t.Dict[t.Tuple[int, int], t.Dict[Address, None]] = {}
    for address in addresses:
        if address.family == 4:
            left.setdefault(_subnet(address), {})[address] = None
    gone: t.Set[Address] = set()
    for address in deleted:
        same = left.get(_subnet(address), {}) if address.family == 4 else {}
        gone.add(address)
        if address in same:
            if next(iter(same)) == address:
                gone.update(same)
                same.clear()
            else:
                del same[address]
    return gone


def _inserted(addresses: t.Tuple[Address, ...], added: t.Sequence[Address]) -> t.Tuple[Address, ...]:
    """The addresses with new ones where __inet_insert_ifa() of the kernel puts them: primary ones before secondary ones."""
    subnets: t.Set[t.Tuple[int, int]] = set()
    primary: t.List[Address] = []  # all up to the last primary one
    others: t.List[Address] = []
    for address in addresses:
        others.append(address)
        if address.family == 4 and _subnet(address) not in subnets:
            subnets.add(_subnet(address))
            primary += others
            others = []
    for address in added:
        if address.family == 4 and _subnet(address) not in subnets:
            subnets.add(_subnet(address))
            primary.append(address)
        else:
            others.append(address)
    return (*primary, *others)


def _subnet(address: Address) -> t.Tuple[int, int]:
    host, prefix = address.address.split("/")
    number = 0
    for octet in host.split("."):
        number = number << 8 | int(octet)
    return number >> (32 - int(prefix)), int(prefix)


def _read(addresses: t.Sequence[str], where: str) -> t.Tuple[str, ...]:
    told = Complaints()
    read = dict.fromkeys(filter(None, (told.attempt(common_values.address, address, where) for address in addresses)))
    for host, count in collections.Counter(address.split("/")[0] for address in read if ":" in address).items():
        if count > 1:
            told.note("%s: a link has %s once, with one prefix length." % (common_names.upper(where), host))
    told.report()
    return tuple(read)


def _write(link: Link) -> t.List[str]:
    static = [address.address for address in link.addresses if address.origin == STATIC]
    # IPv4 addresses in the kernel's order, which tells the primary one; the order of IPv6 addresses has no meaning.
    return [a for a in static if ":" not in a] + sorted(a for a in static if ":" in a)


FACET = Facet("addresses", option={"type": "list", "elements": "str"}, read=_read, write=_write)
