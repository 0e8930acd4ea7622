"""Checks on a machine with a CUDA GPU that the vector-math source gives there the bits that it gives on the CPU.

    python tools/vmath_gpu.py

Compiles core/op/vmath.h and vmath_complex.h with NVRTC (through CuPy) and with gcc, runs every function on random bit
patterns and ordinary numbers, and compares. Prints the functions that differ; exit status 1 if there are any.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cupy as cp
import numpy as np
from cupy.cuda import compiler
from cupy.cuda.function import Module
from vmath_ulp import AVX2, BINARY, COMPLEX, COMPLEX_TYPES, CORE, TYPES, UNARY, build, call

COUNT = 1 << 20
OPTIONS = ("--fmad=false", "--ftz=false", "--device-as-default-execution-space", "--std=c++17", f"-I{CORE}")
STDINT = """typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long long int64_t;
typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned uint32_t;
typedef unsigned long long uint64_t;
"""  # NVRTC has no stdint.h


def kernels() -> str:
    """The text of one kernel a function and type."""
    lines = ['#include "op/vmath.h"', '#include "op/vmath_complex.h"']
    names = [(f, 1, s, t) for s, (t, _) in TYPES.items() for f in UNARY]
    names += [(f, 2, s, t) for s, (t, _) in TYPES.items() for f in BINARY]
    names += [(f, 1, s, t) for s, (t, _) in COMPLEX_TYPES.items() for f in COMPLEX]
    names += [("pow", 2, s, t) for s, (t, _) in COMPLEX_TYPES.items()]
    for f, arity, s, t in names:
        second, use = (f", const {t} *y", ", y[i]") if arity == 2 else ("", "")
        lines.append(
            f'extern "C" __global__ void {f}_{s}(int n, {t} *o, const {t} *x{second})'
            f" {{ int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) o[i] = cni_{f}_{s}(x[i]{use}); }}"
        )
    return "\n".join(lines)


def numbers(dtype: type, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    real = {np.complex128: np.float64, np.complex64: np.float32}.get(dtype, dtype)
    count = COUNT * np.dtype(dtype).itemsize // np.dtype(real).itemsize
    patterns = rng.integers(0, 256, count * np.dtype(real).itemsize, dtype=np.uint8).view(real)
    ordinary = (rng.uniform(-1, 1, count) * 2.0 ** rng.integers(-6, 7, count)).astype(real)
    return np.where(rng.integers(0, 3, count) == 0, patterns, ordinary).astype(real).view(dtype)


def main() -> int:
    differ = 0
    with tempfile.TemporaryDirectory() as headers, tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        Path(headers, "stdint.h").write_text(STDINT)
        # not RawModule, which flushes subnormal numbers
        code, _ = compiler.compile_using_nvrtc(kernels(), (*OPTIONS, f"-I{headers}"), filename="vmath.cu")
        module = Module()
        module.load(code)
        library = build(folder, AVX2, True)
        for suffix, (_, dtype) in {**TYPES, **COMPLEX_TYPES}.items():
            names = [*UNARY, *BINARY] if suffix in TYPES else [*COMPLEX, "pow"]
            x, y = numbers(dtype, 1), numbers(dtype, 2)
            for name in names:
                arguments = (x, y) if name in BINARY else (x,)
                host = call(library, name, suffix, *arguments)
                out = cp.empty(COUNT, dtype)
                module.get_function(f"{name}_{suffix}")(
                    (COUNT // 256,), (256,), (np.int32(COUNT), out, *map(cp.asarray, arguments))
                )
                real = host.real.dtype
                a, b = host.view(real), out.get().view(real)
                unsigned = np.uint64 if real == np.float64 else np.uint32
                wrong = (a.view(unsigned) != b.view(unsigned)) & ~(np.isnan(a) & np.isnan(b))
                if wrong.any():
                    k = int(np.flatnonzero(wrong)[0]) * real.itemsize // np.dtype(dtype).itemsize
                    print(
                        name, suffix, int(wrong.sum()), "differ, first at", [v[k] for v in arguments], host[k], out[k]
                    )
                    differ += 1
    print("functions that differ:", differ)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
