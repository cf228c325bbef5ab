# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The records of topologies on this host, in files of JSON that are written whole or not at all.

Beside them are the documents of those topologies that come back after a reboot.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import tempfile
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._common.files import make_folder, names_in, read_json
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import octets, printable, quoted
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Record, widest
from ansible_collections.virtnet.linux.plugins.module_utils._topology.record_format import VERSION, from_json, to_json

FOLDER = "/var/lib/virtnet/topologies"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
_SUFFIX = ".json"
_KEPT_SUFFIX = ".document"
_SEAL = 128  # bytes that the seal of a record takes, and more
# The names that module tempfile gives to files.
_PREFIX = "."
_TEMPORARY = re.compile(r"\.[a-z0-9_]{8}")


def boot_id() -> str:
    """What tells the time that the kernel runs from every other one."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


class Records:
    """The records and documents in a folder."""

    def __init__(self, folder: str = FOLDER) -> None:
        self._folder = folder
        self._spares: t.List[_Spare] = []

    def path(self, name: str) -> str:
        """The file of a topology; its name must be one that a file can have."""
        return os.path.join(self._folder, name + _SUFFIX)

    def names(self) -> t.List[str]:
        """The names of all topologies that have a record."""
        return names_in(self._folder, _SUFFIX)

    def read(self, name: str) -> Record:
        """The record of a topology, an empty one where there is none. Raises Unusable for one that can't be used."""
        try:
            return self._read(name)
        except (BadInput, ValueError) as error:
            raise Unusable(
                "The record of topology '%s' (%s) can't be used: %s. It tells what the topology owns; nothing was changed. "
                "Without that file, what earlier runs made stays when it isn't wanted any more."
                % (name, self.path(name), str(error).rstrip("."))
            ) from error

    def others(self, name: str) -> t.Tuple[t.List[Record], t.List[str]]:
        """The records of all topologies but one, and a sentence for each that can't be used."""
        records, trouble = [], []
        for other in self.names():
            if other != name:
                try:
                    records.append(self._read(other))
                except (BadInput, ValueError, Unusable) as error:
                    trouble.append(
                        "The record of topology %s (%s) can't be used: %s. What that topology owns is unknown, and not "
                        "protected from this task."
                        % (quoted(other), printable(self.path(other)), str(error).rstrip("."))
                    )
        return records, trouble

    def _read(self, name: str) -> Record:
        path = self.path(name)
        try:
            return from_json(read_json(path), name)
        except FileNotFoundError:
            return Record(name)
        except OSError as error:
            raise Unusable("Reading %s failed: %s." % (path, error.strerror)) from error

    def write(self, record: Record, spare: bool = True) -> None:
        """Write a record so that at every moment there is the old one or the new one. Raises Unusable.

        Without ``spare``, the space that was reserved is left for later.
        """
        self._write(self.path(record.name), to_json(record), spare)

    def remove(self, name: str) -> None:
        """Remove the record of a topology, if there is one. Raises Unusable."""
        _remove(self.path(name))

    # Writing

    def reserve(self, path: str, size: int) -> None:
        """Set aside space for one write of up to ``size`` bytes to a file, so that a full disk can't prevent it.

        Raises Unusable where there isn't enough space.
        """
        self._spares.append(self._new_file(path, size))

    def reserve_record(self, record: Record) -> None:
        """Set aside space for writing a record, or one of the same things with other identities. Raises Unusable."""
        self.reserve(self.path(record.name), len(_encoded(to_json(widest(record)))) + _SEAL)

    def reserve_document(self, name: str, document: t.Optional[t.Dict[str, t.Any]]) -> None:
        """Set aside space for keeping a document. Raises Unusable."""
        if document is not None:
            self.reserve(self.kept_path(name), len(_encoded(_kept(document))))

    def release(self) -> None:
        """Give back the space that was set aside and not used."""
        while self._spares:
            self._spares.pop().discard()

    def tidy(self) -> None:
        """Remove the temporary files of tasks that were killed. Only for a task that holds the lock."""
        ours = {os.path.basename(spare.path) for spare in self._spares}
        with contextlib.suppress(OSError):
            for name in os.listdir(self._folder):
                if _TEMPORARY.fullmatch(name) and name not in ours:
                    with contextlib.suppress(OSError):
                        os.remove(os.path.join(self._folder, name))

    def _write(self, path: str, data: t.Dict[str, t.Any], spare: bool = True) -> None:
        content = _encoded(data)
        spares = self._spares if spare else ()
        reserved = [one for one in spares if one.target == path and one.size >= len(content)]
        # The smallest one: a bigger one is for something else that comes later.
        file = min(reserved, key=lambda one: one.size) if reserved else self._new_file(path, len(content))
        try:
            file.become_target(content)
        except OSError as error:
            raise _not_written(path, error) from error
        finally:
            if file not in self._spares:
                file.discard()
            elif file.used:
                self._spares.remove(file)

    def _new_file(self, path: str, size: int) -> _Spare:
        try:
            make_folder(self._folder)
            return _Spare(self._folder, path, size)
        except OSError as error:
            raise _not_written(path, error) from error

    # Documents

    def kept_path(self, name: str) -> str:
        """The file of a topology's document."""
        return os.path.join(self._folder, name + _KEPT_SUFFIX)

    def kept_names(self) -> t.List[str]:
        """The names of all topologies whose documents are kept."""
        return names_in(self._folder, _KEPT_SUFFIX)

    def kept(self, name: str) -> t.Optional[t.Dict[str, t.Any]]:
        """The document that is kept of a topology, as it is in its file. Raises Unusable where none can be in that."""
        path = self.kept_path(name)
        try:
            data = read_json(path)
            version = data.get("version") if isinstance(data, dict) else None
            if version != VERSION:
                raise ValueError("it has version %s, and this program knows %d" % (quoted(version), VERSION))
            if not isinstance(data.get("document"), dict):
                raise ValueError("it contains no document")
            return dict(data["document"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unusable("Reading %s failed: %s." % (path, error.strerror)) from error
        except ValueError as error:
            raise self.bad_document(name, error) from error

    def bad_document(self, name: str, error: Exception) -> Unusable:
        """What to tell of a document that is kept and can't be used."""
        return Unusable(
            "What is kept of topology '%s' for the next boot (%s) can't be used: %s. Nothing was changed. Remove that file, "
            "and run the playbook again." % (name, self.kept_path(name), str(error).rstrip("."))
        )

    def keep(self, name: str, document: t.Optional[t.Dict[str, t.Any]]) -> None:
        """Keep the document of a topology, or none any more. Raises Unusable."""
        if document is not None:
            self._write(self.kept_path(name), _kept(document))
            return
        _remove(self.kept_path(name))


def _remove(path: str) -> None:
    if os.path.lexists(octets(path)):  # a file system that can't be written says so even if there is nothing to remove
        try:
            os.remove(octets(path))
        except OSError as error:
            raise Unusable("Removing %s failed: %s." % (path, error.strerror)) from error


class _Spare:
    """A temporary file that has its place on the disk, and that can become another file."""

    def __init__(self, folder: str, target: str, size: int) -> None:
        self.target = target
        self.size = size
        self.used = False
        self._fd, self.path = tempfile.mkstemp(dir=folder, prefix=_PREFIX)
        try:
            _allocate(self._fd, size)
        except BaseException:
            self.discard()
            raise

    def become_target(self, content: bytes) -> None:
        """Replace the target by this file with that content. Raises OSError."""
        _write_all(self._fd, content)
        os.ftruncate(self._fd, len(content))
        os.fsync(self._fd)
        os.replace(self.path, octets(self.target))
        self.used = True
        os.close(self._fd)

    def discard(self) -> None:
        """Remove it, unless it was used."""
        if not self.used:
            self.used = True
            os.close(self._fd)
            with contextlib.suppress(OSError):
                os.remove(self.path)


def _not_written(path: str, error: OSError) -> Unusable:
    return Unusable("Writing %s failed: %s." % (path, error.strerror))


def _allocate(fd: int, size: int) -> None:
    try:
        os.posix_fallocate(fd, 0, max(size, 1))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        _write_all(fd, bytes(size))  # a file system, or a C library, that can't do it


def _write_all(fd: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(fd, content[written:], written)


def _kept(document: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    return {"version": VERSION, "document": document}


def _encoded(data: t.Dict[str, t.Any]) -> bytes:
    return json.dumps(data, indent=1).encode("ascii")
