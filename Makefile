# The two commands of the README are `make demo` and `make test`; each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Tests run side by side; those that share a house stay in one process with it.
WORKERS ?= 2

.PHONY: demo panels test test-all lint clean

demo: $(STAMP)
	@$(BIN)/mapa demo

panels: $(STAMP)
	@$(BIN)/mapa panels

test: lint
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not long"

# Before a release: also the suites that take hours.
test-all: lint
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

lint: $(STAMP) profiles.yml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 models tests/singular

profiles.yml:
	cp profiles.yml.example $@

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	    || { echo "Python 3.11, 3.12 or 3.13 is needed: make demo PYTHON=python3.11" >&2; exit 2; }
	@echo "Setting up .venv (once, a few minutes) ..." >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf .venv target logs
