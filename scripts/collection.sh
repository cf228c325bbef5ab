#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the collection and installs the result into .cache/collections, as a user would have it. What runs from there
# runs without the repository.

set -euo pipefail
cd "$(dirname "$0")/.."
export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/collections"
rm -rf .cache/build .cache/collections
mkdir -p .cache/build .cache/collections
.venv/bin/ansible-galaxy collection build --output-path .cache/build > /dev/null
.venv/bin/ansible-galaxy collection install --offline -p .cache/collections .cache/build/*.tar.gz > /dev/null
