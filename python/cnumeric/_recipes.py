"""What einsum does for one or two operands with plain labels: read once for a string of subscripts, then as recipes."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from . import _cnumeric
from ._fallback import Unsupported

_ufunc = _cnumeric


class _Operand(NamedTuple):
    """What is done to an operand first: sums over labels that nothing else has, then an order of the axes."""

    summed: tuple[int, ...]
    order: tuple[int, ...] | None  # None: as they are


class _Recipe(NamedTuple):
    """What a string of subscripts says, for operands of these numbers of dimensions."""

    operands: tuple[_Operand, ...]
    shared: tuple[tuple[int, int], ...]  # axes of the first and the second operand with one label
    parts: tuple[int, int, int, int]  # how many labels are batch, left, summed and right
    order: tuple[int, ...] | None  # of (batch, left, right) in the result


def _order(have: str, want: str) -> tuple[int, ...] | None:
    return tuple(have.index(letter) for letter in want) if have != want else None


def _terms(subscripts: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the result."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = "".join(terms)
    if len(terms) != len(ndims) or not letters.isalpha() or any(len(set(term)) != len(term) for term in terms):
        raise Unsupported
    if not arrow:
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    if len(set(result)) != len(result) or set(result) - set(letters):
        raise Unsupported
    if any(len(term) != ndim for term, ndim in zip(terms, ndims, strict=True)):
        raise ValueError("einstein sum subscripts do not fit the number of dimensions")
    return terms, result


def _summed(term: str, kept: str) -> tuple[tuple[int, ...], str]:
    """The axes of labels that nothing else has, and the term without them."""
    axes = tuple(place for place, letter in enumerate(term) if letter not in kept)
    return axes, "".join(letter for letter in term if letter in kept)


@functools.lru_cache(maxsize=512)
def _recipe(subscripts: str, *ndims: int) -> _Recipe:
    terms, result = _terms(subscripts, ndims)
    if len(terms) == 1:
        axes, one = _summed(terms[0], result)
        return _Recipe((_Operand(axes, _order(one, result)),), (), (0, 0, 0, 0), None)
    shared = tuple((i, terms[1].index(letter)) for i, letter in enumerate(terms[0]) if letter in terms[1])
    first, one = _summed(terms[0], result + terms[1])
    second, two = _summed(terms[1], result + one)
    batch = "".join(letter for letter in one if letter in two and letter in result)
    summed = "".join(letter for letter in one if letter in two and letter not in result)
    left = "".join(letter for letter in one if letter not in two)
    right = "".join(letter for letter in two if letter not in one)
    operands = (
        _Operand(first, _order(one, batch + left + summed)),
        _Operand(second, _order(two, batch + summed + right)),
    )
    parts = (len(batch), len(left), len(summed), len(right))
    return _Recipe(operands, shared, parts, _order(batch + left + right, result))


def _prepared(array: Any, operand: _Operand) -> Any:
    if operand.summed:
        array = _cnumeric.asarray(array.sum(axis=operand.summed, dtype=array.dtype))
    return array.transpose(operand.order) if operand.order is not None else array


def _pair(a: Any, b: Any, parts: tuple[int, int, int, int]) -> Any:
    """Two operands as stacks of matrices: (batch, left, summed) @ (batch, summed, right)."""
    batch, left, summed, right = parts
    if batch == 0 and summed == 1 and left <= 1 and right <= 1:
        return _ufunc.matmul(a, b)
    stack, rows, columns = a.shape[:batch], a.shape[batch : batch + left], b.shape[batch + summed :]
    if not summed:
        return _ufunc.multiply(a.reshape((*a.shape, *(1,) * right)), b.reshape((*stack, *(1,) * left, *columns)))
    count = math.prod(a.shape[batch + left :])
    if batch:
        a = a.reshape((math.prod(stack), math.prod(rows), count))
        b = b.reshape((math.prod(stack), count, math.prod(columns)))
    else:
        a, b = a.reshape((math.prod(rows), count)), b.reshape((count, math.prod(columns)))
    return _ufunc.matmul(a, b).reshape((*stack, *rows, *columns))


def simple(subscripts: str, *arrays: Any) -> Any:
    """The sum over one or two arrays whose labels are letters, each once in a term; else raises Unsupported."""
    recipe = _recipe(subscripts, *(array.ndim for array in arrays))
    first = arrays[0]
    if len(arrays) == 1:
        return _prepared(first, recipe.operands[0])
    second = arrays[1]
    one, two = first.shape, second.shape
    for i, j in recipe.shared:
        if one[i] != two[j]:
            raise Unsupported
    result = _pair(_prepared(first, recipe.operands[0]), _prepared(second, recipe.operands[1]), recipe.parts)
    return result.transpose(recipe.order) if recipe.order is not None else result
