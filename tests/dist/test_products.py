"""Products of two spread matrices in panels: what moves, how much memory they take, what fails on one rank alone."""

import pytest
from gpus import EVERY_ARRAY, PRELUDE, differently, direct, settings

# Whole numbers: every order of additions has the same bits. Panels of 192 columns or more.
PRODUCTS = """
def values(np):
    x = np.arange(400 * 390.0).reshape(400, 390) % 11 - 5
    y = np.arange(390 * 800.0).reshape(390, 800) % 13 - 6
    z = np.arange(800 * 390.0).reshape(800, 390) % 7 - 3
    t = np.zeros((800, 400))
    np.matmul(y.T, x.T, out=t)
    square = (np.arange(400 * 400.0).reshape(400, 400) % 9 - 4).astype(np.float32)
    products = [x @ y, x @ z.T, y @ z, z.T @ y.T, x.reshape(4, 100, 390) @ y, t, square @ square]
    return [*products, x @ x.T, x[::2, ::3] @ y[::3], z.T @ z, y.T[1:] @ x.T]
for ours, theirs in zip(values(np), values(numpy)):
    same(ours, theirs)
"""

OPERANDS = """
x, y = (np.arange(800 * 800.0).reshape(800, 800) % 11, np.arange(800 * 800.0).reshape(800, 800) % 13)
x += 1; y += 1
"""

COUNTED = f"""{OPERANDS}
kept = [x @ y]
s = counted(lambda: x @ y)
print(s["messages"], s["overlapped"], s["direct_messages"], s["moves"])
"""


ROOM = """
n = 1536  # 18.9 MB
i = np.arange(n)
x = np.ones((n, n)) * (i[:, None] % 5)
np.synchronize()
y = np.ones((n, n)) * (i % 7)
np.synchronize()
try:
    z = x @ y
    np.synchronize()
    print("there", np.stats()["peak_bytes"] <= limit, bool((z == n * (i[:, None] % 5) * (i % 7)).all()))
except MemoryError:
    print("MemoryError")
"""

FAULTED = """
for _ in range(2):
    try:
        z = x @ y
        np.synchronize()
        break
    except MemoryError:
        pass
same(z, numpy.asarray(x) @ numpy.asarray(y))
print("same")
"""


def run(mpi, ranks, program, environment):
    status, out, err = mpi.python(ranks, PRELUDE + program, environment=environment)
    assert status == 0, err
    return out


@pytest.mark.parametrize("ranks", [2, 3])
def test_on_processors(mpi, ranks):
    """On paper: a piece of four panels to every other rank, as many from it; all but the first while it computes."""
    out = run(mpi, ranks, PRODUCTS + COUNTED, EVERY_ARRAY)
    messages, overlapped, direct_messages, moves = map(int, out.split())
    assert (messages, overlapped, direct_messages, moves) == (4 * 2 * (ranks - 1), 3, 0, 0)


def test_sums_are_cut_as_those_of_the_whole_result(mpi):
    """A rank's rows alone would be too few for it; it has memory for the segments all the same."""
    program = """
x, y = np.arange(192 * 1152.0).reshape(192, 1152) % 11, np.arange(1152 * 128.0).reshape(1152, 128) % 13
same(x @ y, numpy.asarray(x) @ numpy.asarray(y))
print("same")
"""
    assert run(mpi, 4, PRELUDE + program, EVERY_ARRAY) == "same\n"


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("by_nccl", [False, True])
def test_on_gpus(mpi, ranks, by_nccl):
    """The same messages, from GPU to GPU: none is on a host, nor beside a product; or through the hosts: each is a move."""
    environment = settings(STANDIN_BLAS="1", **(direct(ranks) if by_nccl else {}))
    out = run(mpi, ranks, PRODUCTS + COUNTED, environment)
    messages, overlapped, direct_messages, moves = map(int, out.split())
    expected = 4 * 2 * (ranks - 1)
    assert messages == expected
    assert (overlapped, direct_messages, moves) == ((0, expected, 0) if by_nccl else (3, 0, expected))


@pytest.mark.parametrize("panels, said", [(True, "there True True"), (False, "MemoryError")])
def test_an_operand_that_no_rank_can_hold(mpi, panels, said):
    """Of each matrix a rank has a quarter, and two panels are a quarter of one; whole they would be three."""
    limit = int(1.3 * 8 * 1536**2)
    more = {} if panels else {"CNUMERIC_SPREAD_BYTES": "1048576"}
    environment = EVERY_ARRAY | {"CNUMERIC_MEMORY": str(limit)} | more
    assert run(mpi, 4, f"limit = {limit}\n" + ROOM, environment) == said + "\n"


@pytest.mark.parametrize("more", [{"STANDIN_FAIL": "compile:1+"}, {"STANDIN_FAIL": "alloc:1+"}, {"CNUMERIC_GPU": "0"}])
@pytest.mark.parametrize("by_nccl", [False, True])
def test_a_rank_whose_processor_multiplies(mpi, more, by_nccl, tmp_path):
    """Its panels are on its host, the other's on its GPU; messages are the same."""
    environment = {"STANDIN_BLAS": "1", **(direct(2) if by_nccl else {})}
    more = more | {"CNUMERIC_CACHE": str(tmp_path), "STANDIN_BLAS": ""}
    status, out, err = differently(mpi, PRELUDE + PRODUCTS + COUNTED, environment, **more)
    assert (status, out.split()[:1]) == (0, ["8"]), (out, err)


@pytest.mark.parametrize("gpus", [False, True])
@pytest.mark.parametrize("nth", [1, 20, 40, 50, 55, 60, 65, 70, 75, 80, 85, 90, 100, 120])
def test_a_worker_without_memory(mpi, gpus, nth):
    """It refuses, and the next try succeeds; or it ends all, and says why: nobody waits for it."""
    environment = settings(STANDIN_BLAS="1", **direct(2)) if gpus else EVERY_ARRAY
    environment = environment | {"CNUMERIC_WORKER_FAULT": str(nth)}
    status, out, err = mpi.python(2, PRELUDE + OPERANDS + FAULTED, environment=environment)
    assert (status, out) in [(0, "same\n"), (1, "")], (out, err)
