"""Every test runs with each MPI of this machine, or is skipped with the reason."""

import os

import pytest
from mpis import FOR_TESTS, Mpi, find, is_rank


@pytest.fixture(scope="session", params=["openmpi", "mpich"])
def mpi(request, tmp_path_factory):
    """One of the MPIs of this machine."""
    found = find(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed: no mpirun and mpicc of it on the PATH")
    if is_rank():
        pytest.skip("the tests are a rank themselves")
    folder = tmp_path_factory.mktemp(request.param)
    for name, path in zip(("mpirun", "mpicc"), found, strict=True):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{path}" "$@"\n')
        script.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **FOR_TESTS, "PATH": path, "CNUMERIC_MPICC": found[1]}
    return Mpi(request.param, environment)
