# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Requests to the kernel as values, which need neither pyroute2 nor a socket. ``_netlink/socket.py`` encodes and sends them."""

from __future__ import annotations

import os
import typing as t

Attributes = t.List[t.Tuple[str, t.Any]]

# The kinds of messages (struct ifinfomsg, ifaddrmsg, rtmsg, ndmsg, rtgenmsg for ids of namespaces, br_vlan_msg).
LINK, ADDRESS, ROUTE, NEIGHBOR, NSID, VLAN = "link", "address", "route", "neighbor", "nsid", "vlan"

# linux/rtnetlink.h
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTM_NEWNSID, RTM_GETNSID, RTM_GETVLAN = 88, 90, 114
# linux/netlink.h
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x2, 0x4, 0x10, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400


class NetlinkError(Exception):
    """The kernel refused a request: its errno, and its message or that of strerror."""

    def __init__(self, code: int, text: str = "") -> None:
        self.code = code
        super().__init__(code, text or os.strerror(code))


class Request(t.NamedTuple):
    """A request: the kind of message, its attributes and its fields, by their names in pyroute2."""

    message: str
    type: int
    flags: int
    attributes: Attributes
    header: t.Mapping[str, int]


def acknowledged(request: Request) -> Request:
    """The same request with NLM_F_ACK, so that the kernel always answers."""
    return request._replace(flags=request.flags | NLM_F_ACK)
