"""Write the tables of docs/: settings.md from settings.def, operations.md from ops.def, coverage.md from coverage().

``python tools/make_docs.py [--check]``; --check writes nothing and fails if a table is not what the sources say. The
package must be importable; coverage.md is of the NumPy that it names and is left alone under another.
"""

from __future__ import annotations

import collections
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTE = "<!-- Written by tools/make_docs.py from {source}; `make docs` writes it again. -->"

SETTING = re.compile(r'^CN_(?:TEXT_)?SETTING\(\w+, "(\w+)",(?: (-?\d+),)? "(.*)"\)$', re.MULTILINE)
OP = re.compile(
    r'^CN_OP\(\w+, "(?P<name>\w+)", (?P<nin>\d), (?P<nout>\d), (?P<identity>\w+), \w+, (?P<cost>\d+), (?P<ulp>\d+),'
    r'.*"(?P<doc>[^"]*)"\)$',
    re.MULTILINE,
)


def table(heads: list[str], lines: list[list[str]]) -> str:
    """A table in Markdown."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows) + "\n"


def settings() -> str:
    """Every setting: its name, environment variable, default and meaning."""
    source = "core/base/settings.def"
    found = SETTING.findall((ROOT / source).read_text())
    lines = [[f"`{name}`", f"`CNUMERIC_{name.upper()}`", value, doc] for name, value, doc in found]
    return f"""# Settings

{NOTE.format(source=source)}

Read from the environment when the library is loaded; `cnumeric.settings(name=value)` changes one in a program,
`cnumeric.settings()` and `python -m cnumeric info` show them. No setting changes a result.

{table(["setting", "environment", "default", "meaning"], lines)}"""


def accuracy(ulp: str) -> str:
    """What is promised of the result."""
    return "NumPy's bits" if ulp == "0" else f"within {ulp} ulp"


def operations() -> str:
    """Every row of ops.def: operands, results, identity and accuracy."""
    source = "core/op/ops.def"
    found = [match.groupdict() for match in OP.finditer((ROOT / source).read_text())]
    lines = [
        [
            f"`{op['name']}`",
            op["nin"],
            op["nout"],
            op["identity"].lower().replace("_", " "),
            accuracy(op["ulp"]),
            op["doc"],
        ]
        for op in found
    ]
    return f"""# Elementwise operations

{NOTE.format(source=source)}

Each is a ufunc of NumPy's name, with NumPy's dtypes and promotion. Accuracy is for real dtypes; integer results and
comparisons are NumPy's.

{table(["name", "inputs", "results", "identity", "accuracy", "meaning"], lines)}"""


def numpy_version() -> str:
    """The installed NumPy, without the number of its patch."""
    import numpy

    return ".".join(numpy.__version__.split(".")[:2])


def names_by_part() -> dict[str, dict[str, list[str]]]:
    """Part of NumPy -> kind -> names, from `cnumeric.coverage()`."""
    import cnumeric

    parts: dict[str, dict[str, list[str]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for name, kind in cnumeric.coverage().items():
        part, _, short = name.rpartition(".")
        parts[f"numpy.{part}" if part else "numpy"][kind].append(short)
    first = ("numpy", "numpy.ndarray")
    return {part: parts[part] for part in (*first, *sorted(parts.keys() - set(first)))}


def coverage() -> str:
    """How many names of each part of NumPy are native, composed and fallback, and which are fallback."""
    kinds = ("native", "composed", "fallback")
    lines, lists = [], []
    for part, names in names_by_part().items():
        counts = [len(names[kind]) for kind in kinds]
        share = f"{100 * (counts[0] + counts[1]) / sum(counts):.0f} %"
        lines.append([f"`{part}`", str(sum(counts)), *map(str, counts), share])
        if names["fallback"]:
            text = ", ".join(f"`{name}`" for name in sorted(names["fallback"]))
            lists.append(f"**{part}**: " + textwrap.fill(text, 116, initial_indent=" " * (len(part) + 6)).lstrip())
    joined = "\n\n".join(lists)
    return f"""# Coverage

{NOTE.format(source="cnumeric.coverage()")}

How the public names of NumPy {numpy_version()} are served. Native: the core computes it, or it is one of NumPy's own
objects that computes nothing. Composed: of native calls. Fallback: NumPy computes it, on memory that is shared, and the
results are ours again. `python -m cnumeric coverage` prints every name.

{table(["part", "names", *kinds, "native or composed"], lines)}
## What is fallback

{joined}
"""


def stale() -> list[str]:
    """The documents that are not what the sources say."""
    found = []
    path = ROOT / "docs" / "coverage.md"
    other = path.is_file() and f"NumPy {numpy_version()}." not in path.read_text()
    for name, text in documents().items():
        if name == "coverage.md" and other:
            continue
        path = ROOT / "docs" / name
        if not path.is_file() or path.read_text() != text:
            found.append(f"docs/{name}")
    return found


def documents() -> dict[str, str]:
    """File name to text."""
    return {"settings.md": settings(), "operations.md": operations(), "coverage.md": coverage()}


def main() -> int:
    """Run the command line."""
    if "--check" in sys.argv:
        found = stale()
        print(f"not up to date, run `make docs`: {', '.join(found)}" if found else "docs: up to date")
        return 1 if found else 0
    (ROOT / "docs").mkdir(exist_ok=True)
    for name, text in documents().items():
        (ROOT / "docs" / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
