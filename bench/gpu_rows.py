"""Rows on one GPU: cNumeric beside CuPy and JAX, each system in a process of its own.

    python bench/gpu_rows.py [--scale 0] [--rows REGEX] [--systems cnumeric,cupy,jax] [--output FILE]

A row's fraction is the least time that its bytes (inputs once, outputs once) take at the rate of a large copy on the
same device, over its own time. --scale -3 makes arrays eight times smaller. A row that differs from the other systems
in a sample of its elements is marked WRONG. Every system runs the same NumPy statements; JAX compiles those without
assignments.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "examples"))

import black_scholes  # noqa: E402
import channel_flow  # noqa: E402

# ---- Systems ---------------------------------------------------------------------------------------------


class System:
    """CuPy, and what the others have in common."""

    name, module_name = "cupy", "cupy"

    def __init__(self) -> None:
        self.np = __import__(self.module_name, fromlist=["x"])

    def array(self, values: Any) -> Any:
        """The values as an array of this system's own."""
        return self.np.array(values)

    def compiled(self, function: Callable[..., Any], assigns: bool) -> Callable[..., Any] | None:
        """What runs the function; None if this system cannot."""
        return lambda *inputs: function(self.np, *inputs)

    def sent(self, result: Any) -> Any:
        """After each call: the work is on its way."""
        return result

    def finish(self, result: Any) -> None:
        """Wait for all work."""
        self.np.cuda.Stream.null.synchronize()

    def settle(self, call: Callable[[], Any]) -> None:
        """After the first call: until calls are as they will be."""

    def host(self, result: Any) -> Any:
        """As NumPy's."""
        return self.np.asnumpy(result)


class CNumeric(System):
    name, module_name = "cnumeric", "cnumeric"

    def sent(self, result: Any) -> Any:
        self.np.flush()
        return result

    def finish(self, result: Any) -> None:
        self.np.synchronize()

    def settle(self, call: Callable[[], Any]) -> None:
        """Until the device does it with kernels that are there; a second, if it never does."""
        for _ in range(10):
            time.sleep(0.1)
            before = self.np.stats()
            self.finish(self.sent(call()))
            more = {name: value - before[name] for name, value in self.np.stats().items()}
            if more["device_launches"] + more["graphs"] > 0 and more["compilations"] + more["moves"] == 0:
                break

    def host(self, result: Any) -> Any:
        return numpy.asarray(result)


class Jax(System):
    name, module_name = "jax", "jax.numpy"

    def __init__(self) -> None:
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax
        super().__init__()

    def compiled(self, function: Callable[..., Any], assigns: bool) -> Callable[..., Any] | None:
        return None if assigns else self.jax.jit(lambda *inputs: function(self.np, *inputs))

    def finish(self, result: Any) -> None:
        self.jax.block_until_ready(result)

    def host(self, result: Any) -> Any:
        return numpy.asarray(result)


SYSTEMS: dict[str, type[System]] = {kind.name: kind for kind in (CNumeric, System, Jax)}

# ---- Rows: make(n) gives the function, its inputs, least bytes, flops ------------------------------------

Made = tuple[Callable[..., Any], list[Any], float, float]
ROWS: list[tuple[str, int, bool, Callable[[int], Made]]] = []  # name, log2 of n, assigns, make


def row(name: str, bits: int, assigns: bool = False) -> Callable[[Callable[[int], Made]], Callable[[int], Made]]:
    """Register a row."""

    def register(make: Callable[[int], Made]) -> Callable[[int], Made]:
        ROWS.append((name, bits, assigns, make))
        return make

    return register


def values(n: int, seed: int = 1) -> Any:
    """Random numbers of [0, 1); of few, repeated, where there are many."""
    few = numpy.random.default_rng(seed).random(min(n, 1 << 22))
    return numpy.resize(few, n) if n > few.size else few


def side_of(n: int) -> int:
    return 1 << (int(math.log2(n)) // 2)


@row("triad", 27)
def _triad(n: int) -> Made:
    return lambda np, x, y: x + 2.5 * y, [values(n), values(n, 2)], 24 * n, 0


@row("chain", 27)
def _chain(n: int) -> Made:
    return lambda np, x, y: ((x + y) * x - y) / 3 + x, [values(n), values(n, 2)], 24 * n, 0


def missing(x: Any, every: int) -> Any:
    """The same, of which each so many-th element is a NaN."""
    x = x.copy()
    x[::every] = numpy.nan
    return x


@row("chain, 1 % NaN", 27)
def _chain_missing(n: int) -> Made:
    function, (x, y), nbytes, flops = _chain(n)
    return function, [missing(x, 100), y], nbytes, flops


@row("chain, all NaN", 27)
def _chain_nothing(n: int) -> Made:
    function, (x, y), nbytes, flops = _chain(n)
    return function, [missing(x, 1), y], nbytes, flops


@row("mean((x-y)**2)", 27)
def _mean_square(n: int) -> Made:
    return lambda np, x, y: ((x - y) ** 2).mean(), [values(n), values(n, 2)], 16 * n, 0


@row("sum", 27)
def _sum(n: int) -> Made:
    return lambda np, x: x.sum(), [values(n)], 8 * n, 0


@row("x[::2]+y[::2]", 27)
def _strided(n: int) -> Made:
    return lambda np, x, y: x[::2] + y[::2], [values(n), values(n, 2)], 20 * n, 0


@row("transpose", 26)
def _transpose(n: int) -> Made:
    m = side_of(n)
    return (
        lambda np, x: np.ascontiguousarray(x.T) if np.__name__ != "jax.numpy" else x.T + 0,
        [values(m * m).reshape(m, m)],
        16 * m * m,
        0,
    )


@row("var(axis=0)", 27)
def _var(n: int) -> Made:
    m = side_of(n)
    return lambda np, x: x.var(axis=0), [values(n).reshape(n // m, m)], 8 * n, 0


@row("cumsum", 27)
def _cumsum(n: int) -> Made:
    return lambda np, x: np.cumsum(x), [values(n)], 16 * n, 0


@row("cumsum int64", 27)
def _cumsum_integers(n: int) -> Made:
    return lambda np, x: np.cumsum(x), [numpy.arange(n)[::-1].copy()], 16 * n, 0


@row("mask x[x>0.5]", 27, True)
def _mask(n: int) -> Made:
    return lambda np, x: x[x > 0.5], [values(n)], 12 * n, 0


@row("take", 26)
def _take(n: int) -> Made:
    index = numpy.random.default_rng(5).integers(0, n, n)
    return lambda np, x, i: np.take(x, i), [values(n), index], 24 * n, 0


@row("Black-Scholes", 25)
def _options(n: int) -> Made:
    n = 50_000_000 * n >> 25
    return lambda np, *x: black_scholes.prices(np, *x, 0.02, 0.3)[0], list(black_scholes.inputs(numpy, n)), 40 * n, 0


@row("Black-Scholes, 1 % NaN", 25)
def _options_missing(n: int) -> Made:
    function, (spot, strike, years), nbytes, flops = _options(n)
    return function, [missing(spot, 100), strike, years], nbytes, flops


@row("Black-Scholes, all NaN", 25)
def _options_nothing(n: int) -> Made:
    function, (spot, strike, years), nbytes, flops = _options(n)
    return function, [missing(spot, 1), strike, years], nbytes, flops


@row("Jacobi", 26, True)
def _jacobi(n: int) -> Made:
    def sweep(np: Any, p: Any) -> Any:
        old = p.copy()
        p[1:-1, 1:-1] = 0.25 * (old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1])
        return p

    m = side_of(n)
    return sweep, [values(m * m).reshape(m, m)], 16 * m * m, 0


def flow(m: int) -> Made:
    """A time step of the channel flow on m x m points."""
    h = channel_flow.WIDTH / (m - 1)
    dt = 0.1 * h * h / channel_flow.NU

    def step(np: Any, u: Any, v: Any, p: Any, b: Any) -> Any:
        channel_flow.pressure_source(b, u, v, h, h, dt)
        channel_flow.pressure(p, b, h, h, channel_flow.SWEEPS)
        channel_flow.velocity(u, v, p, h, h, dt)
        return u

    p = values(m * m).reshape(m, m)
    return step, [0 * p, 0.01 * p, 0 * p, 0 * p], 1264 * m * m, 0


@row("channel flow 4096", 24, True)
def _flow_large(n: int) -> Made:
    return flow(side_of(n))


@row("channel flow 512", 18, True)
def _flow_middle(n: int) -> Made:
    return flow(side_of(n))


@row("channel flow 41", 0, True)
def _flow_small(n: int) -> Made:
    return flow(41)


@row("1000 small ops", 0, True)
def _small(n: int) -> Made:
    def run(np: Any, u: Any, t: Any) -> Any:
        for _ in range(1000):
            u = u + t
        return u

    return run, [values(100), values(100, 2)], 0, 0


@row("logistic regression", 28)
def _logistic(n: int) -> Made:
    rows = n >> 5

    def fit(np: Any, x: Any, y: Any) -> Any:
        w = np.zeros(32)
        for _ in range(10):
            p = 1 / (1 + np.exp(-(x @ w)))
            w = w - (0.1 / rows) * (x.T @ (p - y))
        return w

    return fit, [values(rows * 32).reshape(rows, 32), numpy.round(values(rows, 3))], 10 * 8 * 33 * rows, 0


@row("conjugate gradients", 22)
def _gradients(n: int) -> Made:
    """Ten iterations for a tridiagonal matrix; no scalar leaves the device."""

    def solve(np: Any, r: Any) -> Any:
        x = np.zeros(n)
        p, rs = r, r @ r
        for _ in range(10):
            q = 4.0 * p - np.concatenate([p[1:], p[:1]]) - np.concatenate([p[-1:], p[:-1]])
            alpha = rs / (p @ q)
            x = x + alpha * p
            r = r - alpha * q
            new = r @ r
            p, rs = r + (new / rs) * p, new
        return x

    return solve, [values(n)], 10 * 80 * n, 0


def square(n: int, dtype: str = "float64") -> Any:
    m = side_of(n)
    return values(m * m).reshape(m, m).astype(dtype)


@row("gemm f64", 26)
def _gemm(n: int) -> Made:
    return lambda np, x: x @ x, [square(n)], 0, 2 * side_of(n) ** 3


@row("gemm f32", 26)
def _gemm_single(n: int) -> Made:
    return lambda np, x: x @ x, [square(n, "float32")], 0, 2 * side_of(n) ** 3


def definite(n: int) -> Any:
    x = square(n)
    return x + x.T + 2 * len(x) * numpy.eye(len(x))


@row("cholesky", 26)
def _cholesky(n: int) -> Made:
    return lambda np, x: np.linalg.cholesky(x), [definite(n)], 0, side_of(n) ** 3 / 3


@row("solve", 26)
def _solve(n: int) -> Made:
    return lambda np, x, y: np.linalg.solve(x, y), [definite(n), values(side_of(n))], 0, 2 * side_of(n) ** 3 / 3


def batch(n: int, size: int) -> Any:
    return values(n // size**2 * size**2).reshape(-1, size, size) + size * numpy.eye(size)


@row("solve 4 x 4", 20)
def _solve_many(n: int) -> Made:
    a = batch(n, 4)
    return lambda np, a, b: np.linalg.solve(a, b), [a, values(n >> 2).reshape(-1, 4, 1)], 0, 0


@row("inv 64 x 64", 22)
def _inverse_many(n: int) -> Made:
    return lambda np, a: np.linalg.inv(a), [batch(n, 64)], 0, 0


@row("inv 96 x 96", 24)
def _inverse_middle(n: int) -> Made:
    return lambda np, a: np.linalg.inv(a), [batch(n, 96)], 0, 0


@row("cholesky 96 x 96", 24)
def _cholesky_middle(n: int) -> Made:
    a = batch(n, 96)
    return lambda np, a: np.linalg.cholesky(a), [a + a.swapaxes(1, 2)], 0, 0


@row("qr 96 x 96", 24)
def _orthogonal_middle(n: int) -> Made:
    return lambda np, a: np.linalg.qr(a)[1], [batch(n, 96)], 0, 0


@row("qr 16 x 16", 22)
def _orthogonal_many(n: int) -> Made:
    return lambda np, a: np.linalg.qr(a)[1], [batch(n, 16)], 0, 0


@row("gemm 4 x 4", 20)
def _gemm_many(n: int) -> Made:
    return lambda np, a: a @ a, [batch(n, 4)], 0, 0


@row("fft", 26)
def _fft(n: int) -> Made:
    return lambda np, x: np.fft.fft(x), [values(n) + 0j], 32 * n, 0


@row("sort", 28)
def _sort(n: int) -> Made:
    return lambda np, x: np.sort(x), [values(n)], 16 * n, 0


@row("argsort", 25)
def _argsort(n: int) -> Made:
    return lambda np, x: np.argsort(x, kind="stable"), [values(min(n, 1 << 22))], 16 * min(n, 1 << 22), 0


# ---- One system ------------------------------------------------------------------------------------------


def sample(system: System, result: Any) -> list[float]:
    """Some elements."""
    flat = system.host(result).reshape(-1)
    return [float(abs(flat[k])) for k in numpy.linspace(0, flat.size - 1, 9).astype(int)]


def measure(system: System, call: Callable[..., Any], inputs: list[Any]) -> tuple[float, float, Any]:
    """Seconds of the first call, the least of a later one, and the first result's sample."""

    def batch(repeats: int) -> float:
        start = time.perf_counter()
        for _ in range(repeats):
            result = system.sent(call(*inputs))
        system.finish(result)
        return (time.perf_counter() - start) / repeats

    start = time.perf_counter()
    result = system.sent(call(*inputs))
    system.finish(result)
    first = time.perf_counter() - start
    seen = sample(system, result)
    del result
    if first > 4:
        return first, first, seen
    system.settle(lambda: call(*inputs))
    once = min(batch(1) for _ in range(2))
    repeats = max(1, min(200, int(0.15 / once)))
    return first, min(batch(repeats) for _ in range(3 if once < 0.5 else 1)), seen


def run_system(name: str, pattern: str, scale: int) -> None:
    """Every row on one system; a line of JSON for each."""
    system = SYSTEMS[name]()
    for title, bits, assigns, make in ROWS:
        if not re.search(pattern, title):
            continue
        function, inputs, nbytes, flops = make(1 << max(bits + scale, 0))
        call = system.compiled(function, assigns)
        if call is None:
            continue
        before = system.np.stats() if name == "cnumeric" else {}
        line: dict[str, Any] = {"row": title, "system": name, "bytes": nbytes, "flops": flops}
        try:
            first, seconds, seen = measure(system, call, [system.array(x) for x in inputs])
            line |= {"first": first, "seconds": seconds, "sample": seen}
        except Exception as error:  # a peer that cannot run a row is reported, not hidden
            line["error"] = f"{type(error).__name__}: {error}"[:200]
        if before:
            after = system.np.stats()
            names = ("moves", "move_bytes", "fallbacks", "compilations", "device_launches", "device_calls", "graphs")
            line |= {k: after[k] - before[k] for k in names}
        print(json.dumps(line), flush=True)


# ---- The table -------------------------------------------------------------------------------------------


def copy_rate(nbytes: int = 1 << 30) -> float:
    """Bytes a second, read and written, of copies on the device."""
    driver = ctypes.CDLL("libcuda.so.1")
    context, addresses = ctypes.c_void_p(), [ctypes.c_uint64(), ctypes.c_uint64()]
    good = driver.cuInit(0) == 0 and driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
    good = good and driver.cuCtxSetCurrent(context) == 0
    good = good and all(driver.cuMemAlloc_v2(ctypes.byref(a), ctypes.c_size_t(nbytes)) == 0 for a in addresses)
    if not good:
        raise OSError("no GPU")
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(4):
            driver.cuMemcpyDtoDAsync_v2(addresses[1], addresses[0], ctypes.c_size_t(nbytes), None)
        driver.cuCtxSynchronize()
        best = min(best, (time.perf_counter() - start) / 4)
    return 2 * nbytes / best


def agree(mine: list[float], theirs: list[float]) -> bool:
    return bool(numpy.allclose(mine, theirs, rtol=1e-4, atol=1e-7, equal_nan=True))


def cell(line: dict[str, Any] | None, rate: float, reference: list[float] | None) -> str:
    """Milliseconds, and the fraction of the limit or the rate."""
    if line is None:
        return "-"
    if "error" in line:
        return line["error"][:24]
    text = f"{line['seconds'] * 1e3:.3f} ms"
    if line["bytes"]:
        text += f" {line['bytes'] / line['seconds'] / rate:.3f}"
    elif line["flops"]:
        text += f" {line['flops'] / line['seconds'] / 1e12:.1f} TF"
    wrong = reference is not None and not agree(line["sample"], reference)
    return text + (" WRONG" if wrong else "")


def collect(names: list[str], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Runs each system in a process of its own; what it printed before it ended, however it ended."""
    lines = []
    for name in names:
        command = [sys.executable, __file__, "--only", name, "--rows", arguments.rows, "--scale", str(arguments.scale)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=arguments.seconds)
            output, failed = done.stdout, done.stderr[-1500:] if done.returncode != 0 else ""
        except subprocess.TimeoutExpired as error:
            output, failed = (error.stdout or b"").decode(), f"stopped after {arguments.seconds} s"
        lines += [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        if failed:
            print(f"{name}: {failed}")
    return lines


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="cNumeric, CuPy and JAX on one GPU.")
    parser.add_argument("--scale", type=int, default=0, help="log2 of the factor on every size")
    parser.add_argument("--rows", default="", help="a regular expression that names of rows must match")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="names with commas between")
    parser.add_argument("--seconds", type=int, default=150, help="most for each system")
    parser.add_argument("--output", type=pathlib.Path, default=None, help="file for all figures, as JSON")
    parser.add_argument("--only", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        run_system(arguments.only, arguments.rows, arguments.scale)
        return
    try:
        rate = copy_rate()
    except OSError as error:
        print(f"{error}: fractions are of 1 TB/s")
        rate = 1e12
    names = arguments.systems.split(",")
    lines = collect(names, arguments)
    found = {(line["row"], line["system"]): line for line in lines}
    print(f"copy {rate / 1e9:.0f} GB/s")
    print(
        f"{'':22}"
        + "".join(f"{name:>26}" for name in names)
        + "  cnumeric: moves MB, fallbacks, launches, graphs, first ms"
    )
    for title, *_ in ROWS:
        mine = found.get((title, "cnumeric"))
        if not any((title, name) in found for name in names):
            continue
        peers = [found[title, name]["sample"] for name in names[1:] if "sample" in found.get((title, name), {})]
        cells = [
            cell(found.get((title, name)), rate, peers[0] if peers and name == "cnumeric" else None) for name in names
        ]
        more = ""
        if mine is not None and "seconds" in mine:
            more = (
                f"  {mine['moves']} {mine['move_bytes'] / 1e6:.0f} {mine['fallbacks']} {mine['device_launches']} "
                f"{mine['graphs']} {mine['first'] * 1e3:.0f}"
            )
        print(f"{title:22}" + "".join(f"{text:>26}" for text in cells) + more)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps({"copy": rate, "rows": lines}, indent=1))


if __name__ == "__main__":
    main()
