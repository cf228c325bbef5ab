# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput

WHERE = "option name of link 'x'"


@pytest.mark.parametrize("name", ["a", "eth0", "br-vm", "x" * 15, "a.b", "...", "桥", "-x", "tap_0", "a@b"])
def test_interface_names_that_the_kernel_takes(name: str) -> None:
    assert names.interface_name(name, WHERE) == name


@pytest.mark.parametrize(
    "name",
    ["", "x" * 16, "桥" * 6, "a/b", "a b", "a\nb", "a\tb", ".", "..", "a:b", "a%d", "\0", "a\0", "à", "all", "default"],
)
def test_interface_names_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"^Option name of link 'x'"):
        names.interface_name(name, WHERE)


@pytest.mark.parametrize("name", ["blue", "a.b", "n" * 255, "命名空间", "cni-1234", "a:b"])
def test_namespace_names(name: str) -> None:
    assert names.namespace(name, WHERE) == name


@pytest.mark.parametrize(
    "name", ["../../tmp/x", "a/b", "..", ".", "a b", "a\n", "-a", "n" * 256, "", "/proc/../etc", "/a\nb"]
)
def test_namespace_references_that_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"^Option name of link 'x'"):
        names.namespace(name, WHERE)


def test_a_namespace_given_by_path_is_no_name() -> None:
    assert names.namespace("/proc/4711/ns/net", WHERE) == "/proc/4711/ns/net"
    with pytest.raises(BadInput, match="without '/'"):
        names.namespace_name("/proc/4711/ns/net", WHERE)


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_is_unicast_and_comes_back_in_one_spelling(octets: bytes) -> None:
    text = octets.hex(":")
    if octets[0] & 1 or not any(octets):
        with pytest.raises(BadInput):
            names.mac(text, WHERE)
    else:
        assert names.mac(text.upper(), WHERE) == text
        assert names.mac(text.replace(":", "-"), WHERE) == text


@pytest.mark.parametrize(
    "mac", ["", "52:54:00:12:34", "52:54:00:12:34:5g", "525400123456", "1:2:3:4:5:6", "61920", "x"]
)
def test_what_is_no_mac(mac: str) -> None:
    with pytest.raises(BadInput, match="isn't a MAC address"):
        names.mac(mac, WHERE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a b", "'a b'"),
        ("a\n\x1b[31m\0é", "'a\\n\\x1b[31m\\x00é'"),
        ("\ud800\udc80", r"'\ud800\udc80'"),
        ("\u202e", r"'\u202e'"),
        (True, "true"),
        (5, "5"),
        (["a"], "['a']"),
        ("x" * 100, "'%s'" % ("x" * 100)),
        ("x" * 101, "'%s'... (101 characters)" % ("x" * 100)),
        (["\n"] * 1000, None),
    ],
)
def test_values_in_messages(value: object, shown: t.Optional[str]) -> None:
    quoted = names.quoted(value)
    assert shown in (None, quoted)
    assert quoted.isprintable()
    assert len(quoted) < 1000


@pytest.mark.parametrize("name", ["x" * 100_000, "a\n" * 50_000, "\ud800", "/" * 100_000, "\x1b[31m"])
@pytest.mark.parametrize(
    "check", [names.interface_name, names.port_name, names.namespace, names.topology_name, names.mac]
)
def test_hostile_names_are_told_short_and_without_control_characters(
    check: t.Callable[[str, str], str], name: str
) -> None:
    with pytest.raises(BadInput) as caught:
        check(name, WHERE)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_the_name_of_a_topology() -> None:
    assert names.topology_name("lab-1", "option name") == "lab-1"
    with pytest.raises(
        BadInput, match=r"^Option name: 'a/b' can't be the name of a topology: it must be a plain file name"
    ):
        names.topology_name("a/b", "option name")
    with pytest.raises(BadInput, match=r"^Option name is empty; a topology needs a name"):
        names.topology_name("", "option name")


def test_what_ansible_returns_is_text() -> None:
    told = {"n\udcff": ["ü", "a\udcfeb", ("x", 1, None, True)], "plain": "text"}
    assert names.readable(told) == {"n\\xff": ["ü", "a\\xfeb", ["x", 1, None, True]], "plain": "text"}
