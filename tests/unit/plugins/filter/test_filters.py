# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.virtnet.linux.plugins.filter.count_addresses import count_addresses
from ansible_collections.virtnet.linux.plugins.filter.vlan_ranges import vlan_ranges


@pytest.mark.parametrize(
    ("network", "count", "addresses"),
    [
        ("192.0.2.0/24", 3, ["192.0.2.1/24", "192.0.2.2/24", "192.0.2.3/24"]),
        ("192.0.2.4/30", 2, ["192.0.2.5/30", "192.0.2.6/30"]),
        ("192.0.2.0/31", 2, ["192.0.2.0/31", "192.0.2.1/31"]),
        ("10.0.0.0/8", 0, []),
        ("2001:db8::/64", 2, ["2001:db8::1/64", "2001:db8::2/64"]),
    ],
)
def test_addresses(network: str, count: int, addresses: t.List[str]) -> None:
    assert count_addresses(network, count) == addresses


@pytest.mark.parametrize(
    ("network", "count", "words"),
    [
        ("192.0.2.0/30", 3, "too small: it has 2 addresses for hosts, and 3 are needed"),
        ("192.0.2.1/24", 1, "has host bits set"),
        ("blue", 1, "isn't a network"),
    ],
)
def test_no_addresses(network: str, count: int, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        count_addresses(network, count)


@pytest.mark.parametrize(
    ("ranges", "merge", "found"),
    [
        ([], False, []),
        ([20, "10-12", "13"], False, ["10-13", "20"]),
        (["10-20", "12", 21, 10], True, ["10-21"]),
        (["1-4094"], False, ["1-4094"]),
    ],
)
def test_vlans(ranges: t.List[t.Any], merge: bool, found: t.List[str]) -> None:
    assert vlan_ranges(ranges, merge) == found


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        (["10-20", "15-30"], "VLAN 15 is named twice"),
        ([7, "7"], "VLAN 7 is named twice"),
        (["20-10"], "isn't a VLAN id"),
        ([0], "isn't a VLAN id"),
        ([4095], "isn't a VLAN id"),
        (["x"], "isn't a VLAN id"),
    ],
)
def test_no_vlans(ranges: t.List[t.Any], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        vlan_ranges(ranges)


# Values of every type, with extremes and odd characters
HOSTILE: t.List[t.Any] = [
    None, "", " ", "x", "\0", "\ud800", "x" * 100000, "192.0.2.1", "192.0.2.1/24", "192.0.2.0/33", "fe80::%eth0/64", "10-20", "٣", b"x",
    True, False, -1, 0, 2**63, 10**30, 1.5, float("nan"), [], [None], [[]], [{}], [True], [1.5], [-1], ["-1"], ["1-"], {}, {1: 2}, (),
    object(), len,
]  # fmt: skip


def sentence(call: t.Callable[[], t.Any]) -> str:
    """What a filter says, or an empty text where it takes the values."""
    try:
        call()
    except AnsibleFilterError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_no_value_is_more_than_a_sentence(number: int) -> None:
    value = HOSTILE[number]
    for said, name in [
        (sentence(lambda: count_addresses(value, 1)), "The network of count_addresses"),
        (sentence(lambda: count_addresses("10.0.0.0/8", value)), "The count of count_addresses"),
        (sentence(lambda: vlan_ranges(value)), "The ranges of vlan_ranges"),
        (sentence(lambda: vlan_ranges([1], value)), "Option merge of vlan_ranges"),
    ]:
        assert said == "" or (said.startswith(name) and said.endswith(".") and said.isprintable() and len(said) < 500)


@pytest.mark.parametrize(
    "network", [None, 5, True, b"192.0.2.0/24", ["192.0.2.0/24"], {}, "", "224.0.0.0/4", "fe80::%1/64"]
)
def test_what_is_no_network(network: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^The network of count_addresses: .* isn't a network"):
        count_addresses(network, 1)


@pytest.mark.parametrize("count", [None, -1, True, 1.5, "x", "", [3], {}, 65537, 10**30])
def test_what_is_no_count(count: t.Any) -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"^The count of count_addresses: .* isn't a whole number from 0 to 65536"
    ):
        count_addresses("10.0.0.0/8", count)


@pytest.mark.parametrize("ranges", ["10-20", 10, None, {"10": 20}, b"10", True])
def test_what_is_no_list_of_vlans(ranges: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^The ranges of vlan_ranges: .* isn't a list of VLAN ids"):
        vlan_ranges(ranges)


@pytest.mark.parametrize(("merge", "taken"), [("yes", True), ("false", False), (1, True)])
def test_words_for_a_boolean(merge: t.Any, taken: bool) -> None:
    assert (sentence(lambda: vlan_ranges([1, 1], merge)) == "") == taken


def test_generators_are_lists_too() -> None:
    assert vlan_ranges(str(vid) for vid in (1, 2)) == ["1-2"]
