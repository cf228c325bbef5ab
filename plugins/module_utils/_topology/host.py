# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A whole host: the kernel's side and that of Open vSwitch as one, and the records of topologies beside them."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Host
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OWN, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import references
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep
from ansible_collections.virtnet.linux.plugins.module_utils._topology.following import Following, renewal
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import OwnedLink, Record
from ansible_collections.virtnet.linux.plugins.module_utils._topology.ownership import (
    Owned,
    announced,
    record_of,
    still_owned,
)
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import created_by, owned_after
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records, boot_id
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State
from ansible_collections.virtnet.linux.plugins.module_utils._topology.steps import DocumentKeep

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import WantedTopology
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import Wanted

_UNPROVEN = (
    "The record of topology '%s' claims things that were about to be made, but this collection did not write it like that. These "
    "claims are ignored."
)


def _warnings(record: Record, others: t.Sequence[Record], failed: t.Mapping[str, Unusable]) -> t.Iterator[str]:
    """A sentence for each thing about records that doesn't keep a task from being done."""
    if not record.sealed:
        yield _UNPROVEN % record.name
    for other in others:
        for reference in sorted(failed.keys() & other.references()):
            yield "What topology '%s' has in a namespace is not protected from this task: %s" % (
                other.name,
                failed[reference],
            )


class WholeHost(Host):
    """What a topology looks at and changes; ``timeout`` in seconds is for Open vSwitch."""

    def __init__(self, timeout: int, records: t.Optional[Records] = None) -> None:
        self._kernel = Kernel()
        self._ovs = Ovs(timeout)
        self._record: t.Optional[Record] = None
        self._written: t.Optional[Record] = None  # the one that is in the file
        self._records = records or Records()
        self.make_follower = lambda: Following(self._records, self._record.name if self._record else "")

    def close(self) -> None:
        """Close every socket and namespace."""
        self._kernel.close()

    def locate(self, wanted: Wanted) -> Wanted:
        """The same with each reference to a namespace replaced by the first one that means the same namespace.

        What is wanted of a topology gets the records that there are. What its own record speaks of is going to be looked at, and
        of others the namespaces that can be: what is there may rest upon links of this topology. Raises Unusable for a record of
        its own that can't be used.
        """
        if wanted.topology is None:
            return self._kernel.locate(self._ovs.locate(wanted))
        record = self._records.read(wanted.topology.name)
        others, trouble = self._records.others(record.name)
        wanted = self._kernel.locate(
            self._ovs.locate(dataclasses.replace(wanted, databases_too=tuple(record.databases())))
        )
        spoken_of = {netns for one in (record, *others) for netns in one.references()}
        same, failed = self._kernel.spaces.same_namespaces((*references(wanted), *sorted(spoken_of)))
        for reference in failed.keys() & record.references():
            raise failed[reference]
        self._record = self._written = record.located(same)
        topology = dataclasses.replace(
            t.cast("WantedTopology", wanted.topology),
            record=self._record,
            others=tuple(other.located(same) for other in others),
            warnings=(*trouble, *_warnings(record, others, failed)),
        )
        return dataclasses.replace(
            wanted, whole=tuple(sorted({same[netns] for netns in spoken_of & same.keys()})), topology=topology
        )

    def observe(self, wanted: Wanted) -> State:
        """All that matters. Raises Refused or Unusable where it can't be told."""
        links = self._kernel.observe(wanted)
        self._kernel.spaces.descriptors.put_away()
        kept = self._records.kept(wanted.topology.name) if wanted.topology else None
        return State(**vars(links), **vars(self._ovs.observe(wanted)), boot=boot_id(), kept=kept)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps that are one request. Raises Refused or NotTaken."""
        first = batch[0]
        if isinstance(first, DocumentKeep):
            self._records.keep(first.name, first.document)
        else:
            if isinstance(first, OvsStep):
                self._kernel.spaces.descriptors.put_away()  # a process has several itself
            (self._ovs if isinstance(first, OvsStep) else self._kernel).run(batch)

    def retreat(self) -> None:
        """Close what the way back can open again."""
        self._kernel.retreat()

    def usable(self, names: t.Iterable[str]) -> t.Tuple[t.List[str], t.List[str]]:
        """The names of namespaces, and those of which only the file is left."""
        return self._kernel.spaces.usable(names)

    def settle(self, before: State, steps: t.Sequence[Step]) -> None:
        """Wait until Open vSwitch has taken the links that have come and have a row there already."""
        come = {ref.name for step in steps for ref in step.brings() if ref.netns == OWN}
        for database, switch in before.ovs.items():
            if not come.isdisjoint(switch.interfaces):
                self._kernel.spaces.descriptors.put_away()
                self._ovs.catch_up(database)

    def tidy(self) -> None:
        """Remove what devices have left behind in /dev."""
        self._kernel.tidy()

    # Records

    def prepare(self, plan: Plan) -> None:
        """Write down what is going to be made, in case that nobody gets to write down what was."""
        self._records.tidy()
        super().prepare(plan)
        if self._record is not None:
            mine = self._mine(plan.before)
            self._written = announced(
                record_of(self._record.name, mine, plan.before), created_by(plan), plan.before, plan.after
            )
            self._reserve(plan, mine)
            if self._written != self._record:
                self._records.write(self._written, spare=False)

    def _reserve(self, plan: Plan, mine: Owned) -> None:
        """Reserve the space that writing the record and the document later on takes. Raises Unusable."""
        record = t.cast("Record", self._written)
        moved = owned_after(plan, mine, plan.after).links - {Ref(link.netns, link.name) for link in record.links}
        links = [OwnedLink(ref.netns, "", ref.name, plan.after.links[ref].kind) for ref in moved]
        self._records.reserve_record(dataclasses.replace(record, links=[*record.links, *links]))
        for step in plan.steps:
            if isinstance(step, DocumentKeep):
                self._records.reserve_document(step.name, step.document)
                self._records.reserve_document(step.name, plan.before.kept)

    def commit(self, plan: Plan, now: State) -> None:
        """Write down what is owned now. A plan that had nothing to do succeeds where this can't be written, too."""
        if not plan.steps:
            self._records.tidy()
        if self._record is not None:
            owned = owned_after(plan, self._mine(plan.before), now)
            with contextlib.nullcontext() if plan.steps else contextlib.suppress(Unusable):
                self._write(record_of(self._record.name, owned, now), owned == Owned())

    def taken_back(self, plan: Plan, now: State, whole: bool) -> None:
        """Write down what is owned since."""
        super().taken_back(plan, now, whole)
        if self._written is not None and not whole:
            self._write(renewal(plan.before, now).record(self._written), False)

    def abandon(self, plan: Plan, now: State) -> None:
        """Write down what was owned before. What was deleted and made again by the undo may have another identity now."""
        if self._record is not None:
            record = renewal(plan.before, now).record(self._record)
            self._write(record, record == Record(record.name))

    def release(self) -> None:
        """Give back the space that was reserved."""
        self._records.release()

    def _write(self, record: Record, empty: bool) -> None:
        if empty:
            self._records.remove(record.name)
        elif record != self._written:
            self._records.write(record)
        self._written = record

    def _mine(self, state: State) -> Owned:
        return still_owned(self._record, state) if self._record is not None else Owned()
