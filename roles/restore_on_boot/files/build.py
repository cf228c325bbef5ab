# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the program that restores topologies: one file with the engine in it, which Python runs without Ansible.

    build.py FILE

Equal sources make equal files, byte for byte.
"""

from __future__ import annotations

import sys
import typing as t
import zipfile
from pathlib import Path

PACKAGE = "ansible_collections/virtnet/linux/plugins/module_utils"
SOURCES = Path(__file__).resolve().parents[3] / "plugins" / "module_utils"
MAIN = """\
import sys

from ansible_collections.virtnet.linux.plugins.module_utils._common import imports

imports.prepare()

from ansible_collections.virtnet.linux.plugins.module_utils._topology.restore import main

sys.exit(main(sys.argv[1:]))
"""


def main(target: str) -> None:
    with open(target, "wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        # Not compressed, as that would depend on the Python that builds it.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as program:
            for name, text in sorted(contents().items()):
                program.writestr(zipfile.ZipInfo(name), text)


def contents() -> t.Dict[str, str]:
    """What goes into the program: the engine without those of its files that need Ansible."""
    files = {"__main__.py": MAIN}
    for source in SOURCES.rglob("*.py"):
        if source.parent.name != "_modules":
            files["%s/%s" % (PACKAGE, source.relative_to(SOURCES).as_posix())] = source.read_text(encoding="utf-8")
    folders = PACKAGE.split("/")
    for depth in range(1, len(folders) + 1):
        files.setdefault("/".join([*folders[:depth], "__init__.py"]), "")
    return files


if __name__ == "__main__":
    main(sys.argv[1])
