# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Facets of links: lists that a link has besides its values, such as addresses or routes."""

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

# Events that may remove entries of a facet: a link goes down, loses IPv6, or gets another MAC address.
DOWN, NO_IPV6, OTHER_MAC = "down", "no_ipv6", "other_mac"


class FacetEditor(t.Protocol):
    """What a facet uses of the editor."""

    state: State
    let_go: t.Dict[t.Tuple[str, str], Address]  # removed addresses, by namespace and address
    shaken: t.Set[t.Tuple[Ref, Address]]  # those that the kernel may have removed with another one

    def do(self, *todo: Step) -> None:
        """Add steps to the plan, and simulate them."""


class Merging(t.NamedTuple):
    """Input of ``Facet.merge``."""

    base: Link  # the link before
    wanted: WantedLink
    prefix: str  # prefix of its options in sentences
    merged: t.Mapping[str, t.Tuple[t.Any, ...]]  # results for the facets that come before in the list
    wishes: t.Mapping[t.Any, Ref]  # the link that gets a route, by namespace and key of the route
    missing: t.List[str]  # collects sentences on missing prerequisites


class Facet(t.NamedTuple):
    """A facet of links: a list of entries, with its option ``name`` and an option ``purge_NAME``.

    WantedLink has fields ``name`` and ``purge_NAME``, and Link a field ``name``. ``str()`` of an entry is its name in
    sentences. Entries of FACETS have an ``origin`` and a ``family`` (4 or 6).
    """

    name: str
    option: Options  # argument spec of the option
    # From the value of the option to entries; the text names option and link in errors. Raises BadInput.
    read: t.Callable[[t.Any, str], t.Tuple[t.Any, ...]]
    # From a link to the value in its document; None if unknown.
    write: t.Callable[[Link], t.Optional[t.List[t.Any]]]
    # Entries after the wanted ones are merged into the present ones. Raises BadInput.
    merge: t.Callable[[Merging], t.Tuple[t.Any, ...]]
    # Plan the steps that add missing entries of a target: before the link comes up, or after that with ``needs_up``.
    add: t.Callable[[FacetEditor, Ref, Link], None]
    needs_up: bool = False
    # Plan the steps that remove entries which a target lacks, before all ``add``; None if ``add`` does that.
    drop: t.Optional[t.Callable[[FacetEditor, Ref, Link], None]] = None
    # Read the entries of one link, or of all links (index 0), by index. The last argument says whether entries that the kernel
    # added are required. None if the observer reads them with the settings of a port.
    observe: t.Optional[t.Callable[[Namespace, int, bool], Lists]] = None
    # Identifies an observed or wanted entry: it isn't lost if an equal one is wanted elsewhere.
    identity: t.Callable[[Ref, t.Any], t.Hashable] = lambda ref, entry: (ref, entry)
    # Whether the kernel keeps an entry on an event: DOWN, NO_IPV6 or OTHER_MAC.
    stays: t.Callable[[t.Any, str], bool] = lambda _entry, _event: True
    # Noun for an entry in sentences, if ``str()`` of it is not enough.
    noun: str = ""


def options(facets: t.Iterable[Facet]) -> Options:
    """Argument spec of facets."""
    found: Options = {}
    for facet in facets:
        found[facet.name] = facet.option
        found["purge_" + facet.name] = {"type": "bool", "default": False}
    return found


def check_purge(document: Document, name: str, prefix: str, what: str) -> None:
    """Raise BadInput if a document has ``purge_NAME`` without ``NAME``; ``what`` is the noun for the document."""
    if document.get("purge_" + name) and document.get(name) is None:
        raise BadInput(
            "Option %spurge_%s of %s %s needs option %s%s; give an empty list to remove all."
            % (prefix, name, what, quoted(document["name"]), prefix, name)
        )


def read(facets: t.Iterable[Facet], document: Document, prefix: str, what: str = "link") -> t.Dict[str, t.Any]:
    """Fields of WantedLink for facets. Raises BadInput with all errors."""
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
    """Facets of a link as they are in its document."""
    found = ((facet.name, facet.write(link)) for facet in facets)
    return {name: value for name, value in found if value is not None}


def observe(facets: t.Iterable[Facet], space: Namespace, index: int, kernels: bool) -> t.Dict[str, Lists]:
    """Read facets from the kernel: entries by the name of the facet and the index of the link."""
    return {facet.name: facet.observe(space, index, kernels) for facet in facets if facet.observe}


def lists_of(index: int, observed: t.Mapping[str, Lists]) -> t.Dict[str, t.Any]:
    """Fields of Link for one link, from the result of ``observe``."""
    return {name: tuple(found.get(index, ())) for name, found in observed.items()}


def merged(facets: t.Iterable[Facet], merging: Merging) -> t.Dict[str, t.Any]:
    """Fields of Link after the wanted entries are merged into the present ones. Raises BadInput."""
    fields: t.Dict[str, t.Any] = {}
    for facet in facets:
        fields[facet.name] = facet.merge(merging._replace(merged=dict(fields)))
    return fields


def nothing(facets: t.Iterable[Facet]) -> t.Dict[str, t.Any]:
    """Fields of Link without entries, as after a move to another namespace."""
    return {facet.name: () for facet in facets}


def after(facets: t.Iterable[Facet], link: Link, event: str) -> Link:
    """A link without the entries that the kernel removes on an event: DOWN, NO_IPV6 or OTHER_MAC."""
    left: t.Dict[str, t.Any] = {
        facet.name: tuple(entry for entry in getattr(link, facet.name) if facet.stays(entry, event)) for facet in facets
    }
    return dataclasses.replace(link, **left)


def facts(facets: t.Iterable[Facet], link: Link) -> t.Dict[str, t.Any]:
    """Entries of a link in words, by facet, to compare two states; without those that the kernel adds."""
    return {
        facet.name: sorted(
            str(entry) if entry.origin == STATIC else "%s (%s)" % (entry, entry.origin)
            for entry in getattr(link, facet.name)
            if entry.origin != KERNEL
        )
        for facet in facets
    }


def static_ipv6(facets: t.Iterable[Facet], link: Link) -> t.Dict[str, t.List[str]]:
    """Static IPv6 entries of a link in words, by facet."""
    return {
        facet.name: [str(e) for e in getattr(link, facet.name) if e.family == 6 and e.origin == STATIC]
        for facet in facets
    }


def asked(facets: t.Iterable[Facet], wanted: t.Iterable[WantedLink]) -> t.Set[t.Hashable]:
    """Identities of all entries that links request."""
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
    """Entries that a link loses, except purged ones and those in ``elsewhere`` (from ``asked``)."""
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
    """The option ``netns`` of a document; empty for the namespace that the module runs in."""
    return {"netns": netns} if netns else {}
