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
    """How a value travels between an option, the kernel and iproute2's command line.

    ``type`` is the type of the option, ``encode`` and ``decode`` translate to and from the netlink attribute, and
    ``spell`` gives the word or words that ``ip`` wants. ``parse`` takes an option's value and returns it as the kernel will tell
    it again; a ValueError of it is a sentence. ``tolerance`` is how far a value read back may be off. ``merge`` makes
    the value to come out of the one that is there, the one that was asked for, and whether others are to be purged;
    ``result`` what is there after one was set. ``equal`` is for where more than equal values are the same. ``absent`` tells
    in sentences what a value speaks of and this host doesn't have.
    """

    type: str
    encode: t.Callable[[t.Any], t.Any]
    decode: t.Callable[[t.Any], t.Any]
    spell: t.Callable[[t.Any], t.Union[str, t.List[str]]]
    parse: t.Optional[t.Callable[[t.Any], t.Any]] = None
    tolerance: float = 0
    merge: t.Callable[[t.Any, t.Any, bool], t.Any] = lambda old, new, purge: new
    result: t.Callable[[t.Any, t.Any], t.Any] = lambda old, new: new
    equal: t.Optional[t.Callable[[t.Any, t.Any], bool]] = None
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


class Means(t.NamedTuple):
    """Another way to make a link or to set an attribute than rtnetlink.

    ``run`` takes the link's name and values, and is called inside its namespace; it raises OSError. Where it makes a link
    again, ``ifindex`` among the values is the one that the link had. ``commands`` takes the namespace, too, and gives what
    an admin would type.
    """

    run: t.Callable[[str, Values], None]
    commands: t.Callable[[str, str, Values], t.List[Argv]]


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One option of a link that is a value of its own.

    ``nla`` is its netlink attribute, within IFLA_INFO_DATA for a kind's own ones; ``ip`` the keyword of iproute2.
    ``default`` is what the kernel gives a new link, None where that can't be known. ``bounds`` are the lowest and the
    highest value, ``refused_bits`` those of a mask that the kernel never takes. ``spec`` is what its entry in an
    argument spec has besides the type. ``only_while`` names another attribute's value without which the kernel won't
    change this one; that other attribute must come later in the kind's list. ``at_birth`` tells that it is part of
    the message that makes a link. ``beside`` are the names of those that are set with it, because the kernel takes
    them together only; ``bits`` are the places of all of them, where they share a bit field. ``along`` are netlink
    attributes that always go with it. ``means`` is how it is set where it isn't by rtnetlink. One that is wanted
    ``always`` is so with the value given there even if the user doesn't name it. One that is ``last`` is set when all
    else is done, because that can't be undone.
    """

    name: str
    nla: str
    ip: str
    codec: Codec
    default: t.Any = None
    bounds: t.Optional[t.Tuple[int, int]] = None
    refused_bits: t.Tuple[int, ...] = ()
    choices: t.Tuple[str, ...] = ()
    spec: Values = dataclasses.field(default_factory=dict)
    only_while: t.Tuple[t.Tuple[str, t.Any], ...] = ()
    at_birth: bool = False
    beside: t.Tuple[str, ...] = ()
    bits: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    along: t.Tuple[t.Tuple[str, t.Any], ...] = ()
    means: t.Optional[Means] = None
    always: t.Any = None
    last: bool = False

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
        return [*self.along, (self.nla, self.codec.encode(values[self.name]))]

    def decode(self, payload: t.Any) -> t.Any:
        """The value in what the netlink attribute holds."""
        return bool(payload & self.bits[self.name]) if self.bits else self.codec.decode(payload)

    def spell(self, value: t.Any) -> t.List[str]:
        """The words that iproute2 wants."""
        words = self.codec.spell(value)
        return [self.ip, *([words] if isinstance(words, str) else words)]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of link.

    ``name`` is the module's name and the ``kind`` of a document, ``rtnl`` the kernel's word for it. ``attributes``
    are its own, in the order in which they are to be set; those ``needed`` must be given to make one. ``means`` is how
    one is made where it isn't by rtnetlink. A ``paired`` kind is made with its peer; one that ``has_ports`` is a
    master of others; one that ``has_parent`` is stacked upon another link; one that is ``netns_local`` can't be moved.

    ``stay_behind`` are the names of values that are lost when it leaves its namespace. One that is ``receiving`` has all
    packets that its parent or its ports receive, which the kernel gives to one link only (netdev_rx_handler_register()).
    ``rank`` is the order in which links come up; those of a higher one come later. ``port_costs`` are the costs that a bridge
    gives to a port of this kind (net/bridge/br_if.c, port_cost()); none where they follow those of other links.

    The methods are what a kind may do differently.
    """

    name: str
    rtnl: str
    attributes: t.Tuple[Attribute, ...] = ()
    needed: t.Tuple[str, ...] = ()
    means: t.Optional[Means] = None
    paired: bool = False
    has_ports: bool = False
    has_parent: bool = False
    netns_local: bool = False
    stay_behind: t.Tuple[str, ...] = ()
    receiving: bool = False
    rank: int = 0
    port_costs: t.Tuple[int, ...] = PORT_COSTS

    def lacking(self, values: Values, has_parent: bool) -> t.List[str]:
        """The options without which a link can't be made, and that are not among the values that are given for it."""
        given = {*values, *(("parent",) if has_parent else ())}
        return [name for name in self.needed if name not in given]

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

    def users(self, name: str, message: t.Any, thorough: bool) -> t.Tuple[str, ...]:
        """Words for the processes that hold a link open; ``thorough`` may cost more, and tells which.

        Called inside the link's namespace.
        """
        return ()

    def problem(self, values: Values) -> str:
        """A sentence on what is wrong with the values that a link is to have, as a whole; empty if nothing is."""
        return ""

    def fixed(self, there: Values, asked: Values, held: bool) -> t.Dict[str, str]:
        """Those of the values asked for that can't be had in place, and why; ``held`` if the link has users."""
        return {}

    def mtu_max(self, values: Values) -> int:
        """The highest MTU that the driver takes for a new link with these values."""
        return 65535  # ETH_MAX_MTU of linux/if_ether.h

    def settled(self, values: Values) -> Values:
        """Those of some values that the kernel would keep beside each other."""
        return values

    def born(self, values: Values) -> Values:
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
