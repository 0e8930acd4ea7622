"""What no device computes: NumPy does, quietly, with its bits; Fourier transforms the core does."""

import numpy
from device_check import leaves, np, numbers

a = numbers(9, 9)
before = np.stats()["device_calls"]
for run in (
    lambda np, a: np.linalg.inv(a),
    lambda np, a: np.linalg.svd(a),
    lambda np, a: np.linalg.qr(a),
    lambda np, a: np.linalg.det(a),
):
    for mine, theirs in zip(leaves(run(np, np.array(a) * 1)), leaves(run(numpy, a)), strict=True):
        assert (numpy.asarray(mine) == theirs).all()
assert numpy.allclose(np.fft.rfft(np.array(a) * 1), numpy.fft.rfft(a), rtol=1e-14, atol=1e-14)
assert np.stats()["device_calls"] == before
assert np.stats()["fallbacks"] == 0
print("done")
