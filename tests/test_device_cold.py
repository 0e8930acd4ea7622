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

def until(run):
    "Runs it until the device takes part."
    end = time.monotonic() + 120
    while launches() == 0:
        assert time.monotonic() < end
        run()
"""


def run(tmp_path: pathlib.Path, program: str, **settings: str) -> list[str]:
    """What the program prints, word by word; the gate is closed."""
    cold = {"CNUMERIC_GPU_COLD": "1", "CNUMERIC_GPU_BYTES": "1", "CNUMERIC_CACHE": str(tmp_path / "cache")}
    gate = {"STANDIN_GATE": str(tmp_path / "gate")}
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
for _ in range(20):
    some()
def counters():
    return numpy.array([launches() + np.stats()["graphs"], np.stats()["moves"]])
before = counters()
some()
work, moves = counters() - before
print(work > 0, moves)
sweeps(numpy, theirs, done)
numpy.testing.assert_array_equal(numpy.asarray(mine), theirs)
"""


@pytest.mark.parametrize(("places", "moves"), [("1", "0"), ("3", "240")], ids=["one place", "halos of places"])
def test_processor_goes_on_until_kernels_are_there(tmp_path: pathlib.Path, places: str, moves: str) -> None:
    """No window waits for the compiler; then the device takes over, with the same bits."""
    printed = run(tmp_path, SWEEPS, CNUMERIC_PLACES=places, CNUMERIC_SPREAD_BYTES="1")
    assert printed == ["0", "True", "0", "True", moves]


LONG = """
open_gate()
x = np.linspace(0, 1, 1 << 19)
np.synchronize()
before = launches()
y = np.exp(-x * x) + np.sin(x) * np.exp(x) + np.log1p(x) * np.cos(x) + np.tan(x) + np.exp(np.sin(x)) + np.log1p(x * x)
y = np.exp(-y * y) + np.sin(y) * np.exp(y) + np.log1p(y * y) * np.cos(y) + np.tan(x) + np.exp(np.sin(y)) + np.log1p(x)
print(launches() > before)
"""


def test_what_takes_the_processor_longer_is_waited_for(tmp_path: pathlib.Path) -> None:
    """A window that the processor would be at when its kernels are there is the device's from the first run on."""
    assert run(tmp_path, LONG, CNUMERIC_THREADS="1") == ["True"]


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
