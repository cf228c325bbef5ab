# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.option_types import mistyped
from ansible_collections.virtnet.linux.plugins.module_utils._links import documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("veth", {"name": ["a"]}, "Option name must be a string; ['a'] is a list."),
        ("veth", {"name": {"a": 1}}, "Option name must be a string; {'a': 1} is a dictionary."),
        (
            "veth",
            {"name": True},
            "Option name must be a string; true is a boolean. Put it in quotes if it is meant as a string.",
        ),
        (
            "veth",
            {"netns": 1.5},
            "Option netns must be a string; 1.5 is a number. Put it in quotes if it is meant as a string.",
        ),
        ("veth", {"mtu": True}, "Option mtu must be an integer; true is a boolean."),
        ("veth", {"promisc": []}, "Option promisc must be a boolean; [] is a list."),
        ("veth", {"peer": True}, "Option peer must be a dictionary; true is a boolean."),
        ("veth", {"peer": ["b"]}, "Option peer must be a dictionary; ['b'] is a list."),
        ("veth", {"peer": {"name": ["b"]}}, "Option peer.name must be a string; ['b'] is a list."),
        ("veth", {"kind": []}, "Option kind must be a string; [] is a list."),
        ("macvtap", {"device": 5}, "Option device must be a dictionary; 5 is an integer."),
        ("linux_bridge", {"ports": {"name": "p"}}, "Option ports must be a list; {'name': 'p'} is a dictionary."),
        ("linux_bridge", {"ports": [["p"]]}, "Option ports[0] must be a string; ['p'] is a list."),
        ("linux_bridge", {"ports": ["p", None]}, "Option ports[1] must be a string, not null."),
        ("veth", {"routes": ["default"]}, "Option routes[0] must be a dictionary; 'default' is a string."),
        ("veth", {"routes": [{"to": ["default"]}]}, "Option routes[0].to must be a string; ['default'] is a list."),
        ("veth", {"alias": "\ud800"}, "Option alias: '\\ud800' contains a NUL or a character that is not Unicode."),
        (
            "veth",
            {"peer": {"name": "b", "alias": "a\0"}},
            "Option peer.alias: 'a\\x00' contains a NUL or a character that is not Unicode.",
        ),
        ("tuntap", {"owner": "a\0b"}, "Option owner: 'a\\x00b' contains a NUL or a character that is not Unicode."),
        ("linux_bridge", {"forward_delay": float("inf")}, "Option forward_delay: inf is not a number."),
        ("veth", {"txqueuelen": "inf"}, "Option txqueuelen must be an integer; 'inf' is out of range."),
        ("veth", {"mtu": "-Infinity"}, "Option mtu must be an integer; '-Infinity' is out of range."),
        ("veth", {"mtu": "1e999999999"}, "Option mtu must be an integer; '1e999999999' is out of range."),
        ("veth", {"peer": {"name": "b", "mtu": "sNaN"}}, "Option peer.mtu must be an integer; 'sNaN' is out of range."),
        ("linux_bridge", {"ageing_time": "nan"}, "Option ageing_time must be a number; 'nan' is out of range."),
        ("linux_bridge", {"ageing_time": "1e400"}, "Option ageing_time must be a number; '1e400' is out of range."),
        ("linux_bridge", {"ageing_time": 10**400}, None),
        ("veth", {"alias": ["x" * 1000]}, None),
    ],
)
def test_values_that_ansible_would_convert_into_something_else(
    kind: str, options: t.Dict[str, t.Any], sentence: t.Optional[str]
) -> None:
    found = list(mistyped(documents.link_options(KINDS[kind]), options).values())
    assert len(found) == 1
    told = found[0]
    assert sentence in (None, told)
    assert len(told) < 300


@pytest.mark.parametrize(
    "options",
    [
        {"name": 7, "mtu": "1500", "promisc": "yes", "state": None, "ports": "a,b"},
        {"name": "a", "stp": 1, "ageing_time": 5, "mtu": 1500.0, "ports": 5, "addresses": []},
        {"name": "a", "routes": [{"to": "default", "metric": "5"}, "to=10.0.0.0/8", '{"to": "default"}']},
    ],
)
def test_values_that_are_left_to_ansible(options: t.Dict[str, t.Any]) -> None:
    assert mistyped(documents.link_options(KINDS["linux_bridge"]), options) == {}


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_nothing_but_text_and_whole_numbers_becomes_a_name(kind: str, data: st.DataObject) -> None:
    options = documents.link_options(KINDS[kind])
    name = data.draw(st.sampled_from(sorted(options)))
    value = data.draw(anything)
    given_options = {"name": "a", name: value}
    if value is None or mistyped(options, given_options):
        return
    result = ArgumentSpecValidator(options).validate(given_options)
    if not result.errors and isinstance(result.validated_parameters[name], str):
        assert isinstance(value, (str, int))
        assert not isinstance(value, bool)
