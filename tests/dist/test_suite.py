"""The project's own tests again with every array spread over places of one process, and over processes."""

import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).parent.parent
EVERY_ARRAY = {"CNUMERIC_SPREAD_BYTES": "1", "CNUMERIC_THREADS": "1"}
CHOSEN = ["test_functions.py", "test_indexing.py", "test_fpstate.py", "test_channel_flow.py", "test_faults.py"]
ALL = [*CHOSEN, "test_array.py", "test_ufuncs.py", "test_more_functions.py", "test_order.py", "test_random.py"]
ALL += ["test_ufunc_methods.py", "test_programs.py", "test_threads.py", "test_examples.py", "test_fft.py"]


def run_tests(files, launcher, environment):
    """Run these files of tests by themselves; what does not count on one place."""
    command = [*launcher, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-m", "not slow and not default_settings", *(str(TESTS / file) for file in files)]
    environment = {**environment, **EVERY_ARRAY}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1500, check=False)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    assert "[100%]" in run.stdout


def test_three_places():
    run_tests(CHOSEN, [], {**os.environ, "CNUMERIC_PLACES": "3"})


def test_two_processes(mpi):
    run_tests(CHOSEN, ["mpirun", "-n", "2"], mpi.environment)


@pytest.mark.slow
@pytest.mark.parametrize("places", [2, 3])
def test_all_at_places(places):
    run_tests(ALL, [], {**os.environ, "CNUMERIC_PLACES": str(places)})


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_all_in_processes(mpi, ranks):
    run_tests(ALL, ["mpirun", "-n", str(ranks)], mpi.environment)
