"""The rows: what users do, from three elements to all of memory."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from typing import Any

import numpy

from . import numba_loops
from .case import Case, row

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

import black_scholes
import channel_flow
import gray_scott
import lu_slices


def values(n: int, seed: int = 1) -> numpy.ndarray[Any, Any]:
    return numpy.random.default_rng(seed).random(n)


def square(n: int) -> numpy.ndarray[Any, Any]:
    side = max(3, round(n**0.5))
    return values(side * side).reshape(side, side)


# ---- Elementwise and reductions --------------------------------------------------------------------------


@row("triad x + 2.5*y")
def triad(n: int) -> Case:
    def function(np: Any, x: Any, y: Any) -> Any:
        return x + 2.5 * y

    return Case(function, [values(n), values(n, 2)], "x + 2.5 * y", numba_loops.triad, function, bytes=24 * n)


@row("chain of 5 ops")
def chain(n: int) -> Case:
    def function(np: Any, x: Any, y: Any, z: Any) -> Any:
        return ((x * y + z) * 0.5 - x) * y

    inputs = [values(n), values(n, 2), values(n, 3)]
    return Case(function, inputs, "((x * y + z) * 0.5 - x) * y", numba_loops.chain, function, bytes=32 * n)


@row("Black-Scholes")
def options(n: int) -> Case:
    def function(np: Any, spot: Any, strike: Any, years: Any) -> Any:
        return black_scholes.prices(np, spot, strike, years, 0.02, 0.3)

    inputs = black_scholes.inputs(numpy, n)
    return Case(function, inputs, None, numba_loops.black_scholes, function, bytes=40 * n)


@row("sum")
def total(n: int) -> Case:
    return Case(
        lambda np, x: float(x.sum()), [values(n)], "sum(x)", numba_loops.total, lambda np, x: x.sum(), bytes=8 * n
    )


@row("mean((x-y)**2)")
def mean_square(n: int) -> Case:
    def function(np: Any, x: Any, y: Any) -> Any:
        return np.mean((x - y) ** 2)

    return Case(function, [values(n), values(n, 2)], None, numba_loops.mean_square, function, bytes=16 * n)


@row("var(axis=0)")
def variance(n: int) -> Case:
    x = square(n)
    return Case(
        lambda np, x: np.var(x, axis=0), [x], None, numba_loops.variance, lambda np, x: x.var(0), bytes=x.nbytes
    )


# ---- Stencils --------------------------------------------------------------------------------------------


@row("Jacobi, 10 sweeps")
def jacobi(n: int) -> Case:
    def function(np: Any, t: Any) -> Any:
        for _ in range(10):
            new = t.copy()
            new[1:-1, 1:-1] = 0.25 * (t[1:-1, :-2] + t[1:-1, 2:] + t[:-2, 1:-1] + t[2:, 1:-1])
            t = new
        return t

    def functional(np: Any, t: Any) -> Any:
        for _ in range(10):
            t = t.at[1:-1, 1:-1].set(0.25 * (t[1:-1, :-2] + t[1:-1, 2:] + t[:-2, 1:-1] + t[2:, 1:-1]))
        return t

    t = square(n)
    return Case(function, [t], None, numba_loops.jacobi, functional, bytes=10 * 2 * t.nbytes)


@row("channel flow, 1 step", most=2 * 10**7)
def flow(n: int) -> Case:
    p = square(n)
    h = channel_flow.WIDTH / (len(p) - 1)
    dt = 0.1 * h * h / channel_flow.NU

    def function(np: Any, u: Any, v: Any, p: Any, b: Any) -> Any:
        channel_flow.pressure_source(b, u, v, h, h, dt)
        channel_flow.pressure(p, b, h, h, channel_flow.SWEEPS)
        channel_flow.velocity(u, v, p, h, h, dt)

    return Case(function, [0 * p, 0.01 * p, 0 * p, 0 * p], bytes=1264 * p.size)


@row("Gray-Scott, 5 steps", most=2 * 10**7)
def reaction(n: int) -> Case:
    u, v = 1 - 0.1 * square(n), 0.1 * square(n)

    def function(np: Any, u: Any, v: Any) -> Any:
        for _ in range(5):
            a, b = u[1:-1, 1:-1], v[1:-1, 1:-1]
            change = a * b * b
            change_u = 0.16 * gray_scott.laplacian(u) - change + 0.04 * (1 - a)
            change_v = 0.08 * gray_scott.laplacian(v) + change - 0.1 * b
            a += change_u
            b += change_v
            gray_scott.close(u)
            gray_scott.close(v)

    return Case(function, [u, v], None, numba_loops.gray_scott, bytes=5 * 2 * (u.nbytes + v.nbytes))


@row("Gray-Scott with roll, 5 steps", most=2 * 10**7)
def periodic_reaction(n: int) -> Case:
    u, v = 1 - 0.1 * square(n), 0.1 * square(n)

    def around(np: Any, f: Any) -> Any:
        return np.roll(f, 1, 0) + np.roll(f, -1, 0) + np.roll(f, 1, 1) + np.roll(f, -1, 1) - 4 * f

    def step(np: Any, u: Any, v: Any) -> Any:
        change = u * v * v
        return u + 0.16 * around(np, u) - change + 0.04 * (1 - u), v + 0.08 * around(np, v) + change - 0.1 * v

    def function(np: Any, u: Any, v: Any) -> Any:
        for _ in range(5):
            u, v = step(np, u, v)
        return u, v

    numba = numba_loops.gray_scott_torus
    return Case(function, [u, v], None, numba, function, bytes=5 * 2 * (u.nbytes + v.nbytes))


# ---- Moving data -----------------------------------------------------------------------------------------


def mover(name: str, function: Callable[..., Any], inputs: Callable[[int], list[Any]], bytes_each: float) -> None:
    """A row whose least traffic is so many bytes an element."""
    row(name)(lambda n: Case(function, inputs(n), bytes=bytes_each * n))


mover("x[x > 0.5]", lambda np, x: x[x > 0.5], lambda n: [values(n)], 12)
mover(
    "take, random indices",
    lambda np, x, i: x[i],
    lambda n: [values(n), numpy.random.default_rng(4).integers(0, n, n)],
    24,
)
mover("transpose copy", lambda np, x: x.T.copy(), lambda n: [square(n)], 16)
mover("copy of x[::2]", lambda np, x: x[::2].copy(), lambda n: [values(n)], 12)
mover("cumsum", lambda np, x: x.cumsum(), lambda n: [values(n)], 16)
mover("astype float32", lambda np, x: x.astype(np.float32), lambda n: [values(n)], 12)
mover("where(x > y, x, y)", lambda np, x, y: np.where(x > y, x, y), lambda n: [values(n), values(n, 2)], 24)

for name in "exp expm1 log log10 sin cos tan arctan tanh cbrt".split():
    row(f"vector math {name}")(
        lambda n, name=name: Case(
            lambda np, x: getattr(np, name)(x), [values(n) * 20], jax=lambda np, x: getattr(np, name)(x), bytes=16 * n
        )
    )

# ---- Sorting and searching -------------------------------------------------------------------------------

for kind in (numpy.float64, numpy.int64, numpy.float32):

    def numbers(n: int, kind: Any = kind) -> list[Any]:
        return [(values(n) * 1e6).astype(kind)]

    for verb in ("sort", "argsort", "unique", "median"):
        value = (
            (lambda order, x: x[numpy.asarray(order)]) if verb == "argsort" else Case.value
        )  # equal ones in any order
        row(f"{verb} {kind.__name__}", most=10**7)(
            lambda n, verb=verb, numbers=numbers, value=value: Case(
                lambda np, x: getattr(np, verb)(x), numbers(n), value=value
            )
        )


@row("searchsorted", most=10**7)
def searchsorted(n: int) -> Case:
    return Case(lambda np, x, y: np.searchsorted(x, y), [numpy.sort(values(n)), values(n, 2)])


# ---- Products --------------------------------------------------------------------------------------------


@row("matmul", most=4 * 10**6)
def matmul(n: int) -> Case:
    a = square(n)
    return Case(lambda np, a, b: a @ b, [a, a], None, None, lambda np, a, b: a @ b, flops=2 * len(a) ** 3)


@row("dot")
def dot(n: int) -> Case:
    return Case(lambda np, x, y: np.dot(x, y), [values(n), values(n, 2)], bytes=16 * n)


@row("einsum ij,jk->ik", most=4 * 10**6)
def einsum(n: int) -> Case:
    a = square(n)
    return Case(lambda np, a, b: np.einsum("ij,jk->ik", a, b), [a, a], flops=2 * len(a) ** 3)


@row("tensordot", most=4 * 10**6)
def tensordot(n: int) -> Case:
    a = square(n)
    return Case(lambda np, a, b: np.tensordot(a, b, axes=1), [a, a], flops=2 * len(a) ** 3)


# ---- Fourier transforms ----------------------------------------------------------------------------------


def transform(name: str, *shape: int) -> Case:
    """A transform of complex numbers, or of real ones by those for them."""
    x = values(int(numpy.prod(shape))).reshape(shape)
    x = x if name.startswith("r") else x * (1 + 2j)

    def function(np: Any, x: Any) -> Any:
        return getattr(np.fft, name)(x)

    points = x.size / (2 if name.startswith("r") else 1)
    return Case(function, [x], jax=function, bytes=32 * points, flops=5 * points * numpy.log2(max(2, x.size)))


def power(n: float) -> int:
    """The power of two below it."""
    return 1 << max(1, int(numpy.log2(n)))


@row("fft, 2^k points", most=10**8)
def fft_power(n: int) -> Case:
    return transform("fft", power(n))


@row("fft, 3 * 5 * 7 * 2^k points", most=10**8)
def fft_mixed(n: int) -> Case:
    return transform("fft", 105 * power(max(2, n / 105)))


@row("fft, a prime number of points", most=10**7)
def fft_prime(n: int) -> Case:
    while any(n % k == 0 for k in range(2, int(n**0.5) + 1)):
        n -= 1
    return transform("fft", n)


@row("rfft, 2^k points", most=10**8)
def rfft(n: int) -> Case:
    return transform("rfft", power(n))


@row("fft of lines of 16", most=10**8)
def fft_lines(n: int) -> Case:
    return transform("fft", max(1, n // 16), 16)


@row("fft2", most=10**8)
def fft2(n: int) -> Case:
    return transform("fft2", power(n**0.5), power(n**0.5))


@row("rfft2", most=10**8)
def rfft2(n: int) -> Case:
    return transform("rfft2", power(n**0.5), power(n**0.5))


@row("rfft2 of 3 * 5 * 2^k squared", most=10**8)
def rfft2_mixed(n: int) -> Case:
    return transform("rfft2", *2 * (15 * power(max(2, n**0.5 / 15)),))


# ---- Small work ------------------------------------------------------------------------------------------


def statement(text: str, setup: str, **settings: int) -> Case:
    """A statement timed by timeit; with settings: recorded alone, and run outside the clock."""

    def timer(np: Any) -> Callable[[int], float]:
        names: dict[str, Any] = {"np": np}
        exec(setup, names)
        timed = timeit.Timer(text, globals=names)

        def run(repeats: int) -> float:
            if not hasattr(np, "synchronize"):
                return timed.timeit(repeats)
            np.synchronize()
            before = {name: np.settings()[name] for name in settings}
            np.settings(**settings)
            seconds = timed.timeit(repeats)
            if not settings:
                return seconds
            np.settings(**before)
            np.synchronize()
            return seconds

        return run

    return Case(timers={"numpy": timer, "cnumeric": timer})


ALONE = {"window_ops": 10**6, "period_ops": 0}
PAIR = "a, b = np.ones((100, 100)), np.ones((100, 100))"

for text in ("a + b", "a * 2.5", "a[1:-1, :-2]"):
    row(f"recording {text}", most=None)(lambda text=text: statement(text, PAIR, **ALONE))
for text in ("float(x[7])", "x[7] = 2.0", "x[1:-1]"):
    row(text, most=None)(lambda text=text: statement(text, "x = np.ones(100); float(x[0])"))


SYNCHRONIZE = "synchronize = getattr(np, 'synchronize', lambda: None)"
VECTORS = "x, y, i = np.arange(100) * 0.5, np.ones(100), np.arange(100); float(x[0] + y[0]), int(i[0])"

for text in ("float((x * y).sum())", "float(x.max())", "float(np.dot(x, y))", "float(x @ y)", "float((x - y)[3])"):
    row(f"read at once: {text}", most=None)(lambda text=text: statement(text, VECTORS))
ARRAYS = "np.zeros(100)", "np.ones(100)", "np.full(100, 0.5)", "np.arange(100)", "np.zeros_like(x)"
VALUES = "x + y", "np.exp(x)", "x[1:] - x[:-1]", "x.copy()", "x[i]", *ARRAYS
NAMED = [(text, f"result = {text}") for text in VALUES]  # nobody computes what nobody has
for name, text in [*NAMED, *[(text, text) for text in ("y[:] = x", "y[2:] += x[2:]")]]:
    row(f"run at once: {name}", most=None)(
        lambda text=text: statement(f"{text}; synchronize()", f"{VECTORS}; {SYNCHRONIZE}")
    )


@row("1000 x u = u + t, 100 elements", most=None)
def dependent() -> Case:
    def function(np: Any, u: Any, t: Any) -> float:
        for _ in range(1000):
            u = u + t
        return float(u[0])

    return Case(function, [numpy.ones(100), numpy.full(100, 0.5)])


SIDE = 200


@row(f"LU by slices, N = {SIDE}", most=None)
def lu() -> Case:
    return Case(lambda np, a: lu_slices.lu(a), [lu_slices.matrix(numpy, SIDE)])


@row(f"Cholesky by slices, N = {SIDE}", most=None)
def cholesky() -> Case:
    return Case(lu_slices.cholesky, [lu_slices.matrix(numpy, SIDE)])


@row(f"Gram-Schmidt by slices, N = {SIDE}", most=None)
def gram_schmidt() -> Case:
    def function(np: Any, a: Any) -> Any:
        q = a.copy()
        for k in range(SIDE):
            q[:, k] /= np.sqrt((q[:, k] * q[:, k]).sum())
            q[:, k + 1 :] -= q[:, k, None] * (q[:, k, None] * q[:, k + 1 :]).sum(axis=0)
        return q

    return Case(function, [lu_slices.matrix(numpy, SIDE)])


@row(f"Durbin, N = {SIDE}", most=None)
def durbin() -> Case:
    def function(np: Any, r: Any) -> Any:
        y = np.zeros_like(r)
        y[0] = alpha = -r[0]
        beta = 1.0
        for k in range(1, SIDE):
            beta *= 1.0 - alpha * alpha
            alpha = -(r[k] + (r[:k][::-1] * y[:k]).sum()) / beta
            y[:k] += alpha * y[:k][::-1]
            y[k] = alpha
        return y

    return Case(function, [0.3 / numpy.arange(1, SIDE + 1)])


@row("import", most=None)
def importing() -> Case:
    """With compiled modules, as an installer leaves them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def timer(np: Any) -> Callable[[int], float]:
        def run(repeats: int) -> float:
            start = time.perf_counter()
            for _ in range(repeats):
                subprocess.run([sys.executable, "-c", f"import {np.__name__}"], check=True, env=environment)
            return time.perf_counter() - start

        return run

    return Case(timers={"numpy": timer, "cnumeric": timer})
