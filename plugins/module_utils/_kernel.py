# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kernel side: what a task looks at and changes of namespaces and links."""

from __future__ import annotations

from ansible_collections.virtnet.linux.plugins.module_utils._look import Looking
from ansible_collections.virtnet.linux.plugins.module_utils._run import Running


class Kernel(Looking, Running):
    """The networks of this host, seen and changed from the namespace that the process runs in.

    Raises Unusable where this host, this Python or this user can't do that.
    """
