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


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (4, "f"), (4, "l"), (7, "D")])
def test_each_matrix_of_a_stack_is_done_as_by_numpy(places, kind):
    program = f"""{texts.SYSTEMS}{texts.STACKS}
for batch, rows, columns in (((40,), 9, 5), ((2, 3), 20, 31), ((2,), 70, 70)):
    check_stacks(batch, rows, columns, "{kind}")
check_refused_stacks(50, 8)
print(np.stats()["fallbacks"])
"""
    assert at_places(places, program, spread_bytes="2000") == "0\n"


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (4, "f"), (4, "l"), (7, "D")])
def test_spectra_are_those_of_numpy(places, kind):
    program = f"""{texts.SYSTEMS}{texts.SPECTRAL}
check_spectra(135, "{kind}")
print(np.stats()["fallbacks"])
"""
    assert at_places(places, program, spread_bytes="20000") == "0\n"


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (4, "f"), (4, "l"), (7, "F")])
def test_singular_vectors_are_orthogonal_and_right(places, kind):
    program = f"""{texts.SYSTEMS}{texts.SPECTRAL}
for shape in ((150, 150), (200, 170), (140, 300)):
    check_singular_vectors(*shape, "{kind}")
    check_least_squares(*shape, "{kind}")
check_singular_vectors(700, 150, "{kind}")  # the triangular factor, too, lies on several places
check_least_squares(700, 150, "{kind}")
print(np.stats()["fallbacks"])
"""
    assert at_places(places, program, spread_bytes="20000") == "0\n"


@pytest.mark.parametrize("shape", [(270, 270), (150, 200)])
def test_singular_vectors_of_tiny_and_equal_values_are_orthogonal(shape):
    program = f"{texts.SYSTEMS}{texts.SPECTRAL}\ncheck_graded(*{shape})\nprint('same')"
    assert at_places(3, program, spread_bytes="20000").endswith("same\n")  # LAPACK says something about NaN


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (4, "f"), (4, "l")])
def test_what_is_made_of_factors_is_numpys(places, kind):
    program = f"{texts.SYSTEMS}{texts.SPECTRAL}\ncheck_others(150, '{kind}')\nprint('same')"
    assert at_places(places, program, spread_bytes="20000") == "same\n"


@pytest.mark.parametrize("places, kind", [(3, "d"), (3, "D"), (4, "f"), (4, "l"), (2, "F")])
def test_eigenvalues_of_general_matrices_are_those_of_numpy(places, kind):
    program = f"""{texts.SYSTEMS}{texts.GENERAL}
for n in (135, 230):
    check_general(n, "{kind}")
print(np.stats()["fallbacks"])
"""
    assert at_places(places, program, spread_bytes="20000") == "0\n"


@pytest.mark.parametrize("kind", ["d", "D"])
def test_eigenvalues_of_hard_matrices_have_vectors(kind):
    """Defective, triangular but for their order, of rows of all sizes, of repeated values, not normal."""
    program = f"{texts.SYSTEMS}{texts.GENERAL}\ncheck_hard(180, '{kind}')\nprint('same')"
    assert at_places(3, program, spread_bytes="20000") == "same\n"


def test_chains_of_bulges_go_through_several_windows():
    program = f"{texts.SYSTEMS}{texts.GENERAL}\nfor kind in 'dD':\n    check_general(420, kind)\nprint('same')"
    assert at_places(3, program, spread_bytes="50000") == "same\n"


def test_numpy_is_never_given_a_spread_matrix():
    """Whatever of linalg is called: its functions see blocks and panels."""
    program = """
import inspect
most = 0
def watched(function):
    def run(*given, **named):
        global most
        most = max([most, *(part.size for part in given if hasattr(part, "size"))])
        return function(*given, **named)
    return run
for name in numpy.linalg.__all__:
    if inspect.isfunction(inspect.unwrap(getattr(numpy.linalg, name))):
        setattr(numpy.linalg, name, watched(getattr(numpy.linalg, name)))
n = 600
a = np.cos(np.arange(n * 1.0)[:, None] * np.arange(n) * 0.7311) + 3 * np.eye(n)
s, four, l = a + a.T, a.reshape(20, 30, 20, 30), np.linalg
runs = [lambda: l.svd(a), lambda: l.svd(a[:, 30:]), lambda: l.pinv(a), lambda: l.lstsq(a, a[0]), lambda: l.cond(a),
        lambda: l.lstsq(a[30:], a[30:]), lambda: l.cond(a, 1), lambda: l.matrix_rank(a), lambda: l.qr(a),
        lambda: l.matrix_power(a, 3), lambda: l.matrix_power(a, -1), lambda: l.matrix_power(a, 0), lambda: l.inv(a),
        lambda: l.multi_dot([a, a, a]), lambda: l.tensorinv(four), lambda: l.tensorsolve(four, a[0].reshape(20, 30)),
        lambda: l.slogdet(a), lambda: l.det(a), lambda: l.solve(a, a[0]), lambda: l.eigh(s), lambda: l.eigvalsh(s),
        lambda: l.eig(a), lambda: l.eigvals(a), lambda: l.svd(s, hermitian=True),
        lambda: l.pinv(s, hermitian=True), lambda: l.cholesky(s + 900 * np.eye(n)),
        *((lambda p: lambda: l.norm(a, p))(p) for p in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)),
        *((lambda p: lambda: l.norm(a.ravel(), p))(p) for p in (None, 0, 1, -1, 2, 2.5, np.inf, -np.inf))]
for run in runs:
    run()
print(most, np.stats()["fallbacks"])
"""
    most, fallbacks = map(int, at_places(4, program, spread_bytes="50000").split())
    assert 128 * 128 <= most <= 600 * 256 and fallbacks == 0


def test_clustered_eigenvalues_have_orthogonal_vectors():
    program = f"{texts.SYSTEMS}{texts.SPECTRAL}\nfor n in (140, 200):\n    check_clusters(n)\nprint('same')"
    assert at_places(3, program, spread_bytes="20000") == "same\n"


def test_of_a_spectrum_the_root_receives_panels():
    """On paper: of columns what is below the diagonal, for singular values of rows too, and a vector or two for each.

    For eigenvectors a product as wide as the matrix for each panel, and panels of the right sides of products.
    """
    program = """
n = 512
a = np.cos(np.arange(n * 1.0)[:, None] * np.arange(n) * 0.7311)
s = a + a.T
runs = (lambda: np.linalg.eigvalsh(s), lambda: np.linalg.svd(a, compute_uv=False), lambda: np.linalg.eigh(s),
        lambda: np.linalg.svd(a))
print(*(counted(run)["root_bytes"] / a.nbytes for run in runs))
"""
    values, singular, vectors, both = map(float, at_places(4, program, spread_bytes="200000").split())
    assert values <= 1.6 and singular <= 2.3
    assert both <= singular + 2 * vectors
    assert vectors <= 8  # nothing is whole there: 16 panels of a part of an eighth of it, and the right sides


def test_a_stack_stays_where_it_is():
    """On paper: the root receives whether one failed, and a matrix that a border cuts."""
    program = """
count, n = 4001, 12
a = np.sin(np.arange(count * n * n * 1.0)).reshape(count, n, n)
s = a @ a.swapaxes(1, 2) + 10 * np.eye(n)
runs = (lambda: np.linalg.inv(s), lambda: np.linalg.cholesky(s), lambda: np.linalg.eigh(s), lambda: np.linalg.svd(a),
        lambda: np.linalg.qr(a), lambda: np.linalg.slogdet(a), lambda: np.linalg.solve(s, a), lambda: np.linalg.eig(a))
print(max(counted(run)["message_bytes"] for run in runs), n)
"""
    most, n = map(int, at_places(4, program, spread_bytes="20000").split())
    assert most <= 20 * 3 * n * n * 8


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


@pytest.mark.parametrize(
    "name, stack, step", [("inv", (), 61), ("eigvalsh", (), 97), ("pinv", (), 331), ("inv", (200,), 7)]
)
def test_every_allocation_may_fail(name, stack, step):
    """The matrix is there still, and the next try succeeds."""
    program = f"""{texts.EVERY_ALLOCATION}
def make(nth):
    n = nth + (10 if {stack} else 140)
    a = np.arange(n * n * 1.0).reshape(n, n) % 17 + 20 * np.eye(n)
    return np.broadcast_to(a + a.T, (*{stack}, n, n)).copy()
check_every_allocation(make, np.linalg.{name}, numpy.linalg.{name}, {step}, 25 * {step})
"""
    failed, tried = map(int, at_places(3, program, spread_bytes="50000").split())
    assert 3 <= failed <= tried <= 25
