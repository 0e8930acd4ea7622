"""Sorting, searching, counting and repeating, on the core's sort, partition, searchsorted and bincount."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    NoValue,
    array_of,
    asarray,
    by_numpy,
    composed,
    functions,
    method_of,
    ndarray,
    normalize_axis,
    plain,
)
from ._creation import empty
from ._fallback import Unsupported
from ._manipulation import concatenate, delivered, take_along_axis

arange = _cnumeric.arange

_all = slice(None)
_kinds = (None, "quicksort", "heapsort", "mergesort", "stable")


# ---- Sorting ---------------------------------------------------------------------------------------------


def _plain_order(kind: Any, order: Any, stable: Any) -> None:
    """All kinds are one stable sort here; what is left is whether NumPy would raise."""
    if kind not in _kinds or order is not None or (stable is not None and kind is not None):
        raise Unsupported


def _line(array: Any, axis: Any) -> tuple[Any, int]:
    """The array and the axis to sort along; flattened for ``None``."""
    if axis is None:
        return array.ravel(), 0
    if array.ndim == 0 and axis in (0, -1):
        return array.reshape(1), 0
    return array, normalize_axis(axis, array.ndim)


@composed
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    if type(a) is ndarray and axis == -1 and kind is order is stable is None and a.ndim:
        return _cnumeric.sort(a, a.ndim - 1)
    _plain_order(kind, order, stable)
    array = array_of(a)
    if array.ndim == 0 and axis is not None:
        raise Unsupported
    return _cnumeric.sort(*_line(array, axis))


@composed
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Give the indices that sort; always stable, where NumPy's default leaves the order of equal elements open."""
    if type(a) is ndarray and axis == -1 and kind is order is stable is None and a.ndim:
        return _cnumeric.argsort(a, a.ndim - 1)
    _plain_order(kind, order, stable)
    line, axis = _line(array_of(a), axis)
    return _cnumeric.argsort(line, axis)


@composed
def sort_complex(a: Any) -> Any:
    array = plain(sort)(a)
    if array.dtype.kind == "c":
        return array
    return array.astype("F" if array.dtype.char in "bhBH" else "D")


def _picked(array: Any, index: Any, axis: int) -> Any:
    return array.take(index) if array.ndim == 1 else take_along_axis(array, index, axis)


@composed
@by_numpy(pending=False, times=1 / 16)
def lexsort(keys: Any, axis: Any = -1) -> Any:
    parts = [array_of(key) for key in keys] if isinstance(keys, tuple | list) else list(array_of(keys))
    if not parts or any(type(part) is not ndarray or part.ndim == 0 for part in parts):
        raise Unsupported
    if any(part.shape != parts[0].shape for part in parts):
        raise ValueError("all keys need to be the same shape")
    axis = normalize_axis(axis, parts[0].ndim)
    order = _cnumeric.argsort(parts[0], axis)
    for part in parts[1:]:
        order = _picked(order, _cnumeric.argsort(_picked(part, order, axis), axis), axis)
    return order


def _ranks(kth: Any, extent: int | None) -> tuple[int, ...]:
    """The ranks of a partition, in range; None: of nothing, where any will do."""
    if type(kth) is int and extent is not None and -extent <= kth < extent:
        return (kth,)
    values = numpy.asarray(kth)
    if values.dtype.kind not in "iu" or values.ndim > 1:
        raise Unsupported
    ranks = tuple(values.ravel().tolist())
    if extent is not None and any(not -extent <= rank < extent for rank in ranks):
        raise ValueError("kth out of bounds")
    return ranks


@composed
def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """Partition; the order within the parts is not NumPy's."""
    array, axis = _line(array_of(a), axis)
    if kind != "introselect" or order is not None:
        raise Unsupported
    ranks = _ranks(kth, array.shape[axis] if array.size else None)
    return _cnumeric.partition(array, ranks, axis) if array.size else array.copy("K")


@composed
def argpartition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """Give the indices that partition; here those that sort, which do so."""
    array, axis = _line(array_of(a), axis)
    if kind != "introselect" or order is not None:
        raise Unsupported
    _ranks(kth, array.shape[axis] if array.size else None)
    return _cnumeric.argsort(array, axis)


@method_of("sort")
def _sort_in_place(self: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
    _plain_order(kind, order, stable)
    if not self.flags.writeable:
        raise ValueError("sort array is read-only")
    self[...] = _cnumeric.sort(self, normalize_axis(axis, self.ndim))


@method_of("partition")
def _partition_in_place(self: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> None:
    if not self.flags.writeable or axis is None:
        raise ValueError("partition array is read-only")
    self[...] = partition(self, kth, axis, kind, order)


method_of("argsort")(plain(argsort))
method_of("argpartition")(plain(argpartition))


# ---- Searching -------------------------------------------------------------------------------------------


def search(ordered: Any, values: Any, right: bool) -> Any:
    """Count, for each of an array of values, the elements of a sorted one that are less (right: not greater)."""
    return _cnumeric.searchsorted(ordered, values, right)


@composed
def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    array, values = array_of(a), array_of(v)
    if side not in ("left", "right") or array.ndim != 1:
        raise Unsupported
    if sorter is not None:
        order = array_of(sorter)
        if order.shape != array.shape or order.dtype.kind not in "iu":
            raise Unsupported
        if not bool(((order >= 0) & (order < array.shape[0])).all()):
            raise Unsupported  # only what the search meets is an error
        array = array[order]
    found = search(array, values, side == "right")
    return found if found.ndim else found[()]


method_of("searchsorted")(plain(searchsorted))


@composed
def digitize(x: Any, bins: Any, right: Any = False) -> Any:
    array, edges = array_of(x), array_of(bins)
    if array.dtype.kind == "c" or edges.ndim != 1 or edges.dtype.kind == "c":
        raise Unsupported
    if edges.dtype.kind == "f" and bool(_cnumeric.isnan(edges).any()):
        raise Unsupported
    rises = bool((edges[1:] >= edges[:-1]).all())
    if not rises and not bool((edges[1:] <= edges[:-1]).all()):
        raise ValueError("bins must be monotonically increasing or decreasing")
    if rises:
        found = search(edges, array, not right)
    else:
        found = edges.shape[0] - asarray(search(edges[::-1], array, not right))
    return found if array.ndim else asarray(found)[()]


@composed
@by_numpy(pending=True)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    at, places, values = (array_of(one) for one in (x, xp, fp))
    if "c" in (at.dtype.kind, places.dtype.kind):
        raise Unsupported
    if places.ndim != 1 or values.ndim != 1 or places.shape != values.shape or places.shape[0] < 1:
        raise ValueError("fp and xp are not of the same length, or empty")
    at, places = at.astype(float, copy=False), places.astype(float, copy=False)
    if period is not None:
        at, places, values = _periodic(at, places, values, period)
        left = right = None
    if values.dtype.kind == "c":
        ends = [None if one is None else complex(one) for one in (left, right)]
        result = empty(at.shape, complex)
        result.real = _interpolated(at, places, values.real, *(None if one is None else one.real for one in ends))
        result.imag = _interpolated(at, places, values.imag, *(None if one is None else one.imag for one in ends))
    elif at.ndim == 0:
        return _interpolated_one(at, places, values, left, right)
    else:
        return _interpolated(at, places, values, left, right)
    return result if at.ndim else result[()]


def _periodic(at: Any, places: Any, values: Any, period: Any) -> tuple[Any, Any, Any]:
    """Everything within one period, in order, with a neighbour of either side."""
    if period == 0:
        raise ValueError("period must be a non-zero value")
    period = abs(period)
    places = places % period
    order = _cnumeric.argsort(places, 0)
    places, values = places[order], values[order]
    places = concatenate([places[-1:] - period, places, places[0:1] + period])
    return asarray(at % period), places, concatenate([values[-1:], values, values[0:1]])


def _interpolated_one(at: Any, places: Any, values: Any, left: Any, right: Any) -> Any:
    """As `_interpolated`, of one number: a search, and a few elements."""
    x, last = float(at), places.shape[0] - 1
    place = int(search(places, at, True)) - 1
    first, end = float(places[0]), float(places[last])
    if end != end:
        raise Unsupported
    if x != x:
        result = float(values[0]) if last == 0 else x
    elif x < first:
        result = float(values[0] if left is None else left)
    elif x > end:
        result = float(values[last] if right is None else right)
    else:
        low, base = float(places[place]), float(values[place])
        result = base
        if x != low and place < last:
            high, above = float(places[place + 1]), float(values[place + 1])
            slope = (above - base) / (high - low)
            result = slope * (x - low) + base
            if result != result:
                result = slope * (x - high) + above
            if result != result and base == above:
                result = base
    return numpy.float64(result)


def _interpolated(at: Any, places: Any, values: Any, left: Any, right: Any) -> Any:
    values = values.astype(float, copy=False)
    few = _cnumeric.interpolated(at, places, values, left, right)
    if few is not None:
        return few
    finite = bool(_cnumeric.isfinite(places).all() & _cnumeric.isfinite(values).all())
    if not finite and bool(_cnumeric.isnan(places).any()):
        raise Unsupported
    last = places.shape[0] - 1
    flat = at.reshape(-1)
    place = search(places, flat, True) - 1
    if last == 0:
        result = _cnumeric.broadcast_to(values, flat.shape)
    else:
        below = place.clip(0, last - 1)
        with numpy.errstate(all="ignore"):
            slopes = (values[1:] - values[:-1]) / (places[1:] - places[:-1])
            finite = finite and bool(_cnumeric.isfinite(slopes).all())
            low, base, slope = places[below], values[below], slopes[below]
            result = slope * (flat - low) + base
            if not finite:
                above = below + 1
                base_above = values[above]
                other = slope * (flat - places[above]) + base_above
                other = _cnumeric.where(_cnumeric.isnan(other) & (base == base_above), base, other)
                result = _cnumeric.where(_cnumeric.isnan(result), other, result)
        result = _cnumeric.where(flat == low, base, result)
    result = _cnumeric.where(place < 0, values[:1] if left is None else float(left), result)
    result = _cnumeric.where(place >= last, values[last:], result)
    if right is not None:
        result = _cnumeric.where(flat > places[last:], float(right), result)
    if last > 0:
        result = _cnumeric.where(_cnumeric.isnan(flat), flat, result)
    return result.reshape(at.shape) if at.size else empty(at.shape)


# ---- Counting --------------------------------------------------------------------------------------------


@composed
@by_numpy(pending=True)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    array = array_of(x)
    if array.size == 0 and not isinstance(x, ndarray | numpy.ndarray):
        array = array.astype(numpy.intp)
    least = operator.index(minlength)
    if array.ndim != 1 or array.dtype.kind not in "iub" or array.dtype == numpy.uint64 or least < 0:
        raise Unsupported
    weight = None
    if weights is not None:
        weight = array_of(weights)
        if weight.dtype.kind == "c" or weight.shape != array.shape:
            raise Unsupported
    return _cnumeric.bincount(array, weight, least)


# ---- Repeating -------------------------------------------------------------------------------------------


def _repeated(array: Any, repeats: Any, axis: int) -> Any:
    if type(repeats) is int:
        return _repeated_alike(array, repeats, axis)
    extent = array.shape[axis]
    counts = numpy.asarray(repeats) if isinstance(repeats, numpy.integer) else array_of(repeats)
    if counts.dtype.kind not in "iub" or counts.ndim > 1:
        raise Unsupported
    if counts.ndim == 0 or counts.shape[0] == 1:
        return _repeated_alike(array, int(counts.reshape(-1)[0]), axis)
    if counts.shape[0] != extent:
        raise ValueError(f"operands could not be broadcast together with shape ({extent},) ({counts.shape[0]},)")
    if bool((counts < 0).any()):
        raise ValueError("repeats may not contain negative values.")
    ends = counts.cumsum(dtype=numpy.int64)
    total = int(ends[-1]) if extent else 0
    source = _cnumeric.bincount(ends, None, total)[:total].cumsum()  # how many end before each place
    return array.take(source, axis)


def _repeated_alike(array: Any, count: int, axis: int) -> Any:
    if count < 0 and array.size:
        raise ValueError("repeats may not contain negative values.")
    count, shape = max(count, 0), array.shape
    before, extent, after = shape[:axis], shape[axis], shape[axis + 1 :]
    result = empty((*before, extent * count, *after), array.dtype)
    if result.size:
        result.reshape((*before, extent, count, *after))[...] = array.reshape((*before, extent, 1, *after))
    return result


@composed
@by_numpy(pending=False, times=1 / 4)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    line, place = _line(array_of(a), axis)
    return _repeated(line, repeats, place)


method_of("repeat")(plain(repeat))


# ---- Running sums and products ---------------------------------------------------------------------------


def _cumulative(ufunc: Any, x: Any, axis: Any, dtype: Any, out: Any, include_initial: Any) -> Any:
    array = array_of(x)
    if array.ndim == 0:
        array = array.reshape(1)
    if axis is None:
        if array.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = 0
    if not include_initial:
        return ufunc.accumulate(array, axis=axis, dtype=dtype, out=out)
    result = ufunc.accumulate(array, axis=axis, dtype=dtype)
    axis = normalize_axis(axis, array.ndim)
    shape = tuple(1 if place == axis else extent for place, extent in enumerate(array.shape))
    return delivered(concatenate([functions["numpy.full"](shape, ufunc.identity, result.dtype), result], axis), out)


@composed
def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: Any = False
) -> Any:
    return _cumulative(_cnumeric.add, x, axis, dtype, out, include_initial)


@composed
def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: Any = False
) -> Any:
    return _cumulative(_cnumeric.multiply, x, axis, dtype, out, include_initial)


def _without_nan(array: Any, value: Any) -> Any:
    if array.dtype.kind not in "fc":
        return array
    return _cnumeric.where(_cnumeric.isnan(array), array.dtype.type(value), array)


@composed
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _without_nan(array_of(a), 0).cumsum(axis, dtype, out)


@composed
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _without_nan(array_of(a), 1).cumprod(axis, dtype, out)


def _nan_place(name: str, a: Any, axis: Any, out: Any, keepdims: Any, replacement: float) -> Any:
    array = array_of(a)
    if array.size == 0:
        raise Unsupported
    given = {} if keepdims is NoValue else {"keepdims": keepdims}
    if array.dtype.kind in "fc":
        empty_lines = _cnumeric.isnan(array).all(axis=axis)
        if bool(asarray(empty_lines).any()):
            raise ValueError("All-NaN slice encountered")
        array = _without_nan(array, replacement)
    return getattr(array, name)(axis, out, **given)


@composed
def nanargmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NoValue) -> Any:
    return _nan_place("argmin", a, axis, out, keepdims, numpy.inf)


@composed
def nanargmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NoValue) -> Any:
    return _nan_place("argmax", a, axis, out, keepdims, -numpy.inf)
