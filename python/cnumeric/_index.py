"""Writing by index, index arithmetic, and the indexing objects r_, c_, mgrid and ogrid."""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    array_of,
    arrays_of,
    asarray,
    by_numpy,
    composed,
    functions,
    method_of,
    ndarray,
    normalize_axis,
    plain,
)
from ._creation import array, counted, empty, linspace, only_here, tri, zeros
from ._fallback import Unsupported
from ._manipulation import along_axis, concatenate, flatnonzero, is_array, order_of, vstack, where

arange = _cnumeric.arange

_all = slice(None)


# ---- Writing ---------------------------------------------------------------------------------------------


def cycled(values: Any, count: int) -> Any:
    """`count` values: those there are, again and again."""
    have = values.shape[0]
    if have >= count:
        return values[:count]
    if have == 1:
        return _cnumeric.broadcast_to(values, (count,))
    rounds = -(-count // have)
    result = empty(rounds * have, values.dtype)
    result.reshape(rounds, have)[...] = values
    return result[:count]


def target_of(a: Any) -> Any:
    """What a function writes into: an array of ours, or one on the memory of NumPy's."""
    target = asarray(a) if type(a) is numpy.ndarray else a
    if type(target) is not ndarray or not target.flags.writeable:
        raise Unsupported
    return target


def _values_for(values: Any, dtype: Any) -> Any:
    """The values as a line; as NumPy, arrays must cast safely and lists within their kind."""
    if isinstance(values, ndarray | numpy.ndarray):
        line = array_of(values).ravel()
        if line.dtype == dtype:
            return line
        if not numpy.can_cast(line.dtype, dtype, "safe"):
            raise Unsupported
        return line.astype(dtype)
    return array_of(numpy.asarray(values, dtype)).ravel()


def _store(target: Any, index: Any, values: Any) -> None:
    """target.flat[index] = values, for a line of indices in range."""
    if target.flags.c_contiguous and target.ndim != 1:
        target.reshape(-1)[index] = values
    else:
        target[_unravelled(index, target.shape) if target.ndim != 1 else index] = values


def _put(a: Any, ind: Any, v: Any, mode: Any) -> None:
    target, index = target_of(a), array_of(ind).ravel()
    values = array_of(v if isinstance(v, ndarray | numpy.ndarray) else numpy.asarray(v, target.dtype)).ravel()
    if index.dtype == bool:
        index = index.astype(numpy.intp)
    if index.size == 0 or (values.size == 0 and target.size):
        return
    if index.dtype.kind not in "iu" or mode not in ("raise", "wrap", "clip") or target.size == 0:
        raise Unsupported
    size = target.size
    if mode == "wrap":
        index = index % size
    elif mode == "clip":
        index = index.clip(0, size - 1)
    elif not bool(((index >= -size) & (index < size)).all()):
        raise IndexError("index is out of bounds")
    elif not target.flags.c_contiguous:
        index = where(index < 0, index + size, index)
    _store(target, index, cycled(values, index.size))


@composed
@by_numpy(pending=True)
def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    _put(a, ind, v, mode)


@method_of("put")
def _put_method(self: Any, indices: Any, values: Any, mode: Any = "raise") -> None:
    _put(self, indices, values, mode)


@composed
@by_numpy(pending=True)
def place(arr: Any, mask: Any, vals: Any) -> None:
    target, condition = target_of(arr), array_of(mask)
    if condition.size != target.size:
        raise ValueError("place: mask and data must be the same size")
    values = _values_for(vals, target.dtype)
    index = flatnonzero(condition)
    if index.size == 0:
        return
    if values.size == 0:
        raise ValueError("Cannot insert from an empty array!")
    _store(target, index, cycled(values, index.size))


@composed
@by_numpy(pending=False)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    target, condition = target_of(a), array_of(mask)
    if type(values) is ndarray and condition.shape == values.shape == target.shape and values.dtype == target.dtype:
        return _cnumeric.copyto(target, values, where=condition.astype(bool, copy=False))
    line = _values_for(values, target.dtype)
    if condition.size != target.size:
        raise ValueError("putmask: mask and data must be the same size")
    if line.size == 0:
        return None
    line = cycled(line, target.size).reshape(target.shape) if line.size > 1 else line.reshape(())
    return _cnumeric.copyto(target, line, where=condition.reshape(target.shape).astype(bool, copy=False))


@composed
def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any = -1) -> None:
    target, index = target_of(arr), array_of(indices)
    values = values if isinstance(values, int | float | complex) else array_of(values)
    is_array(indices)
    if axis is None and not target.flags.c_contiguous:
        raise Unsupported  # NumPy calls it read-only
    if axis is None:
        target, axis = target.reshape(-1), 0
    target[along_axis(target, index, axis)] = values


@composed
@by_numpy(pending=False)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    source = array_of(arr)
    if axis is None:
        source, axis = source.ravel(), 0
    axis = normalize_axis(axis, source.ndim)
    extent = source.shape[axis]
    before = (_all,) * axis
    places = numpy.arange(*obj.indices(extent)) if isinstance(obj, slice) else numpy.array(obj)
    an_array = isinstance(obj, ndarray | numpy.ndarray)
    if places.ndim > 1 or (places.dtype.kind not in "iu" and (places.size or an_array)):
        raise Unsupported
    if places.size != 1:
        return _inserted(source, places.astype(numpy.intp), values, axis)
    place = operator.index(places.item())
    if not -extent <= place <= extent:
        raise IndexError(f"index {obj} is out of bounds for axis {axis} with size {extent}")
    place = place + extent if place < 0 else place
    added = array(array_of(values), dtype=source.dtype, copy=None, ndmin=source.ndim)
    if places.ndim == 0:
        added = functions["numpy.moveaxis"](added, 0, axis)
    count = added.shape[axis]
    result = empty((*source.shape[:axis], extent + count, *source.shape[axis + 1 :]), source.dtype, order_of(source))
    result[(*before, slice(None, place))] = source[(*before, slice(None, place))]
    result[(*before, slice(place, place + count))] = added
    result[(*before, slice(place + count, None))] = source[(*before, slice(place, None))]
    return result


def _inserted(source: Any, places: Any, values: Any, axis: int) -> Any:
    """With values at several places, which the host knows."""
    extent, before = source.shape[axis], (_all,) * axis
    if bool(((places < -extent) | (places > extent)).any()):
        raise IndexError("index is out of bounds")
    places[places < 0] += extent
    order = places.argsort(kind="stable")
    places[order] += numpy.arange(places.size)
    kept = numpy.ones(extent + places.size, bool)
    kept[places] = False
    result = empty((*source.shape[:axis], kept.size, *source.shape[axis + 1 :]), source.dtype, order_of(source))
    result[(*before, asarray(places))] = values if isinstance(values, int | float | complex) else array_of(values)
    result[(*before, asarray(kept.nonzero()[0]))] = source
    return result


# ---- Picking ---------------------------------------------------------------------------------------------


def _common(values: Any, arrays: list[Any]) -> Any:
    """The dtype that all have in common; Python's numbers are weak."""
    dtype = arrays[0].dtype
    if all(type(one) is ndarray and one.dtype == dtype for one in values):
        return dtype
    weak = [isinstance(one, int | float | complex) and not isinstance(one, bool | numpy.generic) for one in values]
    return numpy.result_type(
        *(one if is_weak else array.dtype for one, array, is_weak in zip(values, arrays, weak, strict=True))
    )


@composed
@by_numpy(pending=True, times=1 / 8)
def choose(a: Any, choices: Any, out: Any = None, mode: Any = "raise") -> Any:
    index = array_of(a)
    parts = arrays_of(choices)
    if index.dtype.kind not in "iub" or not 0 < len(parts) <= 32:
        raise Unsupported
    alike = all(part.shape == index.shape for part in parts)
    shape = index.shape if alike else numpy.broadcast_shapes(index.shape, *(part.shape for part in parts))
    if shape == () or len(shape) > 32:  # NumPy refuses
        raise Unsupported
    if index.dtype == bool:
        index = index.astype(numpy.intp)
    count = len(parts)
    if mode == "wrap":
        index = index % count
    elif mode == "clip":
        index = index.clip(0, count - 1)
    elif mode != "raise":
        raise Unsupported
    elif 0 not in shape and not (index.min() >= 0 and index.max() < count):
        raise ValueError("invalid entry in choice array")
    dtype = _common(choices, parts)
    result = parts[0].astype(dtype, copy=False)
    result = result if result.shape == shape else _cnumeric.broadcast_to(result, shape)
    for place, part in enumerate(parts[1:], 1):
        result = where(index == place, part.astype(dtype, copy=False), result)
    if out is None:
        return array(result, order="C", copy=None if count > 1 else True)
    target = target_of(out)
    if target.shape != shape or target.dtype != dtype:
        raise Unsupported
    target[...] = result
    return out


@method_of("choose")
def _choose_method(self: Any, *choices: Any, **keywords: Any) -> Any:
    return plain(choose)(self, *(choices if len(choices) == 1 else (choices,)[: len(choices)]), **keywords)


# ---- Index arithmetic ------------------------------------------------------------------------------------


def _unravelled(index: Any, shape: Any, order: Any = "C") -> tuple[Any, ...]:
    results: list[Any] = []
    for extent in reversed(shape) if order == "C" else shape:
        results.append(index % extent)
        index = index // extent
    return tuple(reversed(results)) if order == "C" else tuple(results)


@composed
@by_numpy(pending=True, times=1 / 4)
def unravel_index(indices: Any, shape: Any, order: Any = "C") -> Any:
    if isinstance(indices, int | numpy.integer):
        return numpy.unravel_index(indices, shape, order)
    index = array_of(indices)
    extents = tuple(operator.index(extent) for extent in shape) if isinstance(shape, tuple | list) else (int(shape),)
    if index.ndim == 0:
        return numpy.unravel_index(index[()], shape, order)
    if index.dtype.kind not in "iu" or order not in ("C", "F") or not extents:
        raise Unsupported
    if not bool(((index >= 0) & (index < math.prod(extents))).all()):
        raise ValueError("index is out of bounds")
    return _unravelled(index.astype(numpy.intp, copy=False), extents, order)


@composed
@by_numpy(pending=True)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: Any = "C") -> Any:
    parts = arrays_of(multi_index)
    extents = [operator.index(extent) for extent in dims] if isinstance(dims, tuple | list) else [int(dims)]
    if len(parts) != len(extents) or not parts or order not in ("C", "F"):
        raise Unsupported
    if any(part.dtype.kind not in "iu" for part in parts) or 0 in extents:
        raise Unsupported
    if all(part.ndim == 0 for part in parts):
        return numpy.ravel_multi_index(tuple(int(part) for part in parts), extents, mode, order)
    modes = [mode] * len(parts) if isinstance(mode, str) else list(mode)
    if len(modes) != len(parts) or any(part.size == 0 for part in parts):
        raise Unsupported
    if math.prod(extents) >= 2**63:
        raise ValueError("invalid dims: array size defined by dims is larger than the maximum possible size.")
    rows = list(zip(parts, extents, modes, strict=True))
    result: Any = 0
    for part, extent, rule in rows if order == "C" else reversed(rows):
        part = part.astype(numpy.intp, copy=False)
        if rule == "raise" and not bool(((part >= 0) & (part < extent)).all()):
            raise ValueError("invalid entry in coordinates array")
        if rule not in ("raise", "wrap", "clip"):
            raise Unsupported
        part = part % extent if rule == "wrap" else part.clip(0, extent - 1) if rule == "clip" else part
        result = result * extent + part
    return result


@composed
def diag_indices(n: Any, ndim: Any = 2) -> Any:
    return (arange(n),) * ndim


@composed
def diag_indices_from(arr: Any) -> Any:
    source = array_of(arr)
    if source.ndim < 2:
        raise ValueError("input array must be at least 2-d")
    if len(set(source.shape)) != 1:
        raise ValueError("All dimensions of input must be of equal length")
    return (arange(source.shape[0]),) * source.ndim


@composed
def tril_indices_from(arr: Any, k: Any = 0) -> Any:
    source = array_of(arr)
    is_array(arr)
    if source.ndim != 2:
        raise ValueError("input array must be 2-d")
    return tuple(tri(source.shape[0], source.shape[1], k, bool).nonzero())


@composed
def triu_indices_from(arr: Any, k: Any = 0) -> Any:
    source = array_of(arr)
    is_array(arr)
    if source.ndim != 2:
        raise ValueError("input array must be 2-d")
    return tuple(_cnumeric.logical_not(tri(source.shape[0], source.shape[1], k - 1, bool)).nonzero())


@composed
def mask_indices(n: Any, mask_func: Any, k: Any = 0) -> Any:
    marked = mask_func(functions["numpy.ones"]((n, n), int), k)
    return array_of(marked != 0).nonzero()


@composed
def ix_(*args: Any) -> Any:
    results = []
    for place, arg in enumerate(args):
        line = array_of(list(arg) if isinstance(arg, range) else arg)
        if line.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if line.size == 0 and not isinstance(arg, ndarray | numpy.ndarray):
            line = line.astype(numpy.intp)
        elif line.dtype == bool:
            (line,) = line.nonzero()
        results.append(line.reshape(tuple(-1 if other == place else 1 for other in range(len(args)))))
    return tuple(results)


# ---- Shape -----------------------------------------------------------------------------------------------


@composed
def resize(a: Any, new_shape: Any) -> Any:
    shape = (new_shape,) if isinstance(new_shape, int | numpy.integer) else tuple(new_shape)
    shape = tuple(operator.index(extent) for extent in shape)
    if any(extent < 0 for extent in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    flat, size = array_of(a).ravel(), math.prod(shape)
    if flat.size == 0 or size == 0:
        return zeros(shape, flat.dtype)
    return array(cycled(flat, size)).reshape(shape)


@composed
def row_stack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    warnings.warn(
        "`row_stack` alias is deprecated. Use `np.vstack` directly.", category=DeprecationWarning, stacklevel=2
    )
    return vstack(tup, dtype=dtype, casting=casting)


@composed
def trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    if not isinstance(filt, ndarray | numpy.ndarray):
        return numpy.trim_zeros(filt, trim, axis)
    source = array_of(filt)
    sides = trim.lower()
    if sides not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    axes = range(source.ndim) if axis is None else (axis if isinstance(axis, tuple | list) else (axis,))
    trimmed = {normalize_axis(one, source.ndim) for one in axes}
    if not trimmed:
        return filt
    cuts = []
    for place, line in enumerate(source.nonzero()):
        if place not in trimmed:
            cuts.append(_all)
        elif line.size == 0:
            cuts.append(slice(0, 0))
        else:
            first = int(line.min()) if "f" in sides else None
            cuts.append(slice(first, int(line.max()) + 1 if "b" in sides else None))
    return source[tuple(cuts)]


_flag_names = {"C": "C", "F": "F", "A": "A", "W": "W", "O": "O", "E": "E"} | {
    "C_CONTIGUOUS": "C",
    "CONTIGUOUS": "C",
    "F_CONTIGUOUS": "F",
    "FORTRAN": "F",
    "ALIGNED": "A",
    "WRITEABLE": "W",
    "OWNDATA": "O",
    "ENSUREARRAY": "E",
}
_attributes = {"A": "aligned", "W": "writeable", "O": "owndata"}


@composed
def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> Any:
    only_here(None, like)
    if isinstance(a, numpy.ndarray) and type(a) is not numpy.ndarray:
        raise Unsupported
    wanted = {_flag_names[name.upper()] for name in requirements or ()}
    if {"C", "F"} <= wanted:
        raise ValueError('Cannot specify both "C" and "F" order')
    order = "F" if "F" in wanted else "C" if "C" in wanted else "A" if wanted else "K"
    result = array(a, dtype, copy=None, order=order, subok="E" not in wanted)
    if type(result) is not ndarray:
        raise Unsupported
    if all(getattr(result.flags, _attributes[name]) for name in wanted - {"C", "F", "E"}):
        return result
    return result.copy(order)


@composed
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    value = array_of(a)
    is_array(a)
    ndim = value.ndim
    for axis in axes if isinstance(axes, tuple | list) else (operator.index(axes),):
        place = axis + ndim if axis < 0 else axis
        result = func(value, place)
        if result.ndim != ndim:
            result = functions["numpy.expand_dims"](result, place)
        if result.ndim != ndim:
            raise ValueError("function is not returning an array of the correct shape")
        value = result
    return value


# ---- r_, c_, mgrid, ogrid --------------------------------------------------------------------------------


def _count(start: Any, stop: Any, step: Any) -> tuple[int, Any]:
    """How many points a slice of a grid has, and the step between them."""
    if isinstance(step, complex):
        number = int(abs(step))
        return number, (stop - start) / float(number - 1) if number != 1 else number
    return math.ceil((stop - start) / step), step


def _slice(one: slice) -> tuple[Any, Any, Any]:
    return 0 if one.start is None else one.start, one.stop, 1 if one.step is None else one.step


def _grid(sparse: bool, key: Any) -> Any:
    if isinstance(key, slice):
        start, stop, step = _slice(key)
        if not isinstance(step, complex):
            return arange(start, stop, step)
        number, gap = _count(start, stop, step)
        return arange(0, number, 1, dtype=numpy.result_type(start, stop, abs(step))) * gap + start
    if not isinstance(key, tuple) or not key or not all(isinstance(one, slice) for one in key):
        raise Unsupported
    ends = [_slice(one) for one in key]
    counts = [_count(*end) for end in ends]
    numbers = [0] + [abs(value) if isinstance(value, complex) else value for end in ends for value in end]
    dtype = numpy.result_type(*numbers)
    lines = [
        (counted(max(number, 0), dtype) * gap + start).reshape(
            tuple(-1 if other == place else 1 for other in range(len(key)))
        )
        for place, ((number, gap), (start, _, _)) in enumerate(zip(counts, ends, strict=True))
    ]
    if sparse:
        return tuple(lines)
    result = empty((len(key), *(max(number, 0) for number, _ in counts)), dtype)
    for place, line in enumerate(lines):
        result[place] = line
    return result


def _row_part(item: Any, ndmin: int, place: int) -> tuple[Any, Any]:
    """The part that an item of r_ or c_ stands for, and what it tells of the dtype.

    It has at least `ndmin` dimensions: its own are the last ones, or those from `place` on (-1: the last ones).
    """
    if isinstance(item, slice):
        start, stop, step = _slice(item)
        part = linspace(start, stop, num=int(abs(step))) if isinstance(step, complex) else arange(start, stop, step)
        dtype = part.dtype
    elif isinstance(item, str):
        raise ValueError("special directives must be the first entry.")
    else:
        part = array_of(item)
        dtype = item if isinstance(item, bool | int | float | complex) else part.dtype
    added = ndmin - part.ndim
    if added <= 0:
        return part, dtype
    own = range(added, ndmin)
    part = part.reshape((1,) * added + part.shape)
    if place == -1 or not own:
        return part, dtype
    first = place + added + 1 if place < 0 else place
    return part.transpose([*range(first), *own, *range(first, added)]), dtype


def _directive(text: str, own: tuple[int, int, int]) -> tuple[int, int, int]:
    """The axis, the least number of dimensions and the place of a vector that the text names."""
    if text in ("r", "c"):
        raise Unsupported  # a matrix
    numbers = tuple(int(part) for part in text.split(","))
    if len(numbers) > 3:
        raise Unsupported
    return (*numbers, *own[len(numbers) :])  # type: ignore[return-value]


def _joined(own: tuple[int, int, int], key: Any) -> Any:
    items = key if isinstance(key, tuple) else (key,)
    axis, ndmin, place = own
    if items and isinstance(items[0], str):
        axis, ndmin, place = _directive(items[0], own)
        items = items[1:]
    parts, dtypes = zip(*(_row_part(item, ndmin, place) for item in items), strict=True)
    dtype = numpy.result_type(*dtypes)
    for number in dtypes:
        if type(number) is int:
            numpy.asarray(number, dtype)  # raises if it is out of range
    return concatenate(parts, axis, dtype=dtype, casting="unsafe")


grids: dict[str, Callable[[Any], Any]] = {
    "numpy.mgrid": functools.partial(_grid, False),
    "numpy.ogrid": functools.partial(_grid, True),
    "numpy.r_": functools.partial(_joined, (0, 1, -1)),
    "numpy.c_": functools.partial(_joined, (-1, 2, 0)),
}
