"""Eigenvalues and vectors of any square matrix of which several places have rows.

Hessenberg form (_hessenberg.py), Schur form (_schur.py), then vectors of the triangle by substitution, some rows at a
time: the root has these rows of all vectors, each place multiplies its rows by what is known of them.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._blocked import at_root, ours, quiet
from ._creation import zeros
from ._hessenberg import Hessenberg
from ._manipulation import triu
from ._orthogonal import scale_of
from ._schur import Schur

_matmul = _cnumeric.matmul
_ufunc: Any = _cnumeric  # its ufuncs are not in the stub
_ROWS = 64  # of a substitution
_EPS = numpy.finfo(float).eps
_LARGE = 1e60  # a vector that comes to more is made shorter
_ROUNDS = 12  # of scaling
_NEAR = 0.95  # what a scaling is to gain


@quiet
def eig(a: Any, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues, and vectors as columns (None if not wanted): real if the matrix and all values are, else complex."""
    if not bool(_ufunc.isfinite(a).all()):
        raise numpy.linalg.LinAlgError("Array must not contain infs or NaNs")
    work = _cnumeric.array(a, order="C", copy=True)
    scale = scale_of(work)
    if scale != 1:
        work /= scale
    order = _order(work)
    if (order[1:] < order[:-1]).any():
        work = work[ours(order)][:, ours(order)]
    weights = _balance(work)
    reduced = Hessenberg(work)
    del work
    q, h = reduced.q() if vectors else None, reduced.h()
    del reduced
    schur = Schur(h, q)
    del q, h
    values, second = _values(schur)
    if not vectors:
        return _cnumeric.array(values * scale), None
    found = _vectors(schur, values) * ours(weights)[:, None]
    if (order[1:] < order[:-1]).any():
        found = found[ours(numpy.argsort(order))]
    return _cnumeric.array(values * scale), _turn(found, second)


# ---- What is a triangle already, and rows and columns of one size ------------------------------------------


def _order(a: Any) -> Any:
    """An order of rows and columns, in which those that are of a triangle, whatever the rest, are at the ends."""
    along = _cnumeric.arange(len(a))
    there = (a != 0) & (along[:, None] != along)
    rows, columns = numpy.array(there.sum(axis=1)), numpy.array(there.sum(axis=0))
    left = numpy.ones(len(a), bool)
    first: list[Any] = []
    last: list[Any] = []
    for counts, others, ends, turned in ((rows, columns, last, there), (columns, rows, first, there.T)):
        some = numpy.flatnonzero(left & (counts == 0))
        while some.size and left.any():
            ends.append(some)
            left[some] = False
            others -= numpy.asarray(turned[ours(some)].sum(axis=0))
            counts -= numpy.asarray(turned[:, ours(some)].sum(axis=1))
            some = numpy.flatnonzero(left & (counts == 0))
    return numpy.concatenate([*first, numpy.flatnonzero(left), *last[::-1]])


def _balance(a: Any) -> Any:
    """Divide rows and multiply columns, in place, by powers of two, so that they are about as long; these numbers."""
    weights = numpy.ones(len(a))
    for _ in range(_ROUNDS):
        squares = a.real * a.real + a.imag * a.imag if a.dtype.kind == "c" else a * a
        columns, rows = (numpy.sqrt(numpy.asarray(squares.sum(axis=axis))) for axis in (0, 1))
        some = (columns > 0) & (rows > 0) & numpy.isfinite(columns) & numpy.isfinite(rows)
        columns, rows = numpy.where(some, columns, 1), numpy.where(some, rows, 1)
        by = 2.0 ** numpy.clip(numpy.rint(numpy.log2(rows / columns) / 4), -30, 30)
        by[columns * by + rows / by > _NEAR * (columns + rows)] = 1
        by[abs(numpy.log2(weights * by)) > 300] = 1
        if (by == 1).all():
            break
        weights *= by
        a *= ours(by)
        a /= ours(by)[:, None]
    return weights


# ---- Values ------------------------------------------------------------------------------------------------


def _values(schur: Schur) -> tuple[Any, Any]:
    """All values; which of them are the second of a pair."""
    values, second = schur.diagonal.copy(), numpy.zeros(len(schur.diagonal), bool)
    first = numpy.flatnonzero(schur.beside)
    if first.size:
        above = at_root(schur.h.diagonal(1))[first]
        imaginary = numpy.sqrt(abs(above)) * numpy.sqrt(abs(schur.beside[first]))
        values = values.astype(complex)
        values[first] += 1j * imaginary
        values[first + 1] -= 1j * imaginary
        second[first + 1] = True
    return values, second


# ---- Vectors -----------------------------------------------------------------------------------------------


def _vectors(schur: Schur, values: Any) -> Any:
    """Of the Hessenberg form, of no certain length."""
    n = len(values)
    first = numpy.flatnonzero(schur.beside)
    t, z = triu(schur.h), schur.vectors
    schur.h = schur.vectors = None
    if first.size:
        pairs = _Pairs(first, at_root(t.diagonal(1))[first], values[first].imag, n)
        t[ours(first + 1), ours(first)] = ours(schur.beside[first])
        t = pairs.rows(pairs.columns(t))
        z = pairs.columns(z)
    return _matmul(z, _substitute(t, values))


class _Pairs:
    """Two real rows and columns of a pair of values become complex ones of a triangle, by (b, i m; i m, b) / length."""

    def __init__(self, first: Any, above: Any, imaginary: Any, n: int) -> None:
        length = numpy.hypot(above, imaginary)
        self._own, self._next, self._last = numpy.ones(n), numpy.zeros(n, complex), numpy.zeros(n, complex)
        self._own[first] = self._own[first + 1] = above / length
        self._next[first] = self._last[first + 1] = 1j * imaginary / length

    def columns(self, x: Any) -> Any:
        made = x * ours(self._own + 0j)
        made[:, :-1] += x[:, 1:] * ours(self._next[:-1])
        made[:, 1:] += x[:, :-1] * ours(self._last[1:])
        return made

    def rows(self, x: Any) -> Any:
        made = x * ours(self._own)[:, None]
        made[:-1] += x[1:] * ours(self._next[:-1].conj())[:, None]
        made[1:] += x[:-1] * ours(self._last[1:].conj())[:, None]
        return made


def _substitute(t: Any, values: Any) -> Any:
    """Vectors of a triangle with these values on its diagonal, as columns, which are a triangle too."""
    n = len(values)
    x = zeros((n, n), values.dtype)
    size = float(abs(t).max())
    least = numpy.maximum(_EPS * abs(values), 1e-140 * size) if size else numpy.ones(n)
    for begin in reversed(range(0, n, _ROWS)):
        end = min(begin + _ROWS, n)
        right = numpy.zeros((end - begin, n - begin), values.dtype)
        if end < n:
            right[:, end - begin :] = -at_root(_matmul(t[begin:end, end:], x[end:, end:]))
        rows, factors = _substitute_rows(at_root(t[begin:end, begin:end]), right, values[begin:], least[begin:])
        x[begin:end, begin:] = rows
        if end < n and (factors != 1).any():
            x[end:, begin:] *= ours(factors)
    return x


def _substitute_rows(t: Any, right: Any, values: Any, least: Any) -> tuple[Any, Any]:
    """Some rows at the root, of columns from the first of them on; what the rows behind are to be multiplied by."""
    x, factors = numpy.zeros_like(right), numpy.ones(right.shape[1])
    for r in reversed(range(len(right))):
        gap = values[r] - values[r + 1 :]
        gap = numpy.where(abs(gap) < least[r + 1 :], least[r + 1 :], gap)
        x[r, r] = 1
        x[r, r + 1 :] = (right[r, r + 1 :] - t[r, r + 1 :] @ x[r + 1 :, r + 1 :]) / gap
        size = abs(x[r])
        if size.max() > _LARGE:
            shorter = numpy.where(size > _LARGE, 1 / size, 1)
            for part in (x, right, factors):
                part *= shorter
    return x, factors


def _turn(x: Any, second: Any) -> Any:
    """Vectors become of length one; complex ones have a real largest element, and those of pairs are conjugate."""
    x /= abs(x).max(axis=0)
    squares = x.real * x.real + x.imag * x.imag if x.dtype.kind == "c" else x * x
    x /= _cnumeric.sqrt(squares.sum(axis=0))
    if x.dtype.kind != "c":
        return x
    along = _cnumeric.arange(len(second))
    largest = squares.argmax(axis=0)
    head = numpy.asarray(x[largest, along])
    x *= ours(numpy.where(second, 0, head.conj() / abs(head)))
    x[largest, along] = ours(numpy.where(second, 0, abs(head) + 0j))
    if second.any():
        x[:, 1:] += x[:, :-1].conj() * ours(second[1:])
    return x
