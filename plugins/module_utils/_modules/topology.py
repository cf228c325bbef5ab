# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The modules for whole hosts."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.virtnet.linux.plugins.module_utils._modules.run import SENTENCE_MAX, Backend, Module, run

# isort: split
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import (
    BadInput,
    PrerequisiteMissing,
    Unusable,
)
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import (
    namespace_name,
    shortened,
    topology_name,
)
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.namespaces import NETNS_DIR, named_namespaces
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.documents import read_database, read_timeout
from ansible_collections.virtnet.linux.plugins.module_utils._topology import documents
from ansible_collections.virtnet.linux.plugins.module_utils._topology.host import WholeHost
from ansible_collections.virtnet.linux.plugins.module_utils._topology.model import Record, WantedTopology
from ansible_collections.virtnet.linux.plugins.module_utils._topology.plan import PLANNING
from ansible_collections.virtnet.linux.plugins.module_utils._topology.report import warnings_on, write_all
from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State, Wanted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Outcome

# Options that the result contains unchanged, so that it is valid as options.
_RETURNED = ("name", "state", "purge", "rollback", "database", "timeout")


def validate(options: documents.Options, document: documents.Document) -> t.Tuple[documents.Document, t.List[str]]:
    """A document with defaults, and its errors against an argument spec."""
    # Ansible can't convert these to integers.
    endless = [name for name, value in document.items() if isinstance(value, float) and not math.isfinite(value)]
    if endless:
        return document, ["%s: %s is not a number" % (name, document[name]) for name in endless]
    result = ArgumentSpecValidator(options).validate(document)
    wrong = [(documents.UNKNOWN if isinstance(error, UnsupportedError) else "") + error.msg for error in result.errors]
    return result.validated_parameters, [shortened(sentence, SENTENCE_MAX) for sentence in wrong]


def read(document: documents.Document) -> Wanted:
    """What the options of a topology request. Raises BadInput with all errors."""
    wanted = read_what_can_be(document)
    if wanted.wrong:
        raise BadInput(*wanted.wrong)
    return wanted


def read_what_can_be(document: documents.Document) -> Wanted:
    """The same with the errors in ``Wanted.wrong``, if the name of the topology is valid."""
    name, present = document["name"], document["state"] == "present"
    wanted = documents.read_what_can_be(document, validate)
    try:
        topology_name(name, "option name")
    except BadInput as error:  # no record has such a name
        raise BadInput(*wanted.wrong) from error
    kept = present and document["persist"] and not wanted.wrong
    keep = documents.keepable(document, validate) if kept else None
    topology = WantedTopology(name, present, document["purge"], Record(name), keep=keep)
    return dataclasses.replace(wanted, topology=topology)


def result(params: documents.Document, document: documents.Document) -> documents.Document:
    """The returned document, from the options and the elements after the run. It is valid as options."""
    given = {name: params[name] for name in _RETURNED if params[name] is not None}
    persist = params["persist"] and params["state"] == "present"
    return {**given, "persist": persist, **documents.listed(document)}


def run_topology() -> None:
    """Run the module topology."""

    def write(outcome: Outcome, state: State) -> documents.Document:
        return documents.write_topology(state, outcome.wanted, outcome.plan)

    side = Backend(lambda params: WholeHost(read_timeout(params["timeout"])), PLANNING, show=result)
    run("topology", documents.topology_options(), read_what_can_be, write, side)


def run_info() -> None:
    """Run the module topology_info."""
    module = Module(documents.info_options())
    params = module.params
    module.report(module.wrong)
    try:
        found = look(params["namespaces"], read_database(params["database"]), read_timeout(params["timeout"]))
    except Exception as error:  # noqa: BLE001
        module.report([], error)
    for sentence in warnings_on(found):
        module.warn(sentence)
    module.exit_json(changed=False, **found)


def look(names: t.Optional[t.Sequence[str]], database: str, timeout: int) -> documents.Document:
    """The document of this host with all namespaces, or with the own one and those that are named. Raises a Failure."""
    for name in names or ():
        namespace_name(name, "option namespaces")
    with contextlib.closing(WholeHost(timeout)) as host:
        there, files = host.usable(named_namespaces() if names is None else names)
        missing = [name for name in names or () if name not in (*there, *files)]
        if missing:
            raise PrerequisiteMissing(
                ["There is no network namespace '%s' (option namespaces)." % name for name in missing]
            )
        whole = tuple(there if names is None else names)
        state = host.observe(host.locate(Wanted(whole=whole, details=True, databases_too=(database,))))
    if database and state.ovs[database].unusable:
        raise Unusable(state.ovs[database].unusable)
    document = write_all(state, [name for name in whole if name in state.namespaces])
    if files:
        document["warnings"] = [
            "'%s' is not a network namespace, only a file that was left in %s; remove it with 'ip netns delete %s'."
            % (name, NETNS_DIR, name)
            for name in files
        ]
    return document
