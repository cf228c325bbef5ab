# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Recognize links that Open vSwitch uses, without asking its database.

With the datapath "system", the master of a port is the link ovs-system, and links that OVS creates are of the kind openvswitch.
With the datapath "netdev", ovs-vswitchd has a packet socket for each port, and an open tap for each link that it creates.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import typing as t

DAEMON = "ovs-vswitchd"
MASTER = "ovs-system"
FOLDERS = tuple(filter(None, (os.environ.get("OVS_RUNDIR"), "/run/openvswitch", "/var/run/openvswitch")))
_TUN_NUMBER = os.makedev(10, 200)  # linux/miscdevice.h
# linux/sockios.h and linux/ethtool.h
_SIOCETHTOOL, _ETHTOOL_GDRVINFO, _DRVINFO_SIZE = 0x8946, 3, 196


def daemons(here: bool = False) -> t.Iterator[int]:
    """The process ids of the daemons of Open vSwitch; with ``here`` only those in the namespace of this thread."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        folder = "/proc/%s/" % pid
        with contextlib.suppress(OSError), open(folder + "comm", encoding="utf-8", errors="replace") as comm:
            if comm.read().strip() != DAEMON:
                continue
            if not here or os.path.samefile(folder + "ns/net", "/proc/thread-self/ns/net"):
                yield int(pid)


def serves_here(database: str) -> bool:
    """Whether the daemon that uses a database, given as a path or as unix:PATH, runs in the namespace of this thread."""
    path = database[5:] if database.startswith("unix:") else database
    # Without an argument, a daemon uses the database in the default folder.
    folders = {_folder_of(pid) or FOLDERS[0] for pid in daemons(here=True)}
    return os.path.realpath(os.path.dirname(path)) in map(os.path.realpath, folders)


def taps(here: bool = False) -> t.Optional[t.List[str]]:
    """The names of the taps that the daemons hold open, empty for a tap whose link is gone; None if there is no daemon."""
    found: t.Optional[t.List[str]] = None
    for pid in daemons(here):
        found = found or []
        for fd in _descriptors(pid):
            with contextlib.suppress(OSError):
                if os.stat("/proc/%d/fd/%s" % (pid, fd)).st_rdev == _TUN_NUMBER:
                    found.append(_tap_of("/proc/%d/fdinfo/%s" % (pid, fd)))
    return found


def maker_of(name: str, kind: str) -> str:
    """The role of a link that Open vSwitch created in the namespace of this thread: "bridge", "port", or empty.

    Open vSwitch does not change its links in other namespaces.
    """
    pids = list(daemons(here=True))
    if not pids or (kind != "openvswitch" and name not in (taps(here=True) or ())):
        return ""
    folders = [*FOLDERS, *map(_folder_of, pids)]
    return "bridge" if any(os.path.exists(os.path.join(folder, name + ".mgmt")) for folder in folders) else "port"


def why_absent(name: str) -> str:
    """A sentence on why the link of an internal interface does not exist; empty if Open vSwitch has no such interface.

    This runs a process that asks the database in the default place.
    """
    if name.startswith("-") or not any(os.path.exists(os.path.join(folder, "db.sock")) for folder in FOLDERS):
        return ""
    argv = ["ovs-vsctl", "--timeout=3", "--if-exists", "get", "Interface", name, "type"]
    try:
        told = subprocess.run(argv, capture_output=True, check=False, stdin=subprocess.DEVNULL).stdout
    except (OSError, ValueError):
        return ""
    if told.strip() != b"internal":
        return ""
    if name in (taps() or ()):
        return "It is an internal port or a bridge of Open vSwitch, and its link is in another network namespace (options netns, move_from)."
    return (
        "It is an internal port or a bridge of Open vSwitch, and its link seems to have gone with a network namespace; "
        "virtnet.linux.ovs_port or virtnet.linux.ovs_bridge makes it again."
    )


def _folder_of(pid: int) -> str:
    """The folder with the sockets of a daemon's bridges. It is that of the database on its command line."""
    with contextlib.suppress(OSError), open(
        "/proc/%d/cmdline" % pid, encoding="utf-8", errors="surrogateescape"
    ) as line:
        return next((os.path.dirname(word[5:]) for word in line.read().split("\0") if word.startswith("unix:")), "")
    return ""


def _tap_of(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as description:
        lines = [line.split("\t", 1)[-1].rstrip("\n") for line in description if line.startswith("iff:")]
    return lines[0] if lines else ""


def _descriptors(pid: int) -> t.List[str]:
    with contextlib.suppress(OSError):
        return os.listdir("/proc/%d/fd" % pid)
    return []


def packet_sockets() -> t.Set[int]:
    """The indexes of the links in the namespace of this thread for which a daemon has a packet socket."""
    rows: t.List[t.List[str]] = []
    with contextlib.suppress(FileNotFoundError), open("/proc/thread-self/net/packet", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    links = {"socket:[%s]" % row[8]: int(row[4]) for row in rows if row[4] != "0"}  # inode and index
    if not links:
        return set()
    found: t.Set[int] = set()
    for pid in daemons(here=True):
        for fd in _descriptors(pid):
            with contextlib.suppress(OSError):
                index = links.get(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
                if index:
                    found.add(index)
    return found


def driver_of(name: str) -> t.Optional[str]:
    """The driver of a link in the namespace of this thread; empty if it is unknown, None if the link does not exist."""
    try:
        socket.if_nametoindex(name)
    except OSError:
        return None
    answer = ctypes.create_string_buffer(struct.pack("=I", _ETHTOOL_GDRVINFO), _DRVINFO_SIZE)
    request = struct.pack("16sP16x", name.encode("utf-8", "surrogateescape"), ctypes.addressof(answer))
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, _SIOCETHTOOL, request)
    return answer.raw[4:36].split(b"\0")[0].decode("utf-8", "replace")
