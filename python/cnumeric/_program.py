"""What ``cnumeric run`` starts as rank 0: a program, as ``python prog.py`` would run it.

``python -m cnumeric._program [--launched[=FILE]] [--alias=numpy] [--report] [--profile=FILE] [--simulate] PROG
[argument ...]``; "-" is a program on standard input, ``--console`` a console, ``--info`` a description, in PROG's
place.
"""

from __future__ import annotations

import atexit
import code
import importlib.machinery
import io
import os
import signal
import sys
import types
from typing import Any

import cnumeric

from . import _cnumeric, _fallback, _simulation


def report() -> str:
    """Tell which functions NumPy has computed, most called first, and the counters."""
    lines = ["cnumeric: functions that NumPy computed (calls, function, line)"]
    for (name, file, line), count in sorted(_fallback.calls.items(), key=lambda each: (-each[1], each[0])):
        lines.append(f"  {count:8} {name}  {os.path.relpath(file)}:{line}")
    if not _fallback.calls:
        lines[0] = "cnumeric: NumPy computed nothing"
    processes = _cnumeric.net_size()
    lines.append(
        f"cnumeric: {processes} process{'es' if processes > 1 else ''}, GPU of rank 0: {_cnumeric.info('gpu')}"
    )
    if processes > 1:
        lines.append(f"cnumeric: messages between GPUs: NCCL {_cnumeric.info('nccl')}")
    lines.append("cnumeric: counters")
    lines += [f"  {value:16} {name}" for name, value in _cnumeric.stats().items() if value]
    return "\n".join(lines)


def _print_report() -> None:
    print(report(), file=sys.stderr, flush=True)


def _print_simulation() -> None:
    _cnumeric.synchronize()
    print(_simulation.table(_cnumeric.simulation()), file=sys.stderr, flush=True)


def _write_trace(path: str) -> None:
    _cnumeric.synchronize()
    try:
        _cnumeric.trace_write(path)
        print(f"cnumeric: trace in {path}, for ui.perfetto.dev", file=sys.stderr, flush=True)
    except OSError as error:
        print(f"cnumeric: no trace: {error}", file=sys.stderr, flush=True)


# ---- The program -----------------------------------------------------------------------------------------


def _main_module(file: str | None) -> dict[str, Any]:
    """Make the module __main__ anew, as Python makes it for a file; give its names."""
    module = types.ModuleType("__main__")
    if file is not None:
        module.__file__ = file
        module.__loader__ = importlib.machinery.SourceFileLoader("__main__", file)
    sys.modules["__main__"] = module
    return module.__dict__


def _run_file(arguments: list[str]) -> None:
    file = arguments[0]
    sys.argv[:] = arguments
    if file == "-":
        exec(compile(sys.stdin.read(), "<stdin>", "exec", dont_inherit=True), _main_module(None))
        return
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(file))
    with io.open_code(os.path.abspath(file)) as source:
        program = compile(source.read(), file, "exec", dont_inherit=True)
    exec(program, _main_module(file))


def _run_console() -> None:
    try:
        import readline  # noqa: F401  (line editing)
    except ImportError:
        pass
    sys.argv[:] = [""]
    names = _main_module(None)
    names["np"] = cnumeric
    ranks = _cnumeric.net_size()
    where = f", {ranks} ranks" if ranks > 1 else ""
    banner = f"cnumeric {cnumeric.__cnumeric_version__}{where}, Python {sys.version.split()[0]}: np is cnumeric"
    code.interact(banner, local=names, exitmsg="")


def _run(arguments: list[str]) -> None:
    if arguments[0] == "--console":
        _run_console()
    elif arguments[0] == "--info":
        from .__main__ import info

        print(info())
    else:
        _run_file(arguments)


# ---- Its end ---------------------------------------------------------------------------------------------


def _show(error: BaseException) -> None:
    """Print the error without the frames of this file, as an uncaught one."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)


def _status(error: BaseException) -> int:
    """Give the exit status that Python would end with."""
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 255
        print(error.code, file=sys.stderr)
        return 1
    _show(error)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def _run_and_tell(arguments: list[str]) -> int:
    try:
        _run(arguments)
    except BaseException as error:
        return _status(error)
    return 0


def main(arguments: list[str]) -> int:
    """Run the command line; the process's exit status."""
    told = None
    while arguments[0].startswith("--") and arguments[0] not in ("--console", "--info"):
        option, _, value = arguments.pop(0).partition("=")
        if option == "--alias":
            from . import _alias

            _alias.install()
        elif option == "--report":
            atexit.register(_print_report)
        elif option == "--profile":
            atexit.register(_write_trace, value)
        elif option == "--simulate":
            atexit.register(_print_simulation)
        elif option == "--launched":
            told = value
            signal.signal(signal.SIGUSR1, signal.default_int_handler)  # the driver's word for Ctrl-C
    status = _run_and_tell(arguments)
    if told and os.path.isdir(os.path.dirname(told)):
        with open(told, "w") as file:
            file.write(str(status))
        return 0  # the driver knows; a launcher would make a long message of any other number
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
