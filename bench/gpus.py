"""One GPU beside several of one machine: the same programs with CNUMERIC_GPUS=1, 2, ..., or on ranks with a GPU each.

    python bench/gpus.py [--rows REGEX] [--scale 0] [--counts 1,2,2r] [--time 0.2] [--output FILE]

2 is one process with two linked GPUs, 2r two ranks with one each (MPI, `cnumeric run`). Strong rows have the same size
on any number of GPUs; the table gives the time on one over the time on all (2.0 on two is perfect), and says whether
results are the same bits. Weak rows have that much more to do; 1.0 is perfect.
--scale -3 makes arrays eight times smaller. A time is the least of three batches of --time seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "examples"), str(ROOT)]

import gray_scott  # noqa: E402

from bench import everyday, gpu_rows  # noqa: E402
from bench.mpi.__main__ import AS_ROOT  # noqa: E402

Made = tuple[Callable[..., Any], list[Any]]
ROWS: list[tuple[str, int, bool, Callable[[Any, int], Made]]] = []  # name, log2 of elements, weak, make


def row(name: str, bits: int, weak: bool = False) -> Callable[[Callable[[Any, int], Made]], Callable[[Any, int], Made]]:
    """Register a row: make(np, n) gives a function without arguments of its own, and what it works on."""

    def register(make: Callable[[Any, int], Made]) -> Callable[[Any, int], Made]:
        ROWS.append((name, bits, weak, make))
        return make

    return register


def sheet(np: Any, n: int) -> tuple[int, Any]:
    """Rows of half of the bits, so that more elements are more rows; values of [0, 1)."""
    columns = 1 << min(14, max(3, (n.bit_length() - 1) // 2))
    few = np.array(gpu_rows.values(min(n, 1 << 22)))
    return columns, np.resize(few, n).reshape(n // columns, columns)


@row("triad", 29)
def _triad(np: Any, n: int) -> Made:
    _, x = sheet(np, n)
    return lambda x, y: x + 2.5 * y, [x, x + 1]


@row("sum", 29)
def _sum(np: Any, n: int) -> Made:
    return lambda x: x.sum(), [sheet(np, n)[1]]


@row("mean((x-y)**2)", 29)
def _mean(np: Any, n: int) -> Made:
    _, x = sheet(np, n)
    return lambda x, y: ((x - y) ** 2).mean(), [x, x + 1]


@row("sum(axis=1)", 29)
def _sum_rows(np: Any, n: int) -> Made:
    return lambda x: x.sum(axis=1), [sheet(np, n)[1]]


@row("sum(axis=0)", 29)
def _sum_columns(np: Any, n: int) -> Made:
    return lambda x: x.sum(axis=0), [sheet(np, n)[1]]


@row("var(axis=0)", 28)
def _var_columns(np: Any, n: int) -> Made:
    return lambda x: x.var(axis=0), [sheet(np, n)[1]]


@row("sum of few rows", 28)
def _sum_few(np: Any, n: int) -> Made:
    _, x = sheet(np, n)
    return lambda x: x.sum(axis=0), [x.reshape(min(4096, n // 8), -1)]


@row("cumsum", 28)
def _cumsum(np: Any, n: int) -> Made:
    return np.cumsum, [sheet(np, n)[1].reshape(-1)]


@row("cumsum int64", 28)
def _cumsum_whole(np: Any, n: int) -> Made:
    return np.cumsum, [(sheet(np, n)[1].reshape(-1) * 1000).astype("i8")]


def jacobi(np: Any, n: int) -> Made:
    def sweep(p: Any) -> Any:
        old = p.copy()
        p[1:-1, 1:-1] = 0.25 * (old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1])
        return p

    return sweep, [sheet(np, n)[1]]


row("Jacobi", 28)(jacobi)
row("Jacobi, weak", 27, True)(jacobi)


@row("Gray-Scott, weak", 26, True)
def _reaction(np: Any, n: int) -> Made:
    def step(u: Any, v: Any) -> Any:
        inner_u, inner_v = u[1:-1, 1:-1], v[1:-1, 1:-1]
        reaction = inner_u * inner_v * inner_v
        change_u = 0.16 * gray_scott.laplacian(u) - reaction + 0.04 * (1 - inner_u)
        change_v = 0.08 * gray_scott.laplacian(v) + reaction - 0.1 * inner_v
        inner_u += change_u
        inner_v += change_v
        gray_scott.close(u)
        gray_scott.close(v)
        return u

    _, x = sheet(np, n)
    return step, [x, x / 2]


def flow(bits: int) -> Callable[[Any, int], Made]:
    def make(np: Any, n: int) -> Made:
        side = 41 if bits == 0 else 1 << (n.bit_length() // 2)
        step, _, _, _ = gpu_rows.flow(side)
        p = np.zeros((side, side))
        v = sheet(np, side * side)[1] * 0.01 if bits else p + 0.01
        return lambda *arrays: step(np, *arrays), [p, v, p + 0, p + 0]

    return make


for _name, _bits in (("channel flow 16384", 28), ("channel flow 4096", 24), ("channel flow 41", 0)):
    row(_name, _bits)(flow(_bits))


@row("transpose", 28)
def _transpose(np: Any, n: int) -> Made:
    return lambda x: np.ascontiguousarray(x.T), [sheet(np, n)[1]]


@row("take", 27)
def _take(np: Any, n: int) -> Made:
    index = np.array(gpu_rows.numpy.random.default_rng(5).integers(0, n, min(n, 1 << 22)))
    return np.take, [sheet(np, n)[1].reshape(-1), np.resize(index, n)]


@row("mask", 28)
def _mask(np: Any, n: int) -> Made:
    return lambda x: x[x > 0.5], [sheet(np, n)[1].reshape(-1)]


@row("put", 26)
def _put(np: Any, n: int) -> Made:
    def put(x: Any, index: Any, values: Any) -> Any:
        x[index] = values
        return x

    _, index = _take(np, n)[1]
    return put, [sheet(np, n)[1].reshape(-1), index, sheet(np, n)[1].reshape(-1) * 2]


@row("sort", 28)
def _sort(np: Any, n: int) -> Made:
    return np.sort, [sheet(np, n)[1].reshape(-1)]


@row("searchsorted", 26)
def _searchsorted(np: Any, n: int) -> Made:
    x = sheet(np, n)[1].reshape(-1)
    return np.searchsorted, [np.sort(x), x]


@row("bincount", 27)
def _bincount(np: Any, n: int) -> Made:
    return np.bincount, [(sheet(np, n)[1].reshape(-1) * 1000).astype("i8")]


@row("histogram", 27)
def _histogram(np: Any, n: int) -> Made:
    return lambda x: np.histogram(x, 100)[0], [sheet(np, n)[1].reshape(-1)]


@row("argmax", 28)
def _argmax(np: Any, n: int) -> Made:
    return lambda x: x.argmax(), [sheet(np, n)[1].reshape(-1)]


@row("dot", 28)
def _dot(np: Any, n: int) -> Made:
    x = sheet(np, n)[1].reshape(-1)
    return lambda x, y: x @ y, [x, x + 1]


@row("x.T @ r", 28)
def _tall_vector(np: Any, n: int) -> Made:
    x = sheet(np, n)[1].reshape(-1, 64)
    return lambda x, r: x.T @ r, [x, x[:, 0] + 1]


@row("x.T @ x", 27)
def _tall_matrix(np: Any, n: int) -> Made:
    return lambda x: x.T @ x, [sheet(np, n)[1].reshape(-1, 64)]


@row("gemm", 26)
def _gemm(np: Any, n: int) -> Made:
    return lambda x: x @ x, [sheet(np, n)[1]]


@row("gemm float32", 26)
def _gemm_single(np: Any, n: int) -> Made:
    return lambda x: x @ x, [sheet(np, n)[1].astype(np.float32)]


@row("fft(axis=1)", 26)
def _fft_rows(np: Any, n: int) -> Made:
    return lambda z: np.fft.fft(z), [sheet(np, n)[1] * (1 + 2j)]


@row("fft2", 26)
def _fft2(np: Any, n: int) -> Made:
    return lambda z: np.fft.fft2(z), [sheet(np, n)[1] * (1 + 2j)]


@row("rfft2", 26)
def _rfft2(np: Any, n: int) -> Made:
    return lambda x: np.fft.rfft2(x), [sheet(np, n)[1]]


for _name, _bits, _everyday in everyday.ROWS:
    row(_name, _bits)(lambda np, n, make=_everyday: make(np, sheet(np, n)[1].reshape(-1)))


# ---- One run -----------------------------------------------------------------------------------------------


def checksum(np: Any, result: Any) -> int:
    """Of all bits: whole numbers add up alike in any order."""
    return int(np.atleast_1d(result).view(f"i{min(result.dtype.itemsize, 8)}").sum(dtype=np.int64))


COUNTERS = (
    *("device_launches", "shared_launches", "graphs", "moves", "move_bytes"),
    *("messages", "message_bytes", "direct_messages", "direct_bytes"),
)


def run_rows(pattern: str, scale: int, gpus: int, seconds: float) -> None:
    """Every row; a line of JSON for each. Rows of a second and more run few times."""
    import cnumeric as np

    for name, bits, weak, make in ROWS:
        if not re.search(pattern, name):
            continue
        n = (gpus if weak else 1) << max(bits + scale, 6)
        before = np.stats()
        try:
            function, inputs = make(np, n)

            def batch(repeats: int, function: Any = function, inputs: Any = inputs) -> tuple[float, Any]:
                start = time.perf_counter()
                for _ in range(repeats):
                    result = function(*inputs)
                    np.flush()
                complex(result[(-1,) * result.ndim] if result.ndim else result)  # of the last rank
                np.synchronize()
                return (time.perf_counter() - start) / repeats, result

            first, result = batch(1)
            first, result = batch(2) if first < 5 else (first, result)
            seen = checksum(np, result)
            repeats = max(1, min(300, int(seconds / batch(2)[0]))) if first < 1 else 1
            line: dict[str, Any] = {"row": name, "gpus": gpus, "bits": seen}
            line["seconds"] = min(batch(repeats)[0] for _ in range(3 if first < 1 else 1))
        except Exception as error:  # reported, not hidden
            line = {"row": name, "gpus": gpus, "error": f"{type(error).__name__}: {error}"[:200]}
        after = np.stats()
        line["counters"] = {k: after[k] - before[k] for k in COUNTERS}
        print(json.dumps(line), flush=True)


def collect(arguments: argparse.Namespace, count: str) -> dict[str, dict[str, Any]]:
    gpus = count.removesuffix("r")
    program = [__file__, "--gpus", gpus, "--rows", arguments.rows]
    program += ["--scale", str(arguments.scale), "--time", str(arguments.time)]
    waiting = {**os.environ, "CNUMERIC_GPU_COLD": "0"}  # for kernels: steady states are compared
    command, environment = [sys.executable, *program], {**waiting, "CNUMERIC_GPUS": gpus}
    if count.endswith("r"):
        driver = [sys.executable, "-m", "cnumeric", "run", "--ranks-per-node", gpus, "--oversubscribe"]
        command, environment = [*driver, "--gpus", "1", *program], {**waiting, **AS_ROOT}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=arguments.seconds
        )
        output, failed = done.stdout, done.stderr[-2000:] if done.returncode != 0 else ""
    except subprocess.TimeoutExpired as error:
        output, failed = (error.stdout or b"").decode(), f"stopped after {arguments.seconds} s"
    if failed:
        print(f"{count}: {failed}")
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {line["row"]: line for line in lines}


def cell(line: dict[str, Any] | None, one: dict[str, Any] | None, weak: bool) -> str:
    if line is None or "error" in line:
        return "-" if line is None else line["error"][:40]
    text = f"{line['seconds'] * 1e3:.3f} ms"
    if one is not None and one is not line and "seconds" in one:
        text += f"  x {one['seconds'] / line['seconds']:.2f}"
        if not weak:
            text += "" if one["bits"] == line["bits"] else "  OTHER BITS"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=".")
    parser.add_argument("--scale", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=240, help="most for a number of GPUs")
    parser.add_argument("--time", type=float, default=0.2, help="seconds of a batch")
    parser.add_argument("--counts", default="1,2", help="numbers of GPUs (2r: of ranks); the first is the reference")
    parser.add_argument("--output")
    parser.add_argument("--gpus", type=int, default=0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.gpus:
        run_rows(arguments.rows, arguments.scale, arguments.gpus, arguments.time)
        return
    counts = arguments.counts.split(",")
    found = {count: collect(arguments, count) for count in counts}
    names = [f"{c.removesuffix('r')} {'ranks' if c.endswith('r') else 'GPUs'}" for c in counts]
    print(f"{'row':20s}" + "".join(f"{name:>34s}" for name in names))
    for name, _, weak, _ in ROWS:
        if re.search(arguments.rows, name):
            one = found[counts[0]].get(name)
            print(f"{name:20s}" + "".join(f"{cell(found[c].get(name), one, weak):>34s}" for c in counts))
    if arguments.output:
        pathlib.Path(arguments.output).write_text(json.dumps([list(f.values()) for f in found.values()], indent=1))


if __name__ == "__main__":
    main()
