# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of tunnels, as Open vSwitch reads them."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.tunnel_options import tunnel_problem
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._ovs.simulated import wish

TO = {"remote_ip": "192.0.2.1"}


def problem(kind: str, **options: str) -> t.Tuple[str, str]:
    given_options = {**TO, **options}
    return tunnel_problem(kind, given_options, list(given_options))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("vxlan", {}),
        ("vxlan", {"remote_ip": "flow", "local_ip": "flow", "key": "flow"}),
        ("vxlan", {"remote_ip": "2001:db8::1", "local_ip": "2001:DB8::2"}),
        ("vxlan", {"remote_ip": "fe80::1"}),
        ("vxlan", {"local_ip": "0.0.0.0"}),
        ("vxlan", {"key": "16777215", "dst_port": "65535", "tos": "inherit", "ttl": "255"}),
        ("geneve", {"key": "0x10", "dst_port": "1", "tos": "0xb8", "ttl": "inherit"}),
        ("gre", {"key": "4294967295", "tos": "252", "ttl": "0", "csum": "true"}),
        ("gre", {"in_key": "flow", "out_key": "017"}),
        ("stt", {"key": "18446744073709551615"}),
        ("erspan", {"key": "1023", "erspan_ver": "1", "erspan_idx": "0xfffff"}),
        ("erspan", {"erspan_ver": "2", "erspan_dir": "1", "erspan_hwid": "3f"}),
        ("vxlan", {"exts": "gbp", "egress_pkt_mark": "7", "packet_type": "ptap", "df_default": "false"}),
        ("vxlan", {"nobody_knows": "whatever", "key": "", "local_ip": ""}),
    ],
)
def test_what_ovs_reads_is_taken(kind: str, options: t.Dict[str, str]) -> None:
    assert problem(kind, **options) == ("", "")


@pytest.mark.parametrize(
    ("kind", "key", "value", "why"),
    [
        ("vxlan", "dst_port", "99999", "'99999' is not a port number from 1 to 65535."),
        ("vxlan", "dst_port", "0", "'0' is not a port number from 1 to 65535."),
        ("vxlan", "dst_port", "0x1000", "'0x1000' is not a port number from 1 to 65535."),
        ("vxlan", "dst_port", "-1", "'-1' is not a port number from 1 to 65535."),
        ("vxlan", "dst_port", "٤", "'٤' is not a port number from 1 to 65535."),
        ("vxlan", "key", "a", "'a' is not a number from 0 to 16777215, the keys of type vxlan, and not 'flow'."),
        ("geneve", "key", "16777216", "from 0 to 16777215"),
        ("vxlan", "key", "08", "from 0 to 16777215"),
        ("vxlan", "key", "5 ", "from 0 to 16777215"),
        ("vxlan", "key", "5\n", "from 0 to 16777215"),
        ("vxlan", "key", "1e3", "from 0 to 16777215"),
        ("gre", "key", "4294967296", "from 0 to 4294967295"),
        ("gre", "in_key", "any", "from 0 to 4294967295"),
        ("stt", "key", "18446744073709551616", "from 0 to 18446744073709551615"),
        ("erspan", "key", "1024", "from 0 to 1023"),
        ("vxlan", "remote_ip", "host.example", "the unicast address of a host, and not 'flow'."),
        ("vxlan", "remote_ip", "224.0.0.1", "the unicast address of a host"),
        ("vxlan", "remote_ip", "ff02::1", "the unicast address of a host"),
        ("vxlan", "remote_ip", "10.1", "the unicast address of a host"),
        ("vxlan", "remote_ip", "10.0.0.01", "the unicast address of a host"),
        ("vxlan", "remote_ip", "10.0.0.1/24", "the unicast address of a host"),
        ("vxlan", "remote_ip", "fe80::1%eth0", "the unicast address of a host"),
        ("vxlan", "remote_ip", "0.0.0.0", "the unicast address of a host"),
        ("vxlan", "local_ip", "eth0", "a unicast address, and not 'flow'."),
        ("vxlan", "local_ip", "224.0.0.1", "a unicast address"),
        ("vxlan", "local_ip", "flow", "'flow' requires 'remote_ip: flow'."),
        ("vxlan", "local_ip", "2001:db8::1", "and remote_ip '192.0.2.1' are of different address families."),
        ("vxlan", "tos", "3", "a DSCP value"),
        ("vxlan", "tos", "300", "a DSCP value"),
        ("vxlan", "tos", "x", "a DSCP value"),
        ("vxlan", "ttl", "256", "a number from 0 to 255, and not 'inherit'."),
        ("vxlan", "csum", "yes", "one of true, false."),
        ("vxlan", "exts", "gbp,foo", "a list of gbp and gpe."),
        ("vxlan", "packet_type", "foo", "one of legacy_l2"),
        ("vxlan", "egress_pkt_mark", "0x1", "a number from 0 to"),
        ("erspan", "erspan_ver", "3", "one of 1, 2, flow."),
        ("erspan", "erspan_idx", "100000", "a hexadecimal number"),
        ("erspan", "erspan_hwid", "40", "a hexadecimal number"),
    ],
)
def test_what_ovs_reads_otherwise_is_refused(kind: str, key: str, value: str, why: str) -> None:
    option, sentence = problem(kind, **{key: value})
    assert option == key
    assert why in sentence


@given(
    st.sampled_from(["vxlan", "geneve", "gre", "stt"]), st.integers(-5, 2**66), st.sampled_from(["%d", "0x%x", "0%o"])
)
def test_keys_are_numbers_in_the_range_of_their_type(kind: str, number: int, form: str) -> None:
    bits = {"gre": 32, "stt": 64}.get(kind, 24)
    good = 0 <= number < 2**bits
    assert (problem(kind, key=form % number) == ("", "")) == good


@pytest.mark.parametrize(
    "options",
    [
        {"type": "vxlan", "remote_ip": "192.0.2.1", "dst_port": "99999"},
        {"type": "vxlan", "remote_ip": "192.0.2.1", "options": {"dst_port": 99999}},
        {"type": "gre", "options": {"remote_ip": "a"}},
        {"type": "vxlan", "remote_ip": "192.0.2.1", "options": {"tos": 3}},
        {"type": "patch", "peer": "p"},
    ],
)
def test_a_port_is_refused_before_anything_is_touched(options: t.Dict[str, t.Any]) -> None:
    bridge = make_plan(State(ovs={"": Switch()}), wish(bridge={"name": "br0", "state": "present"})).after
    with pytest.raises(BadInput, match=r"^Option \w+ of OVS port 'p': "):
        make_plan(bridge, wish(port={"bridge": "br0", "name": "p", "state": "present", **options}))
