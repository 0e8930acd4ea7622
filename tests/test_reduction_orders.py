"""Reductions of arrays that lie in any order of their axes: sums are taken in the order that core/cpu/reduce.c says,
along memory as the program wrote the array, whatever the way memory is walked, the dtype, the fusion and the number of
threads.
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
    """Rows one after the other; of many, runs of them."""
    step = LEAF if len(values) > SMALL else len(values)
    runs = [numpy.add.accumulate(values[k : k + step])[-1] for k in range(0, len(values), step)]
    return numpy.add.accumulate(numpy.array(runs))[-1]


def along(view, axes, one):
    """The results of `one` for what each result of the view takes, as it lies in memory."""
    kept = [d for d in range(view.ndim) if d not in axes]
    folded = sorted(axes, key=lambda d: -abs(view.strides[d]))
    lines = view.transpose((*kept, *folded)).reshape((*(view.shape[d] for d in kept), -1))
    return numpy.apply_along_axis(one, -1, numpy.ascontiguousarray(lines))


# name, shape of the memory, view, reduced axes, how one result is added up
CASES = [
    ("columns", (701, 43), lambda a: a.T, (1,), in_order),
    ("long columns", (9001, 19), lambda a: a.T, (1,), in_order),
    ("one result", (1500, 37), lambda a: a.T, (0, 1), lambda v: total(v, len(v))),
    ("one result with gaps", (1500, 37), lambda a: a[:, 1:].T, (0, 1), lambda v: total(v, 36)),
    ("rows", (67, 300), lambda a: a.T, (0,), lambda v: total(v, len(v))),
    ("results that alternate", (21, 37, 700), lambda a: a, (0, 2), lambda v: total(v, 700)),
    ("the same, turned", (21, 37, 700), lambda a: a.T, (0, 2), lambda v: total(v, 700)),
    ("short ones", (10, 5, 70), lambda a: a, (0, 2), lambda v: total(v, 70)),
    ("rows of pairs", (700, 9, 2), lambda a: a, (0,), in_order),
    ("any order", (30, 7, 90), lambda a: a.transpose(2, 0, 1), (0, 2), lambda v: total(v, len(v))),
    ("axes of one", (30, 1, 90), lambda a: a.transpose(2, 0, 1), (0, 2), lambda v: total(v, len(v))),
    ("backwards", (701, 43), lambda a: a[::-1].T, (1,), in_order),
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


@pytest.mark.parametrize("axes", [0, 1, (0, 1)])
@pytest.mark.parametrize("shape", [(301, 83), (19, 9001), (9001, 19)])
def test_what_else_a_group_reads_may_lie_otherwise(axes, shape):
    values = numpy.random.default_rng(3).standard_normal((2, *shape))
    x, y = cnumeric.array(values[0]), cnumeric.asfortranarray(cnumeric.array(values[1]))
    result = numpy.asarray((x + y).sum(axis=axes))
    numpy.testing.assert_array_equal(result, numpy.asarray(cnumeric.array(values[0] + values[1]).sum(axis=axes)))


def test_reductions_of_one_launch_keep_their_orders():
    values = numpy.random.default_rng(3).standard_normal((2, 130, 130))
    x, y = cnumeric.array(values[0]), cnumeric.array(values[1]).T
    found = x.sum(), y.sum(), x.sum(axis=0), y.sum(axis=0)
    for result, view, axes in zip(found, [values[0], values[1].T] * 2, [(0, 1), (0, 1), (0,), (0,)], strict=True):
        order = in_order if axes == (0,) and view.flags.c_contiguous else lambda v: total(v, len(v))
        numpy.testing.assert_array_equal(numpy.asarray(result), along(view, axes, order))


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


def deviations(values, axis):
    """The variance, from integers of any size if need be."""
    exact = values.astype(numpy.longdouble)
    return ((exact - exact.mean(axis=axis, keepdims=True)) ** 2).mean(axis=axis)


@pytest.mark.parametrize(
    ("shape", "axis"), [((20000,), 0), ((9000, 40), 0), ((9216, 5), 0), ((3, 8193, 5), 1), ((4, 10000), 1)]
)
@pytest.mark.parametrize("far", [0.0, 1e9])
def test_long_variances_are_as_good_as_any(shape, axis, far):
    """Variances of more elements than are added in NumPy's order: near the exact ones, wherever the numbers lie."""
    values = numpy.random.default_rng(3).standard_normal(shape) + far
    exact = deviations(values, axis)
    for view in (values, values[::-1]):
        mine = numpy.asarray(cnumeric.array(view).var(axis=axis))
        assert mine.shape == exact.shape
        assert numpy.max(abs(mine - deviations(view, axis)) / exact) < 3e-14
    single = (values - far).astype("f4")
    mine = numpy.asarray(cnumeric.array(single).std(axis=axis, keepdims=True))
    assert mine.dtype == "f4" and mine.shape == single.std(axis=axis, keepdims=True).shape
    numpy.testing.assert_allclose(mine, single.astype("f8").std(axis=axis, keepdims=True), rtol=3e-6)


def test_long_variances_of_odd_numbers():
    """One that is far from all others, in any place of its leaf; equal ones; integers; what is not finite."""
    base = numpy.random.default_rng(4).standard_normal(10000)
    for place in (0, 512, 700, 9999):
        values = base.copy()
        values[place] = 1e8
        assert abs(cnumeric.array(values).var() / deviations(values, 0) - 1) < 1e-12
    assert cnumeric.full(10000, 0.1).var() == 0
    numbers = numpy.arange(10000) % 7
    assert abs(cnumeric.array(numbers).var(ddof=1) / numbers.var(ddof=1) - 1) < 1e-14
    for bad in (numpy.nan, numpy.inf):
        base[5] = bad
        with numpy.errstate(invalid="ignore"):
            assert numpy.isnan(cnumeric.array(base).var())


@pytest.mark.default_settings
def test_long_variances_read_once():
    """One group reads the array; what it leaves is a 512th."""
    x = cnumeric.ones((1 << 14, 256))
    cnumeric.flush()
    before = cnumeric.stats()["bytes_read"]
    y = x.var(axis=0)
    cnumeric.flush()
    assert cnumeric.stats()["bytes_read"] - before < 1.05 * x.nbytes
    assert y.shape == (256,)
