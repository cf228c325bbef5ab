#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The become plugin, at connections as root and as users who need sudo. These users, their passwords, the rules for
# sudo and the network are there for this script only: it runs in namespaces of its own, with a copy of /etc.

set -eux
if [ "${1:-}" != --inside ]; then
    exec unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private bash "$0" --inside "$@"
fi
shift

mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mount -t sysfs sysfs /sys
cp -a /etc /run/etc
mount --bind /run/etc /etc
# Where all of these users can read it
cp -r . /run/become_netns
cd /run/become_netns

# alice may use sudo, carol with her password, bob not at all. The password has every printable character of ASCII.
# shellcheck disable=SC2046
secret=$(printf '%b' "$(printf '\\0%o' $(seq 32 126))")äß€
# shellcheck disable=SC2016
hash=$(perl -e 'print crypt($ARGV[0], q($6$virtnet$))' "$secret")
export secret
for user in alice:64001 bob:64002 carol:64003; do
    name=${user%:*} id=${user#*:}
    echo "$name:x:$id:$id::/run/$name:/bin/sh" >> /etc/passwd
    echo "$name:x:$id:" >> /etc/group
    echo "$name:$hash:20000:0:99999:7:::" >> /etc/shadow
    install -d -o "$id" -g "$id" -m 700 "/run/$name"
done
cat > /etc/sudoers << 'EOT'
Defaults env_reset, lecture=never, timestamp_timeout=0
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
alice ALL=(root) NOPASSWD: ALL
carol ALL=(root) ALL
EOT

# Two namespaces that look alike, one with a name and one without. Both have a service that only they can reach.
ip link set lo up
ip netns add blue
unshare --net sleep infinity &
anonymous=$!
until [ "$(readlink /proc/$anonymous/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
mkdir -p /etc/netns/blue
echo "192.0.2.77 only-in-blue" > /etc/netns/blue/hosts
touch /run/netns/stale
ip link add outside1 type veth peer name in-blue netns blue
ip link add outside2 type veth peer name in-path netns $anonymous
for inside in "--net=/run/netns/blue in-blue 192.0.2.10" "--net=/proc/$anonymous/ns/net in-path 192.0.2.20"; do
    read -r enter link address <<< "$inside"
    nsenter "$enter" ip link set lo up
    nsenter "$enter" ip link set "$link" up
    nsenter "$enter" ip addr add "$address/24" dev "$link"
    nsenter "$enter" python3 -m http.server --bind 127.0.0.1 --directory /run/netns 8080 > /dev/null 2>&1 &
done

mounted=$(grep -c ' /sys .* - sysfs ' /proc/self/mountinfo)
export ANSIBLE_NOCOLOR=1
play() {
    ansible-playbook -i inventory.yml -e "anonymous=/proc/$anonymous/ns/net" "$@"
}
export -f play
export anonymous

# as USER COMMAND...: that it may read everything is for checkouts that only root can read.
as() {
    setpriv --reuid "$1" --regid "$1" --init-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search \
        env HOME="/run/$1" USER="$1" LOGNAME="$1" "${@:2}"
}

play playbooks/root.yml "$@"
as alice bash -c '! ip netns exec blue true'
for user in alice carol; do
    as "$user" bash -c 'play "$@"' bash playbooks/user.yml "$@"
done

# A path with spaces and quotes to sudo, with such flags; and no log tells the password.
mkdir "/run/it's a \"folder\""
cat > "/run/it's a \"folder\"/sudo" << 'EOT'
#!/bin/sh
[ "$1" = "--note=two 'words' and a \"\$(third)\"" ] || exit 9
shift
exec sudo "$@"
EOT
chmod 755 "/run/it's a \"folder\"/sudo"
for user in alice carol; do
    ANSIBLE_LOG_PATH=/run/$user/log as "$user" bash -c 'play "$@"' bash playbooks/quotes.yml -vvvv "$@" > /run/output ||
        { cat /run/output; exit 1; }
    # The output is in the log as well.
    grep -q "TASK \[Run a command\]" "/run/$user/log"
    if grep -F -e "$secret" -e "${secret:16:40}" "/run/$user/log" /run/output; then exit 1; fi
done

# A play that makes its namespaces, in check mode before they exist, really, and in check mode again
before=$(ls /run/netns; ip -o link)
for options in --check "" "--check -e again=true"; do
    # shellcheck disable=SC2086
    as alice bash -c 'play "$@"' bash playbooks/check.yml $options "$@"
    if [ "$options" = --check ]; then
        [ "$(ls /run/netns; ip -o link)" = "$before" ]
        [ ! -e /run/written ]
    fi
done

# The namespace from the environment, and from the configuration
export ANSIBLE_BECOME_METHOD=virtnet.linux.netns
ANSIBLE_NETNS=blue ansible -i inventory.yml machine --become -m ansible.builtin.command -a 'ip link show in-blue'
printf '[netns_become_plugin]\nnamespace=blue\n' > /run/ansible.cfg
ANSIBLE_CONFIG=/run/ansible.cfg \
    ansible -i inventory.yml machine --become -m ansible.builtin.command -a 'ip link show in-blue'

# What was mounted inside stayed there.
[ "$(grep -c ' /sys .* - sysfs ' /proc/self/mountinfo)" = "$mounted" ]
