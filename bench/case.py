"""One measurement: a row at one size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy


@dataclasses.dataclass(frozen=True)
class Case:
    """What to run, in the words of each system.

    Attributes
    ----------
    function : callable
        ``function(np, *inputs)``, for NumPy and cNumeric.
    inputs : sequence of numpy.ndarray
        Each system gets copies; a function may change them.
    numexpr : str or None
        The expression over x, y, z (the inputs).
    numba : callable or None
        ``numba(*inputs)``, compiled by numba.njit; loops over prange.
    jax : callable or None
        ``jax(jnp, *inputs)``, compiled by jax.jit.
    bytes : float
        The least traffic of one call: inputs once, outputs once. 0: not bound by memory.
    flops : float
        Of one call, where arithmetic is the limit.
    value : callable
        ``value(result, *inputs)``: what is compared of a result that is not the only right one.
    timers : mapping or None
        In place of all that: system name -> ``make(module)``, which gives the timer.
    """

    function: Callable[..., Any] = lambda np: None
    inputs: Sequence[numpy.ndarray[Any, Any]] = ()
    numexpr: str | None = None
    numba: Callable[..., Any] | None = None
    jax: Callable[..., Any] | None = None
    bytes: float = 0
    flops: float = 0
    value: Callable[..., Any] = lambda result, *inputs: result
    timers: Mapping[str, Callable[[Any], Callable[[int], float]]] | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    """A named line of the table: ``make(n)`` gives its case with about n elements (None: of one fixed size)."""

    name: str
    make: Callable[..., Case]
    most: int | None


rows: list[Row] = []


def row(name: str, most: int | None = 10**9) -> Callable[[Callable[..., Case]], Callable[..., Case]]:
    """Register a row; `most` limits its size, None: it has one size only."""

    def register(make: Callable[..., Case]) -> Callable[..., Case]:
        rows.append(Row(name, make, most))
        return make

    return register
