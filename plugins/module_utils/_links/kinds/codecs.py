# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Codecs of values that several kinds have."""

from __future__ import annotations

from ansible_collections.virtnet.linux.plugins.module_utils._common.users import (
    absent,
    gid_of,
    group,
    group_name,
    uid_of,
    user,
    user_name,
)
from ansible_collections.virtnet.linux.plugins.module_utils._links.kinds.kind import Codec

USER = Codec("str", uid_of, user_name, str, parse=user, absent=lambda value: absent(value, uid_of))
GROUP = Codec("str", gid_of, group_name, str, parse=group, absent=lambda value: absent(value, gid_of))
