"""Arrays larger than the GPU's memory: cNumeric with the GPU, with the processor alone, and CuPy.

    python bench/larger.py [--memory MiB] [--scale 0] [--rows REGEX] [--systems gpu,host,cupy] [--calls 4]

CNUMERIC_GPU_MEMORY, and CuPy's limit, are so many MiB; each array of a row takes half of that or more, and a row's
arrays do not fit together. --scale -1 makes arrays and memory half as large. The least time of all calls but the first,
and how many boxes and bytes went to the GPU for one. Each system is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy

SYSTEMS = ("gpu", "host", "cupy")
MIB = 1 << 20


def light(xp: Any, x: Any, y: Any) -> Any:
    return x * 2.5 + y


def chain(xp: Any, x: Any) -> Any:
    return xp.exp(xp.sin(xp.exp(xp.cos(x))))


def long_chain(xp: Any, x: Any) -> Any:
    for _ in range(4):
        x = xp.sin(xp.exp(xp.cos(x)))
    return x


Row = tuple[Callable[..., Any], list[tuple[int, ...]]]


def rows(memory: int) -> dict[str, Row]:
    """Functions, and the shapes of their arguments: float64 of about half of so many bytes each."""
    n = memory // 16
    side = int((memory / 8) ** 0.5) // 64 * 64
    return {
        "x @ y, of all the memory each": (lambda xp, x, y: x @ y, [(side, side), (side, side)]),
        "x * 2.5 + y": (light, [(n,), (n,)]),
        "exp(sin(exp(cos(x))))": (chain, [(n,)]),
        "twelve functions": (long_chain, [(n,)]),
        "exp(sin(exp(cos(x)))).sum()": (lambda xp, x: chain(xp, x).sum(), [(2 * n + 1024,)]),
        "sort of 32 lines": (lambda xp, x: xp.sort(x, axis=1), [(32, n // 32)]),
    }


def values(shape: tuple[int, ...], seed: int) -> Any:
    few = numpy.random.default_rng(seed).random(1 << 20)
    return numpy.resize(few, shape)


def measure(system: str, row: Row, calls: int) -> dict[str, Any]:
    function, shapes = row
    xp = __import__("cupy" if system == "cupy" else "cnumeric")
    arrays = [xp.array(values(shape, k)) for k, shape in enumerate(shapes)]
    least, counts, sample = 1e300, {}, None
    for _ in range(calls):  # the first makes kernels
        before = xp.stats() if system != "cupy" else {}
        begin = time.perf_counter()
        result = function(xp, *arrays)
        xp.cuda.Stream.null.synchronize() if system == "cupy" else (xp.flush(), xp.synchronize())
        least = min(least, time.perf_counter() - begin) if sample is not None else least
        after = xp.stats() if system != "cupy" else {}
        counts = {name: after[name] - before[name] for name in after if name.startswith("turn")}
        sample = [float(result.reshape(-1)[k]) for k in (0, result.size // 2, -1)]
        del result
    return {"seconds": least, "sample": sample} | counts


def child(system: str, name: str, memory: int, calls: int) -> None:
    if system == "cupy":
        import cupy

        cupy.get_default_memory_pool().set_limit(size=memory)
    try:
        print(json.dumps(measure(system, rows(memory)[name], calls)))
    except Exception as error:  # what a system cannot do is its row
        print(json.dumps({"error": f"{type(error).__name__}: {str(error)[:60]}"}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, default=4096, metavar="MIB")
    parser.add_argument("--scale", type=int, default=0)
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--rows", default="", metavar="REGEX")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    memory = int(options.memory * 2.0**options.scale) * MIB
    if options.child:
        child(*options.child, memory, options.calls)
        return
    for name in rows(memory):
        if not re.search(options.rows, name):
            continue
        print(f"{name}")
        for system in options.systems.split(","):
            env = os.environ | {"CNUMERIC_GPU_MEMORY": str(memory), "CNUMERIC_GPU_COLD": "0"}
            env |= {"CNUMERIC_GPU": "0"} if system == "host" else {}
            command = [sys.executable, __file__, *sys.argv[1:], "--child", system, name]
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            found = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {"error": done.stderr[-200:]}
            if "error" in found:
                print(f"  {system:6} {found['error']}")
                continue
            boxes = (
                f"  {found['turns']} boxes, {found['turn_up_bytes'] / 1e9:.2f} GB up, " if found.get("turns") else ""
            )
            boxes += f"{found['turn_down_bytes'] / 1e9:.2f} GB down" if boxes else ""
            print(f"  {system:6} {found['seconds']:8.3f} s  {found['sample'][1]:.6g}{boxes}", flush=True)


if __name__ == "__main__":
    main()
