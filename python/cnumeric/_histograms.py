"""Histograms: edges, where each value lies among them, and the core's bincount."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy

from . import _cnumeric, _fallback
from ._composed import array_of, composed, functions, ndarray
from ._creation import empty
from ._fallback import Unsupported
from ._order import search


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


def _deviation(array: Any) -> Any:
    return array.std()


def _range_of(array: Any) -> Any:
    if array.dtype.kind in "iu":
        return numpy.subtract(array.max(), array.min(), dtype=float)  # integers of the dtype may not hold it
    return array.max() - array.min()


def _freedman(array: Any) -> Any:
    upper, lower = functions["numpy.percentile"](array, [75, 25])
    return 2.0 * (upper - lower) * array.size ** (-1.0 / 3.0)


def _doane(array: Any) -> Any:
    size, deviation = array.size, array.std() if array.size > 2 else 0.0
    if not deviation > 0.0:
        return 0.0
    skewness = (((array - array.mean()) / deviation) ** 3).mean()
    apart = numpy.sqrt(6.0 * (size - 2) / ((size + 1.0) * (size + 3)))
    return _range_of(array) / (1.0 + numpy.log2(size) + numpy.log2(1.0 + numpy.absolute(skewness) / apart))


# The width of a bin by the rules that NumPy names; "stone" tries numbers of bins, and is NumPy's.
_widths: dict[str, Callable[[Any], Any]] = {
    "sturges": lambda array: _range_of(array) / (numpy.log2(array.size) + 1.0),
    "rice": lambda array: _range_of(array) / (2.0 * array.size ** (1.0 / 3)),
    "sqrt": lambda array: _range_of(array) / numpy.sqrt(array.size),
    "scott": lambda array: (24.0 * numpy.pi**0.5 / array.size) ** (1.0 / 3.0) * _deviation(array),
    "fd": _freedman,
    "doane": _doane,
    "auto": lambda array: min(max(_freedman(array), _widths["sqrt"](array) / 2), _widths["sturges"](array)),
}


def _estimated_bins(array: Any, rule: str, range: Any) -> int:
    """How many bins of equal width the rule asks for."""
    if rule not in _widths:
        raise Unsupported
    first, last = _outer_edges(array, range)
    if range is not None:
        array = array[(array >= first) & (array <= last)]
    width = _widths[rule](array) if array.size else 0
    if not width:
        return 1
    width = max(width, 1) if array.dtype.kind in "iu" else width
    return int(numpy.ceil(numpy.subtract(last, first, dtype=float) / width))


def _countable(array: Any) -> Any:
    if array.dtype == bool:
        _fallback.warn_user("Converting input from bool to <class 'numpy.uint8'> for compatibility.", RuntimeWarning)
        return array.astype(numpy.uint8)
    return array


def _bin_edges(array: Any, bins: Any, range: Any) -> Any:
    """The edges as NumPy gives them, for a number of bins, a rule that finds it, or an array of edges."""
    if array.dtype.kind not in "fiu":
        raise Unsupported
    if isinstance(bins, str):
        bins = _estimated_bins(array, bins, range)
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
        return _cnumeric.array(edges)  # ours alone: memory of NumPy's would keep the search from a device
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
    if weights is not None and isinstance(bins, str):
        raise TypeError("Automated estimation of the number of bins is not supported for weighted data")
    array = _countable(array_of(a))
    if weights is not None and array_of(weights).shape != array.shape:
        raise ValueError("weights should have the same shape as a.")
    return _bin_edges(array.ravel(), bins, range)


@composed
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    array = _countable(array_of(a))
    weight = None if weights is None else array_of(weights)
    if weight is not None and (weight.shape != array.shape or weight.dtype.kind == "b" or isinstance(bins, str)):
        raise Unsupported
    array = array.ravel()
    edges = _bin_edges(array, bins, range)
    count = edges.shape[0] - 1
    if (_is_number(bins) or isinstance(bins, str)) and array.dtype != edges.dtype:
        array = array.astype(edges.dtype)
    found = _bins_of(array, edges)
    if weight is None:
        result = _cnumeric.bincount(found, None, count + 2)
    elif weight.dtype.kind == "c":
        result = empty(count + 2, weight.dtype)
        result.real = _cnumeric.bincount(found, weight.real.ravel(), count + 2)
        result.imag = _cnumeric.bincount(found, weight.imag.ravel(), count + 2)
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
        return _cnumeric.array(spaced)
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
    counts = _cnumeric.bincount(flat, None if weight is None else weight.ravel(), int(numpy.prod(extents)))
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
