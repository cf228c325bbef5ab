# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Sysctls by their paths below /proc/sys: their effects on each other, and those that differ from a new namespace."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

PROC_SYS = "/proc/sys/"

_V4, _V6 = "net/ipv4/conf/", "net/ipv6/conf/"
# Folders that are read completely, without their subfolders.
_CONF = (_V4 + "all", _V4 + "default", _V6 + "all", _V6 + "default")
_FOLDERS = (*_CONF, _V4 + "lo", _V6 + "lo", "net/ipv4", "net/ipv6", "net/ipv6/icmp", "net/bridge", "net/mpls")
# They concern sockets, caches and buffers and not the network. Reading them would double the time.
_LEFT_OUT = "net/ipv4/(cipso|inet_peer|ipfrag|tcp|udp|xfrm4)_|net/ipv6/(calipso|ip6frag|xfrm6)_"
_USUAL, _LARGEST = 256, 1 << 20  # bytes of one value
_WRITABLE = 0o200


_FORWARD = "net/ipv4/ip_forward"  # another name of net/ipv4/conf/all/forwarding
# The kernel sets these for all links and for new ones when they are set in the folder "all".
_FOLLOWED = {
    _V4: ("forwarding",),
    _V6: ("addr_gen_mode", "disable_ipv6", "force_forwarding", "forwarding", "ignore_routes_with_linkdown"),
}


def _followed(key: str) -> t.Tuple[str, str]:
    """The folder and the name of a sysctl that other ones follow; both empty if none do."""
    folder, _all, name = (_V4 + "all/forwarding" if key == _FORWARD else key).partition("all/")
    return (folder, name) if name in _FOLLOWED.get(folder, ()) else ("", "")


def effects(key: str, value: str, known: t.Iterable[str]) -> t.Dict[str, str]:
    """The values that change when a sysctl is set, among those that are ``known``, with that of the sysctl itself."""
    folder, name = _followed(key)
    if not name:
        return {key: value}
    found = {other: value for other in known if other.startswith(folder) and other.endswith("/" + name)}
    if folder == _V4:  # inet_forward_change() of the kernel
        found.update({_FORWARD: value, _V4 + "all/accept_redirects": str(int(value == "0"))})
    return {**found, key: value}


def touched(keys: t.Iterable[str]) -> t.List[str]:
    """Read some sysctls, and those that change with them, in the namespace of this process."""
    found = dict.fromkeys(keys)
    for folder, name in {_followed(key) for key in found} - {("", "")}:
        with contextlib.suppress(OSError):
            found.update(dict.fromkeys("%s%s/%s" % (folder, link, name) for link in os.listdir(PROC_SYS + folder)))
        if folder == _V4:
            found.update(dict.fromkeys((_FORWARD, _V4 + "all/accept_redirects")))
    return list(found)


def order(key: str) -> t.Tuple[bool, bool]:
    """A key for sorting: sysctls that other ones follow come first, and the usual name of forwarding before the other name."""
    return (not _followed(key)[1], key != _FORWARD)


def read(keys: t.Iterable[str]) -> t.Dict[str, str]:
    """The values in the namespace of this process, as far as they can be read."""
    return {key: _text(value) for key, value in read_raw(keys).items()}


def _text(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").split())


def read_raw(keys: t.Iterable[str]) -> t.Dict[str, bytes]:
    """The same as bytes, which takes less time."""
    found: t.Dict[str, bytes] = {}
    for folder, names in _by_folder(keys).items():
        with contextlib.suppress(OSError):
            descriptor = os.open(PROC_SYS + folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                found.update(("%s/%s" % (folder, name), value) for name, value in _values(descriptor, names))
            finally:
                os.close(descriptor)
    return found


def _values(folder: int, names: t.Iterable[str]) -> t.Iterator[t.Tuple[str, bytes]]:
    for name in names:
        try:
            file = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            continue
        with contextlib.suppress(OSError):
            data = os.read(file, _USUAL)
            yield name, data if len(data) < _USUAL else os.pread(file, _LARGEST, 0)
        os.close(file)


def _by_folder(keys: t.Iterable[str]) -> t.Dict[str, t.List[str]]:
    folders: t.Dict[str, t.List[str]] = {}
    for folder, _slash, name in (key.rpartition("/") for key in keys):
        folders.setdefault(folder, []).append(name)
    return folders


def settable() -> t.List[str]:
    """The sysctls of the namespace of this process that can be set and matter to its network; of links, only those of lo."""
    found = []
    for folder in _FOLDERS:
        with contextlib.suppress(OSError):
            with os.scandir(PROC_SYS + folder) as entries:
                files = [entry for entry in entries if entry.is_file() and entry.stat().st_mode & _WRITABLE]
            found += ["%s/%s" % (folder, entry.name) for entry in files]
    return sorted(key for key in found if not re.match(_LEFT_OUT, key))


def different(values: t.Mapping[str, bytes], new: t.Mapping[str, bytes]) -> t.Dict[str, str]:
    """The sysctls to set in a new namespace to make it equal to a given one, in this order."""
    if values == new:
        return {}
    expected, found = {key: _text(value) for key, value in new.items()}, {}
    there = {key: _text(value) for key, value in values.items() if key in new and not _is_of_lo(key)}
    for key in sorted(there, key=lambda key: (order(key), key)):
        if there[key] != expected[key]:
            found[key] = there[key]
            expected.update(effects(key, there[key], expected))
    return found


def of_links(
    names: t.Iterable[str], different_too: t.Mapping[str, str], new: t.Mapping[str, bytes]
) -> t.Dict[str, str]:
    """The sysctls of links in the namespace of this process that differ from a new namespace with the same links.

    New links get the values of the folder "default"; lo has its own values. ``different_too`` are the sysctls of the namespace
    that will be set, ``new`` those of a new namespace.
    """
    found: t.Dict[str, str] = {}
    lo = _of_lo(different_too, new)
    for conf in (_V4, _V6):
        options = [key.rpartition("/")[2] for key in new if key.startswith(conf + "default/")]
        default = read("%sdefault/%s" % (conf, option) for option in options)
        for link in names:
            expected = {"%s%s/%s" % (conf, link, key.rpartition("/")[2]): value for key, value in default.items()}
            expected.update((key, lo[key]) for key in expected if key in lo)
            there = read(key for key in expected if not key.endswith("/mtu"))  # which is the link's own one
            found.update((key, value) for key, value in there.items() if value != expected[key])
    return found


def _of_lo(different_too: t.Mapping[str, str], new: t.Mapping[str, bytes]) -> t.Dict[str, str]:
    """The sysctls of lo after those of its new namespace were set."""
    lo = {key: _text(value) for key, value in new.items() if _is_of_lo(key)}
    for key, value in different_too.items():
        # devinet_copy_dflt_conf() of the kernel gives the default of IPv4 to links that have no value of their own.
        follower = key.replace(_V4 + "default/", _V4 + "lo/")
        if follower != key and not _followed(_V4 + "all/" + key.rpartition("/")[2])[1]:
            lo[follower] = value
        lo.update((other, its) for other, its in effects(key, value, lo).items() if other in lo)
    return lo


def _is_of_lo(key: str) -> bool:
    return key.startswith((_V4 + "lo/", _V6 + "lo/"))
