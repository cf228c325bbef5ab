#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The engine's laws on the real kernel, fault injection included: see test_engine.py; what the
# kernel is known to refuse: see test_refused.py; neighbors: see test_neighbors.py; hostile values: see test_hostile.py; and what becomes of nodes in /dev.

set -eux
export PYTHONPATH="${ANSIBLE_COLLECTIONS_PATH%%:*}${PYTHONPATH:+:$PYTHONPATH}"
exec "${ANSIBLE_TEST_PYTHON_INTERPRETER:-python3}" -m pytest -p no:cacheprovider -q -s test_engine.py test_followers.py test_nodes.py test_refused.py test_hostile.py test_neighbors.py
