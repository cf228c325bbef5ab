# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the parts of the planner of links know in common of a plan in the making."""

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.model import Link, Ref


@dataclasses.dataclass(eq=False, repr=False)
class Notes:
    """What one part of the planner notes for another."""

    owned: t.Set[Ref] = dataclasses.field(default_factory=set)  # links that the topology owns
    doomed: t.Set[Ref] = dataclasses.field(default_factory=set)  # links that are to be deleted
    placed: t.Set[int] = dataclasses.field(default_factory=set)  # ids of the wanted links that are in their places
    # Where links are now that had another place or name
    moved: t.Dict[Ref, Ref] = dataclasses.field(default_factory=dict)
    # Where links are that wait for their deletion, and where they were
    set_aside: t.Dict[Ref, Ref] = dataclasses.field(default_factory=dict)
    # What a link was before it came to its place; None for a new one
    origins: t.Dict[Ref, t.Optional[Link]] = dataclasses.field(default_factory=dict)
    # Links that are to leave a master, and that master
    to_leave: t.Dict[Ref, str] = dataclasses.field(default_factory=dict)
    # Values that links get as ports of a bridge that names them
    given: t.Dict[Ref, t.Dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    # Links that are wanted, or that a wanted link needs, and that wanted link
    needed: t.Dict[Ref, Ref] = dataclasses.field(default_factory=dict)
    # The link through which a route is to lead, by namespace and what tells routes apart
    wishes: t.Dict[t.Tuple[str, t.Tuple[str, int, int]], Ref] = dataclasses.field(default_factory=dict)
    # What links are to be in the end
    unfinished: t.Dict[Ref, Link] = dataclasses.field(default_factory=dict)
    coming_up: t.Set[Ref] = dataclasses.field(default_factory=set)  # those of them that are down and are to be up
    asked_mtu: t.Dict[Ref, str] = dataclasses.field(
        default_factory=dict
    )  # words for the options that give links their MTU
