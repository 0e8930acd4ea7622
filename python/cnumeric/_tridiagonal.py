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
_LEAF = 128  # rows that the root solves as a whole
_COLUMNS = 256  # of a block at the root
_STEPS = 200  # towards a root, most; a few are enough
_EPS = numpy.finfo(float).eps


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
    if n <= _LEAF:
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


class _Columns:
    """The vectors of both parts side by side, or their outer rows alone."""

    def __init__(self, a: _Solved, b: _Solved) -> None:
        m, n = len(a.values), len(b.values)
        self.rows = numpy.zeros((2, m + n))
        self.rows[0, :m], self.rows[1, m:] = a.first, b.last
        self.all = None
        if a.vectors is not None:
            self.all = zeros((m + n, m + n))
            self.all[:m, :m] = a.vectors
            self.all[m:, m:] = b.vectors

    def rotate(self, i: int, k: int, c: float, s: float) -> None:
        """Columns i and k become c i + s k and c k - s i."""
        for x in (self.rows, self.all):
            if x is not None:
                first = x[:, i].copy()
                x[:, i], x[:, k] = c * first + s * x[:, k], c * x[:, k] - s * first


def _merge(a: _Solved, b: _Solved, rho: float, sign: float) -> _Solved:
    d = numpy.concatenate([a.values, b.values])
    z = numpy.concatenate([a.last, sign * b.first]) * numpy.sqrt(0.5)
    columns = _Columns(a, b)
    kept = _deflate(d, z, 2 * rho, columns)
    alone = numpy.setdiff1d(numpy.arange(len(d)), kept)
    secular = _Secular(d, z, 2 * rho, kept)
    values = numpy.concatenate([secular.values, d[alone]])
    order = numpy.argsort(values, kind="stable")
    rows = numpy.hstack([secular.multiply(columns.rows), columns.rows[:, alone]])[:, order]
    if columns.all is not None:
        columns.all = _matmul(columns.all, secular.vectors(alone, order))
    return _Solved(values[order], rows[0], rows[1], columns.all)


def _deflate(d: Any, z: Any, rho: float, columns: _Columns) -> Any:
    """Numbers of what is coupled, by ascending d. Of two almost equal d, one is so no more once columns have turned."""
    tolerance = 8 * _EPS * max(abs(d).max(), abs(z).max())
    order = numpy.argsort(d, kind="stable")
    kept: list[int] = []
    for k in order[rho * abs(z[order]) > tolerance].tolist():
        if kept:
            i = kept[-1]
            size = numpy.hypot(z[i], z[k])
            c, s = z[k] / size, -z[i] / size
            if abs((d[k] - d[i]) * c * s) <= tolerance:
                columns.rotate(i, k, c, s)
                z[i], z[k] = 0, size
                d[i], d[k] = d[i] * c * c + d[k] * s * s, d[i] * s * s + d[k] * c * c
                kept.pop()
        kept.append(k)
    return numpy.array(kept, int)


# ---- The secular equation ----------------------------------------------------------------------------------


class _Secular:
    """Roots of 1 + rho sum(z^2 / (d - x)), of the d that `kept` numbers, ascending.

    Each is known as the pole next to it and what it lies beyond that.
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

    def _terms(self, origin: Any, x: Any) -> tuple[Any, Any]:
        """d - root, and z^2 / that, for roots so far beyond their poles: a column for each."""
        distance = (self.poles[:, None] - self.poles[origin]) - x
        return distance, self._squares[:, None] / distance

    def _roots(self, which: Any) -> None:
        """Between bounds that close in, by the interpolation that keeps both neighbouring poles ("middle way")."""
        d, rho, k = self.poles, self._rho, len(self.poles)
        last = which == k - 1
        above = numpy.where(last, which, which + 1).clip(max=k - 1)
        gap = numpy.where(last, rho * self._squares.sum(), d[above] - d[which])
        _, terms = self._terms(which, gap / 2)
        right = (1 + rho * terms.sum(axis=0) < 0) & ~last
        origin = numpy.where(right, above, which)
        far = numpy.where(last, gap * (1 + 4 * _EPS), gap / 2)
        low, high = numpy.where(right, -far, 0.0), numpy.where(right, 0.0, far)
        x = numpy.where(last, gap / 2, numpy.where(right, -gap / 4, gap / 4))
        todo = numpy.arange(len(which))
        for _ in range(_STEPS):
            distance, terms = self._terms(origin[todo], x[todo])
            value = 1 + rho * terms.sum(axis=0)
            size = 1 + rho * abs(terms).sum(axis=0)
            low[todo] = numpy.where(value < 0, x[todo], low[todo])
            high[todo] = numpy.where(value < 0, high[todo], x[todo])
            going = abs(value) > 4 * _EPS * size
            step = self._step(which[todo], distance, terms, value)
            tried = x[todo] + step
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
            ratios = (d[self.origin] - d[rows, None]) + self.beyond
            below = numpy.arange(k - 1) < rows[:, None]
            ratios[:, :-1] /= numpy.where(below, d[:-1], d[1:]) - d[rows, None]
            made[rows] = numpy.sqrt(abs(ratios.prod(axis=1) / self._rho))
        return made

    def multiply(self, rows: Any) -> Any:
        """A few rows times the vectors, at the root."""
        made = numpy.empty((len(rows), len(self._kept)))
        for begin in range(0, len(self._kept), _COLUMNS):
            block = slice(begin, begin + _COLUMNS)
            distance = (self.poles[:, None] - self.poles[self.origin[block]]) - self.beyond[block]
            vectors = self._weights[:, None] / distance
            made[:, block] = rows[:, self._kept] @ (vectors / numpy.linalg.norm(vectors, axis=0))
        return made

    def vectors(self, alone: Any, order: Any) -> Any:
        """The vectors as columns, then those of the d that are alone, in this order, spread as such an array is.

        Rows and columns that are not of the equation get no weight, and poles far away.
        """
        far = 1 + 4 * abs(self.values).max(initial=0) + 4 * abs(self.poles).max(initial=0)
        poles, weights = numpy.full(self._rows, far), numpy.zeros(self._rows)
        poles[self._kept], weights[self._kept] = self.poles, self._weights
        none = numpy.zeros(len(alone))
        origins = ours(numpy.concatenate([self.poles[self.origin], none - far])[order])
        beyond = ours(numpy.concatenate([self.beyond, none])[order])
        coupled = ours(numpy.concatenate([numpy.ones(len(self._kept)), none])[order])
        unit = ours(numpy.concatenate([numpy.full(len(self._kept), -1), alone])[order])
        made = coupled * ours(weights)[:, None] / ((ours(poles)[:, None] - origins) - beyond)
        made[...] = _cnumeric.where(_cnumeric.arange(self._rows)[:, None] == unit, 1.0, made)
        made /= _cnumeric.sqrt((made * made).sum(axis=0))
        return made


def _between(low: Any, high: Any) -> Any:
    """Halfway as floating-point numbers go, of bounds on one side of 0: as many lie below as above."""
    sign = numpy.where(high > 0, 1.0, -1.0)
    halves = (abs(low).view("i8") >> 1) + (abs(high).view("i8") >> 1)
    return sign * halves.view("f8")
