"""Products of arrays: dot, tensordot, einsum and their kin, composed of matmul, multiply and sums."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy

from . import _cnumeric
from ._composed import (
    array_of,
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
    x, y = array_of(a), array_of(b)
    if x.ndim != 1 or y.ndim != 1:
        x, y = x.ravel(), y.ravel()
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


class _Operand(NamedTuple):
    """What is done to an operand first: sums over labels that nothing else has, then an order of the axes."""

    summed: tuple[int, ...]
    order: tuple[int, ...] | None  # None: as they are


class _Recipe(NamedTuple):
    """What a string of subscripts says, for operands of these numbers of dimensions."""

    operands: tuple[_Operand, ...]
    shared: tuple[tuple[int, int], ...]  # axes of the first and the second operand with one label
    parts: tuple[int, int, int, int]  # how many labels are batch, left, summed and right
    order: tuple[int, ...] | None  # of (batch, left, right) in the result
    scalar: bool


def _order(have: str, want: str) -> tuple[int, ...] | None:
    return tuple(have.index(letter) for letter in want) if have != want else None


def _terms(subscripts: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the result."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = "".join(terms)
    if len(terms) != len(ndims) or not letters.isalpha() or any(len(set(term)) != len(term) for term in terms):
        raise Unsupported
    if not arrow:
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    if len(set(result)) != len(result) or set(result) - set(letters):
        raise Unsupported
    if any(len(term) != ndim for term, ndim in zip(terms, ndims, strict=True)):
        raise ValueError("einstein sum subscripts do not fit the number of dimensions")
    return terms, result


def _summed(term: str, kept: str) -> tuple[tuple[int, ...], str]:
    """The axes of labels that nothing else has, and the term without them."""
    axes = tuple(place for place, letter in enumerate(term) if letter not in kept)
    return axes, "".join(letter for letter in term if letter in kept)


@functools.lru_cache(maxsize=512)
def _recipe(subscripts: str, *ndims: int) -> _Recipe:
    terms, result = _terms(subscripts, ndims)
    if len(terms) == 1:
        axes, one = _summed(terms[0], result)
        return _Recipe((_Operand(axes, _order(one, result)),), (), (0, 0, 0, 0), None, not result)
    shared = tuple((i, terms[1].index(letter)) for i, letter in enumerate(terms[0]) if letter in terms[1])
    first, one = _summed(terms[0], result + terms[1])
    second, two = _summed(terms[1], result + one)
    batch = "".join(letter for letter in one if letter in two and letter in result)
    summed = "".join(letter for letter in one if letter in two and letter not in result)
    left = "".join(letter for letter in one if letter not in two)
    right = "".join(letter for letter in two if letter not in one)
    operands = (
        _Operand(first, _order(one, batch + left + summed)),
        _Operand(second, _order(two, batch + summed + right)),
    )
    parts = (len(batch), len(left), len(summed), len(right))
    return _Recipe(operands, shared, parts, _order(batch + left + right, result), not result)


def _prepared(array: Any, operand: _Operand) -> Any:
    if operand.summed:
        array = _cnumeric.asarray(array.sum(axis=operand.summed, dtype=array.dtype))
    return array.transpose(operand.order) if operand.order is not None else array


def _pair(a: Any, b: Any, parts: tuple[int, int, int, int]) -> Any:
    """Two operands as stacks of matrices: (batch, left, summed) @ (batch, summed, right)."""
    batch, left, summed, right = parts
    if batch == 0 and summed == 1 and left <= 1 and right <= 1:
        return _ufunc.matmul(a, b)
    stack, rows, columns = a.shape[:batch], a.shape[batch : batch + left], b.shape[batch + summed :]
    if not summed:
        return _ufunc.multiply(a.reshape((*a.shape, *(1,) * right)), b.reshape((*stack, *(1,) * left, *columns)))
    count = math.prod(a.shape[batch + left :])
    if batch:
        a = a.reshape((math.prod(stack), math.prod(rows), count))
        b = b.reshape((math.prod(stack), count, math.prod(columns)))
    else:
        a, b = a.reshape((math.prod(rows), count)), b.reshape((count, math.prod(columns)))
    return _ufunc.matmul(a, b).reshape((*stack, *rows, *columns))


@composed
def einsum(*operands: Any, **kwargs: Any) -> Any:
    """Evaluate Einstein's summation over one or two operands with plain labels; NumPy does the rest."""
    if kwargs or len(operands) not in (2, 3) or not isinstance(operands[0], str):
        raise Unsupported
    first = array_of(operands[1])
    if len(operands) == 2:
        recipe = _recipe(operands[0], first.ndim)
        result = _prepared(first, recipe.operands[0])
        return result[()] if recipe.scalar else result
    second = array_of(operands[2])
    recipe = _recipe(operands[0], first.ndim, second.ndim)
    one, two = first.shape, second.shape
    for i, j in recipe.shared:
        if one[i] != two[j]:
            raise Unsupported
    result = _pair(_prepared(first, recipe.operands[0]), _prepared(second, recipe.operands[1]), recipe.parts)
    if recipe.order is not None:
        result = result.transpose(recipe.order)
    return result[()] if recipe.scalar else result


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
