"""Sorting, searching and counting, on the core's sort, partition, searchsorted and bincount."""

from __future__ import annotations

import operator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import NoValue, array_of, asarray, composed, functions, method_of, ndarray, normalize_axis, plain
from ._creation import arange, empty
from ._fallback import Unsupported
from ._manipulation import concatenate, take_along_axis

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
    return array, normalize_axis(axis, array.ndim)


@composed
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    _plain_order(kind, order, stable)
    return _cnumeric.sort(*_line(array_of(a), axis))


@composed
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Give the indices that sort; always stable, where NumPy's default leaves the order of equal elements open."""
    _plain_order(kind, order, stable)
    array = array_of(a)
    if array.ndim == 0:
        raise Unsupported
    return _cnumeric.argsort(*_line(array, axis))


@composed
def sort_complex(a: Any) -> Any:
    array = _cnumeric.sort(*_line(array_of(a), -1))
    if array.dtype.kind == "c":
        return array
    return array.astype("F" if array.dtype.char in "bhBH" else "D")


@composed
def lexsort(keys: Any, axis: Any = -1) -> Any:
    parts = [array_of(key) for key in keys] if isinstance(keys, tuple | list) else list(array_of(keys))
    if not parts or any(type(part) is not ndarray or part.ndim == 0 for part in parts):
        raise Unsupported
    if any(part.shape != parts[0].shape for part in parts):
        raise ValueError("all keys need to be the same shape")
    axis = normalize_axis(axis, parts[0].ndim)
    order = _cnumeric.argsort(parts[0], axis)
    for part in parts[1:]:
        order = take_along_axis(order, _cnumeric.argsort(take_along_axis(part, order, axis), axis), axis)
    return order


def _ranks(kth: Any, extent: int) -> tuple[int, ...]:
    """The ranks of a partition, in range."""
    values = numpy.asarray(kth)
    if values.dtype.kind not in "iu" or values.ndim > 1:
        raise Unsupported
    ranks = tuple(values.ravel().tolist())
    if any(not -extent <= rank < extent for rank in ranks):
        raise ValueError("kth out of bounds")
    return ranks


@composed
def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """Partition; the order within the parts is not NumPy's."""
    array, axis = _line(array_of(a), axis)
    if kind != "introselect" or order is not None or array.size == 0:
        raise Unsupported
    return _cnumeric.partition(array, _ranks(kth, array.shape[axis]), axis)


@composed
def argpartition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """Give the indices that partition; here those that sort, which do so."""
    array, axis = _line(array_of(a), axis)
    if kind != "introselect" or order is not None or array.size == 0:
        raise Unsupported
    _ranks(kth, array.shape[axis])
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
            raise ValueError("Sorter index out of range.")
        array = array[order]
    found = search(array, values, side == "right")
    return found if found.ndim or type(v) is ndarray else found[()]


method_of("searchsorted")(plain(searchsorted))


@composed
def digitize(x: Any, bins: Any, right: Any = False) -> Any:
    array, edges = array_of(x), array_of(bins)
    if array.dtype.kind == "c" or edges.ndim != 1 or edges.dtype.kind == "c":
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
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    at, places, values = (array_of(one) for one in (x, xp, fp))
    if period is not None or "c" in (at.dtype.kind, places.dtype.kind, values.dtype.kind):
        raise Unsupported
    if places.ndim != 1 or values.ndim != 1 or places.shape != values.shape or places.shape[0] < 2:
        raise Unsupported
    at, places, values = (one.astype(float, copy=False) for one in (at, places, values))
    finite = bool(_cnumeric.isfinite(places).all() & _cnumeric.isfinite(values).all())
    if not finite and bool(_cnumeric.isnan(places).any()):
        raise Unsupported
    last = places.shape[0] - 1
    flat = at.reshape(-1)
    place = search(places, flat, True) - 1
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
    result = _cnumeric.where(_cnumeric.isnan(flat), flat, result)
    return result.reshape(at.shape) if at.ndim else result[0]


# ---- Counting --------------------------------------------------------------------------------------------


@composed
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    array = array_of(x)
    least = operator.index(minlength)
    if array.ndim != 1 or array.dtype.kind not in "iub" or array.dtype == numpy.uint64 or least < 0:
        raise Unsupported
    weight = None
    if weights is not None:
        weight = array_of(weights)
        if weight.dtype.kind == "c" or weight.shape != array.shape:
            raise Unsupported
    return _cnumeric.bincount(array, weight, least)


def _is_number(value: Any) -> bool:
    return not isinstance(value, tuple | list) and getattr(value, "ndim", 0) == 0


def _plain_range(range: Any) -> None:
    low, high = range
    for end in (low, high):
        if not isinstance(end, int | float | numpy.integer | numpy.float32):
            raise Unsupported
    if low > high or not (numpy.isfinite(low) and numpy.isfinite(high)):
        raise ValueError("range")


def _outer_edges(array: Any, range: Any) -> tuple[Any, Any]:
    """The ends of the bins; reads if they are the data's."""
    if range is not None:
        _plain_range(range)
        first, last = range
    elif array.size == 0:
        first, last = 0, 1
    else:
        first, last = array.min(), array.max()
        if not (numpy.isfinite(first) and numpy.isfinite(last)):
            raise ValueError("autodetected range is not finite")
    return (first - 0.5, last + 0.5) if first == last else (first, last)


def _bin_edges(array: Any, bins: Any, range: Any) -> Any:
    """The edges as NumPy gives them, for a number of bins or an array of edges."""
    if isinstance(bins, str) or array.dtype.kind not in "fiu":
        raise Unsupported
    if _is_number(bins):
        count = operator.index(bins)
        if count < 1:
            raise ValueError("`bins` must be positive, when an integer")
        first, last = _outer_edges(array, range)
        kind = numpy.result_type(first, last, array.dtype)
        if kind.kind in "iu":
            kind = numpy.result_type(kind, float)
        if kind.char not in "efd":
            raise Unsupported
        edges = numpy.linspace(first, last, count + 1, dtype=kind)
        if (edges[:-1] >= edges[1:]).any():
            raise ValueError("Too many bins for data range")
        return asarray(edges)
    edges = array_of(bins)
    if edges.ndim != 1 or edges.shape[0] < 2 or edges.dtype.kind not in "fiu":
        raise Unsupported
    if bool((edges[:-1] > edges[1:]).any()):
        raise ValueError("`bins` must increase monotonically, when an array")
    return edges


def _bins_of(array: Any, edges: Any) -> Any:
    """For each value the number of its bin, from 1; 0 and len(edges) are outside. The last bin has both its edges."""
    return search(edges, array, True) - (array == edges[-1:])


@composed
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    if weights is not None:
        raise Unsupported
    return _bin_edges(array_of(a).ravel(), bins, range)


@composed
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    array = array_of(a)
    weight = None if weights is None else array_of(weights)
    if weight is not None and (weight.shape != array.shape or weight.dtype.kind not in "fiu"):
        raise Unsupported
    array = array.ravel()
    edges = _bin_edges(array, bins, range)
    count = edges.shape[0] - 1
    if _is_number(bins) and array.dtype != edges.dtype:
        array = array.astype(edges.dtype)
    found = _bins_of(array, edges)
    if weight is None:
        result = _cnumeric.bincount(found, None, count + 2)
    else:
        result = _cnumeric.bincount(found, weight.ravel(), count + 2).astype(weight.dtype, copy=False)
    result = result[1:-1].copy()
    if not density:
        return result, edges
    widths = (edges[1:] - edges[:-1]).astype(float, copy=False)
    return result / widths / result.sum(), edges


def _sample_edges(column: Any, bins: Any, range: Any, place: int) -> Any:
    if _is_number(bins):
        if not isinstance(bins, int | numpy.integer):
            raise Unsupported
        if bins < 1:
            raise ValueError(f"`bins[{place}]` must be positive, when an integer")
        first, last = _outer_edges(column, range)
        spaced = numpy.linspace(first, last, operator.index(bins) + 1)
        if spaced.dtype.char not in "efd":
            raise Unsupported
        return asarray(spaced)
    edges = array_of(bins)
    if edges.ndim != 1 or edges.shape[0] < 2:
        raise Unsupported
    if bool((edges[:-1] > edges[1:]).any()):
        raise ValueError(f"`bins[{place}]` must be monotonically increasing, when an array")
    return edges


def _sample_histogram(columns: list[Any], bins: Any, range: Any, density: Any, weights: Any) -> tuple[Any, list[Any]]:
    weight = None if weights is None else array_of(weights)
    if any(column.dtype.kind not in "fiu" for column in columns) or (weight is not None and weight.dtype.kind == "c"):
        raise Unsupported
    if _is_number(bins):
        bins = [bins] * len(columns)
    if len(bins) != len(columns):
        raise ValueError("The dimension of bins must be equal to the dimension of the sample x.")
    ranges = [None] * len(columns) if range is None else range
    if len(ranges) != len(columns):
        raise ValueError("range argument must have one entry per dimension")
    edges = [
        _sample_edges(column, one, ends, place)
        for place, (column, one, ends) in enumerate(zip(columns, bins, ranges, strict=True))
    ]
    extents = [edge.shape[0] + 1 for edge in edges]
    flat: Any = 0
    for column, edge, extent in zip(columns, edges, extents, strict=True):
        flat = flat * extent + _bins_of(column, edge)
    counts = _cnumeric.bincount(flat, weight, int(numpy.prod(extents)))
    result = counts.reshape(extents).astype(float, copy=False)[(slice(1, -1),) * len(columns)]
    if not density:
        return result, edges
    total = result.sum()
    for place, edge in enumerate(edges):
        form = [-1 if other == place else 1 for other, _ in enumerate(edges)]
        result = result / (edge[1:] - edge[:-1]).reshape(form)
    return result / total, edges


@composed
def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    if isinstance(sample, ndarray | numpy.ndarray):
        array = array_of(sample)
        if array.ndim != 2:
            raise Unsupported
        columns = [array[:, place] for place in numpy.arange(array.shape[1])]
    else:
        columns = [array_of(column) for column in sample]
        if any(column.ndim != 1 or column.shape != columns[0].shape for column in columns):
            raise Unsupported
    if not columns:
        raise Unsupported
    return _sample_histogram(columns, bins, range, density, weights)


@composed
def histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    columns = [array_of(x), array_of(y)]
    if columns[0].ndim != 1 or columns[0].shape != columns[1].shape:
        raise ValueError("x and y must have the same length.")
    if not _is_number(bins) and len(bins) == 1:
        raise Unsupported
    if not _is_number(bins) and len(bins) != 2:
        bins = [array_of(bins)] * 2
    result, edges = _sample_histogram(columns, bins, range, density, weights)
    return result, edges[0], edges[1]


# ---- Repeating -------------------------------------------------------------------------------------------


def _repeated(array: Any, repeats: Any, axis: int) -> Any:
    before = (_all,) * axis
    extent = array.shape[axis]
    counts = numpy.asarray(repeats) if isinstance(repeats, int | numpy.integer) else array_of(repeats)
    if counts.dtype.kind not in "iub" or counts.ndim > 1:
        raise Unsupported
    if counts.ndim == 0 or counts.shape[0] == 1:
        count = int(counts.reshape(-1)[0])
        if count < 0:
            raise ValueError("repeats may not contain negative values.")
        form = (*array.shape[:axis], extent, count, *array.shape[axis + 1 :])
        result = empty((*array.shape[:axis], extent * count, *array.shape[axis + 1 :]), array.dtype)
        if result.size:
            result.reshape(form)[...] = array[(*before, _all, None)]
        return result
    if counts.shape[0] != extent:
        raise ValueError(f"operands could not be broadcast together with shape ({extent},) ({counts.shape[0]},)")
    if bool((counts < 0).any()):
        raise ValueError("repeats may not contain negative values.")
    ends = counts.cumsum(dtype=numpy.int64)
    source = search(ends, arange(int(ends[-1])), True)
    return array[(*before, source)]


@composed
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
    if out is not None:
        raise Unsupported
    result = ufunc.accumulate(array, axis=axis, dtype=dtype)
    if not include_initial:
        return result
    axis = normalize_axis(axis, array.ndim)
    shape = tuple(1 if place == axis else extent for place, extent in enumerate(array.shape))
    return concatenate([functions["numpy.full"](shape, ufunc.identity, result.dtype), result], axis)


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
    if array.dtype.kind == "f":
        empty_lines = _cnumeric.isnan(array).all(axis=axis)
        if bool(asarray(empty_lines).any()):
            raise ValueError("All-NaN slice encountered")
        array = _without_nan(array, replacement)
    elif array.dtype.kind == "c":
        raise Unsupported
    return getattr(array, name)(axis, out, **given)


@composed
def nanargmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NoValue) -> Any:
    return _nan_place("argmin", a, axis, out, keepdims, numpy.inf)


@composed
def nanargmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = NoValue) -> Any:
    return _nan_place("argmax", a, axis, out, keepdims, -numpy.inf)
