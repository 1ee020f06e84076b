.DEFAULT_GOAL := help
PYTHON ?= python3
PKG := signalwire_compat
SPEC ?= openapi.yaml
OUT ?= generated/$(PKG)
CONFIG ?= generator-config.yml
# What a release must pass before it is built.
GATE ?= ci
BIN := .venv/bin
LOCKED := .venv/.locked
READY := .venv/.ready
MORE := .venv/.more
# The tests mostly wait for servers that are slow on purpose: two processes for each core.
WORKERS := $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))
RESOLVE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-emit-index-url --no-header --exclude-newer "$$($(BIN)/python -c \
  'import datetime as d; print(d.date.today() - d.timedelta(days=7))')"
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without bytecode files every test process compiles the tests and their plugins again.
unexport PYTHONDONTWRITEBYTECODE
export FUZZ_EXAMPLES FUZZ_ONLY FUZZ_SECONDS FUZZ_SEED

$(LOCKED): requirements-dev.lock
	@command -v $(PYTHON) >/dev/null || { \
	  echo "'$(PYTHON)' is not installed. Install Python 3.11 or later, or name one:" \
	    "make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
	    "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv from requirements-dev.lock: about a minute, only once."
	@$(PYTHON) -m venv --clear .venv || { \
	  echo "'$(PYTHON) -m venv' failed. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install -qq --require-hashes --requirement requirements-dev.lock
	@touch $@

$(READY): $(LOCKED) pyproject.toml mock_server/pyproject.toml fuzzer/pyproject.toml
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --editable . --editable mock_server \
	  --editable fuzzer
	@touch $@

$(MORE): $(READY) requirements-more.lock
	@echo "Adding the tools of requirements-more.lock to .venv: only once."
	@$(BIN)/python -m pip install -qq --require-hashes --requirement requirements-more.lock
	@touch $@

##@ Start here
help: ## list the targets
	@awk -F ':.*## ' '/^##@ / {print sep substr($$0, 5); sep = "\n"} \
	  /^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## set up .venv from the lock file

demo: $(READY) ## find, buy and release a number of the mock server
	@$(BIN)/python examples/demo.py

mock: $(READY) ## serve the mock on http://127.0.0.1:8000 until Ctrl-C
	@$(BIN)/python -m signalwire_compat_mock $(if $(FORGETFUL),--forgetful --allow-import)

hooks: $(MORE) ## let git check each commit: ruff and check-generated, a few seconds
	@$(BIN)/pre-commit install

clean: ## remove what the targets made, except generated/
	@rm -rf .venv .build dist reports .hypothesis .schemathesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Every change
test: $(READY) ## run the tests: every promise, but one of each kind of slow test
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --quiet -m "not slow"

test-all: $(READY) ## run every test, also the slow ones
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --quiet

lint: $(READY) ## check openapi.yaml, the style of the code, the YAML files and the workflows
	@$(BIN)/python -m codegen.validate openapi.yaml
	@$(BIN)/yamllint --strict openapi.yaml generator-config.yml .github .pre-commit-config.yaml
	@$(BIN)/jactionlint --no-online --shellcheck= --pyflakes= .github/workflows/*.yml
	@found=$$($(BIN)/zizmor --offline --quiet --persona pedantic .github) || { echo "$$found" >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --diff

format: $(READY) ## format the code and fix what ruff can fix
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

typecheck: $(READY) ## check types with mypy --strict, generated code included
	@$(BIN)/mypy

ci: check-generated lint typecheck diff test-all fuzz test-package test-browser docs ## run everything that must pass before a merge

##@ The contract and the package
generate: $(READY) ## rebuild generated/ from openapi.yaml, codegen/ and runtime/
	@$(BIN)/python -m codegen.generate --spec "$(SPEC)" --output "$(OUT)" --config "$(CONFIG)" \
	  --report reports/generate.md

try: $(READY) ## generate from SPEC into a temporary folder, and call every operation of its mock
	@$(BIN)/python -m scripts.try_document "$(SPEC)" "$(CONFIG)"

check-generated: $(READY) ## fail if generated/ differs from what `make generate` writes
	@rm -rf .build/generated && mkdir -p .build
	@$(MAKE) --no-print-directory generate OUT=.build/generated/$(PKG)
	@find generated -name __pycache__ -type d -prune -exec rm -rf {} +
	@find generated -type d -empty -delete
	@diff -ru -x __pycache__ -x '.new-*' generated .build/generated || { \
	  $(BIN)/python -m codegen.stamp $(OUT) .build/generated/$(PKG); \
	  echo "Run 'make generate' and commit the result; edit runtime/ or codegen/, not generated/." >&2; \
	  exit 1; }

diff: $(READY) ## say what changed for callers since BASE= (default: the last release, else main)
	@$(BIN)/python -m contract_diff --base "$(BASE)"

##@ Evidence: written to docs/evidence/ or reports/
fuzz: $(READY) ## fuzz client, contract and mock: FUZZ_EXAMPLES=, FUZZ_SECONDS=, FUZZ_SEED=, SPEC=
ifeq ($(SPEC),openapi.yaml)
	@$(BIN)/signalwire-compat-fuzz
else
	@$(BIN)/python -m codegen.generate --spec "$(SPEC)" --output .build/fuzz/$(PKG)
	@cd .build/fuzz && $(abspath $(BIN))/signalwire-compat-fuzz --spec "$(abspath $(SPEC))" --client $(PKG)
endif

faults: $(READY) ## play every network fault against both clients, write reliability.md
	@$(BIN)/python -m tests.transport.faults

soak: $(READY) ## buy from 50 tasks and 8 threads while a server fails at random: SOAK_SECONDS= (60)
	@$(BIN)/python -m tests.transport.soak $(SOAK_SECONDS)

looking: $(READY) ## lose replies to purchases at random and judge what the client finds: PURCHASES= (10000)
	@$(BIN)/python -m tests.transport.looking $(PURCHASES)

fuzz-proof: $(READY) ## plant bugs one at a time, show that fuzzing finds each, write fuzz-proof.md
	@$(BIN)/python -m tests.fuzz_proof

mutants: $(MORE) ## let mutmut edit client and mock (SAMPLE=, SEED=), write mutants.md
	@$(BIN)/python -m tests.fuzz_proof.mutants $(or $(SAMPLE),80) $(SEED)

bench: $(READY) ## measure what a call costs, write benchmarks.md; QUICK=1 for a first look
	@$(BIN)/python benchmarks $(if $(QUICK),--quick)

##@ Release
build: $(READY) ## build and check the wheels and sdists of client, mock and fuzzer, into dist/
	@rm -rf dist
	@for project in . mock_server fuzzer; do \
	  $(BIN)/python -m build --no-isolation --outdir dist $$project >.build.log 2>&1 \
	    || { cat .build.log >&2; exit 1; }; done; rm -f .build.log
	@$(BIN)/twine --no-color check --strict dist/*
	@$(BIN)/check-wheel-contents dist/*.whl

test-package: $(MORE) build ## install the built packages into an empty environment and use them there
	@$(BIN)/pytest tests/release/installed.py --quiet

test-browser: $(MORE) ## use the pages of the mock in a headless Chromium
	@$(BIN)/pytest tests/mock/browser.py --quiet

docs: $(MORE) ## build the reference site into .build/docs/site and check every link
	@$(BIN)/python -m scripts.build_docs

release: $(READY) ## write VERSION= and its changelog draft, regenerate, run the gate, build
	@$(BIN)/python -m scripts.release "$(VERSION)" "$(BASE)"
	@$(MAKE) --no-print-directory generate $(GATE) build || { \
	  echo "$(VERSION) is not ready, and nothing is committed. The version is already in all" \
	    "pyproject.toml files, CHANGELOG.md and generated/. To go on, fix what is reported above, run" \
	    "'make generate', then this command again: the changelog entry is kept. To go back, take the" \
	    "version out of these files and run 'make generate'." >&2; exit 1; }
	@echo "$(VERSION) is ready. Look at CHANGELOG.md, then commit and tag: v$(VERSION)"

lock: $(READY) ## resolve the lock files again, from releases at least a week old
	@$(RESOLVE) pyproject.toml mock_server/pyproject.toml fuzzer/pyproject.toml --output-file requirements-dev.lock \
	  --group generate --group test --group lint --group build --group examples
	@$(RESOLVE) pyproject.toml --constraint requirements-dev.lock --output-file requirements-more.lock \
	  --group browser --group docs --group hooks --group mutants --group package

swagger-ui: ## take the files of the explorer from the npm package swagger-ui-dist: VERSION=
	@rm -rf .build/npm && mkdir -p .build/npm
	@npm pack --silent --pack-destination .build/npm "swagger-ui-dist@$(VERSION)"
	@tar -xzf .build/npm/*.tgz -C mock_server/signalwire_compat_mock/pages/swagger-ui \
	  --strip-components 1 --no-same-permissions $(addprefix package/,LICENSE NOTICE package.json \
	  swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt)

.PHONY: help install demo mock hooks clean test test-all lint format typecheck ci generate try check-generated \
  diff fuzz faults soak looking fuzz-proof mutants bench build test-package test-browser docs release lock \
  swagger-ui
