"""Work that several GPUs share out: the bits of one, and who does it by the counters. On the stand-in, or real ones."""

import devices

HEAD = """
import hashlib
import numpy
import cnumeric as np

rng = numpy.random.default_rng(5)

def on_device(shape, dtype="f8"):
    x = np.array((rng.random(shape) * 50).astype(dtype)) + 0
    np.synchronize()
    return x

def show(name, function):
    before = np.stats()
    results = function()
    np.synchronize()
    after = np.stats()
    results = [numpy.asarray(x) for x in (results if isinstance(results, (tuple, list)) else [results])]
    bits = hashlib.sha256(b"".join(x.tobytes() for x in results)).hexdigest()[:16]
    print(name, after["shared_launches"] - before["shared_launches"], after["moves"] - before["moves"], bits)
    return results
"""


def shown(program: str, gpus: int, **settings: str) -> dict[str, tuple[int, str]]:
    """By name: launches that GPUs shared, and bits. Nothing moves to or from the host meanwhile, but what is read."""
    several = {"CNUMERIC_GPUS": str(gpus), "CNUMERIC_GPU_SPREAD_BYTES": "1", "STANDIN_DEVICES": str(gpus)}
    more = several | {"CNUMERIC_GPU_BYTES": "1"} if gpus else {"CNUMERIC_GPU": "0"}
    lines = devices.run("-c", HEAD + program, env=devices.environment(**(more | settings))).splitlines()
    words = [line.rsplit(maxsplit=3) for line in lines]
    assert gpus == 0 or all(moves == "0" or name == "read" for name, _, moves, _ in words), lines
    return {name: (int(shared), bits) for name, shared, _, bits in words}


def agree(program: str, **settings: str) -> dict[str, tuple[int, int]]:
    """Bits are the processor's on 1, 2 and 3 GPUs; launches that 2 and 3 share, by name."""
    host, one, two, three = (shown(program, gpus, **settings) for gpus in (0, 1, 2, 3))
    for found in (one, two, three):
        assert {name: bits for name, (_, bits) in found.items()} == {name: bits for name, (_, bits) in host.items()}
    assert devices.REAL or all(shared == 0 for shared, _ in one.values())
    return {name: (two[name][0], three[name][0]) for name in host}


ROWS = """
x, wide, half = on_device((300, 9000)), on_device((40, 9000), "f4"), on_device((300, 3000), "f2")
show("sum", lambda: x.sum(axis=0))
show("mean, var", lambda: (x.mean(axis=0), x.var(axis=0)))
show("backwards", lambda: x[::-1].sum(axis=0))
show("two", lambda: ((x * x + 1).sum(axis=0), x.max(axis=0)))
show("rows unstaged", lambda: (wide.sum(axis=0, initial=3), wide.min(axis=0), wide.prod(axis=0)))
show("halves", lambda: half.sum(axis=0))
show("two axes", lambda: x.reshape(20, 15, 9000).sum(axis=(0, 1)))
show("long", lambda: x.reshape(9000, 300).sum(axis=0))
show("fewest", lambda: x[:5].sum(axis=0))
"""


def test_rows_go_from_gpu_to_gpu() -> None:
    """Each adds those that it has, columns by columns; the order of rows is that of one."""
    shared = agree(ROWS)
    assert devices.REAL or all(min(n) >= 2 for name, n in shared.items() if name not in ("long", "fewest")), shared


EXTREMES = """
x, y = on_device((700, 40)), on_device((3, 30, 70), "f4")
x[5], x[600, 7] = 50, numpy.nan
np.synchronize()
z = on_device(300000)
show("read", lambda: (x.argmax(), z.argmax()))
show("across", lambda: (x.argmax(axis=0), x.argmin(axis=0), x[::-1].argmax(axis=0)))
show("along", lambda: (x.argmax(axis=1), x[:, ::-1].argmin(axis=1)))
show("middle", lambda: (y.argmax(axis=1), y.argmin(axis=0), y.argmax(axis=2)))
"""


def test_gpus_look_for_extremes_where_they_are() -> None:
    """The first of equal ones, NaNs before all; each looks through what it has."""
    shared = agree(EXTREMES)
    assert devices.REAL or all(min(n) >= 1 for n in shared.values()), shared


LINES = """
x, c = on_device((300, 5000)), on_device((300, 2000), "c16")
show("rows", lambda: (np.cumsum(x, axis=0), np.maximum.accumulate(x, axis=0)))
show("backwards", lambda: np.cumsum(x[::-1], axis=0))
show("complex", lambda: np.cumprod(c, axis=0))
show("middle", lambda: np.cumsum(x.reshape(30, 10, 5000), axis=1))
show("into itself", lambda: np.cumsum(x, axis=0, out=x))
"""


def test_lines_that_go_over_gpus_are_accumulated_in_order() -> None:
    """Each GPU goes on from the last result of the one before."""
    shared = agree(LINES)
    assert devices.REAL or min(shared["middle"]) >= 1, shared


JOINED = """
x = on_device(90000)
show("joined", lambda: np.concatenate([x, x]))
show("apart", lambda: np.concatenate([x * 2, x + 1]))
"""


def test_gpus_join_what_they_have() -> None:
    """Of what is stored twice each stores what it has read, wherever it belongs."""
    shared = agree(JOINED)
    assert devices.REAL or all(min(n) >= 1 for n in shared.values()), shared


TURNED = """
x, y, z = on_device((300, 500)), on_device((500, 300)), on_device((70, 900), "i2")
show("alone", lambda: np.ascontiguousarray(x.T))
show("computed", lambda: x.T * 2 + 1)
show("with others", lambda: (x.T + y, np.ascontiguousarray(x[:, ::-1].T)))
show("narrow", lambda: np.ascontiguousarray(z.T))
"""


def test_gpus_turn_what_they_have() -> None:
    """A transpose is stored from where the matrix is; with other operands it is loaded to where those are."""
    shared = agree(TURNED)
    assert devices.REAL or all(min(n) >= 1 for n in shared.values()), shared


PRODUCTS = """
a, b, v = on_device((12000, 8)), on_device((12000, 7)), on_device(12000)
stack, single, c = on_device((60, 20, 20)), on_device((4000, 20), "f4"), on_device((4000, 6), "c16")
def products():
    tall = a.T @ b, v @ np.ascontiguousarray(b), (a.T @ b)[::2], single.T @ single, c.T @ c
    return *tall, stack @ stack, stack @ stack[3]
for i, (mine, right) in enumerate(zip(show("products", products), [
        f(*(numpy.asarray(x) for x in y)) for f, y in (
            (lambda a, b: a.T @ b, (a, b)), (lambda v, b: v @ b, (v, b)), (lambda a, b: (a.T @ b)[::2], (a, b)),
            (lambda s: s.T @ s, (single,)), (lambda c: c.T @ c, (c,)), (lambda s: s @ s, (stack,)),
            (lambda s: s @ s[3], (stack,)))], strict=True)):
    numpy.testing.assert_allclose(mine, right, rtol=1e-5 if right.dtype == "f4" else 1e-11, err_msg=str(i))
"""


def test_products_have_the_bits_of_one_gpu() -> None:
    """Sums over many rows by runs of them, matrices of a stack where their results are, copies of what is turned."""
    found = [shown(PRODUCTS, gpus, STANDIN_BLAS="1")["products"][1] for gpus in (1, 2, 3)]
    assert len(set(found)) == 1, found
