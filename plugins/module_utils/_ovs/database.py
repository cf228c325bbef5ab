# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Access to OVSDB: read Open vSwitch, and run steps as a transaction. The only file that runs the tools of OVS.

A task reads with one ovs-vsctl and writes with another, both with lists of arguments, never through a shell. The
results of a transaction are read with ovsdb-client, which depends on ovsdb-server only.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import time
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Failure, NotApplied, Refused, Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._engine.apply import Host
from ansible_collections.virtnet.linux.plugins.module_utils._netlink import nodes, ovs_traces
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import (
    ALIASES,
    BRIDGE,
    COLUMNS,
    CONTROLLER,
    INTERFACE,
    OPTIONAL,
    PORT,
    ROOT,
    SET,
    TUNNELS,
    Bridge,
    Interface,
    Port,
    Switch,
)
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.port_steps import RECONFIGURE, LinkAgain, PortMove
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.state import State, Wanted
from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import fake_ids, vsctl

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Plan, Step
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.steps import OvsStep

Row = t.Dict[str, t.Any]
Tables = t.Dict[str, t.List[Row]]

SCHEMA = "Open_vSwitch"
# Columns that are read in addition to the configuration of bridges, ports and interfaces.
_MORE = {
    ROOT: ("cur_cfg", "next_cfg", "iface_types"),
    BRIDGE: ("_uuid", "name", "ports", "controller"),
    PORT: ("_uuid", "name", "interfaces", "fake_bridge"),
    INTERFACE: ("_uuid", "name", "ofport", "error", "ifindex"),
    CONTROLLER: ("_uuid", "target"),
}
_NAMED = (PORT, INTERFACE)  # tables that may have many rows
_READ = {table: (*more, *COLUMNS.get(table, ())) for table, more in _MORE.items()}
# With more names than this, a table is read completely.
SOME = 40
UNDO_SECONDS = 2.0  # time to roll back a transaction, in addition to the timeout of the task
UNDO_SECONDS_PER_STEP = 0.005  # per step, in addition: ovs-vsctl searches all rows for each row that it changes
MANY = 100  # with more steps than this, ovs-vswitchd may just need more time
TOLD = 10  # maximum number of steps of a transaction that an error lists
NUMBER_SECONDS = 10.0  # after this time OVS no longer gives an interface the OpenFlow port number that it requests
LOG = "ovs-vswitchd.log"

W = t.TypeVar("W", bound=Wanted)


class Ovs(Host):
    """The Open vSwitches of a task, by database; ``timeout`` is in seconds, for the whole task."""

    def __init__(self, timeout: int) -> None:
        self._timeout = timeout
        self._deadline = 0.0
        self._written: t.Set[str] = set()
        self._steps = 0  # number of executed steps
        self._read: t.Dict[str, Tables] = {}  # tables as last read
        self._late = False
        self._complaints = ""  # errors that the last successful tool has printed

    def tidy(self) -> None:
        """Remove device nodes in /dev that belonged to macvtaps upon deleted links of ports or bridges."""
        nodes.sweep()

    def locate(self, wanted: W) -> W:
        """Returns ``wanted`` unchanged, because namespaces don't matter here. Starts the timeout, as the lock is held now."""
        self._deadline = time.monotonic() + self._timeout
        return wanted

    # Read

    def observe(self, wanted: Wanted) -> State:
        """Read the databases that ``wanted`` refers to. Raises Unusable if one does not answer in time."""
        state = State(ovs={database: self.look(database) for database in wanted.databases()})
        self._look_deeper(state, wanted)
        return state

    def review(self, wanted: Wanted, plan: Plan) -> State:
        """The same after a plan was run. Reads only rows that the plan has changed."""
        before, after = plan.before.ovs, plan.after.ovs
        touched = {database: _touched(before[database], after[database]) for database in wanted.databases()}
        patience = min(time.monotonic() + NUMBER_SECONDS, self._deadline - 1)
        while True:
            state = State(ovs={database: self.look(database, names) for database, names in touched.items()})
            # OVS may change an OpenFlow port number after ovs-vsctl has ended.
            if time.monotonic() > patience or not _renumbering(state, plan):
                break
            time.sleep(0.1)
        self._look_deeper(state, wanted)
        return state

    def _look_deeper(self, state: State, wanted: Wanted) -> None:
        """Find lost links, and links in the way of new ones, as far as ``wanted`` refers to them."""
        for database, switch in state.ovs.items():
            switch.log = os.path.join(os.environ.get("OVS_LOGDIR") or "/var/log/openvswitch", LOG)
            for name in self._lost(switch, _present(switch, database, wanted)):
                switch.interfaces[name] = switch.interfaces[name]._replace(lost=True)
            if not database.startswith(("tcp:", "ssl:")):
                switch.taken = _taken(_made(switch, database, wanted), database)

    def _lost(self, switch: Switch, names: t.Set[str]) -> t.List[str]:
        """Interfaces whose links were deleted with their namespaces. OVS can't tell these from links that it can't see."""
        unseen = [name for name in sorted(names & switch.internal()) if switch.interfaces[name].unseen]
        if not unseen:
            return []
        held = ovs_traces.taps() or []
        living = self._kernel_ports() if any(_is_system(switch, name) for name in unseen) else None
        lost = [name for name in unseen if _is_system(switch, name) and living is not None and name not in living]
        gone = [name for name in unseen if not _is_system(switch, name) and name not in held]
        # A renamed link is not lost.
        return lost + (gone if len(gone) <= held.count("") else [])

    def _kernel_ports(self) -> t.Optional[t.Set[str]]:
        """Ports of the kernel datapath, in any namespace; None if they can't be read."""
        try:
            told = self._tool(["ovs-dpctl", "--timeout=%d" % self._seconds(), "show", "system@ovs-system"], "")
        except (_Absent, _Failed):
            return None
        return set(re.findall(r"(?m)^\s+port \d+: (\S+)", told))

    def look(self, database: str, names: t.Optional[t.Set[str]] = None) -> Switch:
        """Read a database; if it can't be read at all, ``unusable`` says why.

        With ``names``, all other ports and interfaces are taken from the last read.
        """
        try:
            if database not in self._written:
                self._read[database] = self._list(database)
            elif names is None or len(names) > SOME:
                self._read[database] = self._select(database)
            else:
                self._refresh(database, names)
            return _switch(self._read[database])
        except _Absent as absent:
            return Switch(unusable=str(absent))

    def _refresh(self, database: str, names: t.Set[str]) -> None:
        tables = self._select(database, names)
        for table in _NAMED:
            tables[table] += (row for row in self._read[database][table] if row["name"] not in names)
        self._read[database] = tables if _consistent(tables) else self._select(database)

    def _list(self, database: str) -> Tables:
        argv = vsctl(database, [], "--timeout=%d" % self._seconds(), "--format=json")
        for table, columns in _READ.items():
            argv += ["--", "--columns=" + ",".join(columns), "list", table]
        lines = [json.loads(line) for line in self._tool(argv, database).split("\n") if line.startswith("{")]
        return {
            table: [dict(zip(answer["headings"], row)) for row in answer["data"]] for table, answer in zip(_READ, lines)
        }

    def _select(self, database: str, names: t.Optional[t.Set[str]] = None) -> Tables:
        """Rows of all tables; with ``names``, only ports and interfaces with these names."""
        some = [[["name", "==", name]] for name in names or ()]
        asked: t.List[t.Dict[str, t.Any]] = [
            {"op": "select", "table": table, "where": where, "columns": list(columns)}
            for table, columns in _READ.items()
            for where in (some if names is not None and table in _NAMED else [[]])
        ]
        tables: Tables = {table: [] for table in _READ}
        for operation, answer in zip(asked, self._transact(database, asked)):
            tables[operation["table"]] += answer["rows"]
        return tables

    def _transact(self, database: str, operations: t.Sequence[t.Dict[str, t.Any]]) -> t.List[t.Dict[str, t.Any]]:
        argv = ["ovsdb-client", "--timeout=%d" % self._seconds(), "transact", *([database] if database else [])]
        answers: t.List[t.Dict[str, t.Any]] = json.loads(
            self._tool([*argv, json.dumps([SCHEMA, *operations])], database)
        )
        return answers

    # Run

    def run(self, batch: t.Sequence[Step]) -> None:
        """Run steps for one database as one transaction. Raises Refused if OVS refuses it, NotApplied if it does not finish."""
        try:
            self._run(batch)
        except Failure as failure:
            failure.atomic = True
            raise

    def _run(self, batch: t.Sequence[Step]) -> None:
        ours = t.cast("t.Sequence[OvsStep]", batch)
        database = ours[0].database
        self._written.add(database)
        self._steps += len(batch)
        late = self._late
        argv = vsctl(database, ours, "--timeout=%d" % self._seconds(spare=1), *(["--no-wait"] if late else []))
        try:
            if isinstance(ours[0], LinkAgain):
                self._make_links_again(database, ours)
                return
            self._tool(argv, database)
        except _TimedOut as timed_out:
            timed_out.unsure = batch
            if late:
                raise
            self._stuck(database, batch, timed_out)
        except _Absent as absent:
            # If a connection was lost, the transaction may have been committed.
            never = re.search(r"\((Connection refused|No such file or directory)\)|not installed", str(absent))
            raise _after([] if never else batch, Unusable(str(absent))) from absent
        except _Failed as failed:
            raise Refused(_doing(ours), str(failed), errno.EINVAL) from failed
        complaints = re.findall(r"Error detected while setting up '(.*?)'[.:]", self._complaints)
        try:
            if any(isinstance(step, PortMove) for step in ours):
                self._nudge(database)
            self._check_set_up(database, complaints)
        except (_Absent, _Failed) as lost:
            raise _after(batch, Unusable(_sentence(lost))) from lost
        except Failure as failure:
            _after(batch, failure)
            raise

    def _check_set_up(self, database: str, names: t.Sequence[str]) -> None:
        """Raise NotApplied with the errors that OVS reports for new interfaces."""
        if not names:
            return
        switch = self.look(database)
        self._look_deeper(State(ovs={database: switch}), Wanted())
        found = [switch.trouble(name) for name in names if name in switch.interfaces and switch.interfaces[name].broken]
        if found:
            raise NotApplied(" ".join(found))

    def _make_links_again(self, database: str, batch: t.Sequence[OvsStep]) -> None:
        for step in t.cast("t.Sequence[LinkAgain]", batch):
            if step.userspace:
                self._tool(LinkAgain.removal(step.name, *self._target(database)), database)
        self._reconfigure(database, self._seconds(spare=1))

    @staticmethod
    def _target(database: str) -> t.List[str]:
        """Options that direct ovs-appctl to the daemon of a database, if it is not the default one."""
        folder = os.path.dirname(database[len("unix:") :]) if database.startswith("unix:") else ""
        paths = [os.path.join(folder, "%s.%d.ctl" % (ovs_traces.DAEMON, pid)) for pid in ovs_traces.daemons()]
        return next((["--target=" + path] for path in paths if folder and os.path.exists(path)), [])

    def _nudge(self, database: str) -> None:
        """Make ovs-vswitchd reconfigure if it failed to move a tunnel.

        It may add the tunnel to the new bridge before it removes it from the old one, and then reports that it
        exists.
        """
        tables = self._select(database)
        if any(row["ofport"] == -1 and row["type"] in TUNNELS for row in tables[INTERFACE]):
            self._reconfigure(database, self._seconds(spare=1))

    def _reconfigure(self, database: str, seconds: int) -> None:
        """Make ovs-vswitchd reconfigure, and wait some seconds for it."""
        (answer,) = self._transact(database, [{"op": "select", "table": ROOT, "where": [], "columns": ["cur_cfg"]}])
        taken_up = {"cur_cfg": answer["rows"][0]["cur_cfg"]}
        wait = {"op": "wait", "table": ROOT, "where": [], "columns": ["cur_cfg"], "until": "!=", "rows": [taken_up]}
        self._transact(database, json.loads(RECONFIGURE)[1:])
        self._transact(database, [{**wait, "timeout": 1000 * seconds}])

    def catch_up(self, database: str) -> None:
        """Wait until ovs-vswitchd has noticed new and deleted links, if it answers in time.

        It adds a link that already has a row as soon as it notices the link, and makes it promiscuous then.
        """
        if not self._late:
            with contextlib.suppress(Unusable, _Absent, _Failed):
                self._reconfigure(database, max(1, self._seconds() // 3))

    def _stuck(self, database: str, batch: t.Sequence[Step], timed_out: _TimedOut) -> None:
        """Determine which daemon has not acknowledged a transaction in time.

        The transaction may not have been sent: with thousands of steps, ovs-vsctl may still be working on it.
        """
        try:
            self._select(database)
        except (_Absent, _Failed) as lost:
            raise _after(batch, Unusable(_sentence(lost))) from lost
        except Failure as unknown:
            unknown.unsure = batch
            raise
        failure = NotApplied(
            "The daemon ovs-vswitchd did not take up a change of the database%s within %d seconds (option timeout): is it "
            "running? ovsdb-server is.%s"
            % (
                _of(database),
                self._timeout,
                (
                    " For the %d steps of this task, it may need more time: raise the option timeout." % len(batch)
                    if len(batch) > MANY
                    else ""
                ),
            )
        )
        failure.unsure = batch
        raise failure from timed_out

    # Tools

    def _seconds(self, spare: int = 0) -> int:
        return max(1, int(self._deadline - time.monotonic() + 0.5) - spare)

    def _out_of_time(self, database: str) -> _TimedOut:
        """The timeout has expired; written changes can still be rolled back, without waiting for ovs-vswitchd."""
        if not self._late:
            self._late = True
            self._deadline = time.monotonic() + UNDO_SECONDS + UNDO_SECONDS_PER_STEP * self._steps
        return _TimedOut(
            "The OVS database%s did not answer within %d seconds (option timeout); ovsdb-server hangs, or is stopped."
            % (_of(database), self._timeout)
        )

    def _tool(self, argv: t.Sequence[str], database: str) -> str:
        """Run one of the tools of OVS and return its output. Raises _Absent, _TimedOut or _Failed."""
        if time.monotonic() > self._deadline:
            raise self._out_of_time(database)
        try:
            raw = [word.encode("utf-8", "surrogateescape") for word in argv]
            done = subprocess.run(raw, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError as error:
            raise _Absent(
                "Open vSwitch is not installed: there is no command %s (Debian and Ubuntu: package openvswitch-switch)."
                % argv[0]
            ) from error
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise Unusable(_not_started(argv[0], error)) from error
            raise _Failed("it is more than fits one command line (%d bytes)" % sum(map(len, raw))) from error
        told = done.stderr.decode("utf-8", "replace").strip()
        if done.returncode == -signal.SIGALRM:
            raise self._out_of_time(database)
        if done.returncode and "Permission denied" in told:
            raise Unusable("This user may not talk to the OVS database%s (%s); use become." % (_of(database), told))
        if done.returncode and ("connection failed" in told or "failed to connect" in told):
            raise _Absent(
                "Open vSwitch is not running: there is no database%s (%s)." % (_of(database), told.split(": ", 1)[-1])
            )
        if done.returncode:
            raise _Failed(told.split(": ", 1)[-1] or "exit code %d" % done.returncode)
        self._complaints = told
        return done.stdout.decode("utf-8")


class _Absent(Exception):
    """Open vSwitch is not available. The text is a sentence."""


class _TimedOut(Unusable):
    """A tool has reached its own timeout."""


class _Failed(Exception):
    """A tool has failed. The text is its error message."""


def _not_started(tool: str, error: OSError) -> str:
    limit = " (the limit on processes is reached: ulimit -u, or pids.max of the cgroup)"
    return "Starting %s failed: %s%s." % (tool, error.strerror, limit if error.errno == errno.EAGAIN else "")


def _doing(batch: t.Sequence[OvsStep]) -> str:
    told = [step.describe() for step in batch[:TOLD]]
    return "; ".join([*told, *(["%d more steps" % (len(batch) - TOLD)] if len(batch) > TOLD else [])])


def _after(batch: t.Sequence[Step], failure: Failure) -> Failure:
    """A failure after a transaction that was, or may have been, committed."""
    failure.done = batch
    return failure


def _sentence(lost: Exception) -> str:
    text = str(lost)
    return text if isinstance(lost, _Absent) else "Asking Open vSwitch failed: %s." % text.rstrip(".")


def _of(database: str) -> str:
    return " %s" % database if database else ""


_NONE, _NO_KEYS = ["set", []], ["map", []]  # empty values of RFC 7047, which most columns have


def _plain(value: t.Any) -> t.Any:
    """A value in the JSON format of OVSDB (RFC 7047) as text, number, bool, list or dict."""
    if isinstance(value, list):
        kind, content = value
        if kind == "map":
            return {_plain(key): _plain(item) for key, item in content}
        return [_plain(item) for item in content] if kind == "set" else content
    return value


def _several(value: t.Any) -> t.List[t.Any]:
    plain = _plain(value)
    return plain if isinstance(plain, list) else [plain]


class _RowValues(t.Mapping[str, t.Any]):
    """Configuration columns of a row, decoded on demand, because most rows are never used."""

    def __init__(self, table: str, row: Row) -> None:
        self._columns = COLUMNS[table]
        self._row = row

    def __getitem__(self, column: str) -> t.Any:
        shape, default = self._columns[column]
        raw = self._row.get(column, _NONE)
        if raw in (_NONE, _NO_KEYS):
            return default
        if shape == SET:
            return tuple(sorted(_several(raw)))
        if shape == OPTIONAL:
            return next(iter(_several(raw)), None)
        return _plain(raw) or ALIASES.get(column, _plain(raw))

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _touched(before: Switch, after: Switch) -> t.Set[str]:
    """Names of the ports and interfaces that a plan has changed, and of those that OVS may set up again because of it."""
    bridges = _changed(before.bridges, after.bridges)
    names = _changed(before.ports, after.ports) | _changed(before.interfaces, after.interfaces)
    for port in (*before.ports.values(), *after.ports.values()):
        if port.real in bridges or port.name in names:
            names |= {port.name, *port.interfaces}
    return names


def _renumbering(state: State, plan: Plan) -> t.Set[str]:
    """Interfaces whose OpenFlow port number differs from the one that the plan requests."""
    waiting = set()
    for database, switch in plan.after.ovs.items():
        before = plan.before.ovs[database].interfaces
        for name, planned in switch.interfaces.items():
            number, there = planned.values["ofport_request"], state.ovs[database].interfaces.get(name)
            if number and planned is not before.get(name) and there and there.ofport != number:
                waiting.add(name)
    return waiting


def _present(switch: Switch, database: str, wanted: Wanted) -> t.Set[str]:
    """Interfaces of the wanted ports and bridges that are present."""
    bridges = [bridge for bridge in wanted.ovs_bridges if bridge.database == database and bridge.present]
    names = wanted.link_names()
    names |= {name for bridge in bridges for name in (bridge.name, *(bridge.ports or ()))}
    names |= {port.name for port in wanted.ovs_ports if port.database == database and port.present}
    ports = [switch.ports[name] for name in names if name in switch.ports]
    return names | {interface for port in ports for interface in port.interfaces}


def _made(switch: Switch, database: str, wanted: Wanted) -> t.Set[str]:
    """Links that OVS has to create for ``wanted``."""
    bridges = {bridge.name for bridge in wanted.ovs_bridges if bridge.database == database and bridge.present}
    internal = {
        port.name
        for port in wanted.ovs_ports
        if port.database == database and port.present and port.interface.get("type") == "internal"
    }
    return (bridges | internal) - switch.internal()


def _taken(names: t.Set[str], database: str) -> t.Dict[str, str]:
    """Names out of ``names`` that links in the namespace of this process have, with their drivers, if OVS runs in it."""
    found = {name: ovs_traces.driver_of(name) for name in sorted(names)}
    taken = {name: driver for name, driver in found.items() if driver is not None}
    return taken if taken and (not database or ovs_traces.serves_here(database)) else {}


def _is_system(switch: Switch, interface: str) -> bool:
    """Whether an interface is in the kernel datapath."""
    port = switch.port_with(interface)
    bridge = switch.bridges.get(port.real) if port else None
    return bool(bridge and bridge.values.get("datapath_type") == "system")


def _changed(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> t.Set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) is not after.get(name)}


def _consistent(tables: Tables) -> bool:
    """Whether exactly those ports and interfaces exist that bridges and ports refer to."""
    for table, column, has in ((BRIDGE, "ports", PORT), (PORT, "interfaces", INTERFACE)):
        uuids = {uuid for row in tables[table] for uuid in _several(row[column])}
        if uuids != {_plain(row["_uuid"]) for row in tables[has]}:
            return False
    return True


def _switch(tables: Tables) -> Switch:
    """The Switch that the rows of a database describe."""
    types = [name for row in tables[ROOT] for name in _several(row["iface_types"])]
    switch = Switch(interface_types=tuple(types))
    names = {_plain(row["_uuid"]): row["name"] for table in (BRIDGE, PORT, INTERFACE) for row in tables[table]}
    switch.rows = {(table, row["name"]): _plain(row["_uuid"]) for table in (BRIDGE, PORT) for row in tables[table]}
    targets = {_plain(row["_uuid"]): row["target"] for row in tables[CONTROLLER]}
    homes: t.Dict[str, str] = {}
    for row in tables[BRIDGE]:
        name = row["name"]
        rows = {targets[uuid]: uuid for uuid in _several(row["controller"])}
        switch.controller_rows.update(((name, target), uuid) for target, uuid in rows.items())
        switch.bridges[name] = Bridge(name, _RowValues(BRIDGE, row), controllers=tuple(sorted(rows)))
        homes.update((uuid, name) for uuid in _several(row["ports"]))
    for row in tables[INTERFACE]:
        ofport = next(iter(_several(row["ofport"])), None)
        error = next(iter(_several(row["error"])), "")
        unseen = row.get("ifindex") == 0
        switch.interfaces[row["name"]] = Interface(
            row["name"], _RowValues(INTERFACE, row), ofport, error, unseen=unseen
        )
    for row in tables[PORT]:
        name, real = row["name"], homes.get(_plain(row["_uuid"]))
        if real is None:
            continue  # it is being deleted
        members = tuple(sorted(names[uuid] for uuid in _several(row["interfaces"])))
        values = _RowValues(PORT, row)
        switch.ports[name] = Port(name, real, values, members)
        if row["fake_bridge"] and values["tag"] is not None:
            ids = {"external_ids": fake_ids(values["external_ids"])}
            switch.bridges[name] = Bridge(name, ids, parent=real, vlan=values["tag"])
            # A fake bridge has no row of its own; it exists as long as its port.
            switch.rows[BRIDGE, name] = switch.rows[PORT, name]
    return switch
