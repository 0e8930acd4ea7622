"""Keys of ``a.flat`` that name several elements; single ones never come here (``flat.c``)."""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, asarray, ndarray
from ._fallback import Unsupported, from_numpy, to_numpy
from ._index import _store, cycled
from ._manipulation import flatnonzero, where

arange = _cnumeric.arange


def _line_key(key: Any, size: int) -> Any:
    """The key as a slice, or as an array of ints or a mask of the whole line; `Unsupported` for what else there is."""
    if type(key) is tuple:
        if len(key) != 1:
            raise Unsupported
        key = key[0]
    if key is Ellipsis:
        return slice(None)
    if type(key) is slice:
        return key
    index = array_of(key)
    if index.dtype == bool and not isinstance(key, ndarray | numpy.ndarray):
        raise Unsupported  # NumPy refuses it
    if index.ndim == 0 or index.dtype.kind not in "biu" or (index.dtype == bool and index.shape != (size,)):
        raise Unsupported
    return index


def get(array: Any, key: Any) -> Any:
    """``array.flat[key]``, a copy."""
    try:
        line_key = slice(None) if type(key) is tuple and not key else _line_key(key, array.size)
        line = array.reshape(-1)
        return line[line_key].copy() if type(line_key) is slice else line[line_key]
    except (Unsupported, IndexError):
        return from_numpy(numpy.asarray(array).flat[to_numpy(key, {})], {})


def put(array: Any, key: Any, value: Any) -> None:
    """``array.flat[key] = value``: the values there are again and again, those left over not at all."""
    try:
        _put(array, _line_key(key, array.size), value)
    except (Unsupported, IndexError):
        numpy.asarray(array).flat[to_numpy(key, {})] = to_numpy(value, {})


def _values(value: Any, dtype: Any) -> Any:
    """The values as a line of the array's dtype; `Unsupported` where the cast warns or raises."""
    if isinstance(value, ndarray | numpy.ndarray) or type(value) is _cnumeric.flatiter:
        line = array_of(value).ravel()
    else:
        line = asarray(value).ravel()
    if type(line) is not ndarray or (line.dtype.kind == "c" and dtype.kind in "iuf"):
        raise Unsupported
    if not isinstance(value, ndarray | numpy.ndarray) and not numpy.can_cast(line.dtype, dtype, "same_kind"):
        raise Unsupported
    return line.astype(dtype)


def _put(array: Any, key: Any, value: Any) -> None:
    size, values = array.size, _values(value, array.dtype)
    if type(key) is slice:
        count = len(range(*key.indices(size)))
    elif key.dtype == bool:
        key = flatnonzero(key)
        count = key.size
    else:
        key = key.ravel()
        count = key.size
    if count == 0 or values.size == 0:
        return
    if type(key) is slice:
        if array.flags.c_contiguous:
            array.reshape(-1)[key] = cycled(values, count)
            return
        key = arange(*key.indices(size))
    elif not bool(((key >= -size) & (key < size)).all()):
        raise IndexError
    else:
        key = where(key < 0, key + size, key)
    _store(array, key, cycled(values, count))
