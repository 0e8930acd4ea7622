"""One program as every rank's job: ``cnumeric run ... program.py NAME SIZE STEPS`` prints what ``stencils`` prints.

``program.py start`` prints seconds from the import to the end of the first window instead.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time

BEGAN = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples"))

import cnumeric as np  # noqa: E402


def results(name: str, size: int, steps: int) -> float:
    """Run the example; the sum that the C program prints."""
    module = __import__(name)
    if name == "channel_flow":
        u, _, p = module.main(np, nx=size, ny=size, steps=steps)
        return float(u.sum()) + float(p.sum())
    if name == "gray_scott":
        u, v = (inner.base for inner in module.main(np, size=size, steps=steps))
        return float(u.sum()) + float(v.sum())
    return float(module.main(np, size=size, steps=steps)[0].sum())


def timed(name: str, size: int, steps: int) -> dict[str, float]:
    """Seconds a step, once plans and kernels are there."""
    for _ in range(2):  # as many steps make the same windows; the second time with compiled kernels
        results(name, size, steps)
    np.stats_reset()
    began = time.perf_counter()
    total = results(name, size, steps)
    seconds = time.perf_counter() - began
    stats = np.stats()
    return {"seconds": seconds / steps, "sum": total, **{k: stats[k] for k in ("messages", "fallbacks", "root_bytes")}}


def first_window() -> dict[str, float]:
    """Seconds from the import of cnumeric to the end of the first window that all ranks worked on."""
    x = np.ones((2048, 1024))
    x += 1
    np.synchronize()
    return {"seconds": time.perf_counter() - BEGAN, "sum": float(x[-1, -1])}


if __name__ == "__main__":
    arguments = sys.argv[1:]
    print(json.dumps(first_window() if arguments == ["start"] else timed(arguments[0], *map(int, arguments[1:]))))
