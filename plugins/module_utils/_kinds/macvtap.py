# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""macvtap: macvlans whose packets go to a character device (drivers/net/macvtap.c)."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import re
import shlex
import stat
import subprocess
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._commands import Argv, inside
from ansible_collections.virtnet.linux.plugins.module_utils._kinds import macvlan
from ansible_collections.virtnet.linux.plugins.module_utils._kinds._kind import Attribute, Codec, Means, Values
from ansible_collections.virtnet.linux.plugins.module_utils._kinds._sysfs import sysfs
from ansible_collections.virtnet.linux.plugins.module_utils._kinds._users import (
    absent,
    gid_of,
    group,
    group_name,
    processes,
    uid_of,
    user,
    user_name,
)

_SETTABLE = ("owner", "group", "mode")
_CLOCK_TOLERANCE = 1  # seconds; file systems use a coarser clock
_NODE_MODE = 0o600  # what the kernel gives the node, where it makes one itself
_UDEV, _UDEV_SECONDS = "/run/udev/control", 5


@dataclasses.dataclass(frozen=True)
class _Device:
    """The character device behind a link."""

    index: int
    number: int  # with the major and the minor one

    @property
    def paths(self) -> t.Tuple[str, str]:
        """Where its node is, or should be.

        Interface indexes repeat in each namespace, and /dev is one for all. Where the usual name is that of another
        namespace's link, the node gets one that can't be.
        """
        return "/dev/tap%d" % self.index, "/dev/macvtap%d" % os.minor(self.number)

    def node(self) -> t.Optional[str]:
        """The path of its node, None if it has none."""
        return next((path for path in self.paths if _number(path) == self.number), None)


def _number(path: str) -> t.Optional[int]:
    """The device number of the character device at a path, 0 for anything else there, None for nothing."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_rdev if stat.S_ISCHR(status.st_mode) else 0


def _device(name: str) -> _Device:
    """Raises OSError."""
    with sysfs() as top:
        folder = os.open("class/net/" + name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
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
    return _Device(index, os.makedev(int(major), int(minor)))


def _contents(path: str, folder: int) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), encoding="ascii") as file:
        return file.read()


def _alive(number: int) -> bool:
    with sysfs() as top, contextlib.suppress(FileNotFoundError):
        os.lstat("dev/char/%d:%d" % (os.major(number), os.minor(number)), dir_fd=top)
        return True
    return False


def _make_node(device: _Device) -> str:
    for path in device.paths:
        there = _number(path)
        if there is not None:
            if not there or _alive(there):
                continue
            os.unlink(path)  # left over from a device that has gone
        os.mknod(path, stat.S_IFCHR | _NODE_MODE, device.number)
        return path
    raise FileExistsError(errno.EEXIST, "%s and %s are something else" % device.paths)


def _let_udev_finish() -> None:
    """Wait until udev has done what its rules say of new devices, or it would undo a moment later what is set here."""
    if os.path.exists(_UDEV):
        with contextlib.suppress(OSError):
            words = ["udevadm", "settle", "--timeout=%d" % _UDEV_SECONDS]
            subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _set_device(name: str, values: Values) -> None:
    _let_udev_finish()
    device, wanted = _device(name), values["device"]
    path = device.node() or _make_node(device)
    owner, members = wanted.get("owner"), wanted.get("group")
    if owner or members:
        os.chown(path, uid_of(owner) if owner else -1, gid_of(members) if members else -1)
    if wanted.get("mode"):
        os.chmod(path, int(wanted["mode"], 8))


def _spell_device(netns: str, name: str, values: Values) -> t.List[Argv]:
    wanted = values["device"]
    folder = "/sys/class/net/" + shlex.quote(name)
    script = [
        "number=$(cat %s/macvtap/tap*/dev) node=/dev/tap$(cat %s/ifindex)" % (folder, folder),
        # It may be that of another namespace's link.
        "test ! -e $node || test $(stat -c %t:%T $node) = $(printf %x:%x ${number%:*} ${number#*:}) || "
        "node=/dev/macvtap${number#*:}",
        "test -e $node || mknod -m %o $node c ${number%%:*} ${number#*:}" % _NODE_MODE,
    ]
    for command, option in (("chown", "owner"), ("chgrp", "group"), ("chmod", "mode")):
        if wanted.get(option):
            script.append("%s %s $node" % (command, shlex.quote(wanted[option])))
    return [inside(netns, "sh", "-c", "; ".join(script))]


def _number_behind(fd: str) -> int:
    status = os.stat(fd)
    return status.st_rdev if stat.S_ISCHR(status.st_mode) else 0


@contextlib.contextmanager
def _without_node(device: _Device, path: t.Optional[str]) -> t.Iterator[None]:
    yield
    # A node that the kernel made is gone with it.
    if path and _number(path) == device.number:
        os.unlink(path)


def _parse(device: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    parsers: t.Dict[str, t.Callable[[t.Any], str]] = {"owner": user, "group": group, "mode": _parse_mode}
    # Empty is what a node can't be: it always has an owner. The path and the numbers are the kernel's choice.
    return {option: parsers[option](device[option]) for option in _SETTABLE if device.get(option) not in (None, "")}


def _parse_mode(mode: t.Any) -> str:
    number = -1
    if isinstance(mode, int) and not isinstance(mode, bool):
        number = mode
    elif re.match("(0o?)?[0-7]{3}$", str(mode)):
        number = int(str(mode), 8)
    if not 0 <= number <= 0o777:
        raise ValueError("%s isn't a mode such as '0660'; it is octal, and wants quotes in YAML." % (mode,))
    return "%04o" % number


def _settable(device: t.Optional[Values]) -> t.Dict[str, t.Any]:
    return {option: device[option] for option in _SETTABLE if option in device} if device else {}


_DEVICE = Codec(
    "dict",
    encode=dict,
    decode=dict,
    spell=str,
    parse=_parse,
    merge=lambda old, new, purge: {**_settable(old), **new},
    result=lambda old, new: {**(old or {}), **new},
    absent=lambda device: [*absent(device.get("owner", ""), uid_of), *absent(device.get("group", ""), gid_of)],
    equal=lambda there, asked: all(there.get(k) == v for k, v in _settable(asked).items()),
)

_OPTIONS = {
    "owner": {"type": "str"},
    "group": {"type": "str"},
    "mode": {"type": "raw"},
    "path": {"type": "str"},
    "major": {"type": "int"},
    "minor": {"type": "int"},
}
_ATTRIBUTE = Attribute(
    "device", "", "", _DEVICE, spec={"options": _OPTIONS}, means=Means(_set_device, _spell_device), always={}
)


class _Macvtap(macvlan.Macvlan):
    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        values = super().read_more(name, message)
        device = _device(name)
        path = device.node()
        if path:
            status = os.stat(path)
            values["device"] = {
                "path": path,
                "major": os.major(device.number),
                "minor": os.minor(device.number),
                "owner": user_name(status.st_uid),
                "group": group_name(status.st_gid),
                "mode": "%04o" % stat.S_IMODE(status.st_mode),
            }
        return values

    def users(self, name: str, message: t.Any, thorough: bool) -> t.Tuple[str, ...]:
        if not thorough:
            return ()
        number = _device(name).number
        return processes(lambda fd, _fdinfo: _number_behind(fd) == number)

    @contextlib.contextmanager
    def making(self, name: str) -> t.Iterator[None]:
        before = time.time() - _CLOCK_TOLERANCE
        yield
        # What is left over from a device that had this number belongs to who knows whom.
        number = _device(name).number
        for path in ("/dev/" + node for node in os.listdir("/dev") if re.match("(macv)?tap[0-9]+$", node)):
            if _number(path) == number and os.lstat(path).st_ctime < before:
                os.unlink(path)

    def leaving(self, name: str) -> t.ContextManager[None]:
        device = _device(name)
        return _without_node(device, device.node())


KIND = _Macvtap(
    "macvtap",
    "macvtap",
    **{**macvlan.FEATURES, "attributes": (*macvlan.FEATURES["attributes"], _ATTRIBUTE)},
    stay_behind=("device",),
)
