# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Unusable
from ansible_collections.virtnet.linux.plugins.module_utils._engine.lock import host_lock


def test_the_second_one_waits_and_then_says_who_holds_it(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    held = r"\(process %d\) has held the lock" % os.getpid()
    with host_lock(path), pytest.raises(Unusable, match=held), host_lock(path, timeout=0.1):
        pytest.fail("two have the lock")
    with host_lock(path, timeout=0.1):
        pass


def test_the_lock_goes_with_its_process(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lock")
    killed = (
        "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); fcntl.flock(fd, fcntl.LOCK_EX);"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, path], check=False).returncode == -9
    with host_lock(path, timeout=0.1):
        pass


def test_a_symbolic_link_in_its_place_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(Unusable, match=r"^Opening the lock file"), host_lock(str(tmp_path / "lock")):
        pass
    assert not (tmp_path / "precious").exists()
