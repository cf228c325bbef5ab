# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Find the role of links in Open vSwitch, as far as a plan depends on it, from what the kernel reports."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OVS_KINDS, OWN
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import ovs_traces

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Namespaces
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace


class OvsLinks:
    """Finds the role of links in Open vSwitch without reading its database."""

    def __init__(self, spaces: Namespaces) -> None:
        self._spaces = spaces

    def look_at_ovs(self, state: State, wanted: WantedLink, link: t.Optional[Link]) -> None:
        """Find whether Open vSwitch controls a wanted value, uses a link that is deleted, or made a link that is missing."""
        if link is None:
            why = ovs_traces.why_absent(wanted.ref.name) if wanted.present and not wanted.made else ""
            state.not_here.update({wanted.ref.name: why} if why else {})
        elif not wanted.present or wanted.recreate or link.ref != wanted.ref:
            for ref in (link.ref, link.peer):
                if ref in state.links:
                    self._look_at_port(state, state.links[ref])
        elif link.kind in OVS_KINDS:
            asked = {name: wanted.values[name] for name in ("mac", "mtu") if name in wanted.values}
            if any(link.values.get(name) != value for name, value in asked.items()):
                with self._spaces.require(link.ref.netns).inside():
                    made = ovs_traces.maker_of(link.ref.name, link.kind)
                state.put(dataclasses.replace(state.links[link.ref], of_ovs=made))

    def _look_at_port(self, state: State, link: Link) -> None:
        with self._spaces.require(link.ref.netns).inside():
            taken = link.values.get("master") == ovs_traces.MASTER or link.index in ovs_traces.packet_sockets()
        if taken:
            state.put(dataclasses.replace(link, of_ovs="taken"))

    def look_at_ports(self, state: State) -> None:
        """Mark the ports of Open vSwitch among all links of the namespace that this process runs in."""
        with self._spaces.require(OWN).inside():
            sockets = ovs_traces.packet_sockets()
        for ref, link in list(state.links.items()):
            if ref.netns == OWN and (link.index in sockets or link.values.get("master") == ovs_traces.MASTER):
                state.put(dataclasses.replace(link, of_ovs="taken"))

    def ports_in(self, space: Namespace) -> t.Tuple[str, ...]:
        """Names of the ports of Open vSwitch that lose their links if a namespace is deleted."""
        internal: t.Set[str] = set()
        taps: t.Set[str] = set()
        peers: t.Set[int] = set()
        own = self._spaces.require(OWN)
        for name, message in space.links().items():
            rtnl = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND")
            kind = registry.BY_RTNL.get(rtnl)
            if rtnl in OVS_KINDS:
                internal.add(name)
            elif kind and kind.name in OVS_KINDS:
                taps.add(name)
            elif kind and kind.paired and message.get_attr("IFLA_LINK_NETNSID") is not None:
                peers.add(message.get_attr("IFLA_LINK") if self._leads_home(space, message) else 0)
        if taps:
            internal |= taps & set(ovs_traces.taps() or ())
        found = peers & self._taken(own) if peers else set()
        return tuple(sorted(internal | {own.name_of(index) for index in found}))

    def _leads_home(self, space: Namespace, message: t.Any) -> bool:
        return bool(message.get_attr("IFLA_LINK_NETNSID") == space.id_of(self._spaces.require(OWN).fd))

    def _taken(self, space: Namespace) -> t.Set[int]:
        """Indexes of the links of a namespace that are ports of Open vSwitch."""
        with space.inside():
            found = ovs_traces.packet_sockets()
        datapath = space.link_by_name(ovs_traces.MASTER)
        if datapath:
            ports = space.links(("IFLA_MASTER", datapath["index"])).values()
            found |= {port["index"] for port in ports if port.get_attr("IFLA_MASTER") == datapath["index"]}
        return found
