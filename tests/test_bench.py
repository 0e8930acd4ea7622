"""The benchmark runs, checks results, and says what it measured."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def bench(*arguments):
    command = [sys.executable, "-m", "bench", "--seconds", "0", "--systems", "cnumeric", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, cwd=ROOT).stdout


def test_a_run_prints_a_table_and_writes_json(tmp_path):
    text = bench("--rows", r"triad|channel|recording a \+ b|LU", "--sizes", "10,2000", "--output", tmp_path)
    assert "x numpy" in text
    assert "WRONG" not in text
    assert "computed by NumPy" not in text
    (path,) = tmp_path.glob("*.json")
    report = json.loads(path.read_text())
    assert set(report["versions"]) == {"numpy", "cnumeric"}
    assert {result["system"] for result in report["results"]} == {"numpy", "cnumeric"}
    assert len(report["results"]) == 2 * (2 + 2 + 1 + 1)
    assert all(result["seconds"] > 0 for result in report["results"])


def test_rows_of_the_requirements_are_there():
    names = bench("--list")
    for part in ("triad", "chain", "Black-Scholes", "sum", "mean((x-y)**2)", "var(axis=0)", "Jacobi", "channel flow"):
        assert part in names
    for part in ("Gray-Scott", "cumsum", "sort", "searchsorted", "matmul", "einsum", "recording", "import", "Durbin"):
        assert part in names
