"""Times rows: batches of every system in turn, again and again, and of each the least time a call."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Iterator
from typing import Any

from .case import Case, Row
from .limit import Limits
from .systems import System, Timer, agrees, repeated

LEAST_BATCH = 0.01  # seconds
MOST_REPEATS = 1000


@dataclasses.dataclass
class Result:
    """One system's time of one row at one size."""

    row: str
    size: int | None
    system: str
    seconds: float  # a call
    fraction: float | None  # of the machine's limit
    fallback: bool = False  # NumPy computed some of it
    wrong: bool = False  # not NumPy's result


def repeats_for(timer: Timer) -> int:
    """How many calls take at least LEAST_BATCH (this also warms up)."""
    repeats = 1
    while repeats < MOST_REPEATS:
        seconds = timer(repeats)
        if seconds >= LEAST_BATCH:
            break
        repeats = min(MOST_REPEATS, max(repeats * 2, int(repeats * 1.2 * LEAST_BATCH / max(seconds, 1e-9))))
    return repeats


def least_times(timers: dict[str, Timer], budget: float) -> dict[str, float]:
    """Seconds a call; the systems take turns for about `budget` seconds each, three turns at least."""
    repeats = {name: repeats_for(timer) for name, timer in timers.items()}
    least = dict.fromkeys(timers, float("inf"))
    rounds, end = 0, time.perf_counter() + budget * len(timers)
    while rounds < 3 or time.perf_counter() < end:
        for name, timer in timers.items():
            least[name] = min(least[name], timer(repeats[name]) / repeats[name])
        rounds += 1
    return least


def check(systems: list[System], case: Case) -> dict[str, bool]:
    """Whether each system gives NumPy's result."""
    if case.timers is not None:
        return {}
    expected = case.value(case.function(systems[0].module, *[value.copy() for value in case.inputs]), *case.inputs)
    found = {}
    for system in systems[1:]:
        call = system.call(case)
        if call is not None:
            found[system.name] = agrees(case.value(call(), *case.inputs), expected)
    return found


def fallbacks(systems: list[System]) -> int:
    """How many calls NumPy computed for cNumeric so far."""
    return sum(system.module.stats()["fallbacks"] for system in systems if system.name == "cnumeric")


def measure(row: Row, size: int | None, systems: list[System], limits: Limits, budget: float) -> Iterator[Result]:
    """Time a row at a size with every system that can."""
    case: Any = row.make() if size is None else row.make(size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = fallbacks(systems)
        right = check(systems, case)
        timers = {system.name: timer for system in systems if (timer := system.timer(case)) is not None}
        limit = limits.of(case)
        times = least_times(timers if limit is None else {**timers, "limit": repeated(limit[0])}, budget)
        fell_back = fallbacks(systems) > before
    for name in timers:
        fraction = None
        if limit is not None:
            fraction = (case.flops or case.bytes) / times[name] / (limit[1] / times["limit"])
        fallback, wrong = fell_back and name == "cnumeric", not right.get(name, True)
        yield Result(row.name, size, name, times[name], fraction, fallback, wrong)
