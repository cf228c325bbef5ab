# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Check documents from files against argument specs, without Ansible.

Values are not converted. A document was complete when it was written, so each value must have the type of its option.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.virtnet.linux.plugins.module_utils._common import names

Spec = t.Mapping[str, t.Any]
Document = t.Dict[str, t.Any]

_TYPES: t.Dict[str, t.Tuple[t.Tuple[t.Type[t.Any], ...], str]] = {
    "str": ((str,), "a string"),
    "int": ((int,), "an integer"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "list": ((list,), "a list"),
    "dict": ((dict,), "a dictionary"),
    "raw": ((object,), "a value"),
}


def complete(options: Spec, document: t.Any) -> t.Tuple[Document, t.List[str]]:
    """A document with the defaults of its argument spec, and its faults as sentences without full stop.

    An option whose value is null is not given.
    """
    wrong: t.List[str] = []
    return _dictionary(options, document, "", wrong), wrong


def spelled(options: Spec, document: Document) -> Document:
    """A document of results, in which numbers are strings if their option is a string."""
    return {name: _spelled(options.get(name, {}), value) for name, value in document.items()}


def _spelled(spec: Spec, value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_spelled({**spec, "type": spec.get("elements")}, item) for item in value]
    if isinstance(value, dict) and "options" in spec:
        return spelled(spec["options"], value)
    return str(value) if spec.get("type") == "str" and isinstance(value, (int, float)) else value


def _dictionary(options: Spec, document: t.Any, prefix: str, wrong: t.List[str]) -> Document:
    if not _is("dict", document):
        wrong.append("%s must be a dictionary, not %s" % (prefix.rstrip(".") or "it", names.quoted(document)))
        return {}
    wrong += ["there is no option %s" % _name(prefix, name) for name in sorted(document.keys() - options.keys())]
    found: Document = {}
    for name, spec in options.items():
        given = document.get(name)
        if given is None:
            if spec.get("required"):
                wrong.append("option %s%s is required" % (prefix, name))
            found[name] = spec.get("default")
        else:
            found[name] = _value(spec, given, prefix + name, wrong)
    return found


def _name(prefix: str, name: str) -> str:
    return prefix + name if name.isidentifier() and len(name) <= names.SHOWN_MAX else prefix + names.quoted(name)


def _value(spec: Spec, value: t.Any, name: str, wrong: t.List[str]) -> t.Any:
    kind = spec.get("type", "str")
    if not _is(kind, value):
        wrong.append("option %s must be %s, not %s" % (name, _TYPES[kind][1], names.quoted(value)))
        return value
    if kind == "list":
        element = {"type": spec.get("elements", "raw"), **{k: spec[k] for k in ("options", "choices") if k in spec}}
        return [_value(element, item, "%s[%d]" % (name, number), wrong) for number, item in enumerate(value)]
    if kind == "dict" and "options" in spec:
        return _dictionary(spec["options"], value, name + ".", wrong)
    if "choices" in spec and value not in spec["choices"]:
        choices = ", ".join("'%s'" % choice for choice in spec["choices"])
        wrong.append("option %s must be one of %s, not %s" % (name, choices, names.quoted(value)))
    wrong += odd(value, name)
    return value


def _is(kind: str, value: t.Any) -> bool:
    types = _TYPES[kind][0]
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types or object in types)


def odd(value: t.Any, name: str) -> t.Iterator[str]:
    """Sentences without full stop for values that no option can have, at any depth of a value without argument spec."""
    if isinstance(value, str) and not names.encodable(value):
        yield "option %s: %s contains a NUL or a character that is not Unicode" % (name, names.quoted(value))
    elif isinstance(value, float) and not math.isfinite(value):
        yield "option %s: %s is not a number" % (name, names.quoted(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from odd(key, name)
            yield from odd(item, _name(name + ".", key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from odd(item, "%s[%d]" % (name, number))
