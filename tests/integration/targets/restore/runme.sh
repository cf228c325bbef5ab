#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Topologies that come back without Ansible: see test_restore.py and role.yml. What they leave on the host is left in folders of
# their own.

set -eux
if [ "${1:-}" != --inside ]; then
    exec unshare --mount --propagation private bash "$0" --inside
fi
mount -t tmpfs -o mode=755 tmpfs /var/lib
mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
export PYTHONPATH="${ANSIBLE_COLLECTIONS_PATH%%:*}${PYTHONPATH:+:$PYTHONPATH}"
"${ANSIBLE_TEST_PYTHON_INTERPRETER:-python3}" -m pytest -p no:cacheprovider -q -s test_restore.py
exec ansible-playbook -i localhost, role.yml
