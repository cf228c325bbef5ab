# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Command lines as argument lists, to run in a namespace."""

from __future__ import annotations

import typing as t

Argv = t.List[str]


def ip(netns: str, *words: str) -> Argv:
    """``ip`` with arguments, in a namespace that is given by name or path, or in the own one."""
    return _tool("ip", netns, words)


def bridge(netns: str, *words: str) -> Argv:
    """``bridge`` with arguments, in a namespace."""
    return _tool("bridge", netns, words)


def _tool(tool: str, netns: str, words: t.Sequence[str]) -> Argv:
    if netns.startswith("/"):
        return ["nsenter", "--net=" + netns, tool, *words]
    return [tool, *(["-n", netns] if netns else []), *words]


def inside(netns: str, *argv: str) -> Argv:
    """A command line that runs another one in a namespace, with the /sys of that namespace."""
    if netns.startswith("/"):
        with_sys = 'mount -t sysfs sysfs /sys && exec "$@"'
        return ["nsenter", "--net=" + netns, "unshare", "--mount", "sh", "-c", with_sys, "sh", *argv]
    return ["ip", "netns", "exec", netns, *argv] if netns else [*argv]
