"""Arrays spread over several places of one process: the same bits, and the least messages."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.default_settings

PRELUDE = """
import numpy
import cnumeric as np

def counted(run):
    np.synchronize()
    np.stats_reset()
    run()
    np.synchronize()
    return np.stats()
"""


def at_places(places: int, program: str, **settings: str) -> str:
    """What the program prints when every array is spread over so many places."""
    environment = {**os.environ, "CNUMERIC_PLACES": str(places), "CNUMERIC_SPREAD_BYTES": "1", "CNUMERIC_VERIFY": "1"}
    environment.update({f"CNUMERIC_{name.upper()}": value for name, value in settings.items()})
    run = subprocess.run(
        [sys.executable, "-c", PRELUDE + program], env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


SWEEP = """
def sweep(p, b):
    pn = p.copy()
    p[1:-1, 1:-1] = ((pn[1:-1, 2:] + pn[1:-1, :-2]) + (pn[2:, 1:-1] + pn[:-2, 1:-1])) / 4 - b[1:-1, 1:-1]
    p[:, -1] = p[:, -2]
    p[:, 0] = p[:, 1]
    p[0, :] = p[1, :]
    p[-1, :] = 0

p, b = np.zeros((n, n)), np.ones((n, n))
for _ in range(40):
    sweep(p, b)
def ten():
    for _ in range(10):
        sweep(p, b)
"""


@pytest.mark.parametrize("places", [2, 4, 7])
def test_a_sweep_exchanges_one_row_with_each_neighbour(places):
    """On paper: from each place to each neighbour one message a sweep, a row without its ends."""
    n = 130
    stats = eval(at_places(places, f"n = {n}\n{SWEEP}\ncounted(ten)\nprint(counted(ten))"))
    pairs = 2 * (places - 1)
    assert stats["messages"] == 10 * pairs
    assert stats["message_bytes"] == 10 * pairs * (n - 2) * 8
    assert stats["plan_misses"] == 0 and stats["fallbacks"] == 0


def test_what_does_not_meet_a_border_needs_no_message():
    program = """
x = np.ones((64, 50))
def run():
    y = np.exp(x * 2 + 1)
    y[::-1].T[...] *= 3
    y[:, 1:] += y[:, :-1].copy()
np.synchronize()
print(counted(run))
"""
    assert eval(at_places(4, program))["messages"] == 0


def test_one_element_is_read_and_written_where_it_lies():
    program = """
x = np.ones((100, 40)) * 3999
np.synchronize()
def read_and_write():
    assert float(x[99, 39]) == 3999
    x[99, 0] = 5
print(counted(read_and_write)["message_bytes"], float(x[99, 0]))
"""
    bytes_moved, value = at_places(4, program).split()
    assert (int(bytes_moved), float(value)) == (8, 5.0)


def test_an_array_needs_no_more_memory_than_its_parts():
    """Every place has its own part, and rows of its neighbours: not the whole."""
    program = """
x = np.ones((2000, 1000)); y = x * 2; np.synchronize()
print(np.stats()["peak_bytes"])
"""
    assert int(at_places(4, program, spread_bytes="1000000")) <= 1.1 * 2 * 2000 * 1000 * 8


PROGRAMS = {
    "staggered": """
u, v, p = np.arange(41.0 * 40).reshape(41, 40) % 7, np.arange(40.0 * 41).reshape(40, 41) % 5, np.zeros((40, 40))
for _ in range(5):
    p += 0.1 * ((u[1:] - u[:-1]) + (v[:, 1:] - v[:, :-1]))
    u[1:-1] -= p[1:] - p[:-1]
    v[:, 1:-1] -= p[:, 1:] - p[:, :-1]
results = u, v, p
""",
    "reductions": """
x = np.sin(np.arange(30000.0)).reshape(300, 100)
results = x.sum(), x.sum(0), x.sum(1), x.max(0), x.min(1), x.mean()
results += x.std(0), (x > 0).sum(), x.prod(1), x.T.sum(0), x.all()
""",
    "long sums": """
x = np.sin(np.arange(60000.0)); y = x.reshape(30000, 2)
results = x.sum(), (x * x).sum(), x[::3].sum(), y.sum(), y.sum(0), y.T.sum(1)
results += x.astype(np.float32).sum(), (x + 1j).sum()
""",
    "views": """
x = np.arange(5040.0).reshape(7, 8, 9, 10)
y = x.transpose(2, 0, 3, 1)[::2, ::-1, 1:, ::3] * 2
x[1:, :, ::2] += x[:-1, :, ::2].copy()
z = x.reshape(63, 80)[:, ::7]; z *= -1
results = x, y, z, x.ravel()[5:-5] + x.reshape(-1)[10:], np.roll(x, 3, axis=1), np.flip(x), np.concatenate([x, x[:2]])
""",
    "indexing": """
x = np.arange(3000.0).reshape(100, 30); i = np.arange(0, 99, 7)
y = x.copy(); y[i] = -1; y[x % 2 == 0] *= 3
results = x[i], x[i, 3], y, x[x > 50], np.take(x, i, axis=0), np.where(x > 7, x, -x)
results += np.sort(-x, axis=0), np.cumsum(x), x @ x.T
""",
    "multigrid": """
def cycle(u, f):
    n = u.shape[0] - 1
    u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1] + f[1:-1, 1:-1])
    if n > 2:
        r = np.zeros_like(u)
        r[1:-1, 1:-1] = f[1:-1, 1:-1] + (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        e = cycle(np.zeros((n // 2 + 1, n // 2 + 1)), 4 * r[::2, ::2])
        u[::2, ::2] += e
        u[1::2, ::2] += 0.5 * (e[1:] + e[:-1])
        u[:, 1::2] += 0.5 * (u[:, 2::2] + u[:, :-2:2])
    return u
results = (cycle(np.zeros((65, 65)), np.ones((65, 65))),)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_bits_at_any_number_of_places(name):
    program = PROGRAMS[name] + "\nprint([numpy.asarray(r).tobytes().hex() for r in results])"
    one = at_places(1, program)
    assert len(one) > 100
    for places in (2, 3, 8):
        assert at_places(places, program) == one


def test_memory_that_others_know_stays_at_the_root():
    program = """
theirs = numpy.arange(600.0).reshape(20, 30)
ours = np.asarray(theirs)
x = np.ones((20, 30)) * 2
ours += x
theirs += 1
x = x + ours
same = numpy.array_equal(numpy.asarray(x), numpy.arange(600.0).reshape(20, 30) + 5)
print(same, numpy.shares_memory(numpy.asarray(ours), theirs))
"""
    assert at_places(3, program).split() == ["True", "True"]


def test_thousands_of_places_run_small_arrays():
    program = """
u = np.zeros((4100, 6)); u[::100] = 1
for _ in range(3):
    u[1:-1] = (u[2:] + u[:-2]) / 2
print(float(u.sum()))
"""
    assert float(at_places(2048, program)) == float(at_places(1, program))


def test_a_program_without_memory_for_a_part_keeps_its_arrays():
    program = """
from cnumeric import _cnumeric
x = np.arange(3000.0).reshape(100, 30); y = x * 2; np.synchronize()
for nth in range(1, 400):
    _cnumeric.fault_set(nth)
    try:
        z = (x[1:] + y[:-1]).sum(0); value = float(z[3])
    except MemoryError:
        pass
    else:
        break
    finally:
        _cnumeric.fault_set(0)
x = numpy.arange(3000.0).reshape(100, 30)
print(nth > 5, value == float((x[1:] + 2 * x[:-1]).sum(0)[3]))
"""
    assert at_places(3, program).split() == ["True", "True"]
