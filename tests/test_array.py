"""The type ndarray: attributes, methods, conversions, operators, subclasses, and memory shared with NumPy both ways."""

import copy
import gc
import io
import operator
import pickle
import sys
import threading
import warnings
import weakref

import cnumeric
import numpy
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::cnumeric.FallbackWarning")

DTYPES = "?bBhHiIlLefdFD"


def outcome(function):
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function()
        except Exception as error:
            return error


def same(ours, theirs, exact=True):
    if isinstance(theirs, Exception):
        assert ours.__class__ is theirs.__class__, repr(ours)
        assert str(ours).replace("cnumeric.", "numpy.") == str(theirs)
        return
    assert not isinstance(ours, Exception), repr(ours)
    if isinstance(theirs, numpy.ndarray):
        assert type(ours) is cnumeric.ndarray
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        check = numpy.testing.assert_array_equal if exact else numpy.testing.assert_allclose
        check(numpy.asarray(ours), theirs)
    elif isinstance(theirs, tuple | list):
        assert ours.__class__ is theirs.__class__
        assert len(ours) == len(theirs)
        for one, two in zip(ours, theirs, strict=True):
            same(one, two, exact)
    else:
        assert ours.__class__ is theirs.__class__, repr(ours)
        assert ours == theirs or ours != ours or not exact


def names(module):
    return {
        "np": module,
        "a": module.array([0.5, -1.25, 2.0, 3.5]),
        "A": module.array(numpy.arange(12.0).reshape(3, 4)),
        "T": module.array(numpy.arange(24).reshape(2, 3, 4)),
        "F": module.array(numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4))),
        "i": module.array([3, -1, 4, 0]),
        "u": module.array([3, 200, 4], numpy.uint8),
        "b": module.array([True, False, True]),
        "c": module.array([1 + 2j, -3.5j, 0]),
        "h": module.array([0.5, 65000, -2], numpy.float16),
        "z": module.array(7.5),
        "n": module.array(7),
        "e": module.zeros((0, 3)),
        "o": module.zeros(4),
    }


EXPRESSIONS = """
A.shape, A.ndim, A.size, A.itemsize, A.nbytes, A.strides, A.dtype
T.T.shape, T.T.strides
T.mT
a.mT
c.real
c.imag
a.imag
a.real
z.shape, z.ndim, z.size
e.size, e.nbytes
A.flags.c_contiguous, A.flags.f_contiguous, A.flags.owndata, A.flags.writeable, A.flags.aligned
A.T.flags.c_contiguous, A.T.flags.f_contiguous, A.T.flags.owndata, A.T.flags.fnc, A.T.flags.forc
A[:, 1].flags.contiguous, A.flags["C_CONTIGUOUS"], A.flags["W"], A.flags.num, A.flags.carray, A.flags.behaved
A.flags["nonsense"]
repr(A.flags)
A.imag.flags.writeable
A.device
A.base is None
A[1:].base is A
A[1:][1:].base is A
A.reshape(2, 6).base is A
A.T.base is A
repr(A)
str(A)
repr(i[:0])
f"{z:.2f}"
f"{A}"
f"{A:d}"
len(A)
len(z)
bool(z)
bool(a)
bool(e)
bool(np.array([[0.0]]))
int(z)
int(a)
float(n)
float(a)
float(np.array([1.5]))
complex(z)
complex(c[:1])
operator.index(n)
operator.index(z)
operator.index(i)
operator.index(b[0])
[1, 2, 3][np.array(1)]
round(z)
hash(a)
a.nonsense
a.tolist()
z.tolist()
z.item()
A.item(5)
A.item(-1)
A.item(1, 2)
A.item(99)
A.item()
A.item((1, 2))
A.tobytes()
A.T.tobytes("F")
A.astype(int)
A.astype("f4")
A.astype(complex)
c.astype(float)
a.astype(bool)
a.astype(np.int8, casting="safe")
a.astype("nonsense")
A.T.astype(int).strides
A.T.astype(int, order="C").strides
a.astype(float, copy=False) is a
a.copy()
A.T.copy().strides
A.T.copy("K").strides
A.copy("Z")
A.reshape(4, 3)
A.reshape((2, -1))
A.reshape(-1)
A.reshape(5, 2)
A.reshape(-1, -1)
A.reshape(2, 6, order="F")
F.reshape(2, 6, order="A")
A.T.reshape(12)
A.reshape()
A.reshape("a")
A.reshape(2, 6, copy=True)
A.T.reshape(12, copy=False)
A.ravel()
A.T.ravel()
A.ravel("F")
A.T.ravel("K")
F.ravel("A")
A[:, ::2].ravel()
A.flatten()
A.flatten("F")
T.transpose()
T.transpose(1, 0, 2)
T.transpose((2, 1, 0))
T.transpose(None)
T.transpose(0, 0, 1)
T.transpose(0, 1)
T.swapaxes(0, 2)
T.swapaxes(0, 5)
A[None].squeeze()
A[None, :, None].squeeze(0)
A.squeeze(0)
A[None].squeeze((0,))
T.diagonal()
T.diagonal(1, 1, 2)
T.diagonal(-1)
T.diagonal(9)
a.diagonal()
A.diagonal().flags.writeable
A.trace()
T.trace(1, 1, 2)
T.trace(dtype=float)
i.view("u8")
i.view("f8")
A.view("i4")
u.view("i1")
u[:2].view("u2")
u.view("u2")
A[:, ::2].view("i4")
z.view("i4")
A.view("f4").shape
c.view(float)
A.view("nonsense")
a.clip(0, 2)
a.clip(0)
a.clip(max=2)
a.clip()
i.clip(0, 2)
u.clip(-5, 300)
u.clip(10, 100)
i.clip(0.5, 2)
a.clip([0, 0, 0, 0], 3)
a.clip(0, 2, out=o)
a.round()
(a * 1.23456).round(2)
(a * 12345.6).round(-2)
i.round(-1)
i.round(1)
c.round(1)
z.round()
h.round(1)
a.conj()
c.conj()
c.conjugate()
A.dot(a)
A.dot(A.T)
A.dot(A)
a.dot(a)
a.dot(3)
T.dot(a)
T.dot(np.arange(24).reshape(2, 4, 3))
i.dot(i)
b.dot(b)
c.dot(c)
A.take([0, 5, -1])
A.take(5)
A.take([1, 0], axis=1)
A.take([[0], [1]], axis=0)
A.take(1, axis=1)
A.take([99])
A.take([99], mode="clip")
A.nonzero()
i.nonzero()
z.nonzero()
a.sort()
i.argsort()
a.repeat(2)
a.cumsum()
A.cumsum(0)
A.cumprod(1)
A.cumsum(5)
b.cumsum()
u.cumsum()
h.cumsum()
a.searchsorted(1.0)
i.byteswap()
A.sum()
A.sum(0)
A.sum((0, 1))
A.sum(axis=-1, keepdims=True)
A.sum(7)
A.sum("x")
A.sum(0, out=o)
A.sum(0, out=a[:2])
A.sum(1, dtype=np.float32)
A.sum(where=A > 3)
A.sum(initial=4)
u.sum()
h.sum()
b.sum()
e.sum()
e.sum(0)
A.prod()
i.prod()
A.min()
A.max(1)
e.max()
e.max(0)
e.max(initial=1)
A.max(where=A > 3)
A.min(initial=-5)
a.any()
a.all()
i.all()
A.any(0)
A.all(1, keepdims=True)
A.any(where=A > 3)
z.any()
A.mean()
A.mean(0)
A.mean(1, keepdims=True)
A.mean((0, 1))
i.mean()
u.mean()
h.mean()
b.mean()
c.mean()
A.astype("f4").mean()
A.astype("f4").mean(0)
A.mean(dtype="f4")
A.mean(0, out=o)
A.mean(where=A > 3)
e.mean()
A.mean(9)
A.var()
A.var(0)
A.var(ddof=1)
A.var(0, ddof=5)
A.var(1, keepdims=True)
A.std()
A.std(0)
A.std(0, out=o)
i.var()
h.var()
h.std()
b.var()
c.var()
c.std()
A.astype("f4").std()
A.argmin()
A.argmax(0)
A.argmax(1, keepdims=True)
e.argmax()
A.argmax(5)
i.argmin()
c.argmax()
b.argmax()
a.__array__() is None
a.__array_priority__
np.ndarray((2, 3)).shape
np.ndarray((2,), int).dtype
np.ndarray((2,), buffer=numpy.arange(3.0), offset=8)
np.ndarray("x")
np.ndarray((-1,))
a.to_device("cpu") is a
a.to_device("gpu")
a.__dlpack_device__()
a + a
a + 1
1 + a
a + 1j
i + 2.5
i + True
u + 300
u + 1
h * 2
a + [1, 2, 3, 4]
[1, 2, 3, 4] + a
a + (1, 2, 3)
a + A[:3, :3]
a + None
a + "x"
a + numpy.float32(2)
numpy.float32(2) + i
a + numpy.arange(4)
numpy.arange(4) + a
numpy.arange(4.0) - i
a + numpy.arange(4, dtype=">f8")
a - b
b - b
-b
~b
~i
~a
-a, +a, abs(a), abs(c), abs(h)
i // 2, i % 3, i / 2, i // 0, i % 0
a // 0.5, a % 0.75, a // 0
divmod(i, 2)
divmod(7, u)
divmod(a, 0.75)
i << 2, i >> 1, i & 3, i | 8, i ^ 5
a & 1
2 ** u
a ** 2, a ** 1, a ** 0.5, a ** -1, a ** 0, a ** 3, a ** 2.0, a ** -1.0
i ** 2, i ** 1, i ** 3, i ** 0.5, i ** 2.0, u ** 2, h ** 2, c ** 2, c ** -1
i ** -1
i ** i
i ** -i
b ** 2
u ** -1
a ** b[:1]
pow(i, 2, 3)
A @ A.T
A @ a
a @ a
a @ A
a @ 2
T @ A.T
c @ c
a == a, a != 1, a < 1, a <= i, a > 1.5, a >= b[0]
a == "x"
a != None
a == None
a < "x"
a == [1, 2]
a == A.T
u == 300, u < 300, u > -1
c < c
b == b
a == numpy.arange(4)
numpy.arange(4) == a
A == a
a.flat[2]
A.flat[1:3]
[x for x in A.flat][:3]
a.__class_getitem__
"""


@pytest.mark.parametrize("text", [line for line in EXPRESSIONS.splitlines() if line])
def test_as_numpy(text):
    theirs, ours = (
        outcome(lambda module=module: eval(text, {**names(module), "operator": operator, "numpy": numpy}))
        for module in (numpy, cnumeric)
    )
    if text.startswith(("A.flat[", "[x for")):  # numpy's own iterator
        numpy.testing.assert_array_equal(ours, theirs)
    elif text == "a.__class_getitem__":
        assert callable(ours)
    else:
        same(ours, theirs, exact=not any(word in text for word in ("prod", "@", "dot", "** 3", "** 0.5", "abs(c)")))


STATEMENTS = """
a += 1
a += i
i += 1.5
i += True
a -= A[0]
a += A
a *= 2; a /= 3; a //= 0.25; a %= 2
a **= 2
a **= 0.5
a **= 3
i **= 2
i **= -1
i <<= 2; i >>= 1; i &= 6; i |= 1; i ^= 3
b &= b[::-1]
u += 300
a += [1, 2, 3, 4]
a += None
a @= np.ones((4, 4))
A @= np.ones((4, 4))
z += 1
a[1:] += a[:-1]
a[::-1] -= a
A[:, 0] *= A[:, 1]
c.real = 5
c.imag = [1, 2, 3]
c.real += 1
a.real = 2
a.imag = 1
A.flat = [1, 2, 3]
A.flat[3] = -1
A.shape = 4, 3
A.shape = -1
A.shape = 5, 5
A.T.shape = 12
A.shape = "x"
del A.shape
a.fill(3)
i.fill(2.5)
i.fill("x")
a.fill([1])
a.fill(a[1])
u.fill(300)
a.sort()
i.sort(); i[0] = 9
A.sort(0)
A.resize(2, 3)
A.resize((5, 5))
A[1:].resize(2, 2)
A.put([0, 1], 9)
a.partition(2)
a.flags.writeable = False; a[0] = 1
a.flags.writeable = False; a += 1
a.flags.writeable = False; a.flags.writeable = True; a[0] = 1
a.setflags(write=False); a[0] = 1
a.setflags(write=0); a.setflags(write=1); a[0] = 4
a.flags["WRITEABLE"] = False; a[1:] = 1
v = a[1:]; a.flags.writeable = False; v[0] = 9
np.add(a, 1, out=a[::-1])
a.clip(0, 1, out=a)
A.sum(0, out=a)
A.mean(0, out=i)
a.round(1, out=a)
a.dtype = "i8"
"""


@pytest.mark.parametrize("text", [line for line in STATEMENTS.splitlines() if line])
def test_statement_as_numpy(text):
    found = []
    for module in (numpy, cnumeric):
        variables = names(module)
        found.append((outcome(lambda variables=variables: exec(text, variables)), variables))
    (theirs, right), (ours, left) = found
    same(ours, theirs)
    for name in "aATFiubchzneo":
        numpy.testing.assert_array_equal(numpy.asarray(left[name]), numpy.asarray(right[name]), err_msg=name)
        assert left[name].dtype == right[name].dtype


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
def test_cast(first, second):
    values = numpy.array([0, 1, 3, 100], first)
    same(cnumeric.array(values).astype(second), outcome(lambda: values.astype(second)))
    assert cnumeric.array(values, second).dtype == second


@pytest.mark.parametrize("name", ["mean", "var", "std"])
@pytest.mark.parametrize("dtype", "?bHilefd")
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
def test_moments_have_numpys_bits_for_short_sums(name, dtype, axis):
    values = (numpy.random.RandomState(1).rand(3, 4, 5) * 9).astype(dtype)
    ours = numpy.asarray(getattr(cnumeric.array(values), name)(axis))
    theirs = numpy.asarray(getattr(values, name)(axis))
    assert ours.dtype == theirs.dtype
    numpy.testing.assert_allclose(ours, theirs, rtol=1e-3 if dtype == "e" else 4e-7 if dtype == "f" else 1e-15)


# ---- NumPy's memory, and ours as NumPy's -------------------------------------------------------------------


def test_asarray_shares_both_ways():
    theirs = numpy.arange(6.0)
    ours = cnumeric.asarray(theirs)
    ours[0] = 10
    theirs[1] = 20
    ours *= 2
    assert theirs.tolist() == ours.tolist() == [20, 40, 4, 6, 8, 10]
    back = numpy.asarray(ours)
    back[2] = -1
    assert theirs[2] == ours[2] == -1
    assert ours.base is theirs


def test_array_copies():
    theirs = numpy.arange(3.0)
    ours = cnumeric.array(theirs)
    theirs[0] = 9
    assert ours[0] == 0
    assert ours.base is None


def test_views_of_one_array_share_a_base():
    theirs = numpy.arange(10.0)
    first, second = cnumeric.asarray(theirs[2:]), cnumeric.asarray(theirs[::-1])
    first[:] = second[:8]
    expected = numpy.arange(10.0)
    expected[2:] = expected[::-1][:8].copy()
    assert theirs.tolist() == expected.tolist()


@pytest.mark.parametrize("form", ["T", "[::2]", "[::-1, 1:]", "[1]", "[1:1]", "reshape(2, 6)", "[..., None]"])
def test_any_strides_go_over(form):
    values = numpy.arange(12.0).reshape(3, 4)
    theirs = eval(f"values{form}" if form.startswith("[") else f"values.{form}")
    ours = cnumeric.asarray(theirs)
    assert ours.shape == theirs.shape
    if theirs.size:
        assert ours.strides == theirs.strides
    numpy.testing.assert_array_equal(numpy.asarray(ours), theirs)
    ours += 1
    assert values.sum() == 66 + theirs.size


def test_round_trip_is_the_same_memory():
    a = cnumeric.arange(5.0)
    b = cnumeric.asarray(numpy.asarray(a)[1:])
    b[0] = 77
    assert a[1] == 77
    assert b.base is a


def test_foreign_arrays_are_not_taken_for_ours():
    for theirs in (numpy.arange(3, dtype=">f8"), numpy.array(["a"]), numpy.zeros(2, "g"), numpy.ma.array([1.0])):
        assert isinstance(cnumeric.asanyarray(theirs), numpy.ndarray)
    misaligned = numpy.zeros(17, numpy.uint8)[1:].view("f8")
    assert type(cnumeric.asarray(misaligned)) is numpy.ndarray
    assert (cnumeric.ones(2) + misaligned).tolist() == [1, 1]


def test_results_of_other_dtypes_are_numpys():
    a = cnumeric.arange(3.0)
    assert type(a.astype("S3")) is numpy.ndarray
    assert type(a + numpy.arange(3, dtype="g")) is numpy.ndarray
    assert type(cnumeric.zeros(5, "u1")[1:].view("u2")) is numpy.ndarray
    assert type(a.view("V8")) is numpy.ndarray


def test_operand_counts_with_its_value_at_the_call():
    for size in (3, 5000):
        ours, theirs = cnumeric.zeros(size), numpy.ones(size)
        result = ours + theirs
        theirs[:] = 7
        assert result.sum() == size


def test_memory_given_away_stays_and_is_seen():
    a = cnumeric.arange(4.0)
    theirs = numpy.asarray(a)
    a += 1
    assert theirs.tolist() == [1, 2, 3, 4]
    a[:] = theirs * 2
    assert theirs.tolist() == [2, 4, 6, 8]
    del a
    gc.collect()
    assert theirs.tolist() == [2, 4, 6, 8]


def test_buffers():
    a = cnumeric.array([[1, 2, 3], [4, 5, 6]], "i4")
    view = memoryview(a)
    assert (view.format, view.shape, view.strides, view.readonly) == ("i", (2, 3), (12, 4), False)
    view[1, 2] = 60
    assert a[1, 2] == 60
    assert bytes(a) == a.tobytes()
    assert memoryview(a.T).f_contiguous
    with pytest.raises(ValueError):
        io.BytesIO(a[:, 1:])
    a.flags.writeable = False
    assert memoryview(a).readonly
    assert memoryview(cnumeric.zeros(2, complex)).format == "Zd"
    assert a.data.nbytes == 24


def test_array_interface_address_holds_for_the_life_of_the_array():
    a = cnumeric.arange(4.0)
    interface = a.__array_interface__

    class Holder:
        __array_interface__ = interface
        owner = a

    a *= 3
    assert numpy.asarray(Holder()).tolist() == [0, 3, 6, 9]
    assert a.ctypes.data == interface["data"][0]


def test_dlpack():
    a = cnumeric.arange(4.0)
    theirs = numpy.from_dlpack(a)
    a += 1
    assert theirs.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_goes_over_and_back(dtype):
    values = numpy.array([0, 1, 2]).astype(dtype)
    ours = cnumeric.asarray(values)
    assert ours.dtype == values.dtype
    assert numpy.asarray(ours).dtype == values.dtype
    assert numpy.asarray(cnumeric.array(values)).tobytes() == values.tobytes()
    assert type(ours[1]) is type(values[1])
    assert ours[1] == values[1]


def test_numpys_array_arguments():
    a = cnumeric.arange(4.0)
    assert numpy.asarray(a, int).tolist() == [0, 1, 2, 3]
    assert not numpy.shares_memory(numpy.array(a), numpy.asarray(a))
    assert a.__array__("f4").dtype == "f4"
    assert a.__array__(copy=True) is not a.__array__()


# ---- Python's protocols ------------------------------------------------------------------------------------


def test_isinstance():
    a = cnumeric.zeros(2)
    assert isinstance(a, cnumeric.ndarray)
    assert isinstance(numpy.zeros(2), cnumeric.ndarray)
    assert not isinstance([1], cnumeric.ndarray)
    assert issubclass(numpy.ndarray, cnumeric.ndarray)
    assert issubclass(numpy.matrix, cnumeric.ndarray)
    assert not issubclass(int, cnumeric.ndarray)
    assert cnumeric.ndarray[int]


def test_weak_references():
    a = cnumeric.zeros(2)
    reference = weakref.ref(a)
    assert reference() is a
    del a
    assert reference() is None


def test_copies():
    a = cnumeric.arange(6.0).reshape(2, 3).T
    for made in (copy.copy(a), copy.deepcopy(a), pickle.loads(pickle.dumps(a)), copy.deepcopy([a])[0]):
        assert type(made) is cnumeric.ndarray
        assert made.tolist() == a.tolist()
        made[0, 0] = 9
    assert a[0, 0] == 0
    assert copy.copy(a).strides == a.strides


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    a = cnumeric.array([[1, 2], [3, 4]], "u2")
    made = pickle.loads(pickle.dumps(a, protocol))
    assert made.dtype == a.dtype
    assert made.tolist() == a.tolist()


def test_size_and_references_do_not_grow():
    a = cnumeric.zeros(1000)
    assert sys.getsizeof(a) > 8000
    assert sys.getsizeof(a[1:]) < 1000
    b = numpy.zeros(10)
    before = sys.getrefcount(b)
    for _ in range(100):
        c = cnumeric.asarray(b)
        c += 1
        c[2:5] = b[:3]
        a[:10] + b
        with pytest.raises(ValueError):
            a + b
        with pytest.raises(IndexError):
            c[99]
    del c
    assert sys.getrefcount(b) == before


def test_other_types_have_their_turn():
    class Deferring:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "radd"

        def __eq__(self, other):
            return "eq"

        def __rmatmul__(self, other):
            return "rmatmul"

    class Priority:
        __array_priority__ = 10

        def __rmul__(self, other):
            return "rmul"

    a = cnumeric.zeros(2)
    assert a + Deferring() == "radd"
    assert (a == Deferring()) == "eq"
    assert a @ Deferring() == "rmatmul"
    assert a * Priority() == "rmul"


def test_objects_are_numpys_business():
    from fractions import Fraction

    result = cnumeric.arange(3) + Fraction(1, 2)
    assert type(result) is numpy.ndarray
    assert result.tolist() == [Fraction(1, 2), Fraction(3, 2), Fraction(5, 2)]


# ---- Subclasses ----------------------------------------------------------------------------------------------


class Named(cnumeric.ndarray):
    def __new__(cls, values, name=None):
        made = cnumeric.asarray(values).view(cls)
        made.name = name
        return made

    def __array_finalize__(self, parent):
        self.name = getattr(parent, "name", None)


def test_subclass():
    a = Named([1.0, 2.0, 3.0], "a")
    assert type(a) is Named
    assert a.name == "a"
    for made in (
        a[1:],
        a.T,
        a + 1,
        1 + a,
        a * a,
        -a,
        a.copy(),
        a.reshape(3, 1),
        a.astype(int),
        cnumeric.sqrt(a),
        a[[0, 1]],
    ):
        assert type(made) is Named
        assert made.name == "a"
    assert type(a.sum()) is type(a) and a.sum().ndim == 0  # as NumPy
    assert (a + 1).tolist() == [2, 3, 4]
    a += 1
    assert type(a) is Named
    assert isinstance(a, cnumeric.ndarray)
    assert not isinstance(cnumeric.zeros(1), Named)
    assert type(numpy.asarray(a)) is numpy.ndarray
    assert type(cnumeric.asarray(a)) is cnumeric.ndarray
    made = pickle.loads(pickle.dumps(a))
    assert type(made) is Named
    assert made.name == "a"


def test_subclass_constructor():
    class Plain(cnumeric.ndarray):
        pass

    made = Plain((2, 3), int)
    assert type(made) is Plain
    assert made.shape == (2, 3)
    made.attribute = 1
    assert made.attribute == 1
    reference = weakref.ref(made)
    del made
    gc.collect()
    assert reference() is None


def test_finalize_may_raise():
    class Broken(cnumeric.ndarray):
        def __array_finalize__(self, parent):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        cnumeric.zeros(3).view(Broken)


# ---- Threads -------------------------------------------------------------------------------------------------


def test_threads_record_and_read():
    a = cnumeric.zeros(100)
    errors = []

    def work(number):
        try:
            b = a + number
            for _ in range(50):
                b = b + 1
            assert b[0] == number + 50
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_settings_and_counters():
    table = cnumeric.settings()
    assert cnumeric.settings(tile_max=table["tile_max"]) == table
    with pytest.raises(TypeError):
        cnumeric.settings(no_such_setting=1)
    with pytest.raises(TypeError):
        cnumeric.settings(tile_max="x")
    assert set(cnumeric.stats()) >= {"ops", "windows", "launches", "fallbacks", "live_bytes"}


def test_explain_names_lines():
    cnumeric.explain(True)
    a = cnumeric.arange(1000.0)
    b = (a + 1) * 2
    b.tolist()
    assert "test_array.py:" in cnumeric.explain(False)


@pytest.mark.parametrize("character", "?bBhHiIlLqQefdFD")
def test_items_and_bytes_are_numpys(character):
    theirs = (numpy.arange(12).reshape(3, 4) * 21).astype(character)
    ours = cnumeric.array(theirs)
    assert type(ours.item(5)) is type(theirs.item(5)) and ours.item(5) == theirs.item(5)
    assert ours.item(-1) == theirs.item(-1) and ours[1, 2].item() == theirs[1, 2].item()
    for view in (lambda x: x, lambda x: x.T, lambda x: x[::2, ::-1], lambda x: x[:0], lambda x: x[1, 1, ...]):
        assert view(ours).tobytes() == view(theirs).tobytes()
    assert (ours + ours).tobytes() == (theirs + theirs).tobytes()
    assert ours.tobytes("F") == theirs.tobytes("F")
