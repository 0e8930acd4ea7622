"""Packages that work on NumPy's arrays take ours, and give the results that they give for NumPy's.

Each test computes with the package on both modules' arrays. `make test` installs the packages of
requirements-ecosystem.txt that can be had; the tests of one that cannot are skipped.
"""

import pickle

import cnumeric
import numpy
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::cnumeric.FallbackWarning")


def wave(module, *shape):
    """Values without structure, the same bits for both modules; computed by the module, so that work is pending."""
    size = int(numpy.prod(shape))
    return (module.arange(float(size)) * 37 % 101 / 101).reshape(shape) - 0.25


def both(function, *shape):
    """The function of each module's array, ours first, as NumPy's."""
    return (numpy.asarray(function(wave(module, *shape))) for module in (cnumeric, numpy))


def assert_both(function, *shape, rtol=1e-12):
    """The function gives for our array what it gives for NumPy's, and there is something to compare."""
    ours, theirs = both(function, *shape)
    assert theirs.size > 0 and ours.dtype == theirs.dtype
    numpy.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


# ---- SciPy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda filters, a: filters.gaussian_filter(a, 1.5),
        lambda filters, a: filters.uniform_filter(a[::2, ::-1], 3, mode="wrap"),
        lambda filters, a: filters.median_filter(a, 3),
        lambda filters, a: filters.convolve(a, cnumeric.ones((3, 3)) / 9),
        lambda filters, a: filters.laplace(a),
        lambda filters, a: filters.zoom(a, 2, order=1),
        lambda filters, a: filters.label(a > 0.3)[0],
        lambda filters, a: filters.center_of_mass(a),
        lambda filters, a: filters.map_coordinates(a, [[0.5, 2.5], [1.5, 3.25]], order=1),
    ],
)
def test_scipy_ndimage(call):
    ndimage = pytest.importorskip("scipy.ndimage")
    assert_both(lambda a: call(ndimage, a), 12, 10)


def test_scipy_ndimage_writes_into_our_array():
    ndimage = pytest.importorskip("scipy.ndimage")
    out = cnumeric.zeros((12, 10))
    ndimage.gaussian_filter(wave(cnumeric, 12, 10), 1.0, output=out)
    out += 1
    expected = ndimage.gaussian_filter(wave(numpy, 12, 10), 1.0) + 1
    numpy.testing.assert_allclose(numpy.asarray(out), expected, rtol=1e-12)


def rosenbrock(x):
    """Written with operators and slices alone: works on what it is given."""
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "Nelder-Mead", "Powell"])
def test_scipy_minimize(method):
    optimize = pytest.importorskip("scipy.optimize")
    start = [1.3, 0.7, 0.8]
    found = [
        optimize.minimize(lambda x, module=module: rosenbrock(module.asarray(x)), module.array(start), method=method)
        for module in (cnumeric, numpy)
    ]
    assert found[0].success == found[1].success
    numpy.testing.assert_allclose(found[0].x, found[1].x, rtol=1e-4)
    numpy.testing.assert_allclose(found[0].x, 1.0, atol=1e-2)


def test_scipy_fits_and_finds_roots():
    optimize = pytest.importorskip("scipy.optimize")
    x = cnumeric.linspace(0, 4, 50)
    y = 2.5 * cnumeric.exp(-1.3 * x) + 0.5
    found, _ = optimize.curve_fit(lambda t, a, b, c: a * cnumeric.exp(-b * t) + c, x, y, p0=(1, 1, 1))
    numpy.testing.assert_allclose(found, [2.5, 1.3, 0.5], rtol=1e-6)
    matrix = cnumeric.array([[3.0, 1.0], [1.0, 2.0]])
    root = optimize.root(lambda v: matrix @ v - cnumeric.array([9.0, 8.0]), cnumeric.zeros(2))
    numpy.testing.assert_allclose(root.x, [2.0, 3.0], rtol=1e-9)
    fit = optimize.least_squares(lambda v: cnumeric.asarray(v) - cnumeric.arange(3.0), cnumeric.ones(3))
    numpy.testing.assert_allclose(fit.x, [0, 1, 2], atol=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda signal, a: signal.convolve(a, cnumeric.ones(5), mode="same"),
        lambda signal, a: signal.fftconvolve(a, a[::-1]),
        lambda signal, a: signal.lfilter([0.2, 0.3], [1.0, -0.4], a),
        lambda signal, a: signal.filtfilt(*signal.butter(3, 0.2), a),
        lambda signal, a: signal.savgol_filter(a, 7, 2),
        lambda signal, a: signal.find_peaks(a)[0],
        lambda signal, a: signal.welch(a, nperseg=64)[1],
        lambda signal, a: signal.resample(a, 50),
        lambda signal, a: signal.detrend(a),
        lambda signal, a: signal.hilbert(a).imag,
    ],
)
def test_scipy_signal(call):
    signal = pytest.importorskip("scipy.signal")
    assert_both(lambda a: call(signal, a), 200, rtol=1e-9)


def test_scipy_linalg_sparse_and_interpolate():
    linalg = pytest.importorskip("scipy.linalg")
    import scipy.interpolate
    import scipy.sparse

    assert_both(lambda a: linalg.solve(a @ a.T + cnumeric.eye(6), a[0]), 6, 6, rtol=1e-9)
    assert_both(lambda a: linalg.expm(a / 10), 6, 6)
    assert_both(lambda a: scipy.sparse.csr_array(a) @ a[0], 6, 6)
    assert_both(lambda a: scipy.interpolate.CubicSpline(cnumeric.arange(20.0), a)([0.5, 7.25]), 20)


# ---- Tables, pictures, files ---------------------------------------------------------------------------------


def test_pandas():
    pandas = pytest.importorskip("pandas")
    values = wave(cnumeric, 8, 3)
    frame = pandas.DataFrame(values, columns=list("abc"))
    numpy.testing.assert_array_equal(frame.to_numpy(), wave(numpy, 8, 3))
    frame["d"] = cnumeric.arange(8) % 2
    assert frame["d"].dtype == numpy.int64
    sums = frame.groupby("d").sum()
    numpy.testing.assert_allclose(sums["a"], [wave(numpy, 8, 3)[start::2, 0].sum() for start in (0, 1)])
    series = pandas.Series(values[:, 1], index=cnumeric.arange(8)[::-1])
    assert series[7] == values[0, 1]
    kept = series.loc[numpy.asarray(cnumeric.asarray(series) > 0)]  # pandas takes no masks but NumPy's and its own
    assert len(kept) == int((values[:, 1] > 0).sum())
    numpy.testing.assert_array_equal(numpy.asarray(cnumeric.asarray(series) * 2), series.to_numpy() * 2)
    assert type(cnumeric.sqrt(abs(series))) is pandas.Series


def test_xarray():
    xarray = pytest.importorskip("xarray")
    values = wave(cnumeric, 4, 5)
    array = xarray.DataArray(values, dims=("x", "y"), coords={"x": cnumeric.arange(4)})
    other = xarray.DataArray(wave(numpy, 4, 5), dims=("x", "y"), coords={"x": numpy.arange(4)})
    xarray.testing.assert_allclose((array * 2 + 1).mean("y"), (other * 2 + 1).mean("y"))
    xarray.testing.assert_allclose(array.isel(x=slice(None, None, 2)), other.isel(x=slice(None, None, 2)))
    xarray.testing.assert_allclose(array.where(array > 0).sum(), other.where(other > 0).sum())
    xarray.testing.assert_allclose(xarray.concat([array, array], "x"), xarray.concat([other, other], "x"))
    numpy.testing.assert_array_equal(numpy.asarray(array.T), numpy.asarray(other.T))


def test_matplotlib():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    pictures = []
    for module in (cnumeric, numpy):
        figure, axes = pyplot.subplots(2, 3, figsize=(6, 4))
        a = wave(module, 12, 12)
        axes[0, 0].plot(a[0], a[1])
        axes[0, 1].imshow(a)
        axes[0, 2].contourf(a)
        axes[1, 0].hist(a.ravel(), bins=module.linspace(-1, 1, 9))
        axes[1, 1].quiver(a[::3, ::3], a[1::3, 1::3])
        axes[1, 2].scatter(a[2], a[3], c=a[4], s=20 * abs(a[5]))
        figure.canvas.draw()
        pictures.append(numpy.asarray(figure.canvas.buffer_rgba()).copy())
        pyplot.close(figure)
    assert pictures[0].std() > 0
    numpy.testing.assert_array_equal(*pictures)


def test_h5py(tmp_path):
    h5py = pytest.importorskip("h5py")
    values, whole = wave(cnumeric, 6, 7), cnumeric.arange(10) * 3
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file["values"] = values
        file.create_dataset("whole", data=whole, chunks=True, compression="gzip")
        file["values"][2] = cnumeric.zeros(7)
        file["values"].attrs["scale"] = cnumeric.ones(2)
    with h5py.File(tmp_path / "file.h5") as file:
        expected = wave(numpy, 6, 7)
        expected[2] = 0
        numpy.testing.assert_array_equal(file["values"][:], expected)
        out = cnumeric.empty((6, 7))
        file["values"].read_direct(numpy.asarray(out))  # one memory; h5py's C code takes nothing but NumPy's arrays
        numpy.testing.assert_array_equal(numpy.asarray(out + 1), expected + 1)
        assert (cnumeric.asarray(file["whole"]) == whole).all()
        numpy.testing.assert_array_equal(file["values"].attrs["scale"], [1, 1])


@pytest.mark.parametrize(
    "fit",
    [
        lambda x, y: pytest.importorskip("sklearn.linear_model").LinearRegression().fit(x, y).predict(x),
        lambda x, y: pytest.importorskip("sklearn.linear_model").LogisticRegression().fit(x, y > 0).predict(x),
        lambda x, y: pytest.importorskip("sklearn.decomposition").PCA(2).fit(x).explained_variance_,
        lambda x, y: pytest.importorskip("sklearn.preprocessing").StandardScaler().fit_transform(x),
        lambda x, y: pytest.importorskip("sklearn.cluster").KMeans(3, n_init=1, random_state=1).fit(x).labels_,
        lambda x, y: (
            pytest.importorskip("sklearn.ensemble").RandomForestRegressor(5, random_state=1).fit(x, y).predict(x)
        ),
        lambda x, y: pytest.importorskip("sklearn.metrics").r2_score(y, x[:, 0]),
        lambda x, y: pytest.importorskip("sklearn.neighbors").NearestNeighbors().fit(x).kneighbors(x[:5])[0],
    ],
)
def test_sklearn(fit):
    assert_both(lambda a: fit(a, 2 * a[:, 0] - a[:, 1]), 40, 3, rtol=1e-9)


# ---- Protocols ----------------------------------------------------------------------------------------------


def dtypes():
    """Every dtype that is native to us."""
    return "?bBhHiIqQefdFD"


@pytest.mark.parametrize("dtype", dtypes())
@pytest.mark.parametrize(
    "layout", [lambda a: a, lambda a: a[::2, ::-1], lambda a: a.T, lambda a: a[:0], lambda a: a[1, 1]]
)
def test_numpy_sees_our_memory(dtype, layout):
    ours = layout(cnumeric.arange(24).reshape(4, 6).astype(dtype))
    ours = cnumeric.asarray(ours)
    theirs = numpy.asarray(ours)
    assert type(theirs) is numpy.ndarray
    assert (theirs.dtype, theirs.shape, theirs.strides) == (ours.dtype, ours.shape, ours.strides)
    if theirs.size:
        theirs[...] = 0
        assert not ours.any()
        ours[...] = 1
        assert theirs.all()


@pytest.mark.parametrize("dtype", dtypes())
def test_dlpack_both_ways(dtype):
    ours = cnumeric.arange(12).reshape(3, 4).astype(dtype)[:, ::2]
    theirs = numpy.from_dlpack(ours)
    assert theirs.dtype == ours.dtype and theirs.tolist() == ours.tolist()
    assert numpy.shares_memory(theirs, numpy.asarray(ours))
    back = cnumeric.from_dlpack(numpy.arange(6).astype(dtype))
    assert type(back) is cnumeric.ndarray and back.tolist() == numpy.arange(6).astype(dtype).tolist()
    copied = numpy.from_dlpack(ours, copy=True)
    assert not numpy.shares_memory(copied, numpy.asarray(ours))


class Consumer:
    """Takes DLPack capsules as other array libraries do: asks for the device, then for a capsule, once."""

    def __init__(self, producer):
        assert producer.__dlpack_device__() == (1, 0)
        self.capsule = producer.__dlpack__(max_version=(1, 0), dl_device=(1, 0), copy=None)

    def __dlpack__(self, **keywords):
        return self.capsule

    def __dlpack_device__(self):
        return 1, 0


def test_dlpack_for_a_consumer_of_another_library():
    ours = wave(cnumeric, 5, 6)
    theirs = numpy.from_dlpack(Consumer(ours))
    assert theirs.tolist() == ours.tolist()
    del ours
    assert theirs.sum() == pytest.approx(wave(numpy, 5, 6).sum())
    with pytest.raises(BufferError):
        cnumeric.ones(3).__dlpack__(dl_device=(2, 0))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", dtypes())
def test_pickles(protocol, dtype):
    ours = cnumeric.arange(24).reshape(4, 6).astype(dtype)[:, ::2]
    back = pickle.loads(pickle.dumps(ours, protocol))
    assert type(back) is cnumeric.ndarray
    assert (back.dtype, back.tolist()) == (ours.dtype, ours.tolist())
    mixed = pickle.loads(pickle.dumps({"ours": ours, "theirs": numpy.asarray(ours)}, protocol))
    assert type(mixed["ours"]) is cnumeric.ndarray and type(mixed["theirs"]) is numpy.ndarray


def test_array_namespace():
    namespace = cnumeric.ones(3).__array_namespace__()
    assert namespace is cnumeric
    x = namespace.asarray([3.0, 1.0, 2.0])
    assert namespace.concat([x, namespace.zeros(1)]).tolist() == [3, 1, 2, 0]
    assert namespace.permute_dims(namespace.ones((2, 3)), (1, 0)).shape == (3, 2)
    assert namespace.astype(x, namespace.int32).dtype == namespace.int32
    assert namespace.isdtype(x.dtype, "real floating")
    assert namespace.__array_namespace_info__().default_device() == "cpu"
    assert x.to_device("cpu") is x and x.device == "cpu"
    assert namespace.unique_counts(namespace.asarray([1, 1, 2])).counts.tolist() == [2, 1]
