"""Factorisations of matrices that several places have rows of: against NumPy, what the root receives, memory."""

import pytest
import texts
from test_places import at_places

pytestmark = pytest.mark.default_settings


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (3, "f"), (4, "l"), (4, "D")])
def test_systems_are_solved_as_by_numpy(places, kind):
    program = f"""{texts.SYSTEMS}
for n in (150, 300):
    check_systems(n, "{kind}")
print(np.stats()["fallbacks"])
"""
    assert at_places(places, program, spread_bytes="50000") == "0\n"


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (3, "f"), (4, "l"), (4, "D")])
def test_orthogonal_factors_are_those_of_numpy(places, kind):
    program = f"""{texts.SYSTEMS}{texts.ORTHOGONAL}
for shape in ((150, 150), (140, 210), (600, 80)):
    check_orthogonal(*shape, "{kind}")
check_deficient()
print(np.stats()["fallbacks"])
"""
    assert at_places(places, program, spread_bytes="20000") == "0\n"


def test_of_a_tall_matrix_the_root_receives_a_triangle():
    """And two numbers a column: sums over rows go from place to place."""
    program = """
m, n = 16384, 48
a = np.sin(np.arange(m * n * 1.0) ** 2).reshape(m, n)
b = np.cos(np.arange(m * 1.0))
runs = (lambda: np.linalg.qr(a), lambda: np.linalg.lstsq(a, b), lambda: np.linalg.svd(a, full_matrices=False))
print(*(counted(run)["root_bytes"] / a.nbytes for run in runs))
"""
    assert all(0 < float(part) < 0.1 for part in at_places(4, program, spread_bytes="50000").split())


def test_the_root_receives_panels_alone():
    """On paper: of a Cholesky factorisation blocks of the diagonal, of others every panel from the diagonal on."""
    program = """
n, block = 640, 128
i = np.arange(n * 1.0)
a = np.cos(i[:, None] * i * 0.7311)
a[np.arange(n), np.arange(n)] += 30
s = (a + a.T) / 2
runs = (lambda: np.linalg.cholesky(s), lambda: np.linalg.slogdet(a), lambda: np.linalg.inv(a))
print(*(counted(run)["root_bytes"] / (8 * n * block) for run in runs), n / block)
"""
    cholesky, logarithm, inverse, steps = map(float, at_places(4, program, spread_bytes="50000").split())
    assert cholesky <= 2
    assert logarithm <= steps / 2 + 2
    assert inverse <= 2 * steps + 3


def test_every_allocation_may_fail():
    """The matrix is there still, and the next try succeeds."""
    program = """
from cnumeric import _cnumeric
failed = 0
for nth in range(1, 1500, 61):
    n = 140 + nth // 61  # a new geometry
    a = np.arange(n * n * 1.0).reshape(n, n) % 17 + 20 * np.eye(n)
    np.synchronize()
    _cnumeric.fault_set(nth)
    try:
        found = np.linalg.inv(a)
        np.synchronize()
    except MemoryError:
        failed += 1
        _cnumeric.fault_set(0)
        found = np.linalg.inv(a)
        np.synchronize()
    _cnumeric.fault_set(0)
    numpy.testing.assert_allclose(numpy.asarray(a @ found), numpy.eye(n), atol=1e-9)
print(failed)
"""
    assert int(at_places(3, program, spread_bytes="50000")) >= 8
