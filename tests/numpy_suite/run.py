"""NumPy's own tests, taken from the installed wheel, with cNumeric in NumPy's place.

    python tests/numpy_suite/run.py [--update] [--jobs N] [file ...]

Every file runs in a process of its own with a time limit. Its ``import numpy`` lines become ``import cnumeric`` in a
copy in a temporary folder; nothing of NumPy is kept here. The tests that are expected to fail (C-API internals,
reference counts, what is not built yet) are listed in expected/; any other failure, a crash or a time-out, makes the
run fail. ``--update`` writes the lists anew: read the difference.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import numpy

EXPECTED = pathlib.Path(__file__).parent / "expected"
WHEEL = pathlib.Path(numpy.__file__).parent
SECONDS = 300
FILES = [
    "_core/tests/test_einsum.py",
    "_core/tests/test_function_base.py",
    "_core/tests/test_indexing.py",
    "_core/tests/test_item_selection.py",
    "_core/tests/test_numeric.py",
    "lib/tests/test_arraysetops.py",
    "lib/tests/test_function_base.py",
    "lib/tests/test_index_tricks.py",
    "lib/tests/test_nanfunctions.py",
    "lib/tests/test_shape_base.py",
    "lib/tests/test_stride_tricks.py",
    "lib/tests/test_twodim_base.py",
]
IMPORTS = [
    (r"^(\s*)import numpy as np\b", r"\1import cnumeric as np"),
    (r"^(\s*)import numpy\s*$", r"\1import cnumeric as numpy"),
    (r"^(\s*)from numpy import", r"\1from cnumeric import"),
    (r"^(\s*)from numpy\.(testing|random|linalg|exceptions|ma|fft|lib\.\w+) import", r"\1from cnumeric.\2 import"),
]


def with_cnumeric(source: str) -> str:
    """Give the test file's text with NumPy's imports turned into ours."""
    for pattern, replacement in IMPORTS:
        source = re.sub(pattern, replacement, source, flags=re.M)
    return source


def run(name: str) -> tuple[int, set[str], str]:
    """Run one file: how many tests ran, which failed, and what went wrong with the process itself ("": nothing)."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / f"test_{name.replace('/', '_').removesuffix('.py')}.py"
        report = pathlib.Path(folder) / "report.xml"
        copy.write_text(with_cnumeric((WHEEL / name).read_text()))
        command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider", "--rootdir", folder]
        try:
            done = subprocess.run(
                [*command, f"--junitxml={report}", str(copy)],
                cwd=folder,
                timeout=SECONDS,
                capture_output=True,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 0, set(), f"not done after {SECONDS} s"
        if done.returncode not in (0, 1) or not report.exists():
            return 0, set(), f"exit code {done.returncode}: {done.stdout.strip()[-300:]} {done.stderr.strip()[-300:]}"
        failed = set()
        cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
        for case in cases:
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add(f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}")
        return len(cases), failed, ""


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the lists of expected failures")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*", default=FILES)
    options = parser.parse_args()
    bad = passed = total = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, (count, failed, trouble) in zip(options.files, pool.map(run, options.files), strict=True):
            listing = EXPECTED / f"{name.replace('/', '_').removesuffix('.py')}.txt"
            if options.update and not trouble:
                listing.write_text("".join(f"{test}\n" for test in sorted(failed)))
            expected = set(listing.read_text().splitlines()) if listing.exists() else set()
            new = sorted(failed - expected)
            bad += len(new) + bool(trouble)
            passed += count - len(failed)
            total += count
            print(f"{name}: {count - len(failed)} of {count} pass, {len(new)} fail unexpectedly {trouble}")
            for test in new:
                print(f"    {test}")
    print(f"{passed} of {total} of NumPy's own tests pass ({100 * passed / max(total, 1):.1f} %)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
