"""Arrays spread over several places of one process: the same bits, and the least messages."""

import ctypes
import os
import pathlib
import subprocess
import sys

import numpy
import pytest
import texts

pytestmark = pytest.mark.default_settings


def at_places(places: int, program: str, **settings: str) -> str:
    """What the program prints when every array is spread over so many places."""
    environment = {**os.environ, "CNUMERIC_PLACES": str(places), "CNUMERIC_SPREAD_BYTES": "1", "CNUMERIC_VERIFY": "1"}
    environment.update({f"CNUMERIC_{name.upper()}": value for name, value in settings.items()})
    run = subprocess.run(
        [sys.executable, "-c", texts.PRELUDE + program], env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


SWEEP = f"""{texts.SWEEP}
p, b = np.zeros((n, n)), np.ones((n, n))
for _ in range(40):
    sweep(p, b)
def ten():
    for _ in range(10):
        sweep(p, b)
"""


@pytest.mark.parametrize("places", [2, 4, 7])
def test_a_sweep_exchanges_one_row_with_each_neighbour(places):
    """On paper: from each place to each neighbour one message a sweep, a row without its ends."""
    n = 130
    stats = eval(at_places(places, f"n = {n}\n{SWEEP}\ncounted(ten)\nprint(counted(ten))"))
    pairs = 2 * (places - 1)
    assert stats["messages"] == 10 * pairs
    assert stats["message_bytes"] == 10 * pairs * (n - 2) * 8
    assert stats["plan_misses"] == 0 and stats["fallbacks"] == 0


@pytest.mark.parametrize("places", [1, 2, 4])
def test_a_loop_that_binds_its_name_again_swaps_two_arrays(places):
    """What the old array leaves is where the new one but one goes: no third array lives, or is touched."""
    program = """
t = np.ones((1000, 400))
def sweeps(count):
    global t
    for _ in range(count):
        new = t.copy()
        new[1:-1, 1:-1] = 0.25 * (t[1:-1, :-2] + t[1:-1, 2:] + t[:-2, 1:-1] + t[2:, 1:-1])
        t = new
sweeps(60)
print(counted(lambda: sweeps(60))["peak_bytes"] / t.nbytes)
"""
    assert 2 <= float(at_places(places, program)) < 2.2


def test_what_does_not_meet_a_border_needs_no_message():
    program = """
x = np.ones((64, 50))
def run():
    y = np.exp(x * 2 + 1)
    y[::-1].T[...] *= 3
    y[:, 1:] += y[:, :-1].copy()
np.synchronize()
print(counted(run))
"""
    assert eval(at_places(4, program))["messages"] == 0


def test_one_element_is_read_and_written_where_it_lies():
    program = """
x = np.ones((100, 40)) * 3999
np.synchronize()
def read_and_write():
    assert float(x[99, 39]) == 3999
    x[99, 0] = 5
print(counted(read_and_write)["message_bytes"], float(x[99, 0]))
"""
    bytes_moved, value = at_places(4, program).split()
    assert (int(bytes_moved), float(value)) == (8, 5.0)


@pytest.mark.parametrize("places", [2, 8])
def test_results_of_rows_need_messages_of_their_size(places):
    """On paper: every place hands a row on to the next, and the last one gives it to the owners.

    Of a running sum of floats it hands on 40 nodes of each of two trees; the tile of 4,096 at a border is one place's.
    """
    program = """
z = np.sin(np.arange(960000.0)).reshape(640, 1500)
k = np.arange(960000).reshape(640, 1500) * 7919 % 1000
def rows():
    return z.sum(0), k.sum(0), z.max(0), np.cumsum(z, 0), np.cumsum(k, 0)
def one():
    return np.cumsum(z), np.cumsum(k), np.argmax(z)
np.synchronize()
print(counted(rows)["message_bytes"], counted(one)["message_bytes"])
"""
    rows, one = map(int, at_places(places, program).split())
    assert rows <= 5 * places * 1500 * 8
    assert one <= 2 * places * 32 + places * 1400 + (places - 1) * 4096 * 16


@pytest.mark.parametrize("places", [2, 4])
def test_leaves_that_no_border_cuts_stay(places):
    """A variance goes by leaves of 512 rows: whole ones where places have equal parts of the rows, so rows stay."""
    program = """
x = np.arange(20480 * 16 * 1.0).reshape(20480, 16) % 97
np.synchronize()
print(counted(lambda: x.var(axis=0))["message_bytes"])
"""
    leaves = 40 * 16 * 8
    assert int(at_places(places, program)) <= 3 * leaves + 5 * places * 16 * 8


def test_what_values_name_goes_where_it_belongs_and_nowhere_else():
    """On paper: an index there and a row back; of what is selected, what others own. No array is at the root."""
    program = """
n = 200000
v, i, few = np.sin(np.arange(n * 1.0)), np.arange(n) * 7919 % n, np.arange(40) * 4999
def run():
    w = v * 2; w[few] = 1; return w[few]
def select():
    return v[v > 0.9], np.nonzero(v > 0.9)
def permute():
    w = v[i]; w[i] = v; return w
np.synchronize()
print(*(counted(f)["message_bytes"] for f in (run, select, permute)), n)
"""
    few, select, permute, n = map(int, at_places(4, program, spread_bytes="1000").split())
    assert few <= 40 * (16 + 8 + 8 + 8 + 8)
    assert select <= n * 8 / 10
    assert permute <= n * (16 + 24 + 8)


def test_indexed_elements_and_rows_are_sent_to_their_owners():
    """On paper: a number, for puts one more, and what is put or found. Nothing of it is at the root."""
    program = """
n = 40000
z, i, j = np.sin(np.arange(n * 1.0)).reshape(200, 200), np.arange(n) * 7919 % 200, np.arange(n) * 31 % 200 - 100
w, few = np.sin(np.arange(n * 1.0)).reshape(2, n // 2), np.array([1, 0, 1])
def put():
    u = z * 2; u[i, j] = np.arange(n * 1.0)
def apply():
    u = np.zeros(n); np.add.at(u, i * 200 + j + 100, z.ravel())
def rows():
    u = w * 2; u[few] = w[few] + 1
np.synchronize()
runs = (lambda: z[i, j], put, apply, rows)
print(*(str(counted(run)["message_bytes"]) + "/" + str(np.stats()["root_bytes"]) for run in runs), n)
"""
    *stats, n = at_places(4, program, spread_bytes="1000").split()
    (get, _), (put, _), (apply, _), (rows, _) = ([int(word) for word in pair.split("/")] for pair in stats)
    n = int(n)
    assert get <= n * (8 + 8 + 8) + 500 and put <= n * (16 + 8 + 8) + 500 and apply <= n * (8 + 8) + 500
    assert rows <= 2 * 3 * n // 2 * (8 + 8)
    assert max(int(pair.split("/")[1]) for pair in stats) <= 100


def test_what_is_less_than_what_it_is_made_of_is_made_by_owners():
    """On paper: what three of four places have of the result, and a row from each place to the next for halos."""
    program = """
n = 201
r = np.sin(np.arange(n * n * 1.0)).reshape(n, n)
def halve():
    rows = r[1:-2:2] + 2 * r[2:-1:2] + r[3::2]
    np.synchronize()
    return rows
stats = counted(halve), counted(halve)
print(stats[0]["root_bytes"], stats[1]["message_bytes"], halve().nbytes, n * 8)
found, a = halve(), numpy.asarray(r)
np.testing.assert_array_equal(found, a[1:-2:2] + 2 * a[2:-1:2] + a[3::2])
"""
    root, everything, result, row = map(int, at_places(4, program, spread_bytes="200000").split())
    assert root <= 3 * result // 4 + 2 * row
    assert everything <= root + 6 * row


def test_a_vector_is_sorted_where_it_lies():
    """On paper: a value (and its index) goes where it belongs, and 8 rounds find where 3 pieces begin."""
    program = """
n = 200000
v = np.sin(np.arange(n) * 7919.0)
runs = [lambda: np.sort(v), lambda: np.argsort(v), lambda: np.unique(v), lambda: np.median(v)]
np.synchronize()
print(*(str(counted(run)["message_bytes"]) + "/" + str(np.stats()["root_bytes"]) for run in runs))
"""
    stats = [[int(word) for word in pair.split("/")] for pair in at_places(4, program).split()]
    rounds = 9 * 3 * 4 * 256 * 8
    (sort, _), (argsort, _), (unique, _), (median, _) = stats
    assert sort <= 200000 * 8 + rounds and median <= 200000 * 8 + rounds
    assert argsort <= 200000 * 16 + rounds and unique <= 2 * 200000 * 8 + rounds + 1000
    assert max(root for _, root in stats) <= 100


def test_long_lines_are_sorted_down_the_rows_by_pieces():
    """A place touches its rows, and what it sends and gets of a line: array, result, and less than that again."""
    program = """
x = np.round(np.sin(np.arange(420000.0) * 1.7).reshape(140000, 3), 4); x[::1000, 1] = np.nan
peak = counted(lambda: np.sort(x, 0))["peak_bytes"] / x.nbytes
k = (np.arange(560000) * 7919 % 5003).reshape(140000, 2, 2)
results = np.sort(x, 0), np.argsort(k, 0), np.sort(x[::-1, ::2], 0), np.median(x, 0)
results += (np.sort(x[:, :2] + 1j * x[:, 1:], 0),)
print([numpy.asarray(r).tobytes().hex() for r in results])
print(peak)
"""
    (one, _), *several = (at_places(n, program, spread_bytes="20000").split("\n")[:2] for n in (1, 3, 4))
    for same, peak in several:
        assert same == one
        assert float(peak) < 3.6


def test_a_long_sum_of_products_hands_on_its_result():
    """On paper: a result from each place to the next, and what is left of a segment of 4096 rows at each border."""
    program = """
x = np.sin(np.arange(1e6)).reshape(100000, 10)
runs = [lambda: x.T @ x, lambda: x[:, 0] @ x[:, 1], lambda: np.vdot(x, x)]
np.synchronize()
print(*(str(counted(run)["message_bytes"]) + "/" + str(np.stats()["root_bytes"]) for run in runs))
"""
    stats = [[int(word) for word in pair.split("/")] for pair in at_places(4, program, spread_bytes="1000").split()]
    (gram, _), (dot, _), (norm, _) = stats
    assert gram <= 3 * (4096 * 10 + 100) * 8 + 800 and dot <= 3 * (2 * 4096 + 1) * 8 and norm <= 3 * 4097 * 8
    assert max(root for _, root in stats) <= 800


def test_no_product_fetches_its_operands_to_the_root():
    """On paper: results from place to place, or the columns that a place needs for its rows of the result."""
    program = """
x, a = np.sin(np.arange(250000.0)).reshape(5000, 50), np.sin(np.arange(1440000.0)).reshape(1200, 1200)
v = np.cos(np.arange(1200.0))
runs = [lambda: x.T @ x, lambda: a.T @ v, lambda: v @ a, lambda: a[3] @ a]
np.synchronize()
print(*(str(counted(run)["message_bytes"]) + "/" + str(np.stats()["root_bytes"]) for run in runs))
"""
    stats = at_places(4, program, spread_bytes="20001").split()
    (gram, own), *rest = ([int(word) for word in pair.split("/")] for pair in stats)
    assert gram <= 3 * (2 * 50 * 2048 + 50 * 50) * 8 and own <= 50 * 50 * 8
    for product, own in rest:  # of a column, what others have, and the vector for all; pieces of 192 columns
        assert product <= 1200 * 1200 * 8 * 3 / 4 + 4 * 1200 * 8 + 1200 * 8
        assert own <= (2 * 192 * 1200 + 2 * 1200) * 8


@pytest.mark.parametrize("places", [2, 3, 8])
def test_a_product_takes_panels_of_the_other_operand(places):
    """On paper: every place gets what it lacks of it; memory for two panels, one of them the last, which is wider."""
    program = """
n = 1536
x, y = np.ones((n, n)), np.ones((n, n))
x += 1; y += 1
runs = [lambda: x @ y, lambda: x @ y.T, lambda: np.matmul(x.reshape(4, n // 4, n), y), lambda: x.T @ y]
for run in runs:
    s = counted(run)
    print(s["messages"], s["message_bytes"] / x.nbytes, s["peak_bytes"] / x.nbytes)
"""
    rows = [line.split() for line in at_places(places, program, spread_bytes="5000").splitlines()]
    (plain, *_), (turned, *_), (batched, *_), (columns, *_) = rows
    assert int(plain) == int(batched) == int(columns) - places * (places - 1) == 8 * places * (places - 1)
    assert int(turned) <= (8 + places) * (places - 1)  # a panel is one place's, or two's
    for (_, moved, peak), more in zip(rows, (0, 0, 0, 1 / places), strict=True):  # columns of the first are everybody's
        assert float(moved) == pytest.approx(places - 1 + more * (places - 1))
        assert float(peak) <= 3 + 2 / 8 + more + 0.2


def test_panels_leave_the_bits_of_the_whole(monkeypatch):
    """Places have whole pieces of rows here, and panels pieces of columns."""
    program = """
x, y = np.sin(np.arange(768 * 500.0) * 1.7).reshape(768, 500), np.cos(np.arange(500 * 1000.0)).reshape(500, 1000)
z = np.ascontiguousarray(y.T)
results = x @ y, x @ z.T, z[:768] @ y[:, 100:], y[:, :768].T @ z.T
print([numpy.asarray(r).tobytes().hex() for r in results])
"""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    one = at_places(1, program, threads="1")
    for places in (2, 4):
        assert at_places(places, program, threads="1") == one


def test_small_products_fetch_all_at_once():
    """A place multiplies a panel to four times as many elements as an array that is spread has bytes, or more."""
    program = """
x = np.ones((768, 768)); x += 1
print(counted(lambda: x @ x)["messages"])
"""
    assert at_places(3, program, spread_bytes="200000") == "6\n"
    assert at_places(3, program, spread_bytes="20000") == "12\n"


def test_masks_are_where_their_arrays_are():
    """They have an eighth of the bytes and are spread nevertheless: nothing that is found with them passes the root."""
    program = """
v, k = np.sin(np.arange(200000.0)), np.arange(200000) * 7919 % 1000
few = k[:9].copy()
runs = [lambda: v > 0.5, lambda: np.histogram(v, 20), lambda: np.isin(k, few), lambda: np.unique(k)]
runs += [lambda: np.allclose(v, k), lambda: np.where(v > 0, v, k)]
np.synchronize()
print(*(counted(run)["root_bytes"] for run in runs))
"""
    assert max(map(int, at_places(4, program).split())) <= 30000
    assert max(map(int, at_places(4, program, spread_bytes="1048576").split())) <= 30000


def test_owners_send_a_small_result_and_not_what_it_is_made_of():
    program = """
c = np.arange(8000) * (1 + 1j); c += 1; np.synchronize()
print(counted(lambda: np.abs(c))["root_bytes"], float(np.abs(c)[-1] - abs(8000 + 7999j)))
"""
    assert at_places(4, program, spread_bytes="100000").split() == [str(6000 * 8), "0.0"]


def test_an_array_needs_no_more_memory_than_its_parts():
    """Every place has its own part, and rows of its neighbours: not the whole."""
    program = """
x = np.ones((2000, 1000)); y = x * 2; np.synchronize()
print(np.stats()["peak_bytes"])
"""
    assert int(at_places(4, program, spread_bytes="1000000")) <= 1.1 * 2 * 2000 * 1000 * 8


def test_what_places_have_of_others_counts():
    """Each needs all of what is searched in."""
    program = """
x = np.arange(125000.0); y = np.arange(1000000) / 8.0; np.synchronize(); np.stats_reset()
z = np.searchsorted(x, y); np.synchronize()
print(np.stats()["peak_bytes"])
"""
    n = 8 * 125000
    assert int(at_places(4, program, spread_bytes="1000000")) >= 4 * n + 8 * n + 8 * n


def test_values_go_to_the_piece_that_they_belong_into():
    """On paper: what is not the place's own goes there, and an answer comes back; nobody has more of the vector."""
    program = """
x = np.arange(1000000.0); y = np.arange(100000) * 7919 % 1000000 + 0.5; few = y[:300].copy(); np.synchronize()
for values in (y, few):
    s = counted(lambda: np.searchsorted(x, values))
    print(s["message_bytes"], s["root_bytes"], s["peak_bytes"])
print(bool((np.searchsorted(x, y, "right") == y + 0.5).all()), np.searchsorted(x, few).tolist() == (few + 0.5).tolist())
"""
    many, few, same = at_places(4, program, spread_bytes="100000").splitlines()
    firsts = 4 * 3 * 8 + 4 * 3 * 8  # and as many counts, which are no messages of places of a process
    moved, root, peak = map(int, many.split())
    assert 0.7 * 1600000 < moved <= 0.8 * 1600000 + firsts and root == 0
    assert peak < 8000000 + 1600000 + 4 * 2 * (1600000 + 400000)  # room for all values at each place, not for x
    assert int(few.split()[0]) <= 300 * 16 + firsts
    assert same == "True True"


def test_wrong_indices_are_told_of_wherever_they_lie():
    """Right ones, before and after, say nothing about them."""
    program = """
v, right = np.arange(1000.0), np.arange(0, 1000, 3)
for wrong in (1000, -1001):
    bad = np.concatenate([right, np.array([wrong])])
    for run in (lambda i: v[i], lambda i: np.add.reduceat(v, i), lambda i: np.take(v, i)):
        good = run(right)
        try:
            run(bad)
        except IndexError:
            print("told", float(good[1]) == float(run(right)[1]))
"""
    assert at_places(3, program) == 6 * "told True\n"


def test_segments_are_reduced_by_who_has_their_results():
    """On paper: what lies beside a border of places, where segments are in order; each half, where they are two."""
    program = """
n = 400000
v, at, two = np.sin(np.arange(n * 1.0)), np.arange(n // 2) * 2, np.array([0, n // 2])
np.synchronize()
runs = [lambda: np.add.reduceat(v, at), lambda: np.add.reduceat(v, two)]
print(*(str(counted(run)["message_bytes"]) + "/" + str(np.stats()["root_bytes"]) for run in runs))
"""
    stats = at_places(4, program, spread_bytes="1000000").split()
    (many, own), (few, other) = ([int(word) for word in pair.split("/")] for pair in stats)
    assert many <= 1000 + 4 * 8192 * 3 and few <= 400000 * 8 * 3 / 4 + 1000
    assert max(own, other) <= 8192 * 3


SEGMENTS = """
v = np.sin(np.arange(n * 1.0))
two, total = np.array([0, n // 2]), float(v[n // 2 :].sum())
"""


def test_what_segments_bring_counts_as_memory():
    """As long as the vector is there, once."""
    program = f"""n = 400000\n{SEGMENTS}
stats = [counted(lambda: np.add.reduceat(v, two)) for _ in range(2)]
del v
np.synchronize()
goes = stats[1]["live_bytes"] - np.stats()["live_bytes"]
print(stats[0]["message_bytes"] / (8 * n), goes / (8 * n) - 1, stats[1]["live_bytes"] - stats[0]["live_bytes"])
"""
    brought, goes, more = map(float, at_places(4, program, spread_bytes="1000000").split())
    assert brought > 0.45 and abs(goes - brought) < 0.01 and more == 0


def test_segments_for_which_there_is_no_memory_leave_all_as_it_was():
    """And the next try, with more of it, succeeds."""
    program = f"""n = 4000000\n{SEGMENTS}
w, u = v * 2, v + 1
np.synchronize()
for _ in range(2):
    try:
        w += 1  # pending, and done once
        print(abs(float(np.add.reduceat(v, two)[1]) - total) < 1e-6)
    except MemoryError:
        print("none", abs(float(v[n // 2 :].sum()) - total) < 1e-6)
        del u
print(abs(float(w.sum()) - 2 * float(v.sum()) - 2 * n) < 1e-3)
"""
    words = at_places(4, program, spread_bytes="1000000", memory=str(187 * 10**6), verify="0").split()
    assert words == ["none", "True", "True", "True"]


def test_what_is_made_or_goes_along_whole_lines_needs_no_message():
    program = """
rng = np.random.default_rng(1)
x = rng.random((400, 30))
def run():
    made = np.arange(5000.0), np.linspace(0, 1, 3000), rng.random((500, 20)), rng.uniform(2, 3, 2001)
    lines = np.cumsum(x, 1), np.sort(x, 1), np.argsort(x, 1), np.partition(x, 3, 1), x @ np.ones((30, 30))
np.synchronize()
print(counted(run))
"""
    b = 30 * 30 * 8
    assert eval(at_places(4, program))["message_bytes"] <= 2 * 3 * b


PROGRAMS = {
    "staggered": """
u, v, p = np.arange(41.0 * 40).reshape(41, 40) % 7, np.arange(40.0 * 41).reshape(40, 41) % 5, np.zeros((40, 40))
for _ in range(5):
    p += 0.1 * ((u[1:] - u[:-1]) + (v[:, 1:] - v[:, :-1]))
    u[1:-1] -= p[1:] - p[:-1]
    v[:, 1:-1] -= p[:, 1:] - p[:, :-1]
results = u, v, p
""",
    "reductions": """
x = np.sin(np.arange(30000.0)).reshape(300, 100)
results = x.sum(), x.sum(0), x.sum(1), x.max(0), x.min(1), x.mean()
results += x.std(0), (x > 0).sum(), x.prod(1), x.T.sum(0), x.all()
""",
    "long sums": """
x = np.sin(np.arange(60000.0)); y = x.reshape(30000, 2)
results = x.sum(), (x * x).sum(), x[::3].sum(), y.sum(), y.sum(0), y.T.sum(1)
results += x.astype(np.float32).sum(), (x + 1j).sum()
f = np.asfortranarray(y); c = x.reshape(30, 40, 50).transpose(1, 2, 0) * 1.5
results += f.sum(), f.sum(0), f.sum(1), f[::-1].sum(), c.sum(), c.sum(0), c.sum((0, 2)), c.sum((1, 2)), c.max(1)
""",
    "views": """
x = np.arange(5040.0).reshape(7, 8, 9, 10)
y = x.transpose(2, 0, 3, 1)[::2, ::-1, 1:, ::3] * 2
x[1:, :, ::2] += x[:-1, :, ::2].copy()
z = x.reshape(63, 80)[:, ::7]; z *= -1
results = x, y, z, x.ravel()[5:-5] + x.reshape(-1)[10:], np.roll(x, 3, axis=1), np.flip(x), np.concatenate([x, x[:2]])
""",
    "indexing": """
x = np.arange(3000.0).reshape(100, 30); i = np.arange(0, 99, 7)
y = x.copy(); y[i] = -1; y[x % 2 == 0] *= 3
results = x[i], x[i, 3], y, x[x > 50], np.take(x, i, axis=0), np.where(x > 7, x, -x)
results += np.sort(-x, axis=0), np.cumsum(x), x @ x.T
""",
    "made in place": """
rng = np.random.default_rng(5)
results = np.arange(1000.0), np.arange(900, dtype=np.float16), np.linspace(0, 1, 777), np.indices((30, 40))
results += rng.random((400, 30)), rng.random((3, 50, 70)), rng.uniform(2, 3, 20001), rng.random(7)
""",
    "along an axis": """
x = np.sin(np.arange(30000.0)).reshape(300, 100)
results = ()
for axis in (0, 1):
    results += np.cumsum(x, axis), np.sort(x, axis), np.argsort(x, axis), np.partition(x, 20, axis), np.argmax(x, axis)
y = x.reshape(20, 15, 100)
results += np.cumsum(y, 1), np.sort(y, 2), y.argmin(0), np.searchsorted(np.linspace(-1, 1, 50), x)
""",
    "down the rows": """
y, z = np.sin(np.arange(150000.0)).reshape(10000, 15), np.sin(np.arange(90000.0)).reshape(150, 600)
k, c = np.arange(90000).reshape(150, 600) * 7919 % 1000, z.reshape(15, 10, 600)
results = y.sum(0), y.astype(np.float32).sum(0), y.mean(0), y.std(0), (y + 1j).sum(0)
results += y.reshape(100, 100, 15).sum((0, 1)), z.astype(np.float16).sum(0)
results += z.sum(0), z.prod(0), z.sum(0, initial=3.0), (z * 2).sum(0), c.sum((0, 1)), c.sum(0), c.sum(1), z.T.sum(1)
results += k.sum(0), (k > 3).sum(0), k.prod(0), k.max(0, initial=3), np.logaddexp.reduce(z, 0)
w = z * 2; s, m = w.sum(0), w.max(0)
results += w, s, m, c.transpose(2, 0, 1).sum((0, 2)), c.T.sum((1, 2)), (c.T * 2).prod(1), (c + c[:, ::-1]).T.sum((0, 2))
""",
    "along all places": """
z = np.sin(np.arange(90000.0)).reshape(150, 600)
k = np.arange(90000).reshape(150, 600) * 7919 % 1000
results = np.cumsum(z), np.cumsum(k), np.cumprod(k), np.maximum.accumulate(z, 0), np.cumsum(z, 0), np.cumsum(k, 0)
results += np.cumsum(k.reshape(15, 10, 600), 0), np.cumsum(z.ravel()[::-3]), np.cumsum(z > 0), np.cumsum(z.T, 1)
results += np.argmax(z), np.argmin(k), np.argmax(z.ravel()[::2]), np.argmax(z, 0), np.argmin(z.T), np.argmax(z * np.nan)
results += np.argmin(k.reshape(15, 10, 600), 0), np.bincount(k.ravel()), np.bincount(k.ravel(), z.ravel(), 2000)
""",
    "by values": """
z, v = np.sin(np.arange(6000.0)).reshape(20, 300), np.sin(np.arange(6000.0))
i, rows = np.arange(6000) * 7919 % 6000, np.arange(500) * 37 % 20
results = z[z > 0.3], v[v > 0.99], v[v > 2], *np.nonzero(z > 0.5), np.flatnonzero(v > 0.5), np.argwhere(z > 0.9)
results += v[i], v[[5, 5999, 3000, -1]], z[rows], z[[3, 19]], np.take(v, i.reshape(20, 300)), z[rows, rows + 7]
a, b, c, d, e, f, g = (v.copy() for _ in range(7))
a[i % 1000] = np.arange(6000.0)
b[i] = np.arange(6000.0)
c.reshape(20, 300)[rows] = np.arange(300.0)
d[::2][i[:700] // 2] = 1.5
e[[1, 4000, 1]] = [3, 4, 5]
f[f > 0.5] = f[f > 0.5] * 2
g.reshape(20, 300).T[rows] = np.arange(500.0)[:, None] * np.ones(20)
results += a, b, c, d, e, f, g, np.unique(i % 100), np.compress(np.arange(20) % 3 == 0, z, axis=0), z.T[z.T > 0.5]
""",
    "vectors in order": """
v, k = np.sin(np.arange(6000.0)), np.arange(6000) * 7919 % 1000
f = v.copy(); f[::7] = np.nan; f[::11] = -0.0; f[1::11] = 0.0
results = np.sort(f), np.argsort(f), np.argsort(k % 3), np.sort(v[::-3]), np.argsort(v[::-3]), np.sort(v[:5])
for dtype in (np.int8, np.uint16, np.float16, np.float32, np.complex64, bool):
    results += np.sort((v * 100).astype(dtype)), np.argsort((v * 100).astype(dtype))
z = np.round(v * 3) + 1j * np.round(np.cos(np.arange(6000.0)) * 3); z[::5] *= -1
results += np.sort(z), np.argsort(z), np.median(v), np.percentile(v, [10, 50, 90]), np.partition(v, 70)[70]
results += *np.unique(k % 77, return_index=True, return_counts=True), np.argsort(np.ones(50)), np.unique(f)
""",
    "applied in order": """
v, i, rows = np.sin(np.arange(6000.0)), np.arange(6000) * 7919 % 6000, np.array([2, 0, 2, 1, 0])
z, w = v.reshape(3, 2000), np.sin(np.arange(10000.0)).reshape(5, 2000)
a, b, c, d, e, f, g, h = (v.copy() for _ in range(8))
np.add.at(a, i % 100, v); np.multiply.at(b, i % 777, 2.5); np.negative.at(c, i[:501] % 600)
np.subtract.at(d, i[::-1] % 50, v); np.add.at(e.reshape(20, 300), i[:100] % 20, np.ones((100, 300)))
np.add.at(f.reshape(3, 2000), rows, w); np.add.at(g[::2], i[:3000] % 300, v[:3000])
np.add.at(h.reshape(60, 100), (i % 60, i % 100), v)
k, n = np.zeros(6000, np.int32), np.zeros(6000, np.complex64)
np.add.at(k, i % 13, 1); np.add.at(n, i % 7, v.astype(np.float32))
results = a, b, c, d, e, f, g, h, k, n
results += np.add.reduceat(z, [0, 1999, 5], 1), np.logaddexp.reduceat(z, [0, 2], 0), np.add.reduceat(v, [0, 5, 3000])
""",
    "rows that places share": """
v, rows = np.sin(np.arange(6000.0)), np.array([2, 0, 2, 1, 0])
z, w = v.reshape(3, 2000), np.sin(np.arange(10000.0)).reshape(5, 2000)
a, b, c, d = (z.copy() for _ in range(4))
a[rows], b[rows], c.reshape(3, 40, 50)[rows], d[rows, rows + 1] = w, 7.5, w.reshape(5, 40, 50), np.arange(5.0)
e = np.zeros((7, 500)); e[:, :100][rows] = 3
results = a, b, c, d, e, z[rows], z[[1]], np.take(z, rows, axis=0), z[rows, rows + 1], z[:, ::2][rows], z[:, :999][rows]
i, j = np.arange(6000) * 31 % 3, np.arange(6000) * 7 % 2000 - 1000
results += z[i, j], z.reshape(3, 40, 50)[i, j % 40, i - 3], np.arange(60.0).reshape(3, 4, 5)[[0, 2]]
""",
    "searches": """
x = np.sort(np.round(np.sin(np.arange(6000.0) * 1.7), 2)); y = np.sin(np.arange(1500.0) * 2.3) * 1.2
k, n = np.arange(5000) // 3, np.concatenate([np.arange(3000.0), np.array([np.nan, np.nan])])
results = ()
for side in ("left", "right"):
    results += np.searchsorted(x, y, side), np.searchsorted(x, np.round(y.reshape(30, 50), 2), side)
    results += np.searchsorted(k, np.arange(-5, 1700, 4), side), np.searchsorted(n, np.array([np.nan, 2e9, 7]), side)
    results += np.searchsorted(x, x[::9], side), np.searchsorted(x[1000:2000], y, side), np.digitize(y, x)
    results += np.searchsorted(np.zeros(4000), np.array([0.0, 1, -1]), side), np.searchsorted(x, 0.25, side)
    results += np.searchsorted(x.astype(np.float32), y.astype(np.float16), side),
""",
    "ten dimensions": """
x = np.arange(1024.0).reshape((2,) * 10); y = x.reshape(1024)
x[:, 0] += 1; y[1::2] *= 2; x[..., 1] -= 3; y[100:900] = y[100:900][::-1].copy(); x.T[1] = 7; y[::2] += 1
x[:, :, ::-1, 0] = x[:, :, :, 1] + 3; y[:512] += x[:, 1].ravel(); x[0] *= 2; y[3::5] = -1
results = x, y, x.sum(), x.sum((0, 5)), x[..., ::-1] * 2
""",
    "many rounds": """
x = np.arange(3000.0 * 4096).reshape(3000, 4096)
i = np.arange(3000) * 7 % 900
y = np.zeros((1000, 4096)); y[i] = x
results = y[::50, ::100], x[i][::50, ::100], y.sum(0)[::10]
""",
    "products": """
x = np.round(np.sin(np.arange(30000.0)).reshape(300, 100) * 8)
results = x @ x.T, x.T @ x, x[:100] @ x[:100], x @ x[0], x[:, 0] @ x, x[0] @ x[1]
results += x.reshape(30, 10, 100) @ x[:100, :7], x.reshape(10, 30, 100) @ x[:1000:10].reshape(1, 100, 30)[:, :, :9]
""",
    "products in panels": """
x = np.round(np.sin(np.arange(320000.0)).reshape(400, 800) * 8); y, f = x.T.copy(), x.astype(np.float32)
t, e = np.zeros((800, 800), order="F"), np.zeros((400, 400))
np.matmul(y, x, out=t); np.matmul(x, y, out=e.T)
results = x @ y, y @ x, x @ x.T, x.T @ y.T, t, e, x[::-1] @ y, x @ y[:, ::-1], x[:, ::2] @ y[1::2], f @ f[::-1].T
results += x.reshape(4, 100, 800) @ y, y @ y[:400], np.matmul(x[7:, 3:398], x[5:, 1:]), (x * 1j) @ y, x @ y + e
""",
    "long products": """
x = np.sin(np.arange(300000.0) * 1.7).reshape(30000, 10); y = np.cos(np.arange(30000.0) * 2.3)
w, k = np.cos(np.arange(60000.0)).reshape(30000, 2), np.arange(30000) * 7919 % 1000
results = x.T @ x, y @ y, y @ x, x.T @ y, np.dot(y, y[::-1]), np.vdot(y + 1j * y, y), np.einsum("ij,ij->", x, x)
results += np.einsum("ij,ik->jk", x, w), np.tensordot(x, x, ((0,), (0,))), np.linalg.norm(y), k @ k, (y > 0) @ (y > 0.5)
f, h = x.astype(np.float32), y.astype(np.float16)
results += f.T @ f, h @ h, y[::3] @ y[1::3], x[:, 3] @ x, x[:, :3].T @ x[:, 1:4]
""",
    "products that are left over": """
x = np.sin(np.arange(300000.0) * 1.7).reshape(30000, 10)
c = (x + 1j).reshape(10, 30000)
results = c @ c.T, x[:8100].T @ x[:8100]
""",
    "masks": """
v, k = np.sin(np.arange(9000.0)), np.arange(9000) * 7919 % 100
m = v > 0.3
results = m, v[m], np.nonzero(m), np.histogram(v, 9)[0], np.isin(k, k[:5]), np.unique(k), np.where(m, v, 1)
results += m.sum(), m[::2]
""",
    "segments": """
v, k = np.sin(np.arange(9000.0) * 1.7), np.arange(9000) * 7919 % 1000
ends = [np.arange(4500) * 2, np.array([0, 5, 3000]), np.array([8999, 0]), k[:500], np.sort(k)[::7], np.array([7])]
results = ()
for at in ends:
    results += np.add.reduceat(v, at), np.maximum.reduceat(k, at), np.logaddexp.reduceat(v, at)
    results += (np.add.reduceat(v > 0, at),)
""",
    "multigrid": """
def cycle(u, f):
    n = u.shape[0] - 1
    u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1] + f[1:-1, 1:-1])
    if n > 2:
        r = np.zeros_like(u)
        r[1:-1, 1:-1] = f[1:-1, 1:-1] + (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        e = cycle(np.zeros((n // 2 + 1, n // 2 + 1)), 4 * r[::2, ::2])
        u[::2, ::2] += e
        u[1::2, ::2] += 0.5 * (e[1:] + e[:-1])
        u[:, 1::2] += 0.5 * (u[:, 2::2] + u[:, :-2:2])
    return u
results = (cycle(np.zeros((65, 65)), np.ones((65, 65))),)
""",
}


def blas_kernels() -> str:
    """Of which processor those are that NumPy's OpenBLAS has chosen; "": unknown."""
    for file in pathlib.Path(numpy.__file__).parent.parent.glob("numpy.libs/libscipy_openblas64_*"):
        name = ctypes.CDLL(str(file)).scipy_openblas_get_corename64_
        name.restype = ctypes.c_char_p
        return name().decode()
    return ""


SUMS_PANELS_ALIKE = blas_kernels() in ("SkylakeX", "Cooperlake", "SapphireRapids")  # ARCHITECTURE.md


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_bits_at_any_number_of_places(name):
    if name == "products that are left over" and not SUMS_PANELS_ALIKE:
        pytest.skip("this BLAS sums a panel otherwise than the whole")
    program = PROGRAMS[name] + "\nprint([numpy.asarray(r).tobytes().hex() for r in results])"
    one = at_places(1, program)
    assert len(one) > 100
    for places in (2, 3, 8):
        assert at_places(places, program) == one


def test_products_that_places_share_have_the_bits_of_the_whole(monkeypatch):
    """Where no owner of results decides who does what: pieces of rows and segments of sums that BLAS sums alike."""
    program = """
x, y = np.sin(np.arange(600000.0) * 1.7).reshape(3000, 200), np.cos(np.arange(490000.0)).reshape(700, 700)
v = np.cos(np.arange(3000.0) * 2.3)
results = x.T @ x, x.T @ v, v @ x, y.T @ y[:, 3], y[3] @ y, x[:1500].T @ x[1500:, :30], x.T[:7] @ x
"""
    if SUMS_PANELS_ALIKE:
        program += "f = y.astype(np.float32)\nresults += (f.T @ f,)\n"
    program += "print([numpy.asarray(r).tobytes().hex() for r in results])"
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # last bits follow its threads
    settings = {"spread_bytes": "2000000", "threads": "1"}
    one = at_places(1, program, **settings)
    for places in (2, 3, 5):
        assert at_places(places, program, **settings) == one


def test_memory_that_others_know_stays_at_the_root():
    program = """
theirs = numpy.arange(600.0).reshape(20, 30)
ours = np.asarray(theirs)
x = np.ones((20, 30)) * 2
ours += x
theirs += 1
x = x + ours
same = numpy.array_equal(numpy.asarray(x), numpy.arange(600.0).reshape(20, 30) + 5)
print(same, numpy.shares_memory(numpy.asarray(ours), theirs))
"""
    assert at_places(3, program).split() == ["True", "True"]


def test_thousands_of_places_run_small_arrays():
    program = """
u = np.zeros((4100, 6)); u[::100] = 1
for _ in range(3):
    u[1:-1] = (u[2:] + u[:-2]) / 2
print(float(u.sum()))
"""
    assert float(at_places(2048, program)) == float(at_places(1, program))


def test_a_program_without_memory_for_a_part_keeps_its_arrays():
    program = """
from cnumeric import _cnumeric
x = np.arange(3000.0).reshape(100, 30); y = x * 2; np.synchronize()
for nth in range(1, 400):
    _cnumeric.fault_set(nth)
    try:
        z = (x[1:] + y[:-1]).sum(0); value = float(z[3])
    except MemoryError:
        pass
    else:
        break
    finally:
        _cnumeric.fault_set(0)
x = numpy.arange(3000.0).reshape(100, 30)
print(nth > 5, value == float((x[1:] + 2 * x[:-1]).sum(0)[3]))
"""
    assert at_places(3, program).split() == ["True", "True"]


def test_every_value_is_stored_where_there_are_several_places():
    """A window that runs twice would be two at the other places."""
    program = """
x, y = np.arange(4096.0) % 7, np.arange(4096.0) % 5
value = ((x - y) ** 2,)
print(float(np.ndarray.sum(*value)), np.stats()["faded"], float((value[0] + 1).sum()))
"""
    first, faded, second = at_places(3, program).split()
    assert (int(faded), float(second)) == (0, float(first) + 4096)


def test_ops_along_rows_that_borders_cut():
    """Neither owners of the result nor of the operand have whole rows: the op's rows are shared out evenly."""
    program = """
for rows in range(2, 6):
    for columns in range(2, 40):
        a = numpy.sin(numpy.arange(rows * columns * 1.0)).reshape(rows, columns)
        part = (np.array(a) * 1)[:, : columns // 2 + 1]
        assert (numpy.asarray(np.sort(part, axis=1)) == numpy.sort(a[:, : columns // 2 + 1], axis=1)).all()
        assert (numpy.asarray(np.argsort(part, axis=1)) == numpy.argsort(a[:, : columns // 2 + 1], axis=1)).all()
print("done")
"""
    assert at_places(3, program) == "done\n"
