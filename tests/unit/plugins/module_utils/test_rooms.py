# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of the code: imports lead downwards, and each module ships what it needs. Computed from the sources.

Ansible ships each file that is imported, also for annotations alone; so those count.
"""

from __future__ import annotations

import ast
import functools
import typing as t
from pathlib import Path

import pytest

MODULE_UTILS = Path(__file__).parents[4] / "plugins" / "module_utils"
MODULES = MODULE_UTILS.parent / "modules"
PREFIX = "ansible_collections.virtnet.linux.plugins.module_utils."

# Each room with those that it may import from, besides itself.
ROOMS: t.Dict[str, t.Set[str]] = {"_common": set()}
ROOMS["_engine"] = ROOMS["_netlink"] = {"_common"}
ROOMS["_links"] = ROOMS["_ovs"] = {"_engine", "_netlink", "_common"}
ROOMS["_topology"] = {"_links", "_ovs", *ROOMS["_links"]}
ROOMS["_modules"] = {"_topology", *ROOMS["_topology"]}


KINDS = MODULE_UTILS / "_links" / "kinds"
# Where the name of a kind may stand outside its room, and why.
NAMED: t.Dict[str, t.Set[str]] = {
    "_links/model": {"tuntap"},  # what the kernel makes of internal ports of Open vSwitch; a State needs it, too
    "_netlink/nodes": {"macvtap"},  # the folder in sysfs and the driver of the character devices
    "_netlink/socket": {"macvtap"},  # pyroute2 isn't told by every version how to decode one
}


@functools.lru_cache(maxsize=None)
def imports(path: Path) -> t.FrozenSet[str]:
    """The files of module_utils that a file imports, as "room/file"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PREFIX):
            name = str(node.module)[len(PREFIX) :].replace(".", "/")
            if (MODULE_UTILS / name).is_dir():
                found |= {"%s/%s" % (name, alias.name) for alias in node.names}
            else:
                found.add(name)
    return frozenset(found)


def shipped(path: Path) -> t.Set[str]:
    """All files of module_utils that a file needs."""
    found: t.Set[str] = set()
    waiting = [path]
    while waiting:
        for name in imports(waiting.pop()) - found:
            found.add(name)
            waiting.append(MODULE_UTILS / (name + ".py"))
    return found


def files() -> t.Dict[str, Path]:
    return {
        path.relative_to(MODULE_UTILS).with_suffix("").as_posix(): path
        for path in sorted(MODULE_UTILS.rglob("*.py"))
        if path.name != "__init__.py"
    }


def test_each_file_has_a_room() -> None:
    assert {name.partition("/")[0] for name in files()} == set(ROOMS)


def test_imports_lead_downwards() -> None:
    found: t.Dict[str, t.Set[str]] = {}
    for name, path in files().items():
        room = name.partition("/")[0]
        upwards = {other for other in imports(path) if other.partition("/")[0] not in {room, *ROOMS[room]}}
        if upwards:
            found[name] = upwards
    assert found == {}


def test_there_is_no_circle() -> None:
    graph = {name: imports(path) for name, path in files().items()}
    while graph:
        leaves = {name for name, others in graph.items() if not others & graph.keys()}
        if not leaves:
            break
        graph = {name: others for name, others in graph.items() if name not in leaves}
    circle = {name: sorted(others & graph.keys()) for name, others in graph.items()}
    assert circle == {}


def test_links_and_ovs_never_load_each_other() -> None:
    for name, path in files().items():
        room = name.partition("/")[0]
        if room in ("_links", "_ovs"):
            assert not [
                other for other in shipped(path) if other.startswith({"_links": "_ovs/", "_ovs": "_links/"}[room])
            ], name


def kinds() -> t.Dict[str, str]:
    """The file of each kind, as "room/file", with the name of the kind."""
    found = {}
    for path in sorted(KINDS.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and "KIND" in [getattr(target, "id", "") for target in node.targets]:
                assert isinstance(node.value, ast.Call)
                found["_links/kinds/" + path.stem] = str(ast.literal_eval(node.value.args[0]))
    return found


def test_kinds_answer_for_themselves() -> None:
    """Nobody outside their room knows a kind by its file or its name."""
    assert len(kinds()) >= 7
    names = set(kinds().values())
    outside = {name: path for name, path in files().items() if not name.startswith("_links/kinds/")}
    assert {
        name: imports(path) & kinds().keys() for name, path in outside.items() if imports(path) & kinds().keys()
    } == {}
    found: t.Dict[str, t.Set[str]] = {}
    for name, path in outside.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names:
                found.setdefault(name, set()).add(node.value)
    assert found == NAMED


@pytest.mark.parametrize("name", [path.stem for path in sorted(MODULES.glob("*.py"))])
def test_size(name: str) -> None:
    names = shipped(MODULES / (name + ".py"))
    octets = sum((MODULE_UTILS / (each + ".py")).stat().st_size for each in names)
    print("%s ships %d files of %d bytes" % (name, len(names), octets))
    assert "_modules/run" in names
