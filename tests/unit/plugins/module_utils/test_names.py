# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils import _names
from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput

WHERE = "option name of link 'x'"


@pytest.mark.parametrize("name", ["a", "eth0", "br-vm", "x" * 15, "a.b", "...", "桥", "-x", "tap_0", "a@b"])
def test_interface_names_that_the_kernel_takes(name: str) -> None:
    assert _names.interface_name(name, WHERE) == name


@pytest.mark.parametrize(
    "name",
    ["", "x" * 16, "桥" * 6, "a/b", "a b", "a\nb", "a\tb", ".", "..", "a:b", "a%d", "\0", "a\0", "à", "all", "default"],
)
def test_interface_names_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"^Option name of link 'x'"):
        _names.interface_name(name, WHERE)


@pytest.mark.parametrize("name", ["blue", "a.b", "n" * 255, "命名空间", "cni-1234", "a:b"])
def test_namespace_names(name: str) -> None:
    assert _names.namespace(name, WHERE) == name


@pytest.mark.parametrize(
    "name", ["../../tmp/x", "a/b", "..", ".", "a b", "a\n", "-a", "n" * 256, "", "/proc/../etc", "/a\nb"]
)
def test_namespace_references_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"^Option name of link 'x'"):
        _names.namespace(name, WHERE)


def test_a_namespace_given_by_path_is_no_name() -> None:
    assert _names.namespace("/proc/4711/ns/net", WHERE) == "/proc/4711/ns/net"
    with pytest.raises(BadInput, match="without '/'"):
        _names.namespace_name("/proc/4711/ns/net", WHERE)


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_is_unicast_and_comes_back_in_one_spelling(octets: bytes) -> None:
    text = octets.hex(":")
    if octets[0] & 1 or not any(octets):
        with pytest.raises(BadInput):
            _names.mac(text, WHERE)
    else:
        assert _names.mac(text.upper(), WHERE) == text
        assert _names.mac(text.replace(":", "-"), WHERE) == text


@pytest.mark.parametrize(
    "mac", ["", "52:54:00:12:34", "52:54:00:12:34:5g", "525400123456", "1:2:3:4:5:6", "61920", "x"]
)
def test_what_is_no_mac(mac: str) -> None:
    with pytest.raises(BadInput, match="isn't a MAC address"):
        _names.mac(mac, WHERE)


@given(st.ip_addresses(), st.integers(-1, 140))
def test_addresses(ip: ipaddress.IPv4Address, prefix: int) -> None:
    text = "%s/%d" % (ip, prefix)
    if 0 <= prefix <= ip.max_prefixlen and not ip.is_multicast and not ip.is_unspecified:
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        assert _names.address(text, WHERE) == "%s/%d" % (socket.inet_ntop(family, ip.packed), prefix)
    else:
        with pytest.raises(BadInput):
            _names.address(text, WHERE)


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.0.1/33", "fd00::1/129", "10.0.0/24", "fe80::1%eth0/64", "x/24"])
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(BadInput, match="^Option name of link 'x'.*" + address.replace(".", r"\.").replace("%", "%")):
        _names.address(address, WHERE)


def test_destinations() -> None:
    assert _names.destination("10.0.0.0/8", WHERE) == "10.0.0.0/8"
    assert _names.destination("10.0.0.1", WHERE) == "10.0.0.1/32"
    assert _names.destination("FD00::/8", WHERE) == "fd00::/8"
    with pytest.raises(BadInput, match=r"did you mean 10\.0\.0\.0/24"):
        _names.destination("10.0.0.1/24", WHERE)


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
    assert _names.sysctl_key(key, WHERE) == path
    assert _names.sysctl_key(_names.sysctl_name(path), WHERE) == path


@pytest.mark.parametrize(
    "key", ["kernel.hostname", "net", "", "net..x", "net/../../etc/passwd", "net.ipv4.a b", "../x"]
)
def test_sysctl_keys_that_are_refused(key: str) -> None:
    with pytest.raises(BadInput):
        _names.sysctl_key(key, WHERE)
