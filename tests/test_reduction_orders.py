"""Reductions along what lies far apart in memory: sums are taken in the order that core/cpu/reduce.c says, whatever the
order in which memory is walked, the dtype, the fusion and the number of threads.
"""

import math

import cnumeric
import numpy
import pytest

SMALL, LEAF = 8192, 1024


def block_sums(values, block):
    """Sums of the runs of `block` elements: each in NumPy's tree, or, of long reductions, its leaves."""
    step = block if len(values) <= SMALL else LEAF
    runs = [values[k : k + block] for k in range(0, len(values), block)]
    return [run[k : k + step].sum() for run in runs for k in range(0, len(run), step)]


def total(values, block):
    sums = block_sums(values, block)
    if len(values) > SMALL:
        return values.dtype.type(math.fsum(float(s) for s in sums))
    result = values.dtype.type(0)
    for s in sums:
        result += s
    return result


def in_order(values):
    return numpy.add.accumulate(values)[-1]


def along(view, axes, one):
    """The results of `one` for what each result of the view takes, in C order."""
    kept = [d for d in range(view.ndim) if d not in axes]
    lines = view.transpose((*kept, *axes)).reshape((*(view.shape[d] for d in kept), -1))
    return numpy.apply_along_axis(one, -1, numpy.ascontiguousarray(lines))


# name, shape of the memory, view, reduced axes, how one result is added up
CASES = [
    ("results side by side", (701, 43), lambda a: a.T, (1,), lambda v: total(v, len(v))),
    ("long results side by side", (9001, 19), lambda a: a.T, (1,), lambda v: total(v, len(v))),
    ("one result", (1500, 37), lambda a: a.T, (0, 1), lambda v: total(v, 1500)),
    ("rows that lie as columns", (67, 300), lambda a: a.T, (0,), in_order),
    ("results that alternate", (21, 37, 700), lambda a: a, (0, 2), lambda v: total(v, 700)),
    ("short ones", (10, 5, 70), lambda a: a, (0, 2), lambda v: total(v, 70)),
    ("backwards", (701, 43), lambda a: a[::-1].T, (1,), lambda v: total(v, len(v))),
]


def check_bits(case, dtype, change):
    _, shape, view, axes, one = case
    values = numpy.random.default_rng(3).standard_normal(shape).astype(dtype)
    result = numpy.asarray(change(view(cnumeric.array(values))).sum(axis=axes))
    numpy.testing.assert_array_equal(result, along(change(view(values)), axes, one))


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("dtype", [numpy.float64, numpy.float32])
def test_sums_have_the_bits_of_their_order(case, dtype):
    check_bits(case, dtype, lambda a: a)


@pytest.mark.parametrize("case", [case for case in CASES if len(case[3]) == 1], ids=lambda case: case[0])
@pytest.mark.parametrize("dtype", [numpy.float64, numpy.float32])
def test_so_have_sums_of_what_is_computed(case, dtype):
    check_bits(case, dtype, lambda a: a * a[:1] - dtype(0.5))


@pytest.mark.parametrize("name, shape, view, axes, one", CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("verb", ["max", "min", "any", "sum"])
def test_what_may_be_reordered_is_numpys(name, shape, view, axes, one, verb):
    values = numpy.random.default_rng(3).integers(-99, 99, shape)
    result = getattr(view(cnumeric.array(values)), verb)(axis=axes)
    numpy.testing.assert_array_equal(numpy.asarray(result), getattr(view(values), verb)(axis=axes))


@pytest.mark.parametrize("name, shape, view, axes, one", CASES, ids=[case[0] for case in CASES])
def test_threads_do_not_change_bits(name, shape, view, axes, one):
    values = numpy.random.default_rng(3).standard_normal(shape)
    array = view(cnumeric.array(values))
    before = {name: cnumeric.settings()[name] for name in ("threads", "thread_work")}
    alone = numpy.asarray(array.sum(axis=axes))
    cnumeric.settings(threads=3, thread_work=1)
    try:
        numpy.testing.assert_array_equal(numpy.asarray(array.sum(axis=axes)), alone)
    finally:
        cnumeric.settings(**before)
