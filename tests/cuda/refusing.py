"""The device refuses memory, from a call on that STANDIN_FAIL names: values are right all the same."""

import numpy
from device_check import np

arrays = [np.array(numpy.arange(3000.0) + k) for k in range(6)]
for _ in range(3):
    arrays = [(x + y) / 2 for x, y in zip(arrays, arrays[1:] + arrays[:1], strict=True)]
    np.flush()
square = np.array(numpy.arange(64.0).reshape(8, 8) + 64 * numpy.eye(8)) * 1
inverse = np.linalg.inv(square)
spectrum = np.fft.fft(arrays[0])
sorted_ = np.sort(arrays[1][::-1])

expected = [numpy.arange(3000.0) + k for k in range(6)]
for _ in range(3):
    expected = [(x + y) / 2 for x, y in zip(expected, expected[1:] + expected[:1], strict=True)]
for mine, theirs in zip(arrays, expected, strict=True):
    assert (numpy.asarray(mine) == theirs).all()
assert numpy.allclose(numpy.asarray(inverse), numpy.linalg.inv(numpy.asarray(square)))
assert numpy.allclose(numpy.asarray(spectrum), numpy.fft.fft(expected[0]))
assert (numpy.asarray(sorted_) == numpy.sort(expected[1])).all()
print("done")
