# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

import pytest

from ansible_collections.virtnet.linux.plugins.module_utils._netlink import nodes

if t.TYPE_CHECKING:
    from pathlib import Path


def test_one_that_loses_its_device_while_it_is_looked_at_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "class" / "net" / "m0"
    (link / "macvtap").mkdir(parents=True)
    (link / "ifindex").write_text("7\n", encoding="ascii")

    @contextlib.contextmanager
    def sysfs() -> t.Iterator[int]:
        top = os.open(tmp_path, os.O_RDONLY)
        yield top
        os.close(top)

    monkeypatch.setattr(nodes, "sysfs", sysfs)
    with pytest.raises(OSError, match="m0") as caught:
        nodes.device_of("m0")
    assert caught.value.errno == errno.ENODEV
