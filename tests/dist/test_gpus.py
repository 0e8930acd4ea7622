"""GPUs in ranks: every place works on its own (the stand-in of tests/cuda): the same bits, and only halos move."""

import os
import pathlib
import subprocess
import sys

import devices
import pytest
from gpus import PRELUDE, SWEEPS, at_places, differently, direct, settings

MIXED = pathlib.Path(__file__).parent / "mixed_programs.py"


def test_a_sweep_at_places_moves_halos():
    """On paper: a row without its ends each way between neighbours: from the device, and to it."""
    n, pairs = 130, 4
    row = 8 * (n - 2)
    words = [10 * pairs, 10 * pairs * row, 20 * pairs, 20 * pairs * row, True, 0]
    assert at_places(3, SWEEPS).split() == [str(word) for word in words]


TWO_EACH = {"STANDIN_DEVICES": "4", "CNUMERIC_GPUS": "2"}


@pytest.mark.parametrize(
    "ranks, more, moves",
    [
        (2, {}, 20),
        (3, {"CNUMERIC_OVERLAP": "1"}, 20),
        (2, TWO_EACH, 20),
        (2, direct(2), 0),
        (3, direct(3, CNUMERIC_OVERLAP="1"), 0),
        (2, direct(2, **TWO_EACH), 0),
    ],
)
def test_a_sweep_in_ranks_moves_halos(mpi, ranks, more, moves):
    """On paper: rank 0 has one neighbour; it gives one row a sweep, and gets one: over its host, or not at all."""
    status, out, err = mpi.python(ranks, PRELUDE + SWEEPS, environment=settings(**more))
    row = 8 * 128
    assert (status, out.split()) == (0, [str(x) for x in (20, 20 * row, moves, moves * row, True, 0)]), err


@pytest.mark.parametrize(
    "ranks, more",
    [
        (2, {}),
        (3, {"CNUMERIC_SPREAD_BYTES": "200", "CNUMERIC_GPU_BYTES": "300"}),
        (2, direct(2)),
        (3, direct(3, CNUMERIC_SPREAD_BYTES="200", CNUMERIC_GPU_BYTES="300", CNUMERIC_NCCL_BYTES="200")),
    ],
)
def test_random_programs_over_processes(mpi, ranks, more):
    environment = {**mpi.environment, **settings(**more), "CNUMERIC_OVERLAP": "1"}
    command = ["mpirun", "-n", str(ranks), sys.executable, str(MIXED), "200", "206"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert run.stdout.split() == ["passed"], (run.stdout + run.stderr)[-3000:]


@pytest.mark.parametrize("places, spread_bytes, gpu_bytes", [(2, 1, 1), (5, 100, 300)])
def test_random_programs_over_places(places, spread_bytes, gpu_bytes):
    environment = {**os.environ, **settings(), "CNUMERIC_PLACES": str(places)}
    environment |= {"CNUMERIC_SPREAD_BYTES": str(spread_bytes), "CNUMERIC_GPU_BYTES": str(gpu_bytes)}
    command = [sys.executable, str(MIXED), "7000", "7010"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["passed"], (run.stdout + run.stderr)[-3000:]


REDUCTIONS = """
x = np.sin(np.arange(100000.0)).reshape(1000, 100)
z, k = (x * (1 + 2j)).astype("c8"), (np.arange(100000) % 1009).reshape(1000, 100)
i, j = x.copy(), x.copy()
i[700, 3] = np.inf
j[3, 3], j[999, 3] = -np.inf, np.inf
def all_of_them():
    words = [x.sum(), z.sum(), k.sum(), x.max(), k.min(), ((x - 0.5) ** 2).mean(), np.sum(x, initial=5.0)]
    words += [np.max(x, initial=5.0), x[3:-7].sum(), x.astype("f4").sum(), x.astype("f2").sum(), i.sum(), j.sum()]
    words += [(x * -0.0 * 0).sum(), (x[1:] - x[:-1]).max(), *np.sum(x.reshape(4, 25000), axis=1)]
    y = x * 2  # stored and summed
    return [*words, y.sum(), y[5, 5]]
text = [repr(word.item()) for word in all_of_them()]
one = lambda: float(x.sum())
one()
s = counted(one)
print(s["moves"], s["move_bytes"], s["message_bytes"], s["device_launches"])
print(text)
"""


@pytest.mark.parametrize("by_nccl", [False, True])
def test_reductions_leave_exact_sums(mpi, by_nccl):
    """The bits of one processor; of a sum, on paper: a leaf's rows to where it is summed, 69 words from each GPU."""
    alone = at_places(1, REDUCTIONS, CNUMERIC_GPU="0").splitlines()
    more = {"CNUMERIC_SPREAD_BYTES": "1000"}
    shared = at_places(3, REDUCTIONS, **more).splitlines()
    more |= direct(2) if by_nccl else {}
    status, out, err = mpi.python(2, PRELUDE + REDUCTIONS, environment=settings(**more))
    assert status == 0, err
    assert shared[1] == alone[1] and out.splitlines()[1] == alone[1]
    moves, nbytes, sent, launches = map(int, out.splitlines()[0].split())
    assert launches == 2 and nbytes == (0 if by_nccl else sent) + 69 * 8 and sent < 1024 * 8


ROWS = """
def matrix(m, n, kind):
    return (np.sin(np.arange(m * n * 1.0)).reshape(m, n) * 50).astype(kind)
def reductions(m, n):
    x, f, h, z = (matrix(m, n, kind) for kind in ("f8", "f4", "f2", "c8"))
    k = matrix(m, n, "i4")
    y = x * 2  # stored and reduced
    last = x[m - 1] * 0.5
    results = [x.sum(axis=0), x.var(axis=0), f.sum(axis=0), f.std(axis=0), h.sum(axis=0), z.sum(axis=0), z.var(axis=0)]
    results += [k.sum(axis=0), k.max(axis=0), k.min(axis=0), x.max(axis=0), (x - last).min(axis=0), (k % 3 == 1).any(axis=0)]
    results += [np.sum(x, axis=0, initial=5.0), np.max(x, axis=0, initial=5.0), np.sum(k, axis=0, initial=7)]
    results += [(x * 0.02 + 1).prod(axis=0), (z * 0).prod(axis=0), y.sum(axis=0), y[5, 1:3], y.max(axis=0)]
    results += [x[3:-7].sum(axis=0), x[:, ::-1].sum(axis=0), x[::-1].mean(axis=0), (x * -0.0).sum(axis=0), x[::2, 1:].var(axis=0)]
    results += [x.reshape(m // 4, 4, n).sum(axis=(0, 1)), x.reshape(m // 4, 4, n).max(axis=0), np.add.reduce(x.reshape(m // 4, 4, n), axis=0)]
    np.flush()
    return results
words = []
for shape in ((20000, 5), (9216, 3), (400, 260), (60, 1300), (8192, 4)):
    words += [numpy.asarray(r).tobytes() for r in reductions(*shape)]
import hashlib
print(*(hashlib.sha1(word).hexdigest()[:9] for word in words))
x, small = matrix(20000, 5, "f8"), matrix(400, 260, "f8")
for a in (x, small):
    one = lambda: a.sum(axis=0)
    one()
    np.synchronize()
    s = counted(one)
    print(s["move_bytes"], s["device_launches"])
"""


@pytest.mark.parametrize("ranks, by_nccl", [(2, False), (3, False), (2, True)])
def test_rows_are_reduced_where_they_are(mpi, ranks, by_nccl):
    """The bits of one processor; what runs of 1,024 rows give goes to the host, or what fewer rows have come to."""
    alone = at_places(1, ROWS, CNUMERIC_GPU="0").splitlines()
    more = {"CNUMERIC_SPREAD_BYTES": "1000"}
    shared = at_places(3, ROWS, **more).splitlines()
    assert shared[0].split() == alone[0].split()
    more |= direct(ranks) if by_nccl else {}
    status, out, err = mpi.python(ranks, PRELUDE + ROWS, environment=settings(**more))
    assert status == 0, err
    assert out.splitlines()[0].split() == alone[0].split()
    (long, launches), (few, boxes) = (map(int, line.split()) for line in out.splitlines()[1:])
    assert launches == 1 and long < (1024 + 20) * 5 * 8  # a run's rows to where it is reduced, a row for each run
    assert boxes == 4 and few < 2 * 260 * 8  # what rank 0 hands on, and what it gets of the result


SCANS = """
import hashlib
def lines(m, n, kind):
    return ((np.sin(np.arange(m * n * 1.0)) * 50).reshape(m, n)).astype(kind)
def scans(m, n):
    x, f, z, k, u = (lines(m, n, kind) for kind in ("f8", "f4", "c8", "i4", "i1"))
    results = []
    for a in (x, f, z, k, u):
        results += [np.cumsum(a.reshape(-1)), np.cumsum(a, axis=0), np.cumsum(a, axis=1), np.cumsum(a[3:-5, ::-1], axis=0)]
        results += [np.cumsum(a.reshape(2, -1), axis=1)]
    results += [np.cumprod(k.reshape(-1)), np.cumprod(x * 0.02, axis=0), np.maximum.accumulate(k.reshape(-1))]
    results += [np.maximum.accumulate(x, axis=0), np.minimum.accumulate(u, axis=0), np.logical_or.accumulate(k % 3 == 0, axis=0)]
    results += [np.bitwise_xor.accumulate(k, axis=0), np.cumsum(x * 2 + 1)]
    np.flush()
    return results
words = []
for shape in ((20000, 5), (120, 1100), (40, 40)):
    words += [numpy.asarray(r).tobytes() for r in scans(*shape)]
print(*(hashlib.sha1(word).hexdigest()[:9] for word in words))
x, whole, rows = lines(10000, 10, "f8").reshape(-1), lines(10000, 10, "i8").reshape(-1), lines(120, 1100, "f8")
for one in (lambda: np.cumsum(x), lambda: np.cumsum(whole), lambda: np.cumsum(rows, axis=0)):
    one()
    np.synchronize()
    s = counted(one)
    print(s["move_bytes"], s["device_launches"])
"""


@pytest.mark.parametrize("ranks, by_nccl", [(2, False), (3, False), (2, True)])
def test_lines_are_accumulated_where_they_are(mpi, ranks, by_nccl):
    """The bits of one processor; what tiles of 4,096 come to goes to the host, and what stands before each comes back."""
    more = {"CNUMERIC_SPREAD_BYTES": "1000"}
    alone = at_places(1, SCANS, CNUMERIC_GPU="0").splitlines()
    for words in (at_places(3, SCANS, CNUMERIC_GPU="0", **more), at_places(3, SCANS, **more)):
        assert words.splitlines()[0].split() == alone[0].split()
    more |= direct(ranks) if by_nccl else {}
    status, out, err = mpi.python(ranks, PRELUDE + SCANS, environment=settings(**more))
    assert status == 0, err
    assert out.splitlines()[0].split() == alone[0].split()
    (tree, twice), (whole, again), (rows, boxes) = (map(int, line.split()) for line in out.splitlines()[1:])
    assert twice == again == 2 and tree < 2 * 4096 * 8 + 100 * 8 and whole < 100 * 8
    assert boxes == 2 * ranks and rows <= 2 * 1100 * 8


@pytest.mark.parametrize("program", [ROWS, SCANS], ids=["rows", "lines"])
@pytest.mark.parametrize(
    "of_rank_1", [{"CNUMERIC_CUDA_DRIVER": "/no/such/library.so"}, {"STANDIN_FAIL": "compile:3+"}], ids=["none", "some"]
)
def test_chains_of_ranks_with_and_without_a_gpu(mpi, program, of_rank_1, tmp_path):
    """What is handed on is the same, whoever has made it."""
    more = {"CNUMERIC_SPREAD_BYTES": "1000"}
    alone = at_places(1, program, CNUMERIC_GPU="0").splitlines()
    of_rank_1 = of_rank_1 | {"CNUMERIC_CACHE": str(tmp_path / "cache")}
    status, out, err = differently(mpi, PRELUDE + program, more, **of_rank_1)
    assert status == 0, err
    assert out.splitlines()[0].split() == alone[0].split()


CROWDED = """
def work(np, flush):
    xs = [np.arange(65536.0).reshape(256, 256) + i for i in range(12)]
    for _ in range(3):
        for i in range(12):
            xs[i] = xs[i][::1] * 0.5 + xs[(i + 1) % 12]
            flush()
    return xs
xs = []
s = counted(lambda: xs.extend(work(np, np.flush)))
for x, y in zip(xs, work(numpy, lambda: None)):
    same(x, y)
print(s["spills"], s["moves"], s["device_launches"])
"""


@pytest.mark.parametrize("more", [{}, direct(2)])
@pytest.mark.parametrize("limit, spills, on_device", [((8 << 20) + 1500000, True, True), (100000, False, False)])
def test_arrays_make_room_on_a_ranks_gpu(mpi, limit, spills, on_device, more):
    """What was used longest ago goes to the host; what does not fit beside a slab of 8 MiB is the processor's."""
    more = more | {"CNUMERIC_GPU_MEMORY": str(limit), "CNUMERIC_SPREAD_BYTES": "1000"}
    status, out, err = mpi.python(2, PRELUDE + CROWDED, environment=settings(**more))
    assert status == 0, err
    spilled, moves, launches = map(int, out.split())
    assert (spilled > 0, moves > 0, launches > 0) == (spills, spills, on_device)


MADE_ROOM = """
def solve(n):  # matrices of 2 MB, the root's: the first GPU has them and their inverses
    for i in range(len(small), len(small) + n):
        small.append(np.linalg.inv(np.eye(512) * (2.0 ** i)))
def large():
    out.append(np.arange(2097152.0).reshape(2048, 1024) * 0.5 + 1)  # half of 16 MB on each GPU
    np.synchronize()
small, out = [], []
solve(first)
assert np.stats()["spills"] == 0
s = counted(lambda: (large(), solve(then)))
print(s["spills"] > 0, s["device_launches"] > 0, s["device_calls"] == 2 * then)  # LU, and solving
same(out[0], numpy.arange(2097152.0).reshape(2048, 1024) * 0.5 + 1)
for i, x in enumerate(small):
    same(x, numpy.eye(512) * 0.5 ** i)
"""


@pytest.mark.parametrize("first, then", [(5, 0), (1, 8)])
def test_arrays_of_the_root_and_spread_ones_make_room_for_each_other(mpi, first, then):
    """There is one order of last use for all that is on a GPU."""
    more = {"CNUMERIC_GPU_MEMORY": str(24 << 20), "CNUMERIC_SPREAD_BYTES": str(3 << 20)}
    more |= {"CNUMERIC_CUDA_SOLVER": settings()["CNUMERIC_CUDA_DRIVER"], "STANDIN_LAPACK": devices.lapack()}
    program = f"first, then = {first}, {then}\n" + MADE_ROOM
    status, out, err = mpi.python(2, PRELUDE + program, environment=settings(**more))
    assert status == 0, err
    assert out.split() == ["True", "True", "True"]


TURNED = """
import warnings
warnings.simplefilter("error")  # as when the GPU fails
x = np.arange(20000.0)
y, z = x[::-1] + x, x.reshape(100, 200)[::-1, ::-1] * 2
a = numpy.arange(20000.0)
same(y, a[::-1] + a)
same(z, a.reshape(100, 200)[::-1, ::-1] * 2)
print("same")
"""


def test_what_is_read_backwards_travels_forwards():
    """As a few runs: element by element there would be thousands of copies from the GPU."""
    assert at_places(2, TURNED, STANDIN_FAIL="download:40+") == "same\n"


# ---- Which GPU -------------------------------------------------------------------------------------------

OPENED = PRELUDE + "p, b = swept(np, 40, 3)\nsame(p, swept(numpy, 40, 3)[0])"


@pytest.mark.parametrize(
    "ranks, count, gpus, opened",
    [
        (2, 2, "", [0, 1]),
        (2, 4, "", [0, 1, 2, 3]),  # two each
        (2, 4, "1", [0, 1]),
        (3, 2, "", [0, 0, 1]),  # more ranks than GPUs: shared
        (2, 1, "", [0, 0]),
    ],
)
def test_ranks_take_gpus_in_turn(mpi, ranks, count, gpus, opened):
    more = {"STANDIN_DEVICES": str(count), "STANDIN_TELL": "1", "CNUMERIC_GPUS": gpus}
    status, _, err = mpi.python(ranks, OPENED, environment=settings(**more))
    assert status == 0, err
    assert sorted(int(line.split()[-1]) for line in err.splitlines() if "opens device" in line) == opened


def test_cnumeric_run_with_gpus(mpi, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(OPENED)
    more = {"STANDIN_DEVICES": "2", "STANDIN_TELL": "1", "CUDA_VISIBLE_DEVICES": "0,1"}
    command = [
        sys.executable,
        "-m",
        "cnumeric",
        "run",
        "--ranks-per-node",
        2,
        "--oversubscribe",
        "--gpus",
        1,
        "--report",
    ]
    names = [word for name in settings(**more) if name.startswith("STANDIN_") for word in ("-x", name)]
    extra = [f"--launcher-extra={' '.join(names)}"] if mpi.name == "openmpi" else []
    status, _, err = mpi.complete([*command, *extra, program], environment=settings(**more))
    assert status == 0, err
    assert sorted(int(line.split()[-1]) for line in err.splitlines() if "opens device" in line) == [0, 1]
    assert "cnumeric: 2 processes, GPU of rank 0: 1 x stand-in, CUDA 13.0" in err
    assert "cnumeric: messages between GPUs: NCCL 2.27.5, in use" in err


# ---- What goes wrong on one rank alone -------------------------------------------------------------------


FAULTS = PRELUDE + "p, b = swept(np, 50, 9)\nsame(p, swept(numpy, 50, 9)[0])\nprint('same')"


@pytest.mark.parametrize("everywhere", [{}, direct(2)])
def test_a_gpu_that_one_rank_lacks(mpi, everywhere):
    """Its processor does its part, and nobody else notices."""
    status, out, err = differently(mpi, FAULTS, everywhere, CNUMERIC_CUDA_DRIVER="/no/such/library.so")
    assert (status, out) == (0, "same\n"), err
    status, out, err = differently(mpi, FAULTS, everywhere, CNUMERIC_CUDA_COMPILER="/no/such/library.so")
    assert (status, out) == (0, "same\n"), err
    assert err.count("the GPU is not used") == 1, err


@pytest.mark.parametrize("everywhere", [{}, direct(2)])
@pytest.mark.parametrize("fail", ["pages:1", "pages:2", "pages:3", "pages:1+", "pages:3+", "alloc:1+", "compile:1+"])
def test_a_gpu_without_memory_on_one_rank(mpi, fail, everywhere, tmp_path):
    """What it has no room for is the processor's."""
    status, out, err = differently(mpi, FAULTS, everywhere, STANDIN_FAIL=fail, CNUMERIC_CACHE=str(tmp_path / "cache"))
    assert (status, out) == (0, "same\n"), err


COLD = """
import time
p, b = swept(np, 50, 9)
done, end = 9, time.monotonic() + 60
def some():
    global done
    for _ in range(10):
        sweep(p, b)
    done += 10
    np.synchronize()
while np.stats()["device_launches"] == 0:
    assert time.monotonic() < end
    some()
open("{gate}", "w").close()
for _ in range(30):
    some()
same(p, swept(numpy, 50, done)[0])
"""


@pytest.mark.parametrize("everywhere", [{}, direct(2)])
def test_a_rank_whose_kernels_are_compiled_long(mpi, everywhere, tmp_path):
    """Its processor does its part meanwhile: the others are at their GPUs long before."""
    gate = str(tmp_path / "gate")
    cold = everywhere | {"CNUMERIC_GPU_COLD": "1", "CNUMERIC_CACHE": str(tmp_path / "cache")}
    status, _, err = differently(mpi, PRELUDE + COLD.replace("{gate}", gate), cold, STANDIN_GATE=gate)
    assert status == 0, err


@pytest.mark.parametrize("everywhere", [{}, direct(2)])
@pytest.mark.parametrize("fail", ["launch:2+", "launch:9"])
def test_a_gpu_that_fails_on_one_rank(mpi, fail, everywhere):
    """Its values are lost: all ranks end, with one message."""
    status, out, err = differently(mpi, FAULTS, everywhere, STANDIN_FAIL=fail)
    assert (status, out) == (1, ""), (out, err)
    assert err.count("cnumeric: rank 1: the GPU failed: CUDA error 719 in a launch") == 1, err
