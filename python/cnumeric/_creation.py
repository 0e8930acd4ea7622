"""New arrays: filled, ranges, and of another array's form.

Of functions that are guarded, not composed, the extension has the commonest calls (``create_quick.c``), and comes here
with the others.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from . import _cnumeric, _fallback
from ._composed import array_of, composed, functions, guard, ndarray
from ._fallback import Unsupported

array = _cnumeric.array
empty = _cnumeric.empty
zeros = _cnumeric.zeros
ones = _cnumeric.ones


def only_here(device: Any, like: Any) -> None:
    """`like` may be an array of ours or NumPy's own: it is ours that is made."""
    if device not in (None, "cpu") or (like is not None and type(like) not in (ndarray, numpy.ndarray)):
        raise Unsupported


def _filled(result: Any, value: Any) -> Any:
    if type(result) is ndarray:
        result[...] = value
    else:
        numpy.copyto(result, value, casting="unsafe")
    return result


# ---- Filled --------------------------------------------------------------------------------------------


@guard
def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None
) -> Any:
    only_here(device, like)
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else numpy.asarray(fill_value).dtype
    return _filled(empty(shape, dtype, order), fill_value)


def _like(prototype: Any, dtype: Any, order: Any, shape: Any, device: Any) -> Any:
    """An uninitialised array as NumPy's empty_like makes it; a NumPy array if the dtype is not native."""
    only_here(device, None)
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


@guard
def empty_like(
    prototype: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _like(prototype, dtype, order, shape, device)


@guard
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _filled(_like(a, dtype, order, shape, device), 0)


@guard
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Any:
    return _filled(_like(a, dtype, order, shape, device), 1)


@guard
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
    only_here(device, like)
    if order == "F":
        return eye(operator.index(N if M is None else M), operator.index(N), -operator.index(k), dtype).T
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
    only_here(None, like)
    rows, columns = operator.index(N), operator.index(N if M is None else M)
    below = _cnumeric.arange(rows)[:, None] >= _cnumeric.arange(-k, columns - k)
    return below if dtype is bool else below.astype(dtype)


# ---- From other objects ----------------------------------------------------------------------------------


@composed
def asanyarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None, like: Any = None
) -> Any:
    only_here(device, like)
    if isinstance(a, numpy.ndarray) and type(a) is not numpy.ndarray:
        raise Unsupported
    return array(a, dtype, copy=copy, order="K" if order is None else order, subok=True)


@composed
def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    only_here(None, like)
    return array(a, dtype, copy=None, order="C", ndmin=1)


@composed
def asfortranarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    only_here(None, like)
    return array(a, dtype, copy=None, order="F", ndmin=1)


@composed
def copy(a: Any, order: Any = "K", subok: Any = False) -> Any:
    array_of(a)  # none of a subclass
    return array(a, order=order)


@composed
def frombuffer(buffer: Any, dtype: Any = float, count: Any = -1, offset: Any = 0, *, like: Any = None) -> Any:
    only_here(None, like)
    return _cnumeric.asarray(numpy.frombuffer(buffer, dtype, count, offset))  # a view: the memory is the buffer's


# ---- Ranges ----------------------------------------------------------------------------------------------


_numpy_arange: Any = numpy.arange


def _number(value: Any) -> Any:
    """A bound of a range as Python's or NumPy's number."""
    if isinstance(value, ndarray | numpy.ndarray) and value.ndim == 0:
        value = value[()]
    if type(value) in (bool, numpy.bool):
        return int(value)
    if type(value) not in (int, float, complex) and not isinstance(value, numpy.number):
        raise Unsupported
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise Unsupported
    return value


def _range_dtype(numbers: tuple[Any, ...]) -> Any:
    """NumPy's dtype for arange: that of an empty range of the same kinds of numbers."""
    start, stop, step = (type(number) for number in numbers)
    return _numpy_arange(start(0), stop(0), step(1)).dtype


@guard
def arange(*args: Any, dtype: Any = None, device: Any = None, like: Any = None, **keywords: Any) -> Any:
    """Give evenly spaced values in ``[start, stop)``; NumPy's bits.

    Integer, float32 and float64 ranges are recorded; other dtypes are made by NumPy.
    """
    only_here(device, like)
    if len(args) > 4 or keywords.keys() - {"start", "stop", "step"}:
        raise TypeError("arange() takes start, stop, step, dtype")
    given = dict(zip(("start", "stop", "step", "dtype"), args, strict=False))
    if given.keys() & keywords.keys() or ("dtype" in given and dtype is not None):
        raise TypeError("arange() got an argument twice")
    given.update(keywords)
    dtype = given.pop("dtype", dtype)
    start, stop, step = given.get("start", 0), given.get("stop"), given.get("step")
    if stop is None and "start" not in keywords:
        start, stop = 0, given.get("start")
    if stop is None:
        raise TypeError("arange() requires stop to be specified.")
    start, stop, step = (_number(value) for value in (0 if start is None else start, stop, 1 if step is None else step))
    kind = _range_dtype((start, stop, step)) if dtype is None else numpy.dtype(dtype)
    if kind.char not in "bBhHiIlLqQfd" or not kind.isnative:
        return array(_numpy_arange(start, stop, step, dtype))
    length = max(math.ceil((stop - start) / step), 0)
    return _range(start, start + step, length, kind)


def counted(length: Any, dtype: Any) -> Any:
    """Give 0, 1 ... length - 1, as arange."""
    code = numpy.dtype(dtype).char
    if type(length) is int and code in "ld":
        return _cnumeric.arange(length if code == "l" else float(length))
    return arange(length, dtype=dtype)


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
    result = _cnumeric.progression(start, step, length)
    if start == 0 and numpy.signbit(start):
        result[0] = start
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
    only_here(device, None)
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    ends = (start, stop)
    plain = all(type(end) in (int, float) or isinstance(end, numpy.float64 | numpy.int64) for end in ends)
    if not plain or axis not in (0, -1):
        values, step = _spaced(start, stop, num, num - 1 if endpoint else num, endpoint, dtype)
        values = functions["numpy.moveaxis"](values, 0, axis) if axis != 0 else values
        return (values, step) if retstep else values
    intervals = num - 1 if endpoint else num
    start, stop = float(start), float(stop)
    delta = stop - start
    step = delta / intervals if intervals > 0 else math.nan
    values = _cnumeric.arange(float(num)) if num > 0 else empty(0)
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
    values = values if dtype is None else _cast_down(values, numpy.dtype(dtype))
    return (values, numpy.float64(step) if intervals > 0 else step) if retstep else values


def _cast_down(values: Any, dtype: Any) -> Any:
    return (_cnumeric.floor(values) if dtype.kind in "iu" else values).astype(dtype, copy=False)


def _end(value: Any) -> tuple[Any, Any]:
    """An end of a range as a number of NumPy's or an array of ours, and what it tells of the dtype."""
    array = numpy.asarray(value) if numpy.ndim(value) == 0 else array_of(value)
    if not _fallback.is_native(array.dtype):
        raise Unsupported
    return array, value if type(value) in (int, float, complex) else array.dtype


def _spaced(start: Any, stop: Any, num: int, intervals: int, endpoint: Any, dtype: Any) -> tuple[Any, Any]:
    """`num` values over the interval along a new first axis, for ends of any shape and kind; and the step."""
    (start, one), (stop, two) = _end(start), _end(stop)
    kind = numpy.result_type(one, two)
    kind = kind if kind.kind in "fc" else numpy.dtype(float)
    start, stop = (end.astype(kind) if end.ndim else end.astype(kind)[()] for end in (start, stop))
    delta = _cnumeric.subtract(stop, start)
    numbers = arange(0, num, dtype=kind).reshape((-1, *(1,) * numpy.ndim(delta)))
    step: Any = math.nan
    if intervals > 0:
        step = delta / intervals
        none = bool((step == 0).any()) if numpy.ndim(step) else step == 0
        values = numbers / intervals * delta if none else numbers * step
    else:
        values = numbers * delta
    values = values + start
    if endpoint and num > 1:
        values[-1, ...] = stop
    return _cast_down(values, kind if dtype is None else numpy.dtype(dtype)), step


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
    exponents: Any
    if all(numpy.ndim(one) == 0 for one in (start, stop, base)):
        exponents = linspace(start, stop, num=num, endpoint=endpoint, axis=axis)
        values = _cnumeric.power(base if type(base) in (int, float) else numpy.asarray(base)[()], exponents)
    else:
        ndim = max(numpy.ndim(one) for one in (start, stop, base))
        start, stop, base = (array(array_of(one), copy=None, ndmin=ndim) for one in (start, stop, base))
        exponents = linspace(start, stop, num=num, endpoint=endpoint, axis=axis)
        values = _cnumeric.power(functions["numpy.expand_dims"](base, axis), exponents)
    return values if dtype is None else values.astype(dtype, copy=False)


# ---- Grids -----------------------------------------------------------------------------------------------


# What NumPy's gives for sparse grids that are views: a list up to NumPy 2.4.
_views: Any = type(numpy.meshgrid((), copy=False, sparse=True))


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
    if copy:
        return tuple(array(line, order="C") for line in lines)
    return _views(lines) if sparse else tuple(lines)


@composed
def indices(dimensions: Any, dtype: Any = int, sparse: Any = False) -> Any:
    shape = tuple(dimensions)
    lines = []
    for axis, extent in enumerate(shape):
        line = counted(extent, dtype)
        lines.append(line.reshape((1,) * axis + (-1,) + (1,) * (len(shape) - axis - 1)))
    if sparse:
        return tuple(lines)
    result = empty((len(shape), *shape), dtype)
    for axis, line in enumerate(lines):
        result[axis] = line
    return result


@composed
def fromfunction(function: Any, shape: Any, *, dtype: Any = float, like: Any = None, **kwargs: Any) -> Any:
    only_here(None, like)
    return function(*indices(shape, dtype=dtype), **kwargs)
