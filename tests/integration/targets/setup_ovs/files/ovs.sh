#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A throwaway Open vSwitch: both daemons, in the namespaces that the caller is in, with all their files in one folder.
#   ovs.sh start|stop FOLDER
# Its database is FOLDER/db.sock. In FOLDER /run/openvswitch, ovs-vsctl finds it by itself. Its bridges want
# datapath_type=netdev where the kernel has no openvswitch.

set -euo pipefail
verb=${1:?start or stop}
folder=${2:?a folder}
export OVS_RUNDIR=$folder OVS_DBDIR=$folder/db OVS_LOGDIR=$folder/log OVS_SYSCONFDIR=$folder/etc
mkdir -p "$OVS_DBDIR" "$OVS_LOGDIR" "$OVS_SYSCONFDIR/openvswitch"
control=/usr/share/openvswitch/scripts/ovs-ctl
case $verb in
    start)
        if ! "$control" --no-mlockall --system-id=random start > "$folder/start.log" 2>&1; then
            cat "$folder/start.log" >&2
            exit 1
        fi
        ;;
    stop)
        "$control" stop > "$folder/stop.log" 2>&1
        ;;
    *)
        echo "ovs.sh start|stop FOLDER" >&2
        exit 2
        ;;
esac
