"""Prices of European call and put options by the formula of Black and Scholes."""

from __future__ import annotations

from typing import Any


def normal(np: Any, x: Any) -> Any:
    """The normal distribution function, to 1e-7 (Abramowitz and Stegun, 26.2.17)."""
    k = 1 / (1 + 0.2316419 * np.abs(x))
    tail = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = tail * np.exp(-0.5 * x * x) * 0.3989422804014327
    return np.where(x >= 0, 1 - tail, tail)


def prices(np: Any, spot: Any, strike: Any, years: Any, rate: float, volatility: float) -> tuple[Any, Any]:
    """Call and put prices, elementwise."""
    root = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / root
    d2 = d1 - root
    discounted = strike * np.exp(-rate * years)
    call = spot * normal(np, d1) - discounted * normal(np, d2)
    return call, call - spot + discounted


def inputs(np: Any, n: int) -> tuple[Any, Any, Any]:
    """Spot prices, strike prices and years: n of each, spread evenly."""
    i = np.arange(n, dtype=np.float64)
    return 10 + (i * 0.6180339887) % 90, 10 + (i * 0.7548776662) % 90, 0.1 + (i * 0.5698402910) % 2


def main(np: Any, n: int = 1_000_000, steps: int = 1) -> tuple[Any, Any]:
    """Price n options `steps` times; give the calls and the puts."""
    spot, strike, years = inputs(np, n)
    for _ in range(steps):
        call, put = prices(np, spot, strike, years, 0.02, 0.3)
    return call, put


if __name__ == "__main__":
    import command_line

    command_line.run(main, n=1_000_000)
