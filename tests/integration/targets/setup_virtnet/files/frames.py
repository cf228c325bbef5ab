# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ethernet frames, sent and received through links and character devices.

    frames.py tap NAME FLAGS [ACTION...]     a queue of a TAP; FLAGS are those of linux/if_tun.h besides IFF_TAP, and
                                             TUN in the environment is where /dev/net/tun is
    frames.py macvtap PATH [ACTION...]       the character device of a macvtap
    frames.py link NAME [ACTION...]          a network device

The actions come one after the other: "send DESTINATION SOURCE TEXT"; "receive SECONDS TEXT", which fails if no frame with
that text comes in time; "hold SECONDS". "ready" is printed as soon as the device is open.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence

TUNSETIFF = 0x400454CA
IFF_TAP = 2
ETH_P_ALL = 3
EXPERIMENTAL = b"\x88\xb5"  # the ethertype for local experiments
VNET_HDR = bytes(10)  # goes before each frame of a macvtap


def main(words: Sequence[str]) -> int:
    what, name, *rest = words
    header = b""
    if what == "tap":
        fd = os.open(os.environ["TUN"], os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | int(rest.pop(0), 16)))
    elif what == "macvtap":
        fd = os.open(name, os.O_RDWR)
        header = VNET_HDR
    else:
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        link.bind((name, 0))
        fd = link.detach()
    print("ready", flush=True)
    while rest:
        action = rest.pop(0)
        if action == "send":
            destination, source = (bytes.fromhex(rest.pop(0).replace(":", "")) for _end in "ds")
            os.write(fd, header + (destination + source + EXPERIMENTAL + rest.pop(0).encode()).ljust(60, b"\0"))
        elif action == "hold":
            time.sleep(float(rest.pop(0)))
        elif not receive(fd, float(rest.pop(0)), rest.pop(0).encode()):
            print("nothing came")
            return 1
    return 0


def receive(fd: int, seconds: float, text: bytes) -> bool:
    deadline = time.monotonic() + seconds
    while select.select([fd], [], [], max(deadline - time.monotonic(), 0))[0]:
        if text in os.read(fd, 65536):
            return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
