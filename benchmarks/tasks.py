# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the modules against the same done with ip and ovs-vsctl, side by side in one run, and prints ratios.

    make bench

Machines are noisy, so that only ratios mean something. What is compared takes turns, and the median of the rounds
counts. It runs in a sandbox, as make site does, with an Open vSwitch of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CROWD = 77  # the group of the links that are only there to be many
REPEATS = 10  # tasks of one play, so that the start of ansible-playbook weighs little
PORTS = 200  # of an OVS bridge
OVS = [str(TOP / "tests/integration/targets/setup_ovs/files/ovs.sh"), "/run/openvswitch"]

Task = t.Dict[str, t.Any]


def command(line: str) -> Task:
    return {"ansible.builtin.command": {"argv": line.split()}}


def veth_tasks(number: int) -> t.List[Task]:
    """One task for a pair of which one end is a port of a bridge, both up."""
    peer = {"name": "p%d" % number, "master": "br0", "state": "up"}
    return [{"virtnet.linux.veth": {"name": "v%d" % number, "state": "up", "peer": peer}}]


def veth_commands(number: int) -> t.List[Task]:
    """The same with ip: what everyone writes."""
    return [
        command("ip link add v%d type veth peer name p%d" % (number, number)),
        command("ip link set p%d master br0 up" % number),
        command("ip link set v%d up" % number),
    ]


def bridge_tasks(number: int) -> t.List[Task]:
    options = {"name": "b%d" % number, "state": "up", "ageing_time": 100, "addresses": ["10.0.%d.1/24" % number]}
    return [{"virtnet.linux.linux_bridge": options}]


def bridge_commands(number: int) -> t.List[Task]:
    return [
        command("ip link add b%d type bridge ageing_time 10000" % number),
        command("ip address add 10.0.%d.1/24 dev b%d" % (number, number)),
        command("ip link set b%d up" % number),
    ]


def port_tasks(number: int) -> t.List[Task]:
    """One task for a port of an OVS bridge."""
    options = {"bridge": "ours", "name": "o%d" % number, "type": "internal", "tag": 7}
    return [{"virtnet.linux.ovs_port": options}]


def port_commands(number: int) -> t.List[Task]:
    return [command("ovs-vsctl add-port theirs t%d tag=7 -- set interface t%d type=internal" % (number, number))]


# One change of a link of each kind, on a host that has these.
HOST = [
    "link add br0 type bridge",
    "link set br0 up",
    "link add name up0 type veth peer name up1",
    "link set up1 master br0",
    "tuntap add dev tap0 mode tap",
    "link add link up0 name mac0 type macvlan",
    "link add link up0 name macvtap0 type macvtap",
]
CHANGES: t.Dict[str, t.Callable[[int], t.Dict[str, t.Any]]] = {
    "link": lambda number: {"name": "br0", "mtu": 1400 + number},
    "veth": lambda number: {"name": "up0", "alias": str(number)},
    "linux_bridge": lambda number: {"name": "br0", "ageing_time": 100 + number},
    "linux_bridge_port": lambda number: {"bridge": "br0", "name": "up1", "cost": 10 + number},
    "tuntap": lambda number: {"name": "tap0", "owner": str(1000 + number)},
    "macvlan": lambda number: {"name": "mac0", "bcqueuelen": 1000 + number},
    "macvtap": lambda number: {"name": "macvtap0", "device": {"owner": str(1000 + number)}},
}


def play(tasks: t.Callable[[int], t.List[Task]], numbers: t.Iterable[int] = range(REPEATS)) -> float:
    """The seconds that a play takes with these tasks for some numbers, after the start of ansible-playbook."""
    book = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable},
            "tasks": [task for number in numbers for task in tasks(number)],
        }
    ]
    empty = [{**book[0], "tasks": []}]
    return run_playbook(book) - run_playbook(empty)


def run_playbook(book: t.List[t.Dict[str, t.Any]]) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(book, file)
        file.flush()
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(TOP / ".cache" / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        words = [str(Path(sys.executable).parent / "ansible-playbook"), file.name]
        start = time.perf_counter()
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return seconds


def ip_batch(lines: t.Iterable[str]) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def clean() -> None:
    """Leave br0 alone, without ports."""
    names = [line.split(": ")[1].split("@")[0] for line in subprocess.getoutput("ip -o link").splitlines()]
    ip_batch("link del %s" % name for name in names if name[0] in "vb" and name != "br0")


def compare(title: str, ours: t.Callable[[], float], theirs: t.Callable[[], float], steps: int = REPEATS) -> None:
    """Take turns, and print the medians for a step and their ratio."""
    pairs = [(ours(), theirs()) for _round in range(ROUNDS)]
    one, other = (statistics.median(column) for column in zip(*pairs))
    print("%-66s %7.3f s  %7.3f s  ratio %.2f" % (title, one / steps, other / steps, one / other), flush=True)


@contextlib.contextmanager
def open_vswitch() -> t.Iterator[None]:
    """An Open vSwitch with two bridges, for a while."""
    subprocess.run(["bash", OVS[0], "start", OVS[1]], check=True)
    try:
        for bridge in ("ours", "theirs"):
            words = ["ovs-vsctl", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev"]
            subprocess.run(words, check=True)
        yield
    finally:
        subprocess.run(["bash", OVS[0], "stop", OVS[1]], check=True)


def emptied(tasks: t.Callable[[int], t.List[Task]]) -> t.Callable[[], float]:
    """PORTS ports in one play, in an Open vSwitch that had none."""

    def measure() -> float:
        for bridge in ("ours", "theirs"):
            for port in subprocess.check_output(["ovs-vsctl", "list-ports", bridge], text=True).split():
                subprocess.run(["ovs-vsctl", "del-port", bridge, port], check=True)
        return play(tasks, range(PORTS))

    return measure


def fresh(tasks: t.Callable[[int], t.List[Task]]) -> t.Callable[[], float]:
    def measure() -> float:
        clean()
        return play(tasks)

    return measure


def again(tasks: t.Callable[[int], t.List[Task]]) -> float:
    """The second run, which changes nothing."""
    clean()
    play(tasks)
    return play(tasks)


def among(links: int, module: str) -> t.Callable[[], float]:
    """One task that changes a link on a host with so many of them."""

    def measure() -> float:
        clean()
        subprocess.run(["ip", "link", "del", "group", str(CROWD)], check=False, stderr=subprocess.DEVNULL)
        crowd(links)
        return play(lambda number: [{"virtnet.linux." + module: CHANGES[module](number)}])

    return measure


def crowd(links: int) -> None:
    """Fill the host up to a number of links."""
    have = len(subprocess.getoutput("ip -o link").splitlines())
    ip_batch("link add x%d group %d type ifb" % (number, CROWD) for number in range(have, links))


def main() -> None:
    cpu = next(
        (line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    print(
        "Linux %s, %d cores,%s, Python %s" % (platform.release(), os.cpu_count() or 0, cpu, platform.python_version())
    )
    print("Seconds a step, median of %d rounds; the first against the second.\n" % ROUNDS)
    ip_batch(HOST)
    compare("one veth task : three command tasks with ip", fresh(veth_tasks), fresh(veth_commands))
    compare("one linux_bridge task : three command tasks with ip", fresh(bridge_tasks), fresh(bridge_commands))
    compare("one veth task with nothing to do : one that makes the pair", lambda: again(veth_tasks), fresh(veth_tasks))
    with open_vswitch():
        title = "%d ovs_port tasks : as many command tasks with ovs-vsctl" % PORTS
        compare(title, emptied(port_tasks), emptied(port_commands), PORTS)
    for module in CHANGES:
        compare("one %s task among 4,000 links : among 10 links" % module, among(4000, module), among(10, module))


if __name__ == "__main__":
    main()
