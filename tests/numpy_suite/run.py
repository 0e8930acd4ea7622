"""NumPy's own tests, taken from the installed wheel, with cNumeric in NumPy's place.

    python tests/numpy_suite/run.py [--numpy] [--update] [--jobs N] [--show] [file ...]

Every file runs in a process of its own. Its ``import numpy`` lines become ``import cnumeric`` in a copy in a temporary
folder; nothing of NumPy is kept here. A test that crashes or hangs is a failed test: the rest of its file runs in a
new process. The tests that are expected to fail are listed in expected/, below the reason; any other that fails makes
the run fail, and so does one that passes at last, until ``--update`` has taken it from its list.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy

HERE = pathlib.Path(__file__).resolve().parent
WHEEL = pathlib.Path(numpy.__file__).parent
SECONDS_A_TEST = 180
SECONDS_A_FILE = 900
PROCESSES_A_FILE = 20
EXPECTED = HERE / "expected"

# The longest first, so that they do not run alone at the end.
FILES = [
    "_core/tests/test_multiarray.py",
    "_core/tests/test_umath.py",
    "_core/tests/test_ufunc.py",
    "_core/tests/test_numeric.py",
    "_core/tests/test_scalarmath.py",
    "_core/tests/test_einsum.py",
    "_core/tests/test_array_coercion.py",
    "_core/tests/test_half.py",
    "_core/tests/test_indexing.py",
    "_core/tests/test_function_base.py",
    "_core/tests/test_item_selection.py",
    "_core/tests/test_nep50_promotions.py",
    "_core/tests/test_shape_base.py",
    "lib/tests/test_function_base.py",
    "lib/tests/test_nanfunctions.py",
    "lib/tests/test_arraypad.py",
    "lib/tests/test_arraysetops.py",
    "lib/tests/test_histograms.py",
    "lib/tests/test_index_tricks.py",
    "lib/tests/test_shape_base.py",
    "lib/tests/test_stride_tricks.py",
    "lib/tests/test_twodim_base.py",
    "fft/tests/test_helper.py",
    "fft/tests/test_pocketfft.py",
]

# What tests import to look inside NumPy; it is loaded once, from NumPy.
INSIDES = re.compile(r"_(\w+_tests|umath_linalg|simd|private|locales)\b")
IMPORT = re.compile(r"^(\s*)(from|import) numpy\b(?!\w)([\w.]*)(.*)$", re.MULTILINE)


def with_cnumeric(source: str) -> str:
    """Give the test file's text with NumPy's imports turned into ours."""

    def turned(line: re.Match[str]) -> str:
        indent, word, rest, names = line.groups()
        if INSIDES.search(rest + names):
            return line.group()
        name = " as numpy" if word == "import" and not rest and not names.strip() else ""
        return f"{indent}{word} cnumeric{rest}{name}{names}"

    return IMPORT.sub(turned, source)


# ---- One file --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Result:
    """What became of the tests of a file: name -> text of the failure; trouble: the file could not be run."""

    passed: set[str] = dataclasses.field(default_factory=set)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    skipped: set[str] = dataclasses.field(default_factory=set)
    seconds: float = 0.0
    trouble: str = ""

    def read(self, log: pathlib.Path) -> str:
        """Take up a log; give the name of the test that was running when it ended ("": none)."""
        running = ""
        for line in log.read_text().splitlines() if log.exists() else []:
            word, name, text = line.split("\t", 2)
            running = name if word == "start" else ""
            if word == "pass":
                self.passed.add(name)
            elif word == "fail":
                self.failed[name] = text
            elif word == "skip":
                self.skipped.add(name)
        self.passed -= self.failed.keys()
        return running

    def done(self) -> set[str]:
        """The tests that need not run again."""
        return self.passed | self.failed.keys() | self.skipped


def process(module: str, test: pathlib.Path, limit: float) -> subprocess.CompletedProcess[str]:
    """Run what is not done yet of the copy, until it is through, crashes or has used up its time."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, [str(HERE), *filter(None, sys.path)])),
        "CN_SUITE_MODULE": module,
        "CN_SUITE_LOG": str(test.with_suffix(".log")),
        "CN_SUITE_DONE": str(test.with_suffix(".done")),
        "CN_SUITE_SECONDS": str(SECONDS_A_TEST),
        "NPY_AVAILABLE_MEM": "1 GB",
        "NUMPY_EXPERIMENTAL_DTYPE_API": "1",
    }
    options = ["-q", "-W", "ignore", "-p", "no:cacheprovider", "-p", "recorder", "--tb=short", "--rootdir", test.parent]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, test],
        cwd=test.parent,
        env=environment,
        timeout=limit,
        capture_output=True,
        text=True,
        check=False,
    )


def run(name: str, module: str) -> Result:
    """Run one file, in as many processes as it crashes, and one more."""
    result, begin = Result(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        test = pathlib.Path(folder) / f"{short(name)}.py"
        log, done = test.with_suffix(".log"), test.with_suffix(".done")
        source = (WHEEL / name).read_text()
        test.write_text(with_cnumeric(source) if module == "cnumeric" else source)
        for _ in range(PROCESSES_A_FILE):
            done.write_text("\n".join(result.done()))
            log.unlink(missing_ok=True)
            try:
                ended = process(module, test, SECONDS_A_FILE - (time.monotonic() - begin))
                how = f"exit code {ended.returncode}: {ended.stderr.strip()[-1000:]}"
            except subprocess.TimeoutExpired:
                ended, how = None, f"not done after {SECONDS_A_FILE} s"
            running = result.read(log)
            if running:
                result.failed[running] = how
            elif ended is None or ended.returncode not in (0, 1, 5):
                result.trouble = f"{how} {ended.stdout.strip()[-1000:] if ended else ''}"
                break
            if not running or ended is None:
                break
        else:
            result.trouble = f"crashed {PROCESSES_A_FILE} times"
    result.seconds = time.monotonic() - begin
    return result


# ---- Expected failures -----------------------------------------------------------------------------------


def short(name: str) -> str:
    """The name of what belongs to a file: "core_test_half" for "_core/tests/test_half.py"."""
    return name.removesuffix(".py").replace("/tests/", "_").strip("_")


def listing(name: str) -> pathlib.Path:
    """The list of a file's expected failures."""
    return EXPECTED / f"{short(name)}.txt"


def expected(name: str) -> dict[str, str]:
    """The tests that are expected to fail, with the reason that stands above them."""
    reason, tests = "", {}
    for line in listing(name).read_text().splitlines() if listing(name).exists() else []:
        if line.startswith("# "):
            reason = line[2:]
        elif line:
            tests[line] = reason
    return tests


def is_internal(reason: str) -> bool:
    """Whether no other library can pass: the test looks inside NumPy."""
    return reason.startswith("NumPy's own: ")


def shrink(name: str, passed: set[str]) -> None:
    """Take from the list what passes, and reasons that have no test left."""
    if not listing(name).exists():
        return
    lines = [line for line in listing(name).read_text().splitlines() if line not in passed]
    kept = [
        line for line, after in zip(lines, [*lines[1:], "# "], strict=True) if line[:2] != "# " or after[:2] != "# "
    ]
    listing(name).write_text("".join(f"{line}\n" for line in kept))
    if not kept:
        listing(name).unlink()


def enter(name: str, result: Result) -> None:
    """Write what a file's tests do now into the table of README.md."""
    known = expected(name)
    inside = sum(is_internal(known.get(test, "")) for test in result.failed)
    passed, possible = len(result.passed), len(result.passed) + len(result.failed) - inside
    row = re.compile(rf"^(\| `{re.escape(name)}` \| [^|]*\|).*$", re.MULTILINE)
    readme = HERE / "README.md"
    share = f"{passed} of {possible} ({100 * passed / max(possible, 1):.1f} %)"
    readme.write_text(row.sub(rf"\1 {share} | {inside} |", readme.read_text()))


# ---- The command line ------------------------------------------------------------------------------------


def report(name: str, result: Result, show: bool) -> int:
    """Print a file's line and its news; give how many there are."""
    known = expected(name)
    fails = sorted(result.failed.keys() - known.keys())
    passes = sorted(result.passed & known.keys())
    possible = len(result.passed) + sum(not is_internal(known.get(test, "")) for test in result.failed)
    print(
        f"{name}: {len(result.passed)} of {possible} pass ({100 * len(result.passed) / max(possible, 1):.1f} %), "
        f"{len(result.failed) - (possible - len(result.passed))} look inside NumPy, {len(result.skipped)} skipped, "
        f"{result.seconds:.0f} s {result.trouble}",
        flush=True,
    )
    for test in fails:
        print(f"    fails: {test}")
        if show:
            print("        " + result.failed[test].replace("\\n", "\n        "))
    for test in passes:
        print(f"    passes at last: {test}")
    return len(fails) + len(passes) + bool(result.trouble)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numpy", action="store_true", help="run the tests as they are, with NumPy")
    parser.add_argument("--update", action="store_true", help="take from the lists what passes; write the table")
    parser.add_argument("--show", action="store_true", help="print the end of each unexpected failure")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*", default=FILES)
    options = parser.parse_args()
    module = "numpy" if options.numpy else "cnumeric"
    bad = passed = total = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(run, name, module): name for name in options.files}
        for future in concurrent.futures.as_completed(running):
            name, result = running[future], future.result()
            if options.update and not options.numpy and not result.trouble:
                shrink(name, result.passed)
                enter(name, result)
            bad += report(name, result, options.show)
            passed += len(result.passed)
            total += len(result.passed) + len(result.failed)
    print(f"{passed} of {total} of NumPy's own tests pass ({100 * passed / max(total, 1):.1f} %)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
