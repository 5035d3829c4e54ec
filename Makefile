# Every chore of the repository. `make` lists them.
SHELL := /bin/bash
PYTHON := .venv/bin/python
SOURCES := mgrd model services pipelines benchmarks tests tools

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test test-vllm lint format base bench descriptors findings stubs images cluster-test locks clean

help:  ## List these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup:  ## Check this machine and set up .venv from the lock
	@tools/setup.sh

demo: setup  ## The main job from end to end, with progress and results
	@.venv/bin/mgrd demo

up: setup  ## Start the platform (then: .venv/bin/mgrd --help)
	@.venv/bin/mgrd up

down: setup  ## Stop the platform
	@.venv/bin/mgrd down

test: setup  ## Every test that needs no cluster and no GPU
	@$(PYTHON) -m pytest -q -m "not slow" --durations=15

test-vllm: setup  ## The tests of stock vLLM as the engine, in an environment of its own (.venv-vllm, 6 GB)
	@tools/vllm_setup.sh
	@OMP_NUM_THREADS=1 VLLM_CPU_KVCACHE_SPACE=1 .venv-vllm/bin/python -m pytest -q -k vllm tests/contract/test_engine_contract.py

lint: setup  ## Style, types, stubs and protos
	@$(PYTHON) -m ruff check $(wildcard $(SOURCES))
	@$(PYTHON) -m mypy $(wildcard mgrd model services pipelines benchmarks)
	@tools/generate_stubs.sh --check
	@tools/lint_protos.sh

format: setup  ## Format the sources
	@$(PYTHON) -m ruff format $(wildcard $(SOURCES))
	@$(PYTHON) -m ruff check --fix-only -q $(wildcard $(SOURCES))

base: setup  ## Train the nano base checkpoint (hours)
	@$(PYTHON) -m model.base

bench: setup  ## Measure, and write benchmarks/RESULTS.md
	@tools/bench_setup.sh
	@$(PYTHON) -m benchmarks

findings: setup  ## The findings page; with BASE=FOLDER SEED=N that cell is run first (hours, resumable)
	@$(PYTHON) -m model.evaluation.findings $(if $(BASE),--base $(BASE)) $(if $(SEED),--seed $(SEED)) $(if $(SIZES),--sizes $(SIZES))

descriptors: setup  ## Measure hearing, and write benchmarks/DESCRIPTORS.md
	@$(PYTHON) -m benchmarks.bench_descriptors

stubs: setup  ## Generate the stubs of protos/ again
	@tools/generate_stubs.sh

images: setup  ## Build the images, with Docker or without, and load them into the cluster of KUBECONFIG
	@$(PYTHON) -m tools.images

cluster-test: setup  ## The chart on the cluster of KUBECONFIG: install, main job, killed pods, upgrade; writes its report
	@$(PYTHON) -m tests.cluster

locks:  ## Lock the dependencies of the tree and of each image again (needs uv)
	@tools/locks.sh

clean:  ## Stop the platform and remove its folder, with all its state
	@if [ -x .venv/bin/mgrd ]; then .venv/bin/mgrd down; fi
	@rm -rf .mgrd .pytest_cache .mypy_cache .ruff_cache .hypothesis
