# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._model import State
from ansible_collections.virtnet.linux.plugins.module_utils._model_links import Link, Netns, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._model_ovs import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._model_topology import (
    Belongings,
    OwnedLink,
    Record,
    announced,
    belongings,
    from_json,
    record_of,
    to_json,
)
from ansible_collections.virtnet.linux.plugins.module_utils._records import Records

texts = st.text(st.characters(codec="utf-8"), max_size=8)
rows = st.dictionaries(st.tuples(texts, texts), texts, max_size=3)
links = st.builds(OwnedLink, texts, texts, texts, texts, st.integers(0, 2**31), st.integers(0, 2**31))
records = st.builds(Record, texts, texts, st.dictionaries(texts, texts), st.lists(links, max_size=3), rows, rows)

BR0 = Ref("blue", "br0")
MINE = Belongings({"blue"}, {BR0}, {("", "ovs0")}, {("", "p0")})


def a_state(**links: int) -> State:
    switch = Switch(rows={("Bridge", "ovs0"): "uuid1", ("Port", "p0"): "uuid2"})
    state = State(namespaces={"blue": Netns("blue", identity="cookie 1")}, ovs={"": switch}, boot="this")
    for name, index in links.items():
        state.put(Link(Ref("blue", name), "linux_bridge", index))
    return state


@given(records)
def test_what_is_written_can_be_read(record: Record) -> None:
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


def test_what_is_the_same_still_belongs() -> None:
    state = a_state(br0=7)
    assert belongings(record_of("lab", MINE, state), state) == MINE


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda state: state.put(Link(BR0, "linux_bridge", 8)), {"links": set()}),
        (lambda state: state.put(Link(BR0, "veth", 7)), {"links": set()}),
        (lambda state: state.links.clear(), {"links": set()}),
        (
            lambda state: state.namespaces.update(blue=Netns("blue", identity="cookie 2")),
            {"namespaces": set(), "links": set()},
        ),
        (lambda state: setattr(state, "boot", "the next one"), {"namespaces": set(), "links": set()}),
        (lambda state: state.ovs[""].rows.update({("Bridge", "ovs0"): "other"}), {"bridges": set()}),
        (lambda state: state.ovs.clear(), {"bridges": set(), "ports": set()}),
    ],
)
def test_what_is_not_the_same_does_not(change: t.Callable[[State], t.Any], left: t.Dict[str, t.Any]) -> None:
    state = a_state(br0=7)
    record = record_of("lab", MINE, state)
    change(state)
    assert belongings(record, state) == dataclasses.replace(MINE, **left)


def test_what_was_announced_belongs_if_it_came_afterwards() -> None:
    before, after = a_state(old=7), a_state(old=7, br0=0)
    record = announced(Record("lab"), Belongings(links={BR0, Ref("blue", "old")}), before, after)
    assert belongings(record, a_state(br0=8, old=7)).links == {BR0}
    assert belongings(record, a_state(br0=7)).links == set()


def test_a_folder_of_records(tmp_path: Path) -> None:
    folder = Records(str(tmp_path / "made" / "on demand"))
    assert folder.names() == []
    assert folder.read("lab") == Record("lab")
    record = Record("lab", "this", {"blue": "cookie 1"})
    folder.write(Record("lab"))
    folder.write(record)
    assert folder.names() == ["lab"]
    assert folder.read("lab") == record
    folder.remove("lab")
    folder.remove("lab")
    assert list((tmp_path / "made" / "on demand").iterdir()) == []


GOOD = to_json(Record("lab"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '"x',
        "\xff",
        json.dumps({**GOOD, "version": 2}),
        json.dumps({**GOOD, "links": [{}]}),
        json.dumps({**GOOD, "links": None}),
        json.dumps({**GOOD, "namespaces": []}),
        json.dumps({**GOOD, "ovs_ports": [1]}),
    ],
)
def test_a_record_that_can_not_be_used_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.json").write_text(text, encoding="latin-1")
    with pytest.raises(
        Unusable, match=r"^The record of topology 'lab' \(.*lab\.json\) can't be used: .*nothing was changed\."
    ):
        Records(str(tmp_path)).read("lab")


def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unusable, match=r"^Writing .*lab\.json failed: "):
        Records(str(tmp_path / "file")).write(Record("lab"))
