"""numpy.random with arrays of ours: NumPy's numbers from the same seed, drawn by the core.

NumPy's generators own the state. A native method takes it from the bit generator, lets the core draw, and puts back
where the stream stands then, so that whatever NumPy draws next continues there. The core knows `PCG64` as `Generator`
uses it and `MT19937` as `RandomState` does; other bit generators, other distributions and draws of a few numbers are
NumPy's. Below 'least' numbers taking the state out and putting it back costs more than drawing them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy
import numpy.random

from . import _cnumeric, _fallback
from ._composed import array_of
from ._fallback import Unsupported

_Native = Callable[..., Any]
_NumpyGenerator: Any = numpy.random.Generator
_NumpyState: Any = numpy.random.RandomState
_mask = (1 << 64) - 1
_least = {numpy.random.PCG64: 1000, numpy.random.MT19937: 1 << 15}
_integers = frozenset(numpy.dtype(character) for character in "bBhHiIlLqQ")
_float64, _float32, _int64 = (numpy.dtype(character) for character in "dfq")


class _Quiet(Unsupported):
    """NumPy draws, and that is no detour: few numbers, or a stream that only NumPy has."""


# What the core or these functions refuse before anything is drawn: NumPy draws, or says what is wrong.
_refusals = (Unsupported, TypeError, ValueError, OverflowError)


# ---- Streams ---------------------------------------------------------------------------------------------


def _bits(owner: Any) -> Any:
    return owner.bit_generator if isinstance(owner, _NumpyGenerator) else owner._bit_generator


def _check(owner: Any, count: int) -> None:
    """Raise `_Quiet` unless the core draws this many numbers for this generator."""
    kind = type(_bits(owner))
    native = numpy.random.PCG64 if isinstance(owner, _NumpyGenerator) else numpy.random.MT19937
    if kind is not native or count < _least[kind]:
        raise _Quiet


def _draw(owner: Any, what: str, shape: tuple[int, ...], *parameters: Any) -> Any:
    """Give an array of ours from the generator's stream, which goes on behind it."""
    _check(owner, math.prod(shape))
    bits = _bits(owner)
    with bits.lock:
        if isinstance(owner, _NumpyGenerator):
            state = bits.state
            now, step = state["state"]["state"], state["state"]["inc"]
            before = (now >> 64, now & _mask, step >> 64, step & _mask, state["has_uint32"], state["uinteger"])
            array, after = _cnumeric.random(what, before, shape, *parameters)
            state["state"]["state"] = after[0] << 64 | after[1]
            state["has_uint32"], state["uinteger"] = after[4], after[5]
            bits.state = state
        else:
            state = _NumpyState.get_state(owner, legacy=False)
            words = state["state"]
            array, after = _cnumeric.random(
                what, (words["key"], words["pos"], state["has_gauss"], state["gauss"]), shape, *parameters
            )
            words["key"], words["pos"], state["has_gauss"], state["gauss"] = after
            _NumpyState.set_state(owner, state)
    return array


# ---- Arguments -------------------------------------------------------------------------------------------


def _shape(size: Any) -> tuple[int, ...]:
    if size is None:
        raise _Quiet
    try:
        shape = tuple(map(operator.index, size)) if isinstance(size, tuple | list) else (operator.index(size),)
    except TypeError:
        raise Unsupported from None
    if any(extent < 0 for extent in shape) or len(shape) > 64:
        raise Unsupported
    return shape


def _number(value: Any) -> float:
    if isinstance(value, bool | int | float | numpy.integer | numpy.floating) and type(value) is not numpy.longdouble:
        return float(value)
    raise Unsupported


def _integer(value: Any) -> int:
    if isinstance(value, int | numpy.integer):
        return int(value)
    raise Unsupported


def _dtype(dtype: Any, default: numpy.dtype[Any]) -> numpy.dtype[Any]:
    try:
        return default if dtype is default.type else numpy.dtype(dtype)
    except TypeError:
        raise Unsupported from None


def _scaled(values: Any, scale: float, shift: float | None = None) -> Any:
    """Give values * scale + shift, in place and without a word about overflow, as NumPy's distributions."""
    with numpy.errstate(all="ignore"):
        if scale != 1:
            values *= scale
        if shift is not None:
            values += shift
    return values


def _scale(value: Any) -> float:
    scale = _number(value)
    if not scale > 0:
        raise Unsupported
    return scale


# ---- Distributions ---------------------------------------------------------------------------------------


def _uniform(self: Any, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    shape, first = _shape(size), _number(low)
    extent = _number(high) - first
    if not 0 <= extent < math.inf:
        raise Unsupported
    return _draw(self, "uniform", shape, first, extent)


def _random(self: Any, size: Any = None, dtype: Any = numpy.float64, out: Any = None) -> Any:
    shape, kind = _shape(size), _dtype(dtype, _float64)
    if out is not None or kind not in (_float64, _float32):
        raise Unsupported
    return _draw(self, "uniform", shape, 0.0, 1.0) if kind == _float64 else _draw(self, "single", shape)


def _standard_normal(self: Any, size: Any = None, dtype: Any = numpy.float64, out: Any = None) -> Any:
    shape = _shape(size)
    if out is not None or _dtype(dtype, _float64) != _float64:
        raise Unsupported
    return _draw(self, "normal", shape)


def _normal(self: Any, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    shape, shift, factor = _shape(size), _number(loc), _scale(scale)
    return _scaled(_draw(self, "normal", shape), factor, shift)


def _standard_exponential(
    self: Any, size: Any = None, dtype: Any = numpy.float64, method: Any = "zig", out: Any = None
) -> Any:
    shape = _shape(size)
    if out is not None or method != "zig" or _dtype(dtype, _float64) != _float64:
        raise Unsupported
    return _draw(self, "exponential", shape)


def _exponential(self: Any, scale: Any = 1.0, size: Any = None) -> Any:
    shape, factor = _shape(size), _scale(scale)
    return _scaled(_draw(self, "exponential", shape), factor)


def _integers_of(
    self: Any, low: Any, high: Any = None, size: Any = None, dtype: Any = numpy.int64, endpoint: Any = False
) -> Any:
    shape, kind = _shape(size), _dtype(dtype, _int64)
    first, last = (0, _integer(low)) if high is None else (_integer(low), _integer(high))
    last -= not endpoint
    if kind not in _integers or type(endpoint) is not bool:
        raise Unsupported
    limits = numpy.iinfo(kind)
    if not limits.min <= first <= last <= limits.max:
        raise Unsupported
    return _draw(self, "integers", shape, kind, first & _mask, last - first)


# ---- Permutations and choice -----------------------------------------------------------------------------


def _order(self: Any, count: int) -> Any:
    """Give the numbers below count, shuffled."""
    if count >= 1 << 32:
        raise Unsupported
    return _draw(self, "permutation", (count,))


def _permutation(self: Any, x: Any, axis: int = 0) -> Any:
    if isinstance(x, int | numpy.integer):
        return _order(self, int(x))
    if not hasattr(x, "__len__") or type(axis) is not int or axis != 0:
        raise Unsupported
    _check(self, len(x))
    array = array_of(x)
    if array.ndim == 0:
        raise Unsupported
    return array[_order(self, len(array))]


def _shuffle(self: Any, x: Any, axis: int = 0) -> Any:
    if type(x) is not _cnumeric.ndarray or x.ndim == 0 or type(axis) is not int or axis != 0:
        raise Unsupported
    _check(self, len(x))
    if not x.flags.writeable:
        raise Unsupported
    x[...] = x[_order(self, len(x))]


def _probabilities(p: Any, count: int) -> Any:
    """Give the distribution function of the probabilities; what NumPy would refuse or warn of is left to NumPy."""
    values = numpy.asarray(p)
    if values.dtype.kind not in "fiu" or values.shape != (count,):
        raise Unsupported
    values = values.astype(float)
    if not (values >= 0).all() or not abs(math.fsum(values) - 1) < 1e-9:
        raise Unsupported
    sums = values.cumsum()
    sums /= sums[-1]
    return sums


def _chosen(self: Any, count: int, shape: tuple[int, ...], p: Any) -> Any:
    if p is None:
        return _draw(self, "integers", shape, _int64, 0, count - 1)
    sums = _cnumeric.array(_probabilities(p, count))
    return _cnumeric.searchsorted(sums, _draw(self, "uniform", shape, 0.0, 1.0), True)


def _choice(
    self: Any, a: Any, size: Any = None, replace: Any = True, p: Any = None, axis: int = 0, shuffle: Any = True
) -> Any:
    shape = _shape(size)
    _check(self, math.prod(shape))
    whole = isinstance(a, int | numpy.integer)
    array = None if whole else array_of(a)
    if type(replace) is not bool or type(axis) is not int or axis != 0 or (array is not None and array.ndim == 0):
        raise Unsupported
    count = int(a) if array is None else len(array)
    if count < 1:
        raise Unsupported
    if replace:
        places = _chosen(self, count, shape, p)
    else:
        base: Any = _NumpyGenerator if isinstance(self, _NumpyGenerator) else _NumpyState
        more = {} if base is _NumpyState else {"shuffle": shuffle}
        places = _cnumeric.array(base.choice(self, count, size, False, p, **more))
    return places if array is None else array[places]


_generator_methods: dict[str, _Native] = {
    "random": _random,
    "uniform": _uniform,
    "standard_normal": _standard_normal,
    "normal": _normal,
    "standard_exponential": _standard_exponential,
    "exponential": _exponential,
    "integers": _integers_of,
    "permutation": _permutation,
    "shuffle": _shuffle,
    "choice": _choice,
}


# ---- The same of RandomState -----------------------------------------------------------------------------


def _random_sample(self: Any, size: Any = None) -> Any:
    return _draw(self, "uniform", _shape(size), 0.0, 1.0)


def _rand(self: Any, *shape: Any) -> Any:
    return _random_sample(self, shape or None)


def _plain_normal(self: Any, size: Any = None) -> Any:
    return _draw(self, "normal", _shape(size))


def _randn(self: Any, *shape: Any) -> Any:
    return _plain_normal(self, shape or None)


def _plain_exponential(self: Any, size: Any = None) -> Any:
    return _draw(self, "exponential", _shape(size))


def _randint(self: Any, low: Any, high: Any = None, size: Any = None, dtype: Any = numpy.int64) -> Any:
    return _integers_of(self, low, high, size, numpy.int64 if dtype is int else dtype)


def _state_permutation(self: Any, x: Any) -> Any:
    return _permutation(self, x)


def _state_shuffle(self: Any, x: Any) -> Any:
    return _shuffle(self, x)


def _state_choice(self: Any, a: Any, size: Any = None, replace: Any = True, p: Any = None) -> Any:
    return _choice(self, a, size, replace, p)


_state_methods: dict[str, _Native] = {
    "random": _random_sample,
    "random_sample": _random_sample,
    "rand": _rand,
    "uniform": _uniform,
    "standard_normal": _plain_normal,
    "normal": _normal,
    "randn": _randn,
    "standard_exponential": _plain_exponential,
    "exponential": _exponential,
    "randint": _randint,
    "permutation": _state_permutation,
    "shuffle": _state_shuffle,
    "choice": _state_choice,
}


# ---- Classes ---------------------------------------------------------------------------------------------


def _few(args: tuple[Any, ...], kwargs: dict[str, Any], least: int) -> bool:
    """Whether numbers alone are given, by which fewer are drawn than the least that the core draws."""
    count = 1
    for value in (*args, *kwargs.values()) if kwargs else args:
        for number in value if type(value) is tuple else (value,):
            kind = type(number)
            if kind is int:
                count *= abs(number) or 1
            elif kind is not float and number is not None:
                return False
    return count < least


def _own(drawn: Any) -> Any:
    return _cnumeric.array(drawn) if type(drawn) is numpy.ndarray else drawn


def _by_numpy(function: _Native, label: str, owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let NumPy draw; few numbers, and streams that the core does not have, are no fallback."""
    if type(_bits(owner)) not in _least:
        label = ""
    size = kwargs.get("size")
    if isinstance(size, int) and size < 1000:
        label = ""
    return _fallback.call(function, label, args, kwargs, 3)


def _method(base: type, name: str, native: _Native | None) -> _Native:
    function = getattr(base, name)
    label = f"numpy.random.{base.__name__}.{name}"

    least = _least[numpy.random.MT19937 if base is _NumpyState else numpy.random.PCG64]

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if native is not None and _few(args, kwargs, least):
            return _own(function(self, *args, **kwargs))
        text = label
        if native is not None:
            try:
                return native(self, *args, **kwargs)
            except _Quiet:
                text = ""
            except _refusals:
                pass
        return _by_numpy(function, text, self, (self, *args), kwargs)

    method.__name__ = name
    method.__qualname__ = f"{base.__name__}.{name}"
    method.__doc__ = function.__doc__
    return method


def _derive(base: type, namespace: dict[str, Any], natives: dict[str, _Native]) -> type:
    """A subclass of NumPy's generator whose methods give cNumeric arrays."""
    for name in dir(base):
        if not name.startswith("_") and name not in ("bit_generator", "spawn") and callable(getattr(base, name)):
            namespace[name] = _method(base, name, natives.get(name))
    namespace["__module__"] = "cnumeric.random"
    namespace["__doc__"] = base.__doc__
    namespace["__cnumeric__"] = "native"
    return type(base.__name__, (base,), namespace)


def _reduce(self: Any) -> Any:
    return type(self), (self.bit_generator,)


def _reduce_state(self: Any) -> Any:
    return type(self), (self._bit_generator,), _NumpyState.get_state(self, legacy=False)


def _no_state(self: Any, state: Any = None) -> None:
    """A generator's state is its bit generator's."""


Generator: Any = _derive(_NumpyGenerator, {"__reduce__": _reduce, "__setstate__": _no_state}, _generator_methods)
RandomState: Any = _derive(_NumpyState, {"__reduce__": _reduce_state}, _state_methods)


def default_rng(seed: Any = None) -> Any:
    """Give a `Generator` with NumPy's default bit generator; the numbers are NumPy's for the same seed."""
    if isinstance(seed, Generator):
        return seed
    return Generator(numpy.random.default_rng(seed).bit_generator)


default_rng.__module__ = "cnumeric.random"
default_rng.__cnumeric__ = "native"  # type: ignore[attr-defined]


# ---- numpy.random's own functions: methods of its RandomState ----------------------------------------------


def _function(name: str) -> _Native:
    native, function = _state_methods[_aliases.get(name, name)], getattr(numpy.random, name)
    owner: Any = numpy.random.mtrand._rand
    label = f"numpy.random.{name}"

    least = _least[numpy.random.MT19937]

    def draw(*args: Any, **kwargs: Any) -> Any:
        if _few(args, kwargs, least):
            return _own(function(*args, **kwargs))
        text = label
        try:
            return native(owner, *args, **kwargs)
        except _Quiet:
            text = ""
        except _refusals:
            pass
        return _by_numpy(function, text, owner, args, kwargs)

    draw.__name__ = draw.__qualname__ = name
    draw.__module__ = "cnumeric.random"
    draw.__doc__ = function.__doc__
    draw.__cnumeric__ = "native"  # type: ignore[attr-defined]
    return draw


_aliases = {"ranf": "random_sample", "sample": "random_sample"}
_specials: dict[str, Any] = {"Generator": Generator, "RandomState": RandomState, "default_rng": default_rng}
_specials.update((name, _function(name)) for name in (*_state_methods, *_aliases))


def special(name: str) -> Any:
    """Give ours for a name below numpy.random that needs more than wrapping."""
    return _specials.get(name[len("numpy.random.") :].removeprefix("mtrand."))
