# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import different, effects, order
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import Sysctl
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State

V4, V6 = "net/ipv4/conf/", "net/ipv6/conf/"
KEYS = [
    "net/ipv4/ip_forward",
    V4 + "all/forwarding",
    V4 + "default/forwarding",
    V4 + "eth0.5/forwarding",
    V4 + "all/accept_redirects",
    V4 + "all/rp_filter",
    V6 + "all/forwarding",
    V6 + "default/forwarding",
    V6 + "all/disable_ipv6",
    V6 + "default/disable_ipv6",
    "net/ipv4/tcp_mtu_probing",
]
NEW = {**dict.fromkeys(KEYS, "0"), V4 + "all/accept_redirects": "1"}


def write(values: t.Dict[str, str], key: str, value: str) -> None:
    """What the kernel does."""
    if values[key] != value:
        values.update(effects(key, value, values))


def as_told(values: t.Dict[str, str]) -> t.Dict[str, bytes]:
    """As the kernel tells them."""
    return {key: value.encode() + b"\n" for key, value in values.items()}


values = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(["0", "1"])))


@given(values)
def test_what_differs_makes_the_same_of_a_new_namespace(writes: t.List[t.Tuple[str, str]]) -> None:
    there, copy = dict(NEW), dict(NEW)
    for key, value in writes:
        write(there, key, value)
    for key, value in different(as_told(there), as_told(NEW)).items():
        write(copy, key, value)
    assert copy == there


@given(values)
def test_order(writes: t.List[t.Tuple[str, str]]) -> None:
    asked = dict(writes)
    there = dict(NEW)
    for key in sorted(asked, key=order):
        write(there, key, asked[key])
    one = {"net/ipv4/ip_forward", V4 + "all/forwarding"}
    if len({asked[key] for key in one & asked.keys()}) < 2:  # otherwise nothing can be right
        assert {key: there[key] for key in asked} == asked


@given(values, st.sampled_from(KEYS), st.sampled_from(["0", "1"]))
def test_undo(writes: t.List[t.Tuple[str, str]], key: str, value: str) -> None:
    there = dict(NEW)
    for some, other in writes:
        write(there, some, other)
    assume(there[key] != value)
    before = State(namespaces={"a": Netns("a", dict(there))})
    step, after = Sysctl("a", key, value), before.copy()
    step.simulate(after)
    write(there, key, value)
    assert after.namespaces["a"].sysctls == there
    for back in step.inverse(before):
        write(there, t.cast(Sysctl, back).key, t.cast(Sysctl, back).value)
    assert there == before.namespaces["a"].sysctls


def test_a_new_namespace_needs_nothing() -> None:
    assert not different(as_told(NEW), as_told(NEW))


def test_forwarding_has_its_usual_name() -> None:
    router = dict(NEW)
    write(router, V4 + "all/forwarding", "1")
    assert different(as_told(router), as_told(NEW)) == {"net/ipv4/ip_forward": "1"}
