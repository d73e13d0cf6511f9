PYTHON ?= python3
VENV := .venv

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@

.PHONY: test lint
test: $(VENV)/installed ## set up and run the tests
	$(VENV)/bin/python -m pytest

lint: $(VENV)/installed ## what CI checks beside the tests
	$(VENV)/bin/ruff check streams schemas
