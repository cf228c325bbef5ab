# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Imports that take less time. What modules begin with imports this first of all, for its effect."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
import typing as t
import zipimport

_HERE = os.path.dirname(__file__)


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


def postpone(name: str) -> None:
    """Have the code of a package run only when somebody asks it for something that isn't a module of it.

    Its modules can be imported as ever. Nothing happens to a package that was imported already, or isn't there.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    package = importlib.util.module_from_spec(spec)
    loader = spec.loader

    def ask(wanted: str) -> t.Any:
        """What the package is asked for and doesn't have yet (PEP 562)."""
        if not wanted.startswith("__"):
            try:
                return importlib.import_module("%s.%s" % (name, wanted))
            except ModuleNotFoundError:
                pass
        vars(package).pop("__getattr__", None)
        loader.exec_module(package)
        return getattr(package, wanted)

    vars(package)["__getattr__"] = ask
    sys.modules[name] = package


for _folder in (_HERE, os.path.join(_HERE, "_kinds")):
    compile_once(pkgutil.get_importer(_folder))
