# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

.PHONY: help site test test-hosts bench docs format clean

help:
	@echo "make site        build an example network from playbooks/site.yml, ping across it, take it down"
	@echo "make test        style, types, sanity, unit and integration tests, and the roles"
	@echo "make test-hosts  playbooks on two virtual machines, which it builds from Debian packages, and reboots"
	@echo "make bench       measure against ip and ovs-vsctl, and print ratios"
	@echo "make docs        render the module reference into .cache/docs"
	@echo "make format      let black and ruff put the code in order"
	@echo "make clean       remove what the above have made in this checkout"
	@echo "Each installs what it needs: Debian packages, and Python packages into .venv in this checkout."

site:
	@scripts/site.sh

test:
	@scripts/setup.sh test
	@scripts/molecule.sh default
	@.venv/bin/python scripts/test.py

test-hosts:
	@scripts/setup.sh hosts
	@scripts/molecule.sh hypervisors

bench:
	@scripts/setup.sh bench
	@scripts/collection.sh
	@scripts/sandbox.sh .venv/bin/python benchmarks/tasks.py
	@scripts/sandbox.sh .venv/bin/python benchmarks/topology.py

docs:
	@scripts/setup.sh test
	@scripts/collection.sh
	@scripts/docs.sh

format:
	@scripts/setup.sh test
	@.venv/bin/ruff check --fix .
	@.venv/bin/black --quiet .

clean:
	rm -rf .cache .venv .venv-*
