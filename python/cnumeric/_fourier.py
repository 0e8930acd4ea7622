"""numpy.fft's transforms: an axis at a time by the core, or on a device by `_fourier_device`.

As in NumPy, arrays of single precision alone become complex64, and real numbers are half the work. A transform over
several axes goes from the last to the first, one to real numbers from the first to the last.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy

from . import _cnumeric, _fourier_device
from ._composed import array_of, composed, ndarray, plain
from ._fallback import Unsupported

Function = TypeVar("Function", bound=Callable[..., Any])

_complex, _half, _real = range(3)  # to all of a spectrum, to the first half of one, and back from it
_swapped = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
_doubles = frozenset("dD?bBhHiIlLqQ")
_precision = {"f": numpy.float32, "F": numpy.float32, "e": numpy.float16}


def _fft(function: Function) -> Function:
    """Make `function` NumPy's of the same name, where a device does what it can of its own arrays."""
    on_device = getattr(_fourier_device, function.__name__)

    @functools.wraps(function)
    def chosen(a: Any, *args: Any, **kwargs: Any) -> Any:
        if type(a) is ndarray and _cnumeric.for_device(a, False, False):
            try:
                return on_device(a, *args, **kwargs)
            except (Unsupported, TypeError):  # TypeError: wrong arguments, or NumPy has parameters that ours has not
                pass
        return function(a, *args, **kwargs)

    return composed(chosen, module="numpy.fft")  # type: ignore[return-value]


def _scale(character: str, n: int, norm: Any) -> float:
    """What NumPy multiplies a transform forward by, rounded as it rounds it."""
    if norm is None or norm == "backward":
        return 1.0
    if norm not in _swapped:
        raise Unsupported
    if character in _doubles:
        return 1 / math.sqrt(n) if norm == "ortho" else 1 / n
    dtype = _precision[character]
    return float(numpy.reciprocal(numpy.sqrt(n, dtype=dtype) if norm == "ortho" else n, dtype=dtype))


def _extents(a: Any, n: int, axis: int, kind: int) -> tuple[int, ...]:
    return (*a.shape[:axis], n // 2 + 1 if kind == _half else n, *a.shape[axis + 1 :])


def _into(made: Any, out: Any) -> Any:
    """Put the result where it is to be, cast as NumPy casts results."""
    if type(out) is not ndarray or out.shape != made.shape:
        raise Unsupported
    _cnumeric.copyto(out, made)
    return out


def _line(a: Any, n: Any, axis: Any, kind: int, backward: bool, norm: Any, out: Any = None) -> Any:
    """Transform an array of ours along an axis; norm: of a transform in this direction."""
    character = a.dtype.char
    if n is None:
        n = (a.shape[axis] - 1) * 2 if kind == _real else a.shape[axis]
    n, axis = operator.index(n), operator.index(axis)
    if n < 1 or not -a.ndim <= axis < a.ndim or (kind == _half and character in "FD"):
        raise Unsupported
    axis %= a.ndim
    scale = _scale(character, n, norm)
    dtype = (
        (character if character in "fe" else "fd"[character != "F"]) if kind == _real else "FD"[character in _doubles]
    )
    if out is None and dtype != "e":
        return _cnumeric.transform(a, axis, n, kind, backward, scale, None)
    direct = type(out) is ndarray and out.dtype.char == dtype and out.flags.writeable
    if direct and out.shape == _extents(a, n, axis, kind):
        return _cnumeric.transform(a, axis, n, kind, backward, scale, out)
    made = _cnumeric.transform(a, axis, n, kind, backward, scale, None)
    made = made.astype("e") if dtype == "e" else made
    return made if out is None else _into(made, out)


def _forward(norm: Any, backward: bool) -> Any:
    """The same scale as a transform forward has with this norm."""
    try:
        return _swapped[norm] if backward else norm
    except (KeyError, TypeError):
        raise Unsupported from None


# ---- Along one axis ----------------------------------------------------------------------------------------


@_fft
def fft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform along one axis; see `numpy.fft.fft`."""
    return _line(array_of(a), n, axis, _complex, False, norm, out)


@_fft
def ifft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform back along one axis; see `numpy.fft.ifft`."""
    return _line(array_of(a), n, axis, _complex, True, _forward(norm, True), out)


@_fft
def rfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform real numbers along one axis; see `numpy.fft.rfft`."""
    return _line(array_of(a), n, axis, _half, False, norm, out)


@_fft
def irfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform back to real numbers along one axis; see `numpy.fft.irfft`."""
    return _line(array_of(a), n, axis, _real, True, _forward(norm, True), out)


@_fft
def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform what has a real spectrum; see `numpy.fft.hfft`, which takes no notice of `out` either."""
    return _line(array_of(a), n, axis, _real, False, norm)


@_fft
def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Undo `hfft`; see `numpy.fft.ihfft`."""
    return _line(array_of(a), n, axis, _half, True, _forward(norm, True), out)


# ---- Along several axes ------------------------------------------------------------------------------------


def _several(a: Any, s: Any, axes: Any, halved: bool = False) -> tuple[list[int], list[int]]:
    """Sizes and axes; what NumPy warns of, or refuses, it does."""
    if axes is None:
        if s is not None:
            raise Unsupported
        axes = range(a.ndim)
    places = [operator.index(axis) for axis in axes]
    if not all(-a.ndim <= axis < a.ndim for axis in places):
        raise Unsupported
    sizes = [a.shape[axis] for axis in places] if s is None else list(s)
    if len(sizes) != len(places) or not places or None in sizes:
        raise Unsupported
    if s is None and halved:
        sizes[-1] = (sizes[-1] - 1) * 2
    return [a.shape[axis] if n == -1 else operator.index(n) for n, axis in zip(sizes, places, strict=True)], places


def _fits(a: Any, sizes: list[int], axes: list[int], out: Any) -> None:
    """Raise `Unsupported` unless what comes of each axis fits in `out`, to which NumPy writes it all."""
    shape = list(a.shape)
    for n, axis in zip(reversed(sizes), reversed(axes), strict=True):
        shape[axis] = n
        if out is not None and (type(out) is not ndarray or out.shape != tuple(shape)):
            raise Unsupported


def _complex_axes(a: Any, sizes: list[int], axes: list[int], backward: bool, norm: Any, out: Any) -> Any:
    norm = _forward(norm, backward)
    for k in range(len(axes) - 1, -1, -1):
        a = _line(a, sizes[k], axes[k], _complex, backward, norm, out if k == 0 else None)
    return a


@_fft
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform along several axes; see `numpy.fft.fftn`."""
    array = array_of(a)
    sizes, places = _several(array, s, axes)
    _fits(array, sizes, places, out)
    return _complex_axes(array, sizes, places, False, norm, out)


@_fft
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform back along several axes; see `numpy.fft.ifftn`."""
    array = array_of(a)
    sizes, places = _several(array, s, axes)
    _fits(array, sizes, places, out)
    return _complex_axes(array, sizes, places, True, norm, out)


@_fft
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform real numbers along several axes; see `numpy.fft.rfftn`."""
    array = array_of(a)
    sizes, places = _several(array, s, axes)
    _fits(array, [*sizes[:-1], sizes[-1] // 2 + 1], places, out)
    last = out if len(places) == 1 else None
    half = _line(array, sizes[-1], places[-1], _half, False, norm, last)
    return half if len(places) == 1 else _complex_axes(half, sizes[:-1], places[:-1], False, norm, out)


@_fft
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform back to real numbers along several axes; see `numpy.fft.irfftn`."""
    array = array_of(a)
    sizes, places = _several(array, s, axes, True)
    scaled = _forward(norm, True)
    for n, axis in zip(sizes[:-1], places[:-1], strict=True):
        array = _line(array, n, axis, _complex, True, scaled)
    return _line(array, sizes[-1], places[-1], _real, True, scaled, out)


@_fft
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform along two axes; see `numpy.fft.fft2`."""
    return plain(fftn)(a, s, axes, norm, out)


@_fft
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform back along two axes; see `numpy.fft.ifft2`."""
    return plain(ifftn)(a, s, axes, norm, out)


@_fft
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform real numbers along two axes; see `numpy.fft.rfft2`."""
    return plain(rfftn)(a, s, axes, norm, out)


@_fft
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform back to real numbers along two axes; see `numpy.fft.irfft2`, which takes no notice of `out` either."""
    return plain(irfftn)(a, s, axes, norm, None)
