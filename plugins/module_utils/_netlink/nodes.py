# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Find, create and remove the nodes of macvtaps in /dev.

The kernel removes nodes that it created together with their devices. A node that this collection created would outlive its
device. As the kernel reuses device numbers, the owner of the node could then open another macvtap. Therefore each of these nodes
stores the identity of its device in an extended attribute.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import octets
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.sysfs import sysfs

MODE = 0o600  # of a node that the kernel makes
_MARK = "trusted.virtnet.device"
_NAMES = "(macv)?tap[0-9]+$"
_DRIVER = "macvtap"

# The path, the device number, and the identity of the node
_Node = t.Tuple[str, int, t.Tuple[int, int]]


class Device(t.NamedTuple):
    """A character device. ``ifindex`` is the interface index of its link; ``identity`` is unique until the next boot."""

    ifindex: int
    number: int  # with the major and the minor one
    identity: str

    @property
    def paths(self) -> t.Tuple[str, str]:
        """The possible paths of its node.

        Interface indexes are unique only in a namespace, and all namespaces share /dev. If the usual name is in use, the node
        gets another, unique one.
        """
        return "/dev/tap%d" % self.ifindex, "/dev/macvtap%d" % os.minor(self.number)

    def node(self) -> t.Optional[str]:
        """The path of its node; None if it has none."""
        return next((path for path in self.paths if self.has(path)), None)

    def has(self, path: str) -> bool:
        """Whether a node belongs to this device and is not a stale node of an earlier one with its number."""
        return number_at(path) == self.number and _mark(path) in ("", self.identity)


def device_of(name: str) -> Device:
    """The device of a link in the namespace of this process. Raises OSError."""
    with sysfs() as top:
        folder = os.open(octets("class/net/" + name), os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
        try:
            index = int(_contents("ifindex", folder))
            taps = os.open("macvtap", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
            try:
                tap = next(iter(os.listdir(taps)), None)
                if tap is None:  # it is just being deleted
                    raise OSError(errno.ENODEV, "%s has no character device any more" % name)
                major, minor = _contents(tap + "/dev", taps).split(":")
            finally:
                os.close(taps)
        finally:
            os.close(folder)
        number = os.makedev(int(major), int(minor))
        return Device(index, number, _identity(number, top))


def _contents(path: str, folder: int) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), encoding="ascii") as file:
        return file.read()


def _identity(number: int, top: int) -> str:
    """The identity of the device with a number, which differs from earlier ones with this number; empty if it does not exist.

    It is the inode number in sysfs, which the kernel increments.
    """
    with contextlib.suppress(FileNotFoundError):
        return str(os.lstat("dev/char/%d:%d" % (os.major(number), os.minor(number)), dir_fd=top).st_ino)
    return ""


def number_at(path: str) -> t.Optional[int]:
    """The number of the character device at a path; 0 for another kind of file, None if nothing exists."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_rdev if stat.S_ISCHR(status.st_mode) else 0


def _mark(path: str) -> str:
    """The identity of the device that a node was created for; empty if this collection did not create it."""
    with contextlib.suppress(OSError):
        return os.getxattr(path, _MARK, follow_symlinks=False).decode("ascii", "replace")
    return ""


def make(device: Device) -> str:
    """Create the node of a device, and return its path. Raises OSError."""
    for path in device.paths:
        there = number_at(path)
        if there == 0 or (there and not _stale((path, there))):
            continue
        if there:
            remove(path)
        os.mknod(path, stat.S_IFCHR | MODE, device.number)
        with contextlib.suppress(OSError):  # not every file system has these
            os.setxattr(path, _MARK, device.identity.encode("ascii"), follow_symlinks=False)
        return path
    raise FileExistsError(errno.EEXIST, "%s and %s are something else" % device.paths)


def remove(path: str) -> None:
    """Remove a node if it exists."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _stale(*nodes: t.Tuple[str, int]) -> t.List[str]:
    """The stale nodes: their device does not exist, or its number belongs to another one."""
    with sysfs() as top:
        living = {path: _identity(number, top) for path, number in nodes}
    return [path for path, identity in living.items() if not identity or _mark(path) not in ("", identity)]


def sweep() -> None:
    """Remove all stale nodes, as far as they can be recognized."""
    nodes = [(path, number) for path, number, _file in _nodes()]
    if nodes:
        with contextlib.suppress(OSError):
            for path in _stale(*nodes):
                remove(path)


def lasting() -> bool:
    """Whether nodes exist that the kernel does not remove with their device."""
    return any(_mark(path) for path, _number, _file in _nodes())


@contextlib.contextmanager
def fresh(name: str) -> t.Iterator[None]:
    """A context in which a macvtap gets its number. Afterwards, a stale node with this number is removed.

    Called inside the namespace where the link will be.
    """
    sweep()
    before = set(_nodes())
    yield
    number = device_of(name).number
    for node in set(_nodes()) & before:
        if node[1] == number:
            remove(node[0])


def _nodes() -> t.Iterator[_Node]:
    """All nodes in /dev that belong or belonged to macvtaps."""
    names = [name for name in os.listdir("/dev") if re.match(_NAMES, name)]
    foreign = _majors_of_others() if names else set()
    for path in ("/dev/" + name for name in names):
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(path)
            if stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) not in foreign:
                yield path, status.st_rdev, (status.st_ino, status.st_ctime_ns)


def _majors_of_others() -> t.Set[int]:
    """The major numbers of all other drivers of character devices."""
    with open("/proc/devices", encoding="ascii") as file:
        lines = file.read().partition("Block devices:")[0].splitlines()
    words = [line.split() for line in lines]
    return {int(pair[0]) for pair in words if len(pair) == 2 and pair[0].isdigit() and pair[1] != _DRIVER}
