# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common import values
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput

WHERE = "option x of link 'x'"


@given(st.ip_addresses(), st.integers(-1, 140))
def test_addresses(ip: ipaddress.IPv4Address, prefix: int) -> None:
    text = "%s/%d" % (ip, prefix)
    if 0 <= prefix <= ip.max_prefixlen and not ip.is_multicast and not ip.is_unspecified:
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        assert values.address(text, WHERE) == "%s/%d" % (socket.inet_ntop(family, ip.packed), prefix)
    else:
        with pytest.raises(BadInput):
            values.address(text, WHERE)


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.0.1/33", "fd00::1/129", "10.0.0/24", "fe80::1%eth0/64", "x/24"])
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(BadInput, match="^Option x of link 'x'.*" + address.replace(".", r"\.").replace("%", "%")):
        values.address(address, WHERE)


def test_destinations() -> None:
    assert values.destination("10.0.0.0/8", WHERE) == "10.0.0.0/8"
    assert values.destination("10.0.0.1", WHERE) == "10.0.0.1/32"
    assert values.destination("FD00::/8", WHERE) == "fd00::/8"
    with pytest.raises(BadInput, match=r"did you mean 10\.0\.0\.0/24"):
        values.destination("10.0.0.1/24", WHERE)


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
    ],
)
def test_sysctl_keys(key: str, path: str) -> None:
    assert values.sysctl_key(key, WHERE) == path
    assert values.sysctl_key(values.sysctl_name(path), WHERE) == path


@pytest.mark.parametrize(
    "key", ["kernel.hostname", "net", "", "net..x", "net/../../etc/passwd", "net.ipv4.a b", "../x"]
)
def test_sysctl_keys_that_are_refused(key: str) -> None:
    with pytest.raises(BadInput):
        values.sysctl_key(key, WHERE)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("1", "1"),
        ("01", "1"),
        ("0x1F", "31"),
        ("010", "8"),
        ("-1", "-1"),
        ("-0x1", "-1"),
        ("00", "0"),
        ("4096  010000\t0x10", "4096 4096 16"),
        ("08", "08"),  # neither octal nor decimal to the kernel
        ("+1", "+1"),
        ("cubic", "cubic"),
        ("", ""),
        ("8081,8080,9000-9001,9002,9001", "8080-8081,9000-9002"),
        ("1-3", "1-3"),
        ("a,b", "a,b"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_sysctls_as_the_kernel_tells_them(value: str, told: str) -> None:
    assert values.sysctl_told(value) == told
    assert values.sysctl_told(told) == told


@given(st.integers(-(2**31), 2**32), st.sampled_from(["%d", "%#x", "%#o"]))
def test_one_number_in_whatever_spelling(number: int, spelling: str) -> None:
    assert values.sysctl_told((spelling % number).replace("0o", "0")) == str(number)
