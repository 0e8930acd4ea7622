"""Sorting, searching, counting, sets and order statistics give what NumPy gives, and NumPy does not compute them.

Each case is an expression, as in test_functions; those of the first tables must not fall back.
"""

import warnings

import cnumeric
import numpy
import pytest
from test_functions import cases, evaluate, native_and_same, same

ORDER = """
np.sort(A)
np.sort(A, 0)
np.sort(A, None)
np.sort(n, 1)
np.sort(b)
np.sort(h)
np.sort(c)
np.sort([3, 1, 2])
np.sort(A, 2)
np.sort(a, kind="stable")
np.sort(a, kind="bad")
np.sort(3)
np.argsort(A, 0)
np.argsort(i, kind="stable")
np.argsort(n)
np.argsort([3, 1, 2])
A.argsort(0)
np.sort_complex(i)
np.sort_complex(c)
np.lexsort((i, i[::-1]))
np.lexsort(A)
np.lexsort([a, i])
np.partition(A, 1, 0)[1]
np.partition(a, 2)[2]
np.partition(a, [1, 3])[[1, 3]]
np.partition(a, 9)
a[np.argpartition(a, 2)[2]]
np.searchsorted(a, 2.0)
np.searchsorted(a, A)
np.searchsorted(a, A, "right")
np.searchsorted(a, [1, 2])
np.searchsorted(a, a, side="bad")
np.searchsorted(A, 2)
np.searchsorted(i, 3, sorter=np.argsort(i))
a.searchsorted(2)
a.searchsorted(A, side="right")
np.digitize(A, a)
np.digitize(A, a, right=True)
np.digitize(A, a[::-1])
np.digitize(A, i)
np.digitize(2.5, a)
np.digitize(2.5, a[::-1])
np.digitize(c, a)
np.interp(A, a, a * 2)
np.interp(2.5, a, a * 2)
np.interp([0, 1, 2.5, 9, np.nan], a, a * 2)
np.interp([0, 1, 2.5, 9, np.nan], a, a * 2, left=-1, right=7)
np.interp(A, [0, 1, 3], [0, np.inf, 2])
np.interp(A, [0, 1, 3], [0, np.nan, 2])
np.interp(A, [0, 1, 3], [0, 2])
np.bincount(i)
np.bincount(i, a)
np.bincount(i, minlength=9)
np.bincount(i, a, 9)
np.bincount([1, 2, 2])
np.bincount(b)
np.bincount(a)
np.bincount(-i)
np.bincount(i, a[1:])
np.bincount(A)
np.bincount(i, minlength=-1)
np.histogram(A)
np.histogram(A, 3)
np.histogram(i, 3)
np.histogram(A, a)
np.histogram(A, [1, 2, 2])
np.histogram(A, 5, (2, 6))
np.histogram(A, 5, range=(2, 6), density=True)
np.histogram(a, 5, weights=a)
np.histogram(a, [1, 3, 4], weights=i)
np.histogram(n)
np.histogram(n, 4, (0, 3))
np.histogram(A, [3, 1])
np.histogram(A, 0)
np.histogram(A, 2.5)
np.histogram(h, 2)
np.histogram(a[:0], 3)
np.histogram_bin_edges(A, 4)
np.histogram_bin_edges(i, 4, (0, 9))
np.histogram2d(a, a * 2, 3)
np.histogram2d(a, a * 2, [2, 3])
np.histogram2d(a, a * 2, a)
np.histogram2d(a, a * 2, [a, 4], density=True)
np.histogram2d(a, a * 2, 3, weights=a, range=[[0, 3], [1, 5]])
np.histogram2d(a, a[1:])
np.histogramdd(A, 2)
np.histogramdd(A[:, :3], (2, 3, 4))
np.histogramdd((a, a, a), 2)
np.histogramdd(A, 2, density=True)
np.repeat(a, 3)
np.repeat(A, 2)
np.repeat(A, 2, axis=1)
np.repeat(A, 2, 0)
np.repeat(A, [1, 0, 2], 0)
np.repeat(a, i)
np.repeat(a, 0)
np.repeat(a, -1)
np.repeat(a, [1, 2])
np.repeat(3, 4)
np.repeat([1, 2], [3, 4])
np.repeat(A, 2, 2)
a.repeat(2)
A.repeat([2, 1, 0], axis=0)
np.cumulative_sum(a)
np.cumulative_sum(A)
np.cumulative_sum(A, axis=1)
np.cumulative_sum(A, axis=1, include_initial=True)
np.cumulative_prod(i)
np.cumulative_prod(A, axis=0, include_initial=True)
np.nancumsum(n)
np.nancumsum(n, 0)
np.nancumprod(n, 1)
np.nancumsum(i)
np.nanargmin(n)
np.nanargmax(n, 1)
np.nanargmax(n, 1, keepdims=True)
np.nanargmin(np.full((2, 2), np.nan))
np.nanargmin(i)
np.add.accumulate(A)
np.multiply.accumulate(i)
np.add.accumulate(b)
np.add.accumulate(i.astype(np.int8))
np.maximum.accumulate(A, 1)
np.minimum.accumulate(n, 1)
np.add.outer(a, i)
np.multiply.outer(A, a)
np.subtract.outer([1, 2], a)
np.add.outer(a, 3)
np.histogram2d(a, a * 2, [a, 4], density=True)
"""

SETS_AND_STATISTICS = """
np.unique(A)
np.unique([3, 1, 3])
np.unique(i, True)
np.unique(i, return_inverse=True)
np.unique(A, return_inverse=True)
np.unique(i, return_counts=True)
np.unique(i, True, True, True)
np.unique(n)
np.unique(np.concatenate([n, n]), return_counts=True)
np.unique(np.concatenate([n, n]), return_index=True)
np.unique(c)
np.unique(b, return_inverse=True)
np.unique(A, axis=0)
np.unique(np.vstack([A, A[::-1]]), axis=0)
np.unique(np.vstack([A, A[::-1]]), True, True, True, axis=0)
np.unique(np.vstack([A, A[::-1]]) > 3, True, True, True, axis=1)
np.unique(T, axis=1, return_index=True)
np.unique(A, axis=2)
np.unique(i, axis=0)
np.unique(a[:0])
np.unique(a[:0], True, True, True)
np.unique(3)
np.unique_all(i)
np.unique_counts(i)
np.unique_inverse(A)
np.sort(np.unique_values(i))
np.isin(A, [1, 2, 3.5])
np.isin(A, a)
np.isin(i, [1, 3], invert=True)
np.isin(np.arange(20), np.arange(3, 15))
np.isin(np.arange(20), np.arange(3, 15), invert=True)
np.isin(i, [])
np.isin(i, a, kind="table")
np.isin(i, i, kind="bad")
np.isin(n, n)
np.union1d(a, i)
np.union1d(A, [1, 2])
np.setdiff1d(a, i)
np.setdiff1d(i, [1])
np.setdiff1d(i, [1], assume_unique=True)
np.setxor1d(a, i)
np.setxor1d([], [])
np.intersect1d(a, i)
np.intersect1d(a, i, return_indices=True)
np.intersect1d(i, [1, 3, 9], return_indices=True)
np.median(A)
np.median(A, 0)
np.median(A, axis=1)
np.median(A, 1, keepdims=True)
np.median(T, (0, 2))
np.median(T, (0, 2), keepdims=True)
np.median(A, keepdims=True)
np.median(i)
np.median(n)
np.median(n, 0)
np.median(n, 1)
np.median(h)
np.median(A, 3)
np.median([3, 1, 2])
np.median(3.0)
np.median(c)
np.median(b)
np.median(A, 0, out=np.zeros(4))
np.nanmedian(n[:1])
np.nanmedian(n[:1], 1)
np.nanmedian(n, 1)
np.nanmedian(n, 0)
np.nanmedian(n)
np.nanmedian(A, 0)
np.nanmedian(np.where(T % 5 == 0, np.nan, T), 1)
np.nanmedian(np.where(T % 5 == 0, np.nan, T), (0, 1), keepdims=True)
np.nanmedian(i)
np.percentile(A, 30)
np.percentile(A, 30, 0)
np.percentile(A, [10, 50, 99], axis=1)
np.percentile(A, [10, 50, 99], axis=(0, 1))
np.percentile(A, [10, 50, 99], axis=1, keepdims=True)
np.percentile(A, 100)
np.percentile(A, 0)
np.percentile(A, [0, 100])
np.percentile(i, 40)
np.percentile(i, 40, method="lower")
np.percentile(i, [40, 60], method="higher")
np.percentile(A, 40, axis=0, method="higher")
np.percentile(n, 40)
np.percentile(n, 40, 0)
np.percentile(n, [40, 60], 1)
np.percentile(A.astype("f4"), 30)
np.percentile(A.astype("f4"), 30, 0)
np.percentile(A.astype("f4"), [30.0], 0)
np.percentile(h, 30)
np.percentile(h, [30, 20])
np.percentile(A, 101)
np.percentile(c, 10)
np.percentile(b, 10)
np.percentile(A, 30, 5)
np.percentile(A, 30, method="bad")
np.quantile(A, 0.3)
np.percentile(A, [0, 1, 40, 99, 100], method="hazen", axis=0)
np.percentile(A, [0, 1, 40, 99, 100], method="weibull", axis=0)
np.percentile(a, [0, 1, 40, 99, 100], method="median_unbiased")
np.percentile(n, [0, 1, 40, 99, 100], method="normal_unbiased", axis=1)
np.percentile(A, [0, 1, 40, 99, 100], method="interpolated_inverted_cdf", axis=1)
np.percentile(A, [0, 1, 40, 99, 100], method="midpoint", axis=1)
np.percentile(i, 37, method="midpoint")
np.quantile(a, np.float32(0.3))
np.quantile(a.astype("f4"), np.float64(0.3))
np.quantile(A.astype("f4"), np.float64(0.7), axis=0)
np.isin(3, i)
np.isin(3, np.arange(30))
np.isin(A, np.arange(30))
np.interp(0.5, [-np.inf, np.inf], [10, 10])
np.quantile(A, 0)
np.quantile(A, 1)
np.quantile(A, [0, 1], 0)
np.quantile(A, [0.25, 0.75], 0)
np.quantile(a, 0.5, out=np.zeros(()))
np.quantile(A, [0.5], axis=0, out=np.zeros((1, 4)))
np.nanpercentile(n[:1], 30)
np.nanpercentile(np.where(T % 5 == 0, np.nan, T), 30)
np.nanpercentile(np.where(T % 5 == 0, np.nan, T), 30, 1)
np.nanpercentile(np.where(T % 5 == 0, np.nan, T), [30, 100], (0, 1))
np.nanquantile(np.where(T % 5 == 0, np.nan, T), [0.3, 0.9], 2, keepdims=True)
np.nanquantile(i, 0.3)
np.corrcoef(A)
np.corrcoef(A, rowvar=False)
np.corrcoef(a)
np.corrcoef(a, a * a)
"""

FALL_BACK = """
np.histogram(b, 2)
np.histogram(i, "auto")
np.repeat(a, 1.5)
np.unique(np.concatenate([n, n]), equal_nan=False)
np.median(a[:0])
np.nanmedian(np.full(3, np.nan))
np.percentile(A, 40, method="nearest")
np.percentile(np.arange(9.0), np.array([[10, 20], [30, 40]]))
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", cases(ORDER + SETS_AND_STATISTICS))
def test_native_and_as_numpy(expression, counters):
    theirs = evaluate(expression, numpy)
    ours = evaluate(expression, cnumeric)
    native_and_same(ours, theirs, counters)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", cases(FALL_BACK))
def test_falls_back_as_numpy(expression):
    same(evaluate(expression, cnumeric), evaluate(expression, numpy))


# ---- Every dtype, with ties, at sizes that sorts treat differently ------------------------------------------

DTYPES = "?bBhHiIlLefdFD"
SIZES = [1, 2, 17, 300, 5000]


def numbers(character, size, seed=0):
    rng = numpy.random.default_rng(seed)
    values = rng.integers(0, 2 + size // 3, size)
    if character in "FD":
        return (values + 1j * rng.integers(0, 3, size)).astype(character)
    return (values / 4 if character in "efd" else values).astype(character)


def equal_bits(ours, theirs):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert numpy.asarray(ours).tobytes() == numpy.ascontiguousarray(theirs).tobytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("character", DTYPES)
def test_order_of_every_dtype(character, size, counters):
    values = numbers(character, size)
    array = cnumeric.array(values)
    equal_bits(cnumeric.sort(array), numpy.sort(values))
    equal_bits(cnumeric.argsort(array), numpy.argsort(values, kind="stable"))
    equal_bits(cnumeric.searchsorted(cnumeric.sort(array), array), numpy.searchsorted(numpy.sort(values), values))
    for ours, theirs in zip(
        cnumeric.unique(array, True, True, True), numpy.unique(values, True, True, True), strict=True
    ):
        equal_bits(ours, theirs)
    equal_bits(cnumeric.partition(array, size // 2)[size // 2 :][:1], numpy.sort(values)[size // 2 :][:1])
    assert counters()["fallbacks"] == 0


@pytest.mark.parametrize("shape", [(7, 5), (40, 3, 6), (2, 900)])
@pytest.mark.parametrize("character", "lfd")
def test_statistics_have_numpys_bits(character, shape, counters):
    values = numpy.random.default_rng(1).normal(0, 100, shape).astype(character)
    array = cnumeric.array(values)
    for axis in (None, 0, -1, (0, 1)):
        same(cnumeric.median(array, axis), numpy.median(values, axis), rtol=0)
        for q in (0, 12.5, 50, 99, 100):
            same(cnumeric.percentile(array, q, axis), numpy.percentile(values, q, axis), rtol=0)
        same(cnumeric.quantile(array, [0.1, 0.5, 0.77], axis), numpy.quantile(values, [0.1, 0.5, 0.77], axis), rtol=0)
    assert counters()["fallbacks"] == 0


@pytest.mark.filterwarnings("ignore:All-NaN")
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_statistics_without_nan(axis, counters):
    rng = numpy.random.default_rng(2)
    values = rng.normal(size=(30, 11))
    values[rng.random(values.shape) < 0.4] = numpy.nan
    array = cnumeric.array(values)
    same(cnumeric.nanmedian(array, axis), numpy.nanmedian(values, axis))
    same(cnumeric.nanpercentile(array, [5, 50, 100], axis), numpy.nanpercentile(values, [5, 50, 100], axis), rtol=0)
    same(cnumeric.nanquantile(array, 0.3, axis), numpy.nanquantile(values, 0.3, axis), rtol=0)
    assert counters()["fallbacks"] == 0


@pytest.mark.parametrize("character", "lfd")
@pytest.mark.parametrize("bins", [1, 10, 37, [0.0, 1.0, 5.0, 5.0, 20.0]])
def test_histograms_count_as_numpy(character, bins, counters):
    values = numbers(character, 100_000, 3).astype(float) % 40
    values = values.astype(character)
    array = cnumeric.array(values)
    same(cnumeric.histogram(array, bins), numpy.histogram(values, bins))
    same(cnumeric.histogram(array, bins, weights=array), numpy.histogram(values, bins, weights=values), rtol=1e-6)
    same(
        cnumeric.histogram2d(array, array[::-1], bins=[4, bins]),
        numpy.histogram2d(values, values[::-1], bins=[4, bins]),
    )
    assert counters()["fallbacks"] == 0


def test_interp_has_numpys_bits(counters):
    rng = numpy.random.default_rng(4)
    places, values = numpy.sort(rng.normal(size=50)), rng.normal(size=50)
    places[7] = places[8]
    at = numpy.concatenate([rng.normal(size=2000) * 2, places, [numpy.nan, numpy.inf, -numpy.inf]])
    for filled in (values, numpy.where(values > 1, numpy.inf, values)):
        with numpy.errstate(all="ignore"):
            theirs = numpy.interp(at, places, filled)
            ours = cnumeric.interp(cnumeric.array(at), cnumeric.array(places), cnumeric.array(filled))
        same(ours, theirs, rtol=0)
    assert counters()["fallbacks"] == 0


@pytest.mark.parametrize("points", [1, 2, 3, 50])
def test_interp_of_few_has_the_bits_of_many(points):
    rng = numpy.random.default_rng(5)
    places, values = numpy.sort(rng.normal(size=points).round(1)), rng.normal(size=points)  # some of them twice
    at = numpy.concatenate([rng.normal(size=2000) * 2, places, [numpy.nan, numpy.inf, -numpy.inf]])
    for special in (None, numpy.nan, numpy.inf, -0.0):
        for ends in ({}, {"left": -5, "right": 7.5}):
            if special is not None:
                values[-1] = special
            given = cnumeric.array(places), cnumeric.array(values)
            many = cnumeric.interp(cnumeric.array(at), *given, **ends).tolist()
            parts = [cnumeric.interp(cnumeric.array(part), *given, **ends) for part in numpy.array_split(at, 5)]
            pending = cnumeric.interp(cnumeric.array(at[:500]) * 1, given[0] + 0, given[1] * 1, **ends)
            with numpy.errstate(all="ignore"):
                expected = numpy.interp(at, places, values, **ends)
            numpy.testing.assert_array_equal(numpy.concatenate([numpy.asarray(part) for part in parts]), expected)
            numpy.testing.assert_array_equal(many, expected)
            numpy.testing.assert_array_equal(numpy.asarray(pending), expected[:500])


@pytest.mark.parametrize("few", [3, 400])
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("character", "lfd")
def test_membership(character, invert, few):
    values, tests = numbers(character, 3000, 5), numbers(character, 3000, 6)[:few]
    same(
        cnumeric.isin(cnumeric.array(values), cnumeric.array(tests), invert=invert),
        numpy.isin(values, tests, invert=invert),
    )


# ---- Methods and ufunc methods ------------------------------------------------------------------------------

METHODS = """
A.sort()
A.sort(0)
A.sort(axis=1, kind="stable")
A[:, ::2].sort(0)
A.sort(2)
A.sort(order="x")
A.partition(1)
A.partition(1, axis=0)
A.partition(7)
i.put([0, 2], [7, 8])
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("statement", cases(METHODS))
def test_methods_in_place(statement):
    results = []
    for module in (cnumeric, numpy):
        names = {"A": module.array([[3.0, 1.0, 2.0], [9.0, 7.0, 8.0]]), "i": module.array([3, 1, 2])}
        try:
            exec(statement, names)
        except Exception as error:
            results.append(error)
        else:
            results.append([numpy.sort(numpy.asarray(names["A"]), 1), numpy.asarray(names["i"])])
    ours, theirs = results
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs))
        assert str(ours) == str(theirs)
    else:
        for one, two in zip(ours, theirs, strict=True):
            numpy.testing.assert_array_equal(one, two)


def test_sort_in_place_reaches_the_base(counters):
    base = cnumeric.array([[3.0, 1.0, 2.0], [9.0, 7.0, 8.0]])
    base[0].sort()
    base.T[2].sort()
    numpy.testing.assert_array_equal(numpy.asarray(base), [[1, 2, 3], [9, 7, 8]])
    assert counters()["fallbacks"] == 0


ACCUMULATE = [
    ("add", "?bBhHiIlLefdFD"),
    ("multiply", "?bBhHiIlLefdFD"),
    ("maximum", "?bBhHiIlLfd"),
    ("minimum", "?bBhHiIlLfd"),
    ("logical_or", "?bl"),
    ("bitwise_xor", "?bl"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "characters"), ACCUMULATE)
def test_accumulate_has_numpys_dtypes(name, characters):
    for character in characters:
        values = numbers(character, 12).reshape(3, 4)
        for axis in (0, 1, -1):
            ours = getattr(cnumeric, name).accumulate(cnumeric.array(values), axis)
            same(ours, getattr(numpy, name).accumulate(values, axis), rtol=1e-3 if character == "e" else 1e-6)


@pytest.mark.parametrize("first", ["a", "a[::-1]", "a.reshape(2, 3).T", "[1, 2.5]", "3", "f", "f.reshape(3, 1)"])
@pytest.mark.parametrize("second", ["a", "a[::2]", "a.reshape(3, 2)", "2.5"])
def test_outer_of_all_layouts(first, second, counters):
    results = []
    for module in (cnumeric, numpy):
        names = {"a": module.arange(6.0), "f": module.array([1, 2, 3], "f4")}
        results.append(module.subtract.outer(eval(first, names), eval(second, names)))
    same(*results)
    assert counters()["fallbacks"] == 0


# ---- What is recorded, and what is not warned of ------------------------------------------------------------


@pytest.mark.default_settings  # windows of one op run at once
def test_what_depends_on_no_data_is_recorded(counters):
    array = cnumeric.array(numpy.random.default_rng(7).normal(size=(50, 60)))
    lazy = [
        cnumeric.sort(array, 0),
        cnumeric.argsort(array),
        cnumeric.median(array, 0),
        cnumeric.percentile(array, 30, 1),
        cnumeric.repeat(array, 3, 1),
        cnumeric.searchsorted(cnumeric.sort(array[0]), array),
        cnumeric.cumulative_sum(array, axis=1),
        cnumeric.unwrap(array),
    ]
    reads = cnumeric.stats()["reads"]
    assert reads == 0
    assert cnumeric.stats()["windows"] == 0
    assert all(numpy.isfinite(numpy.asarray(one)).all() for one in lazy)


def test_a_fallback_still_warns_at_the_callers_line():
    array = cnumeric.arange(10.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cnumeric.histogram_bin_edges(array, "stone")
    assert [entry.filename for entry in caught if entry.category is cnumeric.FallbackWarning] == [__file__]


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_long_running_sums_follow_places_alone(dtype):
    """NumPy's bits up to 8,192 elements; beyond, what stands before an element decides, and how much that is."""
    x = numpy.random.default_rng(7).standard_normal(30000).astype(dtype)
    ours = cnumeric.array(x)
    assert numpy.array_equal(numpy.asarray(ours[:8192].cumsum()), x[:8192].cumsum())
    whole = numpy.asarray(ours.cumsum())
    exact = numpy.cumsum(x.astype("f8" if dtype == "f4" else "longdouble"))
    assert abs(whole - exact).max() <= 60 * numpy.finfo(dtype).eps * abs(exact).max()
    for n in (8193, 12288, 20001):
        assert numpy.array_equal(numpy.asarray(ours[:n].cumsum()), whole[:n])
    strided = cnumeric.array(numpy.repeat(x, 2))[::2]
    assert numpy.array_equal(numpy.asarray(strided.cumsum()), whole)
    lines = cnumeric.array(numpy.stack([x, -x, x]))
    assert numpy.array_equal(numpy.asarray(lines.cumsum(1)), numpy.stack([whole, -whole, whole]))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1", "?"])
@pytest.mark.parametrize("n", [16384, 65536 * 2 + 17, 1000003])
def test_a_line_that_threads_share_has_the_bits_of_one(dtype, n):
    values = (numpy.random.default_rng(12).random(n) * 50).astype(dtype)
    texts = ["np.cumsum(x)", "np.cumsum(x[::-1])", "np.maximum.accumulate(x)", "np.cumsum(x.reshape(1, n), 1)"]
    texts += ["np.bitwise_xor.accumulate(x)", "np.cumsum(x, out=x)"] if dtype in ("i8", "f8") else []
    before = {name: cnumeric.settings()[name] for name in ("threads", "thread_work")}
    for text in texts[: 4 if dtype[0] == "f" else 6]:
        found = []
        for threads in (1, 2, 5):
            cnumeric.settings(threads=threads, thread_work=1)
            found.append(numpy.asarray(eval(text, {"np": cnumeric, "x": cnumeric.array(values), "n": n})))
        cnumeric.settings(**before)
        exact = eval(text, {"np": numpy, "x": values.copy(), "n": n})
        numpy.testing.assert_allclose(found[0], exact, rtol=2e-2 if dtype == "f4" else 1e-9)
        numpy.testing.assert_array_equal(found[1], found[0])
        numpy.testing.assert_array_equal(found[2], found[0])


@pytest.mark.parametrize("place", [0, 5000, 70000, 99999])
def test_a_thread_tells_the_events_of_its_share(place):
    values = numpy.full(100000, 1e300)
    values[place] = numpy.finfo(float).max
    before = {name: cnumeric.settings()[name] for name in ("threads", "thread_work")}
    cnumeric.settings(threads=3, thread_work=1)
    with pytest.warns(RuntimeWarning, match="overflow encountered in accumulate") as told:
        numpy.asarray(cnumeric.cumsum(cnumeric.array(values)))
    cnumeric.settings(**before)
    assert len(told) == 1


def test_numbers_are_interpolated_as_numpy_does():
    """Between and outside the points, at them, with infinities, overflows and NaNs."""
    rng = numpy.random.default_rng(0)
    for _ in range(60):
        n = rng.integers(1, 7)
        places = numpy.sort(rng.integers(-3, 4, n) * 1.0)
        places[-1] = rng.choice([places[-1], numpy.inf])
        places[0] = rng.choice([places[0], -numpy.inf])
        values = rng.choice([0.0, 1.0, -2.5, numpy.inf, -numpy.inf, numpy.nan, 3e308, -3e308], n)
        for x in (-4, -3.0, -0.5, 0, 1, 2.5, 3, 9, numpy.inf, -numpy.inf, numpy.nan):
            for ends in ({}, {"left": -7}, {"right": 7}, {"left": 1, "right": 2}):
                with numpy.errstate(all="ignore"):
                    expected = numpy.interp(x, places, values, **ends)
                    found = cnumeric.interp(x, cnumeric.array(places), cnumeric.array(values), **ends)
                assert type(found) is type(expected)
                assert numpy.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("dtype", "?bBhHiIlLefdFD")
def test_places_of_extremes(dtype):
    random = numpy.random.default_rng(7)
    for length in (1, 2, 7, 8, 15, 16, 17, 33, 63, 64, 100, 127, 129, 200, 1023, 1025, 9000):
        lines = (random.integers(0, 9 if length < 300 else 100, (5, length)) - (dtype in "bhilefdFD")).astype(dtype)
        if numpy.dtype(dtype).kind in "fc":
            lines[1, length // 2 :: 3] = numpy.nan
            lines[2, -1] = numpy.nan
            lines[3] = numpy.where(lines[3] == 0, -lines[3], lines[3])
            lines[4] = numpy.inf
        ours = cnumeric.array(lines)
        for name in ("argmin", "argmax"):
            expected = getattr(lines, name)(1).tolist()
            assert getattr(ours, name)(1).tolist() == expected
            assert getattr(ours.T, name)(0).tolist() == expected
            assert getattr(cnumeric.array(lines.T.copy()), name)(0).tolist() == expected
            assert [int(getattr(line, name)()) for line in ours] == expected


@pytest.mark.parametrize("dtype", "?bBhHlfdD")
def test_reductions_of_lines_of_any_length(dtype):
    random = numpy.random.default_rng(8)
    for length in (1, 3, 15, 16, 31, 32, 63, 65, 100, 255, 257, 316, 511, 513, 1100):
        lines = random.integers(0, 100, (6, length)).astype(dtype)
        lines[0], lines[1, -1], lines[2, 0] = 0, 1, 0
        lines[3] = 1
        ours = cnumeric.array(lines)
        for name in ("any", "all", "min", "max"):
            assert getattr(ours, name)(1).tolist() == getattr(lines, name)(1).tolist(), (name, length)


@pytest.mark.parametrize("dtype", "?bhifdFDe")
def test_counts_of_what_is_at_hand(dtype):
    random = numpy.random.default_rng(9)
    for size in (0, 1, 7, 100, 5000):
        values = (random.integers(0, 3, size) - (dtype in "bhifdFDe")).astype(dtype)
        if size and dtype in "fdFDe":
            values[0], values[-1] = numpy.nan, -0.0
        ours = cnumeric.array(values)
        for theirs, own in ((values, ours), (values[::2], ours[::2]), (values[1:], ours[1:]), (values + 0, ours + 0)):
            assert cnumeric.count_nonzero(own) == numpy.count_nonzero(theirs)
        assert type(cnumeric.count_nonzero(ours)) is type(numpy.count_nonzero(values))


@pytest.mark.parametrize("shape", [(7,), (3, 5), (4, 3, 5), (2, 3, 4, 5)])
def test_taken_along_any_axis(shape):
    random = numpy.random.default_rng(10)
    values = random.random(shape)
    for order in "CF":
        theirs = numpy.array(values, order=order)
        ours = cnumeric.array(theirs)
        for axis in (None, *range(-len(shape), len(shape))):
            extent = values.size if axis is None else shape[axis]
            for form in ((4,), (2, 3), (0,), ()):
                index = random.integers(-extent, extent, form)
                for kind in (numpy.int64, numpy.int8):
                    same(cnumeric.take(ours, cnumeric.array(index.astype(kind)), axis), numpy.take(theirs, index, axis))
            with pytest.raises(IndexError):
                cnumeric.take(ours, cnumeric.array([extent]), axis)


def test_repeated_as_often_as_counted():
    values = numpy.arange(12.0).reshape(3, 4)
    ours = cnumeric.array(values)
    for counts, axis in (([2, 0, 3], 0), ([1, 2, 3, 0], 1), ([0, 0, 0], 0), ([3], 1), (numpy.arange(12), None)):
        given = cnumeric.array(counts)
        same(cnumeric.repeat(ours, given, axis), numpy.repeat(values, counts, axis))
        same(ours.repeat(given, axis), numpy.repeat(values, counts, axis))
    same(cnumeric.repeat(ours[:0], cnumeric.array([], int), 0), numpy.repeat(values[:0], numpy.array([], int), 0))


@pytest.mark.parametrize("length", [1, 7, 63, 64, 65, 200, 5000])
def test_first_truths(length):
    random = numpy.random.default_rng(9)
    lines = (random.random((6, length)) < [[0], [1], [0.01], [0.99], [0.5], [2 / length]]).astype(numpy.uint8)
    lines[4] *= random.integers(1, 256, length).astype(numpy.uint8)  # truths are whatever is not 0
    theirs, ours = lines.view(bool), cnumeric.array(lines).view(bool)
    for name in ("argmin", "argmax"):
        assert getattr(ours, name)(1).tolist() == getattr(theirs, name)(1).tolist()
        assert [int(getattr(line, name)()) for line in ours] == [int(getattr(line, name)()) for line in theirs]
        for mine, reference in ((ours.T, theirs.T), (ours[:, ::-2], theirs[:, ::-2]), (ours[::2], theirs[::2])):
            for axis in (None, 0, 1):
                same(getattr(mine, name)(axis), getattr(reference, name)(axis))
