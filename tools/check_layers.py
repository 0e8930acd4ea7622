"""Check that the tree is the pipeline: who includes whom, headers that stand alone, unique file names.

Each folder of core/ may include itself and the folders before it in ``ORDER``. The extension sees the core through
cnumeric.h alone. A header without an include guard is a template (included several times): it need not stand alone.

    python tools/check_layers.py [--headers] [--compiler CC]
"""

from __future__ import annotations

import argparse
import collections
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDER = ("base", "op", "record", "plan", "exec", "cpu", "cuda", "net")
SOURCES = (".c", ".h", ".def", ".inc")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def sources(folder: str) -> Iterator[pathlib.Path]:
    """Give the C files below a folder of the tree."""
    return (path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in SOURCES)


def includes(path: pathlib.Path) -> list[str]:
    """Give the names that a file includes in quotes."""
    return INCLUDE.findall(path.read_text())


def layers() -> Iterator[str]:
    """Complain about includes that go up the pipeline, or name a file in another way than by its folder."""
    for path in sources("core"):
        layer = path.parent.name
        if layer not in ORDER or path.parent.parent != ROOT / "core":
            yield f"{path.relative_to(ROOT)}: core has the folders {', '.join(ORDER)}, two levels, no deeper"
            continue
        for name in includes(path):
            folder, slash, _ = name.partition("/")
            if name == "cnumeric.h":
                continue
            if not slash or not (ROOT / "core" / name).is_file():
                yield f'{path.relative_to(ROOT)}: "{name}" is not a file of core/, named folder/file'
            elif ORDER.index(folder) > ORDER.index(layer):
                yield f"{path.relative_to(ROOT)}: {layer} must not include {name}"


def outside() -> Iterator[str]:
    """Complain about files outside the core that include more of it than they may."""
    for folder in ("python/ext", "examples", "bench", "include"):
        for path in sources(folder):
            own = {each.name for each in path.parent.iterdir()}
            for name in includes(path):
                if name != "cnumeric.h" and name not in own:
                    yield f"{path.relative_to(ROOT)}: may include cnumeric.h and its own folder, not {name}"


def names() -> Iterator[str]:
    """Complain about C files of one name."""
    places = collections.defaultdict(list)
    for folder in ("include", "core", "python/ext", "tests/core", "examples"):
        for path in sources(folder):
            places[path.name].append(str(path.relative_to(ROOT)))
    for paths in places.values():
        if len(paths) > 1:
            yield f"one name, several files: {', '.join(paths)}"


def headers(compiler: str) -> Iterator[str]:
    """Complain about headers of the core that do not compile alone."""
    for path in (*sources("include"), *sources("core")):
        text = path.read_text()
        if path.suffix != ".h" or "#ifndef" not in text or "<mpi.h>" in text:  # not every machine has that
            continue
        flags = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
        command = [compiler, *flags, f"-I{ROOT / 'core'}", f"-I{ROOT / 'include'}", "-fsyntax-only", "-x", "c", "-"]
        name = path.relative_to(ROOT / ("include" if path.parent.name == "include" else "core"))
        done = subprocess.run(command, input=f'#include "{name}"\n', capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if ": error:" in line or "fatal error" in line]
            yield f"{path.relative_to(ROOT)} does not compile alone: {errors[0] if errors else done.stderr}"


def problems(compiler: str | None = None) -> list[str]:
    """Give every complaint; headers are compiled if a compiler is given."""
    found = [*layers(), *outside(), *names()]
    return found + (list(headers(compiler)) if compiler else [])


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Layers, headers and file names of the C sources.")
    parser.add_argument("--headers", action="store_true", help="compile every header alone")
    parser.add_argument("--compiler", default="cc")
    options = parser.parse_args()
    found = problems(options.compiler if options.headers else None)
    print("\n".join(found) if found else "layers: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
