"""Conway's game of life on a torus, in bytes and bools."""

from __future__ import annotations

from typing import Any


def main(np: Any, size: int = 256, steps: int = 100) -> tuple[Any, Any]:
    """Play from a scattered start; give the cells (size, size) and how many live after each step."""
    i = np.arange(size)
    cells = np.zeros((size + 2, size + 2), dtype=np.uint8)
    cells[1:-1, 1:-1] = (i[:, None] * 7 + i * i * 3) % 5 < 2
    alive = np.zeros(steps, dtype=np.int64)
    for t in range(steps):
        cells[0, :] = cells[-2, :]
        cells[-1, :] = cells[1, :]
        cells[:, 0] = cells[:, -2]
        cells[:, -1] = cells[:, 1]
        rows = cells[:-2, :] + cells[1:-1, :] + cells[2:, :]
        neighbours = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] - cells[1:-1, 1:-1]
        cells[1:-1, 1:-1] = (neighbours == 3) | ((neighbours == 2) & (cells[1:-1, 1:-1] == 1))
        alive[t] = cells[1:-1, 1:-1].sum()
    return cells[1:-1, 1:-1], alive


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=256, steps=100)
