# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._topology.contradictions import contradictions
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._topology.simulated import Document, wanted

BRIDGE = {"kind": "linux_bridge", "name": "b1"}
SECOND = {"kind": "linux_bridge", "name": "b2"}


def told(**document: t.Any) -> t.List[str]:
    return contradictions(wanted({"name": "lab", **document}))


@pytest.mark.parametrize(
    ("links", "sentence"),
    [
        (
            [{**BRIDGE, "ports": ["p"]}, {**SECOND, "ports": ["p"]}],
            "Link 'p' can have one master only, and this document gives it 'b1' (option ports of link 'b1', links[0]) and "
            "'b2' (option ports of link 'b2', links[1]).",
        ),
        (
            [{**BRIDGE, "ports": ["p"]}, {"kind": "link", "name": "p", "master": "b2"}],
            "Link 'p' can have one master only, and this document gives it 'b1' (option ports of link 'b1', links[0]) and "
            "'b2' (option master of link 'p', links[1]).",
        ),
        (
            [{**BRIDGE, "ports": ["q"]}, {"kind": "veth", "name": "p", "peer": {"name": "q", "master": ""}}],
            "Link 'q' can have one master only, and this document gives it 'b1' (option ports of link 'b1', links[0]) and "
            "none (option peer.master of link 'q', links[1]).",
        ),
        (
            [{"kind": "link", "name": "p", "master": "b2"}, {"kind": "linux_bridge_port", "name": "p", "bridge": "b1"}],
            "Link 'p' can have one master only, and this document gives it 'b2' (option master of link 'p', links[0]) and "
            "'b1' (option bridge of port 'p', links[1]).",
        ),
        (
            [{**BRIDGE, "ports": ["q"], "purge_ports": True}, {"kind": "link", "name": "p", "master": "b1"}],
            "Link 'p' can't become a port of 'b1' (option master of link 'p', links[1]): option purge_ports of link 'b1', "
            "links[0] removes the ports that option ports doesn't list.",
        ),
        (
            [{**BRIDGE, "ports": ["p"]}, {"kind": "linux_bridge_port", "name": "p", "bridge": "b1", "state": "absent"}],
            "Link 'p' can't be a port of 'b1' (option ports of link 'b1', links[0]) and not be one (option state of port 'p', "
            "links[1]).",
        ),
        (
            [{**BRIDGE, "ports": ["p"], "ports_promisc": True}, {"kind": "link", "name": "p", "promisc": False}],
            "Link 'p' can't be promiscuous and not: option ports_promisc of link 'b1', links[0] says true and option promisc "
            "of link 'p', links[1] says false.",
        ),
        (
            [{"kind": "link", "name": "p", "state": "absent"}, {"kind": "macvlan", "name": "m", "parent": "p"}],
            "Link 'p' is needed by option parent of link 'm', links[1], and this document removes it (option state of link "
            "'p', links[0]).",
        ),
        (
            [{**BRIDGE, "state": "absent"}, {"kind": "linux_bridge_port", "name": "p", "bridge": "b1"}],
            "Link 'b1' is needed by option bridge of port 'p', links[1], and this document removes it (option state of link "
            "'b1', links[0]).",
        ),
        (
            [
                {"kind": "link", "name": "p", "routes": [{"to": "default", "via": "10.0.0.1"}]},
                {"kind": "link", "name": "q", "routes": [{"to": "default", "via": "10.0.1.1"}]},
            ],
            "There are two routes to 0.0.0.0/0 with the same metric and table: option routes of link 'p', links[0] and option "
            "routes of link 'q', links[1]; give one of them another metric.",
        ),
    ],
)
def test_a_contradiction_names_both_places(links: t.List[Document], sentence: str) -> None:
    assert told(links=links) == [sentence]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"namespaces": [{"name": "n", "state": "absent"}], "links": [{**BRIDGE, "netns": "n"}]},
            "Namespace 'n' is needed by option netns of link 'b1' in namespace 'n', links[0], and this document removes it",
        ),
        (
            {"namespaces": [{"name": "n"}], "links": [{"kind": "link", "name": "lo", "netns": "n", "state": "down"}]},
            "Link 'lo' in namespace 'n' can't be down (option state of link 'lo' in namespace 'n', links[0]): option loopback",
        ),
        (
            {"links": [{**BRIDGE, "ports": ["p"]}], "ovs_bridges": [{"name": "s", "ports": [{"name": "p"}]}]},
            "'b1' (option ports of link 'b1', links[0]) and 's' (option ports of OVS bridge 's')",
        ),
        (
            {"links": [{**BRIDGE, "name": "s"}], "ovs_bridges": [{"name": "s"}]},
            "Link 's' can't be made as linux_bridge (option kind of link 's', links[0]) and as the local port of OVS bridge",
        ),
        (
            {
                "links": [{"kind": "tuntap", "name": "i", "mode": "tap"}],
                "ovs_bridges": [{"name": "s", "ports": [{"name": "i", "type": "internal"}]}],
            },
            "and as the internal port 'i' of OVS bridge 's'; describe it with 'kind: link'",
        ),
    ],
)
def test_contradictions_between_lists(document: Document, words: str) -> None:
    (sentence,) = told(**document)
    assert words in sentence


@pytest.mark.parametrize(
    "document",
    [
        {"links": [{**BRIDGE, "ports": ["p"]}, {"kind": "link", "name": "p", "master": "b1", "promisc": True}]},
        {
            "links": [
                {**BRIDGE, "ports": ["p"], "purge_ports": True},
                {"kind": "linux_bridge_port", "name": "p", "bridge": "b1"},
            ]
        },
        # Other namespaces have other links and routes, and so have other metrics and tables.
        {"links": [{**BRIDGE, "ports": ["p"]}, {"kind": "link", "name": "p", "netns": "n", "master": "b2"}]},
        {
            "links": [
                {"kind": "link", "name": "p", "routes": [{"to": "default"}, {"to": "default", "metric": 5}]},
                {"kind": "link", "name": "p", "netns": "n", "routes": [{"to": "default"}]},
                {
                    "kind": "link",
                    "name": "q",
                    "routes": [{"to": "default", "table": 7}, {"to": "default", "metric": 6}],
                },
            ]
        },
        # Two links may have one address, and a document may take a port out of one bridge for another one.
        {"links": [{"kind": "link", "name": name, "addresses": ["10.0.0.1/24"]} for name in "pq"]},
        {"links": [{**BRIDGE, "ports": [], "purge_ports": True}, {**SECOND, "ports": ["p"]}]},
        {
            "links": [
                {"kind": "linux_bridge_port", "name": "p", "bridge": "b1", "state": "absent"},
                {**SECOND, "ports": ["p"]},
            ]
        },
        # To the kernel, a port of OVS has no master with datapath_type netdev, and that of the datapath otherwise.
        *(
            {
                "links": [{"kind": "link", "name": "p", "master": master}],
                "ovs_bridges": [{"name": "s", "ports": [{"name": "p"}]}],
            }
            for master in ("", "ovs-system")
        ),
        # The datapath netdev takes no link from its master.
        {
            "links": [{**BRIDGE, "ports": ["p"]}],
            "ovs_bridges": [{"name": "s", "datapath_type": "netdev", "ports": [{"name": "p"}]}],
        },
        # An internal port is a link, of which more can be said; and a link may be a port of OVS.
        {
            "links": [
                {"kind": "link", "name": "i", "state": "up"},
                {"kind": "veth", "name": "p", "peer": {"name": "q"}},
            ],
            "ovs_bridges": [{"name": "s", "ports": [{"name": "i", "type": "internal"}, {"name": "p"}]}],
        },
        {
            "namespaces": [{"name": "n", "loopback": False}],
            "links": [{"kind": "link", "name": "lo", "netns": "n", "state": "down"}],
        },
    ],
)
def test_what_is_no_contradiction(document: Document) -> None:
    assert told(**document) == []
