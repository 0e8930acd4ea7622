"""Matrices of which several places have rows, as Q H Q^H with nothing below the diagonal beside H's.

Householder's reflections, a panel of columns after the other: the root has the panel and what its reflections make of
the matrix from the right, of n x 32 elements each; for every column each place multiplies its rows by a vector.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._blocked import Workspace, adjoint, at_root, ours
from ._creation import empty, eye
from ._manipulation import triu
from ._orthogonal import reflection, triangle, with_squares

_matmul = _cnumeric.matmul
_PANEL = 32  # columns


class Hessenberg:
    """The matrix, which is taken: H as far as it goes, below it the vectors of the reflections whose product is Q."""

    def __init__(self, a: Any) -> None:
        n = len(a)
        self._a = a
        self._taus = numpy.zeros(max(n - 2, 0), a.dtype)
        self._work, self._update = Workspace(n, n, a.dtype), empty((n, _PANEL), a.dtype)
        for begin, end in self._steps():
            self._reduce(begin, end)

    def _steps(self) -> list[tuple[int, int]]:
        last = len(self._a) - 2
        return [(begin, min(begin + _PANEL, last)) for begin in range(0, last, _PANEL)]

    def _reduce(self, begin: int, end: int) -> None:
        """Columns [begin, end); y is the matrix times v t, of which the reflections are I - v t v^H."""
        a, first, columns = self._a, begin + 1, end - begin
        panel = at_root(a[:, begin:end])
        y, v = numpy.zeros_like(panel), numpy.zeros_like(panel[first:])
        t = numpy.zeros((columns, columns), panel.dtype)
        for k in range(columns):
            column = panel[:, k]
            if k > 0:
                column -= y[:, :k] @ v[k - 1, :k].conj()
            below = column[first:]
            below -= v[:, :k] @ (t[:k, :k].conj().T @ (v[:, :k].conj().T @ below))
            rest = with_squares(below[k:])
            made, tau, factor = reflection(rest[0], (rest[1:] * rest[1:].conj()).real.sum())
            v[k, k], v[k + 1 :, k] = 1, rest[1:] * factor
            below[k], below[k + 1 :] = made, v[k + 1 :, k]
            before = v[:, :k].conj().T @ v[:, k]
            t[:k, k], t[k, k] = -tau * (t[:k, :k] @ before), tau
            y[:, k] = tau * (at_root(_matmul(a[:, first + k :], ours(v[k:, k]))) - y[:, :k] @ before)
            self._taus[begin + k] = tau
        a[:, begin:end] = panel
        vectors, rest = self._update, a[:, end:]
        vectors[:, :columns] = y
        self._work.subtract(rest, 0, vectors[:, :columns], ours(v[columns - 1 :].conj().T))
        vectors[first:, :columns] = v
        vectors, rest = vectors[first:, :columns], rest[first:]
        self._work.subtract(rest, first, vectors, _matmul(ours(t.conj().T), _matmul(adjoint(vectors), rest)))

    def q(self) -> Any:
        """Q, a new array."""
        q = _cnumeric.array(eye(len(self._a), dtype=self._a.dtype))
        for begin, end in reversed(self._steps()):
            first, columns = begin + 1, end - begin
            vectors, rows = self._update[first:, :columns], q[first:]
            vectors[...] = self._a[first:, begin:end]
            top = at_root(vectors[:columns])
            vectors[:columns] = numpy.tril(top, -1) + numpy.eye(columns)
            t = triangle(vectors, self._taus[begin:end])
            self._work.subtract(rows, first, vectors, _matmul(t, _matmul(adjoint(vectors), rows)))
        return q

    def h(self) -> Any:
        """H, a new array."""
        return _cnumeric.array(triu(self._a, -1))
