"""Orthogonal factors of matrices that several places have rows of: Householder's reflections, as LAPACK has them.

Columns are reduced one after the other, some of them (a panel) before the rest of the matrix, which then takes their
reflections together: I - V T V^H, V the panel's vectors and T small. All of it is sums over rows, products and updates,
of which each place does its rows; the root sees a number or two a column, and squares as wide as a panel.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._blocked import Workspace, adjoint, at_root, ours, quiet
from ._creation import empty, eye
from ._manipulation import triu

_matmul = _cnumeric.matmul
_PANEL = 64  # columns


def scale_of(a: Any) -> float:
    """A power of two; numbers divided by it have squares."""
    most = float(abs(a).max())
    return 2.0 ** numpy.floor(numpy.log2(most)) if 0 < most < numpy.inf and not 1e-100 < most < 1e100 else 1.0


def with_squares(column: Any) -> Any:
    """The column without elements whose squares would lose digits: beside the matrix they are nothing."""
    return numpy.where(abs(column) < 1e-140, 0, column)


def reflection(head: Any, square: Any) -> tuple[Any, Any, Any]:
    """What a column's head becomes, if the squares below sum up to that; tau; what makes a vector of the rest."""
    if square == 0 and head.imag == 0:
        return head, head.dtype.type(0), head.dtype.type(1)
    made = -numpy.copysign(numpy.sqrt(abs(head) ** 2 + square), head.real).astype(head.dtype)
    return made, (made - head) / made, 1 / (head - made)


def triangle(vectors: Any, taus: Any) -> Any:
    """T of the product of some reflections, one after the other, which is I - V T V^H."""
    products = numpy.asarray(_matmul(adjoint(vectors), vectors))
    t = numpy.zeros_like(products)
    for k, tau in enumerate(taus):
        t[:k, k] = -tau * (t[:k, :k] @ products[:k, k])
        t[k, k] = tau
    return ours(t)


class Reflections:
    """A matrix of which R is the upper triangle and the vectors lie below, and the factors tau of reflections."""

    @quiet
    def __init__(self, a: Any) -> None:
        self.scale = scale_of(a)
        self.qr = _cnumeric.array(a, order="C", copy=True)
        if self.scale != 1:
            self.qr /= self.scale
        rows, columns = a.shape
        self.least = min(rows, columns)
        self.taus = numpy.zeros(self.least, a.dtype)
        self.small: list[Any] = []
        self._panel = empty((rows, _PANEL), a.dtype)
        self._work = Workspace(rows, columns, a.dtype)
        for begin, end in self._steps():
            self._reduce(begin, end)
            self._apply(-1, begin, end, self.qr[begin:, end:], True)

    def _steps(self) -> list[tuple[int, int]]:
        return [(begin, min(begin + _PANEL, self.least)) for begin in range(0, self.least, _PANEL)]

    def _reduce(self, begin: int, end: int) -> None:
        panel = self._panel[begin:, : end - begin]
        panel[...] = self.qr[begin:, begin:end]
        for k in range(end - begin):
            self.taus[begin + k] = _reduce_column(panel, k)
        self.qr[begin:, begin:end] = panel
        self.small.append(triangle(self._vectors(begin, end), self.taus[begin:end]))

    def _vectors(self, begin: int, end: int) -> Any:
        """A panel's vectors, each with its one and the zeros before it."""
        vectors = self._panel[begin:, : end - begin]
        vectors[...] = self.qr[begin:, begin:end]
        top = at_root(vectors[: end - begin])
        vectors[: end - begin] = numpy.tril(top, -1) + numpy.eye(len(top))
        return vectors

    def _apply(self, panel: int, begin: int, end: int, target: Any, turned: bool) -> None:
        """Reflect target's columns, whose rows are those from `begin` on; turned: in the other order."""
        if target.shape[1] == 0:
            return
        vectors, t = self._panel[begin:, : end - begin], self.small[panel]
        t = adjoint(t) if turned else t
        self._work.subtract(target, begin, vectors, _matmul(t, _matmul(adjoint(vectors), target)))

    @quiet
    def turn(self, target: Any, turned: bool) -> None:
        """Multiply by Q, or its adjoint (turned), in place: an array of as many rows as the matrix."""
        steps = list(enumerate(self._steps()))
        for panel, (begin, end) in steps if turned else reversed(steps):
            self._vectors(begin, end)
            self._apply(panel, begin, end, target[begin:], turned)

    def q(self, columns: int) -> Any:
        """The first columns of Q."""
        q = _cnumeric.array(eye(len(self.qr), columns, dtype=self.qr.dtype))
        self.turn(q, False)
        return q

    def r(self, rows: int) -> Any:
        """The first rows of R."""
        made = triu(self.qr[:rows])
        return made if self.scale == 1 else made * self.scale


def _reduce_column(panel: Any, k: int) -> Any:
    """Reflect column k and those behind it; gives tau."""
    below = panel[k + 1 :]
    row = panel[k, k:].copy()
    column = below[:, k, None].conj() if row.dtype.kind == "c" else below[:, k, None]
    dots = numpy.asarray((below[:, k:] * column).sum(axis=0))  # a place hands on a row, whatever the length
    row = numpy.array(row)
    row[0], tau, scale = reflection(row[0], dots[0].real)
    change = tau.conj() * (row[1:] + scale.conj() * dots[1:])
    row[1:] -= change
    panel[k, k:] = row
    if len(below):
        vector = below[:, k] * scale
        if len(change):
            below[:, k + 1 :] -= vector[:, None] * ours(change)
        below[:, k] = vector
    return tau
