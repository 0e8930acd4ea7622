"""Functions that rearrange: views where NumPy gives views, copies into new arrays elsewhere."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import (
    array_of,
    arrays_of,
    by_numpy,
    composed,
    functions,
    method,
    method_of,
    ndarray,
    normalize_axes,
    normalize_axis,
)
from ._creation import empty, tri, zeros_like
from ._fallback import Unsupported

arange = _cnumeric.arange

concatenate = _cnumeric.concatenate
broadcast_to = _cnumeric.broadcast_to
where = _cnumeric.where

for _name in ("squeeze", "swapaxes", "diagonal", "ravel", "nonzero", "trace"):
    method(_name)


def is_array(value: Any) -> None:
    """NumPy's function asks its argument for attributes of an array: what has none is NumPy's to refuse."""
    if not isinstance(value, ndarray | numpy.ndarray):
        raise Unsupported


# ---- Shape -----------------------------------------------------------------------------------------------


@composed
def reshape(a: Any, /, shape: Any, order: Any = "C", *, copy: Any = None) -> Any:
    return array_of(a).reshape(shape, order=order, copy=copy)


@composed
def transpose(a: Any, axes: Any = None) -> Any:
    array = array_of(a)
    return array.transpose() if axes is None else array.transpose(axes)


permute_dims = transpose


@composed
def matrix_transpose(x: Any, /) -> Any:
    array = array_of(x)
    if array.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {array.ndim}")
    return array.swapaxes(-1, -2)


@composed
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    array = array_of(a)
    sources = normalize_axes(source, array.ndim)
    targets = normalize_axes(destination, array.ndim)
    if source is None or destination is None or len(sources) != len(targets):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [axis for axis in range(array.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return array.transpose(order)


@composed
def rollaxis(a: Any, axis: Any, start: Any = 0) -> Any:
    array = array_of(a)
    is_array(a)
    axis = normalize_axis(axis, array.ndim)
    place = operator.index(start)
    if place < 0:
        place += array.ndim
    if not 0 <= place <= array.ndim:
        raise numpy.exceptions.AxisError("start out of range")
    if axis < place:
        place -= 1
    order = [other for other in range(array.ndim) if other != axis]
    order.insert(place, axis)
    return array.transpose(order)


@composed
def expand_dims(a: Any, axis: Any) -> Any:
    array = array_of(a)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    added = normalize_axes(tuple(axes), array.ndim + len(axes))
    extents = iter(array.shape)
    return array.reshape([1 if place in added else next(extents) for place in range(array.ndim + len(added))])


def _at_least(arrays: tuple[Any, ...], forms: dict[int, Any], ndim: int) -> Any:
    results = _raised(arrays_of(arrays), forms, ndim)
    return results[0] if len(results) == 1 else tuple(results)


def _raised(arrays: list[Any], forms: dict[int, Any], ndim: int) -> list[Any]:
    return [array if array.ndim >= ndim else array[forms[array.ndim]] for array in arrays]


_line = (None,)
_all = slice(None)


_lines: dict[int, Any] = {0: _line}
_planes: dict[int, Any] = {0: (None, None), 1: (None, _all)}
_boxes: dict[int, Any] = {0: (None, None, None), 1: (None, _all, None), 2: (_all, _all, None)}


@composed
def atleast_1d(*arys: Any) -> Any:
    return _at_least(arys, _lines, 1)


@composed
def atleast_2d(*arys: Any) -> Any:
    return _at_least(arys, _planes, 2)


@composed
def atleast_3d(*arys: Any) -> Any:
    return _at_least(arys, _boxes, 3)


@composed
def broadcast_arrays(*args: Any, subok: Any = False) -> Any:
    arrays = arrays_of(args)
    shape = numpy.broadcast_shapes(*(array.shape for array in arrays))
    return tuple(array if array.shape == shape else broadcast_to(array, shape) for array in arrays)


# ---- Joining ---------------------------------------------------------------------------------------------

concat = concatenate


@composed
def stack(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    parts = arrays_of(arrays)
    if not parts:
        raise ValueError("need at least one array to stack")
    if len({part.shape for part in parts}) != 1:
        raise ValueError("all input arrays must have the same shape")
    axis = normalize_axis(axis, parts[0].ndim + 1)
    if out is None and dtype is None and casting == "same_kind":
        return _cnumeric.stacked(parts, axis)
    index = (_all,) * axis + (None,)
    return concatenate([part[index] for part in parts], axis, out, dtype=dtype, casting=casting)


def _equal_vectors(parts: list[Any]) -> bool:
    return bool(parts) and parts[0].ndim == 1 and all(part.shape == parts[0].shape for part in parts)


@composed
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    parts = arrays_of(tup)
    if dtype is None and casting == "same_kind" and _equal_vectors(parts):
        return _cnumeric.stacked(parts, 0)
    return concatenate(_raised(parts, _planes, 2), 0, dtype=dtype, casting=casting)


@composed
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    parts = _raised(arrays_of(tup), _lines, 1)
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@composed
def dstack(tup: Any) -> Any:
    parts = arrays_of(tup)
    if parts and all(part.ndim == 2 and part.shape == parts[0].shape for part in parts):
        return _cnumeric.stacked(parts, 2)
    return concatenate(_raised(parts, _boxes, 3), 2)


@composed
def column_stack(tup: Any) -> Any:
    parts = arrays_of(tup)
    if _equal_vectors(parts):
        return _cnumeric.stacked(parts, 1)
    return concatenate([part if part.ndim >= 2 else part.reshape(-1, 1) for part in parts], 1)


@composed
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    array, added = array_of(arr), array_of(values)
    if axis is None:
        return concatenate((array.ravel(), added.ravel()), 0)
    return concatenate((array, added), axis)


def _placed(parts: Any, ndim: int) -> tuple[tuple[int, ...], list[tuple[tuple[int, ...], Any]]]:
    """The shape of nested lists, innermost along the last axis, and where in it each array begins."""
    if not isinstance(parts, list):
        array = array_of(parts)
        array = array.reshape((1,) * (ndim - array.ndim) + array.shape)
        return array.shape, [((0,) * ndim, array)]
    axis = ndim - _depth(parts)
    blocks = [_placed(part, ndim) for part in parts]
    extents = list(blocks[0][0])
    extents[axis] = 0
    leaves = []
    for shape, inside in blocks:
        if any(extent != shape[k] for k, extent in enumerate(extents) if k != axis):
            raise ValueError("mismatched array shapes in block along axis")
        leaves += [((*at[:axis], at[axis] + extents[axis], *at[axis + 1 :]), leaf) for at, leaf in inside]
        extents[axis] += shape[axis]
    return tuple(extents), leaves


def _depth(parts: Any) -> int:
    return 1 + _depth(parts[0]) if isinstance(parts, list) and parts else 0


def _is_even(parts: Any) -> bool:
    """Whether all branches are lists, equally deep, and none is empty: what is not is NumPy's to refuse."""
    if not isinstance(parts, list):
        return not isinstance(parts, tuple)
    return bool(parts) and len({_depth(part) for part in parts}) == 1 and all(_is_even(part) for part in parts)


def _leaves(parts: Any) -> list[Any]:
    return [leaf for part in parts for leaf in _leaves(part)] if isinstance(parts, list) else [array_of(parts)]


@composed
def block(arrays: Any) -> Any:
    if isinstance(arrays, numpy.ndarray | ndarray | int | float | complex):
        return array_of(arrays).copy()
    if not isinstance(arrays, list) or not _is_even(arrays):
        raise Unsupported
    ndim = max([_depth(arrays), *(leaf.ndim for leaf in _leaves(arrays))])
    shape, leaves = _placed(arrays, ndim)
    flags = [leaf.flags for _, leaf in leaves]
    by_columns = all(one.f_contiguous for one in flags) and not all(one.c_contiguous for one in flags)
    result = empty(shape, numpy.result_type(*(leaf.dtype for _, leaf in leaves)), "F" if by_columns else "C")
    for at, leaf in leaves:
        result[tuple(slice(begin, begin + extent) for begin, extent in zip(at, leaf.shape, strict=True))] = leaf
    return result


# ---- Splitting -------------------------------------------------------------------------------------------


@composed
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    array = array_of(ary)
    is_array(ary)
    axis = normalize_axis(axis, array.ndim)
    total = array.shape[axis]
    if isinstance(indices_or_sections, tuple | list | numpy.ndarray | ndarray):
        cuts: Any = indices_or_sections
        ends = [0, *(operator.index(end) for end in cuts), total]
    else:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        each, extra = divmod(total, count)
        ends = [part * each + min(part, extra) for part in range(count + 1)]
    before = (_all,) * axis
    # Indices past the end count from where Python's slices put them; the last part runs to the end.
    return [array[(*before, slice(start, end))] for start, end in itertools.pairwise(ends)]


@composed
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    array = array_of(ary)
    is_array(ary)
    sections = not isinstance(indices_or_sections, tuple | list | numpy.ndarray | ndarray)
    if sections and array.shape[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(array, indices_or_sections, axis)


@composed
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    array = array_of(ary)
    is_array(ary)
    if array.ndim == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(array, indices_or_sections, 1 if array.ndim > 1 else 0)


@composed
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    array = array_of(ary)
    is_array(ary)
    if array.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(array, indices_or_sections, 0)


@composed
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    array = array_of(ary)
    is_array(ary)
    if array.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(array, indices_or_sections, 2)


@composed
def unstack(x: Any, /, *, axis: Any = 0) -> Any:
    array = array_of(x)
    is_array(x)
    if array.ndim == 0:
        raise ValueError("Input array must be at least 1-d.")
    return tuple(moveaxis(array, axis, 0))


# ---- Reversing, rolling, repeating -----------------------------------------------------------------------

_reversed = slice(None, None, -1)


@composed
def flip(m: Any, axis: Any = None) -> Any:
    array = array_of(m)
    if axis is None:
        return array[(_reversed,) * array.ndim]
    axes = normalize_axes(axis, array.ndim)
    return array[tuple(_reversed if place in axes else _all for place in range(array.ndim))]


@composed
def flipud(m: Any) -> Any:
    return array_of(m)[_reversed, ...]


@composed
def fliplr(m: Any) -> Any:
    return array_of(m)[:, _reversed]


@composed
def rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    array = array_of(m)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = normalize_axes(tuple(axes), array.ndim)
    turns = k % 4
    if turns == 0:
        return array[:]
    if turns == 2:
        return flip(flip(array, first), second)
    if turns == 1:
        return flip(array, second).swapaxes(first, second)
    return flip(array.swapaxes(first, second), second)


@composed
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    array = array_of(a)
    if axis is None:
        return roll(array.ravel(), shift, 0).reshape(array.shape)
    total = [0] * array.ndim
    if type(axis) is type(shift) is int:
        total[normalize_axis(axis, array.ndim)] = shift
    else:
        pairs = numpy.broadcast(numpy.asarray(shift), normalize_roll_axes(axis, array.ndim))
        if pairs.ndim > 1:
            raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
        for by, place in pairs:
            total[place] += int(by)
    result = empty(array.shape, array.dtype) if array.flags.c_contiguous else _empty_like(array)
    return _cnumeric.rolled(result, array, tuple(total))


def normalize_roll_axes(axis: Any, ndim: int) -> list[int]:
    """Give the axes counted from the front; unlike elsewhere one may be repeated."""
    return [normalize_axis(one, ndim) for one in (axis if isinstance(axis, tuple | list) else (axis,))]


def _empty_like(array: Any) -> Any:
    return functions["numpy.empty_like"](array)


@composed
@by_numpy(pending=False, times=1 / 8)
def tile(A: Any, reps: Any) -> Any:
    array = array_of(A)
    counts = tuple(reps) if numpy.ndim(reps) else (operator.index(reps),)
    counts = (1,) * (array.ndim - len(counts)) + tuple(operator.index(count) for count in counts)
    if all(count == 1 for count in counts):
        return _cnumeric.array(array, copy=True, ndmin=len(counts))
    shape = (1,) * (len(counts) - array.ndim) + array.shape
    whole: list[int] = []
    blocks: list[int] = []
    form: list[int] = []
    for count, extent in zip(counts, shape, strict=True):
        whole.append(count * extent)
        blocks += (count, extent)
        form += (1, extent)
    if not array.size:
        return array.reshape(shape).reshape(whole)  # with NumPy's strides
    result = empty(whole, array.dtype)
    if result.size:
        result.reshape(blocks)[...] = array.reshape(form)
    return result


# ---- Diagonals and triangles -----------------------------------------------------------------------------


@composed
def diag(v: Any, k: Any = 0) -> Any:
    array = array_of(v)
    if array.ndim == 2:
        return array.diagonal(k)
    if array.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    k = operator.index(k)
    extent = array.shape[0] + abs(k)
    result = _cnumeric.zeros((extent, extent), array.dtype)
    start = k if k >= 0 else -k * extent
    result[: extent - k if k > 0 else extent].reshape(-1)[start :: extent + 1][: array.shape[0]] = array
    return result


@composed
def diagflat(v: Any, k: Any = 0) -> Any:
    return diag(array_of(v).ravel(), k)


def _lower(array: Any, k: Any) -> Any:
    shape = array.shape[-2:]
    return tri(shape[0], shape[-1], k, bool)


@composed
def tril(m: Any, k: Any = 0) -> Any:
    array = array_of(m)
    return where(_lower(array, k), array, zeros_like(array, shape=(1,)))


@composed
def triu(m: Any, k: Any = 0) -> Any:
    array = array_of(m)
    return where(_lower(array, k - 1), zeros_like(array, shape=(1,)), array)


# ---- By index --------------------------------------------------------------------------------------------


def _places(indices: Any, extent: int, mode: Any) -> Any:
    """Indices as take has them: in range, or to be found out of it."""
    if isinstance(indices, int):
        index: Any = int(indices)
    elif isinstance(indices, ndarray | numpy.ndarray):
        index = array_of(indices)
        if index.dtype.kind not in "iub":
            raise Unsupported
        index = index.astype(numpy.intp, copy=False)
    else:
        index = array_of(numpy.asarray(indices, numpy.intp))
    if mode == "raise":
        return index
    if mode not in ("wrap", "clip") or extent == 0:
        raise Unsupported
    if isinstance(index, int):
        return index % extent if mode == "wrap" else min(max(index, 0), extent - 1)
    return index % extent if mode == "wrap" else index.clip(0, extent - 1)


def delivered(result: Any, out: Any) -> Any:
    """The result, or `out` with it; `Unsupported` if it does not fit exactly."""
    if out is None:
        return result
    target = _cnumeric.asarray(out) if type(out) is numpy.ndarray else out
    same = type(target) is ndarray and target.shape == numpy.shape(result) and target.dtype == result.dtype
    if not same or not target.flags.writeable:
        raise Unsupported
    target[...] = result
    return out


def taken(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    array = array_of(a)
    if axis is None:
        array, axis = array.ravel(), 0
    axis = normalize_axis(axis, array.ndim) if array.ndim else 0
    array = array if array.ndim else array.reshape(1)
    result = array[(_all,) * axis + (_places(indices, array.shape[axis], mode),)]
    if isinstance(result, ndarray):
        view = isinstance(indices, int) or numpy.ndim(indices) == 0
        result = _cnumeric.array(result, order="C", copy=True if view else None)
        result = result if result.ndim else result[()]
    return delivered(result, out)


method("take")
method_of("take")(taken)


@composed
def flatnonzero(a: Any) -> Any:
    return array_of(a).ravel().nonzero()[0]


@composed
def argwhere(a: Any) -> Any:
    array = array_of(a)
    if array.ndim == 0:
        return array.reshape(1).nonzero()[0].reshape(-1, 1)[:, :0]
    return stack(array.nonzero(), 0).T


def compressed(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
    mask = array_of(condition)
    if mask.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    return taken(self, mask.nonzero()[0], axis, out)


method_of("compress")(compressed)


@composed
@by_numpy(pending=True)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    return compressed(array_of(a), condition, axis, out)


def order_of(array: Any) -> str:
    """The order of what NumPy makes for an array by its flags alone."""
    return "F" if array.flags.fnc else "C"


@composed
def delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    array = array_of(arr)
    if axis is None:
        array, axis = array.ravel(), 0
    axis = normalize_axis(axis, array.ndim)
    before = (_all,) * axis
    if isinstance(obj, bool):
        raise Unsupported
    if not isinstance(obj, int):
        result = array[(*before, _cnumeric.asarray(_kept(obj, array.shape[axis])))]
        sliced = isinstance(obj, slice) or numpy.size(obj) == 1
        return _cnumeric.array(result, order=order_of(array), copy=None) if sliced else result
    place = normalize_index(obj, array.shape[axis], axis)
    joined = concatenate([array[(*before, slice(None, place))], array[(*before, slice(place + 1, None))]], axis)
    return _cnumeric.array(joined, order=order_of(array), copy=None)


def _kept(obj: Any, extent: int) -> Any:
    """The places, on the host, that are not among those of `obj`."""
    kept = numpy.ones(extent, bool)
    if isinstance(obj, slice):
        kept[obj] = False
        return kept.nonzero()[0]
    gone = numpy.asarray(obj)
    if gone.size == 0 and not isinstance(obj, numpy.ndarray | ndarray):
        gone = gone.astype(numpy.intp)
    if gone.dtype.kind not in "iub" or (gone.dtype == bool and gone.shape != (extent,)):
        raise Unsupported
    kept[gone] = False
    return kept.nonzero()[0]


def normalize_index(index: int, extent: int, axis: int) -> int:
    """Give the index counted from the front; `IndexError` if there is none."""
    if not -extent <= index < extent:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {extent}")
    return index + extent if index < 0 else index


@composed
def tril_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    return tuple(tri(n, m, k, bool).nonzero())


@composed
def triu_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    return tuple(_cnumeric.logical_not(tri(n, m, k - 1, bool)).nonzero())


@composed
def extract(condition: Any, arr: Any) -> Any:
    return array_of(arr).ravel()[flatnonzero(condition)]


def along_axis(array: Any, index: Any, axis: Any) -> tuple[Any, ...]:
    """The index of an array that picks by `index` along an axis, and everything along the others."""
    if index.dtype.kind not in "iu" or index.ndim != array.ndim:
        raise Unsupported
    axis = normalize_axis(axis, array.ndim)
    lines = []
    for place, extent in enumerate(array.shape):
        form = tuple(-1 if other == place else 1 for other in range(array.ndim))
        lines.append(index if place == axis else arange(extent).reshape(form))
    return tuple(lines)


@composed
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    array, index = array_of(arr), array_of(indices)
    is_array(arr)
    is_array(indices)
    if axis is None:
        array, axis = array.ravel(), 0
    return array[along_axis(array, index, axis)]
