"""What the example programs share: choosing the module that plays NumPy, and saying how long it took.

``python example.py [--module numpy] [--name value ...] [--compare]``
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from typing import Any


def timed(main: Callable[..., Any], module: str, values: dict[str, Any]) -> tuple[Any, float]:
    """Run ``main(np, ...)`` with that module as ``np``; give its results as NumPy arrays, and seconds."""
    import numpy

    np = importlib.import_module(module)
    start = time.perf_counter()
    results = main(np, **values)
    if module == "cnumeric":
        np.synchronize()
    seconds = time.perf_counter() - start
    return [numpy.asarray(result) for result in results], seconds


def parser(main: Callable[..., Any], **defaults: Any) -> argparse.ArgumentParser:
    """The options of a program whose ``main`` takes these values."""
    options = argparse.ArgumentParser(description=(main.__doc__ or "").splitlines()[0])
    options.add_argument("--module", default="cnumeric", choices=("cnumeric", "numpy"), help="what plays NumPy")
    options.add_argument(
        "--numpy", dest="module", action="store_const", const="numpy", help="the same as --module numpy"
    )
    options.add_argument("--cnumeric", dest="module", action="store_const", const="cnumeric")
    options.add_argument("--compare", action="store_true", help="run with both, and compare results and time")
    for name, value in defaults.items():
        options.add_argument(f"--{name}", type=type(value), default=value, metavar=type(value).__name__)
    return options


def compare(main: Callable[..., Any], values: dict[str, Any], results: list[Any], seconds: float) -> None:
    """Run with NumPy too; print both times and the largest difference."""
    import numpy

    expected, other = timed(main, "numpy", values)
    pairs = list(zip(results, expected, strict=True))
    equal = all(numpy.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in pairs)
    worst = max(float(numpy.max(numpy.abs(a - b.astype(a.dtype)), initial=0)) for a, b in pairs)
    print(f"numpy:    {other:.3f} s, cnumeric takes {seconds / other:.2f} of its time")
    print("results:  equal bit for bit" if equal else f"results:  differ by at most {worst:.3g}")


def run(main: Callable[..., Any], **defaults: Any) -> None:
    """The command line of a simple program."""
    options = vars(parser(main, **defaults).parse_args())
    values = {name: options[name] for name in defaults}
    results, seconds = timed(main, options["module"], values)
    print(f"{options['module'] + ':':9} {seconds:.3f} s")
    for result in results:
        text = f"mean {result.mean():.6g}" if result.size > 1 else f"{result}"
        print(f"          {result.dtype} {result.shape} {text}")
    if options["compare"] and options["module"] == "cnumeric":
        compare(main, values, results, seconds)
