# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands are built and then run, on a target whose programs only write down how they were called."""

from __future__ import annotations

import os
import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import become_loader, shell_loader

# A program's name and its script. Each takes off its own words and runs the rest.
PROGRAMS = {
    "id": '[ "$1" = -u ] && echo "$FAKE_UID"; [ "$1" = -g ] && [ "$2" != nosuch ] && echo 4711',
    "sudo": 'while [ "${1#-}" != "$1" ]; do case $1 in -u|-p) shift;; esac; shift; done; FAKE_UID=0 exec "$@"',
    "ip": '[ "$3" = nosuch ] && echo "no such namespace" >&2 && exit 255; shift 3; exec "$@"',
    "nsenter": 'shift; exec "$@"',
    "unshare": 'while [ "${1#-}" != "$1" ] || [ "$1" = slave ]; do shift; done; exec "$@"',
    "umount": "exit 0",
    "mount": "exit 0",
    "setpriv": 'shift 6; exec "$@"',
}


class Target:
    """Runs commands; ``calls`` is how programs were called meanwhile, without their last words (the command)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.uid = 0
        for name, script in PROGRAMS.items():
            self.install(name, script)

    def install(self, name: str, script: str) -> None:
        program = self.folder / name
        program.write_text(
            '#!/bin/sh\nprintf "%%s\\0" %s "$@" >> "$LOG"; printf "\\n\\0" >> "$LOG"\n%s\n' % (name, script)
        )
        program.chmod(0o755)

    def run(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        env = {
            "PATH": "%s:%s" % (self.folder, os.defpath),
            "LOG": str(self.log),
            "FAKE_UID": str(self.uid),
            **variables,
        }
        return subprocess.run(command, shell=True, env=env, capture_output=True, text=True, check=False, input="input")

    @property
    def calls(self) -> t.List[t.List[str]]:
        lines = self.log.read_text().split("\0\n\0")
        return [line.split("\0") for line in lines if line]

    def call(self, name: str) -> t.List[str]:
        """The last call of that program."""
        return [call for call in self.calls if call[0] == name][-1]

    def called(self) -> t.List[str]:
        return [call[0] for call in self.calls]


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


def become(**variables: t.Any) -> t.Any:
    """The plugin as a task has it, with these variables."""
    plugin = become_loader.get("virtnet.linux.netns")
    keys = {"check_mode": variables.pop("check_mode", False)}
    plugin.set_options(task_keys=keys, var_options={"ansible_" + key: value for key, value in variables.items()})
    return plugin


def build(plugin: t.Any, command: str) -> str:
    shell = shell_loader.get("sh")
    shell.executable = "/bin/sh"
    built = plugin.build_become_command(command, shell)
    assert isinstance(built, str)
    return built


def test_by_name(target: Target) -> None:
    plugin = become(netns="blue")
    done = target.run(build(plugin, "echo \"it's\" '$HOME'; cat; exit 7"))
    assert done.stdout == "%s\nit's $HOME\ninput" % plugin.success
    assert (done.returncode, done.stderr) == (7, "")
    assert target.called() == ["id", "ip", "ip"]
    assert target.call("ip")[1:4] == ["netns", "exec", "blue"]


@pytest.mark.parametrize("path", ["/proc/4711/ns/net", "/tmp/it's; a $(touch x)/-n"])
def test_by_path(target: Target, path: str) -> None:
    plugin = become(netns=path)
    done = target.run(build(plugin, "cat; exit 7"))
    assert (done.stdout, done.returncode) == (plugin.success + "\ninput", 7)
    assert target.called() == ["id", "nsenter", "unshare", "umount", "mount"]
    assert target.call("nsenter")[1] == "--net=" + path
    assert target.call("unshare")[1:4] == ["--mount", "--propagation", "slave"]
    assert target.call("mount")[1:] == ["-t", "sysfs", "-o", "rw", "sysfs", "/sys"]


def test_without_sysfs_nothing_runs(target: Target) -> None:
    target.install("mount", "echo no >&2; exit 32")
    done = target.run(build(become(netns="/x"), "echo here"))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "no\n")


def test_a_namespace_that_is_not_there(target: Target) -> None:
    done = target.run(build(become(netns="nosuch"), "echo here"))
    # Not 255, which ssh keeps for itself.
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "no such namespace\n")


@pytest.mark.parametrize("reference", ["nosuch", "/nosuch/it's $(touch x)"])
def test_check_mode_has_an_empty_namespace_for_one_that_is_not_there(target: Target, reference: str) -> None:
    plugin = become(netns=reference, check_mode=True)
    done = target.run(build(plugin, "cat; exit 7"))
    assert (done.stdout, done.returncode) == (plugin.success + "\ninput", 7)
    assert done.stderr == "There is no network namespace %s. Check mode uses an empty one instead.\n" % reference
    assert target.called() == ["id", "unshare", "umount", "mount"]
    assert target.call("unshare")[1:5] == ["--net", "--mount", "--propagation", "slave"]


def test_check_mode_enters_a_namespace_that_is_there(target: Target, tmp_path: Path) -> None:
    path = tmp_path / "it's there"
    path.touch()
    done = target.run(build(become(netns=str(path), check_mode=True), "exit 7"))
    assert (done.returncode, done.stderr) == (7, "")
    assert target.call("nsenter")[1] == "--net=%s" % path
    assert target.call("unshare")[1:5] == ["--mount", "--propagation", "slave", "/bin/sh"]


def test_255_of_the_command_passes_through(target: Target) -> None:
    assert target.run(build(become(netns="blue"), "exit 255")).returncode == 255


@pytest.mark.parametrize("word", ["blue", "/proc/4711/ns/net"])
def test_through_sudo(target: Target, word: str) -> None:
    target.uid = 1000
    plugin = become(netns=word, become_user="bob")
    done = target.run(build(plugin, "cat; exit 7"))
    assert (done.stdout, done.returncode) == (plugin.success + "\ninput", 7)
    # To root, as only root can enter.
    assert target.call("sudo")[1:6] == ["-H", "-S", "-n", "-u", "root"]
    assert not plugin.expect_prompt()


def test_through_sudo_with_a_password(target: Target) -> None:
    target.uid = 1000
    plugin = become(netns="blue", become_password="secret", become_exe="%s/sudo" % target.folder, become_flags="-nE -H")
    command = build(plugin, "true")
    assert target.run(command).returncode == 0
    assert target.call("sudo")[1:7] == ["-E", "-H", "-p", plugin.prompt, "-u", "root"]
    assert plugin.expect_prompt()
    assert plugin.check_password_prompt(plugin.prompt.encode())
    assert plugin.check_incorrect_password(b"Sorry, try again.")
    assert plugin.check_missing_password(b"sudo: a password is required")
    assert "secret" not in command


def test_a_prompt_is_forgotten_with_the_password() -> None:
    plugin = become(netns="blue", become_password="secret")
    build(plugin, "true")
    plugin.set_options(task_keys={}, var_options={"ansible_netns": "blue"})
    build(plugin, "true")
    assert not plugin.prompt


def test_root_needs_no_sudo(target: Target) -> None:
    plugin = become(netns="blue", become_password="secret", become_exe="/nonexistent/sudo")
    assert target.run(build(plugin, "true")).returncode == 0


def test_another_user(target: Target) -> None:
    plugin = become(netns="blue", become_user="bob")
    done = target.run(build(plugin, 'echo "$LANG${LC_ALL-}"; exit 7'), LANG="C.UTF-8")
    assert (done.stdout, done.returncode) == (plugin.success + "\nC.UTF-8\n", 7)
    assert target.called() == ["id", "ip", "ip", "id", "setpriv"]
    words = target.call("setpriv")
    assert words[1:9] == ["--reuid", "bob", "--regid", "4711", "--init-groups", "--reset-env", "env", words[8]]
    assert words[8].startswith("PATH=%s:" % target.folder)


def test_a_user_that_is_not_there(target: Target) -> None:
    done = target.run(build(become(netns="blue", become_user="nosuch"), "echo here"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "setpriv" not in target.called()


def test_no_command() -> None:
    assert build(become(netns="blue"), "") == ""


@pytest.mark.parametrize("name", ["root", "bob"])
def test_become_is_never_left_out(name: str) -> None:
    user = become(netns="blue", become_user=name).get_option("become_user")
    # So Ansible asks whether become can be left out ...
    assert user != name
    # ... and so everything else.
    assert user == name
    assert user in [name]
    assert "~%s" % user == "~" + name


def test_root_is_the_default() -> None:
    assert become(netns="blue").get_option("become_user") == "root"
    assert become(netns="blue", become_user="").get_option("become_user") == "root"


def test_from_the_environment(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_NETNS", "green")
    target.run(build(become(), "true"))
    assert target.call("ip")[3] == "green"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "is empty; a network namespace needs a name"),
        ("..", "can't be the name of a network namespace"),
        ("../x", "neither the name of a network namespace nor an absolute path"),
        ("a b", "contains white space"),
        ("blue\n", "contains white space"),
        ("-x", "begins with '-'"),
        ("/proc/../x", "can't be the path of a network namespace"),
        ("/x\ny", "can't be the path of a network namespace"),
    ],
)
def test_refused(value: str, sentence: str) -> None:
    with pytest.raises(
        AnsibleError, match=r"^Variable ansible_netns \(option namespace of virtnet.linux.netns\)"
    ) as refused:
        build(become(netns=value), "true")
    assert sentence in str(refused.value)


def test_missing() -> None:
    with pytest.raises(AnsibleError, match="set the variable ansible_netns"):
        build(become(), "true")


@pytest.mark.parametrize("user", ["-x", "a\nb"])
def test_refused_users(user: str) -> None:
    with pytest.raises(AnsibleError, match="The become_user of the become method"):
        build(become(netns="blue", become_user=user), "true")


@pytest.mark.parametrize("option", ["become_exe", "become_flags"])
def test_refused_quotes(option: str) -> None:
    with pytest.raises(
        AnsibleError, match="The %s of the become method .* can't be split into words: No closing quo" % option
    ):
        build(become(netns="blue", **{option: "it's"}), "true")


@pytest.mark.parametrize("password", ["", "secret"])
def test_quotes_and_spaces_in_the_path_and_the_flags_of_sudo(target: Target, tmp_path: Path, password: str) -> None:
    target.uid = 1000
    program = tmp_path / "it's a $(touch x)" / "my sudo"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$1" = --note="two \'words\' %s" ] || exit 9; shift; exec sudo "$@"\n')
    program.chmod(0o755)
    plugin = become(
        netns="blue",
        become_exe=shlex.quote(str(program)),
        become_flags="%s -n -H" % shlex.quote("--note=two 'words' %s"),
        become_password=password,
    )
    assert target.run(build(plugin, "exit 7")).returncode == 7
    assert "-H" in target.call("sudo")
