"""Transforms of lines that several places have pieces of: the bits of one place, what moves, memory that runs out."""

import functools

import pytest
import texts
from test_places import at_places

pytestmark = pytest.mark.default_settings


@functools.cache
def digests(places: int) -> list[str]:
    return at_places(places, f"{texts.TRANSFORMS}\nprint(*every_digest())", spread_bytes="200000").split()


@pytest.mark.parametrize("places", [3, 4])
def test_the_bits_are_those_of_one_place(places):
    assert digests(places) == digests(1)


def test_every_place_sends_what_is_not_its_own_three_times():
    """On paper: to columns, rows, and owners; of real lines half as many points, but both halves of a spectrum."""
    program = """
n, places = 2**18, 4
x = np.sin(np.arange(n * 1.0))
z = x + 1j
spectrum = np.fft.rfft(x)
runs = (lambda: np.fft.fft(z), lambda: np.fft.ifft(z), lambda: np.fft.rfft(x), lambda: np.fft.irfft(spectrum, n))
for run in runs:
    run()
np.synchronize()
for run in runs:
    s = counted(run)
    others = (places - 1) / places
    moved, to_root = s["message_bytes"] / (others * z.nbytes), s["root_bytes"] * places / (others * z.nbytes)
    print(s["messages"], moved, to_root, s["fallbacks"])
"""
    rows = [list(map(float, row.split())) for row in at_places(4, program, spread_bytes="100000").splitlines()]
    messages = [row[0] for row in rows]
    assert messages[:2] == [36, 36] and all(36 <= count <= 52 for count in messages[2:])
    for row, bound in zip(rows, (3, 3, 2.1, 2.6), strict=True):
        assert row[1] <= bound * 1.001 and row[2] <= bound * 1.001 and row[3] == 0


def test_every_allocation_may_fail():
    program = f"""{texts.EVERY_ALLOCATION}
x = np.sin(np.arange(2 * 65537 + 400.0))
check_every_allocation(lambda nth: x[: 2 * (65537 + nth)], np.fft.rfft, numpy.fft.rfft)
"""
    failed, tried = map(int, at_places(3, program, spread_bytes="100000").split())
    assert 10 < failed < tried < 200
