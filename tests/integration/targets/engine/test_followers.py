# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from a change, on the real kernel: check mode foretells it, and an undo gives it back.

Each case is a host, tasks that run on it one after the other, and what iproute2 tells in the end. Each task runs in check
mode, with a failure before each of its steps, for real, and again, which changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, Refused
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology as modules_topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING as WHOLE
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone, same

Document = t.Dict[str, t.Any]


class FaultyHost(WholeHost):
    """Refuses the step of a number, without trying it."""

    def __init__(self, fail_at: int) -> None:
        super().__init__(20, Records("/run/topologies"))
        self.left = fail_at

    def run(self, batch: t.Sequence[Step]) -> None:
        fail_at, self.left = self.left, -1
        if 0 <= fail_at < len(batch):
            if fail_at:
                super().run(batch[:fail_at])
            refused = Refused(batch[fail_at].describe(), "Injected fault", 5)
            refused.done = batch[:fail_at]
            raise refused
        super().run(batch)
        self.left = fail_at - len(batch)


def task(module: str, **options: t.Any) -> Wanted:
    """What a task with a module wants."""
    if module == "topology":
        complete, wrong = modules_topology.validate(topology_options(), {"name": "lab", **options})
        assert not wrong
        return modules_topology.read(complete)
    port = module == "linux_bridge_port"
    kind = KINDS.get(module)
    complete, wrong = modules_topology.validate(
        bridge_ports.options() if port else documents.link_options(kind), options
    )
    assert not wrong
    return Wanted(links=(bridge_ports.read(complete) if port else documents.read_link(complete, kind),))


def topology(*links: Document, **options: t.Any) -> Wanted:
    """What a topology of some links wants."""
    return task("topology", links=list(links), **options)


def run(wanted: Wanted, check: bool = False, fail_at: int = -1) -> t.Any:
    with contextlib.closing(FaultyHost(fail_at)) as host:
        return converge(host, WHOLE if wanted.topology else PLANNING, wanted, check)


def told(state: State) -> t.Dict[t.Any, Document]:
    """The documents of all links of a state that were looked at whole."""
    return {ref: documents.write_link(state, ref, KINDS.get(link.kind)) for ref, link in state.links.items()}


def restricted(found: t.Any, foretold: t.Any) -> t.Any:
    """What of a document was foretold."""
    if not isinstance(found, dict) or not isinstance(foretold, dict):
        return found
    return {key: restricted(found[key], foretold[key]) for key in found if key in foretold}


def apply(world: World, wanted: Wanted) -> t.List[str]:
    """Run a task in every way; returns its warnings."""
    before = world.snapshot()
    foretold = run(wanted, check=True)
    assert not foretold.plan.missing
    same(before, world.snapshot(), "check mode of %s" % (wanted,))
    for step in range(len(foretold.plan.steps)):
        with pytest.raises(Failure, match="Injected fault"):
            run(wanted, fail_at=step)
        same(before, world.snapshot(), "a failure before step %d of %s" % (step, foretold.plan.commands))
    outcome = run(wanted)
    ends = {end.ref for link in wanted.links for end in link.ends()}
    found = told(run(Wanted(whole=tuple(foretold.now.namespaces), details=True), check=True).now)
    for ref, document in told(foretold.now).items():
        unseen = () if wanted.topology or ref in ends else ("addresses", "routes")
        known = {key: value for key, value in document.items() if key not in unseen}
        assert known == restricted(found.get(ref), known), "another %s was foretold" % (ref,)
    again = run(wanted).plan
    assert not again.changed, "the second run: %s" % again.commands
    assert [outcome.plan.commands, outcome.plan.warnings] == [foretold.plan.commands, foretold.plan.warnings]
    return list(outcome.plan.warnings)


def values(world: World, *names: str) -> t.Dict[str, t.Any]:
    """Attributes, by ``link.attribute`` or ``namespace/link.attribute``."""
    found = {}
    for name in names:
        place, attribute = name.split(".")
        netns, link = place.split("/") if "/" in place else ("home", place)
        told = json.loads(world.run("ip", "-n", netns, "-j", "-d", "link", "show", "dev", link))
        found[name] = told[0].get(attribute)
    return found


def build(world: World, batch: str) -> None:
    """Make what a batch file of ip has, and then what its lines for other namespaces have."""
    lines = batch.splitlines()
    world.build("\n".join(line for line in lines if not line.startswith("-n ")), "blue")
    for line in lines:
        if line.startswith("-n "):
            world.run("ip", *line.split())


def host(batch: str, *wishes: Wanted, **expected: t.Any) -> t.List[str]:
    """Run tasks on a host; ``expected`` are attributes afterwards. Returns the warnings of all."""

    def inside() -> t.List[str]:
        world = World()
        build(world, batch)
        warnings = [sentence for wish in wishes for sentence in apply(world, wish)]
        wanted = expected.get("then", {})
        assert values(world, *wanted) == wanted
        return warnings

    return t.cast("t.List[str]", alone(inside))


def warned(batch: str, wanted: Wanted) -> str:
    """The sentence for what is missing, which in check mode an earlier task would have made."""

    def inside() -> str:
        build(World(), batch)
        return " ".join(run(wanted, check=True).plan.missing)

    return t.cast("str", alone(inside))


def refusal(batch: str, wanted: Wanted, checks: t.Sequence[bool] = (True, False)) -> str:
    """The sentence with which both check mode and the real run refuse a task, and change nothing."""

    def inside() -> str:
        world = World()
        build(world, batch)
        before = world.snapshot()
        sentences = []
        for check in checks:
            with pytest.raises(Failure) as caught:
                run(wanted, check=check)
            sentences.append(str(caught.value).replace(" No changes were made.", ""))
            same(before, world.snapshot(), "a refusal of %s" % (wanted,))
        assert sentences[0] == sentences[-1]
        return sentences[0]

    return t.cast("str", alone(inside))


# The MTU of links that are stacked upon another one.

STACKED = """
link add e0 type veth peer name e1
link add m0 link e0 type macvlan mode bridge
link add m1 link e0 mtu 1300 type macvlan mode bridge
link add m2 link e0 netns blue type macvlan mode bridge
-n blue address add fd00::1/64 dev m2
"""
CHILD = {"kind": "macvlan", "parent": "e0"}


def test_children_come_down_with_their_parent() -> None:
    lower = task("link", name="e0", mtu=1400)
    higher = task("link", name="e0", mtu=9000)
    wanted = {"e0.mtu": 9000, "e1.mtu": 1500, "m0.mtu": 1400, "m1.mtu": 1300, "blue/m2.mtu": 1400}
    host(STACKED, lower, higher, then=wanted)


@pytest.mark.parametrize("turned", [1, -1])
def test_a_parent_and_its_children_change_together_in_any_order(turned: int) -> None:
    up = [{"name": "e0", "kind": "link", "mtu": 9000}, {"name": "m0", "mtu": 9000, **CHILD}]
    up.append({"name": "m2", "netns": "blue", "mtu": 8000, **CHILD})
    up.append({"name": "m3", "mtu": 8999, **CHILD})
    down = [{"name": "e0", "kind": "link", "mtu": 1400}, {"name": "m0", "mtu": 1400, **CHILD}]
    down.append({"name": "m2", "netns": "blue", "mtu": 1380, **CHILD})
    down.append({"name": "m3", **CHILD})
    wanted = {"e0.mtu": 1400, "m0.mtu": 1400, "m1.mtu": 1300, "blue/m2.mtu": 1380, "m3.mtu": 1400}
    host(STACKED, topology(*up[::turned]), topology(*down[::turned]), then=wanted)


@pytest.mark.parametrize("name", ["m0", "m9"])
def test_more_than_the_parent_gets_is_refused(name: str) -> None:
    links = [{"name": name, "mtu": 1500, **CHILD}, {"name": "e0", "kind": "link", "mtu": 1400}]
    assert (
        "Option mtu of link '%s': 1500 is more than its parent has, which is 1400 (option mtu of link 'e0')." % name
        in refusal(STACKED, topology(*links))
    )


def test_new_links_with_large_frames() -> None:
    links = [
        {"name": "m0", "kind": "macvlan", "parent": "t0", "mtu": 9000},
        {"name": "t0", "kind": "tuntap", "mode": "tap", "mtu": 9000},
        {"name": "m1", "kind": "macvlan", "parent": "br0", "mtu": 8000},
        {"name": "br0", "kind": "linux_bridge", "ports": ["v0"]},
        {"name": "v0", "kind": "veth", "mtu": 9000, "peer": {"name": "v1", "mtu": 1280}},
    ]
    wanted = {"t0.mtu": 9000, "m0.mtu": 9000, "br0.mtu": 9000, "m1.mtu": 8000, "v1.mtu": 1280}
    host("", topology(*links), topology(), topology(*links[::-1]), then=wanted)


def test_what_is_upon_a_bridge_follows_its_ports() -> None:
    batch = STACKED + "link add br0 type bridge\nlink set m0 master br0\nlink add m5 link br0 netns blue type macvlan\n"
    wanted = {"br0.mtu": 1400, "blue/m5.mtu": 1400}
    host(batch, task("link", name="e0", mtu=1400), then=wanted)
    links = [
        {"name": "br0", "kind": "linux_bridge"},
        {"name": "m0", "kind": "macvlan", "parent": "br0", "mtu": 1500},
        {"name": "v0", "kind": "veth", "mtu": 1400, "master": "br0", "peer": {"name": "v1"}},
    ]
    assert "1500 is more than its parent has, which is 1400 (link 'br0')" in refusal("", topology(*links))


def test_a_child_loses_ipv6_with_a_small_parent() -> None:
    text = refusal(STACKED, task("link", name="e0", mtu=1000))
    assert "link 'm2' in namespace 'blue'" in text
    assert "fd00::1/64" in text


# The MTU and the MAC address of a bridge.


@pytest.mark.parametrize("mtu", [8950, 1500, 1280])
def test_a_new_bridge_keeps_its_mtu(mtu: int) -> None:
    bridge = {"name": "br0", "mtu": mtu, "mac": "02:00:00:00:00:99"}
    port = task("link", name="e0", master="br0")
    wanted = {"br0.mtu": mtu, "br0.address": "02:00:00:00:00:99"}
    small = "link add e0 mtu 1400 type veth peer name e1\n"
    host(small, task("linux_bridge", **bridge), port, task("linux_bridge", **bridge), then=wanted)
    host(small, task("linux_bridge", **bridge, ports=["e0"]), task("link", name="e0", mtu=9000), then=wanted)
    large = small.replace("1400", "9500")
    host(large, topology({**bridge, "kind": "linux_bridge"}), port, task("link", name="e0", master=""), then=wanted)


def test_a_bridge_without_an_mtu_follows_its_ports() -> None:
    links = [
        {"name": "br0", "kind": "linux_bridge"},
        {"name": "a0", "kind": "veth", "mtu": 1400, "master": "br0", "peer": {"name": "a1"}},
        {"name": "b0", "kind": "veth", "mtu": 1300, "master": "br0", "peer": {"name": "b1"}},
    ]
    links_less = [links[0], links[1], {**links[2], "master": ""}]
    host("", topology(*links), then={"br0.mtu": 1300})
    host("", topology(*links), topology(*links_less), then={"br0.mtu": 1400})


def test_a_link_in_mode_passthru_and_its_parent_share_a_mac_address() -> None:
    batch = "link add e0 type veth peer name e1\nlink add m0 link e0 type macvlan mode passthru\n"
    mac = "02:00:00:00:00:01"
    host(batch, task("link", name="e0", mac=mac), then={"m0.address": mac})
    other = {"name": "m0", "mac": "02:00:00:00:00:02", **CHILD}
    text = refusal(batch, topology({"name": "e0", "kind": "link", "mac": mac}, other))
    assert "another link of this task" in text


# Whose a veth pair is.

FOREIGN = "link add f1 type veth peer name f0\n"
PAIR = {"name": "new0", "peer": {"name": "f0"}}


def test_an_end_of_a_foreign_pair_is_not_taken() -> None:
    taken = "The name of option peer of veth 'new0' is taken: link 'f0' (veth) is one end of another pair, whose other end is"
    assert taken + " link 'f1'" in refusal(FOREIGN, task("veth", **PAIR))
    assert taken + " link 'f1'" in refusal(FOREIGN, topology({**PAIR, "kind": "veth"}))
    elsewhere = "link add name f1 netns blue type veth peer name f0\n"
    assert taken + " link 'f1' in namespace 'blue'" in refusal(elsewhere, task("veth", **PAIR))
    then = {"f0.ifname": "f0", "f1.ifname": "f1"}
    assert host(FOREIGN, task("veth", **PAIR, state="absent"), then=then) == []
    netns_of_role = {"name": "eth0", "netns": "blue", "kind": "veth", "peer": {"name": "f0"}}
    assert "is taken" in refusal(FOREIGN, topology(netns_of_role))


def test_an_end_that_is_known_is_moved_or_renamed() -> None:
    moved = "link add name new0 netns blue type veth peer name f0\n"
    host(moved, task("veth", **PAIR), task("veth", **PAIR, state="absent"), then={})
    host(moved, task("veth", **PAIR), then={"new0.ifname": "new0"})
    host(FOREIGN, task("veth", **PAIR, rename_from="f1"), then={"new0.ifname": "new0"})
    host(FOREIGN, task("veth", name="new0", rename_from="f1"), then={"f0.link": "new0"})
    host(
        FOREIGN,
        task("veth", name="new0", netns="blue", move_from="", rename_from="f1"),
        then={"blue/new0.ifname": "new0"},
    )
    host(FOREIGN, task("veth", name="f1", peer={"name": "other", "netns": "blue"}), then={"blue/other.ifname": "other"})
    host(FOREIGN, task("veth", **PAIR, recreate=True), then={"f0.link": "new0"})
    both = FOREIGN + "link add new0 type veth peer name new1\n"
    assert "there are link 'new0' (veth) and link 'f1' (veth)" in refusal(
        both, task("veth", name="new0", rename_from="f1")
    )


def test_a_topology_renames_an_end_of_a_pair_that_it_owns() -> None:
    old, new = {**PAIR, "kind": "veth", "name": "old0"}, {**PAIR, "kind": "veth"}
    host("", topology(old), topology(new), topology({**new, "netns": "blue"}), then={"blue/new0.ifname": "new0"})


# Addresses and routes that go to another link.

CARD = """
link add br0 address 02:00:00:00:00:0b type bridge
link add e0 type veth peer name e1
link set e0 master br0
link set e0 nomaster
link set e0 up
link set e1 up
link set br0 up
address add 10.0.0.1/24 dev e0
address add 10.0.7.1/24 dev e1
address add fd00::1/64 dev e0 nodad
route add default via 10.0.0.254
route add 10.9.0.0/16 via 10.0.0.253
route add 10.8.0.0/16 dev e1 src 10.0.0.1
route add default via fd00::fe dev e0
"""
DEFAULTS = [{"to": "default", "via": "10.0.0.254"}, {"to": "default", "via": "fd00::fe"}]
EMPTIED = {"name": "e0", "kind": "link", "addresses": [], "purge_addresses": True}
BRIDGE = {"name": "br0", "addresses": ["10.0.0.1/24", "fd00::1/64"], "routes": DEFAULTS, "state": "up"}


def ways(batch: str, *wishes: Wanted) -> t.Tuple[t.List[str], t.List[str]]:
    """The routes that administrators have made, after some tasks, and the warnings of these."""

    def inside() -> t.List[t.List[str]]:
        world = World()
        build(world, batch)
        warnings = [sentence for wish in wishes for sentence in apply(world, wish)]
        told = [json.loads(world.run("ip", "-j", family, "route", "show", "table", "all")) for family in ("-4", "-6")]
        found = [route for routes in told for route in routes if route.get("protocol") not in ("kernel", "ra")]
        found = [route for route in found if route.get("type", "unicast") == "unicast" and route["dev"] != "lo"]
        return [sorted("%s %s %s" % (r["dst"], r.get("gateway", "-"), r["dev"]) for r in found), warnings]

    found, warnings = alone(inside)
    return found, warnings


MOVED = ["10.8.0.0/16 - e1", "default 10.0.0.254 br0", "default fd00::fe br0"]
LOST = "Link 'e0' (veth) loses route 10.9.0.0/16 via 10.0.0.253, because an address that it needs is removed."


@pytest.mark.parametrize("turned", [1, -1])
def test_a_card_goes_into_a_bridge_with_its_address_and_default_route(turned: int) -> None:
    links = [{**BRIDGE, "kind": "linux_bridge", "ports": ["e0"]}, EMPTIED]
    assert ways(CARD, topology(*links[::turned])) == (MOVED, [LOST])
    links = [{**BRIDGE, "kind": "linux_bridge"}, {**EMPTIED, "master": "br0", "purge_routes": True, "routes": []}]
    assert ways(CARD, topology(*links[::turned])) == (MOVED, [])


def test_a_card_goes_into_a_bridge_task_by_task() -> None:
    emptied = {**EMPTIED, "routes": [], "purge_routes": True}
    emptied.pop("kind")
    tasks = [task("linux_bridge", name="br0", ports=["e0"]), task("link", **emptied), task("linux_bridge", **BRIDGE)]
    without_source = CARD.replace("route add 10.8.0.0/16 dev e1 src 10.0.0.1\n", "")
    assert ways(without_source, *tasks) == (MOVED[1:], [])


def test_routes_that_need_an_address_that_goes() -> None:
    batch = CARD.replace("route add 10.8", "route add 10.6.0.0/16 via 10.0.0.252 dev e0 onlink\nroute add 10.8")
    emptied = task("link", name="e0", addresses=[], purge_addresses=True)
    found, warnings = ways(batch.replace(" src 10.0.0.1", ""), emptied)
    assert found == ["10.6.0.0/16 10.0.0.252 e0", "10.8.0.0/16 - e1", "default fd00::fe e0"]
    assert warnings == [LOST.replace("route", "route default via 10.0.0.254, route")]
    other = {"name": "e0", "kind": "link", "addresses": ["10.0.9.1/24"], "purge_addresses": True}
    found, warnings = ways(CARD.replace(" src 10.0.0.1", ""), topology(other))
    assert found == ["10.8.0.0/16 - e1", "default fd00::fe e0"]
    assert warnings == [LOST.replace("route", "route default via 10.0.0.254, route")]
    more = {**other, "addresses": ["10.0.9.1/24", "10.0.0.3/24"]}
    assert len(ways(CARD.replace(" src 10.0.0.1", ""), topology(more))[0]) == 4
    # A route through a link that is not listed, with a source that has gone.
    lost = "Link 'e1' (veth) loses route 10.8.0.0/16, because an address that it needs is removed."
    assert lost in ways(CARD, topology(EMPTIED))[1]


def test_routes_that_cannot_be_are_refused() -> None:
    near = {**EMPTIED, "routes": [{"to": "default", "via": "10.0.0.77"}]}
    assert "the gateway of the route default via 10.0.0.77 can't be reached" in refusal(CARD, topology(near))
    other = {"name": "e1", "kind": "link", "routes": [{"to": "default", "via": "10.0.7.9"}]}
    assert "a route to 0.0.0.0/0 with the same metric and table leads through link 'e0'" in refusal(
        CARD, topology(other)
    )
    both = {"name": "e0", "kind": "link", "routes": [{"to": "default", "via": "10.0.0.9"}]}
    nowhere = {"name": "e1", "routes": [{"to": "10.55.0.0/16", "via": "10.44.0.1"}]}
    assert warned(CARD, task("link", **nowhere)) == refusal(CARD, task("link", **nowhere), checks=[False])
    assert "both have a route default via" in refusal(CARD, topology(both, other))
    # An earlier task may remove the other route, so check mode warns.
    for more, to, where in (
        ("", "default", "0.0.0.0/0 with the same metric and table already, through link 'e0'"),
        ("", "::/0", "::/0 with the same metric and table already, through link 'e0'"),
        (
            "route add blackhole 10.88.0.0/16\n",
            "10.88.0.0/16",
            "10.88.0.0/16 with the same metric and table already, through no",
        ),
        (
            "route add 10.88.0.0/16 nexthop via 10.0.0.9 nexthop via 10.0.0.8\n",
            "10.88.0.0/16",
            "already, through no link or several",
        ),
    ):
        taken = task("link", name="br8", routes=[{"to": to}])
        batch = CARD + "link add br8 type bridge\nlink set br8 up\n" + more
        assert where in refusal(batch, taken, checks=[False])
        assert warned(batch, taken) == refusal(batch, taken, checks=[False])
    host_route = [{"to": "10.66.0.1", "metric": 5}, {"to": "10.77.0.0/16", "via": "10.66.0.1"}]
    host(CARD, task("link", name="e1", routes=host_route), then={})


def test_what_goes_with_a_change_is_told() -> None:
    down = ways(CARD, task("link", name="e0", state="down"))
    assert down[1] == [
        "Link 'e0' (veth) loses route default via 10.0.0.254, route 10.9.0.0/16 via 10.0.0.253, route default via fd00::fe "
        "metric 1024, because it goes down."
    ]
    moved = ways(CARD, task("link", name="e0", netns="blue", move_from="", addresses=["10.0.0.1/24"]))
    assert moved[1] == [
        "Link 'e0' (veth) loses fd00::1/64, route default via 10.0.0.254, route 10.9.0.0/16 via 10.0.0.253, route default "
        "via fd00::fe metric 1024, because it moves to another namespace.",
        "Link 'e1' (veth) loses route 10.8.0.0/16, because an address that it needs is removed.",
    ]
    assert ways(CARD, task("link", name="e0", addresses=["10.0.0.1/24"], purge_addresses=True))[1] == []


# What must be gone before something else can be.


@pytest.mark.parametrize("turned", [1, -1])
def test_a_parent_becomes_a_port_when_what_is_upon_it_goes_and_back(turned: int) -> None:
    bridge = {"name": "br0", "kind": "linux_bridge"}
    pair = {"name": "v0", "kind": "veth", "peer": {"name": "v1"}}
    upon = {"name": "m0", "kind": "macvlan", "parent": "v0", "mac": "02:00:00:00:00:05", "addresses": ["10.0.0.1/24"]}
    macvlans = [bridge, pair, upon, {**upon, "name": "m1", "netns": "blue", "mac": "02:00:00:00:00:06"}]
    ports = [bridge, {**pair, "master": "br0"}]
    freed = [bridge, {**pair, "master": ""}, upon]
    wishes = [topology(*links[::turned]) for links in (macvlans, ports, freed, ports)]
    host("", *wishes, then={"v0.master": "br0"})
    owner = [{**bridge, "ports": ["v0"], "purge_ports": True}, pair]
    released = [{**bridge, "ports": [], "purge_ports": True}, pair, upon]
    host("", *(topology(*links[::turned]) for links in (macvlans, owner, released)), then={"v0.master": None})
