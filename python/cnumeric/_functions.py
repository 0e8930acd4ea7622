"""Elementwise functions, comparisons and differences: composed of ufuncs, views and reductions."""

from __future__ import annotations

import math
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    NoValue,
    array_of,
    arrays_of,
    composed,
    functions,
    method,
    ndarray,
    normalize_axes,
    normalize_axis,
)
from ._creation import empty, full
from ._fallback import Unsupported
from ._manipulation import broadcast_to, concatenate, where

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
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in (rtol, atol)):
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
    array = array_of(x)
    if array.dtype != float:
        raise Unsupported
    y = math.pi * where(array == 0, 1.0e-20, array)
    return _ufunc.sin(y) / y


@composed
def fix(x: Any, out: Any = None) -> Any:
    array = array_of(x)
    if array.dtype.kind not in "f":
        raise Unsupported
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
    return _ufunc.equal(array_of(x).imag, 0)


@composed
def iscomplex(x: Any) -> Any:
    array = array_of(x)
    if array.dtype.kind == "c":
        return _ufunc.not_equal(array.imag, 0)
    if array.ndim == 0:
        raise Unsupported
    return _cnumeric.zeros(array.shape, bool)


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


@composed
def nan_to_num(x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    array = array_of(x)
    if array.dtype.kind not in "fiub" or not copy or any(numpy.ndim(value) for value in (nan, posinf, neginf)):
        raise Unsupported
    if array.dtype.kind != "f":
        return array.copy()
    limits = numpy.finfo(array.dtype)
    kind = array.dtype.type
    result = where(_ufunc.isnan(array), kind(nan), array)
    result = where(result == numpy.inf, kind(limits.max if posinf is None else posinf), result)
    result = where(result == -numpy.inf, kind(limits.min if neginf is None else neginf), result)
    return result if array.ndim else result[()]


@composed
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError("list of cases must be same length as list of conditions")
    conditions, choices = arrays_of(condlist), arrays_of(choicelist)
    if any(condition.dtype != bool for condition in conditions):
        raise TypeError("invalid entry in condlist: should be boolean ndarray")
    fallback = default if isinstance(default, int | float | complex) else array_of(default)
    dtype = numpy.result_type(*(choice.dtype for choice in choices), getattr(fallback, "dtype", fallback))
    shape = numpy.broadcast_shapes(*(array.shape for array in (*conditions, *choices)), numpy.shape(fallback))
    if not shape:
        raise Unsupported
    result = full(shape, fallback, dtype)
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = where(condition, choice.astype(dtype, copy=False), result)
    return result


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
    if len(varargs) not in (0, 1, len(axes)) or any(numpy.ndim(step) for step in varargs):
        raise Unsupported
    if any(array.shape[place] < edge_order + 1 for place in axes):
        raise ValueError("Shape of array too small to calculate a numerical gradient")
    if array.dtype.kind not in "fc":
        array = array.astype(float)
    steps = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    results = tuple(_slope(array, step, place, edge_order) for place, step in zip(axes, steps, strict=True))
    return results[0] if len(results) == 1 else results


def _slope(array: Any, step: Any, axis: int, edge_order: int) -> Any:
    before = (slice(None),) * axis

    def at(*bounds: int | None) -> Any:
        return array[(*before, slice(*bounds) if len(bounds) > 1 else bounds[0])]

    result = empty(array.shape, array.dtype)
    result[(*before, slice(1, -1))] = (at(2, None) - at(None, -2)) / (2.0 * step)
    if edge_order == 1:
        first, last = (at(1) - at(0)) / step, (at(-1) - at(-2)) / step
    else:
        first = (-1.5 / step) * at(0) + (2.0 / step) * at(1) + (-0.5 / step) * at(2)
        last = (0.5 / step) * at(-3) + (-2.0 / step) * at(-2) + (1.5 / step) * at(-1)
    result[(*before, 0)] = first
    result[(*before, -1)] = last
    return result


# ---- Writing into an array -------------------------------------------------------------------------------


@composed
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if type(dst) is not ndarray:
        raise Unsupported
    return _cnumeric.copyto(dst, src, casting, where)


@composed
def fill_diagonal(a: Any, val: Any, wrap: Any = False) -> None:
    if type(a) is not ndarray or a.ndim != 2 or not a.flags.c_contiguous or numpy.ndim(val):
        raise Unsupported
    columns = a.shape[1]
    flat = a.reshape(-1)
    end = None if wrap else columns * columns
    flat[: end : columns + 1] = val


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
