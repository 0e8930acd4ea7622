"""``python -m bench``: time every row beside the installed peers; print, and write JSON and a picture.

All systems get the same processors and number of threads. Times are the least of batches taken in turn.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import sys


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="cNumeric beside its peers.")
    parser.add_argument("--threads", type=int, default=1, help="of every system (default 1)")
    parser.add_argument("--sizes", default="10,1000,100000,10000000", help="elements, with commas between")
    parser.add_argument("--rows", default="", help="a regular expression that names of rows must match")
    parser.add_argument("--systems", default="", help="names with commas between (default: all that are installed)")
    parser.add_argument("--seconds", type=float, default=0.3, help="a row, size and system (default 0.3)")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(__file__).with_name("results"), help="folder"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the rows, and stop")
    return parser.parse_args()


def pin(threads: int) -> None:
    """Give every library that many threads, on as many processors; before any of them is imported."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMEXPR_MAX", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    os.environ["NUMEXPR_MAX_THREADS"] = str(threads)
    os.environ["CNUMERIC_THREADS"] = str(threads)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[-threads:])


def main() -> int:
    """Run the command line."""
    chosen = options()
    pin(chosen.threads)

    from . import report
    from . import rows as _  # noqa: F401  (registers the rows)
    from .case import rows
    from .harness import least_times, measure
    from .limit import Limits
    from .systems import installed, repeated

    wanted = [row for row in rows if re.search(chosen.rows, row.name)]
    if chosen.list:
        print("\n".join(row.name for row in wanted))
        return 0
    systems, missing = installed(chosen.threads)
    if chosen.systems:
        systems = [s for s in systems if s.name in ("numpy", *chosen.systems.split(","))]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    versions = {system.name: system.version for system in systems}
    print(", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {chosen.threads} thread(s)")
    limits = Limits()
    rates = {}
    for name, (call, work) in {"triad": limits.triad(1e9), "matmul": limits.matmul(1e10)}.items():
        rates[name] = work / least_times({name: repeated(call)}, 0.3)[name]
    print(f"limits: triad {rates['triad'] / 1e9:.1f} GB/s ({limits.measured_with})", end=", ")
    print(f"matmul {rates['matmul'] / 1e9:.1f} GFLOP/s; measured again in turn with each row")
    print("x PEER: cNumeric's time divided by the peer's; of limit: of a triad that moves as much, or of matmul")
    peers = [system.name for system in systems if system.name != "cnumeric"]
    print(report.header(peers))
    results = []
    sizes = [int(float(size)) for size in chosen.sizes.split(",")]
    for row in wanted:
        for size in [None] if row.most is None else [size for size in sizes if size <= row.most]:
            found = list(measure(row, size, systems, limits, chosen.seconds))
            results += found
            print(report.line(found, peers), flush=True)
    path = report.write_json(chosen.output, results, versions, chosen.threads, rates)
    print(f"written: {os.path.relpath(path)}")
    if report.write_picture(results, path.with_suffix(".png")):
        print(f"written: {os.path.relpath(path.with_suffix('.png'))}")
    else:
        print("no picture: matplotlib is not installed, or no row has sizes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
