"""Small windows run op by op, without a plan, and small copies of values at hand when they are called: the same bits,
events and memory as with plans, and as NumPy.
"""

import itertools
import warnings

import cnumeric
import numpy
import pytest

DTYPES = "bool int8 int32 uint64 float16 float32 float64 complex64 complex128".split()
LAYOUTS = {
    "run": lambda a: a,
    "reversed": lambda a: a[::-1],
    "apart": lambda a: a[::3],
    "matrix": lambda a: a.reshape(6, 10)[1:5, 2:9],
    "turned": lambda a: a.reshape(6, 10).T,
    "one for all": lambda a: a[4:5],
}
STATEMENTS = [
    "z = x + y",
    "z = x * 3",
    "z = x == y",
    "z = np.where(y > x, x, y)",
    "z = x.copy()",
    "z = x.astype(np.float32)",
    "z = np.empty(x.shape, np.complex128); z[...] = x",
    "z = x + y; z *= y; z -= x",
    "z = np.array([x.sum(), y.max(), (x * y).sum()])",
    "z = np.modf(abs(x))[1] + y",
    "z = np.cumsum(x.ravel())",
    "z = np.dot(x.ravel(), y.ravel()) + x.reshape(-1, 1) @ y.reshape(1, -1)",
    "z = np.repeat(x.ravel(), 3)[np.arange(3)]",
]


def operands(np, dtype, layout):
    values = numpy.random.default_rng(7).integers(0, 9, (2, 60)).astype(dtype)
    return tuple(LAYOUTS[layout](np.array(row)) for row in values)


def outcome(np, text, dtype, layout):
    """What the statement gives, or the exception, as something to compare; and what it warned of."""
    x, y = operands(np, dtype, layout)
    names = {"np": np, "x": x, "y": y}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(text, names)
            result = numpy.asarray(names["z"])
            result = result.dtype, result.shape, result.tobytes()
        except TypeError as error:
            result = type(error), str(error)
    return result, sorted({str(w.message) for w in caught if "not native" not in str(w.message)})


@pytest.fixture
def planned():
    """The same with a plan for every window."""
    before = cnumeric.settings()["unplanned_ops"]

    def call(function, *args):
        cnumeric.settings(unplanned_ops=0)
        try:
            return function(*args)
        finally:
            cnumeric.settings(unplanned_ops=before)

    return call


@pytest.mark.parametrize("text", STATEMENTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bits_of_numpy_and_of_plans(text, layout, planned):
    for dtype in DTYPES:
        expected = outcome(numpy, text, dtype, layout)
        assert outcome(cnumeric, text, dtype, layout) == expected, dtype
        assert planned(outcome, cnumeric, text, dtype, layout) == expected, dtype


@pytest.mark.parametrize("text", ["1.0 / x", "x * 1e308 * 1e10", "np.log(x - 5)", "(x * 1e300).astype(np.float32)"])
def test_events_are_told_as_numpy_tells_them(text):
    def told(np):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            numpy.asarray(eval(text, {"np": np, "x": np.arange(20.0)}))
        return [(str(w.message), w.category) for w in caught]

    assert told(cnumeric) == told(numpy) != []


@pytest.mark.default_settings
def test_small_windows_have_no_plan(counters):
    x, y = cnumeric.arange(50.0) * 0.5, cnumeric.ones(50)
    assert float((x * y)[3]) == 1.5
    counters()
    cnumeric.stats_reset()
    for k in range(1, 40):
        y[:k] += 2.0 * y[:k][::-1]
        y[k] = k
        assert float((x[:k] * y[:k]).sum()) > -1
        assert float(cnumeric.dot(x[:k], y[:k])) > -1
    counted = counters()
    assert counted["unplanned"] == counted["windows"] > 0
    assert counted["plan_hits"] == counted["plan_misses"] == 0


@pytest.mark.default_settings
def test_all_windows_have_plans_while_they_are_explained(counters):
    x = cnumeric.ones(5)
    cnumeric.explain(True)
    assert float((x + 1.0)[2]) == 2.0
    assert "add" in cnumeric.explain(False)
    assert counters()["unplanned"] == 0
    assert float((x + 2.0)[2]) == 3.0
    assert counters()["unplanned"] == 1


@pytest.mark.default_settings
@pytest.mark.parametrize("size, ops", [(2000, 1), (50, 9)])
def test_larger_windows_have_one(size, ops, counters):
    x = cnumeric.ones(size)
    for _ in range(ops):
        x = x + 1.0
    assert float(x[0]) == ops + 1
    assert counters()["unplanned"] == 0


def test_storage_that_a_copy_shares_is_not_written():
    big = cnumeric.arange(3000.0) + 0.0
    cnumeric.synchronize()
    other = big.copy()  # too large to be copied when called: it shares
    cnumeric.synchronize()
    big[:20] += 1.0
    assert float(big[3]) == 4.0
    assert float(other[3]) == 3.0


@pytest.mark.default_settings
def test_copies_of_values_at_hand_record_nothing(counters):
    x, y = cnumeric.array([1.0, 2.0, 3.0]), cnumeric.zeros(3)
    y[:] = x
    z = y.copy()
    y[1:] = 7.0
    w = x[cnumeric.array([2, 0])]
    assert counters()["ops"] == 0
    assert [a.tolist() for a in (x, y, z, w)] == [[1, 2, 3], [1, 7, 7], [1, 2, 3], [3, 1]]


def test_copies_wait_for_what_is_pending():
    x = cnumeric.ones(5)
    before = x + 0.0
    x += 1.0  # pending
    y = x.copy()
    x[:] = before  # x is to be read first
    x[::2] = 9.0
    assert y.tolist() == [2.0] * 5
    assert x.tolist() == [9, 1, 9, 1, 9]


@pytest.mark.parametrize("start, stop", list(itertools.permutations(range(3), 2)))
def test_an_assignment_to_itself_reads_first(start, stop):
    ours, theirs = cnumeric.array([1, 2, 3, 4]), numpy.array([1, 2, 3, 4])
    for a in (ours, theirs):
        a[start : start + 2] = a[stop : stop + 2]
    assert ours.tolist() == theirs.tolist()


COPIES = ["x[::2].copy()", "x.T.copy()", "x[::-1, 1::3].copy()", "x.T[2:].astype('f8')", "np.copy(x[:, 3])"]
CASTS = ["x.astype('f4')", "x.astype('i8')", "x.astype('c16')", "x.astype('?')", "x.T.astype('f2')"]


@pytest.mark.default_settings
@pytest.mark.parametrize("text", COPIES + CASTS)
def test_small_copies_of_what_is_at_hand_are_made_at_once(text):
    x, expected = cnumeric.arange(60.0).reshape(6, 10) - 20, numpy.arange(60.0).reshape(6, 10) - 20
    cnumeric.synchronize()
    before = cnumeric.stats()["ops"]
    found = eval(text, {"np": cnumeric, "x": x})
    assert cnumeric.stats()["ops"] == before
    expected = eval(text, {"np": numpy, "x": expected})
    assert found.dtype == expected.dtype and found.strides == expected.strides
    numpy.testing.assert_array_equal(numpy.asarray(found), expected)


def test_casts_at_once_tell_their_events_once():
    x = cnumeric.array([1.0, 1e300, 3.0])
    with pytest.warns(RuntimeWarning) as told:
        found = numpy.asarray(x.astype("f4"))
    assert [str(w.message) for w in told] == ["overflow encountered in cast"]
    numpy.testing.assert_array_equal(found, numpy.array([1.0, numpy.inf, 3.0], "f4"))
    with cnumeric.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow encountered in cast"):
        x.astype("f4")


def test_what_overlaps_is_copied_as_if_there_were_two():
    x, expected = cnumeric.arange(10.0), numpy.arange(10.0)
    for a in (x, expected):
        a[1::2] = a[:5]
        a[::2] = a[9:4:-1]
    numpy.testing.assert_array_equal(numpy.asarray(x), expected)
