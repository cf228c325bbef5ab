# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each example and each sample in the documentation is input that its module or role accepts."""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.virtnet.linux.plugins.module_utils._modules import topology
from ansible_collections.virtnet.linux.plugins.plugin_utils import _roles

TOP = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (TOP / "plugins" / "modules").glob("*.py"))
PLUGINS = [
    path for folder in ("modules", "become", "filter") for path in sorted((TOP / "plugins" / folder).glob("*.py"))
]
TEXTS = [TOP / "README.md", *sorted((TOP / "docs").glob("*.md")), *sorted((TOP / "roles").glob("*/README.md"))]
PREFIX = "virtnet.linux."
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict, "float": float}


def is_exactly(value: t.Any, wanted: t.Type[t.Any]) -> bool:
    """Whether a value has a type, where a boolean is no integer."""
    return isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)


# What stands for the result of a template, by the type of its option
RESULTS: t.Dict[str, t.Any] = {"int": 1, "bool": True, "list": [], "dict": {}}


class Interface(t.NamedTuple):
    """A module as its users see it: its argument spec, and the function that reads validated options."""

    options: t.Dict[str, t.Any]
    read: t.Callable[[t.Any], t.Any]


class Looked(Exception):
    """Ends a module that was started only to look at its interface."""


@functools.lru_cache(maxsize=None)
def interface(name: str) -> Interface:
    found: t.List[Interface] = []

    def run(_noun: str, options: t.Any, read: t.Any, *_others: t.Any) -> None:
        found.append(Interface(options, read))

    def without_document(options: t.Any) -> t.NoReturn:
        found.append(Interface(options, lambda document: document))
        raise Looked

    module = importlib.import_module("ansible_collections.virtnet.linux.plugins.modules.%s" % name)
    with pytest.MonkeyPatch.context() as patch:
        for runner in [vars(module)[key] for key in vars(module) if key.startswith("run_")]:
            patch.setitem(runner.__globals__, "run", run)
        patch.setattr(topology, "Module", without_document)
        with contextlib.suppress(Looked):
            module.main()
    return found[0]


def plugin_text(path: Path, name: str) -> t.Any:
    """DOCUMENTATION, EXAMPLES or RETURN of a plugin."""
    found = re.search('^%s = r?"""\n(.*?)^"""' % name, path.read_text(encoding="utf-8"), re.M | re.S)
    return yaml.safe_load(found[1]) if found else None


def blocks(path: Path) -> t.List[t.Any]:
    """The YAML in a text."""
    found = re.findall("^( *)```yaml\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.M | re.S)
    return [yaml.safe_load(re.sub("^" + indent, "", text, flags=re.M)) for indent, text in found]


def mappings(value: t.Any) -> t.Iterator[t.Dict[t.Any, t.Any]]:
    """Every dictionary in a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(inner)


def rendered(value: t.Any, spec: t.Mapping[str, t.Any]) -> t.Any:
    """A value with something of the right type in place of its templates."""
    if isinstance(value, str) and "{{" in value:
        whole = re.fullmatch(r"\{\{.*\}\}", value.strip(), re.S)
        return RESULTS.get(spec.get("type", "str"), "x1") if whole else re.sub(r"\{\{.*?\}\}", "1", value, flags=re.S)
    if isinstance(value, dict):
        inner = spec.get("options") or {}
        return {key: rendered(one, inner.get(key, {})) for key, one in value.items()}
    if isinstance(value, list):
        element = {**spec, "type": spec.get("elements", "str")}
        return [rendered(one, element) for one in value]
    # Such as a MAC address or a version without quotes. VLANs and tunnel keys are numbers, and texts to their options.
    number = isinstance(value, float) or (isinstance(value, int) and value >= 2**32)
    assert not (number and spec.get("type") == "str"), "%r must be quoted" % value
    return value


def accepts(module: str, options: t.Mapping[str, t.Any]) -> None:
    """Check options as the module does, before it looks at the host."""
    spec, read = interface(module)
    given = {key: rendered(value, spec.get(key, {})) for key, value in options.items()}
    result = ArgumentSpecValidator(spec).validate(given)
    assert result.error_messages == [], (module, given)
    wanted = read(result.validated_parameters)
    assert not getattr(wanted, "wrong", ()), wanted.wrong


def check_modules(document: t.Any) -> int:
    """Check every task with a module of this collection; returns their number."""
    number = 0
    for mapping in mappings(document):
        for key, value in mapping.items():
            if isinstance(key, str) and key.startswith(PREFIX) and key[len(PREFIX) :] in MODULES:
                accepts(key[len(PREFIX) :], value or {})
                number += 1
    return number


@functools.lru_cache(maxsize=None)
def role_options(role: str) -> t.Dict[str, t.Any]:
    text = (TOP / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    return t.cast("t.Dict[str, t.Any]", yaml.safe_load(text)["argument_specs"]["main"]["options"])


def check_role(role: str, variables: t.Mapping[str, t.Any]) -> None:
    """Check variables for a role as the role does. Those that come from elsewhere have a value."""
    spec = role_options(role)
    own = {key: value for key, value in variables.items() if key.startswith(role + "_")}
    given = {key: rendered(value, spec.get(key, {})) for key, value in own.items()}
    missing = {key: "x1" for key, option in spec.items() if option.get("required") and key not in given}
    result = ArgumentSpecValidator(spec).validate({**given, **missing})
    assert result.error_messages == [], (role, given)
    if role in _roles.ROLES:
        options = {key[len(role) + 1 :]: value for key, value in result.validated_parameters.items()}
        assert _roles.errors(role, options) == []


def check_roles(document: t.Any) -> int:
    """Check every use of a role of this collection; returns their number."""
    number = 0
    for mapping in mappings(document):
        for key in ("ansible.builtin.include_role", "ansible.builtin.import_role"):
            if isinstance(mapping.get(key), dict) and mapping[key]["name"].startswith(PREFIX):
                check_role(mapping[key]["name"][len(PREFIX) :], mapping.get("vars", {}))
                number += 1
        if str(mapping.get("role", "")).startswith(PREFIX):
            check_role(mapping["role"][len(PREFIX) :], {**mapping, **mapping.get("vars", {})})
            number += 1
    return number


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: "%s/%s" % (path.parent.name, path.stem))
def test_examples_of_plugins(path: Path) -> None:
    number = check_modules(plugin_text(path, "EXAMPLES"))
    assert number or path.parent.name != "modules"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(TOP)))
def test_examples_in_texts(path: Path) -> None:
    documents = blocks(path)
    used = sum(check_modules(document) + check_roles(document) for document in documents)
    assert used or not documents or path.parent.name != "roles"


def test_there_are_examples() -> None:
    # So that the tests above don't pass because they find nothing.
    assert sum(check_modules(document) for path in TEXTS for document in blocks(path)) > 10
    assert sum(check_roles(document) for path in TEXTS for document in blocks(path)) >= len(_roles.ROLES)


@pytest.mark.parametrize("module", MODULES)
def test_samples_have_their_types(module: str) -> None:
    def check(values: t.Mapping[str, t.Any], where: str) -> None:
        for name, value in values.items():
            sample = value.get("sample")
            if sample is not None:
                assert is_exactly(sample, TYPES[value["type"]]), (where, name)
            if value["type"] == "list" and sample:
                assert all(is_exactly(one, TYPES[value.get("elements", "str")]) for one in sample), (where, name)
            check(value.get("contains", {}), "%s.%s" % (where, name))

    check(plugin_text(TOP / "plugins" / "modules" / (module + ".py"), "RETURN"), module)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "topology_info"])
def test_the_sample_of_a_result_can_be_given_back(module: str) -> None:
    returned = plugin_text(TOP / "plugins" / "modules" / (module + ".py"), "RETURN")
    nouns = [name for name, value in returned.items() if value["type"] == "dict" and "sample" in value]
    assert nouns
    for noun in nouns:
        accepts(module, returned[noun]["sample"])


def test_the_samples_of_topology_info_are_a_topology() -> None:
    returned = plugin_text(TOP / "plugins" / "modules" / "topology_info.py", "RETURN")
    samples = {noun: returned[noun]["sample"] for noun in ("namespaces", "links", "ovs_bridges")}
    accepts("topology", {"name": "copy", **samples})


def test_groups_for_defaults() -> None:
    groups = yaml.safe_load((TOP / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    options = {module: set(interface(module).options) for module in MODULES}
    assert groups["links"] == [module for module in MODULES if {"name", "netns"} <= options[module]]
    assert groups["ovs"] == [module for module in MODULES if {"database", "timeout"} <= options[module]]
