"""What NumPy computes for us: arrays go in without a copy and come back, once warned, with identity and views kept."""

import gc
import pickle
import sys
import warnings

import cnumeric
import numpy
import pytest
from cnumeric import FallbackWarning

quietly = pytest.mark.filterwarnings("ignore::cnumeric.FallbackWarning")


def caught(function):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    return [warning for warning in found if issubclass(warning.category, FallbackWarning)]


def test_warns_once_for_each_call_site():
    array = cnumeric.arange(4.0)

    def twice():
        for _ in range(2):
            cnumeric.polyfit(array, array, 1)

    found = caught(twice)
    assert len(found) == 1
    assert str(found[0].message) == "cnumeric: numpy.polyfit is not native, computed by NumPy"
    assert found[0].filename == __file__
    assert len(caught(lambda: cnumeric.polyfit(array, array, 1))) == 1


def test_counts():
    array = cnumeric.arange(4.0)
    cnumeric.stats_reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cnumeric.polyfit(array, array, 1)
        cnumeric.roots(array)
    assert cnumeric.stats()["fallbacks"] == 2


def test_no_warning_where_no_array_takes_part():
    assert caught(lambda: cnumeric.issubdtype(float, cnumeric.floating)) == []
    assert caught(lambda: cnumeric.random.seed(1)) == []
    assert caught(lambda: cnumeric.interp(1.0, [0, 1], [2, 3])) == []


@quietly
def test_arrays_nested_in_arguments():
    array = cnumeric.arange(4.0)
    result = cnumeric.block([[array, array], [array, array]])
    assert type(result) is cnumeric.ndarray
    assert result.shape == (2, 8)
    result = cnumeric.einsum("i,i", *(array, array))
    assert result == 14.0


@quietly
def test_results_nested():
    parts = cnumeric.histogram(cnumeric.arange(10.0), 2)
    assert [type(part) for part in parts] == [cnumeric.ndarray] * 2
    result = cnumeric.linalg.svd(cnumeric.eye(3))
    assert type(result.U) is cnumeric.ndarray
    assert type(result).__name__ == "SVDResult"


@quietly
def test_out_is_the_same_object():
    array, out = cnumeric.arange(4.0), cnumeric.empty(4)
    assert cnumeric.cumsum(array, out=out) is out
    assert out.tolist() == [0, 1, 3, 6]
    assert cnumeric.add.accumulate(array, out=out) is out


@quietly
def test_in_place_results_come_back():
    array = cnumeric.array([3.0, 1.0, 2.0])
    array.sort()
    assert array.tolist() == [1, 2, 3]
    cnumeric.random.default_rng(1).shuffle(array)
    assert sorted(array.tolist()) == [1, 2, 3]
    cnumeric.put(array, [0], [9.0])
    assert array[0] == 9


@quietly
def test_pending_work_is_done_before_numpy_reads():
    array = cnumeric.arange(1000.0)
    for _ in range(5):
        array = array * 2 + 1
    expected = numpy.arange(1000.0)
    for _ in range(5):
        expected = expected * 2 + 1
    numpy.testing.assert_array_equal(numpy.asarray(cnumeric.sort(array)), expected)


@quietly
def test_views_that_numpy_gives_stay_views():
    array = cnumeric.arange(6.0)
    windows = cnumeric.lib.stride_tricks.sliding_window_view(array, 3)
    assert type(windows) is cnumeric.ndarray
    array[2] = 50.0
    assert windows[0, 2] == 50


@quietly
def test_other_dtypes_stay_numpys():
    assert type(cnumeric.array(["a", "b"])) is numpy.ndarray
    assert type(cnumeric.array([1, None])) is numpy.ndarray
    assert type(cnumeric.zeros(2, "M8[s]")) is numpy.ndarray
    assert type(cnumeric.zeros(2, [("x", float)])) is numpy.ndarray
    assert type(cnumeric.zeros(2, cnumeric.longdouble)) is numpy.ndarray
    assert type(cnumeric.zeros(2, ">f8")) is numpy.ndarray


@quietly
def test_masked_arrays_and_matrices_stay():
    masked = cnumeric.ma.masked_array(cnumeric.arange(4.0), [0, 1, 0, 0])
    assert isinstance(masked, numpy.ma.MaskedArray)
    assert cnumeric.sum(masked) == 5
    assert isinstance(cnumeric.sqrt(masked), numpy.ma.MaskedArray)
    assert isinstance(cnumeric.concatenate([masked, masked]), numpy.ndarray)
    assert isinstance(cnumeric.asmatrix(cnumeric.eye(2)), numpy.matrix)


@quietly
def test_numpy_functions_on_our_arrays_give_ours():
    array = cnumeric.arange(4.0)
    assert type(numpy.add(array, 1)) is cnumeric.ndarray
    assert type(numpy.sqrt(array)) is cnumeric.ndarray
    assert type(numpy.stack([array, array])) is cnumeric.ndarray
    assert type(numpy.interp(array, array, array)) is cnumeric.ndarray
    assert type(numpy.arange(4) + array) is cnumeric.ndarray
    assert type(numpy.float64(2) * array) is cnumeric.ndarray
    assert numpy.sum(array) == 6
    assert numpy.add.reduce(array) == 6
    out = numpy.empty(4)
    assert numpy.add(array, 1, out=out) is out
    assert out.tolist() == [1, 2, 3, 4]


class Foreign:
    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return "foreign"

    def __array_function__(self, function, types, args, kwargs):
        return "function"


def test_foreign_types_decide():
    array = cnumeric.arange(4.0)
    assert cnumeric.add(array, Foreign()) == "foreign"
    assert numpy.add(array, Foreign()) == "foreign"
    assert cnumeric.interp(Foreign(), array, array) == "function"
    assert cnumeric.stack([array, Foreign()]) == "function"


@quietly
def test_random_is_numpys_stream():
    ours, theirs = cnumeric.random.default_rng(42), numpy.random.default_rng(42)
    assert type(ours.random(5)) is cnumeric.ndarray
    theirs.random(5)
    assert ours.normal(size=3).tolist() == theirs.normal(size=3).tolist()
    assert isinstance(ours, numpy.random.Generator)
    assert pickle.loads(pickle.dumps(ours)).random() == ours.random()
    assert cnumeric.random.default_rng(ours) is ours
    cnumeric.random.seed(7)
    numbers = cnumeric.random.rand(3)
    numpy.random.seed(7)
    assert numbers.tolist() == numpy.random.rand(3).tolist()
    state = cnumeric.random.RandomState(3)
    assert type(state.randn(2)) is cnumeric.ndarray
    assert all(type(child) is type(ours) for child in ours.spawn(2))


def test_exceptions_are_numpys():
    with pytest.raises(numpy.linalg.LinAlgError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cnumeric.linalg.inv(cnumeric.zeros((2, 2)))


@quietly
def test_polynomials():
    polynomial = cnumeric.poly1d([1, 2, 3])
    result = polynomial(cnumeric.arange(3.0))
    assert numpy.asarray(result).tolist() == [3, 6, 11]
    series = cnumeric.polynomial.Polynomial([1, 2])
    assert numpy.asarray(series(cnumeric.arange(2.0))).tolist() == [1, 3]


def test_an_error_holds_no_arrays():
    """Not even until the garbage collector comes: its traceback is in no cycle."""
    x = cnumeric.arange(6.0)
    gc.disable()
    try:
        before = sys.getrefcount(x)
        for _ in range(3):
            with pytest.raises(ValueError):
                cnumeric.split(x, 4)
            with pytest.raises(ValueError):
                cnumeric.trapezoid(x, x[:3])
        assert sys.getrefcount(x) == before
    finally:
        gc.enable()
