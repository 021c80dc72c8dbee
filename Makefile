# make run    bring what is missing, start the database, make the sample city once, serve http://127.0.0.1:8080
# make test   the same, then every test
.PHONY: run test check bench clean

# Where it is set, every process would compile the whole program again: half of a start.
unexport PYTHONDONTWRITEBYTECODE

run:
	@scripts/bootstrap.sh run
	@exec .venv/bin/citymap up

test:
	@scripts/bootstrap.sh test
# One process more than there are cores: half of the tests' time is waiting.
	@exec .venv/bin/pytest -n $$(( $$(nproc) + 1 )) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check:
	@scripts/bootstrap.sh check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/citymap config schema --check

bench:
	@scripts/bootstrap.sh test
	@exec .venv/bin/python -m benchmarks

# What can be made again. The database (var/postgres) and imported files stay.
clean:
	rm -rf .venv geoserver/web/node_modules tests/npm/node_modules var/stamps var/uv var/uv-pip var/node var/apt var/log var/test-postgres
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
