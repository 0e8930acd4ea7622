"""Random numbers are NumPy's, bit for bit, and so is where the stream stands after every call."""

import pickle
import random
import warnings

import cnumeric
import numpy
import pytest

MANY = 40_000  # above what makes RandomState's draws native
WEIGHTS = numpy.arange(50) / 1225

GENERATOR = [
    ("random", (5000,), {}),
    ("random", ((3, 4001),), {"dtype": "f4"}),
    ("random", (1 << 19,), {"dtype": numpy.float32}),
    ("uniform", (-2.0, 5.0, (77, 99)), {}),
    ("uniform", (3, 3, 1000), {}),
    ("standard_normal", (5000,), {}),
    ("standard_normal", (300_001,), {}),
    ("normal", (2.0, 3.0, (50, 401)), {}),
    ("normal", (0, 1e308, 2000), {}),
    ("standard_exponential", (200_001,), {}),
    ("exponential", (2.5, 9000), {}),
    ("integers", (10, None, 5001), {}),
    ("integers", (-5, 3 * 10**9, 200_003), {}),
    ("integers", (0, 2**40, 20_001), {}),
    ("integers", (0, 2**63 - 1, 100_001), {}),
    ("integers", (-(2**63), 2**63 - 1, 5001), {"endpoint": True}),
    ("integers", (0, 2**64, 5001), {"dtype": "u8"}),
    ("integers", (0, 2**32, 5001), {}),
    ("integers", (-100, 100, 5001), {"dtype": "i1"}),
    ("integers", (-128, 128, 5003), {"dtype": "i1"}),
    ("integers", (0, 200, 300_001), {"dtype": "u1"}),
    ("integers", (0, 777, 300_001), {"dtype": "u2"}),
    ("integers", (-30_000, 30_000, 50_001), {"dtype": "i2"}),
    ("integers", (0, 777, 50_001), {"dtype": "i4"}),
    ("integers", (0, 3 * 2**30, 50_001), {"dtype": "u4"}),
    ("integers", (5, 6, 2000), {}),
    ("permutation", (5000,), {}),
    ("permutation", (100_000,), {}),
    ("permutation", (numpy.arange(6000).reshape(3000, 2),), {}),
    ("choice", (50, 5000), {}),
    ("choice", (numpy.arange(50) * 1.5, (50, 60)), {}),
    ("choice", (50, 5000), {"p": WEIGHTS}),
    ("choice", (5000, 2000), {"replace": False}),
    ("choice", (numpy.arange(5000.0), 2000), {"replace": False, "shuffle": False}),
    # NumPy's, between native ones
    ("poisson", (3.0, 1000), {}),
    ("gamma", (2.0,), {"size": 777}),
    ("integers", (0, 10, 3), {"dtype": "i4"}),
    ("random", (), {}),
    ("random", (1,), {"dtype": "f4"}),
    ("standard_normal", (1500,), {"dtype": "f4"}),
    ("normal", (numpy.zeros(1500), 1.0), {}),
]

STATE = [
    ("rand", (200, 250), {}),
    ("random_sample", (MANY,), {}),
    ("random", (MANY + 1,), {}),
    ("uniform", (-1, 2.5, (2, MANY)), {}),
    ("randn", (MANY + 1,), {}),
    ("standard_normal", (MANY,), {}),
    ("normal", (5.0, 0.1, 3 * MANY + 1), {}),
    ("standard_exponential", (MANY,), {}),
    ("exponential", (0.5, MANY), {}),
    ("randint", (10, None, MANY), {}),
    ("randint", (-3, 10**6, (4, MANY)), {}),
    ("randint", (0, 2**40, MANY), {}),
    ("randint", (0, 2**64, MANY), {"dtype": "u8"}),
    ("randint", (0, 200, MANY + 1), {"dtype": "u1"}),
    ("randint", (-100, 900, MANY + 1), {"dtype": numpy.int16}),
    ("randint", (0, 5, MANY), {"dtype": int}),
    ("permutation", (MANY,), {}),
    ("permutation", (numpy.arange(float(MANY)),), {}),
    ("choice", (90, MANY), {}),
    ("choice", (50, MANY), {"p": WEIGHTS}),
    ("choice", (2 * MANY, MANY, False), {}),
    # NumPy's
    ("randn", (), {}),
    ("randn", (3,), {}),
    ("rand", (5,), {}),
    ("randint", (0, 10, 3), {}),
    ("poisson", (3.0, 100), {}),
    ("gamma", (2.0,), {"size": 77}),
]


def same_bits(ours, theirs):
    if not isinstance(theirs, numpy.ndarray):
        assert ours == theirs
        return
    assert type(ours) is cnumeric.ndarray
    ours = numpy.asarray(ours)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert ours.tobytes() == theirs.tobytes()


def same_state(ours, theirs):
    if isinstance(theirs, numpy.random.Generator):
        assert ours.bit_generator.state == theirs.bit_generator.state
        return
    ours, theirs = (numpy.random.RandomState.get_state(owner, legacy=False) for owner in (ours, theirs))
    assert ours["state"]["pos"] == theirs["state"]["pos"]
    assert (ours["state"]["key"] == theirs["state"]["key"]).all()
    assert (ours["has_gauss"], ours["gauss"]) == (theirs["has_gauss"], theirs["gauss"])


def run(ours, theirs, calls):
    for name, args, kwargs in calls:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            warnings.simplefilter("ignore", cnumeric.FallbackWarning)
            result = getattr(ours, name)(*args, **kwargs)
        same_bits(result, getattr(theirs, name)(*args, **kwargs))
        same_state(ours, theirs)


def shuffled(calls, seed):
    calls = calls * 2
    random.Random(seed).shuffle(calls)
    return calls


@pytest.fixture(params=[1, 2, 3, 4])
def threads(request):
    before = cnumeric.settings()["threads"]
    cnumeric.settings(threads=request.param)
    yield request.param
    cnumeric.settings(threads=before)


@pytest.mark.parametrize("seed", range(3))
def test_generator_interleaved(threads, seed):
    calls = shuffled(GENERATOR, seed)
    run(cnumeric.random.default_rng(seed), numpy.random.default_rng(seed), calls)


@pytest.mark.parametrize("seed", range(2))
def test_random_state_interleaved(threads, seed):
    calls = shuffled(STATE, seed)
    run(cnumeric.random.RandomState(seed), numpy.random.RandomState(seed), calls)


@pytest.mark.parametrize("case", GENERATOR, ids=lambda case: f"{case[0]}{case[2] or ''}")
def test_generator_at_other_states(case):
    for seed in range(5):
        ours, theirs = cnumeric.random.default_rng(seed), numpy.random.default_rng(seed)
        run(ours, theirs, [("integers", (0, 9, 3), {"dtype": "i4"}), case, case, ("random", (), {"dtype": "f4"})])


@pytest.mark.parametrize("count", [32_768, 32_769, 65_535, 100_003])
def test_random_state_at_other_states(count):
    for seed in range(3):
        ours, theirs = cnumeric.random.RandomState(seed), numpy.random.RandomState(seed)
        run(ours, theirs, [("randn", (), {}), ("randn", (count,), {}), ("randn", (count,), {}), ("rand", (count,), {})])


@pytest.mark.parametrize("name", ["standard_normal", "standard_exponential"])
def test_ziggurat_tables(name):
    """Enough draws to meet every strip, its wedge and the tail often."""
    ours, theirs = cnumeric.random.default_rng(99), numpy.random.default_rng(99)
    for _ in range(4):
        same_bits(getattr(ours, name)(1_000_000), getattr(theirs, name)(1_000_000))
    same_state(ours, theirs)


def words_state(word, increment):
    """The state of PCG64 whose next word is `word`."""
    inverse = pow(0x2360ED051FC65DA44385DF649FCCF645, -1, 1 << 128)
    state = (word - increment) * inverse % (1 << 128)
    inner = {"state": state, "inc": increment}
    return {"bit_generator": "PCG64", "state": inner, "has_uint32": 0, "uinteger": 0}


@pytest.mark.parametrize("name, shift", [("standard_normal", 9), ("standard_exponential", 11)])
def test_ziggurat_edges(name, shift):
    """The first draw is made to lie at the edge of each strip, found by bisecting NumPy's own draws."""
    bits = numpy.random.PCG64(0)
    theirs, ours = numpy.random.Generator(bits), cnumeric.random.default_rng(0)
    increment = bits.state["state"]["inc"]
    place = 0 if name == "standard_normal" else 3

    def direct(word):  # does the draw take one word?
        bits.state = state = words_state(word, increment)
        getattr(theirs, name)()
        after = (state["state"]["state"] * 0x2360ED051FC65DA44385DF649FCCF645 + increment) % (1 << 128)
        return bits.state["state"]["state"] == after

    for strip in range(256):
        low, high = 0, (1 << (64 - shift)) - 1
        high = min(high, (1 << 52) - 1) if shift == 9 else high
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if direct(strip << place | middle << shift) else (low, middle)
        for mantissa in {max(low - 1, 0), low}:
            state = words_state(strip << place | mantissa << shift, increment)
            bits.state = ours.bit_generator.state = state
            same_bits(getattr(ours, name)(1000), getattr(theirs, name)(1000))
            same_state(ours, theirs)


def test_draws_wait_for_a_reader():
    ours, theirs = cnumeric.random.default_rng(5), numpy.random.default_rng(5)
    first, second = ours.random((30, 40)), ours.uniform(1, 2, (40, 30))
    total = first.T[::-1] + second
    one, two = theirs.random((30, 40)), theirs.uniform(1, 2, (40, 30))
    same_state(ours, theirs)
    same_bits(total, one.T[::-1] + two)


def test_shuffle_in_place():
    for ours, theirs in (
        (cnumeric.random.default_rng(8), numpy.random.default_rng(8)),
        (cnumeric.random.RandomState(8), numpy.random.RandomState(8)),
    ):
        for shape in (MANY, 2 * MANY, (MANY, 3)):
            expected = numpy.arange(numpy.prod(shape)).reshape(shape)
            array = cnumeric.array(expected)
            view = array[::2]
            assert ours.shuffle(array) is None
            theirs.shuffle(expected)
            same_bits(array, expected)
            ours.shuffle(view)
            theirs.shuffle(expected[::2])
            same_bits(array, expected)
            same_state(ours, theirs)


def test_module_functions_share_numpys_stream():
    calls = [("seed", (3,), {}), *STATE, ("ranf", (MANY,), {}), ("sample", (MANY,), {})]
    state = numpy.random.get_state()
    try:
        results = []
        for module in (cnumeric.random, numpy.random):
            numpy.random.seed(3)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", cnumeric.FallbackWarning)
                results.append([getattr(module, name)(*args, **kwargs) for name, args, kwargs in calls])
            results[-1].append(numpy.random.get_state(legacy=False)["state"]["pos"])
        for ours, theirs in zip(*results, strict=True):
            same_bits(ours, theirs) if theirs is not None else None
    finally:
        numpy.random.set_state(state)


def test_native_draws_are_no_fallback(counters):
    ours, state = cnumeric.random.default_rng(1), cnumeric.random.RandomState(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for owner, calls in ((ours, GENERATOR[:34]), (state, STATE[:21])):
            for name, args, kwargs in calls:
                getattr(owner, name)(*args, **kwargs)
        ours.random(3), ours.normal(size=4), ours.integers(9, size=5), state.rand(7), state.permutation(9)
        cnumeric.random.Generator(numpy.random.Philox(1)).random(5000)
    assert counters()["fallbacks"] == 0


@pytest.mark.parametrize("bits", ["MT19937", "PCG64DXSM", "Philox", "SFC64"])
def test_other_bit_generators(bits):
    kind = getattr(numpy.random, bits)
    ours, theirs = cnumeric.random.Generator(kind(4)), numpy.random.Generator(kind(4))
    for name, args, kwargs in GENERATOR[:12]:
        same_bits(getattr(ours, name)(*args, **kwargs), getattr(theirs, name)(*args, **kwargs))


@pytest.mark.parametrize(
    "call",
    [
        lambda rng: rng.random(-1),
        lambda rng: rng.random((2, -3)),
        lambda rng: rng.random("a"),
        lambda rng: rng.random(2000, dtype="i4"),
        lambda rng: rng.random(2000, 1, 2, 3, 4),
        lambda rng: rng.random(1.5),
        lambda rng: rng.random((2**40, 2**40)),
        lambda rng: rng.uniform(0, float("inf"), 2000),
        lambda rng: rng.normal(0, -1, 2000),
        lambda rng: rng.exponential(-1.0, 2000),
        lambda rng: rng.integers(5, 5, 2000),
        lambda rng: rng.integers(0, 300, 2000, dtype="u1"),
        lambda rng: rng.integers(0, 3, 2000, dtype="f8"),
        lambda rng: rng.choice(0, 2000),
        lambda rng: rng.choice(3, 2000, p=[0.5, 0.5, 0.5]),
        lambda rng: rng.choice(1000, 2000, replace=False),
        lambda rng: rng.permutation(numpy.ones((2000, 2)), axis=2),
    ],
)
def test_errors_are_numpys(call):
    caught = []
    for rng in (cnumeric.random.default_rng(1), numpy.random.default_rng(1)):
        with pytest.raises(Exception) as info:
            call(rng)
        caught.append((info.type, str(info.value)))
        assert rng.bit_generator.state == numpy.random.default_rng(1).bit_generator.state
    assert caught[0] == caught[1]


def test_pickled_generators_go_on():
    for owner in (cnumeric.random.default_rng(6), cnumeric.random.RandomState(6)):
        owner.standard_normal(MANY + 1)
        copy = pickle.loads(pickle.dumps(owner))
        assert type(copy) is type(owner)
        same_bits(copy.standard_normal(MANY), numpy.asarray(owner.standard_normal(MANY)))


def test_allocation_failures_leave_the_stream():
    for owner in (cnumeric.random.default_rng(6), cnumeric.random.RandomState(6)):
        reference = pickle.loads(pickle.dumps(owner))
        for nth in range(1, 40):
            cnumeric._cnumeric.fault_set(nth)
            try:
                owner.standard_normal(MANY)
            except MemoryError:
                same_state(owner, reference) if isinstance(owner, cnumeric.random.RandomState) else None
                continue
            finally:
                cnumeric._cnumeric.fault_set(0)
            break
        else:
            pytest.fail("an allocation fails forever")
        reference.standard_normal(MANY)
        same_bits(owner.standard_normal(MANY), numpy.asarray(reference.standard_normal(MANY)))
