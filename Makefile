# Two commands: `make serve` and `make test`. Each prepares all that it needs; see README.md.

# The Python that .venv is made with: 3.10 to 3.13.
PYTHON ?= python3
# Arguments for pytest or the benchmarks, for example: make test ARGS="tests/unit -k domain"
ARGS ?=

# Bytecode lies in .local, even where the environment forbids to write any: each of the hundreds of processes that tests
# start would compile Odoo anew, which takes it a second or two.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache
unexport PYTHONDONTWRITEBYTECODE

# Seconds that `make soak` takes.
DURATION ?= 600

.PHONY: help serve odoo test unit slow differential check bench soak browser drills rights integration addon applications clients upgrades operations image mutants ci everything

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

serve: ## a demonstration on this machine, or with GATEHOUSE_ODOO_CONF the server for an Odoo that is there
	@$(PYTHON) dev/bootstrap.py serve
	@.venv/bin/python -m dev serve

odoo: ## Odoo's own server and web client on the demonstration's database, beside `make serve`
	@$(PYTHON) dev/bootstrap.py odoo
	@.venv/bin/python -m dev odoo

test: ## the whole product on real Odoo and PostgreSQL, 10 minutes; ARGS="..." goes to pytest
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test $(ARGS)

unit: ## the tests that need neither Odoo nor PostgreSQL, in seconds
	@$(PYTHON) dev/bootstrap.py unit
	@.venv/bin/python -m pytest tests/unit -q $(ARGS)

slow: ## the same tests with GATEHOUSE_FAST=off: Odoo's own way wherever there is a faster one
	@$(PYTHON) dev/bootstrap.py test
	@GATEHOUSE_FAST=off .venv/bin/python -m dev test $(ARGS)

differential: ## what is read and written of all models of Odoo's applications beside the ORM, with many records of each
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/applications --every-record $(ARGS)

bench: ## Gatehouse beside Odoo's own HTTP APIs, 15 minutes; ARGS="..." goes to bench (--help)
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m bench $(ARGS)

check: ## lint, format and types
	@$(PYTHON) dev/bootstrap.py check
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

soak: ## ten minutes of mixed load, and what the workers' memory does; DURATION=60 for a short one
	@$(PYTHON) dev/bootstrap.py test
	@DURATION=$(DURATION) .venv/bin/python -m bench.soak

integration: ## what stands around the server: nginx, PgBouncer, newman, Prometheus, systemd, wrk, a first `make serve`; 5 minutes, installs Debian's packages as root
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/integration $(ARGS)

browser: ## the panel and the docs in Chromium; 4 minutes, installs Debian's chromium and npm as root
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/browser $(or $(ARGS),-m "not alone" -n 2 --dist loadscope)
	@$(if $(ARGS),,.venv/bin/python -m dev test tests/browser -m alone)

drills: ## a live server while processes are killed, hosts rolled, callers revoked and clients stall; 20 minutes
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/drills $(ARGS)

rights: ## rights that change while calls run, a hundred times each; a short form is part of drills
	@$(PYTHON) dev/bootstrap.py test
	@LONG=1 .venv/bin/python -m dev test tests/drills/test_rights.py $(ARGS)

addon: ## Odoo's side of Gatehouse on Odoo's own server, in a browser; 4 minutes
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/addon $(ARGS)

applications: ## what is read and written of six of Odoo's applications beside the ORM, the short form of differential; 4 minutes
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/applications $(ARGS)

clients: ## clients that foreign generators make from the OpenAPI document, linters and a fuzzer; needs PyPI and npm; 6 minutes
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/clients -n 2 $(ARGS)

upgrades: ## addons and migrations that come and go beside running servers; 4 minutes
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/upgrades -n 2 $(ARGS)

operations: ## the ten steps of docs/operations.md, walked as they stand there; 4 minutes, as root on Debian
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/deploy $(ARGS)

ci: ## what a change has to pass, side by side, with one table at the end; 40 minutes, as root on Debian
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev ci

everything: ## all there is in its long form (LONG=1), with one table at the end; hours, as root on Debian
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev everything

image: ## the image of deploy/Dockerfile built and run, Odoo from source; 4 minutes, as root on Debian
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev test tests/image $(ARGS)

mutants: ## forty faults by hand in copies of the code, and whether the tests find each; 6 minutes; ARGS="token" some by name
	@$(PYTHON) dev/bootstrap.py test
	@.venv/bin/python -m dev mutants $(ARGS)
