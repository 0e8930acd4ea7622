"""Eigenvalues and vectors of Hermitian matrices that several places have rows of.

The matrix becomes tridiagonal by Householder's reflections, a panel of columns after the other: the root has the panel,
each place multiplies its rows of the rest by a vector for every column, and updates them once a panel. The tridiagonal
matrix is solved by divide and conquer (_tridiagonal.py); its vectors are reflected back, a panel at a time.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric, _tridiagonal
from ._blocked import Workspace, adjoint, at_root, ours, quiet
from ._creation import empty, full
from ._manipulation import tril
from ._orthogonal import reflection, scale_of, triangle, with_squares

_arange = _cnumeric.arange
_matmul = _cnumeric.matmul
_PANEL = 32  # columns


def _whole(a: Any, upper: bool) -> Any:
    """The Hermitian matrix of which one triangle is given, as a new array. Its diagonal is real."""
    lower = tril(adjoint(a) if upper else a, -1)
    whole = _cnumeric.array(lower + adjoint(lower), order="C")
    along = _arange(len(a))
    whole[along, along] = a.diagonal().real
    return whole


class _Tridiagonal:
    """A matrix as Q T Q^H: the diagonals of T, and reflections whose product is Q, their vectors below the diagonal."""

    def __init__(self, a: Any) -> None:
        n = len(a)
        self._a = a
        self.diagonal, self.beside = numpy.zeros(n), numpy.zeros(n - 1)
        self._taus = numpy.zeros(n - 1, a.dtype)
        self._update = empty((n, 2 * _PANEL), a.dtype)
        self._work = Workspace(n, n, a.dtype)
        for begin, end in self._steps():
            self._reduce(begin, end)
        self.diagonal[-1] = at_root(a[-1:, -1]).real[0]

    def _steps(self) -> list[tuple[int, int]]:
        last = len(self._a) - 1
        return [(begin, min(begin + _PANEL, last)) for begin in range(0, last, _PANEL)]

    def _reduce(self, begin: int, end: int) -> None:
        """Columns [begin, end), and what they do to those behind."""
        a, columns = self._a, end - begin
        panel = at_root(a[begin:, begin:end])
        v, w = (numpy.zeros((len(panel), columns), panel.dtype) for _ in range(2))
        for k in range(columns):
            column = panel[k:, k] - v[k:, :k] @ w[k, :k].conj() - w[k:, :k] @ v[k, :k].conj()
            self.diagonal[begin + k] = column[0].real
            column = with_squares(column)
            below = column[2:]
            made, tau, factor = reflection(column[1], (below * below.conj()).real.sum())
            self.beside[begin + k], self._taus[begin + k] = made.real, tau
            v[k + 1, k] = 1
            v[k + 2 :, k] = below * factor
            vector = v[k + 1 :, k]
            x = at_root(_matmul(a[begin + k + 1 :, begin + k + 1 :], ours(vector)))
            x -= v[k + 1 :, :k] @ (w[k + 1 :, :k].conj().T @ vector) + w[k + 1 :, :k] @ (
                v[k + 1 :, :k].conj().T @ vector
            )
            x *= tau
            w[k + 1 :, k] = x - (0.5 * tau * (x.conj() @ vector)) * vector
        a[begin:, begin:end] = v
        rest = a[end:, end:]
        left = self._update[end:, : 2 * columns]
        left[...] = numpy.hstack([v, w])[columns:]
        self._work.subtract(rest, end, left, ours(numpy.hstack([w, v])[columns:].conj().T))

    def turn(self, target: Any) -> None:
        """Multiply by Q in place: an array of as many rows as the matrix."""
        for begin, end in reversed(self._steps()):
            vectors, rows = self._a[begin:, begin:end], target[begin:]
            t = triangle(vectors, self._taus[begin:end])
            self._work.subtract(rows, begin, vectors, _matmul(t, _matmul(adjoint(vectors), rows)))


@quiet
def eigh(a: Any, upper: bool, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues, ascending, and vectors (None if not wanted) of a matrix of which one triangle is read."""
    whole = _whole(a, upper)
    scale = scale_of(whole)
    if scale != 1:
        whole /= scale
    reduced = _Tridiagonal(whole)
    if not (numpy.isfinite(reduced.diagonal).all() and numpy.isfinite(reduced.beside).all()):
        if not vectors:
            raise numpy.linalg.LinAlgError("Eigenvalues did not converge")
        return full(len(a), numpy.nan), full(a.shape, numpy.nan, a.dtype)  # as LAPACK does
    values, found = _tridiagonal.solve(reduced.diagonal, reduced.beside, vectors)
    if vectors:
        found = _cnumeric.asarray(found, dtype=a.dtype, order="C")
        reduced.turn(found)
    return _cnumeric.array(values * scale), found
