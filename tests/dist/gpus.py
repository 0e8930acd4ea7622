"""What the tests of GPUs in ranks share: the environment, programs, runs in which one rank is different."""

import os
import subprocess
import sys
import tempfile

import devices
import texts

EVERY_ARRAY = {"CNUMERIC_GPU_BYTES": "1", "CNUMERIC_SPREAD_BYTES": "1", "CNUMERIC_VERIFY": "1", "CNUMERIC_THREADS": "1"}

# Messages of ranks that are killed stay there: it goes with the tests.
FOLDER = tempfile.TemporaryDirectory(prefix="standin-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)

PRELUDE = f"""{texts.PRELUDE}{texts.SWEEP}
def same(ours, theirs):
    numpy.testing.assert_array_equal(numpy.asarray(ours), theirs)

def swept(np, n, times):
    p, b = np.zeros((n, n)), np.ones((n, n))
    for _ in range(times):
        sweep(p, b)
    return p, b
"""

SWEEPS = """
n = 130
p, b = swept(np, n, 40)
def ten():
    for _ in range(10):
        sweep(p, b)
counted(ten)
s = counted(ten)
print(s["messages"], s["message_bytes"], s["moves"], s["move_bytes"], s["device_launches"] > 0, s["plan_misses"])
same(p, swept(numpy, n, 60)[0])
"""


def settings(real=False, **more):
    """Variables for the stand-in (or a real GPU), with every array spread and on it."""
    wanted = ("CNUMERIC_CUDA_", "CNUMERIC_GPU", "STANDIN_")
    given = devices.environment(real=real, STANDIN_FOLDER=FOLDER.name, **(EVERY_ARRAY | more))
    return {name: value for name, value in given.items() if name.startswith(wanted) or name in EVERY_ARRAY | more}


def at_places(places, program, **more):
    """What the program prints at so many places of one process, which share its GPU."""
    environment = {**os.environ, **settings(CNUMERIC_PLACES=str(places), **more)}
    command = [sys.executable, "-c", PRELUDE + program]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def direct(ranks, **more):
    """Settings with which every message between ranks goes from GPU to GPU: each has one of its own."""
    return {"STANDIN_DEVICES": str(ranks), "CNUMERIC_GPUS": "1", "CNUMERIC_NCCL_BYTES": "1"} | more


def differently(mpi, program, everywhere=None, **of_rank_1):
    """Run on two ranks; rank 1 has these variables too."""
    command = [sys.executable, "-c", program]
    changed = ["env", *(f"{name}={value}" for name, value in of_rank_1.items())]
    environment = settings(**(everywhere or {}))
    return mpi.complete(["mpirun", "-n", 1, *command, ":", "-n", 1, *changed, *command], environment=environment)
