# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a plan is, whatever it is about: steps, what they make of a State, and how they are taken back.

Pure: whatever happens here happens to copies of the observed State. What is to be done to links and to Open vSwitch is
found in ``_links/plan.py`` and ``_ovs``.
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
    """What all steps can do. They are dataclasses that nobody compares: to make ``__eq__`` for each takes its time."""

    # Consecutive steps with the same batch, if they have one, are one request to the host.
    batch: t.Optional[t.Hashable] = None
    # Whether it deletes what an undo may make again with another identity.
    deletes: bool = False

    def __repr__(self) -> str:
        return "%s(**%r)" % (type(self).__name__, vars(self))

    def describe(self) -> str:
        """What it does, as the subject of a sentence: ``setting mtu of link 'a' to 1400``."""
        raise NotImplementedError

    def commands(self) -> t.List[Argv]:
        """The same as an admin would type it, as argument lists."""
        raise NotImplementedError

    def together(self, batch: t.Sequence[t.Any]) -> t.List[Argv]:
        """The commands of a whole batch that this step begins."""
        return [argv for step in batch for argv in step.commands()]

    def brings(self) -> t.Sequence[t.Any]:
        """Where links are with it that were not there before, apart from those that Open vSwitch makes."""
        return ()

    def refs(self) -> t.Set[t.Any]:
        """The links that it is about."""
        return set()

    def netns_names(self) -> t.Set[str]:
        """The namespaces that it is about as such."""
        return set()

    def about(self) -> t.Set[t.Any]:
        """The keys of all that it is about."""
        return {*self.refs(), *self.netns_names()}

    def unmet(self, now: t.Any) -> str:
        """What the host made of the step, which was run and yet isn't in effect; empty if nothing is known of that."""
        return ""

    def simulate(self, state: t.Any) -> None:
        """Change ``state`` as the host would change. A step has this or ``simulate_all``."""
        self.simulate_all(state, [self])

    def inverse(self, before: t.Any) -> t.List[Step]:
        """The steps that take it back, given the state before it; side effects aside, which a repair finds.

        A step has this or ``inverse_all``.
        """
        return self.inverse_all(before, [self])

    # Thousands of addresses of one link, say: each step by itself would go through all of them.

    @property
    def alike(self) -> t.Hashable:
        """Consecutive steps of which this is equal are simulated and taken back together; None for none."""
        return None

    def simulate_all(self, state: t.Any, alike: t.Sequence[Step]) -> None:
        """Change ``state`` as the host would change by consecutive steps that are alike."""
        for step in alike:
            step.simulate(state)

    def inverse_all(self, before: t.Any, alike: t.Sequence[Step]) -> t.List[Step]:
        """The steps that take consecutive steps back that are alike, the last one first.

        As it is here, none of them depends on the state that those before it leave.
        """
        return [back for step in reversed(alike) for back in step.inverse(before)]


def fuse(steps: t.Iterable[Step]) -> t.Iterator[t.List[Step]]:
    """The steps in their order, as batches."""
    for batch, together in itertools.groupby(steps, lambda step: step.batch):
        if batch is None:
            yield from ([step] for step in together)
        else:
            yield list(together)


def gather(steps: t.Iterable[Step]) -> t.Iterator[t.List[Step]]:
    """The steps in their order, those together that are alike."""
    for alike, together in itertools.groupby(steps, lambda step: step.alike):
        if alike is None:
            yield from ([step] for step in together)
        else:
            yield list(together)


@dataclasses.dataclass(eq=False, repr=False)
class Plan:
    """What is to be done, and what the host looks like before and after.

    ``missing`` are sentences about things that the plan builds upon and that aren't there, ``warnings`` about what else
    it brings with it, ``broken`` about what is there as wanted and yet doesn't work. ``found`` tells where each wanted
    link was before, None where it wasn't.
    """

    before: t.Any
    after: t.Any
    steps: t.List[Step]
    missing: t.List[str] = dataclasses.field(default_factory=list)
    warnings: t.List[str] = dataclasses.field(default_factory=list)
    broken: t.List[str] = dataclasses.field(default_factory=list)
    found: t.Dict[t.Any, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.steps or self.missing)

    @property
    def commands(self) -> t.List[Argv]:
        return [argv for batch in fuse(self.steps) for argv in batch[0].together(batch)]


class Planning(t.NamedTuple):
    """How plans about one part of a host are made.

    ``make_plan`` makes the plan that gives a host in a state what is wanted, and raises BadInput or Conflict when that
    can't be. ``make_repair`` makes the steps that give what is in both of two states back what it has in the second
    one; the first one is either observed or simulated, as the third argument tells. ``differences`` has a sentence for
    each thing in which the second state differs from the first one, after steps that were done and taken back.
    """

    make_plan: t.Callable[[t.Any, t.Any], Plan]
    make_repair: t.Callable[[t.Any, t.Any, bool], t.List[Step]]
    differences: t.Callable[[t.Any, t.Any, t.Sequence[Step]], t.List[str]]


class WayBack(t.NamedTuple):
    """The steps that take other steps back, and a sentence for each thing that could not be planned."""

    steps: t.List[Step]
    trouble: t.List[str]


def undo(planning: Planning, before: State, done: t.Iterable[Step]) -> WayBack:
    """What takes back the steps that were done to a host in the state ``before``, their side effects included."""
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
            # A fault in one step's plan must not keep the others from being taken back.
            trouble.append("Planning the rollback of %s failed: %s" % (alike[0].describe(), as_failure(error)))
        undone.append([*inverse, *repair])
    return WayBack([step for steps in reversed(undone) for step in steps], trouble)


def _repair(planning: Planning, state: State, inverse: t.Sequence[Step], order: t.Mapping[t.Any, int]) -> t.List[Step]:
    """What is left to repair when steps, whose changes are being logged, have been taken back. The state stays."""
    was = state.changes()
    with state.trial():
        simulate(state, inverse)
        was = {**state.changes(), **was}
        # What a step and its inverse leave alone needs no repair.
        there = {key: value for key, value in was.items() if value}
        ordered = dict(sorted(there.items(), key=lambda item: order.get(item[0], len(order))))
        return planning.make_repair(state, state.with_only(ordered), False)


def likely_done(before: State, done: t.Sequence[Step], unsure: t.Sequence[Step], now: State) -> t.Sequence[Step]:
    """The first steps of ``unsure``: as many as best explain what exists ``now``, the more the better.

    ``done`` was done before them, to a host in the state ``before``.
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
                    if (old is None) == (key in table):  # it has come, or gone
                        different += 1 if ((*label, key) in found) == (key not in table) else -1
        if different <= best:
            count, best = number, different
    return unsure[:count]


def _things(state: State) -> t.Set[t.Tuple[t.Hashable, ...]]:
    """What exists in a state."""
    return {(*label, key) for label, table in state.tables() for key in table}


def simulate(state: State, steps: t.Iterable[Step]) -> None:
    """Change ``state`` as steps would change the host."""
    for alike in gather(steps):
        alike[0].simulate_all(state, alike)


class Editor:
    """A State with the steps that made it what it is."""

    def __init__(self, state: State) -> None:
        self.state: t.Any = state
        self.done: t.List[Step] = []

    def do(self, *steps: Step) -> None:
        """Add steps, and let the state be as after them."""
        simulate(self.state, steps)
        self.done += steps


class Draft(Editor):
    """A plan that is being made, on a copy of the observed State."""

    def __init__(self, state: State) -> None:
        super().__init__(state.copy())
        self.before: t.Any = state
        self.missing: t.List[str] = []
        self.warnings: t.List[str] = []
        self.broken: t.List[str] = []
        self.found: t.Dict[t.Any, t.Any] = {}

    def plan(self) -> Plan:
        """The plan as it is now."""
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
        """Emit the deletions, when all else is planned."""
        for emit in self.last:
            emit()


# What plans a phase: functions, each for one thing. They are asked for when the phase begins.
Phases = t.Mapping[str, t.Callable[[], t.Iterable[t.Callable[[], t.Any]]]]


def walk(order: t.Iterable[str], phases: Phases, told: Complaints) -> None:
    """Plan the phases in an order; ``told`` collects what can't be planned."""
    for name in order:
        for plan in phases[name]() if name in phases else ():
            told.attempt(plan)
