# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

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
