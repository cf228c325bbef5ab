# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Compares a document that is kept for the next boot with one that is to be kept, by their meaning."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.argument_specs import spelled
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import located, references
from ansible_collections.virtnet.linux.plugins.module_utils._topology import documents

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted

Kept = t.Optional[documents.Document]
_OPTIONS = ("purge", "rollback", "timeout")


def mean_the_same(kept: Kept, keep: Kept) -> bool:
    """Whether two documents ask for the same, in whatever order and spelling."""
    if kept == keep or kept is None or keep is None:
        return kept == keep
    return bool(_meaning(kept, keep["name"]) == _meaning(keep, keep["name"]))


def is_result_of(keep: Kept, kept: Kept, state: State) -> bool:
    """Whether a document is what the task of the kept document returns for a host in a state.

    Then it was given back, and asks for nothing that its user has decided on. Kept in place of the user's own document, it would
    fix at the next boot all that the user has left to the kernel.
    """
    if keep is None or kept is None:
        return False
    try:
        wanted, complete = documents.read_kept(kept, keep["name"])
        told = documents.listed(documents.as_it_stands(state, _as_seen(wanted, state)))
    except (BadInput, LookupError):  # damaged, or more than was looked at
        return False
    result = {name: complete[name] for name in ("name", *_OPTIONS)}
    result = documents.keepable(
        {**result, **told}, lambda spec, element: documents.as_kept(spec, spelled(spec, element))
    )
    return bool(_meaning(result, keep["name"]) == _meaning(keep, keep["name"]))


def _as_seen(wanted: Wanted, state: State) -> Wanted:
    """The same with the names of namespaces in place of their paths, where a state has them by name."""
    names = {reference: os.path.basename(reference) for reference in references(wanted)}
    same = {
        path: name if path not in state.namespaces and name in state.namespaces else path
        for path, name in names.items()
    }
    return located(wanted, same)


def _meaning(document: documents.Document, name: str) -> t.Any:
    """What can be compared of a document; nothing for one that can't be used."""
    try:
        wanted, complete = documents.read_kept(document, name)
    except BadInput:
        return None
    return {option: complete[option] for option in _OPTIONS}, _in_order(wanted)


def _in_order(wanted: Wanted) -> t.List[t.Any]:
    links = sorted(wanted.links, key=lambda link: (link.ref, link.port_of))
    bridges = sorted(wanted.ovs_bridges, key=lambda bridge: (bridge.database, bridge.name))
    ports = sorted(wanted.ovs_ports, key=lambda port: (port.database, port.name))
    return [sorted(wanted.namespaces, key=lambda netns: netns.name), links, bridges, ports]
