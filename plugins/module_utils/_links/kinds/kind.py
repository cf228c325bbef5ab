# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What describes a kind of link: its attributes, how the kernel encodes them and how iproute2 spells them."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Vlan

Values = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Codec:
    """How a value travels between an option, the kernel and iproute2's command line."""

    # The type of the option
    type: str
    # From the option to the netlink attribute, and back
    encode: t.Callable[[t.Any], t.Any]
    decode: t.Callable[[t.Any], t.Any]
    # The word or words for ``ip``
    spell: t.Callable[[t.Any], t.Union[str, t.List[str]]]
    # From what the user gave to the value as the kernel reports it; raises ValueError with a sentence
    parse: t.Optional[t.Callable[[t.Any], t.Any]] = None
    # How far a value that is read back may be off
    tolerance: float = 0
    # From the present value, the one that is asked for, and whether others are purged, to the value to set
    merge: t.Callable[[t.Any, t.Any, bool], t.Any] = lambda old, new, purge: new
    # From the present value and the one that was set to the value after that
    result: t.Callable[[t.Any, t.Any], t.Any] = lambda old, new: new
    # Whether the present value satisfies the one that is asked for, where that isn't equality
    equal: t.Optional[t.Callable[[t.Any, t.Any], bool]] = None
    # Sentences on what a value refers to and this host doesn't have
    absent: t.Callable[[t.Any], t.List[str]] = lambda value: []

    def same(self, there: t.Any, asked: t.Any) -> bool:
        """Whether what is there is what is asked for, as far as the kernel can tell."""
        if self.equal:
            return self.equal(there, asked)
        if self.tolerance:
            return bool(abs(there - asked) <= self.tolerance + 1e-9)
        return bool(there == asked)


def _seconds(centiseconds: int) -> t.Union[int, float]:
    return centiseconds / 100 if centiseconds % 100 else centiseconds // 100


def _centiseconds(seconds: float) -> int:
    return round(seconds * 50) * 2


TEXT = Codec("str", str, str, str)
NUMBER = Codec("int", int, int, str)
FLAG = Codec("bool", int, bool, lambda value: str(int(value)))
SWITCH = Codec("bool", int, bool, lambda value: "on" if value else "off")
# The kernel speaks of hundredths of a second (USER_HZ) and keeps jiffies. Only an even number of hundredths comes back
# from every kernel as it was; where somebody else has set an odd one, that is near enough.
SECONDS = Codec("float", _centiseconds, _seconds, lambda value: str(_centiseconds(value)), tolerance=0.01)


# By the speed of a link: from 10 Gbit/s, 5, 2.5 and 1 Gbit/s, 100 Mbit/s, 10 Mbit/s or unknown. Older kernels say 4 for 1 Gbit/s.
PORT_COSTS = (2, 3, 4, 5, 19, 100)


class Procedure(t.NamedTuple):
    """Another way to make a link or to set an attribute than rtnetlink.

    ``run`` takes the link's name and values, and is called inside its namespace; it raises OSError. Where it makes a link
    again, ``ifindex`` among the values is the one that the link had. ``commands`` takes the namespace, too, and gives what
    an admin would type.
    """

    run: t.Callable[[str, Values], None]
    commands: t.Callable[[str, str, Values], t.List[Argv]]


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One option of a link that is a value of its own."""

    name: str
    # The netlink attribute, within IFLA_INFO_DATA for an option of one kind
    nla: str
    # The keyword of iproute2
    ip: str
    codec: Codec
    # What the kernel gives a new link; None where that can't be known
    default: t.Any = None
    # The lowest and the highest value
    bounds: t.Optional[t.Tuple[int, int]] = None
    # The bits of a mask that the kernel always refuses
    refused_bits: t.Tuple[int, ...] = ()
    choices: t.Tuple[str, ...] = ()
    # What its entry in an argument spec has besides the type
    spec: Values = dataclasses.field(default_factory=dict)
    # Values of other attributes without which the kernel doesn't change this one. They come later in the kind's list
    requires: t.Tuple[t.Tuple[str, t.Any], ...] = ()
    # Whether it is part of the message that creates a link
    on_create: bool = False
    # The names of the attributes that are set with it, because the kernel accepts them only together
    set_together: t.Tuple[str, ...] = ()
    # The bits of all of them, where they share a bit field
    bits: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    # Netlink attributes that are sent with it
    companion_attributes: t.Tuple[t.Tuple[str, t.Any], ...] = ()
    # How it is set where rtnetlink doesn't set it
    means: t.Optional[Procedure] = None
    # The value that is wanted if the user gives none; None if it is left alone then
    implied: t.Any = None
    # Whether a change can't be undone. Such a one is set when everything else is done
    irreversible: bool = False

    def option(self) -> t.Dict[str, t.Any]:
        """Its entry in an argument spec."""
        spec: t.Dict[str, t.Any] = {"type": self.codec.type, **self.spec}
        if self.choices:
            spec["choices"] = list(self.choices)
        return spec

    def check(self, value: t.Any, where: str) -> t.Any:
        """The value as the kernel will tell it again. Raises BadInput if it can't be."""
        if self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]:
            raise BadInput(
                "%s: %s %s is out of range; the kernel takes %s to %s."
                % (where, self.name, quoted(value), *self.bounds)
            )
        set_bits = [str(bit) for bit in self.refused_bits if value >> bit & 1]
        if set_bits:
            raise BadInput(
                "%s: option %s: %s sets bit %s, which the kernel refuses."
                % (where, self.name, quoted(value), " and ".join(set_bits))
            )
        if self.codec.parse is None:
            return self.codec.decode(self.codec.encode(value))
        try:
            return self.codec.parse(value)
        except ValueError as error:
            raise BadInput("%s: option %s: %s" % (where, self.name, error)) from error

    def encode(self, values: Values) -> t.List[t.Tuple[str, t.Any]]:
        """The netlink attributes for this one of ``values``; those beside it are in there, too."""
        if self.bits:
            return [(self.nla, sum(bit for name, bit in self.bits.items() if values.get(name)))]
        return [*self.companion_attributes, (self.nla, self.codec.encode(values[self.name]))]

    def decode(self, payload: t.Any) -> t.Any:
        """The value in what the netlink attribute holds."""
        return bool(payload & self.bits[self.name]) if self.bits else self.codec.decode(payload)

    def spell(self, value: t.Any) -> t.List[str]:
        """The words that iproute2 wants."""
        words = self.codec.spell(value)
        return [self.ip, *([words] if isinstance(words, str) else words)]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of link. The methods are what a kind may do differently."""

    # The name of its module, and the ``kind`` of a document
    name: str
    # The kernel's word for it (IFLA_INFO_KIND)
    rtnl: str
    # Its own attributes, in the order in which they are set
    attributes: t.Tuple[Attribute, ...] = ()
    # The options that must be given to create one
    required_to_create: t.Tuple[str, ...] = ()
    # How one is created where rtnetlink doesn't create it
    means: t.Optional[Procedure] = None
    # Whether it is created with its peer
    paired: bool = False
    # Whether it can be the master of other links
    has_ports: bool = False
    # Whether it is stacked upon another link
    has_parent: bool = False
    # Whether the kernel refuses to move it to another namespace
    netns_local: bool = False
    # The names of values that it loses when it leaves its namespace
    lost_on_move: t.Tuple[str, ...] = ()
    # Whether it receives all packets of its parent or its ports, which only one link can do (netdev_rx_handler_register())
    receiving: bool = False
    # The order in which links come up; those with a higher rank come later
    rank: int = 0
    # The costs that a bridge gives to a port of this kind (net/bridge/br_if.c, port_cost()); none if they follow other links
    port_costs: t.Tuple[int, ...] = PORT_COSTS

    def lacking(self, values: Values, has_parent: bool) -> t.List[str]:
        """The options without which a link can't be made, and that are not among the values that are given for it."""
        given = {*values, *(("parent",) if has_parent else ())}
        return [name for name in self.required_to_create if name not in given]

    def spell(self, names: t.Collection[str], values: Values) -> t.List[str]:
        """The words that iproute2 wants for some of its own attributes; ``values`` has those beside them, too.

        What ``values`` lacks is what the kernel gives a new link; where that can't be known, there is no word for it.
        """
        spelled = ((a, values.get(a.name, a.default)) for a in self.attributes if a.name in names)
        return [word for a, value in spelled if value is not None for word in a.spell(value)]

    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        """The values that the message which describes a link doesn't tell, or tells wrong; None for what nobody tells.

        Called inside the link's namespace. Raises OSError.
        """
        return {}

    def open_by(self, name: str, message: t.Any, thorough: bool) -> t.Tuple[str, ...]:
        """Words for the processes that hold a link open; ``thorough`` may cost more, and tells which.

        Called inside the link's namespace.
        """
        return ()

    def validate(self, values: Values) -> str:
        """A sentence on what is wrong with the values that a link is to have, as a whole; empty if nothing is."""
        return ""

    def immutable(self, there: Values, asked: Values, held: bool) -> t.Dict[str, str]:
        """Those of the values asked for that can't be had in place, and why; ``held`` if the link has users."""
        return {}

    def mtu_max(self, values: Values) -> int:
        """The highest MTU that the driver takes for a new link with these values."""
        return 65535  # ETH_MAX_MTU of linux/if_ether.h

    def normalized(self, values: Values) -> Values:
        """Those of some values that the kernel would keep beside each other."""
        return values

    def initial_values(self, values: Values) -> Values:
        """What becomes of the values that a link is made with."""
        return values

    def exclusive_parent(self, values: Values) -> str:
        """When a link requires exclusive use of its parent, in words, if one with these values does; otherwise empty."""
        return ""

    def own_mac(self, values: Values) -> bool:
        """Whether no other link on its parent, nor that itself, can have the MAC address of a link with these values."""
        return False

    def other_frames(self, values: Values) -> str:
        """Words for a link with these values, if its frames are not those of Ethernet; otherwise empty."""
        return ""

    def unsupported(self, asked: Values, there: t.Optional[Values], bridge_vlans: bool) -> t.Dict[str, str]:
        """The options asked for that this kernel doesn't have, and why.

        ``there`` are the values of the link if it was observed; ``bridge_vlans`` tells whether the kernel filters VLANs.
        """
        return {}

    def follows(self, values: Values, below: t.Optional[Values]) -> t.Set[str]:
        """The names of the values that a link takes over from its ports or its parent, which has the values ``below``."""
        # A link can't have a greater MTU than the one that it is stacked upon.
        return {"mtu"} if below is not None and values.get("mtu", 0) > below.get("mtu", 0) else set()

    def stacking_problem(self, parent: Link, of_parent: t.Optional[Kind], other_frames: str) -> str:
        """Why a link can't be stacked upon a parent; empty if it can.

        ``of_parent`` is the kind of the parent, if it is one of the collection's, ``other_frames`` what is told of that.
        """
        return ""

    def port_problem(self, port: Link, other_frames: str) -> str:
        """Why a link can't become a port of one of this kind; empty if it can. ``other_frames`` is what is told of the port."""
        return "" if self.has_ports else "it takes no ports."

    def ports_problem(self, count: int) -> str:
        """What is wrong with a number of ports; empty if nothing is."""
        return ""

    def joined(self, values: Values) -> t.Tuple[Values, t.Optional[t.Tuple[Vlan, ...]]]:
        """The settings and the VLANs that a new port of a link with these values starts with."""
        return {}, None

    def making(self, name: str) -> t.ContextManager[None]:
        """A context in which a link is made. Called inside the namespace that it will be in."""
        return contextlib.nullcontext()

    def leaving(self, name: str) -> t.ContextManager[None]:
        """A context in which a link is deleted, or goes to another namespace. Called inside the one that it is in."""
        return contextlib.nullcontext()

    def hint(self, code: int) -> str:
        """What may be the matter if a link, or an attribute that has ``means``, was refused with an errno."""
        return ""
