"""Poisson's equation in a square by multigrid: V-cycles of Jacobi sweeps on ever coarser grids."""

from __future__ import annotations

from typing import Any


def residual(np: Any, u: Any, f: Any) -> Any:
    """f - A u inside, zero at the edge; A is the five-point operator in units of the grid's spacing."""
    r = np.zeros_like(u)
    r[1:-1, 1:-1] = f[1:-1, 1:-1] - (4 * u[1:-1, 1:-1] - u[:-2, 1:-1] - u[2:, 1:-1] - u[1:-1, :-2] - u[1:-1, 2:])
    return r


def smooth(u: Any, f: Any, sweeps: int) -> None:
    """Damped Jacobi sweeps, in place."""
    for _ in range(sweeps):
        u[1:-1, 1:-1] = 0.2 * u[1:-1, 1:-1] + 0.2 * (
            f[1:-1, 1:-1] + u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        )


def restrict(np: Any, r: Any) -> Any:
    """Full weighting onto every second point; times 4, since the coarser spacing is twice as wide."""
    size = (r.shape[0] + 1) // 2
    coarse = np.zeros((size, size))
    rows = r[1:-2:2] + 2 * r[2:-1:2] + r[3::2]
    coarse[1:-1, 1:-1] = 0.25 * (rows[:, 1:-2:2] + 2 * rows[:, 2:-1:2] + rows[:, 3::2])
    return coarse


def prolong(u: Any, e: Any) -> None:
    """Add the coarse correction to u, with means between its points."""
    u[::2, ::2] += e
    u[1::2, ::2] += 0.5 * (e[:-1] + e[1:])
    u[::2, 1::2] += 0.5 * (e[:, :-1] + e[:, 1:])
    u[1::2, 1::2] += 0.25 * (e[:-1, :-1] + e[1:, :-1] + e[:-1, 1:] + e[1:, 1:])


def cycle(np: Any, u: Any, f: Any, sweeps: int) -> None:
    """One V-cycle, in place."""
    smooth(u, f, sweeps)
    if u.shape[0] > 5:
        e = np.zeros(((u.shape[0] + 1) // 2, (u.shape[0] + 1) // 2))
        cycle(np, e, restrict(np, residual(np, u, f)), sweeps)
        prolong(u, e)
    smooth(u, f, sweeps)


def main(np: Any, size: int = 513, steps: int = 8, sweeps: int = 2) -> tuple[Any, Any]:
    """Solve for a bump of sources on size x size points (size - 1: a power of two); give u and the last residual."""
    x = np.linspace(0, 1, size)
    f = np.exp(-50 * ((x - 0.3) ** 2 + ((x - 0.6) ** 2)[:, np.newaxis])) / (size - 1) ** 2
    u = np.zeros((size, size))
    for _ in range(steps):
        cycle(np, u, f, sweeps)
    return u, abs(residual(np, u, f)).max()


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=513, steps=8)
