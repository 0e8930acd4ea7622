"""Products of arrays: dot, tensordot, einsum and their kin, composed of matmul, multiply and sums."""

from __future__ import annotations

import math
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    array_of,
    by_numpy,
    composed,
    functions,
    ndarray,
    normalize_axes,
    normalize_axis,
)
from ._creation import empty, eye
from ._fallback import Unsupported, call
from ._manipulation import concatenate, moveaxis

_ufunc = _cnumeric
dot = _cnumeric.dot


@composed
def vdot(a: Any, b: Any, /) -> Any:
    x: Any = a if type(a) is ndarray else array_of(a)
    y: Any = b if type(b) is ndarray else array_of(b)
    if x.ndim != 1 or y.ndim != 1:
        x, y = x.ravel(), y.ravel()
    return dot(_ufunc.conjugate(x) if x.dtype.kind == "c" else x, y)


@composed
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return _ufunc.multiply(array_of(a).ravel()[:, None], array_of(b).ravel()[None, :], out=out)


@composed
def inner(a: Any, b: Any, /) -> Any:
    x: Any = a if type(a) is ndarray else array_of(a)
    y: Any = b if type(b) is ndarray else array_of(b)
    if x.ndim == 1 and y.ndim == 1:
        return dot(x, y)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("shapes not aligned")
    return tensordot(x, y, axes=((-1,), (-1,)))


@composed
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = array_of(a), array_of(b)
    if axes == 1 and type(axes) is int and x.ndim == 2 and y.ndim == 2:
        return dot(x, y)
    if isinstance(axes, int | numpy.integer):
        summed = list(range(x.ndim - int(axes), x.ndim)), list(range(int(axes)))
    else:
        first: Any
        second: Any
        first, second = axes
        summed = (
            [first] if numpy.ndim(first) == 0 else list(first),
            [second] if numpy.ndim(second) == 0 else list(second),
        )
    left, right = normalize_axes(tuple(summed[0]), x.ndim), normalize_axes(tuple(summed[1]), y.ndim)
    extents = [x.shape[axis] for axis in left]
    if len(left) != len(right) or extents != [y.shape[axis] for axis in right]:
        raise ValueError("shape-mismatch for sum")
    kept_left = [axis for axis in range(x.ndim) if axis not in left]
    kept_right = [axis for axis in range(y.ndim) if axis not in right]
    shape = tuple(x.shape[axis] for axis in kept_left) + tuple(y.shape[axis] for axis in kept_right)
    count = math.prod(extents)
    rows = math.prod(x.shape[axis] for axis in kept_left)
    columns = math.prod(y.shape[axis] for axis in kept_right)
    first = x.transpose((*kept_left, *left)).reshape((rows, count))
    second = y.transpose((*right, *kept_right)).reshape((count, columns))
    result = dot(first, second)
    return result.reshape(shape) if shape else _cnumeric.array(result.reshape(()))


@composed
def kron(a: Any, b: Any) -> Any:
    x, y = array_of(a), array_of(b)
    ndim = max(x.ndim, y.ndim)
    if ndim == 0:
        return x * y
    outer_shape = (1,) * (ndim - x.ndim) + x.shape
    inner_shape = (1,) * (ndim - y.ndim) + y.shape
    spread = x.reshape([part for extent in outer_shape for part in (extent, 1)])
    repeated = y.reshape([part for extent in inner_shape for part in (1, extent)])
    shape = [one * two for one, two in zip(outer_shape, inner_shape, strict=True)]
    return (spread * repeated).reshape(shape)


@composed
def cross(a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = moveaxis(array_of(a), axisa, -1), moveaxis(array_of(b), axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise Unsupported
    dtype = numpy.promote_types(x.dtype, y.dtype)
    shape = (*numpy.broadcast_shapes(x.shape[:-1], y.shape[:-1]), 3)
    axisc = normalize_axis(axisc, len(shape))
    result = empty(shape, dtype)
    for place in range(3):
        one, two = (place + 1) % 3, (place + 2) % 3
        result[..., place] = x[..., one] * y[..., two] - x[..., two] * y[..., one]
    return moveaxis(result, -1, axisc)


_longest = 512


def left_to_numpy(*arrays: Any) -> bool:
    """Whether NumPy computes on these, pending or not: `by_numpy` alone would give its bits or ours."""
    most: int = _cnumeric.settings()["numpy_bytes"] * summed
    return all(array.nbytes <= most for array in arrays)


summed = 4  # of numpy_bytes: up to there recorded products and sums take longer


@composed
@by_numpy(pending=True, times=summed)
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """Convolve with up to 512 elements as a sum of shifted products, which fuses; NumPy does longer ones, and a few."""
    x, y = array_of(a), array_of(v)
    if left_to_numpy(x, y):
        return call(numpy.convolve, "", (x, y, mode), {})
    return _convolved(x, y, mode)


def _convolved(x: Any, y: Any, mode: Any) -> Any:
    x, y = (one if one.ndim else one.reshape(1) for one in (x, y))
    if x.ndim != 1 or y.ndim != 1 or min(x.size, y.size) == 0 or mode not in ("full", "same", "valid"):
        raise Unsupported
    if y.size > x.size:
        x, y = y, x
    if y.size > _longest:
        raise Unsupported
    count, reach = x.size, y.size - 1
    dtype = numpy.promote_types(x.dtype, y.dtype)
    padded = _cnumeric.zeros(count + 2 * reach, dtype)
    padded[reach : reach + count] = x
    total = padded[reach:] * y[0]
    for place in range(1, reach + 1):
        total = total + padded[reach - place : reach - place + count + reach] * y[place]
    if mode == "full":
        return total
    if mode == "valid":
        return total[reach:count]
    return total[reach // 2 : reach // 2 + count]


def _variables(m: Any, rowvar: Any, dtype: Any) -> Any:
    """A row a variable."""
    array = array_of(m)
    if array.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    array = array.astype(dtype, copy=False)
    if array.ndim < 2:
        return array.reshape((1, -1))
    return array if rowvar else array.T


def _sample_weights(fweights: Any, aweights: Any, count: int) -> tuple[Any, Any]:
    """Both kinds of weights multiplied, and the second alone; NumPy says what is wrong with them."""
    weights = []
    for given in (fweights, aweights):
        weight = None if given is None else array_of(given).astype(float, copy=False)
        if weight is not None and (weight.shape != (count,) or bool((weight < 0).any())):
            raise ValueError("weights")
        weights.append(weight)
    if weights[0] is not None and not bool((weights[0] == _ufunc.rint(weights[0])).all()):
        raise TypeError("fweights must be integer")
    both = [weight for weight in weights if weight is not None]
    return (both[0] * both[1] if len(both) == 2 else both[0] if both else None), weights[1]


def _freedom(weight: Any, aweights: Any, count: int, ddof: Any) -> Any:
    if weight is None:
        return count - ddof
    total = weight.sum()
    if ddof == 0:
        return total
    return total - ddof if aweights is None else total - ddof * (weight * aweights).sum() / total


@composed
def cov(
    m: Any,
    y: Any = None,
    rowvar: Any = True,
    bias: Any = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    if dtype is not None and numpy.dtype(dtype).kind not in "fc":
        raise Unsupported  # NumPy subtracts the means in place, which integers refuse
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    one, two = array_of(m), None if y is None else array_of(y)
    if dtype is None:
        dtype = numpy.result_type(one.dtype, numpy.float64, *([] if two is None else [two.dtype]))
    rows = _variables(one, rowvar or one.ndim == 1, dtype)
    if rows.shape[0] == 0:
        return empty(0).reshape(0, 0)
    if two is not None:
        rows = concatenate([rows, _variables(two, rowvar or two.shape[:1] == (1,), dtype)])
    weight, aweight = _sample_weights(fweights, aweights, rows.shape[1])
    freedom = _freedom(weight, aweight, rows.shape[1], (0 if bias else 1) if ddof is None else ddof)
    if rows.shape[1] == 0 or freedom <= 0:
        raise Unsupported
    mean = rows.mean(axis=1) if weight is None else (rows * weight).sum(axis=1) / weight.sum()
    away = rows - mean[:, None]
    other = away.T if weight is None else (away * weight).T
    result = dot(away, _ufunc.conjugate(other) if rows.dtype.kind == "c" else other) * (1 / freedom)
    return result if rows.shape[0] != 1 else result.reshape(())


def matrix_power(a: Any, n: Any) -> Any:
    array = array_of(a)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or not isinstance(n, int):
        raise Unsupported
    if n == 0:
        return _cnumeric.array(_cnumeric.broadcast_to(eye(array.shape[-1], dtype=array.dtype), array.shape), copy=True)
    if n < 0:
        array, n = functions["numpy.linalg.inv"](array), -n
    result: Any = None
    square = array
    while n:
        if n & 1:
            result = square if result is None else _ufunc.matmul(result, square)
        n >>= 1
        if n:
            square = _ufunc.matmul(square, square)
    return result if result is not array else array.copy()


matrix_power = composed(matrix_power, "numpy.linalg")
