# make demo | make test: nothing else is needed on a machine with Python 3.11-3.13 and make.
# PIP_INSTALL_ARGS goes to pip as it is, e.g. an extra index that holds a CPU build of torch.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL_ARGS ?=
DEMO ?= demo
DEMO_ARGS ?=
STAMP := $(VENV)/.stamp-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)

.PHONY: demo test lint everyday torch crash base bench clean

# torch first and exactly: a range would let another package's needs pull another build
$(STAMP):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_INSTALL_ARGS) torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_INSTALL_ARGS) -c constraints.txt -e '.[media,train,postgres,dev]'
	rm -f $(VENV)/.stamp-*
	touch $@

demo: $(STAMP)
	$(BIN)/fairframe demo $(DEMO) $(DEMO_ARGS)

test: lint everyday torch crash

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

everyday: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not torch and not crash"

torch: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "torch and not crash"

crash: $(STAMP)
	FAIRFRAME_CRASH_ROUNDS=$${FAIRFRAME_CRASH_ROUNDS:-3} OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m crash

base: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m fairframe.training.base --out work/base-64

bench: $(STAMP)
	for script in bench/*.py; do OMP_NUM_THREADS=1 $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info src/*.egg-info
