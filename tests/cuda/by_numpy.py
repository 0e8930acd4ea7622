"""What no device computes: NumPy does, quietly, with its bits."""

import numpy
from device_check import leaves, np, numbers

a = numbers(9, 9)
before = np.stats()["device_calls"]
for run in (
    lambda np, a: np.linalg.inv(a),
    lambda np, a: np.linalg.svd(a),
    lambda np, a: np.linalg.qr(a),
    lambda np, a: np.linalg.det(a),
    lambda np, a: np.fft.rfft(a),
):
    for mine, theirs in zip(leaves(run(np, np.array(a) * 1)), leaves(run(numpy, a)), strict=True):
        assert (numpy.asarray(mine) == theirs).all()
assert np.stats()["device_calls"] == before
assert np.stats()["fallbacks"] == 0
print("done")
