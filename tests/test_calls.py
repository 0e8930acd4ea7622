"""Calls with every documented option, on arguments of every kind, give what NumPy gives: values, dtype, shape, memory
order, flags, views, exceptions with their messages, and what is left in the arguments.

`calls/*.txt` has a call a line (`statements ;; expression` where one is not enough), made with `np` once ours and once
NumPy's. `A` is each of ARGUMENTS in turn, `X` always the first, `M` and `N` are stacks of matrices. Behind `#:` stand
tags: names of ARGUMENTS (these alone), `-name` (not this one: docs/differences.md), `+name` (this one, too), `~name`
(this one is computed by NumPy), `numpy` (all are), `loose` (memory order, flags and what is a view are not promised),
`novalues`, `npout` (an output of NumPy's comes back) and `rtol=`. A call without `numpy` must not fall back. A few
arguments are tested always, the others are slow.
"""

import pathlib
import re

import cnumeric
import numpy
import pytest

VALUES = numpy.arange(24).reshape(6, 4) * 7 % 25 - 2.5


def array(module, dtype=float):
    return module.array(VALUES > 5 if dtype is bool else VALUES.astype(dtype))


ARGUMENTS = {
    "c": lambda m: array(m),
    "F": lambda m: m.array(VALUES, order="F"),
    "T": lambda m: array(m).T,
    "s": lambda m: array(m)[::2, ::-1],
    "3": lambda m: array(m).reshape(2, 3, 4).transpose(1, 2, 0),
    "1": lambda m: array(m)[1],
    "0": lambda m: array(m)[1, 1, ...],
    "e": lambda m: array(m)[:0],
    "eT": lambda m: array(m)[:0].T,
    "l": lambda m: VALUES.tolist(),
    "p": lambda m: 2.5,
    "m": lambda m: numpy.array(VALUES),
    "i": lambda m: array(m, int),
    "B": lambda m: array(m, numpy.int8),
    "u": lambda m: m.array(abs(VALUES).astype(numpy.uint32)),
    "b": lambda m: array(m, bool),
    "f": lambda m: array(m, numpy.float32),
    "h": lambda m: array(m, numpy.float16),
    "D": lambda m: array(m, complex) + 1j * array(m)[::-1],
    "n": lambda m: m.where(array(m) > 15, m.nan, array(m)),
    "z": lambda m: array(m).reshape((2, 3) + (1,) * 28 + (2, 2)),
}
ALWAYS = ("c", "T", "0", "i")
# Methods, operators and indices are NumPy's own if A is.
OF_ARRAYS = re.compile(r"\bA(\.|\[| ?[-+*/%&|^<>=@])|^[^ ]*[-+*/@<~]A$|\((A|A,[^()]*)\)$")
NATIVE = "?bBhHiIlLqQefdFD"


# ---- Running ---------------------------------------------------------------------------------------------


def run(call, module, argument):
    """The result of the call, or its exception; and the argument afterwards."""
    names = {"np": module, "numpy": numpy, "A": ARGUMENTS[argument](module), "X": array(module)}
    names["M"], names["N"] = (module.arange(24.0).reshape(shape) for shape in ((2, 3, 4), (2, 4, 3)))
    try:
        before, _, expression = call.rpartition(";;")
        exec(before.strip(), names)
        return eval(expression.strip(), names), names["A"]
    except Exception as error:
        return error, names["A"]


def laid_out(one):
    """Strides of the axes that have several elements: the others' are of no account."""
    return [stride for stride, extent in zip(one.strides, one.shape, strict=True) if extent != 1]


def check_array(ours, theirs, tags):
    native = theirs.dtype.char in NATIVE and theirs.dtype.isnative and type(theirs) is numpy.ndarray
    kind = cnumeric.ndarray if native else type(theirs)
    assert type(ours) is kind or ("npout" in tags and type(ours) is numpy.ndarray)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if "loose" not in tags:
        assert laid_out(ours) == laid_out(theirs), "strides"
        for flag in ("C_CONTIGUOUS", "F_CONTIGUOUS", "WRITEABLE", "ALIGNED"):
            assert ours.flags[flag] == theirs.flags[flag], flag


def tolerance(dtype, tags):
    single = dtype.itemsize // (2 if dtype.kind == "c" else 1)
    given = [float(tag[5:]) for tag in tags if tag.startswith("rtol=")]
    return max([{2: 2e-2, 4: 3e-5}.get(single, 1e-11), *given])


def check(ours, theirs, tags):
    """Ours is what NumPy's is."""
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs), f"{ours!r} instead of {theirs!r}"
        assert str(ours).replace("cnumeric.ndarray", "numpy.ndarray") == str(theirs)
        return
    assert not isinstance(ours, Exception), repr(ours)
    if isinstance(theirs, tuple | list):
        assert type(ours).__name__ == type(theirs).__name__
        assert len(ours) == len(theirs)
        for one, two in zip(ours, theirs, strict=True):
            check(one, two, tags)
        return
    if isinstance(theirs, numpy.ndarray):
        check_array(ours, theirs, tags)
    else:
        assert type(ours) is type(theirs), f"{type(ours)} instead of {type(theirs)}"
    if "novalues" in tags:
        return
    one, two = numpy.asarray(ours), numpy.asarray(theirs)
    if two.dtype.kind in "fc":
        near = tolerance(two.dtype, tags)
        numpy.testing.assert_allclose(one, two, rtol=near, atol=near)
    else:
        numpy.testing.assert_array_equal(one, two)


def check_call(call, tags, argument):
    tags = {*tags, *{"h": ["rtol=2e-2"], "m": ["npout"]}.get(argument, ())}  # who gives an array of NumPy's may get it
    with numpy.errstate(all="ignore"):
        theirs, expected = run(call, numpy, argument)
        cnumeric.stats_reset()
        ours, left = run(call, cnumeric, argument)
        fallbacks = cnumeric.stats()["fallbacks"]
        check(ours, theirs, tags)
        if isinstance(theirs, Exception):
            return
        check(left, expected, {*tags, "npout"})
        assert fallbacks == 0 or "numpy" in tags or f"~{argument}" in tags, "NumPy computed it"
        both = isinstance(theirs, numpy.ndarray) and isinstance(expected, numpy.ndarray) and theirs.size > 0
        if both and "loose" not in tags:
            shared = numpy.may_share_memory(numpy.asarray(ours), numpy.asarray(left))
            assert shared == numpy.may_share_memory(theirs, expected), "what is a view"


# ---- The calls -------------------------------------------------------------------------------------------


def arguments(call, tags):
    """The names of the arguments that the call is made with."""
    if not re.search(r"\bA\b", call):
        return ["c"]
    named = [tag for tag in tags if tag in ARGUMENTS]
    chosen = named or [name for name in ARGUMENTS if name not in ("l", "p", "m") or not OF_ARRAYS.search(call)]
    return [name for name in chosen if f"-{name}" not in tags] + [tag[1:] for tag in tags if tag[0] == "+"]


def parameters(rows):
    """A test for the arguments that are always tested, one for all the others, of each (call, tags)."""
    for call, tags in rows:
        names = arguments(call, tags)
        for chosen, marks in (([n for n in names if n in ALWAYS], ()), ([n for n in names if n not in ALWAYS], "slow")):
            if chosen:
                yield pytest.param(
                    call, tags, chosen, marks=pytest.mark.slow if marks else (), id=call.replace("::", ":")
                )


def listed():
    for path in sorted((pathlib.Path(__file__).parent / "calls").glob("*.txt")):
        for line in path.read_text().splitlines():
            call, _, tags = line.partition("  #:")
            yield call, tags.split()


def check_all(call, tags, chosen):
    wrong = []
    for name in chosen:
        try:
            check_call(call, tags, name)
        except AssertionError as error:
            wrong.append(f"{name}: {' '.join(str(error).split())[:200]}")
    assert not wrong, "\n".join([call, *wrong])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("call", "tags", "chosen"), parameters(listed()))
def test_calls(call, tags, chosen):
    check_all(call, tags, chosen)


# ---- Ufuncs ----------------------------------------------------------------------------------------------

# Without power: NumPy's own folds of it forget all but the last of several steps (test_layouts.py).
UFUNCS = (
    "add subtract multiply floor_divide divmod maximum less equal logical_and bitwise_and gcd logaddexp ldexp "
    "sin sqrt absolute sign signbit isnan modf frexp conjugate spacing"
).split()
FACTS = "nin nout nargs ntypes signature __name__ __doc__".split()
KEYWORDS = (
    "order='C'|order='F'|order='K'|order='A'|order='X'|dtype='f4'|dtype='i8'|dtype=complex|dtype=bool|casting='no'|"
    "casting='unsafe', dtype='i2'|casting='x'|subok=False|where=True|signature='d'|foo=1|out=None|axis=0|keepdims=True|"
    "axes=[0]"
).split("|")
REDUCTIONS = (
    "reduce(A)|reduce(A, axis=None)|reduce(A, axis=1)|reduce(A, axis=(0,1))|reduce(A, axis=())|"
    "reduce(A, -1, keepdims=True)|reduce(A, 0, 'f4')|reduce(A, 0, None, np.zeros(4))|reduce(A, 0, None, None, True)|"
    "reduce(A, initial=3)|reduce(A, initial=None)|reduce(A, axis=5)|reduce(A, axis=(0,0))|reduce(A, axis='x')|reduce()|"
    "reduce(A, foo=1)|reduce(A, out=np.zeros(3))|reduce(A, dtype='i4')|accumulate(A)|accumulate(A, 1)|"
    "accumulate(A, axis=-1, dtype='f4')|accumulate(A, out=np.zeros((6,4)))|accumulate(A, axis=None)|"
    "accumulate(A, axis=7)|outer(A, [1,2])|outer([1,2], A)|outer(A, A)|outer(A, [1,2], order='F')|outer(A)"
).split("|")
SEGMENTS = "reduceat(A, [0,2])|reduceat(A, [0,2,1], axis=1)|reduceat(A, [0, 100])|reduceat(A, [])".split("|")
# Folds of float16, of numbers, of nothing, and joint products with NumPy's arrays.
BY_NUMPY = ["~h", "~0", "~eT", "~e", "~1", "~m", "~p", "~b"]
PLACES = ("[0,1,0]", "(slice(None),[0,0])", "0", "A>3", "[0,100]", "...")


def ufunc_rows():
    for name in UFUNCS:
        ufunc = getattr(numpy, name)
        given = ", 2" * (ufunc.nin - 1)
        yield from ((f"np.{name}.{fact}", []) for fact in FACTS)
        yield f"repr(np.{name}.identity)", []
        yield f"sorted(set(np.{name}.types))", []
        dtypes = ["np.dtype('f4')"] * ufunc.nin + ["None"] * ufunc.nout
        yield f"np.{name}.resolve_dtypes(({', '.join(dtypes)}))", []
        yield f"np.{name}(A{given})", []
        refused = ["-D"] * (name == "absolute")  # NumPy finds no loop of complex numbers by dtype="f4"
        yield from (
            (f"np.{name}(A{given}, {keyword})", ["c", "T", "s", "3", "0", "e", "i", "D", *refused * ("f4" in keyword)])
            for keyword in KEYWORDS
        )
        same, types = ", ".join(["'f4'"] + ["None"] * (ufunc.nargs - 1)), "f" * ufunc.nin + "->" + "f" * ufunc.nout
        yield f"np.{name}(A{given}, signature=({same}))", ["~0", "~p"]
        yield f"np.{name}(A{given}, signature='{types}')", ["~0", "~p"]
        outs = ", ".join(["np.zeros((6,4))"] * ufunc.nout)
        outs = f"({outs})" if ufunc.nout > 1 else outs
        yield f"np.{name}(A{given}, out={outs})", ["rtol=1e-7"]
        yield f"np.{name}(A{given}, out={outs}, where=X>3)", ["rtol=1e-7"]
        yield f"np.{name}(A{given}, out={outs.replace('(6,4)', '(5,4)')})", []
        yield f"np.{name}(A{given}, out=3)", []
        yield from ((f"np.{name}.at(A, {place}{given}) ;; A", []) for place in PLACES)
        if ufunc.nin == 2:
            yield f"np.{name}(A, X)", []
            yield f"np.{name}([1,2,3,4], A)", []
            yield f"np.{name}(A, numpy.ones(4))", []
        theirs = BY_NUMPY + ["~i", "~B", "~u"] * (name == "ldexp")  # whole numbers, the first of which becomes a float
        yield from ((f"np.{name}.{call}", theirs + ["loose"] * ("initial" in call)) for call in REDUCTIONS)
        yield from ((f"np.{name}.{call}", [*theirs, "loose"]) for call in SEGMENTS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("call", "tags", "chosen"), parameters(ufunc_rows()))
def test_ufuncs(call, tags, chosen):
    check_all(call, tags, chosen)
