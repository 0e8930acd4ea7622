"""Corners that NumPy's own tests and the tables have found: each failed once."""

import importlib
import inspect
import operator
import subprocess
import sys

import cnumeric
import numpy
import pytest
from test_functions import cases, evaluate, same

EXPRESSIONS = """
np.add.reduce(np.ones((6, 0)), axis=-1)
np.ones((3, 0, 2), int).sum(axis=1, keepdims=True)
np.sum(np.ones((2, 0)), axis=1, initial=3)
np.logaddexp.reduce([])
np.lcm.reduce([[2, 3], [4, 6]], axis=None)
np.lcm.reduce([4, 6, 10])
np.gcd.reduce([True, False])
np.matmul(A, np.ones((4, 1)), out=np.ones((3, 4)))
operator.imatmul(np.ones((3, 3)), np.ones(3))
operator.imatmul(np.ones((3, 3)), np.ones((3, 1)))
operator.imatmul(np.arange(9.0).reshape(3, 3), np.ones((3, 3)))
operator.concat(a, a)
np.take(A, [0], True)
np.reshape(A, (True, -1))
np.fmax.reduce(A, axis=True)
np.zeros(True)
i.__setitem__(0, np.float64("nan"))
i.__setitem__(0, np.float64("inf"))
i.__setitem__(0, np.uint64(2**63))
A[0.0:, 0.0]
np.arange(start=4)
np.arange(4, step=2)
np.ones(2, "V4").tobytes()
np.array([0, 1]).choose([1, 2], [3, 4])
np.ones((1,) * 60, int).choose([np.ones((1,) * 60, int)] * 2)
np.round(np.arange(6).reshape(2, 3).T).flags.f_contiguous
np.hstack(x for x in A)
np.vstack(x for x in A)
np.stack(x for x in A)
np.moveaxis(T, range(3), range(3)).shape
np.var(a, correction=1)
np.std(A, 0, correction=1)
np.var(a, ddof=1, correction=1)
np.clip(i, -(10**40), None)
np.clip(i, None, 10**40)
np.nanmean(n.astype("f4"), axis=1)
np.nanmean(n, dtype=int)
np.block([1, [2]])
np.block([[1], 2])
np.block([(1, 2), (3, 4)])
np.pad(a, 1, "edge", constant_values=3)
np.pad(A.T, 1).flags.f_contiguous
np.zeros_like(A, order="?")
np.average(A, axis=True)
np.average(np.ones((0, 4)), axis=-1)
np.histogram_bin_edges(A, weights=a)
np.asanyarray(a, device="gpu")
np.vecdot(A, A, axis=0)
np.vecdot(A, A, keepdims=True)
np.matvec(A, a[:4], axes=[(0, 1), (0,), (0,)])
memoryview(A[:, ::2]).tobytes()
setattr(a, "device", "cpu")
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_numpy(expression, monkeypatch):
    monkeypatch.setitem(evaluate.__globals__, "operator", operator)
    same(evaluate(expression, cnumeric), evaluate(expression, numpy))


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "divmod", "fmod"])
@pytest.mark.parametrize("dtype", ["e", "f", "d"])
@pytest.mark.parametrize(
    "pair", [(1, 0), (numpy.nan, 1), (1, numpy.nan), (numpy.nan, 0), (0, numpy.nan), (1, numpy.inf)]
)
def test_divisions_raise_numpys_flags(name, dtype, pair):
    said = []
    for module in (cnumeric, numpy):
        with numpy.errstate(all="raise"):
            try:
                numpy.asarray(getattr(module, name)(*(module.array([value] * 3, dtype) for value in pair)))
                said.append(None)
            except FloatingPointError as error:
                said.append(str(error))
    assert said[0] == said[1]


class Producer:
    """Makes an array of ours when asked for one."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array.copy() if copy else self.array


def test_objects_that_make_arrays_of_ours():
    array = cnumeric.arange(3)
    producer = Producer(array)
    assert cnumeric.asarray(producer) is array
    assert cnumeric.array(producer, copy=True) is not array
    assert cnumeric.add(producer, 1).tolist() == [1, 2, 3]
    assert cnumeric.bincount(producer).tolist() == [1, 1, 1]


def test_not_finite_tolerances_warn():
    with pytest.warns(RuntimeWarning, match="One of rtol or atol is not valid"):
        cnumeric.isclose(cnumeric.arange(3), cnumeric.arange(3), atol=numpy.inf)


def test_signatures_are_numpys():
    for name in ("zeros", "nanvar", "stack", "sum", "unravel_index"):
        assert inspect.signature(getattr(cnumeric, name)) == inspect.signature(getattr(numpy, name)), name
    for name in ("sum", "astype", "reshape", "argsort", "__array__"):
        ours, theirs = getattr(cnumeric.ndarray, name), getattr(numpy.ndarray, name)
        assert inspect.signature(ours) == inspect.signature(theirs), name
        assert ours.__doc__ == theirs.__doc__


def test_private_modules_are_loaded_once():
    program = (
        "import cnumeric._core.umath as u, cnumeric._core._multiarray_umath as m, numpy; print(u.add is not numpy.add)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "True"


def test_modules_show_all_their_names():
    module = importlib.import_module("cnumeric._core.umath")
    assert cnumeric.add in vars(module).values()
    assert {name for name in vars(numpy.linalg) if not name.startswith("_")} <= vars(cnumeric.linalg).keys()


def test_base_is_what_numpys_would_be():
    array = cnumeric.arange(6.0)
    assert cnumeric.asarray(memoryview(array)).base.obj is array


@pytest.mark.parametrize("np", [numpy, cnumeric])
def test_an_array_without_elements_lies_where_its_memory_is(np):
    """numpy.ndarray(shape, dtype, buffer) of none of the buffer's bytes is at the buffer's address."""
    memory = np.zeros(16, np.uint8)
    place = memory[3:4][:-1]
    first = memory.__array_interface__["data"][0]
    assert place.__array_interface__["data"][0] == first + 3
    assert np.ndarray((2, 0), "f8", place).__array_interface__["data"][0] == first + 3
