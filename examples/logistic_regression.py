"""Logistic regression by gradient descent, on points of two overlapping clouds."""

from __future__ import annotations

from typing import Any


def points(np: Any, n: int, features: int) -> tuple[Any, Any]:
    """Features of shape (n, features), spread evenly, and labels 0 and 1."""
    i, j = np.arange(n, dtype=np.float64)[:, None], np.arange(features, dtype=np.float64)
    x = (i * (0.6180339887 + 0.31 * j)) % 1.0 - 0.5
    labels = (x.sum(axis=1) + 0.3 * np.sin(i[:, 0]) > 0).astype(np.float64)
    return x, labels


def main(np: Any, n: int = 20_000, features: int = 20, steps: int = 50) -> tuple[Any, Any]:
    """Fit; give the weights (features,) and the mean loss after each step."""
    x, y = points(np, n, features)
    w = np.zeros(features)
    losses = np.zeros(steps)
    for t in range(steps):
        probability = 1 / (1 + np.exp(-(x @ w)))
        losses[t] = -np.mean(y * np.log(probability) + (1 - y) * np.log(1 - probability))
        w -= 2.0 / n * (x.T @ (probability - y))
    return w, losses


if __name__ == "__main__":
    import command_line

    command_line.run(main, n=20_000, features=20, steps=50)
