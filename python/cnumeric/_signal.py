"""Windows, polynomials, convolutions and special functions, composed of ufuncs."""

from __future__ import annotations

import functools
import importlib
import math
from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, arrays_of, asarray, by_numpy, composed, functions, ndarray, normalize_axis, plain
from ._creation import empty, linspace, ones, zeros
from ._fallback import Unsupported, call
from ._manipulation import concatenate, where
from ._products import convolve, left_to_numpy, summed

arange = _cnumeric.arange

# ---- Windows ---------------------------------------------------------------------------------------------


def _window(M: Any) -> Any:
    """The points of a window of M from 1 - M to M - 1; what a window of none or one is if there are none."""
    if numpy.result_type(M, 0.0).char != "d":
        raise Unsupported
    length = float(M)
    if length < 1:
        return zeros(0), length
    if length == 1:
        return ones(1), length
    return arange(1 - length, length, 2), length


@composed
def hanning(M: Any) -> Any:
    n, length = _window(M)
    return n if length <= 1 else 0.5 + 0.5 * _cnumeric.cos(math.pi * n / (length - 1))


@composed
def hamming(M: Any) -> Any:
    n, length = _window(M)
    return n if length <= 1 else 0.54 + 0.46 * _cnumeric.cos(math.pi * n / (length - 1))


@composed
def blackman(M: Any) -> Any:
    n, length = _window(M)
    if length <= 1:
        return n
    near, far = math.pi * n / (length - 1), 2.0 * math.pi * n / (length - 1)
    return 0.42 + 0.5 * _cnumeric.cos(near) + 0.08 * _cnumeric.cos(far)


@composed
def bartlett(M: Any) -> Any:
    n, length = _window(M)
    return n if length <= 1 else where(n <= 0, 1 + n / (length - 1), 1 - n / (length - 1))


@composed
def kaiser(M: Any, beta: Any) -> Any:
    if numpy.result_type(M, beta, 0.0).char != "d":
        raise Unsupported
    length, shape = float(M), float(beta)
    if length == 1:
        return ones(1)
    alpha = (length - 1) / 2.0
    away = (arange(0, length) - alpha) / alpha
    return _bessel(shape * _cnumeric.sqrt(1 - away**2.0)) / numpy.i0(shape)


# ---- Special functions -----------------------------------------------------------------------------------


@functools.cache
def _coefficients() -> tuple[Any, Any]:
    """NumPy's Chebyshev coefficients for |x| <= 8 and above."""
    own: Any = importlib.import_module("numpy.lib._function_base_impl")
    try:
        return own._i0A, own._i0B
    except AttributeError:
        raise Unsupported from None


def _chebyshev(x: Any, values: Any) -> Any:
    first, second, third = values[0], 0.0, 0.0
    for value in values[1:]:
        third, second = second, first
        first = x * second - third + value
    return 0.5 * (first - third)


def _bessel(x: Any) -> Any:
    near, far = _coefficients()
    size = abs(x)
    small, large = _cnumeric.minimum(size, 8.0), _cnumeric.maximum(size, 8.0)
    inner = _cnumeric.exp(small) * _chebyshev(small / 2.0 - 2, near)
    outer = _cnumeric.exp(large) * _chebyshev(32.0 / large - 2.0, far) / _cnumeric.sqrt(large)
    return where(size <= 8.0, inner, outer)


@composed
def i0(x: Any) -> Any:
    array = array_of(x)
    if array.dtype.kind == "c":
        raise TypeError("i0 not supported for complex values")
    return asarray(_bessel(array if array.dtype.kind == "f" else array.astype(float)))


@composed
def unwrap(p: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * math.pi) -> Any:
    array = array_of(p)
    axis = normalize_axis(axis, array.ndim)
    steps = functions["numpy.diff"](array, axis=axis)
    dtype = numpy.result_type(steps.dtype, period)
    if type(period) not in (int, float) or dtype.kind not in "fi":
        raise Unsupported
    discont = period / 2 if discont is None else discont
    high, ambiguous = period / 2, True
    if dtype.kind in "iu":
        high, rest = divmod(period, 2)
        ambiguous = rest == 0
    wrapped = (steps + high) % period - high
    if ambiguous:
        wrapped = where((wrapped == -high) & (steps > 0), wrapped.dtype.type(high), wrapped)
    correction = wrapped - steps
    correction = where(abs(steps) < discont, correction.dtype.type(0), correction)
    result = array.astype(dtype)
    later = (*(slice(None),) * axis, slice(1, None))
    result[later] = array[later] + correction.cumsum(axis)
    return result


@composed
def real_if_close(a: Any, tol: Any = 100) -> Any:
    array = array_of(a)
    if array.dtype.kind != "c":
        return array
    if tol > 1:
        tol = numpy.finfo(array.dtype).eps * tol
    return array.real if bool((abs(array.imag) < tol).all()) else array


@composed
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    array = array_of(x)
    single = numpy.ndim(condlist) == 0 or (not isinstance(condlist[0], list | ndarray | numpy.ndarray) and array.ndim)
    conditions = [
        condition.astype(bool, copy=False) for condition in arrays_of([condlist] if single else list(condlist))
    ]
    if any(condition.shape != array.shape for condition in conditions):
        raise Unsupported
    if len(funclist) == len(conditions) + 1:
        either = functools.reduce(_cnumeric.logical_or, conditions)
        conditions.append(_cnumeric.logical_not(either))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"with {len(conditions)} condition(s), either {len(conditions)} or more functions are expected"
        )
    result = functions["numpy.zeros_like"](array)
    for condition, value in zip(conditions, funclist, strict=True):
        if callable(value):
            chosen = array[condition]
            if chosen.size:
                result[condition] = value(chosen, *args, **kw)
        else:
            result[condition] = value
    return result


# ---- Ranges ----------------------------------------------------------------------------------------------


@composed
def geomspace(start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: Any = 0) -> Any:
    ends = [numpy.asarray(one) if numpy.ndim(one) == 0 else array_of(one) for one in (start, stop)]
    if any(bool((end == 0).any()) for end in ends):
        raise ValueError("Geometric sequence cannot include zero")
    if num < 0:
        raise Unsupported
    kind = numpy.result_type(ends[0].dtype, ends[1].dtype, float(num), numpy.zeros((), dtype))
    first, last = (end.astype(kind) if end.ndim else end.astype(kind)[()] for end in ends)
    sign = _cnumeric.sign(first)
    first, last = first / sign, last / sign
    exponents = linspace(_cnumeric.log10(first), _cnumeric.log10(last), num, endpoint=endpoint)
    result = _cnumeric.power(10.0, exponents).astype(kind, copy=False)
    if num > 0:
        result[0] = first
        if num > 1 and endpoint:
            result[-1] = last
    result = (result * sign).astype(kind if dtype is None else dtype, copy=False)
    return functions["numpy.moveaxis"](result, 0, axis) if axis != 0 else result


@composed
def vander(x: Any, N: Any = None, increasing: Any = False) -> Any:
    array = array_of(x)
    if array.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    columns = array.shape[0] if N is None else int(N)
    result = empty((array.shape[0], columns), numpy.promote_types(array.dtype, int))
    if columns > 1000:
        raise Unsupported
    power: Any = ones(array.shape, result.dtype)
    for column in range(columns):
        result[:, column if increasing else columns - 1 - column] = power
        power = power * array
    return result


_fft = functools.partial(composed, module="numpy.fft")


@_fft
def fftfreq(n: Any, d: Any = 1.0, device: Any = None) -> Any:
    """Give the frequencies of the bins of a discrete Fourier transform: cycles per unit of the spacing `d`."""
    if not isinstance(n, int | numpy.integer) or device not in (None, "cpu") or numpy.ndim(d):
        raise Unsupported
    if n <= 0:
        raise ZeroDivisionError("float division by zero")
    half = (n - 1) // 2 + 1
    result = empty(n, int)
    result[:half] = arange(half)
    result[half:] = arange(-(n // 2), 0)
    return result * (1.0 / (n * d))


@_fft
def rfftfreq(n: Any, d: Any = 1.0, device: Any = None) -> Any:
    """Give the frequencies of the bins of a discrete Fourier transform of real input."""
    if not isinstance(n, int | numpy.integer) or device not in (None, "cpu") or numpy.ndim(d):
        raise Unsupported
    return arange(0, n // 2 + 1, dtype=int) * (1.0 / (n * d))


# ---- Convolution -----------------------------------------------------------------------------------------


@composed
@by_numpy(pending=True, times=summed)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """Correlate with up to 512 elements, as `convolve`; NumPy does longer ones, and a few."""
    x, y = (one if one.ndim else one.reshape(1) for one in (array_of(a), array_of(v)))
    if left_to_numpy(x, y):
        return call(numpy.correlate, "", (x, y, mode), {})
    if x.ndim != 1 or y.ndim != 1 or not isinstance(mode, str):
        raise Unsupported
    y = _cnumeric.conjugate(y) if y.dtype.kind == "c" else y
    if x.shape[0] >= y.shape[0]:
        return plain(convolve)(x, y[::-1], mode)
    return plain(convolve)(y, x[::-1], mode)[::-1].copy()


# ---- Polynomials -----------------------------------------------------------------------------------------


def _polynomial(p: Any) -> Any:
    if isinstance(p, numpy.poly1d):
        raise Unsupported
    array = array_of(p)
    return array if array.ndim else array.reshape(1)


def _aligned(a1: Any, a2: Any) -> tuple[Any, Any]:
    one, two = _polynomial(a1), _polynomial(a2)
    missing = two.shape[0] - one.shape[0]
    if missing > 0:
        one = concatenate([zeros(missing, one.dtype), one])
    elif missing < 0:
        two = concatenate([zeros(-missing, two.dtype), two])
    return one, two


@composed
def polyadd(a1: Any, a2: Any) -> Any:
    one, two = _aligned(a1, a2)
    return one + two


@composed
def polysub(a1: Any, a2: Any) -> Any:
    one, two = _aligned(a1, a2)
    return one - two


def _trimmed(p: Any) -> Any:
    """Without leading zeros, as poly1d has its coefficients."""
    (places,) = p.nonzero()
    return p[int(places[0]) :] if places.size else zeros(1, p.dtype)


@composed
def polymul(a1: Any, a2: Any) -> Any:
    one, two = _polynomial(a1), _polynomial(a2)
    if one.ndim != 1 or two.ndim != 1:
        raise ValueError("Polynomial must be 1d only.")
    return plain(convolve)(_trimmed(one), _trimmed(two))


@composed
def polyder(p: Any, m: Any = 1) -> Any:
    times = int(m)
    if times < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    if isinstance(p, numpy.poly1d):
        raise Unsupported
    result = array_of(p)
    for _ in range(times):
        result = result[:-1] * arange(result.shape[0] - 1, 0, -1)
    if result.ndim > 1:
        numpy.broadcast_shapes(result[:-1].shape, (max(result.shape[0] - 1, 0),))  # NumPy takes one more for granted
    return result


@composed
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    times = int(m)
    if times < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    if isinstance(p, numpy.poly1d):
        raise Unsupported
    constants = numpy.atleast_1d(numpy.zeros(times) if k is None else numpy.asarray(k))
    if len(constants) == 1 and times > 1:
        constants = constants[0] * numpy.ones(times)
    if len(constants) < times:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    result = array_of(p)
    for place in range(times):
        ended = asarray(constants[place : place + 1])
        result = concatenate([result / arange(result.shape[0], 0, -1), ended])
    return result


@composed
def poly(seq_of_zeros: Any) -> Any:
    roots = array_of(seq_of_zeros)
    if roots.ndim != 1 or roots.shape[0] == 0 or roots.dtype.kind not in "iuf" or roots.dtype == numpy.float16:
        raise Unsupported
    roots = roots.astype(numpy.mintypecode(roots.dtype.char), copy=False)
    result = ones(1, roots.dtype)
    for place in range(roots.shape[0]):
        factor = ones(2, roots.dtype)
        factor[1:] = -roots[place : place + 1]
        result = plain(convolve)(result, factor, "full")
    return result
