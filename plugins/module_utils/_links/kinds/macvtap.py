# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""macvtap: macvlans that pass their packets to a character device (drivers/net/macvtap.c)."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
import subprocess
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, inside
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import unquoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.users import (
    absent,
    gid_of,
    group,
    group_name,
    processes,
    uid_of,
    user,
    user_name,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import macvlan
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Attribute, Codec, Procedure, Values
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import nodes

_SETTABLE = ("owner", "group", "mode")
_UDEV, _UDEV_SECONDS = "/run/udev/control", 5


def _let_udev_finish() -> None:
    """Wait until udev has handled the new device; otherwise its rules could overwrite what is set here."""
    if os.path.exists(_UDEV):
        with contextlib.suppress(OSError):
            words = ["udevadm", "settle", "--timeout=%d" % _UDEV_SECONDS]
            subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def _set_device(name: str, values: Values) -> None:
    _let_udev_finish()
    device, wanted = nodes.device_of(name), values["device"]
    path = device.node() or nodes.make(device)
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
        # The node may belong to a link in another namespace.
        "test ! -e $node || test $(stat -c %t:%T $node) = $(printf %x:%x ${number%:*} ${number#*:}) || "
        "node=/dev/macvtap${number#*:}",
        "test -e $node || mknod -m %o $node c ${number%%:*} ${number#*:}" % nodes.MODE,
    ]
    for command, option in (("chown", "owner"), ("chgrp", "group"), ("chmod", "mode")):
        if wanted.get(option):
            script.append("%s %s $node" % (command, shlex.quote(wanted[option])))
    return [inside(netns, "sh", "-c", "; ".join(script))]


def _number_behind(fd: str) -> int:
    status = os.stat(fd)
    return status.st_rdev if stat.S_ISCHR(status.st_mode) else 0


@contextlib.contextmanager
def _without_node(device: nodes.Device, path: t.Optional[str]) -> t.Iterator[None]:
    yield
    # The kernel deletes the nodes that it created.
    if path and device.has(path):
        nodes.remove(path)


def _parse(device: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    parsers: t.Dict[str, t.Callable[[t.Any], str]] = {"owner": user, "group": group, "mode": _parse_mode}
    # A node always has an owner, so empty values are refused. The kernel chooses path and numbers.
    return {option: parsers[option](device[option]) for option in _SETTABLE if device.get(option) not in (None, "")}


def _parse_mode(mode: t.Any) -> str:
    number = -1
    if isinstance(mode, int) and not isinstance(mode, bool):
        number = mode
    elif re.match("(0o?)?[0-7]{3}$", str(mode)):
        number = int(str(mode), 8)
    if not 0 <= number <= 0o777:
        raise ValueError("%s isn't a mode such as '0660'; it is octal, and wants quotes in YAML." % unquoted(mode))
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
    "device", "", "", _DEVICE, spec={"options": _OPTIONS}, means=Procedure(_set_device, _spell_device), implied={}
)


class _Macvtap(macvlan.Macvlan):
    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        values = super().read_more(name, message)
        device = nodes.device_of(name)
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

    def open_by(self, name: str, message: t.Any, thorough: bool) -> t.Tuple[str, ...]:
        if not thorough:
            return ()
        number = nodes.device_of(name).number
        return processes(lambda fd, _fdinfo: _number_behind(fd) == number)

    def making(self, name: str) -> t.ContextManager[None]:
        return nodes.fresh(name)

    def leaving(self, name: str) -> t.ContextManager[None]:
        device = nodes.device_of(name)
        return _without_node(device, device.node())


KIND = _Macvtap(
    "macvtap",
    "macvtap",
    **{**macvlan.FEATURES, "attributes": (*macvlan.FEATURES["attributes"], _ATTRIBUTE)},
    lost_on_move=("device",),
)
