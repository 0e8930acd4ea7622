"""Bodies that attract each other, all pairs, by the leapfrog method."""

from __future__ import annotations

from typing import Any

SOFTENING = 0.05


def accelerations(np: Any, position: Any, mass: Any) -> Any:
    """Of shape (3, n), from positions (3, n)."""
    away = position[:, None, :] - position[:, :, None]
    squared = (away * away).sum(axis=0) + SOFTENING * SOFTENING
    weight = mass / (squared * np.sqrt(squared))
    return (away * weight).sum(axis=2)


def main(np: Any, n: int = 300, steps: int = 20, dt: float = 0.01) -> tuple[Any, ...]:
    """Simulate; give positions and velocities of shape (3, n), and the kinetic energy."""
    i = np.arange(n, dtype=np.float64)
    position = np.stack([(i * turn) % 1.0 - 0.5 for turn in (0.8191725134, 0.6710436067, 0.5497004779)])
    velocity = np.zeros((3, n))
    mass = 1.0 / n + np.zeros(n)
    acceleration = accelerations(np, position, mass)
    for _ in range(steps):
        velocity += 0.5 * dt * acceleration
        position += dt * velocity
        acceleration = accelerations(np, position, mass)
        velocity += 0.5 * dt * acceleration
    return position, velocity, 0.5 * (mass * (velocity * velocity).sum(axis=0)).sum()


if __name__ == "__main__":
    import command_line

    command_line.run(main, n=300, steps=20)
