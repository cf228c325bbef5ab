# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The archive that this collection comes in. What modules begin with imports this first of all, for its effect."""

from __future__ import annotations

import os
import pkgutil
import typing as t
import zipimport

_MODULE_UTILS = os.path.dirname(os.path.dirname(__file__))
_FOLDERS = ("", "_common", "_engine", "_netlink", "_links", "_links/kinds", "_ovs", "_topology", "_modules")


def compile_once(loader: t.Any) -> None:
    """Have a loader of modules in a zip compile each of them once; one of anything else is left alone.

    Python asks it for the name of a module's file first, and it compiles the file to find out. All that Ansible sends of this
    collection comes in a zip, and what was compiled of it isn't kept.
    """
    if not isinstance(loader, zipimport.zipimporter):
        return
    folder = os.path.join(loader.archive, loader.prefix)

    def get_filename(name: str) -> str:
        """The file of a module. Raises ZipImportError if there is none."""
        end = os.sep + "__init__.py" if loader.is_package(name) else ".py"
        return folder + name.rpartition(".")[2] + end

    vars(loader)["get_filename"] = get_filename


for _folder in _FOLDERS:
    compile_once(pkgutil.get_importer(os.path.join(_MODULE_UTILS, _folder).rstrip("/")))
