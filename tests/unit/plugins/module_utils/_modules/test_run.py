# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    Complaints,
    Conflict,
    PrerequisiteMissing,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Host
from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Planning
from ansible_collections.virtnet.linux.plugins.module_utils._engine.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._links import documents
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.registry import KINDS
from ansible_collections.virtnet.linux.plugins.module_utils._modules.run import Backend, Module, run
from ansible_collections.virtnet.linux.plugins.module_utils._topology.following import Following

testing = pytest.importorskip("ansible.module_utils.testing")


def opened(options: t.Dict[str, t.Any]) -> Module:
    with testing.patch_module_args(options):
        return Module(documents.link_options(KINDS["veth"]))


def test_an_option_that_does_not_exist_does_not_hide_the_others() -> None:
    module = opened({"name": "v0", "peeer": {"name": "w0"}})
    assert module.readable
    (sentence,) = module.wrong
    assert "module: peeer. Supported parameters include: addresses, " in sentence


def test_all_that_ansible_finds_is_kept() -> None:
    module = opened({"nam": "v0", "mtu": "large", "state": "running"})
    assert not module.readable
    told = " ".join(module.wrong)
    for words in ("nam. Supported", "missing required arguments: name.", "argument 'mtu'", "value of state must be"):
        assert words in told


@pytest.mark.parametrize("value", [True, 5, ["w0"]])
def test_what_ansible_would_stumble_over_is_a_sentence(value: t.Any) -> None:
    module = opened({"name": ["v0"], "peer": value})
    assert not module.readable
    assert [sentence.split(";")[0] for sentence in module.wrong] == [
        "Option name must be a string",
        "Option peer must be a dictionary",
    ]


def test_a_report_tells_each_sentence_once_and_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    module = opened({"name": "v0"})
    module.report([])
    failure = Conflict("One.", "Two\x1b[31m.")
    failure.aftermath = "No changes were made."
    with pytest.raises(SystemExit), testing.patch_module_args({}):
        module.report(["One.", "Zero.", "One."], failure)
    assert json.loads(capsys.readouterr().out)["msg"] == "One. Zero. Two\\x1b[31m. No changes were made."


def test_what_ansible_repeats_is_shortened() -> None:
    module = opened({"name": "v0", "state": "up " * 50_000, "x" * 50_000: 1})
    assert [len(sentence) < 3000 for sentence in module.wrong] == [True, True]


def test_complaints_are_collected() -> None:
    told = Complaints()

    def refuse(*sentences: str) -> None:
        raise Conflict(*sentences)

    assert told.attempt(len, "abc") == 3
    told.report()
    assert told.attempt(refuse, "One.", "Two.") is None
    told.attempt(refuse, "One.")
    with pytest.raises(Exception, match=r"^One\. Two\.$"):
        told.report()
    assert PrerequisiteMissing(["One.", "One."]).sentences == ("One.", "One.")
    assert str(PrerequisiteMissing(["One.", "One."])) == "One."


@pytest.mark.parametrize("verbosity", [0, 3])
def test_what_nobody_has_foreseen_is_a_sentence(verbosity: int, capsys: pytest.CaptureFixture[str]) -> None:
    module = opened({"name": "v0", "_ansible_verbosity": verbosity})
    try:
        {}["mode"]
    except KeyError as error:
        with pytest.raises(SystemExit), testing.patch_module_args({}):
            module.report([], error)
    told = json.loads(capsys.readouterr().out)
    assert told["msg"].startswith("An error inside virtnet.linux stopped the task: KeyError: 'mode'. ")
    assert told["msg"].endswith(" No changes were made.")
    assert ("Traceback (most recent call last):" in told.get("traceback", ())) == (verbosity == 3)


def test_every_module_has_the_records_of_topologies_follow() -> None:
    """What an undo makes again has another identity, and a topology may own it."""
    made: t.List[t.Any] = []

    class Watched(Host):
        """A host that tells what was set for it."""

        def observe(self, wanted: t.Any) -> State:
            made.append(self.make_follower)
            return State()

    def plan(state: State, _wanted: t.Any) -> Plan:
        return Plan(state, state, [])

    planning = Planning(plan, lambda *_states: [], lambda *_states: [])
    with pytest.raises(SystemExit), testing.patch_module_args({"_ansible_check_mode": True}):
        run(
            "thing",
            {},
            lambda _options: Wanted(),
            lambda _outcome, _state: {},
            Backend(lambda _options: Watched(), planning),
        )
    (follower,) = made
    assert isinstance(follower(), Following)
