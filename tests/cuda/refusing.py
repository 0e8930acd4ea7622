"""The device refuses memory, from a call on that STANDIN_FAIL names: values are right all the same."""

import numpy
from device_check import np

arrays = [np.array(numpy.arange(3000.0) + k) for k in range(6)]
for _ in range(3):
    arrays = [(x + y) / 2 for x, y in zip(arrays, arrays[1:] + arrays[:1], strict=True)]
    np.flush()
square = np.array(numpy.arange(1600.0).reshape(40, 40) % 37 + 64 * numpy.eye(40)) * 1
inverse = np.linalg.inv(square)
spectrum, spectra = np.fft.fft(arrays[0]), np.fft.fft(arrays[0].reshape(60, 50))
tall = arrays[0].reshape(300, 10)
products = tall.T @ tall, square.T @ square
sorted_ = np.sort(arrays[1][::-1])

expected = [numpy.arange(3000.0) + k for k in range(6)]
for _ in range(3):
    expected = [(x + y) / 2 for x, y in zip(expected, expected[1:] + expected[:1], strict=True)]
for mine, theirs in zip(arrays, expected, strict=True):
    assert (numpy.asarray(mine) == theirs).all()
assert numpy.allclose(numpy.asarray(inverse), numpy.linalg.inv(numpy.asarray(square)))
assert numpy.allclose(numpy.asarray(spectrum), numpy.fft.fft(expected[0]))
assert numpy.allclose(numpy.asarray(spectra), numpy.fft.fft(expected[0].reshape(60, 50)))
for mine, x in zip(products, (expected[0].reshape(300, 10), numpy.asarray(square)), strict=True):
    assert numpy.allclose(numpy.asarray(mine), x.T @ x)
assert (numpy.asarray(sorted_) == numpy.sort(expected[1])).all()
print("done")
