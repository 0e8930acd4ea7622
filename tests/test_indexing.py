"""Indexing as NumPy's, for reading and for assignment: random keys, all orders of advanced items, views, errors."""

import warnings

import cnumeric
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("ignore::cnumeric.FallbackWarning")


def outcome(function):
    try:
        return function()
    except Exception as error:
        return error


def same(ours, theirs):
    if isinstance(theirs, Exception):
        assert ours.__class__ is theirs.__class__, repr(ours)
        assert str(ours) == str(theirs)
        return
    assert not isinstance(ours, Exception), repr(ours)
    if isinstance(theirs, numpy.ndarray):
        assert type(ours) is cnumeric.ndarray
        assert ours.shape == theirs.shape
    else:
        assert ours.__class__ is theirs.__class__
    assert ours.dtype == theirs.dtype
    numpy.testing.assert_array_equal(numpy.asarray(ours), theirs)


def pair(shape, dtype=float):
    array = numpy.arange(numpy.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    return cnumeric.array(array), array.copy()


# ---- Random keys -------------------------------------------------------------------------------------------


def integers(extent):
    return st.integers(-extent, extent - 1) if extent else st.just(0)


def slices(extent):
    bound = st.none() | st.integers(-extent - 2, extent + 2)
    return st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, 3, -1, -2]))


def index_arrays(extent, shape):
    count = int(numpy.prod(shape, dtype=int))
    numbers = st.lists(integers(extent), min_size=count, max_size=count)
    kind = st.sampled_from(["l", "i", "b"])
    return st.builds(lambda values, dtype: numpy.array(values, dtype).reshape(shape), numbers, kind)


def masks(shape):
    count = int(numpy.prod(shape, dtype=int))
    return st.lists(st.booleans(), min_size=count, max_size=count).map(lambda v: numpy.array(v, bool).reshape(shape))


@st.composite
def keys(draw, shape, advanced):
    items, axis = [], 0
    wide = draw(st.sampled_from([(), (3,), (2, 3), (1, 3)])) if advanced else ()
    while axis < len(shape) and draw(st.integers(0, 5)):
        kinds = ["int", "slice", "slice", "none"]
        kinds += ["array", "mask", "list"] if advanced else []
        kind = draw(st.sampled_from(kinds))
        if kind == "none":
            items.append(None)
            continue
        if kind == "mask":
            ndim = draw(st.integers(1, min(2, len(shape) - axis)))
            items.append(draw(masks(shape[axis : axis + ndim])))
            axis += ndim
            continue
        if kind == "int":
            items.append(draw(integers(shape[axis])))
        elif kind == "slice":
            items.append(draw(slices(shape[axis])))
        elif shape[axis] == 0:
            items.append(slice(None))
        elif kind == "array":
            items.append(draw(index_arrays(shape[axis], wide)))
        else:
            items.append(draw(index_arrays(shape[axis], (3,))).tolist())
        axis += 1
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), ...)
        if axis < len(shape):
            axis = len(shape)
    return tuple(items) if len(items) != 1 or draw(st.booleans()) else items[0]


SHAPES = st.sampled_from([(7,), (4, 5), (3, 4, 5), (2, 3, 1, 4), (0, 3), (1, 1)])


def converted(key, ours):
    """The key with some of its arrays as cNumeric's."""
    if isinstance(key, numpy.ndarray) and ours:
        return cnumeric.array(key)
    return tuple(converted(item, ours) for item in key) if isinstance(key, tuple) else key


@given(st.data(), SHAPES, st.booleans(), st.booleans())
def test_get(data, shape, advanced, ours):
    key = data.draw(keys(shape, advanced))
    a, b = pair(shape)
    same(outcome(lambda: a[converted(key, ours)]), outcome(lambda: b[key]))


@given(st.data(), SHAPES, st.booleans(), st.booleans())
def test_get_from_a_view(data, shape, advanced, ours):
    a, b = pair(shape)
    first = data.draw(keys(shape, False))
    a, b = outcome(lambda: a[first]), outcome(lambda: b[first])
    if not isinstance(b, numpy.ndarray):
        return
    key = data.draw(keys(b.shape, advanced))
    same(outcome(lambda: a[converted(key, ours)]), outcome(lambda: b[key]))


@given(st.data(), SHAPES, st.booleans(), st.sampled_from(["scalar", "full", "row", "one", "list", "wrong"]))
def test_set(data, shape, advanced, form):
    key = data.draw(keys(shape, advanced))
    a, b = pair(shape)
    part = outcome(lambda: b[key])
    extents = getattr(part, "shape", ())
    values = {
        "scalar": -1.5,
        "full": numpy.linspace(-1, -2, numpy.prod(extents, dtype=int)).reshape(extents),
        "row": numpy.linspace(-1, -2, extents[-1]) if extents else -2.0,
        "one": numpy.array([[-3.0]]) if extents else numpy.float32(-3),
        "list": numpy.linspace(-1, -2, extents[-1]).tolist() if extents else -2,
        "wrong": numpy.ones((*extents, 7)),
    }[form]
    mine = cnumeric.array(values) if isinstance(values, numpy.ndarray) and data.draw(st.booleans()) else values

    def assign(array, key, value):
        array[key] = value

    theirs = outcome(lambda: assign(b, key, values))
    ours = outcome(lambda: assign(a, converted(key, True), mine))
    if isinstance(theirs, Exception):
        assert ours.__class__ is theirs.__class__, repr(ours)
        assert str(ours) == str(theirs)
    else:
        assert ours is None, repr(ours)
    numpy.testing.assert_array_equal(numpy.asarray(a), b)


@given(st.data(), SHAPES, st.booleans())
def test_in_place(data, shape, advanced):
    key = data.draw(keys(shape, advanced))
    a, b = pair(shape)

    def add(array, key):
        array[key] += 10

    theirs, ours = outcome(lambda: add(b, key)), outcome(lambda: add(a, converted(key, False)))
    assert ours.__class__ is theirs.__class__, repr(ours)
    numpy.testing.assert_array_equal(numpy.asarray(a), b)


# ---- Chosen keys -------------------------------------------------------------------------------------------

KEYS = """
0
-1
()
...
None
(1, 2, 3)
(1, 2, 3, 4)
(1, ..., 2)
(..., ...)
(0, None, ..., None)
[0, 1]
[]
([0, 1], [1, 2])
([0, 1], slice(None), [1, 2])
(slice(None), [0, 1], [1, 2])
([0, 1], None, [1, 2])
([0, 1], ..., [1, 2])
(slice(None), [0, 1], ..., [1, 2])
(0, slice(None), [1, 2])
(slice(None), 0, [1, 2])
([0, 1], 1, [1, 2])
([[0], [1]], [1, 2])
([0, 1, 0], [1, 2])
(numpy.array([True, False]),)
(numpy.array([True, False]), 1)
numpy.array([True, False, True])
numpy.ones((2, 3), bool)
(numpy.ones((2, 3), bool), [0] * 6)
numpy.ones((2, 3, 4), bool)
numpy.zeros((2, 3, 4), bool)
numpy.int8(1)
numpy.array(1)
(numpy.array(1), 2, 3)
(numpy.array(1), slice(None))
True
False
(True, 1)
numpy.bool_(True)
[True, False]
1.0
"a"
[1.5]
[0, 5]
[-9]
5
-3
(0, 7)
(0, [9], 1)
2**70
slice(0, 1, 0)
slice("a")
slice(None, None, 2)
(slice(None), slice(None, None, -1))
numpy.array([0, 1], "u1")
numpy.array([[0, 1], [1, 0]])
(numpy.array([[0, 1], [1, 0]]), slice(1, 3), numpy.array([2, 3]))
[[0, 1], [1, 0]]
range(2)
"""
KEYS = [line for line in KEYS.splitlines() if line]


@pytest.mark.parametrize("text", KEYS)
def test_key(text):
    a, b = pair((2, 3, 4))
    key = eval(text)
    same(outcome(lambda: a[key]), outcome(lambda: b[key]))


@pytest.mark.parametrize("text", KEYS)
@pytest.mark.parametrize("value", [7, 2.5, True, 1j, "1.5", "x", None, [1, 2], numpy.arange(4.0), numpy.array([1j])])
def test_assigned_key(text, value):
    a, b = pair((2, 3, 4))
    key = eval(text)

    def assign(array):
        array[key] = value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = outcome(lambda: assign(b)), outcome(lambda: assign(a))
    assert ours.__class__ is theirs.__class__, repr(ours)
    assert str(ours) == str(theirs)
    numpy.testing.assert_array_equal(numpy.asarray(a), b)


@pytest.mark.parametrize("dtype", "?bBhHiIlLefdFD")
@pytest.mark.parametrize(
    "value", [0, 1, -1, 300, 2**40, 2**63, 2**64, 2.7, -2.7, 1e30, float("nan"), float("inf"), 1 + 2j, True, "3"]
)
def test_element_takes_what_numpy_takes(dtype, value):
    a, b = pair((3,), dtype)

    def assign(array):
        array[1] = value

    with numpy.errstate(all="ignore"):
        theirs, ours = outcome(lambda: assign(b)), outcome(lambda: assign(a))
    assert ours.__class__ is theirs.__class__, repr(ours)
    assert str(ours) == str(theirs)
    numpy.testing.assert_array_equal(numpy.asarray(a), b)


# ---- Views and memory --------------------------------------------------------------------------------------


def test_basic_keys_give_views_and_arrays_give_copies():
    a = cnumeric.arange(12.0).reshape(3, 4)
    a[1][...] = 0
    a[[2]][...] = 9
    a[a > 100][...] = 9
    assert a.tolist() == [[0, 1, 2, 3], [0, 0, 0, 0], [8, 9, 10, 11]]
    assert a[1:].base is a.base


def test_assignment_between_overlapping_parts():
    for to, of in (
        (slice(1, None), slice(None, -1)),
        (slice(None, -1), slice(1, None)),
        (slice(None), slice(None, None, -1)),
    ):
        a, b = pair((9,))
        a[to] = a[of]
        b[to] = b[of].copy()
        assert a.tolist() == b.tolist()


def test_mask_computed_and_assigned_through():
    a, b = pair((50,))
    for array in (a, b):
        array[array % 3 == 0] = 0
        array[array > 20] *= 2
        array[(array > 5) & (array < 9)] = array[(array > 5) & (array < 9)] + 0.5
    numpy.testing.assert_array_equal(numpy.asarray(a), b)


def test_repeated_indices_last_wins():
    a, b = pair((5,))
    for array in (a, b):
        array[[1, 1, 2, 1]] = [10, 20, 30, 40]
    assert a.tolist() == b.tolist()


def test_mask_assignment_reads_nothing(counters):
    a = cnumeric.arange(1000.0)
    mask = a > 500
    a[mask] = 0
    assert cnumeric.stats()["reads"] == 0
    assert a.sum() == 500 * 501 / 2


def test_elements_are_numpys_scalars():
    a = cnumeric.arange(4.0)
    assert type(a[1]) is numpy.float64
    assert type(cnumeric.array([True])[0]) is numpy.bool_
    assert type(cnumeric.array([1], "i2")[0]) is numpy.int16
    assert type(a[1, ...]) is cnumeric.ndarray
    assert [type(x) for x in a] == [numpy.float64] * 4


def test_iteration_and_containment():
    a, b = pair((3, 4))
    assert [row.tolist() for row in a] == [row.tolist() for row in b]
    assert 5.0 in a
    assert 50.0 not in a
    assert len(a) == 3
    assert list(reversed(a))[0].tolist() == b[-1].tolist()


def test_read_only_is_not_written():
    a = cnumeric.arange(4.0)
    a.flags.writeable = False
    for key in (0, slice(None), [0, 1], numpy.array([True, False, False, False])):
        with pytest.raises(ValueError, match="assignment destination is read-only"):
            a[key] = 1
    assert a.tolist() == [0, 1, 2, 3]


def test_elements_cannot_be_deleted():
    a = cnumeric.arange(4.0)
    with pytest.raises(ValueError, match="cannot delete array elements"):
        del a[0]


def test_pending_values_are_read_and_written_in_order():
    a = cnumeric.zeros(4)
    a += 1
    a[1] = 5.0
    a *= 2
    assert a[1] == 10
    a[2] += a[1]
    a += 1
    assert a.tolist() == [3, 11, 13, 3]


def test_many_axes():
    a = cnumeric.zeros((1,) * 60)
    assert a[(None,) * 4].ndim == 64
    with pytest.raises(IndexError):
        a[(None,) * 5]


STORES = {
    "each": (lambda m: m.array([3, 0, -1, 3]), lambda m: m.array([1.5, 2.5, 3.5, 4.5])),
    "a number": (lambda m: m.array([3, 0, -1, 3]), lambda m: 7.5),
    "a whole number": (lambda m: m.array([3, 0]), lambda m: 7),
    "planes": (lambda m: m.array([[3, 0], [1, 1]]), lambda m: m.array([[1.5, 2.5], [3.5, 4.5]])),
    "a line for planes": (lambda m: m.array([[3, 0], [1, 2]]), lambda m: m.array([1.5, 2.5])),
    "whole numbers": (lambda m: m.array([3, 0]), lambda m: m.array([7, 8])),
    "out of range": (lambda m: m.array([3, 99, 0]), lambda m: m.array([1.0, 2.0, 3.0])),
    "too many": (lambda m: m.array([3, 0]), lambda m: m.array([1.0, 2.0, 3.0])),
    "none": (lambda m: m.array([], int), lambda m: 1.0),
}


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("dtype", [float, numpy.float32, bool, complex, numpy.int16])
@pytest.mark.parametrize("pending", [False, True])
def test_elements_are_stored_at_hand_or_pending(kind, dtype, pending):
    results = []
    for module in (numpy, cnumeric):
        index, values = (make(module) for make in STORES[kind])
        a = module.arange(6).astype(dtype)
        if not pending:
            cnumeric.synchronize()
        before = a.copy()
        try:
            a[index] = values
            results.append((numpy.array(a), numpy.array(before)))
        except (IndexError, ValueError) as error:
            results.append((numpy.array(a), numpy.array(before), type(error), str(error)))
    for ours, theirs in zip(*results, strict=True):
        numpy.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [float, numpy.float32, bool, complex, numpy.int16])
@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (4, 5), (600,)])
@pytest.mark.parametrize("share", [0, 0.5, 1])
@pytest.mark.parametrize("pending", [False, True])
def test_chosen_elements_at_hand_or_pending(dtype, shape, share, pending):
    theirs = (numpy.arange(numpy.prod(shape)).reshape(shape) * 3 % 11).astype(dtype)
    mask = numpy.random.default_rng(1).random(shape) < share
    ours, chosen = cnumeric.array(theirs), cnumeric.array(mask)
    if pending:
        ours, chosen = ours.copy() * 1, ~~chosen
    for view in (lambda x: x, lambda x: x[::-1], lambda x: x.T):
        found = view(ours)[view(chosen)]
        numpy.testing.assert_array_equal(
            numpy.array(found), (view(theirs) * 1 if pending else view(theirs))[view(mask)]
        )
        assert found.dtype == (ours.dtype if pending else theirs.dtype)


@pytest.mark.default_settings
def test_stores_at_hand_record_nothing(counters):
    a, index, values = cnumeric.arange(9.0), cnumeric.array([3, 3, -1]), cnumeric.array([1.0, 2.0, 4.0])
    windows = counters()["windows"]
    a[index] = values
    a[index[:1]] = 5.0
    assert counters()["windows"] == windows
    b = a * 2
    a[index] = values  # what is pending reads the values of before
    assert b.tolist() == [0, 2, 4, 10, 8, 10, 12, 14, 8] and a[3] == 2


@pytest.mark.parametrize("dtype", ["?", "i2", "f4", "f8", "i8", "c16"])
@pytest.mark.parametrize("dense", [0.0, 0.02, 0.5, 0.98, 1.0])
@pytest.mark.parametrize("n", [1, 7, 8, 9, 15, 16, 17, 64, 1003, 50001])
def test_masks_and_places_of_any_density(dtype, dense, n):
    rng = numpy.random.default_rng(n)
    x, mask = (rng.random(n) * 100).astype(dtype), rng.random(n) < dense
    if 0 < dense < 1:
        mask[-1] = True
    cx, cmask = cnumeric.array(x), cnumeric.array(mask)
    numpy.testing.assert_array_equal(numpy.asarray(cx[cmask]), x[mask])
    numpy.testing.assert_array_equal(numpy.asarray(cnumeric.compress(cmask, cx)), x[mask])
    numpy.testing.assert_array_equal(numpy.asarray(cnumeric.nonzero(cmask)[0]), numpy.nonzero(mask)[0])
    square, places = mask[: n // 3 * 3].reshape(-1, 3), cnumeric.nonzero(cmask[: n // 3 * 3].reshape(-1, 3))
    for found, expected in zip(places, square.nonzero(), strict=True):
        numpy.testing.assert_array_equal(numpy.asarray(found), expected)
