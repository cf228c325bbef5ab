# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_documents, port_documents
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import Options, read_timeout
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    BRIDGE,
    DEFAULTS,
    INTERFACE,
    PORT,
    Bridge,
    Interface,
    Port,
    Switch,
    WantedBridge,
    WantedPort,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import states


def read_bridge(**options: t.Any) -> WantedBridge:
    """What the module makes of its options, Ansible's own validation included."""
    return bridge_documents.read_bridge(validated(bridge_documents.bridge_options(), options))


def read_port(**options: t.Any) -> WantedPort:
    return port_documents.read_port(validated(port_documents.port_options(), {"bridge": "br0", "name": "p", **options}))


def validated(spec: Options, options: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    result = ArgumentSpecValidator(spec).validate(options)
    assert not result.error_messages, result.error_messages
    return dict(result.validated_parameters)


@given(states())
def test_what_is_written_can_be_read_and_asks_for_nothing(state: State) -> None:
    switch = state.ovs[""]
    for name in switch.bridges:
        document = bridge_documents.write_bridge(switch, WantedBridge("", name, True, {}))
        assert document["state"] == "present"
        assert make_plan(state, Wanted(ovs_bridges=(read_bridge(**document),))).steps == []
    for name, port in switch.ports.items():
        if name in switch.bridges:
            continue
        document = port_documents.write_port(switch, WantedPort("", port.real, name, True, {}, {}))
        assert document["state"] == "present"
        assert make_plan(state, Wanted(ovs_ports=(read_port(**document),))).steps == []


def test_options_that_ovs_has_kept_of_another_type() -> None:
    interface = Interface(
        "p", {**DEFAULTS[INTERFACE], "type": "internal", "options": {"peer": "q", "remote_ip": "192.0.2.1"}}
    )
    bridge, port = Bridge("br0", DEFAULTS[BRIDGE]), Port("p", "br0", DEFAULTS[PORT], ("p",))
    state = State(ovs={"": Switch({"br0": bridge}, {"p": port}, {"p": interface})})
    document = port_documents.write_port(state.ovs[""], WantedPort("", "br0", "p", True, {}, {}))
    assert (document["peer"], document["remote_ip"]) == ("q", "192.0.2.1")
    assert make_plan(state, Wanted(ovs_ports=(read_port(**document),))).steps == []
    for other in ({"peer": "r"}, {"remote_ip": "192.0.2.2"}):
        with pytest.raises(BadInput, match="and this is internal"):
            make_plan(state, Wanted(ovs_ports=(read_port(**{**document, **other}),)))


@pytest.mark.parametrize("kind", ["patch", "vxlan"])
def test_a_port_that_lacks_what_its_type_needs(kind: str) -> None:
    interface = Interface("p", {**DEFAULTS[INTERFACE], "type": kind})
    bridge, port = Bridge("br0", DEFAULTS[BRIDGE]), Port("p", "br0", DEFAULTS[PORT], ("p",))
    state = State(ovs={"": Switch({"br0": bridge}, {"p": port}, {"p": interface})})
    document = port_documents.write_port(state.ovs[""], WantedPort("", "br0", "p", True, {}, {}))
    assert make_plan(state, Wanted(ovs_ports=(read_port(**document),))).steps == []


def test_what_is_not_there_is_an_absent_document() -> None:
    switch = State(ovs={"": Switch()}).ovs[""]
    bridge = bridge_documents.write_bridge(switch, WantedBridge("unix:/x", "br0", True, {}))
    assert bridge == {"name": "br0", "state": "absent", "database": "unix:/x"}
    assert not read_bridge(**bridge).present
    port = port_documents.write_port(switch, WantedPort("", "br0", "p", True, {}, {}))
    assert port == {"bridge": "br0", "name": "p", "state": "absent"}
    assert not read_port(**port).present


def test_what_was_left_out_is_not_wanted() -> None:
    assert read_bridge(name="br0") == WantedBridge("", "br0", True, {})
    assert read_port() == WantedPort("", "br0", "p", True, {}, {})


def test_an_empty_value_is_a_value() -> None:
    bridge = read_bridge(name="br0", fail_mode="", protocols=[], controllers=[], ports=[], external_ids={}, mac="")
    assert bridge.values == {"fail_mode": None, "protocols": (), "external_ids": {}, "other_config": {"hwaddr": None}}
    assert (bridge.controllers, bridge.ports, bridge.clear) == ((), (), ("external_ids",))
    port = read_port(tag="", trunks=[], vlan_mode="", lacp="", mac="", type="", options={}, mtu_request="")
    assert port.values == {"tag": None, "trunks": (), "vlan_mode": None, "lacp": None}
    assert port.interface == {"type": "system", "options": {}, "mac": None, "mtu_request": None}
    assert port.clear == ("interface_options",)


@pytest.mark.parametrize(
    ("options", "column", "value"),
    [
        ({"tag": 7}, "tag", 7),
        ({"tag": 0}, "tag", 0),
        ({"trunks": [4095, "10 - 12", "0"]}, "trunks", (0, 10, 11, 12, 4095)),
        ({"external_ids": {"n": 5, "yes": True, "no": False, "gone": None}}, "external_ids",
         {"n": "5", "yes": "true", "no": "false", "gone": None}),
        ({"external_ids": {5: "x"}}, "external_ids", {"5": "x"}),
        ({"vlan_mode": "trunk"}, "vlan_mode", "trunk"),
    ],
)  # fmt: skip
def test_values_of_a_port_have_one_spelling(options: t.Dict[str, t.Any], column: str, value: t.Any) -> None:
    assert read_port(**options).values[column] == value


@pytest.mark.parametrize(
    ("options", "column", "value"),
    [
        ({"mac": "02-00-00-00-00-AB"}, "mac", "02:00:00:00:00:ab"),
        ({"type": "vxlan", "remote_ip": "192.0.2.1", "key": 5, "dst_port": ""}, "options",
         {"remote_ip": "192.0.2.1", "key": "5", "dst_port": None}),
        ({"peer": "x", "options": {"peer": "x", "a": 1}}, "options", {"peer": "x", "a": "1"}),
        ({"ofport_request": 65279}, "ofport_request", 65279),
    ],
)  # fmt: skip
def test_values_of_an_interface_have_one_spelling(options: t.Dict[str, t.Any], column: str, value: t.Any) -> None:
    assert read_port(**options).interface[column] == value


@pytest.mark.parametrize(
    ("database", "read_as"),
    [(None, ""), ("", ""), ("/run/a/db.sock", "unix:/run/a/db.sock"), ("tcp:192.0.2.1:6640", "tcp:192.0.2.1:6640")],
)
def test_databases(database: t.Optional[str], read_as: str) -> None:
    assert read_bridge(name="br0", database=database).database == read_as


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": ""}, r"^Option name is empty; a port of Open vSwitch needs a name\.$"),
        ({"name": "--help"}, "^Option name: '--help' can't be a name in Open vSwitch: no '-' at its beginning"),
        ({"name": "a b"}, "no white space"),
        ({"name": "."}, r"^Option name: '\.' can't be a name in Open vSwitch"),
        ({"name": "x" * 256}, "at most 255 bytes"),
        ({"bridge": "a/b"}, "^Option bridge of OVS port 'p': 'a/b' can't be a name"),
        ({"tag": "4096"}, "^Option tag of OVS port 'p': '4096' is neither a number from 0 to 4095 nor empty"),
        ({"tag": "-1"}, "'-1' is neither a number"),
        ({"tag": "7\n"}, "is neither a number"),
        ({"tag": "0x7"}, "'0x7' is neither a number"),
        ({"trunks": ["20-10"]}, "^Option trunks of OVS port 'p': '20-10' isn't a VLAN from 0 to 4095, or a range"),
        ({"trunks": [""]}, "'' isn't a VLAN"),
        ({"purge_trunks": True}, "^Option purge_trunks of OVS port 'p' needs option trunks"),
        ({"purge_interfaces": True}, "needs option interfaces"),
        ({"mtu_request": "9"}, "from 68 to 65521"),
        ({"ofport_request": "0"}, "from 1 to 65279"),
        ({"mac": "01:00:5e:00:00:01"}, "multicast"),
        ({"interfaces": ["a", "b/"]}, "^Option interfaces of OVS port 'p': 'b/' can't be a name"),
        ({"options": {"peer": "x"}, "peer": "y"}, r"^Option peer of OVS port 'p': options\.peer says something else"),
        ({"external_ids": {"a": ["b"]}}, r"key a needs a text, not \['b'\]"),
        ({"external_ids": {"": "b"}}, "a key is empty"),
        ({"external_ids": {"a": "\0"}}, "contains a NUL, which OVS can't store"),
        ({"external_ids": {"a": "\udcff"}}, "isn't text in UTF-8"),
        ({"external_ids": {"a": "x" * 100_001}}, "more than 100000 bytes"),
        ({"database": "db.sock"}, "^Option database: 'db.sock' is neither the path of a socket nor a remote"),
        ({"database": "tcp:192.0.2.1:6640\n"}, "is neither the path"),
    ],
)
def test_bad_input_for_a_port_is_told_in_a_sentence(options: t.Dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        read_port(**options)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "x" * 16}, "has 16 bytes"),
        ({"name": "-x"}, "no '-' at its beginning"),
        ({"mac": "zz"}, "^Option mac of OVS bridge 'br0': 'zz' isn't a MAC address"),
        ({"mac": "02:00:00:00:00:01", "other_config": {"hwaddr": "02:00:00:00:00:02"}}, "hwaddr says something else"),
        ({"parent": "br1"}, "^Options parent and vlan of OVS bridge 'br0' go together"),
        ({"vlan": 5}, "go together"),
        ({"parent": "br0", "vlan": 5}, "can't be its own parent"),
        ({"parent": "br1", "vlan": 4096}, "4096 isn't a VLAN from 0 to 4095"),
        ({"controllers": ["192.0.2.1"]}, "'192.0.2.1' isn't a target such as tcp:192.0.2.1:6653"),
        ({"controllers": ["tcp:192.0.2.1\n"]}, "isn't a target"),
        ({"purge_controllers": True}, "needs option controllers"),
        ({"purge_protocols": True}, "needs option protocols"),
        ({"purge_ports": True}, "needs option ports"),
        ({"ports": ["-"]}, "^Option ports of OVS bridge 'br0': '-' can't be a name"),
    ],
)
def test_bad_input_for_a_bridge_is_told_in_a_sentence(options: t.Dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as caught:
        read_bridge(**{"name": "br0", **options})
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("seconds", [0, -1, 3601])
def test_a_timeout_is_a_number_of_seconds(seconds: int) -> None:
    with pytest.raises(BadInput, match="isn't a number of seconds from 1 to 3600"):
        read_timeout(seconds)
