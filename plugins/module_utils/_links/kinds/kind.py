# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Kinds of links: their attributes, netlink coding, words of iproute2, and what differs by kind."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Vlan

Values = t.Mapping[str, t.Any]


class Codec(t.NamedTuple):
    """Converts a value between an option, netlink and the command line of iproute2."""

    # The type of the option
    type: str
    # From the option to the payload of the netlink attribute, and back
    encode: t.Callable[[t.Any], t.Any]
    decode: t.Callable[[t.Any], t.Any]
    # The word or words for the command line of iproute2
    spell: t.Callable[[t.Any], t.Union[str, t.List[str]]]
    # From the given value to the one that the kernel reports; raises ValueError with a sentence
    parse: t.Optional[t.Callable[[t.Any], t.Any]] = None
    # Largest difference at which two values count as equal
    tolerance: float = 0
    # From the present value, the wanted one, and whether others are purged, to the value to set
    merge: t.Callable[[t.Any, t.Any, bool], t.Any] = lambda old, new, purge: new
    # From the present value and the one that is set to the resulting value
    result: t.Callable[[t.Any, t.Any], t.Any] = lambda old, new: new
    # Whether the present value satisfies the wanted one, if that isn't equality
    equal: t.Optional[t.Callable[[t.Any, t.Any], bool]] = None
    # Sentences on what a value refers to and this host lacks
    absent: t.Callable[[t.Any], t.List[str]] = lambda value: []

    def same(self, there: t.Any, asked: t.Any) -> bool:
        """Whether the present value satisfies the wanted one."""
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
# The kernel accepts hundredths of a second (USER_HZ) and stores jiffies. All kernels return an even number of hundredths
# unchanged; an odd one that was set by another program counts as equal.
SECONDS = Codec("float", _centiseconds, _seconds, lambda value: str(_centiseconds(value)), tolerance=0.01)


# By the speed of a link: 10 Gbit/s and more, 5, 2.5, 1 Gbit/s, 100 Mbit/s, 10 Mbit/s or unknown; in older kernels 4 for 1 Gbit/s.
PORT_COSTS = (2, 3, 4, 5, 19, 100)


class Procedure(t.NamedTuple):
    """Creates a link or sets an attribute without rtnetlink.

    ``run`` takes the name and the values of the link, and is called inside its namespace; it raises OSError. If it creates a
    link again, the value ``ifindex`` is the former index. ``commands`` takes the namespace as well, and returns the equivalent
    commands.
    """

    run: t.Callable[[str, Values], None]
    commands: t.Callable[[str, str, Values], t.List[Argv]]


class Attribute(t.NamedTuple):
    """An option of a link with a single value."""

    name: str
    # The netlink attribute, within IFLA_INFO_DATA for an option of one kind
    nla: str
    # The keyword of iproute2
    ip: str
    codec: Codec
    # Default of the kernel; None if unknown
    default: t.Any = None
    # The lowest and the highest value
    bounds: t.Optional[t.Tuple[int, int]] = None
    # The bits of a mask that the kernel always refuses
    refused_bits: t.Tuple[int, ...] = ()
    choices: t.Tuple[str, ...] = ()
    # Its entry in an argument spec, besides the type
    spec: t.Mapping[str, t.Any] = {}
    # Values of other attributes that the kernel requires to change this one. They come later in the list of the kind
    requires: t.Tuple[t.Tuple[str, t.Any], ...] = ()
    # Whether it is part of the message that creates a link
    on_create: bool = False
    # The names of the attributes that are set with it, because the kernel accepts them only together
    set_together: t.Tuple[str, ...] = ()
    # The bits of all of them, where they share a bit field
    bits: t.Mapping[str, int] = {}
    # Netlink attributes that are sent with it
    companion_attributes: t.Tuple[t.Tuple[str, t.Any], ...] = ()
    # How it is set if not by rtnetlink
    means: t.Optional[Procedure] = None
    # The wanted value if the option is omitted; None to leave it unchanged
    implied: t.Any = None
    # Whether a change can't be rolled back. It is then set last
    irreversible: bool = False

    def option(self) -> t.Dict[str, t.Any]:
        """Entry of the option in an argument spec."""
        spec: t.Dict[str, t.Any] = {"type": self.codec.type, **self.spec}
        if self.choices:
            spec["choices"] = list(self.choices)
        return spec

    def check(self, value: t.Any, where: str) -> t.Any:
        """The value as the kernel will report it. Raises BadInput for an invalid value."""
        if self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]:
            raise BadInput(
                "%s: %s %s is out of range; valid are %s to %s." % (where, self.name, quoted(value), *self.bounds)
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
        """Netlink attributes for this one of ``values``, with those that must be sent with it."""
        if self.bits:
            return [(self.nla, sum(bit for name, bit in self.bits.items() if values.get(name)))]
        return [*self.companion_attributes, (self.nla, self.codec.encode(values[self.name]))]

    def decode(self, payload: t.Any) -> t.Any:
        """The value in the payload of the netlink attribute."""
        return bool(payload & self.bits[self.name]) if self.bits else self.codec.decode(payload)

    def spell(self, value: t.Any) -> t.List[str]:
        """The words that iproute2 wants."""
        words = self.codec.spell(value)
        return [self.ip, *([words] if isinstance(words, str) else words)]


class Kind(t.NamedTuple):
    """A kind of link. A kind overrides the methods in which it differs."""

    # The name of its module, and the ``kind`` of a document
    name: str
    # The kernel's word for it (IFLA_INFO_KIND)
    rtnl: str
    # Its own attributes, in the order in which they are set
    attributes: t.Tuple[Attribute, ...] = ()
    # The options that must be given to create one
    required_to_create: t.Tuple[str, ...] = ()
    # How one is created if not by rtnetlink
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
        """Options that are required to create a link and are not among ``values``."""
        given = {*values, *(("parent",) if has_parent else ())}
        return [name for name in self.required_to_create if name not in given]

    def spell(self, names: t.Collection[str], values: Values) -> t.List[str]:
        """Words for the command line of iproute2 for some attributes of the kind, given all ``values``.

        A value that is missing is the default of the kernel; if that is unknown, it is omitted.
        """
        spelled = ((a, values.get(a.name, a.default)) for a in self.attributes if a.name in names)
        return [word for a, value in spelled if value is not None for word in a.spell(value)]

    def read_more(self, name: str, message: t.Any) -> t.Dict[str, t.Any]:
        """Values that the netlink message of a link lacks or reports wrongly; None for unknown ones.

        Called inside the namespace of the link. Raises OSError.
        """
        return {}

    def open_by(self, name: str, message: t.Any, thorough: bool) -> t.Tuple[str, ...]:
        """Words for the processes that hold a link open; ``thorough`` identifies them, at a higher cost.

        Called inside the namespace of the link.
        """
        return ()

    def validate(self, values: Values) -> str:
        """A sentence on values that exclude each other; empty if there are none."""
        return ""

    def immutable(self, there: Values, asked: Values, held: bool) -> t.Dict[str, str]:
        """Wanted values that can't be changed in place, with the reasons; ``held`` if processes hold the link open."""
        return {}

    def mtu_max(self, values: Values) -> int:
        """Highest MTU that the driver accepts for a new link with these values; 0 for no limit."""
        return 65535  # ETH_MAX_MTU of linux/if_ether.h

    def normalized(self, values: Values) -> Values:
        """Values that the kernel keeps when all of these are set."""
        return values

    def initial_values(self, values: Values) -> Values:
        """Values of a new link that is created with these values."""
        return values

    def exclusive_parent(self, values: Values) -> str:
        """Words for the condition if a link with these values requires exclusive use of its parent; otherwise empty."""
        return ""

    def own_mac(self, values: Values) -> bool:
        """Whether the MAC address of a link with these values must be unique on its parent."""
        return False

    def other_frames(self, values: Values) -> str:
        """Words for a link with these values if it has no Ethernet frames; otherwise empty."""
        return ""

    def unsupported(self, asked: Values, there: t.Optional[Values], bridge_vlans: bool) -> t.Dict[str, str]:
        """Wanted options that this kernel lacks, with the reasons.

        ``there`` are the observed values, None for a new link; ``bridge_vlans`` is whether the kernel has VLANs in bridges.
        """
        return {}

    def follows(self, values: Values, below: t.Optional[Values]) -> t.Set[str]:
        """Names of values that follow the ports or the parent; ``below`` are the values of the parent."""
        # The MTU of the parent is the limit.
        return {"mtu"} if below is not None and values.get("mtu", 0) > below.get("mtu", 0) else set()

    def stacking_problem(self, parent: Link, of_parent: t.Optional[Kind], other_frames: str) -> str:
        """The reason why a link can't be stacked upon a parent; otherwise empty.

        ``of_parent`` is the kind of the parent, None if it is not of this collection; ``other_frames`` are the words for its
        frames.
        """
        return ""

    def port_problem(self, port: Link, other_frames: str) -> str:
        """The reason why a link can't become a port; otherwise empty. ``other_frames`` are the words for its frames."""
        return "" if self.has_ports else "it takes no ports."

    def ports_problem(self, count: int) -> str:
        """A sentence on a number of ports that is too high; otherwise empty."""
        return ""

    def joined(self, values: Values) -> t.Tuple[Values, t.Optional[t.Tuple[Vlan, ...]]]:
        """Settings and VLANs of a new port of a link with these values."""
        return {}, None

    def making(self, name: str) -> t.ContextManager[None]:
        """Context in which a link is created. Called inside its namespace."""
        return contextlib.nullcontext()

    def leaving(self, name: str) -> t.ContextManager[None]:
        """Context in which a link is deleted or leaves its namespace. Called inside that namespace."""
        return contextlib.nullcontext()

    def hint(self, code: int) -> str:
        """Likely cause if the kernel refuses a link, or an attribute with ``means``, with an errno; otherwise empty."""
        return ""
