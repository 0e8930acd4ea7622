"""``--alias numpy``: what a program imports as numpy is cnumeric; what libraries import is NumPy."""

from __future__ import annotations

import builtins
import os
import site
import sysconfig
from typing import Any


def _libraries() -> tuple[str, ...]:
    """Give the folders of files that are not the program's."""
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(site.getsitepackages())
    found.add(site.getusersitepackages())
    found.add(os.path.dirname(__file__))
    return tuple(os.path.join(path, "") for path in found)


def install() -> None:
    """Turn ``import numpy`` in any of its forms, in files of the program, into an import of cnumeric.

    A file is the program's unless it lies where Python or packages are installed. Imports by the C API, which pass a
    list of names, and by importlib are left alone.
    """
    original = builtins.__import__
    libraries = _libraries()

    def aliased(
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        if level == 0 and name.partition(".")[0] == "numpy" and type(fromlist) is not list:
            file = globals.get("__file__") if globals is not None else None
            if file is None or not os.path.abspath(file).startswith(libraries):
                name = "cnumeric" + name[len("numpy") :]
        return original(name, globals, locals, fromlist, level)

    builtins.__import__ = aliased
