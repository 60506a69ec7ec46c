# make demo | make test: nothing else is needed on a machine with Python 3.11-3.13 and make.
# PIP_INSTALL_ARGS goes to pip as it is, e.g. an extra index that holds a CPU build of torch.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL_ARGS ?=
DEMO ?= demo
DEMO_ARGS ?=
SCENES := $(VENV)-scenedetect
STAMP := $(VENV)/.stamp-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)

.PHONY: demo test lint everyday torch crash base bench verifier clean

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
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "torch and not crash"

crash: $(STAMP)
	FAIRFRAME_CRASH_ROUNDS=$${FAIRFRAME_CRASH_ROUNDS:-3} OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m crash

# the standalone verifier as one file; standard library only, the same bytes from the same source
verifier:
	$(PYTHON) scripts/build_verifier.py dist/fairframe-verify.pyz

base: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m fairframe.training.base --out work/base-64

# PySceneDetect, which bench/decode.py is compared with, wants another build of OpenCV: it gets an environment of its own
$(SCENES)/.stamp:
	$(PYTHON) -m venv $(SCENES)
	$(SCENES)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_INSTALL_ARGS) --no-deps scenedetect==0.7.2
	$(SCENES)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_INSTALL_ARGS) -c constraints.txt \
		opencv-python-headless numpy click platformdirs tqdm
	touch $@

# every script states its claims as JSON lines; all run, and one that does not hold fails the whole
bench: $(STAMP) $(SCENES)/.stamp
	export FAIRFRAME_SCENEDETECT=$(SCENES)/bin/python OMP_NUM_THREADS=1; failed=0; \
	for script in bench/[a-z]*.py; do echo $$script >&2; $(BIN)/python $$script || failed=1; done; exit $$failed

clean:
	rm -rf $(VENV) $(SCENES) build dist *.egg-info src/*.egg-info
