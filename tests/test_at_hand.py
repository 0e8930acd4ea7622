"""Calls of a few elements at hand are NumPy's (python/ext/at_hand.c): what they give, write and raise is the same
either way, and what is pending stays so unless the function reads.
"""

import cnumeric
import numpy
import pytest

CALLS = """
np.put(x, k, y)
np.put(x, [0, -1], 7, mode="wrap")
np.put(x, [99], 7)
x.put(k, 3.5)
np.place(x, m, [1, 2])
np.place(x, m, [])
np.putmask(x, m, y)
np.fill_diagonal(a, 9)
np.fill_diagonal(x, 9)
np.insert(x, 3, [8, 9])
np.insert(a, [0, 2], 5, axis=1)
np.choose(c, [x, y, x])
np.choose(c + 5, [x, y])
c.choose([x, y, x])
np.unravel_index(k, (4, 5))
np.unravel_index(k, (1, 2))
np.ravel_multi_index((c, c), (3, 4))
np.ravel_multi_index((k, k), (3, 4))
np.compress(m, x)
np.compress([True, False, True], a, axis=0)
x.compress(m)
np.lexsort((x, c))
np.bincount(c)
np.bincount(c, weights=x)
np.bincount(k - 100)
np.repeat(x, c)
np.repeat(a, 2, axis=1)
np.repeat(x, -1)
x.repeat(3)
np.tile(x, (2, 2))
np.pad(a, 1)
np.pad(x, (2, 3), mode="reflect")
np.packbits(m)
np.packbits(a > 1, axis=0, bitorder="little")
np.packbits(x)
np.unpackbits(u)
np.unpackbits(u, count=5)
np.unpackbits(u, count=-3)
np.unpackbits(u.reshape(2, 6), axis=0)
np.linalg.det(s)
np.linalg.inv(s)
np.linalg.inv(a)
np.linalg.solve(s, s[0])
np.linalg.eigvalsh(s)
np.linalg.qr(s)
np.linalg.slogdet(s)
""".strip().splitlines()


def names(np):
    random = numpy.random.default_rng(4)
    given = {
        "x": random.random(12),
        "y": random.random(12),
        "k": random.integers(0, 12, 12),
        "c": random.integers(0, 3, 12),
        "m": random.integers(0, 2, 12).astype(bool),
        "u": random.integers(0, 256, 12).astype(numpy.uint8),
        "a": random.random((3, 4)),
        "s": random.random((5, 5)) + 5 * numpy.eye(5),
    }
    return {"np": np} | {name: np.array(value) for name, value in given.items()}


def run(np, call):
    """What the call gives or raises, and what is then in its arguments."""
    given = names(np)
    if np is cnumeric:
        cnumeric.synchronize()
    try:
        result = eval(call, given)
    except Exception as error:
        result = type(error), str(error)
    return result, {name: numpy.array(given[name]) for name in "xyka"}


@pytest.fixture
def few():
    before = cnumeric.settings()["numpy_bytes"]
    yield lambda limit: cnumeric.settings(numpy_bytes=limit)
    cnumeric.settings(numpy_bytes=before)


def same(ours, theirs):
    if isinstance(theirs, tuple):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for one, two in zip(ours, theirs, strict=True):
            same(one, two)
    elif isinstance(theirs, numpy.ndarray):
        assert type(ours) is cnumeric.ndarray and ours.dtype == theirs.dtype
        numpy.testing.assert_array_equal(numpy.array(ours), theirs, strict=True)
        if theirs.flags.forc:
            assert ours.flags.c_contiguous == theirs.flags.c_contiguous
    else:
        assert type(ours) is type(theirs) and (ours == theirs or theirs is None)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("limit", [0, 32768])
def test_a_call_of_few_elements_is_numpys(call, limit, few, counters):
    few(limit)
    ours, theirs = run(cnumeric, call), run(numpy, call)
    same(ours[0], theirs[0])
    for name, value in theirs[1].items():
        numpy.testing.assert_array_equal(ours[1][name], value)
    assert counters()["fallbacks"] == 0 or "linalg" in call or type(theirs[0]) is tuple


@pytest.mark.default_settings
def test_results_are_ours_and_stay_recorded(few, counters):
    few(32768)
    x = cnumeric.arange(10.0)
    cnumeric.synchronize()
    exports = counters()["exports"]
    repeated = x.repeat(2)  # functions go another way once there are subclasses
    assert counters()["exports"] == exports + 1
    windows = counters()["windows"]
    sum_ = repeated + 1
    assert cnumeric.stats()["windows"] == windows  # shared memory would have been waited for
    assert sum_[3] == 2


@pytest.mark.default_settings
def test_what_is_pending_waits_unless_the_function_reads(few, counters):
    few(32768)
    x = cnumeric.arange(10.0)
    cnumeric.synchronize()
    y = x + 1
    windows = counters()["windows"]
    y = x + 1
    z = cnumeric.repeat(y, 2)
    assert cnumeric.stats()["windows"] == windows
    counts = cnumeric.bincount((y % 3).astype(int))
    assert counts.tolist() == [3, 4, 3] and z[3] == 2


@pytest.mark.default_settings
def test_copies_and_large_operands_are_not_written_through(few):
    few(32768)
    x = cnumeric.arange(3000.0)
    y = x.copy()
    y += 0
    cnumeric.put(y, [1], 5.0)
    assert x[1] == 1 and y[1] == 5
    large = cnumeric.zeros(100000)
    cnumeric.put(large, [3], 1.0)
    assert large.sum() == 1


@pytest.mark.parametrize("limit", [0, 32768])
def test_an_output_comes_back_itself(limit, few):
    few(limit)
    x, m, c, out = cnumeric.arange(4.0), cnumeric.arange(4) > 1, cnumeric.arange(4) % 2, cnumeric.zeros(2)
    whole = cnumeric.zeros(4)
    cnumeric.synchronize()
    assert cnumeric.compress(m, x, out=out) is out and out.tolist() == [2, 3]
    assert cnumeric.choose(c, [x, x * 2], out=whole) is whole and whole.tolist() == [0, 2, 2, 6]


def test_small_convolutions_are_numpys_pending_or_not(few):
    few(32768)
    x, y = numpy.sin(numpy.arange(100.0)), numpy.cos(numpy.arange(7.0))
    for function in ("convolve", "correlate"):
        for mode in ("full", "same", "valid"):
            expected = getattr(numpy, function)(x * 3, y, mode)
            a, b = cnumeric.array(x), cnumeric.array(y)
            pending = getattr(cnumeric, function)(a * 3, b, mode)
            a *= 3
            cnumeric.synchronize()
            for found in (pending, getattr(cnumeric, function)(a, b, mode)):
                numpy.testing.assert_array_equal(numpy.array(found), expected)


def test_classes_keep_only_their_own_arrays_from_numpy(few):
    few(32768)

    class Own(cnumeric.ndarray):
        pass

    x, c = cnumeric.arange(6.0), cnumeric.arange(6) % 2
    own = x.view(Own)
    endless = [x]
    endless.append(endless)
    cnumeric.synchronize()
    before = cnumeric.stats()["ops"]
    cnumeric.lexsort((x, c)), cnumeric.repeat(x, 2), cnumeric.convolve(x, c)
    assert cnumeric.stats()["ops"] == before
    assert type(cnumeric.repeat(own, 2)) is Own and type(cnumeric.concatenate([x, (own)])) is cnumeric.ndarray
    with pytest.raises((ValueError, RecursionError)):
        cnumeric.lexsort(endless)


def test_every_allocation_may_fail(few):
    few(32768)
    nth, made = 0, 1
    while made > nth:
        x, k, c = cnumeric.arange(12.0), cnumeric.arange(3), cnumeric.arange(12) % 3
        cnumeric.synchronize()
        nth += 1
        cnumeric._cnumeric.fault_set(nth)
        try:
            found = cnumeric.repeat(x, c), cnumeric.unravel_index(k, (2, 2)), cnumeric.put(x, k, 9.0)
        except MemoryError:
            found = None
        made = cnumeric._cnumeric.fault_set(0)
        made = made if found is not None else nth + 1
        assert x[5] == 5
    assert nth > 3 and x[2] == 9 and found[0].size == 12
