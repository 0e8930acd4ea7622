"""Factorisations and Fourier transforms on a device: the stand-in of tests/cuda; with CN_TEST_GPU=1, a real one."""

import pathlib

import devices
import pytest

pytestmark = pytest.mark.default_settings  # what moves is counted, for one place


def environment(**more: str) -> dict[str, str]:
    """The environment in which everything is the device's; skips without a stand-in."""
    settings = {"CNUMERIC_GPU_BYTES": "1", "CNUMERIC_GPU_MATRIX": "1", "CNUMERIC_COPY_BYTES": "0"}
    if not devices.REAL:
        settings["STANDIN_LAPACK"] = devices.lapack()
    return devices.environment("SOLVER", "FFT", **(settings | more))


def several(gpus: int) -> dict[str, str]:
    """Settings under which arrays lie on so many GPUs, where there are as many."""
    return {"STANDIN_DEVICES": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1"} if gpus > 1 else {}


def run(program: str, **more: str) -> None:
    """Run the program of tests/cuda to its end."""
    path = pathlib.Path(__file__).parent / "cuda" / f"{program}.py"
    assert devices.run(str(path), env=environment(**more)).endswith("done\n")


@pytest.mark.parametrize("gpus", [1, 3])
@pytest.mark.parametrize("program", ["factorisations", "transforms"])
def test_library_calls_on_device(program: str, gpus: int) -> None:
    """Every function x dtype x option gives NumPy's results, and no array leaves the device for it."""
    run(program, **several(gpus))


@pytest.mark.parametrize("gpus", [1, 3])
def test_memory_is_shared_with_other_libraries(gpus: int) -> None:
    """Memory of the device by __cuda_array_interface__ and DLPack: no copies, each side sees what the other wrote."""
    run("sharing", **several(gpus))


def test_cupy_torch_and_jax_beside_us() -> None:
    """Libraries that use the same device in one process."""
    if not devices.REAL:
        pytest.skip("a stand-in is no device to them")
    run("neighbours")


def test_arrays_make_room_for_others() -> None:
    """What was used longest ago goes to the host and comes back; what does not fit at all is the host's."""
    run("spilling", CNUMERIC_GPU_MEMORY=str(32 << 20))


def test_arrays_larger_than_the_device() -> None:
    """They go there in boxes, each array once where it can be; the host's bits, but of products."""
    path, settings = pathlib.Path(__file__).parent / "cuda" / "turns.py", {"CNUMERIC_THREADS": "2", "STANDIN_BLAS": "1"}
    settings |= {"CNUMERIC_GPUS": "1"}  # the limit is each GPU's
    there = devices.run(str(path), env=environment(CNUMERIC_GPU_MEMORY=str(16 << 20), **settings))
    here = devices.run(str(path), "host", env=environment(CNUMERIC_GPU="0", **settings))
    assert there.endswith("done\n") and there == here


@pytest.mark.parametrize("kind", ["upload", "download", "launch", "alloc", "pinned", "compile"])
@pytest.mark.parametrize("which", [1, 2, 5, 13])
def test_a_device_that_fails_between_boxes(kind: str, which: int) -> None:
    """The n-th call of the driver fails: arrays are intact, and the processor goes on with the same values."""
    if devices.REAL:
        pytest.skip("a real driver does not fail on demand")
    path = pathlib.Path(__file__).parent / "cuda" / "turns.py"
    settings = {"CNUMERIC_GPU_MEMORY": str(16 << 20), "CNUMERIC_THREADS": "2"}
    said = devices.run(str(path), "failing", env=environment(STANDIN_FAIL=f"{kind}:{which}", **settings))
    assert said == "done\n"


def test_memory_error_says_what_for() -> None:
    """When the host has no memory either, the error names line and arrays, and all arrays are intact."""
    run("exhausted", CNUMERIC_GPU_MEMORY=str(32 << 20), CNUMERIC_MEMORY=str(100 << 20))


@pytest.mark.parametrize("which", ["1", "2", "3", "5", "8", "1+", "2+", "4+", "7+"])
def test_a_device_that_refuses_memory(which: str) -> None:
    """The n-th allocation of the driver fails, or all from then on: values are right all the same."""
    if devices.REAL:
        pytest.skip("a real driver does not fail on demand")
    run("refusing", STANDIN_FAIL=f"alloc:{which}")


@pytest.mark.parametrize("which", ["4", "7", "12", "9+", "30+"])
def test_devices_that_refuse_memory(which: str) -> None:
    """The same of several, which have memory of their own for products, transforms and factorisations."""
    if devices.REAL:
        pytest.skip("a real driver does not fail on demand")
    run("refusing", STANDIN_FAIL=f"alloc:{which}", **several(3))


@pytest.mark.parametrize(
    "more",
    [
        {"CNUMERIC_CUDA_SOLVER": "/nothing", "CNUMERIC_CUDA_FFT": "/nothing"},
        {"STANDIN_FAIL": "library:1+"},
        {"CNUMERIC_GPU": "0"},
        {"CNUMERIC_GPU_BYTES": "1000000"},
        {"CNUMERIC_GPU": "0", "CNUMERIC_PLACES": "3", "CNUMERIC_SPREAD_BYTES": "1"},
    ],
    ids=["missing", "failing", "host", "small", "places"],
)
def test_numpy_computes_what_no_library_does(more: dict[str, str]) -> None:
    """Without cuSOLVER and cuFFT, when they fail, and on the host: NumPy's bits, quietly."""
    if "STANDIN_FAIL" in more and devices.REAL:
        pytest.skip("a real library does not fail on demand")
    run("by_numpy", **more)


def test_batches_of_small_matrices() -> None:
    """LU, Cholesky and QR of all at once; what the device would do one after the other is NumPy's."""
    run("small_matrices", CNUMERIC_GPU_MATRIX="140")


def test_batches_where_blocks_have_little_memory() -> None:
    """Matrices that do not fit there are NumPy's."""
    if devices.REAL:
        pytest.skip("a real device has the memory that it has")
    run("small_matrices", CNUMERIC_GPU_MATRIX="140", STANDIN_SHARED=str(64 << 10), TEST_MOST="80 32")


@pytest.mark.parametrize("gpus", [1, 3])
def test_products_of_batches(gpus: int) -> None:
    """One call of cuBLAS, or one for each step of what does not lie as one run."""
    run("products", STANDIN_BLAS="1", **several(gpus))


SPREAD = """
import numpy, cnumeric as np
rng = numpy.random.default_rng(2)
a, b = rng.random((30, 30)) + 30 * numpy.eye(30), rng.random((30, 4))
x, y = np.array(a) * 1, np.array(b) * 1
for _ in range(3):
    numpy.testing.assert_allclose(numpy.asarray(np.linalg.solve(x, y)), numpy.linalg.solve(a, b))
    numpy.testing.assert_allclose(numpy.asarray(np.linalg.inv(x)), numpy.linalg.inv(a))
    numpy.testing.assert_allclose(numpy.asarray(np.fft.fft(y, axis=0)), numpy.fft.fft(b, axis=0))
    x, a, y, b = x + 1, a + 1, y * 2, b * 2
assert np.stats()["device_calls"] > 0
"""


def test_library_calls_where_arrays_are_spread() -> None:
    """What places have of an operand comes to the device first."""
    devices.run("-c", SPREAD, env=environment(CNUMERIC_PLACES="3", CNUMERIC_SPREAD_BYTES="1"))
