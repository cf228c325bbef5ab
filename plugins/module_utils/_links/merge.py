# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a link is to have: what it has, and what is wanted in addition or instead. Pure."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
        WantedLink,
    )


def merge_values(there: t.Mapping[str, t.Any], wanted: WantedLink, kind: t.Optional[Kind]) -> t.Dict[str, t.Any]:
    asked = dict(wanted.values)
    for attribute in kind.attributes if kind else ():
        if attribute.name in asked:
            purge = attribute.name in wanted.purge_values
            asked[attribute.name] = attribute.codec.merge(there.get(attribute.name), asked[attribute.name], purge)
    merged = {**there, **asked}
    return {**(kind.normalized(merged) if kind else merged), **asked}
