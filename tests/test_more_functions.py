"""Windows, polynomials, index functions and the like give what NumPy gives, and NumPy does not compute them.

Each case is an expression, as in test_functions.
"""

import cnumeric
import numpy
import pytest
from test_functions import cases, evaluate, native_and_same, same

FUNCTIONS = """
np.hanning(7)
np.hanning(1)
np.hanning(0)
np.hamming(8)
np.blackman(9)
np.bartlett(6)
np.kaiser(12, 14)
np.kaiser(1, 3.0)
np.kaiser(5, 0)
np.i0(a)
np.i0(A * 4)
np.i0(i)
np.i0(c)
np.unwrap(a * 2)
np.unwrap(np.array([0.0, 3.2, 6.4, -3.1, 9.0]))
np.unwrap(A * 3, axis=0)
np.unwrap(np.array([0, 1, 2, -1, 0]), period=4)
np.unwrap(A, discont=5.0)
np.real_if_close(c)
np.real_if_close(a + 1e-17j)
np.real_if_close(a)
np.piecewise(a, [a < 2, a >= 2], [-1, 1])
np.piecewise(a, [a < 2, a > 3], [lambda x: x * 2, 1, lambda x: -x])
np.piecewise(a, [a < 2], [1, 2, 3])
np.geomspace(1, 1000, 4)
np.geomspace(1, 256, num=9, dtype=int)
np.geomspace(1000, 1, 5)
np.geomspace(-1, -16, 5)
np.geomspace(1, 8, 3, endpoint=False)
np.geomspace(0, 1)
np.vander([1, 2, 3])
np.vander(a, 3)
np.vander(a, 3, increasing=True)
np.vander(A)
np.fft.fftfreq(8, 0.1)
np.fft.fftfreq(9)
np.fft.rfftfreq(8, 0.1)
np.fft.fftfreq(2.5)
np.correlate(a, [1, 2])
np.correlate(a, [1, 2, 3.5], "same")
np.correlate([1, 2], a, "same")
np.correlate([1, 2], a, "full")
np.correlate(c, [1j, 2], "full")
np.correlate(a, [1, 2], "bad")
np.polyadd([1, 2], a)
np.polysub(a, [1, 2])
np.polymul(a, [1, 2])
np.polymul([0, 0, 1], [0, 2])
np.polyder(a)
np.polyder(i, 2)
np.polyint(a)
np.polyint(i, 2, [3, 4])
np.polyint(i, -1)
np.poly(a)
np.poly(i)
np.polyval([1, 2, 3], a)
np.resize(a, (2, 3))
np.resize(A, 5)
np.resize(A, (5, 7))
np.resize(a[:0], (2, 2))
np.resize(a, -1)
np.row_stack([a, a])
np.trim_zeros(np.array([0, 0, 1, 0, 2, 0]))
np.trim_zeros(np.array([0, 0, 1, 0, 2, 0]), "f")
np.trim_zeros([0, 1, 0])
np.trim_zeros(np.zeros(3))
np.trim_zeros(np.array([[0, 0, 0], [0, 1, 0]]))
np.trim_zeros(a, "x")
np.require(A, "f4", "F").flags.f_contiguous
np.require(A, requirements=["C", "W"])
np.require(A.T, requirements="C").flags.c_contiguous
np.require(A, requirements=["C", "F"])
np.apply_over_axes(np.sum, T, [0, 2])
np.mgrid[0:3, 0:2]
np.mgrid[0:3:2, 0:1:5j]
np.mgrid[0:5]
np.mgrid[0:1:5j]
np.mgrid[0:2.5:0.5, 1:3]
np.ogrid[0:3, 0:2]
np.ogrid[0:1:3j, 0:2, 1:4]
np.r_[1:4, 9]
np.r_[a, 0, 0, a]
np.r_[0:1:5j, a]
np.r_[np.array([1, 2], "i2"), 3]
np.c_[a, a]
np.c_[A, A]
np.c_[a, 1:6]
np.c_[A, a]
np.ix_([0, 2], [1, 3])
np.ix_([True, False, True], [1, 3])
np.ix_(A)
np.ix_([], [1])
A[np.ix_([0, 2], [1, 3])]
np.diag_indices(3)
np.diag_indices(3, 3)
np.diag_indices_from(A[:3, :3])
np.diag_indices_from(A)
np.tril_indices_from(A)
np.triu_indices_from(A, 1)
np.tril_indices_from(a)
np.mask_indices(3, np.triu)
np.mask_indices(3, np.tril, -1)
np.unravel_index([5, 7], (3, 4))
np.unravel_index(np.array([[5, 7], [0, 1]]), (3, 4), order="F")
np.unravel_index(5, (3, 4))
np.unravel_index([12], (3, 4))
np.unravel_index([1, 2], 4)
np.ravel_multi_index(([0, 2], [1, 3]), (3, 4))
np.ravel_multi_index(([0, 2], [1, 3]), (3, 4), order="F")
np.ravel_multi_index(([0, 5], [1, 3]), (3, 4))
np.ravel_multi_index(([0, 5], [1, 3]), (3, 4), mode="clip")
np.ravel_multi_index(([0, 5], [1, -3]), (3, 4), mode=("clip", "wrap"))
np.ravel_multi_index((1, 2), (3, 4))
np.choose([0, 1, 0, 1, 0], [a, a * 10])
np.choose([0, 1, 2], [a, a * 10])
np.choose([0, 3, 2, 1, 0], [a, a * 10], mode="clip")
np.choose([0, 3, 2, 1, -1], [a, i], mode="wrap")
np.choose(A > 3, [A, 0.0])
i.clip(0, 1).choose([a, -a])
np.compress([True, False, True], A, 0)
A.compress([False, True], axis=1)
(A > 3).ravel().compress(A.ravel() > 2)
np.insert(a, 1, 9)
np.insert(a, [1, 3], 9)
np.insert(a, [1, 3], [7, 8])
np.insert(a, slice(0, 4, 2), 5)
np.insert(A, 1, 0, axis=1)
np.insert(A, 1, [1, 2, 3], axis=1)
np.insert(A, [1], [[1], [2], [3]], axis=1)
np.insert(A, -1, 0, axis=0)
np.insert(A, (1, 3), 9, axis=1)
np.insert(A, 3, 9)
np.insert(i, 1, 2.7)
np.insert(a, 9, 1)
np.insert(a, [1, 9], 1)
np.delete(a, [1, 3])
np.delete(a, slice(1, 4))
np.delete(A, [0, -1], axis=1)
np.delete(A, np.array([True, False, True]), 0)
np.delete(a, [9])
np.delete(a, [])
np.ediff1d(A, to_end=[5, 6])
np.ediff1d(i, to_begin=-99, to_end=[1, 2])
np.ediff1d(i, to_begin=1.5)
np.cov(a)
np.cov(a, a * a)
np.cov(A, A[:1])
np.cov(A.T, rowvar=False)
np.corrcoef(a)
np.corrcoef(a, a * a)
np.linalg.norm(A, 1)
np.linalg.norm(A, -1)
np.linalg.norm(A, np.inf)
np.linalg.norm(T, -np.inf, axis=(0, 2))
np.linalg.norm(T, 1, axis=(2, 0), keepdims=True)
np.linalg.norm(T, 1, axis=(0, 2))
np.linalg.matrix_norm(T)
np.linalg.matrix_norm(T, ord=1, keepdims=True)
np.linalg.matrix_norm(A)
np.put_along_axis(A.copy(), np.array([[1], [2], [0]]), 9.0, 1)
"""

FALL_BACK = """
np.r_["-1", A, A]
np.correlate(np.arange(100.0), np.arange(50.0))
np.bartlett(np.longdouble(4)).dtype
np.cov(A[:1], rowvar=False)
np.cov(a, A[0, :1])
np.interp(0.5, [np.nan, 1], [0, 10])
np.delete(a, True)
np.unravel_index([0], ())
np.insert([0, 1], np.array([], float), [])
np.ravel_multi_index((0.1, 0.0), (2, 2))
np.unique(np.arange(10, dtype=np.uint8).reshape(-1, 2).view(bool), axis=0)
np.roots([1, 2, 3])
np.polyfit(a, a, 1)
np.poly(A[:3, :3])
np.polydiv(a, [1, 2])
np.linalg.norm(A, "nuc")
np.apply_along_axis(np.sum, 0, A)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", cases(FUNCTIONS))
def test_native_and_as_numpy(expression, counters):
    theirs = evaluate(expression, numpy)
    ours = evaluate(expression, cnumeric)
    native_and_same(ours, theirs, counters)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", cases(FALL_BACK))
def test_falls_back_as_numpy(expression):
    same(evaluate(expression, cnumeric), evaluate(expression, numpy))


WRITES = """
np.put(A, [0, 2], [7, 8])
np.put(A, [0, -1, 5], 7)
np.put(A, [0, 2, 4, 4], [7, 8, 9, 10, 11])
np.put(A, [13, -13], [7, 8], mode="wrap")
np.put(A, [13, -13], [7, 8], mode="clip")
np.put(A, [13], 7)
np.put(A.T, [1, 2, -1], [7, 8])
np.put(A, [], [])
A.put([1, 2], 5)
A.T.put([1, 2], [5, 6])
np.place(A, A > 4, [1, 2])
np.place(A.T, A.T > 4, [1, 2])
np.place(A, A > 100, [])
np.place(A, A > 4, [])
np.place(A, [True], 3)
np.putmask(A, A > 3, 0)
np.putmask(A, A > 3, [1, 2, 3])
np.putmask(A, A > 3, A * 10)
np.putmask(A.T, A.T > 3, [1, 2])
np.putmask(i, i > 2, [1, 2])
np.putmask(i, i > 2, i * 0.5)
np.place(i, i > 2, [9, 8])
np.put_along_axis(A, np.array([[0], [1], [2]]), 99, 1)
np.put_along_axis(A, np.array([[0, 1, 2, 0]]), np.array([[5, 6, 7, 8]]), 0)
np.put_along_axis(A, np.array([0, 5]), 4, None)
np.put_along_axis(A, np.array([[9]]), 4, 1)
A[np.ix_([0, 2], [1, 3])] = 0
A[np.tril_indices_from(A)] = 0
A[np.diag_indices(3)] = 5
A[np.unravel_index([1, 5], A.shape)] = -1
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("statement", cases(WRITES))
def test_written_in_place(statement, counters):
    results = []
    for module in (numpy, cnumeric):
        names = {"np": module, "A": module.array(numpy.arange(12.0).reshape(3, 4)), "i": module.array([3, 1, 4, 1, 5])}
        try:
            exec(statement, names)
        except Exception as error:
            results.append(error)
        else:
            results.append((names["A"], names["i"]))
    theirs, ours = results
    native_and_same(ours, theirs, counters)


@pytest.mark.parametrize("name", ["hanning", "hamming", "blackman", "bartlett"])
@pytest.mark.parametrize("length", [-1, 0, 1, 2, 11, 12, 1000])
def test_windows_of_every_length(name, length):
    numpy.testing.assert_allclose(
        numpy.asarray(getattr(cnumeric, name)(length)), getattr(numpy, name)(length), rtol=1e-13, atol=1e-15
    )


def test_i0_on_both_sides_of_its_seam():
    values = numpy.concatenate([numpy.linspace(-20, 20, 401), [7.999999, 8.0, 8.000001, 0.0, 600.0]])
    same(cnumeric.i0(cnumeric.array(values)), numpy.i0(values), rtol=1e-12)


@pytest.mark.parametrize("lengths", [(1, 1), (5, 5), (9, 4), (4, 9), (40, 32), (3, 50)])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_correlations_and_convolutions(lengths, mode):
    one, two = (numpy.random.default_rng(place).normal(size=length) for place, length in enumerate(lengths))
    for name in ("correlate", "convolve"):
        ours = getattr(cnumeric, name)(cnumeric.array(one), cnumeric.array(two), mode)
        numpy.testing.assert_allclose(numpy.asarray(ours), getattr(numpy, name)(one, two, mode), rtol=1e-11, atol=1e-13)


def test_unwrapped_angles_grow():
    angles = numpy.linspace(0, 60, 1000)
    wrapped = cnumeric.array(numpy.angle(numpy.exp(1j * angles)))
    numpy.testing.assert_allclose(numpy.asarray(cnumeric.unwrap(wrapped)), angles, rtol=1e-12, atol=1e-12)
    assert numpy.asarray(cnumeric.unwrap(wrapped)).tobytes() == numpy.unwrap(numpy.asarray(wrapped)).tobytes()


def test_index_arithmetic_is_its_own_inverse():
    shape = (3, 5, 7)
    flat = cnumeric.arange(3 * 5 * 7)
    for order in "CF":
        back = cnumeric.ravel_multi_index(cnumeric.unravel_index(flat, shape, order), shape, order=order)
        numpy.testing.assert_array_equal(numpy.asarray(back), numpy.arange(3 * 5 * 7))
