"""The net over MPI, by the C program test_net: log, exchanges, collective calls, idle waits."""

import pytest
from mpis import PACKAGE

TEST = PACKAGE.parent.parent / "test_net"
pytestmark = pytest.mark.skipif(not TEST.exists(), reason="the C tests are not built")


@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_transport(mpi, ranks):
    status, out, err = mpi.mpirun(ranks, TEST)
    assert status == 0, err
    assert sorted(line.split(",")[0] for line in out.splitlines()) == [f"rank {r} of {ranks}" for r in range(ranks)]
    assert out.count("test_net: ok") == ranks


def test_large_messages_travel_in_pieces(mpi):
    status, out, err = mpi.mpirun(3, TEST, environment={"CNUMERIC_MESSAGE_BYTES": "1000"})
    assert status == 0, err
    assert out.count("test_net: ok") == 3


def test_the_net_does_without_a_thread_of_its_own(mpi):
    """As with an MPI that lets only one thread call it."""
    status, out, err = mpi.mpirun(5, TEST, environment={"CNUMERIC_PROGRESS": "0"})
    assert status == 0, err
    assert out.count("test_net: ok") == 5


def test_a_rank_that_fails_ends_all_with_one_message(mpi):
    status, out, err = mpi.mpirun(3, TEST, "fail")
    assert status != 0
    assert (out + err).count("cnumeric: rank 1: there is no memory left\n") == 1
