"""Programs in a process of their own, on a GPU: the stand-in of tests/cuda, or, with CN_TEST_GPU=1, a real one."""

import glob
import os
import pathlib
import subprocess
import sys

import numpy
import pytest
from cnumeric import _cnumeric

LIBRARY = pathlib.Path(_cnumeric.__file__).resolve().parent.parent.parent / "libcnstandin.so"
REAL = os.environ.get("CN_TEST_GPU") == "1"


def environment(*more: str, real: bool = REAL, **settings: str) -> dict[str, str]:
    """The environment, with settings; `more`: libraries besides the usual that the stand-in is. Skips without it.

    Kernels are waited for.
    """
    result = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "CNUMERIC_GPU_COLD": "0"}
    if not real:
        if not LIBRARY.exists():
            pytest.skip("no stand-in driver beside this build")
        result |= {f"CNUMERIC_CUDA_{name}": str(LIBRARY) for name in ("DRIVER", "COMPILER", "BLAS", "NCCL", *more)}
    return result | settings


def lapack() -> str:
    """The library that the stand-in's factorisations come from (STANDIN_LAPACK): NumPy's. Skips without it."""
    found = glob.glob(str(pathlib.Path(numpy.__file__).parent.parent / "numpy.libs" / "*openblas64_*"))
    if not found:
        pytest.skip("NumPy has no LAPACK that the stand-in could use")
    return found[0]


def run(*command: str, env: dict[str, str]) -> str:
    """What Python prints for these arguments; it must end well."""
    done = subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
