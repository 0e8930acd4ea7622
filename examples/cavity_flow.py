"""A lid dragged over a closed cavity: incompressible Navier-Stokes in two dimensions.

The equations and the numerics of channel_flow.py, with other boundaries: the lid at the top moves with speed 1, the
other walls rest; dp/dn = 0 at the resting walls and p = 0 at the lid.
"""

from __future__ import annotations

from typing import Any

RHO, NU, SIDE = 1.0, 0.1, 2.0


def main(np: Any, size: int = 41, steps: int = 100, nit: int = 50) -> tuple[Any, ...]:
    """Simulate the cavity; give u, v and p of shape (size, size)."""
    h = SIDE / (size - 1)
    dt = 0.1 * h * h / NU
    u, v, p, b = (np.zeros((size, size)) for _ in range(4))
    for _ in range(steps):
        ux, uy = (u[1:-1, 2:] - u[1:-1, :-2]) / (2 * h), (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * h)
        vx, vy = (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * h), (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * h)
        b[1:-1, 1:-1] = RHO * ((ux + vy) / dt - ux**2 - 2 * uy * vx - vy**2)
        for _ in range(nit):
            old = p.copy()
            neighbours = old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1]
            p[1:-1, 1:-1] = (neighbours - h**2 * b[1:-1, 1:-1]) / 4
            p[:, -1] = p[:, -2]
            p[0, :] = p[1, :]
            p[:, 0] = p[:, 1]
            p[-1, :] = 0
        old_u, old_v = u.copy(), v.copy()
        uc, vc = old_u[1:-1, 1:-1], old_v[1:-1, 1:-1]
        forces = ((p[1:-1, 2:] - p[1:-1, :-2]) / (2 * RHO * h), (p[2:, 1:-1] - p[:-2, 1:-1]) / (2 * RHO * h))
        for f, old, force in ((u, old_u, forces[0]), (v, old_v, forces[1])):
            c, w, e, s, n = old[1:-1, 1:-1], old[1:-1, :-2], old[1:-1, 2:], old[:-2, 1:-1], old[2:, 1:-1]
            advection = uc * (c - w) / h + vc * (c - s) / h
            f[1:-1, 1:-1] = c - dt * (advection + force - NU * (e + w + n + s - 4 * c) / h**2)
        u[-1, :] = 1
    return u, v, p


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=41, steps=100)
