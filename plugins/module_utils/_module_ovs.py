# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The modules for Open vSwitch."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils import _documents_ovs as documents
from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._module import Side, run
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._plan_ovs import PLANNING

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._apply import Outcome

OVS = Side(lambda params: Ovs(documents.read_timeout(params["timeout"])), PLANNING, certain=True)


def run_bridge() -> None:
    """The whole of the module ovs_bridge."""

    def read(document: documents.Document) -> Wanted:
        return Wanted(ovs_bridges=(documents.read_bridge(document),))

    def write(outcome: Outcome, state: State) -> documents.Document:
        wanted = outcome.wanted.ovs_bridges[0]
        return documents.write_bridge(state.ovs[wanted.database], wanted)

    run("ovs_bridge", documents.bridge_options(), read, write, OVS)


def run_port() -> None:
    """The whole of the module ovs_port."""

    def read(document: documents.Document) -> Wanted:
        return Wanted(ovs_ports=(documents.read_port(document),))

    def write(outcome: Outcome, state: State) -> documents.Document:
        wanted = outcome.wanted.ovs_ports[0]
        return documents.write_port(state.ovs[wanted.database], wanted)

    run("ovs_port", documents.port_options(), read, write, OVS)
