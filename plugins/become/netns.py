# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: netns
short_description: Run modules inside a network namespace
version_added: 0.1.0
description:
  - Runs any module inside a network namespace of the target, over any connection, as root or as another user.
  - A namespace that is given by name is entered with C(ip netns exec), which brings a C(/sys) that shows the devices
    of the namespace, and the files in C(/etc/netns/NAME) in place of those in C(/etc).
  - A namespace that is given by path is entered with C(nsenter), and gets a C(/sys) of its own, too.
  - A connection whose user isn't root goes through C(sudo) first. A connection as root needs no C(sudo).
  - If the namespace doesn't exist and the task runs in check mode, the module runs in a new, empty network namespace, which is
    gone when the module ends. So a playbook can be checked before the namespaces that it makes exist, and nothing
    on the host can be changed by accident. See the notes.
author:
  - The virtnet.linux authors (@virtnet)
requirements:
  - iproute2 on the target, for namespaces that are given by name
  - C(nsenter), C(unshare) and C(mount) of util-linux on the target, for namespaces that are given by path, and for check mode
  - C(setpriv) of util-linux with C(--reset-env) on the target, where O(become_user) isn't C(root)
options:
  namespace:
    description:
      - The network namespace, by name (a file in C(/run/netns)) or by absolute path, such as C(/proc/4711/ns/net) for
        the container in which process 4711 runs.
      - It must exist when a task starts, except in check mode. There is no default; a task without it fails.
    type: str
    ini:
      - section: netns_become_plugin
        key: namespace
    vars:
      - name: ansible_netns
    env:
      - name: ANSIBLE_NETNS
  become_user:
    description:
      - The user that the module runs as inside the namespace.
      - If it isn't C(root), the namespace is entered as root, and root's privileges are then dropped with C(setpriv);
        C(sudo) therefore must allow the user of the connection to become root. The environment is a fresh one, of which
        C(PATH) and the locale are kept.
    type: str
    default: root
    ini:
      - section: privilege_escalation
        key: become_user
      - section: netns_become_plugin
        key: user
    vars:
      - name: ansible_become_user
      - name: ansible_netns_user
    env:
      - name: ANSIBLE_BECOME_USER
      - name: ANSIBLE_NETNS_USER
    keyword:
      - name: become_user
  become_exe:
    description: The C(sudo) executable. The shell of the target splits it into words; quote a path with spaces in it.
    type: str
    default: sudo
    ini:
      - section: privilege_escalation
        key: become_exe
      - section: netns_become_plugin
        key: executable
    vars:
      - name: ansible_become_exe
      - name: ansible_netns_exe
    env:
      - name: ANSIBLE_BECOME_EXE
      - name: ANSIBLE_NETNS_EXE
    keyword:
      - name: become_exe
  become_flags:
    description: Options for C(sudo). The shell of the target splits them into words; quote as for a shell.
    type: str
    default: -H -S -n
    ini:
      - section: privilege_escalation
        key: become_flags
      - section: netns_become_plugin
        key: flags
    vars:
      - name: ansible_become_flags
      - name: ansible_netns_flags
    env:
      - name: ANSIBLE_BECOME_FLAGS
      - name: ANSIBLE_NETNS_FLAGS
    keyword:
      - name: become_flags
  become_pass:
    description: The password for C(sudo). It isn't used where C(sudo) doesn't ask, or isn't needed.
    type: str
    ini:
      - section: netns_become_plugin
        key: password
    vars:
      - name: ansible_become_password
      - name: ansible_become_pass
      - name: ansible_netns_pass
    env:
      - name: ANSIBLE_BECOME_PASS
      - name: ANSIBLE_NETNS_PASS
  check_mode:
    description:
      - Whether the task runs in check mode. Ansible sets this; it follows the command line and the keyword C(check_mode) of
        plays, blocks and tasks.
    type: bool
    default: false
    keyword:
      - name: check_mode
    version_added: 0.1.0
notes:
  - Ansible's own work around a module (making its temporary folder, transferring files) happens outside the namespace.
  - The module runs in a mount namespace of its own. What it mounts is gone when it ends, and so are the names of network
    namespaces that it makes; M(virtnet.linux.netns) belongs outside.
  - Facts that are gathered inside a namespace overwrite those of the host. An inventory host for each namespace keeps them
    apart; see the examples.
  - Where neither the user of the connection nor O(become_user) is root, what Ansible's documentation says about becoming an
    unprivileged user holds here, too. Pipelining avoids it.
  - In check mode and without the namespace, modules answer as they do in a namespace that was just made. The modules of this
    collection report what they would change, with a warning for each link that they lack. M(ansible.builtin.setup)
    returns the facts of a network that has only C(lo). M(ansible.builtin.command), M(ansible.builtin.wait_for) and all others that
    don't support check mode are skipped, as always.
  - A task with C(check_mode=false) really runs, under C(--check) as well, and therefore fails if the namespace doesn't exist.
    Where it needs a namespace that the same playbook makes, give it C(when=not ansible_check_mode).
seealso:
  - module: virtnet.linux.netns
  - plugin: ansible.builtin.sudo
    plugin_type: become
"""

EXAMPLES = r"""
- name: Wait for a service that listens inside a namespace
  ansible.builtin.wait_for:
    host: 127.0.0.1
    port: 8080
  become: true
  become_method: virtnet.linux.netns
  vars:
    ansible_netns: blue

- name: See the addresses of a container, as an unprivileged user
  ansible.builtin.command: ip -j addr
  become: true
  become_method: virtnet.linux.netns
  become_user: nobody
  changed_when: false
  vars:
    ansible_netns: /proc/4711/ns/net

# A namespace as a host of its own, in the inventory:
#
# all:
#   hosts:
#     server:
#     server-blue:
#       ansible_host: server
#       ansible_become: true
#       ansible_become_method: virtnet.linux.netns
#       ansible_netns: blue
- name: Use a namespace as a host of its own
  hosts: server-blue
  tasks:
    - name: See its interfaces
      ansible.builtin.debug:
        var: ansible_facts.interfaces
"""

import shlex
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.become import BecomeBase
from ansible.plugins.become.sudo import BecomeModule as Sudo

from ansible_collections.virtnet.linux.plugins.module_utils._common import names
from ansible_collections.virtnet.linux.plugins.module_utils._common.errors import BadInput

# Scripts for /bin/sh. Nothing is ever put into them but what sudo's plugin builds; values are their arguments ("$@").

# The connection's user is known for certain only on the target. Where it is root there is no prompt, although one is
# announced if there is a password: connection plugins wait for the prompt or for the word of success, and that word
# comes at once, just as it does where sudo has NOPASSWD.
_AS_ROOT = 'if [ "$(id -u)" = 0 ]; then exec "$@"; else %s; fi'

# ip exits with 255 if it can't enter, which is what ssh says of a host that can't be reached; Ansible would take the host
# out of the play. So ip is tried first (that takes 2 ms), and then the command may exit with whatever it likes.
_ENTER_NAME = 'ip netns exec "$1" true || exit 1; exec ip netns exec "$@"'

# What "ip netns exec" does about /sys: the new one takes the place of the old one, or else covers it, and then must be
# read-only if that is.
_FRESH_SYS = (
    "mode=rw; umount -l /sys 2>/dev/null || [ -w /sys ] || mode=ro; "
    'mount -t sysfs -o "$mode" sysfs /sys || exit 1; exec "$@"'
)

# Options of unshare. Mounts of the host still come in, as with ip; none gets out.
_OWN_MOUNTS = '--mount --propagation slave /bin/sh -c %s sh "$@"' % shlex.quote(_FRESH_SYS)

_ENTER_PATH = 'path=$1; shift; exec nsenter "--net=$path" unshare %s' % _OWN_MOUNTS

# For check mode, before one of the scripts that enter. The folder is where the namespace would be.
_OR_EMPTY = (
    'if ! [ -e "{folder}$1" ]; then '
    'echo "There is no network namespace $1. Check mode uses an empty one instead." >&2; '
    "shift; exec unshare --net %s; fi; " % _OWN_MOUNTS
)

# setpriv, because su and runuser want a valid login shell or PAM, and sudo may not be there.
_DROP = (
    'user=$1; shift; group=$(id -g "$user") || exit 1; '
    'exec setpriv --reuid "$user" --regid "$group" --init-groups --reset-env '
    'env "PATH=$PATH" ${LANG+"LANG=$LANG"} ${LC_ALL+"LC_ALL=$LC_ALL"} "$@"'
)


class BecomeModule(BecomeBase):  # type: ignore[misc] # ansible-core has no types
    # The password is sudo's, and what Ansible says of it, and in which language, goes by this name.
    name = Sudo.name
    fail = Sudo.fail
    missing = Sudo.missing

    def get_option(self, option: str, hostvars: t.Any = None, playcontext: t.Any = None) -> t.Any:
        value = super().get_option(option, hostvars=hostvars, playcontext=playcontext)
        return _User(value or "root") if option == "become_user" else value

    def build_become_command(self, cmd: str, shell: t.Any) -> str:
        """The command that runs ``cmd`` inside the namespace. Raises AnsibleError for what can't be a namespace."""
        super().build_become_command(cmd, shell)
        if not cmd:
            return cmd
        for option in ("become_exe", "become_flags"):
            self._check_quotes(option)
        words = [*self._enter(), *self._drop()]
        sudo = _Sudo(self)
        become_root = _AS_ROOT % sudo.build_become_command(cmd, shell)
        self.prompt = sudo.prompt
        # The word of success is said inside: until then, everything is still about becoming.
        return "%s %s" % (shlex.join([*_sh(become_root), *words]), self._build_success_command(cmd, shell))

    def _check_quotes(self, option: str) -> None:
        """Raises AnsibleError where the shell would find no end of a quoted string."""
        try:
            shlex.split(self.get_option(option) or "")
        except ValueError as error:
            raise AnsibleError(
                "The %s of the become method virtnet.linux.netns can't be split into words: %s. Quote it as for a shell."
                % (option, error)
            ) from error

    def _enter(self) -> t.List[str]:
        """The words that root puts before a command to have it run inside the namespace."""
        value = self.get_option("namespace")
        if value is None:
            raise AnsibleError(
                "The become method virtnet.linux.netns doesn't know which network namespace to enter; "
                "set the variable ansible_netns to its name, or to an absolute path such as /proc/4711/ns/net."
            )
        try:
            reference = names.namespace(value, "variable ansible_netns (option namespace of virtnet.linux.netns)")
        except BadInput as error:
            raise AnsibleError(str(error)) from error
        folder, script = ("", _ENTER_PATH) if reference.startswith("/") else ("/run/netns/", _ENTER_NAME)
        if self.get_option("check_mode"):
            script = _OR_EMPTY.replace("{folder}", folder) + script
        return [*_sh(script), reference]

    def _drop(self) -> t.List[str]:
        """The words that root puts before a command to have it run as the user."""
        user = str(self.get_option("become_user"))
        if user == "root":
            return []
        if user.startswith("-") or not user.isprintable():
            raise AnsibleError("The become_user of the become method virtnet.linux.netns can't be %r." % user)
        return [*_sh(_DROP), user]


class _User(str):
    """A user's name that Ansible never finds to be no other than the connection's.

    Ansible leaves out become, without a word, if ``become_user != remote_user`` is false and the configuration has no
    ``become_allow_same_user``: root at a connection as root would run outside the namespace. Everything else in Ansible
    that wants to know whether two users are the same asks with ``==`` or ``in``, and gets the truth.
    """

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return True


class _Sudo(Sudo):  # type: ignore[misc] # ansible-core has no types
    """Ansible's own sudo, to root, with the options of the plugin above, for the arguments of a script."""

    def __init__(self, plugin: BecomeModule) -> None:
        super().__init__()
        self._plugin = plugin

    def get_option(self, option: str, hostvars: t.Any = None, playcontext: t.Any = None) -> t.Any:
        if option == "become_user":
            return "root"
        try:
            return self._plugin.get_option(option, hostvars=hostvars, playcontext=playcontext)
        except KeyError:  # an option that sudo has and the plugin above doesn't offer
            return None

    def _build_success_command(self, cmd: str, shell: t.Any, noexe: bool = False) -> str:
        return '"$@"'


def _sh(script: str) -> t.List[str]:
    return ["/bin/sh", "-c", script, "sh"]
