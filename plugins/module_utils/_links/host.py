# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kernel side: what a task looks at and changes of namespaces and links."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Host
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import NetnsDel
from ansible_collections.virtnet.linux.plugins.module_utils._links.observe import Observer
from ansible_collections.virtnet.linux.plugins.module_utils._links.run import Batch
from ansible_collections.virtnet.linux.plugins.module_utils._links.spaces import Namespaces, W
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import nodes
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.namespaces import all_namespaces

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep


class Kernel(Host):
    """The networks of this host, seen and changed from the namespace that the process runs in.

    Raises Unusable where this host, this Python or this user can't do that.
    """

    def __init__(self) -> None:
        self.spaces = Namespaces()

    def close(self) -> None:
        """Close every socket and namespace."""
        self.spaces.close()

    def locate(self, wanted: W) -> W:
        """The same with each reference to a namespace replaced by the first one that means the same namespace.

        Raises BadInput for a path that is something else than a network namespace.
        """
        return self.spaces.locate(wanted)

    def observe(self, wanted: Wanted) -> State:
        """The part of this host that ``wanted``, which is located already, speaks of. Raises Refused where the kernel won't tell."""
        return Observer(self.spaces).observe(wanted)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps. Raises Refused, whose ``done`` has those that were done."""
        Batch(self.spaces).run(t.cast("t.Sequence[LinkStep]", batch))

    def retreat(self) -> None:
        """Close what the way back can open again, as the limit of open files may be what has stopped the task."""
        self.spaces.retreat()

    def tidy(self) -> None:
        """Remove what devices have left behind in /dev, and the nodes of those that go with a deleted namespace.

        The kernel deletes these devices only after this process has closed the namespace, and doesn't tell when.
        """
        if self.spaces.unnamed and nodes.lasting():
            with contextlib.suppress(Failure, OSError):
                for path in self._nodes_going():
                    nodes.remove(path)
        nodes.sweep()

    def _nodes_going(self) -> t.List[str]:
        """The nodes of all macvtaps that go with a deleted namespace, be they in it or depend on a link in it."""
        others = [reference for reference in all_namespaces() if self._usable(reference)]
        used = {self.spaces.require(reference).identity for reference in others}
        going = []
        for name, space in list(self.spaces.unnamed.items()):
            if space.identity not in used:  # or it lives on, under another name or with a process
                going.append("/proc/self/fd/%d" % space.fd)
                self.spaces.open[going[-1]] = self.spaces.unnamed.pop(name)
        before = self.observe(Wanted(whole=(*others, *going)))
        after = before.copy()
        for name in going:
            NetnsDel(name).simulate(after)
        gone = (link for ref, link in before.links.items() if ref not in after.links)
        return [link.values["device"]["path"] for link in gone if "device" in link.values]

    def _usable(self, reference: str) -> bool:
        with contextlib.suppress(Failure, OSError):
            return self.spaces.space(reference) is not None
        return False
