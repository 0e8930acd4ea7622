"""numpy.linalg's factorisations: of spread matrices by blocks, of spread stacks each at its place, on a device by
cuSOLVER, else by NumPy with its LAPACK.

As in NumPy, single precision is computed in double and rounded. Matrices lie by columns for the library, so an array of
ours holds the transposed one: what costs no copy is chosen below.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy

from . import _blocked, _cnumeric, _eigen, _general, _orthogonal, _singular, _stacks
from ._composed import array_of, by_numpy, composed, device_call, is_spread, on_device, plain
from ._creation import empty, eye
from ._fallback import Unsupported
from ._manipulation import take_along_axis, tril, triu

arange = _cnumeric.arange
_ufunc: Any = _cnumeric  # its ufuncs are not in the stub

_linalg = functools.partial(device_call, module="numpy.linalg")
_results = {"f": "f", "d": "d", "F": "F", "D": "D"} | dict.fromkeys("?bBhHiIlLqQ", "d")


def _kinds(*arrays: Any) -> tuple[str, str]:
    """The dtype to compute in and that of results; `Unsupported` for what NumPy refuses."""
    try:
        found = {_results[array.dtype.char] for array in arrays}
    except KeyError:
        raise Unsupported from None
    double = bool(found & {"d", "D"})
    if found & {"F", "D"}:
        return "D", "D" if double else "F"
    return "d", "d" if double else "f"


def _real(kind: str) -> str:
    return kind.lower()


def _matrices(array: Any) -> tuple[int, int]:
    if array.ndim < 2 or array.size == 0:
        raise Unsupported
    return array.shape[-2], array.shape[-1]


def _square(array: Any) -> int:
    rows, columns = _matrices(array)
    if rows != columns:
        raise Unsupported
    return rows


def _fresh(array: Any, kind: str) -> Any:
    """A copy in C order, for a library to write into."""
    return _cnumeric.array(array, dtype=kind, order="C", copy=True)


def _turned(array: Any) -> Any:
    return array.swapaxes(-1, -2)


def _given(array: Any, kind: str) -> Any:
    """The result in C order."""
    return _cnumeric.asarray(array, dtype=kind, order="C")


def _is_large(matrix: Any) -> bool:
    """Whether several places have rows of it, and there is more than the root does by itself."""
    return max(matrix.shape) > _blocked.LEAST and is_spread(max(8, matrix.itemsize) * matrix.size)


def _by_blocks(*arrays: Any, together: bool = True) -> bool:
    """Whether several places have rows of a matrix; otherwise a device must do the first array (together: a batch)."""
    ours = all(type(array) is _cnumeric.ndarray for array in arrays)
    if ours and arrays[0].ndim == 2 and max(arrays[0].shape) > _blocked.LEAST:
        if any(array.ndim == 2 and is_spread(max(8, array.itemsize) * array.size) for array in arrays):
            return True
    on_device(*arrays, matrices=not together, together=together)
    return False


def _double(array: Any, kind: str) -> Any:
    return array.astype(kind, copy=False)


def _fail(message: str) -> None:
    raise numpy.linalg.LinAlgError(message)


def _named(name: str, *values: Any) -> Any:
    return getattr(importlib.import_module("numpy.linalg._linalg"), name)(*values)


# ---- Systems of equations ----------------------------------------------------------------------------------


def _factors(array: Any, kind: str) -> tuple[Any, Any, int]:
    """LU factors of the transposed matrices, their pivots, and what the library says."""
    lu = _fresh(array, kind)
    pivots = empty(lu.shape[:-1], "l")
    return lu, pivots, _cnumeric.factorize(_cnumeric.LU, 0, lu, pivots)


def _solved(a: Any, columns: Any, kind: str) -> Any:
    """`columns`, right-hand sides as rows, become the solutions."""
    lu, pivots, info = _factors(a, kind)
    if info != 0:
        _fail("Singular matrix")
    _cnumeric.factorize(_cnumeric.LU_SOLVE, 1, lu, pivots, columns)
    return _turned(columns)


@_linalg
def solve(a: Any, b: Any) -> Any:
    """Solve a linear matrix equation, or a batch of them; see `numpy.linalg.solve`."""
    b = b if type(b) is _cnumeric.ndarray or type(a) is not _cnumeric.ndarray else _cnumeric.asarray(b)
    stack = _stacks.is_stack(a) or _stacks.is_stack(b)
    blocks = not stack and _by_blocks(a, b)
    kind, result = _kinds(a, b)
    n = _square(a)
    right = b[:, None] if b.ndim == 1 else b
    if right.ndim < 2 or right.size == 0 or right.shape[-2] != n:
        raise Unsupported
    if stack:
        batch = _batch(a, right)
        x = _stacks.solve(_double(_spread(a, batch), kind), _double(_spread(right, batch), kind))
        return _given(x[..., 0] if b.ndim == 1 else x, result)
    if blocks and right.ndim > 2:
        raise Unsupported
    if blocks:
        x = _blocked.solve(_double(a, kind), _double(right, kind))
        return _given(x[:, 0] if b.ndim == 1 else x, result)
    batch = _batch(a, right)
    columns = _fresh(_turned(_spread(right, batch)), kind)
    x = _solved(_spread(a, batch), columns, kind)
    return _given(x[..., 0] if b.ndim == 1 else x, result)


def _batch(a: Any, b: Any) -> tuple[int, ...]:
    try:
        return numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise Unsupported from None


def _spread(array: Any, batch: tuple[int, ...]) -> Any:
    return array if array.shape[:-2] == batch else _cnumeric.broadcast_to(array, batch + array.shape[-2:])


@_linalg
def inv(a: Any) -> Any:
    """Give the inverse of a matrix, or of each of a batch; see `numpy.linalg.inv`."""
    stack = _stacks.is_stack(a)
    blocks = not stack and _by_blocks(a)
    kind, result = _kinds(a)
    n = _square(a)
    if stack:
        return _given(_stacks.inv(_double(a, kind)), result)
    if blocks:
        return _given(_blocked.inv(_double(a, kind)), result)
    columns = _fresh(_cnumeric.broadcast_to(eye(n, dtype=kind), a.shape), kind)
    return _given(_solved(a, columns, kind), result)


def _sign_log(a: Any) -> tuple[Any, Any, str]:
    stack = _stacks.is_stack(a)
    blocks = not stack and _by_blocks(a)
    kind, result = _kinds(a)
    n = _square(a)
    if stack:
        return (*_stacks.sign_log(_double(a, kind)), result)
    if blocks:
        return (*map(_cnumeric.asarray, _blocked.sign_log(_double(a, kind))), result)
    lu, pivots, info = _factors(a, kind)
    if info != 0 and a.ndim > 2:
        raise Unsupported  # of which of them is not known
    if info != 0:
        return _cnumeric.array(0, dtype=kind), _cnumeric.array(-numpy.inf), result
    diagonal = lu.diagonal(0, -2, -1)
    size = abs(diagonal)
    turns = (pivots != arange(1, n + 1)).sum(axis=-1)
    if kind == "d":
        sign = 1.0 - 2 * ((turns + (diagonal < 0).sum(axis=-1)) % 2)
    else:
        phases = diagonal / size
        _cnumeric.flush()  # the host multiplies, and is to see these alone
        sign = phases.prod(axis=-1) * (1 - 2 * (turns % 2))
    return _cnumeric.asarray(sign), _cnumeric.asarray(_cnumeric.log(size).sum(axis=-1)), result


@_linalg
def slogdet(a: Any) -> Any:
    """Give sign and logarithm of the size of the determinant; see `numpy.linalg.slogdet`."""
    sign, size, result = _sign_log(a)
    return _named("SlogdetResult", sign.astype(result)[()], size.astype(_real(result))[()])


@_linalg
def det(a: Any) -> Any:
    """Give the determinant of a matrix, or of each of a batch; see `numpy.linalg.det`."""
    sign, size, result = _sign_log(a)
    return _cnumeric.asarray(sign * _cnumeric.exp(size)).astype(result)[()]


@_linalg
def cholesky(a: Any, /, *, upper: Any = False) -> Any:
    """Give the Cholesky factor of a matrix, or of each of a batch; see `numpy.linalg.cholesky`."""
    stack = _stacks.is_stack(a)
    blocks = not stack and _by_blocks(a)
    kind, result = _kinds(a)
    _square(a)
    if stack or blocks:
        a = _double(a, kind)
        lower = (_stacks if stack else _blocked).cholesky(_blocked.adjoint(a) if upper else a)
        return _given(_blocked.adjoint(lower) if upper else lower, result)
    # Always the lower triangle for the library, which does it in half the time; by columns, rows are the conjugate.
    factor = _fresh(a if upper else _turned(a), kind)
    if _cnumeric.factorize(_cnumeric.CHOLESKY, 0, factor) != 0:
        _fail("Matrix is not positive definite")
    return _given(triu(factor) if upper else tril(_turned(factor)), result)


# ---- Orthogonal factors ------------------------------------------------------------------------------------


@_linalg
def qr(a: Any, mode: Any = "reduced") -> Any:
    """Give an orthonormal and an upper triangular factor; see `numpy.linalg.qr`."""
    stack = _stacks.is_stack(a) and mode != "raw"
    blocks = not stack and _by_blocks(a)
    kind, result = _kinds(a)
    rows, columns = _matrices(a)
    if mode not in ("reduced", "complete", "r", "raw"):
        raise Unsupported
    least = min(rows, columns)
    if stack:
        q, r = _stacks.qr(_double(a, kind), mode)
        return _given(r, result) if q is None else _named("QRResult", _given(q, result), _given(r, result))
    if blocks:
        return _qr_by_blocks(_orthogonal.Reflections(_double(a, kind)), mode, result)
    turned = _fresh(_turned(a), kind)
    scales = empty((*a.shape[:-2], least), kind)
    _cnumeric.factorize(_cnumeric.QR, 0, turned, scales)
    if mode == "raw":
        return _given(turned if a.ndim == 2 else _turned(turned).transpose(), result), scales.astype(result)
    if mode == "r":
        return _given(triu(_turned(turned)[..., :least, :]), result)
    count = rows if mode == "complete" and rows > columns else least
    q = empty((*a.shape[:-2], count, rows), kind)
    q[..., :least, :] = turned[..., :least, :]
    q[..., least:, :] = 0
    _cnumeric.factorize(_cnumeric.QR_Q, 0, q, scales)
    r = triu(_turned(turned)[..., :count, :])
    return _named("QRResult", _given(_turned(q), result), _given(r, result))


def _qr_by_blocks(factors: Any, mode: str, result: str) -> Any:
    rows, least = len(factors.qr), factors.least
    if mode == "raw":
        below = factors.qr - triu(factors.qr) + factors.r(rows)
        return _given(_turned(below), result), _cnumeric.array(factors.taus.astype(result))
    if mode == "r":
        return _given(factors.r(least), result)
    count = rows if mode == "complete" else least
    return _named("QRResult", _given(factors.q(count), result), _given(factors.r(count), result))


def _svd_parts(a: Any, kind: str, vectors: bool, full: bool) -> tuple[Any, Any, Any]:
    """u, s and vt, in whichever order of memory the library has them; u and vt empty if not wanted."""
    rows, columns = _matrices(a)
    wide = rows < columns  # the library takes tall ones: then the transposed matrix, with u and vt exchanged
    work = _fresh(a if wide else _turned(a), kind)
    least, most = min(rows, columns), max(rows, columns)
    batch = a.shape[:-2]
    s = empty((*batch, least), _real(kind))
    parts = [work, s]
    if vectors:
        parts += [empty((*batch, most if full else least, most), kind), empty((*batch, least, least), kind)]
    if _cnumeric.factorize(_cnumeric.SVD, 0, *parts) != 0:
        _fail("SVD did not converge")
    if not vectors:
        return None, s, None
    long, short = parts[2:]
    return (short, s, long) if wide else (_turned(long), s, _turned(short))


def _svd_of_hermitian(a: Any, vectors: bool) -> Any:
    if not vectors:
        return abs(plain(eigvalsh)(a)).sort(axis=-1)[..., ::-1]
    w, u = plain(eigh)(a)
    order = abs(w).argsort(axis=-1)[..., ::-1]
    if a.ndim > 2:
        w, u = take_along_axis(w, order, -1), take_along_axis(u, order[..., None, :], -1)
    else:
        w, u = w[order], u[:, order]
    signed = u * _ufunc.copysign(w.dtype.type(1), w)[..., None, :]
    return _named("SVDResult", u, abs(w), _blocked.adjoint(signed))


@_linalg
def svd(a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False) -> Any:
    """Give the singular value decomposition of a matrix, or of each of a batch; see `numpy.linalg.svd`."""
    if hermitian:
        return _svd_of_hermitian(a, bool(compute_uv))
    stack = _stacks.is_stack(a)
    blocks = not stack and _by_blocks(a, together=False)
    kind, result = _kinds(a)
    if stack:
        u, s, vt = _stacks.svd(_double(a, kind), bool(compute_uv), bool(full_matrices))
    elif blocks:
        u, s, vt = _singular.svd(_double(a, kind), bool(compute_uv), bool(full_matrices))
        s = _cnumeric.array(s)
    else:
        u, s, vt = _svd_parts(a, kind, bool(compute_uv), bool(full_matrices))
    s = s.astype(_real(result), copy=False)
    return _named("SVDResult", _given(u, result), s, _given(vt, result)) if compute_uv else s


@_linalg
def svdvals(x: Any, /) -> Any:
    """Give the singular values of a matrix, or of each of a batch; see `numpy.linalg.svdvals`."""
    return plain(svd)(x, compute_uv=False)


@functools.partial(composed, module="numpy.linalg")
@by_numpy(pending=True)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Give least-squares solutions; see `numpy.linalg.lstsq`. Of a matrix that places have rows of, by places."""
    a, b = array_of(a), array_of(b)
    kind, result = _kinds(a, b)
    if a.ndim != 2 or b.ndim not in (1, 2) or len(a) != len(b) or b.size == 0:
        raise Unsupported
    rows, columns = _matrices(a)
    if not _is_large(a):
        raise Unsupported
    if not isinstance(rcond, int | float | None):
        raise Unsupported
    rcond = numpy.finfo(result).eps * max(rows, columns) if rcond is None else rcond
    right = b[:, None] if b.ndim == 1 else b
    x, squares, rank, s = _singular.least_squares(_double(a, kind), _double(right, kind), rcond)
    real = _real(result)
    rest = squares if rank == columns < rows else squares[:0]
    x = x[:, 0] if b.ndim == 1 else x
    return _given(x, result), _given(rest, real), rank, _given(s, real)


# ---- Eigenvalues -------------------------------------------------------------------------------------------


def _eigh(a: Any, uplo: Any, vectors: bool) -> tuple[Any, Any, str]:
    stack = _stacks.is_stack(a)
    blocks = not stack and _by_blocks(a, together=False)
    kind, result = _kinds(a)
    n = _square(a)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise Unsupported
    upper = uplo.upper() == "U"
    if stack or blocks:
        return (*(_stacks if stack else _eigen).eigh(_double(a, kind), upper, vectors), result)
    work = _fresh(_turned(a), kind)
    w = empty((*a.shape[:-2], n), _real(kind))
    if _cnumeric.factorize(_cnumeric.EIGH, upper + 2 * (not vectors), work, w) != 0:
        _fail("Eigenvalues did not converge")
    return w, _turned(work), result


@_linalg
def eigh(a: Any, UPLO: Any = "L") -> Any:
    """Give eigenvalues and eigenvectors of a Hermitian matrix, or of each of a batch; see `numpy.linalg.eigh`."""
    w, vectors, result = _eigh(a, UPLO, True)
    return _named("EighResult", w.astype(_real(result), copy=False), _given(vectors, result))


@_linalg
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    """Give the eigenvalues of a Hermitian matrix, or of each of a batch; see `numpy.linalg.eigvalsh`."""
    w, _, result = _eigh(a, UPLO, False)
    return w.astype(_real(result), copy=False)


def _eig(a: Any, vectors: bool) -> tuple[Any, Any]:
    stack = _stacks.is_stack(a)
    if not stack and not (type(a) is _cnumeric.ndarray and a.ndim == 2 and _is_large(a)):
        raise Unsupported
    kind, result = _kinds(a)
    _square(a)
    w, v = (_stacks if stack else _general).eig(_double(a, kind), vectors)
    result = _real(result) if w.dtype.kind == "f" else result.upper()
    return w.astype(result), v if v is None else _given(v, result)


@_linalg
def eig(a: Any) -> Any:
    """Give eigenvalues and eigenvectors of a matrix, or of each of a batch; see `numpy.linalg.eig`."""
    return _named("EigResult", *_eig(a, True))


@_linalg
def eigvals(a: Any) -> Any:
    """Give the eigenvalues of a matrix, or of each of a batch; see `numpy.linalg.eigvals`."""
    return _eig(a, False)[0]
