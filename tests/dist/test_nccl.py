"""Messages from GPU to GPU of ranks: which go so, what they carry, and what happens where one rank cannot.

With CN_TEST_GPU=1 those that need no failing library run on two real GPUs.
"""

import pathlib
import re

import devices
import pytest
from gpus import PRELUDE, SWEEPS, differently, direct, settings

COUNTED = '\ns = np.stats()\nprint(s["direct_messages"], s["direct_bytes"])'


def real(**more):
    return settings(real=devices.REAL, **more)


@pytest.mark.parametrize("least, goes", [("1024", True), ("1025", False), ("0", False)])
def test_a_message_goes_by_its_size(mpi, least, goes):
    """On paper: a row of 1,024 bytes each way a sweep; nothing moves between host and GPU if they go."""
    environment = real(**direct(2, CNUMERIC_NCCL_BYTES=least))
    program = PRELUDE + SWEEPS + 'print(s["direct_messages"], s["direct_bytes"])'
    status, out, err = mpi.python(2, program, environment=environment)
    moves = 0 if goes else 20
    words = [20, 20480, moves, moves * 1024, True, 0, 20 - moves, (20 - moves) * 1024]
    assert (status, out.split()) == (0, [str(word) for word in words]), err


def test_what_goes_from_gpu_to_gpu_is_told_by_rank(mpi):
    """What one rank sends, its neighbour says it receives; all of them while the inside of shares is computed."""
    more = direct(3, CNUMERIC_OVERLAP="1", CNUMERIC_DEBUG="comm", STANDIN_FAIL="")
    program = PRELUDE + SWEEPS + 'print(s["direct_bytes"], s["overlapped"])'
    status, out, err = mpi.python(3, program, environment=settings(**more))
    assert (status, out.splitlines()[-1]) == (0, "20480 10"), err
    told = re.findall(r"^cnumeric\[(\d)\] comm: direct: (\d+) bytes (to|from) (\d)$", err, re.M)
    sent = sorted((rank, peer, nbytes) for rank, nbytes, way, peer in told if way == "to")
    received = sorted((peer, rank, nbytes) for rank, nbytes, way, peer in told if way == "from")
    assert sent == received and {pair[:2] for pair in sent} == {("0", "1"), ("1", "0"), ("1", "2"), ("2", "1")}


@pytest.mark.parametrize("least, said", [("1024", "0 of 0 bytes through hosts, 2 of 2048"), ("0", "2 of 2048 bytes through hosts, 0 of 0")])
def test_explain_says_which_way_messages_go(mpi, least, said):
    """A sweep has a message of a row each way."""
    program = PRELUDE + SWEEPS + "sweep(p, b)\nnp.flush()\nnp.explain(True)\nsweep(p, b)\nnp.flush()\nprint(np.explain())"
    status, out, err = mpi.python(2, program, environment=settings(**direct(2, CNUMERIC_NCCL_BYTES=least)))
    assert status == 0, err
    assert f"  messages: {said} bytes from GPU to GPU\n" in out, out
    assert "partition over 2 places, of which 0 to 0 are here\n  launch 0: " in out


def test_ranks_that_share_a_gpu_go_through_the_hosts(mpi):
    """Nobody is told: it is as it should be."""
    environment = settings(**direct(2, STANDIN_DEVICES="1"))
    status, out, err = mpi.python(2, PRELUDE + SWEEPS + COUNTED, environment=environment)
    assert (status, out.splitlines()[-1]) == (0, "0 0"), err
    assert "cnumeric:" not in err


LARGE = """
def values(np, n=256):
    x = np.arange(float(n * n)).reshape(n, n) % 7
    reshaped = x.reshape(-1)[::2].copy().reshape(n, n // 2) * 2
    far = x[: n // 2, :240:3] - x[n // 2 :, 1:240:3]
    return [x.T.copy(), x @ x, x[::-1] + x, np.roll(x, n // 2, axis=0), reshaped, x.T + x, far]
ours, theirs = values(np), values(numpy)
for a, b in zip(ours, theirs):
    same(a, b)
x = np.arange(65536.0).reshape(256, 256) % 7
def product():
    global y
    y = x @ x
    np.synchronize()
product(), product()
s = counted(product)
print(s["direct_messages"], s["direct_bytes"], s["messages"])
def read():
    return numpy.asarray(x * 2)
s = counted(read)
print(s["direct_messages"], s["direct_bytes"])
same(y, numpy.asarray(x) @ numpy.asarray(x))
"""


@pytest.mark.parametrize("more", [{}, {"CNUMERIC_OVERLAP": "1"}])
def test_large_exchanges(mpi, more):
    """On paper: a product needs the other half of its right operand; reading an array, rank 1's half of it."""
    status, out, err = mpi.python(2, PRELUDE + LARGE, environment=real(**direct(2, **more)))
    half = 128 * 256 * 8
    assert (status, out.splitlines()) == (0, [f"2 {2 * half} 2", f"1 {half}"]), err


# ---- What goes wrong on one rank alone -------------------------------------------------------------------

SWEPT = PRELUDE + "p, b = swept(np, 50, 9)\nsame(p, swept(numpy, 50, 9)[0])" + COUNTED


def test_a_rank_whose_processor_does_all(mpi, tmp_path):
    """It speaks NCCL all the same, from its host."""
    more = {"STANDIN_FAIL": "compile:1+", "CNUMERIC_CACHE": str(tmp_path)}
    status, out, err = differently(mpi, SWEPT, direct(2), **more)
    assert status == 0 and int(out.split()[0]) >= 16, (out, err)


PIECES = """
n = 2960
x = np.arange(float(n * n)).reshape(n, n)
y, z = np.roll(x, n // 2, axis=0), x[::-1, 1:] * 2
np.synchronize()
s = np.stats()
print(s["direct_messages"], s["direct_bytes"] == n * n * 8)
a = numpy.arange(float(n * n)).reshape(n, n)
same(y, numpy.roll(a, n // 2, axis=0))
same(z, a[::-1, 1:] * 2)
"""


@pytest.mark.parametrize("fail", ["", "compile:1+"])
def test_messages_in_pieces(mpi, fail, tmp_path):
    """Of two ranks pieces have 32 MiB; each sends its half, 35 MB, from the GPU or (rank 1) from the host."""
    more = {"CNUMERIC_VERIFY": "0", "STANDIN_FAIL": fail, "CNUMERIC_CACHE": str(tmp_path)}
    status, out, err = differently(mpi, PRELUDE + PIECES, direct(2), **more)
    assert (status, out) == (0, "2 True\n"), (out, err)


@pytest.mark.parametrize("fail", ["compile:1+", "compile:30+", "pages:90+"])
def test_random_programs_where_one_rank_cannot_do_all(mpi, fail, tmp_path):
    more = {"STANDIN_FAIL": fail, "CNUMERIC_CACHE": str(tmp_path), "CNUMERIC_OVERLAP": "1"}
    program = f"""
import sys
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import mixed_programs, cnumeric
mixed_programs.check(300)
mixed_programs.check(301)
print(cnumeric.stats()["direct_messages"] > 30)
"""
    status, out, err = differently(mpi, program, direct(2), **more)
    assert (status, out) == (0, "True\n"), (out, err)


@pytest.mark.parametrize(
    "more, reason",
    [
        ({"CNUMERIC_CUDA_NCCL": "/no/such/library.so"}, "a rank has none"),
        ({"STANDIN_NCCL": "22600"}, "ranks have several versions"),
        ({"STANDIN_FAIL": "nccl_open:1"}, "it did not start"),
        ({"STANDIN_FAIL": "stream:1"}, "it did not start"),
    ],
)
@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_without_nccl(mpi, rank, more, reason):
    """All go through the hosts, and say so once."""
    here, there = direct(2), more
    if rank == 0:
        here, there = here | more, dict.fromkeys(more, "")
        there |= {"CNUMERIC_CUDA_NCCL": str(devices.LIBRARY), "STANDIN_NCCL": "22705"}
    status, out, err = differently(mpi, SWEPT, here, **there)
    assert (status, out) == (0, "0 0\n"), err
    assert err.count("messages between GPUs go through the hosts' memory") == 1 and reason in err, err


FAULTED = (
    PRELUDE
    + """
for _ in range(2):
    try:
        p, b = swept(np, 50, 9)
        np.synchronize()
        break
    except MemoryError:
        pass
same(p, swept(numpy, 50, 9)[0])
print("same")
"""
)


@pytest.mark.parametrize("nth", [10, 30, 45, 60, 75, 90, 105])
def test_a_worker_without_memory(mpi, nth):
    """It refuses, and the next try succeeds; or it does without, or ends all: nobody waits for it."""
    status, out, err = mpi.python(2, FAULTED, environment=settings(**direct(2), CNUMERIC_WORKER_FAULT=str(nth)))
    assert (status, out) in [(0, "same\n"), (1, "")], (out, err)


def test_no_id(mpi):
    status, out, err = mpi.python(2, SWEPT, environment=settings(**direct(2, STANDIN_FAIL="nccl_id:1")))
    assert (status, out) == (0, "0 0\n") and "it did not start" in err, err


@pytest.mark.parametrize("fail, code", [("nccl_send:2", 3), ("nccl_group:3", 1)])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_call_that_fails(mpi, rank, fail, code):
    """Values are lost: all ranks end, with one message; nobody waits for what does not come."""
    here, there = ({"STANDIN_FAIL": fail}, {"STANDIN_FAIL": ""})[:: 1 if rank == 0 else -1]
    status, out, err = differently(mpi, SWEPT, direct(2) | here, **there)
    assert (status, out) == (1, ""), (out, err)
    message = f"cnumeric: rank {rank}: the GPU failed: CUDA error {code} in a message between GPUs (by NCCL)"
    assert err.count(message) == 1, err


@pytest.mark.parametrize("rank", [0, 1])
def test_messages_that_are_lost(mpi, rank):
    """NCCL says so to one rank, whatever that and others wait for: all end, with one message."""
    here, there = ({"STANDIN_FAIL": "nccl_lost:3"}, {"STANDIN_FAIL": ""})[:: 1 if rank == 0 else -1]
    status, out, err = differently(mpi, SWEPT, direct(2) | here, **there)
    assert status == 1 and "cnumeric" not in out, (out, err)
    assert err.count(f"cnumeric: rank {rank}: messages between GPUs are lost (NCCL error 6)") == 1, err


KILLED = """
import os, pathlib, signal
p, b = swept(np, 50, 9)
for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
    words = stat.read_text().rpartition(")")[2].split()
    if "cnumeric-worker" in stat.read_text() and int(words[1]) == os.getppid():
        os.kill(int(stat.parent.name), signal.SIGKILL)
while True:
    sweep(p, b)
    float(p[49, 1])
"""


def test_a_rank_that_dies(mpi):
    """Its launcher ends the others, which may be waiting for its messages."""
    status, out, err = mpi.python(2, PRELUDE + KILLED, environment=real(**direct(2)))
    assert status != 0, (out, err)
