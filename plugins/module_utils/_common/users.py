# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Users, groups and processes of this host, as character devices need them."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted, unquoted

ID_MAX = 2**32 - 2  # the highest number is no id, see uid_valid() in linux/uidgid.h


def _id_of(what: str, by_name: t.Callable[[str], int]) -> t.Callable[[str], int]:
    def find(value: str) -> int:
        if value.isascii() and value.isdigit():
            if int(value) > ID_MAX:
                raise ValueError("%s isn't the id of a %s; the highest is %d." % (unquoted(value), what, ID_MAX))
            return int(value)
        try:
            return by_name(value)
        except (KeyError, ValueError) as error:
            raise LookupError(
                "there is no %s %s on this host; make it first, for instance with ansible.builtin.%s."
                % (what, quoted(value), what)
            ) from error

    return find


uid_of = _id_of("user", lambda name: pwd.getpwnam(name).pw_uid)
gid_of = _id_of("group", lambda name: grp.getgrnam(name).gr_gid)


def _name_of(by_id: t.Callable[[int], str], id_of: t.Callable[[str], int]) -> t.Callable[[int], str]:
    def find(number: int) -> str:
        with contextlib.suppress(LookupError):
            name = by_id(number)
            if id_of(name) == number:
                return name
        return str(number)

    return find


user_name = _name_of(lambda uid: pwd.getpwuid(uid).pw_name, uid_of)
group_name = _name_of(lambda gid: grp.getgrgid(gid).gr_name, gid_of)


def user(value: str) -> str:
    """A user, given by name or id, in canonical spelling: the name, or the id if the user has no name; empty for no user.

    Unknown names are returned unchanged. Raises ValueError with a sentence for a number that can't be an id.
    """
    with contextlib.suppress(LookupError):
        return user_name(uid_of(value)) if value else ""
    return value


def group(value: str) -> str:
    """A group, in the same way."""
    with contextlib.suppress(LookupError):
        return group_name(gid_of(value)) if value else ""
    return value


def absent(value: str, id_of: t.Callable[[str], int]) -> t.List[str]:
    """A sentence if a user or group does not exist; otherwise empty."""
    try:
        if value:
            id_of(value)
    except LookupError as error:
        return [str(error)]
    return []


def processes(holding: t.Callable[[str, str], bool], here: bool = False) -> t.Tuple[str, ...]:
    """Descriptions of the processes that hold a file open; with ``here`` only those in this namespace, if there are any.

    ``holding`` decides that, given the path of a link in /proc/PID/fd and the path of its description in /proc/PID/fdinfo. If
    it raises OSError, the process doesn't count.
    """
    found, near = [], []
    for pid in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        folder = "/proc/%s/" % pid
        with contextlib.suppress(OSError):
            if any(_holds(holding, folder, fd) for fd in os.listdir(folder + "fd")):
                with open(folder + "comm", encoding="utf-8", errors="replace") as comm:
                    found.append("process %s (%s)" % (pid, comm.read().strip()))
                if os.path.samefile(folder + "ns/net", "/proc/thread-self/ns/net"):
                    near.append(found[-1])
    return tuple(near if here and near else found)


def _holds(holding: t.Callable[[str, str], bool], folder: str, fd: str) -> bool:
    with contextlib.suppress(OSError):
        return holding(folder + "fd/" + fd, folder + "fdinfo/" + fd)
    return False
