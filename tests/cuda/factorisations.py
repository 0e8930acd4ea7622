"""numpy.linalg on the device: function x dtype x batch x option, errors, and what is left to NumPy."""

import numpy
from device_check import check, leaves, near, np, numbers


def products(rebuild):
    def compare(mine, theirs, what, tolerance):
        for a, b in zip(leaves(mine), leaves(theirs), strict=False):
            assert numpy.asarray(a).dtype == b.dtype and a.shape == b.shape, what
        if type(mine) is not numpy.ndarray:
            assert type(mine).__name__ == type(theirs).__name__
        parts = [numpy.asarray(part) for part in leaves(mine)]
        near(rebuild(*parts), rebuild(*leaves(theirs)), what, tolerance)

    return compare


for kind in "dfDFl":
    for batch in ((), (3,), (2, 2)):
        n = 7
        a, b, v = numbers(*batch, n, n, kind=kind), numbers(*batch, n, 3, kind=kind), numbers(n, kind=kind)
        hermitian = a + a.swapaxes(-1, -2).conj()
        positive = (a @ a.swapaxes(-1, -2).conj() + n * numpy.eye(n)).astype(kind)
        tag = (kind, batch)
        check(("solve", tag), lambda np, a, b: np.linalg.solve(a, b), a, b, calls=2)
        check(("solve vector", tag), lambda np, a, b: np.linalg.solve(a, b), a, v, calls=2)
        check(("inv", tag), lambda np, a: np.linalg.inv(a), a, calls=2)
        most = 64 * 7 * max(1, len(batch) * 3)
        check(("det", tag), lambda np, a: np.linalg.det(a), a, most=most)
        check(("slogdet", tag), lambda np, a: np.linalg.slogdet(a), a, most=most)
        check(("cholesky", tag), lambda np, a: np.linalg.cholesky(a), positive)
        check(("upper", tag), lambda np, a: np.linalg.cholesky(a, upper=True), positive)
        check(("eigvalsh", tag), lambda np, a: np.linalg.eigvalsh(a), hermitian)
        for uplo in "LU":
            check(
                ("eigh", tag, uplo),
                lambda np, a, uplo=uplo: np.linalg.eigh(a, uplo),
                a if uplo == "L" else hermitian,
                compare=products(lambda w, v: (v * w[..., None, :]) @ v.swapaxes(-1, -2).conj()),
            )
        for rows, columns in ((7, 4), (4, 7), (5, 5)):
            m = numbers(*batch, rows, columns, kind=kind)
            for mode in ("reduced", "complete"):
                check(
                    ("qr", tag, mode, rows),
                    lambda np, a, mode=mode: np.linalg.qr(a, mode),
                    m,
                    calls=2,
                    compare=products(
                        lambda q, r: (q @ r, q @ q.swapaxes(-1, -2).conj(), q.swapaxes(-1, -2).conj() @ q)
                    ),
                )
            check(("qr r", tag, rows), lambda np, a: np.linalg.qr(a, "r"), m)
            if not batch:
                check(("qr raw", tag, rows), lambda np, a: np.linalg.qr(a, "raw"), m)
            for full in (True, False):
                k = min(rows, columns)
                check(
                    ("svd", tag, full, rows),
                    lambda np, a, full=full: np.linalg.svd(a, full_matrices=full),
                    m,
                    compare=products(
                        lambda u, s, v, k=k: (
                            (u[..., :k] * s[..., None, :]) @ v[..., :k, :],
                            u.swapaxes(-1, -2).conj() @ u,
                            v @ v.swapaxes(-1, -2).conj(),
                        )
                    ),
                )
            check(("svd s", tag, rows), lambda np, a: np.linalg.svd(a, compute_uv=False), m)
            if hasattr(numpy.linalg, "svdvals"):
                check(("svdvals", tag, rows), lambda np, a: np.linalg.svdvals(a), m)

# other memory: transposed, strided, a part of a base; batches of different shapes
a, b = numbers(4, 9, 9), numbers(4, 1, 9, 6)
check("views", lambda np, a, b: np.linalg.solve(a.swapaxes(1, 2)[::2], b[::2, 0, :, ::2]), a, b, calls=2)
check("broadcast", lambda np, a, b: np.linalg.solve(a, b), a, b, calls=2)
check("part", lambda np, a: np.linalg.inv(a[1]), a, calls=2)


def raises(text, run):
    for module in (numpy, np):
        try:
            run(module, lambda x, array=module.array: array(x) * 1.0)
        except numpy.linalg.LinAlgError as error:
            assert str(error) == text, (module.__name__, error)
        else:
            raise AssertionError((module.__name__, text))


raises("Singular matrix", lambda np, x: np.linalg.inv(x(numpy.zeros((4, 4)))))
raises("Singular matrix", lambda np, x: np.linalg.solve(x([[[1, 2], [3, 4]], [[1, 2], [2, 4]]]), x(numpy.ones((2, 2)))))
raises("Matrix is not positive definite", lambda np, x: np.linalg.cholesky(x([[1, 2], [2, 1]])))
raises("Last 2 dimensions of the array must be square", lambda np, x: np.linalg.inv(x(numpy.ones((2, 3)))))
singular = np.array([[1.0, 2], [2, 4]]) * 1
assert np.linalg.det(singular) == 0 and np.linalg.slogdet(singular)[1] == -numpy.inf

# What NumPy computes: refused by us, with NumPy's words and results
kept = np.array(numbers(5, 5)) * 1
assert kept.astype("e").dtype == "e"
for bad in (
    lambda np, x: np.linalg.inv(x.astype("e")),
    lambda np, x: np.linalg.eigh(x, "X"),
    lambda np, x: np.linalg.solve(x, x[:3]),
    lambda np, x: np.linalg.qr(x, "none"),
    lambda np, x: np.linalg.inv(x, 3),
):
    found = []
    for module, x in ((np, kept), (numpy, numpy.asarray(kept))):
        try:
            bad(module, x)
        except Exception as error:
            found.append((type(error), str(error)))
    assert len(found) == 2 and found[0] == found[1], found
near(
    np.linalg.svd(kept + kept.T, hermitian=True)[1],
    numpy.linalg.svd(numpy.asarray(kept + kept.T), hermitian=True)[1],
    "hermitian",
    1e-10,
)
print("done")
