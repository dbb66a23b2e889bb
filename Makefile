.DEFAULT_GOAL := help
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_SYSTEM_CERTS := 1
# The lab has an account of its own; a profile of the user's would come before its keys.
unexport AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-12s %s\n' "$$name" "$$text"; done

.PHONY: venv
venv: ## make .venv with the pinned versions
	@bin/bootstrap

.PHONY: up
up: venv ## start the lab and build the platform in it
	@hanger-lab up
	@ansible-playbook site.yml

.PHONY: data
data: venv ## fill the gym's database: SCALE=100, RELOAD=true replaces other data, CSV=directory takes your own files
	@ansible-playbook site.yml --tags thehangerdb $(if $(SCALE),-e thehangerdb_scale=$(SCALE)) \
		$(if $(RELOAD),-e thehangerdb_reload=$(RELOAD)) \
		$(if $(CSV),-e thehangerdb_source=csv -e thehangerdb_csv_directory=$(abspath $(CSV)))

.PHONY: live
live: ## change the gym's database as an open chain does: RATE=10 rows a second for SECONDS=60
	@ansible-playbook playbooks/live.yml $(if $(RATE),-e hanger_live_rate=$(RATE)) \
		$(if $(SECONDS),-e hanger_live_seconds=$(SECONDS))

.PHONY: down
down: ## remove the lab; its cache, secrets and logs stay
	@if [ -x $(BIN)/hanger-lab ]; then hanger-lab down; else echo "nothing to remove: there is no .venv"; fi

.PHONY: status
status: ## show what runs, and how the platform is where it stands
	@hanger-lab status
	@if [ -n "$$(ansible oltp --list-hosts 2>/dev/null | sed 1d)" ]; then ansible-playbook playbooks/status.yml; fi

.PHONY: tunnel
tunnel: ## open tunnels to the platform's services and print their URLs
	@ansible-playbook playbooks/tunnel.yml

.PHONY: tunnel-close
tunnel-close: ## close the tunnels
	@ansible-playbook playbooks/tunnel.yml -e hanger_tunnel=closed

.PHONY: pause
pause: ## stop the machines and suspend the warehouses
	@ansible-playbook playbooks/pause.yml

.PHONY: resume
resume: ## start the machines again and wait until their services run
	@ansible-playbook playbooks/resume.yml

.PHONY: logs
logs: ## follow the logs of the lab's endpoints
	@hanger-lab logs -f

.PHONY: lock
lock: venv ## pin what requirements.in, the role pgadmin and the peers of the benchmarks ask for
	for wanted in requirements roles/pgadmin/files/requirements roles/pgadmin/files/installer \
			bench/peers/snowflake/snowddl bench/peers/snowflake/permifrost; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--output-file $$wanted.txt $$wanted.in || exit 1; done

.PHONY: docs
docs: venv ## write the generated parts of the documentation
	@python docs/generate.py

.PHONY: lint
lint: venv ## check style, types and syntax
	@python tests/run.py '^(yamllint|ruff|mypy|ansible-|changelog|syntax-|sanity)'

.PHONY: test
test: venv ## run every check in a lab of its own; ONLY=regular expression picks some
	@python tests/run.py '$(ONLY)'

.PHONY: bench
bench: venv ## measure, with NAME=spine, NAME=machines, NAME=oltp or NAME=snowflake
	@python bench/run.py '$(NAME)'
