"""Groups compiled and groups interpreted give the same bits, where arguments are ordinary and where they are not."""

import itertools

import cnumeric
import numpy
import pytest

N = 1003  # odd: what is left over behind vectors counts too


@pytest.fixture
def tiers():
    """Call with a function: its result (an array) interpreted and compiled."""
    before = {name: cnumeric.settings()[name] for name in ("tier", "compile_after")}

    def run(function, *inputs):
        results = []
        for tier in (0, 2):
            cnumeric.synchronize()
            cnumeric.settings(tier=tier, compile_after=0)
            arrays = [cnumeric.array(value) for value in inputs]
            for _ in range(2):
                result = numpy.asarray(function(*arrays))
            results.append(result)
        return results

    yield run
    cnumeric.synchronize()
    cnumeric.settings(**before)


def same_bits(a, b):
    assert a.dtype == b.dtype
    assert a.tobytes() == b.tobytes()


def test_rounding_of_casts_beside_each_other_is_kept(tiers):
    """gcc 12 drops (double)(float)x of pairs, such as the parts of complex numbers."""
    x = 1.0 / numpy.arange(3, 3 + 2 * N)
    z = x[::2] + 1j * x[1::2]
    narrow, wide = numpy.complex64, numpy.complex128
    for found in tiers(lambda z: z.astype(narrow).astype(wide), z):
        numpy.testing.assert_array_equal(found, z.astype(narrow).astype(wide))
    for found in tiers(lambda x, y: x.astype("f4").astype("f8") - y.astype("f4").astype("f8"), x[::2], x[1::2]):
        numpy.testing.assert_array_equal(found, x[::2].astype("f4").astype("f8") - x[1::2].astype("f4").astype("f8"))


FAR = [1e5, 2.0**17, 2.0**18, 1e15, 2.0**46, 1e22, 1e300, numpy.inf, -numpy.inf, numpy.nan]


def angles(dtype, far):
    x = numpy.random.default_rng(5).uniform(-50, 50, N)
    x[: 2 * len(far) : 2] = far
    with numpy.errstate(over="ignore"):
        return x.astype(dtype)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("far", [[], FAR[:1], FAR[-3:], FAR])
@pytest.mark.parametrize(
    "text",
    [
        "np.sin(x) * np.cos(x) + np.tan(x * 0.5)",
        "np.sin(np.where(x > 0, x, 1) * 3)",
        "np.cos(x, where=x > 0, out=np.ones_like(x))",
        "np.sin(x).sum() + 0 * x",
        "np.sin(x[::-2]) + 1",
        "np.add(np.sin(x), 1, out=x)",
        "np.sin(x).reshape(17, 59).sum(axis=0)",
    ],
)
def test_far_angles_do_not_change_bits(tiers, dtype, far, text):
    x = angles(dtype, far)
    interpreted, compiled = tiers(lambda x: eval(text, {"np": cnumeric, "x": x}), x)
    same_bits(interpreted, compiled)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("far", [[], [0, 800], FAR])
@pytest.mark.parametrize(
    "text",
    [
        "np.exp(1j * z) * np.log(z) + np.expm1(z)",
        "np.sin(z) * np.cosh(z) - np.log1p(z) * np.tanh(z)",
        "(np.exp(z * 0.1) * z[::-1]).sum() + np.arcsin(z) ** (0.3 + 0.1j)",
    ],
)
def test_far_complex_arguments_do_not_change_bits(tiers, dtype, far, text):
    with numpy.errstate(all="ignore"):
        z = (angles("f8", far) * 0.2 + 1j * angles("f8", far[::-1])[::-1]).astype(dtype)
    interpreted, compiled = tiers(lambda z: eval(text, {"np": cnumeric, "z": z}), z)
    numpy.testing.assert_array_equal(interpreted, compiled)
    numpy.testing.assert_array_equal(*(numpy.signbit(x.view(x.real.dtype)) for x in (interpreted, compiled)))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8", "c16"])
@pytest.mark.parametrize(
    "text, message",
    [
        ("np.where(x.real > 0, 1 / x, 3)", "divide by zero encountered in divide"),
        ("np.where(x.real > 0, 1 / x * 2 + x, x + 1)", "divide by zero encountered in divide"),
        ("np.where(x.real > 0, x, np.exp(x * 300))", "overflow encountered in"),
        ("np.where(x.real < 0, x, np.where(x.real > 0, x, 5 / x) * 2)", "divide by zero encountered in divide"),
    ],
)
def test_what_where_leaves_out_has_its_events(tiers, dtype, text, message):
    """Compilers would divide for the elements alone that are taken."""
    x = (numpy.arange(N) % 7).astype(dtype)
    with pytest.warns(RuntimeWarning) as told:
        interpreted, compiled = tiers(lambda x: eval(text, {"np": cnumeric, "x": x}), x)
    with numpy.errstate(all="ignore"):
        assert compiled.dtype == eval(text, {"np": numpy, "x": x}).dtype
    same_bits(interpreted, compiled)
    assert sum(message in str(w.message) for w in told) == 4  # two runs a tier


SHAPES = [(3, 5000), (9217, 37), (20, 40000), (8193, 3), (130, 1030), (2500, 1), (5, 6, 700), (70, 3, 2, 90)]


ROWS = [
    "((x - y) ** 2).sum(axis=0)",
    "(x * 2).sum(axis=0) - (x + y).prod(axis=0)",
    "(x != y).sum(axis=tuple(range(x.ndim - 1)))",
    "(x[::-2] * y).sum(axis=0) * 1",
    "np.add(x, y, out=x).sum(axis=0) + x[0]",
    "(x * y).sum(axis=0, initial=3)",
]
LONG = [(70001,), (8193,), (4, 33000), (9, 9216), (2, 40, 1024)]
LEAVES = [
    "((x - y) ** 2).sum()",
    "(x * 2).sum(axis=-1) - (x + y).max(axis=-1)",
    "((x - 1) * y).sum(axis=-1) / (x + y).sum(axis=-1)",
    "(x[..., ::-1] * y).sum(axis=-1, initial=3)",
    "np.add(x, y, out=x).sum() + x[..., 0]",
    "(lambda d: d * d.sum(axis=-1, keepdims=True))(x - y)",
    "(np.sin(x * 1e5) + y).sum(axis=-1)",
]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c16", "i4"])
@pytest.mark.parametrize("shape, text", [*itertools.product(SHAPES, ROWS), *itertools.product(LONG, LEAVES)])
def test_rows_and_leaves_that_kernels_add_up_keep_their_bits(tiers, dtype, shape, text):
    rng = numpy.random.default_rng(8)
    x = (rng.random(shape) * 4).astype(dtype)
    y = (rng.random(shape[-1]) * 4).astype(dtype)
    with numpy.errstate(all="ignore"), cnumeric.errstate(all="ignore"):
        interpreted, compiled = tiers(lambda x, y: eval(text, {"np": cnumeric, "x": x, "y": y}), x, y)
    same_bits(interpreted, compiled)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [*SHAPES, (8193, 1100)])
def test_events_of_rows_that_kernels_accumulate_are_told_once(tiers, shape, threads):
    """A kernel that met an event is not believed: its rows are taken again, the accumulators as they were before."""
    x = numpy.random.default_rng(9).random(shape) + 0.5
    x[-1, ..., -1] = x[0, ..., 0] = x[min(1023, shape[0] // 2)] = 0
    before = cnumeric.settings()["threads"]
    with pytest.warns(RuntimeWarning) as told:
        cnumeric.settings(threads=threads)
        interpreted, compiled = tiers(lambda x: cnumeric.where(x > 0, 1 / x, 0.3).sum(axis=0), x)
    cnumeric.settings(threads=before)
    same_bits(interpreted, compiled)
    assert {str(w.message) for w in told} == {"divide by zero encountered in divide"}
    assert len(told) == 4  # two runs a tier


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("place", [0, 1500, 69999])
def test_events_of_leaves_that_kernels_add_up_are_told_once(tiers, place, threads):
    x = numpy.random.default_rng(9).random(70001) + 0.5
    x[place] = 0
    before = cnumeric.settings()["threads"]
    with pytest.warns(RuntimeWarning) as told:
        cnumeric.settings(threads=threads)
        interpreted, compiled = tiers(lambda x: cnumeric.where(x > 0, 1 / x, 0.3).sum(), x)
    cnumeric.settings(threads=before)
    same_bits(interpreted, compiled)
    assert [str(w.message) for w in told] == 4 * ["divide by zero encountered in divide"]  # two runs a tier


def division_operands(dtype):
    """Pairs of any bits, ordinary ones, quotients that are whole or nearly, and those of too many digits."""
    rng, n, size = numpy.random.default_rng(3), 20_000, numpy.dtype(dtype).itemsize
    bits = [rng.integers(0, 2 ** (8 * size), n, dtype=numpy.uint64).astype(f"u{size}").view(dtype) for _ in range(2)]
    x, y = ((rng.standard_normal(n) * 10 ** rng.uniform(-2, 2, n)).astype(dtype) for _ in range(2))
    whole = (y * rng.integers(-50, 50, n)).astype(dtype)
    beside = numpy.nextafter(whole, rng.choice([-numpy.inf, numpy.inf], n).astype(dtype))
    with numpy.errstate(over="ignore"):
        long = (y * 2.0 ** rng.integers(0, {2: 11, 4: 25, 8: 54}[size], n)).astype(dtype)
    return [bits, (x, y), (whole, y), (beside, y), (long, y), (x, bits[0]), (bits[1], y)]


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod", "divmod"])
@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_quotients_and_remainders_are_numpys_bits(tiers, dtype, name):
    for a, b in division_operands(dtype):
        with numpy.errstate(all="ignore"):
            expected = numpy.array(getattr(numpy, name)(a, b))
            given = tiers(lambda a, b: cnumeric.stack([getattr(cnumeric, name)(a, b)]), a, b)
        for found in given:
            found = found.reshape(expected.shape)
            numpy.testing.assert_array_equal(found, expected)
            known = ~numpy.isnan(expected)
            assert (numpy.signbit(found) == numpy.signbit(expected))[known].all()


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod", "divmod"])
@pytest.mark.parametrize("dtype", ["b", "B", "h", "H", "i", "I", "q", "Q"])
def test_quotients_of_integers_are_numpys(tiers, dtype, name):
    """Any bits, small numbers, and those beside what float64 divides: near multiples, near 2**50 and the ends."""
    rng, n, info = numpy.random.default_rng(5), 20_000, numpy.iinfo(dtype)
    bits = rng.integers(info.min, info.max, (2, n), dtype, endpoint=True)
    small = rng.integers(max(info.min, -20), 20, n).astype(dtype)
    ends = numpy.array([info.min, info.max, info.max // 2, 2**50 & info.max, 1, 0], dtype)
    beside = (rng.choice(ends, n).astype(object) + rng.integers(-3, 3, n).astype(object)) % (info.max + 1)
    shorter = bits[1] >> rng.integers(0, info.bits, n).astype(dtype)
    near = (shorter // 7 * 7 + rng.integers(-1, 2, n)).astype(dtype)
    for a, b in (
        (bits[0], bits[1]),
        (bits[0], small),
        (beside.astype(dtype), shorter),
        (near, small),
        (near, near[::-1]),
    ):
        with numpy.errstate(all="ignore"):
            expected = numpy.array(getattr(numpy, name)(a, b))
            given = tiers(lambda a, b: cnumeric.stack([getattr(cnumeric, name)(a, b)]), a, b)
        for found in given:
            numpy.testing.assert_array_equal(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("power", ["i", "q"])
@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_steps_and_powers_of_two_are_numpys_bits(tiers, dtype, power):
    """Any bits, runs without far results, and powers that reach the ends."""
    rng, n, size = numpy.random.default_rng(7), 20_000, numpy.dtype(dtype).itemsize
    x, y = (rng.integers(0, 2 ** (8 * size), n, numpy.uint64).astype(f"u{size}").view(dtype) for _ in range(2))
    x[:1000], y[:1000] = rng.standard_normal(1000), 1
    x[-9:] = 0, -0.0, numpy.inf, -numpy.inf, numpy.nan, *(info := numpy.finfo(dtype)).max * numpy.array([1, -1]), 1, -1
    x[-40:-20] = info.smallest_subnormal * numpy.arange(-10, 10)
    by = rng.integers(-2200, 2200, n).astype(power)
    by[:1000], by[1000:1500] = rng.integers(-5, 5, 1000), rng.integers(*(numpy.iinfo(power).min, 2**31 - 1), 500)
    for text in ("np.ldexp(x, by)", "np.spacing(x)", "np.nextafter(x, y)", "np.stack(np.frexp(x))"):
        with numpy.errstate(all="ignore"):
            expected = eval(text, {"np": numpy, "x": x, "y": y, "by": by})
            given = tiers(lambda x, y, by, text=text: eval(text, {"np": cnumeric, "x": x, "y": y, "by": by}), x, y, by)
        for found in given:
            numpy.testing.assert_array_equal(found, expected)
            assert (numpy.signbit(found) == numpy.signbit(expected))[~numpy.isnan(expected)].all()
