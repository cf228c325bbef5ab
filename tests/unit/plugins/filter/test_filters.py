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
