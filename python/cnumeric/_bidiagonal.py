"""Singular values and vectors of bidiagonal matrices, by divide and conquer (Gu and Eisenstat 1995).

A matrix with a column more than rows, or as many, is two smaller ones of the first kind (the last: of its own) and a
row between them. With their values d and vectors that row is z and all else diag(d): the squares of singular values are
the roots of a secular equation in the squares of d. As in _tridiagonal.py the root has vectors of n numbers and blocks
of a few columns; singular vectors are arrays whose rows places have, both kinds orthogonal however small their values.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy

from . import _cnumeric
from ._blocked import ours, quiet
from ._creation import eye, zeros
from ._tridiagonal import EPS, LEAF, Secular, deflate, normal, rotate

_matmul = _cnumeric.matmul
_SMALL = 1e-100  # beside a matrix of elements up to 1, and has a square


@dataclasses.dataclass
class _Solved:
    """Values, ascending; vectors as columns, None if they are not wanted."""

    values: Any
    ends: Any  # first and last row of the right vectors
    null: Any  # the right vector of no value, if there is a column more than rows
    left: Any
    right: Any


@quiet
def solve(diagonal: Any, above: Any, vectors: bool) -> tuple[Any, Any, Any]:
    """Of a square matrix, NumPy's arrays: left vectors, values, descending, right vectors (None if not wanted)."""
    scale = max(abs(diagonal).max(), abs(above).max(initial=0)) or 1.0
    found = _solve(diagonal / scale, above / scale, vectors)
    values = found.values[::-1] * scale
    return (found.left[:, ::-1], values, found.right[:, ::-1]) if vectors else (None, values, None)


def _solve(d: Any, e: Any, vectors: bool) -> _Solved:
    n = len(d)
    if n <= LEAF:
        matrix = numpy.zeros((n, n + (len(e) == n)))
        matrix[numpy.arange(n), numpy.arange(n)] = d
        matrix[numpy.arange(len(e)), numpy.arange(len(e)) + 1] = e
        left, values, right = numpy.linalg.svd(matrix)
        null, right = right[n:].ravel(), right[:n][::-1].T
        some = (ours(left[:, ::-1]), ours(right)) if vectors else (None, None)
        return _Solved(values[::-1], right[[0, -1]], null, *some)
    if not (d.any() or e.any()):
        return _nothing(n, len(e) + 1 - n, vectors)
    middle = n // 2
    parts = [_solve(d[:middle], e[:middle], vectors), _solve(d[middle + 1 :], e[middle + 1 :], vectors)]
    return _merge(parts, d[middle], e[middle])


def _nothing(n: int, more: int, vectors: bool) -> _Solved:
    """Of zeros."""
    ends, null = numpy.zeros((2, n)), numpy.zeros(n + 1)[: (n + 1) * more]
    ends[0, 0], ends[1, n - 1], null[n:] = 1, 1 - more, 1
    return _Solved(numpy.zeros(n), ends, null, *((eye(n), eye(n + more, n)) if vectors else (None, None)))


def _merge(parts: list[_Solved], alpha: float, beta: float) -> _Solved:
    """Two parts, which are taken, and a row between: alpha in the last column of one, beta in the other's first."""
    b, a = parts.pop(), parts.pop()
    m, n = len(a.values), len(a.values) + 1 + len(b.values)
    c, s = alpha * a.null[-1], beta * (b.null[0] if b.null.size else 0.0)
    size = numpy.hypot(c, s)
    c, s = (c / size, s / size) if size else (1.0, 0.0)
    d = numpy.concatenate([a.values, [0.0], b.values])
    z = numpy.concatenate([alpha * a.ends[1], [size], beta * b.ends[0]])
    column = numpy.concatenate([c * a.null, s * b.null if b.null.size else numpy.zeros(len(b.values))])
    null = numpy.concatenate([-s * a.null, c * b.null]) if b.null.size else b.null
    ends = numpy.zeros((2, n))
    ends[0, :m], ends[:, m], ends[1, m + 1 :] = a.ends[0], column[[0, -1]], b.ends[1]
    left = right = None
    if a.left is not None:
        left, right = zeros((n, n)), zeros((len(column), n))
        left[:m, :m], left[m, m], left[m + 1 :, m + 1 :] = a.left, 1, b.left
        right[: m + 1, :m], right[:, m], right[m + 1 :, m + 1 :] = a.right, ours(column), b.right
    del a, b
    kept = _deflate(d, z, m, left, ends, right)
    secular = _Squares(d, z, 1.0, numpy.array(kept, int))
    if left is not None:
        left = _matmul(left, secular.left_vectors(m))
        right = _matmul(right, secular.vectors())
    return _Solved(secular.all_values, secular.multiply(ends), null, left, right)


def _deflate(d: Any, z: Any, middle: int, left: Any, ends: Any, right: Any) -> list[int]:
    """Numbers of what is coupled, by ascending d, the middle row first, whose d is 0 and whose z is not."""
    tolerance = 8 * EPS * max(d.max(), abs(z).max(), _SMALL)
    order = numpy.argsort(d, kind="stable")
    order = order[(order != middle) & (abs(z[order]) > tolerance)]
    z[middle] = max(z[middle], 2 * tolerance)
    for k in order.tolist():
        size = numpy.hypot(z[middle], z[k])
        if d[k] * abs(z[k]) <= tolerance * size:
            c, s = z[middle] / size, z[k] / size
            rotate(middle, k, c, s, ends, right)
            z[middle], z[k], d[k] = size, 0, d[k] * c
    return [middle, *deflate(d, z, tolerance, order[abs(z[order]) > tolerance], left, ends, right)]


class _Squares(Secular):
    """Roots of 1 + sum(z^2 / (d^2 - x^2)); the first d is 0."""

    def apart(self, poles: Any, origin: Any, beyond: Any) -> Any:
        return ((poles - origin) - beyond) * (poles + (origin + beyond))

    def reach(self) -> Any:
        last, squares = self.poles[-1], self._squares.sum()
        return squares / (last + numpy.sqrt(last * last + squares))

    def moved(self, origin: Any, x: Any, step: Any) -> Any:
        root = origin + x
        return x + step / (root + numpy.sqrt(numpy.maximum(root * root + step, 0)))

    def left_vectors(self, middle: int) -> Any:
        """The left ones, as the matrix makes them of the right ones."""
        made, coupled, ones = self._spread()
        poles = numpy.zeros(self._rows)
        poles[self._kept] = self.poles
        made *= ours(poles)[:, None]
        made[middle] = -coupled
        return normal(made, ones)
