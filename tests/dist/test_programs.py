"""What spreads arrays over processes and what does not, mixed: NumPy's bits, and no process loses track of another."""

import os
import pathlib
import subprocess
import sys

import pytest

MIXED = pathlib.Path(__file__).parent / "mixed_programs.py"
EVERY_ARRAY = {"CNUMERIC_SPREAD_BYTES": "1", "CNUMERIC_VERIFY": "1", "CNUMERIC_THREADS": "1"}


@pytest.mark.parametrize("ranks, spread_bytes", [(2, 1), (3, 200)])
def test_random_programs_over_processes(mpi, ranks, spread_bytes):
    environment = {
        **mpi.environment,
        **EVERY_ARRAY,
        "CNUMERIC_SPREAD_BYTES": str(spread_bytes),
        "CNUMERIC_OVERLAP": "1",
    }
    command = ["mpirun", "-n", str(ranks), sys.executable, str(MIXED), "200", "260"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.stdout.split() == ["passed"], (run.stdout + run.stderr)[-3000:]


@pytest.mark.parametrize("places, spread_bytes", [(2, 1), (5, 100)])
def test_random_programs_over_places(places, spread_bytes):
    environment = {**os.environ, **EVERY_ARRAY, "CNUMERIC_SPREAD_BYTES": str(spread_bytes)}
    environment["CNUMERIC_PLACES"] = str(places)
    run = subprocess.run(
        [sys.executable, str(MIXED), "7000", "7040"], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout.split() == ["passed"], (run.stdout + run.stderr)[-3000:]


PRELUDE = """
import cnumeric as np, numpy
def same(ours, theirs):
    numpy.testing.assert_array_equal(numpy.asarray(ours), theirs)
"""

PROGRAMS = {
    "a plan that rank 0 alone has met": """
def run(n, keep):
    x = np.arange(float(n)) % 7
    y = x * 2
    z = np.sort(y)
    w = (z + y)[::-1] * 3
    if not keep:
        del y
    np.synchronize()
    return w, x
run(20, True)  # at the root
w, x = run(5000, False)
r = w[1:] + x[:-1]
np.synchronize()
x = numpy.arange(5000.0) % 7
w = (numpy.sort(x * 2) + x * 2)[::-1] * 3
same(r, w[1:] + x[:-1])
""",
    "copies made at the root": """
x = np.sort(np.arange(5000.0) * 37 % 101)
np.synchronize()
y = x.copy()
np.synchronize()
z = x + 1
np.synchronize()
del x
u = y[::-1] * 2
np.synchronize()
y[1:] = u[:-1] + z[1:]
x = numpy.sort(numpy.arange(5000.0) * 37 % 101)
same(u, x[::-1] * 2)
same(y[1:], x[::-1][:-1] * 2 + x[1:] + 1)
""",
    "where values go in what is sorted": """
x, y = np.sort(np.arange(30000.0) * 37 % 1013), np.arange(7000.0) * 7 % 1100 - 20
a, b, c = np.searchsorted(x, y), np.searchsorted(x, y[:600].reshape(20, 30), "right"), np.searchsorted(x, y[:3])
x, y = numpy.sort(numpy.arange(30000.0) * 37 % 1013), numpy.arange(7000.0) * 7 % 1100 - 20
same(a, numpy.searchsorted(x, y))
same(b, numpy.searchsorted(x, y[:600].reshape(20, 30), "right"))
same(c, numpy.searchsorted(x, y[:3]))
""",
    "no storage in the first window": """
x = np.ones(5000)
del x
np.synchronize()
x = np.ones(5000) * 2
same(x, numpy.ones(5000) * 2)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_processes_agree_on(mpi, name):
    environment = {"CNUMERIC_SPREAD_BYTES": "1000", "CNUMERIC_VERIFY": "1"}
    status, out, err = mpi.python(3, PRELUDE + PROGRAMS[name] + "print('same')", environment=environment)
    assert (status, out) == (0, "same\n"), err


FAULTS = """
x = np.arange(300000.0).reshape(3000, 100) % 7
refused = 0
for attempt in range(3):
    try:
        y = (x[1:] + x[:-1]) * 2
        s = y.sum(0)
        total = float(y.sum())
        v = numpy.asarray(np.sort(y, axis=0)[::-1] + y + s)
        break
    except MemoryError as error:
        refused += "another process has no memory" in str(error)
x = numpy.arange(300000.0).reshape(3000, 100) % 7
y = (x[1:] + x[:-1]) * 2
assert total == y.sum()
same(v, numpy.sort(y, axis=0)[::-1] + y + y.sum(0))
print("refused", refused)
"""


def test_a_worker_without_memory(mpi):
    """It refuses, and the next try succeeds; or, where nobody waits for its answer, it ends all, and says why."""
    refused, said = 0, False
    for nth in (1, 15, 27, 30, 40, 50, 60, 80):
        environment = {**EVERY_ARRAY, "CNUMERIC_WORKER_FAULT": str(nth)}
        status, out, err = mpi.python(2, PRELUDE + FAULTS, environment=environment)
        assert (status, out) in [(0, "refused 1\n"), (0, "refused 0\n"), (1, "")], (nth, out, err)
        refused += out == "refused 1\n"
        said |= status == 1 and "Unable to allocate" in err  # a launcher may end before it has passed it on
    assert refused >= 3 and said


FLUSHED = """
import warnings
import cnumeric as np

x = np.arange(1000.0)[::-1] + 0  # the zero is the last rank's
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    y = 1 / x
    np.flush()
    print(len(told), end=" ")
    np.synchronize()
    print(len(told), end=" ")
try:
    with np.errstate(divide="raise"):
        y = 1 / x
except FloatingPointError:
    print("raised")
"""


def test_a_flush_waits_for_no_other_rank(mpi):
    """What others notice is told by who waits for them, or at once where calls are precise."""
    status, out, err = mpi.python(2, FLUSHED, environment={"CNUMERIC_SPREAD_BYTES": "1000", "CNUMERIC_GPU": "0"})
    assert (status, out.split()) == (0, ["0", "1", "raised"]), err
