#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a command in network, mount and process namespaces of its own: it sees an empty network, an empty /run and no records
# of topologies, and whatever it makes or starts is gone when it ends, be it by Ctrl-C.
#   sandbox.sh COMMAND [ARGUMENT...]

set -euo pipefail

if [ "${1:?a command}" = --inside ]; then
    shift
    export PATH="$PATH:/usr/sbin:/sbin"
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /var/lib/virtnet
    mount -t tmpfs -o mode=755 tmpfs /var/lib/virtnet
    mount -t sysfs sysfs /sys
    ip link set lo up
    # This shell stays, as the first process of its namespace, and lets the command have Ctrl-C.
    trap : INT
    "$@"
else
    enter=(unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private)
    [ "$(id -u)" = 0 ] || enter=(sudo --preserve-env "${enter[@]}")
    exec "${enter[@]}" bash "$0" --inside "$@"
fi
