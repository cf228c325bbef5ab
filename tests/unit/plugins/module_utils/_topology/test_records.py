# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import os
import socket
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import topology_name
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Netns, Ref
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Switch
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import OwnedLink, Record
from ansible_collections.virtnet.linux.plugins.module_utils._topology.ownership import (
    Owned,
    announced,
    record_of,
    still_owned,
)
from ansible_collections.virtnet.linux.plugins.module_utils._topology.record_format import from_json, to_json
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State

names = st.text("aZ0_.é中", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
identities = st.sampled_from(["", "cookie 4711", "inode 4026531840", "8b0e3f0a-6a39-4d0a-a3a3-9b8f3bb4c5d6"])
rows = st.dictionaries(
    st.tuples(st.sampled_from(["", "unix:/run/a", "tcp:192.0.2.1:6640"]), names), identities, max_size=3
)
indexes = st.integers(0, 2**31 - 1)
links = st.builds(OwnedLink, names | st.just(""), identities, names, st.just("veth"), indexes, indexes)
records = st.builds(
    Record, names, identities, st.dictionaries(names, identities), st.lists(links, max_size=3), rows, rows
)

BR0 = Ref("blue", "br0")
MINE = Owned({"blue"}, {BR0}, {("", "ovs0")}, {("", "p0")})


def a_state(**links: int) -> State:
    switch = Switch(rows={("Bridge", "ovs0"): "uuid1", ("Port", "p0"): "uuid2"})
    state = State(namespaces={"blue": Netns("blue", identity="cookie 1")}, ovs={"": switch}, boot="this")
    for name, index in links.items():
        state.put(Link(Ref("blue", name), "linux_bridge", index))
    return state


@given(records)
def test_what_is_written_can_be_read(record: Record) -> None:
    read = from_json(json.loads(json.dumps(to_json(record))), record.name)
    assert read == record
    assert read.sealed


def test_what_is_the_same_still_belongs() -> None:
    state = a_state(br0=7)
    assert still_owned(record_of("lab", MINE, state), state) == MINE


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
    assert still_owned(record, state) == dataclasses.replace(MINE, **left)


def test_what_was_announced_belongs_if_it_came_afterwards() -> None:
    before, after = a_state(old=7), a_state(old=7, br0=0)
    record = announced(Record("lab"), Owned(links={BR0, Ref("blue", "old")}), before, after)
    assert still_owned(record, a_state(br0=8, old=7)).links == {BR0}
    assert still_owned(record, a_state(br0=7)).links == set()


def test_a_link_that_a_killed_task_has_set_aside_still_belongs() -> None:
    before = a_state(br0=7)
    record = announced(record_of("lab", Owned(links={BR0}), before), Owned(links={BR0}), before, a_state(br0=0))
    assert still_owned(record, a_state(vnaside7=7)).links == {Ref("blue", "vnaside7")}
    assert still_owned(record, a_state(vnaside7=7, br0=8)).links == {Ref("blue", "vnaside7"), BR0}
    assert still_owned(record, a_state(vnaside7=9, vnaside9=9)).links == set()


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


LINK = OwnedLink("blue", "cookie 1", "br0", "linux_bridge", 7)._asdict()
ROW = {"database": "", "name": "p0", "uuid": "1-2-3"}


def test_each_name_of_a_topology_is_one_that_its_files_can_have(tmp_path: Path) -> None:
    records = Records(str(tmp_path))
    for longest in ("x" * 246, "ü" * 123, "中" * 82, ".x", "a.json", "a.document"):
        assert topology_name(longest, "option name") == longest
        records.write(Record(longest))
        records.keep(longest, {})
        assert (records.names(), records.kept_names()) == ([longest], [longest])
        records.remove(longest)
        records.keep(longest, None)
    for too_long in ("x" * 247, "ü" * 124):
        with pytest.raises(BadInput, match="the name of a topology has at most 246 bytes"):
            topology_name(too_long, "option name")


GOOD = {**to_json(Record("lab")), "namespaces": {"blue": "cookie 1"}, "links": [LINK], "ovs_ports": [ROW]}
ODD: t.List[t.Any] = [
    None,
    True,
    1,
    -1,
    2**31,
    1.5,
    "a/b",
    "\0",
    "\ud800",
    "\udcff",
    "a\nb",
    [],
    [1],
    {},
    {"": ""},
    "x" * 300,
]


def changed(part: str, **values: t.Any) -> t.Dict[str, t.Any]:
    return {**GOOD, part: [{**GOOD[part][0], **values}]}


def wrong_records() -> t.Iterator[t.Tuple[str, t.Any]]:
    """Each part of a record with each odd value that it can't have, and what the sentence names."""
    fits = {
        "version": (1,), "boot": ("",), "namespaces": ({},), "links": ([],), "ovs_bridges": ([],), "ovs_ports": ([],),
        "ifindex": (1,), "above": (1,), "database": ("",), "uuid": ("",), "space": ("",), "netns": ("",), "kind": ("",),
        "seal": (None, *(odd for odd in ODD if isinstance(odd, str) and "\0" not in odd and odd != "\ud800")),
    }  # fmt: skip

    def odd(name: str) -> t.List[t.Any]:
        return [
            value for value in ODD if not any(value == fit and type(value) is type(fit) for fit in fits.get(name, ()))
        ]

    for name in (*GOOD, "seal", "unknown"):
        yield from ((name if value is not None else "", {**GOOD, name: value}) for value in odd(name))
    for part, example in (("links", LINK), ("ovs_ports", ROW)):
        yield from ((key, changed(part, **{key: value})) for key in example for value in odd(key))
        yield from ((key, {**GOOD, part: [{k: v for k, v in example.items() if k != key}]}) for key in example)
        yield from ((part, {**GOOD, part: [value]}) for value in ODD)
        yield part, changed(part, more=1)
    yield from (("namespaces", {**GOOD, "namespaces": {"blue": value}}) for value in ODD)
    yield from (
        ("namespaces", {**GOOD, "namespaces": {name: ""}})
        for name in ("", "../x", "a\0", "\ud800", "/run/../x", "/etc/passwd", "-x")
    )


WRONG = list(wrong_records())


def test_a_record_is_checked_as_strictly_as_what_users_write(tmp_path: Path) -> None:
    assert len(WRONG) > 250
    file = tmp_path / "lab.json"
    file.write_text(json.dumps(GOOD))
    assert Records(str(tmp_path)).read("lab").links == [OwnedLink(**LINK)]
    for part, data in WRONG:
        file.write_text(json.dumps(data))
        with pytest.raises(Unusable) as caught:
            Records(str(tmp_path)).read("lab")
        assert str(caught.value).startswith("The record of topology 'lab' (%s) can't be used: " % file), (part, data)
        assert part in str(caught.value), (part, data)
        assert len(str(caught.value)) < 600
        assert str(caught.value).isprintable()


DEEP = 100_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("[]", "version"),
        ("null", "version"),
        ("{}", "version"),
        ('"x', "Unterminated string"),
        ("\xff", "not text in UTF-8"),
        ("[" * DEEP, "nested"),
        ("[" * DEEP + "]" * DEEP, "nested"),
        ("[" * 40 + "]" * 40, "nested"),
        ('{"a":' * 40 + "1" + "}" * 40, "nested"),
        ("9" * 5000, "a number of 5000 digits"),
        ('{"version": NaN}', "NaN"),
        (json.dumps({**GOOD, "version": 2}), "it has version 2, and this collection knows 1"),
        (json.dumps({**GOOD, "name": "../lab"}), "name"),
        (json.dumps({**GOOD, "name": "other"}), "it is that of topology 'other'"),
    ],
)
def test_a_record_that_can_not_be_used_is_a_sentence(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "lab.json").write_text(text, encoding="latin-1")
    with pytest.raises(
        Unusable, match=r"^The record of topology 'lab' \(.*lab\.json\) can't be used: .*No changes were made\."
    ) as caught:
        Records(str(tmp_path)).read("lab")
    assert why in str(caught.value)


@pytest.mark.parametrize("suffix", ["json", "document"])
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkfifo, "not a regular file"),
        (lambda path: os.symlink("/dev/zero", path), "not a regular file"),
        (lambda path: os.symlink("/dev/stdin", path), "not a regular file"),
        (os.mkdir, "not a regular file"),
        (lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), "not a regular file"),
        (lambda path: os.close(os.open(path, os.O_CREAT, 0o600)) or os.truncate(path, 2**40), "more than"),
        (lambda path: os.close(os.open(path, os.O_CREAT)) or os.chmod(path, 0o622), "every user may write it"),
        (lambda path: os.close(os.open(path, os.O_CREAT)) or os.chmod(path, 0o620), "group [0-9]+ may write it"),
    ],
)
def test_what_is_no_file_of_ours_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: t.Any, why: str, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make(Path("lab.%s" % suffix))
    records = Records(str(tmp_path))
    with pytest.raises(Unusable, match=why):
        records.read("lab") if suffix == "json" else records.kept("lab")


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o757])
def test_a_folder_that_others_may_write(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "virtnet" / "topologies"
    Records(str(folder)).write(Record("lab"))
    for path in (folder, folder.parent):
        if path == folder.parent and mode & 0o1000:
            continue
        path.chmod(mode)
        for read in (
            Records.names,
            Records.kept_names,
            lambda records: records.read("lab"),
            lambda records: records.kept("lab"),
        ):
            with pytest.raises(Unusable, match=r"^The folder %s can't be trusted: .*chmod go-w %s" % (path, path)):
                read(Records(str(folder)))
        path.chmod(0o755)
    assert Records(str(folder)).names() == ["lab"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_belongs_to_another_user_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "virtnet" / "topologies"
    records = Records(str(folder))
    records.write(Record("lab"))
    records.keep("lab", {})
    os.chown(records.path("lab"), 1000, -1)
    os.chown(records.kept_path("lab"), 1000, -1)
    with pytest.raises(Unusable, match=r"lab\.json\) can't be used: user 1000 may write it"):
        records.read("lab")
    with pytest.raises(Unusable, match=r"lab\.document\) can't be used: user 1000 may write it"):
        records.kept("lab")
    os.chown(folder, 1000, -1)
    with pytest.raises(Unusable, match=r"can't be trusted: user 1000 may write it"):
        records.names()


FOREIGN = Ref("blue", "br0")


@pytest.mark.parametrize("space", ["", "cookie 1"])
@pytest.mark.parametrize("above", [0, 1, 6])
def test_what_was_written_by_hand_is_not_proven(space: str, above: int) -> None:
    """Everything that exists is claimed by a record of this boot, without an identity."""
    data = {
        **GOOD,
        "boot": "this",
        "namespaces": {"blue": ""},
        "links": [{**LINK, "ifindex": 0, "above": above, "space": space}],
        "ovs_bridges": [{"database": "", "name": "ovs0", "uuid": ""}],
        "ovs_ports": [{"database": "", "name": "p0", "uuid": ""}],
    }
    assert still_owned(from_json(data, "lab"), a_state(br0=7)) == Owned()
    # Nor does it help to take the seal of another record, or to edit a sealed one.
    state = a_state()
    sealed = to_json(announced(Record("lab"), Owned({"red"}, {FOREIGN}), state, a_state(br0=0)))
    assert from_json(sealed, "lab").sealed
    assert still_owned(from_json({**data, "seal": sealed["seal"]}, "lab"), a_state(br0=7)) == Owned()
    assert not from_json({**sealed, "namespaces": {"blue": ""}}, "lab").sealed


def test_what_was_announced_in_a_namespace_to_be_made() -> None:
    """It belongs if the namespace does."""
    before, after = State(boot="this"), a_state(br0=0)
    record = announced(Record("lab"), Owned({"blue"}, {BR0}), before, after)
    assert still_owned(record, a_state(br0=2)) == Owned({"blue"}, {BR0})
    record.namespaces = {}
    assert still_owned(record, a_state(br0=2)) == Owned()


def test_a_folder_that_can_not_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unusable, match=r"^Writing .*lab\.json failed: "):
        Records(str(tmp_path / "file")).write(Record("lab"))
