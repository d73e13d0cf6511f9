# The few verbs that a person needs. `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two processes share the tests, the longest first; plain `pytest` runs them one after the other.
IN_PARALLEL := -n 2 --dist worksteal
LOCK := $(BIN)/uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-kafka lint format bench bench-warehouse docs digest package lock

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

run: $(VENV)/installed ## set up and run the demo
	$(BIN)/loanpulse demo

test: $(VENV)/installed ## set up and run all tests
	$(BIN)/python -m pytest $(IN_PARALLEL)

test-fast: $(VENV)/installed ## the tests that need no broker and no warehouse
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not integration and not demo and not kafka"

test-kafka: $(VENV)/installed ## the integration tests against Apache Kafka (needs Java and Maven)
	LOANPULSE_TEST_BROKER=kafka $(BIN)/python -m pytest -m "integration or kafka" tests

lint: $(VENV)/installed ## what CI checks beside the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd src && ../$(BIN)/mypy -p loanpulse
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict docker-compose.yml deploy .github .pre-commit-config.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yaml
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/check_words.py

format: $(VENV)/installed ## put the code into the form that lint asks for
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/installed ## measure; prints a table, writes benchmarks/results/ and docs/speed.md
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.replay
	$(BIN)/python docs/generate.py

bench-warehouse: $(VENV)/installed ## measure the warehouse: ways in, and the documented queries on 50 million scorings
	$(BIN)/python -m benchmarks.warehouse

docs: $(VENV)/installed ## write the generated references anew
	$(BIN)/python docs/generate.py

digest: $(VENV)/installed ## replay a small city and the stories; fails if a byte differs from the recorded digest
	$(BIN)/python -m benchmarks.digest

package: $(VENV)/installed ## build the sdist, and the wheel from it, into dist/
	$(BIN)/python -m build --no-isolation --outdir dist .

lock: $(VENV)/installed ## renew both lock files: of development, and the hashed one of deploy/Dockerfile
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) --extra trainer --extra loader --extra report --constraint requirements.lock --generate-hashes \
		pyproject.toml -o requirements-production.lock
