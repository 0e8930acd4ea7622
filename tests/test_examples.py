"""The example programs give with cNumeric what they give with NumPy, and NumPy computes none of it."""

import importlib
import pathlib
import subprocess
import sys

import cnumeric
import numpy
import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"

# Equal bit for bit: nothing but + - * / sqrt, comparisons, integers, and maxima.
EXACT = [
    ("channel_flow", {"nx": 23, "ny": 19, "steps": 4}),
    ("channel_flow", {"nx": 5, "ny": 4, "steps": 3, "nit": 3}),
    ("cavity_flow", {"size": 17, "steps": 10, "nit": 20}),
    ("jacobi", {"size": 33, "steps": 60, "check": 7}),
    ("gray_scott", {"size": 40, "steps": 60}),
    ("lu_slices", {"n": 30}),
    ("game_of_life", {"size": 31, "steps": 40}),
    ("mandelbrot", {"size": 33, "steps": 30}),
]
# Equal to rounding: exp, log, matrix products, or sums of many elements.
CLOSE = [
    ("black_scholes", {"n": 5000, "steps": 2}),
    ("conjugate_gradient", {"size": 24, "steps": 30}),
    ("logistic_regression", {"n": 400, "features": 7, "steps": 25}),
    ("multigrid", {"size": 33, "steps": 5}),
    ("nbody", {"n": 37, "steps": 8}),
    ("turbulence", {"size": 48, "steps": 12}),
]


def both(name, values):
    program = importlib.import_module(name)
    cnumeric.synchronize()
    cnumeric.stats_reset()
    ours = [numpy.asarray(result) for result in program.main(cnumeric, **values)]
    assert cnumeric.stats()["fallbacks"] == 0
    theirs = [numpy.asarray(result) for result in program.main(numpy, **values)]
    return list(zip(ours, theirs, strict=True))


@pytest.mark.parametrize("name, values", EXACT, ids=[name for name, _ in EXACT])
def test_equal_bit_for_bit(name, values):
    for ours, theirs in both(name, values):
        assert ours.dtype == theirs.dtype
        numpy.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name, values", CLOSE, ids=[name for name, _ in CLOSE])
def test_equal_to_rounding(name, values):
    for ours, theirs in both(name, values):
        assert ours.dtype == theirs.dtype
        numpy.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11)


def test_every_program_is_tested():
    programs = {path.stem for path in EXAMPLES.glob("*.py")} - {"command_line", "picture"}
    assert programs == {name for name, _ in EXACT + CLOSE}


def run(*arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_main_job_says_what_it_did(tmp_path):
    picture = tmp_path / "flow.png"
    program = EXAMPLES / "channel_flow.py"
    text = run(program, "--size", 21, "--steps", 3, "--compare", "--explain", "--picture", picture)
    for part in ("plan:", "launches:", "bytes a point and step", "met a known plan", "equal bit for bit"):
        assert part in text
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run(program, "--module", "numpy", "--size", 11, "--steps", 1).count("numpy:") == 1


def test_command_line_of_a_program():
    text = run(EXAMPLES / "jacobi.py", "--size", 16, "--steps", 9, "--compare")
    assert "equal bit for bit" in text
