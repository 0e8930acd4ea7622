"""Every ufunc and dtype against NumPy; keywords, methods and scalar rules of the ufunc objects.

Rows that promise NumPy's bits are compared exactly; transcendentals within a bound in units in the last place
(NumPy's own loops differ from each other by as much between instruction sets).
"""

import warnings

import cnumeric
import numpy
import pytest
from cnumeric import _cnumeric

DTYPES = "?bBhHiIlLefdFD"

UFUNCS = sorted(
    name
    for name in dir(numpy)
    if isinstance(getattr(numpy, name), numpy.ufunc) and getattr(numpy, name).__name__ == name and name != "isnat"
)
ELEMENTWISE = [name for name in UFUNCS if getattr(numpy, name).signature is None]

# Same bits as NumPy (sections 6 and 10 of the design); the others within ULP of their dtype.
EXACT = set(
    "add subtract multiply divide floor_divide remainder fmod divmod negative positive absolute fabs sign sqrt square "
    "reciprocal conjugate equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor "
    "logical_not bitwise_and bitwise_or bitwise_xor invert bitwise_count left_shift right_shift maximum minimum fmax "
    "fmin rint floor ceil trunc gcd lcm heaviside copysign nextafter spacing ldexp frexp modf signbit isnan isinf "
    "isfinite".split()
)
ULP = 4
ULP_OF_DIFFERENCES = 32  # logaddexp near zero: what is left of two terms

# Products of these reach past what one rounding decides; compared by relative error of the modulus.
COMPLEX_BY_MODULUS = 1e-13


def values(dtype, seed):
    """A (6, 8) operand in which ordinary and special values meet."""
    kind = numpy.dtype(dtype).kind
    random = numpy.random.RandomState(seed)
    if kind == "b":
        return random.rand(6, 8) > 0.5
    if kind in "iu":
        info = numpy.iinfo(dtype)
        low = 0 if kind == "u" else -9
        array = random.randint(low, 9, (6, 8)).astype(dtype)
        array[0, :3] = info.max, info.min, 0
        return array
    array = (random.rand(6, 8) * 6 - 3).astype(dtype)
    if kind == "c":
        return array + (1j * (random.rand(6, 8) * 6 - 3)).astype(dtype)
    array[0] = 0.0, -0.0, 1.0, -1.0, 0.5, numpy.inf, -numpy.inf, numpy.nan
    return array


def compute(function, *operands, **keywords):
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*operands, **keywords)
        except Exception as error:
            return error


def units_apart(ours, theirs):
    """The largest distance in units in the last place of the dtype; NaN, infinities and equal values count 0."""
    same = (ours == theirs) | (numpy.isnan(ours) & numpy.isnan(theirs))
    with numpy.errstate(all="ignore"):
        gap = numpy.abs(ours.astype("f8") - theirs.astype("f8")) / numpy.spacing(numpy.abs(theirs)).astype("f8")
    gap = numpy.where(same, 0, numpy.where(numpy.isfinite(gap), gap, numpy.inf))
    return gap.max(initial=0)


def assert_value(name, ours, theirs):
    ours = numpy.asarray(ours)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if theirs.dtype.kind not in "fc" or (name in EXACT and theirs.dtype.kind == "f"):
        numpy.testing.assert_array_equal(ours, theirs)
        if theirs.dtype.kind == "f" and name not in ("maximum", "minimum", "fmax", "fmin"):
            zeros = theirs == 0
            numpy.testing.assert_array_equal(numpy.signbit(ours[zeros]), numpy.signbit(theirs[zeros]))
    elif theirs.dtype.kind == "f":
        assert units_apart(ours, theirs) <= (ULP if "logaddexp" not in name else ULP_OF_DIFFERENCES)
    else:
        rtol = COMPLEX_BY_MODULUS if theirs.dtype == "D" else 1e-5
        finite = numpy.isfinite(theirs)
        numpy.testing.assert_array_equal(numpy.isfinite(ours), finite)
        scale = numpy.abs(theirs[finite])
        assert (numpy.abs(ours[finite] - theirs[finite]) <= rtol * scale + 1e-30).all()


def assert_same(name, ours, theirs):
    if isinstance(theirs, Exception):
        assert ours.__class__ is theirs.__class__, repr(ours)
        assert str(ours) == str(theirs)
        return
    assert not isinstance(ours, Exception), repr(ours)
    if isinstance(theirs, tuple):
        for one, two in zip(ours, theirs, strict=True):
            assert_same(name, one, two)
        return
    if isinstance(theirs, numpy.ndarray):
        assert type(ours) is cnumeric.ndarray
    else:
        assert ours.__class__ is theirs.__class__
    assert_value(name, ours, numpy.asarray(theirs))


def check(name, operands, **keywords):
    theirs = compute(getattr(numpy, name), *operands, **keywords)
    ours = compute(getattr(cnumeric, name), *(cnumeric.array(operand) for operand in operands), **keywords)
    if numpy.asarray(operands[0]).ndim == 0 and isinstance(theirs, numpy.ndarray):
        theirs = theirs[()]
    assert_same(name, ours, theirs)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype(name, dtype):
    check(name, [values(dtype, place) for place in range(getattr(numpy, name).nin)])


@pytest.mark.parametrize("name", ["add", "subtract", "divide", "power", "equal", "left_shift", "arctan2", "minimum"])
@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
def test_mixed_dtypes(name, first, second):
    one, two = values(first, 0), values(second, 1)
    if name == "power":
        one, two = abs(one[1:]), abs(two[1:])
    check(name, [one, two])


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "floor_divide", "maximum", "less", "logical_and"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", [2, 2.5, True, 1j, 300, -1, numpy.float32(0.5), numpy.int8(3), 2**40])
def test_scalars(name, dtype, scalar):
    array = values(dtype, 0)
    for order in (lambda a: (a, scalar), lambda a: (scalar, a)):
        theirs = compute(getattr(numpy, name), *order(array))
        ours = compute(getattr(cnumeric, name), *order(cnumeric.array(array)))
        assert_same(name, ours, theirs)


@pytest.mark.parametrize(
    "shapes", [((3, 1), (4,)), ((2, 1, 3), (4, 1)), ((1,), (0,)), ((), (3,)), ((3,), (4,)), ((2, 3), (3, 2))]
)
def test_broadcasting(shapes):
    one, two = (numpy.arange(numpy.prod(shape, dtype=int), dtype=float).reshape(shape) for shape in shapes)
    check("add", [one, two])


@pytest.mark.parametrize("name", "absolute log log1p expm1 arcsin arctan sign tanh".split())
@pytest.mark.parametrize("dtype", "FD")
def test_complex_nans_are_quiet(name, dtype):
    """Vectors compare with instructions that say invalid of a NaN; loops of complex numbers are believed."""
    nan, inf = numpy.nan, numpy.inf
    array = numpy.array([complex(nan, 1), 1 + 1j, complex(2, nan), complex(nan, nan), complex(inf, 1)] * 50, dtype)
    with warnings.catch_warnings(record=True) as told, numpy.errstate(all="ignore", invalid="warn"):
        warnings.simplefilter("always")
        found = numpy.asarray(getattr(cnumeric, name)(cnumeric.array(array)))
    assert not told
    assert numpy.isnan(found[:1]).all() and not numpy.isnan(found[1])


@pytest.mark.parametrize("name", "absolute fabs negative signbit spacing sqrt".split())
def test_every_half_has_numpys_bits(name):
    halves = numpy.arange(65536, dtype="u2").view("f2")
    with numpy.errstate(all="ignore"):
        ours, theirs = numpy.asarray(getattr(cnumeric, name)(cnumeric.array(halves))), getattr(numpy, name)(halves)
    numpy.testing.assert_array_equal(ours, theirs)
    ordinary = ~numpy.isnan(halves)
    numpy.testing.assert_array_equal(numpy.signbit(ours)[ordinary], numpy.signbit(theirs)[ordinary])


@pytest.mark.parametrize("dtype", "bBhHiIqQ")
def test_bits_of_any_number_are_counted(dtype):
    rng, info = numpy.random.default_rng(2), numpy.iinfo(dtype)
    x = rng.integers(info.min, info.max, 5000, dtype, endpoint=True) >> rng.integers(0, info.bits, 5000).astype(dtype)
    x[:3] = info.min, info.max, 0
    numpy.testing.assert_array_equal(cnumeric.bitwise_count(cnumeric.array(x)), numpy.bitwise_count(x))
    numpy.testing.assert_array_equal(cnumeric.signbit(cnumeric.array(x.astype("d"))), x < 0)


@pytest.mark.parametrize("far", [None, 0, 700, 2999])
@pytest.mark.parametrize("name", "exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh power".split())
@pytest.mark.parametrize("dtype", "FD")
def test_far_complex_arguments_do_not_change_bits(name, dtype, far):
    """Runs without arguments that are far take another form: each element has the bits it has alone."""
    rng = numpy.random.default_rng(4)
    array = (rng.uniform(-3, 3, 3000) + 1j * rng.uniform(-3, 3, 3000)).astype(dtype)
    if far is not None:
        array[far] = complex(numpy.inf, 0)
    more = [numpy.array(0.3 - 0.2j, dtype)] * (name == "power")
    function, places = getattr(cnumeric, name), [1, 257, 800, 2500, 2998]
    with numpy.errstate(all="ignore"):
        whole = numpy.asarray(function(cnumeric.array(array), *more))
        alone = numpy.array([complex(function(cnumeric.array([array[k], numpy.inf]), *more)[0]) for k in places], dtype)
        theirs = getattr(numpy, name)(array, *more)
    numpy.testing.assert_array_equal(whole[places], alone)
    numpy.testing.assert_allclose(whole[places], theirs[places], rtol=1e-12 if dtype == "D" else 2e-5)


# ---- Keywords ------------------------------------------------------------------------------------------------

KEYWORDS = """
np.add(a, b, out=o)
np.add(a, b, o)
np.add(a, b, out=(o,))
np.add(a, b, out=None)
np.add(a, b, dtype=np.float32)
np.add(i, i, dtype=float)
np.add(a, b, dtype=int)
np.add(a, b, dtype=int, casting="unsafe")
np.add(i, b, out=i)
np.add(i, b, out=i, casting="unsafe")
np.add(a, b, out=o[:3])
np.add(a, b, out=O)
np.add(a, b, where=m, out=o)
np.add(a, b, where=True)
np.add(a, b, order="F")
np.add(a, b, subok=False)
np.add(a, b, signature="dd->d")
np.add(a, b, nonsense=3)
np.add(a)
np.add(a, b, o, o)
np.add(a, b, o, out=o)
np.add(a, [1, 2, 3, 4])
np.add([1, 2], [3, 4])
np.add(1, 2)
np.add("a", "b")
np.add(a, None)
np.sqrt(a, out=o)
np.sqrt(-1.0 + 0 * a)
np.sqrt([4.0, 9.0])
np.divmod(a, 2.0)
np.divmod(i, 2, out=(None, i))
np.modf(a)
np.frexp(a)
np.ldexp(a, i)
np.exp(a, where=m, out=o)
np.isnan(a)
np.invert(a)
np.bitwise_and(a, 1)
np.left_shift(i, -1)
np.power(i, -1)
np.power(i, 2)
np.power(a, 0.5)
np.negative(m)
np.subtract(m, m)
np.logical_not(a)
np.clip(a, 1, 2)
np.matmul(A, A)
np.matmul(A, a)
np.matmul(a, A)
np.matmul(a, a)
np.matmul(A, 2)
np.matmul(A, A, out=O)
np.matmul(A, A[:3])
np.matmul(I, I)
np.matmul(I, A)
np.vecdot(A, A)
np.matvec(A, a)
np.vecmat(a, A)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", [line for line in KEYWORDS.splitlines() if line])
def test_keywords(expression):
    results = []
    for module in (cnumeric, numpy):
        names = {
            "a": numpy.array([0.5, 1.5, 2.5, 4.0]),
            "b": numpy.array([3.0, 2.0, 1.0, 0.5]),
            "o": numpy.zeros(4),
            "O": numpy.zeros((4, 4)),
            "i": numpy.array([1, 2, 3, 4]),
            "m": numpy.array([True, False, True, False]),
            "A": numpy.arange(16.0).reshape(4, 4),
            "I": numpy.arange(16).reshape(4, 4),
        }
        names = {name: module.array(value) for name, value in names.items()}
        results.append((compute(eval, expression, {"np": module, **names}), names))
    (ours, left), (theirs, right) = results
    assert_same("exp", ours, theirs)
    for name, value in right.items():
        numpy.testing.assert_array_equal(numpy.asarray(left[name]), value)


def test_out_comes_back_itself():
    a, o = cnumeric.arange(3.0), cnumeric.empty(3)
    assert cnumeric.add(a, 1, out=o) is o
    assert cnumeric.add(a, 1, o) is o
    theirs = numpy.empty(3)
    assert cnumeric.add(a, 1, out=theirs) is theirs
    assert theirs.tolist() == [1, 2, 3]


# ---- Methods -------------------------------------------------------------------------------------------------

METHODS = """
np.add.reduce(a)
np.add.reduce(A)
np.add.reduce(A, 1)
np.add.reduce(A, axis=None)
np.add.reduce(A, axis=(0, 1))
np.add.reduce(A, axis=(0, 1), keepdims=True)
np.add.reduce(A, axis=5)
np.add.reduce(A, axis=(0, 0))
np.add.reduce(A, 0, np.float32)
np.add.reduce(A, 0, None, o)
np.add.reduce(A, initial=3.0)
np.add.reduce(A, where=A > 3)
np.add.reduce(i)
np.add.reduce(m)
np.add.reduce([1, 2, 3])
np.add.reduce(2.0)
np.multiply.reduce(a)
np.maximum.reduce(A, axis=1)
np.maximum.reduce(a[:0])
np.maximum.reduce(a[:0], initial=1.0)
np.minimum.reduce(A, where=A > 3, initial=9.0)
np.minimum.reduce(A, where=A > 3)
np.fmax.reduce(A)
np.logical_and.reduce(m)
np.logical_or.reduce(A, axis=0)
np.logical_xor.reduce(m)
np.bitwise_or.reduce(i)
np.bitwise_and.reduce(i)
np.subtract.reduce(a)
np.divide.reduce(A, axis=1)
np.sqrt.reduce(a)
np.hypot.reduce(a)
np.add.accumulate(a)
np.add.accumulate(A, 1)
np.multiply.accumulate(i)
np.add.reduceat(a, [0, 2])
np.multiply.outer(a, i)
np.multiply.outer(A, a)
np.subtract.outer([1, 2], a)
np.add.resolve_dtypes((np.dtype("i4"), np.dtype("f4"), None))
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", [line for line in METHODS.splitlines() if line])
def test_methods(expression):
    results = []
    for module in (cnumeric, numpy):
        names = {
            "a": numpy.array([0.5, 1.5, 2.5, 4.0]),
            "o": numpy.zeros(4),
            "i": numpy.array([1, 2, 3, 4]),
            "m": numpy.array([True, False, True, False]),
            "A": numpy.arange(12.0).reshape(3, 4),
        }
        names = {name: module.array(value) for name, value in names.items()}
        results.append((compute(eval, expression, {"np": module, **names}), names))
    (ours, left), (theirs, right) = results
    if isinstance(theirs, tuple):
        assert ours == theirs
    else:
        assert_same("exp", ours, theirs)
    numpy.testing.assert_array_equal(numpy.asarray(left["o"]), right["o"])


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum", "fmax", "logical_or", "bitwise_and"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_of_every_dtype(name, dtype):
    array = values(dtype, 3)[1:]
    for axis in (0, 1, None):
        theirs = compute(getattr(numpy, name).reduce, array, axis=axis)
        ours = compute(getattr(cnumeric, name).reduce, cnumeric.array(array), axis=axis)
        if isinstance(theirs, Exception):
            assert_same(name, ours, theirs)
            continue
        assert numpy.asarray(ours).dtype == theirs.dtype
        rtol = {"e": 5e-3, "f": 1e-5, "F": 1e-5}.get(theirs.dtype.char, 1e-13)
        numpy.testing.assert_allclose(numpy.asarray(ours), theirs, rtol=rtol, atol=rtol)


# ---- The objects ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UFUNCS)
def test_attributes_are_numpys(name):
    ours, theirs = getattr(cnumeric, name), getattr(numpy, name)
    assert type(ours) is cnumeric.ufunc
    assert repr(ours) == repr(theirs)
    for attribute in "nin nout nargs ntypes types identity signature __name__ __doc__".split():
        assert getattr(ours, attribute) == getattr(theirs, attribute)


def test_every_row_of_the_core_is_used():
    for name in ELEMENTWISE:
        if name not in ("float_power",):
            assert getattr(cnumeric, name).native, name


def test_scalars_stay_numpys():
    assert type(cnumeric.sqrt(2.0)) is numpy.float64
    assert type(cnumeric.add(1, 2)) is numpy.int64
    assert type(cnumeric.sqrt(numpy.float32(2))) is numpy.float32


@pytest.mark.default_settings
def test_calls_record_and_do_not_compute():
    array = cnumeric.zeros(100000)
    cnumeric.synchronize()
    before = cnumeric.stats()
    for _ in range(10):
        array = cnumeric.sqrt(cnumeric.add(array, 1.0))
    after = cnumeric.stats()
    assert after["ops"] - before["ops"] == 20
    assert after["launches"] == before["launches"]
    assert abs(float(array[0]) - 1.618) < 0.01


def test_sticks_to_the_table():
    assert _cnumeric.add.native
    assert not _cnumeric.isnat.native


@pytest.mark.parametrize("dtype", "FD")
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_short_complex_arrays_have_numpys_bits(name, dtype):
    rng = numpy.random.default_rng(3)
    for n in [1, 2, 3, 5, 7] * 8:
        a, b = (rng.normal(size=(2, n)) + 1j * rng.normal(size=(2, n))).astype(dtype)
        ours = getattr(cnumeric, name)(cnumeric.array(a), cnumeric.array(b))
        assert ours.tobytes() == getattr(numpy, name)(a, b).tobytes()


@pytest.mark.parametrize("dtype", "bhil")
def test_lcm_wraps_as_numpy(dtype):
    a = numpy.arange(-60, 60, dtype=dtype)
    b = numpy.arange(60, -60, -1, dtype=dtype) // 3
    assert cnumeric.lcm(cnumeric.array(a), cnumeric.array(b)).tolist() == numpy.lcm(a, b).tolist()


@pytest.mark.parametrize(("dtype", "ulps"), [("complex64", 0), ("complex128", 2)])
def test_signs_of_complex_numbers_are_numpys(dtype, ulps):
    """By hypot, as NumPy's are; where it is C's, that of doubles is another one's in a few of a thousand cases."""
    parts = numpy.random.default_rng(5).standard_normal((2, 50000)) * 10.0 ** numpy.arange(-25, 25).repeat(1000)
    x = (parts[0] + 1j * parts[1]).astype(dtype)
    ours, theirs = cnumeric.sign(cnumeric.array(x)), numpy.sign(x)
    real = theirs.real.dtype
    gap = numpy.abs(numpy.asarray(ours).view(real) - theirs.view(real)) / numpy.spacing(numpy.abs(theirs.view(real)))
    assert gap.max() <= ulps
