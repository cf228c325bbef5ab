#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a command in user-mode Linux, a kernel that is a program, with kinds of links that the kernel of this machine may lack.
# Its root is the root of this machine below a temporary file system, so that all changes are lost when the command ends.
# The command runs in the current folder with the current PATH and the variables ANSIBLE_*, EXPLORE and PYTHON*. It sees an
# empty network. Its exit code is passed on.
#   uml.sh COMMAND [ARGUMENT...]

set -euo pipefail
script=$(realpath "$0")
modules="overlay af_packet bridge br_netfilter veth tun macvlan macvtap ifb dummy nlmon 8021q bonding vrf ipvlan ipvtap vxlan geneve
    ip_gre ip6_gre ipip sit ip6_tunnel sch_netem openvswitch vport-gre vport-geneve vport-vxlan"

case ${uml_stage:-} in
root) # the first process of the new kernel: provide a root that can be written to
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin
    mount -t proc proc /proc
    mount -t tmpfs -o mode=755 tmpfs /run
    release=$(uname -r)
    mkdir -p /run/modules/lib/modules /run/changes/upper /run/changes/work /run/root
    ln -s "/usr/lib/uml/modules/$release" "/run/modules/lib/modules/$release"
    for module in $modules; do
        modprobe -q -d /run/modules "$module" || true
    done
    mount -t overlay -o lowerdir=/,upperdir=/run/changes/upper,workdir=/run/changes/work overlay /run/root
    cd /run/root
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount -t devtmpfs devtmpfs dev
    mkdir -p dev/pts dev/shm var/lib/virtnet
    mount -t devpts devpts dev/pts
    for folder in dev/shm run var/lib/virtnet; do
        mount -t tmpfs -o mode=755 tmpfs "$folder"
    done
    chmod 1777 dev/shm
    mount --make-rshared /run/root
    uml_stage=inside exec chroot /run/root "${uml_script:?}"
    ;;
inside) # in that root
    code=0
    ip link set lo up
    bash "${uml_job:?}" < /dev/null || code=$?
    printf '\numl.sh: exit code %d\n' "$code"
    echo o > /proc/sysrq-trigger
    sleep 60 # until that has happened
    ;;
*)
    [ "$(id -u)" = 0 ] || exec sudo --preserve-env "$0" "$@"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    {
        echo "unset uml_stage uml_script uml_job"
        printf 'export PATH=%q HOME=%q LANG=C.UTF-8\n' "$PATH:/usr/sbin:/sbin" "$HOME"
        while IFS='=' read -r -d '' name value; do
            case $name in ANSIBLE_* | EXPLORE | PYTHON*) printf 'export %s=%q\n' "$name" "$value" ;; esac
        done < <(env -0)
        printf 'cd %q && exec' "$PWD"
        printf ' %q' "${@:?a command}"
        echo
    } > "$folder/job"
    # The memory of the new kernel is a file.
    memory=/dev/shm
    [ "$(df --output=avail --block-size=M "$memory" | tail -n 1 | tr -dc 0-9)" -gt 2500 ] || memory=/tmp
    TMPDIR=$memory linux.uml mem=2048M rootfstype=hostfs rootflags=/ ro "init=$script" con=null con0=fd:0,fd:1 loglevel=1 \
        uml_stage=root "uml_script=$script" "uml_job=$folder/job" < /dev/null 2> "$folder/errors" \
        | tr -d '\r' | tee "$folder/output" | sed -u '/^uml.sh: exit code /d'
    code=$(sed -n 's/^uml.sh: exit code //p' "$folder/output" | tail -n 1)
    [ -n "$code" ] || cat "$folder/errors" >&2
    exit "${code:-125}"
    ;;
esac
