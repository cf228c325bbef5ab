# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports that take less time, and change nothing else."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import typing as t
import zipfile
import zipimport
from pathlib import Path

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common import imports
from ansible_collections.virtnet.linux.plugins.module_utils._common.imports import compile_once, postpone


@pytest.fixture(name="package")
def fixture_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[str]:
    """A package that counts in the module ``count`` how often its own code ran."""
    folder = tmp_path / "heavy"
    folder.mkdir()
    (folder / "__init__.py").write_text("from heavy import count\ncount.runs += 1\nanswer = 42\n", encoding="utf-8")
    (folder / "count.py").write_text("runs = 0\n", encoding="utf-8")
    (folder / "light.py").write_text("from heavy import count\nseen = count.runs\n", encoding="utf-8")
    (folder / "broken.py").write_text("import heavy_is_not_there\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield "heavy"
    for name in [name for name in sys.modules if name.partition(".")[0] == "heavy"]:
        del sys.modules[name]


def runs() -> int:
    return int(importlib.import_module("heavy.count").runs)


def test_its_modules_are_imported_without_it(package: str) -> None:
    postpone(package)
    assert importlib.import_module("heavy.light").seen == 0
    assert runs() == 0


def test_it_runs_once_when_asked_for_something_else(package: str) -> None:
    postpone(package)
    whole = importlib.import_module(package)
    assert (whole.answer, whole.answer, runs()) == (42, 42, 1)


def test_what_it_does_not_have(package: str) -> None:
    postpone(package)
    whole = importlib.import_module(package)
    with pytest.raises(AttributeError, match="nothing"):
        whole.nothing  # noqa: B018
    assert runs() == 1


def test_a_module_that_lacks_something(package: str) -> None:
    postpone(package)
    with pytest.raises(ModuleNotFoundError, match="heavy_is_not_there"):
        importlib.import_module("heavy.broken")


def test_one_that_was_imported_already_is_left_alone(package: str) -> None:
    whole = importlib.import_module(package)
    postpone(package)
    assert importlib.import_module(package) is whole
    assert (whole.answer, runs()) == (42, 1)


def test_one_that_is_not_there() -> None:
    postpone("heavy_is_not_there")
    assert "heavy_is_not_there" not in sys.modules


FILES = ("in_zip/__init__.py", "in_zip/some.py", "in_zip/inner/__init__.py", "in_zip/inner/other.py")


@pytest.fixture(name="compiled")
def fixture_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.List[str]]:
    """The modules of the package ``in_zip`` as often as they are compiled."""
    archive = tmp_path / "in_zip.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in FILES:
            file.writestr(name, "")
    compiled: t.List[str] = []
    compile_source = zipimport._compile_source  # type: ignore[attr-defined]

    def counting(path: str, source: bytes) -> t.Any:
        compiled.append(path[len(str(archive)) + 1 :])
        return compile_source(path, source)

    monkeypatch.setattr(zipimport, "_compile_source", counting)
    monkeypatch.syspath_prepend(str(archive))
    importlib.import_module("in_zip")
    compiled.clear()
    yield compiled
    for name in [name for name in sys.modules if name.partition(".")[0] == "in_zip"]:
        del sys.modules[name]


def test_modules_in_a_zip_are_compiled_once(compiled: t.List[str], tmp_path: Path) -> None:
    for folder in ("in_zip", "in_zip/inner"):
        compile_once(pkgutil.get_importer(str(tmp_path / "in_zip.zip" / folder)))
    names = ["in_zip.some", "in_zip.inner", "in_zip.inner.other"]
    files = [importlib.import_module(name).__file__ for name in names]
    assert files == [str(tmp_path / "in_zip.zip" / path) for path in FILES[1:]]
    assert compiled == list(FILES[1:])
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("in_zip.nothing")


def test_without_that_they_are_compiled_twice(compiled: t.List[str]) -> None:
    # When Python no longer does so, compile_once has had its time.
    importlib.import_module("in_zip.some")
    assert compiled == ["in_zip/some.py"] * 2


def test_other_loaders_are_left_alone(tmp_path: Path) -> None:
    compile_once(None)
    loader = pkgutil.get_importer(str(tmp_path))
    compile_once(loader)
    assert "get_filename" not in vars(loader)


def test_it_is_so_in_each_folder() -> None:
    """Those that Ansible ships a file of."""
    top = Path(imports.__file__).parent.parent
    assert {str(top / folder) for folder in imports.FOLDERS} == {str(path.parent) for path in top.rglob("*.py")} | {
        str(top)
    }
