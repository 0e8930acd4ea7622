"""Arrays as sets: unique elements, membership, and what is made of two sets."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, composed, normalize_axis
from ._creation import empty, ones, zeros
from ._fallback import Unsupported
from ._manipulation import concatenate, moveaxis
from ._order import argsort, lexsort, search, sort

_all = slice(None)


# ---- Unique ----------------------------------------------------------------------------------------------


def _inverse(order: Any, marks: Any) -> Any:
    """Where among the unique elements each element is: from the order that sorts, and marks at first occurrences."""
    result = empty(order.shape, numpy.intp)
    result[order] = marks.cumsum() - 1
    return result


def _has_nan(ordered: Any) -> bool:
    """Whether a sorted array ends in NaN; reads."""
    return ordered.dtype.kind in "fc" and bool(_cnumeric.isnan(ordered[-1:]).any())


def _unique(flat: Any, index: Any, inverse: Any, counts: Any, equal_nan: Any) -> list[Any]:
    """The results asked for, the inverse as a line."""
    order: Any = argsort(flat, 0) if index or inverse else None
    ordered = sort(flat, 0) if order is None else flat[order]
    if not equal_nan and _has_nan(ordered):
        raise Unsupported
    if not (index or inverse or counts):
        return [_cnumeric.unique_sorted(ordered, False)]
    values, first, numbers = _cnumeric.unique_sorted(ordered, True)
    results = [values]
    if index:
        results.append(order[first])
    if inverse:
        marks = zeros(flat.shape, numpy.intp)
        marks[first] = 1
        results.append(_inverse(order, marks))
    if counts:
        results.append(numbers)
    return results


def _unique_rows(rows: Any, index: Any, inverse: Any, counts: Any) -> list[Any]:
    """The same for the rows of an (n, m) array, m up to 64."""
    count, width = rows.shape
    if count == 0 or not 0 < width <= 64:
        raise Unsupported
    if rows.dtype.kind in "fc" and bool(_cnumeric.isnan(rows).any()):
        raise Unsupported
    order = lexsort([rows[:, column] for column in range(width - 1, -1, -1)])
    ordered = rows[order]
    marks = ones(count, bool)
    marks[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    (first,) = marks.nonzero()
    results = [ordered[first]]
    if index:
        results.append(order[first])
    if inverse:
        results.append(_inverse(order, marks))
    if counts:
        results.append(concatenate([first[1:], zeros(1, first.dtype) + count]) - first)
    return results


@composed
def unique(
    ar: Any,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: Any = None,
    *,
    equal_nan: Any = True,
    sorted: Any = True,
) -> Any:
    """Find the unique elements, or (along an axis) rows; always sorted."""
    array = array_of(ar)
    asked = return_index, return_inverse, return_counts
    if array.dtype == bool:
        array = array.view(numpy.uint8) != 0  # views of other numbers have more than two truths
    if axis is None or array.ndim == 1:
        if axis is not None:
            normalize_axis(axis, array.ndim)
        results = _unique(array.ravel(), *asked, equal_nan)
        if return_inverse:
            place = 2 if return_index else 1
            results[place] = results[place].reshape(array.shape)
    else:
        axis = normalize_axis(axis, array.ndim)
        moved = moveaxis(array, axis, 0)
        width = moved.size // moved.shape[0] if moved.shape[0] else 0
        results = _unique_rows(moved.reshape(moved.shape[0], width), *asked)
        results[0] = moveaxis(results[0].reshape(results[0].shape[0], *moved.shape[1:]), 0, axis)
    return results[0] if len(results) == 1 else tuple(results)


@functools.cache
def _result_type(name: str) -> Any:
    return type(getattr(numpy, name)([0]))


@composed
def unique_all(x: Any, /) -> Any:
    results = unique(x, True, True, True, equal_nan=False)
    return _result_type("unique_all")(*results)


@composed
def unique_counts(x: Any, /) -> Any:
    return _result_type("unique_counts")(*unique(x, return_counts=True, equal_nan=False))


@composed
def unique_inverse(x: Any, /) -> Any:
    return _result_type("unique_inverse")(*unique(x, return_inverse=True, equal_nan=False))


@composed
def unique_values(x: Any, /) -> Any:
    """Find the unique elements, sorted (NumPy's order is unspecified)."""
    return unique(x, equal_nan=False)


# ---- Membership ------------------------------------------------------------------------------------------

_few = 8


def _member(elements: Any, tests: Any, invert: Any) -> Any:
    if tests.size == 0:
        return (ones if invert else zeros)(elements.shape, bool)
    compare, join = (_cnumeric.not_equal, operator.and_) if invert else (_cnumeric.equal, operator.or_)
    if tests.size <= _few:
        parts = [compare(elements, tests[place : place + 1]) for place in range(tests.size)]
        return functools.reduce(join, parts)
    ordered = sort(tests, 0)
    place = _cnumeric.minimum(search(ordered, elements, False), tests.size - 1)
    return compare(ordered[place], elements)


def _has_table(elements: Any, tests: Any) -> bool:
    """Whether NumPy's table of truth values fits: it refuses others."""
    if elements.dtype != tests.dtype or tests.dtype.kind not in "iu" or not elements.size or not tests.size:
        return False
    return int(tests.max()) - int(tests.min()) <= numpy.iinfo(tests.dtype).max


@composed
def isin(element: Any, test_elements: Any, assume_unique: Any = False, invert: Any = False, *, kind: Any = None) -> Any:
    elements, tests = array_of(element), array_of(test_elements).ravel()
    integers = elements.dtype.kind in "iub" and tests.dtype.kind in "iub"
    if kind not in (None, "sort") and not (kind == "table" and _has_table(elements, tests)):
        raise Unsupported
    if integers and numpy.promote_types(elements.dtype, tests.dtype).kind == "f":
        raise Unsupported  # int64 with uint64: NumPy compares exactly
    return _member(elements.reshape(-1), tests, invert).reshape(elements.shape)


if hasattr(numpy, "in1d"):

    @composed
    def in1d(ar1: Any, ar2: Any, assume_unique: Any = False, invert: Any = False, *, kind: Any = None) -> Any:
        return isin(array_of(ar1).ravel(), ar2, assume_unique, invert, kind=kind)


# ---- Two sets --------------------------------------------------------------------------------------------


def _pair(ar1: Any, ar2: Any, assume_unique: Any, prepare: Callable[[Any], Any]) -> tuple[Any, Any]:
    first, second = array_of(ar1).ravel(), array_of(ar2).ravel()
    return (first, second) if assume_unique else (prepare(first), prepare(second))


@composed
def union1d(ar1: Any, ar2: Any) -> Any:
    return unique(concatenate([array_of(ar1), array_of(ar2)], None))


@composed
def setdiff1d(ar1: Any, ar2: Any, assume_unique: Any = False) -> Any:
    first, second = _pair(ar1, ar2, assume_unique, unique)
    return first[isin(first, second, invert=True)]


@composed
def setxor1d(ar1: Any, ar2: Any, assume_unique: Any = False) -> Any:
    together = concatenate(_pair(ar1, ar2, assume_unique, unique))
    if together.size == 0:
        return together
    ordered = sort(together, 0)
    changes = ones(ordered.size + 1, bool)
    changes[1:-1] = ordered[1:] != ordered[:-1]
    return ordered[changes[1:] & changes[:-1]]


@composed
def intersect1d(ar1: Any, ar2: Any, assume_unique: Any = False, return_indices: Any = False) -> Any:
    if not return_indices:
        ordered = sort(concatenate(_pair(ar1, ar2, assume_unique, unique)), 0)
        return ordered[:-1][ordered[1:] == ordered[:-1]]
    first, second = array_of(ar1).ravel(), array_of(ar2).ravel()
    places: list[Any] = []
    if not assume_unique:
        (first, index_first), (second, index_second) = unique(first, True), unique(second, True)
        places = [index_first, index_second]
    together = concatenate((first, second))
    order = argsort(together, 0)
    ordered = together[order]
    same = ordered[1:] == ordered[:-1]
    in_first, in_second = order[:-1][same], order[1:][same] - first.size
    if places:
        in_first, in_second = places[0][in_first], places[1][in_second]
    return ordered[:-1][same], in_first, in_second
