# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a postponed package does, and what it leaves alone."""

from __future__ import annotations

import importlib
import sys
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._packages import postpone

if t.TYPE_CHECKING:
    from pathlib import Path


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
