# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module for bridges of Open vSwitch."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._modules.run import Backend, run

# isort: split
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import bridge_documents as documents
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import Document, read_timeout
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome


def run_bridge() -> None:
    """Run the module ovs_bridge."""

    def read(document: Document) -> Wanted:
        return Wanted(ovs_bridges=(documents.read_bridge(document),))

    def write(outcome: Outcome, state: State) -> Document:
        wanted = outcome.wanted.ovs_bridges[0]
        return documents.write_bridge(state.ovs[wanted.database], wanted)

    side = Backend(lambda params: Ovs(read_timeout(params["timeout"])), PLANNING, certain=True)
    run("ovs_bridge", documents.bridge_options(), read, write, side)
