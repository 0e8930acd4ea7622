"""CuPy, PyTorch and JAX in one process with ours, on a real device: memory goes both ways without copies."""

import importlib.util

import numpy
from device_check import np


def moved(run):
    np.flush()
    before = np.stats()["move_bytes"]
    result = run()
    np.flush()
    return np.stats()["move_bytes"] - before, result


def fresh(n=1 << 20):
    x = np.arange(float(n)) * 2
    np.flush()
    return x


found = [name for name in ("cupy", "torch", "jax") if importlib.util.find_spec(name) is not None]

if "cupy" in found:
    import cupy

    x = fresh()
    nbytes, theirs = moved(lambda: cupy.asarray(x))
    assert nbytes == 0
    assert theirs.data.ptr == x.__cuda_array_interface__["data"][0]
    theirs += 1  # in CuPy's stream
    assert float(x[3]) == 7
    x *= 2  # in ours
    assert float(theirs[3]) == 14
    for _ in range(20):  # no order but that of the statements
        theirs *= 1.5
        x /= 1.5
    assert abs(float(theirs[3]) - 14) < 1e-12
    made = cupy.arange(12.0).reshape(3, 4)
    nbytes, ours = moved(lambda: np.asarray(made))
    assert nbytes == 0
    assert type(ours) is np.ndarray
    ours[1:, ::2] = -1
    expected = numpy.arange(12.0).reshape(3, 4)
    expected[1:, ::2] = -1
    assert (made.get() == expected).all()
    assert (numpy.asarray(np.asarray(made.T)) == expected.T).all()
    nbytes, ours = moved(lambda: np.from_dlpack(made))
    assert nbytes == 0
    ours += 1
    assert (made.get() == expected + 1).all()
    x = fresh()
    nbytes, theirs = moved(lambda: cupy.from_dlpack(x))
    assert nbytes == 0
    theirs[0] = 5
    assert x[0] == 5
    del theirs, ours, made, x

if "torch" in found:
    import torch

    x = fresh()
    nbytes, theirs = moved(lambda: torch.from_dlpack(x))
    assert nbytes == 0
    assert theirs.is_cuda
    theirs.add_(1)
    assert float(x[3]) == 7
    x *= 2
    assert float(theirs[3]) == 14
    y = fresh()
    theirs = torch.as_tensor(y, device="cuda")
    assert theirs.data_ptr() == y.__cuda_array_interface__["data"][0]
    made = torch.arange(10.0, device="cuda", dtype=torch.float64)
    nbytes, ours = moved(lambda: np.from_dlpack(made))
    assert nbytes == 0
    ours[::2] = 0
    assert made.tolist() == [0, 1, 0, 3, 0, 5, 0, 7, 0, 9]
    nbytes, ours = moved(lambda: np.asarray(made))
    assert nbytes == 0
    assert float((ours * 2).sum()) == 50
    del theirs, ours, made, x, y

if "jax" in found:
    import jax

    jax.config.update("jax_enable_x64", True)
    x = fresh()
    nbytes, theirs = moved(lambda: jax.dlpack.from_dlpack(x))
    assert nbytes == 0
    assert float(theirs[3]) == 6
    made = jax.numpy.arange(10.0) + 1
    nbytes, ours = moved(lambda: np.from_dlpack(made))
    assert nbytes == 0
    assert float(ours.sum()) == 55
    del theirs, ours, made, x

print("with", *found)
print("done")
