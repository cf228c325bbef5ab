# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""All kinds of links. A new kind is a file in this folder, with an import and a line here."""

from __future__ import annotations

import importlib
import typing as t

if t.TYPE_CHECKING:
    # Ansible sends the files that are imported here to the target.
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds import (  # noqa: F401
        dummy,
        ifb,
        linux_bridge,
        macvlan,
        macvtap,
        tuntap,
        veth,
    )
    from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Kind

_FOLDER = __name__.rpartition(".")[0]


class _Kinds(t.Mapping[str, "Kind"]):
    """Kinds by a word. The file of a kind is imported when the kind is first needed, because most tasks need one or two."""

    def __init__(self, files: t.Mapping[str, str]) -> None:
        self._files = files
        self._kinds: t.Dict[str, Kind] = {}

    def __getitem__(self, word: str) -> Kind:
        if word not in self._kinds:
            self._kinds[word] = importlib.import_module("%s.%s" % (_FOLDER, self._files[word])).KIND
        return self._kinds[word]

    def __contains__(self, word: object) -> bool:
        return word in self._files

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


# The kernel's word for each kind, by its file, which has the name of the kind.
_RTNL = {
    "dummy": "dummy",
    "ifb": "ifb",
    "linux_bridge": "bridge",
    "macvlan": "macvlan",
    "macvtap": "macvtap",
    "tuntap": "tun",
    "veth": "veth",
}
KINDS = _Kinds({name: name for name in _RTNL})
BY_RTNL = _Kinds({rtnl: name for name, rtnl in _RTNL.items()})
# Assumed in check mode for a master that an earlier task would have created.
DEFAULT_MASTER = "linux_bridge"
