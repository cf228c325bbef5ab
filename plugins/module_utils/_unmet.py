# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Why a host that was changed is not as it was planned, as far as that can be told. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils import _steps_links as steps
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import in_netns
from ansible_collections.virtnet.linux.plugins.module_utils._names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._values import sysctl_name

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._model_links import Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._plan import Plan, Step


def unmet(plan: Plan, left: Plan) -> t.List[str]:
    """Sentences on what a plan that was executed has left to be done; ``left`` is the plan for that."""
    found = list(_gone(plan, left))
    gone = plan.after.links.keys() - left.before.links.keys()
    vanished = plan.after.namespaces.keys() - left.before.namespaces.keys()
    lacking: t.List[str] = []
    for step in left.steps:
        if isinstance(step, steps.Sysctl) and step.netns not in vanished:
            found.append(_sysctl(step, left))
        elif not _refs(step) & gone and getattr(step, "name", None) not in vanished:
            lacking.append(step.describe())
    lost = [*(ref.name for ref in gone), *vanished]
    lacking += [said.rstrip(".") for said in left.missing if not any("'%s'" % name in said for name in lost)]
    if lacking:
        found.append(
            "The changes were acknowledged, but read again the host still lacks: %s. It may lack the feature."
            % "; ".join(lacking)
        )
    return found


def _refs(step: Step) -> t.Set[Ref]:
    """The links that a step is about."""
    if isinstance(step, steps.LinkAdd):
        return {end.ref for end in (step.link, step.peer) if end}
    ref = getattr(step, "ref", None)
    return {ref} if ref else set()


def _gone(plan: Plan, left: Plan) -> t.Iterator[str]:
    """Sentences on what was there, or was made, and isn't there any more."""
    missed = set().union(*(_refs(step) for step in left.steps))
    for name in sorted(plan.after.namespaces.keys() - left.before.namespaces.keys()):
        yield "Namespace '%s' is gone: another process has removed it during this task." % name
    for ref in sorted(plan.after.links.keys() - left.before.links.keys()):
        told = any("'%s'" % ref.name in sentence for sentence in left.missing)
        if (ref in missed or told) and ref.netns in left.before.namespaces:
            yield "Link %s is gone: another process has removed it during this task." % (ref,)


def _sysctl(step: steps.Sysctl, left: Plan) -> str:
    where = "sysctl %s%s (option sysctls)" % (sysctl_name(step.key), in_netns(step.netns))
    now = left.before.namespaces[step.netns].sysctls.get(step.key)
    if now is None:
        return "There is no %s any more." % where
    return "The kernel took %s for %s, and keeps %s; give a value that it keeps." % (
        quoted(step.value),
        where,
        quoted(now),
    )
