# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Find values of the wrong type before Ansible converts them.

Ansible converts a list to the string ``['a']``, a boolean to the string ``True``, and ``true`` to the number 1, which are then
used as names and numbers.
"""

from __future__ import annotations

import decimal
import math
import re
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common.argument_specs import odd
from ansible_collections.virtnet.linux.plugins.module_utils._common.names import quoted, upper

Options = t.Mapping[str, t.Any]

_NOUNS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "dict": "a dictionary",
    "list": "a list",
}
_GIVEN: t.Dict[t.Union[type, t.Tuple[type, ...]], str] = {
    bool: _NOUNS["bool"],
    int: _NOUNS["int"],
    float: _NOUNS["float"],
    str: _NOUNS["str"],
    (list, tuple): _NOUNS["list"],
    dict: _NOUNS["dict"],
}
# The types of values that can't be meant where an option has the type of the key. Strings are left to Ansible, which reads
# numbers, booleans, lists and dictionaries in them.
_REFUSED: t.Dict[str, t.Tuple[type, ...]] = {
    "str": (bool, float, list, tuple, dict),
    "int": (bool, list, tuple, dict),
    "float": (bool, list, tuple, dict),
    "bool": (list, tuple, dict),
    "dict": (bool, int, float, list, tuple),
    "list": (bool, dict),
}
_DIGITS_MAX = 1000  # int() of 1e999999999 doesn't end


def _unbounded_int(value: t.Any) -> bool:
    """Whether a string is an infinite number, or has too many digits, for Ansible's conversion to an integer."""
    try:
        number = decimal.Decimal(value if isinstance(value, str) else 0)
    except decimal.InvalidOperation:
        return False
    return not number.is_finite() or number.adjusted() > _DIGITS_MAX


def _unbounded_float(value: t.Any) -> bool:
    try:
        return isinstance(value, (str, int)) and not math.isfinite(float(value))
    except ValueError:
        return False
    except OverflowError:
        return True


# Numbers that Ansible fails to convert without a sentence, or converts into an infinite one.
_UNBOUNDED: t.Dict[str, t.Callable[[t.Any], bool]] = {"int": _unbounded_int, "float": _unbounded_float}


def mistyped(options: Options, document: t.Mapping[str, t.Any], within: str = "") -> t.Dict[str, str]:
    """A sentence for each value of a document with the wrong type, by the name of the option.

    ``options`` is an argument spec. ``within`` is the name of the option that the document belongs to, followed by a dot.
    """
    wrong: t.Dict[str, str] = {}
    for name, spec in options.items():
        value = document.get(name)
        if value is not None:
            wrong.update(_mistyped(spec, value, within + name))
    return wrong


def outermost(names: t.Iterable[str]) -> t.Set[str]:
    """The top-level options of names such as ``peer.name`` and ``ports[0]``."""
    return {re.split(r"[.\[]", name)[0] for name in names}


def _mistyped(spec: Options, value: t.Any, name: str) -> t.Dict[str, str]:
    kind = spec.get("type", "str")
    if isinstance(value, _REFUSED.get(kind, ())):
        return {name: _sentence(name, kind, value)}
    if kind in _UNBOUNDED and _UNBOUNDED[kind](value):
        return {name: "Option %s must be %s; %s is out of range." % (name, _NOUNS[kind], quoted(value))}
    if kind == "dict" and isinstance(value, dict) and "options" in spec:
        return mistyped(spec["options"], value, name + ".")
    wrong: t.Dict[str, str] = {}
    if kind != "list":
        wrong.update((name, "%s." % upper(sentence)) for sentence in odd(value, name))
    elif isinstance(value, (list, tuple)):
        element = {**spec, "type": spec.get("elements", "raw")}
        for number, item in enumerate(value):
            wrong.update(_mistyped_element(element, item, "%s[%d]" % (name, number)))
    return wrong


def _mistyped_element(spec: Options, value: t.Any, name: str) -> t.Dict[str, str]:
    # Of strings, Ansible takes those for dictionaries that are JSON or 'key=value'.
    is_name = (
        spec["type"] == "dict" and isinstance(value, str) and "=" not in value and not value.lstrip().startswith("{")
    )
    if is_name or (value is None and spec["type"] != "raw"):
        return {name: _sentence(name, spec["type"], value)}
    return _mistyped(spec, value, name)


def _sentence(name: str, kind: str, value: t.Any) -> str:
    if value is None:
        return "Option %s must be %s, not null." % (name, _NOUNS[kind])
    # A boolean is an integer to Python; values that Ansible hands over may be of classes derived from these.
    given = next((noun for base, noun in _GIVEN.items() if isinstance(value, base)), type(value).__name__)
    quotes = (
        " Put it in quotes if it is meant as a string." if kind == "str" and isinstance(value, (bool, float)) else ""
    )
    return "Option %s must be %s; %s is %s.%s" % (name, _NOUNS[kind], quoted(value), given, quotes)
