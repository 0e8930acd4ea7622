"""Floating-point events of programs on the device are those of the processor, which are NumPy's (test_fpstate.py)."""

import os
import pathlib
import sys

import devices
import pytest

FOLDER = pathlib.Path(__file__).parent
EVENTS = str(FOLDER / "cuda" / "events.py")


def host() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "CNUMERIC_GPU": "0"}


DTYPES = "int8 uint8 int32 int64 uint64 float16 float32 float64 complex64 complex128".split()
FIRST = "add subtract multiply divide floor_divide power hypot".split()


@pytest.mark.parametrize(
    "what", ["lossy", "mixed", *(f"ops {name}" for name in DTYPES), *(f"hidden {name}" for name in FIRST)]
)
def test_events_are_the_processors(what: str) -> None:
    """Every op and cast for special operands, and random programs, have the same events; the device ran them."""
    ours = devices.run(EVENTS, *what.split(), env=devices.environment(CNUMERIC_GPU_BYTES="1")).splitlines()
    theirs = devices.run(EVENTS, *what.split(), env=host()).splitlines()
    assert ours[:-1] == theirs[:-1]
    assert int(ours[-1].split()[1]) >= len(ours) - 1 >= 25
    assert sum("['" in line for line in ours) > len(ours) / 20


@pytest.mark.parametrize("more", [{}, {"CNUMERIC_PLACES": "3"}, {"CNUMERIC_GPUS": "3", "STANDIN_DEVICES": "3"}])
def test_reports_are_numpys(more: dict[str, str]) -> None:
    """All of test_fpstate.py with everything on the device, on three places, and on three GPUs that share work."""
    env = devices.environment(CNUMERIC_GPU_BYTES="1", CNUMERIC_GPU_SPREAD_BYTES="1", CNUMERIC_SPREAD_BYTES="1", **more)
    printed = devices.run("-m", "pytest", "-q", "-p", "no:xdist", str(FOLDER / "test_fpstate.py"), env=env)
    assert "[100%]" in printed


STEADY = """
import warnings
import numpy
import cnumeric as np
from cnumeric import _cnumeric

def step(p, z):
    for _ in range(4):
        old = p.copy()
        p[1:-1] = 0.5 * (old[2:] + old[:-2]) / z[1:-1]
    return p

p, z = np.ones(3000), np.ones(3000)
for k in range(40):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        z[7] = k % 4  # infinity from time to time, then all of p again
        p[:] = 1
        step(p, z)
        value = float(p[9])
    print(k, sorted({(str(c.message), c.lineno) for c in caught}))
for k in range(6):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kept = []
        kept.append(np.arange(5000.0) / 0)
        np.flush()
        kept.append(np.arange(5000.0) / 0)
        np.flush()
        np.synchronize()
    print(k, [(str(c.message), c.lineno) for c in caught])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for k in range(9):  # more contexts than tables; the last run alone overflows
        with numpy.errstate(divide="ignore"):
            p[:] = 1e308 if k == 8 else 1
            p *= 10
        np.flush()
    np.synchronize()
print(sorted({str(c.message) for c in caught}))
with numpy.errstate(all="raise"):
    try:
        np.arange(2000.0) / (z[:2000] - 1)
    except FloatingPointError as error:
        print(error)
print("graphs", _cnumeric.stats()["graphs"])
"""


def test_events_of_replays() -> None:
    """Plans that are replayed as graphs tell what they find each time, for the lines that recorded them."""
    ours = devices.run("-c", STEADY, env=devices.environment(CNUMERIC_GPU_BYTES="1")).splitlines()
    theirs = devices.run("-c", STEADY, env=host()).splitlines()
    assert ours[:-1] == theirs[:-1]
    assert int(ours[-1].split()[1]) > 10
