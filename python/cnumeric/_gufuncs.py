"""matmul, vecdot, matvec and vecmat with every option, and ufuncs whose loop is named by `signature`.

Operands are cast to the loop that NumPy's ufunc resolves and turned so that their core axes are the last ones; what
comes of the core is turned to where the result has its axes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from . import _cnumeric, _fallback
from ._composed import array_of, asarray, guard, ndarray, normalize_axis
from ._fallback import Unsupported

_ufunc = _cnumeric


def _products(x: Any, y: Any) -> Any:
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("vecdot: mismatch in core dimensions")
    return _ufunc.multiply(_conjugate(x), y).sum(-1, dtype=numpy.promote_types(x.dtype, y.dtype))


def _conjugate(x: Any) -> Any:
    return _ufunc.conjugate(x) if x.dtype.kind == "c" else x


def _matrices_by_vectors(x: Any, y: Any) -> Any:
    return _ufunc.matmul(x, y[..., None])[..., 0]


def _vectors_by_matrices(x: Any, y: Any) -> Any:
    return _ufunc.matmul(_conjugate(x)[..., None, :], y)[..., 0, :]


# Core dimensions of both operands and the result, and what computes them as the last axes.
_kinds: dict[str, tuple[tuple[int, int, int], Callable[[Any, Any], Any]]] = {
    "matmul": ((2, 2, 2), lambda x, y: _ufunc.matmul(x, y)),
    "vecdot": ((1, 1, 0), _products),
    "matvec": ((2, 1, 1), _matrices_by_vectors),
    "vecmat": ((1, 2, 1), _vectors_by_matrices),
}


# ---- Axes ------------------------------------------------------------------------------------------------


def _core_dimensions(name: str, arrays: list[Any]) -> list[int]:
    """How many core dimensions the operands and the result have; matmul takes vectors for matrices."""
    core = list(_kinds[name][0])
    if name == "matmul":
        core[:2] = [min(array.ndim, 2) for array in arrays]
        core[2] = core[0] + core[1] - 2
    if any(array.ndim < count for array, count in zip(arrays, core, strict=False)) or 0 in core[:2]:
        raise Unsupported
    return core


def _axes_of(entry: Any, count: int) -> tuple[int, ...]:
    axes = (entry,) if isinstance(entry, int) and count == 1 else entry
    if not isinstance(axes, tuple) or len(axes) != count or not all(type(axis) is int for axis in axes):
        raise Unsupported
    return axes


def _placed(axes: Any, axis: Any, keepdims: Any, core: list[int], optional: bool) -> list[tuple[int, ...]]:
    """The core axes of the operands and the result, counted as they were given; optional: the result has none."""
    if keepdims:
        if core != [1, 1, 0]:
            raise Unsupported
        core = [1, 1, 1]
    if axis is not None:
        if axes is not None or core[:2] != [1, 1]:
            raise Unsupported
        return [_axes_of(axis, 1)] * (3 if keepdims else 2) + [()] * (not keepdims)
    if axes is None:
        return [tuple(range(-count, 0)) for count in core]
    if not isinstance(axes, list) or not (len(axes) == 3 or (len(axes) == 2 and optional)):
        raise Unsupported
    given = [_axes_of(entry, count) for entry, count in zip(axes, core, strict=False)]
    return given if len(given) == 3 else [*given, (-1,) * core[2]]


def _normal(axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    places = tuple(normalize_axis(axis, ndim) for axis in axes)
    if len(set(places)) != len(places):
        raise Unsupported
    return places


def _core_last(array: Any, axes: tuple[int, ...]) -> Any:
    places = _normal(axes, array.ndim)
    return array.transpose([axis for axis in range(array.ndim) if axis not in places] + list(places))


def _core_at(array: Any, axes: tuple[int, ...]) -> Any:
    """The array, whose core axes are its last ones, with them at these places."""
    places = _normal(axes, array.ndim)
    rest = iter(range(array.ndim - len(places)))
    first = array.ndim - len(places)
    return array.transpose([first + places.index(axis) if axis in places else next(rest) for axis in range(array.ndim)])


# ---- Loops -----------------------------------------------------------------------------------------------


def _resolved(ufunc: Any, dtypes: list[Any], signature: Any, casting: Any) -> Any:
    given = {} if signature is None else {"signature": signature}
    found = _fallback.numpy_ufunc(ufunc).resolve_dtypes((*dtypes, *(None,) * ufunc.nout), casting=casting, **given)
    if not all(_fallback.is_native(dtype) for dtype in found):
        raise Unsupported
    return found


def _signature(ufunc: Any, dtype: Any, given: Any) -> Any:
    if dtype is None:
        return given
    if given is not None:
        raise Unsupported
    return (None,) * ufunc.nin + (numpy.dtype(dtype),) * ufunc.nout


def with_signature(ufunc: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The call of an elementwise ufunc by the loop that `signature` names; `Unsupported` if there is none of ours."""
    rest = dict(kwargs)
    signatures = [rest.pop(name) for name in ("signature", "sig") if name in rest]
    if len(signatures) != 1 or len(args) < ufunc.nin:
        raise Unsupported
    signature = _signature(ufunc, rest.pop("dtype", None), signatures[0])
    inputs = [arg if type(arg) in (int, float, complex) else array_of(arg) for arg in args[: ufunc.nin]]
    kinds = [type(one) if not isinstance(one, ndarray) else one.dtype for one in inputs]
    loop = _resolved(ufunc, kinds, signature, rest.get("casting", "same_kind"))
    if tuple(_resolved(ufunc, list(loop[: ufunc.nin]), None, "no")) != tuple(loop):
        raise Unsupported
    cast = [asarray(one).astype(dtype, copy=False) for one, dtype in zip(inputs, loop, strict=False)]
    if all(type(one) in (int, float, complex) or not one.ndim for one in inputs):
        raise Unsupported  # numbers alone are NumPy's
    return ufunc(*cast, *args[ufunc.nin :], **rest)


# ---- Calls -----------------------------------------------------------------------------------------------


def _output(given: list[Any], out: Any) -> Any:
    if len(given) > 1:
        raise Unsupported
    if isinstance(out, tuple):
        if len(out) != 1 or given:
            raise Unsupported
        out = out[0]
    if given and out is not None:
        raise Unsupported
    out = given[0] if given else out
    if out is not None and type(out) is not ndarray and type(out) is not numpy.ndarray:
        raise Unsupported
    return out


def _stored(result: Any, core: int, out: Any, casting: Any) -> Any:
    target = asarray(out)
    whole = numpy.broadcast_shapes(result.shape, target.shape) if core == 0 else result.shape
    if type(target) is not ndarray or target.shape != whole or not target.flags.writeable:
        raise Unsupported
    if not numpy.can_cast(result.dtype, target.dtype, casting):
        raise Unsupported
    target[...] = result
    return out


def _make(name: str) -> Any:
    compute = _kinds[name][1]

    def call(x1: Any, x2: Any, /, *given: Any, **kwargs: Any) -> Any:
        options = {"order": "K", "casting": "same_kind", "subok": True, "keepdims": False}
        options.update(kwargs)
        out = _output(list(given), options.pop("out", None))
        axes, axis, keepdims = options.pop("axes", None), options.pop("axis", None), options.pop("keepdims")
        order, casting, dtype = options.pop("order"), options.pop("casting"), options.pop("dtype", None)
        signature = options.pop("signature", options.pop("sig", None))
        options.pop("subok")
        if options or type(keepdims) is not bool or order not in tuple("CFAK"):
            raise Unsupported
        ufunc = getattr(_cnumeric, name)
        arrays = [array_of(x1), array_of(x2)]
        if "axis" in kwargs and axis is None:
            raise Unsupported
        if "keepdims" in kwargs and name != "vecdot":
            raise Unsupported
        core = _core_dimensions(name, arrays)
        places = _placed(axes, axis, keepdims, core, _kinds[name][0][2] == 0)
        loop = _resolved(ufunc, [array.dtype for array in arrays], _signature(ufunc, dtype, signature), casting)
        turned = [
            _core_last(array, at).astype(kind, copy=False)
            for array, at, kind in zip(arrays, places, loop, strict=False)
        ]
        result = asarray(compute(*turned))
        if keepdims:
            result = result[..., None]
        if places[2]:
            result = _core_at(result, places[2])
        if out is not None:
            return _stored(result, len(places[2]), out, casting)
        if order == "F":
            result = _cnumeric.array(result, order="F", copy=None)
        return result if result.ndim else result[()]

    call.__name__ = name
    return guard(call)


calls = {name: _make(name) for name in _kinds}
for _name in ("vecdot", "matvec", "vecmat"):
    getattr(_cnumeric, _name)._compose(calls[_name])
