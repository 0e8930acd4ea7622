"""Singular values of matrices that several places have rows of, and that are about as tall as wide.

The matrix becomes bidiagonal by Householder's reflections from both sides: the root has a panel of columns and one of
rows, each place multiplies its rows of the rest by two vectors for every column, and updates them once a panel. But for
signs, singular values are the eigenvalues of a tridiagonal matrix that has all these numbers beside its diagonal.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric, _tridiagonal
from ._blocked import Workspace, adjoint, at_root, ours, quiet
from ._creation import empty
from ._orthogonal import reflection, scale_of

_matmul = _cnumeric.matmul
_ufunc: Any = _cnumeric  # its ufuncs are not in the stub
_PANEL = 32  # columns, and rows


class _Panel:
    """Columns and rows [begin, end) of what is left; with v y^H + x u^H it is what reflections leave of it."""

    def __init__(self, a: Any, begin: int, end: int) -> None:
        self._rest = a[begin:, begin:]
        self._columns, self._rows = at_root(a[begin:, begin:end]), at_root(a[begin:end, begin:])
        m, n = self._rest.shape
        self.v, self.x = (numpy.zeros((m, end - begin), a.dtype) for _ in range(2))
        self.y, self.u = (numpy.zeros((n, end - begin), a.dtype) for _ in range(2))

    def column(self, k: int) -> float:
        """Reflect column k from the left; gives what is left on the diagonal."""
        v, x, y, u = self.v[:, :k], self.x[:, :k], self.y[:, :k], self.u[:, :k]
        column = self._columns[k:, k] - v[k:] @ y[k].conj() - x[k:] @ u[k].conj()
        made, tau = _reflected(column, self.v[k:, k])
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
        vector = self.u[k + 1 :, k]
        self.x[k + 1 :, k] = tau * (
            at_root(_matmul(self._rest[k + 1 :, k + 1 :], ours(vector)))
            - v[k + 1 :] @ (y[k + 1 :].conj().T @ vector)
            - x[k + 1 :] @ (u[k + 1 :].conj().T @ vector)
        )
        return made


def _reflected(given: Any, vector: Any) -> tuple[float, Any]:
    """What reflecting the vector leaves of its head, and tau; `vector` becomes the reflection's."""
    rest = given[1:]
    made, tau, factor = reflection(given[0], (rest * rest.conj()).real.sum())
    vector[0], vector[1:] = 1, rest * factor
    return float(made.real), tau


@quiet
def values(given: Any) -> Any:
    """Singular values, descending, as NumPy's array."""
    a = _cnumeric.array(given if len(given) >= given.shape[1] else adjoint(given), order="C", copy=True)
    scale = scale_of(a)
    if scale != 1:
        a /= scale
    m, n = a.shape
    beside = numpy.zeros(2 * n - 1)
    work, update = Workspace(m, n, a.dtype), empty((m, 2 * _PANEL), a.dtype)
    for begin in range(0, n, _PANEL):
        end = min(begin + _PANEL, n)
        panel = _Panel(a, begin, end)
        for k in range(begin, end):
            beside[2 * k] = panel.column(k - begin)
            if k + 1 < n:
                beside[2 * k + 1] = panel.row(k - begin)
        if end < n:
            columns = end - begin
            left = update[end:, : 2 * columns]
            left[...] = numpy.hstack([panel.v, panel.x])[columns:]
            work.subtract(a[end:, end:], end, left, ours(numpy.hstack([panel.y, panel.u])[columns:].conj().T))
    if not numpy.isfinite(beside).all():
        if bool(_ufunc.isnan(given).any()):
            raise numpy.linalg.LinAlgError("SVD did not converge")
        return numpy.full(n, numpy.nan)  # as LAPACK does
    found, _ = _tridiagonal.solve(numpy.zeros(2 * n), beside, False)
    return numpy.maximum(found[n:][::-1], 0) * scale
