"""Batches of products on the device: layouts of operands, batches broadcast or not lying as one run."""

import numpy
from device_check import check, near, np, numbers


def product(np, a, b):
    return np.matmul(a, b)


for kind in "dfDF":
    a, b = numbers(6, 5, 7, kind=kind), numbers(6, 7, 4, kind=kind)
    for what, x, y in (
        ("plain", a, b),
        ("one matrix", a, b[0]),
        ("one matrix left", a[0], b),
        ("broadcast", a.reshape(6, 1, 5, 7), b[:3]),
        ("two dimensions", a.reshape(2, 3, 5, 7), b.reshape(2, 3, 7, 4)),
        ("one in each", a[:1], b[:1]),
        ("vectors", a, numbers(7, kind=kind)),
    ):
        check((what, kind), product, x, y, calls=0)
    for what, run in (
        ("turned", lambda np, a, b: a.swapaxes(1, 2)[:, :, :4] @ b.swapaxes(1, 2)[:, :, :5].swapaxes(1, 2)[:, :4]),
        ("every second", lambda np, a, b: a[::2] @ b[1::2]),
        ("backwards", lambda np, a, b: a[::-1] @ b),
        ("parts", lambda np, a, b: a.reshape(2, 3, 5, 7)[:, :2] @ b.reshape(2, 3, 7, 4)[:, 1:]),
    ):
        check((what, kind), run, a, b, calls=0, most=1 << 20)

before = np.stats()
x = np.array(numbers(50, 4, 4)) * 1
np.synchronize()
moved = np.stats()["moves"]
y = x @ x
np.synchronize()
assert np.stats()["moves"] == moved
near(y, numpy.asarray(x) @ numpy.asarray(x), "many", 1e-12)
print("done")
