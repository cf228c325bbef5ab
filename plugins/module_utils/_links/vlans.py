# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""VLANs of bridge ports: option, reading, writing, steps, and netlink coding."""

from __future__ import annotations

import dataclasses
import errno
import os
import socket
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, bridge
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document, Facet, Options
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref, Vlan, vlan_ranges
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    LINK,
    RTM_DELLINK,
    RTM_GETVLAN,
    RTM_SETLINK,
    VLAN,
    NetlinkError,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import FacetEditor
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import Attributes
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace


# Of linux/if_bridge.h
BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED = 1 << 1, 1 << 2
BRIDGE_VLAN_INFO_RANGE_BEGIN, BRIDGE_VLAN_INFO_RANGE_END = 1 << 3, 1 << 4
BRIDGE_VLANDB_DUMPF_STATS = 1


@dataclasses.dataclass(eq=False, repr=False)
class VlanAdd(LinkStep):
    """Add VLANs from the id of ``vlan`` to ``last`` to a bridge port, or change their flags."""

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
    """Remove a range of VLANs from a bridge port."""

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
    """Steps that roll changes back, the last one first."""
    vlans, pvids = _vlans_of(before, ref)
    back: t.List[t.List[Step]] = []
    for step in changes:
        back.append(step.back(vlans))
        step.change(vlans, pvids)
    return [step for steps in reversed(back) for step in steps]


def _request(runner: Runner, ref: Ref, message_type: int, vlan: Vlan, last: int) -> Request:
    header = {"family": socket.AF_BRIDGE, "index": runner.index(ref)}
    return Request(LINK, message_type, 0, [("IFLA_AF_SPEC", {"attrs": _infos(vlan, last)})], header)


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


def decode(entries: t.Iterable[t.Any]) -> t.Tuple[Vlan, ...]:
    """VLANs in the entries of a dump of RTM_GETVLAN, in the order of their ids."""
    found = []
    for entry in entries:
        info = entry.get_attr("BRIDGE_VLANDB_ENTRY_INFO")
        last = entry.get_attr("BRIDGE_VLANDB_ENTRY_RANGE") or info["vid"]
        flags = [bool(info["flags"] & flag) for flag in (BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED)]
        found += [Vlan(vid, *flags) for vid in range(info["vid"], last + 1)]
    return tuple(sorted(found))


def _infos(vlan: Vlan, last: int) -> Attributes:
    """Netlink attributes for a range of VLANs, in IFLA_AF_SPEC of a bridge port."""
    flags = (BRIDGE_VLAN_INFO_PVID if vlan.pvid else 0) | (BRIDGE_VLAN_INFO_UNTAGGED if vlan.untagged else 0)
    ends = [(vlan.vid, BRIDGE_VLAN_INFO_RANGE_BEGIN), (last, BRIDGE_VLAN_INFO_RANGE_END)]
    if vlan.vid == last:
        ends = [(vlan.vid, 0)]
    return [("IFLA_BRIDGE_VLAN_INFO", {"vid": vid, "flags": flags | place}) for vid, place in ends]


def observe(space: Namespace, index: int) -> t.Optional[t.Tuple[Vlan, ...]]:
    """VLANs of a bridge port; None for other links, and if the kernel lacks VLANs in bridges or is older than 5.7.

    Whether the kernel supports the request is cached in ``space``.
    """
    if not space.port_vlans:
        return None
    try:
        found = _dump_vlans(space, index, 0)
        # The kernel takes the PVID for the start of a range, and then reports nothing of the range but the PVID
        # (br_vlan_fill_vids()). With statistics it reports each VLAN on its own, which is slow for many.
        vids = {vlan.vid for vlan in found}
        if any(vlan.pvid and vlan.vid + 1 not in vids for vlan in found):
            found = _dump_vlans(space, index, BRIDGE_VLANDB_DUMPF_STATS)
    except NetlinkError as error:
        if error.code not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
        # The kernel's bridge module may not be loaded before the first bridge is created.
        space.port_vlans = error.code == errno.EINVAL or not os.path.isdir("/sys/module/bridge")
        return None
    return found


def _dump_vlans(space: Namespace, index: int, flags: int) -> t.Tuple[Vlan, ...]:
    how = [("BRIDGE_VLANDB_DUMP_FLAGS", flags)] if flags else []
    found = space.dump(VLAN, RTM_GETVLAN, how, family=socket.AF_BRIDGE, ifindex=index)
    return decode(entry for message in found for entry in message.get_attrs("BRIDGE_VLANDB_ENTRY"))


def merge(present: t.Sequence[Vlan], wanted: WantedLink) -> t.Tuple[Vlan, ...]:
    """VLANs of a port after the wanted ones are merged into the present ones."""
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


def put(editor: FacetEditor, ref: Ref, target: Link) -> None:
    """Plan the steps that give a bridge port exactly the VLANs of ``target``."""
    vlans = target.vlans or ()
    # The PVID first: this removes the flag from the former PVID.
    there = {vlan.vid: vlan for vlan in editor.state.links[ref].vlans or ()}
    if any(vlan.pvid and there.get(vlan.vid) != vlan for vlan in vlans):
        there = {vid: vlan._replace(pvid=False) for vid, vlan in there.items()}
    lacking: t.List[Step] = []
    for vlan, last in sorted(vlan_ranges(vlans), key=lambda found: not found[0].pvid):
        if any(there.get(vid) != vlan._replace(vid=vid) for vid in range(vlan.vid, last + 1)):
            lacking.append(VlanAdd(ref, vlan, last))
    editor.do(*lacking)
    keep = {vlan.vid for vlan in vlans}
    gone = vlan_ranges([vlan for vlan in editor.state.links[ref].vlans or () if vlan.vid not in keep])
    editor.do(*(VlanDel(ref, vlan.vid, last) for vlan, last in gone))


_OPTIONS: Options = {
    "vid": {"type": "str", "required": True},
    "pvid": {"type": "bool"},
    "untagged": {"type": "bool"},
}
FACET = Facet(
    "vlans",
    option={"type": "list", "elements": "dict", "options": _OPTIONS},
    read=_read,
    write=_write,
    merge=lambda merging: merge(merging.base.vlans or (), merging.wanted),
    add=put,
)
