"""What ``cnumeric run --simulate`` prints: the windows that the program repeats, as many places would run them."""

from __future__ import annotations

from typing import Any

from . import _cnumeric

_COLUMNS = (
    ("runs", "runs", 1.0, "d"),
    ("launches", "launches", 1.0, "d"),
    ("messages_most", "messages most", 1.0, "d"),
    ("messages_median", "median", 1.0, "d"),
    ("bytes_most", "bytes most", 1.0, "d"),
    ("bytes_median", "median", 1.0, "d"),
    ("planning_most", "planning most/ms", 1e3, ".3f"),
    ("planning_median", "median/ms", 1e3, ".3f"),
    ("serial", "one place/ms", 1e3, ".3f"),
    ("predicted", "predicted/ms", 1e3, ".3f"),
)


def _constants() -> str:
    values = _cnumeric.settings()
    alpha, beta, launch, node = (values[f"simulate_{name}"] for name in ("alpha", "beta", "launch", "node"))
    return (
        f"constants: {alpha / 1e3:g} us a message, {beta / 1e3:g} ns a byte, {launch / 1e3:g} us a launch, "
        f"{node} places a machine; "
        "work takes its share of what it takes at one place"
    )


def table(windows: list[dict[str, Any]]) -> str:
    """Tell, for each run of a window, what a place does: the one with the most, and the one in the middle."""
    if not windows:
        return "cnumeric: the program repeats nothing that could be simulated"
    places = windows[0]["places"]
    rows = [[title for _, title, _, _ in _COLUMNS]]
    rows += [
        [format(w[name] * scale if scale != 1 else w[name], form) for name, _, scale, form in _COLUMNS] for w in windows
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"cnumeric: {places} places, each run of a window that repeats; every send has its receive"]
    lines += ["  " + "  ".join(word.rjust(width) for word, width in zip(row, widths, strict=True)) for row in rows]
    serial, predicted = (sum(w["runs"] * w[name] for w in windows) for name in ("serial", "predicted"))
    lines.append(f"  all of them: {serial:.4g} s at one place, {predicted:.4g} s predicted at {places}")
    return "\n".join([*lines, "  " + _constants()])
