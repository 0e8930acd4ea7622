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
    target = asarray(out) if type(out) is numpy.ndarray else out
    if type(target) is not _cnumeric.ndarray or target.shape != numpy.shape(result):
        raise Unsupported
    if not numpy.can_cast(result.dtype, target.dtype, "same_kind"):
        raise Unsupported
    target[...] = result
    return out


class _arrays:
    """What `_virtual` computes with if the counts are an array of ours."""

    floor, ceil, rint, maximum, where = _cnumeric.floor, _cnumeric.ceil, _cnumeric.rint, _cnumeric.maximum, where


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
    if lanes.size == 0 or array.dtype.kind != "f":
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
    half = array.dtype == numpy.float16  # whose mean is taken in float32
    both = (low.astype(numpy.float32) + high) / 2 if half else (low + high) / 2
    result = where(asarray(counts[0] % 2 == 1), low, asarray(both).astype(array.dtype, copy=False))
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
    if quantiles.dtype.kind not in "fiu" or quantiles.ndim > 2:
        raise Unsupported
    if not bool(((quantiles >= 0) & (quantiles <= 1)).all()):
        raise ValueError("Quantiles must be in the range [0, 1]")
    return quantiles, weak


# Hyndman and Fan's continuous estimates: where among the n sorted elements a quantile lies depends on two numbers.
_families = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_rounded = {"lower": "floor", "higher": "ceil", "nearest": "rint"}
_steps = ("inverted_cdf", "closest_observation")


def _step(index: Any, closest: bool, to: Any) -> Any:
    """The element after the index, or the one at it where it is met (closest: where that is an odd one)."""
    below = to.floor(index)
    met = index == below
    met = met & (below % 2 == 1) if closest else met
    return to.maximum(to.where(met, below, below + 1), 0)


def _virtual(method: Any, count: Any, quantiles: Any, to: Any) -> Any:
    """The places of the quantiles among `count` sorted elements, from 0, as NumPy computes them.

    `to` is the module to compute with: numpy for numbers on the host, ours if the counts are an array of ours.
    """
    if method == "linear":
        return (count - 1) * quantiles
    if method in _rounded:
        return getattr(to, _rounded[method])((count - 1) * quantiles)
    if method == "midpoint":
        place = (count - 1) * quantiles
        return 0.5 * (to.floor(place) + to.ceil(place))
    if method in _steps:
        closest = method == "closest_observation"
        return _step(count * quantiles - 1 - 0.5 if closest else count * quantiles - 1, closest, to)
    if method == "averaged_inverted_cdf":
        return count * quantiles - 1
    if method not in _families:
        raise ValueError(f"{method!r} is not a valid method")
    alpha, beta = _families[method]
    return count * quantiles + (alpha + quantiles * (1 - alpha - beta)) - 1


def _is_element(method: Any, virtual: Any) -> bool:
    return method in _rounded or method in _steps or (method == "linear" and virtual.dtype.kind in "iu")


def _rows(parted: Any, places: Any) -> Any:
    """The elements of these ranks: a row for a number, rows for an array of them."""
    if places.ndim == 0:
        return parted[int(places)]
    rows = parted[asarray(places.ravel())] if parted.ndim == 1 else stack([parted[int(one)] for one in places.ravel()])
    return rows.reshape(places.shape + parted.shape[1:])


def _taken(lanes: Any, places: Any, may_have_nan: bool) -> tuple[Any, Any]:
    count = lanes.shape[0]
    ranks = {int(place) % count for place in places.ravel()}
    parted = _cnumeric.partition(lanes, tuple(sorted(ranks | {count - 1} if may_have_nan else ranks)), 0)
    return _rows(parted, places), parted[count - 1]


def _between(lanes: Any, virtual: Any, method: Any, weak: bool, may_have_nan: bool) -> tuple[Any, Any]:
    """What lies between the elements beside each place, and the greatest elements."""
    count = lanes.shape[0]
    below, above = virtual < 0, virtual >= count - 1
    low = numpy.where(above, -1, numpy.where(below, 0, numpy.floor(virtual)))
    high = numpy.where(above, -1, numpy.where(below, 0, numpy.floor(virtual) + 1))
    both = numpy.stack([low, high]).astype(numpy.intp)
    ends, last = _taken(lanes, both.reshape(-1), may_have_nan)
    ends = asarray(ends).reshape(both.shape + lanes.shape[1:])
    gamma: Any = virtual - low
    if method == "averaged_inverted_cdf":
        gamma = numpy.where(gamma == 0, 0.5, 1.0).astype(virtual.dtype)
    if virtual.ndim == 0:
        gamma = float(gamma) if weak else gamma[()]
    else:
        gamma = asarray(gamma.reshape(gamma.shape + (1,) * (lanes.ndim - 1)))
    return _interpolated(ends[0], ends[1], gamma), last


def _quantile(a: Any, q: Any, axis: Any, out: Any, method: Any, keepdims: Any, weights: Any, scale: Any) -> Any:
    array = array_of(a)
    if array.dtype.kind not in "fiub":
        raise Unsupported
    quantiles, weak = _checked(q, scale)
    lanes, shape = _lanes(array, axis)
    if lanes.size == 0 or quantiles.size == 0:
        raise Unsupported
    may_have_nan = _may_have_nan(array)
    if weights is not None:
        result, last = _weighted(lanes, _weight_lanes(array, axis, weights, lanes), quantiles, method)
    else:
        virtual = numpy.asarray(_virtual(method, lanes.shape[0], quantiles, numpy))
        if _is_element(method, virtual):
            result, last = _taken(lanes, virtual.astype(numpy.intp), may_have_nan)
        elif array.dtype == bool:
            raise TypeError("booleans have nothing between them")
        else:
            result, last = _between(lanes, virtual, method, weak, may_have_nan)
    if may_have_nan:
        result = _with_nan(result, last)
    return _delivered(result if weights is not None else _scalar(result), shape, quantiles.shape, keepdims, out)


# ---- With weights ----------------------------------------------------------------------------------------


def _weight_lanes(array: Any, axis: Any, weights: Any, lanes: Any) -> Any:
    """The weights of the lanes: given for each element, or along the one axis."""
    weight = array_of(weights)
    if weight.dtype.kind not in "fiu" or bool((weight < 0).any()):
        raise ValueError("Weights must be non-negative.")
    if weight.shape == array.shape:
        return _lanes(weight, axis)[0]
    if weight.ndim != 1 or axis is None or weight.shape[0] != lanes.shape[0]:
        raise Unsupported
    return _cnumeric.broadcast_to(weight.reshape((-1,) + (1,) * (lanes.ndim - 1)), lanes.shape)


def _weighted(lanes: Any, weights: Any, quantiles: Any, method: Any) -> tuple[Any, Any]:
    """The first element of each lane at which the share of the weights reaches the quantile; the greatest elements."""
    if method != "inverted_cdf":
        raise ValueError("Only method 'inverted_cdf' supports weights")
    order = _cnumeric.argsort(lanes, 0)
    ordered = take_along_axis(lanes, order, 0)
    total = take_along_axis(weights, order, 0).cumsum(axis=0, dtype=float)
    share = total / total[-1]
    if bool(_cnumeric.isnan(asarray(share[-1])).any()):
        raise ValueError("Weights included NaN, inf or were all zero.")
    if quantiles.dtype.kind == "f":
        share = share.astype(quantiles.dtype, copy=False)
    share = where(share == 0, share.dtype.type(-1), share)
    rows = []
    for quantile in quantiles.reshape(-1):
        place = (share < quantile).sum(axis=0, dtype=numpy.intp, keepdims=True)
        rows.append(take_along_axis(ordered, _cnumeric.minimum(place, lanes.shape[0] - 1), 0)[0])
    result = stack([asarray(row) for row in rows]).reshape(quantiles.shape + lanes.shape[1:])
    return result, ordered[lanes.shape[0] - 1]


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


def _nan_lane(ordered: Any, counts: Any, share: float, method: Any, weak: bool) -> Any:
    """A quantile of each lane, whose first `counts` sorted elements are no NaN."""
    virtual = _virtual(method, counts, share, _arrays)
    if _is_element(method, virtual):
        return take_along_axis(ordered, virtual.astype(numpy.intp), 0)[0]
    above, below, floor = virtual >= counts - 1, virtual < 0, _cnumeric.floor(virtual)
    low = where(above, counts - 1, where(below, 0, floor.astype(numpy.intp)))
    high = where(above, counts - 1, where(below, 0, floor.astype(numpy.intp) + 1))
    gamma = virtual - where(above, -1.0, where(below, 0.0, floor))
    if method == "averaged_inverted_cdf":
        gamma = where(gamma == 0, 0.5, 1.0)
    if weak:
        gamma = gamma.astype(ordered.dtype, copy=False)
    ends = take_along_axis(ordered, concatenate([low, high]), 0)
    return _interpolated(ends[:1], ends[1:], gamma)[0]


def _nan_quantile(a: Any, q: Any, axis: Any, out: Any, method: Any, keepdims: Any, weights: Any, scale: Any) -> Any:
    array = array_of(a)
    keepdims = keepdims is not NoValue and keepdims
    if array.dtype.kind in "iub":
        return _quantile(array, q, axis, out, method, keepdims, weights, scale)
    quantiles, weak = _checked(q, scale)
    ordered, counts, shape = _counted(array, axis)
    if bool((counts == 0).any()):
        raise Unsupported  # NumPy warns once a lane
    if weights is not None:
        if numpy.shape(weights) != array.shape:
            raise Unsupported
        lanes = _lanes(array, axis)[0]
        weight = _weight_lanes(array, axis, weights, lanes)
        result = _weighted(lanes, where(_cnumeric.isnan(lanes), 0, weight), quantiles, method)[0]
        return _delivered(result, shape, quantiles.shape, keepdims, out)
    results = [asarray(_nan_lane(ordered, counts, float(share), method, weak)) for share in quantiles.reshape(-1)]
    result = stack(results).reshape(quantiles.shape + results[0].shape) if quantiles.ndim else results[0]
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
    result = plain(cov)(x, y, rowvar, dtype=dtype)
    if result.ndim != 2:
        return result / result
    deviation = _cnumeric.sqrt(result.diagonal().real)
    result = result / deviation[:, None] / deviation[None, :]
    if result.dtype.kind != "c":
        return result.clip(-1, 1)
    result.real, result.imag = result.real.clip(-1, 1), result.imag.clip(-1, 1)
    return result
