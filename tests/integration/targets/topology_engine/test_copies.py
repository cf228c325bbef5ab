# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What topology_info tells of a host makes the same network on an empty one, also what no topology would have made so.

iproute2, ovs-vsctl and the files below /proc/sys tell what both have.
"""

from __future__ import annotations

import contextlib
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import topology_options
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.plugins.module_utils._topology.report import warnings_on
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import rows, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import (
    World,
    alike,
    alone,
    same,
)

Document = t.Dict[str, t.Any]

WORLD = """
link add v0 address 02:00:00:00:00:01 type veth peer name w0 address 02:00:00:00:00:02 netns router
link add v1 address 02:00:00:00:00:03 type veth peer name w1 address 02:00:00:00:00:04 netns router
link add br0 address 02:00:00:00:00:05 type bridge
link set v0 mtu 1400
link set v0 up
link set v1 master br0
link set v1 type bridge_slave isolated on cost 7
link add v2 address 02:00:00:00:00:06 type veth peer name w2 address 02:00:00:00:00:07
link set v2 master br0
link set v2 type bridge_slave cost 100
link add v3 address 02:00:00:00:00:08 type veth peer name w3 address 02:00:00:00:00:09
link add br1 address 02:00:00:00:00:0a type bridge
link add m1 address 02:00:00:00:00:0b link br1 type macvlan
link set v3 master br1
link set w3 up
link set v3 up
link set br1 up
link set m1 master br0
link add m2 address 02:00:00:00:00:0c link w3 type macvlan
link set m2 netns aside
link set br0 up
address add 192.0.2.1/24 dev v0
"""
SWITCH = """
--may-exist add-br ovs0 -- set bridge ovs0 datapath_type=netdev other_config:hwaddr=02:00:00:00:00:10
set interface ovs0 mtu_request=1350 -- set port ovs0 tag=7 external_ids:a=b
add-br ovs1 -- set bridge ovs1 datapath_type=netdev
add-br fake1 ovs1 9 -- br-set-external-id fake1 c d -- set interface fake1 mtu_request=1450
add-port ovs1 p0 -- set interface p0 type=internal
add-port ovs1 p1 -- set interface p1 type=internal mtu_request=1420 mac="02\\:00\\:00\\:00\\:00\\:11"
add-port ovs1 p2 tag=9 -- set interface p2 type=internal
add-port ovs1 p3 -- set interface p3 type=internal
add-port ovs1 p4 -- set interface p4 type=internal mtu_request=1420
add-br ovs2 -- set bridge ovs2 datapath_type=netdev
add-port ovs2 v0
"""
# Of OVS's own links what its database doesn't have.
LATER = """
link set p0 address 02:00:00:00:00:12
link set p2 master br0
link set p2 type bridge_slave hairpin on
link set p3 netns aside
link set p4 netns aside
"""
# Open vSwitch doesn't reach links in other namespaces.
MOVED = """
link set p3 mtu 1300
link set p4 mtu 1380
"""
# By namespace, in an order in which the kernel changes nothing again.
SYSCTLS = {
    "router": {
        "net/ipv4/ip_forward": "1",
        "net/ipv4/conf/all/accept_redirects": "1",
        "net/ipv4/conf/all/rp_filter": "1",
        "net/ipv4/conf/default/rp_filter": "2",
        "net/ipv4/conf/default/forwarding": "0",
        "net/ipv6/conf/all/forwarding": "1",
        "net/ipv6/conf/default/accept_ra": "0",
        "net/ipv4/fib_multipath_hash_policy": "1",
        "net/ipv4/ping_group_range": "1 5",
        "net/ipv6/fib_multipath_hash_policy": "1",
        "net/ipv4/conf/w0/forwarding": "1",
        "net/ipv4/conf/w1/forwarding": "1",
        "net/ipv6/conf/w1/accept_ra": "2",
        "net/ipv6/conf/lo/dad_transmits": "3",
    },
    "server": {
        "net/ipv4/ip_local_port_range": "20000 30000",
        "net/ipv6/conf/all/disable_ipv6": "1",
        "net/ipv6/conf/default/disable_ipv6": "0",
        "net/ipv6/icmp/ratelimit": "500",
        "net/ipv4/conf/all/accept_redirects": "0",
    },
}
# Those of links follow from these, and what is random, or counts, is of no interest.
DUMP = "cd /proc/sys/net && grep -rsH . ipv4 ipv6; true"
NOT_THESE = ("neigh/", "/flush", "stable_secret", "conf/", "tcp_", "udp_")


def sysctls(world: World, netns: str) -> t.List[str]:
    """The sysctls of a namespace but those of its links."""
    told = world.run("ip", "netns", "exec", netns, "sh", "-c", DUMP).splitlines()
    of_all = [line for line in told if "/conf/all/" in line or "/conf/default/" in line]
    return sorted({*of_all, *(line for line in told if not any(word in line for word in NOT_THESE))})


def snapshot(world: World) -> t.Dict[str, t.Any]:
    seen = {**world.snapshot(), "ovs": [[[table, found]] for table, found in rows(world).items()]}
    names = [line.split()[0] for line in world.run("ip", "netns", "list").splitlines()]
    return {**seen, **{"sysctls of " + name: [[sysctls(world, name)]] for name in names if name != "home"}}


def run(**document: t.Any) -> t.Any:
    complete, wrong = topology.validate(topology_options(), {"name": "copy", **document})
    assert not wrong
    with contextlib.closing(WholeHost(20, Records("/run/topologies"))) as host:
        return converge(host, PLANNING, topology.read(complete), check=False)


def told() -> Document:
    found = topology.look(None, "", 20)
    return {name: found[name] for name in ("namespaces", "links", "ovs_bridges")}


def build(world: World) -> None:
    world.build(WORLD, "router", "server", "untouched", "aside")
    for line in SWITCH.strip().splitlines():
        world.run("sh", "-c", "ovs-vsctl " + line)
    world.run("ip", "-batch", "-", stdin=LATER)
    world.run("ip", "-n", "aside", "-batch", "-", stdin=MOVED)
    for netns, values in SYSCTLS.items():
        script = "".join("echo %s > /proc/sys/%s\n" % (value, key) for key, value in values.items())
        world.run("ip", "netns", "exec", netns, "sh", "-ec", script)


def original() -> t.List[t.Any]:
    world = World()
    with switch(world):
        build(world)
        before = snapshot(world)
        document = told()
        assert not run(**document).plan.changed
        same(before, snapshot(world), "what was told, given back")
        return [alike(before), document]


def copied(document: Document) -> t.Dict[str, t.Any]:
    world = World()
    world.build("")
    with switch(world):
        run(**document)
        assert not run(**document).plan.changed
        assert told() == document
        return dict(snapshot(world))


def test_a_copy_is_the_same_network() -> None:
    before, document = alone(original)
    same(before, alike(alone(lambda: copied(document))), "a copy by %s" % document)


def test_only_what_differs_is_told() -> None:
    _before, document = alone(original)
    namespaces = {netns["name"]: netns.get("sysctls") for netns in document["namespaces"]}
    as_names = {netns: {key.replace("/", "."): value for key, value in keys.items()} for netns, keys in SYSCTLS.items()}
    # These had other values before the others were set, and keep them.
    as_names["router"].update({"net.ipv6.conf.w0.accept_ra": "1", "net.ipv4.conf.lo.rp_filter": "0"})
    assert namespaces == {"untouched": None, "aside": None, **as_names}


def with_unknown_ports() -> None:
    world = World()
    world.build("link add br0 type bridge\nlink add x0 type vxlan id 7 dstport 4789\nlink set x0 master br0\n")
    found = topology.look(None, "", 20)
    (bridge,) = found["links"]
    assert bridge["ports"] == ["x0"]
    assert [link["name"] for link in found["other_links"]] == ["x0"]
    (sentence,) = warnings_on(found)
    assert all(word in sentence for word in ("'br0'", "'x0'", "vxlan", "other_links", "option ports"))
    assert not run(links=[bridge]).plan.changed
    world.run("ip", "link", "delete", "x0")
    with pytest.raises(Failure, match="'x0'"):
        run(links=[bridge])


def test_unknown_ports() -> None:
    alone(with_unknown_ports)


def databases() -> None:
    World().build("")
    assert topology.look(None, "", 20)["ovs_bridges"] == []
    for database in ("unix:/run/none.sock", "tcp:127.0.0.1:6640"):
        with pytest.raises(Failure, match=database):
            topology.look(None, database, 20)


def test_a_database_that_is_not_there() -> None:
    alone(databases)
