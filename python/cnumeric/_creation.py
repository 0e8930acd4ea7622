"""New arrays: filled, ranges, and of another array's form."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, composed, ndarray
from ._fallback import Unsupported

array = _cnumeric.array
empty = _cnumeric.empty
zeros = _cnumeric.zeros


def _only_here(device: Any, like: Any) -> None:
    if like is not None or device not in (None, "cpu"):
        raise Unsupported


def _filled(result: Any, value: Any) -> Any:
    if type(result) is ndarray:
        result[...] = value
    else:
        numpy.copyto(result, value, casting="unsafe")
    return result


# ---- Filled --------------------------------------------------------------------------------------------


@composed
def ones(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> Any:
    _only_here(device, like)
    return _filled(empty(shape, float if dtype is None else dtype, order), 1)


@composed
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None
) -> Any:
    _only_here(device, like)
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else numpy.asarray(fill_value).dtype
    return _filled(empty(shape, dtype, order), fill_value)


def _like(prototype: Any, dtype: Any, order: Any, shape: Any, device: Any) -> Any:
    """An uninitialised array as NumPy's empty_like makes it; a NumPy array if the dtype is not native."""
    _only_here(device, None)
    source = array_of(prototype)
    if order not in tuple("CFAK"):
        raise Unsupported
    dtype = source.dtype if dtype is None else dtype
    if shape is not None and (not isinstance(shape, tuple | list) or len(shape) != source.ndim):
        by_columns = order == "F" or (order == "A" and source.flags.fnc)
        return empty(shape, dtype, "F" if by_columns else "C")
    extents = source.shape if shape is None else tuple(shape)
    if source.ndim < 2 or order == "C" or (order in "KA" and source.flags.c_contiguous):
        return empty(extents, dtype)
    if order == "F" or (order in "KA" and source.flags.f_contiguous):
        return empty(extents, dtype, "F")
    if order != "K":
        return empty(extents, dtype)
    slowest_first = sorted(range(source.ndim), key=lambda axis: -abs(source.strides[axis]))
    made = empty([extents[axis] for axis in slowest_first], dtype)
    return made.transpose([slowest_first.index(axis) for axis in range(source.ndim)])


@composed
def empty_like(
    prototype: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _like(prototype, dtype, order, shape, device)


@composed
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _filled(_like(a, dtype, order, shape, device), 0)


@composed
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _filled(_like(a, dtype, order, shape, device), 1)


@composed
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    return _filled(_like(a, dtype, order, shape, device), fill_value)


@composed
def eye(
    N: Any,
    M: Any = None,
    k: Any = 0,
    dtype: Any = float,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Any:
    _only_here(device, like)
    if order != "C":
        raise Unsupported
    rows = operator.index(N)
    columns = rows if M is None else operator.index(M)
    k = operator.index(k)
    result = zeros((rows, columns), dtype)
    if k >= columns or k <= -rows:
        return result
    flat = result[: columns - k].reshape(-1)
    flat[(k if k >= 0 else -k * columns) :: columns + 1] = 1
    return result


@composed
def identity(n: Any, dtype: Any = None, *, like: Any = None) -> Any:
    return eye(n, dtype=float if dtype is None else dtype, like=like)


@composed
def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = float, *, like: Any = None) -> Any:
    _only_here(None, like)
    rows, columns = operator.index(N), operator.index(N if M is None else M)
    k = operator.index(k)
    below = arange(rows)[:, None] >= arange(-k, columns - k)
    return below.astype(dtype)


# ---- From other objects ----------------------------------------------------------------------------------


@composed
def asanyarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None, like: Any = None
) -> Any:
    _only_here(device, like)
    if isinstance(a, numpy.ndarray) and type(a) is not numpy.ndarray:
        raise Unsupported
    return array(a, dtype, copy=copy, order="K" if order is None else order, subok=True)


@composed
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    _only_here(None, like)
    return array(a, dtype, copy=None, order="C", ndmin=1)


@composed
def asfortranarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    _only_here(None, like)
    return array(a, dtype, copy=None, order="F", ndmin=1)


@composed
def copy(a: Any, order: Any = "K", subok: Any = False) -> Any:
    if subok and type(a) is not ndarray:
        raise Unsupported
    return array(a, order=order)


# ---- Ranges ----------------------------------------------------------------------------------------------


_numpy_arange: Any = numpy.arange


def _range_dtype(numbers: tuple[Any, ...]) -> Any:
    """NumPy's dtype for arange: that of an empty range of the same kinds of numbers."""
    for number in numbers:
        if type(number) not in (int, float) and not isinstance(number, numpy.integer | numpy.floating):
            raise Unsupported
        if type(number) is int and not -(2**63) <= number < 2**63:
            raise Unsupported
    start, stop, step = (type(number) for number in numbers)
    return _numpy_arange(start(0), stop(0), step(1)).dtype


_zero, _one = numpy.int_(0), numpy.int_(1)
_plain = frozenset((int, float))


def _plain_range(args: tuple[Any, ...]) -> Any:
    """The range of one to three plain ints and floats, none of them large; None where there is something to decide."""
    start: Any
    stop: Any
    start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3] if 0 < len(args) < 4 else (None, 0, 0)
    kinds = {type(start), type(stop), type(step)}
    if not kinds <= _plain or not step or not (abs(start) < 2**52 and abs(stop) < 2**52 and abs(step) < 2**52):
        return None
    length = math.ceil((stop - start) / step)
    if length <= 0:
        return None
    if float not in kinds:
        return _cnumeric.arange(numpy.int_(start), numpy.int_(step), length)
    first, second = float(start), float(start + step)
    result = _cnumeric.arange(numpy.float64(first), numpy.float64(second - first), length)
    if length > 1 and first + (second - first) != second:
        result[1] = second
    return result


@composed
def arange(*args: Any, dtype: Any = None, device: Any = None, like: Any = None, **keywords: Any) -> Any:
    """Give evenly spaced values in ``[start, stop)``; NumPy's bits.

    Integer, float32 and float64 ranges are recorded; other dtypes are made by NumPy.
    """
    if dtype is None and device is None and like is None and not keywords:
        if len(args) == 1 and type(args[0]) is int and 0 < args[0] < 2**52:
            return _cnumeric.arange(_zero, _one, args[0])
        plain = _plain_range(args)
        if plain is not None:
            return plain
    _only_here(device, like)
    if len(args) > 4 or keywords.keys() - {"start", "stop", "step"}:
        raise TypeError("arange() takes start, stop, step, dtype")
    given = dict(zip(("start", "stop", "step", "dtype"), args, strict=False))
    if given.keys() & keywords.keys():
        raise TypeError("arange() got an argument twice")
    given.update(keywords)
    dtype = given.pop("dtype", dtype)
    start, stop, step = given.get("start", 0), given.get("stop"), given.get("step")
    if stop is None and "start" not in keywords:
        start, stop = 0, given.get("start")
    if stop is None:
        raise TypeError("arange() requires stop to be specified.")
    step = 1 if step is None else step
    kind = _range_dtype((0 if start is None else start, stop, step))
    kind = kind if dtype is None else numpy.dtype(dtype)
    if kind.char not in "bBhHiIlLqQfd" or not kind.isnative:
        return array(_numpy_arange(0 if start is None else start, stop, step, dtype))
    start = 0 if start is None else start
    length = max(math.ceil((stop - start) / step), 0)
    return _range(start, start + step, length, kind)


def _range(first: Any, second: Any, length: int, dtype: Any) -> Any:
    """`length` values that continue the first two, which are exact; the others are first + i * difference."""
    if length > 2**60:
        raise ValueError("Maximum allowed size exceeded")
    if length == 0:
        return empty((0,), dtype)
    with numpy.errstate(all="ignore"):
        start, following = numpy.array([first, second], object).astype(dtype)
        step = numpy.subtract(following, start)
        rounded = numpy.add(start, step)
    result = _cnumeric.arange(start, step, length)
    if length > 1 and rounded != following:
        result[1] = following
    return result


@composed
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    retstep: Any = False,
    dtype: Any = None,
    axis: Any = 0,
    *,
    device: Any = None,
) -> Any:
    """Give `num` evenly spaced values over ``[start, stop]``; NumPy's bits for real scalars."""
    _only_here(device, None)
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    ends = (start, stop)
    if not all(type(end) in (int, float) or isinstance(end, numpy.float64 | numpy.int64) for end in ends):
        raise Unsupported
    if axis not in (0, -1):
        raise Unsupported
    intervals = num - 1 if endpoint else num
    start, stop = float(start), float(stop)
    with numpy.errstate(all="ignore"):
        delta = numpy.float64(stop) - numpy.float64(start)
        step = delta / intervals if intervals > 0 else numpy.float64("nan")
    values = _range(0.0, 1.0, num, numpy.dtype(float))
    if intervals <= 0:
        values *= delta
    elif step == 0:
        values /= intervals
        values *= delta
    else:
        values *= step
    values += start
    if endpoint and num > 1:
        values[-1] = stop
    if dtype is not None:
        dtype = numpy.dtype(dtype)
        if dtype.kind in "iu":
            values = _cnumeric.floor(values)
        values = values.astype(dtype, copy=False)
    return (values, step) if retstep else values


@composed
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: Any = 0,
) -> Any:
    if not isinstance(base, int | float):
        raise Unsupported
    exponents = linspace(start, stop, num=num, endpoint=endpoint, axis=axis)
    values = _cnumeric.power(base, exponents)
    return values if dtype is None else values.astype(dtype, copy=False)


# ---- Grids -----------------------------------------------------------------------------------------------


@composed
def meshgrid(*xi: Any, copy: Any = True, sparse: Any = False, indexing: Any = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    ndim = len(xi)
    order = list(range(ndim))
    if indexing == "xy" and ndim > 1:
        order[:2] = 1, 0
    inputs = [array_of(x) for x in xi]
    lines = []
    for place, x in zip(order, inputs, strict=True):
        lines.append(x.reshape(tuple(-1 if axis == place else 1 for axis in range(ndim))))
    if not sparse:
        shape = numpy.broadcast_shapes(*(line.shape for line in lines)) if lines else ()
        lines = [_cnumeric.broadcast_to(line, shape) for line in lines]
    return tuple(array(line, order="C") for line in lines) if copy else tuple(lines)


@composed
def indices(dimensions: Any, dtype: Any = int, sparse: Any = False) -> Any:
    shape = tuple(dimensions)
    lines = []
    for axis, extent in enumerate(shape):
        line = arange(extent, dtype=dtype)
        lines.append(line.reshape(tuple(-1 if other == axis else 1 for other in range(len(shape)))))
    if sparse:
        return tuple(lines)
    result = empty((len(shape), *shape), dtype)
    for axis, line in enumerate(lines):
        result[axis] = line
    return result


@composed
def fromfunction(function: Any, shape: Any, *, dtype: Any = float, like: Any = None, **kwargs: Any) -> Any:
    _only_here(None, like)
    return function(*indices(shape, dtype=dtype), **kwargs)
