#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds what the test hosts start from: a disk, a kernel and its initrd, of Debian packages alone. What was built from the
# same recipe, the same mirrors and the same key is taken from the cache.
#   image.sh PUBLIC-KEY
# Prints the folder in which they are: disk, vmlinuz and initrd.

set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
key=${1:?a public key for root}

packages=(
    linux-image-cloud-amd64 initramfs-tools systemd-sysv udev dbus openssh-server python3 python3-pyroute2
    openvswitch-switch iproute2 iputils-ping nftables procps sudo
)
# What would run by itself, at boot or in the midst of a test, and is of no use here.
units=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer)

# Debian's mirrors as this machine's apt knows them.
# shellcheck disable=SC2016 # these are for apt
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian')
: "${sources:=deb http://deb.debian.org/debian bookworm main}"

cache=$(cd "$(dirname "$0")/.." && pwd)/.cache/hosts
image=$cache/image-$({ cat "$0" "$key"; echo "$sources"; } | sha256sum | cut -c 1-16)
if [ ! -d "$image" ]; then
    echo "Building the image of the test hosts" >&2
    new=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    root=$new/root
    # An initrd that has what these machines need, and no more, boots sooner.
    # shellcheck disable=SC2016 # this is for mmdebstrap's shell
    small='cd "$1" && mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d &&
        echo MODULES=list > etc/initramfs-tools/conf.d/hosts &&
        printf "%s\n" virtio_pci virtio_blk > usr/share/initramfs-tools/modules.d/hosts'
    mmdebstrap --quiet --variant=minbase --include="${packages[*]}" --essential-hook="$small" "" "$root" - <<< "$sources" >&2
    install -D -m 600 "$key" "$root/root/.ssh/authorized_keys"
    chroot "$root" systemctl --quiet enable systemd-networkd systemd-network-generator
    chroot "$root" systemctl --quiet mask "${units[@]}"
    # Networkd looks for IPv6 routers for 12 s, and the boot waits for it, because Open vSwitch wants to be online.
    for card in eth0 eth1; do
        install -D -m 644 /dev/stdin "$root/etc/systemd/network/70-$card.network.d/hosts.conf" <<< $'[Network]\nIPv6AcceptRA=no'
    done
    # Each host makes an identity of its own from an empty one. Without any, it would be its first boot, with other rules.
    : > "$root/etc/machine-id"
    cp "$root"/boot/vmlinuz-* "$new/vmlinuz"
    cp "$root"/boot/initrd.img-* "$new/initrd"
    mkfs.ext4 -q -d "$root" "$new/disk" 2G >&2
    rm -rf "$root"
    chown -R --reference="$cache" "$new"
    rm -rf "$cache"/image-*
    mv "$new" "$image"
fi
echo "$image"
