"""What a run leaves: a table on the screen, JSON, and a picture."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import pathlib
import platform
from typing import Any

from .harness import Result


def time_text(seconds: float) -> str:
    """With three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def header(peers: list[str]) -> str:
    """The first lines of the table."""
    columns = "".join(f"{'x ' + peer:>11}" for peer in peers)
    return f"{'row':32}{'size':>11}{'cnumeric':>11}{columns}{'of limit':>10}\n" + "-" * (64 + 11 * len(peers))


def line(results: list[Result], peers: list[str]) -> str:
    """One row at one size: cNumeric's time, by each peer's (below 1: cNumeric is faster), and part of the limit."""
    by_system = {result.system: result for result in results}
    first, ours = results[0], by_system.get("cnumeric")
    text = f"{first.row:32}{'' if first.size is None else format(first.size, ','):>11}"
    text += f"{time_text(ours.seconds) if ours else '-':>11}"
    for peer in peers:
        theirs = by_system.get(peer)
        text += f"{ours.seconds / theirs.seconds:>11.2f}" if ours and theirs else f"{'-':>11}"
    text += f"{ours.fraction:>10.2f}" if ours and ours.fraction else f"{'-':>10}"
    wrong = [result.system for result in results if result.wrong]
    notes = ["computed by NumPy"] if ours and ours.fallback else []
    return text + "".join(f"  ({note})" for note in notes + [f"WRONG: {name}" for name in wrong])


def processor() -> str:
    """Its model, as Linux tells it."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((text.partition(": ")[2] for text in lines if text.startswith("model name")), platform.machine())


def write_json(
    folder: pathlib.Path, results: list[Result], versions: dict[str, str], threads: int, limits: dict[str, Any]
) -> pathlib.Path:
    """Everything measured, with what it was measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    path = folder / f"{now:%Y%m%d-%H%M%S}.json"
    report = {
        "time": now.isoformat(timespec="seconds"),
        "processor": processor(),
        "processors": os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "versions": versions,
        "limits": limits,
        "results": [dataclasses.asdict(result) for result in results],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")
    return path


def write_picture(results: list[Result], path: pathlib.Path) -> bool:
    """Speed against size, one curve a system; False without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return False
    names = list(dict.fromkeys(result.row for result in results if result.size is not None))
    if not names:
        return False
    columns = min(4, len(names))
    figure, axes = pyplot.subplots(-(-len(names) // columns), columns, squeeze=False, layout="constrained")
    figure.set_size_inches(4 * columns, 3 * len(axes))
    for axis, name in zip(axes.flat, names, strict=False):
        for colour, system in enumerate(dict.fromkeys(result.system for result in results)):
            points = [(r.size, r.size / r.seconds) for r in results if r.row == name and r.system == system and r.size]
            if points:
                axis.loglog(*zip(*points, strict=True), color=f"C{colour}", marker="o", markersize=3, label=system)
        axis.set_title(name, fontsize=9)
        axis.set_ylabel("elements a second", fontsize=7)
        axis.tick_params(labelsize=7)
    for axis in list(axes.flat)[len(names) :]:
        axis.remove()
    axes.flat[0].legend(fontsize=7)
    figure.savefig(path, dpi=120)
    return True
