"""While kernels are compiled the processor goes on; the stand-in's compiler waits for a file (STANDIN_GATE)."""

import pathlib

import devices
import pytest

PRELUDE = """
import os, subprocess, sys, time, warnings
import numpy
import cnumeric as np

def launches():
    np.synchronize()
    return np.stats()["device_launches"]

def open_gate():
    open(os.environ["STANDIN_GATE"], "w").close()

def until(run, done=lambda: launches() > 0):
    "Runs it until the device takes part, or what is asked for is so."
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        run()
"""


def run(tmp_path: pathlib.Path, program: str, **settings: str) -> list[str]:
    """What the program prints, word by word; the gate is closed."""
    cold = {"CNUMERIC_GPU_COLD": "1", "CNUMERIC_GPU_BYTES": "1", "CNUMERIC_CACHE": str(tmp_path / "cache")}
    gate = {"STANDIN_GATE": str(tmp_path / "gate"), "STANDIN_GATE_COLD": str(tmp_path / "gate")}
    return devices.run("-c", PRELUDE + program, env=devices.environment(real=False, **cold | gate | settings)).split()


SWEEPS = """
def sweeps(np, p, n):
    for _ in range(n):
        old = p.copy()
        p[1:-1, 1:-1] = 0.25 * (old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1])
        p[:, 0] = p[:, 1]

mine, theirs = np.arange(2500.0).reshape(50, 50) % 13, numpy.arange(2500.0).reshape(50, 50) % 13
done = 0
def some():
    global done
    sweeps(np, mine, 30)
    done += 30

for _ in range(5):
    some()
print(launches(), np.stats()["compilations"] > 0, np.stats()["moves"])
open_gate()
until(some)
def counters():
    return numpy.array([launches() + np.stats()["graphs"], np.stats()["moves"]])
def taken_over():
    "Each plan that repeats makes waits for kernels of its own."
    before = counters()
    some()
    work, moves = counters() - before
    return work > 0 and moves == MOVES
until(some, taken_over)
sweeps(numpy, theirs, done)
numpy.testing.assert_array_equal(numpy.asarray(mine), theirs)
"""


@pytest.mark.parametrize(("places", "moves"), [("1", "0"), ("3", "240")], ids=["one place", "halos of places"])
def test_processor_goes_on_until_kernels_are_there(tmp_path: pathlib.Path, places: str, moves: str) -> None:
    """No window waits for the compiler; then the device takes over, with the same bits."""
    program = SWEEPS.replace("MOVES", moves)
    assert run(tmp_path, program, CNUMERIC_PLACES=places, CNUMERIC_SPREAD_BYTES="1") == ["0", "True", "0"]


LONG = """
def long(np, x):
    y = np.tanh(x) + np.arctan(x) * np.exp(-x * x) + np.log1p(x * x) * np.cos(x)
    return 1 / (y * y + 1) + np.sin(y) * np.exp(np.sin(y)) + np.cbrt(y + 2)

def opens_later():
    subprocess.Popen(["sh", "-c", f"sleep 0.3; : >{os.environ['STANDIN_GATE']}"])

x = numpy.linspace(-1, 1, 1 << 22)
"""


def run_long(tmp_path: pathlib.Path, program: str, **settings: str) -> list[str]:
    """A window that the processor would be at when its kernels are there."""
    return run(tmp_path, LONG + program, CNUMERIC_THREADS="1", **settings)


WAITED = """
opens_later()
y = long(np, np.array(x))
print(launches() > 0)
numpy.testing.assert_allclose(numpy.asarray(y), long(numpy, x), rtol=1e-9)
"""


def test_what_takes_the_processor_longer_is_waited_for(tmp_path: pathlib.Path) -> None:
    """It is the device's from the first run on."""
    assert run_long(tmp_path, WAITED) == ["True"]


TRIAL = """
mine = np.array(x)
y = long(np, mine)
first = launches()
again = long(np, mine)
second = launches() - first
open_gate()
for _ in range(50):
    before = launches()
    last = long(np, mine)
    if launches() - before < second:
        break
    time.sleep(0.1)
print(first, second, launches() - before)
for a in (y, again, last):
    numpy.testing.assert_array_equal(numpy.asarray(a).view("int64"), numpy.asarray(last).view("int64"))
numpy.testing.assert_allclose(numpy.asarray(y), long(numpy, x), rtol=1e-9)
"""


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("devices", ["1", "3"])
def test_cold_forms_run_until_whole_ones_are_there(tmp_path: pathlib.Path, devices: str, missing: bool) -> None:
    """Twice, since a trial comes first; with the same bits. NaNs that are loaded are not odd."""
    settings = {"STANDIN_DEVICES": devices, "CNUMERIC_GPUS": devices, "CNUMERIC_GPU_SPREAD_BYTES": "1"}
    program = "x[::100] = numpy.nan\n" * missing + TRIAL
    first, second, last = map(int, run_long(tmp_path, program, STANDIN_GATE_COLD="/", **settings))
    assert first == second == 2 * last > 0


ODD = """
mine = np.array(x)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    opens_later()
    mine[:] = long(np, 1 / (mine - mine[77]))
    float(mine[3])
print(sorted(str(w.message) for w in seen), launches() > 0)
with numpy.errstate(all="ignore"):
    numpy.testing.assert_allclose(numpy.asarray(mine), long(numpy, 1 / (x - x[77])), rtol=1e-9, atol=1e-9)
"""


def test_odd_values_wait_for_the_whole_form(tmp_path: pathlib.Path) -> None:
    """Which tells of the events, once; what a trial has seen has changed nothing, in place too."""
    printed = " ".join(run_long(tmp_path, ODD, STANDIN_GATE_COLD="/"))
    assert printed.count("divide by zero") == 1 and printed.endswith("True"), printed


EVENTS = """
x = np.arange(-3.0, 5000.0)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    y = np.sqrt(x) + 1 / x
    float(y[4])
print(len(seen), launches())
open_gate()
until(lambda: float((np.sqrt(abs(x)) + 2).sum()))
"""


def test_events_are_told_once(tmp_path: pathlib.Path) -> None:
    """A cold window tells of its floating-point events, as a warm one."""
    assert run(tmp_path, EVENTS) == ["2", "0"]


LEAVING = """
float((np.arange(5000.0) * 2 + 1).sum())
print(launches())
subprocess.Popen(["sh", "-c", f"sleep 0.2; : >{os.environ['STANDIN_GATE']}"])
"""


def test_programs_end_while_kernels_are_compiled(tmp_path: pathlib.Path) -> None:
    """The process ends when the compiler does, and well; what it has compiled is on the disk."""
    assert run(tmp_path, LEAVING) == ["0"]
    assert list((tmp_path / "cache").glob("*.cubin"))


FORKED = """
x = np.arange(5000.0)
float((x * 2 + 1).sum())
child = os.fork()
if child == 0:
    os._exit(float((x * 2 + 1).sum()) != 25000000.0)
assert os.waitpid(child, 0)[1] == 0
print(launches())
open_gate()
until(lambda: float((x * 2 + 1).sum()))
"""


def test_forks_while_kernels_are_compiled(tmp_path: pathlib.Path) -> None:
    """The child has no compiler to wait for, and none to end."""
    assert run(tmp_path, FORKED) == ["0"]


REFUSED = """
open_gate()
x = np.arange(5000.0)
for _ in range(200):
    assert float((x * 2 + 1).sum()) == 25000000.0
    time.sleep(0.001)
print(launches())
"""


def test_what_does_not_compile_stays_the_processors(tmp_path: pathlib.Path) -> None:
    """A compiler that fails behind costs nothing but the device."""
    assert run(tmp_path, REFUSED, STANDIN_FAIL="compile:1+") == ["0"]
