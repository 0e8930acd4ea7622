"""Arrays larger than one process may hold, and what the root sees of them."""

import pytest

MB = 1 << 20


def run(mpi, ranks, program, **settings):
    environment = {f"CNUMERIC_{name.upper()}": str(value) for name, value in settings.items()}
    status, out, err = mpi.python(ranks, program, environment=environment)
    assert status == 0, err
    return out


def test_an_array_larger_than_a_process_may_hold(mpi):
    """1.5 times the limit, over two ranks; and nothing of it passes through rank 0."""
    program = """
import cnumeric as np
n = 12 << 20  # 96 MB
x = np.zeros(n)
x += 1
x[1:] += 2
np.synchronize()
stats = np.stats()
print(stats["root_bytes"], stats["peak_bytes"], float(x[0]), float(x[-1]), float(x[n // 2]))
"""
    root_bytes, peak, first, last, middle = map(float, run(mpi, 2, program, memory=64 * MB).split())
    assert (first, last, middle) == (1, 3, 3)
    assert root_bytes == 0
    assert peak <= 64 * MB


def test_what_the_root_fetches_counts(mpi):
    """A whole array would be over its limit: it says so, and the array is there still."""
    program = """
import cnumeric as np, numpy
x = np.zeros(12 << 20)
x += 1
np.synchronize()
try:
    numpy.asarray(x)
except MemoryError:
    print("MemoryError", float(x.sum()) == x.size, np.stats()["peak_bytes"] <= 64 << 20)
"""
    assert run(mpi, 2, program, memory=64 * MB) == "MemoryError True True\n"


def test_segments_that_one_process_cannot_hold(mpi):
    """All processes refuse, before anything is written, and go on."""
    program = """
import cnumeric as np
n = 12 << 20
x = np.ones(n)
y = x[: n // 4] + 1
np.synchronize()
few, many = np.array([0, n // 4]), np.arange(0, n, 64)
for at in (many, few, many):
    try:
        y += 1
        print(float(np.add.reduceat(x, at)[-1]))
    except MemoryError:
        print("none", float(x.sum()) == n)
print(float(y.sum()) == 5 * n / 4)
"""
    assert run(mpi, 2, program, memory=120 * MB).split() == ["64.0", "none", "True", "64.0", "True"]


def test_one_process_alone_cannot_hold_it(mpi):
    program = """
import cnumeric as np
try:
    x = np.zeros(12 << 20)
    x += 1
    np.synchronize()
except MemoryError:
    print("MemoryError")
"""
    assert run(mpi, 1, program, memory=64 * MB) == "MemoryError\n"


SWEEPS = """
import cnumeric as np, numpy, hashlib
n = 600
p, b = np.sin(np.arange(n * n * 1.0)).reshape(n, n), np.ones((n, n))
def sweeps(count):
    for _ in range(count):
        pn = p.copy()
        p[1:-1, 1:-1] = (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1]) / 4 - b[1:-1, 1:-1]
        p[:, 0] = p[:, 1]
    np.synchronize()
sweeps(40)
np.stats_reset()
sweeps(20)
stats = np.stats()
print(stats["overlapped"], stats["messages"], hashlib.md5(numpy.asarray(p).tobytes()).hexdigest())
"""


def test_messages_travel_while_the_interior_is_computed(mpi):
    """Of every sweep's exchange, and of none where shares are too small for it; the bits are the same."""
    alone, three, never = (run(mpi, n, SWEEPS, overlap=least).split() for n, least in ((1, 1), (3, 1), (3, 10**6)))
    assert [int(counts[0]) for counts in (alone, three, never)] == [0, 20, 0]
    assert three[1] == never[1] and int(three[1]) > 0
    assert alone[2] == three[2] == never[2]


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_root_receives_its_own_halos_alone(mpi, ranks):
    """A sweep: one row from its one neighbour."""
    program = """
import cnumeric as np
n = 600
p, b = np.zeros((n, n)), np.ones((n, n))
def sweeps(count):
    for _ in range(count):
        pn = p.copy()
        p[1:-1, 1:-1] = (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1]) / 4 - b[1:-1, 1:-1]
    np.synchronize()
sweeps(40)
np.stats_reset()
sweeps(20)
stats = np.stats()
print(stats["root_bytes"], stats["messages"], stats["message_bytes"])
"""
    root_bytes, messages, nbytes = map(int, run(mpi, ranks, program).split())
    assert root_bytes == 20 * 598 * 8
    assert (messages, nbytes) == (40, 40 * 598 * 8)  # of the root: one row out, one in


FOURIER = """
import cnumeric as np, numpy, hashlib
rows, columns = 768, 1152
field = np.sin(np.arange(rows * columns * 1.0)).reshape(rows, columns)
filter = 1 / (1 + np.arange(rows)[:, None] + np.arange(columns // 2 + 1.0))
def steps(count):
    global field
    for _ in range(count):
        field = np.fft.irfft2(np.fft.rfft2(field) * filter)
    np.synchronize()
steps(3)
np.stats_reset()
steps(3)
stats = np.stats()
print(stats["root_bytes"] / field.nbytes, stats["peak_bytes"] / field.nbytes, stats["fallbacks"])
print(hashlib.md5(numpy.asarray(field).tobytes()).hexdigest())
"""


def test_spectra_of_spread_fields_are_made_where_they_are(mpi):
    """Rank 0 gets its columns of a spectrum, and its rows back, two times a step; no rank ever has a whole field."""
    ranks = 4
    counts, digest = run(mpi, ranks, FOURIER, spread_bytes=1 << 20, threads=1).splitlines()
    root_bytes, peak, fallbacks = map(float, counts.split())
    moved = 4 * (ranks - 1) / ranks**2  # of every spectrum: as many bytes as a field has
    assert fallbacks == 0 and root_bytes <= 3 * moved * 1.05
    assert peak < 3
    assert run(mpi, 1, FOURIER, threads=1).splitlines()[1] == digest
