# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Keep namespaces open within the limit on open files (RLIMIT_NOFILE).

Each namespace of a task must stay the same until the task ends, and a deleted one must still exist for a rollback. Usually
this requires one descriptor for each namespace and one for its socket. If the limit is too low, the least recently used
namespaces are closed. A copy of the descriptor in the queue of a socket keeps them alive; it does not count against the limit,
and disappears when the process ends.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import os
import resource
import socket
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable

SO_PEEK_OFF, SO_SNDBUFFORCE = 42, 32  # asm-generic/socket.h
CLONE_NEWNET = 0x40000000  # linux/sched.h
QUEUE_BYTES = 1 << 28
# Other open files: the lock, the socket of the own namespace, records, /proc and /sys.
RESERVE = 6
# Open together: the namespace of waiting requests, the one in their attributes, and the one that is read.
FEWEST = 3
LIBC = ctypes.CDLL(None, use_errno=True)

Place = t.Tuple[int, int]


class Shelf:
    """Keeps copies of descriptors in the queues of sockets."""

    def __init__(self) -> None:
        self._queues: t.List[socket.socket] = []
        self._entrance: t.Optional[socket.socket] = None
        self._count = 0  # in the last queue

    def close(self) -> None:
        """Drop all copies."""
        for end in (*self._queues, *([self._entrance] if self._entrance else [])):
            end.close()
        self._queues, self._entrance = [], None

    def put(self, fd: int) -> Place:
        """Store a copy of a descriptor. Raises OSError."""
        if self._entrance is None:
            self.open()
        try:
            self._send(fd)
        except BlockingIOError:
            self.open()
            self._send(fd)
        self._count += 1
        return len(self._queues) - 1, self._count - 1

    def open(self) -> None:
        """Begin a queue. Raises OSError."""
        entrance, queue = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        for option in (SO_SNDBUFFORCE, socket.SO_SNDBUF):  # as the capabilities allow
            with contextlib.suppress(OSError):
                entrance.setsockopt(socket.SOL_SOCKET, option, QUEUE_BYTES)
                break
        if self._entrance:
            self._entrance.close()
        self._entrance = entrance
        self._queues.append(queue)
        self._count = 0

    def _send(self, fd: int) -> None:
        entrance = t.cast("socket.socket", self._entrance)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))
        entrance.sendmsg([b"\0"], [rights], socket.MSG_DONTWAIT)

    def get(self, place: Place) -> int:
        """A new descriptor for what was stored. Raises OSError."""
        number, offset = place
        queue = self._queues[number]
        queue.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, offset)
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        _data, ancillary, _flags, _address = queue.recvmsg(1, socket.CMSG_SPACE(4), flags)
        for _level, _type, content in ancillary:
            return array.array("i", content[:4])[0]
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))  # the kernel leaves out what it has no descriptor for


class Handle:
    """An object whose descriptors can be closed and opened again."""

    def put_away(self) -> None:
        """Close the descriptors, and keep the objects behind them alive."""
        raise NotImplementedError


class Descriptors:
    """All descriptors of the namespaces of a task, and which namespace the process is in."""

    def __init__(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.shelf = Shelf()
        self._open: t.Dict[Handle, None] = {}  # the least recently used first
        self._held: t.Set[Handle] = set()
        self.most = 0
        try:
            self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            self.shelf.open()
            self.fit()
        except OSError as error:
            raise Unusable("Opening the network namespace of this process failed: %s." % error.strerror) from error
        if self.most < FEWEST:
            self.close()
            raise Unusable(
                "The limit of open files (ulimit -Hn) is %d, and this module needs at least %d. Raise the limit. "
                "No changes were made." % (hard, hard + 2 * (FEWEST - self.most))
            )

    def close(self) -> None:
        """Close the descriptors that this object opened."""
        self.shelf.close()
        os.close(self.home)

    def fit(self) -> None:
        """Compute how many handles, with two descriptors each, can be open under the current limit."""
        _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        others = len(os.listdir("/proc/self/fd")) - 1 - 2 * len(self._open)
        self.most = max((hard - others - RESERVE) // 2, 0)

    def put_away(self, all_of_them: bool = False) -> None:
        """Close descriptors for other uses, if the limit is low or ``all_of_them`` is set."""
        if all_of_them or len(self._open) + 2 * RESERVE > self.most:
            for handle in [handle for handle in self._open if handle not in self._held]:
                handle.put_away()
                del self._open[handle]

    def use(self, handle: Handle) -> None:
        """Called before a handle is opened or used. Closes other ones if there are too many."""
        self._open.pop(handle, None)
        self.make_room()
        self._open[handle] = None

    def make_room(self) -> None:
        """Close handles until one can be opened."""
        if len(self._open) >= self.most:
            surplus = len(self._open) + 1 - self.most
            for other in [other for other in self._open if other not in self._held][:surplus]:
                other.put_away()
                del self._open[other]

    def closed(self, handle: Handle) -> None:
        """Called after a handle was closed finally."""
        self._open.pop(handle, None)
        self._held.discard(handle)

    def hold(self, handle: Handle) -> None:
        """Keep the descriptors of a handle open until ``release``, because waiting requests contain them."""
        self._held.add(handle)

    @property
    def full(self) -> bool:
        """Whether no more handles can be held."""
        return len(self._held) >= self.most - 2

    def release(self) -> None:
        """Called when no request waits."""
        self._held.clear()

    @staticmethod
    def enter(fd: int) -> None:
        """Enter a namespace. Raises OSError."""
        if LIBC.setns(fd, CLONE_NEWNET):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
