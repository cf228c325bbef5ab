# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Permanent neighbors of links (ARP and NDP) and proxies: option, reading, writing, steps, and netlink coding."""

from __future__ import annotations

import collections
import dataclasses
import ipaddress
import struct
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import (
    DOWN,
    NO_IPV6,
    OTHER_MAC,
    Document,
    Facet,
    Options,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import DYNAMIC, STATIC, Neighbor
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import wire
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.messages import UNSTEADY, family
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    NEIGHBOR,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    RTM_DELNEIGH,
    RTM_GETNEIGH,
    RTM_NEWNEIGH,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import FacetEditor, Merging
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import Attributes
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace

# Of linux/neighbour.h
NTF_PROXY, NTF_EXT_LEARNED, NTF_ROUTER = 0x08, 0x10, 0x80
_STATES = {"reachable": 0x02, "stale": 0x04, "delay": 0x08, "probe": 0x10, "noarp": 0x40, "permanent": 0x80}
_WORDS = {number: word for word, number in _STATES.items()}
_LASTING = ("permanent", "noarp")  # the kernel changes and removes entries in other states
_MAC_LENGTH = len("00:00:00:00:00:00")
# Of linux/if.h: links with these flags require no resolution
_NO_NEIGHBORS = 0x08 | 0x80  # LOOPBACK, NOARP


@dataclasses.dataclass(eq=False, repr=False)
class NeighborSet(LinkStep):
    """Add a neighbor, or replace the one with its address."""

    ref: Ref
    neighbor: Neighbor

    def describe(self) -> str:
        return "adding neighbor %s to link %s" % (self.neighbor, self.ref)

    def commands(self) -> t.List[Argv]:
        neighbor = self.neighbor
        if neighbor.proxy:
            words = ["add", "proxy", neighbor.address, "dev", self.ref.name]
        else:
            mac = ["lladdr", neighbor.mac] if neighbor.mac else []
            words = ["replace", neighbor.address, *mac, "dev", self.ref.name, "nud", neighbor.state]
        flags = {"router": neighbor.router, "extern_learn": neighbor.origin == DYNAMIC}
        return [ip(self.ref.netns, "neigh", *words, *(word for word, given in flags.items() if given))]

    def requests(self, runner: Runner) -> t.List[Request]:
        return [_request(runner, self.ref, self.neighbor, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)]

    @property
    def alike(self) -> t.Hashable:
        return (NeighborSet, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        new = {step.neighbor.key: step.neighbor for step in t.cast("t.Sequence[NeighborSet]", alike)}
        link = _without(state.links[self.ref], new)
        state.put(dataclasses.replace(link, neighbors=_sorted((*link.neighbors, *new.values()))))

    def inverse(self, before: State) -> t.List[Step]:
        former = [old for old in before.links[self.ref].neighbors if old.key == self.neighbor.key]
        return [NeighborSet(self.ref, old) for old in former] or [NeighborDel(self.ref, self.neighbor)]


@dataclasses.dataclass(eq=False, repr=False)
class NeighborDel(LinkStep):
    """Remove a neighbor."""

    ref: Ref
    neighbor: Neighbor

    def describe(self) -> str:
        return "removing neighbor %s from link %s" % (self.neighbor, self.ref)

    def commands(self) -> t.List[Argv]:
        words = ["proxy", self.neighbor.address] if self.neighbor.proxy else [self.neighbor.address]
        return [ip(self.ref.netns, "neigh", "del", *words, "dev", self.ref.name)]

    def requests(self, runner: Runner) -> t.List[Request]:
        return [_request(runner, self.ref, self.neighbor, RTM_DELNEIGH, 0)]

    @property
    def alike(self) -> t.Hashable:
        return (NeighborDel, self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        gone = {step.neighbor.key for step in t.cast("t.Sequence[NeighborDel]", alike)}
        state.put(_without(state.links[self.ref], gone))

    def inverse(self, before: State) -> t.List[Step]:
        return [NeighborSet(self.ref, self.neighbor)]


def _request(runner: Runner, ref: Ref, neighbor: Neighbor, message_type: int, flags: int) -> Request:
    attributes: Attributes = [("NDA_DST", neighbor.address)]
    if neighbor.mac and message_type == RTM_NEWNEIGH:
        attributes.append(("NDA_LLADDR", neighbor.mac))
    learned = neighbor.origin == DYNAMIC and not neighbor.proxy
    header = {
        "family": family(neighbor.family),
        "ifindex": runner.index(ref),
        "state": 0 if neighbor.proxy else _STATES[neighbor.state],
        "flags": NTF_PROXY * neighbor.proxy | NTF_ROUTER * neighbor.router | NTF_EXT_LEARNED * learned,
    }
    return Request(NEIGHBOR, message_type, flags, attributes, header)


def _without(link: Link, keys: t.Container[t.Tuple[str, bool]]) -> Link:
    return dataclasses.replace(link, neighbors=tuple(each for each in link.neighbors if each.key not in keys))


def _read(neighbors: t.Sequence[Document], where: str) -> t.Tuple[Neighbor, ...]:
    told = Complaints()
    read = [each for each in (told.attempt(_read_neighbor, document, where) for document in neighbors) if each]
    for (address, proxy), count in collections.Counter(neighbor.key for neighbor in read).items():
        if count > 1:
            what = "proxies" if proxy else "neighbors"
            told.note("%s: there are two %s with the address %s." % (common_names.upper(where), what, address))
    told.report()
    return tuple(read)


def _read_neighbor(document: Document, where: str) -> Neighbor:
    address = common_values.neighbor(document["address"], where)
    proxy, router = bool(document.get("proxy")), document.get("router")
    told = Complaints()
    start = "%s: %s" % (common_names.upper(where), quoted(document["address"]).strip("'"))
    mac = None if document.get("mac") is None else told.attempt(common_names.mac, document["mac"], where, True)
    if document.get("mac") is None and not proxy:
        told.note("%s needs a MAC address (mac), unless it is 'proxy: true'." % start)
    for name in ("mac", "state"):
        if proxy and document.get(name) is not None:
            told.note(
                "%s can't have %s with 'proxy: true': this host answers with its own MAC address." % (start, name)
            )
    if router and common_values.family(address) == 4:
        told.note("%s can't have 'router: true': only IPv6 tells routers from hosts." % start)
    told.report()
    left_out = ("router",) if router is None else ()
    return Neighbor(address, mac or "", document.get("state") or "permanent", proxy, bool(router), left_out=left_out)


def _sorted(neighbors: t.Iterable[Neighbor]) -> t.Tuple[Neighbor, ...]:
    return tuple(sorted(neighbors, key=lambda each: (each.family, common_values.number(each.address), each.proxy)))


def _write_neighbor(neighbor: Neighbor) -> Document:
    document: Document = {"address": neighbor.address}
    if neighbor.proxy:
        document["proxy"] = True
    else:
        document.update({"mac": neighbor.mac} if neighbor.mac else {}, state=neighbor.state)
    return {**document, "router": True} if neighbor.router else document


def _write(link: Link) -> t.List[Document]:
    return [_write_neighbor(neighbor) for neighbor in _sorted(link.neighbors) if neighbor.origin == STATIC]


def _is_learned(data: bytes) -> bool:
    """Whether an undecoded message describes an entry that the kernel has learned, or is resolving."""
    state, flags = struct.unpack_from("=HB", data, 24)  # after nlmsghdr
    return not flags & (NTF_PROXY | NTF_EXT_LEARNED) and _WORDS.get(state) not in _LASTING


def _place(data: bytes) -> t.Tuple[int, t.Hashable]:
    """Index and address in an undecoded message; UNSTEADY for entries that the kernel learns."""
    if _is_learned(data):
        return UNSTEADY
    index, _state, flags = struct.unpack_from("=iHB", data, 20)
    return index, (data[16], flags & NTF_PROXY, wire.attributes(data, 28).get(1))


def _decode(message: wire.Message) -> t.Optional[Neighbor]:
    """The neighbor in a message; None for multicast addresses, and for addresses that the kernel is resolving."""
    proxy, address = bool(message["flags"] & NTF_PROXY), message.get_attr("NDA_DST")
    state = "permanent" if proxy else _WORDS.get(message["state"], "")
    if not address or not state or ipaddress.ip_address(address).is_multicast:
        return None
    mac = "" if proxy else message.get_attr("NDA_LLADDR") or ""
    learned = bool(message["flags"] & NTF_EXT_LEARNED) and not proxy
    # Neighbors of GRE tunnels have IP addresses instead of MAC addresses.
    origin = DYNAMIC if learned or len(mac) not in (0, _MAC_LENGTH) else STATIC
    return Neighbor(address, mac, state, proxy, bool(message["flags"] & NTF_ROUTER), origin)


def _observe(space: Namespace, index: int = 0, _kernels: bool = True) -> t.Dict[int, t.List[Neighbor]]:
    """Permanent neighbors and proxies of one link, or of all links (index 0), by index."""
    found: t.Dict[int, t.List[Neighbor]] = {}
    for flags in (0, NTF_PROXY):
        for data in _dump(space, index, flags):
            if _is_learned(data):
                continue
            message = wire.Message(wire.NEIGHBOR, data)
            neighbor = _decode(message) if index in (0, message["ifindex"]) else None
            if neighbor and not _is_kernels(space, message["ifindex"], neighbor):
                found.setdefault(message["ifindex"], []).append(neighbor)
    return {of: list(_sorted(neighbors)) for of, neighbors in found.items()}


def _is_kernels(space: Namespace, index: int, neighbor: Neighbor) -> bool:
    """Whether the kernel added an entry of state noarp because the link or the address requires no resolution.

    See arp_constructor() and ndisc_constructor(): its MAC address is that of the link, the broadcast address, or empty.
    """
    if neighbor.proxy or neighbor.state != "noarp":
        return False
    message = space.link_by_name(space.name_of(index))
    told = [message.get_attr("IFLA_BROADCAST")] if message else []
    if message and message["flags"] & _NO_NEIGHBORS:
        told.append(message.get_attr("IFLA_ADDRESS"))
    return not neighbor.mac.strip("0:") or neighbor.mac in told


def _dump(space: Namespace, index: int, flags: int) -> t.List[bytes]:
    def request(index: int) -> Request:
        of_link = [("NDA_IFINDEX", index)] if index else []
        return Request(NEIGHBOR, RTM_GETNEIGH, NLM_F_DUMP, of_link, {"flags": flags})

    def reread(index: int) -> t.List[bytes]:
        return space.of_link(request(index), _place)

    return space.dump_of_links(request(index), _place, reread)


def _merge(merging: Merging) -> t.Tuple[Neighbor, ...]:
    wanted = merging.wanted
    asked = {neighbor.key: neighbor for neighbor in wanted.neighbors or ()}
    kept = []
    for neighbor in merging.base.neighbors:
        new = asked.pop(neighbor.key, None)
        if new is not None:
            merged = dataclasses.replace(new, **{name: getattr(neighbor, name) for name in new.left_out})
            kept.append(neighbor if neighbor == merged else merged)
        elif neighbor.origin != STATIC or not wanted.purge_neighbors:
            kept.append(neighbor)
    return (*kept, *asked.values())


def _drop(editor: FacetEditor, ref: Ref, target: Link) -> None:
    keep = {neighbor.key for neighbor in target.neighbors}
    there = editor.state.links[ref].neighbors
    gone = [neighbor for neighbor in there if neighbor.origin == STATIC and neighbor.key not in keep]
    editor.do(*(NeighborDel(ref, neighbor) for neighbor in gone))


def _add(editor: FacetEditor, ref: Ref, target: Link) -> None:
    there = {neighbor.key: neighbor for neighbor in editor.state.links[ref].neighbors}
    for neighbor in target.neighbors:
        now = there.get(neighbor.key)
        if now != neighbor:
            if now and now.proxy:  # the kernel only ever adds flags to a proxy
                editor.do(NeighborDel(ref, now))
            editor.do(NeighborSet(ref, neighbor))


def _identity(ref: Ref, neighbor: Neighbor) -> t.Hashable:
    return ref, neighbor.key


def _stays(neighbor: Neighbor, event: str) -> bool:
    # neigh_ifdown() and neigh_changeaddr() of the kernel
    if event == OTHER_MAC:
        return neighbor.proxy
    return event != DOWN and (event != NO_IPV6 or neighbor.family == 4)


_OPTIONS: Options = {
    "address": {"type": "str", "required": True},
    "mac": {"type": "str"},
    "state": {"type": "str", "choices": list(_LASTING)},
    "proxy": {"type": "bool"},
    "router": {"type": "bool"},
}
FACET = Facet(
    "neighbors",
    option={"type": "list", "elements": "dict", "options": _OPTIONS},
    read=_read,
    write=_write,
    observe=_observe,
    merge=_merge,
    drop=_drop,
    add=_add,
    identity=_identity,
    stays=_stays,
    noun="neighbor",
)
