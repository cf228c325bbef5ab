# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A package of which some modules are needed, and not all that it imports for those who need it whole."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import typing as t


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
