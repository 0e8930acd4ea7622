"""Products of arrays: dot, tensordot, einsum and their kin, composed of matmul, multiply and sums."""

from __future__ import annotations

import math
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    array_of,
    arrays_of,
    composed,
    guard,
    normalize_axes,
    normalize_axis,
)
from ._creation import empty
from ._fallback import Unsupported
from ._manipulation import concatenate, moveaxis

_ufunc = _cnumeric
dot = _cnumeric.dot


@composed
def vdot(a: Any, b: Any, /) -> Any:
    x, y = array_of(a).ravel(), array_of(b).ravel()
    return dot(_ufunc.conjugate(x) if x.dtype.kind == "c" else x, y)


@composed
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return _ufunc.multiply(array_of(a).ravel()[:, None], array_of(b).ravel()[None, :], out=out)


@composed
def inner(a: Any, b: Any, /) -> Any:
    x, y = array_of(a), array_of(b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("shapes not aligned")
    if x.ndim == 1 and y.ndim == 1:
        return dot(x, y)
    return tensordot(x, y, axes=((-1,), (-1,)))


@composed
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = array_of(a), array_of(b)
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


@guard
def vecdot(x1: Any, x2: Any, /, out: Any = None, *, axis: Any = -1) -> Any:
    x, y = array_of(x1), array_of(x2)
    if out is not None or axis != -1 or x.ndim == 0 or y.ndim == 0:
        raise Unsupported
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("vecdot: mismatch in core dimension")
    return _ufunc.multiply(_ufunc.conjugate(x) if x.dtype.kind == "c" else x, y).sum(-1, dtype=(x[:0] * y[:0]).dtype)


@guard
def matvec(x1: Any, x2: Any, /, out: Any = None) -> Any:
    x, y = array_of(x1), array_of(x2)
    if out is not None or x.ndim < 2 or y.ndim == 0:
        raise Unsupported
    return _ufunc.matmul(x, y[..., None])[..., 0]


@guard
def vecmat(x1: Any, x2: Any, /, out: Any = None) -> Any:
    x, y = array_of(x1), array_of(x2)
    if out is not None or x.ndim == 0 or y.ndim < 2:
        raise Unsupported
    return _ufunc.matmul((_ufunc.conjugate(x) if x.dtype.kind == "c" else x)[..., None, :], y)[..., 0, :]


for _composer in (vecdot, matvec, vecmat):
    getattr(_cnumeric, _composer.__name__)._compose(_composer)


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


_short = 32


@composed
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """Convolve with a kernel of up to 32 elements as a sum of shifted products, which fuses; NumPy does longer ones."""
    x, y = array_of(a), array_of(v)
    if x.ndim != 1 or y.ndim != 1 or min(x.size, y.size) == 0 or mode not in ("full", "same", "valid"):
        raise Unsupported
    if y.size > x.size:
        x, y = y, x
    if y.size > _short or x.dtype == bool:
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


def _variables(m: Any, rowvar: Any) -> Any:
    """A row a variable."""
    array = array_of(m)
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiu":
        raise Unsupported
    if array.ndim == 1:
        return array[None, :]
    return array if rowvar else array.T


@composed
def cov(m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None, **kwargs: Any) -> Any:
    rows = _variables(m, rowvar)
    if kwargs or rows.shape[0] == 0 or (ddof is not None and ddof != int(ddof)):
        raise Unsupported
    if y is not None:
        other = array_of(y)
        rows = concatenate([rows, _variables(other, rowvar or other.shape[:1] == (1,))])
    freedom = rows.shape[1] - ((0 if bias else 1) if ddof is None else ddof)
    if freedom <= 0:
        raise Unsupported
    rows = rows.astype(numpy.result_type(rows.dtype, numpy.float64), copy=False)
    away = rows - rows.mean(axis=1)[:, None]
    result = dot(away, away.T) * (1 / freedom)
    return result if rows.shape[0] != 1 else result.reshape(())


# ---- einsum ----------------------------------------------------------------------------------------------


def _terms(subscripts: Any, count: int) -> tuple[list[str], str]:
    """The labels of each operand and of the result."""
    if not isinstance(subscripts, str):
        raise Unsupported
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    terms = left.split(",")
    letters = "".join(terms)
    if len(terms) != count or not letters.isalpha() or any(len(set(term)) != len(term) for term in terms):
        raise Unsupported
    if not arrow:
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    if len(set(result)) != len(result) or set(result) - set(letters):
        raise Unsupported
    return terms, result


def _summed(array: Any, term: str, kept: set[str]) -> tuple[Any, str]:
    """The array without the labels that nothing else has."""
    axes = tuple(place for place, letter in enumerate(term) if letter not in kept)
    if axes:
        array = array.sum(axis=axes, dtype=array.dtype)
    return _cnumeric.asarray(array), "".join(letter for letter in term if letter in kept)


def _arranged(array: Any, term: str, order: str) -> Any:
    return array.transpose([term.index(letter) for letter in order]) if term != order else array


@composed
def einsum(*operands: Any, **kwargs: Any) -> Any:
    """Evaluate Einstein's summation over one or two operands with plain labels; NumPy does the rest."""
    if kwargs or len(operands) not in (2, 3):
        raise Unsupported
    arrays = arrays_of(operands[1:])
    terms, result = _terms(operands[0], len(arrays))
    extents: dict[str, int] = {}
    for array, term in zip(arrays, terms, strict=True):
        if array.ndim != len(term):
            raise ValueError("einstein sum subscripts do not fit the number of dimensions")
        for letter, extent in zip(term, array.shape, strict=True):
            if extents.setdefault(letter, extent) != extent:
                raise Unsupported
    if len(arrays) == 1:
        array, term = _summed(arrays[0], terms[0], set(result))
        return _arranged(array, term, result) if result else array[()]
    first, one = _summed(arrays[0], terms[0], set(result) | set(terms[1]))
    second, two = _summed(arrays[1], terms[1], set(result) | set(one))
    return _pair(first, one, second, two, result, extents)


def _pair(first: Any, one: str, second: Any, two: str, result: str, extents: dict[str, int]) -> Any:
    """Two operands as stacks of matrices: (batch, left, sum) @ (batch, sum, right)."""
    batch = "".join(letter for letter in one if letter in two and letter in result)
    summed = "".join(letter for letter in one if letter in two and letter not in result)
    left = "".join(letter for letter in one if letter not in two)
    right = "".join(letter for letter in two if letter not in one)

    def size(letters: str) -> int:
        return math.prod(extents[letter] for letter in letters)

    shape = [extents[letter] for letter in batch + left + right]
    if not summed:
        a = _arranged(first, one, batch + left).reshape([*shape[: len(batch + left)], *(1 for _ in right)])
        b = _arranged(second, two, batch + right)
        b = b.reshape([*shape[: len(batch)], *(1 for _ in left), *shape[len(batch + left) :]])
        product = _ufunc.multiply(a, b)
    else:
        a = _arranged(first, one, batch + left + summed).reshape((size(batch), size(left), size(summed)))
        b = _arranged(second, two, batch + summed + right).reshape((size(batch), size(summed), size(right)))
        product = _ufunc.matmul(a, b).reshape(shape) if batch else _ufunc.matmul(a[0], b[0]).reshape(shape)
    return _arranged(product, batch + left + right, result) if result else product[()]


def matrix_power(a: Any, n: Any) -> Any:
    array = array_of(a)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or not isinstance(n, int) or n < 1:
        raise Unsupported
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
