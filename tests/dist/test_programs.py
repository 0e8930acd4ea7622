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
    environment = {**mpi.environment, **EVERY_ARRAY, "CNUMERIC_SPREAD_BYTES": str(spread_bytes)}
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
