# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The one place that knows AnsibleModule: options in, result or failure out."""

from __future__ import annotations

import contextlib
import gc
import shlex
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.linux.plugins.module_utils._apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._errors import Failure

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._apply import Host
    from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
    from ansible_collections.virtnet.linux.plugins.module_utils._plan import Planning


Document = t.Dict[str, t.Any]


class Side(t.NamedTuple):
    """What a module looks at and changes (``open`` takes its options), and how it makes plans for it.

    ``certain`` where all that its documents have can be foretold. ``show`` makes what is returned of the options and a
    document, where that isn't the document itself.
    """

    open: t.Callable[[Document], Host]
    planning: Planning
    certain: bool = False
    show: t.Callable[[Document, Document], Document] = lambda _options, document: document


def run(
    noun: str,
    options: Document,
    read: t.Callable[[Document], Wanted],
    write: t.Callable[[Outcome, State], Document],
    side: Side,
) -> None:
    """The whole of a module.

    ``noun`` is the name of what it returns, ``options`` its argument spec. ``read`` makes what is wanted of the options, and
    ``write`` makes the document to return of a state.
    """
    gc.disable()  # a module ends before that pays, and Python would go through all it has once more then
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        wanted = read(module.params)
        with contextlib.closing(side.open(module.params)) as host:
            outcome = converge(host, side.planning, wanted, module.check_mode, module.params.get("rollback", True))
    except Failure as failure:
        module.fail_json(msg=str(failure))
    plan = outcome.plan
    for sentence in plan.missing:
        module.warn(sentence + " In check mode this is taken as something that an earlier task would have made.")
    for sentence in (*plan.warnings, *plan.broken):
        module.warn(sentence)
    result: Document = {noun: side.show(module.params, write(outcome, outcome.now))}
    if module._diff:
        before, after = write(outcome, plan.before), write(outcome, plan.after)
        result["diff"] = {"before": before if side.certain else _alike(before, after), "after": after}
    module.exit_json(changed=plan.changed, commands=[shlex.join(argv) for argv in plan.commands], **result)


def _alike(before: Document, after: Document) -> Document:
    """The document before without what can't be foretold of the one after, such as a MAC address to be chosen."""
    if "absent" in (before.get("state"), after.get("state")):
        return before
    known = {name: value for name, value in before.items() if name in after}
    nested = {name: _alike(value, after[name]) for name, value in known.items() if isinstance(value, dict)}
    return {**known, **nested}
