# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Execute steps. Their requests are collected and sent together where possible."""

from __future__ import annotations

import contextlib
import itertools
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, as_failure
from ansible_collections.virtnet.linux.plugins.module_utils._links.refusals import sentences
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import acknowledged

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref
    from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Namespaces
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import NetlinkError, Request
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace

GROUP_MIN = 8  # from this number of steps on, a group is executed as one


class Batch(Runner):
    """Steps that are being executed.

    Requests wait, and are sent before anything that depends on them. A step is done when it has been executed and the kernel
    has acknowledged all of its requests.
    """

    def __init__(self, spaces: Namespaces) -> None:
        self._spaces = spaces
        self._done: t.List[LinkStep] = []
        self._current: t.Optional[LinkStep] = None  # is being executed
        self._waiting: t.List[t.Tuple[LinkStep, bytes]] = []
        self._target: t.Optional[Namespace] = None  # of those that wait
        self._named: t.List[Namespace] = []  # by descriptors, in requests of the current step
        self._holding = False

    def run(self, steps: t.Sequence[LinkStep]) -> None:
        """Execute steps. Raises Refused with the text from the kernel; its ``done`` has the steps that were done."""
        try:
            for group in _groups(steps):
                self._execute(group)
            self.flush()
        except Exception as error:
            failure = as_failure(error)
            failure.done = tuple(self._done)
            if failure is error:
                raise
            known = set(map(id, self._done))
            failure.unsure = tuple(step for step in steps if id(step) not in known)
            raise failure from error
        finally:
            self._named = []
            self._release()

    def _execute(self, group: t.Sequence[LinkStep]) -> None:
        step = group[0]
        self._current, self._named = step, []
        with sentences(step.describe(), step):
            if len(group) > 1:
                step.execute_all(self, group)
            else:
                step.execute(self)
        self._current = None
        if not self._waiting or self._waiting[-1][0] is not step:
            self._done += group

    # What steps ask for

    def index(self, ref: Ref) -> int:
        space = self._spaces.require(ref.netns)
        if not space.knows(ref.name):
            self.flush()
        return space.index_of(ref.name)

    def descriptor(self, netns: str) -> int:
        space = self._spaces.require(netns)
        if self._spaces.descriptors.full:
            self.flush()
        fd = space.fd
        self._spaces.descriptors.hold(space)
        self._named.append(space)
        self._holding = True
        return fd

    def send(self, netns: str, requests: t.Iterable[Request]) -> None:
        space = self._spaces.require(netns)
        if self._waiting and self._target is not space:
            self.flush()
        self._target = space
        step = t.cast("LinkStep", self._current)
        self._waiting += [(step, space.encode(acknowledged(request))) for request in requests]

    def attempt(self, netns: str, requests: t.Iterable[Request]) -> t.List[t.Optional[NetlinkError]]:
        self.flush()
        space = self._spaces.require(netns)
        return space.send([space.encode(acknowledged(request)) for request in requests])

    @contextlib.contextmanager
    def inside(self, netns: str) -> t.Iterator[None]:
        self.flush()
        with self._spaces.require(netns).inside():
            yield

    def link(self, ref: Ref) -> t.Any:
        return self._fresh(ref.netns).link_by_name(ref.name)

    def links(self, netns: str) -> t.Mapping[str, t.Any]:
        return self._fresh(netns).links()

    def _fresh(self, netns: str) -> Namespace:
        self.flush()
        space = self._spaces.require(netns)
        space.forget()
        return space

    def forget(self, *namespaces: str) -> None:
        for netns in namespaces:
            self._spaces.require(netns).forget()

    def make_namespace(self, name: str) -> None:
        self.flush()
        self._spaces.make(name)

    def unname_namespace(self, name: str) -> None:
        self.flush()
        self._spaces.unname(name)

    def rename_namespace(self, name: str) -> None:
        self.flush()
        self._spaces.rename(name)

    def flush(self) -> None:
        """Send all waiting requests. Raises Refused for the first step with a refused request."""
        waiting, self._waiting = self._waiting, []
        answers = self._answers(waiting) if waiting else []
        self._release()
        refused: t.Dict[int, t.Tuple[LinkStep, NetlinkError]] = {}
        for (step, _request), error in zip(waiting, answers):
            if error:
                refused.setdefault(id(step), (step, error))
        finished = {id(step): step for step, _request in waiting if step is not self._current}
        self._done += [step for number, step in finished.items() if number not in refused]
        _raise_first([*refused.values()])

    def _answers(self, waiting: t.Sequence[t.Tuple[LinkStep, bytes]]) -> t.List[t.Optional[NetlinkError]]:
        first = waiting[0][0]
        with sentences(first.describe(), first):
            return t.cast("Namespace", self._target).send([request for _step, request in waiting])

    def _release(self) -> None:
        """Close all descriptors except those of the current step, whose requests may not be queued yet."""
        if self._holding:
            self._spaces.descriptors.release()
        for space in self._named:
            self._spaces.descriptors.hold(space)
        self._holding = bool(self._named)


def _raise_first(refused: t.Sequence[t.Tuple[LinkStep, NetlinkError]]) -> None:
    """Raise Refused for the first step that the kernel refused; its ``failed`` has all refused steps."""
    failures: t.List[t.Tuple[LinkStep, Failure]] = []
    for step, error in refused:
        try:
            with sentences(step.describe(), step):
                raise error
        except Failure as failure:
            failures.append((step, failure))
    if failures:
        first = failures[0][1]
        first.failed = failures
        raise first


def _groups(steps: t.Iterable[LinkStep]) -> t.Iterator[t.List[LinkStep]]:
    """Consecutive steps of a group together, all other steps one by one."""
    for group, some in itertools.groupby(steps, lambda step: step.group):
        together = list(some)
        if group is None or len(together) < GROUP_MIN:
            yield from ([step] for step in together)
        else:
            yield together
