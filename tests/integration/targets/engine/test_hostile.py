# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile values in every option of every module for links, namespaces and topologies.

Each value is refused with a sentence that names the option, in check mode and for real; or it is in effect afterwards, so that
a second run changes nothing. All of it runs in one process, with the checks of ``_module.Module``.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import os
import random
import re
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.option_types import mistyped, outermost
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports, documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.host import Kernel
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options, read_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._links.state import Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology as modules_topology
from ansible_collections.virtnet.linux.plugins.module_utils._ovs import documents as ovs_documents
from ansible_collections.virtnet.linux.plugins.module_utils._topology import documents as topologies
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING as WHOLE
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone

Document = t.Dict[str, t.Any]
Path = t.Tuple[t.Union[str, int], ...]

# Number of values for each option, the same ones each time; EXPLORE=40 tries 40 others.
VALUES = int(os.environ.get("EXPLORE", "12"))
SEED = None if "EXPLORE" in os.environ else 12
LONGEST = 3000  # characters of a message
# Without addresses, the routes of the same document have no source and no gateway.
RELATED = {"addresses": ("routes",)}

NUMBERS = (
    0, 1, -1, 2, 255, 4095, 4096, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, 10**30, 10**400, 1.5,
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "a\0b", "a\nb", "\n", "\t", "\ud800", "a\udcff", "😀", "\u202eabc", "ü", "'", '"', "`", "$(id)", "%s%n",
    "../x", "..", ".", "/", "a/b", "//", "/dev/null", "/proc/self/ns/mnt", "/proc/999999999/ns/net", "a b", " a", "-1", "--help",
    "0", "00", "0x10", "1e3", "٣", "1_000", "inf", "-Infinity", "nan", "1e400", "1e999999999", "true", "None", "null",
    "all", "default", "lo", "up0", "*", "x" * 16,
    "x" * 256, "x" * 100000, "1" * 400, "[" * 1000, "{{ a }}", "a,b", "a:b", "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff",
    "192.0.2.1", "192.0.2.1/33", "192.0.2.1/24", "::", "::/0", "fe80::1%lo", "0.0.0.0/0", "2001:db8::1/64", "1-", "-", "1-4094",
    "4094-1",
)  # fmt: skip
OTHERS: t.Tuple[t.Any, ...] = (
    True, False, [], {}, [[]], [{}], [None], [""], ["\0"], [1, 1], ["x"] * 3000, ["lo"], ["br0"], ["h0"], {"": ""}, {"a": None}, {"a": {}}, {1: 2},
    {"net.ipv4.ip_forward": 2**64}, {"net/../x": 1}, {"kernel.panic": 1}, [{"name": "\0"}], [{"kind": []}], [{"kind": "veth"}],
    [["a"]], [True], float("inf"), float("nan"),
)  # fmt: skip

# On the host: parents and a bridge with a port.
WORLD = """
link add up0 type veth peer name up1
link set up0 up
link set up1 up
link add br0 type bridge
tuntap add dev p0 mode tap
link set p0 master br0
tuntap add dev e0 mode tap
"""
RESET = """
link delete e0
tuntap add dev e0 mode tap
"""


class Module(t.NamedTuple):
    """A module: its options, documents that hostile values are put into, and how it is run."""

    options: Document
    bases: t.Tuple[Document, ...]
    run: t.Callable[[Document, bool], t.Any]
    undo: t.Callable[[Document], None]


def validate(options: Document, document: Document) -> t.Tuple[Document, t.List[str]]:
    """The options with their defaults, and what is wrong with their types, as ``_module.Module`` has it of Ansible."""
    wrong = mistyped(options, document)
    left_out = outermost(wrong)
    rest = {name: value for name, value in document.items() if name not in left_out}
    complete, others = modules_topology.validate(options, rest)
    missing = {"missing required arguments: " + name for name in left_out}
    return complete, [*wrong.values(), *(said for said in others if said not in missing)]


def read_and_run(read: t.Callable[[Document], Wanted], document: Document, check: bool) -> t.Any:
    wanted = read(document)
    with contextlib.closing(Kernel()) as kernel:
        return converge(kernel, PLANNING, wanted, check)


def topology(document: Document, check: bool) -> t.Any:
    ovs_documents.read_timeout(document["timeout"])
    wanted = modules_topology.read(document)
    with contextlib.closing(WholeHost(5, Records("/run/topologies"))) as host:
        return converge(host, WHOLE, wanted, check)


def info(document: Document, _check: bool) -> None:
    database, timeout = ovs_documents.read_database(document["database"]), document["timeout"]
    modules_topology.look(document["namespaces"], database, ovs_documents.read_timeout(timeout))


def of_kind(kind: str, *bases: Document) -> Module:
    options = documents.link_options(KINDS.get(kind))

    def read(document: Document) -> Wanted:
        return Wanted(links=(documents.read_link(document, KINDS.get(kind)),))

    run = functools.partial(read_and_run, read)
    return Module(options, bases, run, lambda document: delete(run, options, document))


def delete(run: t.Any, options: Document, document: Document) -> None:
    keys = {"name", "netns"} & document.keys()
    complete, wrong = validate(options, {**{k: document[k] for k in keys}, "state": "absent"})
    assert not wrong
    run(complete, False)


def namespaces() -> Module:
    options = netns_options()
    run = functools.partial(read_and_run, lambda document: Wanted(namespaces=(read_netns(document),)))
    return Module(options, ({"name": "hostile"},), run, lambda document: delete(run, options, document))


def ports() -> Module:
    run = functools.partial(read_and_run, lambda document: Wanted(links=(bridge_ports.read(document),)))
    base = {"name": "e0", "bridge": "br0", "vlans": [{"vid": "10"}]}
    return Module(bridge_ports.options(), ({"name": "e0", "bridge": "br0"}, base), run, reset)


def reset(_document: Document) -> None:
    World().run("ip", "-batch", "-", stdin=RESET)


def routed(net: str, to: str) -> Document:
    """An end of a pair with an address, a route and a neighbor."""
    through = {"to": to, "via": net + ".9", "metric": 5, "table": 7, "mtu": 1400, "src": net + ".1"}
    beside = {"address": net + ".8", "mac": "02:00:00:00:00:08", "state": "noarp"}
    return {"state": "up", "addresses": [net + ".1/24"], "routes": [through], "neighbors": [beside]}


PAIR = {
    "name": "h0",
    "peer": {"name": "h1", **routed("192.0.2", "198.51.100.0/24")},
    **routed("203.0.113", "198.18.0.0/15"),
}
MODULES = {
    "netns": namespaces(),
    "veth": of_kind("veth", {"name": "h0", "peer": {"name": "h1"}}, PAIR),
    "tuntap": of_kind("tuntap", {"name": "h0", "mode": "tap"}),
    "linux_bridge": of_kind("linux_bridge", {"name": "h0"}),
    "ifb": of_kind("ifb", {"name": "h0"}),
    "macvlan": of_kind("macvlan", {"name": "h0", "parent": "up0"}),
    "macvtap": of_kind("macvtap", {"name": "h0", "parent": "up0", "device": {"mode": "0600"}}),
    "link": of_kind("link", {"name": "e0"})._replace(undo=reset),
    "linux_bridge_port": ports(),
    "topology": Module(
        topologies.topology_options(),
        (
            {"name": "lab", "links": [{"kind": "tuntap", "name": "h0", "mode": "tap"}]},
            {"name": "lab", "namespaces": [{"name": "hostile"}]},
        ),
        topology,
        lambda document: delete(topology, topologies.topology_options(), document),
    ),
    "topology_info": Module(topologies.info_options(), ({},), info, lambda _document: None),
}


def paths(options: Document, base: Document) -> t.Iterator[Path]:
    """Where values can be put: each option, and those within the documents that the base has."""
    for name, spec in sorted(options.items()):
        yield (name,)
        within, value = spec.get("options"), base.get(name)
        if within and isinstance(value, list):
            yield from ((name, 0, *path) for path in paths(within, value[0]))
        elif within and isinstance(value, dict):
            yield from ((name, *path) for path in paths(within, value))


def replaced(base: Document, path: Path, value: t.Any) -> Document:
    document: t.Any = copy.deepcopy(base)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return t.cast(Document, document)


class Sweep:
    """Tries values, and collects those that were neither refused with a sentence nor in effect."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = MODULES[name]
        self.wrong: t.List[str] = []
        self.tried = self.refused = self.taken = 0
        self.lacking = ""  # what this kernel lacks for the base, and so for all values in it

    def all(self) -> t.List[t.Any]:
        chance = random.Random(SEED)
        for base in self.module.bases:
            self.lacking = self.refusal(base)
            for path in paths(self.module.options, base):
                for value in (*sample(chance, NUMBERS, 2), *sample(chance, TEXTS, 3), *sample(chance, OTHERS, 1)):
                    self.tried += 1
                    try:
                        self.attempt(base, path, value)
                    except Exception as error:  # noqa: BLE001
                        self.note(path, value, "%s: %s" % (type(error).__name__, error))
        return [self.tried, self.refused, self.taken, self.wrong]

    def refusal(self, base: Document) -> str:
        complete, wrong = validate(self.module.options, base)
        assert not wrong
        try:
            self.module.run(complete, True)
        except Failure as failure:
            return str(failure)
        return ""

    def note(self, path: Path, value: t.Any, text: str) -> None:
        where = ".".join(map(str, path))
        self.wrong.append("%s %s: %s → %s" % (self.name, where, ascii(value)[:60], ascii(text)[:600]))

    def attempt(self, base: Document, path: Path, value: t.Any) -> None:
        document = replaced(base, path, value)
        complete, wrong = validate(self.module.options, document)
        if wrong:
            self.refused += 1
            if not any(named(path, value, sentence) for sentence in wrong):
                self.note(path, value, "option not named: %s" % wrong)
            return
        foretold = self.run(path, value, complete, check=True)
        done = self.run(path, value, complete, check=False)
        if foretold != done:
            self.note(path, value, "check mode: %s, for real: %s" % (foretold or "ok", done or "ok"))
        if done:
            self.refused += 1
            return
        self.taken += 1
        again = self.module.run(complete, True)
        if again and again.plan.changed:
            self.note(path, value, "changes again: %s" % again.plan.commands)
        if complete.get("state") != "absent":
            self.module.undo(complete)

    def run(self, path: Path, value: t.Any, document: Document, check: bool) -> str:
        """Returns the sentence with which it was refused, empty if it wasn't."""
        try:
            outcome = self.module.run(document, check)
        except Failure as failure:
            text = str(failure)
            if not (named(path, value, text) or text == self.lacking):
                self.note(path, value, "option not named: " + text)
            if len(text) > LONGEST or not text.isprintable() or not re.match("[A-Z'].*[.?]$", text):
                self.note(path, value, "no sentence: " + text)
            return text.rpartition(" No changes")[0] or text
        return " ".join(outcome.plan.missing) if check and outcome else ""


def named(path: Path, value: t.Any, text: str) -> bool:
    """Whether a sentence names the option, the one that it is in, or the thing that has the value as its name."""
    words = [*filter(lambda word: isinstance(word, str), path), *RELATED.get(str(path[-1]), ())]
    return any(re.search(r"\b%s\b" % word, text) for word in words) or (
        path == ("name",) and quoted(str(value)) in text
    )


def sample(chance: random.Random, values: t.Sequence[t.Any], share: int) -> t.List[t.Any]:
    return chance.sample(values, min(len(values), max(1, VALUES * share // 6)))


@pytest.mark.parametrize("name", MODULES)
def test_every_option(name: str) -> None:
    def inside() -> t.List[t.Any]:
        World().build(WORLD)
        return Sweep(name).all()

    tried, refused, taken, wrong = alone(inside)
    print("%s: %d values tried, %d refused, %d taken" % (name, tried, refused, taken))
    assert not wrong, "\n".join(wrong[:200])
    assert refused
    assert taken or name == "topology_info"  # with Open vSwitch, which is not here, or without options
