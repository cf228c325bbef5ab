# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What roles say to wrong options; and that no value of any type is more than a sentence."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.linux.plugins.filter.role_errors import role_errors
from ansible_collections.virtnet.linux.plugins.plugin_utils import _roles

FOLDER = Path(__file__).resolve().parents[4] / "roles"
# Options that are required, and an element of each list
GIVEN: t.Dict[str, t.Dict[str, t.Any]] = {
    "hypervisor_bridge": {
        "uplink": "eth0",
        "taps": [{"name": "vm0", "owner": "nobody", "group": "kvm", "tag": 10, "trunks": [20, "30-39"], "mtu": 1400}],
    },
    "macvtap_ports": {
        "uplink": "eth0",
        "list": [{"name": "vm0", "owner": 64055, "device_mode": "0660", "mac": "02:00:00:00:00:04", "mtu": "1400"}],
    },
    "namespace_bridge": {
        "prefix": "192.0.2.0/24",
        "namespaces": [
            {"name": "red"},
            {"name": "green", "port": "g0", "addresses": ["192.0.2.9/24", "2001:db8::9/64"]},
        ],
    },
    "ovs_patch": {"external": [{"name": "br-ext", "uplink": "eth0", "trunks": ["100-199"]}]},
    "prerequisites": {},
    "restore_on_boot": {"python": "/usr/bin/python3"},
}
PLAIN = object()
HOSTILE: t.List[t.Any] = [
    "", " ", "x", "lo", ".", "..", "-x", "a/b", "a b", "a\nb", "a\0b", "\ud800", "ü" * 8, "x" * 16, "x" * 100000, "%s%n", "{{ x }}",
    "'", '"', "$(id)", "1", "-1", "0x10", "1e3", "١٢", "192.0.2.1", "192.0.2.1/24", "192.0.2.0/24", "0.0.0.0/0", "10.0.0.0/8", "::/0",
    "::1/64", "fe80::1%eth0/64", "192.0.2.0/33", "224.0.0.0/4", "10-20", "20-10", "yes", "None", b"x", True, False, 0, 1, -1, 2**63,
    10**30, 1.5, float("nan"), float("inf"), 41135085296, [], [None], [[]], [{}], ["x"], [1], [True], [{"name": None}], {},
    {"name": "x"}, {1: 2}, (), {"x"}, range(3), PLAIN, len,
]  # fmt: skip


@functools.lru_cache(maxsize=None)
def specification(role: str) -> t.Dict[str, t.Any]:
    text = (FOLDER / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return {name[len(role) + 1 :]: option for name, option in options.items()}


def options(role: str, **changes: t.Any) -> t.Dict[str, t.Any]:
    """All options of a role, with defaults where none is given."""
    defaults = {name: option.get("default") for name, option in specification(role).items()}
    return {**defaults, **GIVEN[role], **changes}


ROLES = sorted(GIVEN)


def places(role: str) -> t.Iterator[t.Tuple[str, t.Optional[str]]]:
    """The options of a role, each as its name and None, and those of its elements."""
    for name, option in specification(role).items():
        yield name, None
        for inner in option.get("options", {}):
            yield name, inner


@pytest.mark.parametrize("role", ROLES)
def test_right_options_have_no_errors(role: str) -> None:
    assert _roles.errors(role, options(role)) == []
    assert _roles.errors(role, options(role, state="absent")) == []


def test_each_role_is_checked() -> None:
    # The role overlay has checks of its own.
    assert {path.name for path in FOLDER.iterdir()} == {*_roles.ROLES, "overlay"}


@pytest.mark.parametrize("role", ROLES)
def test_each_option_reaches_the_check(role: str) -> None:
    tasks = yaml.safe_load((FOLDER / role / "tasks" / "main.yml").read_text(encoding="utf-8"))
    expression = tasks[0]["vars"]["%s_errors" % role]
    for name in specification(role):
        assert "'%s': %s_%s" % (name, role, name) in expression


def put(role: str, name: str, inner: t.Optional[str], value: t.Any) -> t.List[str]:
    """The errors with a value for one option, of the role or of the first element of a list."""
    if inner:
        first, *others = GIVEN[role][name]
        value = [{**first, inner: value}, *others]
    return _roles.errors(role, options(role, **{name: value}))


@pytest.mark.parametrize("role", ROLES)
def test_no_value_is_more_than_a_sentence(role: str) -> None:
    """Whatever an option is, the check ends, and each of its sentences has the name of an option, and is short."""
    for name, inner in places(role):
        for value in HOSTILE:
            errors = put(role, name, inner, value)
            assert all("%s_" % role in error and len(error) < 800 and error.isprintable() for error in errors)
            assert all(error[0].isupper() and error.endswith(".") for error in errors)
            # What is of no type that options have is refused.
            odd = isinstance(value, (float, bytes, set, range, type(len))) or value is PLAIN
            assert errors or not odd, (name, inner, value)


@pytest.mark.parametrize("role", ROLES)
def test_an_option_of_an_element_that_has_no_value_is_not_given(role: str) -> None:
    for name, inner in places(role):
        if inner:
            required = specification(role)[name]["options"][inner].get("required", False)
            lacking = ["Option %s_%s[0] lacks the option %s." % (role, name, inner)]
            assert put(role, name, inner, None) == (lacking if required else [])


BRIDGES: t.List[t.Tuple[t.Dict[str, t.Any], str]] = [
    ({"count": -1}, "_count: -1 isn't a whole number from 0"),
    ({"count": 3}, "not both"),
    ({"namespaces": [], "count": 6, "prefix": "192.0.2.0/29"}, "has 6 addresses for hosts, and 7 are needed"),
    ({"namespaces": [], "count": 1024, "prefix": "10.0.0.0/8"}, "_count: a bridge has at most 1023 ports"),
    ({"namespaces": [], "count": 10, "name": "a-long-bridge"}, "a-long-bridge-1 to a-long-bridge-10"),
    ({"gateway": "192.0.2.2/24"}, "_gateway and option namespace_bridge_namespaces[0] (its address is counted"),
    (
        {"gateway": "192.0.2.9/24"},
        "_gateway and option namespace_bridge_namespaces[1].addresses[0]: both are '192.0.2.9'",
    ),
    ({"gateway": "2001:db8:0::9/64"}, "both are '2001:db8::9'"),
    ({"gateway": "192.0.2.255/24"}, "the address of a network, not of a host"),
    ({"gateway": "198.51.100.1/24"}, "none of its addresses is in a network with the gateway 198.51.100.1/24"),
    (
        {"prefix": "192.0.2.0/24", "namespaces": [{"name": "r", "addresses": ["192.0.2.1/24"]}]},
        "which is the gateway's)",
    ),
    ({"nat": True, "prefix": "2001:db8::/64", "namespaces": []}, "needs a namespace_bridge_prefix"),
    ({"nat": "yes", "prefix": "", "namespaces": []}, "needs a namespace_bridge_prefix"),
    ({"namespaces": [{"name": "red"}, {"name": "red", "port": "x"}]}, "both are 'red'; names of namespaces"),
    ({"namespaces": [{"name": "red"}, {"name": "x", "port": "red"}]}, "both are 'red'; names of links"),
    ({"namespaces": [{"name": "red", "port": "br0"}]}, "_name and option namespace_bridge_namespaces[0].port"),
    ({"namespaces": [{"name": "br0"}]}, "both are 'br0'; names of links must differ"),
    ({"namespaces": [{"name": "a-namespace-with-a-long-name"}]}, "unless there is an option port): 'a-namespace"),
    (
        {"namespaces": [{"name": "red", "adresses": []}]},
        "[0] has no option 'adresses'; there are name, addresses, port",
    ),
    ({"namespaces": [{"name": "red", "addresses": ["192.0.2.7/24", "192.0.2.7/25"]}]}, "both are '192.0.2.7'"),
    ({"namespaces": [{"name": "red", "addresses": ["192.0.2.7"]}]}, "lacks its prefix length"),
    ({"interface": "lo"}, "_interface: 'lo' is the loopback device"),
]


@pytest.mark.parametrize(("changes", "words"), BRIDGES)
def test_bridges_with_namespaces(changes: t.Dict[str, t.Any], words: str) -> None:
    assert words in " ".join(_roles.errors("namespace_bridge", options("namespace_bridge", **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"gateway": ""},
        {"gateway": "fe80::1/64", "namespaces": [{"name": "red", "addresses": []}], "prefix": ""},
        {"gateway": "192.0.2.200/24"},
        {"namespaces": [{"name": "red", "addresses": "192.0.2.7/24,2001:db8::7/64"}]},
        {"namespaces": [], "count": "3", "nat": "yes"},
        {"namespaces": [{"name": "a-namespace-with-a-long-name", "port": "p"}]},
        {"type": "ovs", "namespaces": [], "count": 2000, "prefix": "10.0.0.0/16"},
        {"prefix": "192.0.2.0/31", "namespaces": [{"name": "red"}]},
    ],
)
def test_bridges_with_namespaces_that_are_right(changes: t.Dict[str, t.Any]) -> None:
    assert _roles.errors("namespace_bridge", options("namespace_bridge", **changes)) == []


TAP = {"name": "vm0", "owner": "nobody"}


@pytest.mark.parametrize(
    ("role", "changes", "words"),
    [
        ("hypervisor_bridge", {"name": "eth0"}, "_name and option hypervisor_bridge_uplink: both are 'eth0'"),
        ("hypervisor_bridge", {"taps": [TAP, TAP]}, "_taps[0].name and option hypervisor_bridge_taps[1].name"),
        ("hypervisor_bridge", {"taps": [{**TAP, "name": "eth0"}]}, "both are 'eth0'"),
        ("hypervisor_bridge", {"taps": [{**TAP, "tag": 1}]}, "VLAN 1 is the one of frames without a tag"),
        ("hypervisor_bridge", {"taps": [{**TAP, "trunks": ["1-5"]}]}, "VLAN 1 is the one of frames without a tag"),
        ("hypervisor_bridge", {"taps": [{**TAP, "tag": 4095}]}, "_taps[0].tag: 4095 isn't a VLAN from 1 to 4094"),
        ("hypervisor_bridge", {"taps": [{**TAP, "tag": 15, "trunks": ["10-20"]}]}, "VLAN 15 is named twice"),
        (
            "hypervisor_bridge",
            {"taps": [{**TAP, "trunks": ["10-20", "15-30"]}]},
            "_taps[0].trunks: VLAN 15 is named twice",
        ),
        ("hypervisor_bridge", {"taps": [{**TAP, "trunks": "10-20"}]}, "_taps[0].trunks: '10-20' isn't a list"),
        ("hypervisor_bridge", {"taps": [{**TAP, "mtu": 67}]}, "_taps[0].mtu: 67 isn't a whole number from 68"),
        ("macvtap_ports", {"list": [{**TAP, "mac": 41135085296}]}, "quote it in YAML"),
        (
            "macvtap_ports",
            {"list": [{**TAP, "device_mode": "rw"}]},
            "_list[0].device_mode: 'rw' isn't a mode such as '0660'",
        ),
        ("macvtap_ports", {"mode": "passthru", "list": [TAP, {**TAP, "name": "vm1"}]}, "has one macvtap; there are 2"),
        (
            "macvtap_ports",
            {"list": [{**TAP, "mac": "02:00:00:00:00:0A"}, {**TAP, "name": "b", "mac": "02-00-00-00-00-0a"}]},
            "MAC addresses must differ",
        ),
        ("ovs_patch", {"external": [{"name": "br-int"}]}, "both are 'br-int'"),
        ("ovs_patch", {"external": [{"name": "x"}], "integration": "int-x"}, "_external[0].name (its patch port)"),
        ("ovs_patch", {"external": [{"name": "a", "uplink": "e"}, {"name": "b", "uplink": "e"}]}, "both are 'e'"),
        ("ovs_patch", {"external": [{"name": "br-ext", "trunks": ["0-5"]}]}, "'0-5' isn't a VLAN id from 1 to 4094"),
        ("prerequisites", {"modules": ["tun", "-a"]}, "_modules[1]: '-a' isn't the name of a kernel module"),
        ("restore_on_boot", {"before": ["x.service\nExecStart=/bin/true"]}, "_before[0]: 'x.service\\nExecStart"),
        ("restore_on_boot", {"after": ["x"]}, "_after[0]: 'x' isn't a unit such as libvirtd.service"),
        ("restore_on_boot", {"wait": 3601}, "_wait: 3601 isn't a number of seconds from 0 to 3600"),
    ],
)
def test_wrong_options(role: str, changes: t.Dict[str, t.Any], words: str) -> None:
    assert words in " ".join(_roles.errors(role, options(role, **changes)))


def test_all_errors_are_told_up_to_a_limit() -> None:
    two = {**options("prerequisites"), "ovs": 7, "nft": 8}
    assert [error.split(":")[0] for error in role_errors(two, "prerequisites")] == [
        "Option prerequisites_ovs",
        "Option prerequisites_nft",
    ]
    many = options("hypervisor_bridge", taps=[{"name": "", "owner": "nobody"}] * 50)
    assert len(role_errors(many, "hypervisor_bridge")) == 11
    assert role_errors(many, "hypervisor_bridge")[-1] == "There are 40 more errors."


@pytest.mark.parametrize(("given", "role"), [({}, "nosuch"), ({}, None), ([], "ovs_patch"), ("x", "ovs_patch")])
def test_what_the_filter_refuses(given: t.Any, role: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="filter role_errors"):
        role_errors(given, role)
