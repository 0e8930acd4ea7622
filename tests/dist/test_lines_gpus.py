"""Fourier transforms of ranks with a GPU each: values, what moves, what fails on one rank alone."""

import devices
import pytest
from gpus import PRELUDE, at_places, differently, direct, settings

FFT = {"CNUMERIC_CUDA_FFT": str(devices.LIBRARY)}

TRANSFORMS = """
rng = numpy.random.default_rng(5)
def near(ours, theirs, what):
    ours, precision = numpy.asarray(ours), 1e-4 if theirs.dtype.char in "fF" else 1e-11
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, what
    scale = max(1, abs(theirs).max())
    numpy.testing.assert_allclose(ours, theirs, rtol=precision, atol=precision * scale, err_msg=str(what))
def every(kind):
    x, cube = rng.random((30, 28)), rng.random((9, 7, 12))
    if kind in "DF":
        x, cube = x + 1j * rng.random(x.shape), cube - 1j * cube
    x, cube = x.astype(kind), cube.astype(kind)
    y, z = np.array(x), np.array(cube)
    names = ["fft", "ifft", "irfft", "hfft"] + ([] if kind in "DF" else ["rfft", "ihfft"])
    for name in names:
        ours, theirs = getattr(np.fft, name), getattr(numpy.fft, name)
        for axis in (0, 1):
            for n in (None, 5, 40):
                near(ours(y, n, axis=axis), theirs(x, n, axis=axis), (name, kind, axis, n))
            for norm in ("ortho", "forward"):
                near(ours(y, 9, axis, norm), theirs(x, 9, axis, norm), (name, kind, axis, norm))
        for axis in range(3):
            near(ours(z, axis=axis), theirs(cube, axis=axis), (name, kind, "cube", axis))
            near(ours(z[::-1, 1:, ::2], axis=axis), theirs(cube[::-1, 1:, ::2], axis=axis), (name, kind, "steps", axis))
            near(ours(z.T, axis=axis), theirs(cube.T, axis=axis), (name, kind, "turned", axis))
    for name in ["fft2", "ifft2", "irfft2", "fftn"] + ([] if kind in "DF" else ["rfft2"]):
        near(getattr(np.fft, name)(z), getattr(numpy.fft, name)(cube), (name, kind))
    made = np.empty((30, 28), "F" if kind in "fF" else "D")
    np.fft.fft(y, out=made)
    near(made, numpy.fft.fft(x), "out")
for kind in "dDfF":
    every(kind)
print("near", np.stats()["device_launches"] > 0)
"""


@pytest.mark.parametrize("places", [1, 3])
def test_places_of_one_process(places):
    assert at_places(places, TRANSFORMS, **FFT) == "near True\n"


@pytest.mark.parametrize("ranks, more", [(2, {}), (3, direct(3))])
def test_ranks(mpi, ranks, more):
    status, out, err = mpi.python(ranks, PRELUDE + TRANSFORMS, environment=settings(**FFT, **more))
    assert (status, out) == (0, "near True\n"), err


COUNTED = """
x = np.array(numpy.random.default_rng(2).random((48, 40)))
z = x * (1 + 2j)
programs = {
    "rows": lambda: np.fft.fft(z), "columns": lambda: np.fft.fft(z, axis=0), "fft2": lambda: np.fft.fft2(z),
    "rfft2": lambda: np.fft.irfft2(np.fft.rfft2(x)),
}
for name, run in programs.items():
    run()
    np.synchronize()
    kept = run()
    np.synchronize()
    s = counted(lambda: globals().update(kept=run()))
    print(name, s["moves"], s["move_bytes"], s["direct_bytes"], s["message_bytes"])
"""


def test_nothing_goes_through_the_hosts(mpi):
    """Lines along the first axis go from GPU to GPU, half of them, and come back; others go nowhere."""
    status, out, err = mpi.python(2, PRELUDE + COUNTED, environment=settings(**FFT, **direct(2)))
    assert status == 0, err
    found = {line.split()[0]: [int(word) for word in line.split()[1:]] for line in out.splitlines()}
    quarter = 48 * 40 * 16 // 4
    assert {name: moves for name, (moves, *_) in found.items()} == dict.fromkeys(found, 0), out
    assert [found[name][2] for name in ("rows", "columns", "fft2")] == [0, 4 * quarter, 4 * quarter], out
    assert found["rfft2"][2] == found["rfft2"][3] > 0, out


@pytest.mark.parametrize("fail", ["compile:1+", "fft:1+", "fft:3"])
def test_one_rank_whose_processor_does_some(mpi, fail, tmp_path):
    more = {"STANDIN_FAIL": fail, "CNUMERIC_CACHE": str(tmp_path)}
    status, out, err = differently(mpi, PRELUDE + TRANSFORMS, FFT | direct(2), **more)
    assert (status, out) == (0, "near True\n"), err


@pytest.mark.parametrize("limit", [2000, 30000])
def test_no_room_on_the_gpus(mpi, limit):
    """Ranks do on their processors what their GPUs have no memory for."""
    environment = settings(**FFT, **direct(2), CNUMERIC_GPU_MEMORY=str((8 << 20) + limit))
    status, out, err = mpi.python(2, PRELUDE + TRANSFORMS, environment=environment)
    assert (status, out) == (0, f"near {limit > 2000}\n"), err


@pytest.mark.parametrize("rank", [0, 1])
def test_a_library_that_fails(mpi, rank):
    """Values are lost: all ranks end, with one message."""
    here, there = ({"STANDIN_FAIL": "library:2"}, {"STANDIN_FAIL": ""})[:: 1 if rank == 0 else -1]
    status, out, err = differently(mpi, PRELUDE + TRANSFORMS, FFT | direct(2) | here, **there)
    assert (status, out) == (1, ""), (out, err)
    assert err.count(f"cnumeric: rank {rank}: the GPU failed: CUDA error") == 1, err
