"""Solves Poisson's equation on a square by conjugate gradients; the matrix is never formed."""

from __future__ import annotations

from typing import Any


def apply(np: Any, x: Any) -> Any:
    """Minus the five-point Laplacian of x, with zeros around it."""
    y = 4 * x
    y[1:, :] -= x[:-1, :]
    y[:-1, :] -= x[1:, :]
    y[:, 1:] -= x[:, :-1]
    y[:, :-1] -= x[:, 1:]
    return y


def main(np: Any, size: int = 256, steps: int = 200, tolerance: float = 1e-8) -> tuple[Any, Any]:
    """Solve for a right side of one; give the solution and the norm of what is left."""
    b = np.ones((size, size))
    x = np.zeros_like(b)
    r = b.copy()
    p = r.copy()
    rr = (r * r).sum()
    for _ in range(steps):
        q = apply(np, p)
        alpha = rr / (p * q).sum()
        x += alpha * p
        r -= alpha * q
        rr_new = (r * r).sum()
        if rr_new < tolerance**2:
            break
        p = r + (rr_new / rr) * p
        rr = rr_new
    return x, np.sqrt((r * r).sum())


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=256, steps=200)
