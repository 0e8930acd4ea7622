"""Threads: each records into a window of its own; arrays pass between them."""

import concurrent.futures

import channel_flow
import cnumeric
import numpy


def test_threads_compute_apart():
    expected = channel_flow.main(numpy, 17, 17, 5)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(channel_flow.main, cnumeric, 17, 17, 5) for _ in range(8)]
        for job in jobs:
            for ours, theirs in zip(job.result(), expected, strict=True):
                numpy.testing.assert_array_equal(numpy.asarray(ours), theirs)


def test_threads_pass_pending_arrays_on():
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        array, expected = cnumeric.arange(100.0), numpy.arange(100.0)
        for k in range(30):
            array = pool.submit(lambda x, k=k: x[::-1] * 0.5 + k, array).result()
            expected = expected[::-1] * 0.5 + k
        numpy.testing.assert_array_equal(numpy.asarray(array), expected)


def test_threads_that_end_leave_their_work():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        array = pool.submit(lambda: cnumeric.ones(50) + cnumeric.arange(50)).result()
    numpy.testing.assert_array_equal(numpy.asarray(array + 1), numpy.arange(50.0) + 2)
