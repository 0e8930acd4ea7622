"""``cnumeric run --simulate``: plans for places that are not there, by the planner that is."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import texts

pytestmark = pytest.mark.default_settings

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def simulate(tmp_path, text, ranks, **settings):
    """Run a program under the simulator; its output and what the simulator printed."""
    program = tmp_path / "program.py"
    program.write_text(text)
    command = [sys.executable, "-m", "cnumeric", "run", "--simulate", f"ranks={ranks}", str(program)]
    environment = {**os.environ, **{f"CNUMERIC_{name.upper()}": str(value) for name, value in settings.items()}}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def windows(tmp_path, text, ranks, **settings):
    """What the simulator found, as dicts."""
    text += "\nfrom cnumeric import _cnumeric\nnp.synchronize()\nprint(_cnumeric.simulation())\n"
    return eval(simulate(tmp_path, text, ranks, **settings)[0])


SWEEPS = f"""
import cnumeric as np
{texts.SWEEP}
p, b = np.zeros((n, n)), np.ones((n, n))
for _ in range(60):
    sweep(p, b)
"""


@pytest.mark.parametrize("ranks", [2, 4, 100])
def test_a_sweep_exchanges_one_row_with_each_neighbour(tmp_path, ranks):
    n = 1600
    for window in windows(tmp_path, f"n = {n}\n{SWEEPS}", ranks, group_ops=20, period_ops=10):
        pairs = 2 * (ranks - 1)
        sweeps = window["messages"] // pairs
        assert sweeps >= 1 and window["messages"] == sweeps * pairs
        assert window["message_bytes"] == window["messages"] * (n - 2) * 8
        assert window["messages_most"] == sweeps * (2 if ranks == 2 else 4)
        assert window["messages_median"] == window["messages_most"]
        assert window["bytes_most"] == window["messages_most"] * (n - 2) * 8
        assert 0 < window["predicted"]


def test_it_says_what_the_places_of_a_process_do(tmp_path):
    """The same messages and bytes as three places that are there."""
    text = """
import cnumeric as np
u, v, p = np.ones((401, 400)), np.ones((400, 401)), np.zeros((400, 400))
def step():
    global p
    for _ in range(32):
        p += 0.1 * ((u[1:] - u[:-1]) + (v[:, 1:] - v[:, :-1]))
        u[1:-1] -= p[1:] - p[:-1]
        v[:, 1:-1] -= p[:, 1:] - p[:, :-1]
    np.synchronize()
step(); step(); np.stats_reset(); step()
"""
    there = text + "\nstats = np.stats(); print(stats['messages'], stats['message_bytes'])"
    environment = {**os.environ, "CNUMERIC_PLACES": "3"}
    done = subprocess.run([sys.executable, "-c", there], env=environment, capture_output=True, text=True, check=True)
    messages, nbytes = map(int, done.stdout.split())
    steady = max(windows(tmp_path, text, 3), key=lambda window: window["runs"])
    assert messages > 0 and messages % 32 == 0
    assert steady["message_bytes"] * messages == steady["messages"] * nbytes


def test_it_says_what_the_places_of_a_process_do_of_a_product(tmp_path):
    """Panel by panel."""
    text = """
import cnumeric as np
x, y = np.ones((800, 800)), np.ones((800, 800))
x += 1; y += 1
def step():
    global z
    z = x @ y, x @ y.T
    np.synchronize()
step(); step(); np.stats_reset(); step(); step()
"""
    there = text + "\nstats = np.stats(); print(stats['messages'] // 2, stats['message_bytes'] // 2)"
    environment = {**os.environ, "CNUMERIC_PLACES": "3", "CNUMERIC_SPREAD_BYTES": "1000"}
    done = subprocess.run([sys.executable, "-c", there], env=environment, capture_output=True, text=True, check=True)
    messages, nbytes = map(int, done.stdout.split())
    steady = max(windows(tmp_path, text, 3, spread_bytes=1000), key=lambda window: window["runs"])
    assert (steady["messages"], steady["message_bytes"]) == (messages, nbytes)
    assert messages > 4 * 2 * 3 and nbytes == 2 * 2 * 800 * 800 * 8


def test_channel_flow_on_2048_places(tmp_path):
    text = f"""
import sys; sys.path.insert(0, {str(EXAMPLES)!r})
import cnumeric as np, numpy, channel_flow
ours = channel_flow.main(np, nx=64, ny=4100, steps=3, nit=30)
theirs = channel_flow.main(numpy, nx=64, ny=4100, steps=3, nit=30)
print(all(numpy.array_equal(numpy.asarray(a), b) for a, b in zip(ours, theirs)))
"""
    out, table = simulate(tmp_path, text, 2048)
    assert out == "True\n"
    assert "cnumeric: 2048 places" in table and "every send has its receive" in table
    rows = [line.split() for line in table.splitlines() if re.fullmatch(r"[ \d.]+", line)]
    assert rows
    for row in rows:
        assert int(row[3]) <= 10  # messages of the place in the middle: its neighbours' alone


def test_whatever_repeats_can_be_simulated(tmp_path):
    text = """
import cnumeric as np, numpy
for _ in range(5):
    x = np.linspace(0, 2, 4000).reshape(50, 80)
    y = np.sort(np.cumsum(x * 2, axis=1), axis=0) @ x.T
    z = (x[::3].sum(0), x.max(), y[x[:, 0] > 1], x[np.arange(0, 50, 7)], np.asarray(numpy.ones(80)) + x)
    np.synchronize()
"""
    assert all(window["predicted"] > 0 for window in windows(tmp_path, text, 5, spread_bytes=1))


def test_planning_does_not_grow_with_places(tmp_path):
    text = f"n = 4200\n{SWEEPS}".replace("(n, n)", "(n, 40)")
    few, many = (windows(tmp_path, text, ranks, spread_bytes=1) for ranks in (8, 2048))
    most = [max(window["looked_most"] for window in found) for found in (few, many)]
    assert 0 < most[1] <= 1.1 * most[0]


def test_planning_of_library_ops_does_not_list_places(tmp_path):
    """But for the root, which has for all of them what is not spread."""
    text = """
import cnumeric as np
x, w = np.sin(np.arange(4200 * 40.0)).reshape(4200, 40), np.ones((40, 40))
for _ in range(8):
    y = np.sort(x, axis=1), np.argsort(x[::-1], axis=1), np.cumsum(x, axis=1), x @ w, np.argmax(x, axis=1)
    np.synchronize()
"""
    few, many = (windows(tmp_path, text, ranks, spread_bytes=100000) for ranks in (8, 2048))
    medians = [max(window["looked_median"] for window in found) for found in (few, many)]
    assert 0 < medians[1] <= 1.2 * medians[0]


def test_planning_of_chains_does_not_list_places(tmp_path):
    """Sums, running sums, extremes and products along the axis that is cut: a place looks at those beside it."""
    text = """
import cnumeric as np
x = np.sin(np.arange(9000 * 40.0)).reshape(9000, 40)
for _ in range(8):
    y = x.sum(0), np.cumsum(x, axis=0), np.argmax(x, axis=0), x.max(axis=0), np.cumsum(x[:, 3])
    np.synchronize()
"""
    few, many = (windows(tmp_path, text, ranks, spread_bytes=60000) for ranks in (8, 2048))
    medians = [max(window["looked_median"] for window in found) for found in (few, many)]
    assert 0 < medians[1] <= 1.2 * medians[0]


def test_planning_of_a_transpose_grows_with_the_places_that_it_meets(tmp_path):
    """Everybody has something for everybody: a look at each, not at each pair of them."""
    text = """
import cnumeric as np
x = np.arange(1024.0 * 1024).reshape(1024, 1024)
for _ in range(8):
    y = x.T + 1
    np.synchronize()
"""
    few, many = (max(w["looked_most"] for w in windows(tmp_path, text, ranks)) for ranks in (64, 512))
    assert many <= 1.2 * 8 * few


def test_places_of_a_machine_share_its_memory(tmp_path):
    """The model's constant is told, and goes into what is predicted of memory alone."""
    program = tmp_path / "program.py"
    program.write_text("import cnumeric as np\nfor _ in range(8):\n    np.ones(3000000).sum()\nnp.synchronize()\n")
    command = [sys.executable, "-m", "cnumeric", "run", "--simulate", "ranks=4,node=4", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "4 places a machine" in done.stderr


def test_what_is_refused(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("")
    run = [sys.executable, "-m", "cnumeric", "run"]
    for options, message in [
        (["--simulate", "ranks=1"], "2 to 65536"),
        (["--simulate", "places=4"], "not like ranks=2048"),
        (["--simulate", "ranks=4,node=0"], "1 or more of them a node"),
        (["--simulate", "ranks=4", "--ranks-per-node", "2"], "leave --nodes and --ranks-per-node out"),
    ]:
        done = subprocess.run([*run, *options, program], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and message in done.stderr
