#!/usr/bin/env bash
# Copyright (c) 2026, The virtnet.linux authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The laws of whole topologies on the real kernel and a real Open vSwitch, faults and kills included: see test_engine.py and
# test_faults.py; few descriptors and changes while reading: see test_limits.py;
# how time grows with the number of namespaces: see test_growth_of_hosts.py. What one topology means to another: see test_isolation.py.
# Names that are not ASCII: see test_names.py. Two playbooks at once: see test_at_once.py.

set -eux
export PYTHONPATH="${ANSIBLE_COLLECTIONS_PATH%%:*}${PYTHONPATH:+:$PYTHONPATH}"
exec "${ANSIBLE_TEST_PYTHON_INTERPRETER:-python3}" -m pytest -p no:cacheprovider -q -s test_isolation.py test_names.py test_at_once.py test_daemons.py test_faults.py test_limits.py test_growth_of_hosts.py test_engine.py test_copies.py
