"""save and load of arrays that are spread: NumPy's bytes, by whoever has them."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, pathlib, filecmp
import numpy, cnumeric as np
folder = pathlib.Path(sys.argv[1])

def values(shape, dtype):
    return (numpy.arange(numpy.prod(shape)) % 251).reshape(shape).astype(dtype)

CASES = {
    "rows": lambda m: m.asarray(values((300, 41), float)) * 2,
    "one": lambda m: m.asarray(values((7001,), numpy.float32)) + 1,
    "columns": lambda m: (m.asarray(values((50, 60, 7), complex)) * 1j).T,
    "slice": lambda m: (m.asarray(values((300, 41), numpy.int16)) * 3)[5:-5],
    "strided": lambda m: (m.asarray(values((300, 41), float)) * 2)[::3, ::-1],
}
for name, make in CASES.items():
    numpy.save(folder / "theirs.npy", make(numpy))
    array = make(np)
    np.synchronize()
    np.stats_reset()
    np.save(folder / "ours", array)
    moved = np.stats()["root_bytes"]
    assert moved == 0 or name == "strided", (name, moved)
    assert filecmp.cmp(folder / "theirs.npy", folder / "ours.npy", shallow=False), name
    np.stats_reset()
    back = np.load(folder / "theirs.npy")
    np.synchronize()
    assert np.stats()["root_bytes"] == 0, name
    assert back.dtype == array.dtype and back.strides == numpy.load(folder / "theirs.npy").strides
    again = back * 2 + back[::-1]
    assert numpy.array_equal(numpy.asarray(again), make(numpy) * 2 + make(numpy)[::-1]), name
    back[...] = 0
    assert not back.any()
if len(sys.argv) > 2:
    sys.exit()
for wrong, error in [("no/such/folder.npy", FileNotFoundError), (".", IsADirectoryError)]:
    for call in (lambda: np.load(folder / wrong), lambda: np.save(str(folder / wrong), np.ones(4000) * 1)):
        try:
            call()
        except error:
            continue
        assert wrong == "."
(folder / "short.npy").write_bytes((folder / "ours.npy").read_bytes()[:-8])
try:
    np.load(folder / "short.npy")
except ValueError as error:
    print("short")
"""


def test_at_three_places(tmp_path):
    environment = {**os.environ, "CNUMERIC_PLACES": "3", "CNUMERIC_SPREAD_BYTES": "1000"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path], env=environment, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, "short\n"), run.stderr


@pytest.mark.parametrize("ranks", [2, 3])
def test_in_processes(mpi, tmp_path, ranks):
    status, out, err = mpi.python(ranks, PROGRAM, tmp_path, environment={"CNUMERIC_SPREAD_BYTES": "1000"})
    assert (status, out) == (0, "short\n"), err


def test_a_rank_that_cannot_reach_the_file_is_an_error_of_the_program(mpi, tmp_path):
    """A descriptor of rank 0 is a path that the others do not have."""
    program = """
import sys, os, cnumeric as np
array = np.ones(40000) * 2
np.synchronize()
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
try:
    np._cnumeric.to_file(array, f"/dev/fd/{descriptor}", 0)
except OSError as error:
    print("another process cannot write" in str(error))
print(float(array.sum()))
"""
    status, out, err = mpi.python(2, program, tmp_path / "x", environment={"CNUMERIC_SPREAD_BYTES": "1000"})
    assert (status, out) == (0, "True\n80000.0\n"), err


def test_an_array_larger_than_a_process_may_hold(mpi, tmp_path):
    program = """
import sys, cnumeric as np
x = np.zeros(12 << 20)  # 96 MB
x += 1
np.save(sys.argv[1], x)
del x
y = np.load(sys.argv[1])
y += 1
print(float(y[0]), float(y[-1]), np.stats()["root_bytes"])
"""
    status, out, err = mpi.python(2, program, tmp_path / "x.npy", environment={"CNUMERIC_MEMORY": str(64 << 20)})
    assert (status, out) == (0, "2.0 2.0 8\n"), err  # one element was read
    assert os.path.getsize(tmp_path / "x.npy") == 128 + (96 << 20)
