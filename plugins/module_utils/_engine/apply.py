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

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    Failure,
    NotApplied,
    PrerequisiteMissing,
    Refused,
    Unforeseen,
    Unusable,
    as_failure,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.lock import host_lock
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step, fuse, likely_done, undo
from ansible_collections.virtnet.linux.plugins.module_utils._engine.unmet import unmet

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Planning
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.state import State, Wanted


class Follower:
    """What follows when things get another identity, which are owned by somebody else than the task at hand."""

    def prepare(self, before: t.Any) -> None:
        """Reserve what following needs. Raises Unusable where that can't be had."""

    def follow(self, before: t.Any, now: t.Any) -> None:
        """Write down the identities of what is in both states. Raises Unusable."""

    def release(self) -> None:
        """Give back what was reserved."""


class Host:
    """What the engine needs of the side that is looked at and changed."""

    def close(self) -> None:
        """Let go of all that was opened."""

    def locate(self, wanted: t.Any) -> t.Any:
        """The same with each reference to a namespace replaced by the one that stands for it. It is called once, first."""
        return wanted

    def observe(self, wanted: t.Any) -> t.Any:
        """The part of the host that ``wanted`` speaks of."""
        raise NotImplementedError

    def review(self, wanted: t.Any, plan: Plan) -> t.Any:
        """The same after a plan was run without failures. What it didn't touch may be told as it was before."""
        return self.observe(wanted)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps that are one request. Raises a Failure, whose ``done`` has those that were done all the same."""
        raise NotImplementedError

    def retreat(self) -> None:
        """A plan is going to be taken back. Called before the first step of the undo."""

    def settle(self, before: t.Any, steps: t.Sequence[Step]) -> None:
        """Wait for what follows by itself from steps that were run, on a host that was in the state ``before``."""

    # What is recorded beside it: before a plan is run, when it has been, and when it has been taken back.

    # Makes what writes down that something which was deleted has been made again, and has another identity since.
    make_follower: t.Optional[t.Callable[[], Follower]] = None
    _follower: t.Optional[Follower] = None

    def prepare(self, plan: Plan) -> None:
        """A plan is going to be run. Reserves what those below need, so that they can't fail for the lack of it."""
        if self.make_follower and any(step.deletes for step in plan.steps):
            self._follower = self.make_follower()
            self._follower.prepare(plan.before)

    def commit(self, plan: Plan, now: t.Any) -> None:
        """A plan has been run, or had nothing to do."""

    def taken_back(self, plan: Plan, now: t.Any, whole: bool) -> None:
        """A plan has been taken back, and this is what there is since; not ``whole`` if not all could be taken back.

        What was made again with that has another identity now.
        """
        if self._follower:
            self._follower.follow(plan.before, now)
        if whole:
            self.abandon(plan, now)

    def abandon(self, plan: Plan, now: t.Any) -> None:
        """A plan has been taken back wholly."""

    def release(self) -> None:
        """Give back what was reserved."""
        if self._follower:
            self._follower.release()

    def tidy(self) -> None:
        """Remove what deleted devices have left behind. Called at the end of every task that may change something."""


_ABANDONED = "What had been done before that stays (rollback: false)."
UNCHANGED = "Nothing was changed."
# What taking a plan back may need; memory that is only reserved costs nothing.
_MEMORY, _MEMORY_PER_STEP = 16 << 20, 4 << 10


class Outcome(t.NamedTuple):
    """What became of a task: what was wanted (its namespaces located), the plan, and the state now.

    In check mode the state is the one that the plan foretells.
    """

    wanted: t.Any
    plan: Plan
    now: t.Any


Tell = t.Callable[[Outcome], None]


class _Task(t.NamedTuple):
    """What does the work, and what it is."""

    host: Host
    planning: Planning
    wanted: Wanted
    tell: Tell


def converge(
    host: Host,
    planning: Planning,
    wanted: Wanted,
    check: bool,
    rollback: bool = True,
    *,
    tell: Tell = lambda _outcome: None,
) -> Outcome:
    """Make the host have what is wanted; with ``check`` only tell what would be done.

    Without ``rollback``, what was done before a failure stays. ``tell`` is called with what is going to be returned: where
    that can't be told, it is undone as well. Raises a Failure, after which the host is as before as far as its text doesn't
    say otherwise.
    """
    task = _Task(host, planning, wanted, tell)
    try:
        return _converge(task, check, rollback)
    except Exception as error:  # noqa: BLE001
        failure = as_failure(error)
        if isinstance(failure, Unforeseen):
            failure.aftermath = failure.aftermath or UNCHANGED
        raise failure from failure.__cause__


def _converge(task: _Task, check: bool, rollback: bool) -> Outcome:
    host = task.host
    with contextlib.nullcontext() if check else _undisturbed(host):
        task = task._replace(wanted=host.locate(task.wanted))
        state = host.observe(task.wanted)
        plan = task.planning.make_plan(state, task.wanted)
        if plan.missing and not check:
            raise PrerequisiteMissing(plan.missing)
        if plan.steps and not check:
            return _execute(task, plan, rollback)
        outcome = Outcome(task.wanted, plan, plan.after if check else state)
        task.tell(outcome)
        if not check:
            host.commit(plan, state)
        return outcome


@contextlib.contextmanager
def _undisturbed(host: Host) -> t.Iterator[None]:
    """Hold the lock, and delay signals until the plan has run and the host is tidy."""
    with host_lock():
        held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
        try:
            yield
        finally:
            # What is left behind this time, the next task removes; what has become of this one doesn't change with that.
            with contextlib.suppress(Exception):
                host.tidy()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _execute(task: _Task, plan: Plan, rollback: bool) -> Outcome:
    execution = _Execution(task, plan)
    try:
        execution.prepare()
        return execution.run(rollback)
    finally:
        task.host.release()


class _Execution:
    """A plan on its way: what it has done so far is known, whatever comes in between."""

    def __init__(self, task: _Task, plan: Plan) -> None:
        self._task = task
        self._host = task.host
        self._plan = plan
        self._memory: t.List[bytes] = []  # given back when it is needed for the rollback
        self._done: t.List[Step] = []
        self._running: t.Sequence[Step] = ()

    def prepare(self) -> None:
        """Reserve what the way back needs. Raises a Failure where that can't be had."""
        size = _MEMORY + _MEMORY_PER_STEP * len(self._plan.steps)
        try:
            self._memory.append(bytes(size))
            self._host.prepare(self._plan)
        except MemoryError as error:
            raise Unusable(
                "There is not enough memory for this task: it needs %d MiB more, so that a failure can be rolled back. %s"
                % (size >> 20, UNCHANGED)
            ) from error
        except Failure as failure:
            failure.aftermath = failure.aftermath or UNCHANGED
            raise

    def run(self, rollback: bool) -> Outcome:
        """Run the plan, and return what became of it. Raises a Failure when it was taken back, as far as that was possible."""
        plan, wanted = self._plan, self._task.wanted
        try:
            for batch in fuse(plan.steps):
                self._running = batch
                self._host.run(batch)
                self._done += batch
            self._running = ()
            self._host.settle(plan.before, plan.steps)
            outcome = Outcome(wanted, plan, self._host.review(wanted, plan))
            _verify(plan, self._task.planning.make_plan(outcome.now, wanted))
            self._task.tell(outcome)
            self._host.commit(plan, outcome.now)
        except BaseException as error:
            self._memory.clear()
            failure = as_failure(error)
            self._done += failure.done
            known = set(map(id, self._done))
            unsure = [step for step in (failure.unsure if failure is error else self._running) if id(step) not in known]
            failure.aftermath = _aftermath(*self._take_back(unsure)) if rollback else _ABANDONED
            if not isinstance(error, Exception):
                raise
            raise failure from failure.__cause__
        return outcome

    def _take_back(self, unsure: t.Sequence[Step]) -> t.Tuple[t.Sequence[Step], t.List[str]]:
        """Take back what was done. Returns what that was, and a sentence for each thing that remains."""
        plan, done = self._plan, self._done
        trouble: t.List[str] = []
        try:
            self._host.retreat()
            if unsure:
                done += likely_done(plan.before, done, unsure, self._host.observe(self._task.wanted))
        except Exception as error:  # noqa: BLE001
            trouble.append(str(as_failure(error)))
        try:
            left, now = _restore(self._host, self._task.planning, self._task.wanted, plan.before, done)
            trouble += left
            if now is not None:
                self._host.taken_back(plan, now, not trouble)
        except Exception as error:  # noqa: BLE001
            # The first failure is the one to tell, with this one behind it.
            trouble.append(str(as_failure(error)))
        return done or unsure, trouble


def _verify(plan: Plan, left: Plan) -> None:
    """Raises NotTaken if a plan that was executed has left something to be done, or has broken something."""
    if left.steps or left.missing:
        raise NotApplied(*unmet(plan, left))
    broken = [sentence for sentence in left.broken if sentence not in plan.broken]
    if broken:
        raise NotApplied(" ".join(broken))


def roll_back(host: Host, planning: Planning, wanted: Wanted, before: State, done: t.Sequence[Step]) -> t.List[str]:
    """Take back what was done, the last step first; then compare with the state before and mend what differs.

    Returns a sentence for each thing that is not as it was.
    """
    return _restore(host, planning, wanted, before, done)[0]


def _restore(
    host: Host, planning: Planning, wanted: Wanted, before: State, done: t.Sequence[Step]
) -> t.Tuple[t.List[str], t.Optional[State]]:
    """The same; returns the state since as well, None where it can't be read."""
    host.retreat()
    back, trouble = undo(planning, before, done)
    trouble += _run_all(host, back)
    try:
        host.settle(before, back)
        trouble += _run_all(host, planning.make_repair(host.observe(wanted), before, True))
        now = host.observe(wanted)
        different = planning.differences(before, now, done)
    except Exception as error:  # noqa: BLE001
        return [*trouble, str(as_failure(error))], None
    # What an undo stumbled over is of interest only where it left something behind.
    return [*different, *trouble] if different else [], now


def _run_all(host: Host, steps: t.Iterable[Step]) -> t.List[str]:
    """Run steps, whatever becomes of each, and return a sentence for each that failed."""
    trouble: t.List[str] = []
    for batch in fuse(steps):
        waiting: t.List[t.Sequence[Step]] = [batch]  # a stack: the last one is run next
        while waiting:
            steps_now = waiting.pop()
            try:
                host.run(steps_now)
            except Exception as error:  # noqa: BLE001
                failure = as_failure(error)
                parts = _halves(failure, steps_now) if failure.atomic else _rest(failure, steps_now)
                waiting += [part for part in reversed(parts) if part]
                if not (failure.atomic and parts):
                    trouble += [str(one) for _step, one in failure.failed or [(None, failure)]]
    return trouble


def _halves(failure: Failure, batch: t.Sequence[Step]) -> t.List[t.Sequence[Step]]:
    """The halves of a transaction that was refused: one bad step must not prevent the others. Empty for any other failure."""
    if not isinstance(failure, Refused) or len(batch) < 2:
        return []
    half = len(batch) // 2
    return [batch[:half], batch[half:]]


def _rest(failure: Failure, batch: t.Sequence[Step]) -> t.List[t.Sequence[Step]]:
    """The steps that were neither done nor failed, as one part."""
    done = {id(step) for step in failure.done}
    left = [step for step in batch if id(step) not in done]
    # Where it isn't told which ones failed, it is the first one that wasn't done.
    known = {id(step) for step, _failure in failure.failed} or {id(step) for step in left[:1]}
    return [[step for step in left if id(step) not in known]]


def _aftermath(done: t.Sequence[Step], trouble: t.Sequence[str]) -> str:
    if trouble:
        return "What had been done was undone, but not all of it could be: %s" % " ".join(dict.fromkeys(trouble))
    if done:
        return "What had been done before that was undone."
    return UNCHANGED
