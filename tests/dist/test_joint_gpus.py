"""Masks, rows by index, sorts and searches of ranks with a GPU each: the bits of NumPy, and what moves between GPUs and hosts."""

import pytest
from gpus import PRELUDE, at_places, differently, direct, settings

#: Each result twice: computed once before it is counted.
ARRAYS = """
import hashlib
rng = numpy.random.default_rng(11)
n = 6000
a, v, i = rng.random(n), rng.random(n), rng.integers(0, n, n)
b, j = rng.random((600, 7)), rng.integers(-600, 600, 500)
wide, k = rng.random((30, 900)), rng.integers(0, 30, 20)
m = rng.random(n) < 0.6
def put(x, index, values):
    x = x.copy()
    x[index] = values
    return x
"""

CASES = (
    ARRAYS
    + """
def cases(np, a, v, i, b, j, wide, k, m):
    for kind in ("f8", "f4", "i2", "u1", "c16", "?"):
        x, y = (a * 100).astype(kind), (v * 100).astype(kind)
        yield from (x[m], np.compress(m, x), x[i], put(x, i, y), put(x, i, x.dtype.type(1)))
    yield from (*np.nonzero(m.reshape(60, -1)), np.flatnonzero(a < 0.3), a[a > 2], a[a < 2], a[np.arange(n) > n - 4])
    few = np.arange(n) < n // 7
    yield from (a[few], b[m[:600]], np.argwhere(a > 0.9), np.extract(a > 0.5, v))
    yield from (b[j], put(b, j, b[:500] * 2), b[j, j % 7], put(b, (j, j % 7), a[:500]), np.take(b, j % 7, axis=1))
    yield from (a[i[::3]], a[i[::-1]], a[1::2][i[:3000] // 2], a[i.reshape(60, 100)], a[i[:1]], b[::-1][j], b.T[j % 7])
    yield from (wide[k], put(wide, k, wide[5:25]), put(a, i[::-1], v), put(b[::2], j[:90] % 300, b[:90]), wide[:, k])
    for kind in ("f8", "f4", "f2", "i8", "i2", "u1", "u4", "?"):
        x = ((a - (0.5 if kind[0] in "fi" else 0)) * 250).astype(kind)
        if kind[0] == "f":
            x[::7], x[5::70], x[3::11], x[6::17], x[1::19] = 0, np.nan, -0.0, np.inf, -np.inf
        yield from (np.sort(x[:5000]), np.argsort(x, kind="stable"), np.unique(x), np.sort(x[:5]))
        yield np.argsort(x == 3, kind="stable")
    yield from (np.sort((a * 9).astype("c16")), np.sort(np.append(a, v)), np.sort(np.arange(n)[::-1].copy()))
    yield from (put(a.reshape(60, 100), (i[:70] % 60,), b[3, 3]), put(a, i * 0 + 5, v), np.asarray(np.median(a)))
theirs = list(cases(numpy, a, v, i, b, j, wide, k, m))
ours = list(cases(np, *(np.array(x).copy() for x in (a, v, i, b, j, wide, k, m))))
for number, (x, y) in enumerate(zip(ours, theirs, strict=True)):
    numpy.testing.assert_array_equal(numpy.asarray(x), y, str(number), strict=True)
s = np.stats()
print(s["device_launches"] > 0)
"""
)


@pytest.mark.parametrize(
    "places, more", [(3, {}), (5, {"CNUMERIC_SPREAD_BYTES": "5000", "CNUMERIC_GPU_BYTES": "2000"})]
)
def test_places_of_one_process(places, more):
    assert at_places(places, CASES, **more) == "True\n"


@pytest.mark.parametrize("ranks, more", [(2, {}), (3, direct(3)), (2, direct(2, CNUMERIC_NCCL_BYTES="2000"))])
def test_ranks(mpi, ranks, more):
    status, out, err = mpi.python(ranks, PRELUDE + CASES, environment=settings(**more))
    assert (status, out) == (0, "True\n"), err


SEARCHES = (
    ARRAYS
    + """
for kind in ("f8", "f2", "u1", "c16"):
    x = ((a - (0.5 if kind[0] == "f" else 0)) * 250).astype(kind)
    if kind[0] == "f":
        x[::7], x[5::70], x[3::11], x[6::17], x[1::19] = 0, np.nan, -0.0, np.inf, -np.inf
    theirs = numpy.sort(x)
    ours, y = np.array(theirs), np.array(x)
    for side in ("left", "right"):
        for n, values in ((n, slice(None)), (n, slice(7, 9)), (40, slice(None, None, -1)), (n, slice(0))):
            same(np.searchsorted(ours[:n], y[values], side), numpy.searchsorted(theirs[:n], x[values], side))
        same(np.searchsorted(ours, y.reshape(60, 100), side), numpy.searchsorted(theirs, x.reshape(60, 100), side))
    same(np.searchsorted(ours[::3], y), numpy.searchsorted(theirs[::3], x))
print(np.stats()["device_launches"] > 0)
"""
)


@pytest.mark.parametrize("places", [3, 5])
def test_searches_at_places(places):
    assert at_places(places, SEARCHES) == "True\n"


@pytest.mark.parametrize("ranks, more", [(2, {}), (3, direct(3))])
def test_searches(mpi, ranks, more):
    status, out, err = mpi.python(ranks, PRELUDE + SEARCHES, environment=settings(**more))
    assert (status, out) == (0, "True\n"), err


COUNTED = (
    ARRAYS
    + """
x, y, index, rows, mask = (np.array(z).copy() for z in (a, v, i, b, m))
few = np.array(numpy.arange(500) % 600).copy()
ordered = np.sort(x).copy()
programs = {
    "mask": lambda: x[mask], "nonzero": lambda: np.flatnonzero(x < 0.6), "take": lambda: x[index],
    "rows": lambda: rows[few], "put": lambda: put(x, index, y), "sort": lambda: np.sort(x),
    "argsort": lambda: np.argsort(x), "search": lambda: np.searchsorted(ordered, y),
}
for name, run in programs.items():
    run()
    np.synchronize()
    kept = run()
    np.synchronize()
    s = counted(lambda: globals().update(kept=run()))
    print(name, s["moves"], s["move_bytes"], s["direct_bytes"], s["message_bytes"], s["device_launches"])
"""
)


def counted_lines(out):
    return {line.split()[0]: [int(word) for word in line.split()[1:]] for line in out.splitlines()}


def test_nothing_goes_through_the_hosts(mpi):
    """But counts: of what is true, of what is asked for, by rank; of a sort, of each digit, and where it looks; first values."""
    digits = 2 * 8 * (256 + 2)
    status, out, err = mpi.python(2, PRELUDE + COUNTED, environment=settings(**direct(2)))
    assert status == 0, err
    for name, (_, nbytes, directly, _, launches) in counted_lines(out).items():
        most = {"mask": 100, "nonzero": 200, "sort": 8 * digits, "argsort": 8 * digits}.get(name, 100)
        assert nbytes <= most and directly > 0 and launches > 0, (name, out)


def test_through_hosts_go_what_ranks_ask_and_answer(mpi):
    """Each byte of a message crosses the link twice: from one GPU, to the other."""
    status, out, err = mpi.python(2, PRELUDE + COUNTED, environment=settings())
    assert status == 0, err
    for name, (_, nbytes, directly, sent, launches) in counted_lines(out).items():
        assert directly == 0 and launches > 0 and nbytes < 3 * sent + 2000 + (34000 if "sort" in name else 0), (
            name,
            out,
        )


ROUNDS = """
n = 1300000
a, v, i = numpy.arange(n) * 0.5, numpy.arange(n) * 2.0, numpy.arange(n) * 7919 % (n // 2)
x, y, index = (np.array(z).copy() for z in (a, v, i))
def put(np, x, index, values):
    x = x.copy()
    x[index] = values
    return x
same(x[index], a[i])
same(put(np, x, index, y), put(numpy, a, i, v))
same(put(np, x, index[::-1], y), put(numpy, a, i[::-1], v))
print("same")
"""


def test_rounds_that_put_into_the_same_rows():
    """Of two places half a million rows are a round; each row is put twice, far from each other."""
    assert at_places(2, ROUNDS, CNUMERIC_VERIFY="0") == "same\n"


# ---- What goes wrong on one rank alone -------------------------------------------------------------------


@pytest.mark.parametrize("everywhere", [{}, direct(2)], ids=["hosts", "nccl"])
@pytest.mark.parametrize("fail", ["compile:1+", "compile:4+", "compile:40+", "pages:9+"])
def test_one_rank_whose_processor_does_some(mpi, everywhere, fail, tmp_path):
    """It says and hears the same as its GPU would."""
    more = {"STANDIN_FAIL": fail, "CNUMERIC_CACHE": str(tmp_path)}
    for program in (CASES, SEARCHES):
        status, out, err = differently(mpi, PRELUDE + program, everywhere, **more)
        assert (status, out) == (0, "True\n"), err


def test_one_rank_without_a_gpu(mpi):
    more = {"CNUMERIC_CUDA_DRIVER": "/no/such/library.so"}
    status, out, err = differently(mpi, PRELUDE + CASES, direct(2), **more)
    assert (status, out) == (0, "True\n"), err


@pytest.mark.parametrize("more", [{}, direct(2)], ids=["hosts", "nccl"])
@pytest.mark.parametrize("limit", [2000, 60000, 400000])
def test_no_room_on_the_gpus(mpi, more, limit):
    """Ranks do on their processors what their GPUs have no memory for."""
    environment = settings(**more, CNUMERIC_GPU_MEMORY=str((8 << 20) + limit))
    status, out, err = mpi.python(2, PRELUDE + CASES, environment=environment)
    assert (status, out) == (0, f"{limit > 2000}\n"), err


FAULTED = (
    ARRAYS
    + """
x, y, index, mask = (np.array(z).copy() for z in (a, v, i, m))
def all_of_them():
    found = [x[mask], x[index], put(x, index, y), np.sort(x), np.searchsorted(x, y)]
    np.synchronize()
    return found
for _ in range(2):
    try:
        found = all_of_them()
        break
    except MemoryError:
        pass
for one, other in zip(found, (a[m], a[i], put(a, i, v), numpy.sort(a), numpy.searchsorted(a, v)), strict=True):
    same(one, other)
print("same")
"""
)


@pytest.mark.parametrize("nth", range(20, 300, 35))
def test_a_worker_without_memory(mpi, nth):
    """It refuses, and the next try succeeds; or it does without, or ends all: nobody waits for it."""
    environment = settings(**direct(2), CNUMERIC_WORKER_FAULT=str(nth))
    status, out, err = mpi.python(2, PRELUDE + FAULTED, environment=environment)
    assert (status, out) in [(0, "same\n"), (1, "")], (out, err)


@pytest.mark.parametrize("fail", ["nccl_send:2", "nccl_group:2"])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_call_that_fails(mpi, rank, fail):
    """Values are lost: all ranks end, with one message."""
    here, there = ({"STANDIN_FAIL": fail}, {"STANDIN_FAIL": ""})[:: 1 if rank == 0 else -1]
    status, out, err = differently(mpi, PRELUDE + FAULTED, direct(2) | here, **there)
    assert (status, out) == (1, ""), (out, err)
    assert err.count(f"cnumeric: rank {rank}: the GPU failed: CUDA error") == 1, err
