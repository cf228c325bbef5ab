# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
import typing as t

import pytest
from hypothesis import HealthCheck, assume, given, settings

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Conflict, Failure, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge, roll_back
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step, undo
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Address,
    Link,
    Netns,
    Ref,
    Route,
    Vlan,
    WantedLink,
    WantedNetns,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.order import in_settling_order
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import (
    PLANNING,
    differences,
    make_plan,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.routes import Near
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._links.steps import LinkDel
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import (
    SimulatedHost,
    states,
    wanteds,
)

# The same examples each time, so that a change is judged by what it changes; EXPLORE=2000 goes looking for new ones.
laws = settings(
    max_examples=int(os.environ.get("EXPLORE", "200")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def plan_or_skip(state: State, wanted: Wanted) -> Plan:
    try:
        plan = make_plan(state, wanted)
    except Failure:
        assume(False)
    assume(not plan.missing)
    return plan


@laws
@given(states(), wanteds)
def test_a_plan_applied_satisfies_what_was_wanted(state: State, wanted: Wanted) -> None:
    plan = plan_or_skip(state, wanted)
    again = make_plan(plan.after, wanted)
    assert again.steps == []
    assert not again.missing


@laws
@given(states(), wanteds)
def test_planning_changes_nothing(state: State, wanted: Wanted) -> None:
    before = state.copy()
    plan = plan_or_skip(state, wanted)
    assert state == before
    assert plan.before is state


@laws
@given(states(), wanteds)
def test_the_state_that_a_plan_foretells_is_what_its_steps_leave_behind(state: State, wanted: Wanted) -> None:
    plan = plan_or_skip(state, wanted)
    host = SimulatedHost(state)
    for step in plan.steps:
        host.run([step])
    assert host.state == plan.after


def _is_final(step: Step) -> bool:
    """Deletions run last, because a link of a kind that the engine doesn't know can't be made again."""
    return isinstance(step, LinkDel) and step.link.kind not in KINDS


@laws
@given(states(), wanteds)
def test_undoing_restores_from_wherever_a_plan_stopped(state: State, wanted: Wanted) -> None:
    plan = plan_or_skip(state, wanted)
    for stop in range(len(plan.steps) + 1):
        if stop and _is_final(plan.steps[stop - 1]):
            break
        host = SimulatedHost(state)
        for step in plan.steps[:stop]:
            host.run([step])
        assert roll_back(host, PLANNING, wanted, state, plan.steps[:stop]) == []
        assert differences(state, host.observe(wanted)) == []


@laws
@given(states(), wanteds)
def test_what_nobody_asked_for_is_left_alone(state: State, wanted: Wanted) -> None:
    assume(wanted.links and not wanted.links[0].recreate and wanted.links[0].present)
    plan = plan_or_skip(state, wanted)
    touched = {end.ref for end in wanted.links[0].ends()} | {ref for ref in plan.found.values() if ref}
    touched |= {peer for ref in touched for peer in [state.links[ref].peer if ref in state.links else None] if peer}
    for ref, link in state.links.items():
        if ref not in touched:
            now = plan.after.links[ref]
            assert (now.addresses, now.routes, now.kind, now.index) == (
                link.addresses,
                link.routes,
                link.kind,
                link.index,
            )
            left = {"master", "mtu", "mac"}  # a port's master was asked for; a bridge's MTU and MAC follow its ports
            assert {k: v for k, v in now.values.items() if k not in left} == {
                k: v for k, v in link.values.items() if k not in left
            }


def test_absence_takes_the_pair_of_either_end_and_nobody_elses() -> None:
    wanted = WantedLink(Ref("", "a"), "veth", present=False, peer=WantedLink(Ref("", "b"), "veth"))
    moved = a_pair(Ref("blue", "a"), Ref("", "b"))
    assert commands(host_with(*moved), wanted) == ["ip link del dev b"]
    foreign = a_pair(Ref("", "x"), Ref("", "b"))
    assert commands(host_with(*foreign), wanted) == []
    assert commands(host_with(*a_pair(Ref("", "a"), Ref("", "y")), *moved), wanted) == [
        "ip link del dev a",
        "ip link del dev b",
    ]


def host_with(*links: Link) -> State:
    state = State({"": Netns(""), "blue": Netns("blue")})
    for link in links:
        state.put(link)
    return state


def a_link(name: str, kind: str = "dummy", netns: str = "", **more: t.Any) -> Link:
    values = {"mtu": 1500, "state": "up", "master": "", "alias": "", "promisc": False, **more.pop("values", {})}
    return Link(Ref(netns, name), kind, values=values, **more)


def a_pair(one: Ref, other: Ref) -> t.List[Link]:
    return [a_link(a.name, "veth", a.netns, peer=b) for a, b in ((one, other), (other, one))]


def commands(state: State, wanted: WantedLink) -> t.List[str]:
    return [" ".join(argv) for argv in make_plan(state, Wanted(links=(wanted,))).commands]


def test_commands_are_what_an_admin_would_type() -> None:
    wanted = WantedLink(
        Ref("blue", "eth0"),
        "veth",
        values={"mtu": 1400, "state": "up"},
        addresses=("10.0.0.2/24",),
        routes=(Route("0.0.0.0/0", "10.0.0.1"),),
        peer=WantedLink(Ref("", "port"), "veth", values={"master": "br0"}),
    )
    assert commands(host_with(a_link("br0", "linux_bridge")), wanted) == [
        "ip link add name port type veth peer name eth0 mtu 1400 netns blue",
        "ip link set dev port master br0",
        "ip -n blue address add 10.0.0.2/24 dev eth0",
        "ip -n blue link set dev eth0 up",
        "ip -n blue route add default via 10.0.0.1 dev eth0 proto static",
    ]


def test_a_link_that_must_go_down_for_its_name_gets_everything_back() -> None:
    one, other = a_pair(Ref("", "a"), Ref("", "b"))
    one = Link(**{**vars(one), "addresses": (Address("fd00::1/64"),), "routes": (Route("::/0", "fd00::2", 1024),)})
    state = host_with(one, other)
    state.live_rename = False
    wanted = WantedLink(Ref("", "new"), "veth", peer=WantedLink(Ref("", "b"), "veth"), rename_from="a")
    assert commands(state, wanted) == [
        "ip link set dev a down",
        "ip link set dev a name new",
        "ip address add fd00::1/64 dev new",
        "ip link set dev new up",
        "ip -6 route add default via fd00::2 dev new metric 1024 proto static",
    ]
    state.live_rename = True
    assert commands(state, wanted) == ["ip link set dev a name new"]


def test_removing_a_primary_address_keeps_its_secondary_ones() -> None:
    link = a_link("a", addresses=tuple(map(Address, ("10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24"))))
    wanted = WantedLink(Ref("", "a"), made=False, addresses=("10.0.0.2/24",), purge_addresses=True)
    assert commands(host_with(link), wanted) == [
        "ip address del 10.0.0.3/24 dev a",
        "ip address del 10.0.0.1/24 dev a",
        "ip address replace 10.0.0.2/24 dev a",
    ]


def test_a_link_that_is_up_loses_its_address_with_the_routes_that_need_it() -> None:
    route = Route("0.0.0.0/0", "10.0.0.254")
    link = a_link("a", addresses=(Address("10.0.0.1/24"),), routes=(route,))
    wanted = WantedLink(
        Ref("", "a"), values={"state": "up"}, made=False, addresses=(), purge_addresses=True, purge_routes=True
    )
    assert commands(host_with(link), wanted) == ["ip address del 10.0.0.1/24 dev a"]


def test_what_cannot_be_undone_comes_last() -> None:
    tap = a_link("a", "tuntap", values={"state": "down", "mode": "tap", "owner": "", "group": ""})
    wanted = WantedLink(
        Ref("", "a"), "tuntap", values={"state": "up", "owner": "nobody"}, routes=(Route("192.0.2.0/24"),)
    )
    assert [line.split()[:3] for line in commands(host_with(tap), wanted)] == [
        ["ip", "link", "set"],
        ["ip", "route", "add"],
        ["ip", "tuntap", "add"],
    ]


def test_an_address_takes_its_broadcast_address_along_to_another_link() -> None:
    extra = (("scope", 0), ("attributes", {"IFA_BROADCAST": "10.0.0.255", "IFA_LABEL": "a"}))
    state = host_with(a_link("a", addresses=(Address("10.0.0.1/24", extra=extra),)), a_link("b"))
    wanted = [
        WantedLink(Ref("", "a"), made=False, addresses=(), purge_addresses=True),
        WantedLink(Ref("", "b"), made=False, addresses=("10.0.0.1/24", "10.0.0.2/24")),
    ]
    assert [" ".join(argv) for argv in make_plan(state, Wanted(links=tuple(wanted))).commands] == [
        "ip address del 10.0.0.1/24 dev a",
        "ip address add 10.0.0.1/24 dev b broadcast 10.0.0.255",
        "ip address add 10.0.0.2/24 dev b",
    ]


def test_a_new_primary_address_goes_before_the_secondary_ones() -> None:
    link = a_link("a", addresses=tuple(map(Address, ("10.0.0.1/24", "10.0.0.2/24"))))
    wanted = WantedLink(Ref("", "a"), made=False, addresses=("10.0.0.3/24", "10.9.0.1/24"))
    after = make_plan(host_with(link), Wanted(links=(wanted,))).after.links[Ref("", "a")]
    assert [a.address for a in after.addresses] == ["10.0.0.1/24", "10.9.0.1/24", "10.0.0.2/24", "10.0.0.3/24"]


def test_a_new_bridge_gets_its_mtu_in_a_step_of_its_own_that_changes_something() -> None:
    made = "ip link add name br0 type bridge"
    for mtu, set_mtu in ((8950, ["8950"]), (1500, ["1499", "1500"])):
        wanted = WantedLink(Ref("", "br0"), "linux_bridge", values={"mtu": mtu})
        expected = [made, *("ip link set dev br0 mtu " + value for value in set_mtu)]
        assert commands(host_with(), wanted) == expected
        # One that has it already may keep it or not; nobody knows, and nothing is to be done.
        assert commands(host_with(a_link("br0", "linux_bridge", values={"mtu": mtu}, ports=())), wanted) == []


def test_a_bridge_with_an_mtu_that_comes_back_is_given_it_after_its_birth() -> None:
    bridge = a_link("br0", "linux_bridge", values={"mtu": 8950}, ports=())
    state = host_with(bridge)
    steps = undo(PLANNING, state, make_plan(state, Wanted(links=(_absent(bridge),))).steps).steps
    words = [" ".join(argv) for step in steps for argv in step.commands()]
    assert words[:2] == ["ip link add name br0 type bridge", "ip link set dev br0 mtu 8950"]


def _absent(link: Link) -> WantedLink:
    return WantedLink(link.ref, link.kind, present=False)


def test_what_is_upon_a_link_follows_its_mtu_down_and_comes_back_with_an_undo() -> None:
    child = a_link("m", "macvlan", netns="blue", parent=Ref("", "e"), values={"mode": "vepa"})
    bridge = a_link("br0", "linux_bridge", netns="blue", ports=("m",), values={"mtu": 1500})
    state = host_with(a_link("e"), child.with_values(master="br0"), bridge)
    plan = make_plan(state, Wanted(links=(WantedLink(Ref("", "e"), made=False, values={"mtu": 1400}),)))
    assert plan.after.links[child.ref].values["mtu"] == 1400
    assert "mtu" not in plan.after.links[bridge.ref].values  # nobody knows whether it has been set
    back = [" ".join(argv) for step in undo(PLANNING, state, plan.steps).steps for argv in step.commands()]
    assert back == ["ip link set dev e mtu 1500", "ip -n blue link set dev m mtu 1500"]


def test_parents_come_before_what_is_upon_them_and_ports_before_what_is_upon_their_bridge() -> None:
    def link(name: str, parent: str = "", **more: t.Any) -> WantedLink:
        return WantedLink(Ref("", name), parent=Ref("", parent) if parent else None, **more)

    links = [
        link("m", "br0"),
        link("n", "e"),
        link("br0", ports=("b",)),
        link("e"),
        link("a", values={"master": "br0"}),
        link("b"),
        link("other"),
    ]
    assert [one.ref.name for one in in_settling_order(links)] == ["a", "b", "br0", "m", "e", "n", "other"]
    loop = [link("x", "y"), link("y", "x")]
    assert {one.ref.name for one in in_settling_order(loop)} == {"x", "y"}


@pytest.mark.parametrize(
    ("values", "has_parent", "lacking"),
    [
        ({}, True, ["mode", "count"]),
        ({"mode": "tap"}, False, ["parent", "count"]),
        ({"mode": "", "count": 0}, True, []),
        ({"mode": False, "count": False}, True, []),
    ],
)
def test_what_is_needed_to_make_a_link(values: t.Dict[str, t.Any], has_parent: bool, lacking: t.List[str]) -> None:
    kind = Kind("some", "some", required_to_create=("parent", "mode", "count"), has_parent=True)
    assert kind.lacking(values, has_parent) == lacking


def test_a_tun_without_a_mode_and_a_macvlan_without_a_parent_are_told_what_is_missing() -> None:
    def missing(kind: str) -> t.List[str]:
        return make_plan(host_with(), Wanted(links=(WantedLink(Ref("", "x"), kind, values={"mtu": 1500}),))).missing

    assert missing("tuntap") == ["There is no tuntap 'x'; to make it, give option mode."]
    assert missing("macvlan") == ["There is no macvlan 'x'; to make it, give option parent."]


@pytest.mark.parametrize("turned", [1, -1])
def test_an_address_and_its_routes_go_to_another_link_in_any_order(turned: int) -> None:
    routes = (Route("0.0.0.0/0", "10.0.0.254"), Route("::/0", "fd00::fe", 1024), Route("10.9.0.0/16", "10.0.0.253"))
    card = a_link("e", addresses=(Address("10.0.0.1/24"), Address("fd00::1/64")), routes=routes)
    other = a_link("f", routes=(Route("10.8.0.0/16", src="10.0.0.1"),))
    wanted = [
        WantedLink(card.ref, made=False, addresses=(), purge_addresses=True),
        WantedLink(Ref("", "g"), made=False, addresses=("10.0.0.1/24", "fd00::1/64"), routes=routes[:2]),
    ]
    plan = make_plan(host_with(card, other, a_link("g")), Wanted(links=tuple(wanted[::turned])))
    assert [" ".join(argv) for argv in plan.commands] == [
        "ip address del fd00::1/64 dev e",
        "ip address del 10.0.0.1/24 dev e",
        "ip -6 route del default via fd00::fe dev e metric 1024",
        "ip address add 10.0.0.1/24 dev g",
        "ip address add fd00::1/64 dev g",
        "ip route add default via 10.0.0.254 dev g proto static",
        "ip -6 route add default via fd00::fe dev g metric 1024 proto static",
        "ip route add 10.8.0.0/16 dev f src 10.0.0.1 proto static",  # nobody speaks of it, and its source was gone
    ]
    assert plan.warnings == [
        "Link 'e' (dummy) loses route 10.9.0.0/16 via 10.0.0.253, because an address that it needs is removed."
    ]


def test_what_a_link_loses_is_told() -> None:
    link = a_link("e", addresses=(Address("10.0.0.1/24"),), routes=(Route("10.9.0.0/16"),))
    down = WantedLink(link.ref, made=False, values={"state": "down"})
    warning = "Link 'e' (dummy) loses route 10.9.0.0/16, because it goes down."
    assert make_plan(host_with(link), Wanted(links=(down,))).warnings == [warning]
    purging = down._replace(routes=(), purge_routes=True)
    assert make_plan(host_with(link), Wanted(links=(purging,))).warnings == []


def test_what_can_be_reached_without_a_gateway() -> None:
    peer = (("attributes", {"IFA_ADDRESS": "10.5.0.1"}),)
    addresses = [Address("10.0.0.1/24"), Address("10.4.0.1/32", extra=peer), Address("fd00::1/64")]
    near = Near(addresses, [Route("10.7.0.1/32"), Route("10.6.0.0/16", origin="kernel")])
    reached = ["10.0.0.9", "10.5.0.1", "10.7.0.1", "fd00::9", "fe80::1", ""]
    assert all(near.reaches(Route("::/0" if ":" in via else "0.0.0.0/0", via)) for via in reached)
    unreached = ["10.0.1.1", "10.4.0.2", "10.6.0.1", "fd01::1"]
    assert not any(near.reaches(Route("::/0" if ":" in via else "0.0.0.0/0", via)) for via in unreached)
    assert near.reaches(Route("0.0.0.0/0", "10.0.1.1", onlink=True))


def test_the_pvid_changes_while_vlan_filtering_is_off_for_a_moment() -> None:
    bridge = a_link("br0", "linux_bridge", values={"vlan_filtering": True, "vlan_default_pvid": 1})
    assert commands(host_with(bridge), WantedLink(bridge.ref, "linux_bridge", values={"vlan_default_pvid": 7})) == [
        "ip link set dev br0 type bridge vlan_filtering 0",
        "ip link set dev br0 type bridge vlan_default_pvid 7",
        "ip link set dev br0 type bridge vlan_filtering 1",
    ]


def test_the_vlans_of_a_port_in_few_commands() -> None:
    bridge = a_link("br0", "linux_bridge", values={"vlan_default_pvid": 1}, ports=())
    wanted = WantedLink(
        Ref("", "a"),
        made=False,
        port_of="br0",
        values={"master": "br0"},
        port={"isolated": True, "cost": 4, "learning": True},
        vlans=(Vlan(5, True, True), Vlan(10), Vlan(11), Vlan(12, False, True)),
        purge_vlans=True,
    )
    assert commands(host_with(bridge, a_link("a")), wanted) == [
        "ip link set dev a master br0",
        "ip link set dev a type bridge_slave cost 4 isolated on",
        "bridge vlan add dev a vid 5 pvid untagged",
        "bridge vlan add dev a vid 10-11",
        "bridge vlan add dev a vid 12 untagged",
        "bridge vlan del dev a vid 1",
    ]


def test_another_pvid_leaves_the_old_one_a_member() -> None:
    port = a_link("a", values={"master": "br0"}, vlans=(Vlan(1, True, True), Vlan(2)))
    wanted = WantedLink(port.ref, made=False, port_of="br0", values={"master": "br0"}, vlans=(Vlan(2, True, None),))
    state = host_with(a_link("br0", "linux_bridge"), port)
    assert commands(state, wanted) == ["bridge vlan add dev a vid 2 pvid"]
    after = make_plan(state, Wanted(links=(wanted,))).after.links[port.ref]
    assert after.vlans == (Vlan(1, False, True), Vlan(2, True, False))


def test_vlans_that_the_kernel_does_not_tell_are_refused() -> None:
    state = host_with(a_link("br0", "linux_bridge"), a_link("a", values={"master": "br0"}))
    state.port_vlans = False
    wanted = WantedLink(Ref("", "a"), made=False, port_of="br0", values={"master": "br0"}, vlans=(Vlan(2),))
    with pytest.raises(Failure, match="CONFIG_BRIDGE_VLAN_FILTERING"):
        make_plan(state, Wanted(links=(wanted,)))


def test_a_link_that_is_made_again_takes_over_what_was_not_asked_for() -> None:
    values = {"mode": "tap", "owner": "root", "group": "", "multi_queue": False, "mac": "02:00:00:00:00:01"}
    addresses = (Address("10.0.0.1/24"),)
    tap = a_link("t", "tuntap", values={**values, "master": "br0", "mtu": 1400}, index=7, addresses=addresses)
    state = host_with(a_link("br0", "linux_bridge", ports=("t",)), tap)
    wanted = WantedLink(Ref("blue", "t"), "tuntap", values={"multi_queue": True}, move_from="", recreate=True)
    assert commands(state, wanted) == [
        "ip link del dev t",
        "ip -n blue tuntap add dev t mode tap user root multi_queue",
        "ip -n blue link set dev t mtu 1400",
        "ip -n blue link set dev t address 02:00:00:00:00:01",
        "ip -n blue link set dev t up",
    ]
    in_place = WantedLink(tap.ref, "tuntap", values={"multi_queue": True}, recreate=True)
    assert commands(state, in_place)[-3:] == [
        "ip link set dev t master br0",
        "ip address add 10.0.0.1/24 dev t",
        "ip link set dev t up",
    ]


def test_a_parent_in_another_namespace_whatever_the_link_is_called() -> None:
    state = host_with(a_link("eth0"), a_link("eth1", netns="blue"))
    wanted = WantedLink(Ref("blue", "type"), "macvlan", values={"mode": "bridge"}, parent=Ref("", "eth0"))
    assert commands(state, wanted) == ["ip link add link eth0 name type netns blue type macvlan mode bridge"]
    wanted = WantedLink(Ref("", "type"), "macvlan", parent=Ref("blue", "eth1"))
    assert commands(state, wanted) == [
        "sh -c ip -n blue link add link eth1 name type netns $$ type macvlan; exit $?",
    ]


def test_a_link_that_wants_its_parent_alone_cannot_wait_for_its_successor() -> None:
    parent = a_link("eth0")
    child = a_link("m", "macvlan", values={"mode": "bridge", "mac": "02:00:00:00:00:01"}, parent=parent.ref)
    wanted = WantedLink(child.ref, "macvlan", values={"mode": "passthru"}, recreate=True)
    plan = make_plan(host_with(parent, child), Wanted(links=(wanted,)))
    assert isinstance(plan.steps[0], LinkDel)
    assert "mac" not in plan.after.links[child.ref].values  # it is that of the parent now


def test_deleting_what_a_process_holds_open_is_told() -> None:
    tap = a_link("t", "tuntap", open_by=("process 4711 (qemu)",))
    plan = make_plan(host_with(tap), Wanted(links=(WantedLink(tap.ref, "tuntap", present=False),)))
    assert plan.warnings == [
        "Link 't' (tuntap) is held open by process 4711 (qemu); deleting it cuts off that process."
    ]


def test_moving_into_the_own_namespace_is_spelled_for_a_shell_that_stays_in_it() -> None:
    state = host_with(a_link("a b", netns="blue"))
    wanted = WantedLink(Ref("", "a b"), made=False, move_from="blue")
    assert commands(state, wanted)[0] == "sh -c ip -n blue link set dev 'a b' netns $$; exit $?"


@pytest.mark.parametrize(
    ("state", "wanted", "sentence"),
    [
        (
            host_with(a_link("br0")),
            WantedLink(Ref("", "br0"), "linux_bridge"),
            r"^Link 'br0' \(dummy\) is not a linux_bridge. No changes were made\.",
        ),
        (
            host_with(a_link("eth0", "")),
            WantedLink(Ref("", "eth0"), "linux_bridge", recreate=True),
            r"^Link 'eth0' \(not virtual\) is not a linux_bridge; it isn't virtual",
        ),
        (
            host_with(a_link("eth0", "")),
            WantedLink(Ref("", "eth0"), made=False, present=False),
            r"^Link 'eth0' \(not virtual\): it isn't virtual, so that it can't be deleted. No changes",
        ),
        (
            host_with(a_link("lo", "")),
            WantedLink(Ref("", "lo"), made=False, present=False),
            r"^Link 'lo' \(the loopback\): it can't be deleted, because the kernel keeps it as long as its namespace exists",
        ),
        (
            host_with(a_link("x", "veth")),
            WantedLink(Ref("", "x"), "linux_bridge", present=False),
            r"^Link 'x' \(veth\) is not a linux_bridge; it was not deleted\.",
        ),
        (
            host_with(*a_pair(Ref("", "a"), Ref("", "c")), a_link("b", "dummy")),
            WantedLink(Ref("", "a"), "veth", peer=WantedLink(Ref("", "b"), "veth")),
            r"^Link 'c' should become 'b', but that is link 'b' \(dummy\)",
        ),
        (
            host_with(a_link("a", "veth")),
            WantedLink(Ref("", "a"), "veth", peer=WantedLink(Ref("", "b"), "veth")),
            r"^The other end of link 'a' \(veth\) can't be reached",
        ),
        (
            host_with(a_link("a"), a_link("br0", "linux_bridge"), a_link("br1", "linux_bridge")),
            WantedLink(Ref("", "br0"), "linux_bridge", ports=("a", "br1")),
            r"a bridge takes no bridges",
        ),
        (
            host_with(a_link("a"), *a_pair(Ref("", "v"), Ref("", "w"))),
            WantedLink(Ref("", "a"), made=False, values={"master": "v"}),
            r"^Link 'v' \(veth\) can't be the master of 'a'",
        ),
        (
            host_with(a_link("a", mtu_range=(68, 1500))),
            WantedLink(Ref("", "a"), made=False, values={"mtu": 9000}),
            r"^Option mtu of link 'a': 9000 is out of range; its driver takes 68 to 1500\.",
        ),
        (
            host_with(a_link("i", "ifb", values={"mac": "02:00:00:00:00:01"})),
            WantedLink(Ref("", "i"), "ifb", values={"mac": "02:00:00:00:00:02"}),
            r"^Link 'i' \(ifb\) can't be changed in place: mac \(.*'recreate: true'",
        ),
        (
            host_with(a_link("i", "ifb", values={"mac": "02:00:00:00:00:01"})),
            WantedLink(Ref("", "i"), made=False, values={"mac": "02:00:00:00:00:02"}),
            r"^Link 'i' \(ifb\) can't be changed in place: mac \(.*virtnet\.linux\.ifb can make it again",
        ),
        (
            host_with(a_link("a", values={"state": "down"})),
            WantedLink(Ref("", "a"), made=False, routes=(Route("10.0.0.0/8"),)),
            r"^Option routes of link 'a': routes need a link that is up",
        ),
        (
            host_with(a_link("m", "macvlan", parent=Ref("", "eth0")), a_link("eth0")),
            WantedLink(Ref("", "n"), "macvlan", parent=Ref("", "m")),
            r"^Link 'm' \(macvlan\) can't be the parent of 'n': .*, 'eth0'; give that one\.",
        ),
        (
            host_with(a_link("m", "macvlan", values={"mode": "vepa"})),
            WantedLink(Ref("", "m"), "macvlan", values={"mode": "passthru"}, recreate=True),
            r"^Link 'm' \(macvlan\) can't be made again without option parent",
        ),
        (
            host_with(a_link("m", "macvlan", values={"mode": "vepa"})),
            WantedLink(Ref("", "m"), "macvlan", values={"macaddrs": ("02:00:00:00:00:01",)}),
            r"^Link 'm': option macaddrs is for mode source, and the mode is vepa\.",
        ),
        (
            host_with(a_link("t", "tuntap", values={"owner": "root"}, open_by=("a process",))),
            WantedLink(Ref("", "t"), "tuntap", values={"owner": "nobody"}),
            r"owner \(a process holds the device open, and would have to end first\)",
        ),
        (
            host_with(a_link("br0", "linux_bridge", netns="blue")),
            WantedLink(Ref("", "br0"), made=False, move_from="blue"),
            r"can't be moved",
        ),
        (
            host_with(a_link("a", ipv6=False)),
            WantedLink(Ref("", "a"), made=False, addresses=("fd00::1/64",), routes=(Route("fd01::/64"),)),
            r"^Options addresses and routes of link 'a': it can't have fd00::1/64, fd01::/64, because IPv6 is switched off on it",
        ),
        (
            dataclasses.replace(host_with(a_link("a")), ipv6=False),
            WantedLink(Ref("", "a"), made=False, addresses=("fd00::1/64",)),
            r"because this kernel has no IPv6",
        ),
        (
            dataclasses.replace(host_with(), namespaces={"": Netns("", ipv6=False)}),
            WantedLink(Ref("", "a"), "tuntap", values={"mode": "tap"}, addresses=("fd00::1/64",)),
            r"^Option addresses of link 'a': .* for new links in this namespace \(sysctl net\.ipv6\.conf\.default\.disable_ipv6",
        ),
        (
            dataclasses.replace(host_with(), bridge_vlans=False),
            WantedLink(Ref("", "br0"), "linux_bridge", values={"vlan_filtering": True, "vlan_default_pvid": 5}),
            r"^Option vlan_filtering and vlan_default_pvid of link 'br0': this kernel has no VLAN filtering in bridges",
        ),
        (
            host_with(
                a_link("p", values={"master": "br0"}, port={"learning": True}),
                a_link("br0", "linux_bridge", ports=("p",)),
            ),
            WantedLink(Ref("", "p"), made=False, values={"master": "br0"}, port_of="br0", port={"locked": True}),
            r"^Option locked of port 'p': this kernel has no such setting\.",
        ),
        (
            host_with(a_link("p", values={"master": "bond0"}), a_link("bond0", "bond")),
            WantedLink(Ref("", "m"), "macvlan", parent=Ref("", "p")),
            r"^Option parent of link 'm': link 'p' is a port of 'bond0' \(bond\)",
        ),
        (
            host_with(a_link("p", values={"mac": "02:00:00:00:00:01"})),
            WantedLink(
                Ref("", "m"), "macvlan", values={"mac": "02:00:00:00:00:01", "state": "up"}, parent=Ref("", "p")
            ),
            r"^Option mac of link 'm': link 'p', its parent, has the MAC address 02:00:00:00:00:01 as well",
        ),
        (
            host_with(a_link("p", uppers=("i",)), a_link("i", "ipvlan"), a_link("br0", "linux_bridge", ports=())),
            WantedLink(Ref("", "br0"), "linux_bridge", ports=("p",)),
            r"^Link 'p' can't become a port of 'br0': link 'i' \(ipvlan\) is stacked upon it",
        ),
        (
            host_with(
                a_link("p"),
                a_link("m", "macvtap", "blue", parent=Ref("", "p")),
                a_link("br0", "linux_bridge", ports=()),
            ),
            WantedLink(Ref("", "p"), made=False, values={"master": "br0"}),
            r"^Link 'p' can't become a port of 'br0': link 'm' in namespace 'blue' \(macvtap\) is stacked upon it",
        ),
        (
            dataclasses.replace(host_with(), dead=frozenset({"/proc/999999/ns/net"})),
            WantedLink(Ref("/proc/999999/ns/net", "t"), "tuntap", values={"mode": "tap"}),
            r"^Option netns of link 't': there is no network namespace at '/proc/999999/ns/net'; process 999999 is not running\.",
        ),
        (
            host_with(),
            WantedLink(
                Ref("", "br0"), "linux_bridge", values={"stp": True, "forward_delay": 1, "mtu": 99999, "master": "br0x"}
            ),
            r"^Link 'br0': option forward_delay: 1 is .* Option mtu of link 'br0': 99999 is .* There is no link 'br0x' that",
        ),
    ],
)
def test_conflicts_are_sentences(state: State, wanted: WantedLink, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        make_plan(state, Wanted(links=(wanted,)))


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        # A vrf lets its ports have macvlans, and a VLAN's parent may be a port.
        (
            host_with(a_link("p", values={"master": "vrf0"}), a_link("vrf0", "vrf")),
            WantedLink(Ref("", "m"), "macvlan", parent=Ref("", "p")),
        ),
        (
            host_with(a_link("p", uppers=("p.5",)), a_link("p.5", "vlan"), a_link("br0", "linux_bridge", ports=())),
            WantedLink(Ref("", "br0"), "linux_bridge", ports=("p",)),
        ),
        # The parent may get the MAC address of a macvlan that is up, and passthru has its parent's.
        (
            host_with(
                a_link("p", values={"mac": "02:00:00:00:00:02"}),
                a_link("m", "macvlan", values={"mac": "02:00:00:00:00:01", "state": "up"}, parent=Ref("", "p")),
            ),
            WantedLink(Ref("", "p"), made=False, values={"mac": "02:00:00:00:00:01"}),
        ),
        (
            host_with(a_link("p", values={"mac": "02:00:00:00:00:01"})),
            WantedLink(
                Ref("", "m"),
                "macvlan",
                values={"mac": "02:00:00:00:00:01", "state": "up", "mode": "passthru"},
                parent=Ref("", "p"),
            ),
        ),
        # It is there already, however it came to be.
        (
            host_with(
                a_link("p", values={"master": "br0"}, uppers=("m",)),
                a_link("m", "macvlan", parent=Ref("", "p")),
                a_link("br0", "linux_bridge", ports=("p",)),
            ),
            WantedLink(Ref("", "br0"), "linux_bridge", ports=("p",)),
        ),
        (
            host_with(a_link("a", ipv6=False, addresses=(Address("fd00::1/64"),))),
            WantedLink(Ref("", "a"), made=False, addresses=("fd00::1/64", "10.0.0.1/24")),
        ),
        (
            dataclasses.replace(host_with(), bridge_vlans=False),
            WantedLink(Ref("", "br0"), "linux_bridge", values={"vlan_filtering": False}),
        ),
    ],
)
def test_what_the_kernel_takes_is_not_refused(state: State, wanted: WantedLink) -> None:
    assert not make_plan(state, Wanted(links=(wanted,))).missing


def test_a_link_that_is_going_to_be_made_again_is_told_by_its_name() -> None:
    state = host_with(
        a_link("e"), a_link("f"), a_link("br0", "linux_bridge", ports=()), a_link("m", "macvlan", parent=Ref("", "e"))
    )
    again = WantedLink(Ref("", "m"), "macvlan", parent=Ref("", "f"), recreate=True)
    port = WantedLink(Ref("", "e"), made=False, values={"master": "br0"})
    with pytest.raises(
        Conflict, match=r"^Link 'e' can't become a port of 'br0': link 'm' \(macvlan\) is stacked upon it"
    ):
        make_plan(state, Wanted(links=(again, port)))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            WantedLink(Ref("blue", "v0"), made=False),
            "There is no link 'v0' in namespace 'blue', and this module does not create links; use the module for its "
            "kind. There is one of that name in the namespace that the module runs in. To take that one, give 'move_from: \"\"'.",
        ),
        (
            WantedLink(Ref("", "w0"), "veth"),
            "There is no veth 'w0'; to make it, its peer must be given with option peer. There is one of that name in namespace "
            "'blue'. To take that one, give 'move_from: blue'.",
        ),
        (
            WantedLink(Ref("blue", "t0"), "tuntap"),
            "There is no tuntap 't0' in namespace 'blue'; to make it, give option mode. There is one of that name in the namespace "
            "that the module runs in. To take that one, give 'move_from: \"\"'.",
        ),
        # One of another kind is another one.
        (
            WantedLink(Ref("blue", "v0"), "tuntap"),
            "There is no tuntap 'v0' in namespace 'blue'; to make it, give option mode.",
        ),
        (
            WantedLink(Ref("", "br0"), "linux_bridge", ports=("w0",)),
            "There is no link 'w0' that could become a port of 'br0' (option ports). There is one of that name in namespace 'blue'.",
        ),
        (
            WantedLink(Ref("", "m"), "macvlan", parent=Ref("", "w0")),
            "There is no link 'w0' that could be the parent of 'm' (option parent). There is one of that name in namespace 'blue'. "
            "For that one, give 'parent_netns: blue'.",
        ),
    ],
)
def test_a_link_that_is_elsewhere(wanted: WantedLink, sentence: str) -> None:
    state = host_with(*a_pair(Ref("", "v0"), Ref("blue", "w0")), a_link("t0", "tuntap"))
    assert make_plan(state, Wanted(links=(wanted,))).missing == [sentence]


def test_ipv6_follows_sysctls() -> None:
    link = WantedLink(Ref("new", "a"), "tuntap", values={"mode": "tap"}, addresses=("fd00::1/64",))

    def plan(**values: str) -> t.List[str]:
        sysctls = {"net/ipv6/conf/%s/disable_ipv6" % name: value for name, value in values.items()}
        wanted = Wanted(namespaces=(WantedNetns("new", sysctls=sysctls),), links=(link,))
        return [" ".join(argv) for argv in make_plan(host_with(), wanted).commands]

    assert "ip -n new address add fd00::1/64 dev a" in plan(default="0")
    assert "ip -n new address add fd00::1/64 dev a" in plan(default="1", a="0")
    for switched_off in ({"default": "1"}, {"all": "1"}, {"a": "1"}):
        with pytest.raises(BadInput, match="IPv6 is switched off"):
            plan(**switched_off)
    # What a namespace says of new links comes before these.
    commands = plan(default="0")
    assert commands.index("ip netns exec new sysctl -q -w net.ipv6.conf.default.disable_ipv6=0") == 1


def test_a_bridge_takes_1023_ports() -> None:
    ports = ["p%d" % number for number in range(1024)]
    state = host_with(a_link("br0", "linux_bridge", ports=()), *(a_link(port) for port in ports))
    with pytest.raises(Failure, match="makes 1024 ports, and a Linux bridge takes at most 1023"):
        make_plan(state, Wanted(links=(WantedLink(Ref("", "br0"), "linux_bridge", ports=tuple(ports)),)))


def test_all_that_is_missing_is_told_at_once() -> None:
    wanted = WantedLink(
        Ref("nowhere", "a"),
        "veth",
        values={"master": "br9"},
        peer=WantedLink(Ref("/proc/1/ns/none", "b"), "veth", values={"master": "br8"}),
    )
    plan = make_plan(host_with(), Wanted(links=(wanted,)))
    assert [sentence[:52] for sentence in plan.missing] == [
        "There is no network namespace 'nowhere' (option netn",
        "There is nothing at the path '/proc/1/ns/none' (opti",
        "There is no link 'br9' in namespace 'nowhere' that c",
        "There is no link 'br8' in namespace '/proc/1/ns/none",
    ]
    assert plan.changed


def test_a_foreign_name_that_contains_the_wanted_one_is_another_namespace() -> None:
    state = State({"": Netns(""), "foobar": Netns("foobar")})
    assert make_plan(state, Wanted(namespaces=(WantedNetns("foo"),))).commands[0] == ["ip", "netns", "add", "foo"]


def test_a_failing_step_says_what_became_of_the_host() -> None:
    host = SimulatedHost(host_with(), fail_at=2)
    wanted = Wanted(links=(WantedLink(Ref("", "br0"), "linux_bridge", values={"stp": True, "state": "up"}),))
    with pytest.raises(Refused) as caught:
        converge(host, PLANNING, wanted, check=False)
    assert str(caught.value) == ("Setting link 'br0' up failed: Injected fault. All earlier changes were rolled back.")
    assert "br0" not in [ref.name for ref in host.state.links]


def test_check_mode_runs_no_step() -> None:
    host = SimulatedHost(host_with())
    outcome = converge(host, PLANNING, Wanted(links=(WantedLink(Ref("", "br0"), "linux_bridge"),)), check=True)
    assert outcome.plan.changed
    assert host.ran == []
