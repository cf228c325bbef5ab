# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The modules for namespaces, links and the ports of Linux bridges."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._modules.run import Backend, run

# isort: split
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options, read_netns, write_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind

KERNEL = Backend(lambda _options: Kernel(), PLANNING)


def run_link(kind: t.Optional[Kind]) -> None:
    """Run a module for one kind of link; None for the module that accepts any existing link."""

    def read(document: Document) -> Wanted:
        return Wanted(links=(documents.read_link(document, kind),))

    def write(outcome: Outcome, state: State) -> Document:
        wanted = outcome.wanted.links[0]
        was = outcome.plan.found.get(wanted.ref) if state is outcome.plan.before else None
        return documents.write_link(state, was or wanted.ref, kind)

    run("link", documents.link_options(kind), read, write, KERNEL)


def run_port() -> None:
    """Run the module linux_bridge_port."""

    def read(document: Document) -> Wanted:
        return Wanted(links=(bridge_ports.read(document),))

    def write(outcome: Outcome, state: State) -> Document:
        wanted = outcome.wanted.links[0]
        link = state.links.get(wanted.ref)
        if state is outcome.plan.before and wanted.present and link and link.port:
            # A port that is moved from another bridge: its document before is that of the other bridge.
            wanted = wanted._replace(port_of=link.values["master"])
        return bridge_ports.write(state, wanted)

    run("linux_bridge_port", bridge_ports.options(), read, write, KERNEL)


def run_netns() -> None:
    """Run the module netns."""

    def read(document: Document) -> Wanted:
        return Wanted(namespaces=(read_netns(document),))

    def write(outcome: Outcome, state: State) -> Document:
        return write_netns(state, outcome.wanted.namespaces[0])

    run("netns", netns_options(), read, write, KERNEL)
