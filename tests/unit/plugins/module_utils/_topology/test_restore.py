# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept of a topology for the next boot, and the command that reads it."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    BadInput,
    Conflict,
    PrerequisiteMissing,
    Unusable,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome
from ansible_collections.virtnet.linux.plugins.module_utils._links import bridge_ports
from ansible_collections.virtnet.linux.plugins.module_utils._links import documents as links_documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import registry
from ansible_collections.virtnet.linux.plugins.module_utils._links.netns import netns_options
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.bridge_documents import bridge_options
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_documents import port_options as ovs_port_options
from ansible_collections.virtnet.linux.plugins.module_utils._topology import documents, restore
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Record, WantedTopology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import make_plan
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted

Document = t.Dict[str, t.Any]

LINKS: t.List[Document] = [
    {"kind": "linux_bridge", "name": "br0", "netns": "blue", "ports": ["a"], "purge_ports": True, "stp": False},
    {"kind": "linux_bridge_port", "name": "a", "bridge": "br0", "vlans": [{"vid": 1, "pvid": "yes"}, {"vid": "10-12"}]},
    {"kind": "veth", "name": "a", "mtu": "1400", "routes": [{"to": "default", "via": "192.0.2.1", "metric": "5"}],
     "peer": {"name": "b", "netns": "blue", "addresses": [], "alias": ""}},
    {"kind": "tuntap", "name": "t", "mode": "tap", "owner": 0},
    {"kind": "macvlan", "name": "m", "parent": "t", "mode": "source", "macaddrs": ["02:00:00:00:00:01"]},
    {"kind": "macvtap", "name": "v", "parent": "t", "device": {"owner": "nobody", "mode": "0600"}},
    {"kind": "link", "name": "eth9", "netns": "/run/docker/netns/x", "move_from": "", "recreate": "false"},
    {"kind": "veth", "name": "gone", "state": "absent"},
]  # fmt: skip
BRIDGES: t.List[Document] = [
    {"name": "ovs0", "external_ids": {"n": 5, "gone": None}, "ports": [{"name": "p", "tag": 7}, {"name": "q", "mac": ""}]},
    {"name": "ovs1", "database": "/run/other/db.sock", "protocols": [], "ports": None},
]  # fmt: skip


def validate(options: Document, document: Document) -> t.Tuple[Document, t.List[str]]:
    result = ArgumentSpecValidator(options).validate(document)
    return dict(result.validated_parameters), list(result.error_messages)


def completed(**document: t.Any) -> Document:
    complete, wrong = validate(documents.topology_options(), {"name": "lab", **document})
    assert not wrong
    return complete


def kept(document: Document) -> Document:
    """What a document is when it has been kept."""
    read: Document = json.loads(json.dumps(documents.keepable(document, validate)))
    return read


@pytest.mark.parametrize("database", [None, "/run/ovs/db.sock"])
def test_what_is_kept_is_read_as_what_was_given(database: t.Optional[str]) -> None:
    namespaces = [{"name": "blue", "sysctls": {"net.ipv4.ip_forward": True}}, {"name": "gone", "state": "absent"}]
    document = completed(namespaces=namespaces, links=LINKS, ovs_bridges=BRIDGES, database=database, timeout=7)
    read = documents.read_topology(kept(document), documents.as_kept)
    assert read == documents.read_topology(document, validate)
    assert (kept(document)["timeout"], kept(document)["purge"]) == (7, True)
    # What is kept is itself kept as it is.
    assert documents.keepable(kept(document), documents.as_kept) == kept(document)


def test_what_was_left_out_is_not_kept() -> None:
    assert kept(completed(links=LINKS[3:4])) == {
        "name": "lab",
        "purge": True,
        "rollback": True,
        "timeout": 30,
        "namespaces": [],
        "links": [
            {
                "kind": "tuntap", "name": "t", "mode": "tap", "owner": "0", "state": "present", "recreate": False,
                "purge_addresses": False, "purge_routes": False, "purge_neighbors": False,
            }
        ],
        "ovs_bridges": [],
    }  # fmt: skip
    peer = kept(completed(links=LINKS[2:3]))["links"][0]["peer"]
    assert (peer["addresses"], peer["alias"], "mtu" in peer) == ([], "", False)
    assert kept(completed(ovs_bridges=BRIDGES))["ovs_bridges"][0]["external_ids"] == {"n": 5, "gone": None}


def test_an_option_that_a_program_does_not_know_is_wrong() -> None:
    document = kept(completed(links=LINKS, ovs_bridges=BRIDGES))
    document["links"][2]["new"] = document["ovs_bridges"][0]["ports"][1]["newer"] = 1
    with pytest.raises(BadInput) as caught:
        documents.read_topology(document, documents.as_kept)
    assert str(caught.value) == (
        "In links[2] ('a'): there is no option new. In ovs_bridges[0].ports[1] ('q'): there is no option newer."
    )


@pytest.mark.parametrize(
    ("link", "option"),
    [
        ({"netns": "/proc/7/ns/net"}, "netns"),
        ({"netns": "blue", "move_from": "/proc/7/ns/net"}, "move_from"),
        ({"kind": "veth", "peer": {"name": "b", "netns": "/proc/7/ns/net"}}, "peer.netns"),
    ],
)
def test_a_process_is_not_there_after_a_reboot(link: Document, option: str) -> None:
    document = completed(links=[{"kind": "tuntap", "name": "a", **link}])
    assert documents.read_topology(document, validate)
    with pytest.raises(BadInput, match=r"^Option %s of link '[ab]': '/proc/7/ns/net' is another" % option):
        documents.keepable(document, validate)


def test_keeping_is_a_change_by_itself() -> None:
    document = kept(completed(links=LINKS[3:4]))

    def plan(before: t.Optional[Document], keep: t.Optional[Document]) -> t.Tuple[Wanted, t.Any]:
        wanted = Wanted(topology=WantedTopology("lab", True, True, Record("lab"), keep=keep))
        return wanted, make_plan(State(kept=before), wanted)

    for before, after in ((None, document), (document, None), (document, {**document, "purge": False})):
        wanted, made = plan(before, after)
        assert made.changed
        assert made.after.kept == after
        assert made.commands == []
        (step,) = made.steps
        state = made.after.copy()
        (back,) = step.inverse(made.before)
        back.simulate(state)
        assert state.kept == before
        told = [documents.write_topology(state, wanted, made) for state in (made.before, made.after)]
        assert [one["persist"] for one in told] == [before is not None, after is not None]
        assert told[0] != told[1]
    for same in (None, document):
        assert not plan(same, same)[1].changed


def test_documents_in_files(tmp_path: Path) -> None:
    records = Records(str(tmp_path / "topologies"))
    assert records.kept_names() == []
    assert records.kept("b") is None
    records.keep("b", None)
    records.write(Record("r"))
    for name in ("b", "a.json", ".c"):
        records.keep(name, {"name": name})
    assert records.kept_names() == [".c", "a.json", "b"]
    assert records.names() == ["r"]
    assert records.kept("a.json") == {"name": "a.json"}
    records.keep("b", {"name": "new"})
    assert records.kept("b") == {"name": "new"}
    records.keep("b", None)
    assert sorted(path.name for path in (tmp_path / "topologies").iterdir()) == [
        ".c.document",
        "a.json.document",
        "r.json",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "document": {}}', '{"version": 1}', "\xff"])
def test_a_file_that_holds_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.document").write_text(text, encoding="latin-1")
    with pytest.raises(
        Unusable, match=r"^What is kept of topology 'lab' for the next boot .* Remove that file, and run"
    ):
        Records(str(tmp_path)).kept("lab")


# The command


@pytest.fixture
def _three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three topologies that are kept."""
    records = Records(str(tmp_path))
    monkeypatch.setattr(restore, "Records", lambda: records)
    monkeypatch.setattr(restore, "PAUSE", 0.01)
    for name in ("a", "b", "c"):
        records.keep(name, {**kept(completed(links=LINKS[3:4])), "name": name})


@pytest.fixture
def tried(_three: None, monkeypatch: pytest.MonkeyPatch) -> t.Dict[str, t.List[t.Any]]:
    """What comes of the next attempts at a topology, by its name; when there is nothing more, it succeeds."""
    outcomes: t.Dict[str, t.List[t.Any]] = {}

    def converge(_host: t.Any, _planning: t.Any, wanted: Wanted, *_how: bool) -> Outcome:
        assert wanted.topology
        left = outcomes.setdefault(wanted.topology.name, [])
        if left:
            raise left.pop(0)
        return Outcome(wanted, make_plan(State(), wanted), State())

    class Host:
        def __init__(self, timeout: int, records: Records) -> None:
            assert timeout == 30

        def close(self) -> None:
            pass

    monkeypatch.setattr(restore, "converge", converge)
    monkeypatch.setattr(restore, "WholeHost", Host)
    return outcomes


Told = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("tried")
def test_all_are_restored_by_their_names(capsys: Told) -> None:
    assert restore.main([]) == 0
    told = "%s: made 1 link; 2 steps in all."
    assert capsys.readouterr().out.splitlines() == [told % name for name in "abc"]
    assert restore.main(["--check", "c", "a", "a"]) == 0
    assert capsys.readouterr().out.splitlines() == [told.replace("made", "would make") % name for name in "ac"]
    assert restore.main(["--verbose", "b"]) == 0
    assert "b: ip tuntap add dev t mode tap user root" in capsys.readouterr().out


def test_others_are_restored_when_one_fails(tried: t.Any, capsys: Told) -> None:
    tried.update(a=[Conflict("That can't be.")], b=[RuntimeError("a bug")])
    assert restore.main([]) == 1
    told = capsys.readouterr()
    assert told.out == "c: made 1 link; 2 steps in all.\n"
    assert told.err.startswith(
        "a: That can't be.\nb: An error inside virtnet.linux stopped the task: RuntimeError: a bug. "
    )
    assert "Traceback" not in told.err
    assert restore.main([]) == 0


def test_the_traceback_of_what_nobody_has_foreseen(tried: t.Any, capsys: Told) -> None:
    tried.update(b=[RuntimeError("a bug")])
    assert restore.main(["--verbose"]) == 1
    assert "\nb: Traceback" in capsys.readouterr().err


def test_what_is_missing_may_come(tried: t.Any, capsys: Told) -> None:
    tried.update(a=[PrerequisiteMissing(["It lacks."])] * 3)
    assert restore.main(["--wait", "60"]) == 0
    assert [line[:1] for line in capsys.readouterr().out.splitlines()] == ["b", "c", "a"]
    # Without waiting it gets another chance as long as others succeed.
    tried.update(a=[PrerequisiteMissing(["It lacks."])] * 2, b=[PrerequisiteMissing(["It lacks."])])
    assert restore.main([]) == 0
    tried.update(a=[PrerequisiteMissing(["It lacks."])] * 3)
    assert restore.main(["a"]) == 1
    assert capsys.readouterr().err == "a: It lacks.\n"


def test_one_that_fails_does_not_end_the_waiting(tried: t.Any, capsys: Told) -> None:
    tried.update(
        a=[PrerequisiteMissing(["It lacks."])] * 5, b=[PrerequisiteMissing(["It lacks."]), Conflict("That can't be.")]
    )
    assert restore.main(["--wait", "60"]) == 1
    told = capsys.readouterr()
    assert [line[:1] for line in told.out.splitlines()] == ["c", "a"]
    assert told.err == "b: That can't be.\n"


@pytest.mark.usefixtures("tried")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x"], "x: Nothing is kept of it for the next boot"),
        (["../a"], "../a: The name of a topology: '../a' can't be"),
        (["a", "x"], "x: Nothing is kept"),
    ],
)
def test_names_that_are_none(capsys: Told, words: t.List[str], sentence: str) -> None:
    assert restore.main(words) == 1
    assert capsys.readouterr().err.startswith(sentence)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["--wait", "long"], 2),
        (["--wait", "nan"], 2),
        (["--wait", "-1"], 2),
        (["--wait", "inf"], 2),
        (["--nosuch"], 2),
    ],
)
def test_words_that_are_none(words: t.List[str], code: int) -> None:
    with pytest.raises(SystemExit) as caught:
        restore.main(words)
    assert caught.value.code == code


# Documents with wrong types

WRONG: t.Dict[str, t.List[t.Any]] = {
    "str": [5, True, 1.5, [], {}, "\0", "\ud800", ["x"]],
    "int": ["5", True, 1.5, [], {}],
    "float": ["5", True, [], {}],
    "bool": ["yes", 1, 0.0, [], {}],
    "list": ["x", {}, 5, True],
    "dict": [[], "x", 5, True, [{}]],
    "raw": ["\0"],
}
SPECS: t.Dict[str, t.Tuple[t.Callable[[Document], Document], Document]] = {
    "namespaces[0]": (lambda wrong: {"namespaces": [{"name": "n", **wrong}]}, netns_options()),
    "ovs_bridges[0]": (
        lambda wrong: {"ovs_bridges": [{"name": "b", **wrong}]},
        {k: v for k, v in bridge_options().items() if k not in ("ports", "purge_ports", "timeout")},
    ),
    "ovs_bridges[0].ports[0]": (
        lambda wrong: {"ovs_bridges": [{"name": "b", "ports": [{"name": "p", **wrong}]}]},
        {k: v for k, v in ovs_port_options().items() if k != "timeout"},
    ),
}


def of_kind(kind: str, options: Document) -> t.Tuple[t.Callable[[Document], Document], Document]:
    given = {"kind": kind, "name": "l", **({"bridge": "b"} if kind == documents.PORT else {})}
    return lambda wrong: {"links": [{**given, **wrong}]}, {k: v for k, v in options.items() if k != "kind"}


def wrong_options(options: Document, prefix: str = "") -> t.Iterator[t.Tuple[str, Document]]:
    """The name of an option, and a document in which that is wrong; each option with each wrong type, in lists as well."""
    for name, spec in options.items():
        for value in WRONG[spec["type"]]:
            yield prefix + name, {name: value}
        if "choices" in spec and spec["type"] == "str":
            yield prefix + name, {name: "no such choice"}
        elements = [] if "options" in spec else WRONG[spec.get("elements", "raw")]
        if spec["type"] == "list":
            yield from (("%s%s[0]" % (prefix, name), {name: [value]}) for value in elements)
            yield from (
                ("%s%s[0]" % (prefix, name), {name: [value]}) for value in ([5, "x", []] if "options" in spec else [])
            )
        if "options" in spec:
            listed = spec["type"] == "list"
            required = {k: "192.0.2.0" for k, within in spec["options"].items() if within.get("required")}
            place = "%s%s%s." % (prefix, name, "[0]" if listed else "")
            for within, wrong in wrong_options(spec["options"], place):
                element = {**required, **wrong}
                yield within, {name: [element] if listed else element}
            for missing in required:
                element = {k: v for k, v in required.items() if k != missing}
                yield place + missing, {name: [element] if listed else element}
        if spec["type"] == "dict" and "options" not in spec:
            yield from ((prefix + name, {name: {key: "x"}}) for key in ("\0", "\ud800"))
            yield from ((prefix + name, {name: {"x": value}}) for value in ("\0", {"x": ["\ud800"]}))


def wrong_documents() -> t.Iterator[t.Tuple[str, str, Document]]:
    """The place and the name of the option that is wrong in a document that is kept of topology a."""
    for kind, of in (*registry.KINDS.items(), (documents.ANY, None)):
        SPECS["links[0] (%s)" % kind] = of_kind(kind, links_documents.link_options(of))
    SPECS["links[0] (%s)" % documents.PORT] = of_kind(documents.PORT, bridge_ports.options())
    for place, (build, options) in SPECS.items():
        for option, wrong in wrong_options(options):
            yield place.partition(" ")[0], option, build(wrong)
    for option, wrong in wrong_options({k: v for k, v in documents.topology_options().items() if k in documents._KEPT}):
        yield "", option, wrong
    for kind in (None, 5, True, [], {}, ["veth"], "nosuch", "\ud800"):
        yield "links[0]", "kind", {"links": [{"name": "l", "kind": kind}]}
    for ports in (5, "x", [5], {"x": 1}):
        yield "ovs_bridges[0]", "ports", {"ovs_bridges": [{"name": "b", "ports": ports}]}
    for part in ("namespaces", "links", "ovs_bridges"):
        yield from ((part, part, {part: [element]}) for element in (5, "x", [], None, True))
        yield part + "[0]", "name", {part: [{"kind": "veth"} if part == "links" else {}]}
    for name in ("b", "../a", "", "a/../a"):
        yield "", "name", {"name": name}
    yield "", "timeout", {"timeout": 0}
    yield "", "unknown", {"unknown": 1}


@pytest.mark.usefixtures("tried")
def test_documents_with_wrong_types_are_sentences(tmp_path: Path, capsys: Told) -> None:
    file = tmp_path / "a.document"
    good = json.loads(file.read_text())["document"]
    (tmp_path / "c.document").unlink()
    count = 0
    for place, option, wrong in wrong_documents():
        document = {**good, **wrong}
        file.write_text(json.dumps({"version": 1, "document": document}))
        assert restore.main([]) == 1, wrong
        told = capsys.readouterr()
        assert told.out == "b: made 1 link; 2 steps in all.\n"
        start = "a: What is kept of topology 'a' for the next boot (%s) can't be used: " % file
        assert told.err.startswith(start), (wrong, told.err)
        assert place in told.err, (wrong, told.err)
        assert option in told.err, (wrong, told.err)
        assert told.err.endswith("Remove that file, and run the playbook again.\n")
        assert told.err[:-1].isprintable()
        count += 1
    assert count > 800


@pytest.mark.usefixtures("tried")
def test_what_is_no_document_of_ours_is_a_sentence(tmp_path: Path, capsys: Told) -> None:
    (tmp_path / "a.document").unlink()
    os.mkfifo(tmp_path / "a.document")
    (tmp_path / "b.document").rename(tmp_path / "x.document")
    for name in (b"\xff.document", b"new\nline.document", b".document", b"..document"):
        (tmp_path / os.fsdecode(name)).touch()
    assert restore.main([]) == 1
    told = capsys.readouterr()
    assert told.out == "c: made 1 link; 2 steps in all.\n"
    sentences = told.err.splitlines()
    assert len(sentences) == 6, told.err
    assert (
        "a: What is kept of topology 'a' for the next boot (%s/a.document) can't be used: it is not a regular"
        % (tmp_path)
        in told.err
    )
    assert "x.document) can't be used: Option name: it is the document of topology 'b'" in told.err
    assert "new\\nline: The name of a topology: 'new\\nline' contains white space" in told.err

    tmp_path.chmod(0o777)
    assert restore.main([]) == 1
    assert capsys.readouterr().err.startswith("The folder %s can't be trusted: every user may write it" % tmp_path)
    assert restore.main(["c"]) == 1
    assert capsys.readouterr().err.startswith("c: The folder ")
    tmp_path.chmod(0o700)


@pytest.mark.usefixtures("tried")
def test_what_a_newer_version_knows_besides_has_a_default(tmp_path: Path, capsys: Told) -> None:
    """A document that an older version has kept lacks the options that have come since."""
    file = tmp_path / "a.document"
    document = json.loads(file.read_text())["document"]
    del document["rollback"], document["ovs_bridges"], document["links"][0]["purge_routes"]
    file.write_text(json.dumps({"version": 1, "document": document}))
    assert restore.main(["a"]) == 0, capsys.readouterr().err
