"""numpy.pad: the array in a larger one, whose sides are filled axis by axis from what is there already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, by_numpy, composed, functions
from ._creation import empty
from ._fallback import Unsupported
from ._manipulation import order_of

_all = slice(None)
_options = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    **dict.fromkeys(("maximum", "mean", "median", "minimum"), "stat_length"),
    **dict.fromkeys(("reflect", "symmetric"), "reflect_type"),
    **dict.fromkeys(("edge", "wrap", "empty"), ""),
}


class _Axis:
    """One axis of the padded array: `low` and `high` elements to fill beside `count` that are there."""

    def __init__(self, result: Any, inner: list[slice], axis: int, widths: tuple[int, int]) -> None:
        self.result, self.inner, self.axis = result, inner, axis
        self.low, self.high = widths
        self.count = result.shape[axis] - self.low - self.high

    def part(self, start: int, stop: int) -> Any:
        """A view of these places along the axis, counted from the first element that is there."""
        key = list(self.inner)
        key[self.axis] = slice(self.low + start, self.low + stop)
        return self.result[tuple(key)]

    def reversed(self, start: int, stop: int) -> Any:
        return self.part(start, stop)[(*(_all,) * self.axis, slice(None, None, -1))]

    def sides(self) -> tuple[Any, Any]:
        return self.part(-self.low, 0), self.part(self.count, self.count + self.high)


# ---- Periodic sides --------------------------------------------------------------------------------------


def _runs(width: int, period: int) -> Iterator[tuple[int, int]]:
    """(elements before it, its length) of each piece of a side, from the border outward."""
    for done in range(0, width, period):
        yield done, min(period, width - done)


def _wrap(side: _Axis) -> None:
    for done, length in _runs(side.low, side.count):
        side.part(-done - length, -done)[...] = side.part(side.count - length, side.count)
    for done, length in _runs(side.high, side.count):
        first = side.count + done
        side.part(first, first + length)[...] = side.part(0, length)


def _reflect(side: _Axis, edge: bool, odd: bool) -> None:
    """Each piece is the one before it (or the array) seen in the mirror at the border between them."""
    period = side.count if edge else side.count - 1
    shift = 0 if edge else 1
    for done, length in _runs(side.low, period):
        seen = side.reversed(-done + shift, -done + shift + length)
        side.part(-done - length, -done)[...] = 2 * side.part(-done, -done + 1) - seen if odd else seen
    for done, length in _runs(side.high, period):
        first = side.count + done
        seen = side.reversed(first - shift - length, first - shift)
        side.part(first, first + length)[...] = 2 * side.part(first - 1, first) - seen if odd else seen


# ---- Other sides -----------------------------------------------------------------------------------------


def _edge(side: _Axis) -> None:
    low, high = side.sides()
    low[...] = side.part(0, 1)
    high[...] = side.part(side.count - 1, side.count)


def _ramps(side: _Axis, ends: tuple[Any, Any]) -> None:
    low, high = side.sides()
    edges = side.part(0, 1), side.part(side.count - 1, side.count)
    flip = (*(_all,) * side.axis, slice(None, None, -1))
    for target, edge, end, width in ((low, edges[0], ends[0], side.low), (high[flip], edges[1], ends[1], side.high)):
        line = edge.reshape(edge.shape[: side.axis] + edge.shape[side.axis + 1 :])
        target[...] = functions["numpy.linspace"](
            end, line, num=width, endpoint=False, dtype=side.result.dtype, axis=side.axis
        )


def _statistics(side: _Axis, mode: str, lengths: tuple[Any, Any]) -> None:
    function = functions[f"numpy.{ {'maximum': 'amax', 'minimum': 'amin'}.get(mode, mode) }"]
    low, high = (side.count if length is None else min(int(length), side.count) for length in lengths)
    parts = side.part(0, low), side.part(side.count - high, side.count)
    for target, part in zip(side.sides(), parts, strict=True):
        value = function(part, axis=side.axis, keepdims=True)
        target[...] = _cnumeric.rint(value) if side.result.dtype.kind in "iu" and value.dtype.kind == "f" else value


def _by_function(result: Any, widths: list[tuple[int, int]], function: Any, kwargs: dict[str, Any]) -> None:
    for axis, pair in enumerate(widths):
        lines = functions["numpy.moveaxis"](result, axis, -1)
        for place in numpy.ndindex(lines.shape[:-1]):
            function(lines[(*place, ...)], pair, axis, kwargs)


# ---- The call --------------------------------------------------------------------------------------------


def _pairs(values: Any, ndim: int) -> list[tuple[Any, Any]]:
    return [(low, high) for low, high in numpy.broadcast_to(numpy.asarray(values), (ndim, 2)).tolist()]


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        pairs = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            pairs[axis] = (width, width) if isinstance(width, int) else tuple(width)
        pad_width = pairs
    if numpy.asarray(pad_width).dtype.kind not in "iu":
        raise TypeError("`pad_width` must be of integral type.")
    widths = _pairs(pad_width, ndim)
    if numpy.asarray(pad_width).size and numpy.asarray(pad_width).min() < 0:
        raise ValueError("index can't contain negative values")
    return widths


@composed
@by_numpy(pending=False)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    source = array_of(array)
    widths = _widths(pad_width, source.ndim)
    if not callable(mode) and (mode not in _options or kwargs.keys() - {_options[mode]}):
        raise ValueError(f"mode {mode!r}, or an option of it, is not supported")
    if mode not in ("constant", "empty") and not callable(mode) and source.size == 0:
        if any(extent == 0 and any(pair) for extent, pair in zip(source.shape, widths, strict=True)):
            raise ValueError("can't extend an empty axis using modes other than 'constant' or 'empty'")
    shape = tuple(extent + sum(pair) for extent, pair in zip(source.shape, widths, strict=True))
    result = empty(shape, source.dtype, order_of(source))
    inner = [slice(low, low + extent) for extent, (low, _) in zip(source.shape, widths, strict=True)]
    if callable(mode):
        result[...] = 0
    result[tuple(inner)] = source
    if callable(mode):
        _by_function(result, widths, mode, kwargs)
    elif mode != "empty" and (source.size or mode == "constant"):
        _fill(result, inner, widths, mode, kwargs)
    return result


def _fill(result: Any, inner: list[slice], widths: list[tuple[int, int]], mode: str, kwargs: dict[str, Any]) -> None:
    """Fill the sides axis by axis; those filled already count as there for the axes that follow."""
    ndim = len(widths)
    odd = kwargs.get("reflect_type", "even") == "odd"
    given = [(0, 0)] * ndim
    if _options[mode] not in ("", "reflect_type"):
        given = _pairs(kwargs.get(_options[mode], None if _options[mode] == "stat_length" else 0), ndim)
    if _options[mode] == "stat_length" and any(length is not None and length <= 0 for pair in given for length in pair):
        raise Unsupported  # NumPy refuses that, or warns
    for axis, pair in enumerate(widths):
        side = _Axis(result, inner, axis, pair)
        if not any(pair):
            pass
        elif mode == "constant":
            for target, value in zip(side.sides(), given[axis], strict=True):
                target[...] = value
        elif mode == "linear_ramp":
            _ramps(side, given[axis])
        elif mode in ("maximum", "mean", "median", "minimum"):
            _statistics(side, mode, given[axis])
        elif mode == "wrap":
            _wrap(side)
        elif mode == "edge" or side.count == 1:
            _edge(side)
        else:
            _reflect(side, mode == "symmetric", odd)
        inner[axis] = _all
