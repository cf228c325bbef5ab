#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Two virtual machines to test on, hv1 and hv2: a stock Debian with systemd, udev and Open vSwitch.
#   hosts.sh start    fresh ones, also if they run already; returns when they have booted
#   hosts.sh stop     they are gone at once, and all that was on them
# Their cards: eth0 is for SSH alone (ssh -F .cache/hosts/ssh_config hv1); eth1 joins the two, with the addresses 192.0.2.1
# and 192.0.2.2; eth2 joins them a second time and has no configuration. Nothing of it leaves this machine.
# VIRTNET_ACCEL=kvm|tcg decides for QEMU's accelerator; otherwise it is KVM where that works.

set -euo pipefail
verb=${1:?start or stop}
top=$(cd "$(dirname "$0")/.." && pwd)
cache=$top/.cache/hosts
mkdir -p "$cache"
# Paths of sockets can't be long, so those below are relative to this folder.
cd "$cache"

accelerator() {
    # Without a disk, the kernel panics and QEMU ends, within two seconds. There are machines where it never gets that far.
    if [ ! -f accelerator ]; then
        if timeout 15 qemu-system-x86_64 -accel kvm -m 512 -nodefaults -display none -no-reboot \
            -kernel "$image/vmlinuz" -append panic=-1 2> accelerator.log; then
            echo kvm > accelerator
        else
            echo tcg > accelerator
        fi
    fi
    cat accelerator
}

# run NUMBER PORT
run() {
    local number=$1 port=$2 card other=$((3 - $1)) network=()
    for card in 1 2; do
        network+=(
            -netdev "dgram,id=eth$card,local.type=unix,local.path=hv$number.eth$card,remote.type=unix,remote.path=hv$other.eth$card"
            -device "virtio-net-pci,netdev=eth$card,mac=52:54:00:00:0$card:0$number,romfile="
        )
    done
    rm -f "hv$number".*
    qemu-img create -q -f qcow2 -F raw -b "$image/disk" "hv$number.disk"
    setsid qemu-system-x86_64 -accel "$accel" -m 1024 -nodefaults -display none -serial "file:hv$number.console" \
        -kernel "$image/vmlinuz" -initrd "$image/initrd" -append "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0 \
            net.ifnames=0 systemd.hostname=hv$number ip=10.0.2.15:::255.255.255.0::eth0:none ip=192.0.2.$number:::255.255.255.0::eth1:none" \
        -drive "file=hv$number.disk,if=virtio,cache=unsafe" -device virtio-rng-pci \
        -netdev "user,id=eth0,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:$port-:22" \
        -device virtio-net-pci,netdev=eth0,romfile= "${network[@]}" < /dev/null > "hv$number.log" 2>&1 &
    echo $! > "hv$number.pid"
}

# wait_for NUMBER: until it has booted, with everything that should run
wait_for() {
    local deadline=$((SECONDS + 600)) running=(systemctl is-system-running --wait)
    until timeout 600 ssh -F ssh_config -o ConnectTimeout=10 "hv$1" "${running[@]}" > "hv$1.state" 2>> "hv$1.log"; do
        if [ -s "hv$1.state" ] || [ "$SECONDS" -gt "$deadline" ] || ! kill -0 "$(cat "hv$1.pid")"; then
            echo "hv$1 has not booted: $(cat "hv$1.state")" >&2
            tail -n 20 "hv$1.log" "hv$1.console" >&2
            [ ! -s "hv$1.state" ] || ssh -F ssh_config "hv$1" systemctl --no-pager --lines 20 status --failed >&2 || true
            return 1
        fi
        sleep 2
    done
}

stop() {
    local pidfile
    for pidfile in hv?.pid; do
        # By number and name: the number in an old file may be another process by now.
        if pkill --pidfile "$pidfile" qemu-system 2> /dev/null; then
            timeout 30 tail --pid="$(cat "$pidfile")" -f /dev/null
        fi
    done
    rm -f hv?.*
}

start() {
    local ports number
    [ -f key ] || ssh-keygen -q -t ed25519 -N "" -C "test hosts" -f key
    if [ "$(id -u)" = 0 ]; then
        image=$("$top/scripts/image.sh" "$cache/key.pub")
    else
        image=$(sudo "$top/scripts/image.sh" "$cache/key.pub")
    fi
    accel=${VIRTNET_ACCEL:-$(accelerator)}
    mapfile -t ports < <(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for number in range(2)]
print(*(one.getsockname()[1] for one in sockets), sep="\n")')
    cat > ssh_config <<END
Host hv1
  Port ${ports[0]}
Host hv2
  Port ${ports[1]}
Host *
  HostName 127.0.0.1
  User root
  IdentityFile "$cache/key"
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
END
    for number in 1 2; do run "$number" "${ports[number - 1]}"; done
    for number in 1 2; do wait_for "$number"; done
    echo "hv1 and hv2 are up, with the accelerator $accel."
}

case $verb in
    start) stop; start ;;
    stop) stop ;;
    *) echo "There is no $verb; there are start and stop." >&2; exit 2 ;;
esac
