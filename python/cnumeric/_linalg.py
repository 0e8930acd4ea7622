"""numpy.linalg: what is composed of native calls, beside factorisations (_factor.py)."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy

from . import _cnumeric, _factor, _manipulation, _products
from ._composed import array_of, composed, functions, normalize_axes, plain
from ._fallback import Unsupported

for _name in ("matmul", "vecdot"):
    functions[f"numpy.linalg.{_name}"] = getattr(_cnumeric, _name)

_linalg = functools.partial(composed, module="numpy.linalg")

for _name in ("tensordot", "matrix_transpose"):
    functions[f"numpy.linalg.{_name}"] = getattr(_products, _name, None) or getattr(_manipulation, _name)


def _real(array: Any) -> Any:
    return array if array.dtype.kind in "fc" else array.astype(float)


def _square(array: Any) -> Any:
    """|x|**2, of a real dtype."""
    if array.dtype.kind == "c":
        return array.real * array.real + array.imag * array.imag
    return array * array


@_linalg
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    array = _real(array_of(x))
    if axis is None and (ord is None or (ord in ("f", "fro") and array.ndim == 2) or (ord == 2 and array.ndim == 1)):
        flat = array.ravel()
        if flat.dtype.kind == "c":
            real, imag = flat.real, flat.imag
            result = _cnumeric.sqrt(_products.dot(real, real) + _products.dot(imag, imag))
        else:
            result = _cnumeric.sqrt(_products.dot(flat, flat))
        return _cnumeric.asarray(result).reshape((1,) * array.ndim) if keepdims else result
    axes = normalize_axes(axis, array.ndim)
    if len(axes) == 2 and ord in (None, "fro", "f"):
        return _cnumeric.sqrt(_square(array).sum(axis=axes, keepdims=keepdims))
    if len(axes) == 2:
        return _matrix_norm(array, ord, axes, keepdims)
    if len(axes) != 1:
        raise Unsupported
    return _vector_norm(array, 2 if ord is None else ord, axes, keepdims)


def _matrix_norm(array: Any, ord: Any, axes: Any, keepdims: Any) -> Any:
    """The greatest or least sum of sizes along columns (1) or rows (inf), or singular value (2), or their sum (nuc)."""
    if array.size == 0:
        raise Unsupported
    if ord in (2, -2, "nuc"):
        s = plain(_factor.svd)(_manipulation.moveaxis(array, axes, (-2, -1)), compute_uv=False)
        result = s.sum(axis=-1) if ord == "nuc" else s.max(axis=-1) if ord == 2 else s.min(axis=-1)
        return _manipulation.expand_dims(result, axes) if keepdims else result
    if ord not in (1, -1, numpy.inf, -numpy.inf):
        raise Unsupported
    summed, other = axes if abs(ord) == 1 else axes[::-1]
    sums = abs(array).sum(axis=summed, keepdims=True)
    result = sums.max(axis=other, keepdims=True) if ord > 0 else sums.min(axis=other, keepdims=True)
    return result if keepdims else result.squeeze(axes)[()]


def _vector_norm(array: Any, ord: Any, axes: Any, keepdims: Any) -> Any:
    if isinstance(ord, str) or array.size == 0:
        raise Unsupported
    if ord == 2:
        return _cnumeric.sqrt(_square(array).sum(axis=axes, keepdims=keepdims))
    size = abs(array)
    if ord == numpy.inf:
        return size.max(axis=axes, keepdims=keepdims)
    if ord == -numpy.inf:
        return size.min(axis=axes, keepdims=keepdims)
    if ord == 0:
        return (array != 0).astype(size.dtype).sum(axis=axes, keepdims=keepdims)
    if ord == 1:
        return size.sum(axis=axes, keepdims=keepdims)
    if not isinstance(ord, int | float):
        raise Unsupported
    sums = (size**ord).sum(axis=axes, keepdims=keepdims)
    return sums ** numpy.reciprocal(ord, dtype=sums.dtype)


@_linalg
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    array = _real(array_of(x))
    return _vector_norm(array, ord, normalize_axes(axis, array.ndim), keepdims)


@_linalg
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    return plain(norm)(x, ord, (-2, -1), keepdims)


@_linalg
def outer(x1: Any, x2: Any, /) -> Any:
    a, b = array_of(x1), array_of(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError("Input arrays must be one-dimensional")
    return _products.outer(a, b)


@_linalg
def cross(x1: Any, x2: Any, /, *, axis: Any = -1) -> Any:
    a, b = array_of(x1), array_of(x2)
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise Unsupported  # NumPy refuses it here, not in `numpy.cross`
    return plain(_products.cross)(a, b, axis=axis)


@_linalg
def diagonal(x: Any, /, *, offset: Any = 0) -> Any:
    return array_of(x).diagonal(offset, axis1=-2, axis2=-1)


@_linalg
def trace(x: Any, /, *, offset: Any = 0, dtype: Any = None) -> Any:
    return array_of(x).trace(offset, axis1=-2, axis2=-1, dtype=dtype)


@_linalg
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    parts = [array_of(array) for array in arrays]
    if len(parts) < 2:
        raise Unsupported
    if len(parts) == 2:
        return _products.dot(parts[0], parts[1], out)
    row, column = parts[0].ndim == 1, parts[-1].ndim == 1
    parts[0] = parts[0][None, :] if row else parts[0]
    parts[-1] = parts[-1][:, None] if column else parts[-1]
    sizes = [len(part) for part in parts if part.ndim == 2] + [parts[-1].shape[-1]]
    if len(sizes) <= len(parts) or (out is not None and (row or column)):
        raise Unsupported
    if any(part.shape != pair for part, pair in zip(parts, itertools.pairwise(sizes), strict=True)):
        raise Unsupported  # NumPy's words
    product = _chain(parts, _splits(sizes), 0, len(parts) - 1, out)
    if row and column:
        return product[0, 0]
    return product.ravel() if row or column else product


def _splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Of the product of matrices i to k, all of these sizes: the last matrix of its left part, for least work."""
    count = len(sizes) - 1
    work: dict[tuple[int, int], float] = {(i, i): 0.0 for i in range(count)}
    splits = {}
    for length in range(1, count):
        for i in range(count - length):
            k = i + length
            choices = [
                (work[i, at] + work[at + 1, k] + float(sizes[i]) * sizes[at + 1] * sizes[k + 1], at)
                for at in range(i, k)
            ]
            work[i, k], splits[i, k] = min(choices)
    return splits


def _chain(parts: list[Any], splits: dict[tuple[int, int], int], i: int, k: int, out: Any) -> Any:
    if i == k:
        return parts[i]
    at = splits[i, k]
    left, right = _chain(parts, splits, i, at, None), _chain(parts, splits, at + 1, k, None)
    return _products.dot(left, right, out)


@_linalg
def tensorinv(a: Any, ind: Any = 2) -> Any:
    array = array_of(a)
    if not isinstance(ind, int) or not 0 < ind < array.ndim or array.size == 0:
        raise Unsupported
    columns = math.prod(array.shape[ind:])
    square = array.reshape(columns, -1)
    return functions["numpy.linalg.inv"](square).reshape(array.shape[ind:] + array.shape[:ind])


@_linalg
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    array, right = array_of(a), array_of(b)
    if axes is not None:
        order = [axis for axis in range(array.ndim) if axis not in axes]
        if len(order) + len(axes) != array.ndim:
            raise Unsupported
        array = array.transpose([*order, *axes])
    shape = array.shape[right.ndim :]
    n = math.prod(shape)
    if right.ndim >= array.ndim or array.size != n * n or n == 0:
        raise Unsupported
    return functions["numpy.linalg.solve"](array.reshape(n, n), right.ravel()).reshape(shape)


# ---- numpy.fft: what moves and what counts -----------------------------------------------------------------


def _shifted(x: Any, axes: Any, sign: int) -> Any:
    array = array_of(x)
    places = tuple(range(array.ndim)) if axes is None else axes
    places = (places,) if isinstance(places, int) else tuple(places)
    by = tuple(sign * (array.shape[place] // 2) for place in places)
    return functions["numpy.roll"](array, by, places) if places else array.copy()


_fft = functools.partial(composed, module="numpy.fft")


@_fft
def fftshift(x: Any, axes: Any = None) -> Any:
    """Roll the halves of the axes so that the zero frequency is in the middle."""
    return _shifted(x, axes, 1)


@_fft
def ifftshift(x: Any, axes: Any = None) -> Any:
    """Undo `fftshift`."""
    return _shifted(x, axes, -1)
