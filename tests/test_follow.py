"""Windows that repeat one before are not built anew (core/record/follow.h): nothing but a counter tells, whatever
happens in the middle of one.
"""

import threading
import warnings

import channel_flow
import cnumeric
import numpy
import pytest

#: One round of a loop, a statement an entry. Names: x, y of doubles (9, 11), s of (11,), m a mask.
ROUND = [
    "t = x[1:-1, 1:-1] * 0.5",
    "w = (x[:-2, 1:-1] + x[2:, 1:-1]) * dt",
    "z = t + w - y[1:-1, 1:-1] / 3",
    "o = x.copy()",
    "x[1:-1, 1:-1] = z",
    "x[0, :] = o[1, :]",
    "x[:, -1] = o[:, 1] + s[:9]",
    "y = np.where(y > x, y, x * 0.25)",
    "s = np.sqrt(abs(s)) + y[2] * dt",
    "y = y.T.copy().T",
    "y[::2, ::3] = s[0]",
    "k = np.minimum(y, x) + s",
]

#: What stands in for a statement once, long after the loop is known by heart.
SURPRISES = [
    "pass",
    "t = x[1:-1, 1:-1] * 0.25",
    "t = x[1:-1, 1:-1] * 1",
    "t = x[1:-1, 1:-1] * np.float32(0.5)",
    "t = x[1:-1, 1:-1] * np.float64(0.5)",
    "t = x[1:-1, 1:-1] * s[1:10]",
    "t = x[1:-1, 1:-1] / 0.5",
    "t = 0.5 * x[1:-1, 1:-1]",
    "t = x[1:-1, 1:-1].astype(np.float32) * 0.5",
    "t = np.multiply(x[1:-1, 1:-1], 0.5, out=np.empty((7, 9)))",
    "t = np.multiply(x[1:-1, 1:-1], 0.5, out=np.zeros((9, 7)).T)",
    "t = np.multiply(x[1:-1, 1:-1], 0.5, where=m[1:-1, 1:-1], out=x[1:-1, 1:-1].copy())",
    "t = x[1:-1, :9] * 0.5",
    "t = x[:0:-1, ::-1][1:, 1:-1] * 0.5",
    "t = x[1:-1, 1:-1] * 0.5; t = t * 1.0; t += t",
    "seen.append(float(x[3, 3]))",
    "seen.append(x.sum()); t = x[1:-1, 1:-1] * 0.5",
    "x = x.T.copy().T; t = x[1:-1, 1:-1] * 0.5",
    "x = x.copy(); t = x[1:-1, 1:-1] * 0.5",
    "x, y = y, x; t = x[1:-1, 1:-1] * 0.5",
    "x = y; t = x[1:-1, 1:-1] * 0.5",
    "given = numpy.asarray(x); given[4, 4] = 5; t = x[1:-1, 1:-1] * 0.5",
    "x = np.asarray(numpy.asarray(x) + 1); t = x[1:-1, 1:-1] * 0.5",
    "x = np.broadcast_to(x[2], (9, 11)) * 1; t = x[1:-1, 1:-1] * 0.5",
    "elsewhere(lambda: x.sum()); t = x[1:-1, 1:-1] * 0.5",
    "elsewhere(lambda: seen.append(x[1:-1, 1:-1] * dt)); t = x[1:-1, 1:-1] * 0.5",
    "seen.append(message(lambda: x + s[:3])); t = x[1:-1, 1:-1] * 0.5",
    "seen.append(message(lambda: x[99])); t = x[1:-1, 1:-1] * 0.5",
    "del t, w; t = w = x[1:-1, 1:-1] * 0.5",
    "kept.append(t); t = x[1:-1, 1:-1] * 0.5",
    "x = (x * 8).astype(np.int32) * 0.125; t = x[1:-1, 1:-1] * 0.5",
]


def message(call):
    try:
        call()
    except (IndexError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def elsewhere(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def play(np, surprise, position, when, rounds=14):
    """All that the loop leaves; in this round, the surprise comes before the statement at the position."""
    names = {"np": np, "numpy": numpy, "dt": 0.01, "seen": [], "kept": [], "message": message, "elsewhere": elsewhere}
    values = numpy.random.default_rng(3).random((2, 9, 11))
    names |= {"x": np.array(values[0]), "y": np.array(values[1]), "s": np.array(values[0, 0])}
    names |= {"m": np.array(values[0] > 0.5), "t": None, "w": None}
    code = [compile(text, f"<{k}>", "exec") for k, text in enumerate(ROUND)]
    odd = compile(surprise, "<surprise>", "exec")
    for r in range(rounds):
        for k, statement in enumerate(code):
            if (r, k) == (when, position):
                exec(odd, names)
            exec(statement, names)
    left = [names[name] for name in "xyzstwk"] + names["seen"] + names["kept"]
    return [v if isinstance(v, str) else numpy.array(v) for v in left]


def same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, str):
            assert a == b
        else:
            assert a.dtype == b.dtype and a.shape == b.shape
            numpy.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("position", [0, 2, 5, 7, 11])
@pytest.mark.parametrize("surprise", SURPRISES)
def test_a_surprise_changes_nothing_else(surprise, position):
    same(play(cnumeric, surprise, position, 9), play(numpy, surprise, position, 9))


@pytest.mark.parametrize("rounds", [10, 11, 12, 13])
def test_where_the_loop_ends_does_not_matter(rounds):
    same(play(cnumeric, "pass", 0, 0, rounds), play(numpy, "pass", 0, 0, rounds))


@pytest.mark.default_settings
def test_a_loop_is_followed(counters):
    play(cnumeric, "pass", 0, 0, 60)
    stats = counters()
    assert stats["followed"] >= 0.6 * stats["windows"]


@pytest.mark.default_settings
def test_nothing_is_followed_if_it_is_not_wanted(counters):
    before = cnumeric.settings()["follow"]
    try:
        cnumeric.settings(follow=0)
        play(cnumeric, "pass", 0, 0, 60)
    finally:
        cnumeric.settings(follow=before)
    assert counters()["followed"] == 0


@pytest.mark.default_settings
def test_both_branches_of_a_loop_are_followed(counters):
    """Inner sweeps, and what comes between them."""

    def steps(np, n):
        u = np.array(numpy.random.default_rng(5).random((20, 20)))
        for _ in range(n):
            v = u * 0.5 + 0.25
            for _ in range(30):
                v[1:-1, 1:-1] = (v[:-2, 1:-1] + v[2:, 1:-1] + v[1:-1, :-2] + v[1:-1, 2:] + u[1:-1, 1:-1]) * 0.2
                v[0, :] = v[1, :]
                v[-1, :] = v[-2, :]
            u = u - (v - u) * 0.125
        return u

    numpy.testing.assert_array_equal(numpy.asarray(steps(cnumeric, 4)), steps(numpy, 4))
    counters()
    cnumeric.stats_reset()
    steps(cnumeric, 20)
    stats = counters()
    assert stats["followed"] >= 0.8 * stats["windows"]


@pytest.mark.default_settings
def test_slices_that_change_give_up_soon(counters):
    """A window whose geometry is another each time is not compared for ever."""
    x = cnumeric.array(numpy.random.default_rng(1).random((400, 50)))
    for i in range(1, 390):
        x[i, 1:-1] = (x[i - 1, 2:] + x[i - 1, :-2]) * 0.5
        x[i, 0] = x[i, 1:2].sum()
    assert counters()["followed"] <= 40


@pytest.mark.default_settings
def test_warnings_name_the_line_of_the_branch_taken(counters):
    x, zero = cnumeric.ones(50), cnumeric.zeros(50)
    odd = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(60):
            y = x * 2
            for _ in range(10):
                y = y * 0.5
                y = y + 1
                y = y - x
            if i % 7 == 6:
                z = y / zero
            else:
                z = y / zero
            x = cnumeric.minimum(x * 0.5 + y * 0.25, z)
            odd.append(i % 7 == 6)
        assert counters()["followed"] >= 30
    first = min(w.lineno for w in caught)
    assert {w.lineno - first for w in caught} == {0, 2}
    assert [w.lineno == first for w in caught] == odd


def test_windows_of_every_length_may_be_followed():
    before = cnumeric.settings()["follow"]
    try:
        for most in (1, 13, 4096):
            cnumeric.settings(follow=most)
            same(play(cnumeric, "pass", 0, 0), play(numpy, "pass", 0, 0))
    finally:
        cnumeric.settings(follow=before)


@pytest.mark.default_settings
def test_windows_do_not_displace_each_other(counters):
    """The sweeps of the channel flow, and what comes between them: their hashes end in the same bits."""
    channel_flow.main(cnumeric, steps=8)
    counters()
    cnumeric.stats_reset()
    channel_flow.main(cnumeric, steps=40)
    stats = counters()
    assert stats["followed"] >= 0.97 * stats["windows"]
