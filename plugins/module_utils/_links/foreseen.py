# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Requests that the kernel is known to refuse, so that a plan fails before anything is changed. Pure.

Each function returns a sentence, or an empty string if the kernel would accept the request.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links import facet
from ansible_collections.virtnet.linux.plugins.module_utils._links.facets import FACETS
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import common, foreign, registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State


def receiving_master(name: str) -> bool:
    """Whether masters of a kind receive all packets of their ports."""
    kind = registry.KINDS.get(name)
    return kind.receiving and kind.has_ports if kind else name in foreign.RECEIVING_MASTERS


def receiving_upper(name: str) -> bool:
    """Whether links of a kind receive all packets of their parent."""
    kind = registry.KINDS.get(name)
    return kind.receiving and kind.has_parent if kind else name in foreign.RECEIVING_UPPERS


def busy_parent(state: State, parent: Link, wanted: WantedLink) -> str:
    """Check whether a link can be stacked upon a parent that is a port."""
    name = parent.values.get("master")
    master = state.links.get(Ref(parent.ref.netns, name)) if name else None
    if master is None or not receiving_master(master.kind) or not receiving_upper(wanted.kind):
        return ""
    return (
        "Option parent of link '%s': link %s is a port of '%s' (%s), and the kernel does not stack links upon a port; give '%s' as "
        "the parent, or take %s out of it first." % (wanted.ref.name, parent.ref, name, master.kind, name, parent.ref)
    )


def no_master(port: Link, master: Link) -> str:
    """Check whether a link can become a port of a master."""
    kind = registry.KINDS.get(master.kind)
    if kind:
        return kind.port_problem(port, _other_frames(port))
    # In check mode, the kind of a link that an earlier task would have created may be unknown.
    return "it takes no ports." if master.index and master.kind not in foreign.TAKE_PORTS else ""


def no_parent(parent: Link, wanted: WantedLink) -> str:
    """Check whether a link can have a parent."""
    kind = registry.KINDS[wanted.kind]
    return kind.stacking_problem(parent, registry.KINDS.get(parent.kind), _other_frames(parent))


def _other_frames(link: Link) -> str:
    """Words for a link without Ethernet frames; empty for all others."""
    if link.ref.name == "lo":
        return "the loopback"
    kind = registry.KINDS.get(link.kind)
    if kind:
        return kind.other_frames(link.values)
    return "a link of kind %s" % link.kind if link.kind in foreign.OTHER_FRAMES else ""


def busy_port(port: Link, children: t.Iterable[Link], master: Link) -> str:
    """Check whether a link with others stacked upon it can become a port."""
    stacked = [child for child in children if receiving_upper(child.kind)]
    if not receiving_master(master.kind) or not stacked:
        return ""
    return (
        "Link %s can't become a port of '%s': link %s (%s) is stacked upon it, and the kernel allows only one of both. "
        "Delete that first, or stack it upon '%s'."
        % (port.ref, master.ref.name, stacked[0].ref, stacked[0].kind, master.ref.name)
    )


def taken_mac(link: Link, parent: Link, siblings: t.Iterable[Link]) -> str:
    """Check the MAC address of a link that comes up or changes its address; ``siblings`` are up with the same one."""
    mac = link.values["mac"]
    others = [(parent, "its parent")] if parent.values.get("mac") == mac else []
    others += [(other, "on the same parent") for other in siblings if other.ref != link.ref]
    return (
        "link %s, %s, has the MAC address %s as well, and the kernel requires different ones."
        % (others[0][0].ref, others[0][1], mac)
        if others
        else ""
    )


def unsupported(state: State, wanted: WantedLink) -> str:
    """Check for options of a link that this kernel lacks."""
    kind, there = registry.KINDS.get(wanted.kind), state.links.get(wanted.ref)
    observed = there.values if there and there.index else None
    found = kind.unsupported(wanted.values, observed, state.bridge_vlans) if kind else {}
    return "Option %s of link %s: %s" % (" and ".join(found), wanted.ref, next(iter(found.values()))) if found else ""


def no_setting(port: t.Optional[Link], wanted: WantedLink) -> str:
    """Check for settings of a bridge port that this kernel lacks; ``port`` is the observed link."""
    missing = [name for name in wanted.port if name not in port.port] if port and port.port else []
    return (
        "Option %s of port %s: this kernel has no such setting." % (" and ".join(missing), wanted.ref)
        if missing
        else ""
    )


def no_ipv6(state: State, target: Link, fresh: bool, prefix: str) -> str:
    """Check whether a link can have the wanted IPv6 entries; ``fresh`` if it is new in its namespace."""
    had = facet.static_ipv6(FACETS, state.links[target.ref])
    lacking = {
        name: [entry for entry in entries if entry not in had[name]]
        for name, entries in facet.static_ipv6(FACETS, target).items()
    }
    options = [prefix + name for name, entries in lacking.items() if entries]
    if not options:
        return ""
    why = _why_no_ipv6(state, target, fresh)
    return why and "Option%s %s of link %s: it can't have %s, because %s" % (
        "s" if len(options) > 1 else "",
        " and ".join(options),
        target.ref,
        ", ".join(entry for entries in lacking.values() for entry in entries),
        why,
    )


def _why_no_ipv6(state: State, target: Link, fresh: bool) -> str:
    if not state.ipv6:
        return "this kernel has no IPv6, or it was switched off at boot (ipv6.disable=1)."
    if state.links[target.ref].ipv6 is False:
        sysctl = "net.ipv6.conf.%s.disable_ipv6" % ("default" if fresh else target.ref.name)
        return "IPv6 is switched off %s (sysctl %s is 1); set that to 0 first." % (
            "for new links in this namespace" if fresh else "on it",
            sysctl,
        )
    mtu = target.values.get("mtu", common.IPV6_MIN_MTU)
    if mtu < common.IPV6_MIN_MTU:
        return "its mtu is %d, and below %d the kernel removes IPv6 from a link; give it a larger one (option mtu)." % (
            mtu,
            common.IPV6_MIN_MTU,
        )
    return ""


def bad_mtu(target: Link, origin: t.Optional[Link]) -> str:
    """Check the MTU of a link against the limits of its driver; ``origin`` is the link before, None for a new one."""
    mtu = target.values["mtu"]
    kind = registry.KINDS.get(target.kind)
    low, high = origin.mtu_range if origin else (0, kind.mtu_max(target.values) if kind else 0)
    low = low or common.MIN_MTU
    if mtu < low or (high and mtu > high):
        return "%d is out of range; its driver takes %d to %d." % (mtu, low, high or common.INT_MAX)
    return ""


def no_namespace(state: State, path: str) -> str:
    """Check for a path below /proc of a process that doesn't run. An earlier task may create any other missing namespace."""
    found = re.match(r"^/proc/(\d+)/", path) if path in state.dead else None
    return (
        "there is no network namespace at %s; process %s is not running." % (quoted(path), found.group(1))
        if found
        else ""
    )
