# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Records of topologies on this host, in JSON files that are replaced atomically.

Beside them are the documents of topologies that are restored after a reboot.
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
_SEAL = 128  # bytes for the seal of a record, and a reserve
# Names that the module tempfile gives to files.
_PREFIX = "."
_TEMPORARY = re.compile(r"\.[a-z0-9_]{8}")


def boot_id() -> str:
    """An identifier of the time since the kernel booted."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


class Records:
    """The records and documents in a folder."""

    def __init__(self, folder: str = FOLDER) -> None:
        self._folder = folder
        self._spares: t.List[_Spare] = []

    def path(self, name: str) -> str:
        """The file of a topology; its name must be a valid file name."""
        return os.path.join(self._folder, name + _SUFFIX)

    def names(self) -> t.List[str]:
        """Names of all topologies with a record."""
        return names_in(self._folder, _SUFFIX)

    def read(self, name: str) -> Record:
        """The record of a topology, empty if there is none. Raises Unusable for an invalid one."""
        try:
            return self._read(name)
        except (BadInput, ValueError) as error:
            raise Unusable(
                "The record of topology '%s' (%s) can't be used: %s. It tells what the topology owns. No changes were made. "
                "Without that file, what earlier runs made stays when it isn't wanted any more."
                % (name, self.path(name), str(error).rstrip("."))
            ) from error

    def others(self, name: str) -> t.Tuple[t.List[Record], t.List[str]]:
        """The records of all topologies but one, and a sentence for each invalid one."""
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
        """Replace a record atomically. Raises Unusable.

        Without ``spare``, the reserved space is kept for later.
        """
        self._write(self.path(record.name), to_json(record), spare)

    def remove(self, name: str) -> None:
        """Remove the record of a topology, if there is one. Raises Unusable."""
        _remove(self.path(name))

    # Write

    def reserve(self, path: str, size: int) -> None:
        """Reserve space for one write of up to ``size`` bytes to a file, so that a full disk can't prevent it.

        Raises Unusable if there is not enough space.
        """
        self._spares.append(self._new_file(path, size))

    def reserve_record(self, record: Record) -> None:
        """Reserve space for a record, or one of the same things with other identities. Raises Unusable."""
        self.reserve(self.path(record.name), len(_encoded(to_json(widest(record)))) + _SEAL)

    def reserve_document(self, name: str, document: t.Optional[t.Dict[str, t.Any]]) -> None:
        """Reserve space for a document. Raises Unusable."""
        if document is not None:
            self.reserve(self.kept_path(name), len(_encoded(_kept(document))))

    def release(self) -> None:
        """Release reserved space that was not used."""
        while self._spares:
            self._spares.pop().discard()

    def tidy(self) -> None:
        """Remove temporary files of killed tasks. The caller must hold the lock."""
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
        # The smallest one: larger ones are reserved for later writes.
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
        """The file of the document of a topology."""
        return os.path.join(self._folder, name + _KEPT_SUFFIX)

    def kept_names(self) -> t.List[str]:
        """Names of all topologies with a kept document."""
        return names_in(self._folder, _KEPT_SUFFIX)

    def kept(self, name: str) -> t.Optional[t.Dict[str, t.Any]]:
        """The kept document of a topology, as in its file. Raises Unusable if the file has none."""
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
        """The error for a kept document that can't be used."""
        return Unusable(
            "What is kept of topology '%s' for the next boot (%s) can't be used: %s. No changes were made. Remove that file, "
            "and run the playbook again." % (name, self.kept_path(name), str(error).rstrip("."))
        )

    def keep(self, name: str, document: t.Optional[t.Dict[str, t.Any]]) -> None:
        """Keep the document of a topology; None removes it. Raises Unusable."""
        if document is not None:
            self._write(self.kept_path(name), _kept(document))
            return
        _remove(self.kept_path(name))


def _remove(path: str) -> None:
    if os.path.lexists(octets(path)):  # a read-only file system is reported even if there is nothing to remove
        try:
            os.remove(octets(path))
        except OSError as error:
            raise Unusable("Removing %s failed: %s." % (path, error.strerror)) from error


class _Spare:
    """A temporary file with allocated disk space that can become another file."""

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
        """Replace the target by this file with some content. Raises OSError."""
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
        _write_all(fd, bytes(size))  # not supported by the file system or the C library


def _write_all(fd: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(fd, content[written:], written)


def _kept(document: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    return {"version": VERSION, "document": document}


def _encoded(data: t.Dict[str, t.Any]) -> bytes:
    return json.dumps(data, indent=1).encode("ascii")
