# make run    set up .venv from the lock and run the default workflow
# make test   set up .venv and run every check and test
# make test-slurm  run the workflow on a Slurm of one node (root; Debian's slurm-wlm and munge), or say why not
# make bench  run the programs that measure speed
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

.PHONY: setup run test test-slurm bench schema clean

setup: $(READY)

$(READY): envs/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "error: the lock file is for Python 3.11, with which oddjet is tested; give one: make PYTHON=python3.11")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement envs/requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --editable .
	touch $@

run: $(READY)
	snakemake --cores $(CORES)

test: $(READY)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile rules
	snakemake --lint
	pytest --numprocesses 2

test-slurm: $(READY)
	pytest -m slurm tests/slurm

bench: $(READY)
	for program in benchmarks/*.py; do python $$program || exit 1; done

schema: $(READY)
	python -m oddjet.config > config/config.schema.json

# The folder itself stays, which may be a link to another disk, and so does its README.
clean:
	@if [ "$(SURE)" != yes ]; then \
	  printf 'This removes all results in %s, trained models among them. Type yes to go on: ' "$$(readlink -f results)"; \
	  read -r answer || true; [ "$$answer" = yes ] || { echo "Nothing was removed."; exit 1; }; \
	fi
	find results/ -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake
