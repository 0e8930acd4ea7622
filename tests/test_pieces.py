"""Arrays that copies make up of boxes (roll, concatenate, stack, block, pad), read where the copies read.

NumPy's values for every shape, whatever is written or kept in between.
"""

import cnumeric as np
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

SHAPES = [(7, 9), (64, 64), (3, 3), (2, 2), (1, 5), (5, 1), (1, 1), (200, 150)]


def compare(function, *arrays):
    """The function gives the same with both modules, without a fallback."""
    np.synchronize()
    before = np.stats()["fallbacks"]
    ours = function(np, *(np.array(array) for array in arrays))
    theirs = function(numpy, *(array.copy() for array in arrays))
    pairs = zip(ours, theirs, strict=True) if isinstance(theirs, tuple) else [(ours, theirs)]
    for mine, expected in pairs:
        assert mine.dtype == expected.dtype
        numpy.testing.assert_array_equal(numpy.asarray(mine), expected)
    assert np.stats()["fallbacks"] == before


def random(shape, seed=0):
    return numpy.random.default_rng(seed).random(shape)


def around(np, p):
    return np.roll(p, 1, 0) + np.roll(p, -1, 0) + np.roll(p, 1, 1) + np.roll(p, -1, 1) - 4 * p


def corners(np, p):
    return around(np, p) + np.roll(p, (1, 1), (0, 1)) + np.roll(p, (-1, 1), (0, 1)) - np.roll(p, (1, -1), (0, 1))


def far(np, p):
    return sum(np.roll(p, by, axis) for by in (-2, -1, 1, 2) for axis in (0, 1)) - 8 * p


def rolled_twice(np, p):
    return np.roll(np.roll(p, 1, 0), 2, 1) - p


def rolled_transpose(np, p):
    return np.roll(p.T, 1, 0) * 2 + p.T


def rolled_flat(np, p):
    return np.roll(p, 3) * 2 + p


def written_before_it_is_read(np, p):
    rolled = np.roll(p, 1, 0)
    p[0] = 5
    return rolled + p, p


def kept_and_read(np, p):
    rolled = np.roll(p, -1, 1)
    return rolled, rolled - p


def joined_dtypes(np, p):
    return np.concatenate([p.astype("f4"), p], axis=1) * 2


def joined_expressions(np, p):
    double = p * 2
    return np.concatenate([double, np.sqrt(p), double * p]) * 3 + 1, np.concatenate([double, double]) - 1


def stacked(np, p):
    return np.stack([p * 2, -p, p], axis=1) * 3 - 1


def stacked_on_reversed(np, p):
    t = np.empty((2, *p.shape))
    t[0] = p[::-1]
    t[1, ::-1] = p
    return t * 2


def blocks(np, p):
    return np.block([[p * 2, p + 1], [p - 1, -p]]) * 2 + 1


def padded(np, p):
    return np.pad(p * 2 + 1, 1, constant_values=3) * 3


def written_twice(np, p):
    t = np.empty(p.shape)
    t[:1], t[1:] = p[:1], p[1:] * 2
    t[:1] = p[-1:]
    return t + 1


def reduced(np, p):
    return np.abs(np.roll(p, 1, 0) - p).max(axis=0), np.roll(p, 1, 1).sum(axis=1)


def chosen(np, p):
    return np.where(np.roll(p, 1, 0) > p, np.roll(p, 1, 1), -p)


def updated_in_place(np, p):
    q = p * 0.5
    for _ in range(5):
        reaction = p * q * q
        p += 0.16 * around(np, p) - reaction + 0.06 * (1 - p)
        q += 0.08 * around(np, q) + reaction - 0.12 * q
    return p, q


PROGRAMS = [
    around, corners, far, rolled_twice, rolled_transpose, rolled_flat, written_before_it_is_read, kept_and_read,
    joined_dtypes, joined_expressions, stacked, stacked_on_reversed, blocks, padded, written_twice, reduced, chosen,
    updated_in_place,
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_values_are_numpys(program, shape):
    compare(program, random(shape))


def test_three_dimensions():
    def laplacian(np, p):
        return sum(np.roll(p, by, axis) for by in (1, -1) for axis in range(3)) - 6 * p

    for shape in [(9, 8, 7), (2, 3, 2), (1, 1, 4)]:
        compare(laplacian, random(shape))


def test_what_would_be_cut_too_often_is_read_from_memory():
    def many(np, x):
        total = x * 1
        for by in range(1, 80, 3):
            total = total + np.roll(x, by)
        return total

    compare(many, random(300))


def test_extents_change_under_one_plan(counters):
    def program(np, x):
        return np.roll(x, 1) + np.roll(x, -1) - 2 * x

    for n in range(20, 60):
        x = np.array(random(n, n))
        np.flush()
        numpy.testing.assert_array_equal(numpy.asarray(program(np, x)), program(numpy, random(n, n)))
    for n in (1, 2, 3):
        compare(program, random(n))


@pytest.mark.default_settings
def test_a_loop_of_rolls_is_one_launch_a_round(counters):
    u, v = np.array(random((32, 32))), np.array(random((32, 32), 1))
    np.synchronize()
    for step in range(40):
        if step == 20:
            np.flush()
            np.stats_reset()
        lap_u, lap_v = around(np, u), around(np, v)
        reaction = u * v * v
        u += 0.16 * lap_u - reaction + 0.06 * (1 - u)
        v += 0.08 * lap_v + reaction - 0.12 * v
    stats = counters()
    assert stats["launches"] <= 22
    assert stats["plan_misses"] <= 2


def test_shifts_of_any_size():
    x = numpy.arange(10)
    for shift in (0, 10, -13, 2**70, -(2**70), numpy.uint64(2**63), (1, 2**65)):
        axis = (0, 0) if isinstance(shift, tuple) else 0
        numpy.testing.assert_array_equal(np.roll(np.array(x), shift, axis), numpy.roll(x, shift, axis))
    with pytest.raises(numpy.exceptions.AxisError):
        np.roll(np.array(x), 1, 3)


@given(st.data())
def test_random_rolls_and_joins(data):
    rows, columns = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    steps = data.draw(
        st.lists(
            st.tuples(st.sampled_from(["roll", "join", "add", "stack", "poke"]), st.integers(-7, 7), st.integers(0, 1)),
            min_size=1,
            max_size=8,
        )
    )

    def program(np, p):
        value, other = p * 2, p
        for what, by, axis in steps:
            if what == "roll":
                value = np.roll(value, by, axis)
            elif what == "join":
                value = (np.concatenate([value, other], axis) * 2)[:rows, :columns]
            elif what == "stack":
                value = (np.stack([value, other + by], axis) - 1)[(slice(None),) * axis + (by % 2,)]
            elif what == "poke":
                other = np.roll(value, by, axis)
                value[by % rows] = by
            else:
                value = value + other
        return value, other

    compare(program, random((rows, columns)))
