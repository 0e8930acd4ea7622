"""numpy.fft on the device: function x dtype x size x norm x axes, errors, and what is left to NumPy."""

import numpy
from device_check import check, near, np, numbers


def fft(name, **keywords):
    return lambda np, a: getattr(np.fft, name)(a, **keywords)


for kind in "dDfFli?":
    x = numbers(12, kind=kind)
    for norm in (None, "backward", "ortho", "forward"):
        for n in (None, 7, 12, 17, 20, 1):
            names = ["fft", "ifft", "irfft", "hfft"] + (["rfft", "ihfft"] if kind not in "FD" else [])
            for name in names:
                check((name, kind, norm, n), fft(name, n=n, norm=norm), x)

for kind in "dF":
    y = numbers(3, 4, 5, kind=kind)
    for axis in (0, 1, 2, -1, -3):
        for name in ["fft", "ifft", "irfft", "hfft"] + (["rfft", "ihfft"] if kind == "d" else []):
            check((name, kind, axis), fft(name, axis=axis), y)
            check((name, kind, axis, 6), fft(name, axis=axis, n=6), y)
    several = [
        {},
        {"axes": (0, 2)},
        {"axes": (2, 0)},
        {"axes": (1, 0)},
        {"axes": (1,)},
        {"axes": (0, 1, 2), "s": (2, 6, 5)},
        {"axes": (-1, 0), "s": (4, 3), "norm": "ortho"},
        {"axes": (0, 1), "s": (-1, 6), "norm": "forward"},
    ]
    for keywords in several:
        for name in ["fftn", "ifftn", "irfftn"] + (["rfftn"] if kind == "d" else []):
            check((name, kind, keywords), fft(name, **keywords), y)
    for name in ["fft2", "ifft2", "irfft2"] + (["rfft2"] if kind == "d" else []):
        check((name, kind), fft(name), y)
        check((name, kind, "s"), fft(name, s=(3, 8), axes=(0, 2)), y)

far = numbers(70, 4, 3)  # so many runs that axes are moved
for name in ("fft", "rfft", "irfft"):
    check((name, "far"), fft(name, axis=1), far)
lines = numbers(60, 20, kind="D")  # of which several devices have some each
for name in ("fft", "ifft", "irfft"):
    check((name, "lines"), fft(name), lines)
    check((name, "as many again"), fft(name, n=11), lines)
check("rfft of lines", fft("rfft"), numbers(61, 30))
check("four axes", fft("fftn"), numbers(2, 3, 2, 3, kind="D"))
check("transposed", lambda np, a: np.fft.fft(a.T), numbers(4, 6, kind="D"))
check("part", lambda np, a: np.fft.fft(a[1]), numbers(3, 6, kind="D"))
check("cut", lambda np, a: np.fft.fft(a, n=3, axis=0), numbers(6, 4, kind="D"))

source = np.array(numbers(8, kind="D")) * 1
kept = numpy.array(source)
for name in ("fft", "irfft", "fftn", "irfftn"):
    getattr(np.fft, name)(source)
    assert (numpy.asarray(source) == kept).all(), name  # what goes in stays
out = np.empty(8, "D")
assert np.fft.fft(source, out=out) is out
near(out, numpy.fft.fft(kept), "out", 1e-10)
assert np.fft.ifft(out, out=out) is out
near(out, kept, "in place", 1e-10)

for bad in (
    lambda np, x: np.fft.fft(x, n=0),
    lambda np, x: np.fft.fft(x, axis=3),
    lambda np, x: np.fft.fft(x, norm="none"),
    lambda np, x: np.fft.rfft(x),
    lambda np, x: np.fft.fftn(x, s=(2, 3), axes=(0,)),
    lambda np, x: np.fft.fft(x, bad=1),
):
    found = []
    for module, x in ((np, source), (numpy, kept)):
        try:
            bad(module, x)
        except Exception as error:
            found.append((type(error), str(error)))
    assert len(found) == 2 and found[0] == found[1], found
assert np.fft.fft(np.ones(4, "e")).dtype == numpy.fft.fft(numpy.ones(4, "e")).dtype
print("done")
