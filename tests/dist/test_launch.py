"""Programs under plain mpirun: they run once, their end is everybody's, and what goes wrong says so."""

import ctypes.util
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from mpis import FOR_TESTS, PACKAGE

WORKER = PACKAGE / "cnumeric-worker"
SIZE = "import cnumeric, os\nos.write(1, b'ranks %d\\n' % cnumeric._cnumeric.net_size())\n"

# Names of the processes that this one's parent has started.
SIBLINGS = """
import os
def siblings():
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getppid():
            found[int(entry)] = name
    return found
"""


def read_until(process, word):
    """Give the rest of the first line that begins with the word."""
    for line in process.stdout:
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise AssertionError(process.stderr.read())


def test_the_program_runs_once_and_the_others_are_workers(mpi):
    program = SIZE + SIBLINGS + "print(sorted(siblings().values()).count('cnumeric-worker'))"
    assert mpi.python(4, program)[:2] == (0, "ranks 4\n3\n")


def test_what_stands_before_the_import_is_done_by_every_rank_and_does_no_harm(mpi):
    """As README.md says; with `cnumeric run` it is done once."""
    program = "import os\nos.write(1, b'before\\n')\n" + SIZE
    status, out, err = mpi.python(3, program)
    assert status == 0, err
    assert sorted(out.splitlines()) == ["before", "before", "before", "ranks 3"]
    run = [sys.executable, "-m", "cnumeric", "run", "--ranks-per-node", "3", "--oversubscribe", "-"]
    assert mpi.complete(run, input=program)[:2] == (0, "before\nranks 3\n")


def test_results_are_those_of_one_process(mpi):
    program = SIZE + "a = cnumeric.arange(1000.0).reshape(10, 100)\nprint(repr((a.T * 2 + 1).sum(0).tolist()))"
    alone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert mpi.python(3, program)[1].splitlines()[1:] == alone.splitlines()[1:]


def test_a_program_in_c_runs_once(mpi):
    heat = PACKAGE.parent.parent / "heat"
    if not heat.exists():
        pytest.skip("the examples in C are not built")
    status, out, err = mpi.mpirun(3, heat, environment={"CNUMERIC_SPREAD_BYTES": "1"})
    assert (status, out.count("temperature in the middle")) == (0, 1), err


def test_what_is_exchanged_is_told_by_rank(mpi):
    """CNUMERIC_DEBUG=comm: what a rank sends, its neighbour says it receives; together what rank 0's counter says."""
    program = """
import cnumeric as np
u = np.ones((4000, 100))
for _ in range(10):
    u[1:-1] = (u[2:] + u[:-2]) / 2
np.synchronize()
print(np.stats()["message_bytes"])
"""
    status, out, err = mpi.python(3, program, environment={"CNUMERIC_DEBUG": "comm"})
    assert status == 0, err
    sent, received = {}, {}
    for rank, text in re.findall(r"^cnumeric\[(\d)\] comm: exchange; (.*)$", err, re.M):
        for part in text.split("; "):
            way, _, peers = part.removeprefix("bytes ").partition(" ")
            for peer, nbytes in re.findall(r"(\d): (\d+)", peers):
                pair, found = ((rank, peer), sent) if way == "to" else ((peer, rank), received)
                found[pair] = found.get(pair, 0) + int(nbytes)
    assert sent == received and set(sent) == {("0", "1"), ("1", "0"), ("1", "2"), ("2", "1")}
    assert sum(nbytes for pair, nbytes in sent.items() if "0" in pair) == int(out)  # what rank 0 has to do with
    assert re.search(r"^cnumeric\[0\] comm: log: an entry of \d+ bytes to all$", err, re.M)


def test_mpmd(mpi):
    command = ["mpirun", "-n", 1, sys.executable, "-c", SIZE, ":", "-n", 2, WORKER]
    assert mpi.complete(command)[:2] == (0, "ranks 3\n")


def test_standard_input_is_the_programs(mpi):
    status, out, _ = mpi.python(3, SIZE + "print(input())", input="one line\n")
    assert (status, out) == (0, "ranks 3\none line\n")


@pytest.mark.parametrize("end, expected", [("import sys; sys.exit(7)", 7), ("1 / 0", 1), ("", 0)])
def test_exit_status(mpi, end, expected):
    status, out, err = mpi.python(3, SIZE + end)
    assert (status, out) == (expected, "ranks 3\n")
    assert err.count("Traceback") == end.count("1 / 0")


@pytest.mark.parametrize("end", ["os._exit(0)", "os.abort()", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_no_worker_outlives_the_program(mpi, end):
    status, out, _ = mpi.python(3, SIZE + f"import os, signal; {end}")
    assert out.startswith("ranks 3\n")
    assert status != 0 or "_exit(0)" in end  # which launchers see as failing, or not


def test_killed_worker_ends_the_program(mpi):
    program = SIZE + SIBLINGS + "import time\nprint('workers', *siblings(), flush=True)\ntime.sleep(100)"
    process = mpi.start(["mpirun", "-n", 3, sys.executable, "-c", program])
    pids = [int(word) for word in read_until(process, "workers").split()]
    worker = next(pid for pid in pids if open(f"/proc/{pid}/comm").read().strip() == "cnumeric-worker")
    began = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    out, err = process.communicate(timeout=50)
    assert time.monotonic() - began < 20
    assert process.returncode != 0
    assert "signal 9" in out + err


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_stand_alone(mpi, method, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(
        "import cnumeric, multiprocessing, os, subprocess, sys\n"
        "def total(n): return float(cnumeric.arange(n).sum())\n"
        "if __name__ == '__main__':\n"
        "    print(cnumeric._cnumeric.net_size(), flush=True)\n"
        f"    with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "        print(pool.map(abs, [-1, -2]), flush=True)\n"
        "    text = 'import cnumeric; print(cnumeric._cnumeric.net_size(), float(cnumeric.arange(4).sum()))'\n"
        "    subprocess.run([sys.executable, '-c', text], env=dict(os.environ), check=True)\n"
        "    subprocess.run([sys.executable, '-c', text], check=True)\n"
    )
    assert mpi.mpirun(3, sys.executable, file)[:2] == (0, "3\n[1, 2]\n1 6.0\n1 6.0\n")


def test_what_is_distributed_is_refused_where_there_are_no_workers(mpi):
    """In a child of fork, and after the end of the net."""
    program = """
import atexit, os

def use(where):
    try:
        os.write(1, f"{where} {float((array * 2).sum())}\\n".encode())
    except RuntimeError as error:
        os.write(1, f"{where}: {error}\\n".encode())

atexit.register(use, "late")
import cnumeric
array = cnumeric.arange(1000.0) * 2
use("before")
if os.fork() == 0:
    use("child")
    os._exit(0)
os.wait()
use("after")
"""
    status, out, err = mpi.python(3, program, environment={"CNUMERIC_SPREAD_BYTES": "1"})
    assert (status, out.splitlines()) == (
        0,
        [
            "before 1998000.0",
            "child: a forked process cannot use arrays that are distributed over MPI",
            "after 1998000.0",
            "late: the other processes have ended",
        ],
    ), err


def test_killed_worker_ends_a_program_that_computes(mpi):
    program = (
        SIZE
        + SIBLINGS
        + (
            "a = cnumeric.ones((300, 300))\n"
            "while True:\n"
            "    a[1:-1, 1:-1] = (a[:-2, 1:-1] + a[2:, 1:-1]) / 2\n"
            "    if float(a.sum()) and siblings:\n"
            "        print('workers', *siblings(), flush=True)\n"
            "        siblings = None\n"
        )
    )
    command = ["mpirun", "-n", 3, sys.executable, "-c", program]
    process = mpi.start(command, environment={"CNUMERIC_SPREAD_BYTES": "1"})
    pids = [int(word) for word in read_until(process, "workers").split()]
    worker = next(pid for pid in pids if open(f"/proc/{pid}/comm").read().strip() == "cnumeric-worker")
    began = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=50)
    assert time.monotonic() - began < 20
    assert process.returncode != 0


def test_a_program_that_has_initialised_mpi_is_alone_on_every_rank(mpi):
    library = ctypes.util.find_library("mpi" if mpi.name == "openmpi" else "mpich")
    if library is None:
        pytest.skip("the library of MPI has another name")
    program = f"import ctypes\nmpi = ctypes.CDLL('{library}', ctypes.RTLD_LOCAL)\nmpi.MPI_Init(None, None)\n"
    status, out, err = mpi.python(3, program + SIZE + "mpi.MPI_Finalize()")
    assert (status, out) == (0, "ranks 1\n" * 3), err


def test_setting_leaves_every_rank_alone(mpi):
    assert mpi.python(3, SIZE, environment={"CNUMERIC_NET": "0"})[:2] == (0, "ranks 1\n" * 3)


def test_without_a_usable_mpi_nothing_runs(mpi):
    status, out, err = mpi.python(3, SIZE, environment={"CNUMERIC_MPICC": "/bin/false"})
    assert status != 0
    assert out == ""
    assert "no MPI module could be made with /bin/false" in err


def test_the_other_mpi_is_refused(mpi):
    """Its MPI_Init would make three programs of one rank each."""
    variables = {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "3"}
    if mpi.name == "mpich":
        variables = {"PMI_RANK": "0", "PMI_SIZE": "3", "MPI_LOCALRANKID": "0"}
    status, out, err = mpi.complete([sys.executable, "-c", SIZE], environment=variables)
    assert status == 1
    assert out == ""
    assert "launched as rank 0 of 3, but" in err or "PMI" in err


def test_launchers_variables_that_say_nothing_are_ignored():
    for variables in (
        {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"},
        {"OMPI_COMM_WORLD_RANK": "", "OMPI_COMM_WORLD_SIZE": "4"},
        {"PMI_RANK": "5", "PMI_SIZE": "4"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "8"},
    ):
        environment = {**os.environ, **FOR_TESTS, **variables}
        done = subprocess.run([sys.executable, "-c", SIZE], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == "ranks 1\n"


def test_worker_started_by_hand_says_what_it_is():
    done = subprocess.run([WORKER], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not by hand" in done.stderr
