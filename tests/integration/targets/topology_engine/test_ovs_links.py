# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links that belong to Open vSwitch, in topologies and for the modules of links, which don't ask Open vSwitch."""

from __future__ import annotations

import contextlib
import json
import time
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, NotApplied
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan
from ansible_collections.virtnet.linux.plugins.module_utils._links.documents import (
    link_options,
    read_link,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options, read_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING as LINKS
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import rows, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone

Document = t.Dict[str, t.Any]
MAC, OTHER = "02:00:00:00:00:77", "02:00:00:00:00:78"


class LateHost(WholeHost):
    """Fails when everything is done."""

    def review(self, wanted: Wanted, plan: Plan) -> State:
        super().review(wanted, plan)
        raise NotApplied("Injected fault.")


def wanted(document: Document) -> Wanted:
    complete, wrong = topology.validate(topology_options(), {"name": "mine", **document})
    assert not wrong
    return topology.read(complete)


def run(document: Document, check: bool = False, host: t.Type[WholeHost] = WholeHost) -> t.Any:
    with contextlib.closing(host(20, Records("/run/topologies"))) as whole:
        return converge(whole, PLANNING, wanted(document), check)


def any_link(document: Document, check: bool = False) -> t.Any:
    """Run what the module link does."""
    complete, wrong = topology.validate(link_options(None), document)
    assert not wrong
    with contextlib.closing(Kernel()) as kernel:
        return converge(kernel, LINKS, Wanted(links=(read_link(complete, None),)), check)


def refused(task: t.Callable[..., t.Any], document: Document) -> str:
    said = []
    for check in (True, False):
        with pytest.raises(Failure) as caught:
            task(document, check=check)
        said.append(str(caught.value))
    assert said[0] == said[1].replace(" No changes were made.", "")
    return said[0]


def with_switch(test: t.Callable[[World], None], build: str = "") -> None:
    def inside() -> None:
        world = World()
        world.build("link set lo up\n" + build)
        with switch(world):
            test(world)

    alone(inside)


def shown(world: World, name: str, netns: str = "") -> t.Tuple[str, int]:
    words = ["ip", *(["-n", netns] if netns else []), "-j", "link", "show", name]
    link = json.loads(world.run(*words))[0]
    return link["address"], link["mtu"]


def network(bridge: Document, *ports: Document, links: t.Sequence[Document] = (), **more: t.Any) -> Document:
    return {"ovs_bridges": [{"name": "br0", "datapath_type": "netdev", **bridge, "ports": list(ports)}],
            "links": list(links), **more}  # fmt: skip


I0 = {"name": "i0", "type": "internal"}


def test_values_that_ovs_keeps_are_given_to_it() -> None:
    def test(world: World) -> None:
        own = {"kind": "link", "name": "br0", "mac": MAC, "mtu": 1400}
        document = network({}, I0, links=[own, {"kind": "link", "name": "i0", "mtu": 1300}])
        for links in (
            document["links"],
            [{**own, "mac": OTHER, "mtu": 1350}, {"kind": "link", "name": "i0", "mtu": 1250}],
        ):
            now = {**document, "links": links}
            assert run(now, check=True).plan.commands == run(now).plan.commands
            # Until Open vSwitch has looked after its bridge once more
            world.run("ovs-vsctl", "set", "Bridge", "br0", "external_ids:a=%s" % time.monotonic())
            time.sleep(1.2)
            assert shown(world, "br0") == (links[0]["mac"], links[0]["mtu"])
            assert shown(world, "i0")[1] == links[1]["mtu"]
            assert not run(now).plan.changed
        before, were = rows(world), shown(world, "br0")
        with pytest.raises(Failure) as caught:
            run(document, host=LateHost)
        assert "not all of them" not in str(caught.value)
        assert (rows(world), shown(world, "br0")) == (before, were)

    with_switch(test)


def test_values_that_are_given_twice() -> None:
    def test(_world: World) -> None:
        link = {"kind": "link", "name": "br0", "mac": MAC}
        said = refused(run, network({"mac": OTHER}, links=[link]))
        assert said.startswith(
            "Option mac of link 'br0' is %s, and option mac of OVS bridge 'br0' is %s" % (MAC, OTHER)
        )
        said = refused(
            run, network({}, {**I0, "mtu_request": "1400"}, links=[{"kind": "link", "name": "i0", "mtu": 1300}])
        )
        assert said.startswith("Option mtu of link 'i0' is 1300, and option mtu_request of OVS port 'i0' is 1400")
        same = network(
            {"mac": MAC}, {**I0, "mtu_request": "1400"}, links=[link, {"kind": "link", "name": "i0", "mtu": 1400}]
        )
        run(same)
        assert not run(same).plan.changed

    with_switch(test)


def test_the_mtu_of_a_port_that_ovs_keeps() -> None:
    def test(world: World) -> None:
        veth = {"kind": "veth", "name": "v0", "peer": {"name": "v1"}}
        run(network({}, {"name": "v0", "mtu_request": "1450"}, links=[veth]))
        said = refused(run, network({}, {"name": "v0", "mtu_request": "1450"}, links=[{**veth, "mtu": 1350}]))
        assert said.startswith("Option mtu of link 'v0' is 1350, and option mtu_request of OVS port 'v0' is 1450")
        document = network({}, {"name": "v0"}, links=[{**veth, "mtu": 1350}])
        run(document)
        time.sleep(1.2)
        assert shown(world, "v0")[1] == 1350
        assert not run(document).plan.changed

    with_switch(test)


def test_the_mtu_of_an_internal_port_in_another_namespace_is_not_that_of_ovs() -> None:
    def test(world: World) -> None:
        link = {"kind": "link", "name": "i0", "move_from": "", "netns": "blue"}
        for request in ({}, {"mtu_request": "1420"}):
            for mtu in (1300, 1350):
                document = network({}, {**I0, **request}, links=[{**link, "mtu": mtu}], namespaces=[{"name": "blue"}])
                assert run(document, check=True).plan.commands == run(document).plan.commands
                world.run("ovs-vsctl", "set", "Bridge", "br0", "external_ids:a=%s" % time.monotonic())
                time.sleep(1.2)
                assert shown(world, "i0", "blue")[1] == mtu
                assert not run(document).plan.changed
            given = world.run("ovs-vsctl", "get", "Interface", "i0", "mtu_request").strip()
            assert given == request.get("mtu_request", "[]")
            world.run("ip", "netns", "delete", "blue")

    with_switch(test)


def test_the_module_link_refuses_what_would_not_stay() -> None:
    def test(world: World) -> None:
        run(network({}, I0, {"name": "v0"}, links=[{"kind": "veth", "name": "v0", "peer": {"name": "v1"}}]))
        mac, mtu = shown(world, "br0")
        said = refused(any_link, {"name": "br0", "mac": MAC})
        assert said == (
            "Option mac of link 'br0': Open vSwitch made this link and sets its MAC address itself, so that %s would not stay. Give "
            "it to virtnet.linux.ovs_bridge with option mac (other_config: {hwaddr: ...}). No changes were made." % MAC
        )
        for name in ("br0", "i0"):
            assert "virtnet.linux.ovs_port with option mtu_request" in refused(any_link, {"name": name, "mtu": 1400})
            assert not any_link({"name": name, "mtu": mtu}).plan.changed
        assert not any_link({"name": "br0", "mac": mac}).plan.changed
        # What holds may be changed.
        for options in (
            {"state": "up"},
            {"alias": "a"},
            {"txqueuelen": 77},
            {"addresses": ["192.0.2.1/24"]},
            {"promisc": True},
        ):
            for name in ("br0", "i0"):
                any_link({"name": name, **options})
                assert not any_link({"name": name, **options}).plan.changed
        assert any_link({"name": "i0", "mac": MAC}).plan.changed
        assert any_link({"name": "v0", "mtu": 1450, "mac": OTHER}).plan.changed
        world.run("ip", "netns", "add", "far")
        assert any_link({"name": "i0", "netns": "far", "move_from": "", "mtu": 1300}).plan.changed
        world.run("ovs-vsctl", "set", "Bridge", "br0", "external_ids:a=b")
        time.sleep(1.2)
        assert shown(world, "i0", "far") == (MAC, 1300)
        assert shown(world, "v0") == (OTHER, 1450)
        for document in (
            {"name": "i0", "mac": MAC, "netns": "far", "mtu": 1300},
            {"name": "v0", "mac": OTHER, "mtu": 1450},
        ):
            assert not any_link(document).plan.changed

    with_switch(test)


def kernel(check: bool = False, **options: t.Any) -> t.Any:
    """Run what the modules veth and netns do."""
    if "peer" in options or options["name"] == "v0":
        of_kind = registry.KINDS["veth"]
        complete, wrong = topology.validate(link_options(of_kind), options)
        asked = Wanted(links=(read_link(complete, of_kind),))
    else:
        complete, wrong = topology.validate(netns_options(), options)
        asked = Wanted(namespaces=(read_netns(complete),))
    assert not wrong
    with contextlib.closing(Kernel()) as host:
        return converge(host, LINKS, asked, check)


def keeps(name: str) -> t.List[str]:
    return [
        "Link '%s' is a port of Open vSwitch, which keeps the port without the link; virtnet.linux.ovs_port with 'state: absent' "
        "removes it." % name
    ]


def test_ports_that_lose_their_links_are_told() -> None:
    def test(world: World) -> None:
        world.run("ip", "netns", "add", "blue")
        world.run("ip", "-batch", "-", stdin="link add v0 type veth peer name v1\nlink add w0 type veth peer name w1 netns blue\n"
                  "link add x0 type veth peer name x1")  # fmt: skip
        ports = " -- ".join("add-port br0 " + name for name in ("v0", "w0", "i0"))
        bridge = "add-br br0 -- set Bridge br0 datapath_type=netdev"
        world.run("ovs-vsctl", *("%s -- %s -- set Interface i0 type=internal" % (bridge, ports)).split())
        world.run("ip", "link", "set", "i0", "netns", "blue")
        assert kernel(True, name="v0", state="absent").plan.warnings == keeps("v0")
        # By the other end, too
        peer = {"name": "v1", "peer": {"name": "v0"}, "state": "absent"}
        assert kernel(True, **peer).plan.warnings == keeps("v0")
        assert any_link({"name": "v1", "state": "absent"}, True).plan.warnings == keeps("v0")
        assert any_link({"name": "x0", "state": "absent"}, True).plan.warnings == []
        assert kernel(True, name="blue", state="absent").plan.warnings == [*keeps("i0"), *keeps("w0")]
        assert kernel(name="blue", state="absent").plan.warnings == [*keeps("i0"), *keeps("w0")]
        assert kernel(name="v0", state="absent").plan.warnings == keeps("v0")

    with_switch(test)


def test_topologies_tell_of_ports_that_are_not_theirs() -> None:
    def test(world: World) -> None:
        veth = {"kind": "veth", "name": "v0", "peer": {"name": "v1"}}
        run({"links": [veth]})
        world.run(
            "ovs-vsctl",
            "add-br",
            "br9",
            "--",
            "set",
            "Bridge",
            "br9",
            "datapath_type=netdev",
            "--",
            "add-port",
            "br9",
            "v0",
        )
        assert run({"links": []}).plan.warnings == keeps("v0")
        # What it has made itself it removes.
        world.run("ovs-vsctl", "del-br", "br9")
        run(network({}, {"name": "v0"}, links=[veth]))
        said = refused(run, network({}, {"name": "v0"}))
        assert said.startswith("Link 'v0' would be gone, and OVS port 'v0' needs it.")
        assert run({"links": []}).plan.warnings == []
        assert not rows(world)["Port"]

    with_switch(test)


GUEST = {"kind": "link", "name": "i0", "netns": "blue", "move_from": "", "state": "up", "addresses": ["192.0.2.2/24"]}


def test_a_link_that_went_with_its_namespace() -> None:
    def test(world: World) -> None:
        document = network({}, {**I0, "tag": "7"}, links=[GUEST], namespaces=[{"name": "blue"}])
        run(document)
        before = rows(world)
        world.run("ip", "netns", "delete", "blue")
        world.settle()
        time.sleep(0.5)
        with pytest.raises(
            Failure,
            match=r"There is no link 'i0'. It is an internal port.*gone with a network namespace; virtnet.linux.ovs_port",
        ):
            any_link({"name": "i0"})
        with pytest.raises(Failure) as caught:
            run(document, host=LateHost)
        assert "not all of them" not in str(caught.value)
        assert rows(world) == before
        assert "blue" not in world.run("ip", "netns", "list")
        if world.run("sh", "-c", "ip link show i0 2> /dev/null || true"):
            world.run("ip", "link", "delete", "i0")  # gone once more
        foretold = run(document, check=True)
        assert foretold.plan.changed
        assert run(document).plan.commands == foretold.plan.commands
        assert "192.0.2.2/24" in world.run("ip", "-n", "blue", "-br", "address", "show", "i0")
        assert rows(world) == before
        assert not run(document).plan.changed

    with_switch(test)


def test_another_number_makes_a_link_anew() -> None:
    def test(world: World) -> None:
        other = {**GUEST, "name": "i1", "addresses": ["192.0.2.3/24"]}
        ports = [I0, {"name": "i1", "type": "internal"}]
        document = network({}, *ports, links=[GUEST, other], namespaces=[{"name": "blue"}])
        run(document)
        number = world.run("ovs-vsctl", "get", "Interface", "i1", "ofport").strip()
        document = network(
            {}, {**I0, "ofport_request": number}, ports[1], links=[GUEST, other], namespaces=[{"name": "blue"}]
        )
        assert run(document).plan.changed
        addresses = world.run("ip", "-n", "blue", "-br", "address")
        assert "192.0.2.2/24" in addresses
        assert "192.0.2.3/24" in addresses
        assert world.run("ovs-vsctl", "get", "Interface", "i0", "ofport").strip() == number
        assert not run(document).plan.changed

    with_switch(test)


def test_a_bridge_with_the_name_of_a_link_in_the_document() -> None:
    def test(world: World) -> None:
        before = rows(world)
        said = refused(run, network({}, links=[{"kind": "linux_bridge", "name": "br0"}]))
        assert "OVS bridge 'br0' can't be made: option links lists a linux_bridge of that name." in said
        assert rows(world) == before

    with_switch(test)


def test_without_the_datapath_of_the_kernel() -> None:
    """The link of the bridge isn't there, and that isn't what the task says."""

    def test(world: World) -> None:
        if world.run("sh", "-c", "test -e /sys/module/openvswitch && echo there || true"):
            return
        document = network({}, links=[{"kind": "link", "name": "br0", "state": "up"}])
        document["ovs_bridges"][0]["datapath_type"] = "system"
        before = rows(world)
        with pytest.raises(Failure, match=r"^Open vSwitch can't set up OVS bridge 'br0': .*'datapath_type: netdev'"):
            run(document)
        assert rows(world) == before

    with_switch(test)
