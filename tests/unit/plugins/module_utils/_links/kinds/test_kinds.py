# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the planner asks of kinds: with a kind that nobody has heard of, its answers decide."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Conflict
from ansible_collections.virtnet.linux.plugins.module_utils._links import foreseen
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind, Values
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Netns, Ref, Vlan, WantedLink
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted


def host() -> State:
    """A bridge with a port, and a link beside them."""
    state = State({"": Netns("")})
    state.put(Link(Ref("", "br0"), "linux_bridge", 2, {"state": "up", "mtu": 1500}, ports=("p",)))
    state.put(Link(Ref("", "p"), "bond", 3, {"state": "up", "mtu": 1500, "master": "br0"}))
    state.put(Link(Ref("", "e"), "bond", 4, {"state": "up", "mtu": 1500, "master": ""}))
    return state


def planned(monkeypatch: pytest.MonkeyPatch, kind: Kind, **wanted: t.Any) -> t.List[str]:
    monkeypatch.setattr(registry, "KINDS", {**registry.KINDS, kind.name: kind})
    link = WantedLink(Ref("", "new"), kind.name, **wanted)
    return [" ".join(argv) for argv in make_plan(host(), Wanted(links=(link,))).commands]


class Upper(Kind):
    def stacking_problem(self, parent: Link, of_parent: t.Optional[Kind], other_frames: str) -> str:
        return "it is called e." if parent.ref.name == "e" else ""


class Controller(Kind):
    def port_problem(self, port: Link, other_frames: str) -> str:
        return "it likes no e." if port.ref.name == "e" else ""

    def ports_problem(self, count: int) -> str:
        return "it has none." if count else ""


@pytest.mark.parametrize("receiving", [True, False])
def test_what_is_stacked_upon_a_port(monkeypatch: pytest.MonkeyPatch, receiving: bool) -> None:
    kind = Upper("upper", "upper", has_parent=True, receiving=receiving)
    if receiving:
        with pytest.raises(Conflict, match="does not stack links upon a port"):
            planned(monkeypatch, kind, parent=Ref("", "p"))
    else:
        assert planned(monkeypatch, kind, parent=Ref("", "p")) == ["ip link add link p name new type upper"]


def test_the_kind_says_what_it_can_be_stacked_upon(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Upper("upper", "upper", has_parent=True)
    with pytest.raises(Conflict, match=r"^Link 'e' \(bond\) can't be the parent of 'new': it is called e\."):
        planned(monkeypatch, kind, parent=Ref("", "e"))


def test_the_kind_says_what_it_has_as_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Controller("controller", "controller", has_ports=True)
    with pytest.raises(Conflict, match="can't be the master of 'e' \\(option ports\\): it likes no e\\."):
        planned(monkeypatch, kind, ports=("e",))
    with pytest.raises(BadInput, match="that makes 1 ports, and it has none\\."):
        planned(monkeypatch, kind, ports=("p",))


def test_a_master_follows_its_ports_if_its_kind_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    controller = Kind("controller", "controller", has_ports=True)
    monkeypatch.setattr(registry, "KINDS", {**registry.KINDS, controller.name: controller})
    for kind, mtu in (("controller", 1500), ("linux_bridge", 1400)):
        state = State({"": Netns("")})
        state.put(
            Link(
                Ref("", "m"),
                kind,
                2,
                {"state": "up", "mtu": 1500, "mac": "02:00:00:00:00:01"},
                ports=("p",),
                keeps_mtu=False,
            )
        )
        state.put(Link(Ref("", "p"), "bond", 3, {"state": "up", "mtu": 1500, "master": "m"}))
        after = make_plan(state, Wanted(links=(WantedLink(Ref("", "p"), made=False, values={"mtu": 1400}),))).after
        assert after.links[Ref("", "m")].values["mtu"] == mtu


def test_what_a_new_port_of_a_bridge_starts_with() -> None:
    joined: t.Callable[[Values], t.Any] = registry.KINDS["linux_bridge"].joined
    assert joined({})[1] is None
    assert joined({"vlan_default_pvid": 0})[1] == ()
    assert joined({"vlan_default_pvid": 7})[1] == (Vlan(7, True, True),)
    assert joined({})[0]["learning"] is True
    assert registry.KINDS["veth"].joined({}) == ({}, None)


def test_macvlans_have_a_mac_address_of_their_own_unless_they_have_the_parents() -> None:
    for name in ("macvlan", "macvtap"):
        kind = registry.KINDS[name]
        assert kind.own_mac({"mode": "bridge"})
        assert not kind.own_mac({"mode": "passthru"})
        assert kind.follows({"mode": "passthru", "mtu": 1500}, {"mtu": 1400}) == {"mac", "mtu"}
        assert kind.follows({"mode": "bridge", "mtu": 1400}, {"mtu": 1400}) == set()


@pytest.mark.parametrize(
    ("kind", "master", "upper"),
    [
        ("linux_bridge", True, False),
        ("bond", True, False),
        ("openvswitch", True, False),
        ("vrf", False, False),
        ("macvlan", False, True),
        ("ipvlan", False, True),
        ("veth", False, False),
        ("", False, False),
    ],
)
def test_who_has_all_packets_of_another_link(kind: str, master: bool, upper: bool) -> None:
    assert (foreseen.receiving_master(kind), foreseen.receiving_upper(kind)) == (master, upper)
