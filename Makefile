# Every target does its own set-up in a fresh clone, in folders named .venv*, and is quick the second time.
# PYTHON chooses the interpreter of a new .venv, VENV another folder beside it: make test PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= python3
VENV ?= .venv
MINIMAL := $(VENV)-minimal
CHECKED := $(VENV)-checked
SANITIZED := $(VENV)-sanitized
RACED := $(VENV)-raced
WATCHED := $(VENV)-watched
OLDEST := $(VENV)-oldest
COVERED := $(VENV)-covered
FREE := $(VENV)-free-threaded
BUILDING := $(VENV)-building
SHIPPED := $(VENV)-shipped
BIN := $(CURDIR)/$(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
comma := ,
KERNELS := $(patsubst _core/%.pyx,ridgeline._core.%,$(wildcard _core/*.pyx))
SOURCES := $(wildcard _core/* src/ridgeline/* src/ridgeline/*/*)

# Meson writes the absolute path of CYTHON into its build files, so that a later rebuild on import needs no PATH.
export CYTHON := $(BIN)/cython
export PATH := $(BIN):$(PATH)
# mypy's own command line for what a stranger's project would see
USER_MYPY := MYPYPATH= $(BIN)/mypy --config-file= --strict --python-executable $(MINIMAL)/bin/python

ISA_TESTS := tests/core tests/solvers/test_few_rows.py tests/solvers/test_few_labels.py tests/solvers/test_coordinate_descent.py \
    tests/solvers/test_lbfgs.py tests/test_activations.py tests/test_kernels.py tests/test_losses.py tests/test_pieces.py

KERNEL_TESTS := $(ISA_TESTS) tests/test_expansion.py tests/test_moments.py tests/test_sparse.py

# Those that run kernels in several threads at once.
THREAD_TESTS := tests/test_threads.py tests/test_moments.py tests/test_expansion.py tests/test_fold_moments.py tests/test_sparse.py tests/test_many.py \
    tests/attack/test_concurrency.py

# Those of kernels that are quick enough for a processor fifty times slower.
VALGRIND_TESTS := $(filter-out tests/core/test_lengths.py tests/core/test_scalar_functions.py,$(wildcard tests/core/test_*.py)) tests/test_pieces.py

.PHONY: demo test test-slow test-exhaustive test-swapped test-isa test-minimal test-oldest test-free-threaded attack attack-long coverage \
    coverage-kernels faults checked sanitize sanitize-threads valgrind lint types docs bench dist test-dist clean

# An editable install without build isolation: importing ridgeline rebuilds whatever kernel source changed.
$(VENV)/installed: pyproject.toml meson.build constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt meson-python meson ninja cython numpy scipy
	$(PIP) install --constraint constraints.txt --no-build-isolation --editable ".[test,demo]"
	touch $@

$(VENV)/tools: $(VENV)/installed
	$(PIP) install --constraint constraints.txt ruff cython-lint mypy
	touch $@

# The wheel a user would get, with nothing beside it but the run-time dependencies and pytest, at today's versions.
$(MINIMAL)/installed: $(VENV)/installed $(SOURCES)
	test -x $(MINIMAL)/bin/python || $(BIN)/python -m venv $(MINIMAL)
	rm -rf $(MINIMAL)/wheel
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir $(MINIMAL)/wheel .
	$(MINIMAL)/bin/python -m pip --quiet --disable-pip-version-check install numpy scipy pytest
	$(MINIMAL)/bin/python -m pip --quiet --disable-pip-version-check install --force-reinstall --no-deps $(MINIMAL)/wheel/*.whl
	$(MINIMAL)/bin/python -m pip --disable-pip-version-check check
	touch $@

demo: $(VENV)/installed
	$(BIN)/python -m bench.demo --output demo-output

test: $(VENV)/installed
	$(BIN)/python -m pytest

test-slow: $(VENV)/installed
	$(BIN)/python -m pytest -m slow -n 2 --durations 10
	$(BIN)/python -m pytest -n 2 --hypothesis-profile deep tests/test_moments_properties.py

test-exhaustive: $(VENV)/installed
	$(BIN)/python -m pytest -m exhaustive -n 2 --durations 10 --ignore tests/attack

# scikit-learn's own tests of its linear models, with ridgeline's classes in their place.
test-swapped: $(VENV)/installed
	$(BIN)/python -m tests.swapped -n 2

# The tests of the kernels in each instruction set that was compiled and runs here.
test-isa: $(VENV)/installed
	for isa in $$($(BIN)/python -c "from ridgeline.kernels import AVAILABLE; print(*AVAILABLE)"); do \
	    echo "RIDGELINE_ISA=$$isa"; RIDGELINE_ISA=$$isa $(BIN)/python -m pytest $(ISA_TESTS) || exit 1; \
	done

# From another folder and with -P, so that `ridgeline` can only be the installed wheel.
test-minimal: $(MINIMAL)/installed
	cd $(MINIMAL) && bin/python -P -c "import ridgeline, sys; sys.exit(not ridgeline.__file__.startswith(sys.prefix))"
	cd $(MINIMAL) && bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) $(CURDIR)/tests

# The wheel beside the oldest NumPy and SciPy that pyproject.toml allows.
test-oldest: $(MINIMAL)/installed
	test -x $(OLDEST)/bin/python || $(BIN)/python -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip --quiet --disable-pip-version-check install $$($(BIN)/python .ci/floors.py) pytest
	$(OLDEST)/bin/python -m pip --quiet --disable-pip-version-check install --force-reinstall --no-deps $(MINIMAL)/wheel/*.whl
	cd $(OLDEST) && bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) $(CURDIR)/tests

# An interpreter without the global lock: make test-free-threaded PYTHON=python3.13t.  NumPy and SciPy as pinned: later ones may have no wheel for
# it, and would be compiled.  Of the packages that the tests can use, the newest that is built for it.
$(FREE)/installed: $(SOURCES) pyproject.toml meson.build
	$(PYTHON) -c "import sys; sys.exit(None if 't' in sys.abiflags else 'PYTHON must be free-threaded, as python3.13t')"
	test -x $(FREE)/bin/python || $(PYTHON) -m venv $(FREE)
	$(FREE)/bin/python -m pip --quiet install --constraint constraints.txt meson-python meson ninja cython numpy scipy \
	    pytest pytest-timeout pytest-run-parallel
	for name in hypothesis mpmath gmpy2 scikit-learn pandas pyarrow narwhals joblib threadpoolctl pytest-xdist; do \
	    $(FREE)/bin/python -m pip --quiet install --only-binary :all: $$name || echo "without $$name"; \
	done
	rm -rf $(FREE)/wheel
	CYTHON=$(CURDIR)/$(FREE)/bin/cython PATH=$(CURDIR)/$(FREE)/bin:$$PATH \
	    $(FREE)/bin/python -m pip --quiet wheel --no-deps --no-build-isolation -Cbuild-dir=build/free-threaded --wheel-dir $(FREE)/wheel .
	$(FREE)/bin/python -m pip --quiet install --force-reinstall --no-deps $(FREE)/wheel/*.whl
	touch $@

# All tests; then those of kernels and estimators, each by four threads at once.
test-free-threaded: $(FREE)/installed
	cd $(FREE) && bin/python -P -m pytest --timeout 300 --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) $(CURDIR)/tests
	cd $(FREE) && bin/python -P -m pytest --timeout 300 --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) --parallel-threads 4 \
	    $(CURDIR)/tests/core $(CURDIR)/tests/estimators

# Every attack but the longest, which attack-long runs: a million mutations, an error at every line, every allocation refused.
attack: $(VENV)/installed
	$(BIN)/python -m pytest -m "not exhaustive" -n 2 --durations 10 tests/attack
	$(BIN)/python -m tests.attack.interrupts

attack-long: $(VENV)/installed
	$(BIN)/python -m pytest -m exhaustive -n 2 --durations 10 tests/attack

# Of the Python layer, lines and branches.  test_failures.py traces by itself, and both cannot; a fork may find a lock of coverage held, an
# interrupt at any moment strike coverage's own lines, and a limit on time is met.
coverage: $(VENV)/installed
	$(PIP) install --constraint constraints.txt "coverage>=7.10"   # the first to count what subprocesses run
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest --deselect tests/attack/test_failures.py \
	    --deselect tests/attack/test_concurrency.py::test_a_fork_in_the_middle_of_a_fit \
	    --deselect tests/test_threads.py::test_interrupts_at_any_moment_leave_nothing_locked \
	    --deselect tests/test_comparison.py::test_a_fit_over_the_limit_is_ended
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# A sample of single changes to the kernels, and whether their tests notice.  OPTIONS are those of tests.attack.faults.
faults: $(VENV)/installed
	$(BIN)/python -m tests.attack.faults $(OPTIONS)

# Other builds of the kernels, each in an environment of its own that borrows the packages of $(VENV) but not its editable ridgeline.
# Built again where a source has changed; Meson keeps what has not, in build/.
define build_beside
	$(PIP) install "pip>=23.1"   # the first to pass several settings of one name to a build
	test -x $(1)/bin/python || $(BIN)/python -m venv --without-pip $(1)
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > $$($(1)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/borrowed.pth
	$(PIP) --python $(1)/bin/python install --quiet --force-reinstall --no-deps --no-build-isolation $(2) .
	touch $(1)/installed
endef

$(CHECKED)/installed: $(VENV)/installed $(SOURCES) meson.options
	$(call build_beside,$(CHECKED),-Cbuild-dir=build/checked -Csetup-args=-Dchecked=true -Csetup-args=-Doptimization=1)

# One instruction set after another would only repeat the findings: the widest that runs here is what the tests then use.
$(SANITIZED)/installed: $(VENV)/installed $(SOURCES) meson.options
	$(call build_beside,$(SANITIZED),-Cbuild-dir=build/sanitized -Csetup-args=-Db_sanitize=address$(comma)undefined -Csetup-args=-Db_lundef=false \
	    -Csetup-args=-Doptimization=1 -Csetup-args=-Ddebug=true)

# The baseline alone: what threads share does not depend on the instruction set.
$(RACED)/installed: $(VENV)/installed $(SOURCES) meson.options
	$(call build_beside,$(RACED),-Cbuild-dir=build/raced -Csetup-args=-Db_sanitize=thread -Csetup-args=-Db_lundef=false \
	    -Csetup-args=-Dsets=[] -Csetup-args=-Doptimization=1 -Csetup-args=-Ddebug=true)

# Valgrind runs AVX2 and not AVX-512.
$(WATCHED)/installed: $(VENV)/installed $(SOURCES) meson.options
	$(call build_beside,$(WATCHED),-Cbuild-dir=build/watched -Csetup-args=-Dsets=avx2 -Csetup-args=-Doptimization=1 -Csetup-args=-Ddebug=true)

$(COVERED)/installed: $(VENV)/installed $(SOURCES) meson.options
	$(call build_beside,$(COVERED),-Cbuild-dir=build/covered -Csetup-args=-Db_coverage=true -Csetup-args=-Doptimization=1 \
	    -Csetup-args=-Ddebug=true)

# The lines of the kernels that their tests run, in any instruction set.
coverage-kernels: $(COVERED)/installed
	rm -f build/covered/*.p/*.gcda
	cd $(COVERED) && for isa in $$(bin/python -P -c "from ridgeline.kernels import AVAILABLE; print(*AVAILABLE)"); do \
	    RIDGELINE_ISA=$$isa bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) \
	        $(addprefix $(CURDIR)/,$(KERNEL_TESTS)) || exit 1; \
	done
	$(BIN)/python .ci/kernel_lines.py build/covered 95

# The tests of the kernels with every index checked.
checked: $(CHECKED)/installed
	cd $(CHECKED) && bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) $(addprefix $(CURDIR)/,$(KERNEL_TESTS))

# The same under the address and the undefined-behaviour sanitizers.  The interpreter's own leaks are not ours to find.
sanitize: $(SANITIZED)/installed
	cd $(SANITIZED) && LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	    bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) -p no:faulthandler $(addprefix $(CURDIR)/,$(KERNEL_TESTS))

# Kernels in several threads under the thread sanitizer, once it has found a race that is there to be found (its exit status is 66).  The
# sanitizer can start no threads in the child of a fork, and polars crashes under it.
sanitize-threads: $(RACED)/installed
	cd $(RACED) && export LD_PRELOAD=$$($(CC) -print-file-name=libtsan.so) RIDGELINE_NUM_THREADS=4 \
	    TSAN_OPTIONS="exitcode=66 suppressions=$(CURDIR)/.ci/threads.supp" && \
	bin/python -P $(CURDIR)/.ci/seeded.py race > seeded.log 2>&1; test $$? -eq 66 && \
	bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) -p no:faulthandler \
	    -k "not fork and not polars" $(addprefix $(CURDIR)/,$(THREAD_TESTS))

# The tests of the kernels in valgrind, once it has found an overrun that is there to be found.  Each allocation is one of the C library's, or
# it would be seen only as a part of what the interpreter keeps.  The interpreter's and NumPy's own reports are set aside.
VALGRIND := PYTHONMALLOC=malloc OPENBLAS_NUM_THREADS=1 valgrind --xml=yes --num-callers=25 --error-limit=no
valgrind: $(WATCHED)/installed
	cd $(WATCHED) && $(VALGRIND) --xml-file=seeded.xml bin/python -P $(CURDIR)/.ci/seeded.py overrun
	$(BIN)/python .ci/memory_errors.py $(WATCHED)/seeded.xml > $(WATCHED)/seeded.log 2>&1; test $$? -eq 66
	cd $(WATCHED) && $(VALGRIND) --xml-file=tests.xml bin/python -P -m pytest --config-file $(CURDIR)/pyproject.toml --rootdir $(CURDIR) \
	    -p no:faulthandler -p no:cacheprovider $(addprefix $(CURDIR)/,$(VALGRIND_TESTS))
	$(BIN)/python .ci/memory_errors.py $(WATCHED)/tests.xml

lint: $(VENV)/tools
	$(BIN)/ruff check .
	$(BIN)/cython-lint _core

types: $(VENV)/tools $(MINIMAL)/installed
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest $(KERNELS) --mypy-config-file pyproject.toml \
	    --allowlist tests/typing/stubtest-allowlist.txt --ignore-unused-allowlist
	$(USER_MYPY) tests/typing/user_code.py

$(VENV)/site: $(VENV)/installed
	$(PIP) install --constraint constraints.txt --no-build-isolation --editable ".[docs]"
	touch $@

# The documentation site, in build/site: the lecture's scripts are run, the docstrings are checked, and a warning is an error.
docs: $(VENV)/site
	rm -rf build/site docs/api docs/learn
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/site

# Beside whichever rivals are installed in the environment; OPTIONS are those of bench.compare: make bench OPTIONS=--quick
bench: $(VENV)/installed
	$(BIN)/python -m bench.compare --output compare-output $(OPTIONS)

# What pyproject.toml declares that a build needs, and ninja, which meson-python asks for where the system has none: at today's versions.
$(BUILDING)/installed: $(VENV)/installed
	test -x $(BUILDING)/bin/python || $(BIN)/python -m venv $(BUILDING)
	$(BUILDING)/bin/python -m pip --quiet --disable-pip-version-check install --upgrade ninja \
	    $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'])")
	touch $@

# A command's own network, which has no other machine in it.  Nothing where the system does not permit that.
OFFLINE = $(shell unshare --map-root-user --net true 2> /dev/null && echo unshare --map-root-user --net)

# The source archive of the last commit, and the wheel that is built from it with no network and nothing but what the build declares.
dist: $(BUILDING)/installed
	rm -rf dist
	$(BIN)/python -c "import mesonpy; mesonpy.build_sdist('dist')"
	$(if $(OFFLINE),,@echo "unshare is not permitted here: a download during the build would go unnoticed")
	CYTHON=$(CURDIR)/$(BUILDING)/bin/cython PATH=$(CURDIR)/$(BUILDING)/bin:$$PATH $(OFFLINE) $(BUILDING)/bin/python -m pip --quiet \
	    --disable-pip-version-check wheel --no-deps --no-index --no-build-isolation --wheel-dir dist dist/*.tar.gz
	$(BIN)/python .ci/check_dist.py dist

# The tests that the archive brings, in its own folder, against that wheel, in an environment with run-time dependencies and pytest alone.
test-dist: dist
	test -x $(SHIPPED)/bin/python || $(BIN)/python -m venv $(SHIPPED)
	$(SHIPPED)/bin/python -m pip --quiet --disable-pip-version-check install numpy scipy pytest
	$(SHIPPED)/bin/python -m pip --quiet --disable-pip-version-check install --force-reinstall --no-deps dist/*.whl
	rm -rf $(SHIPPED)/archive
	mkdir $(SHIPPED)/archive
	tar -xzf dist/*.tar.gz --strip-components 1 --directory $(SHIPPED)/archive
	cd $(SHIPPED)/archive && ../bin/python -P -m pytest

clean:
	rm -rf .venv .venv-* build dist docs/api docs/learn demo-output compare-output .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
