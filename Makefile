# The two commands of the README are `make demo` and `make test`; each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Files of tests run side by side, in the order in which they are collected.
WORKERS ?= 2
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: demo site test test-fast test-encrypted test-all browser server java lint clean

demo: $(STAMP)
	@$(BIN)/mapa demo

site: $(STAMP)
	@$(BIN)/mapa site --serve

# Enough to trust a merge.
test: browser server lint
	$(PYTEST) -m "not long" tests/fast tests/house

# While one works: what needs neither dbt nor a browser.
test-fast: $(STAMP)
	$(PYTEST) -m "not long" tests/fast

# The same in houses of which warehouse and landing are encrypted.
test-encrypted: browser server $(STAMP)
	$(PYTEST) -m "not long" --encrypted tests/fast tests/house

# Before a release: also what takes long.
test-all: browser server java lint
	$(PYTEST)
	@$(MAKE) test-encrypted

browser:
	@sh scripts/check_machine.sh browser

server:
	@sh scripts/check_machine.sh server

# Only these tests need Spark, of 480 MB, and Java; without Java they are skipped.
java: $(STAMP)
	@sh scripts/check_machine.sh java
	@! command -v java >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check \
		--constraint requirements.txt --editable '.[spark]'

lint: $(STAMP) profiles.yml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 models tests/singular
	$(BIN)/sqlfluff lint --processes 2 --templater raw scripts/mapa_city

profiles.yml:
	cp profiles.yml.example $@

$(STAMP): requirements.txt pyproject.toml
	@sh scripts/check_machine.sh python $(PYTHON)
	@echo "Setting up .venv (once, a few minutes) ..." >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

clean:
	rm -rf .venv target logs
