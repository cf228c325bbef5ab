# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Addresses of links: option, reading, writing, steps, and netlink coding."""

from __future__ import annotations

import collections
import dataclasses
import errno
import struct
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import DOWN, NO_IPV6, Facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import DYNAMIC, KERNEL, STATIC, Address
from ansible_collections.virtnet.linux.plugins.module_utils._links.routes import (
    RT_SCOPE_UNIVERSE,
    forget_sources,
    without_sources,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import wire
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.messages import UNSTEADY, family, kernel_release
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    ADDRESS,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_GETADDR,
    RTM_NEWADDR,
    Request,
)
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.wire import attributes

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import FacetEditor, Merging
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace


# Of linux/if_addr.h: flags that an administrator sets, and attributes that show the origin of an address.
_ADDRESS_FLAGS = 0x02 | 0x10 | 0x100 | 0x200 | 0x400  # NODAD, HOMEADDRESS, MANAGETEMPADDR, NOPREFIXROUTE, MCAUTOJOIN
IFA_F_PERMANENT = 0x80
IFA_PROTO = 11
IFAPROT_KERNEL = (1, 2, 3)  # loopback, router advertisement, link-local


@dataclasses.dataclass(eq=False, repr=False)
class AddressAdd(LinkStep):
    """Add an address; ``again`` if an earlier step may have removed it as a side effect, or may not have."""

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
        there = set(link.addresses)  # the kernel refuses to add one twice
        added = [step.address for step in t.cast("t.Sequence[AddressAdd]", alike) if step.address not in there]
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
            # fib_inetaddr_event(): the last IPv4 address takes all IPv4 routes with it.
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
    """An address that moves from another link, with the broadcast address that it had there."""
    broadcast = dict(old.extra).get("attributes", {}).get("IFA_BROADCAST") if old and not new.extra else None
    if broadcast is None:
        return new
    return dataclasses.replace(new, extra=(("attributes", {"IFA_BROADCAST": broadcast}),))


def _spell_address(address: Address) -> t.List[str]:
    host, prefix = address.address.split("/")
    peer = dict(address.extra).get("attributes", {}).get("IFA_ADDRESS", host)
    return [address.address] if peer == host else [host, "peer", "%s/%s" % (peer, prefix)]


def with_secondaries(addresses: t.Sequence[Address], deleted: t.Sequence[Address]) -> t.Set[Address]:
    """Addresses that are deleted in this order, and secondary IPv4 addresses that may be deleted with them.

    The kernel deletes the secondary addresses of a subnet with the primary one, unless promote_secondaries is set.
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
    """Insert new addresses where __inet_insert_ifa() of the kernel puts them: primary ones before secondary ones."""
    subnets: t.Set[t.Tuple[int, int]] = set()
    primary: t.List[Address] = []  # all addresses up to the last primary one
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
    # IPv4 addresses in the kernel's order, which shows the primary ones; the order of IPv6 addresses has no meaning.
    return [a for a in static if ":" not in a] + sorted(a for a in static if ":" in a)


def _decode(message: t.Any) -> Address:
    """The address that a message describes, with everything that is required to restore it."""
    local = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    flags = message.get_attr("IFA_FLAGS")
    flags = message["flags"] if flags is None else flags
    attributes = {"IFA_FLAGS": flags & _ADDRESS_FLAGS}
    for name in ("IFA_ADDRESS", "IFA_BROADCAST", "IFA_LABEL", "IFA_RT_PRIORITY"):
        if message.get_attr(name) is not None:
            attributes[name] = message.get_attr(name)
    cache = message.get_attr("IFA_CACHEINFO")
    if not flags & IFA_F_PERMANENT and cache:
        lifetimes = {name: cache[name] for name in ("ifa_preferred", "ifa_valid")}
        attributes["IFA_CACHEINFO"] = {**lifetimes, "cstamp": 0, "tstamp": 0}
    extra = (("scope", message["scope"]), ("attributes", attributes))
    return Address("%s/%d" % (local, message["prefixlen"]), _origin(message, local, flags), extra)


def _origin(message: t.Any, local: str, flags: int) -> str:
    link_local = local.lower().startswith("fe80:")
    if message.get_attr("IFA_PROTO") in IFAPROT_KERNEL or (link_local and kernel_release() < (5, 18)):
        return KERNEL  # Linux before 5.18 doesn't report whether it added a link-local address
    return STATIC if flags & IFA_F_PERMANENT else DYNAMIC


def _is_kernels(data: bytes) -> bool:
    """Whether an undecoded message describes an address that the kernel reports as its own."""
    proto = attributes(data, 24).get(IFA_PROTO)  # after the headers nlmsghdr and ifaddrmsg
    return proto is not None and proto[0] in IFAPROT_KERNEL


def _place(data: bytes) -> t.Tuple[int, t.Hashable]:
    """Index and address in an undecoded message; UNSTEADY for addresses that the kernel adds and removes itself."""
    index = struct.unpack_from("=I", data, 20)[0]
    found = attributes(data, 24)
    host = found.get(2) or found.get(1, b"")
    if _is_kernels(data) or host[:2] == b"\xfe\x80":
        return UNSTEADY
    return index, (data[17], host, found.get(1))


def _observe(space: Namespace, index: int = 0, kernels: bool = True) -> t.Dict[int, t.List[Address]]:
    """Addresses of one link, or of all links (index 0), by index; ``kernels`` includes those of the kernel."""
    found: t.Dict[int, t.List[Address]] = {}

    def request(index: int) -> Request:
        return Request(ADDRESS, RTM_GETADDR, NLM_F_DUMP, [], {"index": index})

    def reread(index: int) -> t.List[bytes]:
        return space.of_link(request(index), _place)

    for data in space.dump_of_links(request(index), _place, reread):
        if kernels or not _is_kernels(data):
            message = wire.Message(wire.ADDRESS, data)
            if index in (0, message["index"]):
                found.setdefault(message["index"], []).append(_decode(message))
    return found


def _merge(merging: Merging) -> t.Tuple[Address, ...]:
    present, wanted = merging.base.addresses, merging.wanted
    asked = dict.fromkeys(wanted.addresses or ())
    there = {address.address for address in present}
    # An IPv6 address has one prefix length.
    renewed = {a.split("/")[0] for a in asked if ":" in a}
    kept = [
        address
        for address in present
        if address.address in asked
        or address.origin != STATIC
        or not (wanted.purge_addresses or address.host in renewed)
    ]
    new = [Address(a) for a in asked if a not in there]
    return (*kept, *new)


def _drop(editor: FacetEditor, ref: Ref, target: Link) -> None:
    keep = {address.address for address in target.addresses}
    there = editor.state.links[ref].addresses
    # Backwards: secondary addresses before the primary one, which might take them with it.
    gone = [a for a in reversed(there) if a.origin == STATIC and a.address not in keep]
    editor.shaken.update((ref, address) for address in with_secondaries(there, gone) - set(gone))
    editor.do(*(AddressDel(ref, address) for address in gone))
    editor.let_go.update(((ref.netns, address.address), address) for address in gone)


def _add(editor: FacetEditor, ref: Ref, target: Link) -> None:
    there = {address.address for address in editor.state.links[ref].addresses}
    lacking: t.List[Step] = []
    for address in target.addresses:
        if address.origin != KERNEL and address.address not in there:
            there.add(address.address)
            came = with_broadcast_of(editor.let_go.get((ref.netns, address.address)), address)
            lacking.append(AddressAdd(ref, came, again=(ref, address) in editor.shaken))
    editor.do(*lacking)


def _identity(ref: Ref, address: t.Union[str, Address]) -> t.Hashable:
    return ref.netns, str(address).split("/", maxsplit=1)[0]


def _stays(address: Address, event: str) -> bool:
    # addrconf_ifdown() of the kernel
    return event not in (DOWN, NO_IPV6) or address.family == 4


FACET = Facet(
    "addresses",
    option={"type": "list", "elements": "str"},
    read=_read,
    write=_write,
    observe=_observe,
    merge=_merge,
    drop=_drop,
    add=_add,
    identity=_identity,
    stays=_stays,
)
