# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that nobody should give, for every option of ovs_bridge and ovs_port.

Each is refused with a sentence that names the option, or is there afterwards, so that a second run changes nothing.
"""

from __future__ import annotations

import contextlib
import random
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import converge
from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_documents import bridge_options, read_bridge
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.database import Ovs
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import read_timeout
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_documents import port_options, read_port
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import Wanted
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import DATAPATH, switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import World, alone

Document = t.Dict[str, t.Any]

TEXTS = (
    "", " ", "a", "a b", "\n", "a\0b", "\ud800", "é", "中" * 6, "x" * 300, "y" * 200_000, "-x", "--", "--help", "@x", "/", "..", "a/b",
    "{}", "[]", '"', "'", "\\", "=", "a=b", ",", ":", "%s", "{{ x }}", "$(x)", "`x`", ";", "null", "true", "none", "\u202e", "\x1b[31m",
    "0", "-1", "1", "007", "0x10", "1e3", "1.5", "4095", "4096", "65279", "65280", "65535", "65536", "99999", "2147483648",
    "4294967296", "18446744073709551616", "9" * 400, "٤", "1 ", " 1", "1-3", "3-1", "0-4095", "0.0.0.0", "255.255.255.255", "::", "1.2.3",
    "192.0.2.1/24", "fe80::1%lo", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "02:00:00:00:00", "02-00-00-00-00-01",
    "02:00:00:00:00:GG", "tcp:1.2.3.4", "unix:/nowhere", "tcp:", "ssl:x:y", "ptcp:0", "br0", "p",
)  # fmt: skip
NUMBERS = (0, 1, -1, 4096, 65536, 2**31, 2**63, 2**64, 10**400, 1.5, float("inf"), float("nan"), True, False)
ODD = (
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"a": None},
    {"a": []},
    {"a": {}},
    {"a": True},
    {1: 2},
    {"a\0": "b"},
    {"k": "v" * 200_000},
)
VALUES: t.Tuple[t.Any, ...] = (
    *TEXTS, *NUMBERS, *ODD, *([text] for text in TEXTS[::2]), *({"k": text} for text in TEXTS[::3]), *({text: "v"} for text in TEXTS[1::3]),
)  # fmt: skip
TRIED = 3  # values for an option that pass the reading and are tried on a real Open vSwitch

BRIDGE = {"name": "br0", "datapath_type": DATAPATH}
TUNNEL = {"bridge": "br0", "name": "t", "type": "vxlan", "remote_ip": "192.0.2.1"}
BOND = {"bridge": "br0", "name": "bond", "interfaces": ["m1", "m2"]}
PORTS = {
    **dict.fromkeys(("remote_ip", "local_ip", "key", "dst_port", "options"), TUNNEL),
    "peer": {"bridge": "br0", "name": "patch", "type": "patch", "peer": "other"},
    **dict.fromkeys(("interfaces", "purge_interfaces", "bond_mode", "lacp"), BOND),
}
OTHERWISE = {"bridge": "br0", "name": "p", "type": "internal"}
# What names a thing or leads to a database is another one with another value.
UNTRIED = ("name", "bridge", "database", "timeout", "parent", "vlan", "move_from")


def read(module: str, document: Document) -> t.Tuple[t.Optional[Wanted], str]:
    """What a document wants, or what is wrong with it."""
    options = bridge_options() if module == "bridge" else port_options()
    complete, wrong = topology.validate(options, document)
    if wrong:
        # That is what Ansible says.
        return None, "".join(filter(str.isprintable, " ".join(wrong)))[:1000]
    try:
        read_timeout(complete["timeout"])
        if module == "bridge":
            return Wanted(ovs_bridges=(read_bridge(complete),)), ""
        return Wanted(ovs_ports=(read_port(complete),)), ""
    except Failure as failure:
        return None, str(failure)


def run(wanted: Wanted) -> t.Any:
    return converge(Ovs(20), PLANNING, wanted, check=False)


def sentence(said: str, option: str, value: t.Any) -> None:
    about = "%s: %.100r: %.500r" % (option, value, said)
    things = value if isinstance(value, list) else [value]
    named = any(words in said for words in (option.replace("purge_", ""), *("'%s'" % thing for thing in things)))
    assert named, about
    assert len(said) < 2000, about
    assert "Traceback" not in said, about
    assert not any(ord(character) < 32 for character in said), about


def sweep() -> t.Dict[str, int]:
    world = World()
    world.build("\n".join("link add %s type veth peer name %sx" % (name, name) for name in ("m1", "m2")))
    counts = {"refused": 0, "tried": 0, "taken": 0}
    choose = random.Random(12)
    with switch(world):
        bases = [BRIDGE, *{document["name"]: document for document in (*PORTS.values(), OTHERWISE)}.values()]
        for base in bases:
            wanted, wrong = read("bridge" if base is BRIDGE else "port", base)
            assert wanted, wrong
            run(wanted)
        for module, options in (("bridge", bridge_options()), ("port", port_options())):
            for option in options:
                base = BRIDGE if module == "bridge" else PORTS.get(option, OTHERWISE)
                good = []
                for value in VALUES:
                    wanted, wrong = read(module, {**base, option: value})
                    if wanted is None:
                        sentence(wrong, option, value)
                        counts["refused"] += 1
                    else:
                        good.append((value, wanted))
                for value, wanted in () if option in UNTRIED else choose.sample(good, min(TRIED, len(good))):
                    counts["tried"] += 1
                    counts["taken"] += attempt(wanted, option, value)
    return counts


def attempt(wanted: Wanted, option: str, value: t.Any) -> bool:
    """Whether it was taken; then it is there."""
    try:
        run(wanted)
    except Failure as failure:
        sentence(str(failure), option, value)
        return False
    assert not run(wanted).plan.changed, "%s: %.100r" % (option, value)
    return True


def test_hostile_values() -> None:
    counts = alone(sweep)
    with contextlib.suppress(OSError):
        print("%(refused)d values refused, %(tried)d tried on Open vSwitch, %(taken)d taken" % counts)
    assert counts["refused"] > 5000
    assert counts["taken"] > 50
