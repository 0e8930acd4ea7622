"""Arrays larger than the device (CNUMERIC_GPU_MEMORY is 16 MB here) go there in boxes; prints what came of it.

`host`: the device does nothing. `failing`: a driver fails, now or then.
"""

import hashlib
import sys
import warnings

import numpy
from device_check import np

on_device = "host" not in sys.argv
rng = numpy.random.default_rng(3)
MEGABYTE = 1 << 20
N = 10 * MEGABYTE // 8


def counted(run):
    np.flush()
    before = np.stats()
    result = run()
    np.flush()
    after = np.stats()
    return result, {name: after[name] - before[name] for name in after}


def digest(x):
    return hashlib.sha256(numpy.ascontiguousarray(numpy.asarray(x)).tobytes()).hexdigest()[:16]


def check(what, run, *arrays, up=None, down=None, boxes=2, bits=True, close=1e-11):
    """In at least so many boxes, with so many bytes up and down, and NumPy's values; `bits`: the host's bits, too."""
    mine, counts = counted(lambda: run(np, *[np.array(x) * 1 for x in arrays]))
    theirs = run(numpy, *arrays)
    assert numpy.allclose(numpy.asarray(mine), theirs, rtol=close, atol=close), what
    print(what, digest(mine) if bits else "")
    if on_device:
        assert counts["turns"] >= boxes, (what, counts["turns"])
        bounds = (up, counts["turn_up_bytes"]), (down, counts["turn_down_bytes"])
        copies = sum(x.nbytes for x in arrays)  # the arrays themselves were made so
        for wanted, got in bounds:
            assert wanted is None or wanted <= got <= wanted + 2 * copies + 65536, (what, wanted, got)
    else:
        assert counts["turns"] == 0


def chain(xp, x):
    return xp.exp(xp.sin(xp.exp(xp.cos(x))))


x = rng.standard_normal(N)
if "failing" in sys.argv:
    mine = np.array(x) * 1
    assert numpy.allclose(numpy.asarray(chain(np, mine)), chain(numpy, x))
    assert (numpy.asarray(mine) == x).all()  # intact
    assert (numpy.asarray(mine + 1) == x + 1).all()
    print("done")
    sys.exit()
check("a chain of functions", chain, x, up=x.nbytes, down=x.nbytes)

# What stays for all boxes comes once.
m = rng.standard_normal((1000, N // 1000))
row = rng.standard_normal(N // 1000)
check("a row for all rows", lambda xp, m, r: xp.sin(xp.exp(m + r)), m, row, up=m.nbytes + row.nbytes, down=m.nbytes)


# Neighbours of a box come with it; what is not written stays.
def sweep(xp, p):
    q = xp.zeros_like(p)
    q[1:-1, 1:-1] = xp.sin(xp.exp(xp.cos(p[1:-1, :-2] + p[1:-1, 2:] + p[:-2, 1:-1] + p[2:, 1:-1])))
    q[::2] = xp.exp(xp.sin(xp.cos(q[::2])))
    return q


check("a sweep", sweep, m)
check("backwards", lambda xp, x: xp.exp(xp.sin(xp.cos(x[::-1]))), x)
check("a short first axis", chain, x.reshape(2, 5, -1))
check("a third dimension", chain, x.reshape(-1, 64, 20)[:, ::2], boxes=1)
check("sums of rows", lambda xp, m: xp.exp(xp.sin(xp.exp(m))).sum(axis=1), m)
check("in place", lambda xp, x: xp.exp(xp.sin(xp.exp(x, out=x), out=x), out=x), x.copy())

long = numpy.concatenate([x, x[::-1] / 3])
check("a sum", lambda xp, x: chain(xp, x).sum(), long, up=long.nbytes, down=0)
check("a sum of rows and columns", lambda xp, m: chain(xp, m).sum(), long.reshape(-1, 1024, 32))
check("an extreme", lambda xp, x: (chain(xp, x) - xp.sin(x)).max(), long)

# A transposed operand would have a box be all of it: the processor's.
square = rng.standard_normal((1100, 1100))
print("transposed", digest(chain(np, np.array(square) * 1 + (np.array(square) * 1).T)))

# Lines are sorted box by box: where a window's arrays do not fit together, little ones too.
lines = rng.permutation(6 << 15).reshape(6, 1 << 15).astype(float)
check("lines", lambda xp, x, m: chain(xp, x) + xp.sort(m, axis=1)[4:5, 7], x, lines, boxes=9)

# Products: rows of one operand by panels of the other, sums whole.
a, b = rng.standard_normal((100, 160)), rng.standard_normal((160, 13000))
check("products", lambda xp, a, b: a @ b, a, b, boxes=4, bits=False, close=1e-9)
check("of transposes", lambda xp, a, b: a.T @ b.T, a.T.copy(), b.T.copy(), boxes=4, bits=False, close=1e-9)

# What fits launch by launch, but not together
m, square = rng.standard_normal((150, 1300)), rng.standard_normal((1300, 1300))
check("launches", lambda xp, m, s: chain(xp, chain(xp, m) @ s / 1300), m, square, boxes=3, bits=False, close=1e-9)

# Floating-point events are told once, by whichever box sees them.
zero = numpy.where(numpy.arange(N) % 400000 == 5, 0.0, numpy.abs(x) + 1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    value = numpy.asarray(np.sin(1 / np.log(np.array(zero) * 1)))
assert [str(w.message) for w in caught] == ["divide by zero encountered in log"], [str(w.message) for w in caught]
print("events", digest(value))

# It is said where plans are explained.
np.explain(True)
value = chain(np, np.array(x) * 1)
np.flush()
assert ("boxes, one after the other" in np.explain(False)) == on_device
print("done")
