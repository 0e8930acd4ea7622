"""Temperature of a plate between a hot and a cold edge, by Jacobi's iteration."""

from __future__ import annotations

from typing import Any


def main(np: Any, size: int = 512, steps: int = 200, check: int = 50) -> tuple[Any, Any]:
    """Iterate; give the temperatures and the last change that was looked at (every `check` steps)."""
    t = np.zeros((size, size))
    t[0, :] = 100.0
    t[-1, :] = -20.0
    change = np.zeros(())
    for step in range(steps):
        new = t.copy()
        new[1:-1, 1:-1] = 0.25 * (t[1:-1, :-2] + t[1:-1, 2:] + t[:-2, 1:-1] + t[2:, 1:-1])
        if (step + 1) % check == 0:
            change = abs(new - t).max()
            if change < 1e-6:
                break
        t = new
    return t, np.asarray(change)


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=512, steps=200)
