# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import HostState, Netns
from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._model_topology import (
    Record,
    belongings,
    record_of,
)
from ansible_collections.virtnet.linux.plugins.module_utils._plan import Plan
from ansible_collections.virtnet.linux.plugins.module_utils._plan_topology import (
    PLANNING,
    owned_after,
)

from .simulated import states as link_states
from .simulated_ovs import SimulatedOvs
from .simulated_topology import topologies, wanted

# The same examples each time, so that a change is judged by what it changes; EXPLORE=2000 goes looking for new ones.
laws = settings(
    max_examples=int(os.environ.get("EXPLORE", "200")),
    derandomize="EXPLORE" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class Host(SimulatedOvs):
    """A host that gives what is made an identity, and keeps the record of one topology."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.record = Record("lab")
        self.identities = 0
        self._identify()

    def _identify(self) -> None:
        for name, netns in self.state.namespaces.items():
            self.state.namespaces[name] = netns if netns.identity else dataclasses.replace(netns, identity=self._new())
        for link in self.state.links.values():
            self.state.put(link if link.index else dataclasses.replace(link, index=int(self._new())))
        for switch in self.state.ovs.values():
            there = [*(("Bridge", name) for name in switch.bridges), *(("Port", name) for name in switch.ports)]
            switch.rows = {row: switch.rows.get(row) or self._new() for row in there}

    def _new(self) -> str:
        self.identities += 1
        return str(100 + self.identities)

    def locate(self, wanted: Wanted) -> Wanted:
        assert wanted.topology
        return dataclasses.replace(wanted, topology=dataclasses.replace(wanted.topology, record=self.record))

    def commit(self, plan: Plan, now: State) -> None:
        self._identify()
        mine = belongings(self.record, plan.before)
        self.record = record_of("lab", owned_after(plan, mine, self.state), self.state)


def host_with(state: State) -> Host:
    return Host(HostState(**{**vars(state), "ovs": {"": Switch()}, "boot": "this"}))


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    """A host with things of others, and with what some documents of the topology have left of themselves."""
    host = host_with(draw(link_states() | st.just(State(namespaces={"": Netns("")}))))
    for document in draw(st.lists(topologies(), max_size=3)):
        try:
            converge(host, PLANNING, wanted(document), False)
        except Failure:
            continue
    return host
