# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures the engine behind topology against ip -batch, ovs-vsctl, ifstate and loops of tasks, and prints ratios.

    make bench

What is compared takes turns, each on a host that has nothing else, and the median of the rounds counts. A time is taken
until every port of a bridge forwards. The engine is measured as it runs in a module, without the start of Python; against
loops of tasks a whole play is measured against a whole play.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / ".cache" / "collections"))

from tasks import ip_batch, open_vswitch, run_playbook  # noqa: E402

from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge  # noqa: E402
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology  # noqa: E402
from ansible_collections.virtnet.linux.plugins.module_utils._topology.documents import read_topology  # noqa: E402
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost  # noqa: E402
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING  # noqa: E402

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import Wanted

ROUNDS = int(os.environ.get("ROUNDS", "3"))
IFSTATE = TOP / ".venv-peers" / "bin" / "ifstatecli"
PLAIN = {"hosts": "localhost", "connection": "local", "gather_facts": False}
PATIENCE = 60  # seconds
# Links that came or went keep the kernel busy for a while: each new one announces itself to all others, say. That is part of
# what was done before, not of what is measured next.
CALM = 3  # seconds
SOCKET = Path("/run/openvswitch/db.sock")
DISABLE_IPV6 = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")

Document = t.Dict[str, t.Any]


def pairs(count: int, bridges: int = 1) -> Document:
    """veth pairs, one end of each in a bridge, all of it up."""
    links: t.List[Document] = [{"kind": "linux_bridge", "name": "br%d" % n, "state": "up"} for n in range(bridges)]
    for number in range(count):
        peer = {"name": "p%d" % number, "master": "br%d" % (number % bridges), "state": "up"}
        links.append({"kind": "veth", "name": "v%d" % number, "state": "up", "peer": peer})
    return {"links": links}


def pairs_with_ip(count: int) -> t.List[str]:
    """The same as everyone writes it."""
    lines = ["link add br0 type bridge", "link set br0 up"]
    for number in range(count):
        lines += [
            "link add v%d type veth peer name p%d" % (number, number),
            "link set p%d master br0 up" % number,
            "link set v%d up" % number,
        ]
    return lines


def namespaces(count: int) -> Document:
    """Namespaces, each with a veth to a bridge, an address and a default route."""
    links: t.List[Document] = [
        {"kind": "linux_bridge", "name": "br0", "state": "up", "addresses": ["10.0.0.1/16"]},
    ]
    for number in range(count):
        eth0 = {
            "kind": "veth",
            "name": "eth0",
            "netns": "ns%d" % number,
            "state": "up",
            "addresses": ["10.0.%d.%d/16" % (1 + number // 250, 1 + number % 250)],
            "routes": [{"to": "default", "via": "10.0.0.1"}],
            "peer": {"name": "p%d" % number, "master": "br0", "state": "up"},
        }
        links.append(eth0)
    return {"namespaces": [{"name": "ns%d" % number} for number in range(count)], "links": links}


def namespaces_with_ip(count: int) -> t.Dict[str, t.List[str]]:
    """The same as everyone writes it: what ip is told on the host, and then in each namespace."""
    outside = ["link add br0 type bridge", "address add 10.0.0.1/16 dev br0", "link set br0 up"]
    outside += ["netns add ns%d" % number for number in range(count)]
    lines = {"": outside}
    for number in range(count):
        outside.append("link add p%d type veth peer name eth0 netns ns%d" % (number, number))
        outside.append("link set p%d master br0 up" % number)
        lines["ns%d" % number] = [
            "link set lo up",
            "address add 10.0.%d.%d/16 dev eth0" % (1 + number // 250, 1 + number % 250),
            "link set eth0 up",
            "route add default via 10.0.0.1",
        ]
    return lines


def batches(lines: t.Mapping[str, t.Sequence[str]]) -> None:
    """A batch for the host, and one for each namespace."""
    for netns, some in lines.items():
        words = ["ip", *(["-n", netns] if netns else []), "-batch", "-"]
        subprocess.run(words, input="\n".join(some), text=True, check=True)


def loop(lines: t.Mapping[str, t.Sequence[str]]) -> None:
    """One ip after the other, as a script has it."""
    for netns, some in lines.items():
        for line in some:
            subprocess.run(["ip", *(["-n", netns] if netns else []), *line.split()], check=True)


def internal_ports(count: int) -> Document:
    """Internal ports of one bridge of Open vSwitch."""
    ports = [{"name": "o%d" % number, "type": "internal", "tag": 1 + number % 100} for number in range(count)]
    return {"ovs_bridges": [{"name": "ovs0", "datapath_type": "netdev", "ports": ports}]}


def internal_ports_in_one_call(count: int) -> None:
    """The same by one ovs-vsctl."""
    words = ["ovs-vsctl", "add-br", "ovs0", "--", "set", "Bridge", "ovs0", "datapath_type=netdev"]
    for number in range(count):
        words += ["--", "add-port", "ovs0", "o%d" % number, "tag=%d" % (1 + number % 100)]
        words += ["--", "set", "Interface", "o%d" % number, "type=internal"]
    subprocess.run(words, check=True)


def internal_ports_one_by_one(count: int) -> None:
    """The same by a loop, as a script has it."""
    subprocess.run(["ovs-vsctl", "add-br", "ovs0", "--", "set", "Bridge", "ovs0", "datapath_type=netdev"], check=True)
    for number in range(count):
        words = ["ovs-vsctl", "add-port", "ovs0", "o%d" % number, "tag=%d" % (1 + number % 100)]
        subprocess.run([*words, "--", "set", "Interface", "o%d" % number, "type=internal"], check=True)


def taps(count: int) -> Document:
    """Taps that are up."""
    return {"links": [{"kind": "tuntap", "name": "t%d" % n, "mode": "tap", "state": "up"} for n in range(count)]}


def taps_with_ip(count: int) -> t.List[str]:
    return [line % n for n in range(count) for line in ("tuntap add dev t%d mode tap", "link set t%d up")]


def wanted(document: Document) -> Wanted:
    complete = {"name": "bench", "namespaces": [], "links": [], "ovs_bridges": [], **document}
    return dataclasses.replace(read_topology(complete, topology.validate), whole=())


def engine(document: Document) -> None:
    """What the module topology does between its options and its result."""
    with contextlib.closing(WholeHost(timeout=120)) as host:
        converge(host, PLANNING, wanted(document), check=False)


def forwarding(ports: int) -> None:
    """Wait until so many ports of bridges forward."""
    deadline = time.monotonic() + PATIENCE
    while (
        subprocess.run(["bridge", "link"], capture_output=True, text=True, check=True).stdout.count("forwarding")
        < ports
    ):
        if time.monotonic() > deadline:
            sys.exit("After %d seconds there are ports that don't forward." % PATIENCE)
        time.sleep(0.01)


def clean() -> None:
    """Leave an empty host."""
    if SOCKET.exists():
        for name in subprocess.check_output(["ovs-vsctl", "list-br"], text=True).split():
            subprocess.run(["ovs-vsctl", "del-br", name], check=True)
    names = [line.split(": ")[1].split("@")[0] for line in subprocess.getoutput("ip -o link").splitlines()]
    ip_batch("link set dev %s group 99" % name for name in names if name[0] in "bvpt")
    subprocess.run(["ip", "link", "del", "group", "99"], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["ip", "-all", "netns", "delete"], check=True)


def timed(run: t.Callable[[], None], ports: int = 0) -> float:
    """The seconds that something takes until so many ports forward."""
    start = time.perf_counter()
    run()
    if ports:
        forwarding(ports)
    return time.perf_counter() - start


def compare(title: str, ours: t.Callable[[], float], theirs: t.Callable[[], float], rounds: int = ROUNDS) -> None:
    """Take turns, and print the medians and their ratio."""
    taken = [(ours(), theirs()) for _round in range(rounds)]
    one, other = (statistics.median(column) for column in zip(*taken))
    print("%-78s %8.3f s  %8.3f s  ratio %.3f" % (title, one, other, one / other), flush=True)


def fresh(run: t.Callable[[], None], ports: int = 0) -> t.Callable[[], float]:
    """Measures something on an empty host."""

    def measure() -> float:
        clean()
        time.sleep(CALM)
        return timed(run, ports)

    return measure


def on(prepare: t.Callable[[], None], run: t.Callable[[], None], ports: int) -> t.Callable[[], float]:
    """Measures something on a host on which something else was done first."""

    def measure() -> float:
        clean()
        timed(prepare, ports)
        time.sleep(CALM)
        return timed(run)

    return measure


def absent(document: Document) -> Document:
    """The document that removes the pairs of another one."""
    return {"links": [{**link, "state": "absent"} for link in document["links"] if link["kind"] == "veth"]}


def ifstate(count: int) -> None:
    """The pairs by ifstate."""
    links: Document = {"br0": {"link": {"state": "up", "kind": "bridge"}}}
    for number in range(count):
        v, p = "v%d" % number, "p%d" % number
        links[v] = {"link": {"state": "up", "kind": "veth", "peer": p}}
        links[p] = {"link": {"state": "up", "kind": "veth", "peer": v, "master": "br0"}}
    Path("/run/ifstate.yml").write_text(json.dumps({"interfaces": links}), encoding="utf-8")
    subprocess.run([str(IFSTATE), "-c", "/run/ifstate.yml", "apply"], check=True, capture_output=True)


def play(*tasks: Document) -> None:
    """A whole play with these tasks."""
    run_playbook([{**PLAIN, "vars": {"ansible_python_interpreter": sys.executable}, "tasks": list(tasks)}])


def topology_play(document: Document) -> None:
    play({"virtnet.linux.topology": {"name": "bench", **document}})


def loop_play(lines: t.Sequence[str]) -> None:
    """A play with one task that loops over commands."""
    loop = [("ip " + line).split() for line in lines]
    play({"ansible.builtin.command": {"argv": "{{ item }}"}, "loop": loop})


def links_and_namespaces() -> None:
    some = pairs(500)
    by_ip = pairs_with_ip(500)
    down = ["link del v%d" % number for number in range(500)]
    compare(
        "500 veth pairs, one end in a bridge, all up : ip -batch",
        fresh(lambda: engine(some), 500),
        fresh(lambda: ip_batch(by_ip), 500),
    )
    compare(
        "the same again, nothing to change : ip -batch that makes them",
        on(lambda: engine(some), lambda: engine(some), 500),
        fresh(lambda: ip_batch(by_ip), 500),
    )
    compare(
        "taking the pairs down : ip -batch, one by one",
        on(lambda: engine(some), lambda: engine(absent(some)), 500),
        on(lambda: ip_batch(by_ip), lambda: ip_batch(down), 500),
    )
    for how, run in (("ip -batch", batches), ("ip in a loop", loop)):
        compare(
            "200 namespaces, each with a veth to a bridge, address, route : " + how,
            fresh(lambda: engine(namespaces(200)), 200),
            fresh(lambda run=run: run(namespaces_with_ip(200)), 200),  # type: ignore[misc]
        )
        compare(
            "500 taps : " + how,
            fresh(lambda: engine(taps(500))),
            fresh(lambda run=run: run({"": taps_with_ip(500)})),  # type: ignore[misc]
        )


def growth(how: str = "") -> None:
    """What a pair costs among 2,000 on four bridges, and among 500 on one."""
    compare(
        "2,000 pairs on 4 bridges : four times 500 pairs on one" + how,
        fresh(lambda: engine(pairs(2000, 4)), 2000),
        lambda: 4 * fresh(lambda: engine(pairs(500)), 500)(),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("Peak memory of the process that ran all engines: %d MiB" % peak, flush=True)


def ports_of_ovs() -> None:
    for how, run in (("in one call", internal_ports_in_one_call), ("in a loop", internal_ports_one_by_one)):
        compare(
            "500 internal ports of OVS : ovs-vsctl " + how,
            fresh(lambda: engine(internal_ports(500))),
            fresh(lambda run=run: run(500)),  # type: ignore[misc]
        )


def peers() -> None:
    some = pairs(100)
    compare("100 pairs : ifstate", fresh(lambda: engine(some), 100), fresh(lambda: ifstate(100), 100), 1)
    compare(
        "100 pairs, a whole play with one task : a play that loops over ip",
        fresh(lambda: topology_play(some), 100),
        fresh(lambda: loop_play(pairs_with_ip(100)), 100),
        1,
    )


def main() -> None:
    print("\nSeconds, median of %d rounds; the first against the second.\n" % ROUNDS)
    # Without an Open vSwitch, which would look at each link that comes, and keep the kernel from making the next one.
    links_and_namespaces()
    growth()
    # For each link that comes up, the kernel goes through the IPv6 routes of all others.
    DISABLE_IPV6.write_text("1", encoding="utf-8")
    growth(", without IPv6")
    DISABLE_IPV6.write_text("0", encoding="utf-8")
    peers()
    with open_vswitch():
        ports_of_ovs()


if __name__ == "__main__":
    main()
