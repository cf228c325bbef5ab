# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Two ways to import less: each module in Ansible's zip is compiled once, and pyroute2 is not imported as a whole.

Modules call ``prepare`` before they import anything else of this collection, and so does the program that restores topologies.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
import typing as t
import zipimport

_MODULE_UTILS = os.path.dirname(os.path.dirname(__file__))
FOLDERS = ("", "_common", "_engine", "_netlink", "_links", "_links/kinds", "_ovs", "_topology", "_modules")


def prepare() -> None:
    """Make the imports that follow quick."""
    for folder in FOLDERS:
        compile_once(pkgutil.get_importer(os.path.join(_MODULE_UTILS, folder).rstrip("/")))
    # All of it takes eight times as long to import as what is needed here, and longer than what any task does.
    postpone("pyroute2")


def compile_once(loader: t.Any) -> None:
    """Make a loader of modules in a zip compile each of them once; other loaders stay as they are.

    Python asks the loader for the name of a module's file first, and the loader compiles the file to find out. All that Ansible
    sends of this collection is in a zip, and Python does not keep what it compiles of that.
    """
    if not isinstance(loader, zipimport.zipimporter):
        return
    folder = os.path.join(loader.archive, loader.prefix)

    def get_filename(name: str) -> str:
        """The file of a module. Raises ZipImportError if there is none."""
        end = os.sep + "__init__.py" if loader.is_package(name) else ".py"
        return folder + name.rpartition(".")[2] + end

    vars(loader)["get_filename"] = get_filename


def postpone(name: str) -> None:
    """Run the code of a package only when something is taken from it that is not one of its modules.

    Its modules can be imported as before. A package that was imported already, or does not exist, stays as it is.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    package = importlib.util.module_from_spec(spec)
    loader = spec.loader

    def get(wanted: str) -> t.Any:
        """An attribute that the package does not have yet (PEP 562)."""
        if not wanted.startswith("__"):
            try:
                return importlib.import_module("%s.%s" % (name, wanted))
            except ModuleNotFoundError:
                pass
        vars(package).pop("__getattr__", None)
        loader.exec_module(package)
        return getattr(package, wanted)

    vars(package)["__getattr__"] = get
    sys.modules[name] = package
