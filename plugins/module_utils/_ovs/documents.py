# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What documents of bridges and ports of Open vSwitch have in common. Most options are columns of the database."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import SHOWN_MAX, printable, quoted

if t.TYPE_CHECKING:
    from ansible_collections.virtnet.linux.plugins.module_utils._ovs.model import Values

Options = t.Dict[str, t.Any]
Document = t.Dict[str, t.Any]

TAG_MAX = 4095  # 12 bits, see ovs-vswitchd.conf.db(5)
TIMEOUT_MAX = 3600
TEXT_MAX = 100_000  # bytes; the kernel accepts at most 131,072 for a command line argument
MAP = {"type": "dict"}
LIST = {"type": "list", "elements": "str"}
FLAG = {"type": "bool"}
PURGE = {"type": "bool", "default": False}

CONNECTION: Options = {"database": {"type": "str"}, "timeout": {"type": "int", "default": 30}}


def read_database(value: t.Optional[str]) -> str:
    """The database in the syntax of ``ovs-vsctl --db``, from an option; empty for the default. Raises BadInput."""
    if not value:
        return ""
    if value.startswith("/"):
        return "unix:" + value
    if not re.fullmatch(r"(unix:/|tcp:|ssl:)\S+", value):
        raise BadInput(
            "Option database: %s is neither the path of a socket nor a remote such as tcp:192.0.2.1:6640."
            % quoted(value)
        )
    return value


def read_timeout(value: int) -> int:
    """The timeout of Open vSwitch in seconds, from an option. Raises BadInput."""
    if not 1 <= value <= TIMEOUT_MAX:
        raise BadInput("Option timeout: %d isn't a number of seconds from 1 to %d." % (value, TIMEOUT_MAX))
    return value


def read_value(value: t.Any, where: str) -> t.Any:
    """The value of a column from that of an option; an empty value clears the column. Raises BadInput."""
    if isinstance(value, dict):
        return read_texts(value, "key", where)
    if isinstance(value, list):
        return tuple(sorted(set(value)))
    return None if value == "" else value


def read_texts(values: Values, noun: str, where: str) -> t.Dict[str, t.Optional[str]]:
    """A map of strings; numbers and booleans are spelled as OVS does, None is kept. Raises BadInput."""
    texts = {}
    for key, value in values.items():
        if isinstance(value, (dict, list)):
            raise BadInput(
                "%s%s: %s %s needs a text, not %s."
                % (where[0].upper(), where[1:], noun, printable(str(key)[:SHOWN_MAX]), quoted(value))
            )
        text = ("true" if value else "false") if isinstance(value, bool) else value
        name = read_text(str(key), where)
        if not name:
            raise BadInput("%s%s: a key is empty." % (where[0].upper(), where[1:]))
        texts[name] = None if text is None else read_text(str(text), where)
    return texts


def read_text(value: str, where: str) -> str:
    """A text for a map, if OVS can store it. Raises BadInput."""
    try:
        if len(value.encode("utf-8")) > TEXT_MAX:
            raise BadInput("%s%s: a value has more than %d bytes." % (where[0].upper(), where[1:], TEXT_MAX))
    except UnicodeEncodeError as error:
        raise BadInput("%s%s: %s isn't text in UTF-8." % (where[0].upper(), where[1:], quoted(value))) from error
    if "\0" in value:
        raise BadInput("%s%s: %s contains a NUL, which OVS can't store." % (where[0].upper(), where[1:], quoted(value)))
    return value


def check_purges(document: Document, options: t.Sequence[str], where: str) -> None:
    """Raise BadInput for a purge option without the list or map that it makes exact."""
    for option in options:
        if document.get("purge_" + option) and document.get(option) is None:
            raise BadInput(
                "Option purge_%s %s needs option %s; give an empty list to remove all." % (option, where, option)
            )


def database_of(database: str) -> Document:
    """The options of a document that name its database."""
    return {"database": database} if database else {}


def plain(value: t.Any) -> t.Any:
    """The inverse of ``read_value``."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, t.Mapping):
        return dict(value)
    return "" if value is None else value
