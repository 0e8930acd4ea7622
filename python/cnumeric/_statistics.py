"""Order statistics, by NumPy's formulas on the core's partition."""

from __future__ import annotations

import math
from typing import Any

import numpy

from . import _cnumeric
from ._composed import NoValue, array_of, asarray, composed, normalize_axes, plain
from ._fallback import Unsupported
from ._manipulation import concatenate, stack, take_along_axis, where
from ._products import cov

# ---- The reduced axes as one, in front -------------------------------------------------------------------


def _lanes(array: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The array with the reduced axes as its first, and the shape of the result with them kept as ones."""
    axes = normalize_axes(axis, array.ndim)
    kept = [place for place in range(array.ndim) if place not in axes]
    shape = tuple(1 if place in axes else extent for place, extent in enumerate(array.shape))
    count = math.prod(array.shape[place] for place in axes)
    lanes = array.transpose([*axes, *kept]).reshape((count, *(array.shape[place] for place in kept)))
    return lanes, shape


def _delivered(result: Any, shape: tuple[int, ...], lead: tuple[int, ...], keepdims: Any, out: Any) -> Any:
    if keepdims:
        result = asarray(result).reshape(lead + shape)
    if out is None:
        return result
    if type(out) is not _cnumeric.ndarray or out.shape != numpy.shape(result):
        raise Unsupported
    out[...] = result
    return out


def _may_have_nan(array: Any) -> bool:
    return array.dtype.kind in "fc"


def _with_nan(result: Any, last: Any) -> Any:
    """The result, but NaN in lanes whose greatest element is."""
    if not isinstance(result, _cnumeric.ndarray):
        return last if numpy.isnan(last) else result
    return where(_cnumeric.isnan(last), asarray(last).astype(result.dtype, copy=False), result)


# ---- Median ----------------------------------------------------------------------------------------------


@composed
def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = False) -> Any:
    array = array_of(a)
    if array.ndim == 0:
        raise Unsupported
    lanes, shape = _lanes(array, axis)
    count = lanes.shape[0]
    if lanes.size == 0:
        raise Unsupported
    low, high = (count - 1) // 2, count // 2
    may_have_nan = _may_have_nan(array)
    ranks = {low, high, count - 1} if may_have_nan else {low, high}
    parted = _cnumeric.partition(lanes, tuple(sorted(ranks)), 0)
    result = parted[low : high + 1].mean(axis=0)
    if may_have_nan:
        result = _with_nan(result, parted[count - 1])
    return _delivered(result, shape, (), keepdims, out)


def _counted(array: Any, axis: Any) -> tuple[Any, Any, tuple[int, ...]]:
    """Sorted lanes, how many of each are no NaN, and the result's shape."""
    lanes, shape = _lanes(array, axis)
    if lanes.size == 0 or array.dtype.kind != "f" or array.dtype == numpy.float16:
        raise Unsupported
    counts = _cnumeric.logical_not(_cnumeric.isnan(lanes)).sum(axis=0, dtype=numpy.intp, keepdims=True)
    return _cnumeric.sort(lanes, 0), counts, shape


def _scalar(result: Any) -> Any:
    return result if result.ndim else result[()]


@composed
def nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = NoValue) -> Any:
    array = array_of(a)
    keepdims = keepdims is not NoValue and keepdims
    if array.size == 0:
        raise Unsupported
    if array.dtype.kind in "iub" and array.ndim:
        return median(array, axis, out, False, keepdims)
    ordered, counts, shape = _counted(array, axis)
    if bool((counts == 0).any()):
        raise Unsupported  # NumPy warns once a lane
    low = take_along_axis(ordered, (counts - 1) // 2, 0)[0]
    high = take_along_axis(ordered, counts // 2, 0)[0]
    result = where(asarray(counts[0] % 2 == 1), low, (low + high) / 2)
    return _delivered(_scalar(asarray(result)), shape, (), keepdims, out)


# ---- Quantiles -------------------------------------------------------------------------------------------


def _interpolated(low: Any, high: Any, gamma: Any) -> Any:
    """low + gamma * (high - low), from the nearer end: NumPy's _lerp."""
    away = high - low
    if isinstance(gamma, float | numpy.floating):
        return low + away * gamma if gamma < 0.5 else high - away * (1 - gamma)
    return where(gamma >= 0.5, high - away * (1 - gamma), low + away * gamma)


def _checked(q: Any, scale: Any) -> tuple[Any, bool]:
    """The quantiles as NumPy has them, on the host, and whether they are a plain Python number."""
    weak = type(q) in (int, float)
    quantiles = numpy.asarray(q)
    if scale != 1:
        quantiles = numpy.asarray(numpy.true_divide(quantiles, scale))
    if quantiles.dtype.kind not in "fiu" or quantiles.ndim > 1:
        raise Unsupported
    if not bool(((quantiles >= 0) & (quantiles <= 1)).all()):
        raise ValueError("Quantiles must be in the range [0, 1]")
    return quantiles, weak


def _rows(parted: Any, places: Any) -> Any:
    """The elements of these ranks: a row for a number, rows for an array of them."""
    if places.ndim == 0:
        return parted[int(places)]
    return stack([parted[int(place)] for place in places]) if parted.ndim > 1 else parted[asarray(places)]


def _taken(lanes: Any, places: Any, may_have_nan: bool) -> tuple[Any, Any]:
    count = lanes.shape[0]
    ranks = {int(place) % count for place in places.ravel()}
    parted = _cnumeric.partition(lanes, tuple(sorted(ranks | {count - 1} if may_have_nan else ranks)), 0)
    return _rows(parted, places), parted[count - 1]


_rounded = {"lower": numpy.floor, "higher": numpy.ceil}

# Hyndman and Fan's continuous estimates: where among the n sorted elements a quantile lies depends on two numbers.
_families = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


def _virtual(method: Any, count: int, quantiles: Any) -> Any:
    """The places of the quantiles among the sorted elements, from 0, as NumPy computes them."""
    if method == "linear" or method in _rounded:
        return numpy.asarray((count - 1) * quantiles)
    if method == "midpoint":
        place = (count - 1) * quantiles
        return numpy.asarray(0.5 * (numpy.floor(place) + numpy.ceil(place)))
    if method not in _families:
        raise Unsupported
    alpha, beta = _families[method]
    return numpy.asarray(count * quantiles + (alpha + quantiles * (1 - alpha - beta)) - 1)


def _neighbours(module: Any, virtual: Any, last: Any) -> tuple[Any, Any, Any]:
    """The ranks below and above these places among elements up to rank `last`, and how far between them, as NumPy's."""
    below, above = virtual < 0, virtual >= last
    floor = module.floor(virtual)
    low, high = module.where(below, 0, floor), module.where(below, 0, floor + 1)
    gamma = virtual - module.where(above, -1, low)
    return module.where(above, last, low), module.where(above, last, high), gamma


def _quantile(a: Any, q: Any, axis: Any, out: Any, method: Any, keepdims: Any, weights: Any, scale: Any) -> Any:
    array = array_of(a)
    if weights is not None or array.dtype.kind not in "fiu" or array.ndim == 0:
        raise Unsupported
    quantiles, weak = _checked(q, scale)
    lanes, shape = _lanes(array, axis)
    if lanes.size == 0 or quantiles.size == 0:
        raise Unsupported
    may_have_nan, count = _may_have_nan(array), lanes.shape[0]
    virtual = _virtual(method, count, quantiles)
    if method in _rounded or (method == "linear" and virtual.dtype.kind in "iu"):
        places = _rounded[method](virtual) if method in _rounded else virtual
        result, last = _taken(lanes, places.astype(numpy.intp), may_have_nan)
    else:
        low, high, gamma = _neighbours(numpy, virtual, count - 1)
        both = numpy.stack([low, high]).astype(numpy.intp)
        ends, last = _taken(lanes, both.reshape(-1), may_have_nan)
        ends = asarray(ends).reshape(both.shape + lanes.shape[1:])
        if virtual.ndim == 0:
            gamma = float(gamma) if weak else gamma[()]
        else:
            gamma = asarray(gamma.reshape(gamma.shape + (1,) * (lanes.ndim - 1)))
        result = _interpolated(ends[0], ends[1], gamma)
    if may_have_nan:
        result = _with_nan(result, last)
    return _delivered(_scalar(result), shape, quantiles.shape, keepdims, out)


@composed
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Any:
    return _quantile(a, q, axis, out, method, keepdims, weights, 1)


@composed
def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Any:
    return _quantile(a, q, axis, out, method, keepdims, weights, 100)


def _nan_quantile(a: Any, q: Any, axis: Any, out: Any, method: Any, keepdims: Any, weights: Any, scale: Any) -> Any:
    array = array_of(a)
    keepdims = keepdims is not NoValue and keepdims
    if array.dtype.kind in "iu":
        return _quantile(array, q, axis, out, method, keepdims, weights, scale)
    quantiles, weak = _checked(q, scale)
    if weights is not None or method != "linear" or array.ndim == 0 or quantiles.dtype.kind != "f":
        raise Unsupported
    ordered, counts, shape = _counted(array, axis)
    if bool((counts == 0).any()):
        raise Unsupported
    results = []
    for share in quantiles.reshape(-1):
        low, high, gamma = _neighbours(_cnumeric, (counts - 1) * float(share), counts - 1)
        if weak:
            gamma = gamma.astype(array.dtype, copy=False)
        ends = take_along_axis(ordered, concatenate([low, high]).astype(numpy.intp), 0)
        results.append(_interpolated(ends[:1], ends[1:], gamma)[0])
    result = stack([asarray(one) for one in results]) if quantiles.ndim else asarray(results[0])
    return _delivered(_scalar(result), shape, quantiles.shape, keepdims, out)


@composed
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = NoValue,
    *,
    weights: Any = None,
) -> Any:
    return _nan_quantile(a, q, axis, out, method, keepdims, weights, 1)


@composed
def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = NoValue,
    *,
    weights: Any = None,
) -> Any:
    return _nan_quantile(a, q, axis, out, method, keepdims, weights, 100)


# ---- Correlation -----------------------------------------------------------------------------------------


@composed
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, *, dtype: Any = None) -> Any:
    if dtype is not None:
        raise Unsupported
    result = plain(cov)(x, y, rowvar)
    if result.ndim != 2:
        return result / result
    deviation = _cnumeric.sqrt(result.diagonal())
    result = result / deviation[:, None] / deviation[None, :]
    return result.clip(-1, 1)
