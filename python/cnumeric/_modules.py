"""The names: every public name of numpy and its submodules, ours where we have one and NumPy's elsewhere.

`cnumeric.X` and `cnumeric.sub.X` are made when first asked for, so that importing costs nothing for names that a
program does not use. A submodule is a module object whose attributes stand in for those of NumPy's; a finder makes
``import cnumeric.linalg`` and ``from cnumeric.random import mtrand`` work for every module that numpy has.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

import numpy

from . import _cnumeric, _fallback
from ._composed import functions
from ._index import grids

_words = str.split
submodules = _words(
    "linalg fft random ma polynomial testing lib strings char rec ctypeslib emath exceptions dtypes typing"
)

# NumPy's own objects serve as they are: no arrays go in or come out, or they call back the user's functions.
_as_they_are = frozenset(
    "numpy." + name
    for name in _words(
        "geterr seterr geterrcall seterrcall getbufsize setbufsize get_printoptions set_printoptions printoptions "
        "get_include info show_config show_runtime isdtype issubdtype promote_types typename mintypecode "
        "broadcast_shapes iterable isscalar isfortran datetime_data base_repr binary_repr "
        "format_float_positional format_float_scientific testing.assert_raises testing.assert_raises_regex "
        "testing.assert_warns testing.assert_no_warnings testing.suppress_warnings testing.assert_no_gc_cycles "
        "testing.break_cycles testing.clear_and_catch_warnings testing.temppath testing.tempdir "
        "testing.decorate_methods"
    )
)

# These need the values in this process's memory anyway: NumPy is no detour.
_quiet = frozenset(
    "numpy." + name
    for name in _words(
        "array2string array_repr array_str save savez savez_compressed savetxt load loadtxt genfromtxt fromfile "
        "fromstring frombuffer fromiter fromregex ix_ min_scalar_type common_type "
        "from_dlpack"
    )
)
_quiet_modules = ("numpy.testing", "numpy.ctypeslib", "numpy.lib.format", "numpy.lib.npyio", "numpy.exceptions")


# ---- One name --------------------------------------------------------------------------------------------


def _callable_kind(value: Any) -> bool:
    return not isinstance(value, type) and callable(value) and hasattr(value, "__name__")


def publish(value: Any, name: str) -> Any:
    """Give what stands for NumPy's `value` of the full name `name` ("numpy.linalg.svd")."""
    ours = functions.get(name) or _special(value, name)
    if ours is not None:
        return ours
    if isinstance(value, types.ModuleType):
        real = value.__name__
        if real == "numpy" or not real.startswith("numpy.") or real.startswith(("numpy.core", "numpy.f2py")):
            return value
        return importlib.import_module("cnumeric" + real[len("numpy") :])
    if isinstance(value, numpy.ufunc):
        same = getattr(_cnumeric, value.__name__, None)
        if same is not None and getattr(numpy, value.__name__, None) is value:
            return same
        return _fallback.wrap(value, name)
    if _callable_kind(value) and name not in _as_they_are:
        real = getattr(value, "__module__", None) or ""
        top = f"{real}.{value.__name__}"
        if top != name and top in functions:
            return functions[top]
        return _fallback.wrap(value, name, name in _quiet or name.startswith(_quiet_modules))
    return value


class _Grid:
    """Stands for NumPy's r_, c_, mgrid and ogrid: what indexing gives becomes ours."""

    __cnumeric__ = "composed"

    def __init__(self, grid: Any, name: str) -> None:
        self._grid = grid
        self.__doc__ = grid.__doc__
        self._name = name

    def __getitem__(self, key: Any) -> Any:
        try:
            return grids[self._name](key)
        except Exception as error:
            _fallback.refused(error, lambda: self._grid.__getitem__, (key,), {})
        return _fallback.call(self._grid.__getitem__, self._name, (key,), {})

    def __len__(self) -> int:
        return 0


def _special(value: Any, name: str) -> Any:
    if name in ("numpy.r_", "numpy.c_", "numpy.mgrid", "numpy.ogrid"):
        return _Grid(value, name)
    if value is numpy.ndarray:
        return _cnumeric.ndarray
    if value is numpy.ufunc:
        return _cnumeric.ufunc
    if value is numpy.flatiter:
        return _cnumeric.flatiter
    if value is numpy.vectorize:
        return _vectorize()
    if name.startswith("numpy.random."):
        from . import _random

        return _random.special(name)
    return None


def _vectorize() -> Any:
    class vectorize(numpy.vectorize):
        __doc__ = numpy.vectorize.__doc__

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            call: Any = numpy.vectorize.__call__
            return _fallback.call(call, "numpy.vectorize", (self, *args), kwargs)

    vectorize.__module__ = "cnumeric"
    vectorize.__qualname__ = "vectorize"
    return vectorize


# ---- Submodules ------------------------------------------------------------------------------------------


def _own_names(module: types.ModuleType) -> Any:
    """The names that the module has so far."""
    return vars(types.ModuleType)["__dict__"].__get__(module)


class Module(types.ModuleType):
    """Stands for a submodule of numpy."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__all__", "__doc__"):
            raise AttributeError(name)
        numpy_name = "numpy" + self.__name__[len("cnumeric") :]
        real = importlib.import_module(numpy_name)
        value = getattr(real, name)
        if not name.startswith("__"):
            value = publish(value, f"{numpy_name}.{name}")
        setattr(self, name, value)
        return value

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """All names with their values: for programs that look through a module."""
        for name in dir(importlib.import_module("numpy" + self.__name__[len("cnumeric") :])):
            if not name.startswith("__"):
                getattr(self, name)
        own: dict[str, Any] = _own_names(self)
        return own

    def __dir__(self) -> list[str]:
        real = importlib.import_module("numpy" + self.__name__[len("cnumeric") :])
        return sorted({*dir(real), *_own_names(self)})


class _Finder:
    """Finds ``cnumeric.x.y`` where numpy has ``numpy.x.y`` and we have no file."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("cnumeric."):
            return None
        name = "numpy" + fullname[len("cnumeric") :]
        try:
            found = importlib.util.find_spec(name)
        except (ImportError, AttributeError, ValueError):
            found = None
        if found is None:
            return None
        package = found.submodule_search_locations is not None
        loader: Any = self  # a class of importlib.abc would cost more to import than all of this
        return importlib.machinery.ModuleSpec(fullname, loader, is_package=package)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        name = "numpy" + module.__name__[len("cnumeric") :]
        module.__doc__ = importlib.import_module(name).__doc__


def install() -> None:
    """Make every module of numpy importable below cnumeric."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        finder: Any = _Finder()
        sys.meta_path.append(finder)


# ---- Coverage --------------------------------------------------------------------------------------------


def _public(module: Any) -> list[str]:
    return [name for name in dir(module) if not name.startswith("_")]


def _kind(ours: Any, theirs: Any, name: str) -> str:
    marked = getattr(ours, "__cnumeric__", None)
    if isinstance(marked, str):
        return marked
    if type(ours) is _cnumeric.ufunc:
        return "native" if ours.native else "fallback"
    if isinstance(ours, type) and ours is not theirs and ours is not _cnumeric.ndarray:
        return "fallback"
    return "native"


def _names() -> Iterator[tuple[str, Any, Any]]:
    top: Any = sys.modules["cnumeric"]
    for name in _public(numpy):
        yield name, getattr(top, name), getattr(numpy, name)
    for part in submodules:
        real = getattr(numpy, part)
        ours = getattr(top, part)
        for name in _public(real):
            yield f"{part}.{name}", getattr(ours, name), getattr(real, name)


def coverage() -> dict[str, str]:
    """Tell for every public name of numpy how it is served.

    Returns
    -------
    dict of str to str
        Name ("add", "linalg.svd", "ndarray.sort") -> "native" (the core computes it, or it is one of NumPy's own
        objects that computes nothing), "composed" (of native calls) or "fallback" (NumPy computes it).
    """
    result = {}
    for name, ours, theirs in _names():
        result[name] = _kind(ours, theirs, name)
    fallbacks = frozenset(getattr(_cnumeric, "fallback_methods", ())) - _fallback.composed_methods.keys()
    for name in _public(numpy.ndarray):
        by_package = name in _fallback.composed_methods and name in _cnumeric.fallback_methods
        kind = "composed" if by_package else "native"
        result[f"ndarray.{name}"] = "fallback" if name in fallbacks else kind
    for full, function in functions.items():
        method = function.__name__
        if getattr(function, "__cnumeric__", "") == "native" and method in fallbacks:
            result[full[len("numpy.") :]] = "fallback"
    return result
