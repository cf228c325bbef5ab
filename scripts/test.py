# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs all tests: style first and, if that passes, sanity, units and integration, as many at once as there are processors.

    test.py [STAGE...] [TARGET...]

With names of stages, only those; with names of integration targets, of that stage only those. It works in copies of the
tree below .cache, because ansible-test wants to run in a folder called ansible_collections/virtnet/linux, and writes
into it. What a command says is shown when it has ended, what failed once more at the end, and the last line says how
many tests passed and failed.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import queue
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import typing as t
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

TOP = Path(__file__).resolve().parent.parent
# One for each command that runs at the same time
ROOTS = [TOP / ".cache" / ("tree%d" % number) for number in range(len(os.sched_getaffinity(0)))]
COLLECTION = "ansible_collections/virtnet/linux"
TARGETS = TOP / "tests" / "integration" / "targets"
BIN = TOP / ".venv" / "bin"
PYROUTE2 = [("newest", BIN), ("oldest", TOP / ".venv-oldest" / "bin")]
# Targets of kinds of links that this kernel may lack; they run in user-mode Linux then.
KINDS = ["dummy"]
# Targets that one version of pyroute2 is enough for.
ONCE = ["become_netns", "dummy", "guide", "overlay", "ovs_bridge", "ovs_engine", "ovs_port", "topology_engine"]
# Targets with macvtaps, whose nodes are in /dev: that is one for all sandboxes, so these never run at the same time.
IN_DEV = ["engine", "guide", "macvtap"]
# Programs that no collection imports
ALONE = ["scripts/test.py", "benchmarks/topology.py", "roles/restore_on_boot/files/build.py"]
CODE = ["plugins", "roles", "tests", "scripts", "benchmarks"]
ENSUREPIP = """\
import subprocess
import sys

packages = [word for word in sys.argv[1:] if not word.startswith("-")]
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *packages])
"""

printing = threading.Lock()


class Count(t.NamedTuple):
    """How many tests passed and failed."""

    passed: int
    failed: int


def one(passed: bool) -> Count:
    return Count(int(passed), int(not passed))


def by_code(_tree: Path, code: int, _output: str) -> Count:
    return one(code == 0)


@dataclasses.dataclass(frozen=True)
class Job:
    """A command; ``count`` takes the tree that it ran in, its exit code and its output."""

    name: str
    words: t.Sequence[str]
    path: t.Sequence[Path] = (BIN,)
    count: t.Callable[[Path, int, str], Count] = by_code

    @property
    def command(self) -> str:
        return "+ " + shlex.join(self.words)


@dataclasses.dataclass(frozen=True)
class Report:
    """What came of a job."""

    job: Job
    count: Count
    output: str


def main(names: t.Sequence[str]) -> int:
    known = integration_targets()
    targets = [target for target in known if target in names]
    stages: t.Dict[str, t.Callable[[], t.List[t.List[Job]]]] = {
        "style": style,
        "sanity": sanity,
        "units": units,
        "integration": functools.partial(integration, targets or known),
    }
    unknown = set(names) - {*stages, *known}
    if unknown:
        print("There is no %s; there are %s." % (", ".join(sorted(unknown)), ", ".join([*stages, *known])))
        return 2
    chosen = ({*names, "integration"} if targets else set(names)) or set(stages)
    copy_tree()
    reports: t.List[Report] = []
    for together in (["style"], ["sanity", "units", "integration"]):
        reports += side_by_side([chain for stage in together if stage in chosen for chain in stages[stage]()])
        if any(report.count.failed for report in reports):
            break
    return summary(reports)


def summary(reports: t.Sequence[Report]) -> int:
    """Show what failed, and how many tests passed and failed; returns the exit code."""
    for report in reports:
        if report.count.failed:
            lines = failures(report.output) or report.output.splitlines()[-100:]
            print("\n=== What failed in %s\n%s\n%s" % (report.job.name, report.job.command, "\n".join(lines)))
    failed = sum(report.count.failed for report in reports)
    print("\n%d passed, %d failed" % (sum(report.count.passed for report in reports), failed))
    return 1 if failed else 0


def copy_tree() -> None:
    """Copy what git knows or would know of into all ROOTS, as ansible-test won't follow a symbolic link."""
    for root in ROOTS:
        shutil.rmtree(root, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    tree = ROOTS[0] / COLLECTION
    for name in subprocess.run(listing, cwd=TOP, capture_output=True, text=True, check=True).stdout.split("\0"):
        source = TOP / name
        if name and (source.is_file() or source.is_symlink()):
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    # A repository of its own, or ansible-test asks the one around it, which ignores all that is in .cache.
    for words in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(words, cwd=tree, check=True)
    # ansible-test makes an SSH key in the home unless one is here, which two that begin together would do at once. Nobody
    # uses it.
    for key in ("id_rsa", "id_rsa.pub"):
        path = tree / "tests" / "output" / ".tmp" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for root in ROOTS[1:]:
        shutil.copytree(ROOTS[0], root, symlinks=True)


def side_by_side(chains: t.Sequence[t.Sequence[Job]]) -> t.List[Report]:
    """Run chains of jobs, which begin in this order; the jobs of one chain run one after the other."""
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for root in ROOTS:
        free.put(root)

    def follow(chain: t.Sequence[Job]) -> t.List[Report]:
        root = free.get()
        try:
            return [run(job, root) for job in chain]
        finally:
            free.put(root)

    with ThreadPoolExecutor(len(ROOTS)) as pool:
        futures = [pool.submit(follow, chain) for chain in chains]
        try:
            return [report for future in futures for report in future.result()]
        finally:
            # After Ctrl-C, no more begin.
            pool.shutdown(cancel_futures=True)


def run(job: Job, root: Path) -> Report:
    """Run a job in the tree below a root, and show its output when it has ended."""
    begin = time.monotonic()
    search = os.pathsep.join([*map(str, job.path), os.environ["PATH"], "/usr/sbin", "/sbin"])
    done = subprocess.run(
        job.words,
        cwd=root / COLLECTION,
        env={**os.environ, "PATH": search, "ANSIBLE_COLLECTIONS_PATH": str(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    output = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    count = job.count(root / COLLECTION, done.returncode, output)
    heading = "\n=== %s: %s, %d s" % (job.name, "failed" if count.failed else "passed", time.monotonic() - begin)
    with printing:
        print("%s\n%s\n%s" % (heading, job.command, output), end="", flush=True)
    return Report(job, count, output)


def style() -> t.List[t.List[Job]]:
    """Formatting, lint, types, the changelog, and the documentation, which must render without a warning."""
    checks = [
        ["ansible-lint", "--strict", "--nocolor"],
        ["scripts/docs.sh", str(TOP / ".cache" / "docs")],
        ["env", "MYPYPATH=../../..", "mypy", "-p", "ansible_collections.virtnet.linux.plugins"],
        ["env", "MYPYPATH=../../..:benchmarks", "mypy", *ALONE],
        ["black", "--check", "--quiet", "--diff", *CODE],
        ["ruff", "check", *CODE],
        ["antsibull-changelog", "lint"],
        ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."],
        # No sanity error may be ignored.
        ["sh", "-c", "! ls tests/sanity/ignore* 2> /dev/null"],
    ]
    return [[Job("style", words)] for words in checks]


def sanity() -> t.List[t.List[Job]]:
    """All of ansible-test's sanity tests."""
    provide_pip()
    words = ["ansible-test", "sanity", "--requirements", "--color", "no"]
    return [[Job("sanity", words, [BIN, *real_pythons()], count_sanity)]]


def count_sanity(_tree: Path, code: int, output: str) -> Count:
    tests = set(re.findall(r"^Running sanity test \W([\w-]+)", output, re.M))
    return Count(max(len(tests) - (code != 0), 0), int(code != 0 or not tests))


def units() -> t.List[t.List[Job]]:
    """The unit tests, with this Python and with the oldest that a target may have, if it is here."""
    provide_pip()
    pythons = real_pythons()
    versions = ["%d.%d" % sys.version_info[:2]]
    if any((folder / "python3.8").exists() for folder in pythons):
        versions.append("3.8")
    words = ["ansible-test", "units", "--venv", "--requirements", "--color", "no", "--python"]
    return [
        [Job("units, Python " + version, [*words, version], [BIN, *pythons], functools.partial(count_units, version))]
        for version in versions
    ]


def count_units(version: str, tree: Path, code: int, _output: str) -> Count:
    passed = failed = 0
    for report in (tree / "tests" / "output" / "junit").glob("python%s-*-units.xml" % version):
        for suite in ET.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed += bad
            passed += int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) - bad
    return Count(passed, max(failed, int(code != 0 or not passed)))


def integration_targets() -> t.List[str]:
    """The names of all targets, the biggest first, so that no long one comes last and alone."""
    sizes = {
        aliases.parent.name: sum(file.stat().st_size for file in aliases.parent.rglob("*") if file.is_file())
        for aliases in TARGETS.glob("*/aliases")
        if "hidden" not in aliases.read_text(encoding="utf-8").split()
    }
    return sorted(sizes, key=lambda target: -sizes[target])


def integration(targets: t.Sequence[str]) -> t.List[t.List[Job]]:
    """Each of these targets on a host of its own, with the newest pyroute2 and with the oldest."""
    in_dev: t.List[Job] = []
    chains = [in_dev]
    words = ["ansible-test", "integration", "--allow-root", "--allow-destructive", "--color", "no"]
    # User-mode Linux is slow, so it begins first.
    for target in sorted(targets, key=lambda target: target not in KINDS):
        for version, binaries in PYROUTE2[:1] if target in ONCE else PYROUTE2:
            name = "integration %s, %s pyroute2" % (target, version)
            job = Job(name, [host_of(target), *words, target], [binaries], functools.partial(count_target, target))
            if target in IN_DEV:
                in_dev.append(job)
            else:
                chains.append([job])
    return chains


def host_of(target: str) -> str:
    """The script that makes the host for a target: a sandbox, or user-mode Linux if this kernel lacks the kind."""
    if target not in KINDS or not shutil.which("linux.uml"):
        return "scripts/sandbox.sh"
    words = ["scripts/sandbox.sh", "ip", "link", "add", "name", "x0", "type", target]
    lacking = subprocess.run(words, cwd=TOP, capture_output=True, check=False).returncode
    return "scripts/uml.sh" if lacking else "scripts/sandbox.sh"


def count_target(target: str, _tree: Path, code: int, output: str) -> Count:
    # What ansible-test leaves out is no failure to it.
    return one(code == 0 and "Running %s integration test" % target in output)


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
    """Put the script that installs pip into ansible-test's cache, or two that begin together would do so at once.

    Where the host that has it can't be reached, it is one that uses ensurepip.
    """
    source = next(BIN.parent.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"))
    found = re.search(r"pip='([\d.]+)'", source.read_text())
    if not found:
        return
    version = found.group(1)
    cached = Path("~/.ansible/test/cache/get_pip_%s.py" % version.replace(".", "_")).expanduser()
    if cached.exists():
        return
    url = "https://ci-files.testing.ansible.com/ansible-test/get-pip-%s.py" % version
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            script = answer.read()
    except OSError:
        script = ENSUREPIP.encode()
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(script)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
