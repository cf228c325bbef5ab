# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The lock that serializes tasks of this collection on one host."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable

LOCK_FILE = "/run/virtnet.lock"
LOCK_TIMEOUT = 120.0  # seconds


@contextlib.contextmanager
def host_lock(path: str = LOCK_FILE, timeout: float = LOCK_TIMEOUT) -> t.Iterator[None]:
    """Hold the host's lock. Waits up to ``timeout`` seconds for another process to release it.

    The kernel releases it when the process ends. Raises Unusable if the lock is not available.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unusable("Opening the lock file %s failed: %s." % (path, error.strerror)) from error
    try:
        _acquire(fd, path, timeout)
        with contextlib.suppress(OSError):  # only for the error of another task
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(fd)


def _acquire(fd: int, path: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                raise
        if time.monotonic() >= deadline:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            raise Unusable(
                "Another task of this collection (process %s) has held the lock %s for more than %d seconds."
                % (holder or "unknown", path, timeout)
            )
        time.sleep(0.02)
