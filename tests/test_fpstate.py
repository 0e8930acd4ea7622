"""Floating-point events of recorded calls are reported as NumPy reports them: kinds, texts, lines, filters, modes."""

import io
import threading
import warnings

import cnumeric
import numpy
import pytest


def caught(function):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function()
    return [(str(warning.message), warning.category) for warning in found]


PROGRAMS = """
a / z
-a / z
z / z
np.sqrt(-a)
np.log(z)
np.log(-a)
a * 1e308 * 1e10
np.exp(a * 1000)
np.float32(1e30) * a.astype(np.float32) * np.float32(1e30)
i // (i - i)
i % (i - i)
np.arcsin(a + 2)
1 / z
np.inf * z
a + a
np.sqrt(a)
n > 1
np.where(n > 1, n, 0)
np.maximum(n, 1)
np.fmin(n, 1)
np.hypot(n, 1)
np.tanh(n)
np.exp(n)
np.log(n)
np.exp(n, out=n)
n % 2
n // 0
n.astype("int32")
np.spacing(h)
np.nextafter(h, np.inf)
np.nextafter(a * 0 + 1.7976931348623157e308, np.inf)
np.nextafter(a, np.inf) + np.nextafter(n[:3], a)
np.nextafter(-h, -np.inf)
np.sqrt(c)
np.sign(c)
np.sign(np.full(40, 1e308 - 1e308j))
np.sin(np.full(40, complex(np.inf, np.nan)))
np.cosh(np.full(40, complex(np.nan, np.inf)))
"""


@pytest.mark.parametrize("program", [line for line in PROGRAMS.splitlines() if line])
def test_warnings_are_numpys(program):
    def run(module):
        names = {"np": module, "a": module.arange(1.0, 4.0), "z": module.zeros(3), "i": module.arange(1, 4)}
        names["n"] = module.array([numpy.nan, 2.0, 1.0, 3.0] * 17)  # more than a register has
        names["h"] = module.full(40, 65504, "float16")
        names["c"] = module.array(
            [complex(1, numpy.nan), complex(numpy.nan, 1), complex(numpy.inf, numpy.nan), 1j] * 17
        )
        return eval(program, names).tolist()

    assert caught(lambda: run(cnumeric)) == caught(lambda: run(numpy))


@pytest.mark.parametrize("tier", [0, 1])
@pytest.mark.parametrize("special", [{}, {"a": numpy.nan}, {"a": numpy.inf, "b": numpy.inf}, {"b": 0.0}])
@pytest.mark.parametrize(
    "program",
    ["((a - b) ** 2).sum()", "((a * 2 - b) / b).max()", "np.maximum(a, b).sum()", "np.subtract(a, b, out=a).max()"],
)
def test_warnings_of_what_is_reduced_are_numpys(program, special, tier):
    def run(module):
        arrays = {name: numpy.linspace(1.0, 2.0, 5000) + (name == "b") for name in "ab"}
        for name, value in special.items():
            arrays[name][3333] = value
        return eval(program, {"np": module, **{name: module.array(one) for name, one in arrays.items()}}).tolist()

    before = cnumeric.settings()["tier"]
    cnumeric.settings(tier=tier)
    try:
        assert caught(lambda: run(cnumeric)) == caught(lambda: run(numpy))
    finally:
        cnumeric.settings(tier=before)


def test_warning_names_the_line_that_recorded_the_call():
    a = cnumeric.zeros(3)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        b = 1 / a  # line 1
        c = cnumeric.sqrt(a - 1)  # line 2
        first = test_warning_names_the_line_that_recorded_the_call.__code__.co_firstlineno
        b.tolist()
        c.tolist()
    assert [(warning.filename, warning.lineno - first) for warning in found] == [(__file__, 4), (__file__, 5)]


def test_line_is_the_users_for_composed_functions():
    a = cnumeric.zeros((3, 3))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        numpy.asarray(cnumeric.average(a, axis=0, weights=cnumeric.ones(3)) / cnumeric.ptp(a, 0))
        numpy.asarray(cnumeric.linalg.norm(a, axis=1) / 0)
    assert {warning.filename for warning in found} == {__file__}


def test_errstate_of_the_call_counts_not_that_of_the_read():
    a = cnumeric.zeros(3)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with numpy.errstate(all="ignore"):
            quiet = a / a
        with numpy.errstate(invalid="ignore", divide="warn"):
            loud = 1 / a
            silent = a / a
    found = caught(quiet.tolist) + caught(silent.tolist) + caught(loud.tolist)
    assert found == [("divide by zero encountered in divide", RuntimeWarning)]
    assert loud[0] == numpy.inf


def test_filters_of_the_call_count():
    a = cnumeric.zeros(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        b = 1 / a
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        assert b[0] == numpy.inf
    assert found == []


def test_raise_is_precise():
    a, out = cnumeric.zeros(3), cnumeric.ones(3)
    with numpy.errstate(all="raise"):
        with pytest.raises(FloatingPointError, match="divide by zero encountered in divide"):
            1 / a
        with pytest.raises(FloatingPointError, match="invalid value encountered in sqrt"):
            cnumeric.sqrt(a - 1)
        with pytest.raises(FloatingPointError, match="invalid value encountered in divide"):
            cnumeric.divide(a, a, out=out)
        assert (a + 1).tolist() == [1, 1, 1]
    b = a + 1
    assert b.tolist() == [1, 1, 1]


def test_raise_does_not_concern_earlier_calls():
    a = cnumeric.zeros(3)
    with numpy.errstate(all="ignore"):
        b = 1 / a
    with numpy.errstate(all="raise"):
        c = a + 1
    assert b[0] == numpy.inf
    assert c[0] == 1


def test_call():
    seen = []
    with numpy.errstate(divide="call", call=lambda kind, flag: seen.append((kind, flag))):
        1 / cnumeric.zeros(3)
        ours, seen[:] = list(seen), []
        1 / numpy.zeros(3)
    assert ours == seen == [("divide by zero", 1)]


def test_log():
    texts = []
    for module in (cnumeric, numpy):
        stream = io.StringIO()
        with numpy.errstate(invalid="log", call=stream):
            module.sqrt(module.zeros(2) - 1)
        texts.append(stream.getvalue())
    assert texts[0] == texts[1] == "Warning: invalid value encountered in sqrt\n"


def test_print(capfd):
    with numpy.errstate(divide="print"):
        1 / cnumeric.zeros(3)
    assert "divide by zero encountered in divide" in capfd.readouterr().err


def test_errors_as_warnings_raise_at_the_read():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a = 1 / cnumeric.zeros(3)
        with pytest.raises(RuntimeWarning, match="divide by zero"):
            a.tolist()
    assert a[0] == numpy.inf


def test_once_a_line_by_default():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("default")
        for _ in range(5):
            assert (1 / cnumeric.zeros(3))[0] == numpy.inf
    assert len(found) == 1


def test_threads_have_their_own_state():
    results = []

    def work():
        results.append(caught(lambda: (1 / cnumeric.zeros(3)).tolist()))

    with numpy.errstate(all="ignore"):
        assert caught(lambda: (1 / cnumeric.zeros(3)).tolist()) == []
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert caught(lambda: (1 / cnumeric.zeros(3)).tolist()) == []
    assert results == [[("divide by zero encountered in divide", RuntimeWarning)]]


def test_many_contexts():
    a = cnumeric.zeros(3)
    kept = []
    for _ in range(600):  # more than are remembered
        with numpy.errstate(divide="ignore"):
            kept.append(1 / a)
    assert caught(lambda: [b.tolist() for b in kept]) == []
    assert len(caught(lambda: (1 / a).tolist())) == 1


def test_python_numbers_and_scalars_are_numpys():
    assert caught(lambda: cnumeric.divide(1.0, 0.0)) == caught(lambda: numpy.divide(1.0, 0.0))
