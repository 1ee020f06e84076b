.DEFAULT_GOAL := help
PYTHON ?= python3
PKG := signalwire_compat
SPEC ?= openapi.yaml
OUT ?= generated/$(PKG)
# What a release must pass.
GATE ?= ci
BIN := .venv/bin
LOCKED := .venv/.locked
READY := .venv/.ready
MORE := .venv/.more
# Most of the time of the tests is waiting for servers that are slow on purpose.
WORKERS := $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
RESOLVE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-emit-index-url --no-header --exclude-newer "$$($(BIN)/python -c \
  'import datetime as d; print(d.date.today() - d.timedelta(days=7))')"
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without compiled files every process of the tests compiles the tests and their plugins anew.
unexport PYTHONDONTWRITEBYTECODE
export FUZZ_EXAMPLES FUZZ_ONLY FUZZ_SECONDS FUZZ_SEED

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(LOCKED): requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here. Install Python 3.11 or later, or name one:" \
	    "make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	    "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv from requirements-dev.lock: about a minute, this once."
	@$(PYTHON) -m venv --clear .venv || { \
	  echo "'$(PYTHON) -m venv' failed. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install -qq --require-hashes --requirement requirements-dev.lock
	@touch $@

$(READY): $(LOCKED) pyproject.toml mock_server/pyproject.toml
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable . --editable mock_server
	@touch $@

$(MORE): $(READY) requirements-more.lock
	@echo "Adding the tools of requirements-more.lock to .venv: this once."
	@$(BIN)/python -m pip install -qq --require-hashes --requirement requirements-more.lock
	@touch $@

install: $(READY) ## set up .venv from the lock file

demo: $(READY) ## buy a number from the mock server and look at what happens
	@$(BIN)/python examples/demo.py

test: $(READY) ## run every test, in parallel and in random order
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --quiet

test-browser: $(MORE) ## use the pages of the mock in a headless Chromium
	@$(BIN)/pytest tests/mock/browser.py --quiet

faults: $(READY) ## run every fault against both clients, print the table, write docs/evidence/reliability.md
	@$(BIN)/python -m tests.transport.faults

fuzz: $(READY) ## fuzz client, spec and mock: FUZZ_EXAMPLES=, FUZZ_SECONDS=, FUZZ_SEED=
	@$(BIN)/python -m scripts.run_fuzz

fuzz-proof: $(READY) ## plant bugs one at a time, show that `make fuzz` finds each, write docs/evidence/fuzz-proof.md
	@$(BIN)/python -m tests.fuzz_proof

mutants: $(MORE) ## let mutmut edit client and mock, SAMPLE= times, and write docs/evidence/mutants.md
	@$(BIN)/python -m tests.fuzz_proof.mutants $(SAMPLE)

bench-scale: $(READY) ## time generation and import for contracts of 10, 100 and 1,000 operations
	@$(BIN)/python benchmarks/scale.py

bench: $(READY) ## measure what a purchase costs, write docs/evidence/benchmarks.md: QUICK=1 for a first look
	@$(BIN)/python benchmarks $(if $(QUICK),--quick)

mock: $(READY) ## serve the mock on http://127.0.0.1:8000 until Ctrl-C
	@$(BIN)/python -m signalwire_compat_mock $(if $(FORGETFUL),--forgetful)

generate: $(READY) ## rebuild generated/ from openapi.yaml and templates/, or leave it as it was
	@$(BIN)/python -m codegen.generate --spec "$(SPEC)" --output "$(OUT)"

check-generated: $(READY) ## fail if generated/ differs from what `make generate` writes
	@rm -rf .build/generated && mkdir -p .build
	@$(MAKE) --no-print-directory generate OUT=.build/generated/$(PKG)
	@find generated -name __pycache__ -type d -prune -exec rm -rf {} +
	@find generated -type d -empty -delete
	@diff -ru -x __pycache__ -x '.new-*' generated .build/generated || { \
	  $(BIN)/python -m codegen.stamp $(OUT) .build/generated/$(PKG); \
	  echo "Run 'make generate' and commit the result; edits by hand belong into the templates." >&2; \
	  exit 1; }

try-generator: $(READY) ## say what openapi-python-client of VERSION would change here, and if it works
	@$(BIN)/python -m scripts.try_generator "$(VERSION)"

diff: $(READY) ## say what changed for callers since BASE (the last release, or main), and the version it asks for
	@$(BIN)/python -m contract_diff --base "$(BASE)"

release: $(READY) ## bump to VERSION, draft what changed since BASE, regenerate, run the gate and build
	@$(BIN)/python -m scripts.release "$(VERSION)" "$(BASE)"
	@$(MAKE) --no-print-directory generate $(GATE) build || { \
	  echo "$(VERSION) is not ready, and nothing is committed. It stands in both pyproject.toml," \
	    "CHANGELOG.md and generated/. To go on, mend what is said above, run 'make generate' and this" \
	    "again: the entry in the changelog stays. To go back, take the version out of these three files" \
	    "and run 'make generate'." >&2; exit 1; }
	@echo "$(VERSION) is ready. Look at CHANGELOG.md, then commit and tag: v$(VERSION)"

lint: $(READY) ## check the spec, the style of the code and the YAML
	@$(BIN)/python -m codegen.check openapi.yaml
	@$(BIN)/yamllint --strict openapi.yaml generator-config.yml .github .pre-commit-config.yaml
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --diff

hooks: $(MORE) ## let git lint and type-check each commit as it is made
	@$(BIN)/pre-commit install

format: $(READY) ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

typecheck: $(READY) ## check types with mypy --strict, generated code included
	@$(BIN)/mypy

docs: $(MORE) ## build the reference site into .build/docs/site, every link checked
	@$(BIN)/python -m scripts.build_docs

build: $(READY) ## build and check wheel and sdist of client and mock, into dist/
	@rm -rf dist
	@for project in . mock_server; do \
	  $(BIN)/python -m build --no-isolation --outdir dist $$project >.build.log 2>&1 \
	    || { cat .build.log >&2; exit 1; }; done; rm -f .build.log
	@$(BIN)/twine --no-color check --strict dist/*
	@$(BIN)/check-wheel-contents dist/*.whl

test-package: $(MORE) build ## install what `make build` gave into an empty environment, and use it there
	@$(BIN)/pytest tests/release/installed.py --quiet

lock: $(READY) ## resolve the lock files anew, from releases a week old or older
	@$(RESOLVE) pyproject.toml mock_server/pyproject.toml --output-file requirements-dev.lock \
	  --group generate --group test --group lint --group build --group examples
	@$(RESOLVE) pyproject.toml --constraint requirements-dev.lock --output-file requirements-more.lock \
	  --group browser --group docs --group hooks --group mutants --group package

ci: check-generated lint typecheck diff test fuzz test-package test-browser docs ## everything that must pass before a merge

clean: ## remove what the targets made, generated/ excepted
	@rm -rf .venv .build dist reports .hypothesis .schemathesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install demo test faults fuzz fuzz-proof mutants bench-scale mock generate check-generated diff release lint format typecheck build lock ci bench try-generator test-package test-browser docs hooks clean
