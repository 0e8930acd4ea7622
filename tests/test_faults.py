"""Without memory: the N-th allocation fails, for every N until none does. Each statement then fails with MemoryError
and has no effect, or succeeds; tried again with memory, the program ends with NumPy's results.
"""

import cnumeric
import numpy
import pytest
from cnumeric import _cnumeric

STATEMENTS = """
a = np.arange(60.0).reshape(6, 10)
b = np.ones((6, 10))
c = np.zeros((6, 10))
i = np.arange(6)
b *= 2.5
c[1:-1, 1:-1] = a[1:-1, :-2] + a[1:-1, 2:]
c[0, :] = c[1, :]
c[-1, :] = c[-2, :]
d = c.copy()
d[::2] -= b[::2] * a[1::2]
a += d
e = a.T
f = e[::-1] * 2 - e
a[:, 0] = 7
g = a.sum(axis=0)
h = a.sum(axis=1)
t = float(a[2, 3])
b[:] = t
b[2:4, 2:4] += 1
m = a > 5
b[m] = -1
k = np.where(m, a, b)
a[i, i] = 0
l = a[i, ::2]
s = np.concatenate([g, h])
s /= 3
n = s.astype(np.float32)
o = (n * n).max()
q = np.stack([a, b])
q[0] += q[1]
r = q.reshape(-1)
r[5:25] = 1
x = np.sqrt(abs(q))
y = a @ a.T
z = y.astype(int) // 7
z %= 5
w = (z == 2) | (z < 1)
total = int(w.sum())
a = None
c = c * total
p = np.maximum(c, d)
p = np.minimum(p, 100)
p = p * 0.5 + 1
p = p * 0.5 + 1
p = p * 0.5 + 1
p = p * 0.5 + 1
p = p * 0.5 + 1
p = p * 0.5 + 1
p = p * 0.5 + 1
p = p * 0.5 + 1
v = p[p > 1.5]
j = p.argmax()
aa = np.asarray(raw)
aa[1:3] += 4
bb = aa * raw
cc = bb.mean()
dd = bb.tolist()
ee = (c * 3 - d,)
ff = np.ndarray.max(*ee)
gg = c * 2
hh = ee[0] + gg.shape[0]
ee = hh
fourier = np.fft.irfft2(np.fft.rfft2(d)) + np.fft.fft(d, n=13, axis=0)[:6].real
""".strip().splitlines()

assert len(STATEMENTS) >= 49
PROGRAM = [compile(statement, "<statement>", "exec") for statement in STATEMENTS]  # once: call sites are kept for good


def run(np, fault=None):
    """The variables after all statements; with a function `fault`, each that lacks memory is tried again."""
    names = {"np": np, "raw": numpy.arange(8.0)}
    failed = 0
    for statement in PROGRAM:
        try:
            exec(statement, names)
        except MemoryError:
            failed += 1
            if fault is None:
                raise
            fault(0)
            exec(statement, names)
    return {name: value for name, value in names.items() if name not in ("np", "raw", "__builtins__")}, failed


@pytest.fixture
def fault_set():
    kept = cnumeric.settings()["plans"]
    cnumeric.settings(plans=1)  # planning must fail too
    yield _cnumeric.fault_set
    _cnumeric.fault_set(0)
    cnumeric.settings(plans=kept)


@pytest.mark.filterwarnings("ignore::cnumeric.FallbackWarning")
def test_every_allocation_may_fail(fault_set):
    expected, _ = run(numpy)
    run(cnumeric)  # what is kept for the process's life is there
    nth, made = 0, 1
    while made > nth:  # a failure that nothing came of counts too: results must be right
        nth += 1
        fault_set(nth)
        try:
            found, failed = run(cnumeric, fault_set)
        finally:
            made = fault_set(0)
        made = nth + 1 if failed else made
        for name, value in expected.items():
            close = numpy.testing.assert_allclose if name in ("cc", "fourier") else numpy.testing.assert_array_equal
            close(numpy.asarray(found[name]), numpy.asarray(value), err_msg=f"{name}, allocation {nth} failed")
    assert nth > len(STATEMENTS)
