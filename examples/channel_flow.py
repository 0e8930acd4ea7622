"""Flow through a channel that closes on itself: incompressible Navier-Stokes in two dimensions, driven by a force.

    du/dt + u du/dx + v du/dy = -1/rho dp/dx + nu (d2u/dx2 + d2u/dy2) + F
    dv/dt + u dv/dx + v dv/dy = -1/rho dp/dy + nu (d2v/dx2 + d2v/dy2)
    d2p/dx2 + d2p/dy2 = b,   b = rho (1/dt div(u, v) - (du/dx)^2 - 2 du/dy dv/dx - (dv/dy)^2)

Periodic in x; walls at both ends of y, where u = v = 0 and dp/dy = 0. Forward in time, backward differences for
advection, central ones elsewhere; `nit` Jacobi sweeps a time step for the pressure. (The problem is step 12 of
"CFD Python", by L. A. Barba and G. F. Forsyth; this program is written from the equations.)

    python examples/channel_flow.py [--module numpy] [--size N] [--steps N] [--compare] [--explain] [--picture FILE]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

RHO, NU, FORCE = 1.0, 0.1, 1.0
WIDTH = HEIGHT = 2.0
SWEEPS = 50

Array = Any


def columns() -> Iterator[tuple[Any, Any, Any]]:
    """Each set of columns with its western and eastern neighbours; the channel is closed, so the ends meet."""
    yield slice(1, -1), slice(0, -2), slice(2, None)
    yield 0, -1, 1
    yield -1, -2, 0


def around(f: Array, centre: Any, west: Any, east: Any) -> tuple[Array, ...]:
    """Views of f at the inner rows of these columns and at its four neighbours: C, W, E, S, N."""
    return f[1:-1, centre], f[1:-1, west], f[1:-1, east], f[:-2, centre], f[2:, centre]


def pressure_source(b: Array, u: Array, v: Array, dx: float, dy: float, dt: float) -> None:
    """The right side of the pressure equation, into the inner rows of b."""
    for c, w, e in columns():
        _, uw, ue, us, un = around(u, c, w, e)
        _, vw, ve, vs, vn = around(v, c, w, e)
        ux, uy = (ue - uw) / (2 * dx), (un - us) / (2 * dy)
        vx, vy = (ve - vw) / (2 * dx), (vn - vs) / (2 * dy)
        b[1:-1, c] = RHO * ((ux + vy) / dt - ux**2 - 2 * (uy * vx) - vy**2)


def pressure(p: Array, b: Array, dx: float, dy: float, nit: int) -> None:
    """`nit` Jacobi sweeps of the pressure equation, in place."""
    half = 2 * (dx**2 + dy**2)
    source = dx**2 * dy**2 / half
    for _ in range(nit):
        old = p.copy()
        for c, w, e in columns():
            _, pw, pe, ps, pn = around(old, c, w, e)
            p[1:-1, c] = ((pe + pw) * dy**2 + (pn + ps) * dx**2) / half - source * b[1:-1, c]
        p[-1, :] = p[-2, :]
        p[0, :] = p[1, :]


def velocity(u: Array, v: Array, p: Array, dx: float, dy: float, dt: float) -> None:
    """One step of the momentum equations, in place."""
    old_u, old_v = u.copy(), v.copy()
    for c, w, e in columns():
        uc, uw, ue, us, un = around(old_u, c, w, e)
        vc, vw, ve, vs, vn = around(old_v, c, w, e)
        _, pw, pe, ps, pn = around(p, c, w, e)
        u[1:-1, c] = (
            uc
            - uc * dt / dx * (uc - uw)
            - vc * dt / dy * (uc - us)
            - dt / (2 * RHO * dx) * (pe - pw)
            + NU * (dt / dx**2 * (ue - 2 * uc + uw) + dt / dy**2 * (un - 2 * uc + us))
            + FORCE * dt
        )
        v[1:-1, c] = (
            vc
            - uc * dt / dx * (vc - vw)
            - vc * dt / dy * (vc - vs)
            - dt / (2 * RHO * dy) * (pn - ps)
            + NU * (dt / dx**2 * (ve - 2 * vc + vw) + dt / dy**2 * (vn - 2 * vc + vs))
        )
    for f in (u, v):
        f[0, :] = 0
        f[-1, :] = 0


def main(
    np: Any,
    nx: int = 41,
    ny: int = 41,
    steps: int = 10,
    nit: int = SWEEPS,
    after_step: Callable[[int, Array, Array, Array], None] | None = None,
) -> tuple[Array, Array, Array]:
    """Simulate the channel; give u, v and p of shape (ny, nx). after_step(t, u, v, p) runs after each step."""
    dx, dy = WIDTH / (nx - 1), HEIGHT / (ny - 1)
    dt = 0.2 / (NU * (1 / dx**2 + 1 / dy**2))
    x, y = np.linspace(0, WIDTH, nx), np.linspace(0, HEIGHT, ny)
    u, v, p, b = (np.zeros((ny, nx)) for _ in range(4))
    v += 0.05 * (x * (WIDTH - x)) * (y * (HEIGHT - y))[:, np.newaxis]  # a stir, so that nothing is zero or the same
    for t in range(steps):
        pressure_source(b, u, v, dx, dy, dt)
        pressure(p, b, dx, dy, nit)
        velocity(u, v, p, dx, dy, dt)
        if after_step is not None:
            after_step(t, u, v, p)
    return u, v, p


def report(np: Any, size: int, steps: int) -> None:
    """Print what the run did, from cNumeric's counters."""
    stats = np.stats()
    points = size * size * steps
    moved = stats["bytes_read"] + stats["bytes_written"]
    print(f"ops:      {stats['ops']} recorded, {stats['fallbacks']} computed by NumPy")
    print(f"windows:  {stats['windows']}, of which {stats['plan_hits']} met a known plan")
    print(f"launches: {stats['launches']}, {stats['launches'] / (steps * SWEEPS):.2f} a pressure sweep")
    print(f"traffic:  {moved / points:.0f} bytes a point and step")
    print(f"memory:   {stats['peak_bytes'] / 1e6:.1f} MB at most")


def plans(size: int) -> str:
    """The plan of two pressure sweeps, as text."""
    import cnumeric

    p, b = cnumeric.ones((size, size)), cnumeric.ones((size, size))
    cnumeric.synchronize()
    cnumeric.explain(True)
    pressure(p, b, WIDTH / (size - 1), HEIGHT / (size - 1), nit=2)
    cnumeric.synchronize()
    return cnumeric.explain()


def run() -> None:
    """The command line."""
    import command_line
    import picture

    options = command_line.parser(main, size=257, steps=20)
    options.add_argument("--explain", action="store_true", help="print the plan of two pressure sweeps")
    options.add_argument("--picture", metavar="FILE", help="write the speed of the flow as a PNG")
    chosen = options.parse_args()
    values = {"nx": chosen.size, "ny": chosen.size, "steps": chosen.steps}
    if chosen.module == "cnumeric":
        import cnumeric

        command_line.timed(main, "cnumeric", {**values, "steps": min(10, chosen.steps)})
        cnumeric.stats_reset()
    results, seconds = command_line.timed(main, chosen.module, values)
    print(f"channel flow, {chosen.size} x {chosen.size} points, {chosen.steps} steps, {SWEEPS} sweeps a step")
    print(f"{chosen.module + ':':9} {seconds:.3f} s, {seconds / chosen.steps * 1e3:.2f} ms a step")
    if chosen.module == "cnumeric":
        report(cnumeric, chosen.size, chosen.steps)
    if chosen.compare and chosen.module == "cnumeric":
        command_line.compare(main, values, results, seconds)
    if chosen.explain:
        print(f"\nThe plan of two pressure sweeps:\n\n{plans(chosen.size)}")
    if chosen.picture:
        u, v, _ = results
        picture.write_png(chosen.picture, (u**2 + v**2) ** 0.5)
        print(f"picture:  {chosen.picture}")


if __name__ == "__main__":
    run()
