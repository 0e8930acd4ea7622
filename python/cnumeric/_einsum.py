"""numpy.einsum: operands as views with one axis a label, contracted two at a time by matmul, multiply and sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from . import _cnumeric
from ._composed import array_of, composed, ndarray
from ._fallback import Unsupported
from ._manipulation import delivered
from ._recipes import recipe_of
from ._strides import view_of

_ufunc = _cnumeric
Labels = tuple[Any, ...]  # letters or numbers; axes that an Ellipsis stands for are ("...", how many follow)


# ---- Reading the subscripts ------------------------------------------------------------------------------


def _term(text: str) -> list[Any]:
    """The labels of a term, the Ellipsis among them."""
    before, dots, after = text.partition("...")
    if not (before + after).isalpha() and before + after:
        raise ValueError("invalid subscript")
    return [*before, Ellipsis, *after] if dots else list(before)


def _parsed(operands: Sequence[Any]) -> tuple[list[Any], list[list[Any]], list[Any] | None]:
    """The arrays, the labels of each, and those of the result if they are given."""
    if isinstance(operands[0], str):
        left, arrow, right = operands[0].replace(" ", "").partition("->")
        return [array_of(one) for one in operands[1:]], [_term(one) for one in left.split(",")], (
            _term(right) if arrow else None
        )  # fmt: skip
    pairs = len(operands) // 2
    numbers = [label for labels in operands[1::2] for label in labels] + (
        list(operands[-1]) if len(operands) % 2 else []
    )
    if not all(label is Ellipsis or 0 <= label < 52 for label in numbers):
        raise ValueError("subscript is not within the valid range [0, 52)")
    arrays = [array_of(operands[2 * place]) for place in range(pairs)]
    terms = [list(operands[2 * place + 1]) for place in range(pairs)]
    return arrays, terms, list(operands[-1]) if len(operands) % 2 else None


def _spelled(term: list[Any], ndim: int) -> Labels:
    """The labels of all axes."""
    if term.count(Ellipsis) > 1:
        raise ValueError("two ellipses")
    if Ellipsis not in term:
        if len(term) != ndim:
            raise ValueError("the number of subscripts is not that of dimensions")
        return tuple(term)
    place, count = term.index(Ellipsis), ndim - len(term) + 1
    if count < 0:
        raise ValueError("more subscripts than dimensions")
    return (*term[:place], *(("...", axis) for axis in range(count - 1, -1, -1)), *term[place + 1 :])


def _result_labels(terms: list[Labels], given: list[Any] | None) -> Labels:
    every = [label for term in terms for label in term]
    dots = tuple(sorted({label for label in every if isinstance(label, tuple)}, key=lambda label: -label[1]))
    if given is None:
        plain = [label for label in every if not isinstance(label, tuple)]
        return (*dots, *sorted(label for label in set(plain) if plain.count(label) == 1))
    if dots and Ellipsis not in given:
        raise ValueError("output has no ellipsis for axes that are broadcast")
    labels: list[Any] = []
    for label in given:
        labels.extend(dots if label is Ellipsis else (label,))
    if len(set(labels)) != len(labels) or set(labels) - set(every):
        raise ValueError("a subscript of the result is repeated, or not among the operands'")
    return tuple(labels)


# ---- One operand -----------------------------------------------------------------------------------------


def _diagonals(array: Any, labels: Labels) -> tuple[Any, Labels]:
    """Each label once: axes of one label become their diagonal, a view."""
    once = tuple(dict.fromkeys(labels))
    if len(once) == len(labels):
        return array, labels
    shape, strides = [], []
    for label in once:
        axes = [axis for axis, other in enumerate(labels) if other == label]
        extents = {array.shape[axis] for axis in axes}
        if len(extents) != 1:
            raise ValueError("dimensions of one operand with the same subscript are not equal")
        shape.append(extents.pop())
        strides.append(sum(array.strides[axis] for axis in axes))
    return view_of(array, array.dtype, 0, shape, strides), once


def _summed(array: Any, labels: Labels, kept: set[Any]) -> tuple[Any, Labels]:
    """The array without the labels that nothing else has."""
    axes = tuple(axis for axis, label in enumerate(labels) if label not in kept)
    if axes:
        array = _cnumeric.asarray(array.sum(axis=axes, dtype=array.dtype))
    return array, tuple(label for label in labels if label in kept)


def _arranged(array: Any, labels: Labels, order: Labels) -> Any:
    return array.transpose([labels.index(label) for label in order]) if labels != order else array


# ---- Two operands ----------------------------------------------------------------------------------------


def _pair(
    first: Any, one: Labels, second: Any, two: Labels, kept: Labels, extents: dict[Any, int]
) -> tuple[Any, Labels]:
    """Two operands as stacks of matrices: (batch, left, sum) @ (batch, sum, right)."""

    def among(labels: Labels, test: Any) -> Labels:
        return tuple(label for label in labels if test(label))

    batch = among(one, lambda label: label in two and label in kept)
    summed = among(one, lambda label: label in two and label not in kept)
    left, right = among(one, lambda label: label not in two), among(two, lambda label: label not in one)

    def size(labels: Labels) -> int:
        return math.prod(extents[label] for label in labels)

    def whole(array: Any, labels: Labels) -> Any:  # an extent of 1 meets a longer one
        shape = tuple(extents[label] for label in labels)
        return array if array.shape == shape else _cnumeric.broadcast_to(array, shape)

    labels = batch + left + right
    shape = [extents[label] for label in labels]
    if not summed:
        a = _arranged(first, one, batch + left)
        a = a.reshape([*a.shape, *(1 for _ in right)])
        b = _arranged(second, two, batch + right)
        b = b.reshape([*b.shape[: len(batch)], *(1 for _ in left), *b.shape[len(batch) :]])
        return _ufunc.multiply(a, b), labels
    a = _arranged(whole(first, one), one, batch + left + summed).reshape((size(batch), size(left), size(summed)))
    b = _arranged(whole(second, two), two, batch + summed + right).reshape((size(batch), size(summed), size(right)))
    product = _ufunc.matmul(a, b) if batch else _ufunc.matmul(a[0], b[0])
    return product.reshape(shape), labels


def _order(arrays: list[Any], terms: list[Labels], result: Labels, optimize: Any) -> list[tuple[int, int]]:
    """Which two operands to join, step by step: from the left, or as NumPy's einsum_path finds best."""
    if len(arrays) < 3 or optimize is False or not all(isinstance(one, str) for term in terms for one in term):
        return [(0, 1)] * (len(arrays) - 1)
    shapes = [numpy.broadcast_to(numpy.zeros(()), array.shape) for array in arrays]
    text = ",".join("".join(term) for term in terms) + "->" + "".join(result)
    path = numpy.einsum_path(text, *shapes, optimize=optimize)[0][1:]
    if any(len(step) != 2 for step in path):
        return [(0, 1)] * (len(arrays) - 1)
    return [(step[0], step[1]) for step in path]


# ---- The call --------------------------------------------------------------------------------------------


def _extents(arrays: list[Any], terms: list[Labels]) -> dict[Any, int]:
    extents: dict[Any, int] = {}
    for array, term in zip(arrays, terms, strict=True):
        for label, extent in zip(term, array.shape, strict=True):
            known = extents.setdefault(label, extent)
            if known != extent and 1 not in (known, extent):
                raise ValueError("operands could not be broadcast together")
            extents[label] = extent if known == 1 else known
    return extents


def _contracted(arrays: list[Any], terms: list[Labels], result: Labels, optimize: Any) -> Any:
    pairs = [_diagonals(array, term) for array, term in zip(arrays, terms, strict=True)]
    extents = _extents([array for array, _ in pairs], [term for _, term in pairs])
    for one, two in _order(arrays, terms, result, optimize):
        chosen = [pairs[one], pairs[two]]
        pairs = [pair for place, pair in enumerate(pairs) if place not in (one, two)]
        others = {label for _, term in pairs for label in term} | set(result)
        (first, a), (second, b) = (_summed(*chosen[place], others | set(chosen[1 - place][1])) for place in (0, 1))
        kept = tuple(label for label in dict.fromkeys(a + b) if label in others)
        pairs.append(_pair(first, a, second, b, kept, extents))
    array, labels = _summed(*pairs[0], set(result))
    array = _arranged(array, labels, result)
    shape = tuple(extents[label] for label in result)
    return array if array.shape == shape else _cnumeric.broadcast_to(array, shape)


def _simple(subscripts: Any, *operands: Any) -> Any:
    """What a recipe gives; None: there is none."""
    if type(subscripts) is not str:
        return None
    arrays = [one if type(one) is ndarray else array_of(one) for one in operands]
    try:
        result = recipe_of(subscripts, *[array.ndim for array in arrays])(*arrays)
    except Unsupported:
        return None
    return result if result.ndim else result[()]


@composed
def einsum(
    *operands: Any,
    out: Any = None,
    optimize: Any = False,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "safe",
) -> Any:
    if out is dtype is None and order == "K" and casting == "safe" and 1 < len(operands) < 4:
        result = _simple(*operands)
        if result is not None:
            return result
    order = order.upper()
    if len(operands) < 2 or order not in tuple("CFAK"):
        raise Unsupported
    arrays, lists, given = _parsed(operands)
    if len(arrays) != len(lists) or not arrays:
        raise ValueError("more or fewer operands than subscripts")
    terms = [_spelled(term, array.ndim) for term, array in zip(lists, arrays, strict=True)]
    labels = _result_labels(terms, given)
    kind = numpy.result_type(*(array.dtype for array in arrays)) if dtype is None else numpy.dtype(dtype)
    if not all(numpy.can_cast(array.dtype, kind, casting) for array in arrays):
        raise TypeError("Cannot cast an operand")
    arrays = [array.astype(kind, copy=False) for array in arrays]
    result = _contracted(arrays, terms, labels, optimize)
    if out is not None:
        return delivered(result, out)
    if order == "A":
        order = "F" if all(array.flags.f_contiguous for array in arrays) else "C"
    if order != "K":
        result = _cnumeric.array(result, order=order, copy=None)
    return result if result.ndim else result[()]
