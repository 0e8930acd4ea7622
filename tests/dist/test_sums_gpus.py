"""What places hand on one after the other, of ranks with a GPU each: products summed over their rows, extremes, counts."""

import pytest
from gpus import PRELUDE, at_places, differently, direct, settings

BLAS = {"STANDIN_BLAS": "1"}

ARRAYS = """
rng = numpy.random.default_rng(4)
x, v, k = rng.random((20000, 5)) - 0.5, rng.random(20000), rng.integers(0, 300, 20000)
def near(ours, theirs):
    ours = numpy.asarray(ours)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    numpy.testing.assert_allclose(ours, theirs, rtol=1e-3 if theirs.dtype.char in "fF" else 1e-10, atol=1e-3)
"""

CASES = (
    ARRAYS
    + """
for kind in "dF":
    a, b = x.astype(kind), v.astype(kind)
    if kind == "F":
        a, b = a * (1 + 2j), b * (2 - 1j)
    A, B = np.array(a), np.array(b)
    near(B @ B, b @ b)
    near(A.T @ B, a.T @ b)
    near(B[::-1] @ A, b[::-1] @ a)
    near(A[:, ::2].T @ B, a[:, ::2].T @ b)
    near(A.T @ A, a.T @ a)
    near(np.array(a.T.copy()) @ B, a.T @ b)
for kind in "dFi":
    a = (x * 100).astype(kind)
    if kind == "d":
        a[15000:17000, 3] = np.nan
    A = np.array(a)
    for axis in (None, 0):
        same(A.argmax(axis=axis), a.argmax(axis=axis))
        same(A.argmin(axis=axis), a.argmin(axis=axis))
    same(A[:, 1].argmax(), a[:, 1].argmax())
K = np.array(k)
for factor, least in ((1, 0), (1, 9000), (0, 0), (60, 0)):
    same(np.bincount(K * factor, minlength=least), numpy.bincount(k * factor, minlength=least))
same(np.histogram(np.array(v), 50)[0], numpy.histogram(v, 50)[0])
print("same", np.stats()["device_launches"] > 0)
"""
)


@pytest.mark.parametrize("places", [1, 3])
def test_places_of_one_process(places):
    assert at_places(places, CASES, **BLAS) == "same True\n"


@pytest.mark.parametrize("ranks, more", [(2, {}), (3, direct(3))])
def test_ranks(mpi, ranks, more):
    status, out, err = mpi.python(ranks, PRELUDE + CASES, environment=settings(**BLAS, **more))
    assert (status, out) == (0, "same True\n"), err


BITS = (
    ARRAYS
    + """
X, V = np.array(x), np.array(v)
for result in (V @ V, X.T @ V, X.T @ X):
    print(numpy.asarray(result).tobytes().hex())
"""
)


def test_products_have_the_same_bits_on_any_number_of_places():
    assert at_places(2, BITS, **BLAS) == at_places(5, BITS, **BLAS)


@pytest.mark.parametrize("ranks", [2, 3])
def test_and_of_ranks_whose_gpus_add_up(mpi, ranks):
    """Places of one process leave that to their processor."""
    status, out, err = mpi.python(ranks, PRELUDE + BITS, environment=settings(**BLAS, **direct(ranks)))
    assert (status, out) == (0, at_places(3, BITS, **BLAS)), err


COUNTED = (
    ARRAYS
    + """
X, V, K = np.array(x), np.array(v), np.array(k)
programs = {
    "dot": (lambda: V @ V, 4 * 8), "vector": (lambda: X.T @ V, 4 * 5 * 8), "matrix": (lambda: X.T @ X, 4 * 25 * 8),
    "argmax": (lambda: V.argmax(), 2 * 24), "extremes": (lambda: X.argmax(axis=0), 2 * 5 * 24),
    "count": (lambda: np.bincount(K), 2 * 300 * 8), "histogram": (lambda: np.histogram(V, 50), 4 * 52 * 8),
}
for name, (run, most) in programs.items():
    for _ in range(3):
        X *= 1
        V *= 1
        K *= 1
        np.synchronize()
        s = counted(lambda: (run(), np.synchronize()))
    print(name, s["move_bytes"], most)
"""
)


def test_only_what_shares_leave_goes_to_the_hosts(mpi):
    """After their operands were written on the GPUs; and what the root reads of a result."""
    status, out, err = mpi.python(2, PRELUDE + COUNTED, environment=settings(**BLAS, **direct(2)))
    assert status == 0, err
    for name, moved, most in (line.split() for line in out.splitlines()):
        assert 0 < int(moved) <= int(most) + (300 if name in ("count", "histogram") else 0), (name, out)


@pytest.mark.parametrize("fail", ["compile:1+", "compile:6+"])
def test_one_rank_whose_processor_does_some(mpi, fail, tmp_path):
    more = {"STANDIN_FAIL": fail, "CNUMERIC_CACHE": str(tmp_path)}
    status, out, err = differently(mpi, PRELUDE + CASES, BLAS | direct(2), **more)
    assert (status, out) == (0, "same True\n"), err


@pytest.mark.parametrize("limit", [2000, 300000])
def test_no_room_on_the_gpus(mpi, limit):
    environment = settings(**BLAS, **direct(2), CNUMERIC_GPU_MEMORY=str((8 << 20) + limit))
    status, out, err = mpi.python(2, PRELUDE + CASES, environment=environment)
    assert (status, out) == (0, f"same {limit > 2000}\n"), err
