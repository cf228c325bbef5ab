# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Neighbor,
    Ref,
    Route,
    Vlan,
    WantedLink,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import read_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import states


def read(kind: str, /, **options: t.Any) -> WantedLink:
    """What a module makes of its options, Ansible's own validation included."""
    found = KINDS.get(kind)
    result = ArgumentSpecValidator(documents.link_options(found)).validate(options)
    assert not result.error_messages, result.error_messages
    return documents.read_link(result.validated_parameters, found)


@given(states())
def test_what_is_written_can_be_read_and_asks_for_nothing(state: State) -> None:
    for ref, link in state.links.items():
        kind = link.kind if link.kind in KINDS else ""
        document = documents.write_link(state, ref, KINDS.get(kind))
        plan = make_plan(state, Wanted(links=(read(kind, **document),)))
        assert plan.steps == []


def read_port(**options: t.Any) -> WantedLink:
    result = ArgumentSpecValidator(bridge_ports.options()).validate(options)
    assert not result.error_messages, result.error_messages
    return bridge_ports.read(result.validated_parameters)


@given(states())
def test_what_is_written_of_a_port_can_be_read_and_asks_for_nothing(state: State) -> None:
    for ref, link in state.links.items():
        bridge = link.values.get("master") or "elsewhere"
        wanted = WantedLink(ref, port_of=bridge)
        document = bridge_ports.write(state, wanted)
        assert (document["state"] == "present") == bool(link.values.get("master"))
        plan = make_plan(state, Wanted(links=(read_port(**document),)))
        assert plan.steps == []


def test_vlans_of_a_port() -> None:
    asked = [{"vid": "10-12", "untagged": False}, {"vid": 5, "pvid": True, "untagged": True}, {"vid": "7 - 7"}]
    assert read_port(bridge="br0", name="p", vlans=asked).vlans == (
        Vlan(5, True, True),
        Vlan(7, None, None),
        *(Vlan(vid, None, False) for vid in (10, 11, 12)),
    )


@pytest.mark.parametrize(
    ("kind", "option", "value", "read_as"),
    [
        ("tuntap", "owner", 0, "root"),
        ("tuntap", "owner", "root", "root"),
        ("tuntap", "owner", "", ""),
        ("tuntap", "group", "4294967294", "4294967294"),
        ("macvtap", "device", {"owner": "0", "mode": "660"}, {"owner": "root", "mode": "0660"}),
        ("macvtap", "device", {"mode": 0o640, "path": "/dev/tap7", "group": ""}, {"mode": "0640"}),
        ("macvlan", "macaddrs", ["02-00-00-00-00-0B", "02:00:00:00:00:0a"], ("02:00:00:00:00:0a", "02:00:00:00:00:0b")),
    ],
)
def test_values_have_one_spelling(kind: str, option: str, value: t.Any, read_as: t.Any) -> None:
    assert read(kind, name="a", **{option: value}).values[option] == read_as


def test_users_that_are_not_there_may_yet_come() -> None:
    wanted = read("macvtap", name="a", device={"owner": "nosuchuser", "group": "nosuchgroup"})
    assert wanted.values["device"] == {"owner": "nosuchuser", "group": "nosuchgroup"}
    assert [sentence[:70] for sentence in wanted.missing] == [
        "Link 'a': option device: there is no user 'nosuchuser' on this host; m",
        "Link 'a': option device: there is no group 'nosuchgroup' on this host;",
    ]
    assert read("tuntap", name="a", owner="root", group="").missing == ()


def test_the_device_of_a_macvtap_is_always_wanted() -> None:
    assert read("macvtap", name="a").values == {"device": {}}


def test_a_link_that_is_not_there_is_an_absent_document() -> None:
    document = documents.write_link(State(), Ref("blue", "a"), None)
    assert document == {"name": "a", "netns": "blue", "state": "absent"}
    assert not read("", **document).present


def test_what_was_left_out_is_not_wanted() -> None:
    wanted = read("veth", name="a", peer={"name": "b"})
    assert wanted == WantedLink(Ref("", "a"), "veth", peer=WantedLink(Ref("", "b"), "veth"))


def test_an_empty_value_is_a_value() -> None:
    wanted = read("linux_bridge", name="br0", alias="", master="", addresses=[], routes=[], ports=[])
    assert wanted.values == {"alias": "", "master": ""}
    assert (wanted.addresses, wanted.routes, wanted.ports) == ((), (), ())


def test_spelling_makes_no_difference() -> None:
    wanted = read(
        "linux_bridge", name="br0", mac="02:AB:CD:00:00:01", ageing_time=300.0, addresses=["FD00:0::1/64", "fd00::1/64"]
    )
    assert wanted.values == {"mac": "02:ab:cd:00:00:01", "ageing_time": 300}
    assert wanted.addresses == ("fd00::1/64",)


@pytest.mark.parametrize(
    ("route", "read_as"),
    [
        ({"to": "default", "via": "10.0.0.1"}, Route("0.0.0.0/0", "10.0.0.1")),
        ({"to": "default", "via": "fd00::1"}, Route("::/0", "fd00::1", metric=1024)),
        ({"to": "::/0"}, Route("::/0", metric=1024)),
        ({"to": "default"}, Route("0.0.0.0/0")),
        ({"to": "10.9.0.1"}, Route("10.9.0.1/32")),
        (
            {"to": "10.9.0.0/16", "metric": 5, "table": 100, "src": "10.0.0.1"},
            Route("10.9.0.0/16", "", 5, 100, "10.0.0.1"),
        ),
        ({"to": "10.9.0.0/16", "table": 0}, Route("10.9.0.0/16")),
    ],
)
def test_routes(route: t.Dict[str, t.Any], read_as: Route) -> None:
    assert read("", name="a", routes=[route]).routes == (read_as,)


def test_neighbors() -> None:
    given = [
        {"address": "192.0.2.9", "mac": "02-00-00-00-00-0A"},
        {"address": "FD00:0::9", "mac": "02:00:00:00:00:0a", "state": "noarp", "router": True},
        {"address": "192.0.2.9", "proxy": True},
        {"address": "192.0.2.8", "mac": "03:bf:c0:00:02:08"},
    ]
    assert read("", name="a", neighbors=given).neighbors == (
        Neighbor("192.0.2.9", "02:00:00:00:00:0a"),
        Neighbor("fd00::9", "02:00:00:00:00:0a", "noarp", router=True),
        Neighbor("192.0.2.9", proxy=True),
        Neighbor("192.0.2.8", "03:bf:c0:00:02:08"),  # a cluster with a multicast MAC address
    )


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("", {"name": "x" * 16}, "Option name: 'xxxxxxxxxxxxxxxx' has 16 bytes"),
        ("", {"name": "a", "netns": "../../tmp/x"}, r"Option netns of link 'a': '\.\./\.\./tmp/x' is neither"),
        ("", {"name": "a", "mac": "01:00:5e:00:00:01"}, "Option mac of link 'a': .* multicast"),
        ("", {"name": "a", "mtu": 20}, "Link 'a': mtu 20 is out of range; valid are 68 to 2147483647"),
        ("", {"name": "a", "txqueuelen": -1}, "Link 'a': txqueuelen -1 is out of range"),
        ("", {"name": "a", "alias": "x" * 256}, "Option alias of link 'a': an alias has at most 255 bytes"),
        ("", {"name": "a", "master": "a"}, "Option master of link 'a': a link can't be its own master"),
        ("", {"name": "a", "addresses": ["10.0.0.1/33"]}, "Option addresses of link 'a': '10.0.0.1/33' isn't"),
        (
            "",
            {"name": "a", "addresses": ["fd00::1/64", "fd00::1/48"]},
            "a link has fd00::1 once, with one prefix length",
        ),
        ("", {"name": "a", "purge_addresses": True}, "Option purge_addresses of link 'a' needs option addresses"),
        ("", {"name": "a", "purge_routes": True}, "Option purge_routes of link 'a' needs option routes"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8", "via": "fd00::1"}]}, "are of different address families"),
        ("", {"name": "a", "routes": [{"to": "nowhere"}]}, "Option routes of link 'a': 'nowhere' isn't a network"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8", "metric": -1}]}, "metric -1 is out of range"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8"}] * 2}, "two routes to 10.0.0.0/8 with the same metric"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8", "mtu": 65521}]}, "mtu 65521 is out of range; .* 0 to 65520"),
        (
            "",
            {"name": "a", "routes": [{"to": "10.0.0.0/8", "src": "0.0.0.0"}]},
            "'0.0.0.0' can't be the source address",
        ),
        ("", {"name": "a", "routes": [{"to": "fd00::/8", "src": "::"}]}, "'::' can't be the source address of a route"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8", "via": "0.0.0.0"}]}, "'0.0.0.0' can't be the gateway"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8", "via": "224.0.0.1"}]}, "'224.0.0.1' can't be the gateway"),
        ("", {"name": "a", "routes": [{"to": "10.0.0.0/8", "onlink": True}]}, "onlink is for a gateway"),
        ("", {"name": "a", "purge_neighbors": True}, "Option purge_neighbors of link 'a' needs option neighbors"),
        ("", {"name": "a", "neighbors": [{"address": "192.0.2.9"}]}, "192.0.2.9 needs a MAC address"),
        (
            "",
            {"name": "a", "neighbors": [{"address": "x", "proxy": True}]},
            "Option neighbors of link 'a': 'x' isn't an IP",
        ),
        ("", {"name": "a", "neighbors": [{"address": "192.0.2.9/24", "proxy": True}]}, "has a prefix length"),
        ("", {"name": "a", "neighbors": [{"address": "224.0.0.9", "proxy": True}]}, "can't be a neighbor"),
        (
            "",
            {"name": "a", "neighbors": [{"address": "192.0.2.9", "proxy": True, "mac": "02:00:00:00:00:0a"}]},
            "192.0.2.9 can't have mac with 'proxy: true'",
        ),
        (
            "",
            {"name": "a", "neighbors": [{"address": "192.0.2.9", "mac": "02:00:00:00:00:0a", "router": True}]},
            "192.0.2.9 can't have 'router: true'",
        ),
        (
            "",
            {
                "name": "a",
                "neighbors": [{"address": "fd00::9", "proxy": True}, {"address": "fd00:0::9", "proxy": True}],
            },
            "there are two proxies with the address fd00::9",
        ),
        ("", {"name": "a", "neighbors": [{"address": "192.0.2.9", "mac": "00:00:00:00:00:00"}]}, "can't be all zeros"),
        ("", {"name": "a", "move_from": "a/b"}, "Option move_from of link 'a'"),
        (
            "linux_bridge",
            {"name": "br0", "ports": ["br0"]},
            "Option ports of link 'br0': a bridge can't be a port of itself",
        ),
        ("linux_bridge", {"name": "br0", "ports": ["a b"]}, "Option ports of link 'br0': 'a b' contains white space"),
        ("linux_bridge", {"name": "br0", "purge_ports": True}, "Option purge_ports of link 'br0' needs option ports"),
        ("linux_bridge", {"name": "br0", "hello_time": 0}, "Link 'br0': hello_time 0.0 is out of range"),
        ("linux_bridge", {"name": "br0", "priority": 65536}, "Link 'br0': priority 65536 is out of range"),
        ("tuntap", {"name": "a", "group": "4294967295"}, "Link 'a': option group: 4294967295 isn't the id of a group"),
        ("macvtap", {"name": "a", "device": {"mode": "rw"}}, "Link 'a': option device: rw isn't a mode"),
        ("macvtap", {"name": "a", "device": {"mode": True}}, "Link 'a': option device: True isn't a mode"),
        ("macvlan", {"name": "a", "macaddrs": ["x"]}, "Link 'a': option macaddrs: 'x' isn't a MAC address"),
        ("macvlan", {"name": "a", "parent": "a b"}, "Option parent of link 'a': 'a b' contains white space"),
        ("macvlan", {"name": "a", "parent_netns": "blue"}, "Option parent_netns of link 'a' needs option parent"),
        ("macvlan", {"name": "a", "bcqueuelen": -1}, "Link 'a': bcqueuelen -1 is out of range"),
        ("veth", {"name": "a", "peer": {"name": "a"}}, "Option peer of veth 'a': a veth can't be its own peer"),
        ("veth", {"name": "a", "peer": {"name": "b/"}}, "Option peer.name: 'b/' contains '/'"),
        ("veth", {"name": "a", "peer": {"name": "b", "netns": ".."}}, "Option peer.netns of link 'b'"),
    ],
)
def test_bad_input_is_told_in_a_sentence(kind: str, options: t.Dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        read(kind, **options)
    assert str(caught.value).endswith(".")


def test_sysctls() -> None:
    options = {"name": "blue", "state": "present", "loopback": True}
    wanted = read_netns({**options, "sysctls": {"net.ipv4.ip_forward": True, "net/ipv4/tcp_rmem": "1  2\t3"}})
    assert wanted.sysctls == {"net/ipv4/ip_forward": "1", "net/ipv4/tcp_rmem": "1 2 3"}
    # As the kernel takes it; what it makes of it is compared.
    wanted = read_netns({**options, "sysctls": {"net.ipv4.ip_forward": " 0x1", "net/ipv4/ip_forward": "0x1"}})
    assert wanted.sysctls == {"net/ipv4/ip_forward": "0x1"}
    with pytest.raises(BadInput, match=r"^Option sysctls of namespace 'blue': 'net/ipv4/ip_forward' has two values"):
        read_netns({**options, "sysctls": {"net.ipv4.ip_forward": 1, "net/ipv4/ip_forward": 0}})
    with pytest.raises(BadInput, match="needs a value"):
        read_netns({**options, "sysctls": {"net.ipv4.ip_forward": None}})
    with pytest.raises(BadInput, match="only sysctls below 'net' do"):
        read_netns({**options, "sysctls": {"kernel.hostname": "x"}})
