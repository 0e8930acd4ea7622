"""Eigenvalues and vectors of symmetric tridiagonal matrices, by divide and conquer (Cuppen; Gu and Eisenstat 1995).

A matrix is two smaller ones and what couples them, a matrix of rank one. With their eigenvalues d and vectors that is
diag(d) + rho z z^T, whose eigenvalues are the roots of a secular equation, one between two neighbours of d each. Only
vectors of n numbers, and blocks of a few columns, are at the root; eigenvectors are arrays whose rows places have.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy

from . import _cnumeric
from ._blocked import ours, quiet
from ._creation import zeros

_matmul = _cnumeric.matmul
LEAF = 128  # rows that the root solves as a whole
_COLUMNS = 256  # of a block at the root
_STEPS = 200  # towards a root, most; a few are enough
EPS = numpy.finfo(float).eps


@dataclasses.dataclass
class _Solved:
    """Ascending eigenvalues; the first and last rows of the vectors, and all of them if they are wanted."""

    values: Any
    first: Any
    last: Any
    vectors: Any


@quiet
def solve(diagonal: Any, beside: Any, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues, ascending, of NumPy's arrays, and vectors as an array of ours (None if not wanted)."""
    scale = max(abs(diagonal).max(), abs(beside).max(initial=0)) or 1.0
    found = _solve(diagonal / scale, beside / scale, vectors)
    return found.values * scale, found.vectors


def _solve(d: Any, e: Any, vectors: bool) -> _Solved:
    n = len(d)
    if n <= LEAF:
        values, found = numpy.linalg.eigh(numpy.diag(d) + numpy.diag(e, -1))
        return _Solved(values, found[0], found[-1], ours(found) if vectors else None)
    half = n // 2
    rho = abs(e[half - 1])
    above, below = d[:half].copy(), d[half:].copy()
    above[-1] -= rho
    below[0] -= rho
    parts = _solve(above, e[: half - 1], vectors), _solve(below, e[half:], vectors)
    return _merge(*parts, rho, numpy.copysign(1.0, e[half - 1]))


# ---- Two parts become one ----------------------------------------------------------------------------------


def rotate(i: int, k: int, c: float, s: float, *arrays: Any) -> None:
    """Columns i and k become c i + s k and c k - s i; of each array that is not None."""
    for x in arrays:
        if x is not None:
            first = x[:, i].copy()
            x[:, i], x[:, k] = c * first + s * x[:, k], c * x[:, k] - s * first


def _merge(a: _Solved, b: _Solved, rho: float, sign: float) -> _Solved:
    d = numpy.concatenate([a.values, b.values])
    z = numpy.concatenate([a.last, sign * b.first]) * numpy.sqrt(0.5)
    m, n = len(a.values), len(d)
    rows, vectors = numpy.zeros((2, n)), None
    rows[0, :m], rows[1, m:] = a.first, b.last
    if a.vectors is not None:
        vectors = zeros((n, n))
        vectors[:m, :m] = a.vectors
        vectors[m:, m:] = b.vectors
    tolerance = 8 * EPS * max(abs(d).max(), abs(z).max())
    order = numpy.argsort(d, kind="stable")
    kept = deflate(d, z, tolerance, order[2 * rho * abs(z[order]) > tolerance], rows, vectors)
    secular = Secular(d, z, 2 * rho, numpy.array(kept, int))
    rows = secular.multiply(rows)
    if vectors is not None:
        vectors = _matmul(vectors, secular.vectors())
    return _Solved(secular.all_values, rows[0], rows[1], vectors)


def deflate(d: Any, z: Any, tolerance: float, order: Any, *columns: Any) -> list[int]:
    """What stays coupled of `order`, by ascending d. Of two almost equal d, one does not, once columns have turned."""
    kept: list[int] = []
    for k in order.tolist():
        if kept:
            i = kept[-1]
            size = numpy.hypot(z[i], z[k])
            c, s = z[k] / size, -z[i] / size
            if abs((d[k] - d[i]) * c * s) <= tolerance:
                rotate(i, k, c, s, *columns)
                z[i], z[k] = 0, size
                d[i], d[k] = d[i] * c * c + d[k] * s * s, d[i] * s * s + d[k] * c * c
                kept.pop()
        kept.append(k)
    return kept


# ---- The secular equation ----------------------------------------------------------------------------------


class Secular:
    """Roots of 1 + rho sum(z^2 / (d - x)), of the d that `kept` numbers, ascending.

    Each is known as the pole next to it and what it lies beyond that. Vectors are columns in the order of all values,
    those of the d that stand alone among them.
    """

    def __init__(self, d: Any, z: Any, rho: float, kept: Any) -> None:
        self.poles, self._squares, self._rho = d[kept], z[kept] ** 2, rho
        self._kept, self._rows = kept, len(d)
        k = len(kept)
        self.origin, self.beyond = numpy.empty(k, int), numpy.empty(k)
        for begin in range(0, k, _COLUMNS):
            self._roots(numpy.arange(begin, min(begin + _COLUMNS, k)))
        self._weights = numpy.copysign(self._weights_of_roots(), z[kept])
        self.values = self.poles[self.origin] + self.beyond
        self._alone = numpy.setdiff1d(numpy.arange(len(d)), kept)
        values = numpy.concatenate([self.values, d[self._alone]])
        self._order = numpy.argsort(values, kind="stable")
        self.all_values = values[self._order]

    def apart(self, poles: Any, origin: Any, beyond: Any) -> Any:
        """Poles less roots, which lie so far beyond their origins."""
        return (poles - origin) - beyond

    def reach(self) -> Any:
        """How far the last root may lie beyond the last pole."""
        return self._rho * self._squares.sum()

    def moved(self, origin: Any, x: Any, step: Any) -> Any:
        """What lies beyond the origins once roots have made a step."""
        return x + step

    def _terms(self, origin: Any, x: Any) -> tuple[Any, Any]:
        """d - root, and z^2 / that, for roots so far beyond their poles: a column for each."""
        distance = self.apart(self.poles[:, None], self.poles[origin], x)
        return distance, self._squares[:, None] / distance

    def _roots(self, which: Any) -> None:
        """Between bounds that close in, by the interpolation that keeps both neighbouring poles ("middle way")."""
        d, rho, k = self.poles, self._rho, len(self.poles)
        last = which == k - 1
        above = numpy.where(last, which, which + 1).clip(max=k - 1)
        gap = numpy.where(last, self.reach(), d[above] - d[which])
        _, terms = self._terms(which, gap / 2)
        right = (1 + rho * terms.sum(axis=0) < 0) & ~last
        origin = numpy.where(right, above, which)
        far = numpy.where(last, gap * (1 + 4 * EPS), gap / 2)
        low, high = numpy.where(right, -far, 0.0), numpy.where(right, 0.0, far)
        x = numpy.where(last, gap / 2, numpy.where(right, -gap / 4, gap / 4))
        todo = numpy.arange(len(which))
        for _ in range(_STEPS):
            distance, terms = self._terms(origin[todo], x[todo])
            value = 1 + rho * terms.sum(axis=0)
            size = 1 + rho * abs(terms).sum(axis=0)
            low[todo] = numpy.where(value < 0, x[todo], low[todo])
            high[todo] = numpy.where(value < 0, high[todo], x[todo])
            going = abs(value) > 4 * EPS * size
            step = self._step(which[todo], distance, terms, value)
            tried = self.moved(d[origin[todo]], x[todo], step)
            inside = (tried > low[todo]) & (tried < high[todo])
            middle = _between(low[todo], high[todo])
            tried = numpy.where(inside, tried, middle)
            going &= (tried != x[todo]) & (tried > low[todo]) & (tried < high[todo])
            x[todo[going]] = tried[going]
            todo = todo[going]
            if not todo.size:
                break
        self.origin[which], self.beyond[which] = origin, x

    def _step(self, which: Any, distance: Any, terms: Any, value: Any) -> Any:
        columns, rho = numpy.arange(len(which)), self._rho
        slopes = rho * terms / distance
        up_to = numpy.arange(len(self.poles))[:, None] <= which
        left, right = numpy.where(up_to, slopes, 0).sum(axis=0), numpy.where(up_to, 0, slopes).sum(axis=0)
        near = distance[which, columns]
        other = distance[numpy.minimum(which + 1, len(self.poles) - 1), columns]
        a = (near + other) * value - near * other * (left + right)
        b = near * other * value
        c = value - near * left - other * right
        root = numpy.sqrt(numpy.maximum(a * a - 4 * b * c, 0))
        return numpy.where(a <= 0, (a - root) / (2 * c), 2 * b / (a + root))

    def _weights_of_roots(self) -> Any:
        """Sizes of the z whose roots these are to the last digit: with them vectors are orthogonal."""
        d, k = self.poles, len(self.poles)
        made = numpy.empty(k)
        for begin in range(0, k, _COLUMNS):
            rows = numpy.arange(begin, min(begin + _COLUMNS, k))
            ratios = self.apart(d[rows, None], d[self.origin], self.beyond)
            below = numpy.arange(k - 1) < rows[:, None]
            ratios[:, :-1] /= self.apart(d[rows, None], numpy.where(below, d[:-1], d[1:]), 0)
            made[rows] = numpy.sqrt(abs(ratios.prod(axis=1) / self._rho))
        return made

    def multiply(self, rows: Any) -> Any:
        """A few rows times the vectors, at the root."""
        made = numpy.empty((len(rows), self._rows))
        for begin in range(0, len(self._kept), _COLUMNS):
            block = slice(begin, min(begin + _COLUMNS, len(self._kept)))
            distance = self.apart(self.poles[:, None], self.poles[self.origin[block]], self.beyond[block])
            vectors = self._weights[:, None] / distance
            made[:, block] = rows[:, self._kept] @ (vectors / numpy.linalg.norm(vectors, axis=0))
        made[:, len(self._kept) :] = rows[:, self._alone]
        return made[:, self._order]

    def _spread(self) -> tuple[Any, Any, Any]:
        """Vectors of no certain length, spread as such an array is; who is coupled; and where ones of the others are.

        Rows and columns that are not of the equation get no weight, and poles far away.
        """
        far = 1 + 4 * abs(self.values).max(initial=0) + 4 * abs(self.poles).max(initial=0)
        poles, weights = numpy.full(self._rows, far), numpy.zeros(self._rows)
        poles[self._kept], weights[self._kept] = self.poles, self._weights
        none, order = numpy.zeros(len(self._alone)), self._order
        origins = ours(numpy.concatenate([self.poles[self.origin], none - 2 * far])[order])
        beyond = ours(numpy.concatenate([self.beyond, none])[order])
        coupled = ours(numpy.concatenate([numpy.ones(len(self._kept)), none])[order])
        unit = ours(numpy.concatenate([numpy.full(len(self._kept), -1), self._alone])[order])
        made = coupled * ours(weights)[:, None] / self.apart(ours(poles)[:, None], origins, beyond)
        return made, coupled, _cnumeric.arange(self._rows)[:, None] == unit

    def vectors(self) -> Any:
        """The vectors, spread as such an array is."""
        made, _, ones = self._spread()
        return normal(made, ones)


def normal(made: Any, ones: Any) -> Any:
    """Columns of length one; those with ones have nothing else."""
    made[...] = _cnumeric.where(ones, 1.0, made)
    made /= _cnumeric.sqrt((made * made).sum(axis=0))
    return made


def _between(low: Any, high: Any) -> Any:
    """Halfway as floating-point numbers go, of bounds on one side of 0: as many lie below as above."""
    sign = numpy.where(high > 0, 1.0, -1.0)
    halves = (abs(low).view("i8") >> 1) + (abs(high).view("i8") >> 1)
    return sign * halves.view("f8")
