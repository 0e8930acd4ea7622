"""ufunc.at, reduceat, accumulate and reduce: every loop, every form of index, NumPy's errors and warnings."""

import warnings

import cnumeric
import hypothesis.strategies as st
import numpy
import pytest
from hypothesis import given
from test_functions import native_and_same, same

DTYPES = "?bBhHiIlLefdFD"
EXACT = """add subtract multiply maximum minimum fmax fmin floor_divide remainder fmod divide equal not_equal less
less_equal greater logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm
copysign negative absolute positive invert logical_not rint floor ceil trunc isnan""".split()
# NumPy's own loops for complex numbers differ from each other in the last bit.
ROUNDED = {("multiply", "F"), ("multiply", "D")}


def sample(dtype, count, seed=0):
    rng = numpy.random.default_rng(seed)
    kind = numpy.dtype(dtype).kind
    if kind == "b":
        return rng.random(count) < 0.5
    if kind in "iu":
        return rng.integers(0, 20, count).astype(dtype)
    numbers = rng.normal(size=count) + (1j * rng.normal(size=count) if kind == "c" else 2.5)
    return numbers.astype(dtype)


def outcome(statement, module, names):
    """What the statement leaves in its names, or the exception, and the warnings on the way."""
    scope = {"np": module, **{name: module.array(value) for name, value in names.items()}}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            exec(statement, scope)
            result = [numpy.array(scope[name]) for name in sorted(names)]
            result.append(numpy.array(scope["r"]) if "r" in scope else None)
        except Exception as error:
            result = error
    return result, sorted({str(w.message) for w in seen if w.category is not cnumeric.FallbackWarning})


def compare(statement, counters, exact=True, native=True, **names):
    ours, our_warnings = outcome(statement, cnumeric, names)
    theirs, their_warnings = outcome(statement, numpy, names)
    if isinstance(theirs, Exception):
        same(ours, theirs)
        return
    assert our_warnings == their_warnings
    if native:
        assert counters()["fallbacks"] == 0
    for our, their in zip(ours, theirs, strict=True):
        if their is not None:
            assert our.dtype == their.dtype and our.shape == their.shape
            close = numpy.testing.assert_array_equal if exact else numpy.testing.assert_allclose
            close(our, their, **({} if exact else {"rtol": 1e-5}))


# ---- Every loop --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_at_of_every_loop(name, dtype, counters):
    indices = numpy.random.default_rng(1).integers(-12, 12, 40)
    values = ", b" if getattr(numpy, name).nin == 2 else ""
    others = sample(dtype, 40, 2)
    if name == "divide" and dtype not in "efdFD":
        others[others == 0] = 1  # what a cast makes of infinity is not promised
    compare(f"np.{name}.at(a, i{values})", counters, a=sample(dtype, 12), b=others, i=indices)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in EXACT if getattr(numpy, name).nin == 2])
def test_folds_of_every_loop(name, dtype, counters):
    numbers = {"a": sample(dtype, 40, 2), "i": numpy.array([0, 3, 3, 7, 2, 30, 39, 1])}
    exact = (name, dtype) not in ROUNDED
    # float16 where a reduction has no row of its own, also for bytes where the loop is that of float16, is NumPy's
    native = dtype != "e" and not (dtype in "?bB" and name == "copysign")
    calls = ("reduceat(a, i)", "accumulate(a)", "reduce(a)")
    for call in calls[: 2 if (name, dtype) == ("multiply", "e") else 3]:  # its overflow is not seen by a reduction
        compare(f"r = np.{name}.{call}", counters, exact, native, **numbers)


@pytest.mark.parametrize("dtypes", ["fd", "ld", "bl", "Bh", "?l", "lB", "eF", "fF", "Dd", "df"])
@pytest.mark.parametrize("name", ["add", "divide", "maximum", "logical_and", "less"])
def test_at_of_two_dtypes(name, dtypes, counters):
    a, b = sample(dtypes[0], 6), sample(dtypes[1], 4, 1)
    native = not (dtypes[1] == "F" and name in ("add", "divide", "maximum"))  # ComplexWarning is NumPy's
    compare(f"np.{name}.at(a, [1, -2, 1, 0], b)", counters, native=native, a=a, b=b)
    compare(f"np.{name}.at(a, slice(1, 5), b)", counters, native=native, a=a, b=b)


def test_at_takes_numbers_as_arrays(counters):
    single = sample("f", 1000)
    compare("np.add.at(a, i, 0.1)", counters, a=single, i=numpy.arange(1000))
    compare("np.add.at(a, slice(None), 0.1)", counters, a=single)
    assert not numpy.array_equal(single + numpy.float32(0.1), (single.astype(float) + 0.1).astype("f"))  # they differ


# ---- Every form of index -----------------------------------------------------------------------------

KEYS = """[0, 2, 0, 1]
[[0, 1], [1, 1]]
[-1, 2, -1]
2
-3
slice(None)
slice(3, 0, -2)
...
()
None
(slice(None), 1)
(1, 2)
([0, 1, 0], [2, 2, 2])
(slice(1, 3), [0, 0, 1])
([1, 1, 0], slice(None, None, 2))
([[0], [1]], [0, 0])
(..., [1, 1])
(1, ..., [1, 1])
([1, 1], None, 2)
(0, [1, 1, 2])
m
m[0]
(m[:, 0], 1)
(m[:, 1], [0, 0, 2, 2, 1])
np.array(2)
True
[]
([], 1)
np.array([1, 1, 3], 'uint8')
[4, 9]
([0, 1], [0, 1, 2])
'x'
1.5
[0.5]
(1, 2, 3)"""


@pytest.mark.parametrize("operand", ["2.5", "v", "a[0]", "np.float32(3)", "[1, 2, 3]"])
@pytest.mark.parametrize("key", KEYS.splitlines())
def test_at_of_every_key(key, operand, counters):
    native = key not in ("True",)
    numbers = {"a": sample("d", 15).reshape(5, 3), "v": sample("d", 3, 1), "m": sample("?", 15, 3).reshape(5, 3)}
    for name in ("add", "subtract"):
        compare(f"np.{name}.at(a, {key}, {operand})", counters, native=native, **numbers)
    compare(f"np.add.at(a.T, {key}, {operand})", counters, native=native, **numbers)
    compare(f"np.negative.at(a, {key})", counters, native=native, **numbers)


WRONG = """np.add.at(a, [0])
np.add.at(a)
np.add.at()
np.add.at(a, [0], 1, 2)
np.add.at(a, [0], b=1)
np.negative.at(a, [0], 1)
np.modf.at(a, [0])
np.divmod.at(a, [0], 1)
np.add.at([1, 2], [0], 1)
np.add.at(3, [0], 1)
np.matmul.at(a, [0], a)
np.power.at(n, [0], -1)
np.add.at(np.broadcast_to(a, (2, 8)), 0, 1)
np.bitwise_and.at(a, [0], 1)
r = np.add.reduceat(a, [0, 8])
r = np.add.reduceat(a, [-1])
r = np.add.reduceat(a, 1)
r = np.add.reduceat(a, [[0], [1]])
r = np.add.reduceat(a, [0, 1], axis=1)
r = np.add.reduceat(a, [0, 1], axis=None)
r = np.add.reduceat(a, [0, 1], axis=(0,))
r = np.add.reduceat(a, [0, 1], out=np.zeros(3))
r = np.add.reduceat(a)
r = np.add.reduceat(3.0, [0])
r = np.add.reduceat(np.zeros((0, 3)), [0])
r = np.negative.reduceat(a, [0])
r = np.equal.reduceat(a, [0, 1])
r = np.modf.reduce(a)
r = np.subtract.reduce([])
r = np.subtract.reduce(np.zeros((0, 3)))
r = np.subtract.reduce(np.zeros((2, 3)), axis=(0, 1))
r = np.subtract.reduce(np.array([True, False]))
r = np.gcd.reduce(np.array([True, False]))"""


@pytest.mark.parametrize("statement", WRONG.splitlines())
def test_wrong_calls_raise_as_numpy(statement, counters):
    compare(statement, counters, native=False, a=sample("d", 8), n=sample("l", 8))


def test_too_many_dimensions_raise():  # where NumPy 2.4 crashes
    with pytest.raises(ValueError, match="array is not broadcastable to correct shape"):
        cnumeric.add.at(cnumeric.zeros((5, 3)), (slice(None), [1, 1]), numpy.ones((1, 1, 1, 2)))


def test_wrong_index_raises_at_the_call_and_writes_nothing():
    a = cnumeric.zeros(5)
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 0 with size 5"):
        cnumeric.add.at(a, [0, 1, 5], 1)
    assert a.tolist() == [0] * 5


# ---- Meaning ------------------------------------------------------------------------------------------


def test_at_is_in_order(counters):
    numbers = numpy.random.default_rng(5).normal(size=10_000) * 10.0 ** numpy.arange(10_000).astype(float).__mod__(9)
    compare("np.add.at(a, i, v)", counters, a=numpy.zeros(7), v=numbers, i=numpy.arange(10_000) % 7)


def test_at_on_an_operand_that_overlaps(counters):
    compare("np.add.at(a, [0, 1, 1], a[:3])", counters, a=numpy.arange(5.0))
    compare("np.add.at(a, a, a)", counters, a=numpy.arange(5)[::-1].copy())
    compare("np.add.at(a[::-1], [0, 0, 4], a[1:4])", counters, a=numpy.arange(5.0))


def test_at_between_other_statements(counters):
    statement = "b = a * 2; np.add.at(b, [0, 0], 1); r = b + a; np.subtract.at(b, [1], r[:1]); b += 1; a[:] = b[::-1]"
    compare(statement, counters, a=numpy.arange(4.0), b=numpy.zeros(1))


def test_at_keeps_the_rest_of_a_base(counters):
    compare("v = a[1:3]; np.multiply.at(v, [0, 0, 1], 3.0); r = a.sum()", counters, a=numpy.arange(6.0))


def test_at_writes_into_numpys_memory():
    memory = numpy.zeros(4)
    cnumeric.add.at(cnumeric.asarray(memory), [1, 1], 2.0)
    assert memory.tolist() == [0, 4, 0, 0]
    cnumeric.add.at(memory, cnumeric.array([2]), 1)
    assert memory.tolist() == [0, 4, 1, 0]


def test_at_makes_no_trip_to_numpy(counters):
    a, i = cnumeric.zeros(10), cnumeric.arange(5) // 2
    cnumeric.add.at(a, i, cnumeric.ones(5))
    assert counters()["exports"] == 0 and counters()["fallbacks"] == 0
    assert a.tolist() == [2, 2, 1, 0, 0, 0, 0, 0, 0, 0]


@given(st.integers(0, 2**32), st.sampled_from("dflD"), st.integers(1, 4))
def test_at_of_random_arrays(seed, dtype, ndim):
    rng = numpy.random.default_rng(seed)
    shape = tuple(rng.integers(1, 5, ndim))
    indexed = int(rng.integers(1, ndim + 1))
    base = sample(dtype, int(numpy.prod(shape)), seed).reshape(shape)
    base = base.transpose(rng.permutation(ndim))
    key = tuple(rng.integers(-n, n, 9) if k < indexed else slice(None) for k, n in enumerate(base.shape))
    values = sample(dtype, base[key].size, seed + 1).reshape(base[key].shape)
    ours, theirs = cnumeric.array(base), base.copy(order="K")
    cnumeric.add.at(ours, tuple(cnumeric.array(k) if not isinstance(k, slice) else k for k in key), values)
    numpy.add.at(theirs, key, values)
    assert numpy.array_equal(numpy.asarray(ours), theirs)


@pytest.mark.parametrize("dtype", "fdeD")
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_reduceat_sums_have_numpys_bits(dtype, axis, counters):
    numbers = sample(dtype, 6000, 4).reshape(60, 100)
    compare(f"r = np.add.reduceat(a, [0, 3, 50, 7, 59], axis={axis})", counters, a=numbers)
    compare(f"r = np.add.reduceat(a[::-1, ::2], [0, 1, 9, 2], {axis})", counters, a=numbers)


REDUCEAT = """np.add.reduceat(n, [0, 3])
np.add.reduceat(n, [0, 3], dtype='f')
np.add.reduceat(n, [0, 3], dtype=np.int8)
np.add.reduceat(n, [0, 3], 0, None, o)
np.add.reduceat(n, [0, 3], out=(o,))
np.add.reduceat(n, np.array([0, 3], 'int16'))
np.add.reduceat(A, [0, 2, 1], axis=1)
np.maximum.reduceat(A.T, [0, 2, 1])
np.logical_and.reduceat(A, [0, 2, 1], axis=-1)
np.subtract.reduceat(A, [1, 1], axis=1)
np.add.accumulate(n, out=p)
np.add.accumulate(A, axis=1, dtype='f')
np.divide.accumulate(A, axis=1)
np.subtract.reduce(A, axis=1, keepdims=True)
np.divide.reduce(A)"""


@pytest.mark.parametrize("expression", REDUCEAT.splitlines())
def test_reduceat_of_every_form(expression, counters):
    names = {"n": sample("l", 8), "A": sample("d", 24).reshape(4, 6), "o": numpy.zeros(2), "p": numpy.zeros(8)}
    compare(f"r = {expression}", counters, **names)


def test_out_of_a_scan_is_the_object_that_was_given():
    out = cnumeric.zeros(2)
    assert cnumeric.add.reduceat([1, 2, 3], [0, 1], out=out) is out
    assert out.tolist() == [1, 5]


def test_empty_indices(counters):
    for module in (numpy, cnumeric):
        assert module.add.reduceat(module.arange(3), module.array([], int)).shape == (0,)
    native_and_same(cnumeric.array(0), numpy.array(0), counters)
