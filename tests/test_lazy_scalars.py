"""Scalars that stay on the device until they are used as a number of Python's (the stand-in of tests/cuda)."""

import devices
import pytest

BEGIN = """
import copy, math, pickle
import numpy, cnumeric as np

def reads():
    return np.stats()["reads"]

x = np.arange(40000.0)
np.synchronize()
before = reads()
s = x.dot(x) / (x + 1).sum()
expected = numpy.arange(40000.0).dot(numpy.arange(40000.0)) / numpy.arange(1.0, 40001).sum()
"""

ARITHMETIC = """
t = 2 * s - s ** 2 / 3 + abs(-s)
y = x * s + t
assert reads() == before and np.stats()["moves"] == 0
numpy.testing.assert_allclose(numpy.asarray(y), numpy.arange(40000.0) * expected + float(t), rtol=1e-13)
assert reads() > before
"""

CLASS = """
assert type(s).__name__ == "lazy_scalar"
assert s.__class__ is numpy.float64 and isinstance(s, (float, numpy.floating)) and numpy.isscalar(s)
assert (s.dtype, s.shape, s.ndim, s.size, s.nbytes) == (numpy.dtype("float64"), (), 0, 1, 8)
assert s[()] is s and np.einsum("i,i", x, x).__class__ is numpy.float64
assert reads() == before
single = x.astype("float32").sum()
assert single.__class__ is numpy.float32 and (single * np.float32(2)).dtype == "float32"
"""

NUMBER = """
value = float(s)
assert abs(value / expected - 1) < 1e-13
assert s == value and hash(s) == hash(value) and repr(s) == repr(numpy.float64(value)) and str(s) == str(value)
assert f"{s:.3e}" == f"{value:.3e}" and "%.5g" % s == "%.5g" % value
assert round(s, 2) == round(value, 2) and math.floor(s) == math.floor(value) and math.sqrt(s) == math.sqrt(value)
assert int(s) == int(value) and divmod(s, 7) == divmod(value, 7) and complex(s) == value
assert type(pickle.loads(pickle.dumps(s))) is numpy.float64 and copy.deepcopy(s) == value
assert s[...].shape == () and s[None].tolist() == [value]
try:
    s[0]
    raise SystemExit("no IndexError")
except IndexError as error:
    assert str(error) == "invalid index to scalar variable."
assert s.item() == value and s.is_integer() == value.is_integer()
assert {s: 1}[value] == 1 and sorted([s, 0.0]) == [0.0, value] and max(s, 1e300) == 1e300
assert bool(s) and not bool(s < 0) and (numpy.ones(2) * s == value).all() and (s * numpy.ones(2) == value).all()
assert numpy.add(s, 1) == value + 1 and np.sqrt(s) == numpy.sqrt(value) and np.array([s, s]).tolist() == [value, value]
z = np.zeros(3)
z[1] = s
assert z.tolist() == [0, value, 0]
try:
    s.no_such_name
    raise SystemExit("no AttributeError")
except AttributeError as error:
    assert "no_such_name" in str(error)
"""

SOLVER = """
def solve(np, n, steps):
    a, x, r = np.arange(1.0, n + 1), np.zeros(n), np.ones(n)
    p, rs = r, r.dot(r)
    for _ in range(steps):
        q = a * p
        alpha = rs / p.dot(q)
        x = x + alpha * p
        r = r - alpha * q
        new = r.dot(r)
        p, rs = r + (new / rs) * p, new
    return x

before = reads()
mine = solve(np, 5000, 20)
np.flush()
assert reads() == before
numpy.testing.assert_allclose(numpy.asarray(mine), solve(numpy, 5000, 20), rtol=1e-9)
before, followed = reads(), np.stats()["followed"]
solve(np, 5000, 100)
np.flush()
assert reads() == before and np.stats()["followed"] >= followed + 10
"""

OFF = """
np.settings(lazy_scalars=0)
assert type((x + 1).sum()) is numpy.float64
np.settings(lazy_scalars=1, gpu=0)
assert type((x + 1).sum()) is numpy.float64
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(ARITHMETIC, marks=pytest.mark.default_settings),
        CLASS,
        NUMBER,
        pytest.param(SOLVER, marks=pytest.mark.default_settings),
        OFF,
    ],
    ids="arithmetic class number solver off".split(),
)
def test_lazy_scalars(program: str) -> None:
    """They are recorded, not read; they behave as NumPy's scalars; they can be turned off."""
    devices.run("-c", BEGIN + program, env=devices.environment(CNUMERIC_GPU_BYTES="1"))


def test_host_scalars_are_numpy_s() -> None:
    """Without a device there are none."""
    import cnumeric as np
    import numpy

    assert type(np.arange(1000.0).sum()) is numpy.float64
