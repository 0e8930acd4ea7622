"""Elementwise functions, comparisons and differences: composed of ufuncs, views and reductions."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    NoValue,
    array_of,
    arrays_of,
    asarray,
    by_numpy,
    composed,
    functions,
    method,
    ndarray,
    normalize_axes,
    normalize_axis,
)
from ._creation import full, zeros
from ._fallback import Unsupported, call
from ._index import cycled, target_of
from ._manipulation import broadcast_to, concatenate, where

arange = _cnumeric.arange

method("round")
method("around", "round")

_ufunc = _cnumeric


# ---- Elementwise -----------------------------------------------------------------------------------------


@composed
def clip(
    a: Any,
    a_min: Any = NoValue,
    a_max: Any = NoValue,
    out: Any = None,
    *,
    min: Any = NoValue,
    max: Any = NoValue,
    **kwargs: Any,
) -> Any:
    if a_min is NoValue and a_max is NoValue:
        a_min = None if min is NoValue else min
        a_max = None if max is NoValue else max
    elif a_min is NoValue or a_max is NoValue or min is not NoValue or max is not NoValue:
        raise TypeError("clip() takes a_min and a_max, or min and max")
    array = array_of(a)
    return array.clip(a_min, a_max, out=out, **kwargs)


@composed
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> Any:
    x = a if isinstance(a, int | float | complex) else array_of(a)
    y = b if isinstance(b, int | float | complex) else array_of(b)
    if isinstance(y, ndarray):
        y = y.astype(numpy.result_type(y.dtype, 1.0), copy=False)
    elif isinstance(y, int):
        y = float(y)
    if not isinstance(x, ndarray) and not isinstance(y, ndarray):
        raise Unsupported
    rtol, atol = (one if isinstance(one, int | float) else array_of(one) for one in (rtol, atol))
    if not all(bool(asarray(_ufunc.isfinite(one)).all()) for one in (rtol, atol)):
        raise Unsupported  # NumPy has a warning for what is not finite
    if isinstance(x, ndarray) and x.dtype == bool and not isinstance(y, ndarray):
        x = x.astype(float)
    with numpy.errstate(invalid="ignore"):
        bound = atol + rtol * abs(y)
        result = _ufunc.less_equal(abs(x - y), bound) & _ufunc.isfinite(y) | (x == y)
        if equal_nan:
            result = result | (_ufunc.isnan(x) & _ufunc.isnan(y))
    return result


@composed
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False) -> bool:
    return bool(functions["numpy.isclose"](a, b, rtol, atol, equal_nan).all())


@composed
def array_equal(a1: Any, a2: Any, equal_nan: Any = False) -> bool:
    a, b = array_of(a1), array_of(a2)
    if a.shape != b.shape:
        return False
    if not equal_nan:
        return bool((a == b).all())
    same = _ufunc.equal(a, b)
    for array in (a, b):
        if array.dtype.kind not in "fc":
            return bool(same.all())
    return bool((same | (_ufunc.isnan(a) & _ufunc.isnan(b))).all())


@composed
def array_equiv(a1: Any, a2: Any) -> bool:
    a, b = array_of(a1), array_of(a2)
    try:
        numpy.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        return False
    return bool((a == b).all())


@composed
def real(val: Any) -> Any:
    return val.real if hasattr(val, "real") else array_of(val).real


@composed
def imag(val: Any) -> Any:
    return val.imag if hasattr(val, "imag") else array_of(val).imag


@composed
def angle(z: Any, deg: Any = False) -> Any:
    array = array_of(z)
    if array.dtype.kind == "c":
        result = _ufunc.arctan2(array.imag, array.real)
    else:
        result = _ufunc.arctan2(0, array)
    return result * (180 / math.pi) if deg else result


@composed
def sinc(x: Any) -> Any:
    y = asarray(math.pi * array_of(x))
    least = numpy.finfo(y.dtype).eps if y.dtype.kind == "f" else 1.0e-20
    y = where(y != 0, y, y.dtype.type(least))
    return _ufunc.sin(y) / y


@composed
def fix(x: Any, out: Any = None) -> Any:
    array = array_of(x)
    if array.dtype.kind == "c":
        raise TypeError("ufunc 'ceil' not supported for the input types")
    return _ufunc.trunc(array, out=out)


@composed
def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    array = _cnumeric.asarray(a, dtype, order)
    if type(array) is not ndarray:
        raise Unsupported
    if array.dtype.kind in "fc" and not _ufunc.isfinite(array).all():
        raise ValueError("array must not contain infs or NaNs")
    return array


@composed
def isreal(x: Any) -> Any:
    return x.imag == 0 if isinstance(x, int | float | complex) else _ufunc.equal(array_of(x).imag, 0)


@composed
def iscomplex(x: Any) -> Any:
    array = array_of(x)
    if array.dtype.kind == "c":
        return _ufunc.not_equal(array.imag, 0)
    result = _cnumeric.zeros(array.shape, bool)
    return result if array.ndim else result[()]


@composed
def isposinf(x: Any, out: Any = None) -> Any:
    return _infinite(x, out, False)


@composed
def isneginf(x: Any, out: Any = None) -> Any:
    return _infinite(x, out, True)


def _infinite(x: Any, out: Any, negative: bool) -> Any:
    array = array_of(x)
    if array.dtype.kind == "c":
        raise TypeError("This operation is not supported for complex values because it would be ambiguous.")
    sign = _ufunc.signbit(array)
    return _ufunc.logical_and(_ufunc.isinf(array), sign if negative else ~sign, out)


# ---- Memory ----------------------------------------------------------------------------------------------


@composed
@by_numpy(pending=True, times=2.0**30)
def shares_memory(a: Any, b: Any, /, max_work: Any = -1) -> Any:
    return call(numpy.shares_memory, "", (a, b), {"max_work": max_work})


@composed
@by_numpy(pending=True, times=2.0**30)
def may_share_memory(a: Any, b: Any, /, max_work: Any = 0) -> Any:
    return call(numpy.may_share_memory, "", (a, b), {"max_work": max_work})


# ---- Bits ------------------------------------------------------------------------------------------------

# Eight truths, bytes of a word, times this have the byte of bits as the product's highest byte; and the bits of a byte,
# one in each byte of a word.
_packing = {"big": 0x8040201008040201, "little": 0x0102040810204080}
_bits = {"big": 0x0102040810204080, "little": 0x8040201008040201}
_ones, _most = numpy.uint64(0x0101010101010101), numpy.uint64(0x7F7F7F7F7F7F7F7F)


def _truths(words: Any) -> Any:
    """Each byte of the words as 0 or 1."""
    return ((((words & _most) + _most) | words) >> numpy.uint64(7)) & _ones


def _lines(a: Any, axis: Any, bitorder: Any) -> tuple[Any, int]:
    """The array with the axis last, and which it was."""
    array = array_of(a)
    if bitorder not in ("big", "little") or array.size == 0:
        raise Unsupported
    if axis is None or (array.ndim == 0 and axis in (0, -1)):
        return array.reshape(-1), 0
    place = normalize_axis(axis, array.ndim)
    return functions["numpy.moveaxis"](array, place, -1), place


def _from_lines(lines: Any, place: int) -> Any:
    return _cnumeric.array(functions["numpy.moveaxis"](lines, -1, place), order="C", copy=None)


@composed
@by_numpy(pending=False, times=32)
def packbits(a: Any, /, axis: Any = None, bitorder: Any = "big") -> Any:
    lines, place = _lines(a, axis, bitorder)
    if lines.dtype.kind not in "iub":
        raise TypeError("Expected an input array of integer or boolean data type")
    count = lines.shape[-1]
    if count % 8 or lines.dtype != bool or not lines.flags.c_contiguous:
        whole = zeros((*lines.shape[:-1], -(-count // 8) * 8), bool)
        whole[..., :count] = lines
        lines = whole
    packed = (_truths(lines.view(numpy.uint64)) * numpy.uint64(_packing[bitorder])) >> numpy.uint64(56)
    return _from_lines(packed.astype(numpy.uint8), place)


@composed
@by_numpy(pending=False)
def unpackbits(a: Any, /, axis: Any = None, count: Any = None, bitorder: Any = "big") -> Any:
    lines, place = _lines(a, axis, bitorder)
    if lines.dtype != numpy.uint8:
        raise TypeError("Expected an input array of unsigned byte data type")
    words = _truths((lines.astype(numpy.uint64) * _ones) & numpy.uint64(_bits[bitorder]))
    bits = words[..., None].view(numpy.uint8).reshape((*lines.shape[:-1], 8 * lines.shape[-1]))
    if count is None:
        return _from_lines(bits, place)
    have, wanted = bits.shape[-1], operator.index(count)
    wanted = have + wanted if wanted < 0 else wanted
    if wanted < 0:
        raise ValueError("count is less than the number of bits")
    result = zeros((*lines.shape[:-1], wanted), numpy.uint8)
    result[..., : min(have, wanted)] = bits[..., :wanted]
    return _from_lines(result, place)


# ---- What is not a number --------------------------------------------------------------------------------


@composed
def nan_to_num(x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    result = array_of(x)
    if result.dtype.kind in "fc" and any(numpy.ndim(value) for value in (nan, posinf, neginf)):
        raise Unsupported
    if not copy and not isinstance(x, ndarray | numpy.ndarray):
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    result = result.copy("K") if copy else target_of(x)
    parts = (result.real, result.imag) if result.dtype.kind == "c" else (result,) if result.dtype.kind == "f" else ()
    for part in parts:
        limits = numpy.finfo(part.dtype)
        infinite, negative = _ufunc.isinf(part), _ufunc.signbit(part)
        high, low = limits.max if posinf is None else posinf, limits.min if neginf is None else neginf
        replaced = where(infinite & negative, part.dtype.type(low), part)
        replaced = where(infinite & ~negative, part.dtype.type(high), replaced)
        part[...] = where(_ufunc.isnan(part), part.dtype.type(nan), replaced)
    if not result.ndim:
        return result[()]
    return result if copy else x


@composed
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError("list of cases must be same length as list of conditions")
    conditions = arrays_of(condlist)
    if any(condition.dtype != bool for condition in conditions):
        raise TypeError("invalid entry in condlist: should be boolean ndarray")
    weak = (int, float, complex)
    choices = [one if type(one) in weak else array_of(one) for one in (*choicelist, default)]
    dtype = numpy.result_type(*(one.dtype if isinstance(one, ndarray) else one for one in choices))
    arrays = [array_of(one) for one in choices]
    if not all(numpy.can_cast(one.dtype, dtype, "same_kind") for one in arrays[:-1]):
        raise TypeError("Cannot cast a choice")
    shape = numpy.broadcast_shapes(*(one.shape for one in (*conditions, *arrays)))
    if not shape:
        result = full(shape, arrays[-1], dtype)
        for condition, choice in zip(reversed(conditions), reversed(arrays[:-1]), strict=True):
            _cnumeric.copyto(result, choice, "unsafe", condition)
        return result
    result = _cnumeric.broadcast_to(arrays[-1].astype(dtype, copy=False), shape)
    for condition, choice in zip(reversed(conditions), reversed(arrays[:-1]), strict=True):
        result = where(condition, choice.astype(dtype, copy=False), result)
    return _cnumeric.array(result, order="C", copy=None)


@composed
def polyval(p: Any, x: Any) -> Any:
    if isinstance(x, numpy.poly1d):
        raise Unsupported
    array = array_of(x)
    result = functions["numpy.zeros_like"](array)
    for coefficient in numpy.asarray(p):
        result = result * array + coefficient
    return result


# ---- Differences -----------------------------------------------------------------------------------------


@composed
def diff(a: Any, n: Any = 1, axis: Any = -1, prepend: Any = NoValue, append: Any = NoValue) -> Any:
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    array = array_of(a)
    if n == 0:
        return a
    if array.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = normalize_axis(axis, array.ndim)
    parts = [array]
    for value, place in ((prepend, 0), (append, len(parts))):
        if value is NoValue:
            continue
        end = array_of(value)
        if end.ndim == 0:
            end = broadcast_to(end, tuple(1 if at == axis else extent for at, extent in enumerate(array.shape)))
        parts.insert(place if place == 0 else len(parts), end)
    if len(parts) > 1:
        array = concatenate(parts, axis)
    before = (slice(None),) * axis
    later, earlier = (*before, slice(1, None)), (*before, slice(None, -1))
    subtract = _ufunc.not_equal if array.dtype == bool else _ufunc.subtract
    for _ in range(n):
        array = subtract(array[later], array[earlier])
    return array


@composed
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    flat = array_of(ary).ravel()
    steps = flat[1:] - flat[:-1]
    parts = [None if end is None else array_of(end).ravel() for end in (to_begin, to_end)]
    for part in parts:
        if part is not None and not numpy.can_cast(part.dtype, flat.dtype, "same_kind"):
            raise TypeError("dtype must be compatible with input `ary` under the `same_kind` rule.")
    if all(part is None for part in parts):
        return steps
    whole = [part for part in (parts[0], steps, parts[1]) if part is not None]
    return concatenate(whole, 0, dtype=flat.dtype)


@composed
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    array = array_of(f)
    axes = normalize_axes(axis, array.ndim)
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 and len(axes) != 1 and numpy.ndim(varargs[0])):
        raise TypeError("invalid number of arguments")
    if array.dtype == bool:
        raise TypeError("booleans do not subtract")
    if any(array.shape[place] < edge_order + 1 for place in axes):
        raise ValueError("Shape of array too small to calculate a numerical gradient")
    if array.dtype.kind not in "fc":
        array = array.astype(float)
    given = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    results = tuple(
        _slope(array, _gaps(step, array.shape[place]), place, edge_order)
        for place, step in zip(axes, given, strict=True)
    )
    return results[0] if len(results) == 1 else results


def _gaps(step: Any, extent: int) -> Any:
    """The distance of neighbours, or all of them if they differ, for a distance or coordinates."""
    if numpy.ndim(step) == 0:
        return step if isinstance(step, int | float | complex) else numpy.asarray(step)[()]
    places = array_of(step)
    if places.ndim != 1 or places.shape[0] != extent:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    places = places.astype(float) if places.dtype.kind in "iu" else places
    gaps = places[1:] - places[:-1]
    return gaps[0] if bool((gaps == gaps[0]).all()) else gaps


def _slope(array: Any, step: Any, axis: int, edge_order: int) -> Any:
    before = (slice(None),) * axis

    def at(*bounds: int | None) -> Any:
        return array[(*before, slice(*bounds) if len(bounds) > 1 else bounds[0])]

    result = functions["numpy.empty_like"](array)
    inner = (*before, slice(1, -1))
    even = numpy.ndim(step) == 0
    first_gap, last_gap = (step, step) if even else (step[0], step[-1])
    if even:
        result[inner] = (at(2, None) - at(None, -2)) / (2.0 * step)
    else:
        lower, upper = (gaps.reshape((-1,) + (1,) * (array.ndim - axis - 1)) for gaps in (step[:-1], step[1:]))
        a, c = -upper / (lower * (lower + upper)), lower / (upper * (lower + upper))
        result[inner] = a * at(None, -2) + (upper - lower) / (lower * upper) * at(1, -1) + c * at(2, None)
    if edge_order == 1:
        first, last = (at(1) - at(0)) / first_gap, (at(-1) - at(-2)) / last_gap
    elif even:
        first = (-1.5 / step) * at(0) + (2.0 / step) * at(1) + (-0.5 / step) * at(2)
        last = (0.5 / step) * at(-3) + (-2.0 / step) * at(-2) + (1.5 / step) * at(-1)
    else:
        one, two = step[0], step[1]
        a, b, c = -(2.0 * one + two) / (one * (one + two)), (one + two) / (one * two), -one / (two * (one + two))
        first = a * at(0) + b * at(1) + c * at(2)
        one, two = step[-2], step[-1]
        a, b, c = two / (one * (one + two)), -(two + one) / (one * two), (2.0 * two + one) / (two * (one + two))
        last = a * at(-3) + b * at(-2) + c * at(-1)
    result[(*before, 0)] = first
    result[(*before, -1)] = last
    return result


# ---- Writing into an array -------------------------------------------------------------------------------


@composed
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    target = target_of(dst)
    if where is not True and not (isinstance(where, ndarray | numpy.ndarray) and where.dtype.kind == "b"):
        where = array_of(where).astype(bool, copy=False)
    return _cnumeric.copyto(target, src, casting, where)


def _diagonal_places(shape: tuple[int, ...], wrap: Any) -> int:
    """How many elements fill_diagonal writes: to the end, or of the square alone."""
    rows, columns = shape[0], shape[-1]
    if wrap and len(shape) == 2:
        return -(-rows * columns // (columns + 1))
    return min(shape)


@composed
@by_numpy(pending=False)
def fill_diagonal(a: Any, val: Any, wrap: Any = False) -> None:
    target = target_of(a)
    if target.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if target.ndim > 2 and len(set(target.shape)) != 1:
        raise ValueError("All dimensions of input must be of equal length")
    count = _diagonal_places(target.shape, wrap) if target.size else 0
    value = val if isinstance(val, int | float | complex) else cycled(array_of(val).ravel(), count)
    if count <= min(target.shape):
        line = _cnumeric.as_strided(target, target.dtype, 0, (count,), (sum(target.strides),), True)
        line[...] = value
    else:
        flat = arange(count) * (target.shape[1] + 1)
        target[flat // target.shape[1], flat % target.shape[1]] = value


# ---- Facts -----------------------------------------------------------------------------------------------


@composed
def ndim(a: Any) -> int:
    return a.ndim if isinstance(a, ndarray) else numpy.ndim(a)


@composed
def shape(a: Any) -> Any:
    return a.shape if isinstance(a, ndarray) else numpy.shape(a)


@composed
def size(a: Any, axis: Any = None) -> int:
    if not isinstance(a, ndarray):
        return numpy.size(a, axis)
    if axis is None:
        return int(a.size)
    return math.prod(a.shape[place] for place in normalize_axes(axis, a.ndim))


def _complex(x: Any) -> bool:
    return x.dtype.kind == "c" if isinstance(x, ndarray) else numpy.iscomplexobj(x)


@composed
def iscomplexobj(x: Any) -> bool:
    return _complex(x)


@composed
def isrealobj(x: Any) -> bool:
    return not _complex(x)


@composed
def result_type(*arrays_and_dtypes: Any) -> Any:
    stand_ins = (_stand_in(value) for value in arrays_and_dtypes)
    return numpy.result_type(*stand_ins)


@composed
def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return numpy.can_cast(_stand_in(from_), to, casting)


def _stand_in(value: Any) -> Any:
    return value.dtype if isinstance(value, ndarray) else value


@composed
def astype(x: Any, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Any:
    if type(x) is not ndarray or device not in (None, "cpu"):
        raise Unsupported
    return x.astype(dtype, copy=copy)
