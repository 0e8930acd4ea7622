"""Two-dimensional turbulence on a torus: vorticity by the pseudo-spectral method, Runge-Kutta steps of order 2."""

from __future__ import annotations

from typing import Any


def main(np: Any, size: int = 512, steps: int = 20, viscosity: float = 1e-4, dt: float = 2e-3) -> tuple[Any, Any]:
    """Follow a sheared pair of vortices; give the vorticity and its energy in each step."""
    x = np.linspace(0, 2 * np.pi, size, endpoint=False)
    across, along = np.meshgrid(x, x, indexing="ij")
    vorticity = np.cos(across) * np.exp(-2 * np.sin(along / 2) ** 2) + 0.3 * np.sin(3 * along + np.cos(2 * across))

    k = np.fft.fftfreq(size, 1 / size)[:, np.newaxis]
    m = np.fft.rfftfreq(size, 1 / size)[np.newaxis, :]
    square = k * k + m * m
    inverse = np.where(square > 0, 1 / np.where(square > 0, square, 1), 0)
    kept = (abs(k) < size / 3) & (m < size / 3)  # products have no room for more

    def change(w: Any) -> Any:
        stream = w * inverse
        u, v = np.fft.irfft2(1j * m * stream), np.fft.irfft2(-1j * k * stream)
        gradient = v * np.fft.irfft2(1j * m * w) + u * np.fft.irfft2(1j * k * w)
        return -np.fft.rfft2(gradient) * kept - viscosity * square * w

    spectrum = np.fft.rfft2(vorticity) * kept
    energy = np.zeros(steps)
    for step in range(steps):
        half = spectrum + 0.5 * dt * change(spectrum)
        spectrum = spectrum + dt * change(half)
        energy[step] = (abs(spectrum) ** 2 * inverse).sum() / size**4
    return np.fft.irfft2(spectrum), energy


if __name__ == "__main__":
    import command_line

    command_line.run(main, size=512, steps=20)
