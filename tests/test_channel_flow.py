"""The main job: NumPy's bits, plans found again, little traffic, few launches; and factorisations by slices."""

import subprocess
import sys

import channel_flow
import cnumeric
import numpy
import pytest

SWEEPS = channel_flow.SWEEPS
LEAST_BYTES = 1264  # a point and time step: every input once, every result once (nit = 50)


def assert_same_bits(size, steps):
    ours = channel_flow.main(cnumeric, size, size, steps)
    theirs = channel_flow.main(numpy, size, size, steps)
    for a, b, name in zip(ours, theirs, "uvp", strict=True):
        numpy.testing.assert_array_equal(numpy.asarray(a), b, err_msg=name)


@pytest.mark.parametrize("size, steps", [(41, 10), (257, 10), pytest.param(1024, 2, marks=pytest.mark.slow)])
def test_same_bits_as_numpy(counters, size, steps):
    assert_same_bits(size, steps)
    assert counters()["fallbacks"] == 0


def steady(size, steps, each=None, first=10):
    """The counters of the steps from `first` on."""
    seen = []

    def after_step(t, u, v, p):
        if each is not None:
            each(t, u, v, p)
        if t + 1 in (first, steps):
            seen.append(cnumeric.stats())

    channel_flow.main(cnumeric, size, size, steps, after_step=after_step)
    return {name: value - seen[0][name] for name, value in seen[1].items()}


def read_each_step(t, u, v, p):
    assert float(u.sum()) > 0


LOOPS = ["no read", "a read a step", "history"]


@pytest.mark.default_settings
@pytest.mark.parametrize("loop", LOOPS)
def test_a_steady_loop_meets_known_plans(loop):
    steps = 300
    history = cnumeric.zeros(steps)

    def keep(t, u, v, p):
        history[t] = p[3, 3]

    each = {"no read": None, "a read a step": read_each_step, "history": keep}[loop]
    counts = steady(21, steps, each)
    assert counts["windows"] > 0
    assert counts["plan_hits"] >= 0.99 * counts["windows"]
    assert counts["fallbacks"] == 0
    if loop == "history":
        kept = []
        channel_flow.main(numpy, 21, 21, steps, after_step=lambda t, u, v, p: kept.append(p[3, 3]))
        numpy.testing.assert_array_equal(numpy.asarray(history), kept)


@pytest.mark.default_settings
@pytest.mark.parametrize("size", [257, pytest.param(1024, marks=pytest.mark.slow)])
def test_traffic_and_launches_of_a_steady_step(size):
    first, steps = 3, 8
    counts = steady(size, steps, first=first)
    points = size * size * (steps - first)
    assert (counts["bytes_read"] + counts["bytes_written"]) / points <= 1.15 * LEAST_BYTES
    assert counts["launches"] <= 3 * SWEEPS * (steps - first)


@pytest.mark.default_settings
def test_a_sweep_copies_nothing():
    p, b = cnumeric.zeros((30, 30)) + 1.0, cnumeric.ones((30, 30))
    cnumeric.synchronize()
    cnumeric.explain(True)
    channel_flow.pressure(p, b, 0.1, 0.1, nit=4)
    cnumeric.synchronize()
    text = cnumeric.explain(False)
    assert "plan:" in text
    assert "carry" not in text
    assert " copy " not in text


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[3])
import cnumeric, lu_slices
n = int(sys.argv[2])
a = lu_slices.matrix(cnumeric, n)
b = cnumeric.arange(1.0, n + 1)
cnumeric.synchronize()
cnumeric.stats_reset()
run = {
    "lu": lambda: lu_slices.lu(a),
    "cholesky": lambda: lu_slices.cholesky(cnumeric, a),
    "solve_lower": lambda: lu_slices.solve_lower(a, b),
    "solve_upper": lambda: lu_slices.solve_upper(a, b),
}
result = run[sys.argv[1]]()
cnumeric.synchronize()
stats = cnumeric.stats()
assert stats["fallbacks"] == 0
print(stats["plan_misses"])
"""


def plans_made(job, n):
    folder = channel_flow.__file__.rpartition("/")[0]
    command = [sys.executable, "-c", PROGRAM, job, str(n), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout)


@pytest.mark.default_settings
@pytest.mark.parametrize("job", ["lu", "cholesky", "solve_lower", "solve_upper"])
def test_shrinking_slices_share_plans(job):
    assert plans_made(job, 160) <= plans_made(job, 40) + 1
