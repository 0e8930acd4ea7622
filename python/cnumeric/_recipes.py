"""What einsum does for one or two operands with plain labels: read once for a string of subscripts, then as recipes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _cnumeric
from ._fallback import Unsupported
from ._strides import view_of

Recipe = Callable[..., Any]
_widest = frozenset("lqLQfdFD")  # dtypes that sums keep by themselves


class _Operand(NamedTuple):
    """What is done to an operand first: diagonals, sums over labels that nothing else has, an order of the axes."""

    diagonals: tuple[tuple[int, ...], ...] | None  # axes of each label; None: each has one
    summed: tuple[int, ...]
    order: tuple[int, ...] | None  # None: as they are


def _order(have: str, want: str) -> tuple[int, ...] | None:
    return tuple(have.index(letter) for letter in want) if have != want else None


def _terms(subscripts: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the result."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = "".join(terms)
    if len(terms) != len(ndims) or not letters.isalpha():
        raise Unsupported
    if not arrow:
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    if len(set(result)) != len(result) or set(result) - set(letters):
        raise Unsupported
    if any(len(term) != ndim for term, ndim in zip(terms, ndims, strict=True)):
        raise ValueError("einstein sum subscripts do not fit the number of dimensions")
    return terms, result


def _operand(term: str, kept: str, want: str) -> _Operand:
    """From an operand with these labels, of which some are kept, to the labels that are wanted."""
    once = "".join(dict.fromkeys(term))
    diagonals = tuple(tuple(axis for axis, label in enumerate(term) if label == one) for one in once)
    left = "".join(letter for letter in once if letter in kept)
    return _Operand(
        diagonals if len(once) < len(term) else None,
        tuple(axis for axis, letter in enumerate(once) if letter not in kept),
        _order(left, want),
    )


def _diagonal(array: Any, diagonals: tuple[tuple[int, ...], ...]) -> Any:
    """A view with one axis for those that have a label in common."""
    shape, strides = array.shape, array.strides
    if any(shape[axis] != shape[axes[0]] for axes in diagonals for axis in axes):
        raise Unsupported
    return view_of(
        array,
        array.dtype,
        0,
        [shape[axes[0]] for axes in diagonals],
        [sum(strides[axis] for axis in axes) for axes in diagonals],
    )


def _sum(array: Any, axes: tuple[int, ...]) -> Any:
    """The sum over the axes, of the array's dtype; of all axes it is a number."""
    if array.dtype.char in _widest:
        return array.sum() if len(axes) == array.ndim else array.sum(axes)
    return array.sum(axis=axes, dtype=array.dtype)


def _prepared(array: Any, operand: _Operand) -> Any:
    if operand.diagonals is not None:
        array = _diagonal(array, operand.diagonals)
    if operand.summed:
        array = _sum(array, operand.summed)
    return array.transpose(operand.order) if operand.order is not None else array


def _pair(a: Any, b: Any, parts: tuple[int, int, int, int]) -> Any:
    """Two operands as stacks of matrices: (batch, left, summed) @ (batch, summed, right)."""
    batch, left, summed, right = parts
    stack, rows, columns = a.shape[:batch], a.shape[batch : batch + left], b.shape[batch + summed :]
    if not summed:
        return _cnumeric.multiply(a.reshape((*a.shape, *(1,) * right)), b.reshape((*stack, *(1,) * left, *columns)))
    count = math.prod(a.shape[batch + left :])
    if batch:
        a = a.reshape((math.prod(stack), math.prod(rows), count))
        b = b.reshape((math.prod(stack), count, math.prod(columns)))
    else:
        a, b = a.reshape((math.prod(rows), count)), b.reshape((count, math.prod(columns)))
    return _cnumeric.matmul(a, b).reshape((*stack, *rows, *columns))


def _product(parts: tuple[int, int, int, int]) -> Recipe:
    """What makes (batch, left, right) of two operands prepared."""
    batch, left, summed, right = parts
    if batch == 0 and summed == 1 and left <= 1 and right <= 1:
        return _cnumeric.dot
    if not (batch or left or right):
        return lambda a, b: _cnumeric.dot(a.reshape(-1), b.reshape(-1))
    if batch and summed and not left and not right:
        axes = tuple(range(batch, batch + summed))
        return lambda a, b: _sum(_cnumeric.multiply(a, b), axes)
    return lambda a, b: _pair(a, b, parts)


def _of_one(terms: list[str], result: str) -> Recipe:
    operand = _operand(terms[0], result, result)
    return lambda array: _prepared(array, operand)


def _of_two(terms: list[str], result: str) -> Recipe:
    one, two = ("".join(dict.fromkeys(term)) for term in terms)
    one = "".join(letter for letter in one if letter in result + two)
    two = "".join(letter for letter in two if letter in result + one)
    batch = "".join(letter for letter in one if letter in two and letter in result)
    summed = "".join(letter for letter in one if letter in two and letter not in result)
    left = "".join(letter for letter in one if letter not in two)
    right = "".join(letter for letter in two if letter not in one)
    shared = tuple((i, terms[1].index(letter)) for i, letter in enumerate(terms[0]) if letter in terms[1])
    first, second = _operand(terms[0], one, batch + left + summed), _operand(terms[1], two, batch + summed + right)
    product = _product((len(batch), len(left), len(summed), len(right)))
    order = _order(batch + left + right, result)
    plain = first == second == _Operand(None, (), None)

    def recipe(a: Any, b: Any) -> Any:
        extents, others = a.shape, b.shape
        for i, j in shared:
            if extents[i] != others[j]:
                raise Unsupported
        found = product(a, b) if plain else product(_prepared(a, first), _prepared(b, second))
        return found.transpose(order) if order is not None else found

    return recipe


@functools.lru_cache(maxsize=512)
def recipe_of(subscripts: str, *ndims: int) -> Recipe:
    """The function of one or two arrays of so many dimensions that the subscripts say; else raises Unsupported.

    It gives an array, or the number that NumPy gives, and raises Unsupported where an extent of 1 meets a longer one.
    """
    terms, result = _terms(subscripts, ndims)
    return _of_one(terms, result) if len(terms) == 1 else _of_two(terms, result)
