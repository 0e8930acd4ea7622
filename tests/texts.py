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

#: Systems of equations with matrices of several blocks, against NumPy: residuals and values, exceptions, dtypes.
SYSTEMS = """
def near(ours, theirs, tolerance):
    ours = numpy.asarray(ours)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, (ours.dtype, theirs.dtype, ours.shape)
    assert numpy.linalg.norm(ours - theirs) <= tolerance * numpy.linalg.norm(theirs), (ours, theirs)
def raised(run):
    try:
        run()
    except Exception as error:
        return type(error), str(error)
def check_systems(n, kind):
    rng = numpy.random.default_rng(n)
    a = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if kind in "FD" else 0)
    a = numpy.rint(a * 9).astype(kind) if kind in "il" else a.astype(kind)
    b, c = rng.standard_normal((n, n // 3)).astype(kind), numpy.arange(n)
    s = (a @ a.conj().T / n + numpy.eye(n)).astype(kind)
    A, B, S = np.array(a), np.array(b), np.array(s)
    digits = 1e-4 if kind in "fF" else 1e-9
    size = abs(a).sum(1).max()
    for right in (B, b[:, 0], list(c)):
        x, y = numpy.asarray(np.linalg.solve(A, right)), numpy.linalg.solve(a, numpy.asarray(right))
        near(x, y, digits)
        left = [abs(a @ one - numpy.asarray(right)).max() / (size * abs(one).max()) for one in (x, y)]
        assert left[0] <= 4 * left[1] + 1e-17, left
    for run in (lambda m, a, s: m.linalg.inv(a), lambda m, a, s: m.linalg.matrix_power(a, -2),
                lambda m, a, s: m.linalg.det(a / 16), lambda m, a, s: m.linalg.slogdet(a.T[::-1])[0],
                lambda m, a, s: m.linalg.slogdet(a)[1], lambda m, a, s: m.linalg.inv(a.T)):
        near(run(np, A, S), run(numpy, a, s), digits)
    if kind not in "il":
        for upper in (False, True):
            found, expected = numpy.asarray(np.linalg.cholesky(S, upper=upper)), numpy.linalg.cholesky(s, upper=upper)
            near(found, expected, digits)
            assert (numpy.tril(found, -1) if upper else numpy.triu(found, 1)).any() == False
    T = A.copy()
    T[n // 2 + 7] = T[3]
    T[:, 5] = 0
    wrong = S - 3 * np.eye(n)
    t, w = numpy.asarray(T.copy()), numpy.asarray(wrong.copy())
    for run in (lambda m, t, w: m.linalg.solve(t, t[0]), lambda m, t, w: m.linalg.inv(t),
                lambda m, t, w: m.linalg.cholesky(w), lambda m, t, w: m.linalg.det(t[1:]),
                lambda m, t, w: m.linalg.solve(t, t[0, 1:])):
        found, expected = raised(lambda: run(np, T, wrong)), raised(lambda: run(numpy, t, w))
        assert found == expected and found is not None, (found, expected)
    assert np.linalg.det(T) == 0 and np.linalg.slogdet(T) == (0, -numpy.inf)
"""

#: Orthogonal factors, least squares and singular values of matrices of several panels, against NumPy; after SYSTEMS.
ORTHOGONAL = """
def check_orthogonal(rows, columns, kind):
    rng = numpy.random.default_rng(rows)
    a = rng.standard_normal((rows, columns)) + (1j * rng.standard_normal((rows, columns)) if kind in "FD" else 0)
    a = numpy.rint(a * 9).astype(kind) if kind in "il" else a.astype(kind)
    A = np.array(a)
    digits = 1e-4 if kind in "fF" else 1e-10
    for mode in ("reduced", "r", "raw", "complete"):
        found, expected = np.linalg.qr(A, mode), numpy.linalg.qr(a, mode)
        if isinstance(expected, tuple):
            for ours, theirs in zip(found, expected):
                if mode != "complete" or ours.shape[0] == ours.shape[1] == columns:
                    near(ours, theirs, digits)
        else:
            near(found, expected, digits)
        if mode in ("reduced", "complete"):
            q, r = map(numpy.asarray, found)
            assert abs(q @ r - a).max() <= digits * abs(a).max()
            assert abs(q.conj().T @ q - numpy.eye(q.shape[1])).max() <= digits
    for b in (rng.standard_normal((rows, 3)).astype(kind), numpy.arange(rows)):
        if rows >= 4 * columns:
            for ours, theirs in zip(np.linalg.lstsq(A, np.array(b)), numpy.linalg.lstsq(a, b)):
                near(ours, numpy.asarray(theirs), digits)
    if rows >= 4 * columns:
        for x, y in ((A, a), (A.T, a.T)):
            u, s, vt = map(numpy.asarray, np.linalg.svd(x, full_matrices=False))
            near(s, numpy.linalg.svd(y, compute_uv=False), digits)
            assert abs(u * s @ vt - y).max() <= digits * abs(a).max() and u.shape[1] == vt.shape[0] == columns
            near(np.linalg.svdvals(x), numpy.linalg.svdvals(y), digits)
def check_deficient():
    a = numpy.arange(4000.0).reshape(400, 10) % 7
    a[:, 4] = a[:, 3] + a[:, 2]
    a[:, 0] = 0
    b = numpy.sin(numpy.arange(400.0))
    for scale in (1, 1e-200, 1e200):
        for ours, theirs in zip(np.linalg.lstsq(np.array(a * scale), b), numpy.linalg.lstsq(a * scale, b)):
            near(ours, numpy.asarray(theirs), 1e-9)
        q, r = map(numpy.asarray, np.linalg.qr(np.array(a * scale)))
        assert abs(q @ (r / scale) - a).max() < 1e-12 and abs(q.T @ q - numpy.eye(10)).max() < 1e-12
"""
