# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""VLANs of bridges' ports: their option, and the steps that add and remove them."""

from __future__ import annotations

import dataclasses
import socket
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, bridge
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document, Facet, Options
from ansible_collections.virtnet.linux.plugins.module_utils._links.messages import vlan_infos
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref, Vlan, vlan_ranges
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    LINK,
    RTM_DELLINK,
    RTM_SETLINK,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner


@dataclasses.dataclass(eq=False, repr=False)
class VlanAdd(LinkStep):
    """Give a bridge's port the VLANs from the id of ``vlan`` to ``last``; those that it has already are changed."""

    ref: Ref
    vlan: Vlan
    last: int

    def describe(self) -> str:
        return "adding VLAN %s to port %s" % (_vids(self.vlan.vid, self.last), self.ref)

    def commands(self) -> t.List[Argv]:
        flags = [word for word in ("pvid", "untagged") if getattr(self.vlan, word)]
        words = ["vlan", "add", "dev", self.ref.name, "vid", _vids(self.vlan.vid, self.last), *flags]
        return [bridge(self.ref.netns, *words)]

    def requests(self, runner: Runner) -> t.List[Request]:
        return [_request(runner, self.ref, RTM_SETLINK, self.vlan, self.last)]

    @property
    def alike(self) -> t.Hashable:
        return ("VLANs", self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        _change_vlans(state, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def inverse_all(self, before: State, alike: t.Sequence[Step]) -> t.List[Step]:
        return _back_to_vlans(before, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def change(self, vlans: t.Dict[int, Vlan], pvids: t.Set[int]) -> None:
        """Change the VLANs of a port; ``pvids`` are the ids of those that are the PVID."""
        if self.vlan.pvid:
            vlans.update((vid, vlans[vid]._replace(pvid=False)) for vid in pvids if vid in vlans)
            pvids.clear()
        for vid in range(self.vlan.vid, self.last + 1):
            vlans[vid] = self.vlan._replace(vid=vid)
            if self.vlan.pvid:
                pvids.add(vid)

    def back(self, had: t.Mapping[int, Vlan]) -> t.List[Step]:
        """The steps that take it back, given the VLANs before it."""
        vids = range(self.vlan.vid, self.last + 1)
        new = vlan_ranges(Vlan(vid) for vid in vids if vid not in had)
        old = vlan_ranges(had[vid] for vid in vids if vid in had)
        return [
            *(VlanDel(self.ref, vlan.vid, last) for vlan, last in new),
            *(VlanAdd(self.ref, vlan, last) for vlan, last in old),
        ]


@dataclasses.dataclass(eq=False, repr=False)
class VlanDel(LinkStep):
    """Take the VLANs from one id to another from a bridge's port."""

    ref: Ref
    first: int
    last: int

    def describe(self) -> str:
        return "removing VLAN %s from port %s" % (_vids(self.first, self.last), self.ref)

    def commands(self) -> t.List[Argv]:
        return [bridge(self.ref.netns, "vlan", "del", "dev", self.ref.name, "vid", _vids(self.first, self.last))]

    def requests(self, runner: Runner) -> t.List[Request]:
        return [_request(runner, self.ref, RTM_DELLINK, Vlan(self.first), self.last)]

    @property
    def alike(self) -> t.Hashable:
        return ("VLANs", self.ref)

    def simulate_all(self, state: State, alike: t.Sequence[Step]) -> None:
        _change_vlans(state, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def inverse_all(self, before: State, alike: t.Sequence[Step]) -> t.List[Step]:
        return _back_to_vlans(before, self.ref, t.cast("t.Sequence[_VlanStep]", alike))

    def change(self, vlans: t.Dict[int, Vlan], pvids: t.Set[int]) -> None:
        """Change the VLANs of a port; ``pvids`` are the ids of those that are the PVID."""
        for vid in range(self.first, self.last + 1):
            vlans.pop(vid, None)
            pvids.discard(vid)

    def back(self, had: t.Mapping[int, Vlan]) -> t.List[Step]:
        """The steps that take it back, given the VLANs before it."""
        gone = (had[vid] for vid in range(self.first, self.last + 1) if vid in had)
        return [VlanAdd(self.ref, vlan, last) for vlan, last in vlan_ranges(gone)]


_VlanStep = t.Union[VlanAdd, VlanDel]


def _vlans_of(state: State, ref: Ref) -> t.Tuple[t.Dict[int, Vlan], t.Set[int]]:
    vlans = {vlan.vid: vlan for vlan in state.links[ref].vlans or ()}
    return vlans, {vid for vid, vlan in vlans.items() if vlan.pvid}


def _change_vlans(state: State, ref: Ref, changes: t.Sequence[_VlanStep]) -> None:
    vlans, pvids = _vlans_of(state, ref)
    for step in changes:
        step.change(vlans, pvids)
    state.put(dataclasses.replace(state.links[ref], vlans=tuple(sorted(vlans.values()))))


def _back_to_vlans(before: State, ref: Ref, changes: t.Sequence[_VlanStep]) -> t.List[Step]:
    """The steps that take changes back, the last one first."""
    vlans, pvids = _vlans_of(before, ref)
    back: t.List[t.List[Step]] = []
    for step in changes:
        back.append(step.back(vlans))
        step.change(vlans, pvids)
    return [step for steps in reversed(back) for step in steps]


def _request(runner: Runner, ref: Ref, message_type: int, vlan: Vlan, last: int) -> Request:
    header = {"family": socket.AF_BRIDGE, "index": runner.index(ref)}
    return Request(LINK, message_type, 0, [("IFLA_AF_SPEC", {"attrs": vlan_infos(vlan, last)})], header)


def _vids(first: int, last: int) -> str:
    return str(first) if first == last else "%d-%d" % (first, last)


def _read(documents: t.Sequence[Document], where: str) -> t.Tuple[Vlan, ...]:
    vlans: t.Dict[int, Vlan] = {}
    for document in documents:
        first, last = common_values.vids(document["vid"], where)
        if document.get("pvid") and (first != last or any(vlan.pvid for vlan in vlans.values())):
            raise BadInput("O%s: only one VLAN can be the PVID." % where[1:])
        for vid in range(first, last + 1):
            if vid in vlans:
                raise BadInput("O%s: VLAN %d is named twice." % (where[1:], vid))
            vlans[vid] = Vlan(vid, document.get("pvid"), document.get("untagged"))
    return tuple(vlans[vid] for vid in sorted(vlans))


def _write_vlan(vlan: Vlan, last: int) -> Document:
    vid = vlan.vid if vlan.vid == last else "%d-%d" % (vlan.vid, last)
    return {"vid": vid, "pvid": vlan.pvid, "untagged": vlan.untagged}


def _write(link: Link) -> t.Optional[t.List[Document]]:
    return None if link.vlans is None else [_write_vlan(vlan, last) for vlan, last in vlan_ranges(link.vlans)]


_OPTIONS: Options = {
    "vid": {"type": "str", "required": True},
    "pvid": {"type": "bool"},
    "untagged": {"type": "bool"},
}
FACET = Facet("vlans", option={"type": "list", "elements": "dict", "options": _OPTIONS}, read=_read, write=_write)
