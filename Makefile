# Everything a newcomer needs: `make demo`, then `make test`. Both set themselves up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One more than there are cores: some tests wait for real processes.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
READY := $(VENV)/.ready-$(shell cksum < requirements.lock | cut -d' ' -f1)
CLIENTS := build/clients
PATRONI := build/patroni
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.13 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --upgrade

.PHONY: demo test test-postgres quick coverage check format replay soak chaos bench wheel clients patroni lock clean

demo: $(READY)  ## daemon, simulator and console together, with callers ringing; Ctrl-C ends it
	@exec $(BIN)/missedd demo $(DEMO)

test: $(READY)  ## the test suite, scenarios and real processes included, on every core; `make soak` has the rest
	@test -e $(CLIENTS)/.ready || \
		echo "make test: no $(CLIENTS): clients of Exotel that others wrote are not tried against the simulator (make clients)"
	@$(BIN)/pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal -m "not soak and not cluster and not postgresql" $(PYTEST)

test-postgres: $(READY)  ## what needs a PostgreSQL server, on one that the tests start themselves
	@MISSEDD_POSTGRESQL=required $(BIN)/pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal -m "postgresql and not soak" $(PYTEST)

quick: $(READY)  ## the tests without real processes, browser and slow ones: under a minute, while you write code
	@$(BIN)/pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal -m "not real and not browser and not slow and not soak and not cluster and not postgresql" $(PYTEST)

coverage: $(READY)  ## which lines the tests run, and what kind of lines they do not run: some minutes
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/coverage run -m pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal -m "not soak and not cluster" $(PYTEST)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage json -q -o build/coverage/report.json
	@$(BIN)/python -m tests.coverage_kinds build/coverage/report.json

check: $(READY)  ## format, lint, types, import rules: under 40 seconds
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(READY)  ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

replay: $(READY)  ## every scenario, in virtual time
	@$(BIN)/missedd-sim replay scenarios/*.toml --junit build/replay.xml

soak: $(READY)  ## many drawn runs, crashes in every scenario, mistakes planted on purpose: some minutes
	@$(BIN)/pytest -q -n $(WORKERS) --maxprocesses 8 --dist worksteal -m soak
	@$(BIN)/missedd-sim fuzz --seeds 60
	@$(BIN)/missedd-sim sweep scenarios/*.toml --sample 4

chaos: $(READY) $(PATRONI)/.ready  ## three nodes on a PostgreSQL cluster, one fault after the other, while people call
	@$(BIN)/python -m tests.chaos $(CHAOS)

bench: $(READY)  ## how fast it is, beside what it is compared with; uses wrk where there is one
	@$(BIN)/python -m bench $(BENCH)

wheel: $(READY)  ## dist/: what a server is given, the wheel and the pinned packages it needs (docs/install.md)
	@$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w dist .
	@cp requirements-runtime.lock dist && ls dist/*

patroni: $(PATRONI)/.ready  ## Patroni from the package index, for the tests of a PostgreSQL cluster

clients: $(CLIENTS)/.ready  ## clients of Exotel from the package index, in an environment of their own, for `make test`

lock: $(READY)  ## renew the lock files from the ranges in pyproject.toml, and what `make clients` installs
	@$(BIN)/python -m pip install -q uv
	@$(COMPILE) --extra sim --group dev --group bench pyproject.toml -o requirements.lock
	@$(COMPILE) --constraints requirements.lock pyproject.toml -o requirements-runtime.lock
	@printf 'exotel\nexotelpy\npyexotel\n' | $(COMPILE) - -o tests/clients/requirements.txt
	@echo setuptools | $(COMPILE) - -o tests/clients/build.txt
	@printf 'patroni[etcd3]>=4.1\npsycopg[binary]\n' | \
		$(subst --python-version 3.13,--python-version 3.11,$(COMPILE)) - -o tests/cluster/requirements.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 13))' || \
		{ echo "missedd needs Python 3.13 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.13"; exit 1; }
	@echo "setting up $(VENV) (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.ready-* && touch $@

# One of them comes as source only: what builds it is installed first, and from its own list.
$(CLIENTS)/.ready: tests/clients/build.txt tests/clients/requirements.txt
	@echo "setting up $(CLIENTS) (once)"
	@rm -rf $(CLIENTS) && $(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r tests/clients/build.txt
	@$(CLIENTS)/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation --require-hashes \
		-r tests/clients/requirements.txt
	@touch $@

# For the system's own Python: the server's user may not be allowed to run another one.
$(PATRONI)/.ready: tests/cluster/requirements.txt | $(READY)
	@echo "setting up $(PATRONI) (once)"
	@rm -rf $(PATRONI)
	@$(BIN)/python -m pip --python /usr/bin/python3 install -q --disable-pip-version-check --require-hashes \
		--target $(PATRONI) -r tests/cluster/requirements.txt
	@touch $@
