# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What describes a kind of link: its attributes, how the kernel encodes them and how iproute2 spells them."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._errors import BadInput


class Codec(t.NamedTuple):
    """How a value travels between an option, the kernel and iproute2's command line.

    ``type`` is the type of the option, ``encode`` and ``decode`` translate to and from the netlink attribute, and
    ``spell`` gives the word that ``ip`` wants. ``tolerance`` is how far a value read back may be off.
    """

    type: str
    encode: t.Callable[[t.Any], t.Any]
    decode: t.Callable[[t.Any], t.Any]
    spell: t.Callable[[t.Any], str]
    tolerance: float = 0

    def same(self, one: t.Any, other: t.Any) -> bool:
        """Whether two values mean the same to the kernel."""
        return bool(abs(one - other) <= self.tolerance + 1e-9) if self.tolerance else bool(one == other)


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


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One scalar option of a link.

    ``nla`` is its netlink attribute, within IFLA_INFO_DATA for a kind's own ones; ``ip`` the keyword of iproute2.
    ``default`` is what the kernel gives a new link, None where that can't be known. ``bounds`` are the lowest and
    the highest value. ``only_while`` names another attribute's value without which the
    kernel won't change this one; that other attribute must come later in the kind's list.
    """

    name: str
    nla: str
    ip: str
    codec: Codec
    default: t.Any = None
    bounds: t.Optional[t.Tuple[int, int]] = None
    choices: t.Tuple[str, ...] = ()
    only_while: t.Tuple[t.Tuple[str, t.Any], ...] = ()

    def option(self) -> t.Dict[str, t.Any]:
        """Its entry in an argument spec."""
        spec: t.Dict[str, t.Any] = {"type": self.codec.type}
        if self.choices:
            spec["choices"] = list(self.choices)
        return spec

    def check(self, value: t.Any, where: str) -> t.Any:
        """The value as the kernel will tell it again. Raises BadInput if it is out of bounds."""
        if self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]:
            raise BadInput(
                "%s: %s %s is out of range; the kernel takes %s to %s." % (where, self.name, value, *self.bounds)
            )
        return self.codec.decode(self.codec.encode(value))


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of link.

    ``name`` is the module's name and the ``kind`` of a document, ``rtnl`` the kernel's word for it. ``attributes``
    are its own, in the order in which they are to be set. ``read_more`` takes a link's name and the message that
    describes it, and returns the values that the message doesn't tell, or tells wrong; it is called inside the link's
    namespace. A ``paired`` kind is made with its peer; one that
    ``has_ports`` is a master of others; one that is ``netns_local`` can't be moved.
    """

    name: str
    rtnl: str
    attributes: t.Tuple[Attribute, ...] = ()
    read_more: t.Optional[t.Callable[[str, t.Any], t.Dict[str, t.Any]]] = None
    paired: bool = False
    has_ports: bool = False
    netns_local: bool = False
