# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs all tests, in the order of style, sanity, units and integration, and stops at the first stage that fails.

    test.py [STAGE...]

With names of stages, only those. It works in a copy of the tree below .cache, because ansible-test wants to run in a
folder called ansible_collections/virtnet/linux. The last line says how many tests passed and failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import typing as t
import urllib.request
from pathlib import Path
from xml.etree import ElementTree as ET

TOP = Path(__file__).resolve().parent.parent
ROOT = TOP / ".cache" / "tree"
TREE = ROOT / "ansible_collections" / "virtnet" / "linux"
BIN = TOP / ".venv" / "bin"
OLDEST = TOP / ".venv-oldest" / "bin"
SANDBOX = [str(TREE / "scripts" / "sandbox.sh")]
# Targets that one version of pyroute2 is enough for.
ONCE = ["become_netns", "guide", "ovs_bridge", "ovs_engine", "ovs_port"]
CODE = ["plugins", "tests", "scripts", "benchmarks"]


class Count:
    """What passed and failed so far."""

    passed = 0
    failed = 0

    def add(self, passed: int, failed: int) -> None:
        self.passed += passed
        self.failed += failed


def main(names: t.Sequence[str]) -> int:
    stages = {"style": style, "sanity": sanity, "units": units, "integration": integration}
    unknown = set(names) - set(stages)
    if unknown:
        print("There is no stage %s; there are %s." % (", ".join(sorted(unknown)), ", ".join(stages)))
        return 2
    copy_tree()
    count = Count()
    for name in names or stages:
        print("\n=== %s" % name, flush=True)
        stages[name](count)
        if count.failed:
            print("\nStage %s failed." % name)
            break
    print("\n%d passed, %d failed" % (count.passed, count.failed))
    return 1 if count.failed else 0


def copy_tree() -> None:
    """Copy what git knows or would know of into TREE, as ansible-test won't follow a symbolic link."""
    shutil.rmtree(TREE, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, cwd=TOP, capture_output=True, text=True, check=True).stdout.split("\0"):
        source = TOP / name
        if name and (source.is_file() or source.is_symlink()):
            target = TREE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    # A repository of its own, or ansible-test asks the one around it, which ignores all that is in .cache.
    for words in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(words, cwd=TREE, check=True)


def run(words: t.Sequence[str], where: Path = TREE, path: t.Sequence[Path] = (BIN,), **env: str) -> t.Tuple[int, str]:
    """Run a command, showing its output as it comes; returns its exit code and that output."""
    print("+ %s" % " ".join(words), flush=True)
    search = os.pathsep.join([*map(str, path), os.environ["PATH"], "/usr/sbin", "/sbin"])
    environment = {**os.environ, "PATH": search, "ANSIBLE_COLLECTIONS_PATH": str(ROOT), **env}
    with subprocess.Popen(
        words, cwd=where, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
    return process.returncode, "".join(lines)


def style(count: Count) -> None:
    """Formatting, lint, types, the changelog, and the documentation, which must render without a warning."""
    checks: t.List[t.Tuple[t.List[str], Path]] = [
        (["black", "--check", "--quiet", "--diff", *CODE], TREE),
        (["ruff", "check", *CODE], TREE),
        (
            ["mypy", "--config-file", str(TREE / "pyproject.toml"), "-p", "ansible_collections.virtnet.linux.plugins"],
            ROOT,
        ),
        (["mypy", "--config-file", "pyproject.toml", "scripts/test.py", "benchmarks/run.py"], TREE),
        (["ansible-lint", "--strict", "--nocolor"], TREE),
        (["antsibull-changelog", "lint"], TREE),
        (["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."], TREE),
        ([str(TREE / "scripts" / "docs.sh"), str(TOP / ".cache" / "docs")], TREE),
    ]
    for words, where in checks:
        code, _output = run(words, where)
        count.add(code == 0, code != 0)


def sanity(count: Count) -> None:
    """All of ansible-test's sanity tests; no file with ignored errors may exist."""
    provide_pip()
    ignored = sorted((TREE / "tests" / "sanity").glob("ignore*"))
    if ignored:
        print("These ignore sanity errors: %s" % ", ".join(map(str, ignored)))
        count.add(0, 1)
    words = ["ansible-test", "sanity", "--requirements", "--color", "no"]
    code, output = run(words, path=[BIN, *real_pythons()])
    tests = set(re.findall(r"^Running sanity test \W([\w-]+)", output, re.M))
    count.add(max(len(tests) - (code != 0), 0), int(code != 0 or not tests))


def units(count: Count) -> None:
    """The unit tests, with this Python and with the oldest that a target may have, if it is here."""
    provide_pip()
    pythons = real_pythons()
    versions = ["%d.%d" % sys.version_info[:2]]
    if any((folder / "python3.8").exists() for folder in pythons):
        versions.append("3.8")
    for version in versions:
        words = ["ansible-test", "units", "--venv", "--requirements", "--python", version, "--color", "no"]
        code, _output = run(words, path=[BIN, *pythons])
        passed = failed = 0
        for report in (TREE / "tests" / "output" / "junit").glob("python%s-*-units.xml" % version):
            for suite in ET.parse(report).getroot().iter("testsuite"):
                bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                failed += bad
                passed += int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) - bad
        count.add(passed, max(failed, int(code != 0 or not passed)))


def integration(count: Count) -> None:
    """Every integration target in a sandbox, with the newest pyroute2 and with the oldest."""
    for binaries, left_out in ((BIN, []), (OLDEST, ONCE)):
        words = ["ansible-test", "integration", "--allow-root", "--allow-destructive", "--color", "no"]
        words += [word for target in left_out for word in ("--exclude", target)]
        code, output = run([*SANDBOX, *words], path=[binaries])
        targets = set(re.findall(r"^Running ([\w-]+) integration test", output, re.M))
        count.add(len(targets) - (code != 0), int(code != 0 or not targets))
        if code:
            print("\nWhat failed, from all of the above:\n%s" % "\n".join(failures(output)))


def failures(output: str) -> t.List[str]:
    """The lines of the output of integration tests that tell what failed, without the failures that were meant."""
    tasks = re.split(r"(?m)^(?=TASK |Running )", output)
    bad = [task for task in tasks if re.search(r"(?m)^(fatal:|failed:|E  )", task) and "\n...ignoring" not in task]
    return [line[:2000] for task in bad for line in task.splitlines()[:200]]


def real_pythons() -> t.List[Path]:
    """The folders of the Pythons that pyenv has; its own commands answer for those only that are switched on."""
    pyenv = shutil.which("pyenv")
    if not pyenv:
        return []
    root = Path(subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout.strip())
    return sorted(folder / "bin" for folder in (root / "versions").glob("3.*") if (folder / "bin").is_dir())


def provide_pip() -> None:
    """Where the host that ansible-test gets pip from can't be reached, put a script in its cache that uses ensurepip."""
    source = next(BIN.parent.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
    found = re.search(r"pip='([\d.]+)'", source.read_text())
    if not found:
        return
    version = found.group(1)
    cached = Path("~/.ansible/test/cache/get_pip_%s.py" % version.replace(".", "_")).expanduser()
    if cached.exists() or reachable("https://ci-files.testing.ansible.com/ansible-test/get-pip-%s.py" % version):
        return
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_text(textwrap.dedent("""\
            import subprocess
            import sys

            packages = [word for word in sys.argv[1:] if not word.startswith("-")]
            subprocess.check_call([sys.executable, "-m", "ensurepip"])
            subprocess.check_call([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *packages])
            """))


def reachable(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
