"""Reductions, and what is composed of them."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy

from . import _cnumeric
from ._composed import NoValue, array_of, asarray, composed, functions, method, normalize_axes
from ._fallback import Unsupported
from ._manipulation import where


def _with_correction(function: Any) -> Any:
    """NumPy's function takes `correction` for `ddof`; its method does not."""

    @functools.wraps(function)
    def wrapper(*args: Any, correction: Any = NoValue, **kwargs: Any) -> Any:
        if correction is NoValue:
            return function(*args, **kwargs)
        if len(args) > 4 or kwargs.get("ddof", 0) != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        return function(*args, **{**kwargs, "ddof": correction})

    return wrapper


_methods = "sum prod max min any all mean std var argmin argmax cumsum cumprod"
for _name in _methods.split():
    method(_name)
for _name in ("std", "var"):
    functions[f"numpy.{_name}"] = _with_correction(functions[f"numpy.{_name}"])
method("amax", "max")
method("amin", "min")

_sum = functions["numpy.sum"]
_mean = functions["numpy.mean"]


def _given(**keywords: Any) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if value is not NoValue}


@composed
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NoValue) -> Any:
    array = array_of(a)
    given = _given(keepdims=keepdims)
    return _cnumeric.subtract(array.max(axis, **given), array.min(axis, **given), out=out)


@composed
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    array = array_of(a)
    mask = array if array.dtype == bool else _cnumeric.not_equal(array, 0)
    return mask.sum(axis=axis, dtype=numpy.intp, keepdims=keepdims)


@composed
def average(a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *, keepdims: Any = NoValue) -> Any:
    array = array_of(a)
    if isinstance(axis, bool):
        raise Unsupported
    given = _given(keepdims=keepdims)
    if weights is None:
        result = array.mean(axis, **given)
        scale: Any = result.dtype.type(array.size / result.size)  # NumPy, too, divides by zero if there is nothing
    else:
        weight = _weights_of(array, axis, array_of(weights))
        kinds = [array.dtype, weight.dtype]
        if issubclass(array.dtype.type, numpy.integer | numpy.bool):
            kinds.append(numpy.dtype(float))
        dtype = numpy.result_type(*kinds)
        scale = weight.sum(axis=axis, dtype=dtype, **given)
        if _cnumeric.equal(scale, 0.0).any():
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        result = _cnumeric.multiply(array, weight, dtype=dtype).sum(axis, **given) / scale
    if not returned:
        return result
    if numpy.shape(scale) != numpy.shape(result):
        scale = _cnumeric.array(_cnumeric.broadcast_to(asarray(scale), result.shape))
    return result, scale


def _weights_of(array: Any, axis: Any, weight: Any) -> Any:
    """The weights in the form of the array: as they are, or along the one axis."""
    if weight.shape == array.shape:
        return weight
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = normalize_axes(axis, array.ndim)
    if len(axes) != 1 or weight.ndim != 1:
        raise Unsupported
    if weight.shape[0] != array.shape[axes[0]]:
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    return weight.reshape(tuple(-1 if place == axes[0] else 1 for place in range(array.ndim)))


# ---- Without NaN -----------------------------------------------------------------------------------------


def _may_have_nan(array: Any) -> bool:
    return array.dtype.kind in "fc"


@composed
def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = NoValue,
    initial: Any = NoValue,
    where: Any = NoValue,
) -> Any:
    array = _replaced(array_of(a), 0)
    return array.sum(axis, dtype, out, **_given(keepdims=keepdims, initial=initial, where=where))


@composed
def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = NoValue,
    initial: Any = NoValue,
    where: Any = NoValue,
) -> Any:
    array = _replaced(array_of(a), 1)
    return array.prod(axis, dtype, out, **_given(keepdims=keepdims, initial=initial, where=where))


def _replaced(array: Any, value: Any) -> Any:
    return where(_cnumeric.isnan(array), array.dtype.type(value), array) if _may_have_nan(array) else array


@composed
def nanmean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = NoValue,
    *,
    where: Any = NoValue,
) -> Any:
    array = array_of(a)
    if not _may_have_nan(array):
        return array.mean(axis, dtype, out, **_given(keepdims=keepdims, where=where))
    exact = dtype is not None and numpy.dtype(dtype).kind not in "fc"
    if out is not None or where is not NoValue or array.dtype == numpy.float16 or exact:
        raise Unsupported
    present = _cnumeric.logical_not(_cnumeric.isnan(array))
    count = present.sum(axis=axis, dtype=numpy.intp, **_given(keepdims=keepdims))
    total = _replaced(array, 0).sum(axis=axis, dtype=dtype, **_given(keepdims=keepdims))
    with numpy.errstate(invalid="ignore", divide="ignore"):
        result = _cnumeric.true_divide(total, count)
    if _cnumeric.equal(count, 0).any():
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=3)
    return result.astype(total.dtype, copy=False)


@composed
def nanvar(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, **kwargs: Any) -> Any:
    array = array_of(a)
    if not _may_have_nan(array) and kwargs.keys() <= {"keepdims"}:
        return array.var(axis, dtype, out, ddof, **kwargs)
    if out is not None or dtype is not None or kwargs or array.dtype.kind == "c" or array.dtype == numpy.float16:
        raise Unsupported
    present = _cnumeric.logical_not(_cnumeric.isnan(array))
    count = present.sum(axis=axis, dtype=numpy.intp, keepdims=True)
    filled = _replaced(array, 0)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        mean = _cnumeric.true_divide(filled.sum(axis=axis, keepdims=True), count).astype(array.dtype, copy=False)
        away = where(present, filled - mean, array.dtype.type(0))
        freedom = asarray(count.sum(axis=axis) if axis is not None else count.reshape(())) - ddof
        result = _cnumeric.true_divide((away * away).sum(axis=axis), freedom)
    if _cnumeric.less_equal(freedom, 0).any():
        raise Unsupported
    return result.astype(array.dtype, copy=False)


@composed
def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, **kwargs: Any) -> Any:
    if out is not None:
        raise Unsupported
    return _cnumeric.sqrt(nanvar(a, axis, dtype, None, ddof, **kwargs))


def _nan_extreme(ufunc: Any, a: Any, axis: Any, out: Any, given: dict[str, Any]) -> Any:
    array = array_of(a)
    result = ufunc.reduce(array, axis=axis, out=out, **given)
    if _may_have_nan(array) and _cnumeric.isnan(result).any():
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=4)
    return result


@composed
def nanmin(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: Any = NoValue,
    initial: Any = NoValue,
    where: Any = NoValue,
) -> Any:
    given = _given(keepdims=keepdims, initial=initial, where=where)
    return _nan_extreme(_cnumeric.fmin, a, axis, out, given)


@composed
def nanmax(
    a: Any,
    axis: Any = None,
    out: Any = None,
    keepdims: Any = NoValue,
    initial: Any = NoValue,
    where: Any = NoValue,
) -> Any:
    given = _given(keepdims=keepdims, initial=initial, where=where)
    return _nan_extreme(_cnumeric.fmax, a, axis, out, given)


# ---- Integrals -------------------------------------------------------------------------------------------


@composed
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    array = array_of(y)
    if not isinstance(axis, int) or isinstance(axis, bool) or array.ndim == 0:
        raise Unsupported
    axis = normalize_axes(axis, array.ndim)[0]
    steps = dx
    if x is not None:
        steps = functions["numpy.diff"](x, axis=0 if numpy.ndim(x) == 1 else axis)
        if steps.ndim == 1:
            steps = steps.reshape(tuple(-1 if place == axis else 1 for place in range(array.ndim)))
    before = (slice(None),) * axis
    return (steps * (array[(*before, slice(1, None))] + array[(*before, slice(None, -1))]) / 2.0).sum(axis)
