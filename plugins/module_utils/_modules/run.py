# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The interface to AnsibleModule: from options to a result or a failure. No other file uses AnsibleModule."""

from __future__ import annotations

import contextlib
import shlex
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.virtnet.linux.plugins.module_utils._common import imports

imports.prepare()

# isort: split
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unforeseen, as_failure
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import printable, readable, shortened
from ansible_collections.virtnet.linux.plugins.module_utils._common.option_types import mistyped, outermost
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import UNCHANGED, Outcome, Tell, converge

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Follower, Host
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Planning
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.state import Wanted


Document = t.Dict[str, t.Any]
VERBOSE = 3  # -vvv


class Backend(t.NamedTuple):
    """What a module observes and changes (``open``, given its options), and the planner for it.

    ``certain`` means that check mode can predict every value of its documents. ``show`` makes the returned value from the
    options and a document, if that is not the document itself.
    """

    open: t.Callable[[Document], Host]
    planning: Planning
    certain: bool = False
    show: t.Callable[[Document, Document], Document] = lambda _options, document: document


SENTENCE_MAX = 2000  # characters of Ansible's message on an option, which contains its value


class Module(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule that collects errors in its options in ``wrong`` and does not fail at the first one.

    ``readable`` is true if the options can be used in spite of the errors: at most, unknown options were given.
    """

    def __init__(self, options: Document) -> None:
        self.wrong: t.List[str] = []
        self.readable = True
        self._options = options
        self._mistyped: t.Dict[str, str] = {}
        self._validating = True
        super().__init__(argument_spec=options, supports_check_mode=True)
        self._validating = False
        self.readable = self.readable and not self._mistyped
        self.wrong = [*self._mistyped.values(), *self.wrong]

    def _load_params(self) -> None:
        """Load the options without those whose values Ansible would convert wrongly, or fail to convert."""
        super()._load_params()
        self._mistyped = mistyped(self._options, self.params)
        for name in outermost(self._mistyped):
            del self.params[name]

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        """Fail; while options are validated, only collect the error."""
        if not self._validating or not getattr(self, "validation_result", None):
            super().fail_json(msg=msg, **kwargs)
        errors = self.validation_result.errors
        unsupported = [shortened(error.msg, SENTENCE_MAX) for error in errors if isinstance(error, UnsupportedError)]
        others = [shortened(error.msg, SENTENCE_MAX) for error in errors if not isinstance(error, UnsupportedError)]
        left_out = {"missing required arguments: %s" % name for name in self._mistyped}
        self.readable = not others
        self.wrong = ["Unsupported parameters for (%s) module: %s" % (self._name, said) for said in unsupported]
        self.wrong += [said for said in others if said not in left_out]
        self.wrong = [said.rstrip(".") + "." for said in self.wrong]

    def exit_json(self, **kwargs: t.Any) -> None:
        """Succeed. Bytes that are not UTF-8, which Ansible refuses in results, are returned as escape sequences."""
        super().exit_json(**{name: readable(value) for name, value in kwargs.items()})

    def warn(self, warning: str, **kwargs: t.Any) -> None:
        super().warn(printable(warning), **kwargs)

    def report(self, wrong: t.Sequence[str], error: t.Optional[Exception] = None) -> None:
        """Fail with all errors, each sentence once. Returns if there are none.

        With -vvv, the traceback of an unforeseen exception is shown as well.
        """
        failure = as_failure(error) if error else None
        more: Document = {}
        if error and isinstance(failure, Unforeseen):
            failure.aftermath = failure.aftermath or UNCHANGED
            lines = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            more["exception"] = lines
            if self._verbosity >= VERBOSE:
                # Since ansible-core 2.19 an exception is shown by DISPLAY_TRACEBACK alone.
                more["traceback"] = lines.splitlines()
        sentences = dict.fromkeys(
            (*wrong, *(failure.sentences if failure else ()), failure.aftermath if failure else "")
        )
        text = " ".join(filter(None, sentences))
        if text:
            self.fail_json(msg=printable(text), **more)


def run(
    noun: str,
    options: Document,
    read: t.Callable[[Document], Wanted],
    write: t.Callable[[Outcome, t.Any], Document],
    side: Backend,
) -> None:
    """Run a module.

    ``noun`` is the name of the returned document, ``options`` the argument spec. ``read`` turns options into what is wanted,
    ``write`` a State into the returned document.
    """
    module = Module(options)
    if not module.readable:
        module.report(module.wrong)
    result: Document = {}

    def tell(outcome: Outcome) -> None:
        result.update(_result(module, noun, outcome, write, side))

    outcome = _converged(module, read, side, tell)
    plan = outcome.plan
    for sentence in plan.missing:
        module.warn(sentence + " Check mode assumes that an earlier task would have made or changed it.")
    for sentence in (*plan.warnings, *plan.broken):
        module.warn(sentence)
    module.exit_json(changed=plan.changed, **result)


def _result(
    module: AnsibleModule, noun: str, outcome: Outcome, write: t.Callable[[Outcome, t.Any], Document], side: Backend
) -> Document:
    plan = outcome.plan
    result: Document = {noun: side.show(module.params, write(outcome, outcome.now))}
    if module._diff:
        before, after = write(outcome, plan.before), write(outcome, plan.after)
        result["diff"] = {"before": before if side.certain else _alike(before, after), "after": after}
    return {"commands": [shlex.join(argv) for argv in plan.commands], **result}


def _converged(module: Module, read: t.Callable[[Document], Wanted], side: Backend, tell: Tell) -> Outcome:
    """Converge, and return the Outcome. On errors, fails with all errors in the options and in the plan."""
    wrong = list(module.wrong)
    try:
        wanted = read(module.params)
        wrong += wanted.wrong
        with contextlib.closing(side.open(module.params)) as host:
            host.make_follower = host.make_follower or _follower
            check = module.check_mode or bool(wrong)
            outcome = converge(host, side.planning, wanted, check, module.params.get("rollback", True), tell=tell)
    except Exception as error:  # noqa: BLE001
        module.report(wrong, error)
    module.report([*wrong, *outcome.plan.missing] if wrong else [])
    return outcome


def _follower() -> Follower:
    # Most tasks delete nothing, and don't need these files.
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.following import (  # noqa: PLC0415 pylint: disable=import-outside-toplevel
        records_that_follow,
    )

    return records_that_follow()


def _alike(before: Document, after: Document) -> Document:
    """The document before without values that the one after lacks because they can't be predicted, such as a new MAC address."""
    if "absent" in (before.get("state"), after.get("state")):
        return before
    known = {name: value for name, value in before.items() if name in after}
    nested = {name: _alike(value, after[name]) for name, value in known.items() if isinstance(value, dict)}
    return {**known, **nested}
