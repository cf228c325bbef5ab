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
from ansible_collections.virtnet.linux.plugins.module_utils._lock import host_lock
from ansible_collections.virtnet.linux.plugins.module_utils._model import KERNEL, Link, State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._names import sysctl_name
from ansible_collections.virtnet.linux.plugins.module_utils._plan import Plan, Planned, make_plan, make_repair

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._steps import Step

    class Host(t.Protocol):
        """What the engine needs of the kernel side."""

        def locate(self, references: t.Mapping[str, str]) -> t.Dict[str, str]: ...

        def observe(self, wanted: Wanted) -> State: ...

        def run(self, step: Step) -> None: ...


class Outcome(t.NamedTuple):
    """What became of a task: what was wanted (its namespaces located), the plan, and the state now.

    In check mode the state is the one that the plan foretells.
    """

    wanted: Wanted
    plan: Plan
    now: State


def converge(host: Host, wanted: Wanted, check: bool) -> Outcome:
    """Make the host have what is wanted; with ``check`` only tell what would be done.

    Raises a Failure, after which the host is as before as far as its text doesn't say otherwise.
    """
    with contextlib.nullcontext() if check else _undisturbed():
        wanted = wanted.located(host.locate(wanted.references()))
        state = host.observe(wanted)
        plan = make_plan(state, wanted)
        if check:
            return Outcome(wanted, plan, plan.after)
        if plan.missing:
            raise Missing(plan.missing)
        if not plan.planned:
            return Outcome(wanted, plan, state)
        return Outcome(wanted, plan, _execute(host, wanted, plan))


@contextlib.contextmanager
def _undisturbed() -> t.Iterator[None]:
    """Hold the lock, and keep a plan's milliseconds from being cut in two by a signal, which then comes after it."""
    with host_lock():
        held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _execute(host: Host, wanted: Wanted, plan: Plan) -> State:
    done: t.List[Planned] = []
    try:
        for planned in plan.planned:
            host.run(planned.step)
            done.append(planned)
        now = host.observe(wanted)
        left = make_plan(now, wanted)
        if left.planned or left.missing:
            raise NotTaken(
                "The kernel acknowledged all changes, but read again it still lacks: %s. It may lack the feature."
                % "; ".join(
                    [*(planned.step.describe() for planned in left.planned), *(s.rstrip(".") for s in left.missing)]
                )
            )
        return now
    except Exception as error:
        trouble = roll_back(host, wanted, plan.before, done)
        if isinstance(error, Failure):
            error.aftermath = _aftermath(done, trouble)
        raise


def roll_back(host: Host, wanted: Wanted, before: State, done: t.Sequence[Planned]) -> t.List[str]:
    """Take back what was done, the last step first; then compare with the state before and mend what differs.

    Returns a sentence for each thing that is not as it was.
    """
    trouble = _run_all(host, [step for planned in reversed(done) for step in planned.undo])
    try:
        trouble += _run_all(host, make_repair(host.observe(wanted), before))
        different = differences(before, host.observe(wanted))
    except Failure as error:
        return [*trouble, str(error)]
    # What an undo stumbled over is of interest only where it left something behind.
    return [*different, *trouble] if different else []


def _run_all(host: Host, steps: t.Iterable[Step]) -> t.List[str]:
    trouble = []
    for step in steps:
        try:
            host.run(step)
        except Failure as error:
            trouble.append(str(error))
    return trouble


def _aftermath(done: t.Sequence[Planned], trouble: t.Sequence[str]) -> str:
    if trouble:
        return "What had been done was undone, but not all of it could be: %s" % " ".join(trouble)
    if done:
        return "What had been done before that was undone."
    return "Nothing was changed."


def differences(before: State, now: State) -> t.List[str]:
    """A sentence for each thing in which two States differ, apart from what the kernel makes by itself."""
    found = [
        "Namespace '%s' is %s." % (name, "gone" if name in before.namespaces else "still there")
        for name in sorted(before.namespaces.keys() ^ now.namespaces.keys())
    ]
    for name in sorted(before.namespaces.keys() & now.namespaces.keys()):
        now_has = now.namespaces[name].sysctls
        found += [
            "Sysctl %s in namespace '%s' was %s and is %s." % (sysctl_name(key), name, value, now_has.get(key))
            for key, value in before.namespaces[name].sysctls.items()
            if now_has.get(key) != value
        ]
    for ref in sorted(before.links.keys() | now.links.keys()):
        old, new = _facts(before.links.get(ref)), _facts(now.links.get(ref))
        found += [
            "%s of link %s was %r and is %r." % (fact, ref, old.get(fact), new.get(fact))
            for fact in sorted(old.keys() | new.keys())
            if old.get(fact) != new.get(fact)
        ]
    return found


def _facts(link: t.Optional[Link]) -> t.Dict[str, t.Any]:
    if link is None:
        return {}
    return {
        **link.values,
        **link.port,
        "kind": link.kind,
        "peer": link.peer,
        "ports": link.ports,
        "parent": link.parent,
        "vlans": link.vlans,
        "users": ", ".join(link.users),
        "addresses": sorted((a.address, a.origin) for a in link.addresses if a.origin != KERNEL),
        "routes": sorted(str(route) for route in link.routes if route.origin != KERNEL),
    }
