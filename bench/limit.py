"""The machine's own limits, measured in the same run: a compiled triad for memory, NumPy's matmul for arithmetic."""

from __future__ import annotations

import ctypes
import pathlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable

import numpy

SOURCE = pathlib.Path(__file__).with_name("limit.c")


def best(function: Callable[[], object], seconds: float = 0.3) -> float:
    """The least time of a call, tried again and again for that long."""
    function()
    least, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        function()
        least = min(least, time.perf_counter() - start)
    return least


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
    """Bytes a second of a triad over as much data as the row moves, and flops a second of a large matmul."""

    def __init__(self) -> None:
        self._library = compiled_triad()
        self._bandwidth: dict[int, float] = {}
        side = 1024
        a = numpy.ones((side, side))
        self.flops = 2 * side**3 / best(lambda: a @ a)
        self.measured_with = "limit.c" if self._library else "numpy.copyto (no compiler)"

    def bandwidth(self, traffic: float) -> float:
        """Of a triad that moves about as many bytes (levels of a factor 4)."""
        elements = 64
        while elements * 24 * 2 < traffic and elements < 1 << 26:
            elements *= 4
        if elements not in self._bandwidth:
            a, b, c = numpy.zeros(elements), numpy.ones(elements), numpy.ones(elements)
            repeats = max(1, 20_000 // elements)
            if self._library is None:
                seconds, moved = best(lambda: numpy.copyto(a, b)), 16 * elements
            else:
                triad = self._library.triad
                triad.restype = None
                p = [ctypes.c_void_p(x.ctypes.data) for x in (a, b, c)]
                arguments = (*p, ctypes.c_double(3.0), ctypes.c_size_t(elements))
                seconds, moved = best(lambda: [triad(*arguments) for _ in range(repeats)]), 24 * elements * repeats
            self._bandwidth[elements] = moved / seconds
        return self._bandwidth[elements]
