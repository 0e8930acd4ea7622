"""Random programs: statements over overlapping views of shared bases, in loops, with reads, give NumPy's bits."""

import cnumeric
import hypothesis.strategies as st
import numpy
from hypothesis import given

SIDE = 7
NAMES = "abcdw"  # w is an array over NumPy's memory, which the program also changes there

counts = st.integers(1, SIDE)
numbers = st.sampled_from(["0.5", "2", "-1.25", "3"])
names = st.sampled_from(NAMES)


@st.composite
def slices(draw, count):
    """A slice of SIDE with `count` elements, of any direction and step."""
    step = draw(st.integers(1, (SIDE - 1) // max(1, count - 1)))
    start = draw(st.integers(0, SIDE - 1 - (count - 1) * step))
    last = start + (count - 1) * step
    if draw(st.booleans()):
        return f"{start}:{last + 1}:{step}"
    return f"{last}:{start - 1 if start else ''}:{-step}"


@st.composite
def views(draw, rows, columns):
    """A view of this shape on a variable."""
    name = draw(names)
    if draw(st.integers(0, 4)) == 0:
        return f"{name}.T[{draw(slices(rows))}, {draw(slices(columns))}]"
    return f"{name}[{draw(slices(rows))}, {draw(slices(columns))}]"


@st.composite
def terms(draw, rows, columns):
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(numbers)
    if kind == 1:
        return f"{draw(names)}[{draw(st.integers(0, SIDE - 1))}, {draw(slices(columns))}]"
    if kind == 2:
        return f"{draw(names)}.sum(axis={draw(st.integers(0, 1))})[{draw(slices(columns))}]"
    if kind == 3:
        a, b, c = (draw(views(rows, columns)) for _ in range(3))
        return f"np.where({a} > {b}, {b}, {c})"
    return draw(views(rows, columns))


@st.composite
def expressions(draw, rows, columns):
    parts = [draw(views(rows, columns))]
    for _ in range(draw(st.integers(0, 3))):
        parts.append(draw(st.sampled_from(["+", "-", "*"])))
        parts.append(draw(terms(rows, columns)))
    text = " ".join(parts)
    return f"np.minimum(0.25 * ({text}), 1e3)" if len(parts) > 1 else text


@st.composite
def simple(draw):
    """One statement."""
    kind = draw(st.integers(0, 12))
    rows, columns = draw(counts), draw(counts)
    if kind == 0:
        return f"{draw(names)} = {draw(expressions(SIDE, SIDE))}"
    if kind == 1:
        return f"{draw(names)} = {draw(names)}{draw(st.sampled_from(['.copy()', '', '.T', '[::-1]', '[:, ::-1]']))}"
    if kind == 2:
        return f"{draw(names)}[{draw(names)} > {draw(numbers)}] = {draw(numbers)}"
    if kind == 3:
        return f"reads.append(float({draw(names)}[{draw(st.integers(0, SIDE - 1))}, {draw(st.integers(0, SIDE - 1))}]))"
    if kind == 4:
        return f"raw[{draw(slices(rows))}] *= {draw(numbers)}"
    if kind == 5:
        return f"reads.append(raw[{draw(st.integers(0, SIDE - 1))}].tolist())"
    if kind == 6:  # a value that only the call seems to hold
        return f"held = ({draw(expressions(SIDE, SIDE))},); reads.append(float(np.ndarray.max(*held)))"
    if kind == 7:
        return f"{draw(names)} = held[0]{draw(st.sampled_from([' + 1', '.copy()', '.T', '[::-1]']))}"
    operator = draw(st.sampled_from(["=", "=", "+=", "-=", "*="]))
    return f"{draw(views(rows, columns))} {operator} {draw(expressions(rows, columns))}"


@st.composite
def statements(draw):
    body = draw(st.lists(simple(), min_size=1, max_size=4))
    if len(body) > 2:
        lines = [f"    {line}" for line in body]
        return "\n".join([f"for _ in range({draw(st.integers(2, 30))}):", *lines])
    return "\n".join(body)


programs = st.lists(statements(), min_size=1, max_size=12).map("\n".join)


def run(np, program):
    raw = (numpy.arange(float(SIDE * SIDE)).reshape(SIDE, SIDE) * 5) % 11 - 5
    variables = {"np": np, "raw": raw, "reads": [], "w": np.asarray(raw)}
    for k, name in enumerate("abcd"):
        variables[name] = (np.arange(float(SIDE * SIDE)).reshape(SIDE, SIDE) * (k + 2)) % 13 - 6
    variables["held"] = (variables["a"],)
    with numpy.errstate(all="ignore"):
        exec(program, variables)
        return {name: numpy.array(variables[name]) for name in NAMES} | {"raw": raw}, variables["reads"]


@given(programs)
def test_programs_give_numpys_bits(program):
    ours, our_reads = run(cnumeric, program)
    theirs, their_reads = run(numpy, program)
    for name, value in theirs.items():
        numpy.testing.assert_array_equal(ours[name], value, err_msg=f"{name} after\n{program}")
    numpy.testing.assert_array_equal(numpy.hstack([0.0, *our_reads]), numpy.hstack([0.0, *their_reads]), program)
