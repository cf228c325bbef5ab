#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Renders the module reference from the documentation of the modules; any warning is an error.
#   docs.sh [FOLDER]
# ANSIBLE_COLLECTIONS_PATH tells where the collection is; scripts/collection.sh puts it where it is looked for otherwise.

set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$top/.cache/docs}
export ANSIBLE_COLLECTIONS_PATH=${ANSIBLE_COLLECTIONS_PATH:-$top/.cache/collections}
export PATH="$top/.venv/bin:$PATH"
rm -rf "$folder"
mkdir -p "$folder"
antsibull-docs collection --use-current --fail-on-error \
    --dest-dir "$folder" virtnet.linux 2>&1 | tee "$folder/log"
if grep -qi warning "$folder/log"; then
    echo "The documentation doesn't render without a warning." >&2
    exit 1
fi
echo "The module reference is in $folder."
