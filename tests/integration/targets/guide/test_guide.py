# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every row of the tables in docs/coming_from_ip.md: its commands run on one host, its tasks on another.

After each row both look the same, as iproute2 and ovs-vsctl tell it, and its tasks say that they changed something just when
something is different.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import typing as t
from pathlib import Path

import yaml

from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import rows as ovs_rows
from ansible_collections.virtnet.linux.tests.integration.targets.setup_ovs.files.switches import switch
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files import worlds
from ansible_collections.virtnet.linux.tests.integration.targets.setup_virtnet.files.worlds import (
    World,
    alike,
    same,
    second_world,
)

# ansible-test copies what it runs to another place, without the documentation.
GUIDE = Path(worlds.__file__).resolve().parents[5] / "docs" / "coming_from_ip.md"
# What the guide takes for granted: two network devices, here with veth ends in their place, and an Open vSwitch.
WORLD = """
link add name eth0 type veth peer name eth0x
link add name ens160 type veth peer name ens160x
link set ens160 up
link set ens160x up
"""

# Who may open the character devices behind the links of a world, wherever in /dev they are.
NODES = """
for tap in /sys/class/net/*/macvtap/*/dev; do
    find /dev -maxdepth 1 -type c -exec stat -c '%Hr:%Lr %U %G %a' {} + | grep "^$(cat "$tap") " | cut -d ' ' -f 2-
done 2> /dev/null
true
"""

Task = t.Dict[str, t.Any]


def rows() -> t.List[t.Tuple[t.List[str], t.List[Task]]]:
    """The commands and the tasks of each row of the guide's tables."""
    found = []
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and line not in ("| command | task |", "|---|---|"):
            commands, todo = (re.findall("`([^`]+)`", cell) for cell in line.split("|")[1:3])
            assert commands, line
            assert todo, line
            found.append((commands, tasks(todo)))
    return found


def tasks(pieces: t.Sequence[str]) -> t.List[Task]:
    """Tasks, each of which begins with a module; keywords follow."""
    found: t.List[Task] = []
    for piece in (piece for piece in pieces if ": " in piece):
        ((key, value),) = yaml.safe_load(piece).items()
        if "." in key:
            found.append({"name": piece})
        found[-1][key] = value
    return found


def play(world: World, todo: t.List[Task]) -> bool:
    """Run tasks in a world, and tell whether they say that they changed something."""
    books = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": todo}]
    words = ["env", "ANSIBLE_PYTHON_INTERPRETER=" + sys.executable, "ANSIBLE_NOCOLOR=1"]
    told = world.run(*words, "ansible-playbook", "-i", "localhost,", "/dev/stdin", stdin=json.dumps(books))
    summary = re.search(r"changed=(\d+)", told)
    assert summary, told
    return summary.group(1) != "0"


def look(world: World) -> t.Dict[str, t.Any]:
    return {
        **world.snapshot(),
        "nodes": [world.run("sh", "-c", NODES).splitlines()],
        "ovs": [*ovs_rows(world).values()],
    }


def test_every_row() -> None:
    with second_world() as one, second_world() as other, switch(one), switch(other):
        for world in (one, other):
            world.build(WORLD)
        before = look(other)
        for number, (commands, todo) in enumerate(rows()):
            for command in commands:
                one.run("sh", "-c", command)
            changed = play(other, todo)
            after = look(other)
            same(alike(look(one)), alike(after), "row %d: %s and %s" % (number, commands, todo))
            assert changed == (before != after), "row %d: %s" % (number, todo)
            before = after


def test_the_guide_has_its_rows() -> None:
    told = list(itertools.chain.from_iterable(commands for commands, _tasks in rows()))
    assert {command.split()[0] for command in told} >= {"ip", "brctl", "ovs-vsctl"}
    assert len(told) > 60
