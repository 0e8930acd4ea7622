"""Views by strides and by bytes: numpy.lib.stride_tricks, and the methods that look into elements."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, composed, method_of, ndarray, normalize_axis
from ._fallback import Unsupported

_tricks = functools.partial(composed, module="numpy.lib.stride_tricks")


def view_of(array: Any, dtype: Any, offset: int, shape: Any, strides: Any, writeable: bool = True) -> Any:
    """A view within the array's memory; `Unsupported` if it would leave that."""
    view = _cnumeric.as_strided(array, dtype, offset, shape, strides, writeable)
    if view is None:
        raise Unsupported
    return view


@_tricks
def as_strided(x: Any, shape: Any = None, strides: Any = None, subok: Any = False, writeable: Any = True) -> Any:
    """Give a view of the given shape and strides, which may overlap itself; NumPy makes those that leave the memory."""
    array = array_of(x)
    given = shape is not None
    shape = array.shape if shape is None else tuple(shape)
    if strides is not None:
        strides = tuple(strides)
    elif array.flags.c_contiguous and (given or not array.size):
        strides = tuple(
            array.itemsize * math.prod(max(extent, 1) for extent in shape[at + 1 :]) for at in range(len(shape))
        )
    else:
        strides = array.strides
    return view_of(array, array.dtype, 0, shape, strides, bool(writeable))


@_tricks
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: Any = False, writeable: Any = False
) -> Any:
    """Give a view of all windows of this shape: their places along the array's axes, then what is in them."""
    array = array_of(x)
    window = tuple(window_shape) if numpy.iterable(window_shape) else (window_shape,)
    if any(extent < 0 for extent in window):
        raise ValueError("`window_shape` cannot contain negative values")
    axes = range(array.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    places = [normalize_axis(one, array.ndim) for one in axes]
    if len(places) != len(window):
        raise ValueError("a window has an extent for each axis")
    shape = list(array.shape)
    for place, extent in zip(places, window, strict=True):
        if shape[place] < extent:
            raise ValueError("window shape cannot be larger than input array shape")
        shape[place] -= operator.index(extent) - 1
    strides = (*array.strides, *(array.strides[place] for place in places))
    return view_of(array, array.dtype, 0, (*shape, *window), strides, bool(writeable))


# ---- Into elements ---------------------------------------------------------------------------------------


def _field(self: Any, dtype: Any, offset: Any) -> Any:
    kind, offset = numpy.dtype(dtype), operator.index(offset)
    if not 0 <= offset <= self.itemsize - kind.itemsize:
        raise ValueError("the field leaves the element")
    return view_of(self, kind, offset, self.shape, self.strides, self.flags.writeable)


@method_of("getfield")
def _getfield(self: Any, dtype: Any, offset: Any = 0) -> Any:
    return _field(self, dtype, offset)


@method_of("setfield")
def _setfield(self: Any, val: Any, dtype: Any, offset: Any = 0) -> None:
    _field(self, dtype, offset)[...] = val


@method_of("byteswap")
def _byteswap(self: Any, inplace: Any = False) -> Any:
    """Reverse the bytes of each number; complex ones are two."""
    result = self if inplace else self.copy("A")
    width = self.itemsize // (2 if self.dtype.kind == "c" else 1)
    if type(result) is not ndarray or not result.flags.writeable:
        raise Unsupported
    if width > 1:
        parts = (*result.shape, self.itemsize // width, width)
        swapped = view_of(result, numpy.uint8, 0, parts, (*result.strides, width, 1))
        swapped[...] = swapped[..., ::-1]
    return result
