"""Derives every polynomial and constant of the vector-math source and writes core/op/vmath_poly.h.

    python tools/vmath_fit.py            # writes the header
    python tools/vmath_fit.py --check    # exit status 1 if the header is not what this script writes

A polynomial interpolates its function at the Chebyshev nodes of its interval, in 60 digits; it has the fewest
coefficients with which the error of the whole result, after rounding the coefficients to their type, is below
2**-57 (float64) or 2**-27 (float32) unless the row says otherwise. That is within a bit of the minimax polynomial.
Only mpmath is needed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import mpmath
from mpmath import mp, mpf

mp.dps = 60
HEADER = Path(__file__).resolve().parent.parent / "core" / "op" / "vmath_poly.h"
Function = Callable[[mpf], mpf]


class Row(NamedTuple):
    """A polynomial: f(z) on [low, high]; weight(z) times its error is the relative error of the result."""

    name: str
    what: str
    f: Function
    weight: Function
    low: mpf
    high: mpf
    bits: tuple[int, ...] = (57, 27)  # of float64 and, if there is one, float32


def series(f: Function, taylor: Function, near: float = 1e-8) -> Function:
    """f, but its Taylor start where f cancels."""
    return lambda z: taylor(z) if abs(z) < near else f(z)


def root(f: Function) -> Function:
    """A function of z, given as one of r = sqrt(z)."""
    return lambda z: f(mpmath.sqrt(z))


HALF_LN2 = mpmath.log(2) / 2 * mpf("1.003")
EIGHTH = (mpmath.pi / 4 + mpf(1) / 64) ** 2
LOG_Z = (mpf("0.1716") + mpf(1) / 4096) ** 2
ATAN_Z = mpf("0.41422") ** 2
LN2 = mpmath.log(2)


def direct(term: Callable[[int], mpf], count: int = 60) -> Function:
    coefficients = [term(k) for k in range(count)]
    return lambda z: mpmath.polyval(coefficients[::-1], z)


ROWS = [
    Row(
        "exp2",
        "(2**r - 1 - r ln 2) / r**2",
        direct(lambda k: LN2 ** (k + 2) / mpmath.factorial(k + 2)),
        lambda r: r * r / 2**r,
        mpf("-0.501"),
        mpf("0.501"),
    ),
    Row(
        "exp",
        "(e**r - 1 - r) / r**2",
        direct(lambda k: 1 / mpmath.factorial(k + 2)),
        lambda r: abs(r),
        -HALF_LN2,
        HALF_LN2,
    ),
    Row(
        "log",
        "(2 atanh(s) / s - 2) / z, z = s**2",
        direct(lambda k: mpf(2) / (2 * k + 3)),
        lambda z: z / 2,
        mpf(0),
        LOG_Z,
    ),
    Row(
        "pow",
        "(2 atanh(s) / s - 2 - 2/3 z) / z**2",
        direct(lambda k: mpf(2) / (2 * k + 5)),
        lambda z: z * z / 2,
        mpf(0),
        LOG_Z,
        (65, 34),
    ),
    Row(
        "sin",
        "(sin(r) - r) / r**3, z = r**2",
        direct(lambda k: (-1) ** (k + 1) / mpmath.factorial(2 * k + 3), 30),
        lambda z: z * mpf("1.1"),
        mpf(0),
        EIGHTH,
    ),
    Row(
        "cos",
        "(cos(r) - 1 + z/2) / z**2",
        direct(lambda k: (-1) ** k / mpmath.factorial(2 * k + 4), 30),
        lambda z: z * z * mpf("1.4"),
        mpf(0),
        EIGHTH,
    ),
    Row(
        "arcsin",
        "(arcsin(s) - s) / s**3, z = s**2",
        series(root(lambda s: (mpmath.asin(s) - s) / s**3), lambda z: mpf(1) / 6 + 3 * z / 40 + 15 * z * z / 336),
        lambda z: z,
        mpf(0),
        mpf("0.2501"),
    ),
    Row(
        "arctan",
        "(arctan(t) - t) / t**3, z = t**2",
        series(root(lambda s: (mpmath.atan(s) - s) / s**3), lambda z: -mpf(1) / 3 + z / 5 - z * z / 7),
        lambda z: z,
        mpf(0),
        ATAN_Z,
    ),
    Row(
        "sinh",
        "(sinh(r) - r) / r**3, z = r**2",
        direct(lambda k: 1 / mpmath.factorial(2 * k + 3), 30),
        lambda z: z,
        mpf(0),
        HALF_LN2**2,
    ),
    Row(
        "cosh",
        "(cosh(r) - 1) / z",
        direct(lambda k: 1 / mpmath.factorial(2 * k + 2), 30),
        lambda z: z,
        mpf(0),
        HALF_LN2**2,
    ),
    Row("cbrt", "m**(-1/3)", lambda m: 1 / mpmath.cbrt(m), lambda m: mpmath.cbrt(m), mpf(1), mpf(2), (16, 12)),
    Row(
        "short_log2",
        "log2(1 + f) / f",
        series(lambda f: mpmath.log(1 + f, 2) / f, lambda f: (1 - f / 2 + f * f / 3) / LN2),
        lambda f: LN2,
        mpmath.sqrt(mpf(1) / 2) - 1,
        mpmath.sqrt(2) - 1,
        (32,),
    ),
    Row("short_exp2", "2**r", lambda r: 2**r, lambda r: 2**-r, mpf("-0.501"), mpf("0.501"), (28,)),
]


def rounded(x: mpf, digits: int) -> mpf:
    """x to so many binary digits, to nearest."""
    if x == 0:
        return mpf(0)
    shift = digits - 1 - int(mpmath.floor(mpmath.log(abs(x), 2)))
    return mpmath.ldexp(mpmath.nint(mpmath.ldexp(x, shift)), -shift)


def fit(row: Row, digits: int, bits: int) -> tuple[list[mpf], mpf]:
    """The coefficients, lowest first, and the largest weighted error at 400 points."""
    middle, half = (row.low + row.high) / 2, (row.high - row.low) / 2
    for count in range(2, 25):
        nodes = [middle + half * mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
        newton = [row.f(x) for x in nodes]
        for j in range(1, count):
            for k in range(count - 1, j - 1, -1):
                newton[k] = (newton[k] - newton[k - 1]) / (nodes[k] - nodes[k - j])
        power = [mpf(0)] * count
        for k in range(count - 1, -1, -1):
            power = [newton[k] - nodes[k] * power[0]] + [power[j - 1] - nodes[k] * power[j] for j in range(1, count)]
        power = [rounded(c, digits) for c in power]
        points = [row.low + (row.high - row.low) * k / 400 for k in range(401)]
        error = max(abs(row.weight(z) * (mpmath.polyval(power[::-1], z) - row.f(z))) for z in points)
        if error < mpf(2) ** -bits:
            return power, error
    raise ValueError(row.name)


def literal(x: mpf, single: bool) -> str:
    """A hexadecimal literal without excess digits."""
    text = float(x).hex()
    head, exponent = text.split("p")
    if "." in head:
        head = head.rstrip("0").rstrip(".")
    return f"{head}p{exponent}{'f' if single else ''}"


def chain(coefficients: list[str], variable: str, fma: str) -> list[str]:
    """Statements of a Horner evaluation into p."""
    lines = [f"p = {coefficients[-1]};"]
    return lines + [f"p = {fma}(p, {variable}, {c});" for c in coefficients[-2::-1]]


def function(row: Row, single: bool) -> str:
    digits, name = (24, "f32") if single else (53, "f64")
    real, fma = ("float", "CNI_FMAF") if single else ("double", "CNI_FMA")
    coefficients, error = fit(row, digits, row.bits[single])
    text = [literal(c, single) for c in coefficients]
    body = [f"    {real} {line}" if k == 0 else f"    {line}" for k, line in enumerate(chain(text, "z", fma))]
    if len(text) >= 6:  # two chains in z**2: half the latency for one product
        even, odd = text[len(text) - 1 - (len(text) - 1) % 2], text[len(text) - 1 - len(text) % 2]
        first = [f"    {real} even = {even}, odd = {odd}, square = z * z;"]
        rest = []
        for k in range(len(text) - 3 - (len(text) - 3) % 2, -1, -2):
            rest.append(f"    even = {fma}(even, square, {text[k]});")
        for k in range(len(text) - 3 - len(text) % 2, 0, -2):
            rest.append(f"    odd = {fma}(odd, square, {text[k]});")
        body = first + rest
        result = f"{fma}(odd, z, even)"
    else:
        result = "p"
    low, high, log = mpmath.nstr(row.low, 4), mpmath.nstr(row.high, 4), mpmath.nstr(mpmath.log(error, 2), 3)
    note = f"/* {row.what} on [{low}, {high}]; error 2**{log} */"
    return "\n".join(
        [
            note,
            f"static inline {real} cni_poly_{row.name}_{name}({real} z)",
            "{",
            *body,
            f"    return {result};",
            "}",
            "",
        ]
    )


def parts(x: mpf, widths: list[int]) -> list[mpf]:
    """x as a sum of numbers of so many binary digits."""
    result = []
    for width in widths:
        result.append(rounded(x, width))
        x -= result[-1]
    return result


def constants(single: bool) -> list[str]:
    digits, short, suffix = (24, 15, "f32") if single else (53, 41, "f64")
    groups = {
        "LN2": (LN2, [short, digits]),
        "LOG10_2": (mpmath.log(2, 10), [short, digits]),
        "LOG2_E": (1 / LN2, [digits, digits]),
        "LOG10_E": (1 / mpmath.log(10), [digits, digits]),
        "LN2_FULL": (LN2, [digits, digits]),
        "TWO_THIRDS": (mpf(2) / 3, [digits, digits]),
        "HALF_PI": (mpmath.pi / 2, [digits, digits, digits]),
        "QUARTER_PI": (mpmath.pi / 4, [digits, digits]),
        "PI": (mpmath.pi, [digits, digits]),
        "TWO_OVER_PI": (2 / mpmath.pi, [digits]),
        "SQRT_HALF": (mpmath.sqrt(mpf(1) / 2), [digits]),
        "CBRT_HALF": (mpmath.cbrt(mpf(1) / 2), [digits]),
        "CBRT_QUARTER": (mpmath.cbrt(mpf(1) / 4), [digits]),
        "THIRD": (mpf(1) / 3, [digits]),
        "TWO_NINTHS": (mpf(2) / 9, [digits]),
        "TAN_EIGHTH": (mpmath.sqrt(2) - 1, [digits]),
    }
    names = ["", "_LO", "_LO2"]
    return [
        f"#define CNI_{name}{names[k]}_{suffix} {literal(part, single)}"
        for name, (value, widths) in groups.items()
        for k, part in enumerate(parts(value, widths))
    ]


def two_over_pi_words() -> str:
    with mpmath.workdps(500):
        scaled = int(mpmath.floor(mpmath.ldexp(2 / mpmath.pi, 32 * 40)))
    words = [0] + [(scaled >> (32 * (39 - k))) & 0xFFFFFFFF for k in range(40)]
    rows = [", ".join(f"0x{w:08X}" for w in words[k : k + 8]) for k in range(0, len(words), 8)]
    return "#define CNI_TWO_OVER_PI_WORDS \\\n    " + ", \\\n    ".join(rows)


def header() -> str:
    out = [
        "/* vmath_poly.h - the constants and polynomials of vmath.h. Written by tools/vmath_fit.py; edit that. */",
        "/* clang-format off */",
        "#ifndef CNI_VMATH_POLY_H",
        "#define CNI_VMATH_POLY_H",
        "",
        '#include "op/vmath_bits.h"',
        "",
        "/* NAME + NAME_LO (+ NAME_LO2) is the value; LN2 and LOG10_2 are short: exact times an exponent. */",
        *constants(False),
        *constants(True),
        "",
        "/* 32 zero bits, then the first 1280 bits of 2/pi. */",
        two_over_pi_words(),
        "",
    ]
    for row in ROWS:
        out += [function(row, single) for single in (False, True)[: len(row.bits)]]
    return "\n".join([*out, "#endif", ""])


def main() -> int:
    text = header()
    if "--check" in sys.argv[1:]:
        return 0 if HEADER.read_text() == text else 1
    HEADER.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
