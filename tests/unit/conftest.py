# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same examples each time, so that a change is judged by what it changes; with EXPLORE set hypothesis looks for new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("virtnet", derandomize="EXPLORE" not in os.environ, deadline=None)
settings.load_profile("virtnet")
