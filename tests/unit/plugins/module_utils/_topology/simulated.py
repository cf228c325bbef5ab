# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topologies at random: documents that mostly make sense, of one name, for hosts that have other things already."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import Wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import (
    bridge_values,
    port_settings,
    values,
)

Document = t.Dict[str, t.Any]
Place = t.Tuple[str, str]

NAMESPACES = ("blue", "green")
FOREIGN_BRIDGE = "br9"  # a bridge in the own namespace that the world may have


def some(**options: st.SearchStrategy[t.Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries({}, optional=options)


own_of_bridges = bridge_values.map(lambda own: {key: own[key] for key in own if not key.startswith("vlan")})
own_of_taps = some(multi_queue=st.booleans(), vnet_hdr=st.booleans(), owner=st.just("nobody"))
own_of_macvlans = some(mode=st.sampled_from(["bridge", "vepa", "private"]), bcqueuelen=st.just(2000))


def _end(draw: st.DrawFn, place: Place, number: int, **more: t.Any) -> Document:
    """What can be said of whichever link; the number keeps addresses and routes of different links apart."""
    netns, name = place
    document: Document = {"name": name, **({"netns": netns} if netns else {}), **draw(values), **more}
    document.pop("promisc", None)  # an Open vSwitch that has the link decides on that
    if draw(st.booleans()):
        document["addresses"] = draw(
            st.sampled_from([[], ["10.0.%d.1/24" % number], ["10.0.%d.1/24" % number, "fd00:%d::1/64" % number]])
        )
        document["purge_addresses"] = draw(st.booleans())
        if document["addresses"] and document.get("state") == "up" and draw(st.booleans()):
            document["routes"] = [{"to": "10.9.%d.0/24" % number, "via": "10.0.%d.9" % number, "metric": number}]
    if draw(st.booleans()):
        neighbor = {"address": "10.0.%d.8" % number, "mac": "02:00:00:00:00:08"}
        document["neighbors"] = draw(st.sampled_from([[], [neighbor], [{"address": "fd00::8", "proxy": True}]]))
        document["purge_neighbors"] = draw(st.booleans())
    return document


class _Builder:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.namespaces = [name for name in NAMESPACES if draw(st.integers(0, 3))]
        self.links: t.List[Document] = []
        self.bridges: t.List[Place] = [("", FOREIGN_BRIDGE)]
        self.free: t.List[Place] = []  # links that nothing is upon, and that are in no bridge
        self.number = 0

    def place(self, name: str) -> Place:
        return (self.draw(st.sampled_from(["", *self.namespaces])), name)

    def sometimes(self) -> bool:
        return bool(self.draw(st.integers(0, 2)))

    def end(self, place: Place, masters: bool = True, **more: t.Any) -> Document:
        self.number += 1
        bridges = [name for netns, name in self.bridges if netns == place[0]] if masters else []
        master = self.draw(st.sampled_from(["", "", *bridges]))
        if not master:
            self.free.append(place)
            return _end(self.draw, place, self.number, **more)
        if self.draw(st.integers(0, 3)) == 0:
            netns = {"netns": place[0]} if place[0] else {}
            port = {"kind": "linux_bridge_port", "bridge": master, "name": place[1], **netns}
            self.links.append({**port, **self.draw(port_settings)})
        return _end(self.draw, place, self.number, master=master, **more)

    def build(self) -> Document:
        for name in ("br0", "br1"):
            if self.sometimes():
                place = self.place(name)
                own = self.draw(own_of_bridges)
                self.links.append({**self.end(place, masters=False), "kind": "linux_bridge", **own})
                self.bridges.append(place)
        for number in range(3):
            if self.sometimes():
                peer = self.end(self.place("w%d" % number))
                self.links.append({**self.end(self.place("v%d" % number)), "kind": "veth", "peer": peer})
        for name in ("t0", "t1"):
            if self.sometimes():
                own = self.draw(own_of_taps)
                self.links.append(
                    {**self.end(self.place(name)), "kind": "tuntap", "mode": "tap", **own, "recreate": True}
                )
        lower = [place for place in self.free if place[1][0] in "vwb"]
        if lower and self.sometimes():
            netns, parent = self.draw(st.sampled_from(lower))
            self.free.remove((netns, parent))
            own = {"parent": parent, "parent_netns": netns, **self.draw(own_of_macvlans)}
            document = self.end(self.place("x0"), masters=False)
            if self.sometimes():  # most of them would be above their parent's
                document.pop("mtu", None)
            self.links.append({**document, "kind": "macvlan", **own, "recreate": True})
        switches = self.switches()
        return {
            "name": "lab",
            "state": "present" if self.draw(st.integers(0, 9)) else "absent",
            "purge": bool(self.draw(st.integers(0, 5))),
            "namespaces": [{"name": name} for name in self.draw(st.permutations(self.namespaces))],
            "links": self.draw(st.permutations(self.links)),
            "ovs_bridges": self.draw(st.permutations(switches)),
        }

    def switches(self) -> t.List[Document]:
        names = [name for name in ("ovs0", "ovs1") if self.draw(st.booleans())]
        switches = []
        for name in names:
            ports: t.List[Document] = []
            if len(names) == 2:
                ports.append({"name": "to-" + name, "type": "patch", "peer": "to-" + names[name == names[0]]})
            if self.draw(st.booleans()):
                ports.append(self.internal(name))
            here = [place for place in self.free if not place[0] and place[1][0] in "vwt"]
            if here and self.draw(st.booleans()):
                link = self.draw(st.sampled_from(here))
                self.free.remove(link)
                ports.append({"name": link[1], **self.draw(some(tag=st.sampled_from(["", "7"])))})
            some_ids = self.draw(some(external_ids=st.sampled_from([{}, {"k": "v"}])))
            switches.append({"name": name, "datapath_type": "netdev", "ports": ports, **some_ids})
        return switches

    def internal(self, bridge: str) -> Document:
        """An internal port, the link of which has a namespace of its own if that is there."""
        number = int(bridge[-1])
        name, home = "i%d" % number, NAMESPACES[number]
        if self.draw(st.booleans()):
            place = (home if home in self.namespaces else "", name)
            self.number += 1
            document = _end(self.draw, place, self.number)
            for option in ("mac", "mtu"):  # Open vSwitch decides on these
                document.pop(option, None)
            self.links.append({**document, "kind": "link", **({"move_from": ""} if place[0] else {})})
        return {"name": name, "type": "internal", **self.draw(some(tag=st.sampled_from(["", "7", "8"])))}


@st.composite
def topologies(draw: st.DrawFn) -> Document:
    """The options of a topology."""
    return _Builder(draw).build()


def wanted(document: Document) -> Wanted:
    """What a topology with such options wants."""
    complete, wrong = topology.validate(topology_options(), document)
    assert not wrong
    return topology.read(complete)
