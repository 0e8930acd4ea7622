"""Singular values and vectors of matrices that several places have rows of, and least squares.

The matrix becomes bidiagonal by Householder's reflections from both sides: the root has a panel of columns and one of
rows, each place multiplies its rows of the rest by two vectors for every column, and updates them once a panel. The
bidiagonal matrix is solved by divide and conquer (_bidiagonal.py); its vectors are reflected back, a panel at a time.
Of a matrix that is several times as tall as wide that is done to its triangular factor.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _bidiagonal, _cnumeric
from ._blocked import LEAST, Workspace, adjoint, at_root, ours, quiet
from ._composed import is_spread
from ._creation import empty, eye, zeros
from ._orthogonal import Reflections, reflection, scale_of, triangle, with_squares

_matmul = _cnumeric.matmul
_ufunc: Any = _cnumeric  # its ufuncs are not in the stub
_PANEL = 32  # columns, and rows
_TALL = 4  # times as many rows as columns, and the triangular factor comes first


# ---- A bidiagonal matrix -----------------------------------------------------------------------------------


class _Panel:
    """Columns and rows [begin, end) of what is left; with v y^H + x u^H it is what reflections leave of it."""

    def __init__(self, a: Any, begin: int, end: int) -> None:
        self._rest = a[begin:, begin:]
        self._columns, self._rows = at_root(a[begin:, begin:end]), at_root(a[begin:end, begin:])
        m, n = self._rest.shape
        self.v, self.x = (numpy.zeros((m, end - begin), a.dtype) for _ in range(2))
        self.y, self.u = (numpy.zeros((n, end - begin), a.dtype) for _ in range(2))
        self.taus = numpy.zeros((2, end - begin), a.dtype)  # of columns, of rows

    def column(self, k: int) -> float:
        """Reflect column k from the left; gives what is left on the diagonal."""
        v, x, y, u = self.v[:, :k], self.x[:, :k], self.y[:, :k], self.u[:, :k]
        column = self._columns[k:, k] - v[k:] @ y[k].conj() - x[k:] @ u[k].conj()
        made, tau = _reflected(column, self.v[k:, k])
        self.taus[0, k] = tau
        if k + 1 < len(self.y):
            vector = self.v[k:, k]
            self.y[k + 1 :, k] = tau * (
                at_root((self._rest[k:, k + 1 :] * ours(vector.conj())[:, None]).sum(axis=0)).conj()
                - y[k + 1 :] @ (v[k:].conj().T @ vector)
                - u[k + 1 :] @ (x[k:].conj().T @ vector)
            )
        return made

    def row(self, k: int) -> float:
        """Reflect row k from the right; gives what is left beside the diagonal."""
        v, x, y, u = self.v[:, : k + 1], self.x[:, :k], self.y[:, : k + 1], self.u[:, :k]
        row = self._rows[k, k + 1 :] - v[k] @ y[k + 1 :].conj().T - x[k] @ u[k + 1 :].conj().T
        made, tau = _reflected(row.conj(), self.u[k + 1 :, k])
        self.taus[1, k] = tau
        vector = self.u[k + 1 :, k]
        self.x[k + 1 :, k] = tau * (
            at_root(_matmul(self._rest[k + 1 :, k + 1 :], ours(vector)))
            - v[k + 1 :] @ (y[k + 1 :].conj().T @ vector)
            - x[k + 1 :] @ (u[k + 1 :].conj().T @ vector)
        )
        return made


def _reflected(given: Any, vector: Any) -> tuple[float, Any]:
    """What reflecting the vector leaves of its head, and tau; `vector` becomes the reflection's."""
    given = with_squares(given)
    rest = given[1:]
    made, tau, factor = reflection(given[0], (rest * rest.conj()).real.sum())
    vector[0], vector[1:] = 1, rest * factor
    return float(made.real), tau


class _Bidiagonal:
    """A matrix, no wider than tall, as Q B P^H: B's diagonals, and reflections whose products are Q and P.

    The vectors of Q lie below the diagonal and on it, those of P in the rows above.
    """

    def __init__(self, a: Any) -> None:
        self._a = _cnumeric.array(a, order="C", copy=True)
        self.scale = scale_of(self._a)
        if self.scale != 1:
            self._a /= self.scale
        m, n = a.shape
        self.diagonal, self.above = numpy.zeros(n), numpy.zeros(n - 1)
        self._taus = numpy.zeros((2, n), a.dtype)
        self._work, self._panel = Workspace(m, n, a.dtype), empty((m, 2 * _PANEL), a.dtype)
        for begin, end in self._steps():
            self._reduce(begin, end)

    def _steps(self) -> list[tuple[int, int]]:
        n = self._a.shape[1]
        return [(begin, min(begin + _PANEL, n)) for begin in range(0, n, _PANEL)]

    def _reduce(self, begin: int, end: int) -> None:
        a, columns = self._a, end - begin
        panel = _Panel(a, begin, end)
        for k in range(columns):
            self.diagonal[begin + k] = panel.column(k)
            if begin + k < len(self.above):
                self.above[begin + k] = panel.row(k)
        self._taus[:, begin:end] = panel.taus
        a[begin:, begin:end] = panel.v
        a[begin:end, begin:end] += numpy.triu(panel.u[:columns].T, 1)
        a[begin:end, end:] = panel.u[columns:].T
        left = self._panel[end:, : 2 * columns]
        left[...] = numpy.hstack([panel.v, panel.x])[columns:]
        self._work.subtract(a[end:, end:], end, left, ours(numpy.hstack([panel.y, panel.u])[columns:].conj().T))

    def _vectors(self, begin: int, end: int, right: bool) -> Any:
        """A panel's, with the zeros before them."""
        a = self._a
        lying = a[begin:end, begin:].T if right else a[begin:, begin:end]
        vectors = self._panel[begin : begin + len(lying), : end - begin]
        vectors[...] = lying
        top = at_root(vectors[: end - begin])
        vectors[: end - begin] = numpy.tril(top, -1 if right else 0)
        return vectors

    def turn(self, target: Any, right: bool) -> None:
        """Multiply by Q, or P (right), in place: an array of as many rows."""
        for begin, end in reversed(self._steps()):
            vectors, rows = self._vectors(begin, end, right), target[begin:]
            t = triangle(vectors, self._taus[int(right), begin:end])
            self._work.subtract(rows, begin, vectors, _matmul(t, _matmul(adjoint(vectors), rows)))


def _by_both_sides(a: Any, vectors: bool, columns: int) -> tuple[Any, Any, Any]:
    """Left vectors, so many columns; values; right vectors."""
    m, n = a.shape
    reduced = _Bidiagonal(a)
    if not (numpy.isfinite(reduced.diagonal).all() and numpy.isfinite(reduced.above).all()):
        if vectors or bool(_ufunc.isnan(a).any()):
            raise numpy.linalg.LinAlgError("SVD did not converge")
        return None, numpy.full(n, numpy.nan), None  # as LAPACK does
    u, s, v = _bidiagonal.solve(reduced.diagonal, reduced.above, vectors)
    s = s * reduced.scale
    if not vectors:
        return None, s, None
    left = _beside_ones(u, m, columns, a.dtype)
    del u
    reduced.turn(left, False)
    right = _cnumeric.array(v, dtype=a.dtype, order="C")
    del v
    reduced.turn(right, True)
    return left, s, right


def _beside_ones(square: Any, rows: int, columns: int, dtype: Any) -> Any:
    """An array with the square matrix in its first corner, then ones on the diagonal."""
    n = len(square)
    made = zeros((rows, columns), dtype)
    made[:n, :n] = square
    if columns > n:
        made[n:columns, n:] = eye(columns - n, dtype=dtype)
    return made


# ---- Matrices of any shape ---------------------------------------------------------------------------------


def _is_small(r: Any) -> bool:
    return len(r) <= LEAST or not is_spread(r.nbytes)


@quiet
def svd(a: Any, vectors: bool, square: bool) -> tuple[Any, Any, Any]:
    """Singular value decomposition: u, s (NumPy's), vt; without vectors s alone. square: u and vt are to be."""
    m, n = a.shape
    if m < n:
        u, s, vt = svd(adjoint(a), vectors, square)
        return (adjoint(vt), s, adjoint(u)) if vectors else (None, s, None)
    columns = m if square else n
    if m < _TALL * n:
        u, s, v = _by_both_sides(a, vectors, columns)
        return u, s, adjoint(v) if vectors else None
    factors = Reflections(a)
    r = factors.r(n)
    if not _is_small(r):
        small, s, vt = svd(r, vectors, False)
    elif vectors:
        small, s, vt = numpy.linalg.svd(at_root(r))
    else:
        small, s, vt = None, numpy.linalg.svd(at_root(r), compute_uv=False), None
    if not vectors:
        return None, s, None
    u = _beside_ones(small, m, columns, a.dtype)
    factors.turn(u, False)
    return u, s, vt


@quiet
def least_squares(a: Any, b: Any, rcond: float) -> tuple[Any, Any, Any, Any]:
    """For right-hand sides that are columns: solutions, squares left, rank, singular values."""
    m, n = a.shape
    if not bool(_ufunc.isfinite(a).all()):
        raise numpy.linalg.LinAlgError("SVD did not converge in Linear Least Squares")
    if m < _TALL * n:
        return _by_vectors(a, b, rcond)
    factors = Reflections(a)
    turned = _cnumeric.array(b, order="C", copy=True)
    factors.turn(turned, True)
    r, top, rest = factors.r(n), turned[:n], turned[n:]
    if _is_small(r):
        x, _, rank, s = numpy.linalg.lstsq(at_root(r), at_root(top), rcond)
    else:
        x, _, rank, s = _by_vectors(r, top, rcond)
    return x, _squares(rest), rank, s


def _by_vectors(a: Any, b: Any, rcond: float) -> tuple[Any, Any, Any, Any]:
    u, s, vt = svd(a, True, False)
    kept = s > s[0] * (rcond if rcond >= 0 else numpy.finfo(s.dtype).eps)
    coefficients = _matmul(adjoint(u), b)
    coefficients *= ours(numpy.where(kept, 1 / numpy.where(kept, s, 1), 0))[:, None]
    x = _matmul(adjoint(vt), coefficients)
    return x, _squares(b - _matmul(a, x)), numpy.int32(kept.sum()), s


def _squares(rest: Any) -> Any:
    """Sums of squares of columns."""
    squares = rest.real**2 + rest.imag**2 if rest.dtype.kind == "c" else rest * rest
    return numpy.asarray(squares.sum(axis=0))
