"""Calls that NumPy computes, and the ways in from NumPy's own dispatch.

A fallback turns every cNumeric array among the arguments into a NumPy array on the same memory, lets NumPy
run, and turns the arrays that come back into cNumeric arrays. What NumPy writes into an argument is in the
argument, because the memory is one. An array that went in and comes out (``out=``) is the same object again.

Nothing here decides what is native: that is `_names`.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy

from . import _cnumeric

_ndarray = _cnumeric.ndarray
_Pairs = dict[int, tuple[Any, Any]]


class FallbackWarning(RuntimeWarning):
    """A function without a native implementation was computed by NumPy, on one core."""


class Unsupported(Exception):
    """Raised by a composed function, before it has any effect, for a case that NumPy must compute."""


_as_raised = (MemoryError, FloatingPointError, Warning)


def refused(
    error: Exception, reference: Callable[[], Callable[..., Any]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """See to what a composed function has raised, in the handler of its caller: return if NumPy must compute the call.

    Else raise what NumPy's function (``reference()``) raises for these arguments, or `error` if it raises nothing.
    """
    if isinstance(error, Unsupported):
        return
    if isinstance(error, _as_raised):
        raise error
    _errors: Any = importlib.import_module("cnumeric._errors")

    _errors.replay(reference(), args, kwargs)
    if error.__traceback__ is None or error.__traceback__.tb_next is not None:
        raise error  # else: the call itself failed, NumPy has parameters that ours has not


_package = os.path.dirname(__file__) + os.sep
calls: dict[tuple[str, str, int], int] = {}  # (function, file, line of the call) -> how often NumPy computed it
_native = frozenset(numpy.dtype(character) for character in "?bBhHiIlLqQefdFD")


def is_native(dtype: numpy.dtype[Any]) -> bool:
    """Whether arrays of this dtype are cNumeric arrays (others stay NumPy arrays)."""
    return dtype in _native


# ---- Subclasses of our ndarray -------------------------------------------------------------------------

subclasses: set[type] = set()  # those that there are; the extension adds to it


def _subclasses() -> Any:
    return importlib.import_module("cnumeric._subclasses")


def has_subclass(values: Any) -> bool:
    """Whether an array of a subclass is among the values, or in a list or tuple among them."""
    for value in values:
        kind = type(value)
        if kind in subclasses or ((kind is list or kind is tuple) and has_subclass(value)):
            return True
    return False


# ---- Arguments and results ---------------------------------------------------------------------------


_long, _numbers = 8, frozenset((int, float, complex, bool, str))  # of long lists, what is no array is seen at once


def to_numpy(value: Any, pairs: _Pairs) -> Any:
    """Give `value` with every cNumeric array in it, nested or not, as a NumPy array on the same memory.

    Parameters
    ----------
    value : object
        An argument; lists, tuples, dicts and slices are searched, and kept as they are if nothing is found.
    pairs : dict
        Filled with ``id(numpy array) -> (numpy array, original)`` for what was converted or found.
    """
    if isinstance(value, numpy.ndarray):
        pairs[id(value)] = (value, value)
        return value
    if isinstance(value, _ndarray):
        array = numpy.asarray(value) if type(value) is _ndarray else _subclasses().stand_in(value)
        pairs[id(array)] = (array, value)
        return array
    kind = type(value)
    if kind is list or kind is tuple:
        if len(value) > _long and set(map(type, value)) <= _numbers:
            return value
        items = [to_numpy(item, pairs) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return kind(items)
    if kind is dict:
        mapping = {key: to_numpy(item, pairs) for key, item in value.items()}
        return value if all(mapping[key] is item for key, item in value.items()) else mapping
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*(to_numpy(item, pairs) for item in value))
    if kind is _cnumeric.ufunc:
        return numpy_ufunc(value)
    return value


def from_numpy(value: Any, pairs: _Pairs) -> Any:
    """Give `value` with every NumPy array of a native dtype in it as a cNumeric array.

    An array made by the call is moved into memory of our own; a view stays a view; an argument comes back as
    the object that the caller passed. Subclasses (masked arrays, matrices) and other dtypes stay.
    """
    kind = type(value)
    if kind is numpy.ndarray:
        pair = pairs.get(id(value))
        if pair is not None:
            return pair[1]
        if value.dtype not in _native:
            return value
        return _cnumeric.array(value) if value.base is None else _cnumeric.asarray(value)
    if subclasses and hasattr(value, "original") and isinstance(value, _subclasses().StandIn):
        pair = pairs.get(id(value))
        return _subclasses().instance(value) if pair is None else pair[1]
    if kind is tuple or kind is list:
        items = [from_numpy(item, pairs) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else kind(items)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*(from_numpy(item, pairs) for item in value))
    if kind is dict:
        return {key: from_numpy(item, pairs) for key, item in value.items()}
    return value


_not_an_array = "object __array__ method not producing an array"


class _Producer:
    """Stands for an object whose ``__array__`` gives an array of ours: NumPy takes none but its own."""

    def __init__(self, value: Any, pairs: _Pairs) -> None:
        self._value = value
        self._pairs = pairs

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return to_numpy(self._value.__array__(*args, **kwargs), self._pairs)


def _producers(value: Any, pairs: _Pairs, nested: bool = False) -> Any:
    """Give `value` with a stand-in for each object in it that makes arrays by ``__array__``; in a list: its array."""
    kind = type(value)
    if kind is list or kind is tuple:
        return kind([_producers(item, pairs, kind is list) for item in value])
    if isinstance(value, numpy.ndarray | numpy.generic) or not hasattr(kind, "__array__"):
        return value
    return to_numpy(value.__array__(), pairs) if nested else _Producer(value, pairs)


def _user_frame(depth: int) -> tuple[Any, int]:
    """The first frame from `depth` on (counted from the caller) that is not the package's, and its depth."""
    frame = sys._getframe(depth + 1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_package):
        frame, depth = frame.f_back, depth + 1
    return frame, depth


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the line outside of the package that led here."""
    warnings.warn(message, category, stacklevel=_user_frame(1)[1] + 1)


def _warn(name: str, depth: int) -> None:
    _cnumeric.count_fallback()
    frame, depth = _user_frame(depth)
    site = (name, frame.f_code.co_filename, frame.f_lineno)
    calls[site] = count = calls.get(site, 0) + 1
    if count == 1:
        message = f"cnumeric: {name} is not native, computed by NumPy"
        warnings.warn(message, FallbackWarning, stacklevel=depth + 1)


def call(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any], depth: int = 2) -> Any:
    """Let NumPy compute ``function(*args, **kwargs)``.

    Parameters
    ----------
    function : callable
        NumPy's.
    name : str
        For the warning ("numpy.convolve"); empty: neither warn nor count.
    args, kwargs
        Of the call.
    depth : int
        How many frames above this one the user's call is.
    """
    pairs: _Pairs = {}
    args = tuple([to_numpy(value, pairs) for value in args])
    if kwargs:
        kwargs = {key: to_numpy(value, pairs) for key, value in kwargs.items()}
    try:
        result = function(*args, **kwargs)
    except ValueError as error:
        if _not_an_array not in str(error):
            raise
        args = tuple([_producers(value, pairs) for value in args])
        result = function(*args, **{key: _producers(value, pairs) for key, value in kwargs.items()})
    converted = from_numpy(result, pairs)
    if name and (converted is not result or any(new is not old for new, old in pairs.values())):
        _warn(name, depth + 1)
    return converted


def wrap(function: Callable[..., Any], name: str, quiet: bool = False) -> Callable[..., Any]:
    """Make the cNumeric function that computes with NumPy's `function` of this full name."""
    label = "" if quiet else name

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(function, label, args, kwargs)

    functools.update_wrapper(wrapper, function)
    for signature in ("__signature__", "__text_signature__"):
        if hasattr(function, signature):
            setattr(wrapper, signature, getattr(function, signature))
    wrapper.__module__, _, short = ("cnumeric" + name[len("numpy") :]).rpartition(".")
    wrapper.__name__ = wrapper.__qualname__ = short
    wrapper.__cnumeric__ = "fallback"  # type: ignore[attr-defined]
    return wrapper


# Methods of arrays that are composed of native calls: name -> function of the array and the method's arguments.
composed_methods: dict[str, Callable[..., Any]] = {}


def call_method(name: str, self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute the method `name` of a cNumeric array, composed or with NumPy's (called by the extension)."""
    function = composed_methods.get(name)
    if function is not None and type(self) is _ndarray:
        try:
            return function(self, *args, **kwargs)
        except Exception as error:
            refused(error, lambda: getattr(numpy.ndarray, name), (self, *args), kwargs)
    label = "" if name in _quiet_methods else f"numpy.ndarray.{name}"
    return call(getattr(numpy.ndarray, name), label, (self, *args), kwargs)


_quiet_methods = frozenset(("tolist", "tobytes", "tofile", "dumps", "dump", "__repr__", "__str__", "__format__"))


def numpy_ufunc(ufunc: Any) -> Any:
    """NumPy's ufunc of the same name as ours."""
    return getattr(numpy, ufunc.__name__)


def our_ufunc(ufunc: Any) -> Any:
    """Ours for NumPy's ufunc, or that itself."""
    ours = getattr(_cnumeric, ufunc.__name__, None)
    return ours if type(ours) is _cnumeric.ufunc and ufunc in (ours, numpy_ufunc(ours)) else ufunc


def our_function(function: Any) -> Any:
    """Ours for NumPy's function, or that itself."""
    module = function.__module__ or ""
    if module != "numpy" and not module.startswith("numpy."):
        return function
    ours: Any = sys.modules["cnumeric"]
    try:
        for part in (*module.split(".")[1:], function.__name__):
            ours = getattr(ours, part)
    except AttributeError:
        return function
    return ours


def _composed_call(ufunc: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of matmul, or one with a signature, in terms of native calls; `Unsupported` itself if there is no way."""
    gufuncs: Any = importlib.import_module("cnumeric._gufuncs")
    if subclasses and has_subclass((*args, *kwargs.values())):
        return Unsupported
    if ufunc.__name__ in gufuncs.calls:
        return gufuncs.calls[ufunc.__name__](*args, **kwargs)
    if "signature" not in kwargs and "sig" not in kwargs:
        return Unsupported
    try:
        return gufuncs.with_signature(ufunc, args, kwargs)
    except (MemoryError, FloatingPointError, Warning):
        raise
    except Exception:
        return Unsupported  # NumPy raises what there is to raise


def call_ufunc(ufunc: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute a call of a ufunc, or of one of its methods, that the extension does not cover."""
    if (
        method == "outer"
        and ufunc.nin == 2
        and ufunc.signature is None
        and len(args) == 2
        and not any(isinstance(arg, str) for arg in args)
    ):
        first, second = (arg if isinstance(arg, _ndarray) else _cnumeric.asarray(arg) for arg in args)
        if type(first) is _ndarray and type(second) is _ndarray:
            return ufunc(first.reshape(first.shape + (1,) * second.ndim), second, **kwargs)
    function = numpy_ufunc(ufunc)
    name = f"numpy.{ufunc.__name__}"
    if method == "__call__":
        composed = _composed_call(ufunc, args, kwargs)
        return call(function, name, args, kwargs) if composed is Unsupported else composed
    return call(getattr(numpy.ufunc, method), f"{name}.{method}", (function, *args), kwargs)


# ---- From NumPy to here ------------------------------------------------------------------------------


def array_ufunc(self: Any, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Serve ``numpy.ufunc(...)`` with a cNumeric array among its operands (``__array_ufunc__``)."""
    if not isinstance(ufunc, numpy.ufunc | _cnumeric.ufunc):
        raise TypeError(f"{ufunc!r} is no ufunc")
    for value in (*inputs, *kwargs.get("out", ())):
        if isinstance(value, _ndarray | numpy.ndarray) or not hasattr(value, "__array_ufunc__"):
            continue
        if type(value).__array_ufunc__ is not numpy.ndarray.__array_ufunc__:
            return NotImplemented
    out = kwargs.get("out")
    if isinstance(out, tuple) and len(out) == 1:
        kwargs = {**kwargs, "out": out[0]}
    if subclasses and has_subclass((*inputs, *kwargs.values())):  # asked by a subclass: not again
        plain = _subclasses().without_protocols
        inputs, kwargs = plain(inputs), plain(kwargs)
        ours = None
    else:
        ours = our_ufunc(ufunc)
    if type(ours) is _cnumeric.ufunc:
        function = ours if method == "__call__" else getattr(ours, method)
        return function(*inputs, **kwargs)
    function = ufunc if method == "__call__" else getattr(ufunc, method)
    return call(function, f"numpy.ufunc {ufunc.__name__}", inputs, kwargs)


def array_function(
    self: Any, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Serve ``numpy.function(...)`` with a cNumeric array among its arguments (``__array_function__``)."""
    if not all(issubclass(kind, (_ndarray, numpy.ndarray)) for kind in types):
        return NotImplemented
    ours = our_function(function)
    real = getattr(function, "__wrapped__", function) if getattr(function, "__cnumeric__", None) else function
    if subclasses and any(kind in subclasses for kind in types):
        plain = _subclasses().without_protocols
        return call(real, "", plain(args), plain(kwargs))
    if ours is not function:
        return ours(*args, **kwargs)
    return call(function, f"{function.__module__}.{function.__name__}", args, kwargs)
