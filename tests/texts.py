"""Pieces of the programs that tests run in processes of their own."""

#: NumPy, cNumeric as np, and the counters of a call.
PRELUDE = """
import numpy
import cnumeric as np

def counted(run):
    np.synchronize()
    np.stats_reset()
    made = run()  # what nobody holds would not be computed
    np.synchronize()
    return np.stats()
"""

#: A sweep of the pressure equation, as in a channel that is open at one end.
SWEEP = """
def sweep(p, b):
    pn = p.copy()
    p[1:-1, 1:-1] = ((pn[1:-1, 2:] + pn[1:-1, :-2]) + (pn[2:, 1:-1] + pn[:-2, 1:-1])) / 4 - b[1:-1, 1:-1]
    p[:, -1] = p[:, -2]
    p[:, 0] = p[:, 1]
    p[0, :] = p[1, :]
    p[-1, :] = 0
"""

#: Every transform of a long vector, and of a few long lines: the bits of each result. Lengths that are split, of
#: primes, odd and even, with more than there is, and views that borders cut between the two numbers of a pair.
TRANSFORMS = """
import hashlib
def digests(np, n, kind):
    i = np.arange(n * 1.0)
    x = np.sin(i * i).astype(kind.lower())
    z = (np.sin(i * i) + 1j * np.cos(i * 7)).astype(kind)
    half = n // 2 + 1
    yield from (np.fft.fft(z), np.fft.ifft(z, norm="ortho"), np.fft.rfft(x), np.fft.fft(x), np.fft.ifft(x))
    yield from (np.fft.irfft(z[:half], n), np.fft.hfft(z[:half], n), np.fft.irfft(z[: half // 3], n))
    yield from (np.fft.hfft(z[: half // 3], n), np.fft.fft(z[: n // 3], n), np.fft.rfft(x[: n // 3], n))
    yield from (np.fft.ihfft(x), np.fft.rfft(x[1:]), np.fft.fft(z[1::2]))
    yield from (np.fft.fft(np.stack([z, z + 1])), np.fft.rfft(np.stack([x, x + 1], 1), axis=0))
def every_digest():
    for n, kind in [(2**17, "D"), (2**16 + 2, "F"), (3**11, "D"), (2 * 65537, "D"), (75011, "F")]:
        for a in digests(np, n, kind):
            yield hashlib.md5(numpy.asarray(a).tobytes()).hexdigest()
"""
