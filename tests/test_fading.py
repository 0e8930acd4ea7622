"""Values that a reading reduction leaves out of memory because only its call seems to hold them: they are there when
somebody uses them after all, whatever has happened since, and otherwise they cost nothing.
"""

import concurrent.futures
import copy
import gc
import pickle
import warnings

import cnumeric
import numpy
import pytest
from cnumeric import _cnumeric

N = 4096
FORMULA = "(x - y) ** 2"


def inputs(np):
    return np.arange(float(N)) % 7 - 3, np.arange(float(N)) % 5 * 0.5


def held(np, x, y):
    """A value that has been reduced while the tuple alone held it: the hint is wrong."""
    value = ((x - y) ** 2,)
    np.ndarray.sum(*value)
    return value


def after(use, **expected):
    """Compare what `use(np, value, x, y)` gives, and the counters, with NumPy's."""
    ours, theirs = inputs(cnumeric), inputs(numpy)
    cnumeric.synchronize()
    cnumeric.stats_reset()
    result = use(cnumeric, held(cnumeric, *ours), *ours)
    cnumeric.synchronize()
    counted = cnumeric.stats()
    numpy.testing.assert_array_equal(numpy.asarray(result), use(numpy, held(numpy, *theirs), *theirs))
    for name, count in expected.items():
        assert counted[name] == count, name


@pytest.mark.default_settings
@pytest.mark.parametrize("text", ["np.mean(T)", "T.sum()", "(T).max()", "abs(x - y).min()", "np.any(x > y)"])
def test_temporaries_are_not_stored(text, counters):
    names = {"np": cnumeric, **dict(zip("xy", inputs(cnumeric), strict=True))}
    cnumeric.synchronize()
    before = cnumeric.stats()["live_bytes"]
    cnumeric.stats_reset()
    result = eval(text.replace("T", f"({FORMULA})"), names)
    counted = cnumeric.stats()
    expected = eval(text.replace("T", f"({FORMULA})"), {"np": numpy, **dict(zip("xy", inputs(numpy), strict=True))})
    numpy.testing.assert_allclose(result, expected, rtol=1e-14)
    assert (counted["faded"], counted["restored"]) == (1, 0)
    assert counted["peak_bytes"] - before < N
    assert counters()["live_bytes"] <= before


@pytest.mark.default_settings
def test_named_values_are_stored(counters):
    x, y = inputs(cnumeric)
    value = (x - y) ** 2
    view = ((x - y) * 2)[::2]
    value.sum(), view.sum(), cnumeric.mean(value)
    assert counters()["faded"] == 0


@pytest.mark.default_settings
@pytest.mark.parametrize(
    "use",
    [
        lambda np, value, x, y: value[0] + 1,
        lambda np, value, x, y: value[0][::-2],
        lambda np, value, x, y: numpy.asarray(value[0]),
        lambda np, value, x, y: [float(value[0][7]), float(value[0][-1])],
        lambda np, value, x, y: value[0].tolist(),
        lambda np, value, x, y: pickle.loads(pickle.dumps(value[0])),
        lambda np, value, x, y: copy.deepcopy(value[0]),
        lambda np, value, x, y: [value[0].sum(), value[0].max()],
        lambda np, value, x, y: bytes(value[0]) and value[0],
    ],
)
def test_values_are_there_when_used(use):
    after(use, faded=1, restored=1)


def overwrite(np, value, x, y):
    x += 100
    y[:] = 0
    return value[0]


def overwrite_element(np, value, x, y):
    x[3] = 1e6
    y[5] = -1e6
    return value[0]


def overwrite_through_numpy(np, value, x, y):
    memory = numpy.asarray(x)
    memory[:] = 7
    return value[0]


def overwrite_itself(np, value, x, y):
    value[0][::2] = 5
    value[0][1] = -5
    return value[0]


def forget_inputs(np, value, x, y):
    del x, y
    gc.collect()
    return value[0]


def record_others(np, value, x, y):
    z = x * 3
    for _ in range(100):
        z = z * 0.5 + y
    z.sum()
    return value[0] + z


def fade_again(np, value, x, y):
    other = ((x + value[0]) * y,)
    np.ndarray.max(*other)
    third = (value[0] - other[0],)
    np.ndarray.max(*third)
    return third[0] + other[0] + value[0]


@pytest.mark.parametrize(
    "use",
    [
        overwrite,
        overwrite_element,
        overwrite_through_numpy,
        overwrite_itself,
        forget_inputs,
        record_others,
        fade_again,
    ],
)
def test_values_are_those_of_their_time(use):
    after(use)


def test_elements_written_before_are_read():
    """A store into an input's memory right after the reduction comes after the value."""

    def use(np, value, x, y):
        x[0] = 50.0
        first = float(value[0][0])
        x[0] = 60.0
        return [first, float(value[0][0]), float(x[0])]

    after(use)


@pytest.mark.default_settings
def test_reads_of_inputs_and_other_results_do_not_store_it(counters):
    x, y = inputs(cnumeric)
    other = x * y
    value = ((x - y) ** 2 + other,)
    cnumeric.ndarray.sum(*value)
    assert float(x[1]) == -2.0
    assert float(other[4]) == 2.0
    assert (cnumeric.stats()["faded"], cnumeric.stats()["restored"]) == (1, 0)
    other[0] = 1000.0  # a write of what the value was made of
    assert cnumeric.stats()["restored"] == 1
    assert float(value[0][0]) == 9.0


@pytest.mark.default_settings
def test_windows_that_write_in_place_store_everything(counters):
    x, y = inputs(cnumeric)
    cnumeric.synchronize()
    x += 1
    assert ((x - y) ** 2).sum() > 0
    assert counters()["faded"] == 0


@pytest.mark.default_settings
def test_memory_of_others_is_read_once(counters):
    raw = numpy.arange(float(N))
    x = cnumeric.asarray(raw)
    value = (x * 2,)
    cnumeric.ndarray.sum(*value)
    raw[:] = 0
    assert float(value[0][5]) == 10.0
    assert counters()["faded"] == 0


@pytest.mark.default_settings
def test_a_value_that_dies_frees_what_it_held(counters):
    x, y = inputs(cnumeric)
    cnumeric.synchronize()
    before = cnumeric.stats()["live_bytes"]
    value = (x * y,)
    cnumeric.ndarray.sum(*value)
    del x, y
    assert 0 <= cnumeric.stats()["live_bytes"] - before <= 64  # the value may still be asked for
    del value
    assert cnumeric.stats()["live_bytes"] < N
    assert counters()["restored"] == 0


def test_warnings_are_given_once():
    x = cnumeric.arange(10.0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        value = (1 / x,)
        cnumeric.ndarray.max(*value)
        assert float(value[0][2]) == 0.5
        cnumeric.synchronize()
    assert [str(w.message) for w in seen] == ["divide by zero encountered in divide"]


def test_without_memory_the_user_fails_and_the_value_stays():
    x, y = inputs(cnumeric)
    for nth in range(1, 100):
        value = held(cnumeric, x, y)
        _cnumeric.fault_set(nth)
        try:
            result = value[0] + 1
            cnumeric.synchronize()
        except MemoryError:
            result = None
        finally:
            made = _cnumeric.fault_set(0)
        numpy.testing.assert_array_equal(numpy.asarray(value[0]), numpy.asarray((x - y) ** 2))
        if made < nth:
            break
    assert result is not None
    assert nth > 1  # how many there are depends on what is kept of earlier programs


def test_other_threads_may_use_it():
    x, y = inputs(cnumeric)
    expected = numpy.asarray((x - y) ** 2)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        value = held(cnumeric, x, y)
        numpy.testing.assert_array_equal(pool.submit(lambda: numpy.asarray(value[0] + 1)).result(), expected + 1)
        value = pool.submit(held, cnumeric, x, y).result()
        numpy.testing.assert_array_equal(numpy.asarray(value[0] * 1), expected)
        value = pool.submit(held, cnumeric, x, y).result()
        x += 1
        numpy.testing.assert_array_equal(numpy.asarray(value[0]), expected)
        value = pool.submit(held, cnumeric, x, y).result()
        value = None
        assert float(cnumeric.sum(x - x)) == 0.0


@pytest.mark.default_settings
def test_what_is_updated_in_the_window_that_runs_again():
    """An array made and changed there keeps its last version when the value left out is stored after all."""

    def run(np):
        a, c = (np.arange(49.0).reshape(7, 7) * k % 13 - 6 for k in (2, 4))
        b = 0.25 * (a + a[::-1, ::-1])
        a = 0.25 * (b.T[::-1] - c)
        a[:, ::-1] *= c[::-1, ::-1]
        value = (c - a[:, ::-1] * c[:, ::-1],)
        largest = float(np.ndarray.max(*value))
        return a + 1, value[0], largest

    cnumeric.stats_reset()
    ours, theirs = run(cnumeric), run(numpy)
    for mine, other in zip(ours, theirs, strict=True):
        numpy.testing.assert_array_equal(numpy.asarray(mine), other)
    assert (cnumeric.stats()["faded"], cnumeric.stats()["restored"]) == (1, 1)
