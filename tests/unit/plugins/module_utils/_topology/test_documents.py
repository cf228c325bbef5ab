# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given, settings

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Failure
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Netns, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._topology.report import write_all
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import (
    Document,
    topologies,
    wanted,
)


def test_all_that_is_wrong_is_told_at_once_and_where() -> None:
    with pytest.raises(BadInput) as caught:
        wanted(
            {
                "name": "a/b",
                "namespaces": [{"name": ".."}, {"nam": "blue"}],
                "links": [
                    {},
                    {"kind": "nosuch"},
                    {"kind": "veth", "name": "v", "mtu": "large"},
                    {"kind": "link", "name": "/"},
                ],
                "ovs_bridges": [
                    {"name": "ovs0", "ports": [{"name": "p", "tag": "5000"}]},
                    {"name": "ovs1", "ports": ["p"]},
                ],
            }
        )
    text = str(caught.value)
    for words in (
        "Option name: 'a/b'",
        "In namespaces[0] ('..'): Option name: '..'",
        "In namespaces[1]: missing required arguments: name.",
        "In namespaces[1]: there is no option nam.",
        "In links[0]: a link needs a kind, and '' is none of dummy, ifb, link, ",
        "In links[1]: a link needs a kind, and 'nosuch' is none of ",
        "In links[2] ('v'): argument 'mtu'",
        "In links[3] ('/'): Option name: '/'",
        "In ovs_bridges[0].ports[0] ('p'): Option tag of OVS port 'p': '5000'",
        "In ovs_bridges[1] ('ovs1'): option ports is a list of the documents of ports, such as {name: p0}, and 'p' is none.",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"kind": [], "name": "a"}, ["In links[0] ('a'): a link needs a kind, and [] is none of dummy, "]),
        ({"kind": True}, ["In links[0]: a link needs a kind, and true is none of dummy, "]),
        (
            {"kind": "veth", "name": True, "peer": True},
            [
                "Option name must be a string; true is a boolean.",
                "Option peer must be a dictionary; true is a boolean.",
            ],
        ),
        (
            {"kind": "macvtap", "name": "a", "device": 5},
            ["In links[0] ('a'): Option device must be a dictionary; 5 is"],
        ),
        (
            {"kind": "veth", "name": "a", "mac": "x", "mtu": 5, "peer": {"name": "b/", "mtuu": 7}, "adresses": []},
            [
                "there is no option adresses",
                "peer.mtuu",
                "Option mac of link 'a': 'x' isn't a MAC address",
                "Link 'a': mtu 5 is out of range",
                "Option peer.name: 'b/' contains '/'",
            ],
        ),
        (
            {"kind": "link", "name": "a", "routes": [{"to": "x"}, {"to": "10.0.0.0/8", "via": "fd00::1", "mtu": -1}]},
            ["'x' isn't a network", "10.0.0.0/8 and fd00::1 are of different", "mtu -1 is out of range"],
        ),
    ],
)
def test_all_that_is_wrong_with_one_element_is_told(link: Document, words: t.List[str]) -> None:
    with pytest.raises(BadInput) as caught:
        wanted({"name": "lab", "links": [link]})
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert text.isprintable()


def an_empty_state() -> State:
    namespaces = {"": Netns("", identity="1")}
    return State(namespaces=namespaces, links={Ref("", "lo"): Link(Ref("", "lo"), index=1)}, ovs={"": Switch()})


@settings(max_examples=50)
@given(topologies())
def test_what_a_host_has_asks_for_nothing_when_given_back(document: Document) -> None:
    try:
        plan = make_plan(an_empty_state(), wanted({**document, "state": "present"}))
    except Failure:
        return
    if plan.missing:
        return
    told = write_all(plan.after, sorted(set(plan.after.namespaces) - {""}))
    assert told.pop("other_links") == []
    assert make_plan(plan.after, wanted({"name": "copy", **told})).steps == []


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        (Link(Ref("", "eth0"), "", 2), "hardware"),
        (Link(Ref("", "b0"), "bond", 2), "bond"),
        (Link(Ref("", "v0"), "veth", 2), "veth"),  # its other end is out of reach
    ],
)
def test_what_no_topology_can_make_is_told_apart(link: Link, kind: str) -> None:
    told: t.Dict[str, t.Any] = write_all(State(links={link.ref: link}), [])
    assert told["links"] == []
    assert [(other["name"], other["kind"]) for other in told["other_links"]] == [(link.ref.name, kind)]
