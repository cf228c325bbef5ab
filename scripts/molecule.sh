#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a molecule scenario of extensions/molecule with the collection as a user would have it.
#   molecule.sh SCENARIO [COMMAND]
# The command is one of molecule's, "test" if there is none. The scenario "default" runs in a sandbox, which is gone when the
# command ends.

set -euo pipefail
cd "$(dirname "$0")/.."
scenario=${1:?a scenario}
scripts/collection.sh
export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/collections" ANSIBLE_HOME="$PWD/.cache/ansible" ANSIBLE_LOCALHOST_WARNING=false
# Sockets of SSH can't have long paths. Hosts are called hv1 and hv2 in other checkouts as well.
export ANSIBLE_SSH_CONTROL_PATH_DIR=${ANSIBLE_SSH_CONTROL_PATH_DIR:-~/.ansible/cp/$(cksum <<< "$PWD" | cut -d " " -f 1)}
export PATH="$PWD/.venv/bin:$PATH"
run=(molecule "${2:-test}" --scenario-name "$scenario")
# sudo, by which the sandbox may be entered, sets a PATH of its own.
# What molecule remembers of a run goes with the sandbox that it was in.
[ "$scenario" != default ] || run=(scripts/sandbox.sh env PATH="$PATH" MOLECULE_EPHEMERAL_DIRECTORY=/run/molecule "${run[@]}")
exec "${run[@]}"
