"""Random programs that mix what spreads arrays over places with what does not, against NumPy: seeds are arguments.

Values are whole numbers of a few digits, so that every order of additions gives the same bits.
"""

import random
import sys
import warnings

import cnumeric
import numpy

NAMES = "abcdef"
SHAPES = [(24, 10), (7, 9), (240,), (63,), (3, 4, 5), (2,) * 10, (5, 1, 7), (0, 4), (101,), (33, 3)]
TYPES = ["f8", "f8", "f4", "i8", "i4", "u1", "?", "c16", "c8"]


def small(text, kind):
    """The expression, folded back to small numbers of the type."""
    return f"({text}) % 7" if kind not in "c?" else f"({text})"


class Program:
    """Statements over named arrays, made while their shapes are followed by running them with NumPy."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.lines = []
        self.model = {"np": numpy, "numpy": numpy, "reads": [], "shown": []}

    def add(self, line):
        """A statement, if NumPy can run it."""
        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                exec(line, self.model)
            except (ValueError, TypeError, IndexError, NameError):
                return
        self.lines.append(line)

    def shape(self, name):
        return self.model[name].shape

    def index(self, shape):
        parts = []
        for n in shape[:9]:
            kind = self.draw.randrange(5)
            if kind == 0 or n < 2:
                parts.append(":")
            elif kind == 1:
                parts.append(f"{self.draw.randrange(n)}:")
            elif kind == 2:
                parts.append(f":{1 + self.draw.randrange(n)}")
            elif kind == 3:
                parts.append(self.draw.choice(["::2", "::-1", "1::2", "::-2"]))
            else:
                parts.append(self.draw.choice(["1:", ":-1", f"{self.draw.randrange(n)}", "1:-1"]))
        return ", ".join(parts) or "..."

    def fresh(self, name):
        shape, kind = self.draw.choice(SHAPES), self.draw.choice(TYPES)
        count = int(numpy.prod(shape))
        order = self.draw.choice(["", "", ", order='F'"])
        self.add(
            f"{name} = np.array((np.arange({count}) * {self.draw.randrange(9)} % 5).reshape({shape}), '{kind}'{order})"
        )

    def term(self, shape):
        """A view of another array that broadcasts to the shape."""
        fit = [n for n in NAMES if n in self.model and self.shape(n) == shape]
        if fit and self.draw.randrange(3):
            name = self.draw.choice(fit)
            turn = self.draw.choice(["", "", "[::-1]", ".real", ".copy()"])
            return name + (turn if shape else "")
        return self.draw.choice(["2", "3", "True"])

    def statement(self):
        d = self.draw
        x, y = d.choice(NAMES), d.choice(NAMES)
        if x not in self.model or y not in self.model:
            self.fresh(x if x not in self.model else y)
            return
        kind, shape = self.model[x].dtype.kind, self.shape(x)
        what = d.randrange(27)
        if what < 5:
            self.add(f"{y} = " + small(f"{x} {d.choice('+*')} {self.term(shape)}", kind))
        elif what < 10:
            i = self.index(shape)
            j = d.choice([i, self.index(shape)])
            other = d.choice([f"{x}[{i}]", "2", "3"])
            self.add(f"{x}[{i}] = " + small(f"{x}[{j}] {d.choice('+*')} {other}", kind))
        elif what == 10:
            self.add(f"{y} = {x}.copy()")
        elif what == 11:
            self.add(f"{y} = {x}{d.choice(['.T', '[::-1]', '[1:]', '.real', '.imag'])}")
        elif what == 12 and kind != "b":  # a bool of another byte is NumPy's secret
            to = {"c": ["f8", "f4"], "f": ["u1", "i4", "i8"]}.get(kind, ["u1", "i4", "i8", "i2"])
            to = to[self.model[x].dtype.itemsize == 8] if kind == "c" else d.choice(to)
            same = numpy.dtype(to).itemsize == self.model[x].dtype.itemsize
            self.add(f"{y} = {x}{'' if same else '.copy()'}.view('{to}')")
        elif what == 13:
            axis = d.choice(["", *range(len(shape))])
            how = d.choice(["sum", "max", "min", "any", "all", "prod", "argmax"])
            self.add(f"reads.append(numpy.array({x}.{how}({axis})))")
        elif what == 14:
            axis = d.choice(["", *range(len(shape))])
            self.add(f"{y} = " + small(f"{x}.sum({axis})", kind) + f" + {x} * 0")
        elif what == 15:
            self.add(f"{y} = np.{d.choice(['sort', 'cumsum', 'flip'])}({x}, axis={d.randrange(-1, 1)}) % 5")
        elif what == 16:
            self.add(f"{x}[{x} > 2] = 1")
        elif what == 17:
            self.add(f"{y} = {x}[np.arange(0, {max(1, shape[0]) if shape else 1}, 2)]")
        elif what == 18:
            self.add(f"reads.append({x}.item({d.randrange(5)}))")
        elif what == 19:
            self.add(
                f"{x}.flat[{d.randrange(20)}] = {d.randrange(4)}"
                if d.randrange(2)
                else f"{x}[{', '.join(['-1'] * len(shape))}] = 3"
            )
        elif what == 20:
            self.add(f"shown.append(numpy.asarray({x}))" if d.randrange(2) else "shown.clear()")
        elif what == 21:
            self.add(f"del {x}")
        elif what == 22:
            self.add("getattr(np, 'synchronize', int)()")
        elif what == 23:
            self.add(f"{y} = np.where({x} > 1, {x}, {self.term(shape)})")
        elif what == 24:
            rows = (
                f"np.arange({max(1, shape[0]) if shape else 1}) * {d.randrange(5)} % {max(1, shape[0]) if shape else 1}"
            )
            self.add(
                d.choice([f"np.add.at({x}, {rows}, 1)", f"{x}[{rows}] = {x}[{rows}] * 2 % 3", f"{y} = {x}[{rows}]"])
            )
        elif what == 25:
            self.add(f"{y} = np.argsort({x}.ravel(), kind='stable') % 5")
        else:
            self.add(f"{y} = np.{d.choice(['sort', 'unique'])}({x}.ravel()) + ({x}.ravel() @ {x}.ravel()) % 3")

    def body(self):
        """Some statements, once or in a loop."""
        start = len(self.lines)
        for _ in range(self.draw.randrange(1, 9)):
            self.statement()
        body = self.lines[start:]
        if body and self.draw.randrange(3) == 0:
            for _ in range(self.draw.randrange(2, 8)):
                for line in body:
                    self.add(line)


def results(np, lines):
    scope = {"np": np, "numpy": numpy, "reads": [], "shown": []}
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for line in lines:
            exec(line, scope)
        values = {n: numpy.array(scope[n]) for n in NAMES if n in scope}
    return values, scope["reads"]


def check(seed):
    program = Program(seed)
    for _ in range(12):
        program.body()
    ours, our_reads = results(cnumeric, program.lines)
    theirs, their_reads = results(numpy, program.lines)
    text = "\n".join(program.lines)
    for name, value in theirs.items():
        numpy.testing.assert_array_equal(ours[name], value, err_msg=f"{name} after\n{text}")
        assert ours[name].dtype == value.dtype, name
    for ours_one, theirs_one in zip(our_reads, their_reads, strict=True):
        numpy.testing.assert_array_equal(ours_one, theirs_one, err_msg=text)


if __name__ == "__main__":
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        try:
            check(seed)
        except BaseException:
            print("seed", seed)
            raise
    print("passed")
