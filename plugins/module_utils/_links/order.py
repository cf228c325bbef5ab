# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Order in which links get their settings. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._links.model import (
    Ref,
    WantedLink,
)


def in_settling_order(links: t.Sequence[WantedLink]) -> t.List[WantedLink]:
    """Sort wanted links so that each comes after the links that its MTU depends on; otherwise keep their order.

    A link depends on its parent and, if that is a bridge, on the ports of the bridge.
    """
    wanted = [link for link in links if link.present]
    by_end: t.Dict[Ref, t.List[WantedLink]] = {}
    by_master: t.Dict[Ref, t.List[WantedLink]] = {}
    for link in wanted:
        for end in link.ends():
            by_end.setdefault(end.ref, []).append(link)
            if end.values.get("master"):
                by_master.setdefault(Ref(end.ref.netns, end.values["master"]), []).append(link)
    parents: t.Set[Ref] = set()

    def depends_on(link: WantedLink) -> t.Iterator[WantedLink]:
        if link.parent and link.parent not in parents:
            parents.add(link.parent)
            below = by_end.get(link.parent, [])
            ports = [Ref(link.parent.netns, name) for parent in below for name in parent.ports or ()]
            yield from by_master.get(link.parent, ())
            yield from (found for ref in ports for found in by_end.get(ref, ()))
            yield from below

    return [*_after_others(wanted, depends_on)]


def _after_others(
    links: t.Iterable[WantedLink], depends_on: t.Callable[[WantedLink], t.Iterator[WantedLink]]
) -> t.Iterator[WantedLink]:
    """Each link once, after those that it depends on. In a loop, one of them comes first."""
    begun: t.Set[int] = set()
    for first in links:
        stack: t.List[t.Tuple[WantedLink, t.Iterator[WantedLink]]] = []
        found: t.Optional[WantedLink] = first if id(first) not in begun else None
        while found or stack:
            if found:
                begun.add(id(found))
                stack.append((found, depends_on(found)))
            found = next((other for other in stack[-1][1] if id(other) not in begun), None)
            if found is None:
                yield stack.pop()[0]
