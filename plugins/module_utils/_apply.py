# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Runs a plan: observe, plan, execute, verify by reading again, and on any failure take back what was done."""

from __future__ import annotations

import contextlib
import signal
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._errors import Failure, Missing, NotTaken
from ansible_collections.virtnet.linux.plugins.module_utils._kinds import _nodes
from ansible_collections.virtnet.linux.plugins.module_utils._lock import host_lock
from ansible_collections.virtnet.linux.plugins.module_utils._plan import Plan, Step, fuse, undo

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
    from ansible_collections.virtnet.linux.plugins.module_utils._plan import Planning


class Host:
    """What the engine needs of the side that is looked at and changed."""

    def close(self) -> None:
        """Let go of all that was opened."""

    def locate(self, wanted: Wanted) -> Wanted:
        """The same with each reference to a namespace replaced by the one that stands for it. It is called once, first."""
        return wanted

    def observe(self, wanted: Wanted) -> State:
        """The part of the host that ``wanted`` speaks of."""
        raise NotImplementedError

    def review(self, wanted: Wanted, plan: Plan) -> State:
        """The same after a plan was run without failures. What it didn't touch may be told as it was before."""
        return self.observe(wanted)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps that are one request. Raises a Failure, whose ``done`` has those that were done all the same."""
        raise NotImplementedError

    # What is recorded beside it: before a plan is run, when it has been, and when it has been taken back.

    def prepare(self, plan: Plan) -> None:
        """A plan is going to be run."""

    def commit(self, plan: Plan, now: State) -> None:
        """A plan has been run, or had nothing to do."""

    def abandon(self, plan: Plan, now: State) -> None:
        """A plan has been taken back, and this is what there is since."""

    def tidy(self) -> None:
        """Remove what devices have left behind in /dev. Called at the end of every task that may change something."""
        _nodes.sweep()


_ABANDONED = "What had been done before that stays (rollback: false)."


class Outcome(t.NamedTuple):
    """What became of a task: what was wanted (its namespaces located), the plan, and the state now.

    In check mode the state is the one that the plan foretells.
    """

    wanted: Wanted
    plan: Plan
    now: State


def converge(host: Host, planning: Planning, wanted: Wanted, check: bool, rollback: bool = True) -> Outcome:
    """Make the host have what is wanted; with ``check`` only tell what would be done.

    Without ``rollback``, what was done before a failure stays. Raises a Failure, after which the host is as before as far as
    its text doesn't say otherwise.
    """
    with contextlib.nullcontext() if check else _undisturbed(host):
        wanted = host.locate(wanted)
        state = host.observe(wanted)
        plan = planning.make_plan(state, wanted)
        if check:
            return Outcome(wanted, plan, plan.after)
        if plan.missing:
            raise Missing(plan.missing)
        if not plan.steps:
            host.commit(plan, state)
            return Outcome(wanted, plan, state)
        return Outcome(wanted, plan, _execute(host, planning, wanted, plan, rollback))


@contextlib.contextmanager
def _undisturbed(host: Host) -> t.Iterator[None]:
    """Hold the lock, and delay signals until the plan has run and the host is tidy."""
    with host_lock():
        held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
        try:
            yield
        finally:
            host.tidy()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _execute(host: Host, planning: Planning, wanted: Wanted, plan: Plan, rollback: bool) -> State:
    done: t.List[Step] = []
    host.prepare(plan)
    try:
        for batch in fuse(plan.steps):
            host.run(batch)
            done += batch
        now = host.review(wanted, plan)
        _verify(plan, planning.make_plan(now, wanted))
    except Exception as error:
        if isinstance(error, Failure):
            done += error.done
        trouble = roll_back(host, planning, wanted, plan.before, done) if rollback else []
        if rollback and not trouble:
            with contextlib.suppress(Failure):
                host.abandon(plan, host.observe(wanted))
        if isinstance(error, Failure):
            error.aftermath = _aftermath(done, trouble) if rollback else _ABANDONED
        raise
    host.commit(plan, now)
    return now


def _verify(plan: Plan, left: Plan) -> None:
    """Raises NotTaken if a plan that was executed has left something to be done, or has broken something."""
    lacking = [*(step.describe() for step in left.steps), *(sentence.rstrip(".") for sentence in left.missing)]
    if lacking:
        raise NotTaken(
            "The changes were acknowledged, but read again the host still lacks: %s. It may lack the feature."
            % "; ".join(lacking)
        )
    broken = [sentence for sentence in left.broken if sentence not in plan.broken]
    if broken:
        raise NotTaken(" ".join(broken))


def roll_back(host: Host, planning: Planning, wanted: Wanted, before: State, done: t.Sequence[Step]) -> t.List[str]:
    """Take back what was done, the last step first; then compare with the state before and mend what differs.

    Returns a sentence for each thing that is not as it was.
    """
    trouble = _run_all(host, undo(planning, before, done))
    try:
        trouble += _run_all(host, planning.make_repair(host.observe(wanted), before, True))
        different = planning.differences(before, host.observe(wanted), done)
    except Failure as error:
        return [*trouble, str(error)]
    # What an undo stumbled over is of interest only where it left something behind.
    return [*different, *trouble] if different else []


def _run_all(host: Host, steps: t.Iterable[Step]) -> t.List[str]:
    """Run steps, whatever becomes of each, and return a sentence for each that failed."""
    trouble = []
    for batch in fuse(steps):
        left = batch
        while left:
            try:
                host.run(left)
                break
            except Failure as error:
                trouble.append(str(error))
                done = {id(step) for step in error.done}
                # The first one that wasn't done is the one that failed.
                left = [step for step in left if id(step) not in done][1:]
    return trouble


def _aftermath(done: t.Sequence[Step], trouble: t.Sequence[str]) -> str:
    if trouble:
        return "What had been done was undone, but not all of it could be: %s" % " ".join(dict.fromkeys(trouble))
    if done:
        return "What had been done before that was undone."
    return "Nothing was changed."
