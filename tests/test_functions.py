"""Functions that are ours give what NumPy gives: values, dtype, shape, views and exceptions.

Each case is an expression; it runs once with cnumeric and once with numpy as `np`, on equal arrays.
"""

import cnumeric
import numpy
import pytest

CREATION = """
np.zeros(5)
np.zeros((2, 3), int)
np.zeros((2, 3), np.float32, order="F")
np.ones(3, complex)
np.ones((2, 0))
np.ones((), bool)
np.full(4, 7)
np.full((2, 2), 1.5)
np.full((2, 3), [1, 2, 3])
np.full(3, 2, np.int8)
np.full(3, a[0])
np.empty((2, 3), "i2").shape
np.zeros_like(a)
np.zeros_like(A.T)
np.zeros_like(A.T).strides
np.zeros_like(A, shape=(4,))
np.zeros_like([1, 2])
np.zeros_like(T.transpose(1, 2, 0)).strides
np.ones_like(i, dtype=float)
np.full_like(A, 3)
np.full_like(i, 2.5)
np.empty_like(A, order="F").strides
np.eye(3)
np.eye(3, 5, 1)
np.eye(4, 3, -2, dtype=int)
np.eye(2, 2, 5)
np.eye(2, 2, -5)
np.eye(3, order="F")
np.identity(4)
np.tri(3, 5, 1)
np.tri(4, k=-1, dtype=int)
np.arange(5)
np.arange(5.0)
np.arange(2, 9, 2)
np.arange(9, 2, -2)
np.arange(0, 1, 0.1)
np.arange(1, 2, 0.1, dtype=np.float32)
np.arange(0.1, 7, 1/3)
np.arange(5, dtype=complex)
np.arange(3, dtype=np.float16)
np.arange(0, 10, 2.5, dtype=int)
np.arange(5, 1)
np.arange(np.int8(3))
np.arange(np.float32(3))
np.arange(3, dtype=np.uint8)
np.arange(start=1, stop=4)
np.arange(1, 4, dtype=np.int16)
np.arange(-1e-17, 3)
np.arange(0.3, 1e3, 0.7)
np.arange(0, 1, 0)
np.arange()
np.arange("a")
np.linspace(0, 1, 11)
np.linspace(0, 2, 41)
np.linspace(0.1, 0.9, 7, endpoint=False)
np.linspace(0, 1, 1)
np.linspace(0, 1, 0)
np.linspace(3, 3, 4)
np.linspace(0, 10, 5, dtype=int)
np.linspace(0, 1, 5, retstep=True)
np.linspace(-2, 5, 7, dtype=np.float32)
np.linspace([0, 1], [2, 3], 4)
np.linspace(0, 1j, 4)
np.linspace(0, 1, -1)
np.linspace(0, 5e-324, 4)
np.linspace(0, np.inf, 3)
np.logspace(0, 3, 4)
np.meshgrid([1, 2, 3], [4, 5])
np.meshgrid(a, a[:3], indexing="ij")
np.meshgrid(a, a[:3], sparse=True)
np.meshgrid(a, a[:2], a[:3])
np.meshgrid(a, a, indexing="zz")
np.indices((2, 3))
np.indices((2, 3), sparse=True)
np.asarray([1, 2])
np.asarray(a)
np.array([[1, 2], [3, 4]], float)
np.array(A, ndmin=3)
np.asanyarray(A)
np.ascontiguousarray(A.T)
np.ascontiguousarray(3)
np.asfortranarray(A).strides
np.copy(A)
np.copy([1, 2])
np.zeros(-1)
np.ones("x")
np.full((2, 2), [1, 2, 3])
np.diag([1, 2, 3])
np.diag(a, 1)
np.diag(a, -2)
np.diag(A)
np.diag(A, 1)
np.diag(T)
np.diagflat([[1, 2], [3, 4]])
np.tril(A)
np.tril(A, -1)
np.triu(A, 1)
np.triu(T)
np.vander([1, 2, 3])
np.fromfunction(lambda i, j: i + j, (2, 3))
np.mgrid[0:3, 0:2]
np.ogrid[0:3, 0:2]
np.r_[1:4, 9]
np.c_[a, a]
"""

SHAPES = """
np.reshape(A, (6, 2))
np.reshape(A, -1)
np.reshape(A, (6, 2), order="F")
np.reshape(A, 5)
np.reshape(A, (12,), copy=True)
np.ravel(A)
np.ravel(A.T)
np.ravel(A, "F")
np.transpose(A)
np.transpose(T, (2, 0, 1))
np.transpose(T, (0, 0, 1))
np.permute_dims(T, (2, 0, 1))
np.matrix_transpose(T)
np.matrix_transpose(a)
np.swapaxes(T, 0, 2)
np.moveaxis(T, 0, -1)
np.moveaxis(T, [0, 1], [-1, 0])
np.moveaxis(T, 3, 0)
np.moveaxis(T, [0, 1], 0)
np.rollaxis(T, 2)
np.rollaxis(T, 0, 3)
np.rollaxis(T, 0, 5)
np.squeeze(A[None])
np.squeeze(A, 0)
np.expand_dims(A, 0)
np.expand_dims(A, (0, -1))
np.expand_dims(A, 4)
np.broadcast_to(a, (2, 5))
np.broadcast_to(a, (2, 4))
np.broadcast_arrays(a, A[:, :1])
np.broadcast_shapes((2, 1), (3,))
np.atleast_1d(3.0, a)
np.atleast_2d(a)
np.atleast_3d(a)
np.atleast_3d(A)
np.concatenate([a, a])
np.concatenate([A, A], 1)
np.concatenate([A, A], axis=None)
np.concatenate([a, i])
np.concatenate([a, A])
np.concatenate([])
np.concatenate([[1, 2], [3.0]])
np.concat([a, a])
np.stack([a, a])
np.stack([a, a], 1)
np.stack([A, A], -1)
np.stack([a, a[1:]])
np.stack([])
np.stack([a, a], 5)
np.vstack([a, a])
np.vstack([A, A])
np.hstack([a, a])
np.hstack([A, A])
np.dstack([a, a])
np.column_stack([a, a])
np.column_stack([A, A])
np.append(a, 3)
np.append(A, A, 0)
np.append(A, a, 0)
np.array_split(a, 3)
np.array_split(A, [1, 5], 1)
np.array_split(a, 0)
np.split(a, 5)
np.split(a, 2)
np.split(A, [1], 1)
np.split(a, [2, 4])
np.hsplit(A, 2)
np.vsplit(A, 3)
np.vsplit(a, 3)
np.dsplit(T, 2)
np.unstack(A)
np.flip(A)
np.flip(A, 0)
np.flip(A, (0, 1))
np.flip(A, 2)
np.flipud(A)
np.fliplr(A)
np.fliplr(a)
np.rot90(A)
np.rot90(A, 2)
np.rot90(A, 3)
np.rot90(A, -1)
np.rot90(T, 1, (1, 2))
np.roll(a, 2)
np.roll(a, -7)
np.roll(A, 1)
np.roll(A, 1, 0)
np.roll(A, (1, -2), (0, 1))
np.roll(A, 1, (0, 0))
np.roll(A, 1, 2)
np.roll(T, (1, 2, 3), (0, 1, 2))
np.tile(a, 3)
np.tile(a, (2, 2))
np.tile(A, 2)
np.tile(A, (2, 1, 2))
np.tile(a, 0)
np.tile(3, 4)
np.repeat(a, 2)
np.repeat(A, 2, axis=1)
np.repeat(A, [1, 0, 2], axis=0)
np.diagonal(A)
np.diagonal(T, 1, 0, 2)
np.trace(A)
np.trace(T)
np.take(a, [0, 2])
np.take(A, [1, -1], axis=1)
np.take(A, 2)
np.take(A, 1, axis=0)
np.take(a, 9)
np.take(a, [9])
np.take(a, [9], mode="wrap")
np.nonzero(A > 3)
np.nonzero(a)
np.flatnonzero(A > 3)
np.argwhere(A > 3)
np.extract(A > 3, A)
np.take_along_axis(A, np.argsort(A, 1), 1)
np.take_along_axis(A, np.argsort(A, 0), 0)
np.pad(a, 2)
np.pad(A, 1)
np.pad(A, ((1, 2), (0, 3)), constant_values=7)
np.pad(A, 2, mode="edge")
np.pad(a, 2, mode="reflect")
np.pad(a, -1)
np.resize(a, (2, 3))
np.delete(a, 1)
np.insert(a, 1, 9)
np.block([[A, A], [A, A]])
np.block([a, 1.0, a])
np.block([[A], [A]])
np.block([[1, 2], [3, 4]])
np.block([[T, T]])
np.block([[a, a], A])
np.block([])
np.compress([True, False, True], A, 0)
np.compress(a > 1, a)
np.delete(A, 1, 0)
np.delete(A, -1)
np.delete(a, 9)
np.tril_indices(3)
np.tril_indices(3, 1, 4)
np.triu_indices(4, -1)
np.fromfunction(lambda i, j: i * 2.0 + j, (3, 4), dtype=int)
np.fft.fftshift(A)
np.fft.ifftshift(a)
np.fft.fftshift(A, 1)
"""

REDUCTIONS = """
np.sum(a)
np.sum(A, 0)
np.sum(A, axis=1)
np.sum(A, (0, 1))
np.sum(A, 1, keepdims=True)
np.sum(i)
np.sum(b)
np.sum([1, 2, 3])
np.sum(A, 2)
np.sum(A, (0, 0))
np.sum(A, initial=5.0)
np.sum(A, where=A > 3)
np.sum(i, dtype=np.int8)
np.prod(A)
np.prod(i[1:])
np.max(A)
np.max(A, 0)
np.amax(A, 1)
np.amin(A)
np.min(A, 1, keepdims=True)
np.max(a[:0])
np.max(a[:0], initial=3.0)
np.any(A > 3)
np.all(A > 3, 0)
np.mean(A)
np.mean(A, 0)
np.mean(i)
np.mean(h)
np.std(A)
np.var(A, 1)
np.var(A, ddof=1)
np.var(c)
np.std(i, 0)
np.argmin(A)
np.argmax(A, 1)
np.argmax(A, 0, keepdims=True)
np.argmax(a[:0])
np.cumsum(a)
np.cumsum(A, 1)
np.cumprod(i)
np.ptp(A)
np.ptp(A, 0)
np.count_nonzero(A > 3)
np.count_nonzero(A, axis=0)
np.count_nonzero(A, axis=1, keepdims=True)
np.average(A)
np.average(A, 0)
np.average(a, weights=a + 1)
np.average(A, 1, weights=[1, 2, 3, 4])
np.average(A, 1, weights=[1, 2, 3])
np.average(a, weights=a * 0)
np.average(A, returned=True)
np.average(A, 0, weights=[1, 2, 3], returned=True)
np.nansum(n)
np.nansum(n, 0)
np.nanprod(n)
np.nanmean(n)
np.nanmean(n, 0)
np.nanmax(n)
np.nanmin(n, 1)
np.nansum(i)
np.nanmax(i)
np.nanstd(n)
np.nanstd(np.where(n > 4, 1.0, n), 0)
np.nanvar(n[:1])
np.nanvar(n[:1], ddof=1)
np.nanvar(n[:1], 0)
np.nanvar(i)
np.cov(A, rowvar=False)
np.cov(A, bias=True)
np.cov(a)
np.trapezoid(a)
np.trapezoid(a, dx=0.5)
np.trapezoid(A, [0, 1, 3, 4])
np.trapezoid(A, axis=0)
np.median(A)
np.percentile(a, 30)
np.sort(A, 0)
np.argsort(a)
np.searchsorted(a, [1.0, 2.5])
np.unique([3, 1, 3])
np.bincount([0, 2, 2])
np.histogram(a, 3)
np.interp(1.5, a, a * 2)
np.cov(A)
np.corrcoef(A)
"""

ELEMENTWISE = """
np.clip(A, 1, 3)
np.clip(a, None, 2)
np.clip(a, 1, None)
np.clip(a, None, None)
np.clip(a, a_min=1, a_max=2)
np.clip(a, min=1, max=2)
np.clip(i, 0.5, 2)
np.clip(a)
np.clip(a, 1, 2, min=3)
np.round(a / 3, 2)
np.around(a / 3)
np.isclose(a, a + 1e-9)
np.isclose(A, 1.0)
np.isclose(n, n)
np.isclose(n, n, equal_nan=True)
np.isclose(i, 2)
np.isclose([1, 2], [1, 2.1])
np.isclose(1.0, 1.0)
np.isclose(a, a[:3])
np.allclose(a, a)
np.allclose(a, 3)
np.array_equal(a, a)
np.array_equal(a, a[1:])
np.array_equal(n, n)
np.array_equal(n, n, equal_nan=True)
np.array_equiv(a, a[None])
np.array_equiv(a, a[:3])
np.real(c)
np.imag(c)
np.real(a)
np.imag(a)
np.imag(3.0)
np.angle(c)
np.angle(c, deg=True)
np.angle(a - 2)
np.isreal(c)
np.iscomplex(c)
np.iscomplex(a)
np.iscomplexobj(c)
np.isrealobj(a)
np.isposinf(n)
np.isneginf(n)
np.isposinf(c)
np.nan_to_num(n)
np.nan_to_num(n, nan=1.0, posinf=2.0, neginf=3.0)
np.nan_to_num(i)
np.select([a > 3, a > 1], [a, a * 10])
np.select([a > 3, a > 1], [a, a * 10], 7.0)
np.select([a > 3], [a, a])
np.polyval([1, 2, 3], a)
np.polyval(a, 2.0)
np.where(A > 3, A, 0)
np.where(A > 3, A, -A)
np.where(a > 1)
np.where(a > 1, 1, 2.5)
np.where(a > 1, a)
np.diff(a)
np.diff(A, axis=0)
np.diff(A, 2)
np.diff(b)
np.diff(a, prepend=0.0)
np.diff(a, append=[7.0, 8.0])
np.diff(a, -1)
np.diff(A[0, 0])
np.ediff1d(A)
np.gradient(a)
np.gradient(A)
np.gradient(A, 2.0)
np.gradient(A, 2.0, 0.5)
np.gradient(A, axis=1)
np.gradient(a, edge_order=2)
np.gradient(a, a)
np.gradient(a[:1])
np.gradient(i)
np.unwrap(a * 2)
np.sinc(a)
np.fix(a - 2.5)
np.convolve(a, [1, 2])
np.convolve(a, [1, 2, 3], "same")
np.convolve(a, [1, 2, 3, 4], "same")
np.convolve(a, [1.5, 2], "valid")
np.convolve([1, 2], a, "same")
np.convolve(i, [1, 0, 2])
np.convolve(a, [])
np.fix(n)
np.sinc(n)
np.asarray_chkfinite(a)
np.asarray_chkfinite(n)
np.piecewise(a, [a < 2, a >= 2], [-1, 1])
np.vectorize(lambda x: x + 1)(a)
np.apply_along_axis(np.sum, 0, A)
np.shape(A)
np.ndim([1])
np.size(A, 1)
np.result_type(a, 3)
np.result_type(h, 1.0)
np.can_cast(np.int8, float)
np.astype(a, int)
np.emath.sqrt(-1.0)
"""

PRODUCTS = """
np.dot(a, a)
np.dot(A, A.T)
np.dot(A, 3.0)
np.dot(A, A)
np.dot(i, i)
np.vdot(c, c)
np.outer(a, a)
np.inner(a, a)
np.inner(A, A)
np.inner(A, a)
np.tensordot(T, T, 3)
np.tensordot(T, A.T, ([2], [0]))
np.tensordot(T, T, ([0, 1], [0, 1]))
np.tensordot(A, A, 1)
np.kron(a[:2], a)
np.kron(A, A)
np.cross([1.0, 2, 3], [4, 5, 6])
np.cross(A[:, :3], A[:, 1:])
np.matmul(A, A.T)
np.vecdot(a, a)
np.matvec(A, a[:4])
np.vecmat(a[:3], A)
np.einsum("ij,kj->ik", A, A)
np.einsum("ij,jk", A, A.T)
np.einsum("ij->ji", A)
np.einsum("ij->j", A)
np.einsum("ij", A)
np.einsum("ji", A)
np.einsum("i,i", a, a)
np.einsum("i,j->ij", a, a)
np.einsum("i,j->ji", a, i)
np.einsum("i,i->i", a, a)
np.einsum("aij,ajk->aik", T, np.swapaxes(T, 1, 2))
np.einsum("aij,ak->ij", T, A[:2])
np.einsum("ii", A[:3, :3])
np.einsum("ij,jk,kl", A, A.T, A)
np.einsum("i...,i...", a, a)
np.einsum("ij,jk", A, A)
np.einsum("ij,j", A, A)
np.einsum("ij->", i[:4].reshape(2, 2))
np.einsum("ij,kj->ik", A, A, optimize=True)
np.linalg.matrix_power(A[:3, :3], 5)
np.linalg.matrix_power(A[:3, :3], 0)
np.linalg.matrix_power(A, 2)
np.linalg.norm(a)
np.linalg.norm(A)
np.linalg.norm(A, axis=1)
np.linalg.norm(A, 1, axis=0)
np.linalg.norm(A, np.inf, axis=1, keepdims=True)
np.linalg.norm(A, 2)
np.linalg.norm(c)
np.linalg.norm(A, "fro")
np.linalg.norm(a, "bad")
np.linalg.vector_norm(A)
np.linalg.outer(a, a)
np.linalg.diagonal(A)
np.linalg.trace(T)
np.linalg.inv(A[:3, :3] + np.eye(3))
np.linalg.inv(np.zeros((2, 2)))
np.linalg.solve(np.eye(3) * 2, [1.0, 2, 3])
np.linalg.svd(A).S
np.linalg.eigh(np.eye(2))
np.fft.fft(a)
np.linalg.multi_dot([A, A.T])
"""


def arrays(module):
    A = numpy.array([[3.0, 1.0, 4.0, 1.5], [9.0, 2.0, 6.0, 5.0], [3.5, 5.0, 8.0, 9.5]])
    values = {
        "a": numpy.array([0.5, 1.0, 2.0, 3.5, 4.0]),
        "A": A,
        "T": numpy.arange(24.0).reshape(2, 3, 4),
        "i": numpy.array([3, 1, 4, 1, 5]),
        "b": numpy.array([True, False, True, True]),
        "c": numpy.array([1 + 2j, -1j, 3.0, -2 - 2j]),
        "h": numpy.array([0.5, 1.5, 2.0], numpy.float16),
        "n": numpy.array([[1.0, numpy.nan, 3.0], [numpy.inf, 2.0, -numpy.inf]]),
    }
    return {name: module.array(value) for name, value in values.items()}


def evaluate(expression, module):
    try:
        return eval(expression, {"np": module, **arrays(module)})
    except Exception as error:
        return error


def same(ours, theirs, rtol=1e-13):
    """Assert that a result is NumPy's: type of container, dtype, shape and values."""
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), f"{ours!r} instead of {theirs!r}"
        assert str(ours) == str(theirs)
        return
    assert not isinstance(ours, Exception), repr(ours)
    if isinstance(theirs, tuple | list):
        assert ours.__class__ is theirs.__class__ or hasattr(theirs, "_fields")
        assert len(ours) == len(theirs)
        for one, two in zip(ours, theirs, strict=True):
            same(one, two, rtol)
        return
    if isinstance(theirs, numpy.ndarray):
        assert type(ours) is cnumeric.ndarray
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
    else:
        assert ours.__class__ is theirs.__class__, f"{type(ours)} instead of {type(theirs)}"
    if isinstance(theirs, numpy.ndarray | numpy.generic) and theirs.dtype.kind in "fc":
        numpy.testing.assert_allclose(numpy.asarray(ours), theirs, rtol=rtol)
    else:
        numpy.testing.assert_array_equal(numpy.asarray(ours), numpy.asarray(theirs))


def native_and_same(ours, theirs, counters):
    """Assert that a result is NumPy's and, unless it is an error, was computed without NumPy."""
    if not isinstance(theirs, Exception):
        assert counters()["fallbacks"] == 0
    same(ours, theirs)


def cases(text):
    return [line for line in text.splitlines() if line]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", cases(CREATION + SHAPES + REDUCTIONS + ELEMENTWISE + PRODUCTS))
def test_as_numpy(expression):
    same(evaluate(expression, cnumeric), evaluate(expression, numpy))


@pytest.mark.parametrize(
    "expression",
    [case for case in cases(CREATION) if case.startswith(("np.arange(", "np.linspace(", "np.eye(", "np.tri("))],
)
@pytest.mark.filterwarnings("ignore")
def test_ranges_have_numpys_bits(expression):
    theirs = evaluate(expression, numpy)
    ours = evaluate(expression, cnumeric)
    if isinstance(theirs, numpy.ndarray):
        assert numpy.asarray(ours).tobytes() == theirs.tobytes()


@pytest.mark.parametrize("number", [2, 3, 41, 1000])
@pytest.mark.parametrize("ends", [(0, 1), (0.1, 0.7), (-3, 1e9), (1e-300, 2e-300)])
def test_linspace_has_numpys_bits(number, ends):
    ours = cnumeric.linspace(*ends, number)
    assert numpy.asarray(ours).tobytes() == numpy.linspace(*ends, number).tobytes()


VIEWS = """
np.reshape(A, (6, 2))
np.ravel(A)
np.transpose(A)
np.swapaxes(A, 0, 1)
np.moveaxis(A, 0, 1)
np.squeeze(A)
np.expand_dims(A, 1)
np.atleast_3d(A)
np.flip(A)
np.flipud(A)
np.rot90(A)
np.split(A, 3)[0]
np.array_split(A, 2, 1)[1]
np.asarray(A)
np.ascontiguousarray(A)
np.unstack(A)[1]
np.hsplit(A, 2)[1]
"""


@pytest.mark.parametrize("expression", cases(VIEWS))
def test_views_write_through(expression):
    source = cnumeric.array(numpy.arange(12.0).reshape(3, 4))
    view = eval(expression, {"np": cnumeric, "A": source})
    view[...] = -1.0
    copy = numpy.arange(12.0).reshape(3, 4)
    other = eval(expression, {"np": numpy, "A": copy})
    other[...] = -1.0
    numpy.testing.assert_array_equal(numpy.asarray(source), copy)


COPIES = """
np.take(A, 1, axis=0)
np.copy(A)
np.roll(A, 1)
np.tile(A, 1)
np.array(A)
np.where(A > 0, A, A)
np.concatenate([A])
np.astype(A, float)
np.tril(A, 9)
"""


@pytest.mark.parametrize("expression", cases(COPIES))
def test_copies_do_not(expression):
    source = cnumeric.array(numpy.arange(12.0).reshape(3, 4))
    result = eval(expression, {"np": cnumeric, "A": source})
    result[...] = -1.0
    numpy.testing.assert_array_equal(numpy.asarray(source), numpy.arange(12.0).reshape(3, 4))


WRITES = """
np.copyto(A, 3)
np.copyto(A, A[::-1])
np.copyto(A, 3, where=A > 4)
np.copyto(A, [1j])
np.putmask(A, A > 3, 0)
np.putmask(A, A > 3, [1, 2, 3])
np.fill_diagonal(A, 9)
np.put(A, [0, 2], [7, 8])
np.place(A, A > 4, [1, 2])
np.add(A, 1, out=A)
np.sum(A, 0, out=A[0])
np.clip(A, 2, 5, out=A)
np.random.default_rng(3).random(out=A)
np.add.at(A, (0, [1, 1]), 2)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("statement", cases(WRITES))
def test_written_in_place(statement):
    results = []
    for module in (cnumeric, numpy):
        A = module.array(numpy.arange(12.0).reshape(3, 4))
        try:
            exec(statement, {"np": module, "A": A})
        except Exception as error:
            results.append(error)
        else:
            results.append(A)
    same(*results)


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize(
    "text",
    [
        "a @ a",
        "a @ a.T",
        "a.T @ a",
        "a[:, ::-1] @ a",
        "a @ a[0]",
        "a[0] @ a",
        "a[1] @ a[2]",
        "a[::2, 1::3] @ a[3:, :][:92, ::-1]",
        "a.reshape(6, 46, 276) @ a",
        "a[:, :0] @ a[:0]",
        "np.dot(a.ravel(), a.T.ravel())",
    ],
)
def test_products_of_integers_wrap_as_numpys(dtype, text):
    a = numpy.random.default_rng(4).integers(0, 255, (276, 276)).astype(dtype)
    ours = numpy.asarray(eval(text, {"np": cnumeric, "a": cnumeric.array(a)}))
    expected = eval(text, {"np": numpy, "a": a})
    assert ours.dtype == expected.dtype
    numpy.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("character", "fdFD")
@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (5, 3), (31, 33), (64, 64), (100, 130), (5000, 40), (40, 300)])
def test_a_matrix_times_its_own_transpose(character, shape):
    random = numpy.random.default_rng(3)
    theirs = (random.random(shape) - 0.5).astype(character)
    theirs = theirs + 1j * theirs[::-1] if character in "FD" else theirs
    ours = cnumeric.array(theirs)
    tolerance = 1e-4 if character in "fF" else 1e-11
    for product in (
        lambda x: x.T @ x,
        lambda x: x @ x.T,
        lambda x: x[:, 1:].T.dot(x[:, 1:]),
        lambda x: x[::2] @ x[::2].T,
        lambda x: x.reshape(1, *x.shape) @ x.T,
        lambda x: x.T.conj() @ x,
    ):
        found = numpy.asarray(product(ours))
        numpy.testing.assert_allclose(found, product(theirs), rtol=tolerance, atol=tolerance)


@pytest.mark.default_settings  # what places could share out is a product like others
@pytest.mark.parametrize("character", "fdFD")
@pytest.mark.parametrize("shape", [(5, 3), (31, 33), (64, 64), (100, 130)])
def test_small_products_with_the_own_transpose_are_symmetric(character, shape):
    random = numpy.random.default_rng(3)
    x = (random.random(shape) - 0.5).astype(character)
    found = (
        numpy.asarray(cnumeric.array(x) @ cnumeric.array(x).T),
        numpy.asarray((lambda a: a @ a.T)(cnumeric.array(x))),
    )
    assert numpy.array_equal(found[1], found[1].T)
    numpy.testing.assert_allclose(*found, rtol=1e-4 if character in "fF" else 1e-11, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_products_of_long_vectors(dtype):
    """They are sums: as exact as those, quiet as BLAS, and NaN where infinities meet."""
    x, y = numpy.random.default_rng(3).standard_normal((2, 200001)).astype(dtype)
    ours = cnumeric.array(x) @ cnumeric.array(y)
    assert ours.dtype == dtype
    exact = float(numpy.sum(x.astype("f8") * y.astype("f8")))
    assert abs(float(ours) - exact) <= 400 * numpy.finfo(dtype).eps * max(1, abs(exact))
    x[17], y[18] = numpy.finfo(dtype).max, numpy.finfo(dtype).max
    assert dtype == "float16" or cnumeric.array(x) @ cnumeric.array(x) == numpy.inf
    x[18], y[17] = -numpy.inf, numpy.inf
    assert numpy.isnan(float(cnumeric.dot(cnumeric.array(x), cnumeric.array(y))))
