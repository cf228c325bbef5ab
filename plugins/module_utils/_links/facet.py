# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a facet of links is: a list that a link has besides its scalar options, such as addresses or routes."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput, Complaints
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted
from ansible_collections.virtnet.linux.plugins.module_utils._links.model import KERNEL, STATIC

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Address, Link, Ref, WantedLink
    from ansible_collections.virtnet.linux.plugins.module_utils._links.state import State
    from ansible_collections.virtnet.linux.plugins.module_utils._netlink.socket import Namespace

Options = t.Dict[str, t.Any]
Document = t.Dict[str, t.Any]
Lists = t.Mapping[int, t.Sequence[t.Any]]

# What happens to a link and may remove entries of a facet: it goes down, loses IPv6, gets another MAC address.
DOWN, NO_IPV6, OTHER_MAC = "down", "no_ipv6", "other_mac"


class FacetEditor(t.Protocol):
    """What a facet needs of the editor."""

    state: State
    let_go: t.Dict[t.Tuple[str, str], Address]  # addresses that links have lost, by namespace and address
    shaken: t.Set[t.Tuple[Ref, Address]]  # those that may have gone with another one

    def do(self, *todo: Step) -> None:
        """Plan steps, and simulate them."""


class Merging(t.NamedTuple):
    """What a facet knows when it finds what a link is to have."""

    base: Link  # what the link has
    wanted: WantedLink
    prefix: str  # that of the options of the link
    merged: t.Mapping[str, t.Tuple[t.Any, ...]]  # what it is to have of the facets that come before in the list
    wishes: t.Mapping[t.Any, Ref]  # the link through which a route is to lead, by namespace and key
    missing: t.List[str]  # takes sentences on what the host lacks


@dataclasses.dataclass(frozen=True)
class Facet:
    """A facet of links: a list of entries, with its option ``name`` and an option ``purge_NAME``.

    ``name`` and ``purge_NAME`` are fields of WantedLink, and ``name`` is one of Link. ``str()`` of an entry names it in
    sentences, and the entries of Link in FACETS have an ``origin`` and a ``family`` (4 or 6).
    """

    name: str
    option: Options  # its argument spec
    # The value for WantedLink of what the option has; the text names the option and the link, for errors. Raises BadInput.
    read: t.Callable[[t.Any, str], t.Tuple[t.Any, ...]]
    # What a document of the link has; None where nothing is known.
    write: t.Callable[[Link], t.Optional[t.List[t.Any]]]
    # What a link is to have, given what it has and what is wanted. Raises BadInput.
    merge: t.Callable[[Merging], t.Tuple[t.Any, ...]]
    # The editor's phase in which a link gets what ``target`` has: before it comes up, or after that if it ``needs_up``.
    add: t.Callable[[FacetEditor, Ref, Link], None]
    needs_up: bool = False
    # The phase before, in which it loses what ``target`` lacks; None where ``add`` does that.
    drop: t.Optional[t.Callable[[FacetEditor, Ref, Link], None]] = None
    # What links have, as values of Link by their index: of the link with an index, or of all (0). Without ``kernels`` (the
    # last argument) what the kernel made may be left out. None where the observer reads it with the settings of a port.
    observe: t.Optional[t.Callable[[Namespace, int, bool], Lists]] = None
    # What an entry of a link, or of a wish for it, is in the kernel: with an equal one elsewhere, nothing is lost.
    identity: t.Callable[[Ref, t.Any], t.Hashable] = lambda ref, entry: (ref, entry)
    # Whether an entry stays when something happens to its link: DOWN, NO_IPV6 or OTHER_MAC.
    stays: t.Callable[[t.Any, str], bool] = lambda _entry, _event: True
    # The word for an entry in sentences, where ``str()`` of it is not enough.
    noun: str = ""


def options(facets: t.Iterable[Facet]) -> Options:
    """The argument spec of facets."""
    found: Options = {}
    for facet in facets:
        found[facet.name] = facet.option
        found["purge_" + facet.name] = {"type": "bool", "default": False}
    return found


def check_purge(document: Document, name: str, prefix: str, what: str) -> None:
    """Raise BadInput where ``purge_NAME`` of a document lacks ``NAME``; ``what`` is the word for what has the name."""
    if document.get("purge_" + name) and document.get(name) is None:
        raise BadInput(
            "Option %spurge_%s of %s %s needs option %s%s; give an empty list to remove all."
            % (prefix, name, what, quoted(document["name"]), prefix, name)
        )


def read(facets: t.Iterable[Facet], document: Document, prefix: str, what: str = "link") -> t.Dict[str, t.Any]:
    """The fields of WantedLink for facets. Raises BadInput with all that is wrong."""
    told = Complaints()
    fields: t.Dict[str, t.Any] = {}
    for facet in facets:
        value = document.get(facet.name)
        where = "option %s%s of %s %s" % (prefix, facet.name, what, quoted(document["name"]))
        fields[facet.name] = None if value is None else told.attempt(facet.read, value, where)
        fields["purge_" + facet.name] = document.get("purge_" + facet.name, False)
    told.report()
    return fields


def write(facets: t.Iterable[Facet], link: Link) -> Document:
    """What a document of a link has of facets."""
    found = ((facet.name, facet.write(link)) for facet in facets)
    return {name: value for name, value in found if value is not None}


def observe(facets: t.Iterable[Facet], space: Namespace, index: int, kernels: bool) -> t.Dict[str, Lists]:
    """What the kernel tells of facets: for each, by name, what links have by their index."""
    return {facet.name: facet.observe(space, index, kernels) for facet in facets if facet.observe}


def lists_of(index: int, observed: t.Mapping[str, Lists]) -> t.Dict[str, t.Any]:
    """The fields of Link that ``observe`` has found for a link."""
    return {name: tuple(found.get(index, ())) for name, found in observed.items()}


def merged(facets: t.Iterable[Facet], merging: Merging) -> t.Dict[str, t.Any]:
    """The fields of Link that a link is to have, given what it has and what is wanted. Raises BadInput."""
    fields: t.Dict[str, t.Any] = {}
    for facet in facets:
        fields[facet.name] = facet.merge(merging._replace(merged=dict(fields)))
    return fields


def nothing(facets: t.Iterable[Facet]) -> t.Dict[str, t.Any]:
    """The fields of Link for one that has nothing of facets, as after a move to another namespace."""
    return {facet.name: () for facet in facets}


def after(facets: t.Iterable[Facet], link: Link, event: str) -> Link:
    """What is left of a link when something happens to it: DOWN, NO_IPV6 or OTHER_MAC."""
    left: t.Dict[str, t.Any] = {
        facet.name: tuple(entry for entry in getattr(link, facet.name) if facet.stays(entry, event)) for facet in facets
    }
    return dataclasses.replace(link, **left)


def facts(facets: t.Iterable[Facet], link: Link) -> t.Dict[str, t.Any]:
    """What a link has of facets in words, by name, for a comparison; without what the kernel adds."""
    return {
        facet.name: sorted(
            str(entry) if entry.origin == STATIC else "%s (%s)" % (entry, entry.origin)
            for entry in getattr(link, facet.name)
            if entry.origin != KERNEL
        )
        for facet in facets
    }


def static_ipv6(facets: t.Iterable[Facet], link: Link) -> t.Dict[str, t.List[str]]:
    """What an administrator gave a link of IPv6, in words, by the names of facets."""
    return {
        facet.name: [str(e) for e in getattr(link, facet.name) if e.family == 6 and e.origin == STATIC]
        for facet in facets
    }


def asked(facets: t.Iterable[Facet], wanted: t.Iterable[WantedLink]) -> t.Set[t.Hashable]:
    """The identities of all entries that are wanted of some links."""
    return {
        (facet.name, facet.identity(end.ref, entry))
        for end in wanted
        for facet in facets
        for entry in getattr(end, facet.name) or ()
    }


def losses(
    facets: t.Iterable[Facet],
    before: Link,
    now: Link,
    wanted: t.Optional[WantedLink],
    elsewhere: t.Container[t.Hashable],
) -> t.List[str]:
    """The entries that a link loses although nobody purges them or wants them ``elsewhere`` (what ``asked`` returns)."""
    found = []
    for facet in facets:
        there = {facet.identity(now.ref, entry) for entry in getattr(now, facet.name)}
        purged = wanted is not None and getattr(wanted, "purge_" + facet.name)
        for entry in getattr(before, facet.name):
            kept = entry.origin == KERNEL or (purged and entry.origin == STATIC)
            if kept or facet.identity(now.ref, entry) in there:
                continue
            if (facet.name, facet.identity(before.ref, entry)) not in elsewhere:
                found.append(" ".join(filter(None, (facet.noun, str(entry)))))
    return found


def place(netns: str) -> Document:
    """What a document has of the namespace of a link; nothing for the one that the module runs in."""
    return {"netns": netns} if netns else {}
