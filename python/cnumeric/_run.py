"""``cnumeric run``: starts a program on as many processes, machines and processors as asked for.

Every rank is started as ``cnumeric-worker --ranks P python -m cnumeric._program ... prog.py``, whatever the launcher:
rank 0 goes on as the command after P, the others as workers, without Python.
"""

from __future__ import annotations

import argparse
import dataclasses
import glob
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any

from . import _cnumeric

WORKER = os.path.join(os.path.dirname(str(_cnumeric.__file__)), "cnumeric-worker")
BINDINGS = ("none", "core", "socket", "numa")
_HOSTS = re.compile(r"(^|\s)(-H|-f|-hosts?|-hostfile|-machinefile|--hosts?|--hostfile|--machinefile)\b")
_ALLOCATIONS = ("SLURM_JOB_NODELIST", "PBS_NODEFILE", "LSB_HOSTS", "PE_HOSTFILE")
_INSTALL = "install Open MPI (Debian: openmpi-bin libopenmpi-dev) or MPICH (mpich libmpich-dev)"


class LaunchError(Exception):
    """What was asked for cannot be started; the text says what to do."""


@dataclasses.dataclass
class Launch:
    """What is about to be started.

    Attributes
    ----------
    command : list of str
        Program and arguments.
    environment : dict of str to str
        What is set beside what is there.
    kind : str
        Whose launcher it is: "none", "openmpi", "mpich" or "srun".
    """

    command: list[str]
    environment: dict[str, str]
    kind: str

    def text(self) -> str:
        """Give the line that a shell would need."""
        words = [f"{name}={shlex.quote(value)}" for name, value in sorted(self.environment.items())]
        return " ".join([*words, shlex.join(self.command)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``cnumeric run``."""
    add = parser.add_argument
    add("--nodes", type=_positive, default=1, metavar="N", help="machines (default 1)")
    add("--ranks-per-node", type=_positive, default=1, metavar="N", help="processes on each machine (default 1)")
    add("--cpus", type=_positive, metavar="N", help="processors of each process (default: all of them, shared out)")
    add("--gpus", type=_count, metavar="N", help="GPUs of each process (default: those there are, shared out)")
    add("--launcher", choices=("auto", "mpirun", "srun", "none"), default="auto", help="who starts the processes")
    add(
        "--launcher-extra",
        action="append",
        default=[],
        metavar="OPTIONS",
        help="for the launcher, as in --launcher-extra='--host a,b'",
    )
    add("--bind", choices=BINDINGS, default="none", help="what each process is bound to (default none)")
    add("--oversubscribe", action="store_true", help="allow more processes than processors")
    add("--alias", choices=("numpy",), help="the program's `import numpy` means cnumeric")
    add("--report", action="store_true", help="at the end, tell which functions NumPy computed, and the counters")
    add("--profile", action="store_true", help="at the end, write a trace of all places to PROGRAM.trace.json")
    add(
        "--simulate",
        type=_simulation,
        metavar="ranks=N",
        help="plan for N processes while one runs; print what they do",
    )
    add("--dry-run", action="store_true", help="print the command instead of running it")
    add("--info", action="store_true", help="describe the build and machine as rank 0 sees them, instead of a program")
    add("program", nargs="?", help="a Python file; without one, an interactive console")
    add("arguments", nargs=argparse.REMAINDER, help="the program's arguments")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number, 1 or more, not {text}")
    return int(text)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise LaunchError(f"--launcher-extra {text}: {str(error)[0].lower()}{str(error)[1:]}") from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"must be a number, 0 or more, not {text}")
    return int(text)


def _simulation(text: str) -> dict[str, str]:
    """Settings from ``ranks=2048,node=8,alpha=2e-6,beta=1e-10,launch=2e-6``.

    ``node``: ranks on each machine; the others are seconds a message, a byte, a launch.
    """
    units = {"ranks": 1.0, "node": 1.0, "alpha": 1e9, "beta": 1e12, "launch": 1e9}
    values = dict(word.partition("=")[::2] for word in text.split(","))
    try:
        numbers = {name: round(float(value) * units[name]) for name, value in values.items()}
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not like ranks=2048,node=8,alpha=2e-6,beta=1e-10") from None
    if not 2 <= numbers.get("ranks", 0) <= 65536 or numbers.get("node", 1) < 1 or min(numbers.values()) < 0:
        raise argparse.ArgumentTypeError("needs 2 to 65536 ranks, 1 or more of them a node, and no negative number")
    return {f"CNUMERIC_SIMULATE_{name.upper()}".removesuffix("_RANKS"): str(number) for name, number in numbers.items()}


# ---- What can be met -------------------------------------------------------------------------------------


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _gpus() -> int:
    """How many GPUs programs on this machine see."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(glob.glob("/dev/nvidia[0-9]*"))
    names = [name.strip() for name in visible.split(",")]
    return next((i for i, name in enumerate(names) if name in ("", "-1")), len(names))


def _check_local(options: argparse.Namespace, here: bool) -> None:
    """Refuse what this machine has not got (here: all processes are on it)."""
    ranks, gpus = options.ranks_per_node, options.gpus or 0
    if not here:
        return
    found = _gpus() if gpus else 0
    if found < ranks * gpus:
        raise LaunchError(
            f"--gpus {gpus}: {ranks} processes need {ranks * gpus} GPUs, this machine has {found}: "
            "ask for fewer, or leave --gpus out, and processes share what there is"
        )
    needed = ranks * (options.cpus or 1)
    if needed > _processors() and not options.oversubscribe:
        each = f" of {options.cpus} processors" if options.cpus else ""
        raise LaunchError(
            f"{ranks} processes{each} need {needed} processors, this machine has {_processors()}: "
            "ask for fewer, or add --oversubscribe"
        )


def _find_launcher(options: argparse.Namespace) -> tuple[str, str]:
    """Give the launcher's kind and path."""
    wanted, ranks = options.launcher, options.nodes * options.ranks_per_node
    srun, mpirun = shutil.which("srun"), shutil.which("mpirun") or shutil.which("mpiexec")
    if wanted == "none" or (wanted == "auto" and ranks == 1):
        if ranks > 1:
            raise LaunchError(f"--launcher none starts one process, not {ranks}: choose mpirun or srun")
        if options.launcher_extra or options.bind != "none":
            raise LaunchError("--launcher-extra and --bind are for a launcher: add --launcher mpirun or srun")
        return "none", ""
    if wanted == "srun" or (wanted == "auto" and srun and os.environ.get("SLURM_JOB_ID")):
        if not srun:
            raise LaunchError("--launcher srun: srun is not on the PATH; use --launcher mpirun")
        return "srun", srun
    if not mpirun:
        raise LaunchError(f"{ranks} processes need MPI, and mpirun is not on the PATH: {_INSTALL}")
    return _mpirun_kind(mpirun), mpirun


def _mpirun_kind(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
    text = done.stdout + done.stderr
    return "openmpi" if re.search("Open MPI|OpenRTE|open-mpi|PRRTE", text, re.I) else "mpich"


def _check_nodes(options: argparse.Namespace, kind: str, extra: list[str]) -> bool:
    """Give whether all processes are on this machine; refuse machines that nobody has named."""
    named = bool(_HOSTS.search(" ".join(extra))) or any(os.environ.get(name) for name in _ALLOCATIONS)
    if options.nodes > 1 and kind in ("openmpi", "mpich") and not named:
        raise LaunchError(
            f"--nodes {options.nodes}: mpirun knows this machine only; name others with "
            "--launcher-extra='--hostfile FILE', or run inside a job of SLURM, PBS or LSF"
        )
    return kind != "srun" and options.nodes == 1 and not named


# ---- Commands --------------------------------------------------------------------------------------------


def _program(options: argparse.Namespace) -> list[str]:
    """Give what rank 0 runs, without what the driver alone knows."""
    flags = [f"--alias={options.alias}"] if options.alias else []
    flags += ["--report"] if options.report else []
    flags += [f"--profile={_trace_file(options)}"] if options.profile else []
    flags += ["--simulate"] if options.simulate else []
    if options.info:
        return [*flags, "--info"]
    if options.program is None:
        return [*flags, "--console" if sys.stdin is not None and sys.stdin.isatty() else "-"]
    if options.program != "-" and not os.path.isfile(options.program):
        raise LaunchError(f"there is no file {options.program}")
    return [*flags, options.program, *options.arguments]


def _trace_file(options: argparse.Namespace) -> str:
    name = "console" if options.program in (None, "-") else pathlib.Path(options.program).stem
    return str(pathlib.Path.cwd() / f"{name}.trace.json")


def _openmpi(path: str, options: argparse.Namespace, cpus: int, names: list[str]) -> list[str]:
    words = [path, "-n", str(options.nodes * options.ranks_per_node)]
    place = f"ppr:{options.ranks_per_node}:node" if options.nodes > 1 else "slot"
    if options.nodes > 1 or options.bind == "core":
        words += ["--map-by", f"{place}:PE={cpus}" if options.bind == "core" else place]
    words += ["--oversubscribe"] if options.oversubscribe else []
    words += ["--bind-to", options.bind]
    for name in names:
        words += ["-x", name]
    return words


def _mpich(path: str, options: argparse.Namespace, cpus: int, names: list[str]) -> list[str]:
    words = [path, "-n", str(options.nodes * options.ranks_per_node)]
    words += ["-ppn", str(options.ranks_per_node)] if options.nodes > 1 else []
    if options.bind != "none":
        words += ["-bind-to", f"core:{cpus}" if options.bind == "core" else options.bind]
    return words


def _srun(path: str, options: argparse.Namespace, cpus: int, names: list[str]) -> list[str]:
    binding = {"none": "none", "core": "cores", "socket": "sockets", "numa": "ldoms"}[options.bind]
    words = [path, f"--nodes={options.nodes}", f"--ntasks={options.nodes * options.ranks_per_node}"]
    words += [f"--ntasks-per-node={options.ranks_per_node}", f"--cpus-per-task={cpus}", f"--cpu-bind={binding}"]
    words += ["--overcommit"] if options.oversubscribe else []
    words += [f"--gpus-per-node={options.ranks_per_node * options.gpus}"] if options.gpus else []
    return [*words, "--kill-on-bad-exit=1", "--input=0"]


_COMMANDS = {"openmpi": _openmpi, "mpich": _mpich, "srun": _srun}


def plan(options: argparse.Namespace) -> Launch:
    """Check the options and say what to start.

    Raises
    ------
    LaunchError
        If they cannot be met.
    """
    if options.simulate and options.nodes * options.ranks_per_node > 1:
        raise LaunchError("--simulate runs the program in one process: leave --nodes and --ranks-per-node out")
    extra = [word for text in options.launcher_extra for word in _words(text)]
    kind, path = _find_launcher(options)
    _check_local(options, _check_nodes(options, kind, extra))
    python = [sys.executable, "-m", "cnumeric._program"]
    environment = {}
    if options.gpus is not None:
        environment = {"CNUMERIC_GPU": str(min(options.gpus, 1)), "CNUMERIC_GPUS": str(options.gpus)}
    environment.update(options.simulate or {})
    if options.profile:
        environment["CNUMERIC_PROFILE"] = "1"
    if options.cpus:
        environment["CNUMERIC_THREADS"] = str(options.cpus)
    if kind == "none":
        return Launch([*python, *_program(options)], environment, kind)
    cpus = options.cpus or max(1, _processors() // options.ranks_per_node)
    for name in ("CNUMERIC_THREADS", "OPENBLAS_NUM_THREADS"):
        if options.cpus or name not in os.environ:
            environment[name] = str(cpus)
    if sys.stdout is not None and sys.stdout.isatty():
        environment["PYTHONUNBUFFERED"] = "1"  # a launcher makes a pipe of the terminal
    kinds = ("CNUMERIC_", "PYTHON", "CUDA_")
    names = {name for name in os.environ if name.startswith(kinds)} | set(environment)
    words = _COMMANDS[kind](path, options, cpus, sorted(names | ({"PATH", "LD_LIBRARY_PATH"} & set(os.environ))))
    ranks = options.nodes * options.ranks_per_node
    program = [WORKER, "--ranks", str(ranks), *python, "--launched", *_program(options)]
    return Launch([*words, *extra, *program], environment, kind)


# ---- Running ---------------------------------------------------------------------------------------------


def _check_module(kind: str) -> None:
    """Compile the MPI module, or refuse: better now than on every rank."""
    if not os.path.exists(WORKER):
        raise LaunchError(f"{WORKER} is missing: install cnumeric again")
    name = kind if kind in ("openmpi", "mpich") else "any"
    done = subprocess.run([WORKER, "--module", name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LaunchError(done.stderr.strip())


def _pump(target: Any) -> None:
    """Copy the terminal's input; the launcher, in a session of its own, must not read a terminal itself."""
    try:
        while block := os.read(0, 65536):
            target.write(block)
            target.flush()
        target.close()
    except OSError:
        pass


class _Signals:
    """Passes signals on: the first Ctrl-C interrupts the program on rank 0 (as SIGUSR1), the next one ends all."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._interrupts = 0
        self.ended: int | None = None  # the exit status, if it was a signal that ended all
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, self)

    def __call__(self, number: int, frame: Any) -> None:
        if number == signal.SIGINT:
            self._interrupts += 1
        if number in (signal.SIGTERM, signal.SIGHUP) or self._interrupts > 1:
            self.ended = 128 + number
            number = signal.SIGTERM
        self._process.send_signal(signal.SIGUSR1 if number == signal.SIGINT else number)


def _run_launcher(launch: Launch, environment: dict[str, str]) -> int:
    terminal = sys.stdin is not None and sys.stdin.isatty()
    with tempfile.TemporaryDirectory(prefix="cnumeric-run-") as folder:
        at = launch.command.index("--launched")
        status = pathlib.Path(folder) / "status"
        launch.command[at] += f"={status}"
        process = subprocess.Popen(
            launch.command,
            env=environment,
            stdin=subprocess.PIPE if terminal else None,
            start_new_session=True,
        )
        signals = _Signals(process)
        if terminal:
            threading.Thread(target=_pump, args=(process.stdin,), daemon=True).start()
        code = process.wait()
        if signals.ended is not None:
            return signals.ended
        if code == 0 and status.exists():
            return int(status.read_text())
    return code if code >= 0 else 128 - code


def main(options: argparse.Namespace) -> int:
    """Do what ``cnumeric run`` was asked for; its exit status is the program's."""
    try:
        launch = plan(options)
        if options.dry_run:
            print(launch.text())
            return 0
        if launch.kind != "none":
            _check_module(launch.kind)
    except LaunchError as error:
        print(f"cnumeric run: error: {error}", file=sys.stderr)
        return 2
    environment = {**os.environ, **launch.environment}
    if launch.kind == "none":
        sys.stdout.flush()
        os.execve(launch.command[0], launch.command, environment)
    return _run_launcher(launch, environment)
