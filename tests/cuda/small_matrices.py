"""CNUMERIC_GPU_MATRIX is 140: smaller matrices of a batch are factorised together, or by NumPy."""

import os
import sys

import numpy
from device_check import check, near, np, numbers


def calls(function, *shape, kind="d"):
    before = np.stats()["device_calls"]
    x = numbers(*shape, kind=kind)
    ours = np.array(x) * 1
    assert numpy.allclose(numpy.asarray(function(np, ours)), function(numpy, x))
    assert np.stats()["fallbacks"] == 0
    return np.stats()["device_calls"] - before


def inverse(np, x):
    return np.linalg.inv(x)


def values(np, x):
    return np.linalg.svd(x, compute_uv=False)


assert calls(inverse, 5, 5) == 2
assert calls(inverse, 1, 5, 5) == 2
assert calls(inverse, 3, 5, 5) == 2
most, most_complex = map(int, os.environ.get("TEST_MOST", "128 112").split())  # what a block's memory holds
assert calls(inverse, 2, most, most) == 2
assert calls(inverse, 2, most + 1, most + 1) == 0
assert calls(inverse, 2, 140, 140) == 2
assert calls(inverse, 2, most_complex, most_complex, kind="D") == 2
assert calls(inverse, 2, most_complex + 1, most_complex + 1, kind="D") == 0
assert calls(values, 3, 5, 5) == 0
assert calls(values, 2, 140, 140) == 2 - 1
if most < 128:
    sys.exit(print("done"))

# every class of sizes, more matrices than a block has, pivots that are not the diagonal's
for kind in "dD":
    for n, batch in (
        (1, 300),
        (2, 70),
        (3, 65),
        (4, 130),
        (5, 33),
        (8, 40),
        (13, 9),
        (16, 17),
        (29, 5),
        (32, 4),
        (64, 4),
        (65, 3),
        (96, 3),
        (111, 3),
        (128, 3),
    ):
        if n > most_complex and kind == "D":
            continue
        a, b = numbers(batch, n, n, kind=kind), numbers(batch, n, 3, kind=kind)
        a[::2, 0, 0] = 0
        if n > 1:
            a[0, :, 0] *= 1e-200  # squares that are nothing
            a[-1] *= 1e160
        square = numbers(batch, n, n, kind=kind)
        positive = square @ square.swapaxes(1, 2).conj() + n * numpy.eye(n)
        tag = (n, kind)
        more = 4 * batch + 16 * batch * n + 64
        if n > 1:
            x = numpy.asarray(np.linalg.solve(np.array(a) * 1, np.array(b) * 1))
            scale = abs(a).max(axis=(1, 2), keepdims=True)
            assert (
                abs((a / scale) @ x - b / scale) <= 1e-9 * (1e-300 + abs(x).max(axis=(1, 2), keepdims=True))
            ).all(), tag
            check(("inv", tag), inverse, a[1:-1], calls=2, most=more)
            check(("vector", tag), lambda np, a, b: np.linalg.solve(a, b), a[1:-1], b[1:-1, :, :1], calls=2, most=more)
            check(("det", tag), lambda np, a: np.linalg.det(a), a[1:-1], most=more)
        check(("cholesky", tag), lambda np, a: np.linalg.cholesky(a), positive, most=more)
        for rows, columns in ((n, n), (n, (n + 1) // 2), ((n + 1) // 2, n)):
            m = a[:, :rows, :columns]
            for mode in ("reduced", "complete"):
                q, r = (numpy.asarray(part) for part in np.linalg.qr(np.array(m) * 1, mode))
                scale = 1e-300 + abs(m).max(axis=1, keepdims=True)
                assert (abs((q @ r - m) / scale) <= 1e-11).all(), (tag, rows, columns, mode)
                near((q.swapaxes(1, 2).conj() @ q,), (numpy.eye(q.shape[2]) + 0 * q[:, :1, :1],), tag, 1e-12)
                assert (numpy.tril(r, -1) == 0).all()
assert np.stats()["fallbacks"] == 0


def fails(run, message):
    try:
        run()
    except numpy.linalg.LinAlgError as error:
        assert str(error) == message
    else:
        raise AssertionError(message)


some = numbers(40, 6, 6)
some[33, 4] = 0
fails(lambda: np.linalg.inv(np.array(some) * 1), "Singular matrix")
some = some @ some.swapaxes(1, 2) + numpy.eye(6)
some[12, 5, 5] = -1
fails(lambda: np.linalg.cholesky(np.array(some) * 1), "Matrix is not positive definite")
print("done")
