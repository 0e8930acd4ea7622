"""Files of arrays that are spread over several processes: each writes and reads what it has, nothing is gathered."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy

from . import _cnumeric, _fallback
from ._composed import functions, is_spread
from ._creation import zeros

_format: Any = numpy.lib.format
_HEADERS = {(1, 0): "read_array_header_1_0", (2, 0): "read_array_header_2_0"}


def _ours(function: Callable[..., Any]) -> Callable[..., Any]:
    reference = getattr(numpy, function.__name__)
    function.__module__ = "cnumeric"
    function.__doc__ = reference.__doc__
    function.__cnumeric__ = "composed"  # type: ignore[attr-defined]
    functions[f"numpy.{function.__name__}"] = function
    return function


@_ours
def save(file: Any, arr: Any, *args: Any, **kwargs: Any) -> None:
    if type(arr) is not _cnumeric.ndarray or not isinstance(file, str | os.PathLike) or not is_spread(arr.nbytes):
        _fallback.call(numpy.save, "", (file, arr, *args), kwargs)
        return
    name = os.fspath(file)
    suffix: Any = b".npy" if isinstance(name, bytes) else ".npy"
    name = name if name.endswith(suffix) else name + suffix
    if not (arr.flags.c_contiguous or arr.flags.f_contiguous):
        arr = arr.copy()
    with open(name, "wb") as target:
        _format.write_array_header_1_0(target, _format.header_data_from_array_1_0(arr))
        offset = target.tell()
        target.truncate(offset + arr.nbytes)
    _cnumeric.to_file(arr, os.path.abspath(name), offset)


def _header(source: BinaryIO, limit: int) -> tuple[tuple[int, ...], bool, Any, int] | None:
    """Give shape, Fortran order, dtype and where the elements begin; None: NumPy reads this file."""
    size = os.fstat(source.fileno()).st_size
    try:
        reader = getattr(_format, _HEADERS[_format.read_magic(source)])
        shape, fortran, dtype = reader(source, max_header_size=limit)
    except (KeyError, ValueError):
        return None
    offset = source.tell()
    nbytes = math.prod(shape) * dtype.itemsize
    good = _fallback.is_native(dtype) and offset + nbytes <= size and is_spread(nbytes)
    return (shape, fortran, dtype, offset) if good else None


@_ours
def load(
    file: Any,
    mmap_mode: Any = None,
    allow_pickle: bool = False,
    *args: Any,
    max_header_size: int = 10000,
    **kwargs: Any,
) -> Any:
    found = None
    if mmap_mode is None and isinstance(file, str | os.PathLike):
        with open(file, "rb") as source:
            found = _header(source, 2**31 if allow_pickle else max_header_size)
    if found is None:
        kwargs["max_header_size"] = max_header_size
        return _fallback.call(numpy.load, "", (file, mmap_mode, allow_pickle, *args), kwargs)
    shape, fortran, dtype, offset = found
    array = zeros(shape[::-1] if fortran else shape, dtype)
    _cnumeric.from_file(array, os.path.abspath(os.fspath(file)), offset)
    return array.T if fortran else array
