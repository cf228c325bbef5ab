# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Open, list, name and create network namespaces.

Names of namespaces are file names, so they are bytes and independent of the locale. pyroute2 supports only ASCII.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import stat
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import OWN, from_octets, octets
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.descriptors import CLONE_NEWNET, LIBC

NETNS_DIR = "/run/netns"
NS_GET_NSTYPE = 0xB703  # linux/nsfs.h
MS_BIND, MS_REC, MS_SHARED, MNT_DETACH = 0x1000, 0x4000, 0x100000, 2  # linux/mount.h


def open_namespace(reference: str) -> t.Optional[int]:
    """Open a namespace by its name or path. Returns None if it does not exist; raises BadInput if it is not a namespace."""
    path = "/proc/thread-self/ns/net"
    if reference != OWN:
        path = reference if reference.startswith("/") else os.path.join(NETNS_DIR, reference)
    try:
        if reference != OWN and not stat.S_ISREG(os.stat(octets(path)).st_mode):
            raise BadInput("'%s' isn't a network namespace." % reference)
        fd = os.open(octets(path), os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return None
    except OSError as error:
        raise Unusable("Opening the network namespace '%s' failed: %s." % (reference, error.strerror)) from error
    if _namespace_type(fd) == CLONE_NEWNET:
        return fd
    os.close(fd)
    if reference.startswith("/"):
        raise BadInput("'%s' isn't a network namespace." % reference)
    raise BadInput(
        "'%s' isn't a network namespace, only a file that was left in %s; remove it with 'ip netns delete %s'."
        % (reference, NETNS_DIR, reference)
    )


def is_dead(reference: str) -> bool:
    """Whether a reference is the path of a process that does not exist."""
    found = re.match(r"^/proc/\d+(?=/)", reference)
    return bool(found and not os.path.exists(found.group()))


def _namespace_type(fd: int) -> int:
    try:
        return fcntl.ioctl(fd, NS_GET_NSTYPE)
    except OSError:
        return 0


def named_namespaces() -> t.List[str]:
    """The names of all files in /run/netns, including stale ones."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(map(from_octets, os.listdir(octets(NETNS_DIR))))
    return []


def give_name(name: str) -> None:
    """Give the namespace of this process a name, as ip-netns(8) does. If it raises OSError, the name does not exist."""
    path = octets(os.path.join(NETNS_DIR, name))
    _share(octets(NETNS_DIR))
    os.mknod(path, stat.S_IFREG)  # a rollback may have no free descriptor to open it with
    try:
        _checked(LIBC.mount(b"/proc/thread-self/ns/net", path, b"none", MS_BIND, None))
    except BaseException:
        os.unlink(path)
        raise


def take_name(name: str) -> None:
    """Remove the name of a namespace. Raises OSError."""
    path = octets(os.path.join(NETNS_DIR, name))
    LIBC.umount2(path, MNT_DETACH)
    os.unlink(path)


def _share(folder: bytes) -> None:
    """Make a folder a shared mount, unless it is one, so that all mount namespaces see later mounts in it."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o755)
    if LIBC.mount(b"", folder, b"none", MS_SHARED | MS_REC, None):
        _checked(LIBC.mount(folder, folder, b"none", MS_BIND | MS_REC, None))
        _checked(LIBC.mount(b"", folder, b"none", MS_SHARED | MS_REC, None))


def unshare() -> None:
    """Enter a new network namespace. Raises OSError."""
    _checked(LIBC.unshare(CLONE_NEWNET))


def _checked(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def all_namespaces() -> t.Iterator[str]:
    """References to all namespaces that have a name or a process."""
    yield from named_namespaces()
    seen = set()
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            path = "/proc/%s/ns/net" % pid
            with contextlib.suppress(OSError):
                inode = os.stat(path).st_ino
                if inode not in seen:
                    seen.add(inode)
                    yield path
