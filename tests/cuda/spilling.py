"""Arrays make room on the device for others (CNUMERIC_GPU_MEMORY is 32 MB here), and come back with their values."""

import numpy
from device_check import np

MEGABYTE = 1 << 20
N = 2 * MEGABYTE // 8  # an array of 2 MB


def spills(run):
    np.flush()
    before = np.stats()
    result = run()
    np.flush()
    after = np.stats()
    return after["spills"] - before["spills"], after["spill_bytes"] - before["spill_bytes"], result


# More arrays than there is room for: each is made on the device, the oldest make room.
def make(count):
    return [np.arange(float(N)) + k for k in range(count)]


few, nbytes, arrays = spills(lambda: make(4))
assert (few, nbytes) == (0, 0)
many, nbytes, more = spills(lambda: make(20))
assert many >= 8, many
assert nbytes == many * 2 * MEGABYTE
for k, x in enumerate(arrays):
    assert x[5] == 5 + k and x[N - 1] == N - 1 + k
for k, x in enumerate(more):
    assert float(x.sum()) == N * (N - 1) / 2 + N * k  # back on the device

# What is used often stays: of two that take turns nothing moves.
a, b = more[0], more[1]
float((a + b).sum())
again, _, _ = spills(lambda: [float((a + b).sum()) for _ in range(5)])
assert again == 0

# What the host has already costs no move.
seen = [numpy.asarray(x).sum() for x in arrays]
assert len(seen) == 4

# In place, through many arrays in turn
for _ in range(3):
    for x in more:
        x += 1
assert all(x[0] == k + 3 for k, x in enumerate(more))

# A statement whose arrays do not fit together runs on the host, rightly.
big = [np.arange(float(6 * N)) for _ in range(3)]
np.flush()
total = big[0] + big[1] * big[2]
assert total[3] == 12 and total[6 * N - 1] == (6 * N - 1.0) + (6 * N - 1.0) ** 2
assert (numpy.asarray(big[1]) == numpy.arange(6.0 * N)).all()

# A call of a library makes room, too.
square = np.array(numpy.random.default_rng(1).random((400, 400)) + 400 * numpy.eye(400)) * 1
filled = make(16)
inverse = np.linalg.inv(square)
assert abs(numpy.asarray(inverse @ square) - numpy.eye(400)).max() < 1e-10
assert all(x[1] == 1 + k for k, x in enumerate(filled))

# Memory that others know stays where it is.
kept = np.arange(float(N)) * 3
address = kept.__cuda_array_interface__["data"][0]
crowd = make(20)
np.flush()
assert kept.__cuda_array_interface__["data"][0] == address
assert kept[7] == 21
assert all(x[2] == 2 + k for k, x in enumerate(crowd))
print("done")
