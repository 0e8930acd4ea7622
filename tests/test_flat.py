"""a.flat: elements in C order, by number, slice, mask and index array, read and written where they lie."""

import cnumeric
import numpy
import pytest
from test_functions import same

LAYOUTS = {
    "contiguous": "np.arange(12.0).reshape(3, 4)",
    "transposed": "np.arange(12.0).reshape(4, 3).T",
    "strided": "np.arange(48).reshape(6, 8)[::-2, 1::2]",
    "one": "np.arange(12)",
    "number": "np.array(3.5)",
    "empty": "np.zeros((0, 3))",
    "bool": "np.arange(12).reshape(2, 2, 3) % 3 == 0",
    "complex": "np.arange(12).reshape(3, 4) * 1j",
}
KEYS = """0
-1
5
12
-13
np.int8(2)
np.array(2)
slice(None)
slice(1, 9, 3)
slice(9, 1, -2)
slice(0, 0)
...
[0, 1]
[3, -1, 3]
[12]
[-13]
np.array([[0, 1], [2, 2]])
np.array([3, 1], 'uint8')
np.arange(12) % 2 == 0
np.zeros(12, bool)
np.ones(3, bool)
np.ones((3, 4), bool)
[]
(2,)
(slice(1, 3),)
([0, 1],)
(1, 2)
None
'x'
{}"""
VALUES = """7
2.5
True
[1, 2]
[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
[]
np.array([1.5, 2.5])
np.arange(6).reshape(2, 3)
np.arange(6).reshape(2, 3).T.flat
numpy.arange(3)
1j
'x'
None"""

pytestmark = pytest.mark.filterwarnings("ignore")


def run(statement, module, layout):
    scope = {"np": module, "numpy": numpy}
    exec(f"a = {LAYOUTS[layout]}", scope)
    try:
        exec(statement, scope)
    except Exception as error:
        return error
    return scope["r"] if "r" in scope else scope["a"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("key", ["()", *KEYS.splitlines()])
def test_get(key, layout):
    same(run(f"r = a.flat[{key}]", cnumeric, layout), run(f"r = a.flat[{key}]", numpy, layout))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("key", KEYS.splitlines())
def test_set(key, layout):
    for value in VALUES.splitlines():
        statement = f"a.flat[{key}] = {value}"
        same(run(statement, cnumeric, layout), run(statement, numpy, layout))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("value", VALUES.splitlines())
def test_set_all(value, layout):
    same(run(f"a.flat = {value}", cnumeric, layout), run(f"a.flat = {value}", numpy, layout))


REST = """r = list(a.flat)
r = [type(x).__name__ for x in a.flat]
r = len(a.flat)
r = a.flat.copy()
r = np.asarray(a.flat)
r = np.array(a.flat, dtype=complex)
r = a.flat == a.ravel()
r = a.flat != 1
r = a.flat.base is a
r = iter(a.flat).index
r = np.sum(a.flat)
r = np.multiply(a.flat, 2)
r = np.concatenate([a.flat, a.flat])
r = max(a.flat)
r = isinstance(a.flat, np.flatiter)
r = [(i, x) for i, x in np.ndenumerate(a)]
r = list(np.ndindex(a.shape))
r = [float(x.real) for x in np.nditer(a, order='C', flags=['zerosize_ok'])]
f = a.flat; next(f); next(f); r = f.index, f.coords
f = a.flat; list(f); r = f.index, f.coords
f = a.flat; next(f); f[0]; r = f.index
f = a.flat; r = [x for x in f], next(f, None)
del a.flat[0]
a.flat[0], a.flat[1] = a.flat[1], a.flat[0]
a.flat[0] += 2
a.setflags(write=False); a.flat[0] = 1
a.setflags(write=False); a.flat[:] = 1
a.setflags(write=False); a.flat = 1"""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("statement", REST.splitlines())
def test_the_rest(statement, layout):
    same(run(statement, cnumeric, layout), run(statement, numpy, layout))


def test_flat_does_not_show_the_memory(counters):
    a = (cnumeric.arange(12.0).reshape(3, 4) + 1).T
    a.flat[2], a.flat[3:7] = 5, [1, 2]
    a.flat[[0, 1]] = a.flat[[1, 0]]
    a.flat[a.ravel() > 8] = -1
    a.flat = a.flat[::-1]
    assert len(a.flat) == 12 and a.flat[5] == a[1, 2]
    assert counters()["exports"] == 0 and counters()["fallbacks"] == 0


def test_nditer_writes_into_the_array():
    a = cnumeric.arange(6.0).reshape(2, 3)
    with cnumeric.nditer(a, op_flags=["readwrite"]) as places:
        for place in places:
            place[...] = 2 * place
    assert a.tolist() == [[0, 2, 4], [6, 8, 10]]
