"""NumPy programs with everything on the device: the stand-in of tests/cuda, or, with CN_TEST_GPU=1, a real one."""

import pathlib

import devices
import pytest

PROGRAM = """
import numpy
import cnumeric as np
from cnumeric import _cnumeric

def both(run):
    mine, theirs = run(np), run(numpy)
    numpy.testing.assert_allclose(numpy.asarray(mine), theirs, rtol=1e-12)

def stencil(np):
    p = np.arange(48.0 * 50).reshape(48, 50) / 7
    for _ in range(6):
        old = p.copy()
        p[1:-1, 1:-1] = 0.25 * (old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1])
        p[0, :] = p[1, :]
        p[:, -1] = 0
    return p

def reductions(np):
    x = np.arange(30000.0).reshape(3, 10000) / 3 - 1000
    y = x[:, ::-1] * 2
    return np.stack([((x - y) ** 2).mean(axis=1), x.max(axis=1), y.min(axis=1), x.sum(axis=1) - y.sum()])

def columns(np):
    x = np.arange(20000.0).reshape(2000, 10) % 13
    return np.stack([x.sum(axis=0), x.std(axis=0), x.max(axis=0)])

def indexing(np):
    a = np.arange(300.0)
    index = (np.arange(1000) * 7919) % 300
    b = a[index] * 2
    a[index] = b - 1
    a[a > 400] = 0
    return a

def mixed(np):
    a = np.arange(100, dtype="int32").reshape(10, 10)
    c = (a[:, None, :] + a.T[None]).astype("float32")
    d = np.where(c > 90, c, -c)
    return np.concatenate([d.reshape(-1), np.cumsum(d[0, 0])])

for run in (stencil, reductions, columns, indexing, mixed):
    both(run)
counters = _cnumeric.stats()
print("moves", counters["moves"], counters["shared_launches"])
"""


def on_device(program: str, **settings: str) -> list[str]:
    """What the program prints, word by word, on the stand-in or the real device."""
    return devices.run("-c", program, env=devices.environment(**settings)).split()


@pytest.mark.parametrize("gpus", [1, 3])
def test_programs_on_device(gpus: int) -> None:
    """Statements give NumPy's results when the device does all it can, also where it is several that share work out."""
    several = {"CNUMERIC_GPUS": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": str(gpus)}
    moves, shared = (int(word) for word in on_device(PROGRAM, CNUMERIC_GPU_BYTES="1", **several)[1:])
    assert moves > 0
    assert (shared > 0) == (gpus > 1) or (devices.REAL and shared == 0)


GRADIENTS = """
import cnumeric as np

def solve(r):  # frees what it takes in another order
    x = np.zeros(r.size)
    p, rs = r, r @ r
    for _ in range(10):
        q = 4.0 * p - np.roll(p, -1) - np.roll(p, 1)
        alpha = rs / (p @ q)
        x = x + alpha * p
        r = r - alpha * q
        new = r @ r
        p, rs = r + (new / rs) * p, new
    return x

r = np.arange(float(1 << 17)) % 7
for k in range(12):
    before = np.stats()
    x = solve(r)
    np.synchronize()
after = np.stats()
print(*(after[name] - before[name] for name in ("windows", "graphs", "device_launches", "moves")))
"""


def test_a_program_that_repeats_itself_is_replayed() -> None:
    """Its addresses recur, and no number of it is waited for: every window is one graph, and nothing is moved."""
    windows, graphs, launches, moves = map(int, on_device(GRADIENTS, CNUMERIC_GPU_BYTES="1"))
    assert (graphs, launches, moves) == (windows, 0, 0)


def test_unlinked_gpus_are_not_shared() -> None:
    """GPUs that do not see each other's memory are left alone: the first does the work."""
    program = "import cnumeric as np; x = np.arange(9000.0) * 2; print(float(x.sum()), np.stats()['shared_launches'])"
    settings = {"CNUMERIC_GPU_BYTES": "1", "CNUMERIC_GPU_SPREAD_BYTES": "1"}
    settings |= {"STANDIN_DEVICES": "2", "STANDIN_UNLINKED": "1"}
    said = devices.run("-c", program, env=devices.environment(real=False, **settings))
    assert said.split() == ["80991000.0", "0"]


FAILING = """
import warnings
import cnumeric as np
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    x = np.arange(9000.0)
    lost = 0
    for _ in range(4):
        try:
            y = x * 2 + 1
            assert float(y.sum()) == 81000000.0
        except RuntimeError:
            lost += 1
            x = np.arange(9000.0)
print(lost, [str(w.message) for w in seen])
"""


@pytest.mark.parametrize(
    ("change", "lost", "said"),
    [
        ({"CNUMERIC_CUDA_COMPILER": "/no/such/library.so"}, "0", "NVRTC"),
        ({"CNUMERIC_CUDA_DRIVER": "libm.so.6"}, "0", "too old"),
        ({"STANDIN_FAIL": "launch:2+"}, "1", "the GPU failed"),
    ],
    ids=["no compiler", "old driver", "falls off"],
)
def test_broken_gpus(change: dict[str, str], lost: str, said: str) -> None:
    """One warning, and the processor does the work; what was on a GPU that fell off is lost with an exception."""
    settings = {"CNUMERIC_GPU_BYTES": "1"} | change
    printed = devices.run("-c", FAILING, env=devices.environment(real=False, **settings))
    assert printed.startswith(f"{lost} ['cnumeric: the GPU") and said in printed, printed
    assert printed.count("cnumeric:") == 1


TURNED = """
import numpy
import cnumeric as np

def permuted(np, x, y, z):
    copy = np.ascontiguousarray
    return (x.T + y, x.T * y - x.T, copy(z.transpose(0, 2, 1)), copy(z.transpose(2, 1, 0)), copy(x[::2, ::-1].T),
            x[:64, :64] + x[:64, :64].T, x.T[:, ::2] + y[:, ::2])

rng = numpy.random.default_rng(3)
for dtype in ("f8", "f4", "i2", "u1", "c16", "?"):
    arrays = [(rng.standard_normal(shape) * 50).astype(dtype) for shape in ((70, 95), (95, 70), (5, 70, 40))]
    if dtype == "?":
        arrays = [a.astype("u1") for a in arrays]
    mine = [np.array(a) for a in arrays]
    before = np.stats()["device_launches"]
    for a, b in zip(permuted(np, *mine), permuted(numpy, *arrays), strict=True):
        assert numpy.array_equal(numpy.asarray(a), b), dtype
    assert np.stats()["device_launches"] > before
"""


def test_what_is_turned_comes_through_shared_memory() -> None:
    """Loads along another dimension than the stores, in tiles with ends."""
    on_device(TURNED, CNUMERIC_GPU_BYTES="1")


FAR = """
import numpy
import cnumeric as np

rng = numpy.random.default_rng(8)
n = 50000
index = rng.integers(-n, n, 60000)
index[4096:8192].sort()
for dtype in ("f8", "c8", "f4", "i2"):
    x = (rng.standard_normal(2 * n) * 50).astype(dtype)
    mine, places = np.array(x), np.array(index)
    before = np.stats()["device_launches"]
    for step, every in ((1, 1), (2, 1), (-2, 1), (1, 2)):
        result = mine[::step][places[::every]]
        assert numpy.array_equal(numpy.asarray(result), x[::step][index[::every]]), (dtype, step)
    print(np.stats()["device_launches"] - before)
"""


@pytest.mark.skipif(devices.REAL, reason="arrays larger than a real cache")
@pytest.mark.parametrize("gpus", [1, 3])
def test_far_elements_are_taken_by_region(gpus: int) -> None:
    """Of an array larger than the cache: the same elements, also of tiles whose indices are near each other."""
    several = {"CNUMERIC_GPUS": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": str(gpus)}
    launches = [int(word) for word in on_device(FAR, CNUMERIC_GPU_BYTES="1", **several)]
    assert launches == [10] * 4 if gpus == 1 else min(launches) >= 20  # three where what is named lies as one run


SORTED = """
import numpy
import cnumeric as np

rng = numpy.random.default_rng(4)
for dtype, shape in (("f8", (2, 40000)), ("f4", (70000,)), ("u2", (70000,)), ("i1", (2, 40000)), ("f8", (5, 40000))):
    x = (rng.standard_normal(shape) * 90).astype(dtype)
    x[..., ::7] = x[..., :1]
    if dtype[0] == "f":
        x[..., 5::911] = numpy.nan
        x[..., 3::11] = -0.0
    mine = np.array(x) + 0
    np.synchronize()
    before = np.stats()
    order, values = np.argsort(mine, kind="stable"), np.sort(mine)
    np.synchronize()
    after = np.stats()
    assert numpy.array_equal(numpy.asarray(order), numpy.argsort(x, kind="stable")), (dtype, shape)
    assert numpy.array_equal(numpy.asarray(values), numpy.sort(x), equal_nan=dtype[0] == "f"), (dtype, shape)
    print(int(after["shared_launches"] > before["shared_launches"]), after["moves"] - before["moves"])
"""


@pytest.mark.parametrize("gpus", [1, 2, 3])
def test_gpus_sort_what_they_have_and_merge(gpus: int) -> None:
    """Also lines of which one has nothing, or all; equal elements in order, NaNs, and dtypes of few digits."""
    several = {"CNUMERIC_GPUS": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": str(gpus)}
    said = on_device(SORTED, CNUMERIC_GPU_BYTES="1", **several)
    assert said[1::2] == ["0"] * 5
    assert devices.REAL or said[::2] == [str(int(gpus > 1))] * 5


CHOSEN = """
import hashlib
import numpy
import cnumeric as np

rng = numpy.random.default_rng(6)
for dtype in ("f8", "i2", "c16"):
    x, y = ((rng.standard_normal(50000) * 90).astype(dtype) for _ in range(2))
    places = rng.integers(-50000, 50000, 50000)
    mine, other, index, key = (np.array(a) + 0 for a in (x, y, places, x.real))
    np.synchronize()
    before = np.stats()
    some, none, where = mine[key > 20], mine[key > 1e9], np.nonzero(key > 20)[0]
    along = np.cumsum(other), np.cumsum(other.reshape(5, 10000), axis=1), np.cumsum(other.reshape(10000, 5), axis=0)
    mine[index] = other
    np.synchronize()
    after = np.stats()
    chosen = x.real > 20
    for a, b in ((some, x[chosen]), (none, x[:0]), (where, numpy.nonzero(chosen)[0])):
        assert numpy.array_equal(numpy.asarray(a), b), dtype
    x[places] = y
    assert numpy.array_equal(numpy.asarray(mine), x), dtype
    bits = hashlib.sha256(b"".join(numpy.asarray(a).tobytes() for a in along)).hexdigest()
    print(after["shared_launches"] - before["shared_launches"], bits)
"""


@pytest.mark.parametrize("gpus", [1, 2, 3])
def test_gpus_choose_put_and_accumulate(gpus: int) -> None:
    """Each those that it has: the elements in order, of equal indices the last one's, and sums of the same bits."""
    several = {"CNUMERIC_GPUS": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": str(gpus)}
    said = on_device(CHOSEN, CNUMERIC_GPU_BYTES="1", **several)
    assert devices.REAL or all((int(n) >= 12) == (gpus > 1) for n in said[::2]), said
    assert said[1::2] == on_device(CHOSEN, CNUMERIC_GPU="0")[1::2]


LONG_SUM = """
import hashlib
import numpy
import cnumeric as np

x = np.array(numpy.random.default_rng(7).standard_normal(1060000)) + 0
print(hashlib.sha256(numpy.asarray(np.cumsum(x)).tobytes()).hexdigest())
"""


def test_gpus_accumulate_long_lines() -> None:
    """Of more tiles than a block looks through for what stands before them."""
    several = {"CNUMERIC_GPUS": "2", "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": "2"}
    assert on_device(LONG_SUM, CNUMERIC_GPU_BYTES="1", **several) == on_device(LONG_SUM, CNUMERIC_GPU="0")


REPEATED = """
import numpy
import cnumeric as np

def sweeps(np, p, count, sorts):
    launches = []
    for k in range(count):
        p[1:-1, 1:-1] = 0.25 * (p[1:-1, 2:] + p[1:-1, :-2] + p[2:, 1:-1] + p[:-2, 1:-1])
        if sorts:
            p[:, 0] = np.sort(p, axis=1)[:, 3]
        if np is not numpy:
            np.flush()
            launches.append(np.stats()["device_launches"])
    return launches

for sorts in (False, True):
    n = 210 if sorts else 200
    p, q = (module.arange(n * n * 1.0).reshape(n, n) % 17 for module in (np, numpy))
    start = np.stats()["device_launches"]
    seen = sweeps(np, p, 60, sorts)
    assert seen[3] == start, "the first runs are the processor's"
    assert (seen[-1] > seen[30]) is not sorts, "then the device's, unless values come back from the host"
    moves = np.stats()["moves"]
    sweeps(np, p, 20, sorts)
    assert np.stats()["moves"] == moves
    sweeps(numpy, q, 80, sorts)
    assert numpy.array_equal(numpy.asarray(p), q)
"""


@pytest.mark.default_settings
def test_what_repeats_goes_to_the_device() -> None:
    """Arrays of less than gpu_bytes, but more than a sixteenth of it."""
    on_device(REPEATED, CNUMERIC_GPU_BYTES="1000000")


@pytest.mark.parametrize("fail", ["compile:2", "compile:5", "compile:1+"])
def test_what_does_not_compile_is_the_processors(fail: str, tmp_path: pathlib.Path) -> None:
    """Kernels of a plan are compiled side by side; the parts whose kernel fails are bound anew."""
    words = on_device(PROGRAM, CNUMERIC_GPU_BYTES="1", STANDIN_FAIL=fail, CNUMERIC_CACHE=str(tmp_path))
    assert words[0] == "moves"


TALL = """
import numpy
import cnumeric as np

def near(mine, theirs):
    tolerance = 1e-12 if theirs.dtype == "f8" else 2e-4
    assert abs(numpy.asarray(mine) - theirs).max() <= tolerance * abs(theirs).max(), (theirs.dtype, theirs.shape)

def pause(np):
    if np is not numpy:
        np.flush()

def fit(np, x, y, pause=lambda np: None):
    w = np.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(3):
        z = x @ w
        pause(np)
        p = 1 / (1 + np.exp(-z)) - y
        pause(np)
        w = w - (2 / len(y)) * (x.T @ p)
        pause(np)
    return w

def in_place(np, x, y):
    r = x @ y[: x.shape[1]]
    r -= y * x[:, 1]
    return np.concatenate([x.T @ r, r])

def reversed_rows(np, x, y):
    z = x @ y[: x.shape[1]]
    return x.T @ (z[::-1] * y)

def direct(np, x, y):
    return x.T @ (x @ y[: x.shape[1]])

def single(np, x, y):
    v = y[: 2 * x.shape[1] : 2]
    return np.concatenate([x @ v, v @ x.T, y @ x, x.T @ y[::-1], (x[:, ::-1] @ v), x @ v[:, None][:, 0]])

rng = numpy.random.default_rng(3)
for dtype in ("f8", "f4"):
    for n, k in ((16384, 8), (20001, 32), (16500, 33), (17000, 64), (16384, 130)):
        if dtype == "f4" and k == 8:
            k = 16
        x, y = (rng.standard_normal(shape).astype(dtype) for shape in ((n, k), (n,)))
        a, b = np.array(x), np.array(y)
        for run in (in_place, reversed_rows, direct, single):
            near(run(np, a, b), run(numpy, x, y))
        near(in_place(np, np.array(numpy.hstack([x, x]))[:, :k], b), in_place(numpy, x, y))
        before = np.stats()
        mine = numpy.asarray(fit(np, a, b))
        after = np.stats()
        near(mine, fit(numpy, x, y))
        assert (mine == numpy.asarray(fit(np, a, b, pause))).all(), "joined or not, the bits are the same"
        if k < 130:
            # two for the products and what lies between, one for w; the rest is the first w's
            assert after["device_launches"] - before["device_launches"] <= 3 * LAUNCHES + 2, (n, k, before, after)
"""


@pytest.mark.default_settings
@pytest.mark.parametrize("gpus", [1, 3])
def test_products_of_tall_matrices_read_them_once(gpus: int) -> None:
    """x.T @ f(x @ w) is one kernel, and one that adds up, on one GPU; all that is between is stored as well."""
    several = {"CNUMERIC_GPUS": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": str(gpus)}
    on_device(TALL.replace("LAUNCHES", "3" if gpus == 1 else "30"), CNUMERIC_GPU_BYTES="1", **several)


INDICES = """
import numpy
import cnumeric as np
from cnumeric import _cnumeric

x, index = np.arange(1000.0), (np.arange(3000) * 7919) % 1000

def launches():
    before = _cnumeric.stats()["device_launches"]
    result = np.take(x, index)
    np.synchronize()
    return _cnumeric.stats()["device_launches"] - before

np.synchronize()
print(*(launches() for _ in range(3)))
index += 1000 * (index == 7)
try:
    np.take(x, index)
except IndexError as error:
    print(error)
index -= 1000 * (index == 1007) + 1
print(launches(), launches())
print(numpy.array_equal(np.take(x, index), numpy.asarray(x)[numpy.asarray(index)]))
"""


def test_indices_are_checked_once() -> None:
    """Indices whose extremes are known are not read for them again, until an op changes them."""
    lines = devices.run("-c", INDICES, env=devices.environment(CNUMERIC_GPU_BYTES="1")).splitlines()
    first, second, third = (int(word) for word in lines[0].split())
    assert first > second == third > 0
    assert lines[1] == "index 1007 is out of bounds for axis 0 with size 1000"
    changed, again = (int(word) for word in lines[2].split())
    assert changed >= again > 0
    assert lines[3] == "True"


MASKED = """
import numpy
import cnumeric as np

x = (numpy.arange(40000.0) * 7919) % 1000
mine = np.array(x) * 1
np.synchronize()
for run in (lambda x: x[x > 500], lambda x: x[(x > 100) & (x < 300)]):
    before = np.stats()
    chosen = run(mine)
    np.synchronize()
    after = np.stats()
    assert numpy.array_equal(numpy.asarray(chosen), run(x))
    assert after["device_launches"] - before["device_launches"] == LAUNCHES, (before, after)
    assert after["bytes_read"] - before["bytes_read"] == (8 + 1 + 8) * x.size
for run in (lambda np, x: np.nonzero(x % 3 == 0)[0], lambda np, x: np.count_nonzero(x), lambda np, x: np.any(x > 998)):
    assert numpy.array_equal(numpy.asarray(run(np, mine)), run(numpy, x))
"""


@pytest.mark.default_settings
def test_masks_are_counted_where_they_are_made() -> None:
    """A launch for the mask and its count, which has a second one; then the choice, which reads the mask again."""
    on_device(MASKED.replace("LAUNCHES", "3"), CNUMERIC_GPU_BYTES="1")
