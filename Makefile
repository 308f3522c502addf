# make demo and make test set everything up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt

.PHONY: demo test pytest lint bench soak clean

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[dev]'
	touch $@

demo: $(VENV)/.ready  ## tag the sample reports with the shipped model
	mkdir -p out
	# Exit code 3 says that some samples were set aside, as they are meant to be.
	$(BIN)/textclass tag corpus/samples -o out/samples.jsonl --report out/samples.html --table --fresh || test $$? -eq 3
	$(BIN)/textclass predict "The government flew a field hospital and forty surgeons to the quake zone, and stayed to train local nurses."

test: $(VENV)/.ready  ## lint, check types, run the tests
	$(MAKE) --jobs 2 lint pytest

pytest: $(VENV)/.ready
	$(BIN)/pytest --numprocesses auto --dist worksteal

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready  ## compare speed with peers, side by side
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[bench]'
	$(BIN)/python -m benchmarks

soak: $(VENV)/.ready  ## 1,000 kills, 3,000 documents, 1,000 mutated files a format
	TEXTCLASS_KILLS=500 $(BIN)/pytest tests/batch/test_killed.py tests/batch/test_acceptance.py -m "slow or not slow"
	TEXTCLASS_FUZZ=1000 $(BIN)/pytest tests/documents/test_fuzz.py

clean:
	rm -rf $(VENV) out dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
