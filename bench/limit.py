"""The machine's own limits, measured in the same run: a compiled triad for memory, NumPy's matmul for arithmetic."""

from __future__ import annotations

import ctypes
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable

import numpy

from .case import Case

SOURCE = pathlib.Path(__file__).with_name("limit.c")


def compiled_triad() -> ctypes.CDLL | None:
    """limit.c as a library; None without a compiler."""
    compiler = next((c for c in ("gcc", "clang", "cc") if shutil.which(c)), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/limit.so"
        flags = ["-O3", "-march=native", "-fopenmp", "-shared", "-fPIC"]
        for chosen in (flags, [flag for flag in flags if flag != "-fopenmp"]):
            if (
                subprocess.run([compiler, *chosen, "-o", path, SOURCE], capture_output=True, check=False).returncode
                == 0
            ):
                return ctypes.CDLL(path)
    return None


class Limits:
    """What the limits are timed with, in turn with the systems: a triad that moves about as much, a matrix product."""

    def __init__(self) -> None:
        self._library = compiled_triad()
        self.measured_with = "limit.c" if self._library else "numpy.copyto (no compiler)"

    def triad(self, traffic: float) -> tuple[Callable[[], object], float]:
        """A call, and the bytes that it moves: about `traffic`, in steps of a factor 4."""
        elements = 64
        while elements * 24 * 2 < traffic and elements < 1 << 26:
            elements *= 4
        a, b, c = numpy.zeros(elements), numpy.ones(elements), numpy.ones(elements)
        if self._library is None:
            return lambda: numpy.copyto(a, b), 16 * elements
        triad = self._library.triad
        triad.restype = None
        pointers = [ctypes.c_void_p(x.ctypes.data) for x in (a, b, c)]
        times = max(1, 20_000 // elements)  # small ones several times: calling costs more than they do
        arguments = (*pointers, ctypes.c_double(3.0), ctypes.c_size_t(elements), ctypes.c_size_t(times))

        def call(keep: object = (a, b, c)) -> None:
            triad(*arguments)

        return call, 24 * elements * times

    def matmul(self, flops: float) -> tuple[Callable[[], object], float]:
        """A call, and its floating-point operations: a product of 512 x 512 matrices or larger."""
        side = 512 if flops < 2 * 1024**3 else 1024
        a = numpy.ones((side, side))
        return lambda: a @ a, 2 * side**3

    def of(self, case: Case) -> tuple[Callable[[], object], float] | None:
        """What to time for a case, and the work that it does; None where no limit is known."""
        if case.flops:
            return self.matmul(case.flops)
        return self.triad(case.bytes) if case.bytes else None
