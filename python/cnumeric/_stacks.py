"""Factorisations of stacks of matrices that several places have some of: each place does its own, with its LAPACK."""

from __future__ import annotations

import math
from typing import Any

import numpy

from . import _cnumeric
from ._composed import is_spread
from ._fallback import Unsupported

_ufunc: Any = _cnumeric  # its ufuncs are not in the stub
_NO_LAPACK = -1000


def is_stack(array: Any) -> bool:
    """Whether places share such an array of matrices out."""
    ours = type(array) is _cnumeric.ndarray and array.ndim > 2
    return ours and bool(array.size) and is_spread(max(8, array.itemsize) * array.size)


class _Results:
    """What LAPACK makes of each matrix, taken in the order in which it says it."""

    def __init__(self, kind: int, message: str, a: Any, b: Any = None) -> None:
        self._batch = a.shape[:-2]
        stacks = [part if part is None else part.reshape(-1, *part.shape[-2:]) for part in (a, b)]
        self._rows = _cnumeric.each_matrix(kind, *stacks)
        self._at = 1
        info = self._rows[:, 0].real
        if bool((info != 0).any()):
            if bool((info == _NO_LAPACK).any()):
                raise Unsupported
            raise numpy.linalg.LinAlgError(message)

    def take(self, *shape: int) -> Any:
        """The next result, of this shape for a matrix."""
        begin, self._at = self._at, self._at + math.prod(shape)
        return self._rows[:, begin : self._at].reshape(self._batch + shape)


def solve(a: Any, right: Any) -> Any:
    """The solutions for right-hand sides that are columns; both stacks have one shape but for the last axis."""
    return _Results(_cnumeric.EACH_SOLVE, "Singular matrix", a, right).take(*right.shape[-2:])


def inv(a: Any) -> Any:
    """The inverses."""
    return _Results(_cnumeric.EACH_INV, "Singular matrix", a).take(*a.shape[-2:])


def sign_log(a: Any) -> tuple[Any, Any]:
    """Signs and logarithms of the sizes of determinants."""
    found = _Results(_cnumeric.EACH_DETERMINANT, "", a)
    return found.take(), found.take().real


def cholesky(a: Any) -> Any:
    """The lower factors; the lower triangles are read."""
    return _Results(_cnumeric.EACH_CHOLESKY, "Matrix is not positive definite", a).take(*a.shape[-2:])


def qr(a: Any, mode: str) -> tuple[Any, Any]:
    """Q (None for mode "r") and R; mode: as NumPy's, but for "raw"."""
    kinds = {"r": _cnumeric.EACH_R, "reduced": _cnumeric.EACH_QR, "complete": _cnumeric.EACH_QR_COMPLETE}
    rows, columns = a.shape[-2:]
    count = rows if mode == "complete" else min(rows, columns)
    found = _Results(kinds[mode], "Incorrect argument found in QR", a)
    r = found.take(count, columns)
    return (None if mode == "r" else found.take(rows, count)), r


def svd(a: Any, vectors: bool, full: bool) -> tuple[Any, Any, Any]:
    """u, s and vt; without vectors s alone."""
    rows, columns = a.shape[-2:]
    least = min(rows, columns)
    kind = _cnumeric.EACH_SINGULAR if not vectors else _cnumeric.EACH_SVD_FULL if full else _cnumeric.EACH_SVD
    found = _Results(kind, "SVD did not converge", a)
    s = found.take(least).real
    if not vectors:
        return None, s, None
    return found.take(rows, rows if full else least), s, found.take(columns if full else least, columns)


def eigh(a: Any, upper: bool, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues, ascending, and vectors of Hermitian matrices, of which one triangle is read."""
    if upper:
        kind = _cnumeric.EACH_EIGH_UPPER if vectors else _cnumeric.EACH_EIGVALSH_UPPER
    else:
        kind = _cnumeric.EACH_EIGH if vectors else _cnumeric.EACH_EIGVALSH
    found = _Results(kind, "Eigenvalues did not converge", a)
    w = found.take(a.shape[-1]).real
    return w, found.take(*a.shape[-2:]) if vectors else None


def eig(a: Any, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues and vectors of any matrices: real if a is and all values are, else complex."""
    if not bool(_ufunc.isfinite(a).all()):
        raise numpy.linalg.LinAlgError("Array must not contain infs or NaNs")
    found = _Results(_cnumeric.EACH_EIG if vectors else _cnumeric.EACH_EIGVALS, "Eigenvalues did not converge", a)
    w, v = found.take(a.shape[-1]), found.take(*a.shape[-2:]) if vectors else None
    if a.dtype.kind != "c" and bool((w.imag == 0).all()):
        return w.real, v if v is None else v.real
    return w, v
