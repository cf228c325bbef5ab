# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Compare the document that is kept for the next boot with another one, by meaning."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.argument_specs import spelled
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import located, references
from ansible_collections.virtnet.linux.plugins.module_utils._topology import documents

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted

Kept = t.Optional[documents.Document]
_OPTIONS = ("purge", "rollback", "timeout")


def mean_the_same(kept: Kept, keep: Kept) -> bool:
    """Whether two documents request the same, independent of order and spelling."""
    if kept == keep or kept is None or keep is None:
        return kept == keep
    return bool(_meaning(kept, keep["name"]) == _meaning(keep, keep["name"]))


def is_result_of(keep: Kept, kept: Kept, state: State) -> bool:
    """Whether a document is what the task of the kept document returns for a host in a State.

    Then it was passed back to the module, and contains nothing that the user decided. If it replaced the document of
    the user, it would fix at the next boot everything that the user has left to the kernel.
    """
    if keep is None or kept is None:
        return False
    try:
        wanted, complete = documents.read_kept(kept, keep["name"])
        told = documents.listed(documents.as_it_stands(state, _as_seen(wanted, state)))
    except (BadInput, LookupError):  # damaged, or it refers to more than was observed
        return False
    result = {name: complete[name] for name in ("name", *_OPTIONS)}
    result = documents.keepable(
        {**result, **told}, lambda spec, element: documents.as_kept(spec, spelled(spec, element))
    )
    return bool(_meaning(result, keep["name"]) == _meaning(keep, keep["name"]))


def _as_seen(wanted: Wanted, state: State) -> Wanted:
    """A document with names of namespaces instead of their paths, where the State has them by name."""
    names = {reference: os.path.basename(reference) for reference in references(wanted)}
    same = {
        path: name if path not in state.namespaces and name in state.namespaces else path
        for path, name in names.items()
    }
    return located(wanted, same)


def _meaning(document: documents.Document, name: str) -> t.Any:
    """The comparable meaning of a document; empty for an unusable one."""
    try:
        wanted, complete = documents.read_kept(document, name)
    except BadInput:
        return None
    return {option: complete[option] for option in _OPTIONS}, _in_order(wanted)


def _in_order(wanted: Wanted) -> t.List[t.Any]:
    links = sorted(map(_anywhere, wanted.links), key=lambda link: (link.ref, link.port_of))
    bridges = sorted(wanted.ovs_bridges, key=lambda bridge: (bridge.database, bridge.name))
    ports = sorted(wanted.ovs_ports, key=lambda port: (port.database, port.name))
    return [sorted(wanted.namespaces, key=lambda netns: netns.name), links, bridges, ports]


def _anywhere(link: WantedLink) -> WantedLink:
    """A link without its place in the document."""
    return link._replace(where="", peer=_anywhere(link.peer) if link.peer else None)
