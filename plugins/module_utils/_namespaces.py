# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where namespaces are: references to descriptors, and all that there are."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import OWN

NETNS_DIR = "/run/netns"
NS_GET_NSTYPE = 0xB703  # linux/nsfs.h
CLONE_NEWNET = 0x40000000  # linux/sched.h


def open_namespace(reference: str) -> t.Optional[int]:
    """A descriptor of the namespace behind a reference, None if there is none. Raises BadInput if it is another thing."""
    path = "/proc/thread-self/ns/net"
    if reference != OWN:
        path = reference if reference.startswith("/") else os.path.join(NETNS_DIR, reference)
    try:
        if reference != OWN and not stat.S_ISREG(os.stat(path).st_mode):
            raise BadInput("'%s' isn't a network namespace." % reference)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
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
    """Whether a reference names a process that isn't running."""
    found = re.match(r"^/proc/\d+(?=/)", reference)
    return bool(found and not os.path.exists(found.group()))


def _namespace_type(fd: int) -> int:
    try:
        return fcntl.ioctl(fd, NS_GET_NSTYPE)
    except OSError:
        return 0


def all_namespaces() -> t.Iterator[str]:
    """References to all namespaces that have a name or a process."""
    with contextlib.suppress(FileNotFoundError):
        yield from sorted(os.listdir(NETNS_DIR))
    seen = set()
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            path = "/proc/%s/ns/net" % pid
            with contextlib.suppress(OSError):
                inode = os.stat(path).st_ino
                if inode not in seen:
                    seen.add(inode)
                    yield path
