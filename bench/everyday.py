"""Rows of everyday things on large arrays, for bench/gpus.py: name, log2 of elements, what makes them.

A row's make(np, x) has x, an array of 2**bits doubles of [0, 1), and gives a function and what it works on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Made = tuple[Callable[..., Any], list[Any]]
ROWS: list[tuple[str, int, Callable[[Any, Any], Made]]] = []


def row(name: str, bits: int) -> Callable[[Callable[[Any, Any], Made]], Callable[[Any, Any], Made]]:
    """Register a row."""

    def register(make: Callable[[Any, Any], Made]) -> Callable[[Any, Any], Made]:
        ROWS.append((name, bits, make))
        return make

    return register


def on(name: str, bits: int, function: Callable[..., Any], shape: tuple[int, ...] = (-1,)) -> None:
    """A row of a function of (np, x), with x of this shape."""
    row(name, bits)(lambda np, x: (lambda y: function(np, y), [x.reshape(shape)]))


def whole(np: Any, x: Any, most: int) -> Any:
    """Whole numbers below most."""
    return (x * most).astype("i8")


# ---- Reductions and accumulations along axes ---------------------------------------------------------------

on("max of few rows", 28, lambda np, x: x.max(axis=0), (1024, -1))
on("mean of few rows", 28, lambda np, x: x.mean(axis=0), (4096, -1))
on("var of few rows", 28, lambda np, x: x.var(axis=0), (4096, -1))
on("sum of 64 rows", 28, lambda np, x: x.sum(axis=0), (64, -1))
on("sum of 8 rows", 28, lambda np, x: x.sum(axis=0), (8, -1))
row("sum of a middle axis", 28)(
    lambda np, x: (lambda y: y.sum(axis=1), [x[: len(x) // 3072 * 3072].reshape(3, 1024, -1)])
)
on("any(axis=0)", 28, lambda np, x: (x > 0.9).any(axis=0), (8192, -1))
on("prod of few rows", 28, lambda np, x: x.prod(axis=0), (4096, -1))
on("argmax", 28, lambda np, x: x.argmax())
on("argmax(axis=0)", 27, lambda np, x: x.argmax(axis=0), (8192, -1))
on("argmax(axis=1)", 28, lambda np, x: x.argmax(axis=1), (8192, -1))
on("cumsum(axis=0)", 28, lambda np, x: np.cumsum(x, axis=0), (8192, -1))
on("cumsum(axis=1)", 28, lambda np, x: np.cumsum(x, axis=1), (8192, -1))
on("maximum.accumulate(0)", 27, lambda np, x: np.maximum.accumulate(x, axis=0), (8192, -1))

# ---- Elements chosen, moved, sorted ------------------------------------------------------------------------


@row("take rows", 28)
def _take_rows(np: Any, x: Any) -> Made:
    x = x.reshape(-1, 1024)
    return lambda x, index: x[index], [x, whole(np, x[:, 0], len(x))]


@row("put by mask", 28)
def _put_mask(np: Any, x: Any) -> Made:
    def put(x: Any) -> Any:
        x[x > 0.5] = 0.25
        return x

    return put, [x]


@row("searchsorted", 26)
def _search(np: Any, x: Any) -> Made:
    return np.searchsorted, [np.sort(x[: len(x) // 64]), x]


@row("bincount", 26)
def _bincount(np: Any, x: Any) -> Made:
    return lambda x: np.bincount(x, minlength=1000), [whole(np, x, 1000)]


on("argsort", 26, lambda np, x: np.argsort(x))
on("unique", 26, lambda np, x: np.unique(x))
on("sort of 64 lines", 26, lambda np, x: np.sort(x, axis=-1), (64, -1))
on("sort of short lines", 24, lambda np, x: np.sort(x, axis=-1), (-1, 4096))
on("percentile", 26, lambda np, x: np.percentile(x, 90))
on("median(axis=0)", 24, lambda np, x: np.median(x, axis=0), (64, -1))
on("histogram", 26, lambda np, x: np.histogram(x, 100, (0, 1))[0])
on("nonzero", 27, lambda np, x: np.nonzero(x > 0.5)[0])
on("repeat", 27, lambda np, x: np.repeat(x, 2))
on("roll", 28, lambda np, x: np.roll(x, 12345))
on("roll rows", 28, lambda np, x: np.roll(x, 1000, axis=0), (8192, -1))
on("concatenate", 27, lambda np, x: np.concatenate([x, x]))
on("flip", 28, lambda np, x: np.ascontiguousarray(x[::-1]))
on("add a row", 28, lambda np, x: x + x[7], (8192, -1))
on("add a column", 28, lambda np, x: x + x[:, 7:8], (8192, -1))
on("differences", 28, lambda np, x: np.diff(x))
on("every second", 28, lambda np, x: x[::2] + x[1::2])
on("convolution", 28, lambda np, x: x[:-4] + 2 * x[1:-3] + 3 * x[2:-2] + 2 * x[3:-1] + x[4:])
on("astype float32", 28, lambda np, x: x.astype("f4"))

# ---- Linear algebra, transforms, random numbers --------------------------------------------------------------

on("tall @ small", 27, lambda np, x: x @ x[:128], (-1, 128))
on("tall.T @ tall", 27, lambda np, x: x.T @ x, (-1, 128))
on("small @ flat", 27, lambda np, x: x[:, :128] @ x, (128, -1))
on("matrix @ vector", 28, lambda np, x: x @ x[0], (16384, -1))
on("vector @ matrix", 28, lambda np, x: x[:, 0] @ x, (16384, -1))
on("stack @ stack", 26, lambda np, x: x @ x, (-1, 128, 128))
on("einsum ij,ij->i", 28, lambda np, x: np.einsum("ij,ij->i", x, x), (16384, -1))
on("einsum bij,bjk->bik", 26, lambda np, x: np.einsum("bij,bjk->bik", x, x), (-1, 64, 64))
on("fft", 25, lambda np, x: np.fft.fft(x))
on("rfft of lines", 27, lambda np, x: np.fft.rfft(x, axis=-1), (8192, -1))


def square(np: Any, x: Any) -> Any:
    """A matrix that is positive definite."""
    n = int(len(x) ** 0.5)
    x = x[: n * n].reshape(n, n)
    return x + x.T + 4 * n * np.eye(n)


row("solve", 25)(lambda np, x: (lambda a: np.linalg.solve(a, a[0]), [square(np, x)]))
row("cholesky", 25)(lambda np, x: (np.linalg.cholesky, [square(np, x)]))
row("solve a stack", 24)(
    lambda np, x: (np.linalg.solve, [x.reshape(-1, 32, 32) + 32 * np.eye(32), x.reshape(-1, 32, 32)])
)
row("random", 27)(lambda np, x: (lambda r: r.random(x.size), [np.random.default_rng(7)]))
row("standard_normal", 25)(lambda np, x: (lambda r: r.standard_normal(x.size), [np.random.default_rng(7)]))
