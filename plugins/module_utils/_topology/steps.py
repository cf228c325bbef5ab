# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The step that concerns a topology as a whole."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._engine.plan import Step

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._common.commands import Argv
    from ansible_collections.virtnet.linux.plugins.module_utils._topology.state import State


@dataclasses.dataclass(eq=False, repr=False)
class DocumentKeep(Step):
    """Keep a document for the next boot; None removes the kept one."""

    name: str
    document: t.Optional[t.Dict[str, t.Any]]

    def describe(self) -> str:
        doing = "keeping" if self.document is not None else "no longer keeping"
        return "%s the document of topology '%s' for the next boot" % (doing, self.name)

    def commands(self) -> t.List[Argv]:
        return []

    def simulate(self, state: State) -> None:
        state.kept = self.document

    def inverse(self, before: State) -> t.List[Step]:
        return [DocumentKeep(self.name, before.kept)]
