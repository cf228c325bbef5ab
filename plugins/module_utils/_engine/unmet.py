# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Explain why a host lacks something after a plan was executed. Pure."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.state import Vanished


def unmet(plan: Plan, left: Plan) -> t.List[str]:
    """Sentences on what the host lacks after a plan was executed. ``left`` is a new plan for that."""
    gone = plan.after.vanished(left.before)
    found = list(_gone(gone, left))
    lacking: t.List[str] = []
    for step in left.steps:
        if step.about() & gone.keys():
            continue
        said = step.unmet(left.before)
        if said:
            found.append(said)
        else:
            lacking.append(step.describe())
    lost = [thing.name for thing in gone.values()]
    lacking += [said.rstrip(".") for said in left.missing if not any("'%s'" % name in said for name in lost)]
    if lacking:
        found.append(
            "The changes were acknowledged, but they are not in effect: %s. The host may lack the feature."
            % "; ".join(lacking)
        )
    return found


def _gone(gone: t.Mapping[t.Any, Vanished], left: Plan) -> t.Iterator[str]:
    """Sentences on objects that existed, or were created, and disappeared."""
    missed = set().union(*(step.about() for step in left.steps))
    for key, thing in gone.items():
        told = thing.alone or key in missed or any("'%s'" % thing.name in sentence for sentence in left.missing)
        if told and thing.words:
            yield "%s is gone: another process has removed it during this task." % thing.words
