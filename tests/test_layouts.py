"""Every elementwise op x dtype x layout of operands and outputs, and every reduction x dtype x layout, against NumPy.

The ops are those that the extension has, so a new row of the table is tested without a line here. All of it is slow;
one layout in four of each op, chosen in turn, is tested always.
"""

import cnumeric
import numpy
import pytest
from test_ufuncs import DTYPES, ELEMENTWISE, assert_same, compute, values

MOST_DIMENSIONS = 32

# Each takes a (6, 8) array to an operand; both modules' arrays go through the same steps.
LAYOUTS = {
    "contiguous": lambda a: a,
    "strided": lambda a: a[:, ::2],
    "strided rows": lambda a: a[::3],
    "negative": lambda a: a[::-1, ::-1],
    "negative strided": lambda a: a[::-2, 1::3],
    "transposed": lambda a: a.T,
    "fortran": lambda a: a.copy(order="F"),
    "offset": lambda a: a[1:, 3:],
    "row": lambda a: a[1],
    "column": lambda a: a[:, 2:3],
    "one element": lambda a: a[2:3, 4:5],
    "0-d": lambda a: a[1, 1, ...],
    "empty": lambda a: a[:0],
    "empty inside": lambda a: a[:, None, 3:3],
    "5-d": lambda a: a.reshape(2, 1, 3, 4, 2)[:, :, ::2],
    "5-d permuted": lambda a: a.reshape(2, 3, 2, 2, 2).transpose(3, 0, 4, 2, 1),
    "32-d": lambda a: a.reshape(2, 3, *(1,) * (MOST_DIMENSIONS - 4), 4, 2),
    "repeated": lambda a: a[[0]].reshape(8)[None, :].repeat(3, 0)[:, None],
}

# What the second operand is, when the first has the layout: broadcast in every way against it.
SECONDS = {
    "of the same layout": lambda a, first: LAYOUTS[first](a),
    "reversed": lambda a, first: LAYOUTS[first](a)[..., ::-1] if first != "0-d" else LAYOUTS[first](a),
    "0-d": lambda a, first: a[2, 3, ...],
    "along the last axis": lambda a, first: (
        LAYOUTS[first](a)[(0,) * max(0, LAYOUTS[first](a).ndim - 1)] if LAYOUTS[first](a).size else LAYOUTS[first](a)
    ),
    "one row more": lambda a, first: LAYOUTS[first](a)[None],
}


def sampled(names, others):
    """The product of both as parameters, of which one in four is not slow."""

    def parameter(name, other, step):
        marks = () if step % 4 == 0 else pytest.mark.slow
        return pytest.param(name, other, marks=marks, id=f"{name}-{other}")

    return [parameter(name, other, i + j) for i, name in enumerate(names) for j, other in enumerate(others)]


def run(name, module, operands, dtype, **keywords):
    """The op of operands that the function makes of the module's own (6, 8) arrays."""
    ufunc = getattr(module, name)
    sources = [module.array(values(dtype, place)) for place in range(ufunc.nin)]
    given = operands(sources)
    if module is numpy:  # whose loops for other layouts differ in the last bit (absolute of complex64)
        given = [operand.copy() for operand in given]
    return compute(lambda: ufunc(*given, **{key: make(module) for key, make in keywords.items()}))


@pytest.mark.parametrize(("name", "layout"), sampled(ELEMENTWISE, LAYOUTS))
def test_operands(name, layout):
    for dtype in DTYPES:

        def operands(sources):
            return [LAYOUTS[layout](source) for source in sources]

        assert_same(name, run(name, cnumeric, operands, dtype), run(name, numpy, operands, dtype))


@pytest.mark.parametrize(("name", "layout"), sampled([n for n in ELEMENTWISE if getattr(numpy, n).nin == 2], LAYOUTS))
def test_broadcast_operands(name, layout):
    for dtype, second in zip("dfiF?", SECONDS, strict=True):

        def operands(sources, second=second):
            return [LAYOUTS[layout](sources[0]), SECONDS[second](sources[1], layout)]

        assert_same(name, run(name, cnumeric, operands, dtype), run(name, numpy, operands, dtype))


@pytest.mark.parametrize("dtype", ["d", "f", "i", "D"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_outputs_that_overlap_operands(name, dtype):
    """Operands are neighbours in one memory and the results go there too: as if all were read before any is written."""
    nin, nout = getattr(numpy, name).nin, getattr(numpy, name).nout
    result = compute(getattr(numpy, name), *(values(dtype, place) for place in range(nin)))
    results = result if isinstance(result, tuple) else (result,)
    if nin + nout > 4 or any(isinstance(each, Exception) or each.dtype != dtype for each in results):
        return  # results do not fit where operands are
    for step in (1, -1):
        left = []
        for module in (cnumeric, numpy):
            memory = module.array(values(dtype, 5).reshape(-1))
            parts = [
                memory[start : start + 40] if step == 1 else memory[start : start + 40][::-1] for start in range(4)
            ]
            result = compute(
                getattr(module, name), *parts[:nin], out=tuple(parts[nin - 1 : nin - 1 + nout]), casting="unsafe"
            )
            left.append((isinstance(result, Exception), numpy.asarray(memory)))
        assert left[0][0] == left[1][0]
        assert_same(name, cnumeric.array(left[0][1]), left[1][1])


WRITABLE = [name for name in LAYOUTS if name not in ("fortran", "repeated")]


def stored(name, module, layout, dtype):
    """What is in new arrays after the op's results went there, by this layout; None if it refuses.

    NumPy stores what it has computed into a new array: its own loops put some results into the wrong places of strided
    outputs (signbit, isfinite, isinf, negative in NumPy 2.4).
    """
    ufunc = getattr(module, name)
    forms = compute(getattr(numpy, name), *(values(dtype, place) for place in range(ufunc.nin)))
    if isinstance(forms, Exception):
        return None  # what is left in the outputs is not promised
    forms = forms if isinstance(forms, tuple) else (forms,)
    sources = [LAYOUTS[layout](module.array(values(dtype, place))) for place in range(ufunc.nin)]
    wholes = [module.zeros((6, 8), form.dtype) for form in forms]
    outs = tuple(LAYOUTS[layout](whole) for whole in wholes)
    if module is numpy:
        result = compute(ufunc, *(source.copy() for source in sources))
        for out, made in zip(outs, result if ufunc.nout > 1 else (result,), strict=True):
            out[...] = made
    else:
        result = compute(ufunc, *sources, out=outs, casting="unsafe")
        given = result if ufunc.nout > 1 else (result,)
        assert isinstance(result, Exception) or all(one is out for one, out in zip(given, outs, strict=True))
    return [numpy.asarray(whole) for whole in wholes]


@pytest.mark.parametrize(("name", "layout"), sampled(ELEMENTWISE, WRITABLE))
def test_outputs(name, layout):
    for dtype in "dfl?":
        ours, theirs = (stored(name, module, layout, dtype) for module in (cnumeric, numpy))
        for one, two in zip(ours or (), theirs or (), strict=True):
            assert_same(name, cnumeric.array(one), two)


# ---- Reductions ----------------------------------------------------------------------------------------------

# NumPy's vector loops of arctan2 and power forget all but the last of several steps when they reduce in place.
FORGETFUL = ("arctan2", "power")
REDUCIBLE = [name for name in ELEMENTWISE if getattr(numpy, name).nin == 2 and getattr(numpy, name).nout == 1]
REDUCIBLE = [name for name in REDUCIBLE if name not in FORGETFUL]


@pytest.mark.parametrize("name", FORGETFUL)
def test_folds_take_one_step_after_the_other(name):
    array = 0.75 + 0.1 * numpy.arange(9.0)
    expected = array[0]
    for value in array[1:]:
        expected = getattr(numpy, name)(expected, value)
    numpy.testing.assert_allclose(float(getattr(cnumeric, name).reduce(cnumeric.array(array))), expected, rtol=1e-14)


# How far the order of additions and the rounding of each step may lead from NumPy's.
APART = {"e": 1e-2, "f": 1e-4, "F": 1e-4}


def assert_near(ours, theirs):
    """Equal errors, or equal form and values as near as another order of operations is."""
    if isinstance(theirs, Exception):
        assert ours.__class__ is theirs.__class__, repr(ours)
        assert str(ours) == str(theirs)
        return
    assert not isinstance(ours, Exception), repr(ours)
    ours, theirs = numpy.asarray(ours), numpy.asarray(theirs)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if theirs.dtype.kind in "fc":
        apart = APART.get(theirs.dtype.char, 1e-11)
        numpy.testing.assert_allclose(ours, theirs, rtol=apart, atol=apart)
    else:
        numpy.testing.assert_array_equal(ours, theirs)


def tame(dtype, seed):
    """Values that no product of 48 of them takes out of range."""
    array = values(dtype, seed)
    if array.dtype.kind in "fc":
        return numpy.where(numpy.isfinite(array), 0.75 + 0.1 * array.real, 1).astype(dtype)
    return array if dtype == "?" else array % 4


@pytest.mark.parametrize(("name", "layout"), sampled(REDUCIBLE, LAYOUTS))
def test_reductions(name, layout):
    for dtype in DTYPES:
        for axis in (0, -1, None, (0, 1)):
            results = []
            for module in (cnumeric, numpy):
                array = LAYOUTS[layout](module.array(tame(dtype, 3)))
                reduce = getattr(module, name).reduce
                results.append(compute(lambda: reduce(array, axis=axis, keepdims=axis == -1)))  # noqa: B023
            assert_near(*results)


@pytest.mark.parametrize(("name", "layout"), sampled(["add", "multiply", "maximum", "logical_or", "subtract"], LAYOUTS))
def test_scans(name, layout):
    for dtype in DTYPES:
        for axis in (0, -1):
            results = []
            for module in (cnumeric, numpy):
                array = LAYOUTS[layout](module.array(tame(dtype, 3)))
                accumulate = getattr(module, name).accumulate
                results.append(compute(lambda: accumulate(array, axis=axis)))  # noqa: B023
            assert_near(*results)


# ---- Copies ----------------------------------------------------------------------------------------------

PLANES = {
    "as it is": lambda a: a,
    "turned": lambda a: a.T,
    "reversed": lambda a: a[:, ::-1],
    "reversed and turned": lambda a: a[::-1].T,
    "strided": lambda a: a[::2, ::3],
    "repeated": lambda a: a[:, 1:2],
}


def copied(module, source, target, put, taken):
    """A part of the middle plane of one array, once by once or along rows, in the planes of another."""
    source, target = module.array(source), module.array(target)
    part = PLANES[taken](source[1])
    for place in range(3):
        into = PLANES[put](target[place])
        rows = min(into.shape[0], part.shape[0])
        columns = into.shape[1] if part.shape[1] == 1 else min(into.shape[1], part.shape[1])
        into[:rows, :columns] = part[:rows, :columns]
    return target, source.transpose(1, 0, 2)[..., ::-1].copy()  # short planes, many of them


@pytest.mark.parametrize("dtype", ["bool", "float16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("taken", PLANES)
@pytest.mark.parametrize("put", PLANES)
def test_copies_of_planes(put, taken, dtype):
    before = cnumeric.settings()["unplanned_ops"]
    random = numpy.random.default_rng(5)
    try:
        for rows, columns in ((1, 9), (2, 3), (5, 4), (9, 33), (70, 2), (67, 301), (3, 3000)):
            source, target = ((random.random((3, 3 * rows, 3 * columns)) * 9).astype(dtype) for _ in range(2))
            expected = copied(numpy, source, target, put, taken)
            for unplanned in (before, 0):
                cnumeric.settings(unplanned_ops=unplanned)
                for ours, theirs in zip(copied(cnumeric, source, target, put, taken), expected, strict=True):
                    numpy.testing.assert_array_equal(numpy.asarray(ours), theirs)
    finally:
        cnumeric.settings(unplanned_ops=before)
