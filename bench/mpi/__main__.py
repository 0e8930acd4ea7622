"""``python -m bench.mpi``: from 1 rank to many, cNumeric beside the same program by hand in C and MPI.

Weak scaling: so many points for each rank. Strong scaling: one size, more ranks. Every pair is run in turn, the least
time of the rounds counts. Prints a table, writes JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

HERE = pathlib.Path(__file__).parent
PROGRAMS = ("jacobi", "channel_flow", "gray_scott", "multigrid")
# Points for each rank (a side of the square of one rank), steps.
WEAK = {"jacobi": (1024, 100), "channel_flow": (1024, 2), "gray_scott": (1024, 40), "multigrid": (1024, 4)}
STRONG = (2048, 2)
# Ranks may be root's, as in a container; there they may not read each other's memory.
AS_ROOT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
}


def options() -> argparse.Namespace:
    """The command line."""
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="python -m bench.mpi", description="Ranks of cNumeric beside ranks of C.")
    default = ",".join(str(n) for n in (1, 2, 4, 8, 16) if n <= cores)
    parser.add_argument("--ranks", default=default, help=f"numbers of ranks (default {default})")
    parser.add_argument("--programs", default=",".join(PROGRAMS), help="names, with commas between")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sides of all grids (default 1)")
    parser.add_argument("--rounds", type=int, default=2, help="of each pair (default 2)")
    parser.add_argument("--seconds", type=float, default=330, help="begin nothing new after these (default 330)")
    parser.add_argument("--output", type=pathlib.Path, default=HERE.parent / "results" / "mpi.json", help="a JSON file")
    return parser.parse_args()


def environment() -> dict[str, str]:
    """What both are started with: one thread a rank."""
    more = AS_ROOT if os.getuid() == 0 else {}
    threads = dict.fromkeys(("CNUMERIC_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    # Kernels are compiled before they are timed, and a rank alone leaves a GPU to itself as several do.
    return {**os.environ, **more, **threads, "CNUMERIC_TIER": "2", "CNUMERIC_GPU": "0"}


def side(base: int, ranks: int, name: str) -> int:
    """The side of a square of base x base points for each rank; of multigrid one that halves well."""
    n = base * math.sqrt(ranks)
    if name == "multigrid":
        return 2 ** round(math.log2(n)) + 1
    return max(32, round(n / 16) * 16)


class Runner:
    """Runs both, and remembers the least times."""

    def __init__(self, folder: str) -> None:
        self._stencils = os.path.join(folder, "stencils")
        compiler = shutil.which("mpicc")
        if compiler is None:
            sys.exit("bench.mpi: there is no mpicc on the PATH")
        version = subprocess.run(["mpirun", "--version"], capture_output=True, text=True, check=True).stdout
        self._launch = ["--oversubscribe"] if "Open MPI" in version or "OpenRTE" in version else []
        flags = ["-std=gnu17", "-O3", "-march=native", "-ffp-contract=off", "-o", self._stencils]
        subprocess.run([compiler, *flags, *map(str, sorted(HERE.glob("*.c"))), "-lm"], check=True)

    def _run(self, command: list[str]) -> dict[str, float]:
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            sys.exit(f"bench.mpi: status {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def ours(self, ranks: int, *arguments: str) -> dict[str, float]:
        """cNumeric with so many ranks."""
        launcher = ["--launcher", "mpirun"]
        driver = [sys.executable, "-m", "cnumeric", "run", *launcher, "--ranks-per-node", str(ranks), "--cpus", "1"]
        return self._run([*driver, "--oversubscribe", str(HERE / "program.py"), *arguments])

    def theirs(self, ranks: int, *arguments: str) -> dict[str, float]:
        """The C program with so many ranks."""
        launcher = ["mpirun", *self._launch, "-bind-to", "none", "-n", str(ranks)]
        return self._run([*launcher, self._stencils, *arguments])

    def predicted(self, ranks: int, *arguments: str) -> float:
        """What the simulator says of the program, relative to one place."""
        command = [sys.executable, "-m", "cnumeric", "run", "--cpus", "1", "--simulate", f"ranks={ranks},node={ranks}"]
        text = "import json; from cnumeric import _cnumeric; found = _cnumeric.simulation()"
        driver = f"import runpy, sys; sys.argv = {[str(HERE / 'program.py'), *arguments]!r}; "
        driver += f"runpy.run_path(sys.argv[0], run_name='__main__'); {text}; "
        driver += "print(json.dumps({k: sum(w['runs'] * w[k] for w in found) for k in ('serial', 'predicted')}))"
        with tempfile.NamedTemporaryFile("w", suffix=".py") as program:
            program.write(driver)
            program.flush()
            found = self._run([*command, program.name])
        return found["predicted"] / found["serial"] if found["serial"] else math.nan


def measure(runner: Runner, kind: str, name: str, size: int, steps: int, ranks: int, rounds: int) -> dict[str, Any]:
    """One row: the least seconds a step of both."""
    arguments = (name, str(size), str(steps))
    best: dict[str, Any] = {"kind": kind, "program": name, "size": size, "ranks": ranks}
    for _ in range(rounds):
        ours, theirs = runner.ours(ranks, *arguments), runner.theirs(ranks, *arguments)
        best["cnumeric"] = min(ours["seconds"], best.get("cnumeric", math.inf))
        best.update({name: ours[name] for name in ("messages", "fallbacks", "root_bytes")})
        best["c"] = min(theirs["seconds"], best.get("c", math.inf))
        best["equal"] = math.isclose(ours["sum"], theirs["sum"], rel_tol=1e-6)  # the C program adds up as values come
    return best


def line(row: dict[str, Any], first: dict[str, Any]) -> str:
    """The row as text; first: that of one rank, or the fewest."""
    per_point = row["size"] ** 2 / row["ranks"] / (first["size"] ** 2 / first["ranks"])
    efficiency = first["cnumeric"] / row["cnumeric"] * per_point
    rate = f"{row['c'] * 1e3:10.3f} {row['c'] / row['cnumeric']:6.2f}"
    wrong = "" if row["equal"] else "  WRONG"
    return (
        f"{row['kind']:7} {row['program']:13} {row['size']:6} {row['ranks']:5} {row['cnumeric'] * 1e3:10.3f} {rate}"
        f" {efficiency:7.2f}{wrong}"
    )


def simulated(runner: Runner, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The simulator's word for the strong scaling of up to 4 ranks beside what was measured, from one rank's time."""
    strong = [row for row in rows if row["kind"] == "strong" and row["ranks"] <= 4]
    one = next((row for row in strong if row["ranks"] == 1), None)
    found = []
    for row in strong:
        if one is not None and row["ranks"] > 1:
            scale = runner.predicted(row["ranks"], row["program"], str(row["size"]), str(STRONG[1]))
            predicted = scale * one["cnumeric"]
            found.append({"ranks": row["ranks"], "predicted": predicted, "error": predicted / row["cnumeric"] - 1})
    return found


def main() -> int:
    """Run the command line."""
    chosen = options()
    counts = [int(word) for word in chosen.ranks.split(",")]
    names = [name for name in chosen.programs.split(",") if name in PROGRAMS]
    strong = max(64, round(STRONG[0] * chosen.scale / 16) * 16)
    jobs = [("strong", "channel_flow", strong, STRONG[1], ranks) for ranks in counts if "channel_flow" in names]
    for name in names:
        base, steps = WEAK[name]
        sizes = [(side(round(base * chosen.scale), ranks, name), ranks) for ranks in counts]
        jobs += [("weak", name, size, steps, ranks) for size, ranks in sizes]
    began, rows, left_out = time.monotonic(), [], 0
    print(f"{'':7} {'program':13} {'size':>6} {'ranks':>5} {'cNumeric':>10} {'C (ms)':>10} {'rate':>6} {'scaling':>7}")
    with tempfile.TemporaryDirectory(prefix="cnumeric-bench-") as folder:
        runner = Runner(folder)
        first: dict[tuple[str, str], dict[str, Any]] = {}
        for kind, name, size, steps, ranks in jobs:
            if time.monotonic() - began > chosen.seconds:
                left_out += 1
                continue
            rows.append(measure(runner, kind, name, size, steps, ranks, chosen.rounds))
            first.setdefault((kind, name), rows[-1])
            print(line(rows[-1], first[kind, name]), flush=True)
        start = runner.ours(min(4, max(counts)), "start")["seconds"]
        predictions = simulated(runner, rows)
    print(f"from the import to the end of the first window, {min(4, max(counts))} ranks: {start:.3f} s")
    for each in predictions:
        print(
            f"simulator, strong scaling, {each['ranks']} ranks: {each['predicted'] * 1e3:.3f} ms, {each['error']:+.0%}"
        )
    if left_out:
        print(f"{left_out} rows were left out: out of time")
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps({"rows": rows, "start": start, "simulated": predictions}, indent=1))
    print(f"written: {chosen.output}")
    return 0 if all(row["equal"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
