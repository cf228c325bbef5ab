# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A whole host: kernel and Open vSwitch, and the records of topologies."""

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
    """Sentences about problems with records that do not prevent a task."""
    if not record.sealed:
        yield _UNPROVEN % record.name
    for other in others:
        for reference in sorted(failed.keys() & other.references()):
            yield "What topology '%s' has in a namespace is not protected from this task: %s" % (
                other.name,
                failed[reference],
            )


class WholeHost(Host):
    """What a topology observes and changes; ``timeout`` in seconds is for Open vSwitch."""

    def __init__(self, timeout: int, records: t.Optional[Records] = None) -> None:
        self._kernel = Kernel()
        self._ovs = Ovs(timeout)
        self._record: t.Optional[Record] = None
        self._written: t.Optional[Record] = None  # the record in the file
        self._records = records or Records()
        self.make_follower = lambda: Following(self._records, self._record.name if self._record else "")

    def close(self) -> None:
        """Close all sockets and namespaces."""
        self._kernel.close()

    def locate(self, wanted: Wanted) -> Wanted:
        """Replace each reference to a namespace by the first one that refers to the same, and add the records.

        Things in the own record will be observed; of other records, only namespaces that can be reached, because
        their links may be stacked upon links of this topology. Raises Unusable if the own record can't be used.
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
        """Read everything that matters. Raises Refused or Unusable."""
        links = self._kernel.observe(wanted)
        self._kernel.spaces.descriptors.put_away()
        kept = self._records.kept(wanted.topology.name) if wanted.topology else None
        return State(**vars(links), **vars(self._ovs.observe(wanted)), boot=boot_id(), kept=kept)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps that are one request. Raises Refused or NotApplied."""
        first = batch[0]
        if isinstance(first, DocumentKeep):
            self._records.keep(first.name, first.document)
        else:
            if isinstance(first, OvsStep):
                self._kernel.spaces.descriptors.put_away()  # a process opens several descriptors itself
            (self._ovs if isinstance(first, OvsStep) else self._kernel).run(batch)

    def retreat(self) -> None:
        """Close namespaces that the rollback can open again."""
        self._kernel.retreat()

    def usable(self, names: t.Iterable[str]) -> t.Tuple[t.List[str], t.List[str]]:
        """Names of usable namespaces, and names of which only the file is left."""
        return self._kernel.spaces.usable(names)

    def settle(self, before: State, steps: t.Sequence[Step]) -> None:
        """Wait until Open vSwitch has taken new links that already have a row."""
        come = {ref.name for step in steps for ref in step.brings() if ref.netns == OWN}
        for database, switch in before.ovs.items():
            if not come.isdisjoint(switch.interfaces):
                self._kernel.spaces.descriptors.put_away()
                self._ovs.catch_up(database)

    def tidy(self) -> None:
        """Remove device nodes in /dev whose devices no longer exist."""
        self._kernel.tidy()

    # Records

    def prepare(self, plan: Plan) -> None:
        """Record what will be created, in case the task is killed before it can record what it has created."""
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
        """Reserve space for the record and the document. Raises Unusable."""
        record = t.cast("Record", self._written)
        moved = owned_after(plan, mine, plan.after).links - {Ref(link.netns, link.name) for link in record.links}
        links = [OwnedLink(ref.netns, "", ref.name, plan.after.links[ref].kind) for ref in moved]
        self._records.reserve_record(dataclasses.replace(record, links=[*record.links, *links]))
        for step in plan.steps:
            if isinstance(step, DocumentKeep):
                self._records.reserve_document(step.name, step.document)
                self._records.reserve_document(step.name, plan.before.kept)

    def commit(self, plan: Plan, now: State) -> None:
        """Record what is owned now. A plan without steps succeeds even if the record can't be written."""
        if not plan.steps:
            self._records.tidy()
        if self._record is not None:
            owned = owned_after(plan, self._mine(plan.before), now)
            with contextlib.nullcontext() if plan.steps else contextlib.suppress(Unusable):
                self._write(record_of(self._record.name, owned, now), owned == Owned())

    def taken_back(self, plan: Plan, now: State, whole: bool) -> None:
        """Record what is owned after a rollback."""
        super().taken_back(plan, now, whole)
        if self._written is not None and not whole:
            self._write(renewal(plan.before, now).record(self._written), False)

    def abandon(self, plan: Plan, now: State) -> None:
        """Record what was owned before. What the rollback created again may have another identity."""
        if self._record is not None:
            record = renewal(plan.before, now).record(self._record)
            self._write(record, record == Record(record.name))

    def release(self) -> None:
        """Release the reserved space."""
        self._records.release()

    def _write(self, record: Record, empty: bool) -> None:
        if empty:
            self._records.remove(record.name)
        elif record != self._written:
            self._records.write(record)
        self._written = record

    def _mine(self, state: State) -> Owned:
        return still_owned(self._record, state) if self._record is not None else Owned()
