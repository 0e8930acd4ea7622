"""Prints which floating-point events programs have, on operands that are special: the same lines on any place.

    events.py ops|lossy|mixed|hidden [dtypes, or first ops of hidden]

    ops     every elementwise op and cast by itself, for pairs of values; under numpy.errstate()
    lossy   those that are exact or rounded once, likewise, with underflow asked for
    mixed   random programs that fuse: temporaries, results in place, reductions, transposes
    hidden  two ops one after the other, where the second may hide what the first one's event made

Left out is what is no promise: casts out of range to unsigned integers, what functions of complex numbers say of what
is not finite (processors differ with the compiler, too), and the underflow of steps.
"""

import functools
import itertools
import random
import sys
import warnings
from collections.abc import Callable

import cnumeric as np
import numpy
from cnumeric import _cnumeric

REAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.0, 200.0, -800.0, 1e5, 3e9, -5e18, numpy.inf, -numpy.inf, numpy.nan]
EDGES = {
    "f2": [6e4, 6e-8, 1e-4],
    "f4": [3e38, 1e-45, 1e-30, 2.0**-126],
    "f8": [1e308, -1.7e308, 5e-324, 1e-200, 1e-308],
}
INTEGER = [0, 1, -1, 7, -3, "min", "max"]
LOSSY = {"multiply", "divide", "square", "reciprocal", "add", "subtract", "sqrt", "negative", "fmod"}
EXACT = {"add", "subtract", "multiply", "divide", "square", "reciprocal", "negative"}
NO_PROMISE = {"power", "float_power"}  # of complex numbers
FIRST = "add subtract multiply divide floor_divide power hypot".split()  # of two ops
DTYPES = "int8 uint8 int32 int64 uint64 float16 float32 float64 complex64 complex128".split()


def values(dtype: numpy.dtype) -> list:
    if dtype.kind == "f":
        return REAL + EDGES[dtype.str[1:]]
    if dtype.kind == "c":
        few = [0.0, 1.0, -2.0, 1e200 if dtype.itemsize == 16 else 1e30, numpy.inf, numpy.nan]
        return [complex(re, im) for re in few for im in few]
    info = numpy.iinfo(dtype)
    named = [info.min if v == "min" else info.max if v == "max" else v for v in INTEGER]
    return [v for v in named if info.min <= v <= info.max]


def has_loop(ufunc: numpy.ufunc, dtype: numpy.dtype) -> bool:
    try:
        with numpy.errstate(all="ignore"):
            ufunc(*[numpy.ones(2, dtype)] * ufunc.nin)
    except TypeError:
        return False
    return True


def ops(dtype: numpy.dtype, only: set[str]) -> list:
    found = []
    for name in sorted(set(dir(numpy))):
        ufunc = getattr(numpy, name)
        known = isinstance(ufunc, numpy.ufunc) and ufunc.__name__ == name and not ufunc.signature
        refused = name == "power" and dtype.kind in "iu"  # negative exponents
        if known and (not only or name in only) and not refused and has_loop(ufunc, dtype):
            found.append(getattr(np, name))
    return found


def casts(x: np.ndarray, value: complex) -> list:
    kinds = "fc" if x.dtype.kind == "c" else "bif" if value.real < 0 else "biufc"
    return [x.astype(to) for to in "?bBhHiIqQefdFD" if numpy.dtype(to).kind in kinds]


def events(run: Callable[[], object]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kept = run()
        np.synchronize()
        del kept
    return sorted({str(w.message) for w in caught})


def one_by_one(dtypes: list[str], only: set[str]) -> None:
    for name in dtypes:
        dtype = numpy.dtype(name)
        points = values(dtype)
        for a in points:
            for b in points[::3] if dtype.kind == "c" else points:
                chosen = ops(dtype, EXACT if dtype.kind == "c" and not numpy.isfinite([a, b]).all() else only)
                chosen = [op for op in chosen if not (dtype.kind == "c" and op.__name__ in NO_PROMISE)]

                def run(a=a, b=b, chosen=chosen, dtype=dtype):
                    x, y = np.array([a] * 3, dtype), np.array([b] * 3, dtype)
                    return [op(*(x, y)[: op.nin]) for op in chosen], casts(x, a)

                print(name, a, b, "|", events(run))


UNARY = ["sqrt", "log", "exp", "abs", "negative", "tanh", "arctan", "square", "sin", "reciprocal"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "fmin", "floor_divide", "hypot", "power"]


def statement(rng: random.Random, have: list) -> object:
    kind = rng.random()
    if kind < 0.35:
        return getattr(np, rng.choice(UNARY))(rng.choice(have))
    if kind < 0.85:
        return getattr(np, rng.choice(BINARY))(rng.choice(have), rng.choice(have))
    if kind < 0.92:
        return np.where(rng.choice(have) > rng.choice(have), rng.choice(have), rng.choice(have))
    return rng.choice(have) + (rng.choice(have).astype("int32") == 123456789)  # out of range: any number


def mixed_program(seed: int, shape: tuple[int, ...], points: list[float], dtype: str) -> list:
    rng = random.Random(seed)
    x, y, z = (np.array([rng.choice(points) for _ in range(shape[0] * shape[1])], dtype).reshape(shape) for _ in "xyz")
    have = [x, y, z, x.T if shape[0] == shape[1] else y[:, ::-1]]
    for _ in range(rng.randrange(2, 9)):
        have.append(statement(rng, have))
    last = have[-1]
    for value in have[4:-1]:  # nothing is dead: what is may run, or not
        last = np.fmax(last, value)
    if rng.random() < 0.4:
        x += last
    if rng.random() < 0.3:
        x *= x
        x -= y
    kept = [last, x]
    if rng.random() < 0.5:
        kept += [(last * y).sum(axis=rng.choice([None, 0, 1])), (last - y).max()]
    return kept


def mixed() -> None:
    sets = [
        [1.0, 2.5, 0.5, 3.0],
        [1.0, 0.0, -2.0],
        [1.0, numpy.inf, -1.0],
        [numpy.nan, 2.0, 0.0],
        [1e200, 1e-200, -3.0],
        [numpy.nan, numpy.nan, numpy.nan, 1.0, 0.5, 1e300],  # an overflow beside what is missing
        [numpy.nan, numpy.nan, 1.0, 0.0],
        [numpy.nan, numpy.inf, numpy.inf, 2.0],
    ]
    for seed in range(36):
        shape = [(1, 7), (40, 40), (3, 1000), (17, 5)][seed % 4]  # few elements hide less
        for points in sets:
            dtype = ["float64", "float32"][seed // 4 % 2]
            print(seed, points, "|", events(functools.partial(mixed_program, seed, shape, points, dtype)))


def hidden(firsts: list[str]) -> None:
    """Each element by itself: another one's event would be the same."""
    for first in firsts:
        for second in ["add", "multiply", "divide", "maximum", "fmin", "power"]:
            for point in itertools.product([numpy.nan, 1e200, -numpy.inf, 0.0], repeat=3):
                a, b, c = (np.array([value] * 3) for value in point)
                left = events(lambda: getattr(np, second)(getattr(np, first)(a, b), c))  # noqa: B023
                right = events(lambda: getattr(np, second)(c, getattr(np, first)(a, b)))  # noqa: B023
                print(first, second, point, "|", left, right)


what, only = sys.argv[1], sys.argv[2:]
if what == "mixed":
    mixed()
elif what == "hidden":
    hidden(only or FIRST)
elif what == "lossy":
    with numpy.errstate(all="warn"):
        one_by_one(only or [name for name in DTYPES if "complex" not in name], LOSSY)
else:
    one_by_one(only or DTYPES, set())
print("launches", _cnumeric.stats()["device_launches"])
