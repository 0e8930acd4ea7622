"""What functions composed of native calls share: the decorator that guards them, and conversion of arguments.

A composed function computes NumPy's result from cNumeric calls. It checks before it writes: when it meets what it
does not cover it raises `Unsupported` and NumPy computes the call; when anything else is raised, the call is
replayed on stand-ins so that the user sees NumPy's own exception.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy

from . import _cnumeric, _fallback
from ._fallback import Unsupported

Function = TypeVar("Function", bound=Callable[..., Any])

ndarray = _cnumeric.ndarray
asarray = _cnumeric.asarray
NoValue: Any = numpy._NoValue

# Full NumPy name ("numpy.stack", "numpy.linalg.norm") -> our function.
functions: dict[str, Callable[..., Any]] = {}

_plain = frozenset((numpy.ndarray, list, tuple, int, float, complex, bool))


def composed(function: Function, module: str = "numpy") -> Function:
    """Make `function` ours for NumPy's of the same name, if this NumPy has it, with NumPy's fallbacks and errors."""
    if module == "numpy" and not hasattr(numpy, function.__name__):
        return function
    guarded = guard(function, module)
    functions[f"{module}.{guarded.__name__}"] = guarded
    return guarded


_few: dict[Any, tuple[bool, float]] = {}


def by_numpy(*, pending: bool, times: float = 1) -> Callable[[Function], Function]:
    """Let NumPy compute a few elements whose values are at hand; results must be the same bits.

    pending: what is pending on them runs for it, as it does for the function, which reads.
    times: the most bytes an operand may have are numpy_bytes times this.
    """

    def register(function: Function) -> Function:
        _few[function] = pending, times
        return function

    return register


def guard(function: Function, module: str = "numpy") -> Function:
    """Give `function` NumPy's fallbacks and errors; a ufunc that it computes keeps its own object."""
    name = function.__name__
    full = f"{module}.{name}"

    def reference() -> Any:  # looked up when needed: importing cnumeric imports no submodule of numpy's
        found: Any = numpy
        for part in full.split(".")[1:]:
            found = getattr(found, part)
        return found

    def otherwise(error: Exception | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if error is not None:  # otherwise there is an array of a subclass
            try:
                raise error
            except Exception as raised:
                error = None  # its traceback has this frame: arrays would wait for the garbage collector
                _fallback.refused(raised, reference, args, kwargs)
        return _fallback.call(reference(), full, args, kwargs)

    few = (full, *_few[function]) if function in _few else (None, False, 1)
    guarded: Any = functools.update_wrapper(_cnumeric.entry(function, otherwise, False, *few), function)
    guarded.__composition__ = function
    if module == "numpy" and hasattr(numpy, name):  # what NumPy's has is what inspect shows
        theirs = guarded.__wrapped__ = getattr(numpy, name)
        for signature in ("__signature__", "__text_signature__"):
            if hasattr(theirs, signature):
                setattr(guarded, signature, getattr(theirs, signature))
    guarded.__name__ = guarded.__qualname__ = name
    guarded.__module__ = "cnumeric" + module[len("numpy") :]
    if not guarded.__doc__:
        guarded.__doc__ = reference().__doc__
    guarded.__cnumeric__ = "composed"
    return guarded  # type: ignore[no-any-return]


def device_call(function: Function, module: str) -> Function:
    """Make `function` ours for NumPy's of the same name: it computes on a device, or raises `Unsupported`.

    NumPy then computes on the host, with the library that it brings: no fallback, since the core has no other there.
    """
    name = function.__name__
    full = f"{module}.{name}"

    def numpys(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _fallback.call(getattr(importlib.import_module(module), name), "", args, kwargs)

    def served(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (Unsupported, TypeError):  # TypeError: NumPy has parameters that ours has not, or its own words
            return numpys(args, kwargs)

    def otherwise(error: Exception | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if error is not None:
            try:
                raise error
            finally:
                error = None
        return numpys(args, kwargs)

    entry: Any = functools.update_wrapper(_cnumeric.entry(served, otherwise, False, full, True, 1), function)
    entry.__module__ = "cnumeric" + module[len("numpy") :]
    entry.__cnumeric__ = "composed"
    entry.__composition__ = function
    functions[full] = entry
    return entry  # type: ignore[no-any-return]


def on_device(*values: Any, matrices: bool = False, together: bool = False) -> None:
    """Raise `Unsupported` unless all are arrays of ours, and a device does the work on the first of them.

    matrices: they are to be factorised; together: small ones of a batch at once.
    """
    for value in values:
        if type(value) is not ndarray:
            raise Unsupported
    if not _cnumeric.for_device(values[0], matrices, together):
        raise Unsupported


def is_spread(nbytes: int) -> bool:
    """Whether an array of so many bytes is over several places."""
    settings = _cnumeric.settings()
    return nbytes >= settings["spread_bytes"] and (_cnumeric.net_size() > 1 or settings["places"] > 1)


def plain(function: Any) -> Any:
    """The composed function without its guard: `Unsupported` and its own errors go to the caller."""
    return function.__composition__


def method_of(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the decorated function, of an array and the method's arguments, the method `name` of arrays."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _fallback.composed_methods[name] = function
        return function

    return register


def array_of(value: Any) -> Any:
    """Give a cNumeric array for an argument; `Unsupported` if NumPy treats it specially or has the dtype alone."""
    kind = type(value)
    if kind is ndarray:
        return value
    if kind is _cnumeric.flatiter:
        return value.copy()
    if kind not in _plain and not issubclass(kind, numpy.generic):
        raise Unsupported  # subclasses, ours among them, and whatever else
    array = asarray(value)
    if type(array) is numpy.ndarray:
        raise Unsupported
    return array


def arrays_of(values: Any) -> list[Any]:
    """Give a list of cNumeric arrays for a sequence of arguments."""
    if isinstance(values, numpy.ndarray) and type(values) is not numpy.ndarray:
        raise Unsupported
    if not hasattr(values, "__getitem__"):
        raise TypeError('arrays to stack must be passed as a "sequence" type such as list or tuple.')
    return [value if type(value) is ndarray else array_of(value) for value in values]


def normalize_axis(axis: Any, ndim: int) -> int:
    """Give the axis counted from the front; `numpy.exceptions.AxisError` if there is none."""
    if isinstance(axis, bool):
        raise Unsupported  # some of NumPy's functions refuse it
    index = int(axis.__index__())
    if not -ndim <= index < ndim:
        raise numpy.exceptions.AxisError(index, ndim)
    return index + ndim if index < 0 else index


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Give a tuple of axes counted from the front; ``None`` means all; `ValueError` if one is repeated."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(normalize_axis(one, ndim) for one in ((axis,) if hasattr(axis, "__index__") else axis))
    if len(set(axes)) != len(axes):
        raise ValueError("repeated axis")
    return axes


def method(name: str, method_name: str | None = None) -> Callable[..., Any]:
    """Make NumPy's function `name` of the method of arrays that has the same arguments after the array."""
    reference = getattr(numpy, name)
    target = getattr(ndarray, method_name or name)

    def otherwise(_: None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            array = array_of(args[0] if args else kwargs["a"])
        except (Unsupported, KeyError):
            return _fallback.call(reference, f"numpy.{name}", args, kwargs)
        kwargs.pop("a", None)
        return target(array, *args[1:], **kwargs)

    function: Callable[..., Any] = functools.update_wrapper(
        _cnumeric.entry(target, otherwise, True, None, False, 1), reference
    )
    function.__module__ = "cnumeric"
    function.__cnumeric__ = "native"  # type: ignore[attr-defined]
    functions[f"numpy.{name}"] = function
    return function


_extension = (
    *("array", "asarray", "empty", "zeros", "ones", "full", "arange"),
    *("empty_like", "zeros_like", "ones_like", "full_like", "concatenate", "where", "broadcast_to", "dot"),
)


def register_extension() -> None:
    """Enter what the extension itself provides under numpy's names."""
    for name in _extension:
        functions.setdefault(f"numpy.{name}", getattr(_cnumeric, name))
    for alias, name in (("concat", "concatenate"), ("permute_dims", "transpose")):
        if f"numpy.{name}" in functions:
            functions[f"numpy.{alias}"] = functions[f"numpy.{name}"]
