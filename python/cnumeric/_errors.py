"""NumPy's own exceptions for calls that the core has refused.

The call is made again with NumPy on stand-ins: arrays of the same shape, dtype, strides and flags. Small ones hold
the values, because some errors depend on them; the others are zeros in memory that is never touched, so that a
replay costs neither time nor memory of the size of the data.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy
from numpy.lib.stride_tricks import as_strided

from . import _cnumeric, _fallback

_most_copied = 1 << 16  # bytes


def replay(reference: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise what NumPy raises for ``reference(*args, **kwargs)``; return if it raises nothing."""
    made: dict[int, Any] = {}
    try:
        arguments = [_stand_in(value, made) for value in args]
        keywords = {name: _stand_in(value, made) for name, value in kwargs.items()}
        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            reference(*arguments, **keywords)
    except MemoryError:
        return
    except Exception as error:
        raise error.with_traceback(None) from None


def _stand_in(value: Any, made: dict[int, Any]) -> Any:
    """Give an object for `value` that NumPy can be called with; the same one for the same array."""
    if type(value) in (list, tuple):
        return type(value)(_stand_in(item, made) for item in value)
    if type(value) is dict:
        return {key: _stand_in(item, made) for key, item in value.items()}
    if type(value) is _cnumeric.ufunc:
        return _fallback.numpy_ufunc(value)
    if not isinstance(value, _cnumeric.ndarray):
        return value
    if id(value) not in made:
        made[id(value)] = _array(value)
    return made[id(value)]


def _array(value: Any) -> Any:
    if isinstance(value, numpy.ndarray) and not (type(value) is numpy.ndarray and _fallback.is_native(value.dtype)):
        return value.copy()
    shape, strides, itemsize = value.shape, value.strides, value.dtype.itemsize
    spans = [(extent - 1) * stride for extent, stride in zip(shape, strides, strict=True)] if value.size else []
    low = sum(span for span in spans if span < 0)
    high = sum(span for span in spans if span > 0) + itemsize
    memory = numpy.zeros(high - low, numpy.uint8)
    array = as_strided(memory[-low : -low + itemsize].view(value.dtype), shape, strides)
    if value.nbytes <= _most_copied:
        array[...] = numpy.asarray(value)
    if not value.flags.writeable:
        array.flags.writeable = False
    return array
