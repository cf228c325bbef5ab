# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The list of facets. A new facet is a file of its own, and a line here."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links import addresses, neighbors, routes, vlans

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Facet

# Facets of all links, in the order of documents.
FACETS: t.Tuple[Facet, ...] = (
    addresses.FACET,
    routes.FACET,
    neighbors.FACET,
)
# Facets of bridge ports.
PORT_FACETS: t.Tuple[Facet, ...] = (vlans.FACET,)
