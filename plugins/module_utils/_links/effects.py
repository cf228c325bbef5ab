# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Side effects in the kernel when a link changes, moves or is deleted, as changes of a State."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links import facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._links.routes import forget_sources

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


def delete(state: State, ref: Ref) -> None:
    """Delete a link, with the other end of its pair and the links that are stacked upon it."""
    gone = state.links.pop(ref, None)
    other = state.links.pop(gone.peer, None) if gone and gone.peer else None
    for end in (other, gone):
        if end:
            forget_port(state, end)
    for end in (gone, other):
        if end:
            forget_sources(state, end.ref.netns, end.addresses)
    for link in _slaves(state, gone):
        state.put(released(link))
    for child in children(state, gone):
        delete(state, child.ref)


def ipv6_of_new_links(state: State, netns: str) -> t.Optional[bool]:
    """Whether new links in a namespace have IPv6; None if unknown."""
    return state.namespaces[netns].ipv6 if netns in state.namespaces else None


def released(link: Link) -> Link:
    """A link after it has left its master."""
    return dataclasses.replace(link.with_values(master=""), port={}, vlans=None)


def _slaves(state: State, master: t.Optional[Link]) -> t.List[Link]:
    """The links that have ``master`` as their master."""
    kind = registry.KINDS.get(master.kind) if master else None
    if master is None or (kind and not kind.has_ports):
        return []
    return state.linked("master", tuple(master.ref))


def children(state: State, parent: t.Optional[Link]) -> t.List[Link]:
    """The links that are stacked upon another one, or upon the other end of its pair."""
    ends = [end for end in (parent.ref, parent.peer) if end] if parent else []
    return [link for end in ends for link in state.children(end)]


def set_mtu(state: State, link: Link, keeps: t.Optional[bool]) -> None:
    """Put a link with a new MTU (missing: unknown) into a State, and update the links that follow it.

    Below 1280 the kernel removes IPv6. The MTU of links stacked upon it drops with it, and doesn't rise again
    (macvlan_device_event() of the kernel). A bridge has the lowest MTU of its ports until its MTU is set.
    """
    mtu = link.values.get("mtu")
    if mtu is not None and mtu < common.IPV6_MIN_MTU:
        link = facet.after(FACETS, link, facet.NO_IPV6)
    state.put(dataclasses.replace(link, keeps_mtu=keeps))
    for child in state.children(link.ref):
        has = child.values.get("mtu")
        if has is not None and (mtu is None or has > mtu):
            set_mtu(state, child.with_values(mtu=mtu), child.keeps_mtu)
    master = _master(state, link)
    if master:
        _follow_ports(state, master, mtu)


def _follow_ports(state: State, bridge: Link, mtu: t.Optional[float]) -> None:
    """Update the MTU of a bridge after one of its ports got ``mtu``; infinite if the port has left.

    If the MTU of the bridge may have been set before (br_mtu_auto_adjust() of the kernel), it is unknown afterwards.
    """
    has = bridge.values.get("mtu")
    if has is None or bridge.keeps_mtu or "mtu" not in _follows(bridge):
        return
    if bridge.ports is None:
        set_mtu(state, bridge.with_values(mtu=None), None)
        return
    if mtu is not None and mtu >= has and has in _port_mtus(state, bridge):
        return  # another port has the same MTU
    found = [*_port_mtus(state, bridge)]
    known = [mtu for mtu in found if mtu is not None]
    least = min(known, default=common.DEFAULT_MTU) if len(known) == len(found) else None
    if least != has:
        set_mtu(state, bridge.with_values(mtu=None if bridge.keeps_mtu is None else least), bridge.keeps_mtu)


def _port_mtus(state: State, bridge: Link) -> t.Iterator[t.Optional[int]]:
    for name in bridge.ports or ():
        port = state.links.get(Ref(bridge.ref.netns, name))
        yield port.values.get("mtu") if port else None


def share_mac(state: State, link: Link) -> None:
    """Copy the MAC address of a link to the links that share it or follow it."""
    mac = link.values.get("mac")
    kind = registry.KINDS.get(link.kind)
    if kind and kind.exclusive_parent(link.values) and link.parent in state.links:
        state.put(with_mac(state.links[link.parent], mac))
    for child in state.children(link.ref):
        if registry.KINDS[child.kind].exclusive_parent(child.values):
            state.put(with_mac(child, mac))
    master = _master(state, link)
    if master and "mac" in _follows(master):
        state.put(with_mac(master, None))


def with_mac(link: Link, mac: t.Optional[str]) -> Link:
    """A link after its MAC address was set (None: unknown)."""
    same = mac is not None and link.values.get("mac") == mac
    return link if same else facet.after(FACETS, link.with_values(mac=mac), facet.OTHER_MAC)


def _follows(master: Link) -> t.Set[str]:
    """Names of the values that a master copies from its ports."""
    kind = registry.KINDS.get(master.kind)
    return kind.follows(master.values, None) if kind and kind.has_ports else set()


def _master(state: State, port: Link) -> t.Optional[Link]:
    """The master of a port; None if it is unknown or not of a kind of this collection."""
    master = state.links.get(Ref(port.ref.netns, port.values.get("master") or ""))
    return master if master and master.kind in registry.KINDS else None


def set_ports(state: State, master: Link, ports: t.Optional[t.Tuple[str, ...]], mtu: t.Optional[float]) -> None:
    """Set the ports of a master; ``mtu`` is that of the new port, infinite if a port leaves.

    The MAC address of a bridge follows its ports unless it was set, which can't be read; so it is unknown afterwards.
    """
    if "mac" in _follows(master):
        master = with_mac(master, None)
    master = dataclasses.replace(master, ports=ports)
    state.put(master)
    _follow_ports(state, master, mtu)


def forget_port(state: State, port: Link) -> None:
    """Remove a link from the ports of its master."""
    master = state.links.get(Ref(port.ref.netns, port.values.get("master", "")))
    if master and master.ports and port.ref.name in master.ports:
        set_ports(state, master, tuple(name for name in master.ports if name != port.ref.name), math.inf)


def relocate(state: State, old: Ref, new: Ref) -> None:
    """Move a link to another place in a State, and update the links that refer to it."""
    link = state.links.pop(old)
    state.put(link.moved(new))
    peer = state.links.get(link.peer) if link.peer else None
    if peer:
        state.put(dataclasses.replace(peer, peer=new))
    for child in state.children(old):
        state.put(dataclasses.replace(child, parent=new))
    for other in state.linked("master", tuple(old)):
        state.put(other.with_values(master=new.name))
    master = state.links.get(Ref(old.netns, link.values.get("master", "")))
    if master and master.ports and old.name in master.ports:
        renamed = tuple(sorted(new.name if name == old.name else name for name in master.ports))
        state.put(dataclasses.replace(master, ports=renamed))
