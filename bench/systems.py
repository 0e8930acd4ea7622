"""The systems that are timed. Each turns a case into a function that runs it a number of times and gives seconds.

A result is there when the clock stops: cNumeric is synchronised and JAX waited for in every call.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy

from .case import Case

Timer = Callable[[int], float]


def repeated(call: Callable[[], Any]) -> Timer:
    """Time so many calls."""

    def timer(repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        return time.perf_counter() - start

    return timer


class System:
    """NumPy itself, and what the others have in common."""

    name = "numpy"

    def __init__(self, threads: int) -> None:
        self.module = importlib.import_module(self.name)
        self.threads = threads
        named = ("__cnumeric_version__", "__version__")  # ours has NumPy's, too
        self.version = next((str(vars(self.module)[name]) for name in named if name in vars(self.module)), "?")

    def arrays(self, case: Case) -> list[Any]:
        """The inputs, as this system's arrays."""
        return [value.copy() for value in case.inputs]

    def call(self, case: Case) -> Callable[[], Any] | None:
        """A call of the case without arguments; None where the system cannot."""
        inputs = self.arrays(case)
        return lambda: case.function(self.module, *inputs)

    def timer(self, case: Case) -> Timer | None:
        """What times the case; None where the system cannot run it."""
        if case.timers is not None:
            make = case.timers.get(self.name)
            return make(self.module) if make else None
        call = self.call(case)
        return None if call is None else repeated(call)


class CNumeric(System):
    name = "cnumeric"

    def arrays(self, case: Case) -> list[Any]:
        return [self.module.array(value) for value in case.inputs]

    def call(self, case: Case) -> Callable[[], Any]:
        inputs, synchronize = self.arrays(case), self.module.synchronize

        def call() -> Any:
            result = case.function(self.module, *inputs)
            synchronize()
            return result

        return call


class Numexpr(System):
    name = "numexpr"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.module.set_num_threads(threads)

    def call(self, case: Case) -> Callable[[], Any] | None:
        if case.numexpr is None:
            return None
        names = dict(zip("xyz", self.arrays(case), strict=False))
        evaluate, text = self.module.evaluate, case.numexpr
        return lambda: evaluate(text, local_dict=names)


class Numba(System):
    name = "numba"

    def call(self, case: Case) -> Callable[[], Any] | None:
        if case.numba is None:
            return None
        compiled = self.module.njit(parallel=self.threads > 1, fastmath={"reassoc", "contract"})(case.numba)
        inputs = self.arrays(case)
        return lambda: compiled(*inputs)


class Jax(System):
    name = "jax"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.module.config.update("jax_enable_x64", True)

    def call(self, case: Case) -> Callable[[], Any] | None:
        function = case.jax
        if function is None:
            return None
        jnp = importlib.import_module("jax.numpy")
        compiled = self.module.jit(lambda *inputs: function(jnp, *inputs))
        inputs = [jnp.asarray(value) for value in case.inputs]
        return lambda: self.module.block_until_ready(compiled(*inputs))


def installed(threads: int) -> tuple[list[System], list[str]]:
    """Every system that imports, and the names of those that do not."""
    found: list[System] = []
    missing = []
    for kind in (System, CNumeric, Numexpr, Numba, Jax):
        try:
            found.append(kind(threads))
        except ImportError:
            missing.append(kind.name)
    return found, missing


def agrees(result: Any, expected: Any) -> bool:
    """Whether two results are equal to rounding (results that are not arrays are not compared)."""
    if isinstance(expected, tuple | list):
        return all(agrees(a, b) for a, b in zip(result, expected, strict=False))
    if not isinstance(expected, numpy.ndarray | numpy.generic | float | int):
        return True
    return bool(numpy.allclose(numpy.asarray(result), expected, rtol=1e-6, atol=1e-9))
