# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Find the namespaces that belong to the ids (nsid) of another namespace.

The kernel translates ids only between two namespaces. Asking each namespace for its id of each other one takes quadratic time.
Therefore this creates a namespace in which every namespace gets a number; one request then translates all ids of a namespace
to these numbers. The new namespace has no name, no other namespace has an id for it, and it disappears with the task.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.namespaces import (
    all_namespaces,
    open_namespace,
    unshare,
)
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.descriptors import Descriptors


class Directory:
    """Numbers for namespaces. Raises OSError if no namespace can be created."""

    def __init__(self, descriptors: Descriptors) -> None:
        self._descriptors = descriptors
        self._numbers: t.Dict[Namespace, int] = {}
        descriptors.make_room()
        try:
            unshare()
            fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            descriptors.enter(Namespace.inside_of.fd if Namespace.inside_of else descriptors.home)
        self._space = Namespace(fd, descriptors=descriptors)
        self._last = 0
        self.forget()

    def close(self) -> None:
        """Close the namespace; the kernel then deletes it."""
        self._space.close()

    def forget(self) -> None:
        """Forget which references belong to which namespaces."""
        self._references: t.Dict[int, str] = {}
        self._known = 0
        self._complete = False

    def translate(self, space: Namespace, nsid: int, spaces: t.Mapping[str, Namespace]) -> t.Dict[int, str]:
        """References by the ids in ``space``: those of ``spaces`` or, if ``nsid`` is not among them, of all namespaces.

        Raises OSError or NetlinkError if the kernel can't tell (before Linux 5.0).
        """
        own = self._number_of(space)
        if self._known != len(spaces):
            for reference, other in spaces.items():
                self._references.setdefault(self._number_of(other), reference)
            self._known = len(spaces)
        found = self._translated(own)
        if nsid not in found and not self._complete:
            self._enter_all(spaces)
            self._complete = True
            found = self._translated(own)
        return found

    def _translated(self, number: int) -> t.Dict[int, str]:
        ids = self._space.ids_in(number)
        return {nsid: self._references[known] for nsid, known in ids.items() if known in self._references}

    def _enter_all(self, spaces: t.Mapping[str, Namespace]) -> None:
        for reference in all_namespaces():
            if reference in spaces:
                continue
            with contextlib.suppress(BadInput, Unusable, OSError):  # one that goes meanwhile, or was only a file
                self._descriptors.make_room()
                fd = open_namespace(reference)
                if fd is not None:
                    try:
                        self._references.setdefault(self._number(fd), reference)
                    finally:
                        os.close(fd)

    def _number_of(self, space: Namespace) -> int:
        if space not in self._numbers:
            self._numbers[space] = self._number(space.fd)
        return self._numbers[space]

    def _number(self, fd: int) -> int:
        if self._space.give_id(fd, self._last + 1):
            self._last += 1
            return self._last
        return self._space.id_of(fd)
