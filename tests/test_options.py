"""Every function of ours x its documented options x dtype x layout of its array, against NumPy.

Functions are those that are registered as ours; their parameters are NumPy's. Required arguments follow from a
parameter's name (or stand in ARGUMENTS), options are tried one by one with the values of OPTIONS. A new function is
tested without a line here, unless its parameters have names that nobody knows yet: then the test says so. Plain arrays
of float64 are tested always, all else is slow.
"""

import inspect

import cnumeric
import numpy
import pytest
from cnumeric._composed import functions
from test_functions import same

# What stands for a required parameter of this name. A is the array whose dtype and layout vary.
REQUIRED = {
    **dict.fromkeys("a x m arr ary array v f y ar z p filt prototype object val element sample".split(), "A"),
    **dict.fromkeys("a1 ar1".split(), "A[0]"),
    **dict.fromkeys("b a2 ar2 test_elements".split(), "A[::-1]"),
    **dict.fromkeys("arrays arys tup arrays_and_dtypes".split(), "[A, A[::-1]]"),
    **dict.fromkeys("N M n num".split(), "4"),
    **dict.fromkeys("shape new_shape dims".split(), "(6, 4)"),
    "condition": "A > 2",
    "mask": "A > 2",
    "q": "30",
    "kth": "1",
    "bins": "4",
    "indices": "[1, 0]",
    "indices_or_sections": "2",
    "axis": "0",
    "shift": "1",
    "dtype": "np.float32",
    "fill_value": "3",
    "repeats": "2",
    "reps": "2",
    "pad_width": "1",
    "obj": "1",
    "values": "7",
    "A": "A",
    "axis1": "0",
    "axis2": "-1",
    "dimensions": "(2, 3)",
    "start": "1.0",
    "stop": "9.0",
}

# Calls of the required arguments, where names do not say enough.
ARGUMENTS = {
    "append": "A, A",
    "apply_over_axes": "np.sum, A, (0, 1)",
    "arange": "9",
    "bincount": "abs(A).ravel().astype(int)",
    "block": "[[A, A], [A, A]]",
    "broadcast_arrays": "A, A[0]",
    "broadcast_to": "A, (2, *A.shape)",
    "can_cast": "np.float64, np.float32",
    "choose": "[0, 1, 0], [A[0, :3], A[1, :3]]",
    "clip": "A, 1, 2",
    "convolve": "A[0], A[1, :3]",
    "correlate": "A[0], A[1, :3]",
    "compress": "[True, False, True], A",
    "cross": "A[:, :3], A[::-1, :3]",
    "diag_indices": "4",
    "diag_indices_from": "A[:, :A.shape[0]]",
    "digitize": "A, [0.5, 2, 5]",
    "dot": "A, A.T",
    "dsplit": "A[:, :, None].repeat(2, 2), 2",
    "einsum": "'ij,kj->ik', A, A",
    "frombuffer": "b'12345678', 'u1'",
    "fromfunction": "lambda i, j: i + 2 * j, (3, 4)",
    "geomspace": "1, 256",
    "gradient": "A",
    "histogram2d": "A[0], A[1]",
    "histogramdd": "A[:, :2]",
    "inner": "A, A",
    "insert": "A, 1, 7",
    "interp": "A, [0, 1, 5], [3, 4, -1]",
    "ix_": "[0, 1], [2, 1]",
    "kaiser": "5, 8.6",
    "kron": "A, A[0]",
    "lexsort": "(A[0], A[1])",
    "logspace": "0, 3",
    "mask_indices": "4, np.triu",
    "meshgrid": "A[0], A[1, :3]",
    "moveaxis": "A, 0, 1",
    "piecewise": "A, [A < 1, A > 2], [0, lambda x: x * 2, 5]",
    "poly": "A[0]",
    "polyval": "A[0], A",
    "ravel_multi_index": "([0, 1], [2, 3]), (3, 4)",
    "resize": "A, (5, 5)",
    "searchsorted": "np.sort(A[0]), A[1]",
    "select": "[A > 2, A > 1], [A, -A]",
    "take_along_axis": "A, np.argsort(A, -1), -1",
    "tensordot": "A, A.T",
    "transpose": "A",
    "tril_indices_from": "A",
    "triu_indices_from": "A",
    "unravel_index": "[3, 7], (3, 4)",
    "vander": "A[0]",
    "vdot": "A, A",
    "where": "A > 2, A, -A",
}

# These write into their first argument, which is compared instead of the result.
WRITES = {
    "copyto": "A, A[::-1]",
    "fill_diagonal": "A, 9",
    "place": "A, A > 2, [7, 8]",
    "put": "A, [0, 2], [7, 8]",
    "put_along_axis": "A, np.argsort(A, -1), 5, -1",
    "putmask": "A, A > 2, [7, 8]",
}

OPTIONS = {
    "axis": ["0", "-1", "None", "(0, 1)", "5", "True"],
    "axes": ["0", "1", "(1, 0)"],
    "keepdims": ["True", "False"],
    "dtype": ["np.float32", "'i8'", "bool", "complex"],
    "where": ["A > 1", "True", "[True]"],
    "initial": ["0", "2.5"],
    "ddof": ["1", "0.5"],
    "correction": ["1"],
    "order": ["'C'", "'F'", "'K'", "'A'", "'?'"],
    "casting": ["'unsafe'", "'no'"],
    "mode": ["'wrap'", "'clip'", "'same'", "'full'", "'valid'", "'edge'", "'reflect'", "'constant'", "'nonsense'"],
    "method": ["'lower'", "'nearest'", "'hazen'", "'midpoint'", "'weibull'"],
    "weights": ["abs(A)", "abs(A).ravel()", "None"],
    "side": ["'right'", "'left'", "'middle'"],
    "right": ["True", "-1"],
    "left": ["5"],
    "sorter": ["np.arange(A.shape[-1])"],
    "kind": ["'stable'", "'quicksort'", "'sort'"],
    "stable": ["True", "False"],
    "indexing": ["'ij'", "'xy'", "'ji'"],
    "sparse": ["True"],
    "copy": ["True", "False", "None"],
    "subok": ["True", "False"],
    "shape": ["(5,)", "None"],
    "device": ["'cpu'", "'gpu'"],
    "k": ["1", "-1"],
    "n": ["0", "2"],
    "m": ["2"],
    "decimals": ["1", "-1"],
    "bins": ["5", "[0, 1, 3, 9]", "'auto'"],
    "range": ["(0, 3)"],
    "density": ["True"],
    "minlength": ["20"],
    "rowvar": ["False"],
    "bias": ["True"],
    "assume_unique": ["True"],
    "return_index": ["True"],
    "return_inverse": ["True"],
    "return_counts": ["True"],
    "return_indices": ["True"],
    "returned": ["True"],
    "retstep": ["True"],
    "endpoint": ["False"],
    "num": ["7", "1", "0"],
    "base": ["2"],
    "invert": ["True"],
    "equal_nan": ["True"],
    "sorted": ["True"],
    "rtol": ["1"],
    "atol": ["1"],
    "include_initial": ["True"],
    "overwrite_input": ["False"],
    "prepend": ["0", "A"],
    "append": ["0", "A"],
    "to_end": ["7"],
    "to_begin": ["[8, 9]"],
    "edge_order": ["2"],
    "dx": ["0.5"],
    "period": ["3"],
    "discont": ["1"],
    "trim": ["'f'", "'b'"],
    "nan": ["7"],
    "posinf": ["8"],
    "neginf": ["9"],
    "deg": ["True"],
    "wrap": ["True"],
    "optimize": ["True"],
    "increasing": ["True"],
    "ndmin": ["3"],
    "default": ["3"],
    "requirements": ["['C', 'W']", "'F'"],
    "M": ["5"],
    "step": ["2", "0.5"],
    "ndim": ["3"],
    "start": ["1", "2"],
}

LAYOUTS = {
    "contiguous": lambda a: a,
    "transposed": lambda a: a.T,
    "strided": lambda a: a[::2, ::-2],
    "row": lambda a: a[0],
    "broadcast": lambda a: a[:, :1].repeat(4, 1)[None][0],
    "empty": lambda a: a[:0],
    "3-d": lambda a: a.reshape(2, 3, 4)[:, ::-1],
}
DTYPES = ["f8", "f4", "f2", "i8", "i1", "u4", "?", "c16"]


def values(dtype):
    """A (6, 4) array of different elements, some negative, none that a power of a few takes out of range."""
    array = numpy.arange(24).reshape(6, 4) * 7 % 25 - 2.5
    return (abs(array) if dtype[0] == "u" else array > 0 if dtype == "?" else array).astype(dtype)


def names():
    """The functions of numpy's top level that are ours, and not other names of the same function."""
    files = {"load", "save"}  # tests/dist/test_files.py
    ours = {function.__name__ for full, function in functions.items() if full == f"numpy.{function.__name__}"}
    return sorted((ours & set(dir(numpy))) - files)


def parameters(name):
    """NumPy's parameters of the function; none if it keeps them to itself."""
    try:
        return list(inspect.signature(getattr(numpy, name)).parameters.values())
    except ValueError:
        return []


def required(name):
    """The text of the call's required arguments."""
    if name in WRITES or name in ARGUMENTS:
        return {**ARGUMENTS, **WRITES}[name]
    needed = [one for one in parameters(name) if one.default is one.empty and one.kind < one.KEYWORD_ONLY]
    unknown = [one.name for one in needed if one.name not in REQUIRED]
    assert not unknown, f"test_options.py: say what {unknown} of {name} are"
    return ", ".join(("*" if one.kind == one.VAR_POSITIONAL else "") + REQUIRED[one.name] for one in needed)


def calls(name):
    """The texts of all calls of the function."""
    arguments = required(name)
    yield f"np.{name}({arguments})"
    for one in parameters(name):
        if one.name in OPTIONS and one.default is not one.empty and one.kind is not one.POSITIONAL_ONLY:
            yield from (f"np.{name}({arguments}, {one.name}={value})" for value in OPTIONS[one.name])
        if one.name == "out":
            yield f"np.{name}({arguments}, out=np.empty_like(np.{name}({arguments})))"


# Equal elements, what lies beside the ranks of a partition and values that are unique come in any order.
UNORDERED = ("argsort", "argpartition", "partition", "unique_values")


def evaluate(call, module, dtype, layout):
    """The result of the call, and the array that it was given, afterwards."""
    array = LAYOUTS[layout](module.array(values(dtype)))
    with numpy.errstate(all="ignore"):
        try:
            return eval(call, {"np": module, "A": array}), array
        except Exception as error:
            return error, array


# Sums of low precision in another order; what cancels.
NEAR = {"f2": 2e-2, "f4": 2e-5, "c16": 1e-11}
# Their values are whatever was in memory.
WITHOUT_VALUES = ("empty", "empty_like")


def check(name, dtype, layout):
    """All calls of the function on one array give what NumPy gives."""
    wrong = []
    for call in calls(name):
        (ours, changed), (theirs, expected) = (evaluate(call, module, dtype, layout) for module in (cnumeric, numpy))
        try:
            if name in WITHOUT_VALUES and not isinstance(theirs, Exception):
                assert (ours.shape, ours.dtype, ours.strides) == (theirs.shape, theirs.dtype, theirs.strides)
            else:
                if name in UNORDERED and not isinstance(theirs, Exception):
                    assert ours.shape == theirs.shape
                    ours, theirs = (module.sort(one, None) for module, one in ((cnumeric, ours), (numpy, theirs)))
                form = getattr(theirs, "dtype", None)
                same(ours, theirs, max(NEAR.get(dtype, 1e-12), NEAR.get(form.str[1:] if form else "", 0)))
            numpy.testing.assert_array_equal(numpy.asarray(changed), expected)
        except AssertionError as error:
            wrong.append(f"{call}: {' '.join(str(error).split())[:160]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", names())
def test_options(name):
    check(name, "f8", "contiguous")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "contiguous"])
@pytest.mark.parametrize("name", names())
def test_layouts(name, layout):
    check(name, "f8", layout)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", DTYPES[1:])
@pytest.mark.parametrize("name", names())
def test_dtypes(name, dtype):
    check(name, dtype, "contiguous")
