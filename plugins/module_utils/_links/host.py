# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The host of the engine for namespaces and links."""

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
    """The networks of this host, read and changed from the namespace that the process runs in.

    Raises Unusable if a prerequisite or a privilege is missing.
    """

    def __init__(self) -> None:
        self.spaces = Namespaces()

    def close(self) -> None:
        """Close every socket and namespace."""
        self.spaces.close()

    def locate(self, wanted: W) -> W:
        """Replace each reference to a namespace by the first one that leads to the same namespace.

        Raises BadInput for a path that is not a network namespace.
        """
        return self.spaces.locate(wanted)

    def observe(self, wanted: Wanted) -> State:
        """Read the part of this host that ``wanted`` (from ``locate``) refers to. Raises Refused if the kernel refuses to answer."""
        return Observer(self.spaces).observe(wanted)

    def run(self, batch: t.Sequence[Step]) -> None:
        """Execute steps. Raises Refused; its ``done`` has the steps that were done."""
        Batch(self.spaces).run(t.cast("t.Sequence[LinkStep]", batch))

    def retreat(self) -> None:
        """Close namespaces that the undo can open again: the limit of open files may have caused the failure."""
        self.spaces.retreat()

    def tidy(self) -> None:
        """Remove nodes in /dev of macvtaps that are gone, or that the kernel will delete with a deleted namespace.

        The kernel deletes these devices after this process has closed the namespace, at an unknown time.
        """
        if self.spaces.unnamed and nodes.lasting():
            with contextlib.suppress(Failure, OSError):
                for path in self._nodes_going():
                    nodes.remove(path)
        nodes.sweep()

    def _nodes_going(self) -> t.List[str]:
        """Nodes of all macvtaps that vanish with a deleted namespace, because they or their parents are in it."""
        others = [reference for reference in all_namespaces() if self._usable(reference)]
        used = {self.spaces.require(reference).identity for reference in others}
        going = []
        for name, space in list(self.spaces.unnamed.items()):
            if space.identity not in used:  # or it continues to exist, under another name or with a process
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
