"""Schur forms of Hessenberg matrices of which several places have rows: multishift QR, aggressive early deflation.

The root works on windows along the diagonal, with LAPACK where a window converges (Braman, Byers and Mathias 2002);
what it does to one is an orthogonal matrix, by which each place multiplies its part of the rows and columns beside it.

Shifts go down as a chain of bulges, two shifts and four rows each, all of them a row at a time: reflections of one time
touch different rows. A window begins at the column that the last bulge's reflection clears, and ends at the last row
that the first one's touches, so nothing is below the diagonal beside a window.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._blocked import at_root, ours
from ._creation import empty
from ._fallback import Unsupported

_matmul = _cnumeric.matmul
_EPS = numpy.finfo(float).eps
_SMALL = 150  # rows that LAPACK does as a whole
_BULGE = 4  # rows
_TRIES = 6  # without deflation, then shifts are made up
_NO_LAPACK = -1000


def _lapack(kind: int, matrix: Any) -> Any:
    """What there is of one matrix of the root's, as NumPy's vector."""
    row = numpy.asarray(_cnumeric.each_matrix(kind, ours(matrix[None]), None))[0]
    if row[0] == _NO_LAPACK:
        raise Unsupported
    if row[0] != 0:
        raise numpy.linalg.LinAlgError("Eigenvalues did not converge")
    return row[1:]


class Schur:
    """The form in `h`, which is taken; `vectors`, those of the Hessenberg form, are multiplied by its vectors.

    Without vectors what is beside the blocks on the diagonal means nothing. What is below the diagonal is in `beside`
    alone: nothing but where two real rows have a pair of complex values.
    """

    def __init__(self, h: Any, vectors: Any) -> None:
        self.h, self.vectors = h, vectors
        n = len(h)
        self.diagonal, self.beside = at_root(h.diagonal()), at_root(h.diagonal(-1))
        size, chain = self._sizes(n)
        widest = max(_SMALL, size + 1, 3 * _BULGE * chain)  # of windows
        self._room = empty((n, max(widest, n // 4)), h.dtype)
        self._run()

    def _run(self) -> None:
        end, tried = len(self.h), 0
        while end > 0:
            self._forget(0, end)
            begin = self._begin(end)
            if end - begin <= _SMALL:
                self._finish(begin, end)
                end, tried = begin, 0
                continue
            size, chain = self._sizes(end - begin)
            found, shifts = self._deflate(begin, end, size)
            end -= found
            tried = 0 if found else tried + 1
            if tried > 10 * _TRIES:
                raise numpy.linalg.LinAlgError("Eigenvalues did not converge")
            if 100 * found <= 14 * size and end - begin > _SMALL:
                self._forget(begin, end)
                if self._begin(end) == begin:
                    self._sweep(begin, end, self._pairs(begin, end, shifts, chain, tried))

    def _sizes(self, rows: int) -> tuple[int, int]:
        """Of a window where values are looked for; of a chain of bulges, two shifts each."""
        chain = 8 if rows < 400 else 16 if rows < 3000 else 32
        return 3 * chain, chain

    # ---- What is below the diagonal --------------------------------------------------------------------------

    def _forget(self, begin: int, end: int) -> None:
        """What is nothing beside its neighbours on the diagonal, or, where these are nothing, below it."""
        d, e = abs(self.diagonal[begin:end]), self.beside[begin : end - 1]
        around = numpy.concatenate([[0], abs(e), [0]])
        size = d[:-1] + d[1:]
        size = numpy.where(size == 0, around[:-2] + around[2:], size)
        e[abs(e) <= numpy.maximum(_EPS * size, 1e-290)] = 0

    def _begin(self, end: int) -> int:
        """Of the block that ends there."""
        cuts = numpy.flatnonzero(self.beside[: end - 1] == 0)
        return int(cuts[-1]) + 1 if cuts.size else 0

    # ---- Windows -------------------------------------------------------------------------------------------

    def _window(self, begin: int, end: int) -> Any:
        return at_root(self.h[begin:end, begin:end])

    def _clean(self, begin: int, end: int) -> Any:
        """A window without bulges."""
        window, along = numpy.triu(self._window(begin, end)), numpy.arange(end - begin - 1)
        window[along + 1, along] = self.beside[begin : end - 1]
        return window

    def _put(self, begin: int, window: Any, q: Any, low: int, high: int) -> None:
        """A window has become this by q; so do, of rows and columns [low, high), those beside it."""
        h, end = self.h, begin + len(window)
        self.diagonal[begin:end] = window.diagonal()
        self.beside[begin : end - 1] = window.diagonal(-1)
        low, high = (0, len(h)) if self.vectors is not None else (low, high)
        q, turned = ours(q), ours(q.conj().T)
        h[begin:end, begin:end] = window
        wide = self._room.shape[1]
        for at in range(end, high, wide):
            part = h[begin:end, at : min(at + wide, high)]
            made = self._room[begin:end, : part.shape[1]]
            _matmul(turned, part, out=made)
            part[...] = made
        self._columns(h[low:begin, begin:end], low, q)
        if self.vectors is not None:
            self._columns(self.vectors[:, begin:end], 0, q)

    def _columns(self, part: Any, first: int, q: Any) -> None:
        if len(part):
            made = self._room[first : first + len(part), : part.shape[1]]
            _matmul(part, q, out=made)
            part[...] = made

    def _finish(self, begin: int, end: int) -> None:
        n = end - begin
        if n == 1:
            return
        t, z = _lapack(_cnumeric.EACH_SCHUR, self._clean(begin, end)).reshape(2, n, n)
        self._put(begin, t, z, begin, end)

    def _deflate(self, begin: int, end: int, size: int) -> tuple[int, Any]:
        """How many values the last rows have by themselves; those that they do not quite have, as shifts."""
        first = end - size - 1
        n = size + 1
        row = _lapack(_cnumeric.EACH_DEFLATE, self._clean(first, end))
        window, q = row[: 2 * n * n].reshape(2, n, n)
        count, found = row[2 * n * n : 2 * n * n + 2].real.astype(int).tolist()
        values = row[2 * n * n + 2 :].reshape(2, n).real
        self._put(first, window, q, begin, end)
        shifts = (values[0] + 1j * values[1])[n - found - count : n - found]
        return found, shifts

    # ---- Shifts --------------------------------------------------------------------------------------------

    def _pairs(self, begin: int, end: int, shifts: Any, most: int, tried: int) -> Any:
        """Shifts by twos: of a real matrix conjugates, or two real ones."""
        if tried % _TRIES == _TRIES - 1:  # as LAPACK makes them up
            at = numpy.arange(end - 1, end - 1 - most, -1)
            size = abs(self.beside[at - 1]) + abs(self.beside[at - 2])
            centre = self.diagonal[at] + 0.75 * size
            root = numpy.sqrt(-0.4375 + 0j) * size
            return numpy.stack([centre + root, centre - root], axis=1)
        if len(shifts) < most:
            shifts = numpy.linalg.eigvals(self._clean(end - 2 * most, end)).astype(complex)
        shifts = shifts[numpy.argsort(-abs(shifts), kind="stable")]
        if self.h.dtype.kind == "c":
            shifts = shifts[len(shifts) % 2 :]
            return shifts.reshape(-1, 2)[-most:]
        real, upper = shifts[shifts.imag == 0], shifts[shifts.imag > 0]
        real = real[len(real) % 2 :].reshape(-1, 2)
        pairs = numpy.concatenate([real, numpy.stack([upper, upper.conj()], axis=1)])
        return pairs[numpy.argsort(-abs(pairs).sum(axis=1), kind="stable")][-most:]

    # ---- A chain of bulges -----------------------------------------------------------------------------------

    def _sweep(self, begin: int, end: int, pairs: Any) -> None:
        """From the first row to the last. At time t bulge b has been where reflections of t - 4 b columns put it."""
        count = min(len(pairs), (end - begin) // (3 * _BULGE))
        pairs, columns = pairs[:count], end - 1 - begin
        last = columns + _BULGE * (count - 1)
        step = max(_BULGE * count, 32)
        for time in range(0, last, step):
            until = min(time + step, last)
            first = begin - 1 + max(0, time - _BULGE * (count - 1))
            first, behind = max(begin, first), min(end, begin + until + _BULGE)
            window, q = self._chase(first, behind, begin, columns, pairs, time, until)
            self._put(first, window, q, begin, end)

    def _chase(
        self, first: int, behind: int, begin: int, columns: int, pairs: Any, time: int, until: int
    ) -> tuple[Any, Any]:
        n = behind - first
        both = numpy.zeros((2 * n + 2, n + 2), self.h.dtype)  # a window with two rows and columns more, and q below it
        both[:n, :n] = self._window(first, behind)
        both[n + 2 + numpy.arange(n), numpy.arange(n)] = 1
        window = both[: n + 2]
        bulges, three = numpy.arange(len(pairs))[::-1], numpy.arange(1, _BULGE)
        for t in range(time, until):
            at = t - _BULGE * bulges
            some = (at >= 0) & (at < columns)
            at = at[some] + begin - 1 - first  # columns that reflections clear, in the window
            rows = at[:, None] + three
            x = window[rows, numpy.maximum(at, 0)[:, None]]
            new = int(t - _BULGE * bulges[some][0] == 0)
            if new:
                x[0] = _first_column(window[:3, :3], pairs[bulges[some][0]])
            v, tau, made = _reflections(x)
            touched = slice(at[0] + 1, at[-1] + 1 + _BULGE)
            part = window[touched].reshape(len(at), _BULGE, -1)[:, :3]
            part -= (tau.conj()[:, None] * v)[:, :, None] * numpy.einsum("bi,bim->bm", v.conj(), part)[:, None]
            window[rows[new:], at[new:, None]] = 0
            window[rows[new:, 0], at[new:]] = made[new:]
            part = both[:, touched].reshape(-1, len(at), _BULGE)[:, :, :3]
            part -= numpy.einsum("mbi,bi->mb", part, v)[:, :, None] * (tau[:, None] * v.conj())
        return window[:n, :n], both[n + 2 :, :n]


def _first_column(h: Any, pair: Any) -> Any:
    """Of (h - first) (h - second), but for its size."""
    a, b = pair
    size = abs(h[0, 0] - b) + abs(h[1:, 0]).sum()
    if size == 0:
        return numpy.zeros(3, h.dtype)
    x, y, z = (h[0, 0] - b) / size, h[1, 0] / size, h[2, 0] / size
    column = numpy.array(
        [
            (h[0, 0] - a) * x + h[0, 1] * y + h[0, 2] * z,
            y * (h[0, 0] + h[1, 1] - a - b) + h[1, 2] * z,
            z * (h[0, 0] + h[2, 2] - a - b) + h[2, 1] * y,
        ]
    )
    return column if h.dtype.kind == "c" else column.real


def _reflections(x: Any) -> tuple[Any, Any, Any]:
    """Of rows of three numbers each: vectors that begin with one, factors, and what is left of the first number."""
    size = abs(x).max(axis=1)
    size[size == 0] = 1
    x = x / size[:, None]
    head = x[:, 0]
    rest = (x[:, 1:] * x[:, 1:].conj()).real.sum(axis=1)
    none = (rest == 0) & (head.imag == 0)
    made = -numpy.copysign(numpy.sqrt((head * head.conj()).real + rest), head.real)
    made = numpy.where(none, 1, made)
    v = x / numpy.where(none, 1, head - made)[:, None]
    v[:, 0] = 1
    tau = numpy.where(none, 0, (made - head) / made)
    return v, tau, numpy.where(none, head, made) * size
