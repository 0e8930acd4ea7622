"""numpy.fft's transforms on a device, by cuFFT, of arrays of ours; what it has not raises `Unsupported`.

A transform over several axes is one of adjacent axes after another, in place where it can be. As in NumPy, arrays of
single precision alone become complex64.
"""

from __future__ import annotations

import math
from typing import Any

from . import _cnumeric
from ._composed import ndarray, on_device
from ._creation import empty, zeros
from ._fallback import Unsupported
from ._manipulation import moveaxis

_complex = dict.fromkeys("fF", "F") | dict.fromkeys("dD?bBhHiIlLqQ", "D")
_most_axes = 3  # of one call of the library
_most_runs = 64  # of it for axes that are not the last: beyond, they are moved there
_swapped = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _precision(array: Any) -> str:
    try:
        return _complex[array.dtype.char]
    except KeyError:
        raise Unsupported from None


def _axis(axis: Any, ndim: int) -> int:
    if isinstance(axis, bool) or not hasattr(axis, "__index__") or not -ndim <= axis < ndim:
        raise Unsupported
    return int(axis) % ndim


def _resized(array: Any, axis: int, n: int) -> Any:
    """Cut, or filled with zeros, to n elements along the axis."""
    have = array.shape[axis]
    before = (slice(None),) * axis
    if have >= n:
        return array[(*before, slice(n))] if have > n else array
    made = zeros((*array.shape[:axis], n, *array.shape[axis + 1 :]), array.dtype)
    made[(*before, slice(have))] = array
    return made


def _runs(axes: list[int]) -> list[tuple[int, int]]:
    """Adjacent axes together, at most three: (first, how many)."""
    found: list[tuple[int, int]] = []
    for axis in sorted(axes):
        if found and sum(found[-1]) == axis and found[-1][1] < _most_axes:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((axis, 1))
    return found


def _call(source: Any, out: Any, first: int, count: int, inverse: bool) -> None:
    _cnumeric.fourier(source, out, first, count, inverse)


def _far(shape: Any, first: int, count: int) -> bool:
    """Would the axes take many calls where they lie?"""
    return first + count < len(shape) and math.prod(shape[:first]) > _most_runs


def _along(array: Any, first: int, count: int, inverse: bool, sole: bool) -> Any:
    """Complex to complex over some adjacent axes; sole: in place. The array is in C order."""
    if _far(array.shape, first, count):
        axes, ends = tuple(range(first, first + count)), tuple(range(-count, 0))
        moved = _cnumeric.array(moveaxis(array, axes, ends), order="C", copy=True)
        _call(moved, moved, array.ndim - count, count, inverse)
        return _cnumeric.asarray(moveaxis(moved, ends, axes), order="C")
    out = array if sole else empty(array.shape, array.dtype)
    _call(array, out, first, count, inverse)
    return out


def _to_half(array: Any, kind: str, first: int, count: int) -> Any:
    """Real to complex; the last of the axes is halved."""
    last = first + count - 1
    if _far(array.shape, first, count):
        moved = _cnumeric.asarray(moveaxis(array, last, -1), order="C")
        return _cnumeric.asarray(moveaxis(_to_half(moved, kind, moved.ndim - 1, 1), -1, last), order="C")
    out = empty((*array.shape[:last], array.shape[last] // 2 + 1, *array.shape[last + 1 :]), kind)
    _call(array, out, first, count, False)
    return out


def _from_half(array: Any, axis: int, n: int) -> Any:
    """Complex to real along one axis; the array is lost."""
    if _far(array.shape, axis, 1):
        moved = _cnumeric.array(moveaxis(array, axis, -1), order="C", copy=True)
        return _cnumeric.asarray(moveaxis(_from_half(moved, moved.ndim - 1, n), -1, axis), order="C")
    for k in {0, n // 2} if n % 2 == 0 else {0}:  # NumPy does not look at what would be 0
        array.imag[(slice(None),) * axis + (slice(k, k + 1),)] = 0
    out = empty((*array.shape[:axis], n, *array.shape[axis + 1 :]), array.dtype.char.lower())
    _call(array, out, axis, 1, True)
    return out


def _scale(sizes: list[int], forward: bool, norm: Any) -> float:
    if norm not in _swapped:
        raise Unsupported
    if not forward:
        norm = _swapped[norm]
    if norm in (None, "backward"):
        return 1.0
    return 1 / (math.prod(sizes) if norm == "forward" else math.sqrt(math.prod(sizes)))


def _finish(made: Any, scale: float, out: Any) -> Any:
    if scale != 1:
        _cnumeric.multiply(made, scale, out=made)
    if out is None:
        return made
    if type(out) is not ndarray or out.shape != made.shape or out.dtype != made.dtype:
        raise Unsupported
    _cnumeric.copyto(out, made)
    return out


def _check(a: Any, sizes: list[int], out: Any) -> None:
    on_device(a)
    if a.size == 0 or min(sizes, default=0) < 1 or (out is not None and type(out) is not ndarray):
        raise Unsupported


def _to_complex(a: Any, sizes: list[int], axes: list[int], forward: bool, norm: Any, out: Any) -> Any:
    _check(a, sizes, out)
    kind, scale = _precision(a), _scale(sizes, forward, norm)
    array = a
    for axis, n in zip(axes, sizes, strict=True):
        array = _resized(array, axis, n)
    sole = array is not a or array.dtype.char != kind
    array = _cnumeric.asarray(array, dtype=kind, order="C")
    sole = sole and array.base is None
    for first, count in _runs(axes):
        array = _along(array, first, count, not forward, sole)
        sole = True
    return _finish(array, scale, out)


def _real_to_complex(a: Any, sizes: list[int], axes: list[int], norm: Any, out: Any) -> Any:
    _check(a, sizes, out)
    kind, scale = _precision(a), _scale(sizes, True, norm)
    if a.dtype.kind == "c":
        raise Unsupported
    array = a
    for axis, n in zip(axes, sizes, strict=True):
        array = _resized(array, axis, n)
    array = _cnumeric.asarray(array, dtype=kind.lower(), order="C")
    last, rest = axes[-1], axes[:-1]
    together = [(first, count) for first, count in _runs(axes) if first + count - 1 == last]
    if together and not _far(array.shape, *together[0]):
        first, count = together[0]
        rest = [axis for axis in rest if not first <= axis < last]
    else:
        first, count = last, 1
    array = _to_half(array, kind, first, count)
    for first, count in _runs(rest):
        array = _along(array, first, count, False, True)
    return _finish(array, scale, out)


def _complex_to_real(a: Any, sizes: list[int], axes: list[int], norm: Any, out: Any, conjugate: bool = False) -> Any:
    _check(a, sizes, out)
    kind, scale = _precision(a), _scale(sizes, False, norm)
    array = a
    for axis, n in zip(axes, [*sizes[:-1], sizes[-1] // 2 + 1], strict=True):
        array = _resized(array, axis, n)
    array = _cnumeric.array(array.conj() if conjugate else array, dtype=kind, order="C", copy=True)
    for first, count in _runs(axes[:-1]):
        array = _along(array, first, count, True, True)
    return _finish(_from_half(array, axes[-1], sizes[-1]), scale, out)


# ---- Along one axis ----------------------------------------------------------------------------------------


def _one(a: Any, n: Any, axis: Any, halved: bool = False) -> tuple[list[int], list[int]]:
    """The size and the axis, as lists of one."""
    on_device(a)
    place = _axis(axis, a.ndim)
    if n is None:
        n = (a.shape[place] - 1) * 2 if halved else a.shape[place]
    if not hasattr(n, "__index__"):
        raise Unsupported
    return [int(n)], [place]


def fft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform along one axis; see `numpy.fft.fft`."""
    return _to_complex(a, *_one(a, n, axis), True, norm, out)


def ifft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform back along one axis; see `numpy.fft.ifft`."""
    return _to_complex(a, *_one(a, n, axis), False, norm, out)


def rfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform real numbers along one axis; see `numpy.fft.rfft`."""
    return _real_to_complex(a, *_one(a, n, axis), norm, out)


def irfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform back to real numbers along one axis; see `numpy.fft.irfft`."""
    return _complex_to_real(a, *_one(a, n, axis, True), norm, out)


def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform what has a real spectrum; see `numpy.fft.hfft`, which takes no notice of `out` either."""
    if norm not in _swapped:
        raise Unsupported
    return _complex_to_real(a, *_one(a, n, axis, True), _swapped[norm], None, conjugate=True)


def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    """Undo `hfft`; see `numpy.fft.ihfft`."""
    if norm not in _swapped:
        raise Unsupported
    made = _real_to_complex(a, *_one(a, n, axis), _swapped[norm], out)
    return _cnumeric.conjugate(made, out=made)


# ---- Along several axes ------------------------------------------------------------------------------------


def _several(a: Any, s: Any, axes: Any, halved: bool = False) -> tuple[list[int], list[int]]:
    on_device(a)
    if axes is None:
        if s is not None:
            raise Unsupported
        axes = range(a.ndim)
    places = [_axis(axis, a.ndim) for axis in axes]
    sizes = [a.shape[place] for place in places] if s is None else list(s)
    if len(places) != len(sizes) or len(set(places)) != len(places) or not places:
        raise Unsupported
    if s is None and halved:
        sizes[-1] = (sizes[-1] - 1) * 2
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in sizes):
        raise Unsupported
    return [a.shape[place] if n == -1 else int(n) for n, place in zip(sizes, places, strict=True)], places


def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform along several axes; see `numpy.fft.fftn`."""
    return _to_complex(a, *_several(a, s, axes), True, norm, out)


def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform back along several axes; see `numpy.fft.ifftn`."""
    return _to_complex(a, *_several(a, s, axes), False, norm, out)


def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform real numbers along several axes; see `numpy.fft.rfftn`."""
    return _real_to_complex(a, *_several(a, s, axes), norm, out)


def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Any:
    """Transform back to real numbers along several axes; see `numpy.fft.irfftn`."""
    return _complex_to_real(a, *_several(a, s, axes, True), norm, out)


def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform along two axes; see `numpy.fft.fft2`."""
    return fftn(a, s, axes, norm, out)


def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform back along two axes; see `numpy.fft.ifft2`."""
    return ifftn(a, s, axes, norm, out)


def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform real numbers along two axes; see `numpy.fft.rfft2`."""
    return rfftn(a, s, axes, norm, out)


def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Any:
    """Transform back to real numbers along two axes; see `numpy.fft.irfft2`, which takes no notice of `out` either."""
    return irfftn(a, s, axes, norm, None)
