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
  - A namespace that is given by name is entered with C(ip netns exec), which mounts a C(/sys) that shows the devices
    of the namespace, and replaces files in C(/etc) by those in C(/etc/netns/NAME).
  - A namespace that is given by path is entered with C(nsenter), and also has its own C(/sys).
  - If the user of the connection is not root, C(sudo) is used first. A connection as root does not require C(sudo).
  - If the namespace doesn't exist and the task runs in check mode, the module runs in a new, empty network namespace, which is
    deleted when the module ends. So a playbook can be checked before the namespaces that it creates exist, and nothing
    on the host can be changed by accident. See the notes.
author:
  - The virtnet.linux authors (@virtnet)
requirements:
  - iproute2 on the target, for namespaces that are given by name
  - C(nsenter), C(unshare) and C(mount) of util-linux on the target, for namespaces that are given by path, and for check mode
  - C(setpriv) of util-linux with C(--reset-env) on the target, if O(become_user) is not C(root)
options:
  namespace:
    description:
      - Network namespace, by name (a file in C(/run/netns)) or by absolute path, such as C(/proc/4711/ns/net) for
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
      - User that runs the module inside the namespace.
      - If it is not C(root), the namespace is entered as root, and privileges are then dropped with C(setpriv);
        therefore C(sudo) must allow the user of the connection to become root. Of the environment, only C(PATH) and the locale
        are kept.
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
    description: Password for C(sudo). Ignored if C(sudo) does not ask for it or is not required.
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
      - Whether the task runs in check mode. Set by Ansible; it follows the command line and the keyword C(check_mode) of
        plays, blocks and tasks.
    type: bool
    default: false
    keyword:
      - name: check_mode
    version_added: 0.1.0
notes:
  - Ansible creates temporary folders and transfers files outside the namespace.
  - The module runs in a separate mount namespace. Its mounts are removed when it ends, and so are the names of network
    namespaces that it creates; run M(virtnet.linux.netns) outside.
  - Facts that are gathered inside a namespace overwrite those of the host. A separate inventory host for each namespace avoids
    that; see the examples.
  - If neither the user of the connection nor O(become_user) is root, the restrictions in Ansible's documentation on becoming an
    unprivileged user apply. Pipelining avoids them.
  - In check mode and without the namespace, modules return what they return in a new namespace. The modules of this
    collection report what they would change, with a warning for each missing link. M(ansible.builtin.setup)
    returns the facts of a network that has only C(lo). M(ansible.builtin.command), M(ansible.builtin.wait_for) and other modules
    without check mode are skipped, as always.
  - A task with C(check_mode=false) is executed with C(--check) as well, and therefore fails if the namespace does not exist.
    If it requires a namespace that the same playbook creates, add C(when=not ansible_check_mode).
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

- name: Show the addresses of a container as an unprivileged user
  ansible.builtin.command: ip -j addr
  become: true
  become_method: virtnet.linux.netns
  become_user: nobody
  changed_when: false
  vars:
    ansible_netns: /proc/4711/ns/net

# A namespace as a separate host in the inventory:
#
# all:
#   hosts:
#     server:
#     server-blue:
#       ansible_host: server
#       ansible_become: true
#       ansible_become_method: virtnet.linux.netns
#       ansible_netns: blue
- name: Use a namespace as a separate host
  hosts: server-blue
  tasks:
    - name: Show its interfaces
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

# Scripts for /bin/sh. Only text from the sudo plugin is inserted into them; values are passed as arguments ("$@").

# The user of the connection is known for certain only on the target. For root there is no prompt, although one is announced
# if there is a password: connection plugins wait for the prompt or for the success message, which is printed at once, as with
# NOPASSWD in sudo.
_AS_ROOT = 'if [ "$(id -u)" = 0 ]; then exec "$@"; else %s; fi'

# ip exits with 255 if it can't enter, as ssh does for an unreachable host; Ansible would remove the host from the play.
# So ip is tried first (2 ms), and the command can then exit with any code.
_ENTER_NAME = 'ip netns exec "$1" true || exit 1; exec ip netns exec "$@"'

# As "ip netns exec" does with /sys: replace the old mount, or else cover it, read-only if the old one is.
_FRESH_SYS = (
    "mode=rw; umount -l /sys 2>/dev/null || [ -w /sys ] || mode=ro; "
    'mount -t sysfs -o "$mode" sysfs /sys || exit 1; exec "$@"'
)

# Options of unshare. Mounts of the host are propagated into the namespace, as with ip, but not out of it.
_OWN_MOUNTS = '--mount --propagation slave /bin/sh -c %s sh "$@"' % shlex.quote(_FRESH_SYS)

_ENTER_PATH = 'path=$1; shift; exec nsenter "--net=$path" unshare %s' % _OWN_MOUNTS

# For check mode, before one of the scripts that enter. The namespace would be in the folder.
_OR_EMPTY = (
    'if ! [ -e "{folder}$1" ]; then '
    'echo "There is no network namespace $1. Check mode uses an empty one instead." >&2; '
    "shift; exec unshare --net %s; fi; " % _OWN_MOUNTS
)

# setpriv, because su and runuser require a valid login shell or PAM, and sudo may not be installed.
_DROP = (
    'user=$1; shift; group=$(id -g "$user") || exit 1; '
    'exec setpriv --reuid "$user" --regid "$group" --init-groups --reset-env '
    'env "PATH=$PATH" ${LANG+"LANG=$LANG"} ${LC_ALL+"LC_ALL=$LC_ALL"} "$@"'
)


class BecomeModule(BecomeBase):  # type: ignore[misc] # ansible-core has no types
    # The password is that of sudo, and Ansible chooses prompts and messages by this name.
    name = Sudo.name
    fail = Sudo.fail
    missing = Sudo.missing

    def get_option(self, option: str, hostvars: t.Any = None, playcontext: t.Any = None) -> t.Any:
        value = super().get_option(option, hostvars=hostvars, playcontext=playcontext)
        return _User(value or "root") if option == "become_user" else value

    def build_become_command(self, cmd: str, shell: t.Any) -> str:
        """The command that runs ``cmd`` inside the namespace. Raises AnsibleError for an invalid namespace."""
        super().build_become_command(cmd, shell)
        if not cmd:
            return cmd
        for option in ("become_exe", "become_flags"):
            self._check_quotes(option)
        words = [*self._enter(), *self._drop()]
        sudo = _Sudo(self)
        become_root = _AS_ROOT % sudo.build_become_command(cmd, shell)
        self.prompt = sudo.prompt
        # The success message is printed inside: everything before it belongs to become.
        return "%s %s" % (shlex.join([*_sh(become_root), *words]), self._build_success_command(cmd, shell))

    def _check_quotes(self, option: str) -> None:
        """Raise AnsibleError for an option with an unterminated quoted string."""
        try:
            shlex.split(self.get_option(option) or "")
        except ValueError as error:
            raise AnsibleError(
                "The %s of the become method virtnet.linux.netns can't be split into words: %s. Quote it as for a shell."
                % (option, error)
            ) from error

    def _enter(self) -> t.List[str]:
        """Words before a command that make root run it inside the namespace."""
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
        """Words before a command that make root run it as the user."""
        user = str(self.get_option("become_user"))
        if user == "root":
            return []
        if user.startswith("-") or not user.isprintable():
            raise AnsibleError("The become_user of the become method virtnet.linux.netns can't be %r." % user)
        return [*_sh(_DROP), user]


class _User(str):
    """A user name that always differs from that of the connection when compared with ``!=``.

    Ansible silently omits become if ``become_user != remote_user`` is false and ``become_allow_same_user`` is not configured:
    root on a connection as root would run outside the namespace. Everything else in Ansible compares users with ``==`` or
    ``in``, which are not changed.
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
        except KeyError:  # an option of sudo that the plugin above does not have
            return None

    def _build_success_command(self, cmd: str, shell: t.Any, noexe: bool = False) -> str:
        return '"$@"'


def _sh(script: str) -> t.List[str]:
    return ["/bin/sh", "-c", script, "sh"]
