"""numpy.linalg: what is made of singular values, where _factor.py computes them; else NumPy does it all."""

from __future__ import annotations

import functools
from typing import Any

import numpy

from . import _cnumeric
from ._composed import NoValue, device_call, plain
from ._factor import inv, svd
from ._fallback import Unsupported
from ._linalg import norm

_ufunc: Any = _cnumeric  # its ufuncs are not in the stub
_linalg = functools.partial(device_call, module="numpy.linalg")
_inv, _norm, _svd = plain(inv), plain(norm), plain(svd)


def _numbers(*values: Any) -> bool:
    return all(value is None or value is NoValue or isinstance(value, int | float) for value in values)


@_linalg
def cond(x: Any, p: Any = None) -> Any:
    """Give the condition number of a matrix, or of each of a batch; see `numpy.linalg.cond`."""
    if not isinstance(p, int | float | str | None):
        raise Unsupported
    with numpy.errstate(all="ignore"):
        if p is not None and p not in (2, -2):
            ratio = _by_inverse(x, p)
        else:
            s = _svd(x, compute_uv=False)
            ratio = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    unknown = _ufunc.isnan(ratio)
    if bool(_cnumeric.asarray(unknown).any()):
        unknown &= ~_ufunc.isnan(x).any(axis=(-2, -1))
        ratio = _cnumeric.where(unknown, ratio.dtype.type(numpy.inf), ratio)
    return ratio[()]


def _by_inverse(x: Any, p: Any) -> Any:
    """A norm times that of the inverse; NaN if there is none."""
    size = _norm(x, p, (-2, -1))
    try:
        inverse = _inv(x)
    except numpy.linalg.LinAlgError:
        if x.ndim > 2:
            raise Unsupported from None  # of which of them is not known
        return size * size.dtype.type(numpy.nan)
    return size * _norm(inverse, p, (-2, -1))


@_linalg
def matrix_rank(A: Any, tol: Any = None, hermitian: Any = False, *, rtol: Any = None) -> Any:
    """Give the rank of a matrix, or of each of a batch; see `numpy.linalg.matrix_rank`."""
    if not _numbers(tol, rtol) or (tol is not None and rtol is not None):
        raise Unsupported
    s = _svd(A, compute_uv=False, hermitian=hermitian)
    if tol is None:
        rtol = max(A.shape[-2:]) * numpy.finfo(s.dtype).eps if rtol is None else rtol
        tol = s.max(axis=-1, keepdims=True) * rtol
    return (s > tol).sum(axis=-1)


@_linalg
def pinv(a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = NoValue) -> Any:
    """Give the pseudo-inverse of a matrix, or of each of a batch; see `numpy.linalg.pinv`."""
    wanted = _numbers(rcond, rtol) and (rcond is None or rtol is NoValue)
    if type(a) is not _cnumeric.ndarray or not wanted:
        raise Unsupported
    if rcond is None:
        default = max(a.shape[-2:]) * numpy.finfo(a.dtype).eps if rtol is None and a.dtype.kind in "fc" else None
        rcond = 1e-15 if rtol is NoValue else default if rtol is None else rtol
    if rcond is None:
        raise Unsupported
    u, s, vt = _svd(a.conj(), full_matrices=False, hermitian=hermitian)
    large = s > rcond * s.max(axis=-1, keepdims=True)
    s = _cnumeric.where(large, 1 / _cnumeric.where(large, s, s.dtype.type(1)), s.dtype.type(0))
    return _cnumeric.matmul(vt.swapaxes(-1, -2), s[..., None] * u.swapaxes(-1, -2))
