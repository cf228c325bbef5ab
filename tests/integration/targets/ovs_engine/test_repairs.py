# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links that Open vSwitch has lost, OpenFlow port numbers that are taken, and names that links have already."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import DATAPATH, rows, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import wish

TIMEOUT = 20


def bridge(name: str = "br0", **options: t.Any) -> Wanted:
    return wish(bridge={"name": name, "state": "present", "datapath_type": DATAPATH, **options})


def port(name: str, **options: t.Any) -> Wanted:
    return wish(port={"bridge": "br0", "name": name, "state": "present", **options})


def internal(name: str, **options: t.Any) -> Wanted:
    return port(name, type="internal", **options)


def run(wanted: Wanted, check: bool = False) -> t.Any:
    return converge(Ovs(TIMEOUT), PLANNING, wanted, check)


def refused(wanted: Wanted) -> str:
    """What a task says that fails in check mode and for real, and changes nothing."""
    said = []
    for check in (True, False):
        with pytest.raises(Failure) as caught:
            run(wanted, check)
        said.append(str(caught.value))
    assert said[1] in (said[0], said[0] + " No changes were made.")
    return said[0]


def with_switch(test: t.Callable[[World], None], build: str = "") -> None:
    def inside() -> None:
        world = World()
        world.build("link set lo up\n" + build)
        with switch(world):
            run(bridge())
            test(world)

    alone(inside)


def lose(world: World, name: str) -> None:
    """Have a link go with its namespace."""
    world.run("ip", "netns", "add", "grave")
    world.run("ip", "link", "set", name, "netns", "grave")
    world.run("ip", "netns", "delete", "grave")
    world.settle()
    deadline = time.monotonic() + 20
    while "iff:\t%s\n" % name in taps(world):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def taps(world: World) -> str:
    return world.run("sh", "-c", "cat /proc/$(cat /run/openvswitch/ovs-vswitchd.pid)/fdinfo/*")


def ofport(world: World, name: str) -> str:
    return world.run("ovs-vsctl", "get", "Interface", name, "ofport").strip()


@pytest.mark.parametrize("lost", ["i0", "br0"])
@pytest.mark.parametrize("by_bridge", [True, False])
def test_a_link_that_went_with_its_namespace_is_made_again(lost: str, by_bridge: bool) -> None:
    def test(world: World) -> None:
        run(internal("i0", tag="7", ofport_request="50", external_ids={"a": "b"}))
        run(internal("i1"))
        before = rows(world)
        links = world.run("ip", "-j", "link", "show", "i1")
        lose(world, lost)
        if by_bridge:
            wanted = bridge(ports=["i0", "i1"]) if lost == "i0" else bridge()
        else:
            wanted = internal("i0") if lost == "i0" else port("br0")
        foretold = run(wanted, check=True)
        assert foretold.plan.changed
        assert "went with its network namespace" in foretold.plan.warnings[0]
        assert rows(world) == before
        outcome = run(wanted)
        assert outcome.plan.commands == foretold.plan.commands
        assert world.run("ip", "-br", "link", "show", lost)
        assert not run(wanted).plan.changed
        assert rows(world) == before
        assert ofport(world, "i0") == "50"
        # The others stay as they are.
        assert world.run("ip", "-j", "link", "show", "i1") == links

    with_switch(test)


def test_the_commands_make_it_again_as_well() -> None:
    def test(world: World) -> None:
        run(internal("i0"))
        lose(world, "i0")
        for argv in run(internal("i0"), check=True).plan.commands:
            world.run(*argv)
        assert world.run("ip", "-br", "link", "show", "i0")
        assert not run(internal("i0")).plan.changed

    with_switch(test)


def test_a_link_in_another_namespace_or_with_another_name_is_not_lost() -> None:
    def test(world: World) -> None:
        run(internal("i0"))
        run(internal("i1"))
        world.run("ip", "netns", "add", "far")
        world.run("ip", "-batch", "-", stdin="link set i0 netns far\nlink set i1 name other")
        time.sleep(1)  # until Open vSwitch has seen it
        assert not run(internal("i0")).plan.changed
        assert not run(internal("i1")).plan.changed
        assert world.run("ip", "-n", "far", "-br", "link", "show", "i0")

    with_switch(test)


def test_a_number_that_another_port_has() -> None:
    def test(world: World) -> None:
        for name in ("i0", "i1", "i2"):
            run(internal(name))
        number = ofport(world, "i0")
        wanted = internal("i1", ofport_request=number)
        warnings = run(wanted, check=True).plan.warnings
        assert warnings[0].startswith(
            "With another OpenFlow port number Open vSwitch makes the link of internal port 'i1' anew"
        )
        assert warnings[1].startswith(
            "OVS interface 'i0' has the OpenFlow port number %s, which 'i1' requests" % number
        )
        outcome = run(wanted)
        assert outcome.plan.warnings == warnings
        assert ofport(world, "i1") == number != ofport(world, "i0")
        assert not run(wanted).plan.changed
        # Number by number, as often as one likes
        for count in range(4):
            name = "i%d" % (2 - count % 2)
            run(internal("i1", ofport_request=""))
            run(internal("i2", ofport_request=""))
            assert run(internal(name, ofport_request=number)).plan.changed
            assert ofport(world, name) == number
        said = refused(internal("i0", ofport_request=number))
        assert said == (
            "Option ofport_request of OVS port 'i0': 'i1' on bridge 'br0' requests the OpenFlow port number %s, too; give one of "
            "them another one. No changes were made." % number
        )
        # Numbers are those of a bridge.
        run(bridge("br1"))
        assert run(wish(port={"bridge": "br1", "name": "j0", "state": "present", "type": "internal",
                              "ofport_request": number})).plan.changed  # fmt: skip

    with_switch(test)


@pytest.mark.parametrize(
    ("made", "what"),
    [
        ("link add x type bridge", "a Linux bridge"),
        ("link add x type veth peer name y", "of the driver veth"),
        ("tuntap add x mode tap", "a tun or tap"),
    ],
)
def test_names_that_links_have(made: str, what: str) -> None:
    def test(world: World) -> None:
        before = rows(world), world.run("ip", "-j", "link", "show", "x")
        said = refused(bridge("x"))
        assert said == (
            "OVS bridge 'x' can't be made: there is a link of that name already, which is %s. Choose another name, or delete that "
            "link first ('ip link delete x'). No changes were made." % what
        )
        assert refused(internal("x")).startswith(
            "Internal OVS port 'x' can't be made: there is a link of that name already"
        )
        assert (rows(world), world.run("ip", "-j", "link", "show", "x")) == before
        if what != "a Linux bridge":
            run(port("x"))
            run(wish(port={"bridge": "br0", "name": "x", "state": "absent"}))

    with_switch(test, made)


def test_without_the_datapath_of_the_kernel() -> None:
    """Only where the kernel lacks it."""

    def test(world: World) -> None:
        if "ovs_datapath" in world.run("sh", "-c", "cat /proc/modules /proc/net/genetlink 2>/dev/null; true"):
            return
        if world.run("sh", "-c", "test -e /sys/module/openvswitch && echo there || true"):
            return
        before = rows(world)
        with pytest.raises(Failure) as caught:
            run(bridge("bs", datapath_type="system"))
        assert str(caught.value).startswith("Open vSwitch can't set up OVS bridge 'bs': ")
        for words in ("module openvswitch", "'datapath_type: netdev'", "/ovs-vswitchd.log"):
            assert words in str(caught.value)
        assert rows(world) == before

    with_switch(test)
