"""Reductions, and what is composed of them."""

from __future__ import annotations

import functools
import math
import operator
import warnings
from typing import Any

import numpy

from . import _cnumeric, _fallback
from ._composed import (
    NoValue,
    array_of,
    asarray,
    composed,
    functions,
    method,
    method_of,
    ndarray,
    normalize_axes,
)
from ._fallback import Unsupported
from ._manipulation import delivered, order_of
from ._manipulation import where as select


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


def _given(**keywords: Any) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if value is not NoValue}


@composed
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = NoValue) -> Any:
    array = array_of(a)
    given = _given(keepdims=keepdims)
    return _cnumeric.subtract(array.max(axis, out, **given), array.min(axis, **given), out=out)


@composed
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    array = array_of(a)
    if axis is None and keepdims is False:
        count = _cnumeric.count_at_hand(array)
        if count is not None:
            return count
        if array.dtype == bool:
            return array.sum()
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
    if weight.shape != tuple(array.shape[place] for place in axes):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    turned = weight.transpose(sorted(range(len(axes)), key=axes.__getitem__))
    return turned.reshape(tuple(extent if place in axes else 1 for place, extent in enumerate(array.shape)))


# ---- Methods with options that the extension leaves -------------------------------------------------------
#
# It has taken what is common; these are called for a mask, a mean that is known, nothing to count, an output.


def _mask_of(array: Any, where: Any) -> Any:
    """The mask in the array's shape; None if there is none."""
    if where is True or where is NoValue:
        return None
    mask = array_of(where)
    if mask.dtype != bool:
        raise Unsupported
    return _cnumeric.broadcast_to(mask, array.shape)


def _count(array: Any, axis: Any, keepdims: Any, mask: Any) -> Any:
    """How many elements each result takes."""
    if mask is not None:
        return mask.sum(axis=axis, dtype=numpy.intp, keepdims=keepdims)
    return math.prod(array.shape[place] for place in normalize_axes(axis, array.ndim))


def _divided(total: Any, count: Any) -> Any:
    """total / count, rounded to the dtype of the total, as NumPy does it in place."""
    if isinstance(total, ndarray):
        return _cnumeric.true_divide(total, count, out=total, casting="unsafe")
    return total.dtype.type(total / count)


def _axes_that_are(array: Any, axis: Any) -> Any:
    normalize_axes(axis, array.ndim)  # NumPy counts along them first
    return axis


@method_of("mean")
def _mean_method(
    self: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    mask, axis = _mask_of(self, where), _axes_that_are(self, axis)
    count = _count(self, axis, keepdims, mask)
    if bool(asarray(count == 0).any()):
        _fallback.warn_user("Mean of empty slice", RuntimeWarning)
    half = dtype is None and self.dtype == numpy.float16
    if dtype is None and self.dtype.kind in "biu":
        dtype = numpy.dtype(float)
    given = {} if mask is None else {"where": mask}
    total = self.sum(axis, numpy.dtype(numpy.float32) if half else dtype, out, keepdims, **given)
    result = _divided(total, count)
    if half and out is None:
        return result.astype(self.dtype)
    return result


def _deviations(self: Any, axis: Any, dtype: Any, mask: Any, mean: Any) -> Any:
    """The squares of what differs from the mean, which is real."""
    if mean is None:
        given = {} if mask is None else {"where": mask}
        mean = _divided(self.sum(axis, dtype, None, True, **given), _count(self, axis, True, mask))
    away = asarray(self - mean)
    if away.dtype.kind == "c":
        return _cnumeric.add(_cnumeric.square(away.real), _cnumeric.square(away.imag))
    return _cnumeric.square(away)


@method_of("var")
def _var_method(
    self: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = NoValue,
) -> Any:
    mask, axis = _mask_of(self, where), _axes_that_are(self, axis)
    count = _count(self, axis, keepdims, mask)
    if bool(asarray(count <= ddof).any()):
        _fallback.warn_user("Degrees of freedom <= 0 for slice", RuntimeWarning)
    if dtype is None and self.dtype.kind in "biu":
        dtype = numpy.dtype(float)
    squares = _deviations(self, axis, dtype, mask, None if mean is NoValue or mean is None else mean)
    given = {} if mask is None else {"where": mask}
    total = squares.sum(axis, dtype, out, keepdims, **given)
    return _divided(total, _cnumeric.maximum(count - ddof, 0))


@method_of("std")
def _std_method(self: Any, *args: Any, **kwargs: Any) -> Any:
    result = _var_method(self, *args, **kwargs)
    if isinstance(result, ndarray | numpy.ndarray):
        return _cnumeric.sqrt(result, out=result)
    return result.dtype.type(numpy.sqrt(result))


def _place_method(name: str) -> None:
    @method_of(name)
    def place(self: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        if out is None:
            raise Unsupported
        return delivered(asarray(getattr(self, name)(axis, keepdims=keepdims)), out)


def _running_method(name: str, ufunc: Any) -> None:
    @method_of(name)
    def running(self: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        line = self.ravel() if axis is None else self
        if out is None or line.ndim == 0:
            raise Unsupported
        return ufunc.accumulate(line, 0 if axis is None else axis, dtype, out)


for _name in ("argmax", "argmin"):
    _place_method(_name)
_running_method("cumsum", _cnumeric.add)
_running_method("cumprod", _cnumeric.multiply)


@method_of("round")
def _round_method(self: Any, decimals: Any = 0, out: Any = None) -> Any:
    places = operator.index(decimals)
    if out is not None and numpy.shape(out) != self.shape:
        raise ValueError("invalid output shape")
    result = asarray(_rounded(self, places))
    if out is None:
        return result if result.ndim else result[()]
    target = asarray(out)
    if type(target) is not ndarray or not numpy.can_cast(result.dtype, target.dtype, "same_kind"):
        raise Unsupported
    target[...] = result
    return out


def _rounded(array: Any, places: int) -> Any:
    order, kind = order_of(array), array.dtype.kind
    if kind == "c":
        result = _cnumeric.empty(array.shape, array.dtype, order)
        result.real, result.imag = _rounded(array.real, places), _rounded(array.imag, places)
        return result
    if places == 0 or (kind in "iu" and places > 0):
        return array.copy("K") if kind in "iu" else _cnumeric.rint(array)
    if kind == "b":
        raise Unsupported
    scale = math.pow(10.0, abs(places))
    first, second = (
        (_cnumeric.multiply, _cnumeric.true_divide) if places > 0 else (_cnumeric.true_divide, _cnumeric.multiply)
    )
    return second(_cnumeric.rint(first(array, scale, order=order)), scale).astype(array.dtype, copy=False)


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
    return select(_cnumeric.isnan(array), array.dtype.type(value), array) if _may_have_nan(array) else array


def _per_count(total: Any, count: Any, out: Any = None) -> Any:
    """total / count in the dtype of the total, or into out; nothing is said of what is divided by zero."""
    with numpy.errstate(invalid="ignore", divide="ignore"):
        if isinstance(total, ndarray | numpy.ndarray):
            return _cnumeric.true_divide(total, count, out=total if out is None else out, casting="unsafe")
        return total.dtype.type(total / count)


def _inexact(dtype: Any, out: Any) -> None:
    kinds = [] if dtype is None else [numpy.dtype(dtype).kind]
    if any(kind not in "fc" for kind in kinds + ([] if out is None else [out.dtype.kind])):
        raise TypeError("If a is inexact, then dtype and out must be inexact")


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
    array, given = array_of(a), _given(keepdims=keepdims, where=where)
    if not _may_have_nan(array):
        return array.mean(axis, dtype, out, **given)
    _inexact(dtype, out)
    count = _cnumeric.logical_not(_cnumeric.isnan(array)).sum(axis=axis, dtype=numpy.intp, **given)
    total = _replaced(array, 0).sum(axis, dtype, out, **given)
    if bool(asarray(count == 0).any()):
        _fallback.warn_user("Mean of empty slice", RuntimeWarning)
    return _per_count(total, count, out)


def _nan_var(
    a: Any, axis: Any, dtype: Any, out: Any, ddof: Any, keepdims: Any, where: Any, mean: Any, correction: Any
) -> Any:
    array = array_of(a)
    if correction is not NoValue:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    given = _given(where=where)
    if not _may_have_nan(array):
        return array.var(axis, dtype, out, ddof, **given, **_given(keepdims=keepdims, mean=mean))
    _inexact(dtype, out)
    missing = _cnumeric.isnan(array)
    count = asarray(_cnumeric.logical_not(missing).sum(axis=axis, dtype=numpy.intp, keepdims=True, **given))
    if mean is NoValue:
        mean = _per_count(_replaced(array, 0).sum(axis=axis, dtype=dtype, keepdims=True, **given), count)
    away = select(missing, array.dtype.type(0), (array - mean).astype(array.dtype, copy=False))
    squares = (
        _cnumeric.square(away.real) + _cnumeric.square(away.imag) if away.dtype.kind == "c" else _cnumeric.square(away)
    )
    total = squares.sum(axis, dtype, out, **given, **_given(keepdims=keepdims))
    freedom = count.reshape(numpy.shape(total)) - ddof
    wrong = asarray(freedom <= 0)
    result = _per_count(total, freedom if freedom.ndim else freedom[()], out)
    if bool(wrong.any()):
        _fallback.warn_user("Degrees of freedom <= 0 for slice.", RuntimeWarning)
        if not isinstance(result, ndarray):
            return result.dtype.type(numpy.nan)
        _cnumeric.copyto(result, numpy.nan, where=wrong)
    return result


@composed
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = NoValue,
    *,
    where: Any = NoValue,
    mean: Any = NoValue,
    correction: Any = NoValue,
) -> Any:
    return _nan_var(a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@composed
def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = NoValue,
    *,
    where: Any = NoValue,
    mean: Any = NoValue,
    correction: Any = NoValue,
) -> Any:
    result = _nan_var(a, axis, dtype, out, ddof, keepdims, where, mean, correction)
    if isinstance(result, ndarray | numpy.ndarray):
        return _cnumeric.sqrt(result, out=result)
    return result.dtype.type(numpy.sqrt(result))


def _nan_extreme(ufunc: Any, a: Any, axis: Any, out: Any, given: dict[str, Any]) -> Any:
    array = array_of(a)
    result = ufunc.reduce(array, axis=axis, out=out, **given)
    if _may_have_nan(array) and _cnumeric.isnan(result).any():
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
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
    pairs = array[(*before, slice(1, None))] + array[(*before, slice(None, -1))]
    if type(steps) is not float or steps != 1.0 or array.dtype.kind != "f":
        pairs = steps * pairs
    return (pairs / 2.0).sum(axis)
