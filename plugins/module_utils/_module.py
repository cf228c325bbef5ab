# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The one place that knows AnsibleModule: options in, result or failure out."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.virtnet.linux.plugins.module_utils import _documents as documents
from ansible_collections.virtnet.linux.plugins.module_utils._apply import Outcome, converge
from ansible_collections.virtnet.linux.plugins.module_utils._errors import Failure
from ansible_collections.virtnet.linux.plugins.module_utils._model import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import Kernel

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._kinds._kind import Kind


def run_link(kind: t.Optional[Kind]) -> None:
    """The whole of a module for one kind of link; None for the module that takes any that is there."""

    def read(document: documents.Document) -> Wanted:
        return Wanted(links=(documents.read_link(document, kind),))

    def write(outcome: Outcome, state: State) -> documents.Document:
        wanted = outcome.wanted.links[0]
        was = outcome.plan.found.get(wanted.ref) if state is outcome.plan.before else None
        return documents.write_link(state, was or wanted.ref, kind)

    _run("link", documents.link_options(kind), read, write)


def run_port() -> None:
    """The whole of the module linux_bridge_port."""

    def read(document: documents.Document) -> Wanted:
        return Wanted(links=(documents.read_port(document),))

    def write(outcome: Outcome, state: State) -> documents.Document:
        wanted = outcome.wanted.links[0]
        link = state.links.get(wanted.ref)
        if state is outcome.plan.before and wanted.present and link and link.port:
            # Where it is taken from another bridge, that is what was before.
            wanted = dataclasses.replace(wanted, port_of=link.values["master"])
        return documents.write_port(state, wanted)

    _run("linux_bridge_port", documents.port_options(), read, write)


def run_netns() -> None:
    """The whole of the module netns."""

    def read(document: documents.Document) -> Wanted:
        return Wanted(namespaces=(documents.read_netns(document),))

    def write(outcome: Outcome, state: State) -> documents.Document:
        return documents.write_netns(state, outcome.wanted.namespaces[0])

    _run("netns", documents.netns_options(), read, write)


def _run(
    noun: str,
    options: documents.Options,
    read: t.Callable[[documents.Document], Wanted],
    write: t.Callable[[Outcome, State], documents.Document],
) -> None:
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    try:
        wanted = read(module.params)
        with contextlib.closing(Kernel()) as kernel:
            outcome = converge(kernel, wanted, module.check_mode)
    except Failure as failure:
        module.fail_json(msg=str(failure))
    plan = outcome.plan
    for sentence in plan.missing:
        module.warn(sentence + " In check mode this is taken as something that an earlier task would have made.")
    for sentence in plan.warnings:
        module.warn(sentence)
    before, after = write(outcome, plan.before), write(outcome, plan.after)
    module.exit_json(
        changed=plan.changed,
        commands=[shlex.join(argv) for argv in plan.commands],
        diff={"before": _alike(before, after), "after": after},
        **{noun: write(outcome, outcome.now)},
    )


def _alike(before: documents.Document, after: documents.Document) -> documents.Document:
    """The document before without what can't be foretold of the one after, such as a MAC address to be chosen."""
    if "absent" in (before.get("state"), after.get("state")):
        return before
    known = {name: value for name, value in before.items() if name in after}
    nested = {name: _alike(value, after[name]) for name, value in known.items() if isinstance(value, dict)}
    return {**known, **nested}
