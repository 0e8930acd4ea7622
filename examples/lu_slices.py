"""LU and Cholesky factors and triangular solves by slices that shrink with every step."""

from __future__ import annotations

from typing import Any


def lu(a: Any) -> Any:
    """L below the diagonal (ones on it), U above; without pivoting, in a copy."""
    a = a.copy()
    for k in range(len(a) - 1):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k, None] * a[k, k + 1 :]
    return a


def cholesky(np: Any, a: Any) -> Any:
    """L of a = L L^T, zeros above the diagonal."""
    a = a.copy()
    for k in range(len(a)):
        a[k, k] = np.sqrt(a[k, k])
        a[k + 1 :, k] /= a[k, k]
        a[k, k + 1 :] = 0
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k, None] * a[k + 1 :, k]
    return a


def solve_lower(l: Any, b: Any) -> Any:  # noqa: E741
    """x of l x = b, column by column."""
    x = b.copy()
    for k in range(len(x)):
        x[k] /= l[k, k]
        x[k + 1 :] -= x[k] * l[k + 1 :, k]
    return x


def solve_upper(u: Any, b: Any) -> Any:
    """x of u x = b, column by column."""
    x = b.copy()
    for k in range(len(x) - 1, -1, -1):
        x[k] /= u[k, k]
        x[:k] -= x[k] * u[:k, k]
    return x


def matrix(np: Any, n: int) -> Any:
    """A symmetric matrix that needs no pivoting."""
    i = np.arange(n, dtype=np.float64)
    return 1 / (1 + np.abs(i[:, None] - i)) + n * (i[:, None] == i)


def main(np: Any, n: int = 100) -> tuple[Any, ...]:
    """Factorise and solve; give LU, L, and the solution of a x = 1..n by L and its transpose."""
    a = matrix(np, n)
    factor = cholesky(np, a)
    b = np.arange(1, n + 1, dtype=np.float64)
    return lu(a), factor, solve_upper(factor.T, solve_lower(factor, b))


if __name__ == "__main__":
    import command_line

    command_line.run(main, n=200)
