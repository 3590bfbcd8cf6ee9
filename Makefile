# make run    set up .venv from the lock, check the configuration and run the default workflow, or that of CONFIG=FILE
# make check  set up .venv and run the linters, mypy and the tests that run no workflow: for every commit
# make test   set up .venv and run every check and test
# make test-slurm  run the workflow on a Slurm of two nodes on this machine (root; Debian's slurm-wlm and munge), or say why not
# make test-htcondor  run the workflow on an HTCondor of one node (Debian 13's minicondor), or say why not; tests/debian.sh
#                     runs this and other targets in a bare Debian
# make docs   write the documentation as a site to site/
# make bench  run the programs that measure speed
# make lock   write envs/*.lock anew after a change of pyproject.toml (needs uv); UPGRADE=yes takes the newest versions
# make clean  remove all results, after a question; make clean SURE=yes does not ask
VENV := .venv
PYTHON ?= python3
CORES ?= all
READY := $(VENV)/.ready
# What the programs find first: the environment of this folder.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# And nothing of an experiment's software or of the user's own packages.
unexport PYTHONPATH PYTHONHOME
export PYTHONNOUSERSITE := 1

.PHONY: setup run check test test-slurm test-htcondor docs bench schema lock clean

setup: $(READY)

# torch comes in two builds: for processors alone (from TORCH_INDEX, 0.2 GB), or with CUDA (from PyPI, 3 GB), which also runs
# without a GPU and stands in where the other cannot be had.
TORCH ?= $(if $(shell nvidia-smi -L 2>/dev/null),cuda,cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH_VERSION := $(shell sed -n 's/^torch==\([^ ]*\).*/\1/p' envs/torch-cuda.lock 2>/dev/null)
# uv is faster where there is one; pip comes with Python. Like pip, it shall trust the certificates of the system.
export UV_SYSTEM_CERTS := true
export UV_NATIVE_TLS := true
UV := $(shell command -v uv 2>/dev/null)
INSTALL := $(if $(UV),uv pip install --compile-bytecode --python $(VENV)/bin/python,$(VENV)/bin/pip install) --quiet --no-deps

$(READY): envs/requirements.lock envs/torch-cuda.lock pyproject.toml
	@$(PYTHON) envs/check_python.py
	@echo "Installing the packages of envs/*.lock in $(VENV) with $(if $(UV),uv,pip): 0.6 GB to download, with torch for CUDA 3.5 GB."
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --requirement envs/requirements.lock
	$(VENV)/bin/python -c 'import sys; from importlib.metadata import version; sys.exit(version("torch").split("+")[0] != "$(TORCH_VERSION)")' 2>/dev/null \
	  || { [ $(TORCH) = cpu ] && $(INSTALL) $(if $(UV),,--retries 1) --extra-index-url $(TORCH_INDEX) "torch==$(TORCH_VERSION)+cpu"; } \
	  || $(INSTALL) --require-hashes --requirement envs/torch-cuda.lock
	$(INSTALL) --editable .
	touch $@

run: $(READY)
	@python -m oddjet.cli.main check $(or $(CONFIG),config/config.yaml)
	@cache="$${XDG_CACHE_HOME:-$$HOME/.cache}"; \
	if ! { mkdir -p "$$cache" && [ -w "$$cache" ]; } 2>/dev/null; then \
	  echo "$$cache cannot be written, so caches are kept in $(CURDIR)/.snakemake/caches"; \
	  export XDG_CACHE_HOME="$(CURDIR)/.snakemake/caches"; \
	fi; \
	snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))

check: $(READY)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile rules
	pytest --numprocesses 2 -m "not slow" tests/unit tests/property

test: $(READY)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile rules
	snakemake --lint
	pytest --numprocesses 2

test-slurm: $(READY)
	pytest -m slurm tests/slurm

# The plugin brings the client of HTCondor, which no lock has.
test-htcondor: $(READY)
	python -c 'import snakemake_executor_plugin_htcondor' 2> /dev/null || $(VENV)/bin/pip install --quiet --editable '.[htcondor]'
	pytest -m htcondor tests/htcondor

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

bench: $(READY)
	python benchmarks/table.py

schema: $(READY)
	python -m oddjet.config > config/config.schema.json

lock:
	$(PYTHON) envs/make_locks.py $(if $(UPGRADE),--upgrade)

# The folder itself stays, which may be a link to another disk, and so does its README.
clean:
	@if [ "$(SURE)" != yes ]; then \
	  printf 'This removes all results in %s, trained models among them. Type yes to go on: ' "$$(readlink -f results)"; \
	  read -r answer || true; [ "$$answer" = yes ] || { echo "Nothing was removed."; exit 1; }; \
	fi
	find results/ -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake
