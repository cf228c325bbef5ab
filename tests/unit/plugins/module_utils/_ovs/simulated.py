# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open vSwitches and wishes at random: what the laws of its planner and of its documents are tested with."""

from __future__ import annotations

import typing as t

from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_documents import read_bridge
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import INTERFACE, PORT, Switch
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_documents import read_port
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import ColumnSet
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import SimulatedHost

BRIDGES = ("br0", "br1", "fake")
DEVICES = ("m1", "m2", "m3")  # links that are there
PORTS = ("p", "q", "d-ash", "bond", *DEVICES)
TEXTS = (
    "",
    "x",
    "a b",
    '"',
    "'",
    "=",
    "a,b",
    "{}",
    "[",
    "\\",
    "\\n",
    "\n",
    "中文",
    "\u2028\x85",
    "--",
    "@x",
    "true",
    "é" * 2048,
)
KEYS = ("k", "a=b", "--", '"k"', "中", "-x", "two words")


class SimulatedOvs(SimulatedHost):
    """An Open vSwitch that sets up whatever it is given, but for what is called ``broken``."""

    def observe(self, wanted: Wanted) -> State:
        seen: State = self.state.copy()
        for switch in seen.ovs.values():
            for name, interface in switch.interfaces.items():
                switch.interfaces[name] = interface._replace(
                    ofport=-1 if name == "broken" else 1, error="it is broken" if name == "broken" else ""
                )
        return seen


def some(**options: st.SearchStrategy[t.Any]) -> st.SearchStrategy[t.Dict[str, t.Any]]:
    return st.fixed_dictionaries({}, optional=options)


def lists(*elements: str) -> st.SearchStrategy[t.List[str]]:
    return st.lists(st.sampled_from(elements), unique=True, max_size=3)


maps = st.dictionaries(st.sampled_from(KEYS), st.none() | st.sampled_from(TEXTS), max_size=3)
bridge_options = some(
    datapath_type=st.just("netdev"),
    fail_mode=st.sampled_from(["", "secure", "standalone"]),
    protocols=lists("OpenFlow10", "OpenFlow13", "OpenFlow15"),
    controllers=lists("tcp:127.0.0.1:6653", "ptcp:16654", "unix:/nowhere"),
    stp=st.booleans(),
    mcast_snooping=st.booleans(),
    mac=st.sampled_from(["", "02:00:00:00:00:01", "02:00:00:00:00:AB"]),
    external_ids=maps,
    other_config=some(hello=st.sampled_from(["", "1"])) | st.just({"hello": None}),
    ports=lists(*DEVICES),
)
port_options = some(
    tag=st.sampled_from(["", "0", "7", "10"]),
    trunks=lists("10", "20-22", "0", "4095"),
    vlan_mode=st.sampled_from(["", "access", "trunk", "native-tagged", "dot1q-tunnel"]),
    protected=st.booleans(),
    lacp=st.sampled_from(["", "active", "off"]),
    external_ids=maps,
    other_config=some(hello=st.none() | st.just("1")),
    move_from=st.sampled_from(BRIDGES),
)
interface_options = some(
    mtu_request=st.sampled_from(["", "1400"]),
    ofport_request=st.sampled_from(["", "77", "78"]),
    interface_external_ids=maps,
)
TYPES: t.Dict[str, st.SearchStrategy[t.Dict[str, t.Any]]] = {
    "": st.just({}),
    "system": st.just({}),
    "internal": some(mac=st.sampled_from(["", "02:00:00:00:00:02", "02:00:00:00:00:CD"])),
    "patch": st.builds(lambda peer: {"peer": peer}, st.sampled_from(PORTS)),
    "vxlan": st.fixed_dictionaries(
        {"remote_ip": st.sampled_from(["192.0.2.1", "192.0.2.2"])},
        optional={
            "key": st.sampled_from(["", "1", "2"]),
            "dst_port": st.sampled_from(["", "4790"]),
            "options": st.sampled_from([{}, {"csum": "true"}, {"csum": None, "tos": "inherit"}]),
        },
    ),
}


@st.composite
def bridges(draw: st.DrawFn) -> t.Dict[str, t.Any]:
    name = draw(st.sampled_from(BRIDGES))
    document: t.Dict[str, t.Any] = {"name": name, "state": "present" if draw(st.integers(0, 4)) else "absent"}
    if name == "fake":
        own = {"parent": draw(st.sampled_from(BRIDGES[:2])), "vlan": 10} if draw(st.integers(0, 4)) else {}
        return {**document, **own, **draw(some(external_ids=maps, ports=lists(*DEVICES)))}
    document.update(draw(bridge_options))
    # Bridges of the other type need a kernel that has Open vSwitch.
    document.setdefault("datapath_type", "netdev")
    return {**document, **_purges(draw, document, "protocols", "controllers", "ports")}


@st.composite
def ports(draw: st.DrawFn) -> t.Dict[str, t.Any]:
    document = {
        "bridge": draw(st.sampled_from(BRIDGES)),
        "name": draw(st.sampled_from(PORTS)),
        "state": "present" if draw(st.integers(0, 4)) else "absent",
        **draw(port_options),
    }
    if document["name"] == "bond":
        document.update(draw(some(interfaces=lists(*DEVICES), bond_mode=st.sampled_from(["", "balance-slb"]))))
    else:
        document.update(draw(interface_options))
        kind = draw(st.sampled_from(["", "system"] if document["name"] in DEVICES else sorted(TYPES)))
        document.update({"type": kind} if kind else {}, **draw(TYPES[kind]))
    return {**document, **_purges(draw, document, "trunks", "interfaces")}


def _purges(draw: st.DrawFn, document: t.Dict[str, t.Any], *options: str) -> t.Dict[str, bool]:
    return {"purge_" + option: draw(st.booleans()) for option in options if option in document}


def wish(bridge: t.Optional[t.Dict[str, t.Any]] = None, port: t.Optional[t.Dict[str, t.Any]] = None) -> Wanted:
    """What a task asks for with such options."""
    if bridge is not None:
        return Wanted(ovs_bridges=(read_bridge(bridge),))
    assert port is not None
    return Wanted(ovs_ports=(read_port(port),))


wanted_ports = st.builds(lambda document: wish(port=document), ports())
wanteds = st.builds(lambda document: wish(bridge=document), bridges()) | wanted_ports


@st.composite
def states(draw: st.DrawFn) -> State:
    """What became of an empty Open vSwitch after some wishes, and of somebody who has done something else."""
    state = State(ovs={"": Switch(interface_types=("system", "internal", "patch", "vxlan"))})
    first = [wish(bridge={"name": "br0", "state": "present", "datapath_type": "netdev"})] if draw(st.booleans()) else []
    for wanted in [*first, *draw(st.lists(wanteds, max_size=5))]:
        try:
            plan = make_plan(state, wanted)
        except Failure:
            continue
        if not plan.missing:
            state = plan.after
    for name in sorted(state.ovs[""].ports):
        if draw(st.booleans()):
            ColumnSet("", PORT, name, "cvlans", (), (5, 6)).simulate(state)
            for interface in state.ovs[""].ports[name].interfaces:
                ColumnSet("", INTERFACE, interface, "bfd", {}, {"enable": "true"}).simulate(state)
    return state
