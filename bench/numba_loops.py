"""The rows as loops, for Numba to compile. prange is range unless it may use threads."""

from __future__ import annotations

import math
from typing import Any

import numpy

try:
    from numba import prange
except ImportError:
    prange = range


def triad(x: Any, y: Any) -> Any:
    out = numpy.empty_like(x)
    for i in prange(x.size):
        out[i] = x[i] + 2.5 * y[i]
    return out


def chain(x: Any, y: Any, z: Any) -> Any:
    out = numpy.empty_like(x)
    for i in prange(x.size):
        out[i] = ((x[i] * y[i] + z[i]) * 0.5 - x[i]) * y[i]
    return out


def total(x: Any) -> float:
    s = 0.0
    for i in prange(x.size):
        s += x[i]
    return s


def mean_square(x: Any, y: Any) -> float:
    s = 0.0
    for i in prange(x.size):
        d = x[i] - y[i]
        s += d * d
    return s / x.size


def variance(x: Any) -> Any:
    rows, columns = x.shape
    mean, out = numpy.zeros(columns), numpy.zeros(columns)
    for i in range(rows):
        for j in range(columns):
            mean[j] += x[i, j]
    mean /= rows
    for i in range(rows):
        for j in range(columns):
            d = x[i, j] - mean[j]
            out[j] += d * d
    return out / rows


def black_scholes(spot: Any, strike: Any, years: Any) -> Any:
    call, put = numpy.empty_like(spot), numpy.empty_like(spot)
    for i in prange(spot.size):
        root = 0.3 * math.sqrt(years[i])
        d1 = (math.log(spot[i] / strike[i]) + (0.02 + 0.5 * 0.09) * years[i]) / root
        n1, n2 = 0.0, 0.0
        for which in range(2):
            d = d1 if which == 0 else d1 - root
            k = 1 / (1 + 0.2316419 * abs(d))
            tail = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
            tail *= math.exp(-0.5 * d * d) * 0.3989422804014327
            if which == 0:
                n1 = 1 - tail if d >= 0 else tail
            else:
                n2 = 1 - tail if d >= 0 else tail
        discounted = strike[i] * math.exp(-0.02 * years[i])
        call[i] = spot[i] * n1 - discounted * n2
        put[i] = call[i] - spot[i] + discounted
    return call, put


def jacobi(t: Any) -> Any:
    rows, columns = t.shape
    new = t.copy()
    for _ in range(10):
        for i in prange(1, rows - 1):
            for j in range(1, columns - 1):
                new[i, j] = 0.25 * (t[i, j - 1] + t[i, j + 1] + t[i - 1, j] + t[i + 1, j])
        t, new = new, t
    return t


def gray_scott(u: Any, v: Any) -> Any:
    rows, columns = u.shape
    for _ in range(5):
        new_u, new_v = u.copy(), v.copy()
        for i in prange(1, rows - 1):
            for j in range(1, columns - 1):
                c, d = u[i, j], v[i, j]
                lap_u = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] - 4 * c
                lap_v = v[i - 1, j] + v[i + 1, j] + v[i, j - 1] + v[i, j + 1] - 4 * d
                reaction = c * d * d
                new_u[i, j] = c + 0.16 * lap_u - reaction + 0.04 * (1 - c)
                new_v[i, j] = d + 0.08 * lap_v + reaction - 0.1 * d
        u, v = new_u, new_v
        for f in (u, v):
            f[0, :] = f[-2, :]
            f[-1, :] = f[1, :]
            f[:, 0] = f[:, -2]
            f[:, -1] = f[:, 1]
    return u, v


def gray_scott_torus(u: Any, v: Any) -> Any:
    rows, columns = u.shape
    for _ in range(5):
        new_u, new_v = numpy.empty_like(u), numpy.empty_like(v)
        for i in prange(rows):
            above, below = (i - 1) % rows, (i + 1) % rows
            for part in range(3):  # the inner columns, without a look at where they end, and the two at the edges
                first, last = (1, columns - 1) if part == 0 else (0, 1) if part == 1 else (columns - 1, columns)
                back = -1 if part != 1 else columns - 1
                ahead = 1 if part != 2 else 1 - columns
                for j in range(first, last):
                    c, d = u[i, j], v[i, j]
                    lap_u = u[above, j] + u[below, j] + u[i, j + back] + u[i, j + ahead] - 4 * c
                    lap_v = v[above, j] + v[below, j] + v[i, j + back] + v[i, j + ahead] - 4 * d
                    reaction = c * d * d
                    new_u[i, j] = c + 0.16 * lap_u - reaction + 0.04 * (1 - c)
                    new_v[i, j] = d + 0.08 * lap_v + reaction - 0.1 * d
        u, v = new_u, new_v
    return u, v
