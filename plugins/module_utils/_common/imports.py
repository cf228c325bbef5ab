# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Faster imports: compile each module in Ansible's zip once, and don't import all of pyroute2.

Modules and the restore program call ``prepare`` before they import anything else of this collection.
"""

from __future__ import annotations

import gc
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
    """Make later imports faster."""
    if isinstance(pkgutil.get_importer(_MODULE_UTILS), zipimport.zipimporter):
        gc.disable()  # a module ends before garbage collection pays off, and Python would collect once more at its end
    for folder in FOLDERS:
        compile_once(pkgutil.get_importer(os.path.join(_MODULE_UTILS, folder).rstrip("/")))
    # A complete import is eight times as slow as that of the required part, and slower than any task.
    postpone("pyroute2")


def compile_once(loader: t.Any) -> None:
    """Make a loader of modules in a zip compile each of them only once; other loaders are unchanged.

    Python first asks the loader for the file name of a module, for which zipimport compiles the file. Ansible sends modules in a
    zip, and Python does not cache compiled code from there.
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
    """Execute the code of a package only when an attribute other than one of its modules is used.

    Its modules can be imported as before. A package that is already imported, or does not exist, is unchanged.
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
