"""CNUMERIC_GPU_MATRIX is 6: batches of smaller matrices are NumPy's, single ones and larger ones the device's."""

import numpy
from device_check import np, numbers


def calls(*shape):
    before = np.stats()["device_calls"]
    x = numbers(*shape)
    assert numpy.allclose(numpy.asarray(np.linalg.inv(np.array(x) * 1)), numpy.linalg.inv(x))
    assert np.stats()["fallbacks"] == 0
    return np.stats()["device_calls"] - before


assert calls(5, 5) == 2
assert calls(1, 5, 5) == 2
assert calls(3, 6, 6) == 2
assert calls(3, 5, 5) == 0
print("done")
