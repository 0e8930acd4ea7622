"""Two substances react and diffuse on a torus, and make patterns (the Gray-Scott model)."""

from __future__ import annotations

from typing import Any


def laplacian(f: Any) -> Any:
    """Five points, of the inner part of an array with a rim."""
    return f[:-2, 1:-1] + f[2:, 1:-1] + f[1:-1, :-2] + f[1:-1, 2:] - 4 * f[1:-1, 1:-1]


def close(f: Any) -> None:
    """Fill the rim with the opposite edge."""
    f[0, :] = f[-2, :]
    f[-1, :] = f[1, :]
    f[:, 0] = f[:, -2]
    f[:, -1] = f[:, 1]


def main(np: Any, size: int = 256, steps: int = 200, feed: float = 0.04, kill: float = 0.06) -> tuple[Any, Any]:
    """Simulate from a square of the second substance; give both concentrations."""
    u, v = np.ones((size + 2, size + 2)), np.zeros((size + 2, size + 2))
    low, high = size // 2 - size // 10, size // 2 + size // 10
    u[low:high, low:high] = 0.5
    v[low:high, low:high] = 0.25
    for _ in range(steps):
        inner_u, inner_v = u[1:-1, 1:-1], v[1:-1, 1:-1]
        reaction = inner_u * inner_v * inner_v
        change_u = 0.16 * laplacian(u) - reaction + feed * (1 - inner_u)
        change_v = 0.08 * laplacian(v) + reaction - (feed + kill) * inner_v
        inner_u += change_u
        inner_v += change_v
        close(u)
        close(v)
    return u[1:-1, 1:-1], v[1:-1, 1:-1]


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=256, steps=200)
