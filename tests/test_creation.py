"""New arrays of the commonest arguments, which the extension makes without Python code, and of what is next to them."""

import itertools

import cnumeric
import numpy
import pytest

RANGES = [
    *[(5,), (2, 5), (0, 10, 3), (10, 0, -3), (0, 1, 0.1), (1.5,), (0.1, 1, 0.1), (5, 2), (0,), (-3,), (True,)],
    *[(2**51, 2**51 + 3), (2**53, 2**53 + 3), (1e-3, 1e-2, 1e-4), (numpy.int8(5),), (-0.0, 3.0), (7.3, -2, -0.7)],
    *[(0, 5, 0), (0, 5, 0.0), (float("nan"),), ("a",), (1, 2, 3, int), ()],
]
FILLS = [
    *[(3, 2), ((2, 3), True), (3, 1j), (3, numpy.float32(1.5)), (3, 2, int), (3, 2.7, int), (3, 2, float)],
    *[(3, 300, "i1"), (3, "ab"), (-1, 2), (3, 2**63), (3, 2**70), (3, [1, 2, 3]), (3, None), (3, 2**60 + 1, float)],
    *[("a", 2), (3,), (3, numpy.array(4)), (3, numpy.arange(3)), ((2, 2), 1, bool), (2, 1, None), (2, 1, float, "F")],
]
SPACES = [
    *[
        (0, 1),
        (0, 1, 7),
        (1, 1, 4),
        (0, 5, 1),
        (0, 5, 0),
        (2, -3, 9, False),
        (-1e308, 1.7e308, 5),
        (0, 1e300 * 1e10, 3),
    ],
    (5e-324, 1e-323, 4),
]


def outcome(call, *args, **kwargs):
    try:
        with numpy.errstate(all="ignore"):
            return call(*args, **kwargs)
    except Exception as error:
        return error


def check_same(ours, expected):
    if isinstance(expected, Exception):
        assert type(ours) is type(expected)
        assert str(ours) == str(expected)
        return
    values = numpy.asarray(ours)
    assert (ours.shape, ours.strides, ours.dtype) == (expected.shape, expected.strides, expected.dtype)
    assert values.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", [None, numpy.float32, int])
@pytest.mark.parametrize("args", RANGES, ids=str)
def test_ranges(args, dtype):
    kwargs = {} if dtype is None else {"dtype": dtype}
    ours, expected = outcome(cnumeric.arange, *args, **kwargs), outcome(numpy.arange, *args, **kwargs)
    if not isinstance(expected, Exception):
        check_same(ours, expected)
    else:
        assert type(ours) is type(expected)


@pytest.mark.parametrize("args", FILLS, ids=str)
def test_filled(args):
    check_same(outcome(cnumeric.full, *args), outcome(numpy.full, *args))


def test_filled_by_keyword():
    check_same(cnumeric.full(3, 2, dtype=float), numpy.full(3, 2, dtype=float))
    check_same(cnumeric.full((2, 3), 2, order="F"), numpy.full((2, 3), 2, order="F"))
    check_same(cnumeric.ones((2, 3), "i2", "F"), numpy.ones((2, 3), "i2", "F"))
    check_same(cnumeric.ones(shape=3), numpy.ones(shape=3))


@pytest.mark.parametrize("args", SPACES, ids=str)
def test_spaced(args):
    ours, step = outcome(cnumeric.linspace, *args, retstep=True)
    expected, expected_step = outcome(numpy.linspace, *args, retstep=True)
    check_same(ours, expected)
    assert type(step) is type(expected_step)
    assert numpy.array_equal(step, expected_step, equal_nan=True)


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 1), (2, 1, 3), (5,), (), (2, 3, 4, 5)], ids=str)
def test_like_another(shape):
    values = numpy.arange(numpy.prod(shape, dtype=int)).reshape(shape)
    keys = [(), (slice(None, None, -1),), (..., slice(None, None, 2)), (..., slice(None, None, -1))]
    for axes, key in itertools.product(itertools.permutations(range(len(shape))), keys if shape else [()]):
        prototype, ours = values.transpose(axes)[key], cnumeric.array(values).transpose(axes)[key]
        assert cnumeric.empty_like(ours).strides == numpy.empty_like(prototype).strides
        check_same(cnumeric.zeros_like(ours), numpy.zeros_like(prototype))
        check_same(cnumeric.ones_like(ours, order="C"), numpy.ones_like(prototype, order="C"))
        check_same(cnumeric.full_like(ours, 7), numpy.full_like(prototype, 7))
        check_same(cnumeric.full_like(ours, 7.5, float), numpy.full_like(prototype, 7.5, float))


def test_like_what_is_no_array_of_ours():
    check_same(cnumeric.zeros_like([1, 2]), numpy.zeros_like([1, 2]))
    check_same(cnumeric.full_like(numpy.ones(3, "f4"), 1e30), numpy.full_like(numpy.ones(3, "f4"), 1e30))
    check_same(outcome(cnumeric.full_like, cnumeric.ones(3), "a"), outcome(numpy.full_like, numpy.ones(3), "a"))


def test_lists_that_change_are_read_once():
    """What is in a list may change it; NumPy notices, and nobody reads it again."""
    asked, found = [], []

    class Changing:
        def __len__(self):
            asked.append(self)
            rows[0][0] = 2
            raise ValueError("no sequence after all")

        def __getitem__(self, index):
            raise AssertionError

    rows = []
    for np in (numpy, cnumeric):
        rows[:] = [[numpy.array(2), Changing()]]
        with pytest.raises(RuntimeError):
            np.array(rows)
        found.append(len(asked))
        asked.clear()
    assert found[0] == found[1]
