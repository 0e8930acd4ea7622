"""How long each point of the plane stays near: the Mandelbrot set, in complex numbers."""

from __future__ import annotations

from typing import Any


def main(np: Any, size: int = 300, steps: int = 50) -> tuple[Any, ...]:
    """Give the number of steps (size, size) that each point stayed within 2."""
    x, y = np.linspace(-2.0, 0.5, size), np.linspace(-1.25, 1.25, size)
    c = x + 1j * y[:, None]
    z = np.zeros_like(c)
    count = np.zeros(c.shape, dtype=np.int32)
    for _ in range(steps):
        near = z.real * z.real + z.imag * z.imag <= 4.0
        z = np.where(near, z * z + c, z)
        count += near
    return (count,)


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=300, steps=50)
