# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import NotApplied
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Link,
    Netns,
    Ref,
    WantedLink,
    WantedNetns,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted
from ansible_collections.virtnet.linux.tests.unit.plugins.module_utils._links.simulated import SimulatedHost

PAIR = WantedLink(Ref("", "a"), "veth", values={"mtu": 1400}, peer=WantedLink(Ref("", "b"), "veth"))


class MeddledHost(SimulatedHost):
    """A host on which something else happens when a task has run its first batch."""

    def __init__(self, meddle: t.Callable[[State], None]) -> None:
        namespaces = {"": Netns(""), "blue": Netns("blue", {"net/ipv4/x": "0"})}
        loopbacks = [Link(Ref(netns, "lo"), index=1, values={"state": "up"}) for netns in namespaces]
        super().__init__(State(namespaces=namespaces, links={link.ref: link for link in loopbacks}))
        self._meddle: t.Optional[t.Callable[[State], None]] = meddle

    def run(self, batch: t.Sequence[Step]) -> None:
        super().run(batch)
        if self._meddle:
            self._meddle(self.state)
            self._meddle = None


def told(wanted: Wanted, meddle: t.Callable[[State], None]) -> str:
    with pytest.raises(NotApplied) as caught:
        converge(MeddledHost(meddle), PLANNING, wanted, False)
    return " ".join(caught.value.sentences)


def lose(*names: str) -> t.Callable[[State], None]:
    def meddle(state: State) -> None:
        for name in names:
            del state.links[Ref("", name)]

    return meddle


def test_links_that_another_process_removes() -> None:
    assert told(Wanted(links=(PAIR,)), lose("a", "b")) == (
        "Link 'a' is gone: another process has removed it during this task. "
        "Link 'b' is gone: another process has removed it during this task."
    )


def test_a_port_that_another_process_removes() -> None:
    bridge = WantedLink(Ref("", "br0"), "linux_bridge", ports=("a",))
    assert told(Wanted(links=(PAIR, bridge)), lose("a", "b")).startswith("Link 'a' is gone: ")


def test_a_namespace_that_another_process_removes() -> None:
    def meddle(state: State) -> None:
        del state.namespaces["new"]
        del state.links[Ref("new", "lo")]

    assert told(Wanted(namespaces=(WantedNetns("new"),)), meddle) == (
        "Namespace 'new' is gone: another process has removed it during this task."
    )


def test_a_sysctl_that_the_kernel_reads_otherwise() -> None:
    def meddle(state: State) -> None:
        state.namespaces["blue"] = Netns("blue", {"net/ipv4/x": "30004"})

    assert told(Wanted(namespaces=(WantedNetns("blue", sysctls={"net/ipv4/x": "30001"}),)), meddle) == (
        "The kernel took '30001' for sysctl net.ipv4.x in namespace 'blue' (option sysctls), and keeps '30004'; give a value "
        "that it keeps."
    )


@pytest.mark.parametrize("kept", ["1", "0x1", "01"])
def test_a_sysctl_that_is_the_same_number(kept: str) -> None:
    def meddle(state: State) -> None:
        state.namespaces["blue"] = Netns("blue", {"net/ipv4/x": "1"})

    wanted = Wanted(namespaces=(WantedNetns("blue", sysctls={"net/ipv4/x": kept}),))
    assert converge(MeddledHost(meddle), PLANNING, wanted, False).plan.changed


def test_what_a_kernel_may_not_have() -> None:
    def meddle(state: State) -> None:
        state.put(state.links[Ref("", "a")].with_values(mtu=1500))

    assert told(Wanted(links=(PAIR,)), meddle) == (
        "The changes were acknowledged, but they are not in effect: setting mtu of link 'a' to 1400. The host may lack the "
        "feature."
    )
