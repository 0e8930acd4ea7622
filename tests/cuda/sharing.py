"""Memory of the device shared with another library: here the driver itself, called by ctypes."""

import ctypes
import gc
import os

import numpy
from device_check import np

driver = ctypes.CDLL(os.environ.get("CNUMERIC_CUDA_DRIVER") or "libcuda.so.1")


def settled():
    assert driver.cuCtxSynchronize() == 0


def values(address, shape, dtype):
    """What the other library sees at the address."""
    result = numpy.empty(shape, dtype)
    assert (
        driver.cuMemcpyDtoHAsync_v2(ctypes.c_void_p(result.ctypes.data), ctypes.c_uint64(address), result.nbytes, None)
        == 0
    )
    settled()
    return result


def put(address, array):
    """The other library writes."""
    assert (
        driver.cuMemcpyHtoDAsync_v2(ctypes.c_uint64(address), ctypes.c_void_p(array.ctypes.data), array.nbytes, None)
        == 0
    )
    settled()


class Theirs:
    """An array of the other library."""

    def __init__(self, array, strides=None, read_only=False):
        address = ctypes.c_uint64()
        assert driver.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(max(1, array.nbytes))) == 0
        self.address, self.dtype, self.shape = address.value, array.dtype, array.shape
        put(self.address, array)
        self.__cuda_array_interface__ = {
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (self.address, read_only),
            "strides": strides,
            "version": 3,
        }

    def values(self):
        return values(self.address, self.shape, self.dtype)


def moved(run):
    np.flush()
    before = np.stats()["move_bytes"]
    result = run()
    np.flush()
    return np.stats()["move_bytes"] - before, result


# ---- Ours, shown

host = np.arange(6.0)
assert np.asarray(host).sum() == 15  # on the host, or not: nothing has been asked of the device
x = np.array(numpy.arange(1000.0)) * 2
nbytes, shown = moved(lambda: x.__cuda_array_interface__)
assert nbytes == 0
assert shown["shape"] == (1000,)
assert shown["typestr"] == "<f8"
assert shown["strides"] is None
assert not shown["data"][1]
address = shown["data"][0]
assert (values(address, 1000, "d") == numpy.arange(1000.0) * 2).all()
x[1] = 7.5  # done when the statement is
x += 1
assert (values(address, 3, "d") == [1, 8.5, 5]).all()
put(address, numpy.array([100.0, 200.0]))  # and theirs is seen
assert x[0] == 100 and float(x[:3].sum()) == 305
assert x.__cuda_array_interface__["data"][0] == address
assert x[::-2].__cuda_array_interface__["strides"] == (-16,)
assert x[2:].__cuda_array_interface__["data"][0] == address + 16
y = x.copy()  # not shared: the other stays
y += 1
assert x[0] == 100 and y[0] == 101
seen = numpy.asarray(x)  # NumPy gets a copy, to read
assert seen[1] == 200 and not seen.flags.writeable
assert numpy.add(numpy.ones(1000), x)[0] == 101
x[x > 150] = 3
assert values(address, 2, "d")[1] == 3
np.random.default_rng(1).shuffle(np.array(x))

pinned = np.array([1.0, 2.0])
numpy_side = numpy.asarray(pinned)
try:
    pinned.__cuda_array_interface__
except AttributeError:
    pass
else:
    raise AssertionError("memory of the host was shown as the device's")

# ---- Theirs, seen

numbers = numpy.arange(24.0).reshape(4, 6)
theirs = Theirs(numbers)
nbytes, z = moved(lambda: np.asarray(theirs))
assert nbytes == 0 and type(z) is np.ndarray and z.shape == (4, 6) and z.dtype == numpy.float64
assert z.__cuda_array_interface__["data"][0] == theirs.address
nbytes, doubled = moved(lambda: z * 2)
assert nbytes == 0 and (numpy.asarray(doubled) == numbers * 2).all()
z[1:3, ::2] = -1
expected = numbers.copy()
expected[1:3, ::2] = -1
assert (theirs.values() == expected).all()
put(theirs.address, numbers)
assert (numpy.asarray(z) == numbers).all()
assert float(z.sum()) == numbers.sum()
w = np.asarray(theirs)  # the same memory is one base
w[0, 0] = 9
assert z[0, 0] == 9
order = np.argsort(z[0])
assert (numpy.asarray(order) == numpy.argsort(theirs.values()[0])).all()
z.sort(axis=0)
z[0] = z[1]  # one row onto the other
copied = np.array(theirs)
copied[:] = 0
assert theirs.values()[1, 1] != 0
by_columns = np.asarray(Theirs(numbers, strides=(8, 32)))  # four rows, columns one after the other
assert by_columns.strides == (8, 32)
assert (numpy.asarray(by_columns) == numbers.reshape(6, 4).T).all()
locked = np.asarray(Theirs(numbers, read_only=True))
assert not locked.flags.writeable
complex_ones = np.asarray(Theirs(numbers[:, :2] + 1j))
assert numpy.allclose(np.fft.fft(complex_ones), numpy.fft.fft(numbers[:, :2] + 1j))
del w, copied, locked
gc.collect()

# ---- DLPack, between two arrays of ours that know nothing of each other

a = np.array(numpy.arange(12.0).reshape(3, 4)) * 1
kind, number = a.__dlpack_device__()
assert (kind, number) == (2, 0)
nbytes, b = moved(lambda: np.from_dlpack(a))
assert nbytes == 0
b[0, 0] = 50
assert a[0, 0] == 50
a[2] = 1
assert (numpy.asarray(b)[2] == 1).all()
c = np.from_dlpack(a[:, ::2])
assert c.shape == (3, 2) and c.strides == (32, 16) and c[0, 0] == 50
apart = np.from_dlpack(a, copy=True)
apart[0, 0] = 0
assert a[0, 0] == 50
capsule = a.__dlpack__(stream=1, max_version=(1, 0))
assert "dltensor_versioned" in repr(capsule)
del capsule
gc.collect()
taken = a.__dlpack__(stream=1)
_ = np.from_dlpack.__globals__["_cnumeric"].from_device_capsule(taken)
try:
    np.from_dlpack.__globals__["_cnumeric"].from_device_capsule(taken)
except ValueError:
    pass
else:
    raise AssertionError("a capsule was used twice")
assert (numpy.from_dlpack(np.array(numpy.arange(3.0)) * 1) == [0, 1, 2]).all()  # NumPy's way stays
del b, c, _
gc.collect()
print("done")
