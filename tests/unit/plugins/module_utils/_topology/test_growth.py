# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Four times as much is four times the work, for every list of a topology's document and every phase of a task.

Work is counted in lines of Python that are run, each pass of a loop among them; so the result does not depend on the computer.
"""

from __future__ import annotations

import sys
import typing as t
from types import FrameType

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, simulate, undo
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Netns, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import write_topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.test_plan import Host

# Linear is 4, quadratic is 16; sorting adds a little.
FACTOR, LIMIT = 4, 5.5


def _hex(number: int) -> str:
    return "%x:%x" % (number >> 16, number & 0xFFFF)


def _up(name: str, **more: t.Any) -> Document:
    return {"name": name, "kind": "tuntap", "mode": "tap", "state": "up", **more}


def _taps(count: int) -> t.List[Document]:
    return [{"name": "t%d" % n, "kind": "tuntap", "mode": "tap"} for n in range(count)]


def _bridges(count: int) -> t.List[Document]:
    return [{"name": "br%d" % n, "kind": "linux_bridge"} for n in range(0, count, 500)]


def _port(number: int) -> Document:
    return {"name": "t%d" % number, "kind": "linux_bridge_port", "bridge": "br%d" % (number - number % 500)}


def _macvlan(number: int, parent: str) -> Document:
    return {"name": "m%d" % number, "kind": "macvlan", "parent": parent, "mode": "bridge"}


def _switch(*ports: Document, **more: t.Any) -> Document:
    return {"name": "ovs0", "datapath_type": "netdev", "ports": [*ports], **more}


LISTS: t.Dict[str, t.Tuple[int, t.Callable[[int], Document]]] = {
    "namespaces": (400, lambda n: {"namespaces": [{"name": "n%d" % i} for i in range(n)]}),
    "sysctls": (
        1000,
        lambda n: {"namespaces": [{"name": "n", "sysctls": {"net.ipv4.conf.c%d.arp_ignore" % i: 1 for i in range(n)}}]},
    ),
    "pairs": (
        200,
        lambda n: {
            "namespaces": [{"name": "n%d" % i} for i in range(n)],
            "links": [
                {"name": "v%d" % i, "kind": "veth", "state": "up", "peer": {"name": "w", "netns": "n%d" % i}}
                for i in range(n)
            ],
        },
    ),
    "ports of bridges by master": (
        400,
        lambda n: {"links": [*_bridges(n), *(_up("t%d" % i, master="br%d" % (i - i % 500)) for i in range(n))]},
    ),
    "ports of bridges by document": (
        300,
        lambda n: {"links": [*_bridges(n), *_taps(n), *(_port(i) for i in range(n))]},
    ),
    "ports of one bridge": (
        250,
        lambda n: {
            "links": [
                *_taps(n),
                {"name": "br", "kind": "linux_bridge", "ports": ["t%d" % i for i in range(n)], "purge_ports": True},
            ]
        },
    ),
    "macvlans on one parent": (300, lambda n: {"links": [_up("t0"), *(_macvlan(i, "t0") for i in range(n))]}),
    "macvlans on many parents": (
        200,
        lambda n: {"links": [*_taps(n), *(_macvlan(i, "t%d" % i) for i in range(n))]},
    ),
    "macaddrs": (
        2000,
        lambda n: {
            "links": [
                _up("t0"),
                {
                    **_macvlan(0, "t0"),
                    "mode": "source",
                    "macaddrs": ["02:00:00:00:%02x:%02x" % divmod(i, 256) for i in range(n)],
                },
            ]
        },
    ),
    "addresses of a subnet": (
        1000,
        lambda n: {
            "links": [_up("t0", addresses=["10.0.%d.%d/16" % divmod(i, 256) for i in range(n)], purge_addresses=True)]
        },
    ),
    "addresses of subnets": (
        1000,
        lambda n: {
            "links": [_up("t0", addresses=["10.%d.%d.1/24" % divmod(i, 256) for i in range(n)], purge_addresses=True)]
        },
    ),
    "IPv6 addresses": (
        1000,
        lambda n: {"links": [_up("t0", addresses=["fd00::%s/64" % _hex(i) for i in range(n)], purge_addresses=True)]},
    ),
    "routes": (
        1000,
        lambda n: {
            "links": [
                _up(
                    "t0",
                    addresses=["10.0.0.1/24"],
                    routes=[{"to": "10.%d.%d.0/24" % divmod(i + 256, 256), "via": "10.0.0.2"} for i in range(n)],
                    purge_routes=True,
                )
            ]
        },
    ),
    "vlans": (
        1000,
        lambda n: {
            "links": [
                {"name": "br0", "kind": "linux_bridge", "vlan_filtering": True, "vlan_default_pvid": 1},
                *_taps(1),
                {**_port(0), "vlans": [{"vid": i + 2, "untagged": bool(i % 2)} for i in range(n)], "purge_vlans": True},
            ]
        },
    ),
    "OVS bridges": (
        200,
        lambda n: {"ovs_bridges": [{"name": "o%d" % i, "datapath_type": "netdev"} for i in range(n)]},
    ),
    "OVS ports": (
        500,
        lambda n: {"ovs_bridges": [_switch(*({"name": "p%d" % i, "type": "internal", "tag": "7"} for i in range(n)))]},
    ),
    "OVS ports of links": (
        300,
        lambda n: {"links": _taps(n), "ovs_bridges": [_switch(*({"name": "t%d" % i} for i in range(n)))]},
    ),
    "OVS controllers": (
        1000,
        lambda n: {"ovs_bridges": [_switch(controllers=["tcp:10.0.0.1:%d" % (i + 1) for i in range(n)])]},
    ),
    "OVS external_ids": (2000, lambda n: {"ovs_bridges": [_switch(external_ids={"k%d" % i: "v" for i in range(n)})]}),
    "OVS trunks": (
        1000,
        lambda n: {"ovs_bridges": [_switch({"name": "p", "type": "internal", "trunks": [str(i) for i in range(n)]})]},
    ),
    "interfaces of an OVS bond": (
        500,
        lambda n: {
            "links": _taps(n),
            "ovs_bridges": [_switch({"name": "bond", "interfaces": ["t%d" % i for i in range(n)]})],
        },
    ),
}


class _Counter:
    """The lines that are run, by phase."""

    def __init__(self) -> None:
        self.lines: t.Dict[str, int] = {}

    def measure(self, phase: str, work: t.Callable[[], t.Any]) -> t.Any:
        count = 0

        def trace(_frame: FrameType, event: str, _arg: object) -> t.Any:
            nonlocal count
            count += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return work()
        finally:
            sys.settrace(before)
            self.lines[phase] = count


class _Linear(Host):
    """A simulated host that knows all of a link from its birth."""

    def observe(self, wanted: Wanted) -> State:
        if not wanted.namespaces:
            return super().observe(wanted)
        for asked in wanted.namespaces:
            netns = self.state.namespaces.get(asked.name)
            if netns:
                sysctls = {**dict.fromkeys(asked.sysctls, "0"), **netns.sysctls}
                self.state.namespaces[asked.name] = Netns(asked.name, sysctls, netns.identity)
        return super().observe(wanted)


def _phases(document: Document) -> t.Dict[str, int]:
    """How much work a topology is that is made, found to be there, taken back, and removed."""
    empty = {"name": "lab", "namespaces": [], "links": [], "ovs_bridges": []}
    links = {Ref("", "lo"): Link(Ref("", "lo"), index=1)}
    host = _Linear(State(namespaces={"": Netns("")}, links=links, ovs={"": Switch()}, boot="this"))
    counter = _Counter()
    asked = counter.measure("read", lambda: wanted({**empty, **document}))
    here = host.locate(asked)
    plan: Plan = counter.measure("plan", lambda: PLANNING.make_plan(host.observe(here), here))
    assert plan.steps
    assert not plan.missing
    counter.measure("commands", lambda: plan.commands)
    back = counter.measure("undo", lambda: undo(PLANNING, plan.before, plan.steps).steps)
    taken_back = plan.after.copy()
    counter.measure("simulate", lambda: simulate(taken_back, back))
    counter.measure("differences", lambda: PLANNING.differences(plan.before, taken_back, plan.steps))
    assert not PLANNING.differences(plan.before, taken_back, plan.steps)
    simulate(host.state, plan.steps)
    host.commit(plan, host.state)
    again = counter.measure("again", lambda: converge(host, PLANNING, asked, True))
    assert not again.plan.steps
    counter.measure("document", lambda: write_topology(again.now, again.wanted, again.plan))
    counter.measure("repair", lambda: PLANNING.make_repair(plan.before, plan.after, True))
    for phase, left in (("purge", {**empty, **_emptied(document)}), ("absent", {**empty, "state": "absent"})):
        gone = counter.measure(phase, lambda left=left: converge(host, PLANNING, wanted(left), True))
        counter.measure("undo of " + phase, lambda gone=gone: undo(PLANNING, gone.plan.before, gone.plan.steps))
    return counter.lines


def _emptied(document: Document) -> Document:
    """The same topology, whose elements have empty lists where they had any."""
    return {
        **document,
        "namespaces": [],
        "links": [
            {option: [] if isinstance(value, list) else value for option, value in link.items()}
            for link in document.get("links", [])
            if "peer" not in link
        ],
        "ovs_bridges": [{**bridge, "ports": []} for bridge in document.get("ovs_bridges", [])],
    }


@pytest.mark.parametrize("name", LISTS)
def test_the_work_grows_with_the_lists(name: str) -> None:
    count, document = LISTS[name][0] // 4, LISTS[name][1]
    few, many = _phases(document(count)), _phases(document(FACTOR * count))
    assert {phase: (few[phase], many[phase]) for phase in many if many[phase] > LIMIT * few[phase]} == {}
