"""numpy.fft by the core: every function against NumPy's, accuracy, and the same bits however lines are taken."""

import os
import subprocess
import sys
import warnings

import cnumeric as np
import numpy
import pytest
import texts
from cnumeric import _cnumeric

rng = numpy.random.default_rng(5)
EPSILON = {numpy.dtype(kind): numpy.finfo(kind).eps for kind in "fdFD"}
LONG = [1009, 1024, 3125, 4096, 4099, 5040, 10007, 16384, 16385, 17000, 20011, 31232, 65536, 100003, 2**17 + 2**5]


@pytest.fixture(autouse=True, scope="module")
def _processor():
    """What is asked here is the processor's: a device has cuFFT."""
    before = np.settings()["gpu"]
    np.synchronize()
    np.settings(gpu=0)
    yield
    np.synchronize()
    np.settings(gpu=before)


def numbers(*shape, kind="D"):
    made = rng.standard_normal(shape)
    if kind in "FD":
        made = made + 1j * rng.standard_normal(shape)
    return (made * 50 if kind in "bBil?" else made).astype(kind)


def near(found, expected, what, times=4.0):
    """As near as two good transforms are: a few units of the largest part, growing as the logarithm of the length."""
    found = numpy.asarray(found)
    assert found.dtype == expected.dtype and found.shape == expected.shape, what
    if expected.size:
        bound = times * EPSILON.get(expected.dtype, 1e-3) * (1 + numpy.log2(max(2, *expected.shape))) ** 0.5
        assert numpy.linalg.norm(found - expected) <= bound * numpy.linalg.norm(expected) + 1e-300, what


def functions_of(kind):
    return ["fft", "ifft", "irfft", "hfft"] + ([] if kind in "FD" else ["rfft", "ihfft"])


def both(name, a, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", numpy.exceptions.ComplexWarning)
        return getattr(np.fft, name)(np.array(a), **keywords), getattr(numpy.fft, name)(a, **keywords)


@pytest.mark.parametrize("kind", "DdFf")
def test_all_lengths(kind, counters):
    for n in [*range(1, 301), *(LONG if kind in "Df" else LONG[:6])]:
        a = numbers(2 if n > 300 else 3, n, kind=kind)
        for name in functions_of(kind):
            if n > 1 or name not in ("irfft", "hfft"):
                near(*both(name, a), (name, n))
                near(*both(name, a.T.copy(), axis=0), (name, n, "columns"))
            if name in ("irfft", "hfft"):
                near(*both(name, a, n=n), (name, n, "n"))
    assert counters()["fallbacks"] == 0


@pytest.mark.parametrize("kind", "?bBilefdFD")
def test_dtypes_norms_and_sizes(kind, counters):
    a = numbers(4, 12, kind=kind)
    for name in functions_of(kind):
        for norm in (None, "backward", "ortho", "forward"):
            for n in (None, 1, 7, 12, 17, 30):
                near(*both(name, a, n=n, norm=norm), (name, n, norm))
        near(*both(name, a, axis=0), name)
        near(*both(name, a, axis=-2, n=7), name)
    assert counters()["fallbacks"] == 0


SEVERAL = [
    {},
    {"axes": (0, 2)},
    {"axes": (2, 0)},
    {"axes": (1,)},
    {"axes": (1, 1)},
    {"axes": (0, 1, 2), "s": (2, 6, 5)},
    {"axes": (-1, 0), "s": (4, 3), "norm": "ortho"},
    {"axes": (0, 1), "s": (-1, 6), "norm": "forward"},
]


@pytest.mark.parametrize("kind", "dFl")
def test_several_axes(kind, counters):
    a = numbers(3, 4, 5, kind=kind)
    for keywords in SEVERAL:
        for name in ["fftn", "ifftn", "irfftn"] + ([] if kind == "F" else ["rfftn"]):
            near(*both(name, a, **keywords), (name, keywords))
    for name in ["fft2", "ifft2", "irfft2"] + ([] if kind == "F" else ["rfft2"]):
        near(*both(name, a), name)
        near(*both(name, a, s=(3, 8), axes=(0, 2)), name)
    near(*both("fftn", numbers(2, 3, 2, 3, 2)), "five axes")
    assert counters()["fallbacks"] == 0


def test_layouts_of_what_goes_in(counters):
    a = numbers(6, 40, 9)
    wide = numbers(1, 40, 1)
    views = [
        lambda a, b: a[::2],
        lambda a, b: a[:, ::-1],
        lambda a, b: a[..., ::-2],
        lambda a, b: a.T,
        lambda a, b: a.transpose(1, 0, 2),
        lambda a, b: a.real,
        lambda a, b: a.imag[:, 3:],
        lambda a, b: a[:, :0],
        lambda a, b: a[:0],
        lambda a, b: a[3],
        lambda a, b: a[3, :, 2],
    ]
    for k, view in enumerate(views):
        ours, theirs = view(np.array(a), np.array(wide)), view(a, wide)
        for axis in range(theirs.ndim):
            for n in (None, 5, 41) if theirs.shape[axis] else (5,):
                found, expected = np.fft.fft(ours, n=n, axis=axis), numpy.fft.fft(theirs, n=n, axis=axis)
                near(found, expected, (k, axis, n))
                assert [s for s, e in zip(found.strides, found.shape, strict=True) if e > 1] == [
                    s for s, e in zip(expected.strides, expected.shape, strict=True) if e > 1
                ]
    broadcast = np.broadcast_to(np.array(wide), (6, 40, 9))
    near(np.fft.fft(broadcast, axis=1), numpy.fft.fft(numpy.broadcast_to(wide, (6, 40, 9)), axis=1), "broadcast")
    near(np.fft.ifft([1, 2, 3.5]), numpy.fft.ifft([1, 2, 3.5]), "list")
    near(np.fft.rfft(numpy.arange(9)), numpy.fft.rfft(numpy.arange(9)), "theirs")
    assert counters()["fallbacks"] == 0


def test_out_is_written(counters):
    a = numbers(5, 32)
    for kind in "DF":
        out, expected = np.empty((5, 32), kind), numpy.empty((5, 32), kind)
        assert np.fft.fft(np.array(a), out=out) is out
        numpy.fft.fft(a, out=expected)
        near(out, expected, kind)
    out = np.array(a)
    assert np.fft.fft(out, out=out, axis=0) is out
    near(out, numpy.fft.fft(a, axis=0), "in place")
    assert np.fft.fft2(np.array(a), out=out) is out
    near(out, numpy.fft.fft2(a), "two axes")
    room = np.zeros((10, 64), "D")
    np.fft.ifft(np.array(a), out=room[::2, ::-2])
    near(room[::2, ::-2], numpy.fft.ifft(a), "strided")
    assert not numpy.asarray(room)[1::2].any()
    both_ways = np.empty((5, 32))
    np.fft.irfft(np.array(a), n=32, out=both_ways)
    near(both_ways, numpy.fft.irfft(a, n=32), "real")
    row = np.array(a)
    np.fft.fft(row[0], out=row[1])  # of one base, apart
    near(row[1], numpy.fft.fft(a[0]), "row")
    assert counters()["fallbacks"] == 0


def test_errors_are_numpys():
    calls = [
        lambda np, x: np.fft.fft(x, n=0),
        lambda np, x: np.fft.fft(x, n=-1),
        lambda np, x: np.fft.fft(x, n=2.5),
        lambda np, x: np.fft.fft(x, axis=3),
        lambda np, x: np.fft.fft(x, axis=None),
        lambda np, x: np.fft.fft(x, norm="none"),
        lambda np, x: np.fft.ifft(x, norm="none"),
        lambda np, x: np.fft.rfft(x),
        lambda np, x: np.fft.ihfft(x),
        lambda np, x: np.fft.fftn(x, s=(2, 3), axes=(0,)),
        lambda np, x: np.fft.fftn(x, axes=(7,)),
        lambda np, x: np.fft.fft(x, bad=1),
        lambda np, x: np.fft.fft(),
        lambda np, x: np.fft.fft(3.0),
        lambda np, x: np.fft.fft(x, out=np.empty(3)),
        lambda np, x: np.fft.fft(x, out=np.empty(8)),
        lambda np, x: np.fft.irfft(x[:1]),
        lambda np, x: np.fft.fft("text"),
    ]
    x = numbers(8)
    for k, call in enumerate(calls):
        found = []
        for module, a in ((np, np.array(x)), (numpy, x)):
            with pytest.raises(Exception) as raised:
                call(module, a)
            found.append((raised.type, str(raised.value)))
        assert found[0] == found[1], k


def test_events_are_named_as_numpys():
    def caught(run):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            run()
        return [str(warning.message) for warning in found]

    huge = numpy.full(8, 1e308)
    for name in ("fft", "ifft", "rfft", "irfft"):
        a = huge if name in ("fft", "rfft") else huge + 0j
        keywords = {"norm": "forward"} if name in ("ifft", "irfft") else {}

        def ours(name=name, a=a, keywords=keywords):
            getattr(np.fft, name)(np.array(a), **keywords).sum().item()

        expected = caught(lambda name=name, a=a, keywords=keywords: getattr(numpy.fft, name)(a, **keywords))
        assert [text for text in caught(ours) if "reduce" not in text] == expected, name
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="overflow encountered in rfft_n_odd"):
        np.fft.rfft(np.array(huge[:7]))


# ---- Accuracy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", "DF")
def test_errors_grow_as_the_root_of_the_logarithm(kind):
    """The mean error, in units, against NumPy's transform in long double; and it is no greater than NumPy's own."""
    epsilon = EPSILON[numpy.dtype(kind)]
    for n in [8, 64, 1024, 2**14, 2**16, 2**18, 1000, 3**9, 5040, 11**4, 1009, 10007, 65537]:
        a = numbers(1 + 5000 // n, n, kind=kind)
        exact = numpy.fft.fft(a.astype("G"))
        ours, theirs = (
            float(numpy.linalg.norm(found - exact) / numpy.linalg.norm(exact) / epsilon)
            for found in (numpy.asarray(np.fft.fft(np.array(a))), numpy.fft.fft(a))
        )
        assert ours <= 0.8 * numpy.log2(n) ** 0.5 and ours <= 1.1 * theirs, (n, ours, theirs)


# ---- Memory ------------------------------------------------------------------------------------------------


def test_every_allocation_may_fail():
    """Of lengths that no plan is kept for: a plan that finds no memory of its own is made in the op's."""
    for nth in range(1, 40):
        for n in (150 + nth, 1000 + 2 * nth, 16384 + 6 * nth):
            a = numbers(n)
            x = np.array(a) * 1
            _cnumeric.fault_set(nth)
            try:
                found = np.fft.fft(x)
                found.item(0)
            except MemoryError:
                _cnumeric.fault_set(0)
                found = np.fft.fft(x)
            finally:
                _cnumeric.fault_set(0)
            near(found, numpy.fft.fft(a), (n, nth))


def test_more_lengths_than_plans_are_kept(counters):
    for _ in range(2):
        for n in [*range(200, 280), 2**18, 2**20, 10007, 400009, 600011]:
            a = numbers(n)
            near(np.fft.fft(np.array(a)), numpy.fft.fft(a), n)
    assert counters()["fallbacks"] == 0


# ---- Bits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 8, 15, 30, 60, 64, 77, 96, 127, 131, 210, 256, 1000, 1009, 20000, 65536])
def test_a_line_has_the_same_bits_wherever_it_is(n):
    for kind in "DFdf":
        line = numbers(n, kind=kind)
        for name in functions_of(kind):
            function = getattr(np.fft, name)
            alone = numpy.asarray(function(np.array(line)[None] if n == 1 else np.array(line), n=n)).tobytes()
            others = numbers(37 if n < 5000 else 5, n, kind=kind)
            others[-2] = line
            assert numpy.asarray(function(np.array(others), n=n))[-2].tobytes() == alone, (name, kind)
            columns = np.array(others.T.copy())
            assert numpy.asarray(function(columns, n=n, axis=0))[:, -2].tobytes() == alone, (name, kind)
            spaced = np.zeros((len(others), n, 3), kind)
            spaced[..., 1] = np.array(others)
            assert numpy.asarray(function(spaced, n=n, axis=1))[-2, :, 1].tobytes() == alone, (name, kind)


PROGRAM = f"""
{texts.PRELUDE}
import hashlib
rng = numpy.random.default_rng(3)
digest = hashlib.sha256()
for shape in [(700, 64), (64, 700), (40, 1009), (3, 20000), (131072,), (20011,), (36, 20, 30), (5, 1), (1, 5)]:
    z = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    for kind in "DF":
        a = np.array(z.astype(kind))
        for axis in range(len(shape)):
            made = [np.fft.fft(a, axis=axis), np.fft.ifft(a, axis=axis), np.fft.irfft(a, n=shape[axis], axis=axis)]
            made += [np.fft.rfft(a.real, axis=axis), np.fft.fft(a.imag, n=shape[axis] + 3, axis=axis)]
            for one in made:
                digest.update(numpy.asarray(one).tobytes())
        if len(shape) > 1:
            back = np.fft.irfft2(np.fft.rfft2(a.real), s=shape[-2:], axes=(-2, -1))
            digest.update(numpy.asarray(back).tobytes())
        digest.update(numpy.asarray(np.fft.fftn(a + 1) * 2).tobytes())
assert np.stats()["fallbacks"] == 0
print(digest.hexdigest())
"""


def digest_with(**settings):
    environment = {**os.environ, **{f"CNUMERIC_{name.upper()}": str(value) for name, value in settings.items()}}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.default_settings
def test_threads_places_and_instruction_sets_have_the_same_bits():
    expected = digest_with(threads=1)
    assert digest_with(threads=3, thread_work=1) == expected
    assert digest_with(instruction_set=1) == expected
    assert digest_with(instruction_set=2) == expected
    for places in (2, 3, 5):
        assert digest_with(places=places, spread_bytes=1) == expected
