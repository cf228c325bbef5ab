# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Network namespaces: options, documents, and the steps that create and delete them and set their sysctls."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names as common_names
from ansible_collections.virtnet.linux.plugins.module_utils._common import values as common_values
from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, inside
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._common.sysctls import PROC_SYS, effects
from ansible_collections.virtnet.linux.plugins.module_utils._links.effects import delete
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Netns, Ref, WantedNetns, in_netns
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.facet import Document, Options
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner

_DISABLE_IPV6 = "net/ipv6/conf/([^/]+)/disable_ipv6$"


@dataclasses.dataclass(eq=False, repr=False)
class NetnsAdd(LinkStep):
    """Create a named network namespace."""

    name: str

    def netns_names(self) -> t.Set[str]:
        return {self.name}

    def describe(self) -> str:
        return "creating network namespace '%s'" % self.name

    def commands(self) -> t.List[Argv]:
        return [["ip", "netns", "add", self.name]]

    def execute(self, runner: Runner) -> None:
        runner.make_namespace(self.name)

    def simulate(self, state: State) -> None:
        state.namespaces[self.name] = Netns(self.name)
        state.put(Link(Ref(self.name, "lo"), index=1, values={"state": "down"}))

    def inverse(self, before: State) -> t.List[Step]:
        return [NetnsDel(self.name)]


@dataclasses.dataclass(eq=False, repr=False)
class NetnsDel(LinkStep):
    """Remove the name of a network namespace. The kernel deletes the namespace when nothing uses it any more."""

    name: str

    def describe(self) -> str:
        return "deleting network namespace '%s'" % self.name

    def commands(self) -> t.List[Argv]:
        return [["ip", "netns", "del", self.name]]

    def execute(self, runner: Runner) -> None:
        runner.unname_namespace(self.name)

    def simulate(self, state: State) -> None:
        state.namespaces.pop(self.name, None)
        for link in state.linked("netns", self.name):
            delete(state, link.ref)

    def inverse(self, before: State) -> t.List[Step]:
        with before.trial():
            self.simulate(before)
            lost = tuple(link for link in before.changes().values() if link)
        return [NetnsRestore(before.namespaces[self.name], lost)]


@dataclasses.dataclass(eq=False, repr=False)
class NetnsRestore(LinkStep):
    """Restore the name that NetnsDel removed in the same task; the namespace still has all of its links."""

    netns: Netns
    links: t.Tuple[Link, ...]  # the links that the simulated deletion removed

    def describe(self) -> str:
        return "restoring network namespace '%s'" % self.netns.name

    def commands(self) -> t.List[Argv]:
        return []  # possible only for this process, which holds the namespace open

    def execute(self, runner: Runner) -> None:
        runner.rename_namespace(self.netns.name)

    def simulate(self, state: State) -> None:
        state.namespaces[self.netns.name] = self.netns
        for link in self.links:
            state.put(link)

    def inverse(self, before: State) -> t.List[Step]:
        return [NetnsDel(self.netns.name)]


@dataclasses.dataclass(eq=False, repr=False)
class Sysctl(LinkStep):
    """Set a sysctl inside a namespace; ``key`` is its path below /proc/sys."""

    netns: str
    key: str
    value: str

    def netns_names(self) -> t.Set[str]:
        return {self.netns}

    def unmet(self, now: State) -> str:
        where = "sysctl %s%s (option sysctls)" % (common_values.sysctl_name(self.key), in_netns(self.netns))
        kept = now.namespaces[self.netns].sysctls.get(self.key)
        if kept is None:
            return "There is no %s any more." % where
        return "The kernel took %s for %s, and keeps %s; give a value that it keeps." % (
            quoted(self.value),
            where,
            quoted(kept),
        )

    def describe(self) -> str:
        return "setting sysctl %s%s to %s" % (
            common_values.sysctl_name(self.key),
            in_netns(self.netns),
            quoted(self.value),
        )

    def commands(self) -> t.List[Argv]:
        return [inside(self.netns, "sysctl", "-q", "-w", "%s=%s" % (common_values.sysctl_name(self.key), self.value))]

    def execute(self, runner: Runner) -> None:
        with runner.inside(self.netns), open(PROC_SYS + self.key, "w", encoding="utf-8") as file:
            file.write(self.value)

    def simulate(self, state: State) -> None:
        netns = state.namespaces[self.netns]
        value = common_values.sysctl_told(self.value)
        changed = effects(self.key, value, netns.sysctls)
        known = {key: its for key, its in changed.items() if key in netns.sysctls}
        sysctls = {**netns.sysctls, **known, self.key: value}
        state.namespaces[self.netns] = dataclasses.replace(netns, sysctls=sysctls)
        found = re.match(_DISABLE_IPV6, self.key)
        if found:
            self._switch_ipv6(state, found.group(1))

    def _switch_ipv6(self, state: State, name: str) -> None:
        """Simulate ``disable_ipv6`` of a link, of new links (``default``), or of both old and new links (``all``)."""
        ipv6 = common_values.sysctl_told(self.value) == "0"
        if name in ("all", "default"):
            state.namespaces[self.netns] = dataclasses.replace(state.namespaces[self.netns], ipv6=ipv6)
        for link in state.linked("netns", self.netns):
            if name in ("all", link.ref.name):
                state.put(dataclasses.replace(link, ipv6=ipv6))

    def inverse(self, before: State) -> t.List[Step]:
        had = before.namespaces[self.netns].sysctls
        value = had.get(self.key)
        if value is None:
            return []
        others = effects(self.key, value, had)
        wrong = [key for key in others if key in had and others[key] != had[key]]
        return [Sysctl(self.netns, self.key, value), *(Sysctl(self.netns, key, had[key]) for key in wrong)]


def netns_options() -> Options:
    """Argument spec of a namespace document."""
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "loopback": {"type": "bool", "default": True},
        "sysctls": {"type": "dict"},
    }


def read_netns(document: Document) -> WantedNetns:
    """The wanted namespace of a document. Raises BadInput."""
    told = Complaints()
    name = document["name"]
    told.attempt(common_names.namespace_name, name, "option name")
    sysctls: t.Dict[str, str] = {}
    for key, value in (document.get("sysctls") or {}).items():
        path, text = told.attempt(_read_sysctl, key, value, name) or ("", "")
        if sysctls.setdefault(path, text) != text:
            told.note("Option sysctls of namespace %s: %s has two values." % (quoted(name), quoted(key)))
    told.report()
    return WantedNetns(name, document["state"] == "present", document["loopback"], sysctls)


def _read_sysctl(key: str, value: t.Any, netns: str) -> t.Tuple[str, str]:
    where = "option sysctls of namespace %s" % quoted(netns)
    path = common_values.sysctl_key(str(key), where)
    if value is None or isinstance(value, (dict, list)):
        raise BadInput("%s: %s needs a value." % (common_names.upper(where), quoted(key)))
    words = [str(int(value))] if isinstance(value, bool) else str(value).split()
    return path, " ".join(words)


def write_netns(state: State, wanted: WantedNetns) -> Document:
    """Document of a namespace in ``state``, with the sysctls that ``wanted`` lists."""
    netns = state.namespaces.get(wanted.name)
    if netns is None:
        return {"name": wanted.name, "state": "absent"}
    loopback = state.links.get(Ref(wanted.name, "lo"))
    document = {
        "name": wanted.name,
        "state": "present",
        "loopback": bool(loopback and loopback.values.get("state") == "up"),
    }
    if wanted.sysctls:
        document["sysctls"] = {
            common_values.sysctl_name(key): netns.sysctls[key] for key in wanted.sysctls if key in netns.sysctls
        }
    return document
