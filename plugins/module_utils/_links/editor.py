# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plan the steps that change a link: values, master, settings as a port, and facets. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Editor, Part
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, steps
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, registry

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
        Address,
        Link,
        Ref,
    )
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


def make_repair(state: State, target: State, observed: bool) -> t.List[Step]:
    """Steps that make the links of ``state`` equal to those of ``target``, after inverse steps were executed.

    Only for links that are in their places. If ``state`` is not ``observed`` but simulated, the MTU and the MAC address of a
    bridge whose ports changed are unknown, and so is the promiscuity of links that Open vSwitch uses. The kernel and
    Open vSwitch restore these.
    """
    # Parents first: a link can't have a greater MTU than its parent.
    differing: t.Dict[Ref, Link] = {}
    for ref, link in sorted(target.links.items(), key=lambda item: item[1].parent is not None):
        now = state.links.get(ref)
        if now is not None and now is not link and now != link:
            unknown = {name: None for name in ("mtu", "mac", "promisc") if not observed and name not in now.values}
            differing[ref] = link.with_values(**unknown)
    with state.trial():
        editor = Editor(state)
        LinkEditor(editor).adjust(differing)
    return editor.done


class LinkEditor(Part):
    """Plans the steps that make links equal to targets."""

    state: State

    def __init__(self, editor: Editor, make_free: t.Callable[[Link, str], None] = lambda _link, _master: None) -> None:
        super().__init__(editor)
        self._make_free = make_free  # prepares a link so that the kernel accepts it as a port
        self.let_go: t.Dict[t.Tuple[str, str], Address] = {}  # removed ones, by namespace and address
        self.shaken: t.Set[t.Tuple[Ref, Address]] = set()  # those that the kernel may have removed with another one

    def adjust(self, targets: t.Mapping[Ref, Link]) -> None:
        """Make links equal to their targets.

        One link may get what another one loses, so each stage is completed for all links before the next: down, values, master,
        removed addresses and routes; new addresses; up; new routes (which require an address and a link that is up, and may
        prefer an address of another link); irreversible values.
        """
        for ref, target in targets.items():
            self.prepare(ref, target)
        self.finish(targets)

    def prepare(self, ref: Ref, target: Link) -> None:
        if target.values.get("state") == "down":
            self.set_value(ref, target, "state")
        self.set_values(ref, target)
        self._set_master(ref, target)
        for facet in FACETS:
            if facet.drop:
                facet.drop(self, ref, target)

    def finish(self, targets: t.Mapping[Ref, Link]) -> None:
        self.add(targets, needs_up=False)
        for ref, target in targets.items():
            if target.values.get("state") == "up":
                self.set_value(ref, target, "state")
        self.add(targets, needs_up=True)
        for ref, target in targets.items():
            self.set_values(ref, target, irreversible=True)

    def add(self, targets: t.Mapping[Ref, Link], needs_up: bool) -> None:
        for facet in (facet for facet in FACETS if facet.needs_up == needs_up):
            for ref, target in targets.items():
                facet.add(self, ref, target)

    def set_values(self, ref: Ref, target: Link, irreversible: bool = False) -> None:
        # The kind of a link is unknown until Open vSwitch has created it, and may lack attributes of the target.
        kind = registry.KINDS.get(target.kind) if target.kind == self.state.links[ref].kind else None
        own = kind.attributes if kind else ()
        for attribute in (attribute for attribute in (*own, *common.COMMON) if attribute.irreversible == irreversible):
            if attribute.name not in target.values or self._has(ref, attribute, target):
                continue
            for name, value in attribute.requires:
                if self.state.links[ref].values.get(name, value) != value:
                    self.do(steps.link_set(self.state.links[ref], name, value))
            self.do(steps.link_set(self.state.links[ref], attribute.name, target.values[attribute.name]))

    def _has(self, ref: Ref, attribute: Attribute, target: Link) -> bool:
        values = self.state.links[ref].values
        return attribute.name in values and attribute.codec.same(values[attribute.name], target.values[attribute.name])

    def set_value(self, ref: Ref, target: Link, name: str) -> None:
        if self.state.links[ref].values.get(name) != target.values[name]:
            self.do(steps.link_set(self.state.links[ref], name, target.values[name]))

    def _set_master(self, ref: Ref, target: Link) -> None:
        link = self.state.links[ref]
        if "master" in target.values and link.values.get("master") != target.values["master"]:
            self._make_free(link, target.values["master"])
            self.do(bridge_ports.LinkSetMaster(ref, target.values["master"]))
        if not target.values.get("master"):
            return
        bridge_ports.put(self, ref, target)
