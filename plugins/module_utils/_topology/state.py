# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The State of a whole host, and what one task requests of it. Values only, without I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links import state as links
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OVS_KINDS, OWN, Link, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import state as ovs

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import WantedTopology


@dataclasses.dataclass
class State(links.State, ovs.State):
    """Links and Open vSwitch of a host together: the internal ports of Open vSwitch are links."""

    # The boot id (/proc/sys/kernel/random/boot_id).
    boot: str = ""
    # The document of a topology that is kept for the next boot.
    kept: t.Optional[t.Dict[str, t.Any]] = None

    def with_only(self, values: t.Mapping[Ref, Link]) -> State:
        """A copy of this state with these links only."""
        return dataclasses.replace(self, links=dict(values), namespaces={}, ovs={})

    def devices(self, gone: t.Collection[str], come: t.Collection[str]) -> None:
        """Note that links of internal ports were created or deleted."""
        for link in [link for name in gone for link in self.linked("name", name) if link.kind in OVS_KINDS]:
            del self.links[link.ref]
        for name in come:
            # Nothing else is known of it until it exists.
            self.links.setdefault(Ref(OWN, name), Link(Ref(OWN, name), OVS_KINDS[0], values={"state": "down"}))

    def set_by_ovs(self, name: str, **values: t.Any) -> None:
        """Note values that Open vSwitch sets on a link in its own namespace; None for unknown ones."""
        ref = Ref(OWN, name)
        if ref in self.links:
            self.put(self.links[ref].with_values(**values))

    def changes(self) -> t.Dict[Ref, t.Optional[Link]]:
        """Links that changed since the last ``begin``, as they were then; None for new ones."""
        # With links of the same names in the own namespace, where internal ports are created.
        changed = super().changes()
        own = (Ref(OWN, ref.name) for ref in list(changed))
        return {**{ref: self.links.get(ref) for ref in own}, **changed}

    def seized(self, names: t.Collection[str]) -> None:
        """Note that Open vSwitch took or released links."""
        for ref in (Ref(OWN, name) for name in names):
            if ref in self.links:
                # Some datapaths make them promiscuous, and reset that.
                self.put(self.links[ref].with_values(promisc=None))


@dataclasses.dataclass(frozen=True)
class Wanted(links.Wanted, ovs.Wanted):
    """What one task requests of a host; ``unread`` are the names in elements of the document that can't be read."""

    topology: t.Optional[WantedTopology] = None
    unread: t.FrozenSet[str] = frozenset()

    @property
    def with_ovs(self) -> bool:
        """Whether Open vSwitch is read as well."""
        return self.topology is not None

    def going(self) -> t.Set[Ref]:
        """Links that the topology has recorded and does not list."""
        if self.topology is None:
            return set()
        listed = {end.ref for link in self.links for end in link.ends()} if self.topology.present else set()
        return {Ref(link.netns, link.name) for link in self.topology.record.links} - listed

    def link_names(self) -> t.Set[str]:
        """Names of links that it requests outside of Open vSwitch."""
        return {link.ref.name for link in self.links if link.present}
