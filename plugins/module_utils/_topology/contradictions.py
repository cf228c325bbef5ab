# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Find contradictions within a document. Pure, and independent of the host.

A claim is a value with words for the place in the document that it comes from. Different claims about the same thing
contradict.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OWN, Ref

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import WantedPort
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import Wanted

Claims = t.Dict[Ref, t.List[t.Tuple[t.Any, str]]]


def contradictions(wanted: Wanted) -> t.List[str]:
    """A sentence for each contradiction; it names both places."""
    return [
        *_masters(wanted),
        *_promiscuous(wanted),
        *_absent(wanted),
        *_names(wanted),
        *_routes(wanted),
        *_loopbacks(wanted),
    ]


def _ends(wanted: Wanted) -> t.Iterator[t.Tuple[WantedLink, str]]:
    """Each end of each present link, with the prefix of its options."""
    for link in wanted.links:
        if link.present:
            yield from zip(link.ends(), ("", "peer."))


def _place(option: str, link: WantedLink) -> str:
    where = ", " + link.where if link.where else ""
    return "option %s of %s %s%s" % (option, "port" if link.port_of else "link", link.ref, where)


def _in_datapath(port: WantedPort, userspace: t.Container[t.Tuple[str, str]]) -> t.Tuple[str, ...]:
    """Links whose master becomes the datapath: existing links that are ports of bridges with the kernel datapath.

    The datapath netdev uses packet sockets, so the kernel allows such a link to have a master as well.
    """
    if (
        not port.present
        or (port.database, port.bridge) in userspace
        or port.interface.get("type") not in (None, "", "system")
    ):
        return ()
    return (port.name,) if port.interfaces is None else port.interfaces


def _masters(wanted: Wanted) -> t.Iterator[str]:
    claims: Claims = collections.defaultdict(list)
    for end, prefix in _ends(wanted):
        if "master" in end.values:
            option = "bridge" if end.port_of else prefix + "master"
            claims[end.ref].append((end.values["master"], _place(option, end)))
        for name in end.ports or ():
            claims[Ref(end.ref.netns, name)].append((end.ref.name, _place("ports", end)))
    userspace = {
        (bridge.database, bridge.name)
        for bridge in wanted.ovs_bridges
        if bridge.values.get("datapath_type") == "netdev"
    }
    for port in wanted.ovs_ports:
        for ref in (Ref(OWN, name) for name in _in_datapath(port, userspace)):
            # The kernel reports the link of the datapath as the master.
            claims[ref] = [claim for claim in claims[ref] if claim[0] not in ("", "ovs-system")]
            claims[ref].append((port.bridge, "option ports of OVS bridge '%s'" % port.bridge))
    for ref, told in claims.items():
        if len({master for master, _place in told}) > 1:
            yield "Link %s can have one master only, and this document gives it %s." % (
                ref,
                " and ".join("'%s' (%s)" % claim if claim[0] else "none (%s)" % claim[1] for claim in _each(told)),
            )
    yield from _purged(wanted, claims)


def _purged(wanted: Wanted, claims: Claims) -> t.Iterator[str]:
    """Ports that ``purge_ports`` or their own document removes from a bridge, and another document adds."""
    purging = {end.ref: end for end, _prefix in _ends(wanted) if end.purge_ports}
    for ref, told in claims.items():
        for master, place in told:
            bridge = purging.get(Ref(ref.netns, master))
            if bridge and ref.name not in (bridge.ports or ()):
                yield "Link %s can't become a port of '%s' (%s): %s removes the ports that option ports doesn't list." % (
                    ref,
                    master,
                    place,
                    _place("purge_ports", bridge),
                )
    for link in wanted.links:
        for master, place in claims.get(link.ref, ()) if link.port_of and not link.present else ():
            if master == link.port_of:
                yield "Link %s can't be a port of '%s' (%s) and not be one (%s)." % (
                    link.ref,
                    master,
                    place,
                    _place("state", link),
                )


def _each(claims: t.Sequence[t.Tuple[t.Any, str]]) -> t.List[t.Tuple[t.Any, str]]:
    """One claim for each value, in order."""
    return list({value: (value, place) for value, place in reversed(claims)}.values())[::-1]


def _promiscuous(wanted: Wanted) -> t.Iterator[str]:
    claims: Claims = collections.defaultdict(list)
    for end, prefix in _ends(wanted):
        if "promisc" in end.values:
            claims[end.ref].append((end.values["promisc"], _place(prefix + "promisc", end)))
        for name in (end.ports or ()) if end.ports_promisc is not None else ():
            claims[Ref(end.ref.netns, name)].append((end.ports_promisc, _place("ports_promisc", end)))
    for ref, told in claims.items():
        if len({value for value, _place in told}) > 1:
            yield "Link %s can't be promiscuous and not: %s." % (
                ref,
                " and ".join("%s says %s" % (place, str(value).lower()) for value, place in _each(told)),
            )


def _absent(wanted: Wanted) -> t.Iterator[str]:
    """Things that the document requires and removes."""
    links = {link.ref: link for link in wanted.links if not link.present and not link.port_of}
    namespaces = {netns.name for netns in wanted.namespaces if not netns.present}
    for end, prefix in _ends(wanted):
        needed = [Ref(end.ref.netns, name) for name in (end.values.get("master"), *(end.ports or ())) if name]
        needed += [end.parent] if end.parent else []
        options = {end.values.get("master"): prefix + "master"}
        for ref in needed:
            if ref in links:
                option = "parent" if ref == end.parent else "bridge" if end.port_of else options.get(ref.name, "ports")
                yield "Link %s is needed by %s, and this document removes it (%s)." % (
                    ref,
                    _place(option, end),
                    _place("state", links[ref]),
                )
        if end.ref.netns in namespaces:
            yield "Namespace '%s' is needed by %s, and this document removes it (option state of namespace '%s')." % (
                end.ref.netns,
                _place(prefix + "netns", end),
                end.ref.netns,
            )


def _names(wanted: Wanted) -> t.Iterator[str]:
    """Links of the same name that both Open vSwitch and an element of ``links`` create."""
    made = {end.ref.name: end for end, _prefix in _ends(wanted) if end.ref.netns == OWN and end.kind in registry.KINDS}
    ovs = {
        bridge.name: "the local port of OVS bridge '%s'" % bridge.name
        for bridge in wanted.ovs_bridges
        if bridge.present
    }
    internal = (port for port in wanted.ovs_ports if port.present and port.interface.get("type") == "internal")
    ovs.update((port.name, "the internal port '%s' of OVS bridge '%s'" % (port.name, port.bridge)) for port in internal)
    for name in ovs.keys() & made.keys():
        yield "Link %s can't be made as %s (%s) and as %s; describe it with 'kind: link' for options of its link." % (
            made[name].ref,
            made[name].kind,
            _place("kind", made[name]),
            ovs[name],
        )


def _routes(wanted: Wanted) -> t.Iterator[str]:
    """Routes with the same destination, table and metric through several links of a namespace."""
    seen: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], t.Tuple[WantedLink, str]] = {}
    for end, prefix in _ends(wanted):
        for route in end.routes or ():
            other, place = seen.setdefault((end.ref.netns, route.key), (end, _place(prefix + "routes", end)))
            if other is not end:
                yield "There are two routes to %s with the same metric and table: %s and %s; give one of them another metric." % (
                    route.to,
                    place,
                    _place(prefix + "routes", end),
                )


def _loopbacks(wanted: Wanted) -> t.Iterator[str]:
    states = {netns.name: netns.loopback for netns in wanted.namespaces if netns.present}
    for end, _prefix in _ends(wanted):
        state = end.values.get("state")
        if end.ref.name == "lo" and state and states.get(end.ref.netns, state == "up") != (state == "up"):
            yield "Link %s can't be %s (%s): option loopback of namespace '%s' is %s." % (
                end.ref,
                state,
                _place("state", end),
                end.ref.netns,
                str(states[end.ref.netns]).lower(),
            )
