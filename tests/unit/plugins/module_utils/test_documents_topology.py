# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given, settings

from ansible_collections.virtnet.linux.plugins.module_utils._documents_topology import write_all
from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput, Failure
from ansible_collections.virtnet.linux.plugins.module_utils._model import State
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import HostState, Link, Netns, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._plan_topology import make_plan

from .simulated_topology import Document, topologies, wanted


def test_all_that_is_wrong_is_told_at_once_and_where() -> None:
    with pytest.raises(BadInput) as caught:
        wanted(
            {
                "name": "a/b",
                "namespaces": [{"name": ".."}, {"nam": "blue"}],
                "links": [
                    {},
                    {"kind": "dummy"},
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
        "In namespaces[0]: Option name: '..'",
        "Option namespaces[1]: missing required arguments: name.",
        "Option namespaces[1]: there is no option nam.",
        "Option links[0] needs a kind, and '' is none of link, linux_bridge, ",
        "Option links[1] needs a kind, and 'dummy' is none of ",
        "Option links[2]: argument 'mtu'",
        "In links[3]: Option name: '/'",
        "In ovs_bridges[0].ports[0]: Option tag of OVS port 'p': '5000'",
        "Option ovs_bridges[1].ports: it is a list of the documents of ports.",
    ):
        assert words in text


def an_empty_state() -> HostState:
    namespaces = {"": Netns("", identity="1")}
    return HostState(namespaces=namespaces, links={Ref("", "lo"): Link(Ref("", "lo"), index=1)}, ovs={"": Switch()})


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
        (Link(Ref("", "d0"), "dummy", 2), "dummy"),
        (Link(Ref("", "v0"), "veth", 2), "veth"),  # its other end is out of reach
    ],
)
def test_what_no_topology_can_make_is_told_apart(link: Link, kind: str) -> None:
    told: t.Dict[str, t.Any] = write_all(State(links={link.ref: link}), [])
    assert told["links"] == []
    assert [(other["name"], other["kind"]) for other in told["other_links"]] == [(link.ref.name, kind)]
