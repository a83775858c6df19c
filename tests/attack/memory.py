"""Allocation made to fail: every fit with its first, second, ... k-th allocation refused.

    python -m tests.attack.memory [STRIDE]

`failing_malloc.c` is compiled and put before the C library's functions (LD_PRELOAD), so that NumPy's buffers are refused, too, which
`_testcapi.set_nomemory` does not reach.  What may happen is a MemoryError, with the estimator as it was, or success where somebody along
the way does without; then a fit gives the bits it gave before.  Whatever is lost on the way is counted at the end: memory that grows with
the number of failures.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <errno.h>

/* The at-th allocation of `least` bytes or more by the thread that armed it is refused, once. */
static __thread long at = 0, seen = 0, refused = 0;
static __thread size_t least = 0;

void failing_malloc_arm(long k, size_t size) { at = k; least = size; seen = 0; refused = 0; }
long failing_malloc_disarm(void) { long n = seen; at = 0; return refused ? -n : n; }

static int refuse(size_t size) {
    if (at == 0 || size < least) return 0;
    if (++seen != at) return 0;
    refused = 1;
    errno = ENOMEM;
    return 1;
}

#define NEXT(name) static __typeof__(name) *next; if (!next) next = (__typeof__(name) *) dlsym(RTLD_NEXT, #name)

void *malloc(size_t size) { NEXT(malloc); return refuse(size) ? NULL : next(size); }
void *realloc(void *old, size_t size) { NEXT(realloc); return refuse(size) ? NULL : next(old, size); }

/* dlsym itself calls calloc: the C library's own name for it needs no looking up. */
extern void *__libc_calloc(size_t, size_t);
void *calloc(size_t n, size_t size) { return refuse(n * size) ? NULL : __libc_calloc(n, size); }
"""

LEAST = 512
"""Bytes from which an allocation is NumPy's or a container's; smaller ones are the interpreter's objects, of its own arenas."""


def compile_shim(folder: str) -> str:
    """The path of the compiled shim.

    Raises
    ------
    FileNotFoundError, CalledProcessError
        Without a compiler, or one that cannot.
    """
    source, built = Path(folder, "failing_malloc.c"), Path(folder, "failing_malloc.so")
    prototypes = "void *malloc(size_t); void *realloc(void *, size_t);\n"
    source.write_text(SHIM.replace("#include <errno.h>\n", "#include <errno.h>\n" + prototypes))
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    return str(built)


def refusals(run: Callable[[], Any], check: Callable[[bool], None], stride: int) -> Counter[str]:
    """Run with each `stride`-th allocation refused; `check(failed)` after each; how they ended."""
    shim = ctypes.CDLL(None)
    shim.failing_malloc_arm.argtypes = (ctypes.c_long, ctypes.c_size_t)
    shim.failing_malloc_disarm.restype = ctypes.c_long
    ends: Counter[str] = Counter()
    k = 1
    while True:
        failed = ""
        shim.failing_malloc_arm(k, LEAST)
        try:
            run()
        except MemoryError:
            failed = "MemoryError"
        except SystemError:  # of a NumPy reduction, which does not say what it lacked: "returned NULL without setting an exception"
            failed = "SystemError of NumPy"
        finally:
            count = shim.failing_malloc_disarm()
        if count >= 0:
            ends["allocations"] = count
            return ends
        ends[failed or "done without"] += 1
        check(bool(failed))
        k += stride


def snapshot(model: Any) -> dict[str, bytes]:
    return {name: pickle.dumps(value) for name, value in vars(model).items()}


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def attack(stride: int) -> None:
    """Refuse allocations in every estimator's fit, and in every function."""
    from .calls import CALLS, MODELS, S, X, arrays_of

    for name, (make, y) in MODELS.items():
        for _ in range(2):  # what is made on first use is there
            want = snapshot(make().fit(X, y, sample_weight=S))
        model = make().fit(X, y[::-1].copy(), sample_weight=S)
        held = {"before": snapshot(model)}

        def check(failed: bool, model: Any = model, held: dict[str, Any] = held, want: dict[str, bytes] = want) -> None:
            now = snapshot(model)
            assert now == (held["before"] if failed else want), "another model"
            held["before"] = now

        ends = refusals(lambda model=model, y=y: model.fit(X, y, sample_weight=S), check, stride)
        assert snapshot(make().fit(X, y, sample_weight=S)) == want
        print(f"{name}: {dict(ends)}", flush=True)
    for name, call in CALLS.items():
        if name in MODELS:
            continue
        answers = [b"".join(a.tobytes() for a in arrays_of(call.run(*call.arguments))) for _ in range(2)]
        ends = refusals(lambda call=call: call.run(*call.arguments), lambda failed: None, stride)
        assert b"".join(a.tobytes() for a in arrays_of(call.run(*call.arguments))) == answers[1]
        print(f"{name}: {dict(ends)}", flush=True)


def leaks(rounds: int) -> None:
    """Memory that stays when every estimator has been fitted, and failed to be, again and again."""
    from .calls import MODELS, S, X

    def once() -> None:
        for make, y in MODELS.values():
            make().fit(X, y, sample_weight=S).predict(X)
            with suppress(ValueError):
                make().fit(X, y[:-1])

    for _ in range(10):
        once()
    before = resident()
    for _ in range(rounds):
        once()
    grown = resident() - before
    print(f"{rounds} rounds of every estimator: {grown / 1024:.0f} kB more are resident")
    assert grown < rounds * 8192 + (1 << 20), f"{grown} bytes were lost in {rounds} rounds"


def main() -> None:
    if "FAILING_MALLOC" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            variables = {"LD_PRELOAD": compile_shim(folder), "FAILING_MALLOC": "1", "RIDGELINE_NUM_THREADS": "1"}
            command = [sys.executable, "-X", "faulthandler", "-m", "tests.attack.memory", *sys.argv[1:]]
            sys.exit(subprocess.run(command, env={**os.environ, **variables}, check=False).returncode)
    stride = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    attack(stride)
    leaks(max(400 // stride, 20))


if __name__ == "__main__":
    main()
