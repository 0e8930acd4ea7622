"""Measures the vector-math source (core/op/vmath.h): worst error of each function, and its speed beside NumPy.

    python tools/vmath_ulp.py                 # worst error in ulp against mpmath, in both types: half a minute
    python tools/vmath_ulp.py --dense         # twenty times the points
    python tools/vmath_ulp.py --complex       # the complex functions: ulp of the modulus, beside NumPy's
    python tools/vmath_ulp.py --speed         # ns an element, loops for AVX2 and AVX-512 and NumPy, one run
    python tools/vmath_ulp.py exp pow ...     # only these

The functions are compiled from the headers as loops, one shared library an instruction set; the errors are those of
the AVX2 loops (all have the same bits: tests/core/test_vmath.c). An ulp is that of the exact result. Needs gcc or clang
(CC), numpy, mpmath.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf

CORE = Path(os.environ.get("CNUMERIC_CORE", Path(__file__).resolve().parent.parent / "core"))
UNARY = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh cbrt"
).split()
BINARY = "pow hypot arctan2 logaddexp logaddexp2".split()
COMPLEX = (
    "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh"
).split()
TRIGONOMETRIC = {"sin", "cos", "tan"}
# Functions whose loops look for arguments that are far first, and what tells them.
FAR = dict.fromkeys(TRIGONOMETRIC, "far") | dict.fromkeys(("log", "log2", "log10"), "log_far")
FAR |= {name: f"{name}_far" for name in ("exp", "exp2", "expm1", "log1p", "cbrt", "pow")}
FAR |= {name: f"{name}_far" for name in ("arcsinh", "arccosh", "arctanh")}
FAR |= dict.fromkeys(("sinh", "cosh"), "hyperbolic_far")
FLAGS = "-std=c17 -O3 -fwrapv -ffp-contract=off -fno-math-errno -fPIC -shared".split()
AVX2 = "-mavx2 -mfma -mf16c -mbmi -mbmi2 -mlzcnt -mpopcnt".split()
AVX512 = [*AVX2, *"-mavx512f -mavx512vl -mavx512bw -mavx512dq -mprefer-vector-width=512".split()]
TYPES = {"f64": ("double", np.float64), "f32": ("float", np.float32)}
COMPLEX_TYPES = {"c128": ("cni_c128", np.complex128), "c64": ("cni_c64", np.complex64)}

EXACT: dict[str, Callable[..., mpf]] = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpf(2) ** x,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log10": lambda x: mpmath.log(x) / mpmath.log(10),
    "log1p": mpmath.log1p,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "pow": lambda x, y: x**y,
    "hypot": mpmath.hypot,
    "arctan2": mpmath.atan2,
    "logaddexp": lambda x, y: max(x, y) + mpmath.log1p(mpmath.exp(-abs(x - y))),
    "logaddexp2": lambda x, y: max(x, y) + mpmath.log1p(mpf(2) ** -abs(x - y)) / mpmath.log(2),
}


def loop(name: str, suffix: str, real: str, arity: int, restrict: str) -> str:
    """The C function that runs a function of one or two arguments over n elements."""
    parameters = "".join(f", const {real} *{restrict}{v}" for v in "xy"[:arity])
    use = ", ".join(f"{v}[i]" for v in "xy"[:arity])
    each = "for (int64_t i = 0; i < n; i++)"
    body = f"{each} o[i] = cni_{name}_{suffix}({use});"
    if name in FAR and suffix in TYPES:
        unsigned = "uint64_t" if suffix == "f64" else "uint32_t"
        test = f"{unsigned} far = 0; {each} far |= ({unsigned})cni_{FAR[name]}_{suffix}({use});"
        body = f"{test} if (far) {body} else {each} o[i] = cni_{name}_near_{suffix}({use});"
    return f"void {name}_{suffix}(int64_t n, {real} *{restrict}o{parameters}) {{ {body} }}"


def source(include_complex: bool) -> str:
    lines = ['#include "op/vmath.h"']
    for suffix, (real, _) in TYPES.items():
        lines += [loop(name, suffix, real, 1, "restrict ") for name in UNARY]
        lines += [loop(name, suffix, real, 2, "restrict ") for name in BINARY]
    if include_complex:
        lines.append('#include "op/vmath_complex.h"')
        for suffix, (real, _) in COMPLEX_TYPES.items():
            lines += [loop(name, suffix, real, 1, "") for name in COMPLEX] + [loop("pow", suffix, real, 2, "")]
    return "\n".join(lines) + "\n"


def build(folder: str, flags: list[str], include_complex: bool = False) -> ctypes.CDLL:
    code, library = Path(folder) / "loops.c", Path(folder) / f"loops{len(os.listdir(folder))}.so"
    code.write_text(source(include_complex))
    subprocess.run(
        [os.environ.get("CC", "gcc"), *FLAGS, *flags, f"-I{CORE}", str(code), "-o", str(library)], check=True
    )
    return ctypes.CDLL(str(library))


def call(library: ctypes.CDLL, name: str, suffix: str, *arguments: np.ndarray) -> np.ndarray:
    out = np.empty_like(arguments[0])
    loop = getattr(library, f"{name}_{suffix}")
    loop(ctypes.c_int64(out.size), *(ctypes.c_void_p(a.ctypes.data) for a in (out, *arguments)))
    return out


def ulp_error(got: float, exact: mpf, single: bool) -> float:
    """Error in units of the last place of the exact result. Infinity counts as the power of two beyond the largest."""
    digits, lowest, beyond = (24, -149, 128) if single else (53, -1074, 1024)
    if mpmath.isnan(exact) or np.isnan(got):
        return 0.0 if mpmath.isnan(exact) and np.isnan(got) else np.inf
    top = mpmath.ldexp(1, beyond)
    value, want = (max(-top, min(top, mpf(x))) for x in (got, exact))
    place = lowest if want == 0 else int(mpmath.floor(mpmath.log(abs(want), 2))) - digits + 1
    return float(abs(value - want) / mpmath.ldexp(1, max(lowest, min(place, beyond - digits))))


def spread(rng: random.Random, low: float, high: float, count: int, sign: bool) -> list[float]:
    """Magnitudes even in the logarithm."""
    a, b = np.log2(low), np.log2(high)
    return [2.0 ** rng.uniform(a, b) * (rng.choice((-1, 1)) if sign else 1) for _ in range(count)]


def points(name: str, count: int, single: bool, rng: random.Random) -> list[float]:
    tiny, top = (1e-45, 3.4e38) if single else (1e-323, 1.79e308)
    most = 88.8 if single else 709.8
    third = count // 3

    def uniform(low: float, high: float, n: int = third) -> list[float]:
        return [rng.uniform(low, high) for _ in range(n)]

    around_one = [1 + s * 2.0**-k for k in range(1, 52) for s in (-1, 1, 0.7, -0.3)]
    if name in ("exp", "expm1", "sinh", "cosh"):
        return (
            uniform(-most, most)
            + uniform(-1, 1)
            + spread(rng, tiny, most, third, True)
            + uniform(-745.2 if not single else -104, -708 if not single else -87, third // 4)
        )
    if name == "exp2":
        return (
            uniform(-1075 if not single else -150, 1024 if not single else 128)
            + uniform(-1, 1)
            + spread(rng, tiny, 100, third, True)
        )
    if name in ("log", "log2", "log10"):
        return spread(rng, tiny, top, third, False) + uniform(0.5, 2) + around_one + uniform(0.99, 1.01)
    if name == "log1p":
        return (
            spread(rng, tiny, top, third, False)
            + uniform(-0.999, 1)
            + [-v for v in spread(rng, tiny, 1, third, False)]
            + uniform(-0.5, 2)
        )
    if name in TRIGONOMETRIC:
        multiples = [k * np.pi / 2 for k in range(1, third // 4)] + [
            rng.randrange(2**30) * np.pi / 2 for _ in range(third // 4)
        ]
        return uniform(-7, 7) + spread(rng, tiny, top, third, True) + multiples + uniform(-1e5, 1e5, third // 2)
    if name in ("arcsin", "arccos", "arctanh"):
        return (
            uniform(-1, 1)
            + spread(rng, tiny, 1, third, True)
            + [s * (1 - v) for v, s in zip(spread(rng, 1e-16, 0.5, third, False), [1, -1] * third, strict=False)]
        )
    if name == "arccosh":
        return uniform(1, 10) + [1 + v for v in spread(rng, 1e-16, 1, third, False)] + spread(rng, 1, top, third, False)
    if name == "tanh":
        return uniform(-22, 22) + uniform(-1, 1) + spread(rng, tiny, 30, third, True)
    return uniform(-5, 5) + spread(rng, tiny, top, 2 * third, True)


def pairs(name: str, count: int, single: bool, rng: random.Random) -> tuple[list[float], list[float]]:
    tiny, top = (1e-45, 3.4e38) if single else (1e-323, 1.79e308)
    most = 88.7 if single else 709.7
    third = count // 3
    x = spread(rng, tiny, top, third, name != "pow")
    if name == "pow":
        y = [rng.uniform(-most, most) / (np.log(v) if abs(np.log(v)) > 1e-4 else 1e-4) for v in x]
        near = [1 + rng.uniform(-0.4, 0.5) * 2.0 ** -rng.uniform(0, 20) for _ in range(third)]
        y += [rng.uniform(-most, most) / (np.log(v) if v != 1 else 1) for v in near]
        x += near
        x += [rng.uniform(0, 10) for _ in range(third)]
        y += [rng.uniform(-8, 8) for _ in range(third)]
        return x, y
    if name in ("logaddexp", "logaddexp2"):
        x = [rng.uniform(-50, 50) for _ in range(count)]
        return x, [v + rng.uniform(-30, 30) * 2.0 ** -rng.uniform(0, 30) for v in x]
    y = [v * 2.0 ** rng.uniform(-30, 30) * rng.choice((-1, 1)) for v in x]
    x += [rng.uniform(-10, 10) for _ in range(2 * third)]
    y += [rng.uniform(-10, 10) for _ in range(2 * third)]
    kept = [(a, b) for a, b in zip(x, y, strict=True) if abs(a) <= top and abs(b) <= top]
    return [a for a, _ in kept], [b for _, b in kept]


def worst(library: ctypes.CDLL, name: str, suffix: str, count: int) -> tuple[float, float, tuple[float, ...]]:
    """The largest error, the mean error and where the largest is."""
    rng, single = random.Random(7), suffix == "f32"
    dtype = TYPES[suffix][1]
    columns = pairs(name, count, single, rng) if name in BINARY else (points(name, count, single, rng),)
    with np.errstate(all="ignore"):
        arguments = [np.array(c, dtype) for c in columns]
    got = call(library, name, suffix, *arguments)
    largest, total, where = 0.0, 0.0, (0.0,)
    exact = EXACT[name]
    mp.prec = 200 if name not in TRIGONOMETRIC else 1300
    for k in range(got.size):
        v = [float(a[k]) for a in arguments]
        if name in TRIGONOMETRIC:
            mp.prec = 1300 if abs(v[0]) > 1e6 else 200
        if (
            name
            in ("log1p", "expm1", "arctanh", "arcsinh", "sinh", "tanh", "arctan", "tan", "sin", "arcsin", "arctan2")
            and abs(v[0]) < 1e-30
        ):
            mp.prec = 1400
        if (
            not all(map(np.isfinite, v))
            or (name == "arccosh" and v[0] < 1)
            or (name == "arctanh" and abs(v[0]) >= 1)
            or (name in ("log", "log2", "log10") and v[0] <= 0)
        ):
            continue
        want = exact(*(mpf(a) for a in v))
        error = ulp_error(float(got[k]), want, single)
        if name.startswith("logadd"):  # in ulp of the larger operand, which is what NumPy's formula promises near zero
            error *= min(1.0, float(abs(want) / max(map(abs, v))))
        total += error
        if error > largest:
            largest, where = error, tuple(v)
        mp.prec = 200
    return largest, total / max(got.size, 1), where


def typical(name: str, dtype: type, count: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(1)
    if name in ("arcsin", "arccos", "arctanh"):
        yield rng.uniform(-1, 1, count).astype(dtype)
    elif name.startswith("log") and name not in BINARY or name == "pow":
        yield rng.uniform(0.01, 10, count).astype(dtype)
    elif name == "arccosh":
        yield rng.uniform(1, 11, count).astype(dtype)
    else:
        yield rng.uniform(-10, 10, count).astype(dtype)
    if name in BINARY:
        yield rng.uniform(-10, 10, count).astype(dtype)


def best_time(f: Callable[..., object], *arguments: object, **keywords: object) -> float:
    best = np.inf
    for _ in range(60):
        start = time.perf_counter()
        f(*arguments, **keywords)
        best = min(best, time.perf_counter() - start)
    return best


C_NAMES = {f"arc{x}": f"a{x}" for x in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "tan2")}
NO_PEER = ("logaddexp", "logaddexp2")


def peer_loop(peer: str, name: str, suffix: str, real: str, arity: int) -> str:
    """The loop of libmvec, which gcc calls where a fast loop calls libm, or of SLEEF at 1 ulp (hypot: 0.5)."""
    c_name, single = C_NAMES.get(name, name), suffix == "f32"
    parameters = "".join(f", const {real} *restrict {v}" for v in "xy"[:arity])
    head = f"void {peer}_{name}_{suffix}(int64_t n, {real} *restrict o{parameters}) {{ for (int64_t i = 0; i < n; "
    if peer == "libmvec":
        use = ", ".join(f"{v}[i]" for v in "xy"[:arity])
        return f"{head}i++) o[i] = {c_name}{'f' if single else ''}({use}); }}"
    width, letter, kind = (16, "f", "ps") if single else (8, "d", "pd")
    use = ", ".join(f"_mm512_loadu_{kind}({v} + i)" for v in "xy"[:arity])
    function = f"Sleef_{c_name}{letter}{width}_{'u05' if name == 'hypot' else 'u10'}avx512f"
    return f"{head}i += {width}) _mm512_storeu_{kind}(o + i, {function}({use})); }}"


def build_peer(peer: str, folder: str) -> ctypes.CDLL | None:
    """Its loops as a library; None if it is not installed."""
    header = "#include <math.h>" if peer == "libmvec" else "#include <immintrin.h>\n#include <sleef.h>"
    lines = [f"#include <stdint.h>\n{header}"]
    for suffix, (real, _) in TYPES.items():
        lines += [peer_loop(peer, n, suffix, real, 1) for n in UNARY if n not in NO_PEER]
        lines += [peer_loop(peer, n, suffix, real, 2) for n in BINARY if n not in NO_PEER]
    code, library = Path(folder) / f"{peer}.c", Path(folder) / f"{peer}.so"
    code.write_text("\n".join(lines) + "\n")
    command = ["gcc", "-O3", "-ffast-math", *AVX512, "-shared", "-fPIC", str(code), "-o", str(library)]
    libraries = ["-lmvec", "-lm"] if peer == "libmvec" else ["-lsleef"]
    made = subprocess.run([*command, *libraries], capture_output=True, check=False).returncode == 0
    return ctypes.CDLL(str(library)) if made else None


def speed(names: list[str], folder: str) -> None:
    libraries = {"avx2": build(folder, AVX2), "avx512": build(folder, AVX512)}
    peers = {peer: build_peer(peer, folder) for peer in ("libmvec", "sleef")}
    count = 8192
    columns = [*libraries, "numpy", *peers]
    print(f"ns an element, {count} elements; NumPy {np.__version__}; peers in AVX-512, -: it is not there")
    for suffix, (_, dtype) in TYPES.items():
        print(f"\n{'float' + suffix[1:]:12s}" + "".join(f"{column:>9s}" for column in columns))
        for name in names:
            arguments = list(typical(name, dtype, count))
            out = np.empty_like(arguments[0])
            pointers = [ctypes.c_int64(count), *(ctypes.c_void_p(a.ctypes.data) for a in (out, *arguments))]
            times = [best_time(getattr(library, f"{name}_{suffix}"), *pointers) for library in libraries.values()]
            with np.errstate(all="ignore"):
                times.append(best_time(getattr(np, "power" if name == "pow" else name), *arguments, out=out))
            for peer, library in peers.items():
                known = library is not None and name not in NO_PEER
                times.append(best_time(getattr(library, f"{peer}_{name}_{suffix}"), *pointers) if known else np.nan)
            print(
                f"{name:12s}" + "".join(f"{t / count * 1e9:9.2f}" if t == t else f"{'-':>9s}" for t in times),
                flush=True,
            )


def complex_table(names: list[str], library: ctypes.CDLL, count: int) -> None:
    exact: dict[str, Callable[..., mpmath.mpc]] = {
        **{k: EXACT[k] for k in COMPLEX if k not in ("sqrt", "cbrt", "log2", "log10", "exp2")},
        "sqrt": mpmath.sqrt,
        "exp2": lambda z: mpmath.exp(z * mpmath.log(2)),
        "log2": lambda z: mpmath.log(z) / mpmath.log(2),
        "log10": lambda z: mpmath.log(z) / mpmath.log(10),
        "expm1": lambda z: mpmath.exp(z) - 1,
        "log1p": lambda z: mpmath.log(1 + z),
        "pow": lambda z, w: z**w,
    }
    mp.prec = 400
    print(f"{'':10s}{'c128':>10s}{'numpy':>10s}{'c64':>10s}{'numpy':>10s}   ulp of the modulus, then the worst part")
    for name in names:
        row, notes = f"{name:10s}", []
        for suffix, (_, dtype) in COMPLEX_TYPES.items():
            rng, single = random.Random(3), suffix == "c64"
            values = []
            for k in range(count):
                size = 2.0 ** rng.uniform(-12, 5) if k % 3 else 1 + rng.uniform(-1, 1) * 2.0 ** -rng.uniform(0, 40)
                angle = rng.choice(
                    (rng.uniform(-np.pi, np.pi), rng.randrange(8) * np.pi / 4 + 2.0 ** -rng.uniform(1, 40))
                )
                values.append(complex(size * np.cos(angle), size * np.sin(angle)))
            arguments = [np.array(values, dtype)]
            if name == "pow":
                arguments.append(np.array([complex(rng.uniform(-6, 6), rng.uniform(-3, 3)) for _ in values], dtype))
            with np.errstate(all="ignore"):
                both = [
                    call(library, name, suffix, *arguments),
                    getattr(np, "power" if name == "pow" else name)(*arguments),
                ]
            for who, got in enumerate(both):
                largest, part = 0.0, 0.0
                for k in range(got.size):
                    want = mpmath.mpc(exact[name](*(mpmath.mpc(complex(a[k])) for a in arguments)))
                    g = complex(got[k])
                    if not (np.isfinite(g.real) and np.isfinite(g.imag)):
                        largest = np.inf
                        continue
                    size = abs(want)
                    unit = mpmath.ldexp(1, int(mpmath.floor(mpmath.log(size, 2))) - (23 if single else 52))
                    largest = max(largest, float(abs(mpmath.mpc(g) - want) / unit))
                    part = max(part, ulp_error(g.real, want.real, single), ulp_error(g.imag, want.imag, single))
                row += f"{largest:10.2f}"
                notes.append(f"{'numpy ' if who else 'ours '}{part:.3g}")
        print(row + "   " + ", ".join(notes))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--dense", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--complex", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    known = [*COMPLEX, "pow"] if options.complex else [*UNARY, *BINARY]
    names = [n for n in known if not options.names or n in options.names]
    with tempfile.TemporaryDirectory() as folder:
        if options.speed:
            speed(names, folder)
            return
        library = build(folder, AVX2, options.complex)
        if options.complex:
            complex_table(names, library, 2000 if options.dense else 300)
            return
        print(f"{'':12s}{'f64 worst':>10s}{'mean':>7s}  {'at':40s}{'f32 worst':>10s}{'mean':>7s}  at")
        for name in names:
            row = f"{name:12s}"
            for suffix in TYPES:
                largest, mean, where = worst(library, name, suffix, 40000 if options.dense else 2000)
                row += f"{largest:10.3f}{mean:7.3f}  {', '.join(f'{v:.17g}' for v in where):40s}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
