"""Neither device nor host has memory (CNUMERIC_GPU_MEMORY and CNUMERIC_MEMORY): MemoryError says what for."""

import numpy
from device_check import np

N = 1 << 20
arrays = [np.arange(float(N)) + k for k in range(4)]
np.flush()
try:
    for _ in range(40):
        arrays.append(arrays[-1] + 1)
        np.flush()
except MemoryError as error:
    text = str(error)
else:
    raise AssertionError("there was no end of memory")
assert "exhausted.py:" in text and "the largest arrays: (1048576,), 8388608 bytes" in text, text
arrays.pop()  # what could not be computed
assert len(arrays) > 6
for k, x in enumerate(arrays[:4]):
    assert x[3] == 3 + k  # all are intact
for k, x in enumerate(arrays[4:]):
    assert x[3] == 7 + k
del arrays[4:]
again = arrays[0] + arrays[1]  # and there is room again
assert again[1] == 3
assert numpy.asarray(again).sum() == (2 * numpy.arange(float(N)) + 1).sum()
print("done")
