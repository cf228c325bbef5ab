# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts beside each other, in namespaces of their own, and what iproute2 tells of them."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import subprocess
import time
import traceback
import typing as t

import pytest

CLONE_NEWNS, CLONE_NEWNET, MS_REC, MS_PRIVATE = 0x20000, 0x40000000, 0x4000, 0x40000
# How the MAC addresses begin that tests give, rather than the kernel.
GIVEN = ("02:00:00:00:00:", "52:22:33:44:55:")

# What a snapshot has of a namespace.
SHOWN = (
    "link show",
    "address show",
    "route show table all",
    "netconf show",
    "neighbor show nud permanent",
    "neighbor show proxy",
)


class World:
    """A host of its own; ``enter`` is the command line that runs a command in it."""

    def __init__(self, *enter: str) -> None:
        self.enter = enter

    def run(self, *words: str, stdin: str = "") -> str:
        argv = [*self.enter, *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
        assert not done.returncode, "%s: %s" % (argv, done.stderr)
        return done.stdout

    def build(self, batch: str, *namespaces: str) -> None:
        """Make namespaces and what a batch file of ip has."""
        for netns in namespaces:
            self.run("ip", "netns", "add", netns)
            self.run("ip", "-n", netns, "link", "set", "lo", "up")
        # With a name for the own namespace as well, whatever has no name has gone.
        self.run("sh", "-c", "ip netns attach home $$")
        self.run("ip", "-batch", "-", stdin=batch)

    def settle(self) -> None:
        """Wait for the links that go with a deleted namespace, which the kernel cleans up after a while."""
        deadline = time.monotonic() + 60
        while "link-netnsid" in self.run("ip", "-all", "netns", "exec", "ip", "link", "show"):
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def snapshot(self) -> t.Dict[str, t.Any]:
        """All that iproute2 tells of this host's networks."""
        self.settle()
        seen: t.Dict[str, t.Any] = {}
        for netns in sorted(line.split()[0] for line in self.run("ip", "netns", "list").splitlines()):
            ip = ["ip", "-n", netns, "-j", "-d"]
            told = self.run(*ip, "-batch", "-", stdin="\n".join(SHOWN))
            told += self.run(*ip, "-6", "-batch", "-", stdin="route show table all\n")
            told += self.run("bridge", "-n", netns, "-j", "-d", "link", "show")
            seen[netns] = [_steady(json.loads(line)) for line in told.splitlines() if line.strip()]
        return seen


def _steady(told: t.Any) -> t.Any:
    """Without what changes by itself: carrier and its consequences, timers, and what the kernel makes by itself."""
    moving = {
        "operstate", "linkmode", "flags", "stats64", "link_netnsid", "valid_life_time", "preferred_life_time",
        "gc_timer", "hello_timer", "tcn_timer", "topology_change_timer", "topology_change", "tentative", "state",
        "message_age_timer", "forward_delay_timer", "hold_timer", "topology_change_detected", "qdisc", "dadfailed",
        "mcast_querier_state", "protocol",
        # Nothing as long as a bridge has neither been up nor been given a MAC address, and then that.
        "bridge_id", "root_id",
        # Limits of drivers; those of a bridge follow its ports, and aren't those of a new one when it has lost them.
        "tso_max_size", "tso_max_segs",
    }  # fmt: skip
    if isinstance(told, dict):
        up = {"up": "UP" in told["flags"], "promisc": "PROMISC" in told["flags"]} if "ifname" in told else {}
        # A veth with a macvlan gets one more while it is up and keeps it when it goes down (__dev_set_rx_mode()).
        moving |= {"promiscuity"} if up.get("up") is False else set()
        return {**{k: _steady(v) for k, v in told.items() if k not in moving}, **up}
    if isinstance(told, list):
        kept = [_steady(element) for element in told if not _kernels_own(element)]
        return sorted(kept, key=lambda element: json.dumps(element, sort_keys=True))
    return told


def _kernels_own(element: t.Any) -> bool:
    return isinstance(element, dict) and (
        element.get("protocol") in ("kernel", "kernel_ll", "kernel_lo")
        or str(element.get("local", "")).startswith("fe80:")
        or (element.get("local"), element.get("label"))
        == ("127.0.0.1", "lo")  # there since lo was up for the first time
        or element == {}
    )


def alone(test: t.Callable[[], t.Any]) -> t.Any:
    """Run a test in namespaces and a process of its own; returns what it returns, which has to fit JSON."""

    def inside() -> t.Any:
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNS | CLONE_NEWNET) == 0
        assert libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0
        assert libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None) == 0
        return test()

    return apart(inside)


def apart(test: t.Callable[[], t.Any]) -> t.Any:
    """The same in a process of its own alone."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        report: t.Dict[str, t.Any] = {}
        try:
            report["result"] = test()
        except BaseException:  # noqa: BLE001
            report["failure"] = traceback.format_exc()[-20000:]
        os.write(writer, json.dumps(report).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        report = json.loads(pipe.read())
    os.waitpid(pid, 0)
    if "failure" in report:
        pytest.fail(report["failure"], pytrace=False)
    return report["result"]


@contextlib.contextmanager
def second_world() -> t.Iterator[World]:
    """A world beside the one that this process is in."""
    words = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c"]
    with subprocess.Popen(
        [*words, "mount -t tmpfs tmpfs /run && mount -t sysfs sysfs /sys && echo && exec sleep 1200"],
        stdout=subprocess.PIPE,
    ) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline()
        try:
            yield World("nsenter", "--target", str(keeper.pid), "--net", "--mount")
        finally:
            keeper.kill()


PORT_NUMBERS = {"id", "no", "designated_port"}


def alike(seen: t.Any) -> t.Any:
    """A snapshot without what two worlds differ in: interface indexes, and addresses that the kernel chose."""
    if isinstance(seen, dict):
        chosen = {"ifindex", "link_index", "bridge_id", "root_id"}
        # A bridge has the limits of the first ports that it ever had, and keeps them without these.
        chosen |= {"tso_max_size", "tso_max_segs"}
        if "hairpin" in seen:
            # Ports are numbered as they come; and the bridge command takes an index for one of this namespace, wherever
            # the other end is.
            chosen |= {*PORT_NUMBERS, "link"}
        kept = {key: alike(value) for key, value in seen.items() if key not in chosen}
        if "address" in kept and not str(kept["address"]).startswith(GIVEN):
            kept["address"] = "chosen"
        return kept
    if isinstance(seen, list):
        return sorted(map(alike, seen), key=lambda element: json.dumps(element, sort_keys=True))
    return seen


def unnumbered(seen: t.Any) -> t.Any:
    """A snapshot without the numbers of bridge ports.

    A bridge gives a port the lowest free number, and no request can choose another one. So a bridge that an undo makes again
    may number its ports differently.
    """
    if isinstance(seen, dict):
        numbers = PORT_NUMBERS if "hairpin" in seen else set()
        return {key: unnumbered(value) for key, value in seen.items() if key not in numbers}
    return [unnumbered(element) for element in seen] if isinstance(seen, list) else seen


def same(before: t.Any, after: t.Any, event: str) -> None:
    """Fails, and tells what differs between two snapshots."""
    before, after = unnumbered(before), unnumbered(after)
    different = []
    for netns in before.keys() | after.keys():
        for one, other in itertools.zip_longest(before.get(netns, []), after.get(netns, []), fillvalue=[]):
            different += ["- %s %s" % (netns, element) for element in one if element not in other]
            different += ["+ %s %s" % (netns, element) for element in other if element not in one]
    if before != after:
        raise AssertionError("\n".join([event, *different]))
