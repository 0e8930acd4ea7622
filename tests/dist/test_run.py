"""``cnumeric run``: what it would start, what it refuses, and what passes through it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest
from mpis import PACKAGE, SECONDS

RUN = [sys.executable, "-m", "cnumeric", "run"]
CORES = len(os.sched_getaffinity(0))


def run(*arguments, input=None, **environment):
    """Run the driver without MPI; status, output, errors."""
    done = subprocess.run(
        [*RUN, *map(str, arguments)],
        input=input,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def write(tmp_path):
    """Write a program; give its path."""

    def write(text, name="program.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def tools(tmp_path):
    """An empty PATH; call it to put a program on it that prints a text. Gives the folder."""
    folder = tmp_path / "tools"
    folder.mkdir()

    def tool(name=None, text=""):
        if name is not None:
            script = folder / name
            script.write_text(f"#!/bin/sh\necho '{text}'\n")
            script.chmod(0o755)
        return str(folder)

    return tool


# ---- What would be started -------------------------------------------------------------------------------


def test_dry_run_of_one_process(write):
    status, out, _ = run("--dry-run", "--cpus", 1, write(""), "-x", "a b")
    assert status == 0
    assert out.startswith(f"CNUMERIC_THREADS=1 {sys.executable} -m cnumeric._program ")
    assert out.endswith("program.py -x 'a b'\n")
    assert "mpirun" not in out


@pytest.mark.parametrize(
    "version, words",
    [
        ("mpirun (Open MPI) 4.1.4", "-n 4 --map-by ppr:2:node --oversubscribe --bind-to socket -x CNUMERIC_CACHE"),
        ("HYDRA build details", "-n 4 -ppn 2 -bind-to socket --hostfile hosts"),
    ],
)
def test_dry_run_of_mpirun(write, tools, version, words):
    path = tools("mpirun", version)
    options = ["--nodes", 2, "--ranks-per-node", 2, "--oversubscribe", "--bind", "socket"]
    status, out, err = run("--dry-run", *options, "--launcher-extra=--hostfile hosts", write(""), "end", PATH=path)
    assert status == 0, err
    assert f"{path}/mpirun {words}" in out
    assert f" --hostfile hosts {PACKAGE}/cnumeric-worker --ranks 4 {sys.executable} -m cnumeric._program " in out
    assert out.endswith("program.py end\n")


def test_dry_run_of_srun(write, tools):
    path = tools("srun")
    options = ["--nodes", 3, "--ranks-per-node", 2, "--cpus", 4, "--bind", "numa"]
    status, out, err = run("--dry-run", *options, write(""), PATH=path, SLURM_JOB_ID="5")
    assert status == 0, err
    assert (
        f"CNUMERIC_THREADS=4 OPENBLAS_NUM_THREADS=4 {path}/srun --nodes=3 --ntasks=6 --ntasks-per-node=2 "
        f"--cpus-per-task=4 --cpu-bind=ldoms --kill-on-bad-exit=1 --input=0 {PACKAGE}/cnumeric-worker --ranks 6 "
    ) in out


def test_dry_run_shows_gpus(write, tools):
    path = tools("srun")
    options = ["--nodes", 3, "--ranks-per-node", 2, "--gpus", 2]
    out = run("--dry-run", *options, write(""), PATH=path, SLURM_JOB_ID="5")[1]
    assert out.startswith("CNUMERIC_GPU=1 CNUMERIC_GPUS=2 ") and " --gpus-per-node=4 " in out
    tools("mpirun", "mpirun (Open MPI) 5.0.3")
    options = ["--dry-run", "--oversubscribe", "--launcher", "mpirun", "--ranks-per-node", 2, "--gpus"]
    out = run(*options, 1, write(""), PATH=path, CUDA_VISIBLE_DEVICES="3,1")[1]
    assert out.startswith("CNUMERIC_GPU=1 CNUMERIC_GPUS=1 ") and " -x CUDA_VISIBLE_DEVICES " in out
    assert run(*options, 0, write(""), PATH=path)[1].startswith("CNUMERIC_GPU=0 CNUMERIC_GPUS=0 ")
    status, out, err = run(*options, 1, write("print('started')"), PATH=path, CUDA_VISIBLE_DEVICES="3,-1,1")
    assert (status, out) == (2, "") and "2 processes need 2 GPUs, this machine has 1" in err


def test_bound_cores_are_as_many_as_asked_for(write, tools):
    path = tools("mpirun", "mpirun (Open MPI) 5.0.3")
    options = ["--nodes", 2, "--cpus", 3, "--bind", "core", "--launcher-extra=--host a,b"]
    assert " --map-by ppr:1:node:PE=3 --bind-to core " in run("--dry-run", *options, write(""), PATH=path)[1]
    tools("mpirun", "HYDRA build details")
    assert " -bind-to core:3 " in run("--dry-run", *options, write(""), PATH=path)[1]


# ---- What is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        (["--ranks-per-node", CORES + 1], f"need {CORES + 1} processors, this machine has {CORES}"),
        (["--cpus", CORES + 1], f"1 processes of {CORES + 1} processors need"),
        (["--nodes", 2], "name others with --launcher-extra"),
        (["--launcher", "srun"], "srun is not on the PATH"),
        (["--launcher", "none", "--nodes", 2], "--launcher none starts one process, not 2"),
        (["--bind", "core"], "are for a launcher"),
        (["--launcher", "qsub"], "invalid choice: 'qsub'"),
        (["--bind", "sockets"], "invalid choice: 'sockets'"),
        (["--launcher-extra=-v"], "are for a launcher"),
        (["--launcher", "mpirun", "--launcher-extra='--host a"], "--launcher-extra '--host a: no closing quotation"),
        (["--ranks-per-node", 0], "must be a number, 1 or more, not 0"),
        (["--nodes", "two"], "must be a number, 1 or more, not two"),
        (["--cpus", -1], "must be a number, 1 or more, not -1"),
        (["--gpus", 2], "--gpus 2: 1 processes need 2 GPUs, this machine has 0"),
        (["--gpus", 1], "leave --gpus out, and processes share what there is"),
        (["--gpus", -1], "must be a number, 0 or more, not -1"),
        (["--alias", "scipy"], "invalid choice: 'scipy'"),
    ],
)
def test_options_that_cannot_be_met(write, tools, options, message):
    if options[0] == "--gpus" and os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has GPUs")
    path = tools("mpirun", "mpirun (Open MPI) 4.1.4")
    status, out, err = run(*options, write("print('started')"), PATH=path)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_no_mpi(write, tools):
    status, out, err = run("--ranks-per-node", 2, "--oversubscribe", write("print('started')"), PATH=tools())
    assert (status, out) == (2, "")
    assert "mpirun is not on the PATH: install Open MPI" in err


def test_no_compiler_of_mpi(write, tools):
    path = tools("mpirun", "mpirun (Open MPI) 4.1.4")
    status, out, err = run("--ranks-per-node", 2, "--oversubscribe", write("print('started')"), PATH=path)
    assert (status, out) == (2, "")
    assert "libopenmpi-dev" in err


def test_no_program():
    assert run("no_such_file.py") == (2, "", "cnumeric run: error: there is no file no_such_file.py\n")


def test_a_launcher_that_starts_one_process_for_many_is_noticed(write, tools):
    """A wrong mpirun runs the program as often as it starts it, every time alone."""
    command = [PACKAGE / "cnumeric-worker", "--ranks", "3", sys.executable, write("print('started')")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "asked for 3 processes, but says that this is 0 of 1" in done.stderr


# ---- One process -----------------------------------------------------------------------------------------


def test_the_program_is_as_python_runs_it(write):
    write("value = 5", "beside.py")
    names = "__name__, __file__, sys.argv, beside.value, sys.modules['__main__'].__dict__ is globals()"
    program = write(f"import beside, sys\nprint({names})")
    status, out, _ = run(program, "--nodes", "-h")
    assert (status, out) == (0, f"__main__ {program} ['{program}', '--nodes', '-h'] 5 True\n")


@pytest.mark.parametrize(
    "end, expected, errors",
    [
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(300)", 44, ""),
        ("raise SystemExit('why')", 1, "why\n"),
        ("import os; os._exit(3)", 3, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
    ],
)
def test_exit_status(write, end, expected, errors):
    assert run(write(end)) == (expected, "", errors)


def test_uncaught_exceptions_look_as_they_do_without(write):
    program = write("def f():\n    1 / 0\nf()\n")
    plain = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert run(program) == (1, "", plain.stderr)


def test_standard_input(write):
    assert run(write("print(input())"), input="a line\n")[:2] == (0, "a line\n")
    assert run("-", "x", input="import sys; print(sys.argv)")[:2] == (0, "['-', 'x']\n")
    assert run(input="print(__name__)")[:2] == (0, "__main__\n")


def test_alias(write):
    write("import numpy\nfrom numpy.linalg import norm\nprint(norm.__module__, numpy.__name__)", "beside.py")
    text = """
import importlib
import numpy, numpy.random
import numpy as np, numpy.linalg as la
from numpy import array, linalg
from numpy.linalg import norm
import beside
real = importlib.import_module("numpy")
assert numpy is np and np is not real and isinstance(array([1]), np.ndarray)
print(np.__name__, la.__name__, linalg is la, norm.__module__, numpy.random.__name__, type(array([1.0]) + 1).__module__)
print(float(np.convolve([1.0, 2.0], np.ones(2)).sum()), real.asarray(np.ones(2)))
"""
    status, out, err = run("--alias", "numpy", write(text))
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "cnumeric.linalg cnumeric",
        "cnumeric cnumeric.linalg True cnumeric.linalg cnumeric.random cnumeric",
        "6.0 [1. 1.]",
    ]
    assert run(write("import numpy\nprint(numpy.__name__)"))[1] == "numpy\n"


def test_report(write):
    text = "import cnumeric as np\n\nfor i in range(3):\n    np.roots(np.ones(3))\n"
    status, _, err = run("--report", write(text), PYTHONWARNINGS="ignore")
    assert status == 0
    lines = err.splitlines()
    assert lines[0] == "cnumeric: functions that NumPy computed (calls, function, line)"
    assert any(line.split()[:2] == ["3", "numpy.roots"] and line.endswith("program.py:4") for line in lines)
    assert any(line.split()[1:] == ["fallbacks"] for line in lines)
    assert run("--report", write(""))[2].startswith("cnumeric: NumPy computed nothing\n")


def test_info():
    status, out, _ = run("--info")
    assert status == 0
    assert out.startswith(f"cnumeric {sys.modules['cnumeric'].__cnumeric_version__}\n")


# ---- Many processes --------------------------------------------------------------------------------------


def drive(mpi, *arguments, **more):
    """Run the driver with an MPI, two processes."""
    return mpi.complete([*RUN, "--ranks-per-node", 2, "--oversubscribe", *arguments], **more)


def test_mpi_program(mpi, write):
    names = "input(), sys.argv[1:], np._cnumeric.net_size(), float(np.ones(9).sum())"
    text = f"import numpy as np, os, sys\nprint({names})\n"
    status, out, err = drive(mpi, "--alias", "numpy", write(text), "a", "--b", input="line\n")
    assert (status, out) == (0, "line ['a', '--b'] 2 9.0\n"), err


@pytest.mark.parametrize("end, expected", [("raise SystemExit(7)", 7), ("1 / 0", 1)])
def test_mpi_exit_status_without_noise(mpi, write, end, expected):
    status, out, err = drive(mpi, write(end))
    assert (status, out) == (expected, "")
    assert "mpirun" not in err and "_program" not in err
    assert ("ZeroDivisionError" in err) == (expected == 1)


@pytest.mark.parametrize("bind", ["core", "socket", "numa"])
def test_mpi_binds(mpi, write, bind):
    """To a core: rank 0 may run on as many as it was given."""
    text = "import cnumeric, os\nprint(len(os.sched_getaffinity(0)), cnumeric._cnumeric.net_size())\n"
    status, out, err = drive(mpi, "--cpus", 1, "--bind", bind, write(text))
    assert status == 0, err
    cores, size = map(int, out.split())
    assert size == 2 and 1 <= cores <= (1 if bind == "core" else CORES)


def test_mpi_options_for_the_launcher(mpi, write):
    """Both launchers can say which rank a line comes from."""
    extra = {"openmpi": "--tag-output", "mpich": "-prepend-rank"}[mpi.name]
    tagged = {"openmpi": "[1,0]<stdout>:two words", "mpich": "[0] two words"}[mpi.name]
    status, out, err = drive(mpi, "--launcher", "mpirun", f"--launcher-extra={extra}", write("print('two words')"))
    assert status == 0 and out.startswith(tagged), err


def test_mpi_report(mpi, write):
    text = "import cnumeric as np\nnp.roots(np.ones(3))\nnp.ones((600, 600)).sum()\n"
    status, _, err = drive(mpi, "--report", write(text), environment={"PYTHONWARNINGS": "ignore"})
    assert status == 0
    assert "numpy.roots" in err and "messages" in err


def test_mpi_program_without_cnumeric_ends(mpi, write):
    assert drive(mpi, write("print('nothing imported')"))[:2] == (0, "nothing imported\n")


def test_mpi_info(mpi):
    status, out, _ = drive(mpi, "--info")
    assert status == 0
    assert "2 ranks" in next(line for line in out.splitlines() if line.startswith("mpi: "))


INTERRUPTED = """
import sys, time
try:
    print("ready", flush=True)
    time.sleep(100)
except KeyboardInterrupt:
    print("caught", flush=True)
    {end}
"""


@pytest.mark.parametrize("end, expected", [("raise", 130), ("raise SystemExit(4)", 4), ("pass", 0)])
def test_mpi_interrupt(mpi, write, end, expected):
    command = [*RUN, "--ranks-per-node", 2, "--oversubscribe", write(INTERRUPTED.format(end=end))]
    process = mpi.start(command)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (expected, "caught\n"), err


def test_mpi_interrupt_of_a_computation(mpi, write):
    """What was computed until then is whole, and can be worked with."""
    text = """
import cnumeric as np
a = np.zeros((200, 200))
try:
    while True:
        a[1:-1, 1:-1] = a[:-2, 1:-1] * 0 + a[1:-1, 1:-1] + 1
        if float(a[5, 5]) == 20:
            print("ready", flush=True)
except KeyboardInterrupt:
    print(bool((a[1:-1, 1:-1] == a[5, 5]).all()), float(a[0].sum()), float(a[5, 5]) >= 20)
"""
    command = [*RUN, "--ranks-per-node", 2, "--oversubscribe", write(text)]
    process = mpi.start(command, environment={"CNUMERIC_SPREAD_BYTES": "1"})
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, "True 0.0 True\n"), err


@pytest.mark.parametrize("numbers, expected", [((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGTERM,), 143)])
def test_mpi_program_that_does_not_listen_is_ended(mpi, write, numbers, expected):
    text = "import signal, time\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
    text += "print('ready', flush=True)\ntime.sleep(100)\n"
    process = mpi.start([*RUN, "--ranks-per-node", 2, "--oversubscribe", write(text)])
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.3)
    process.communicate(timeout=SECONDS)
    assert process.returncode == expected
    assert time.monotonic() - began < 20


# ---- SLURM -----------------------------------------------------------------------------------------------

# As srun does it, by the mpirun that is there: options and a command for every task, which knows its number from SLURM.
SRUN = """#!/bin/sh
for word; do
    case $word in
    --ntasks=*) tasks=${word#*=} ;;
    --nodes=1 | --ntasks-per-node=[1-9] | --cpus-per-task=[1-9] | --overcommit | --kill-on-bad-exit=1 | --input=0) ;;
    --cpu-bind=none | --cpu-bind=cores | --cpu-bind=sockets | --cpu-bind=ldoms | --quiet) ;;
    -*) echo "srun: unrecognized option '$word'" >&2; exit 1 ;;
    *) break ;;
    esac
    shift
done
exec mpirun -n "$tasks" sh -c '
    export SLURM_PROCID="${OMPI_COMM_WORLD_RANK:-$PMI_RANK}" SLURM_STEP_NUM_TASKS="${OMPI_COMM_WORLD_SIZE:-$PMI_SIZE}"
    unset OMPI_COMM_WORLD_RANK OMPI_COMM_WORLD_SIZE MPI_LOCALRANKID
    exec "$@"' sh "$@"
"""


def slurm(mpi, write, *arguments, **more):
    """Run the driver inside a job of SLURM, two tasks."""
    path = write(SRUN, "srun")
    path.chmod(0o755)
    environment = {"PATH": f"{path.parent}{os.pathsep}{mpi.environment['PATH']}", "SLURM_JOB_ID": "7"}
    return drive(mpi, *arguments, environment=environment, **more)


def test_srun_starts_a_program_and_its_worker(mpi, write):
    """By itself, since this is a job; input, arguments and the exit status pass as with mpirun."""
    names = "input(), sys.argv[1:], np._cnumeric.net_size(), float(np.ones((2000, 200)).sum())"
    text = f"import numpy as np, os, sys\nprint({names}, os.environ['SLURM_PROCID'])\nsys.exit(5)\n"
    options = ["--alias", "numpy", "--cpus", "1", "--launcher-extra=--quiet"]
    status, out, err = slurm(mpi, write, *options, write(text), "a", "--b", input="line\n")
    assert (status, out) == (5, "line ['a', '--b'] 2 400000.0 0\n"), err


@pytest.mark.parametrize("bind", ["core", "socket", "numa"])
def test_srun_binds(mpi, write, bind):
    assert slurm(mpi, write, "--bind", bind, write("print('started')"))[:2] == (0, "started\n")


def test_what_srun_refuses_is_told(mpi, write):
    status, out, err = slurm(mpi, write, "--launcher-extra=--exclusively", write("print('started')"))
    assert (status, out) == (1, "")
    assert "srun: unrecognized option '--exclusively'" in err


# ---- A terminal ------------------------------------------------------------------------------------------


def converse(command, environment, keys, end):
    """Start a command in a terminal of its own, type keys, read until it ends; its output and exit status.

    Each key waits for its text behind the one before. A key that ends input waits for a prompt: before there is one,
    the terminal is not the reader's yet, and what is typed then is no end.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    text, deadline = b"", time.monotonic() + 120

    def more():
        ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            os.kill(pid, signal.SIGKILL)
        return os.read(terminal, 1000)

    try:
        place = 0
        for wait_for, key in keys:
            while (found := text.find(wait_for, place)) < 0:
                text += more()
            place = found + len(wait_for)
            os.write(terminal, key)
        while True:
            text += more()
    except OSError:  # the terminal is gone with the process
        pass
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert end in text, text
    return os.waitstatus_to_exitcode(status)


def test_console():
    keys = [(b">>> ", b"np.__name__ + '!'\r"), (b"cnumeric!", b""), (b">>> ", b"\x04")]
    assert converse(RUN, dict(os.environ), keys, b"np is cnumeric") == 0


def test_mpi_console(mpi):
    keys = [(b">>> ", b"np._cnumeric.net_size() + 40\r"), (b"42", b""), (b">>> ", b"exit(6)\r")]
    command = [*RUN, "--ranks-per-node", "2", "--oversubscribe"]
    assert converse(command, mpi.environment, keys, b"2 ranks") == 6


def test_mpi_interrupt_from_the_terminal(mpi, write):
    command = [*RUN, "--ranks-per-node", "2", "--oversubscribe", str(write(INTERRUPTED.format(end="raise")))]
    assert converse(command, mpi.environment, [(b"ready", b"\x03")], b"KeyboardInterrupt") == 130


# ---- A trace ---------------------------------------------------------------------------------------------


def test_a_trace_tells_what_each_place_did_by_the_programs_lines(mpi, write, tmp_path, monkeypatch):
    """One track a place; a sweep is a slice of its line at every place, and exchanges say how much they moved."""
    environment = {**mpi.environment, "CNUMERIC_OVERLAP": "0"}  # an interior would be a slice of its own
    path = write(
        "import cnumeric as np\n"
        "u = np.ones((4000, 100))\n"
        "for _ in range(20):\n"
        "    u[1:-1] = (u[2:] + u[:-2]) / 2\n"
        "np.synchronize()\n"
    )
    monkeypatch.chdir(tmp_path)
    for ranks in (1, 3):
        status, _, err = run("--profile", "--oversubscribe", "--ranks-per-node", ranks, path, **environment)
        assert status == 0 and "program.trace.json" in err
        events = json.loads((tmp_path / "program.trace.json").read_text())["traceEvents"]
        slices = [event for event in events if event["ph"] == "X"]
        sweeps = [event["tid"] for event in slices if event["name"] == "program.py:4"]
        assert sorted(sweeps) == sorted([*range(ranks)] * 20)
        assert {event["args"]["name"] for event in events if event["name"] == "thread_name"} == {
            f"place {place}" for place in range(ranks)
        }
        # A row to each neighbour, and one back.
        moved = [event["args"]["bytes"] for event in slices if event["name"] == "exchange"]
        assert set(moved) == ({1600, 3200} if ranks > 1 else set()), moved


def test_a_trace_that_cannot_be_written_is_told(write, tmp_path):
    path = write("import cnumeric as np\nprint(float(np.ones(3).sum()))")
    (tmp_path / "program.trace.json").mkdir()
    done = subprocess.run([*RUN, "--profile", str(path)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (0, "3.0\n") and "no trace: " in done.stderr
