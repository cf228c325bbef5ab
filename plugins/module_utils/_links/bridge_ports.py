# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Ports of bridges: the steps that make a link a port, and change what the bridge keeps for it."""

from __future__ import annotations

import dataclasses
import errno
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv, ip
from ansible_collections.virtnet.linux.plugins.module_utils._links import effects
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import (
    linux_bridge_port,
    registry,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Ref
from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep, show
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import (
    LINK,
    RTM_NEWLINK,
    RTM_SETLINK,
    Request,
)

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import Runner


@dataclasses.dataclass(eq=False, repr=False)
class LinkSetMaster(LinkStep):
    """Put a link under a master in its namespace; the empty string takes it out."""

    ref: Ref
    master: str

    def describe(self) -> str:
        if self.master:
            return "adding link %s to '%s'" % (self.ref, self.master)
        return "taking link %s out of its master" % (self.ref,)

    def commands(self) -> t.List[Argv]:
        words = ["master", self.master] if self.master else ["nomaster"]
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, *words)]

    def requests(self, runner: Runner) -> t.List[Request]:
        master = runner.index(Ref(self.ref.netns, self.master)) if self.master else 0
        attributes = [("IFLA_IFNAME", self.ref.name), ("IFLA_MASTER", master)]
        return [Request(LINK, RTM_SETLINK, 0, attributes, {})]

    def hint(self, code: int) -> str:
        if code == errno.EINVAL:
            return "A bridge takes Ethernet devices only, no tun and no loopback."
        if code == errno.EBUSY:
            return "A link that macvlans or ipvlans are stacked upon, be it in another namespace, can't be a port."
        return ""

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        effects.forget_port(state, link)
        link = effects.released(link).with_values(master=self.master)
        master = state.links.get(Ref(self.ref.netns, self.master))
        kind = registry.KINDS.get(master.kind) if master else None
        if master and kind:
            port, vlans = kind.joined(master.values)
            link = dataclasses.replace(link, port=port, vlans=vlans)
        state.put(link)
        if master and kind:
            ports = None if master.ports is None else tuple(sorted({*master.ports, self.ref.name}))
            effects.set_ports(state, master, ports, link.values.get("mtu"))

    def inverse(self, before: State) -> t.List[Step]:
        return [LinkSetMaster(self.ref, before.links[self.ref].values.get("master", ""))]


@dataclasses.dataclass(eq=False, repr=False)
class PortSet(LinkStep):
    """Change settings of a bridge's port, by name."""

    ref: Ref
    settings: t.Tuple[t.Tuple[str, t.Any], ...]

    def describe(self) -> str:
        settings = ", ".join("%s to %s" % (name, show(value)) for name, value in self.settings)
        return "setting, of port %s, %s" % (self.ref, settings)

    def commands(self) -> t.List[Argv]:
        words = [word for name, value in self.settings for word in linux_bridge_port.ATTRIBUTES[name].spell(value)]
        return [ip(self.ref.netns, "link", "set", "dev", self.ref.name, "type", "bridge_slave", *words)]

    def requests(self, runner: Runner) -> t.List[Request]:
        settings = dict(self.settings)
        encoded = [pair for name in settings for pair in linux_bridge_port.ATTRIBUTES[name].encode(settings)]
        info = [("IFLA_INFO_SLAVE_KIND", linux_bridge_port.RTNL), ("IFLA_INFO_SLAVE_DATA", {"attrs": encoded})]
        attributes = [("IFLA_IFNAME", self.ref.name), ("IFLA_LINKINFO", {"attrs": info})]
        return [Request(LINK, RTM_NEWLINK, 0, attributes, {})]

    def simulate(self, state: State) -> None:
        link = state.links[self.ref]
        state.put(dataclasses.replace(link, port={**link.port, **dict(self.settings)}))

    def inverse(self, before: State) -> t.List[Step]:
        had = before.links[self.ref].port
        settings = tuple((name, had[name]) for name, _value in self.settings if name in had)
        return [PortSet(self.ref, settings)] if settings else []
