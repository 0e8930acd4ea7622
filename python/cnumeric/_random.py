"""numpy.random with arrays of ours: NumPy draws the numbers, so every stream is NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.random

from . import _fallback


def _method(base: type, name: str) -> Callable[..., Any]:
    function = getattr(base, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _fallback.call(function, f"numpy.random.{base.__name__}.{name}", (self, *args), kwargs)

    method.__name__ = name
    method.__qualname__ = f"{base.__name__}.{name}"
    method.__doc__ = function.__doc__
    return method


def _derive(base: type, namespace: dict[str, Any]) -> type:
    """A subclass of NumPy's generator whose methods give cNumeric arrays."""
    for name in dir(base):
        if not name.startswith("_") and name not in ("bit_generator", "spawn") and callable(getattr(base, name)):
            namespace[name] = _method(base, name)
    namespace["__module__"] = "cnumeric.random"
    namespace["__doc__"] = base.__doc__
    return type(base.__name__, (base,), namespace)


def _reduce(self: Any) -> Any:
    return type(self), (self.bit_generator,)


def _reduce_state(self: Any) -> Any:
    return type(self), (self._bit_generator,), self.get_state(legacy=False)


def _no_state(self: Any, state: Any = None) -> None:
    """A generator's state is its bit generator's."""


Generator: Any = _derive(numpy.random.Generator, {"__reduce__": _reduce, "__setstate__": _no_state})
RandomState: Any = _derive(numpy.random.RandomState, {"__reduce__": _reduce_state})


def default_rng(seed: Any = None) -> Any:
    """Give a `Generator` with NumPy's default bit generator; the numbers are NumPy's for the same seed."""
    if isinstance(seed, Generator):
        return seed
    return Generator(numpy.random.default_rng(seed).bit_generator)


default_rng.__module__ = "cnumeric.random"
default_rng.__cnumeric__ = "fallback"  # type: ignore[attr-defined]

_specials = {"Generator": Generator, "RandomState": RandomState, "default_rng": default_rng}


def special(name: str) -> Any:
    """Give ours for a name below numpy.random that needs more than wrapping."""
    return _specials.get(name[len("numpy.random.") :])
