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

#: Every factorisation of stacks of matrices, against NumPy, whose LAPACK it is; after SYSTEMS.
STACKS = """
def check_stacks(batch, rows, columns, kind):
    rng = numpy.random.default_rng(rows)
    def make(*shape):
        made = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind in "FD" else 0)
        return numpy.rint(made * 9).astype(kind) if kind in "il" else made.astype(kind)
    g, a, b = make(*batch, rows, columns), make(*batch, rows, rows), make(*batch, rows, 3)
    h = a @ a.conj().swapaxes(-1, -2) + 40 * numpy.eye(rows, dtype=a.dtype)
    digits = 1e-4 if kind in "fF" else 1e-10
    runs = [lambda l, g, a, b, h: l.solve(a, b), lambda l, g, a, b, h: l.solve(a, list(range(rows))),
            lambda l, g, a, b, h: l.solve(a[..., ::-1, :], b[..., :1, :, :]), lambda l, g, a, b, h: l.inv(a),
            lambda l, g, a, b, h: l.det(a / 8), lambda l, g, a, b, h: l.slogdet(a)[0],
            lambda l, g, a, b, h: l.qr(g, "r"), lambda l, g, a, b, h: l.slogdet(a)[1],
            lambda l, g, a, b, h: l.cholesky(h), lambda l, g, a, b, h: l.norm(g, 2, (-2, -1)),
            lambda l, g, a, b, h: l.matrix_rank(g), lambda l, g, a, b, h: l.cond(h), lambda l, g, a, b, h: l.pinv(g),
            lambda l, g, a, b, h: l.norm(g, "nuc", (-1, -2), True),
            lambda l, g, a, b, h: l.cholesky(h, upper=True), lambda l, g, a, b, h: l.svd(g, compute_uv=False),
            lambda l, g, a, b, h: l.eigvalsh(h), lambda l, g, a, b, h: l.eigvalsh(a, "U"),
            lambda l, g, a, b, h: l.eigvals(a), lambda l, g, a, b, h: l.inv(a.swapaxes(-1, -2))]
    several = [lambda l, g, a, b, h: l.qr(g), lambda l, g, a, b, h: l.qr(g, "complete"),
               lambda l, g, a, b, h: l.svd(g), lambda l, g, a, b, h: l.svd(g, full_matrices=False),
               lambda l, g, a, b, h: l.eigh(h), lambda l, g, a, b, h: l.eigh(a, UPLO="u"),
               lambda l, g, a, b, h: l.eig(a)]
    theirs = g, a, b, h
    ours = [np.array(x) for x in theirs]
    for run in runs:
        near(run(np.linalg, *ours), run(numpy.linalg, *theirs), digits)
    for run in several:
        for found, expected in zip(run(np.linalg, *ours), run(numpy.linalg, *theirs)):
            near(found, expected, digits)
def check_refused_stacks(count, n):
    a = numpy.arange(count * n * n * 1.0).reshape(count, n, n) % 7 + 20 * numpy.eye(n)
    singular, infinite = a.copy(), a.copy()
    singular[count // 2, 1] = 0
    infinite[-1, 0, 0] = numpy.inf
    S, I = np.array(singular), np.array(infinite)
    for run in (lambda l, s, i: l.inv(s), lambda l, s, i: l.solve(s, s), lambda l, s, i: l.cholesky(-s),
                lambda l, s, i: l.eig(i), lambda l, s, i: l.inv(s[:, 1:]), lambda l, s, i: l.solve(s, s[:, 1:]),
                lambda l, s, i: l.eigh(s, "X")):
        found, expected = raised(lambda: run(np.linalg, S, I)), raised(lambda: run(numpy.linalg, singular, infinite))
        assert found == expected and found is not None, (found, expected)
    near(np.linalg.det(np.array(singular)), numpy.linalg.det(singular), 1e-12)
"""

#: Eigenvalues of Hermitian matrices, singular values and what is made of them, against NumPy; after SYSTEMS.
SPECTRAL = """
def check_eigh(a, digits=None):
    n = len(a)
    digits = digits or n * numpy.finfo(a.dtype if a.dtype.kind in "fc" else float).eps
    A = np.array(a)
    for uplo in "LU":
        h = numpy.tril(a) if uplo == "L" else numpy.triu(a).conj().T
        h = h + numpy.tril(h, -1).conj().T
        h = h - 1j * numpy.diag(h.diagonal().imag) if a.dtype.kind == "c" else h
        theirs, vectors = numpy.linalg.eigh(a, uplo)
        w, v = map(numpy.asarray, np.linalg.eigh(A, uplo))
        assert (w.dtype, v.dtype) == (theirs.dtype, vectors.dtype) and (w[1:] >= w[:-1]).all()
        size = max(abs(theirs).max(), 1e-300)
        for found in (w, numpy.asarray(np.linalg.eigvalsh(A, uplo))):
            assert abs(found - theirs).max() <= digits * size, abs(found - theirs).max() / size / digits
        assert abs(h @ v - v * w).max() <= digits * size, abs(h @ v - v * w).max() / size / digits
        assert abs(v.conj().T @ v - numpy.eye(n)).max() <= digits
def check_spectra(n, kind):
    rng = numpy.random.default_rng(n)
    def make(*shape):
        made = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind in "FD" else 0)
        return numpy.rint(made * 9).astype(kind) if kind in "il" else made.astype(kind)
    check_eigh(make(n, n))
    digits = 2e-5 if kind in "fF" else 1e-11
    deficient = make(n, n - 20)
    deficient[:, 3], deficient[:, 5] = deficient[:, 6] + deficient[:, 7], 0
    for a in (deficient, make(n, n // 2), make(n // 2, n)):
        near(np.linalg.svd(np.array(a), compute_uv=False), numpy.linalg.svd(a, compute_uv=False), digits)
    A = np.array(deficient)
    for run in (lambda l, a: l.norm(a, 2), lambda l, a: l.norm(a, "nuc", keepdims=True), lambda l, a: l.matrix_rank(a),
                lambda l, a: l.matrix_rank(a, tol=3.5), lambda l, a: l.matrix_rank(a, rtol=0.2)):
        near(run(np.linalg, A), numpy.asarray(run(numpy.linalg, deficient)), digits)
    a = make(n, n)
    for run in (lambda l, a: l.cond(a), lambda l, a: l.cond(a, -2), lambda l, a: l.norm(a, -2)):
        near(run(np.linalg, np.array(a)), numpy.asarray(run(numpy.linalg, a)), 1e-2 if kind in "fF" else 1e-8)
    for a in (make(6 * n, n // 3), make(n, n), make(n + 30, n), deficient):
        for b in (a, a.T):
            rtol = 1e-4 if kind in "fF" else 1e-10
            for found in (np.linalg.pinv(np.array(b), rtol=rtol), np.linalg.pinv(np.array(b.T), rtol=rtol).T):
                near(found, numpy.linalg.pinv(b, rtol=rtol), 1e-3 if kind in "fF" else 1e-9)
def check_triples(a):
    m, n = a.shape
    least, digits = min(m, n), 4 * max(m, n) * numpy.finfo(a.dtype if a.dtype.kind in "fc" else float).eps
    values = numpy.linalg.svd(a, compute_uv=False)
    for full in (False, True):
        u, s, vt = map(numpy.asarray, np.linalg.svd(np.array(a), full_matrices=full))
        theirs = numpy.linalg.svd(a, full_matrices=full)
        assert [(x.dtype, x.shape) for x in (u, s, vt)] == [(x.dtype, x.shape) for x in theirs]
        size = max(values[0], 1e-300)
        assert (s[1:] <= s[:-1]).all() and abs(s - values).max() <= digits * size
        assert abs(u[:, :least] * s @ vt[:least] - a).max() <= digits * size
        for q in (u, vt.conj().T):
            assert abs(q.conj().T @ q - numpy.eye(q.shape[1])).max() <= digits
def check_singular_vectors(m, n, kind):
    rng = numpy.random.default_rng(m)
    def make(*shape):
        made = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind in "FD" else 0)
        return numpy.rint(made * 9).astype(kind) if kind in "il" else made.astype(kind)
    a = make(m, n)
    check_triples(a)
    a[:, 3], a[5], a[:, 8] = 0, a[6], a[:, 9]
    check_triples(a)
    check_triples(make(m, 3) @ make(3, n))
    check_triples(a * 0)
    check_triples(a * 0 + 1)
def check_graded(m, n):
    i, k = numpy.arange(m * 1.0), min(m, n)
    q, p = (numpy.linalg.qr(numpy.sin(numpy.outer(i[:x], i[:k] + 1) + i[:x, None]))[0] for x in (m, n))
    for s in (i[:k] * 0 + 1, numpy.where(i[:k] < k / 2, 1, 1 + 1e-14), 10.0 ** -i[:k], 10.0 ** (-i[:k] % 18),
              numpy.where(i[:k] < k / 2, 1, 1e-17), 1e200 / (1 + i[:k]), 1e-200 * (1 + i[:k])):
        check_triples(q * s @ p.T)
    check_triples(numpy.eye(m, n))
    check_triples(10.0 ** -i[:, None] * numpy.cos(numpy.outer(i, i[:n])))
    check_triples(numpy.triu(numpy.ones((m, n)), 1)[::-1])
    for wrong in (numpy.nan, numpy.inf):
        a = numpy.eye(m, n)
        a[2, 1] = wrong
        for run in (lambda l, a: l.svd(a), lambda l, a: l.lstsq(a, a[:, 0]), lambda l, a: l.pinv(a)):
            found, expected = raised(lambda: run(np.linalg, np.array(a))), raised(lambda: run(numpy.linalg, a))
            assert found == expected, (found, expected)
def check_least_squares(m, n, kind):
    rng = numpy.random.default_rng(m)
    def make(*shape):
        made = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if kind in "FD" else 0)
        return numpy.rint(made * 9).astype(kind) if kind in "il" else made.astype(kind)
    a, b = make(m, n), make(m, 3)
    digits = 1e-3 if kind in "fF" else 1e-9
    deficient = a.copy()
    deficient[:, 3], deficient[:, 8] = 0, a[:, 9]
    for x, y, rcond in ((a, b, None), (a, b[:, 0], -1), (deficient, b, 1e-5), (a, b, 0.2), (a * 0, b, None)):
        ours, theirs = np.linalg.lstsq(np.array(x), np.array(y), rcond), numpy.linalg.lstsq(x, y, rcond)
        for found, expected in zip(ours, theirs):
            expected = numpy.asarray(expected)
            if m > n or expected.size != 3 or expected.dtype != ours[1].dtype:
                near(found, expected, digits)
def check_others(n, kind):
    rng = numpy.random.default_rng(n)
    a = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if kind in "FD" else 0)
    a = numpy.rint(a * 9).astype(kind) if kind in "il" else a.astype(kind)
    h, t = a + a.conj().T, numpy.ascontiguousarray(a[:, : n - 30])
    four = a.reshape(n // 10, 10, n // 10, 10)
    digits = 1e-3 if kind in "fF" else 1e-9
    runs = [lambda l, a, h, t, f: l.pinv(h, hermitian=True), lambda l, a, h, t, f: l.matrix_rank(h, hermitian=True),
            lambda l, a, h, t, f: l.svd(h, hermitian=True)[1], lambda l, a, h, t, f: l.svd(h, False, False, True),
            lambda l, a, h, t, f: l.cond(a, 1), lambda l, a, h, t, f: l.cond(a, -numpy.inf),
            lambda l, a, h, t, f: l.cond(a, "fro"), lambda l, a, h, t, f: l.matrix_power(a, 0),
            lambda l, a, h, t, f: l.multi_dot([t.T, a, t]), lambda l, a, h, t, f: l.multi_dot([a[0], a, a, t, t.T]),
            lambda l, a, h, t, f: l.multi_dot([a[0], a, a, a[1]]), lambda l, a, h, t, f: l.tensorinv(f),
            lambda l, a, h, t, f: l.tensorsolve(f, f[:, :, 0, 0]), lambda l, a, h, t, f: l.norm(a.ravel(), 3),
            lambda l, a, h, t, f: l.tensorsolve(f, f[0, 0], (0, 1)), lambda l, a, h, t, f: l.norm(a, 2.5, 1),
            lambda l, a, h, t, f: l.cond(a, "nuc"), lambda l, a, h, t, f: l.norm(a, -2.0, 0)]
    theirs = a, h, t, four
    ours = [np.array(x) for x in theirs]
    for run in runs:
        near(run(np.linalg, *ours), numpy.asarray(run(numpy.linalg, *theirs)), digits)
    u, s, vt = map(numpy.asarray, np.linalg.svd(ours[1], hermitian=True))
    near(u * s @ vt, h.astype(u.dtype), digits)
    singular = a * 0 + 1
    assert np.linalg.cond(np.array(singular), 1) > 1e15 and np.linalg.cond(np.array(a * 0), 1) == numpy.inf
    for run in (lambda l, a: l.cond(a[1:], 1), lambda l, a: l.multi_dot([a, a[1:], a]), lambda l, a: l.tensorinv(a, 0),
                lambda l, a: l.multi_dot([a]), lambda l, a: l.tensorsolve(a, a), lambda l, a: l.norm(a[0], "x")):
        found, expected = raised(lambda: run(np.linalg, ours[0])), raised(lambda: run(numpy.linalg, a))
        assert found == expected and found is not None, (found, expected)
def check_clusters(n):
    i = numpy.arange(n * 1.0)
    wilkinson = numpy.diag(abs(numpy.tile(i[:21] - 10, n // 21 + 1)[:n])) + numpy.diag(numpy.ones(n - 1), -1)
    q = numpy.linalg.qr(numpy.sin(i[:, None] * i + i))[0]
    for a in (numpy.eye(n), numpy.zeros((n, n)), wilkinson, q * numpy.where(i < n / 2, 1, 1 + 1e-14) @ q.T,
              q * 10.0 ** (-i % 18) @ q.T, numpy.ones((n, n)), 1e200 * q, 1e-200 * wilkinson):
        check_eigh(a)
    a = numpy.full((n, n), numpy.nan)
    for run in (lambda l, a: l.eigh(a), lambda l, a: l.eigvalsh(a), lambda l, a: l.svd(a, compute_uv=False)):
        found, expected = raised(lambda: run(np.linalg, np.array(a))), raised(lambda: run(numpy.linalg, a))
        assert found == expected, (found, expected)
"""

#: Eigenvalues and vectors of general matrices, against NumPy; after SYSTEMS.
GENERAL = """
def check_eig(a, near_values=None):
    n, A = len(a), np.array(a)
    eps = numpy.finfo(a.dtype if a.dtype.kind in "fc" else float).eps
    theirs, vectors = numpy.linalg.eig(a)
    w, v = map(numpy.asarray, np.linalg.eig(A))
    alone = numpy.asarray(np.linalg.eigvals(A))
    assert (w.dtype, v.dtype, alone.dtype) == (theirs.dtype, vectors.dtype, theirs.dtype), (w.dtype, theirs.dtype)
    wide = a.astype("D" if a.dtype.kind == "c" else "d")
    size = numpy.linalg.norm(wide, 2) or 1
    def left(w, v):
        return abs(wide @ v - v * w).max() / size / eps
    assert left(w, v) <= 4 * n + 4 * left(theirs, vectors), (left(w, v), left(theirs, vectors))
    assert abs(numpy.linalg.norm(v, axis=0) - 1).max() <= 4 * n * eps
    if w.dtype.kind == "c":
        largest = abs(v) >= (1 - 1e-5) * abs(v).max(axis=0)
        assert numpy.where(largest, abs(v.imag), 1).min(axis=0).max() <= 4 * eps
        if a.dtype.kind != "c":
            first = numpy.flatnonzero(w.imag > 0)
            assert (w[first + 1] == w[first].conj()).all() and (v[:, first + 1] == v[:, first].conj()).all()
            assert (w.imag != 0).sum() == 2 * len(first)
    if near_values is not None:
        for found in (w, alone):
            for x, y in ((found, theirs), (theirs, found)):
                assert abs(x[:, None] - y).min(axis=1).max() <= near_values * n * eps * max(abs(theirs))
def check_general(n, kind):
    rng = numpy.random.default_rng(n)
    a = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if kind in "FD" else 0)
    a = numpy.rint(a * 9).astype(kind) if kind in "il" else a.astype(kind)
    check_eig(a, 10)
    check_eig(a + a.conj().T, 10)
    if kind not in "il":
        check_eig(abs(a) / abs(a).sum(1, keepdims=True), 10)
def check_hard(n, kind):
    rng, i = numpy.random.default_rng(n), numpy.arange(n)
    a = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if kind == "D" else 0)
    one = numpy.eye(n).astype(kind)
    order = rng.permutation(n)
    for x in (one, 0 * one, 0 * one + 1, numpy.tril(a), numpy.triu(a)[order][:, order], numpy.roll(one, 1, 0),
              2 * one + numpy.eye(n, k=1), numpy.eye(n, k=-1) + 0 * one, 2 * one + numpy.eye(n, k=-1),
              numpy.linalg.qr(a)[0], a - a.conj().T, a[:, :5] @ a[:5], 1e200 * a, 1e-200 * a,
              10.0 ** (i[:, None] % 9) * a / 10.0 ** (i % 9)):
        check_eig(x, 10)
    for x in (10.0 ** (-i / 20) * a, 10.0 ** (-i / 20)[:, None] * a, 2 * one + numpy.eye(n, k=1) + 1e-10 * a,
              numpy.eye(n, k=-1) + numpy.eye(n, k=2) / 2 + 0 * one, numpy.vstack([a[:1], numpy.eye(n)[:-1]]),
              one - numpy.eye(n, k=-1) + sum(numpy.eye(n, k=k) for k in (1, 2, 3)),
              numpy.kron(numpy.eye(n // 5), a[:5, :5]), numpy.triu(n - numpy.maximum.outer(i, i), -1) + 0 * one):
        check_eig(x)
    for wrong in (numpy.nan, numpy.inf):
        a[3, 4] = wrong
        for run in (lambda l, a: l.eig(a), lambda l, a: l.eigvals(a), lambda l, a: l.eig(a[1:])):
            found, expected = raised(lambda: run(np.linalg, np.array(a))), raised(lambda: run(numpy.linalg, a))
            assert found == expected and found is not None, (found, expected)
"""

#: Allocations of a run fail one after the other, each on an argument of a new geometry; the next try succeeds.
EVERY_ALLOCATION = """
from cnumeric import _cnumeric
def check_every_allocation(make, run, expected, step=1, most=10**9):
    failed, tried, nth, made = 0, 0, 1, 2
    while nth < min(made, most):
        argument = make(tried)
        np.synchronize()
        _cnumeric.fault_set(nth)
        try:
            found = run(argument)
            np.synchronize()
        except MemoryError:
            failed += 1
            _cnumeric.fault_set(0)
            found = run(argument)
            np.synchronize()
            made = nth + step + 1
        else:
            made = _cnumeric.fault_set(0)
        numpy.testing.assert_allclose(numpy.asarray(found), expected(numpy.asarray(argument)), atol=1e-9)
        tried += 1
        nth += step
    print(failed, tried)
"""
