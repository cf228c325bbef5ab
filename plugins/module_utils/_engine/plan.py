# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Plans: steps, their effects on a State, and how they are undone. Pure; it works on copies of the observed State.

The planners of links, Open vSwitch and topologies are in ``_links/plan.py``, ``_ovs`` and ``_topology/plan.py``.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import as_failure

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Complaints
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.state import State


class Step:
    """The base class of steps. Steps are never compared; ``eq=False`` saves generating ``__eq__``."""

    # Consecutive steps with the same batch, unless it is None, are one request to the host.
    batch: t.Optional[t.Hashable] = None
    # Whether it deletes an object that an undo may create again with another identity.
    deletes: bool = False

    def __repr__(self) -> str:
        return "%s(**%r)" % (type(self).__name__, vars(self))

    def describe(self) -> str:
        """What the step does, as the subject of a sentence: ``setting mtu of link 'a' to 1400``."""
        raise NotImplementedError

    def commands(self) -> t.List[Argv]:
        """The equivalent commands that an administrator would type, as argument lists."""
        raise NotImplementedError

    def together(self, batch: t.Sequence[t.Any]) -> t.List[Argv]:
        """The commands of a batch whose first step this is."""
        return [argv for step in batch for argv in step.commands()]

    def brings(self) -> t.Sequence[t.Any]:
        """Where the step creates links, apart from those that Open vSwitch creates."""
        return ()

    def refs(self) -> t.Set[t.Any]:
        """The links that the step concerns."""
        return set()

    def netns_names(self) -> t.Set[str]:
        """The namespaces that the step itself concerns."""
        return set()

    def about(self) -> t.Set[t.Any]:
        """The keys of all objects that the step concerns."""
        return {*self.refs(), *self.netns_names()}

    def unmet(self, now: t.Any) -> str:
        """A sentence on why the executed step is not in effect; empty if the reason is not known."""
        return ""

    def simulate(self, state: t.Any) -> None:
        """Apply the effects of the step to ``state``. A step implements this or ``simulate_all``."""
        self.simulate_all(state, [self])

    def inverse(self, before: t.Any) -> t.List[Step]:
        """The steps that undo it, given the state before it. Side effects are left to ``make_repair``.

        A step implements this or ``inverse_all``.
        """
        return self.inverse_all(before, [self])

    # Steps that are simulated in groups: adding thousands of addresses one by one takes quadratic time.

    @property
    def alike(self) -> t.Hashable:
        """Consecutive steps with the same value are simulated and undone as one group; None for no group."""
        return None

    def simulate_all(self, state: t.Any, alike: t.Sequence[Step]) -> None:
        """Apply the effects of a group of steps to ``state``."""
        for step in alike:
            step.simulate(state)

    def inverse_all(self, before: t.Any, alike: t.Sequence[Step]) -> t.List[Step]:
        """The steps that undo a group of steps, the last one first.

        This implementation requires that no step of the group depends on the effects of another one.
        """
        return [back for step in reversed(alike) for back in step.inverse(before)]


def fuse(steps: t.Iterable[Step]) -> t.Iterator[t.List[Step]]:
    """Split steps into batches, in their order."""
    for batch, together in itertools.groupby(steps, lambda step: step.batch):
        if batch is None:
            yield from ([step] for step in together)
        else:
            yield list(together)


def gather(steps: t.Iterable[Step]) -> t.Iterator[t.List[Step]]:
    """Split steps into groups of those that are alike, in their order."""
    for alike, together in itertools.groupby(steps, lambda step: step.alike):
        if alike is None:
            yield from ([step] for step in together)
        else:
            yield list(together)


@dataclasses.dataclass(eq=False, repr=False)
class Plan:
    """The steps to execute, with the State before and after them."""

    before: t.Any
    after: t.Any
    steps: t.List[Step]
    # Sentences on prerequisites that don't exist
    missing: t.List[str] = dataclasses.field(default_factory=list)
    # Sentences on side effects
    warnings: t.List[str] = dataclasses.field(default_factory=list)
    # Sentences on objects that are as wanted and don't work
    broken: t.List[str] = dataclasses.field(default_factory=list)
    # Where each wanted link was found; None if it didn't exist
    found: t.Dict[t.Any, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.steps or self.missing)

    @property
    def commands(self) -> t.List[Argv]:
        return [argv for batch in fuse(self.steps) for argv in batch[0].together(batch)]


class Planning(t.NamedTuple):
    """The planner of one part of a host, as functions."""

    # From a State and what is wanted to a Plan. Raises BadInput or Conflict if that is impossible.
    make_plan: t.Callable[[t.Any, t.Any], Plan]
    # The steps that restore in the first State what objects have in the second one, if they are in both. The last argument
    # says whether the first State was observed, or else simulated.
    make_repair: t.Callable[[t.Any, t.Any, bool], t.List[Step]]
    # A sentence for each difference between two States, after steps were executed and undone.
    differences: t.Callable[[t.Any, t.Any, t.Sequence[Step]], t.List[str]]


class WayBack(t.NamedTuple):
    """The steps that undo other steps, and a sentence for each that could not be planned."""

    steps: t.List[Step]
    trouble: t.List[str]


def undo(planning: Planning, before: State, done: t.Iterable[Step]) -> WayBack:
    """The steps that undo executed steps and their side effects. The host was in the state ``before``."""
    state = before.copy()
    order = before.order()
    undone: t.List[t.List[Step]] = []
    trouble: t.List[str] = []
    for alike in gather(done):
        inverse: t.List[Step] = []
        repair: t.List[Step] = []
        try:
            inverse = alike[0].inverse_all(state, alike) if len(alike) > 1 else alike[0].inverse(state)
            with state.kept_changes():
                alike[0].simulate_all(state, alike)
                repair = _repair(planning, state, inverse, order)
        except Exception as error:  # noqa: BLE001
            # A fault in the undo of one step must not prevent that of the others.
            trouble.append("Planning the rollback of %s failed: %s" % (alike[0].describe(), as_failure(error)))
        undone.append([*inverse, *repair])
    return WayBack([step for steps in reversed(undone) for step in steps], trouble)


def _repair(planning: Planning, state: State, inverse: t.Sequence[Step], order: t.Mapping[t.Any, int]) -> t.List[Step]:
    """The repair that remains after ``inverse`` has undone steps whose changes are being logged. ``state`` is unchanged."""
    was = state.changes()
    with state.trial():
        simulate(state, inverse)
        was = {**state.changes(), **was}
        # What neither a step nor its inverse changed needs no repair.
        there = {key: value for key, value in was.items() if value}
        ordered = dict(sorted(there.items(), key=lambda item: order.get(item[0], len(order))))
        return planning.make_repair(state, state.with_only(ordered), False)


def likely_done(before: State, done: t.Sequence[Step], unsure: t.Sequence[Step], now: State) -> t.Sequence[Step]:
    """The steps of ``unsure`` that were probably executed, judged by which objects exist ``now``.

    Returns the first n steps, for the greatest n that fits best. ``done`` was executed before them on a host in the state
    ``before``.
    """
    state = before.copy()
    simulate(state, done)
    found, count = _things(now), 0
    different = best = len(_things(state) ^ found)
    for number, step in enumerate(unsure, 1):
        with state.kept_changes():
            step.simulate(state)
            for label, table in state.tables():
                for key, old in table.changes().items():
                    if (old is None) == (key in table):  # it was created or deleted
                        different += 1 if ((*label, key) in found) == (key not in table) else -1
        if different <= best:
            count, best = number, different
    return unsure[:count]


def _things(state: State) -> t.Set[t.Tuple[t.Hashable, ...]]:
    """The keys of all objects in a State."""
    return {(*label, key) for label, table in state.tables() for key in table}


def simulate(state: State, steps: t.Iterable[Step]) -> None:
    """Apply the effects of steps to ``state``."""
    for alike in gather(steps):
        alike[0].simulate_all(state, alike)


class Editor:
    """A simulated State, and the steps that led to it."""

    def __init__(self, state: State) -> None:
        self.state: t.Any = state
        self.done: t.List[Step] = []

    def do(self, *steps: Step) -> None:
        """Add steps, and simulate them."""
        simulate(self.state, steps)
        self.done += steps


class Draft(Editor):
    """A plan in the making, on a copy of the observed State."""

    def __init__(self, state: State) -> None:
        super().__init__(state.copy())
        self.before: t.Any = state
        self.missing: t.List[str] = []
        self.warnings: t.List[str] = []
        self.broken: t.List[str] = []
        self.found: t.Dict[t.Any, t.Any] = {}

    def plan(self) -> Plan:
        """The Plan with all steps so far."""
        return Plan(self.before, self.state, self.done, self.missing, self.warnings, self.broken, self.found)


class Part:
    """Edits one part of a host. Several parts can share an Editor: one simulated State, one list of steps."""

    def __init__(self, editor: Editor) -> None:
        self.state: t.Any = editor.state
        self.do = editor.do


class Planner(Part):
    """Plans one part of a host. Several planners can share a Draft."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.before: t.Any = draft.before
        self.missing = draft.missing
        self.warnings = draft.warnings
        self.broken = draft.broken
        self.found = draft.found
        self.last: t.List[t.Callable[[], None]] = []  # emits the deletions

    def delete(self) -> None:
        """Emit the deletions after everything else is planned."""
        for emit in self.last:
            emit()


# What plans a phase: functions, each for one thing. They are asked for when the phase begins.
Phases = t.Mapping[str, t.Callable[[], t.Iterable[t.Callable[[], t.Any]]]]


def walk(order: t.Iterable[str], phases: Phases, told: Complaints) -> None:
    """Plan the phases in their order. ``told`` collects the errors."""
    for name in order:
        for plan in phases[name]() if name in phases else ():
            told.attempt(plan)
