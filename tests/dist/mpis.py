"""The MPIs of this machine, and programs run with them."""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

import cnumeric
import pytest

PACKAGE = pathlib.Path(cnumeric._cnumeric.__file__).parent
SECONDS = 60

# Ranks may be more than cores, and may be root's, as in a container; there they may not read each other's memory.
FOR_TESTS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def is_rank():
    """Whether the tests themselves were started by mpirun."""
    return cnumeric._cnumeric.net_size() > 1


@dataclasses.dataclass
class Mpi:
    """An MPI: its mpirun and mpicc are the first on its PATH."""

    name: str
    environment: dict

    def start(self, command, **more):
        """Start a command with this MPI on its PATH."""
        environment = {**self.environment, **more.pop("environment", {})}
        return subprocess.Popen(
            [str(word) for word in command],
            env=environment,
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def complete(self, command, input=None, **more):
        """Run it to its end: exit status, output, errors."""
        process = self.start(command, stdin=subprocess.PIPE if input else subprocess.DEVNULL, **more)
        try:
            out, err = process.communicate(input, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            out, err = process.communicate(timeout=SECONDS)
            pytest.fail(f"still running after {SECONDS} s\n{out}\n{err}")
        return process.returncode, out, err

    def mpirun(self, ranks, *command, **more):
        """Run a command as every rank."""
        return self.complete(["mpirun", "-n", ranks, *command], **more)

    def python(self, ranks, program, *arguments, **more):
        """Run a program's text with plain mpirun."""
        return self.mpirun(ranks, sys.executable, "-c", program, *arguments, **more)


def find(name):
    """The mpirun and mpicc of this name, or None."""
    for mpirun in (f"mpirun.{name}", "mpirun", "mpiexec"):
        path = shutil.which(mpirun)
        if path is None:
            continue
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        is_open = re.search("Open MPI|OpenRTE|PRRTE", done.stdout + done.stderr) is not None
        mpicc = shutil.which(f"mpicc.{name}") or shutil.which("mpicc")
        if is_open == (name == "openmpi") and mpicc:
            return path, mpicc
    return None
