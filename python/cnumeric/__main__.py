"""The command ``cnumeric``, also ``python -m cnumeric``: run, info, coverage."""

from __future__ import annotations

import argparse
import collections
import sys
from typing import Any

import cnumeric
import numpy

from . import _cnumeric, _modules, _run


def info() -> str:
    """Describe this build and machine: version, instruction set, libraries, settings with their meaning."""
    lines = [
        f"cnumeric {cnumeric.__cnumeric_version__}",
        f"numpy {numpy.__version__}",
        f"python {sys.version.split()[0]}",
    ]
    value: Any
    for what in ("places", "instruction_set", "compiler", "kernel_compiler", "blas", "gpu", "nccl", "mpi"):
        value = _cnumeric.info(what)
        if value is not None:
            lines.append(f"{what.replace('_', ' ')}: {value}")
    lines.append("settings (environment variable CNUMERIC_<NAME>, or cnumeric.settings(name=value)):")
    for name, value, default, doc in _cnumeric.settings_table():
        mark = "" if value == default else f" (default {default})"
        lines.append(f"  {name} = {value}{mark}")
        lines.append(f"      {doc}")
    return "\n".join(lines)


def coverage(kind: str | None) -> str:
    """List the names of numpy with how each is served, and the totals."""
    table = _modules.coverage()
    lines = [f"{name:40} {how}" for name, how in sorted(table.items()) if kind in (None, how)]
    counts = collections.Counter(table.values())
    lines.append(", ".join(f"{count} {how}" for how, count in sorted(counts.items())))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="cnumeric", description="NumPy programs, faster.")
    commands = parser.add_subparsers(dest="command", required=True)
    _run.add_arguments(commands.add_parser("run", help="a program, on many processes if asked for"))
    commands.add_parser("info", help="version, instruction set, libraries, settings")
    listing = commands.add_parser("coverage", help="how each name of numpy is served")
    listing.add_argument("--kind", choices=("native", "composed", "fallback"), help="list these only")
    options = parser.parse_args(arguments)
    if options.command == "run":
        return _run.main(options)
    print(info() if options.command == "info" else coverage(options.kind))
    return 0


if __name__ == "__main__":
    sys.exit(main())
