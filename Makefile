# make run: the app and, without V0_API_KEY, a stand-in for v0. make test: everything. make lint: rules.
# make test-scale: with PostgreSQL and Redis. All of them install what they need into .venv first, from locks with hashes.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
# Options for pytest, such as ARGS="-k sockets".
ARGS ?=
# Twice the cores that it is meant for: many tests mostly wait.
WORKERS ?= 4

.PHONY: run test test-scale lint lock
.DEFAULT_GOAL := run

run: $(VENV)/run.stamp
	@exec env DEBUG="$${DEBUG:-1}" $(BIN)/python manage.py serve

test: $(VENV)/test.stamp
	@.ci/chromium
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(if $(CI),-q --color=no) $(ARGS)

# What only PostgreSQL and Redis can show, on those of this machine, in a database of its own.
test-scale: $(VENV)/test.stamp
	@.ci/scale $(BIN)/python -m pytest tests/scale $(if $(CI),-q --color=no) $(ARGS)

lint: $(VENV)/test.stamp
	@$(BIN)/ruff format --check $(if $(CI),--quiet) .
	@$(BIN)/ruff check $(if $(CI),--quiet) .
	@$(BIN)/mypy $(if $(CI),--no-error-summary) .
	@DEBUG=1 DATABASE_URL=sqlite:///:memory: $(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/djlint --quiet --lint templates

# Written anew by hand when pyproject.toml changes; the locks hold no address of an index.
lock: $(VENV)/test.stamp
	@$(PIP) install "pip-tools>=7.5"
	@$(BIN)/pip-compile $(LOCK) --output-file requirements.txt pyproject.toml
	@$(BIN)/pip-compile $(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

LOCK := --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(VENV)/test.stamp: requirements-dev.txt | $(BIN)/python
	@echo "Installing into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; there is no python3 here." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
