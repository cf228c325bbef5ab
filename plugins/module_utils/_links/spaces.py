# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The namespaces that a task uses, held open until it ends."""

from __future__ import annotations

import contextlib
import errno
import gc
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Refused, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import OWN
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import located, references
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.descriptors import Descriptors
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.directory import Directory
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.namespaces import (
    give_name,
    open_namespace,
    take_name,
    unshare,
)
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import NetlinkError
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace, require

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import Wanted

BIRTH_SECONDS = 0.3  # wait for the mount of a namespace after its file was created

W = t.TypeVar("W", bound="Wanted")


class Namespaces:
    """The namespaces of this host, as seen from the one that the process runs in.

    Raises Unusable if a prerequisite or a privilege is missing.
    """

    def __init__(self) -> None:
        require()
        self.descriptors = Descriptors()
        # Reading creates so many objects that garbage collection would take three quarters of the time.
        self._collecting = gc.isenabled()
        gc.disable()
        self.open: t.Dict[str, Namespace] = {}  # by reference
        self.unnamed: t.Dict[str, Namespace] = {}
        # The representative of all references to a namespace, by its identity.
        self.first: t.Dict[t.Tuple[int, int], str] = {}
        self._directory: t.Optional[Directory] = None  # created on demand
        self._translates = True  # whether the kernel supports what the directory uses

    def close(self) -> None:
        """Close every socket and namespace."""
        if self._directory:
            self._directory.close()
        if self._collecting:
            gc.enable()
        for space in (*self.open.values(), *self.unnamed.values()):
            space.close()
        self.open, self.unnamed = {}, {}
        self.descriptors.close()

    def retreat(self) -> None:
        """Close namespaces that the undo can open again: the limit of open files may have caused the failure."""
        self.descriptors.release()
        self.descriptors.put_away(all_of_them=True)
        with contextlib.suppress(OSError):
            self.descriptors.fit()

    def forget(self) -> None:
        """Drop all cached messages."""
        for space in self.open.values():
            space.forget()
        if self._directory:
            self._directory.forget()

    def translate(self, space: Namespace, nsid: int) -> t.Optional[t.Dict[int, str]]:
        """References for all ids of a namespace, including ``nsid`` if it is found. None if the kernel doesn't support it."""
        if not self._translates:
            return None
        try:
            self._directory = self._directory or Directory(self.descriptors)
            return self._directory.translate(space, nsid, self.open)
        except (NetlinkError, OSError):
            self._translates = False
            return None

    def locate(self, wanted: W) -> W:
        """Replace each reference to a namespace by the first one that leads to the same namespace.

        Raises BadInput for a path that is not a network namespace.
        """
        same = {}
        self.first = {}
        for reference, where in references(wanted).items():
            try:
                space = self.space(reference)
            except BadInput as error:
                raise BadInput("%s: %s" % (where[0].upper() + where[1:], error)) from error
            same[reference] = self.first.setdefault(space.identity, reference) if space else reference
        return located(wanted, same)

    def same_namespaces(self, given: t.Iterable[str]) -> t.Tuple[t.Dict[str, str], t.Dict[str, Unusable]]:
        """For each reference the first one that leads to the same namespace, and errors for those that can't be opened.

        Missing namespaces, and those of which only the file is left, are in neither.
        """
        same: t.Dict[str, str] = {}
        failed: t.Dict[str, Unusable] = {}
        for reference in given:
            try:
                space = self.space(reference)
            except BadInput:
                continue
            except Unusable as error:
                failed[reference] = error
                continue
            if space:
                same[reference] = self.first.setdefault(space.identity, reference)
        return same, failed

    def usable(self, given: t.Iterable[str]) -> t.Tuple[t.List[str], t.List[str]]:
        """References that are namespaces, and those of which only the file is left.

        A namespace that is being created is a plain file at first. One that is deleted meanwhile is in neither.
        """
        opened, files = self._opened(given)
        deadline = time.monotonic() + BIRTH_SECONDS
        while files and time.monotonic() < deadline:
            time.sleep(0.02)
            more, files = self._opened(files)
            opened += more
        return opened, files

    def _opened(self, given: t.Iterable[str]) -> t.Tuple[t.List[str], t.List[str]]:
        opened, files = [], []
        for reference in given:
            try:
                if self.space(reference):
                    opened.append(reference)
            except BadInput:
                files.append(reference)
        return opened, files

    def space(self, reference: str) -> t.Optional[Namespace]:
        if reference not in self.open:
            own = reference == OWN
            self.descriptors.make_room()
            fd = self.descriptors.home if own else open_namespace(reference)
            if fd is None:
                return None
            self.open[reference] = Namespace(fd, own, self.descriptors)
        return self.open[reference]

    def require(self, reference: str) -> Namespace:
        space = self.space(reference)
        if space is None:
            raise Refused("entering namespace '%s'" % reference, "it is not there", errno.ENOENT)
        return space

    def make(self, name: str) -> None:
        """Create a named namespace. Raises OSError."""
        # In this process: pyroute2 starts another one, which takes ten times as long.
        try:
            unshare()
            give_name(name)
        finally:
            self.descriptors.enter(self.descriptors.home)

    def unname(self, name: str) -> None:
        """Remove the name of a namespace, which stays open. Raises OSError."""
        # Kept alive so that its name can be restored; an undo must not fail because of the limit of open files.
        self.require(name).keep()
        take_name(name)
        self.unnamed[name] = self.open.pop(name)

    def rename(self, name: str) -> None:
        """Restore the name that was removed from a namespace. Raises OSError."""
        with self.unnamed[name].inside():
            give_name(name)
        self.open[name] = self.unnamed.pop(name)
