"""Factorisations of matrices that ranks have rows of: against NumPy, memory, a rank without it."""

import pytest
import texts
from gpus import EVERY_ARRAY, PRELUDE

SPREAD = EVERY_ARRAY | {"CNUMERIC_SPREAD_BYTES": "50000", "OPENBLAS_NUM_THREADS": "1"}  # ranks are more than cores


def run(mpi, ranks, program, environment):
    status, out, err = mpi.python(ranks, program, environment=environment)
    assert status == 0, err
    return out


@pytest.mark.parametrize("ranks", [2, 3])
def test_systems_are_solved_as_by_numpy(mpi, ranks):
    program = f"{texts.PRELUDE}\n{texts.SYSTEMS}\nfor kind in 'Dl':\n    check_systems(200, kind)\nprint('same')"
    assert run(mpi, ranks, program, SPREAD) == "same\n"


@pytest.mark.parametrize("ranks", [2, 3])
def test_orthogonal_factors_are_those_of_numpy(mpi, ranks):
    program = f"""{texts.PRELUDE}{texts.SYSTEMS}{texts.ORTHOGONAL}
for shape in ((150, 150), (600, 80)):
    check_orthogonal(*shape, "D")
check_deficient()
print("same")
"""
    assert run(mpi, ranks, program, SPREAD) == "same\n"


@pytest.mark.parametrize("ranks", [2, 3])
def test_spectra_and_stacks_are_those_of_numpy(mpi, ranks):
    program = f"""{texts.PRELUDE}{texts.SYSTEMS}{texts.SPECTRAL}{texts.STACKS}
check_spectra(135, "D")
check_singular_vectors(140, 160, "D")
check_least_squares(160, 140, "d")
check_stacks((30,), 12, 9, "D")
check_refused_stacks(50, 8)
print("same")
"""
    assert run(mpi, ranks, program, SPREAD | {"CNUMERIC_SPREAD_BYTES": "10000"}) == "same\n"


@pytest.mark.parametrize("ranks", [2, 3])
def test_eigenvalues_of_general_matrices_are_those_of_numpy(mpi, ranks):
    program = f"{texts.PRELUDE}{texts.SYSTEMS}{texts.GENERAL}\nfor kind in 'dD':\n    check_general(170, kind)\nprint('same')"
    assert run(mpi, ranks, program, SPREAD | {"CNUMERIC_SPREAD_BYTES": "10000"}) == "same\n"


MEMORY = """
import cnumeric as np
n = 1600
i = np.arange(n * 1.0)
a = 1 / (1 + abs(i[:, None] - i))
np.synchronize()
np.stats_reset()
factor = np.linalg.cholesky(a)
np.synchronize()
stats = np.stats()
print(stats["peak_bytes"] / a.nbytes, stats["root_bytes"] / a.nbytes, stats["fallbacks"])
difference = factor @ factor.T
difference -= a
print(float(abs(difference).max()) < 1e-12)
"""


def test_no_rank_ever_has_the_matrix(mpi):
    """Of four ranks each has a quarter of both matrices; the root receives blocks of the diagonal."""
    counts, right = run(mpi, 4, MEMORY, {}).splitlines()
    peak, root_bytes, fallbacks = map(float, counts.split())
    assert right == "True" and fallbacks == 0
    assert peak < 0.85 and root_bytes < 128 / 1600


VECTORS = """
import cnumeric as np
n = 1600
i = np.arange(n * 1.0)
a = np.cos(i[:, None] * i * 0.7311)
np.synchronize()
np.stats_reset()
u, s, vt = np.linalg.svd(a)
np.synchronize()
print(np.stats()["peak_bytes"] / a.nbytes)
"""


def test_of_singular_vectors_a_rank_has_its_part(mpi):
    """Of eight: the argument, reflections, vectors of both sides, what they are multiplied by; panels beside them."""
    environment = {"OPENBLAS_NUM_THREADS": "1", "CNUMERIC_SPREAD_BYTES": "5000"}
    assert float(run(mpi, 8, VECTORS, environment)) < 1.7


FAULTED = """
n = 200
a = np.arange(n * n * 1.0).reshape(n, n) % 17 + 20 * np.eye(n)
np.synchronize()
for _ in range(2):
    try:
        x = np.linalg.solve(a, a[:, :90])
        np.synchronize()
        break
    except MemoryError:
        pass
numpy.testing.assert_allclose(numpy.asarray(x), numpy.eye(n)[:, :90], atol=1e-9)
print("same")
"""


@pytest.mark.parametrize("nth", [1, 30, 60, 90, 120, 160, 200, 300, 400, 600])
def test_a_worker_without_memory(mpi, nth):
    """It refuses, and the next try succeeds; or it ends all, and says why: nobody waits for it."""
    environment = SPREAD | {"CNUMERIC_WORKER_FAULT": str(nth)}
    status, out, err = mpi.python(2, PRELUDE + FAULTED, environment=environment)
    assert (status, out) in [(0, "same\n"), (1, "")], (out, err)
