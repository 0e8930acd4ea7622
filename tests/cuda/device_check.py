"""What the programs here share: a call on the device beside the same call of NumPy."""

import cnumeric as np
import numpy

rng = numpy.random.default_rng(5)


def numbers(*shape, kind="d"):
    x = rng.standard_normal(shape)
    if kind in "FD":
        x = x + 1j * rng.standard_normal(shape)
    return (x * 10 if kind in "il" else x).astype(kind)


def leaves(value):
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def near(mine, theirs, what, tolerance):
    mine, theirs = leaves(mine), leaves(theirs)
    assert len(mine) == len(theirs), what
    for a, b in zip(mine, theirs, strict=False):
        x = numpy.asarray(a)
        assert x.dtype == b.dtype and x.shape == b.shape, (what, x.dtype, b.dtype, x.shape, b.shape)
        scale = max(1e-300, numpy.abs(b).max())
        assert numpy.abs(x - b).max() <= tolerance * scale, (what, numpy.abs(x - b).max() / scale)


def check(what, function, *arrays, compare=near, calls=1, most=64):
    single = any(a.dtype.char in "fF" for a in arrays)
    ours = [np.array(a) * 1 for a in arrays]
    np.flush()
    before = np.stats()
    mine = function(np, *ours)
    after = np.stats()
    assert after["device_calls"] - before["device_calls"] >= calls, what
    assert after["fallbacks"] == before["fallbacks"], what
    moved = after["move_bytes"] - before["move_bytes"]  # single numbers, and the diagonal of complex factors
    assert moved <= most, (what, moved)
    compare(mine, function(numpy, *arrays), what, 1e-4 if single else 1e-10)
