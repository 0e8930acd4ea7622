"""The package as a whole: every name of numpy resolves, submodules import, coverage and commands tell the truth."""

import copy
import importlib
import inspect
import pickle
import subprocess
import sys
import types
import weakref

import cnumeric
import numpy
import pytest
from cnumeric import _cnumeric

SUBMODULES = [
    "linalg",
    "fft",
    "random",
    "ma",
    "polynomial",
    "testing",
    "lib",
    "strings",
    "char",
    "rec",
    "ctypeslib",
    "emath",
    "exceptions",
    "dtypes",
    "typing",
]


def public(module):
    return [name for name in dir(module) if not name.startswith("_")]


def test_every_name_of_numpy_resolves():
    missing = [name for name in public(numpy) if not hasattr(cnumeric, name)]
    assert missing == []
    assert set(public(numpy)) <= set(dir(cnumeric))


@pytest.mark.parametrize("name", SUBMODULES)
def test_every_name_of_submodules_resolves(name):
    ours, theirs = getattr(cnumeric, name), getattr(numpy, name)
    assert isinstance(ours, types.ModuleType)
    assert [each for each in public(theirs) if not hasattr(ours, each)] == []
    assert set(public(theirs)) <= set(dir(ours))


@pytest.mark.parametrize(
    "name", ["linalg", "fft", "random", "ma", "lib.stride_tricks", "polynomial.polynomial", "random.mtrand"]
)
def test_submodules_import(name):
    module = importlib.import_module(f"cnumeric.{name}")
    assert sys.modules[f"cnumeric.{name}"] is module


def test_unknown_submodules_do_not_import():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("cnumeric.no_such_module")


def test_unknown_names_raise():
    with pytest.raises(AttributeError):
        cnumeric.no_such_name
    with pytest.raises(AttributeError):
        cnumeric.linalg.no_such_name


def test_star_import_gives_numpys_names():
    namespace = {}
    exec("from cnumeric import *", namespace)
    assert set(numpy.__all__) <= set(namespace)


@pytest.mark.parametrize("name", ["float64", "dtype", "int8", "pi", "newaxis", "errstate", "iinfo", "exceptions"])
def test_numpys_own_objects_serve(name):
    if name == "exceptions":
        assert cnumeric.exceptions.AxisError is numpy.exceptions.AxisError
    else:
        assert getattr(cnumeric, name) is getattr(numpy, name)


def test_aliases_are_one_object():
    assert cnumeric.abs is cnumeric.absolute
    assert cnumeric.true_divide is cnumeric.divide
    assert cnumeric.pow is cnumeric.power
    assert cnumeric.acos is cnumeric.arccos
    assert cnumeric.bitwise_not is cnumeric.invert
    assert cnumeric.concat is cnumeric.concatenate


def test_coverage_names_everything_once():
    table = cnumeric.coverage()
    assert set(table.values()) == {"native", "composed", "fallback"}
    assert set(public(numpy)) <= set(table)
    assert {f"ndarray.{name}" for name in public(numpy.ndarray)} <= set(table)
    assert {f"linalg.{name}" for name in public(numpy.linalg)} <= set(table)
    assert table["add"] == table["sum"] == "native"
    assert table["stack"] == table["diff"] == table["linalg.svd"] == "composed"
    assert table["roots"] == table["polyfit"] == "fallback"


def test_coverage_says_fallback_where_numpy_computes():
    array = cnumeric.arange(6.0)
    table = cnumeric.coverage()
    for name, arguments in (("sort", (array,)), ("roots", (array,)), ("stack", ([array],)), ("exp", (array,))):
        before = cnumeric.stats()["fallbacks"]
        with numpy.testing.suppress_warnings() as quiet:
            quiet.filter(cnumeric.FallbackWarning)
            getattr(cnumeric, name)(*arguments)
        fell_back = cnumeric.stats()["fallbacks"] > before
        assert fell_back == (table[name] == "fallback"), name


def test_functions_pickle_by_name():
    for function in (cnumeric.add, cnumeric.stack, cnumeric.interp, cnumeric.sum):
        assert pickle.loads(pickle.dumps(function)) is function


def test_functions_are_named_and_documented():
    for name in ("add", "sum", "stack", "interp", "reshape"):
        function = getattr(cnumeric, name)
        assert function.__name__ == name
        assert len(function.__doc__) > 40


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def test_info_prints_settings():
    text = run("-m", "cnumeric", "info")
    assert text.startswith(f"cnumeric {cnumeric.__cnumeric_version__}")
    for name, *_ in _cnumeric.settings_table():
        assert f"  {name} = " in text


def test_the_version_is_that_of_the_api():
    assert cnumeric.__version__ == numpy.__version__ == cnumeric.version.version
    assert tuple(map(int, cnumeric.__version__.split(".")[:2])) >= (2, 0)
    assert cnumeric.__cnumeric_version__ == _cnumeric.info("version")
    assert "__cnumeric_version__" in dir(cnumeric)


def test_coverage_command():
    text = run("-m", "cnumeric", "coverage", "--kind", "composed")
    assert "\nstack " in text
    assert "native" in text.splitlines()[-1]


def test_import_does_not_import_what_numpy_does_not():
    program = "import numpy, sys; a = set(sys.modules); import cnumeric; print(sorted(set(sys.modules) - a))"
    added = eval(run("-c", program))
    heavy = [name for name in added if name.startswith("numpy.") and name.split(".")[1] in ("random", "fft", "ma")]
    assert heavy == []


@pytest.mark.parametrize("name", ["stack", "sum", "flip"])
def test_functions_are_functions(name):
    ours, theirs = getattr(cnumeric, name), getattr(numpy, name)
    assert pickle.loads(pickle.dumps(ours)) is ours
    assert copy.deepcopy(ours) is ours
    assert weakref.ref(ours)() is ours
    assert (ours.__name__, ours.__doc__) == (theirs.__name__, theirs.__doc__)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert repr(ours).startswith("<function ")

    class Holder:
        function = ours

    assert Holder().function.__self__.__class__ is Holder
    assert Holder.function is ours
    with pytest.raises(TypeError):
        ours(cnumeric.ones(3), nonsense=1)
    with pytest.raises(TypeError):
        ours()
