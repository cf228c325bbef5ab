# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Refusals of the kernel as sentences with the likely cause."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import Refused
from ansible_collections.virtnet.linux.plugins.module_utils._netlink.requests import NetlinkError

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._links.step import LinkStep

_HINTS = {
    errno.EPERM: "Run the task as root (become: true).",
    errno.EADDRINUSE: "Another link on the same parent has that MAC address, or the parent itself.",
    errno.EBUSY: "Something uses it; where it is a link, it may have to be set down first.",
    errno.ENODEV: "The link is gone: another process must have removed it during this task.",
    errno.ENETDOWN: "The link must be up for that (state: up).",
    errno.ENETUNREACH: "The gateway must be in the subnet of an address of the link; if it is meant to be elsewhere, "
    "give the route 'onlink: true'; if it is an old route that lost its subnet, 'purge_routes: true' removes it.",
    errno.EOPNOTSUPP: "This kernel, or this kind of device, can't do that.",
}


def hint(step: t.Optional[LinkStep], code: int) -> str:
    """Likely cause of a refusal, by its errno; empty if unknown."""
    return (step.hint(code) if step else "") or _HINTS.get(code, "")


@contextlib.contextmanager
def sentences(doing: str, step: t.Optional[LinkStep] = None) -> t.Iterator[None]:
    """Convert refusals of the kernel to Refused; ``doing`` is the subject of the sentence."""
    try:
        yield
    except NetlinkError as error:
        text = str(error.args[1]) if len(error.args) > 1 else os.strerror(error.code)
        raise Refused(doing, text, error.code, hint(step, error.code)) from error
    except OSError as error:
        code = error.errno or 0
        raise Refused(doing, error.strerror or str(error), code, hint(step, code)) from error
    except struct.error as error:
        raise Refused(doing, "it is more than fits one message to the kernel", errno.EMSGSIZE) from error
