"""Transforms of vectors that ranks have pieces of: bits, what rank 0 has of them, a rank without memory."""

import functools
import subprocess
import sys

import pytest
import texts
from gpus import EVERY_ARRAY, PRELUDE

SPREAD = EVERY_ARRAY | {"CNUMERIC_SPREAD_BYTES": "200000"}
DIGESTS = f"{texts.PRELUDE}\n{texts.TRANSFORMS}\nprint(*every_digest())"


def run(mpi, ranks, program, environment):
    status, out, err = mpi.python(ranks, program, environment=environment)
    assert status == 0, err
    return out


@functools.cache
def alone():
    return subprocess.run([sys.executable, "-c", DIGESTS], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("ranks", [2, 3])
def test_the_bits_are_those_of_one_process(mpi, ranks):
    assert run(mpi, ranks, DIGESTS, SPREAD) == alone()


MEMORY = """
import cnumeric as np
n = 2**22
z = np.zeros(n, complex)
z += np.arange(n)
np.synchronize()
np.stats_reset()
made = np.fft.fft(z)
np.synchronize()
stats = np.stats()
print((stats["peak_bytes"] - (16 << 20)) / z.nbytes, stats["root_bytes"] / z.nbytes, stats["fallbacks"])
print(float(abs(np.fft.ifft(made) - z).max()) < 1e-6)
"""


def test_no_rank_ever_has_the_vector(mpi):
    """Of four ranks each has a quarter of both vectors, and of what is on its way twice; and rows for its threads."""
    ranks = 4
    counts, right = run(mpi, ranks, MEMORY, {"CNUMERIC_SPREAD_BYTES": "1048576"}).splitlines()
    peak, root_bytes, fallbacks = map(float, counts.split())
    assert right == "True" and fallbacks == 0
    assert peak <= 4 / ranks
    assert root_bytes <= 3 * (ranks - 1) / ranks**2 * 1.001


FAULTED = """
n = 2 * 65537
x = np.sin(np.arange(n * 1.0))
np.synchronize()
for _ in range(2):
    try:
        z = np.fft.rfft(x)
        np.synchronize()
        break
    except MemoryError:
        pass
numpy.testing.assert_allclose(numpy.asarray(z), numpy.fft.rfft(numpy.asarray(x)), atol=1e-9)
print("same")
"""


@pytest.mark.parametrize("nth", [1, 20, 30, 40, 45, 50, 55, 60, 65, 70, 80, 100])
def test_a_worker_without_memory(mpi, nth):
    """It refuses, and the next try succeeds; or it ends all, and says why: nobody waits for it."""
    environment = SPREAD | {"CNUMERIC_WORKER_FAULT": str(nth)}
    status, out, err = mpi.python(2, PRELUDE + FAULTED, environment=environment)
    assert (status, out) in [(0, "same\n"), (1, "")], (out, err)
