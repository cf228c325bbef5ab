# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Converge a host: observe, plan, execute, verify by observing again, and roll back on any failure."""

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
    """Updates records of other owners when objects that they own get another identity, as after a rollback."""

    def prepare(self, before: t.Any) -> None:
        """Reserve what ``follow`` needs. Raises Unusable if that is not available."""

    def follow(self, before: t.Any, now: t.Any) -> None:
        """Record the new identities of objects that are in both states. Raises Unusable."""

    def release(self) -> None:
        """Release what was reserved."""


class Host:
    """The interface between the engine and what it observes and changes."""

    def close(self) -> None:
        """Close everything that was opened."""

    def locate(self, wanted: t.Any) -> t.Any:
        """``wanted`` with one reference for each namespace, even if it has several. Called once, before all other methods."""
        return wanted

    def observe(self, wanted: t.Any) -> t.Any:
        """The State of the part of the host that ``wanted`` concerns."""
        raise NotImplementedError

    def review(self, wanted: t.Any, plan: Plan) -> t.Any:
        """The State after a plan was executed without failures. What the plan did not touch may be reported as before."""
        return self.observe(wanted)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Execute the steps of one request. Raises a Failure; its ``done`` contains the steps that were executed."""
        raise NotImplementedError

    def retreat(self) -> None:
        """Prepare for a rollback. Called before its first step."""

    def settle(self, before: t.Any, steps: t.Sequence[Step]) -> None:
        """Wait for asynchronous effects of executed steps. The host was in the state ``before``."""

    # Hooks for records: before a plan is executed, after that, and after a rollback.

    # Creates the Follower that updates the records of other owners.
    make_follower: t.Optional[t.Callable[[], Follower]] = None
    _follower: t.Optional[Follower] = None

    def prepare(self, plan: Plan) -> None:
        """Called before a plan is executed. Reserves what the hooks below need, so that they can't fail for lack of it."""
        if self.make_follower and any(step.deletes for step in plan.steps):
            self._follower = self.make_follower()
            self._follower.prepare(plan.before)

    def commit(self, plan: Plan, now: t.Any) -> None:
        """Called after a plan was executed, or had nothing to do."""

    def taken_back(self, plan: Plan, now: t.Any, whole: bool) -> None:
        """Called after a rollback. ``now`` is the State since then; ``whole`` is false if the rollback was incomplete.

        Objects that the rollback created again have another identity.
        """
        if self._follower:
            self._follower.follow(plan.before, now)
        if whole:
            self.abandon(plan, now)

    def abandon(self, plan: Plan, now: t.Any) -> None:
        """Called after a complete rollback."""

    def release(self) -> None:
        """Give back what was reserved."""
        if self._follower:
            self._follower.release()

    def tidy(self) -> None:
        """Remove what deleted devices left behind. Called at the end of each task outside of check mode."""


_ABANDONED = "The earlier changes remain (rollback: false)."
UNCHANGED = "No changes were made."
# Bytes that a rollback may need. Memory that is reserved and not used costs nothing.
_MEMORY, _MEMORY_PER_STEP = 16 << 20, 4 << 10


class Outcome(t.NamedTuple):
    """The outcome of a task: what was wanted, the plan, and the State after it; in check mode, the predicted State."""

    wanted: t.Any
    plan: Plan
    now: t.Any


Tell = t.Callable[[Outcome], None]


class _Task(t.NamedTuple):
    """The arguments of ``converge``."""

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
    """Change the host so that it has what is wanted; with ``check``, only plan it.

    Without ``rollback``, changes before a failure stay. ``tell`` is called with the Outcome before it is returned; if it
    raises, the changes are rolled back, too. Raises a Failure. The host is then as before, unless its text says otherwise.
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
    """Hold the lock, and delay signals until the plan is executed and the host is tidy."""
    with host_lock():
        held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
        try:
            yield
        finally:
            # A failure here must not change the result; the next task tidies again.
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
    """Executes a plan once. It knows which steps were executed, whatever exception interrupts it."""

    def __init__(self, task: _Task, plan: Plan) -> None:
        self._task = task
        self._host = task.host
        self._plan = plan
        self._memory: t.List[bytes] = []  # freed before a rollback
        self._done: t.List[Step] = []
        self._running: t.Sequence[Step] = ()

    def prepare(self) -> None:
        """Reserve what a rollback needs. Raises a Failure if that is not available."""
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
        """Execute the plan and return the outcome. Raises a Failure after it has rolled back as far as possible."""
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
        """Roll back. Returns the steps that had been executed, and a sentence for each thing that could not be restored."""
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
            # The first failure is reported, followed by this one.
            trouble.append(str(as_failure(error)))
        return done or unsure, trouble


def _verify(plan: Plan, left: Plan) -> None:
    """Raise NotApplied if the host still lacks something after a plan was executed, or if something stopped working."""
    if left.steps or left.missing:
        raise NotApplied(*unmet(plan, left))
    broken = [sentence for sentence in left.broken if sentence not in plan.broken]
    if broken:
        raise NotApplied(" ".join(broken))


def roll_back(host: Host, planning: Planning, wanted: Wanted, before: State, done: t.Sequence[Step]) -> t.List[str]:
    """Undo executed steps, the last one first, then compare with the State before and repair the differences.

    Returns a sentence for each remaining difference.
    """
    return _restore(host, planning, wanted, before, done)[0]


def _restore(
    host: Host, planning: Planning, wanted: Wanted, before: State, done: t.Sequence[Step]
) -> t.Tuple[t.List[str], t.Optional[State]]:
    """Do so, and return the State after it as well; None if it can't be observed."""
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
    # Failures of single steps matter only if a difference remains.
    return [*different, *trouble] if different else [], now


def _run_all(host: Host, steps: t.Iterable[Step]) -> t.List[str]:
    """Execute all steps, even if some fail. Returns a sentence for each step that failed."""
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
    """The halves of a refused transaction, so that one bad step doesn't prevent the others. Empty for other failures."""
    if not isinstance(failure, Refused) or len(batch) < 2:
        return []
    half = len(batch) // 2
    return [batch[:half], batch[half:]]


def _rest(failure: Failure, batch: t.Sequence[Step]) -> t.List[t.Sequence[Step]]:
    """The steps that were neither executed nor failed, as one part."""
    done = {id(step) for step in failure.done}
    left = [step for step in batch if id(step) not in done]
    # If the failure doesn't say which steps failed, the first one that wasn't executed did.
    known = {id(step) for step, _failure in failure.failed} or {id(step) for step in left[:1]}
    return [[step for step in left if id(step) not in known]]


def _aftermath(done: t.Sequence[Step], trouble: t.Sequence[str]) -> str:
    if trouble:
        return "The earlier changes were rolled back, but not all of them: %s" % " ".join(dict.fromkeys(trouble))
    if done:
        return "All earlier changes were rolled back."
    return UNCHANGED
