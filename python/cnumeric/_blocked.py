"""Factorisations of matrices that several places have rows of, by blocks of columns: no place ever has a whole one.

The root factorises what is small, a block of the diagonal or a panel of the rows below it (n x block elements). All
else is products, of which every place does the rows that it has. So operands are views of arrays with as many rows as
the matrix, which are cut as it is, and products go into such arrays: their rows are where they are used. What travels
is panels. Nothing here warns of floating-point events, as nothing in NumPy's linalg does.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._creation import empty, zeros

_arange = _cnumeric.arange
_matmul = _cnumeric.matmul
quiet = numpy.errstate(all="ignore")


LEAST = 128  # columns of a block; a matrix that is no larger is the root's


def _block(n: int) -> int:
    """Columns that are factorised at once: so few that a panel is small, so many that products are fast."""
    return LEAST if n < 4096 else 2 * LEAST


def _steps(n: int) -> list[tuple[int, int]]:
    size = _block(n)
    return [(begin, min(begin + size, n)) for begin in range(0, n, size)]


def at_root(part: Any) -> Any:
    """The values of a small part, in NumPy's memory: a copy, since memory that is shown has all of its array."""
    return numpy.asarray(part.copy())


def ours(values: Any) -> Any:
    """NumPy's small array as one of ours: a copy, since what touches memory of others runs at once."""
    return _cnumeric.array(values, copy=True)


def adjoint(part: Any) -> Any:
    """The transposed matrix of conjugates, or each of a stack."""
    turned = part.swapaxes(-1, -2)
    return turned.conj() if part.dtype.kind == "c" else turned


class Workspace:
    """Rows for products, cut as the matrix is: whoever has a row of the matrix has the same one here."""

    def __init__(self, n: int, columns: int, dtype: Any) -> None:
        self.wide = max(1, min(columns, max(_block(n), n // 8)))
        self.made, self.left = empty((n, self.wide), dtype), empty((n, self.wide), dtype)

    def _pieces(self, columns: int) -> list[slice]:
        return [slice(begin, min(begin + self.wide, columns)) for begin in range(0, columns, self.wide)]

    def subtract(self, target: Any, first: int, left: Any, right: Any) -> None:
        """Subtract left @ right from target, rows `first` and following, some columns at a time."""
        for some in self._pieces(target.shape[1]):
            product = self.made[first : first + len(target), : some.stop - some.start]
            _matmul(left, right[:, some], out=product)
            target[:, some] -= product

    def solve(self, matrix: Any, right: Any, first: int) -> None:
        """Solve in place with a small triangle, by its inverse; what that leaves is solved for: no digits are lost."""
        triangle, inverse = ours(matrix), ours(numpy.linalg.inv(matrix))
        for some in self._pieces(right.shape[1]):
            view = slice(first, first + len(right)), slice(0, some.stop - some.start)
            x, rest = self.made[view], self.left[view]
            _matmul(inverse, right[:, some], out=x)
            _matmul(triangle, x, out=rest)
            right[:, some] -= rest
            _matmul(inverse, right[:, some], out=rest)
            right[:, some] = x + rest


# ---- Cholesky ----------------------------------------------------------------------------------------------


@quiet
def cholesky(a: Any) -> Any:
    """The lower factor of a Hermitian matrix, of which the lower triangle is read."""
    n = len(a)
    factor = zeros((n, n), a.dtype)
    size = _block(n)
    panel, product = empty((n, size), a.dtype), empty((n, size), a.dtype)
    for begin, end in _steps(n):
        rest, made = panel[begin:, : end - begin], product[begin:, : end - begin]
        rest[...] = a[begin:, begin:end]
        if begin:
            _matmul(factor[begin:, :begin], adjoint(factor[begin:end, :begin]), out=made)
            rest -= made
        diagonal = numpy.linalg.cholesky(at_root(rest[: end - begin]))
        factor[begin:end, begin:end] = diagonal
        if end < n:
            _solve_rows(diagonal, rest[end - begin :], made[end - begin :], factor[end:, begin:end])
    return factor


def _solve_rows(diagonal: Any, right: Any, work: Any, out: Any) -> None:
    """The solution of out @ diagonal^H = right, of many rows: by the inverse, and what that leaves is solved for."""
    inverse, matrix = ours(adjoint(numpy.linalg.inv(diagonal))), ours(adjoint(diagonal))
    _matmul(right, inverse, out=out)
    _matmul(out, matrix, out=work)
    right -= work
    _matmul(right, inverse, out=work)
    out += work


# ---- LU ----------------------------------------------------------------------------------------------------


def _pivot_size(column: Any) -> Any:
    return abs(column.real) + abs(column.imag) if column.dtype.kind == "c" else abs(column)


def _panel(a: Any, pivots: Any) -> None:
    """Factorise a panel in place, with the greatest of each column in turn as pivot, by halves of its columns."""
    columns = a.shape[1]
    half = columns // 2
    if columns > 8:
        left, right = a[:, :half], a[:, half:]
        _panel(left, pivots[:half])
        _exchange(right, pivots[:half])
        right[:half] = numpy.linalg.solve(numpy.tril(left[:half], -1) + numpy.eye(half), right[:half])
        right[half:] -= left[half:] @ right[:half]
        _panel(right[half:], pivots[half:])
        _exchange(left[half:], pivots[half:])
        pivots[half:] += half
        return
    for k in range(columns):
        pivots[k] = k + _pivot_size(a[k:, k]).argmax()
        if pivots[k] != k:
            a[[k, pivots[k]]] = a[[pivots[k], k]]
        if a[k, k] != 0:
            a[k + 1 :, k] /= a[k, k]
            a[k + 1 :, k + 1 :] -= a[k + 1 :, k, None] * a[k, k + 1 :]


def _exchange(rows: Any, pivots: Any) -> None:
    for k, pivot in enumerate(pivots):
        if pivot != k:
            rows[[k, pivot]] = rows[[pivot, k]]


class Factors:
    """A matrix with its rows in the order of pivots: the product of both triangles of `lu`, in blocks."""

    def __init__(self, a: Any) -> None:
        n = len(a)
        self.lu = _cnumeric.array(a, order="C", copy=True)
        self.order = numpy.arange(n)
        self.odd = False
        self.diagonals: list[Any] = []
        work = Workspace(n, n, a.dtype)
        for begin, end in _steps(n):
            self._step(begin, end, work)

    def _step(self, begin: int, end: int, work: Workspace) -> None:
        lu, columns = self.lu, end - begin
        panel = numpy.array(at_root(lu[begin:, begin:end]), order="F")
        pivots = numpy.zeros(columns, int)
        _panel(panel, pivots)
        moved = numpy.arange(len(panel))
        _exchange(moved, pivots)
        self.odd ^= bool((pivots != numpy.arange(columns)).sum() % 2)
        self.order[begin:] = self.order[begin:][moved]
        rows = numpy.flatnonzero(moved != numpy.arange(len(moved)))
        if rows.size:
            lu[begin + rows] = lu[begin + moved[rows]]
        lu[begin:, begin:end] = panel
        self.diagonals.append(panel[:columns].copy())
        if end < len(lu):
            work.solve(self._lower(-1), lu[begin:end, end:], begin)
            work.subtract(lu[end:, end:], end, lu[end:, begin:end], lu[begin:end, end:])

    def _lower(self, block: int) -> Any:
        diagonal = self.diagonals[block]
        return numpy.tril(diagonal, -1) + numpy.eye(len(diagonal))

    @property
    def diagonal(self) -> Any:
        """That of the upper triangle."""
        return numpy.concatenate([block.diagonal() for block in self.diagonals])

    def solve(self, x: Any) -> None:
        """Right-hand sides, with rows in the order of pivots, become the solutions."""
        n, columns = x.shape
        work = Workspace(n, columns, x.dtype)
        steps = _steps(n)
        for k, (begin, end) in enumerate(steps):
            work.solve(self._lower(k), x[begin:end], begin)
            if end < n:
                work.subtract(x[end:], end, self.lu[end:, begin:end], x[begin:end])
        for k, (begin, end) in reversed(list(enumerate(steps))):
            work.solve(numpy.triu(self.diagonals[k]), x[begin:end], begin)
            if begin:
                work.subtract(x[:begin], 0, self.lu[:begin, begin:end], x[begin:end])


def _regular(a: Any) -> Factors:
    factors = Factors(a)
    if (factors.diagonal == 0).any():
        raise numpy.linalg.LinAlgError("Singular matrix")
    return factors


@quiet
def solve(a: Any, b: Any) -> Any:
    """The solution for right-hand sides that are columns."""
    factors = _regular(a)
    x = _cnumeric.array(b[factors.order], order="C")
    factors.solve(x)
    return x


@quiet
def inv(a: Any) -> Any:
    """The inverse."""
    factors = _regular(a)
    n = len(a)
    x = zeros((n, n), a.dtype)
    x[_arange(n), ours(factors.order)] = 1
    factors.solve(x)
    return x


@quiet
def sign_log(a: Any) -> tuple[Any, Any]:
    """Sign and logarithm of the size of the determinant."""
    factors = Factors(a)
    diagonal = factors.diagonal
    size = abs(diagonal)
    sign = (diagonal / size).prod() if (size != 0).all() else diagonal.dtype.type(0)
    return -sign if factors.odd else sign, numpy.log(size).sum()
