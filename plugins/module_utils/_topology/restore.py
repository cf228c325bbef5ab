# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The command that restores topologies with ``persist: true``, at boot and without Ansible."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import shlex
import sys
import time
import traceback
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    BadInput,
    Failure,
    PrerequisiteMissing,
    Unforeseen,
    as_failure,
)
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._topology import documents
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Record, WantedTopology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING, created_by
from ansible_collections.virtnet.linux.plugins.module_utils._topology.records import Records

if t.TYPE_CHECKING:
    import io

    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan

WAIT_MAX = 86400  # seconds
PAUSE = 0.5  # seconds between two attempts to find missing links


def main(words: t.Sequence[str]) -> int:
    """Restore what the command line requests; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Names may contain any character, and there may be no locale at boot.
        t.cast("io.TextIOWrapper", stream).reconfigure(encoding="utf-8", errors="backslashreplace")
    arguments = _parser().parse_args(words)
    records = Records()
    deadline = time.monotonic() + arguments.wait
    try:
        # Python decodes arguments by the locale.
        named = {names.from_octets(os.fsencode(name)) for name in arguments.names}
        to_do = sorted(named) or records.kept_names()
    except Failure as failure:
        _say(str(failure), sys.stderr)
        return 1
    if not to_do:
        _say("There is no topology to restore.")
    failed = False
    while to_do:
        results = {name: _attempt(name, records, arguments) for name in to_do}
        missing = {name: result for name, result in results.items() if isinstance(result, PrerequisiteMissing)}
        failed = failed or False in results.values()
        # What one topology lacked may have been created by another.
        if len(missing) == len(to_do):
            if time.monotonic() >= deadline:
                for name, sentences in missing.items():
                    _complain(name, str(sentences))
                return 1
            time.sleep(PAUSE)
        to_do = list(missing)
    return int(failed)


def _attempt(name: str, records: Records, arguments: argparse.Namespace) -> t.Union[bool, PrerequisiteMissing]:
    """Whether a topology was restored, or what it lacks and may get later."""
    try:
        _tell(name, _restore(name, records, arguments.check), arguments)
    except PrerequisiteMissing as missing:
        return missing
    except Exception as error:  # noqa: BLE001
        # Whatever it is, the other topologies must be restored.
        failure = as_failure(error)
        _complain(name, str(failure))
        if isinstance(failure, Unforeseen) and arguments.verbose:
            _complain(name, traceback.format_exc())
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="virtnet-restore",
        description="Makes this host have the networks of the topologies of virtnet.linux that were made with 'persist: true'.",
        epilog="The exit code is 0 if they all stand, 1 if one doesn't.",
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="a topology; without any, all that are kept")
    parser.add_argument("--check", action="store_true", help="change nothing, and tell what would be done")
    parser.add_argument("--verbose", action="store_true", help="print the commands that would do the same")
    parser.add_argument(
        "--wait", metavar="SECONDS", type=_seconds, default=0, help="how long to wait for links that aren't there yet"
    )
    return parser


def _seconds(word: str) -> float:
    seconds = float(word)
    if not 0 <= seconds <= WAIT_MAX:  # also false for 'nan'
        raise argparse.ArgumentTypeError("it is a number of seconds from 0 to %d" % WAIT_MAX)
    return seconds


def _restore(name: str, records: Records, check: bool) -> Outcome:
    """Give the host a topology as it is kept. Raises a Failure."""
    document = records.kept(names.topology_name(name, "the name of a topology"))
    if document is None:
        raise BadInput("Nothing is kept of it for the next boot (option persist of module topology).")
    try:
        wanted, complete = documents.read_kept(document, name)
    except BadInput as error:
        raise records.bad_document(name, error) from error
    topology = WantedTopology(name, True, complete["purge"], Record(name), keep=document)
    wanted = dataclasses.replace(wanted, topology=topology)
    with contextlib.closing(WholeHost(complete["timeout"], records)) as host:
        return converge(host, PLANNING, wanted, check, complete["rollback"])


def _tell(name: str, outcome: Outcome, arguments: argparse.Namespace) -> None:
    plan = outcome.plan
    _say("%s: %s." % (name, _summary(plan, arguments.check)))
    if arguments.verbose:
        for argv in plan.commands:
            _say("%s: %s" % (name, shlex.join(argv)))
    # Topologies that failed and still fail.
    broken = plan.broken if arguments.check else PLANNING.make_plan(outcome.now, outcome.wanted).broken
    for sentence in (*plan.missing, *plan.warnings, *broken):
        _complain(name, sentence)


def _summary(plan: Plan, check: bool) -> str:
    if not plan.steps:
        return "nothing to do"
    new = created_by(plan)
    counts = {
        "namespace": len(new.namespaces),
        "link": len(new.links),
        "OVS bridge": len(new.bridges),
        "OVS port": len(new.ports),
    }
    things = ["%d %s%s" % (count, noun, "s" * (count > 1)) for noun, count in counts.items() if count]
    doing = "would make" if check else "made"
    return "%s%s" % (
        "%s %s; " % (doing, ", ".join(things)) if things else "",
        "%d step%s in all" % (len(plan.steps), "s" * (len(plan.steps) > 1)),
    )


def _complain(name: str, text: str) -> None:
    _say("%s: %s" % (names.printable(name), text), sys.stderr)


def _say(line: str, stream: t.Optional[t.TextIO] = None) -> None:
    stream = stream or sys.stdout
    stream.write(line + "\n")
    stream.flush()
