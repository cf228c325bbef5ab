# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The namespaces that a task has to do with, held open while it runs."""

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

BIRTH_SECONDS = 0.3  # between the file of a namespace and its mount

W = t.TypeVar("W", bound="Wanted")


class Namespaces:
    """The namespaces of this host, seen from the one that the process runs in.

    Raises Unusable where this host, this Python or this user can't do that.
    """

    def __init__(self) -> None:
        require()
        self.descriptors = Descriptors()
        # What is read makes so many objects that collecting garbage would take three quarters of the time.
        self._collecting = gc.isenabled()
        gc.disable()
        self.open: t.Dict[str, Namespace] = {}  # by reference
        self.unnamed: t.Dict[str, Namespace] = {}
        # By the identity of a namespace, the reference that stands for all that mean it.
        self.first: t.Dict[t.Tuple[int, int], str] = {}
        self._directory: t.Optional[Directory] = None  # as soon as it is needed
        self._translates = True  # whether the kernel can do what the directory is for

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
        """Close what the way back can open again, as the limit of open files may be what has stopped the task."""
        self.descriptors.release()
        self.descriptors.put_away(all_of_them=True)
        with contextlib.suppress(OSError):
            self.descriptors.fit()

    def forget(self) -> None:
        """Forget what was read."""
        for space in self.open.values():
            space.forget()
        if self._directory:
            self._directory.forget()

    def translate(self, space: Namespace, nsid: int) -> t.Optional[t.Dict[int, str]]:
        """What all ids of a namespace mean, with that of ``nsid`` if it can be found. None where the kernel can't tell."""
        if not self._translates:
            return None
        try:
            self._directory = self._directory or Directory(self.descriptors)
            return self._directory.translate(space, nsid, self.open)
        except (NetlinkError, OSError):
            self._translates = False
            return None

    def locate(self, wanted: W) -> W:
        """The same with each reference to a namespace replaced by the first one that means the same namespace.

        Raises BadInput for a path that is something else than a network namespace.
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
        """For each reference the first one that means the same namespace, and what kept others from being opened.

        A namespace that is not there, or of which only the file is left, is in neither.
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
        """The references that are namespaces, and those of which only the file is left.

        One that is being made is a file at first. One that goes meanwhile is in neither.
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
        """Make a namespace with a name. Raises OSError."""
        # Here rather than in a process of its own, as pyroute2 does it, which takes ten times as long.
        try:
            unshare()
            give_name(name)
        finally:
            self.descriptors.enter(self.descriptors.home)

    def unname(self, name: str) -> None:
        """Take the name of a namespace, which stays open. Raises OSError."""
        # As long as it is kept alive it can be given its name again. The undo must not fail for want of descriptors.
        self.require(name).keep()
        take_name(name)
        self.unnamed[name] = self.open.pop(name)

    def rename(self, name: str) -> None:
        """Give a namespace the name again that was taken. Raises OSError."""
        with self.unnamed[name].inside():
            give_name(name)
        self.open[name] = self.unnamed.pop(name)
