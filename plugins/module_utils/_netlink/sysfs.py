# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Read the sysfs of the namespace of this process, even if /sys belongs to another one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import from_octets, octets

# The same numbers on every architecture but Alpha (since Linux 5.2), see include/uapi/asm-generic/unistd.h
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
# linux/mount.h
FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, FSCONFIG_CMD_CREATE = 1, 1, 6


def _syscall(number: int, *arguments: t.Any) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def uppers(name: str) -> t.Tuple[str, ...]:
    """The links in this namespace that are stacked upon a link, and its master. Raises OSError."""
    with sysfs() as top:
        folder = os.open(octets("class/net/" + name), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=top)
        try:
            entries = [from_octets(os.fsencode(entry)) for entry in os.listdir(folder)]
            return tuple(sorted(entry[6:] for entry in entries if entry.startswith("upper_")))
        finally:
            os.close(folder)


@contextlib.contextmanager
def sysfs() -> t.Iterator[int]:
    """A descriptor of the root of a new, detached sysfs mount. Raises OSError."""
    context = _syscall(_FSOPEN, b"sysfs", FSOPEN_CLOEXEC)
    try:
        _syscall(_FSCONFIG, context, FSCONFIG_CMD_CREATE, None, None, 0)
        top = _syscall(_FSMOUNT, context, FSMOUNT_CLOEXEC, 0)
    finally:
        os.close(context)
    try:
        yield top
    finally:
        os.close(top)
