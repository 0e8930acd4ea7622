"""Subclasses of our ndarray before NumPy's functions.

What a function returns for a subclass (its instance or a plain array, made by which of several operands) is laid down
by NumPy's code alone. So such a call is NumPy's: each array of a subclass is given as a stand-in, an instance of a
subclass of numpy.ndarray on the same memory, which remembers the array that it stands for. Stand-ins of a class and of
its base are related as these are, have their priority, and pass ``__array_ufunc__``, ``__array_wrap__`` and
``__array_function__`` on where the class has its own. What comes back as a stand-in becomes an instance of the class,
finalized from the array that it descends from.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _cnumeric, _fallback

_ndarray = _cnumeric.ndarray
_stand_ins: dict[type, type] = {}
_plain_stand_ins: dict[type, type] = {}


class StandIn(numpy.ndarray[Any, Any]):
    """Base of all stand-ins; `original` is what one stands for, or descends from."""

    original: Any = None

    def __array_finalize__(self, parent: Any) -> None:
        self.original = getattr(parent, "original", None)


def _is_own(kind: type, name: str) -> bool:
    return getattr(kind, name, None) is not getattr(_ndarray, name, None)


def _array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    original = self.original
    inputs = tuple(given_back(value) for value in inputs)
    kwargs = {key: given_back(value) for key, value in kwargs.items()}
    return original.__array_ufunc__(_fallback.our_ufunc(ufunc), method, *inputs, **kwargs)


def _array_wrap(self: Any, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    if context is not None:
        context = (_fallback.our_ufunc(context[0]), given_back(context[1]), context[2])
    original = self.original if self.original is not None else instance(self)
    return original.__array_wrap__(given_back(numpy.asarray(array)), context, return_scalar)


def _array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    kinds = tuple(kind.stands_for if issubclass(kind, StandIn) else kind for kind in types)
    ours = _fallback.our_function(function)
    return self.original.__array_function__(ours, kinds, given_back(args), given_back(kwargs))


def _forwarded(name: str) -> Any:
    """The method of this name that the class has instead of ndarray's, for functions of NumPy that call it."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = getattr(given_back(self), name)(*given_back(args), **given_back(kwargs))
        return _fallback.to_numpy(result, {})

    return method


_protocols = {
    "__array_ufunc__": _array_ufunc,
    "__array_wrap__": _array_wrap,
    "__array_function__": _array_function,
}


def _class_for(kind: type) -> type:
    made = _stand_ins.get(kind)
    if made is None:
        bases = tuple(
            _class_for(base) for base in kind.__bases__ if issubclass(base, _ndarray) and base is not _ndarray
        )
        members: dict[str, Any] = {"stands_for": kind, "__module__": kind.__module__}
        for name, method in _protocols.items():
            if _is_own(kind, name):
                members[name] = None if getattr(kind, name) is None else method
        for name in dir(kind):
            if not name.startswith("_") and callable(getattr(numpy.ndarray, name, None)) and _is_own(kind, name):
                members[name] = _forwarded(name)
        if _is_own(kind, "__array_priority__"):
            members["__array_priority__"] = getattr(kind, "__array_priority__")  # noqa: B009
        made = _stand_ins[kind] = type(kind.__name__, bases or (StandIn,), members)
    return made


def _plain_class_for(kind: type) -> type:
    made = _plain_stand_ins.get(kind)
    if made is None:
        members = {"stands_for": kind, "__module__": kind.__module__}
        made = _plain_stand_ins[kind] = type(kind.__name__, (StandIn,), members)
    return made


def stand_in(array: Any) -> Any:
    """The NumPy array that stands for an array of a subclass."""
    made: Any = numpy.asarray(array).view(_class_for(type(array)))
    made.original = array
    return made


def without_protocols(value: Any) -> Any:
    """Arrays of subclasses as stand-ins that do not ask for the protocols of their class again."""
    if type(value) in _fallback.subclasses:
        made: Any = numpy.asarray(value).view(_plain_class_for(type(value)))
        made.original = value
        return made
    if type(value) in (list, tuple):
        return type(value)(without_protocols(item) for item in value)
    if type(value) is dict:
        return {key: without_protocols(item) for key, item in value.items()}
    return value


def instance(value: Any) -> Any:
    """The array of the class for a stand-in that NumPy has made."""
    plain = value.view(numpy.ndarray)
    native = _fallback.is_native(plain.dtype)  # made by the call: moved into memory of our own
    plain = _cnumeric.array(plain) if value.base is None and native else _fallback.from_numpy(plain, {})
    kind = getattr(type(value), "stands_for", None)
    return plain if kind is None or type(plain) is not _ndarray else _cnumeric.as_subclass(kind, value.original, plain)


def given_back(value: Any) -> Any:
    """The value with the arrays in it as our caller gave them, or as ours."""
    if isinstance(value, StandIn):
        same = value.original
        if same is not None and value.shape == same.shape and value.ctypes.data == same.ctypes.data:
            return same
        return instance(value)
    if type(value) in (list, tuple):
        return type(value)(given_back(item) for item in value)
    if type(value) is dict:
        return {key: given_back(item) for key, item in value.items()}
    return _fallback.from_numpy(value, {})
