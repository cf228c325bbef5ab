# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Read JSON files that say what to do to a host. Only files that only root can write are trusted."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import from_octets, octets

SIZE_MAX = 64 * 2**20  # bytes; the record of 10,000 links has 2
DIGITS_MAX = 20
DEPTH_MAX = 32  # brackets within brackets
_TOO_DEEP = "its brackets are nested more than %d deep" % DEPTH_MAX


def names_in(folder: str, suffix: str) -> t.List[str]:
    """The names of the files with a suffix in a folder, without the suffix; none if the folder does not exist.

    Raises Unusable if other users than root can write to the folder.
    """
    try:
        _check_folder(folder)
        found = [from_octets(name) for name in os.listdir(octets(folder))]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unusable("Reading %s failed: %s." % (folder, error.strerror)) from error
    return sorted(name[: -len(suffix)] for name in found if name.endswith(suffix))


def make_folder(folder: str) -> None:
    """Create a folder and its parent, writable only by root, with any umask. Raises OSError."""
    for path in (os.path.dirname(folder), folder):
        with contextlib.suppress(FileExistsError):
            os.mkdir(octets(path), 0o755)


def read_json(path: str) -> t.Any:
    """The content of a JSON file.

    Raises FileNotFoundError, OSError, ValueError with a sentence without full stop, and Unusable if other users than root can
    write to the folder.
    """
    _check_folder(os.path.dirname(path))
    fd = _open(path)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        writer = _other_writer(status)
        if writer:
            raise ValueError("%s may write it" % writer)
        if status.st_size > SIZE_MAX:
            raise ValueError("it has more than %d bytes" % SIZE_MAX)
        with open(fd, "rb", closefd=False) as file:
            content = file.read(status.st_size)
    finally:
        os.close(fd)
    try:
        data = json.loads(content.decode("utf-8"), parse_int=_integer, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check_depth(data)
    return data


def _open(path: str) -> int:
    """Open a file for reading, without waiting for the writer of a FIFO and without following a symbolic link."""
    try:
        return os.open(octets(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a symbolic link, a socket
            raise ValueError("it is not a regular file") from error
        raise


def _check_depth(data: t.Any) -> None:
    """Raise ValueError if a value is nested too deeply for recursive functions."""
    level = [data]
    for _depth in range(DEPTH_MAX):
        level = [item for value in level for item in _items(value)]
    if level:
        raise ValueError(_TOO_DEEP)


def _items(value: t.Any) -> t.Iterable[t.Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _integer(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ValueError("it contains a number of %d digits" % len(digits))
    return int(digits)


def _constant(name: str) -> t.NoReturn:
    raise ValueError("it contains %s, which is not JSON" % name)


def _check_folder(folder: str) -> None:
    """Raise Unusable if other users than root can create files in a folder, or replace the folder."""
    for path, shared in ((folder, 0), (os.path.dirname(folder), stat.S_ISVTX)):
        status = os.stat(octets(path))
        writer = _other_writer(status)
        # In a folder with the sticky bit, such as /tmp, users can't replace files of others.
        if writer and not status.st_mode & shared:
            raise Unusable(
                "The folder %s can't be trusted: %s may write it, and so decide what topologies own and restore. Check its "
                "content, then run 'chown root %s' and 'chmod go-w %s'. No changes were made."
                % (path, writer, path, path)
            )


def _other_writer(status: os.stat_result) -> str:
    """Who can write to a file or a folder, apart from root and this process; empty if no one can."""
    if status.st_uid not in (0, os.geteuid()):
        return "user %d" % status.st_uid
    if status.st_mode & stat.S_IWOTH:
        return "every user"
    return "group %d" % status.st_gid if status.st_mode & stat.S_IWGRP else ""
